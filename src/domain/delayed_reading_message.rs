//! The sentence of a status whose next reading the vendor's rate limit delays. It follows the message of `Ready`: the reason, the
//! numbers and all other conditions stay those of the last reading. Called by `report` and by the controller's `record`. The sentence of a
//! change that cannot leave, which `ready_message` adds, makes room for it.

use jiff::Timestamp;

use super::condition::kind;
use crate::api::LicenseSeatsStatus;

/// The STATUS of an object that waits for its turn and has no numbers that are new enough.
pub const RATE_LIMITED: &str = "rate limited; waiting";

/// The beginning of the sentence. What follows it is replaced, or removed.
const BEGINS: &str = ". Rate limited: ";

/// The same for a change that waits, and not a reading.
pub(super) const UNSENT: &str = ". Not sent yet: ";

/// A status that says when its next reading comes. `read`: when this process read the vendor last.
pub fn says_turn(
    status: &LicenseSeatsStatus,
    vendor: &str,
    read: Option<Timestamp>,
    next: Timestamp,
) -> LicenseSeatsStatus {
    let recorded = || status.last_observed_at.as_ref().map(|time| time.0);
    let from = match (read, recorded()) {
        (Some(read), _) => format!(" The numbers are from {}.", shown(read)),
        // The status has this time in steps.
        (None, Some(recorded)) => format!(" The numbers are from {} or later.", shown(recorded)),
        (None, None) => String::new(),
    };
    let sentence = format!(
        "{vendor} limits the requests per minute.{from} The next reading is at about {}. For earlier readings, use longer intervals or \
         fewer credentials",
        shown(next)
    );
    with(status, Some(&sentence))
}

/// A status without that sentence.
pub(super) fn without_turn(status: &LicenseSeatsStatus) -> LicenseSeatsStatus {
    with(status, None)
}

/// Whether a status says that the object waits for its turn, in place of what was read.
pub fn is_rate_limited(status: &LicenseSeatsStatus) -> bool {
    status.summary.as_deref() == Some(RATE_LIMITED)
}

/// A time in the form that messages use.
pub fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn with(status: &LicenseSeatsStatus, sentence: Option<&str>) -> LicenseSeatsStatus {
    let mut status = status.clone();
    for ready in status.conditions.iter_mut().filter(|condition| condition.type_ == kind::READY) {
        let kept = ready.message.split(BEGINS).next().unwrap_or_default();
        ready.message = match sentence {
            Some(sentence) => format!("{}{BEGINS}{sentence}", kept.split(UNSENT).next().unwrap_or_default()),
            // What keeps a change from leaving is true until the next decision.
            None => kept.to_owned(),
        };
    }
    status
}
