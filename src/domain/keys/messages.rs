//! The sentences about license keys: what is missing, what to do about it, and what Seatkeeper does.

use super::Lack;
use super::key_states::{self, KeyRecords, Standing};
use crate::api::{CONFIRM, Intent, KeyState, SecretKeyRef, Step};
use crate::domain::condition::reason;
use crate::domain::wait_for_secret::may_arrive;
use crate::domain::{Decision, Snapshot, VendorWords, Verdict};

/// The record of a request without an answer.
pub(super) const NO_ANSWER: &str = "no answer";

/// The beginning of the record of an answer that has only its status.
pub(super) const STATUS: &str = "status ";

/// One thing that is missing or wrong.
pub(super) struct Trouble {
    reason: &'static str,
    summary: String,
    message: String,
    secret_may_help: bool,
}

impl Trouble {
    fn new(reason: &'static str, summary: &str, message: String) -> Self {
        Self { reason, summary: summary.to_owned(), message, secret_may_help: false }
    }

    /// Another key in the Secret ends the fault.
    fn of_secret(reason: &'static str, summary: &str, message: String) -> Self {
        Self { secret_may_help: true, ..Self::new(reason, summary, message) }
    }

    pub(super) fn prune_blocked(why: &str) -> Self {
        Self::new(reason::PRUNE_BLOCKED, "a key cannot be removed", format!("prune: {why}"))
    }

    pub(super) fn removal_refused(words: &VendorWords, intent: Option<&Intent>) -> Self {
        let id = intent.and_then(|intent| intent.step.key()?.id).unwrap_or_default();
        let confirm = intent.map_or_else(String::new, |intent| format!(" with annotation {CONFIRM}={}", intent.id));
        let message = format!(
            "the {} refuses to remove row {id}, or did not remove it after two requests: remove it there, or try again{confirm}",
            words.account
        );
        Self::new(reason::VENDOR_REJECTED, "removal of a key refused", message)
    }
}

/// All troubles as one: the first gives the reason.
pub(super) fn lack(troubles: Vec<Trouble>) -> Lack {
    let message = troubles.iter().map(|trouble| trouble.message.as_str()).collect::<Vec<_>>().join("; ");
    let secret_may_help = troubles.iter().any(|trouble| trouble.secret_may_help);
    let arrives = !troubles.is_empty() && troubles.iter().all(|trouble| may_arrive(trouble.reason));
    let first = troubles.into_iter().next();
    let (reason, summary) = first.map_or((reason::PROGRESSING, String::new()), |first| (first.reason, first.summary));
    Lack { reason, summary, message, secret_may_help, arrives }
}

/// The faults of the listed keys, in the order of the list.
#[expect(clippy::too_many_lines, reason = "a table of sentences: each reads best beside the others")]
pub(super) fn troubles(words: &VendorWords, records: &KeyRecords<'_>, standings: &[Standing<'_>]) -> Vec<Trouble> {
    let (account, ring) = (words.account, records.ring);
    let each = ring.wanted.iter().zip(standings);
    each.filter_map(|(entry, standing)| {
        let path = entry.reference.path();
        Some(match standing {
            Standing::Unreadable(fault) => {
                let message = format!("license key {path}: {}", fault.message);
                Trouble::of_secret(fault.reason, &fault.summary, message)
            }
            Standing::Refused => Trouble::of_secret(
                reason::LICENSE_KEY_REJECTED,
                "license key refused by the vendor",
                format!(
                    "Seatkeeper asked the {account} twice to add license key {path}, and the {account} shows no new row: the key may be \
                     mistyped, expired, or made for another {account}, or the {account} had a fault. Put the right key into the Secret; to send the same \
                     key again, remove its entry from {} and add it again",
                    words.keys_field
                ),
            ),
            Standing::Unproven(asked) => Trouble::of_secret(
                reason::NEEDS_REVIEW,
                "key sent twice, outcome unknown",
                format!(
                    "license key {path} was sent twice, and {}. The {account} lists no new row, but that proves nothing: check the \
                     licenses at {}. If one of them is this key, name its row in licenseKeys[].adopt (id and uuid; the rows are in \
                     status.license.keys); if none is, annotate {CONFIRM}={}, and the key is sent again",
                    heard(words.name, &asked.heard),
                    words.name,
                    asked.id
                ),
            ),
            Standing::Present if ring.rows.iter().all(|row| records.owns(row)) => Trouble::of_secret(
                reason::ALREADY_PRESENT,
                "key is there already, in no row",
                format!(
                    "Seatkeeper asked the {account} twice to add license key {path}. The {account} reports that it already has the key, \
                     but lists no candidate row: a removed row may hold the key. Restore or purge that row at {}, then remove the entry from {} and add it again; \
                     or supply another key",
                    words.name, words.keys_field
                ),
            ),
            Standing::Present => Trouble::of_secret(
                reason::ALREADY_PRESENT,
                "key is there already: which row?",
                format!(
                    "the {account} has license key {path} already and does not show in which row: name that row in \
                     licenseKeys[].adopt (id and uuid; the rows are in status.license.keys)"
                ),
            ),
            Standing::Twin => Trouble::of_secret(
                reason::SPEC_INVALID,
                "the same key twice",
                format!("license key {path} is the same as that of an earlier entry: remove one of the two"),
            ),
            Standing::NoSuchRow => Trouble::new(
                reason::NEEDS_REVIEW,
                "row to adopt not there",
                format!(
                    "the row that adopt names for license key {path} is not at the {account} with that id and uuid, or belongs to \
                     another listed key: correct adopt, or remove it to have the key added"
                ),
            ),
            Standing::Hidden(record) => {
                let id = record.id.unwrap_or_default();
                Trouble::new(
                    reason::NEEDS_REVIEW,
                    "a row is counted and not listed",
                    format!(
                        "row {id} of license key {path} is not in the list of the {account}, which still counts its seats ({} in all): \
                         the list may lack rows, so nothing is added. This ends once the row is listed again; if the row is gone, \
                         annotate {CONFIRM}={}, and the key is added again",
                        ring.seats,
                        key_states::question(record, ring)
                    ),
                )
            }
            Standing::Listed(_) | Standing::Lost(_) | Standing::GivenUp | Standing::New => return None,
        })
    })
    .collect()
}

/// The outcomes of two requests.
fn heard(vendor: &str, heard: &[String]) -> String {
    let one = |words: &str, place: &str| match words.strip_prefix(STATUS) {
        _ if words == NO_ANSWER => format!("the {place} answer was lost"),
        Some(status) => format!("{vendor} answered the {place} request with status {status}"),
        None => format!("{vendor} refused the {place} request, because {words}"),
    };
    match heard {
        [first, second] if first == second && first == NO_ANSWER => "the answer was lost twice".to_owned(),
        [first, second] if first == second => match first.strip_prefix(STATUS) {
            Some(status) => format!("{vendor} answered twice with status {status}"),
            None => format!("{vendor} refused twice, because {first}"),
        },
        [first, second] => format!("{}, and {}", one(first, "first"), one(second, "second")),
        _ => "the answers are not known".to_owned(),
    }
}

/// Seatkeeper cannot buy seats here. A person must supply a key.
pub(super) fn short(words: &VendorWords, wanted: Option<i32>, seats: i32) -> Option<Trouble> {
    let missing = wanted?.checked_sub(seats).filter(|missing| *missing > 0)?;
    let message = format!(
        "{} seats are wanted and {seats} licensed: {missing} are missing; supply another license key in \
         {}",
        wanted?, words.keys_field
    );
    Some(Trouble::new(reason::SEATS_SHORT, &format!("{missing} seats short: supply a key"), message))
}

/// Rows that were removed outside Seatkeeper.
pub(super) fn lost(records: &KeyRecords<'_>) -> Option<String> {
    let lost = records.list.iter().filter(|record| record.state == KeyState::Missing && !records.hides(record));
    // A row that the spec no longer lists may be removed by any person.
    let lost = lost.filter(|record| records.is_wanted(record));
    let rows: Vec<String> = lost
        .map(|record| {
            let (id, path) = (record.id.unwrap_or_default(), path(record.secret_key_ref.as_ref()));
            format!("row {id} of license key {path}")
        })
        .collect();
    (!rows.is_empty()).then(|| format!("removed outside Seatkeeper: {}", rows.join(", ")))
}

/// A step that is to be made, in a few words.
pub(in crate::domain) fn step_words(step: &Step) -> Option<String> {
    let verb = match step {
        Step::Seats(_) => return None,
        Step::AddKey(_) => "add",
        Step::RemoveKey(_) => "remove",
    };
    Some(format!("{verb} {}", object_of(step)))
}

/// A step that was made, in a few words.
pub(in crate::domain) fn step_done(step: &Step) -> String {
    let verb = if matches!(step, Step::RemoveKey(_)) { "removed" } else { "added" };
    format!("{} {verb}", object_of(step))
}

/// Why the vendor refused the last request in its own words, if it did.
pub(in crate::domain) fn refusal(heard: &[String]) -> Option<&str> {
    heard.last().map(String::as_str).filter(|words| *words != NO_ANSWER && !words.starts_with(STATUS))
}

/// The object of a step, in a few words.
pub(in crate::domain) fn object_of(step: &Step) -> String {
    match step {
        Step::RemoveKey(key) => format!("license row {}", key.id.unwrap_or_default()),
        _ => format!("license key {}", path(step.key().and_then(|key| key.secret_key_ref.as_ref()))),
    }
}

fn path(reference: Option<&SecretKeyRef>) -> String {
    reference.map_or_else(String::new, SecretKeyRef::path)
}

/// The sentence of `Ready` for an account; `None`: the sentence for every vendor.
#[expect(clippy::too_many_lines, reason = "a table of sentences: each reads best beside the others")]
pub(in crate::domain) fn ready(words: &VendorWords, seen: &Snapshot, decision: &Decision) -> Option<String> {
    let vendor = words.name;
    let ring = seen.keys()?;
    let seats = ring.seats;
    let step = decision.intent.as_ref().map(|intent| &intent.step);
    Some(match &decision.verdict {
        Verdict::InSync => format!("{vendor} has every listed key, and {seats} seats"),
        Verdict::Observed(_) => format!("{vendor} shows {seats} seats; managementPolicy is Observe"),
        Verdict::Doubt => step.map_or_else(
                || format!("{vendor} no longer lists a key. Seatkeeper reads the list once more before it acts"),
                |step| {
                    let what = step_done(step);
                    format!("The outcome is not known yet: {what}, or not. No further request is sent until {vendor} has been read again after the settle time")
                },
            ),
        Verdict::NeedsReview => {
            let (intent, step) = decision.intent.as_ref().zip(step)?;
            let own = decision.license.as_ref().map_or(&[][..], |license| &license.keys);
            let candidates = ring.rows.iter().filter(|row| {
                let foreign = own.iter().any(|key| {
                    key.origin == Some(crate::api::KeyOrigin::Foreign) && row.is(key.id, key.uuid.as_deref())
                });
                foreign && step.key().is_some_and(|key| !key.present.contains(&row.id))
            });
            let rows: Vec<String> = candidates.map(|row| format!("{} ({})", row.id, row.uuid)).collect();
            let (what, id) = (step_done(step), &intent.id);
            let named = step.key().and_then(|key| key.id.zip(key.uuid.as_deref()));
            match (named, &rows[..]) {
                (Some((row, uuid)), _) => format!(
                    "{vendor} confirmed row {row} ({uuid}) and does not list it, so {what} or not. Nothing is sent until you decide: check \
                     the licenses there. This ends once the row is listed; if another row is the key, name it in \
                     licenseKeys[].adopt; if none is, annotate {CONFIRM}={id}, and the key is sent again"
                ),
                (None, []) => format!(
                    "{what} or not: {vendor} counts {seats} seats and lists no new row for them, so its list may lack one. Nothing is sent \
                     until you decide: check the licenses there; if one of them is it, name it in licenseKeys[].adopt, or, \
                     if none is, annotate {CONFIRM}={id}"
                ),
                (None, [row]) => format!(
                    "{what} or not: row {row} is new and may be it. Nothing is sent until you decide: name it in \
                     licenseKeys[].adopt, or, if it is another, annotate {CONFIRM}={id}"
                ),
                (None, _) => format!(
                    "{what} or not: several rows are new, and any of them may be it: {}. Nothing is sent until you decide: name the \
                     right one in licenseKeys[].adopt, or, if none of them is it, annotate seatkeeper.dev/confirm={id}",
                    rows.join(", "),
                ),
            }
        }
        Verdict::Conflict => format!(
                "a license key was removed at {vendor} again, after Seatkeeper added it back twice within a day. Seatkeeper stops \
                 until {} is edited or a day has passed. Find the source of the removals",
            words.keys_field
        ),
        Verdict::Standby(_)
        | Verdict::Publish
        | Verdict::Change(_)
        | Verdict::Held(_)
        | Verdict::Rejected
        | Verdict::Lacking(_)
        | Verdict::Unsupported(_) => return None,
    })
}
