//! What a write's answer proves, and what must be recorded after it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Fault, Numbers};
use crate::api::{Change, Intent, IntentPhase};

/// What became of a write, told apart by proof and not by hope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No byte of the request left this process.
    NotSent(&'static str),
    /// An answer that is proven to come before any effect.
    Refused(Refusal),
    /// The vendor says it is done. Only a reading proves it.
    Accepted,
    /// The vendor's application gave its final answer, and it does not prove "no effect".
    Answered,
    /// No answer of the application: the request may still be running.
    Unanswered,
}

/// A refusal before any effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many requests; the same may be sent after this long.
    Throttled(Option<Duration>),
    /// The credentials do not allow it, or no token could be had.
    Credentials(Fault),
    /// The request itself, and why, in our words, as what follows "because": sending it again cannot help.
    Request(String),
}

/// What the record must say after a write.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterWrite {
    /// The intent, if it stays open.
    pub intent: Option<Intent>,
    /// The change, if it is now seen to be made.
    pub applied: Option<Change>,
}

/// Judges a write by its outcome and by what was read right after it (`None`: could not be read).
pub fn after_write(intent: &Intent, outcome: &Outcome, read_back: Option<Numbers>, now: Timestamp) -> AfterWrite {
    let reached = read_back == Some(intent.target());
    let turned = |phase| Some(Intent { phase, ..intent.clone() });
    let stays = match outcome {
        Outcome::NotSent(_) | Outcome::Refused(Refusal::Throttled(_) | Refusal::Credentials(_)) => before(intent),
        Outcome::Refused(Refusal::Request(why)) => {
            Some(Intent { phase: IntentPhase::Rejected, refused: Some(why.clone()), ..intent.clone() })
        }
        Outcome::Accepted | Outcome::Answered if reached => None,
        Outcome::Accepted | Outcome::Answered => turned(IntentPhase::Answered),
        Outcome::Unanswered if reached => turned(IntentPhase::Settling),
        Outcome::Unanswered => turned(IntentPhase::Unanswered),
    };
    let sent = matches!(outcome, Outcome::Accepted | Outcome::Answered | Outcome::Unanswered);
    AfterWrite { intent: stays, applied: (sent && reached).then(|| applied(intent, now)) }
}

/// What was open before an intent that came to nothing. A repeat leaves its decision after the first attempt, which
/// settles once more: forgotten, the next request would count as the first and be repeated itself.
fn before(intent: &Intent) -> Option<Intent> {
    (intent.attempt > 1).then(|| Intent { attempt: intent.attempt - 1, phase: IntentPhase::Answered, ..intent.clone() })
}

/// The record of an intent whose target is seen.
pub(super) fn applied(intent: &Intent, now: Timestamp) -> Change {
    Change {
        id: intent.id.clone(),
        account: intent.account.clone(),
        from: intent.from,
        to: intent.to,
        limit_from: intent.limit_from,
        limit_to: intent.limit_to,
        generation: intent.generation,
        attempt: intent.attempt,
        reason: intent.reason,
        time: Time(now),
    }
}
