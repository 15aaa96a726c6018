//! The proof in a write's answer, and the record after it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Fault, Numbers, Row};
use crate::api::{Change, Intent, IntentPhase};

/// The outcome of a write, judged by proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No byte of the request left this process.
    NotSent(&'static str),
    /// An answer that provably comes before any effect.
    Refused(Refusal),
    /// The vendor reports success. Only a reading proves it.
    Accepted,
    /// The vendor reports an added license key and its row.
    Added(Box<Row>),
    /// An answer with a known meaning that proves nothing, because a refusal may come after an effect.
    Uncertain(Uncertain),
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
    /// The credentials do not allow it, or there is no token.
    Credentials(Fault),
    /// The request itself, with the reason in our words, as they follow "because". To send it again cannot help.
    Request(String),
}

/// The content of an answer without proof. Seatkeeper sends the request once more after the settle time, and then asks a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncertain {
    /// The account has the license key already.
    Present,
    /// A refusal that the vendor also gives if it has the license key already.
    PerhapsPresent,
    /// The field that carries the license key is wrong.
    Field,
    /// The same for the field in lower case.
    LowerField,
    /// An answer that is not understood, with its status.
    Status(u16),
    /// No refusal: the application answered with this status, and its answer names no row.
    Other(u16),
    /// An answer that is not the application's: a proxy in between answered with this status, and the request may still
    /// be running.
    Between(u16),
}

impl Uncertain {
    /// The words in the record, as they follow "because".
    pub fn words(self) -> String {
        match self {
            Self::Present => "it says that it has the key already".into(),
            Self::PerhapsPresent => "it says that something conflicts, perhaps the key itself".into(),
            Self::Field => "it does not take the field that carries the key".into(),
            Self::LowerField => "it does not take the field in lower case that carries the key".into(),
            Self::Status(status) => format!("it answers with status {status}"),
            Self::Other(status) | Self::Between(status) => format!("status {status}"),
        }
    }

    /// Whether the application refuses in its own words.
    pub fn is_refusal(self) -> bool {
        !matches!(self, Self::Other(_) | Self::Between(_))
    }

    /// Whether the request may still be running.
    pub fn may_run(self) -> bool {
        matches!(self, Self::Between(_))
    }

    /// Whether these are the words of this answer in a record.
    pub fn is_told(self, words: Option<&str>) -> bool {
        words == Some(self.words().as_str())
    }
}

impl Outcome {
    /// Whether the vendor may have done something, so that the outcome must be read back.
    pub fn is_of_something_sent(&self) -> bool {
        !matches!(self, Self::NotSent(_) | Self::Refused(_))
    }

    /// Whether the request may still be running.
    pub fn may_run(&self) -> bool {
        match self {
            Self::Unanswered => true,
            Self::Uncertain(said) => said.may_run(),
            _ => false,
        }
    }

    /// Each [`Outcome::label`].
    pub const LABELS: [&'static str; 5] = ["not_sent", "refused", "ok", "unanswered", "answered"];

    /// One word for the metric label.
    pub fn label(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Refused(_) => "refused",
            Self::Accepted | Self::Added(_) => "ok",
            Self::Unanswered | Self::Uncertain(_) | Self::Answered if self.may_run() => "unanswered",
            Self::Unanswered | Self::Uncertain(_) | Self::Answered => "answered",
        }
    }
}

/// The record after a write.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterWrite {
    /// The intent, if it stays open.
    pub intent: Option<Intent>,
    /// The change, if it is now seen to be made.
    pub applied: Option<Change>,
}

/// Judges a write by its outcome and by the reading right after it (`None`: the reading failed).
pub fn after_write(intent: &Intent, outcome: &Outcome, read_back: Option<Numbers>, now: Timestamp) -> AfterWrite {
    let reached = read_back == Some(intent.target());
    let turned = |phase| Some(Intent { phase, ..intent.clone() });
    let stays = match outcome {
        Outcome::NotSent(_) | Outcome::Refused(Refusal::Throttled(_) | Refusal::Credentials(_)) => before(intent),
        Outcome::Refused(Refusal::Request(why)) => {
            Some(Intent { phase: IntentPhase::Rejected, refused: Some(why.clone()), ..intent.clone() })
        }
        Outcome::Unanswered | Outcome::Uncertain(_) if outcome.may_run() => {
            turned(if reached { IntentPhase::Settling } else { IntentPhase::Unanswered })
        }
        Outcome::Accepted | Outcome::Added(_) | Outcome::Uncertain(_) | Outcome::Answered | Outcome::Unanswered => {
            if reached {
                None
            } else {
                turned(IntentPhase::Answered)
            }
        }
    };
    let sent = outcome.is_of_something_sent();
    AfterWrite { intent: stays, applied: (sent && reached).then(|| applied(intent, now)) }
}

/// The open intent before one that was not sent. A repeat that was not sent leaves the attempt before it on record. Otherwise the
/// next request would count as the first.
pub(super) fn before(intent: &Intent) -> Option<Intent> {
    let phase = if intent.step.key().is_some() { IntentPhase::Answered } else { IntentPhase::WithoutEffect };
    (intent.attempt > 1).then(|| Intent { attempt: intent.attempt - 1, phase, ..intent.clone() })
}

/// The record of an intent whose target is seen.
pub(super) fn applied(intent: &Intent, now: Timestamp) -> Change {
    let Intent {
        id,
        object_uid: _,
        generation,
        wish,
        account,
        step,
        used: _,
        attempt,
        answered: _,
        reason,
        phase: _,
        refused: _,
        next_try: _,
        look: _,
        window,
        approval,
        time: _,
    } = intent.clone();
    let window = window.map(|window| window.name);
    Change { id, account, step, generation, wish, attempt, reason, window, approval, time: Time(now) }
}
