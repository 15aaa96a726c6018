//! The events, reported once beside the status: changes that were made, and conditions that turned for the worse.

use super::condition::{find, kind, reason};
use super::condition_table::CONDITIONS;
use super::protocol::digest;
use super::status_column;
use crate::api::{Intent, KeyOrigin, KeyRecord, License, LicenseSeatsStatus, Plan, SecretKeyRef, Step};

/// Reasons of events that no condition has.
pub mod event {
    /// More seats were bought.
    pub const SEATS_INCREASED: &str = "SeatsIncreased";
    /// Seats were given back.
    pub const SEATS_DECREASED: &str = "SeatsDecreased";
    /// Only the limit was changed.
    pub const LIMIT_CHANGED: &str = "LimitChanged";
    /// A license key was added.
    pub const LICENSE_KEY_ADDED: &str = "LicenseKeyAdded";
    /// A license key was removed.
    pub const LICENSE_KEY_REMOVED: &str = "LicenseKeyRemoved";
    /// A row is treated as a license key's without having been added for it.
    pub const LICENSE_KEY_ADOPTED: &str = "LicenseKeyAdopted";
    /// A `SeatApproval` let a change pass.
    pub const CHANGE_APPROVED: &str = "ChangeApproved";
    /// Another installation of Seatkeeper writes the same object.
    pub const ANOTHER_INSTALLATION: &str = "AnotherInstallation";
    /// Another number of seats is billed than is shown.
    pub const BILLED_DIFFERS: &str = "BilledDiffers";
}

/// Something that is reported once, as an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// A person should look.
    pub warning: bool,
    /// The reason, from the vocabulary of conditions or the kind of change.
    pub reason: &'static str,
    /// What was done, with a mark of the change or the sentence: events with the same action are folded into a series,
    /// which keeps its first sentence.
    pub action: String,
    /// The sentence.
    pub note: String,
}

/// Reports another installation of Seatkeeper that writes the same object. Both are named by their Leases.
pub fn another_installation(other: &str, own: &str) -> Notice {
    let note = format!(
        "Another Seatkeeper (Lease {other}) writes the status of this object too. This one has the Lease {own}. Only one of them may serve \
         an account: stop one, or give each its own namespaces. If a person put an old status back, do nothing"
    );
    Notice { warning: true, reason: event::ANOTHER_INSTALLATION, action: format!("ReportInstallation {other}"), note }
}

/// Reports a used approval.
pub(super) fn approved(intent: &Intent, plan: Option<&Plan>) -> Option<Notice> {
    let (name, plan) = intent.approval.as_ref().zip(plan)?;
    let note = format!("SeatApproval {name} approves plan {}: {}", plan.id, status_column::step(&plan.step));
    Some(Notice { warning: false, reason: event::CHANGE_APPROVED, action: format!("Approve-{}", intent.id), note })
}

/// Reports conditions that turned, so that a person need not read the object.
pub(super) fn transitions(old: &LicenseSeatsStatus, new: &LicenseSeatsStatus, notices: &mut Vec<Notice>) {
    let turned = |kind: &str| {
        let passes = |status| [kind::LICENSE_VALID, kind::SEAT_SHORTAGE].contains(&kind) && adds_a_key(status);
        let now = find(&new.conditions, kind).filter(|_| !passes(new))?;
        let before = find(&old.conditions, kind).filter(|_| !passes(old));
        (before.map(|b| (&b.status, &b.reason)) != Some((&now.status, &now.reason))).then_some(now)
    };
    let mut told = |kind: &str, reason, note: String| {
        let action = format!("{kind}-{}", digest(&[&note]));
        notices.push(Notice { warning: true, reason, action, note });
    };
    for entry in CONDITIONS.iter().filter(|entry| entry.warns) {
        for reason in entry.reasons {
            if let Some(condition) = turned(entry.kind).filter(|c| c.reason == *reason) {
                told(entry.kind, reason, condition.message.clone());
            }
        }
    }
    // Each plan that waits for a yes has an id of its own, which its approver must learn.
    let asked = asks(old).zip(asks(new)).filter(|((before, _), (now, _))| before != now);
    if let Some((_, (_, message))) = asked {
        told(kind::CHANGE_PENDING, reason::AWAITING_APPROVAL, message.to_owned());
    }
    // Each threshold that is reached has a sentence of its own.
    let soon = |status: &LicenseSeatsStatus| {
        let license = find(&status.conditions, kind::LICENSE_VALID)?;
        (license.reason == reason::EXPIRING_SOON).then(|| license.message.clone())
    };
    if let Some(message) = soon(new).filter(|message| soon(old).as_ref() != Some(message)) {
        told(kind::LICENSE_VALID, reason::EXPIRING_SOON, message);
    }
    if let Some((billed, seats)) = new.billed.zip(new.seats).filter(|_| new.billed != old.billed) {
        told("Billed", event::BILLED_DIFFERS, format!("{billed} seats are billed, and {seats} are shown as purchased"));
    }
}

/// The id of the plan that waits for a yes, and its message.
fn asks(status: &LicenseSeatsStatus) -> Option<(&str, &str)> {
    let pending = find(&status.conditions, kind::CHANGE_PENDING)?;
    let plan = status.plan.as_ref().filter(|_| pending.reason == reason::AWAITING_APPROVAL)?;
    Some((&plan.id, &pending.message))
}

/// Whether a license key is about to be added, or was sent and is not listed yet: a shortage that its seats will end is no reason to warn.
fn adds_a_key(status: &LicenseSeatsStatus) -> bool {
    let adds = |step: &Step| matches!(step, Step::AddKey(_));
    let planned = status.plan.as_ref().is_some_and(|plan| plan.blocked_by.is_empty() && adds(&plan.step));
    planned || status.intent.as_ref().is_some_and(|intent| intent.is_open() && adds(&intent.step))
}

/// Reports rows that are now treated as keys' without having been added for them.
pub fn adoptions(old: Option<&License>, new: &License) -> Vec<Notice> {
    let known = |key: &KeyRecord| {
        let same = |old: &KeyRecord| (old.id, &old.uuid, old.origin) == (key.id, &key.uuid, key.origin);
        old.is_some_and(|old| old.keys.iter().any(same))
    };
    let adopted = new.keys.iter().filter(|key| matches!(key.origin, Some(KeyOrigin::Adopted | KeyOrigin::Found)));
    let told = adopted.filter(|key| !known(key)).map(|key| {
        let path = key.secret_key_ref.as_ref().map_or_else(String::new, SecretKeyRef::path);
        let (id, uuid) = (key.id.unwrap_or_default(), key.uuid.as_deref().unwrap_or_default());
        let why = match key.origin {
            Some(KeyOrigin::Adopted) => "as the spec says",
            _ => {
                "because it is the only candidate. That is no proof, so prune leaves the row. To let prune remove it once its key is no \
                 longer listed, name the row in licenseKeys[].adopt"
            }
        };
        let note = format!("row {id} ({uuid}) is treated as license key {path}, {why}");
        let action = format!("Adopt-{}", digest(&[&note]));
        Notice { warning: false, reason: event::LICENSE_KEY_ADOPTED, action, note }
    });
    told.collect()
}
