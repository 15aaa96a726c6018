//! The sentence of a status whose next reading the vendor's rate limit delays, or whose change cannot leave. It follows the message of `Ready`: the reason, the
//! numbers and all other conditions stay those of the last reading. Called by `report` and by the controller's `record`.

use jiff::Timestamp;

use super::condition::kind;
use crate::api::LicenseSeatsStatus;

/// The STATUS of an object that waits for its turn and has no numbers that are new enough.
pub const RATE_LIMITED: &str = "rate limited; waiting";

/// The beginning of the sentence. What follows it is replaced, or removed.
const BEGINS: &str = ". Rate limited: ";

/// The same, where a change waits and not the reading.
const UNSENT: &str = ". Not sent yet: ";

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
        // It is recorded in steps.
        (None, Some(recorded)) => format!(" The numbers are from {} or later.", shown(recorded)),
        (None, None) => String::new(),
    };
    let sentence = format!(
        "{vendor} limits the requests per minute.{from} The next reading is at about {}. For earlier readings, use longer intervals or \
         fewer credentials",
        shown(next)
    );
    with(status, Some((BEGINS, &sentence)))
}

/// A status that says nothing of a turn.
pub(super) fn without_turn(status: &LicenseSeatsStatus) -> LicenseSeatsStatus {
    with(status, None)
}

/// Whether a status says that the object waits for its turn, in place of what was read.
pub fn is_rate_limited(status: &LicenseSeatsStatus) -> bool {
    status.summary.as_deref() == Some(RATE_LIMITED)
}

/// A time as a message has it.
pub fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A status that says why its change cannot leave: the path for changes is closed. Reading goes on, so nothing else would say it.
pub fn says_unsent(status: &LicenseSeatsStatus, why: &str) -> LicenseSeatsStatus {
    with(status, Some((UNSENT, why)))
}

fn with(status: &LicenseSeatsStatus, sentence: Option<(&str, &str)>) -> LicenseSeatsStatus {
    let mut status = status.clone();
    for ready in status.conditions.iter_mut().filter(|condition| condition.type_ == kind::READY) {
        let kept = [BEGINS, UNSENT]
            .iter()
            .fold(ready.message.as_str(), |text, begins| text.split(begins).next().unwrap_or_default());
        ready.message = match sentence {
            Some((begins, sentence)) => format!("{kept}{begins}{sentence}"),
            None => kept.to_owned(),
        };
    }
    status
}
