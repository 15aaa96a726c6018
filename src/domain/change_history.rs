//! `status.history`: how many changes it keeps, and the event of each change.

use std::cmp::Ordering;

use super::events::{Notice, event};
use super::{keys, status_column};
use crate::api::{Change, LicenseSeatsStatus, Step, Trigger};

/// How many changes the history keeps.
const HISTORY: usize = 10;

/// Adds a change to the record once, and returns its event.
pub fn remember(status: &mut LicenseSeatsStatus, change: Option<Change>) -> Option<Notice> {
    let change = change.filter(|change| status.history.first().is_none_or(|last| last.id != change.id))?;
    let reason = match change.target().seats.cmp(&change.base().seats) {
        _ if change.step.key().is_some() => return Some(remember_key(status, change)),
        Ordering::Equal => event::LIMIT_CHANGED,
        Ordering::Greater => event::SEATS_INCREASED,
        Ordering::Less => event::SEATS_DECREASED,
    };
    let cause = match change.reason {
        Trigger::SpecDiffers => "as declared",
        Trigger::UseChanged => "following the use",
        Trigger::Applied => "as declared, at the time of an approval",
        Trigger::Urgent => "as declared, without waiting for a window: few seats are free",
        Trigger::ExternalChange => "correcting a change made outside Seatkeeper",
    };
    let notice = Notice {
        warning: false,
        reason,
        action: format!("Change-{}", change.id),
        note: format!(
            "{} -> {}, {cause}",
            status_column::numbers(change.base()),
            status_column::numbers(change.target())
        ),
    };
    status.history.insert(0, change);
    status.history.truncate(HISTORY);
    Some(notice)
}

fn remember_key(status: &mut LicenseSeatsStatus, change: Change) -> Notice {
    let removed = matches!(change.step, Step::RemoveKey(_));
    let uuid = change.step.key().and_then(|key| key.uuid.as_deref()).unwrap_or_default();
    let words = keys::step_done(&change.step);
    let seats = format!("{} -> {} seats", change.base().seats, change.target().seats);
    let refusal = change.step.key().and_then(|key| keys::refusal(&key.heard)).filter(|_| !removed);
    let (reason, note) = match refusal {
        Some(why) => (
            event::LICENSE_KEY_ADOPTED,
            format!(
                "{} was refused, because {why}. The new row ({uuid}) is treated as that key: {seats}",
                keys::object_of(&change.step)
            ),
        ),
        None if removed => (event::LICENSE_KEY_REMOVED, format!("{words} ({uuid}): {seats}")),
        None => (event::LICENSE_KEY_ADDED, format!("{words} ({uuid}): {seats}")),
    };
    let notice = Notice { warning: false, reason, action: format!("Change-{}", change.id), note };
    status.history.insert(0, change);
    status.history.truncate(HISTORY);
    notice
}
