//! The proof in the answer to an addition or a removal of a license key, and the record after it.

use jiff::Timestamp;

use super::key_record::{bound, put, refuse};
use super::license_list::{KeyRing, Row};
use super::new_row::{change, origin};
use super::removed_row::{is_gone, retire};
use super::with;
use crate::api::{Change, Intent, IntentPhase, KeyOrigin, KeyState, KeyStep, License, LicenseState, Step};
use crate::domain::outcome::{applied, before};
use crate::domain::{Outcome, Refusal, Snapshot, Uncertain};

/// The record after a write.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterKeyWrite {
    /// The intent, if it stays open.
    pub intent: Option<Intent>,
    /// The license with its keys.
    pub license: License,
    /// The change, if it is now seen to be made.
    pub applied: Option<Change>,
}

/// Judges a write by its outcome and by the reading right after it (`read_back`; `None`: the reading failed). Returns `None` if the
/// intent is about no license key.
pub fn after_key_write(
    intent: &Intent,
    outcome: &Outcome,
    license: Option<&License>,
    read_back: Option<&Snapshot>,
    now: Timestamp,
) -> Option<AfterKeyWrite> {
    let step = intent.step.key()?;
    let license = license.cloned().unwrap_or_else(|| License::of(LicenseState::Absent));
    let read_back = read_back.and_then(Snapshot::keys);
    let adds = matches!(intent.step, Step::AddKey(_));
    let mut after = Judging { intent, step, read_back, now, license };
    let (stays, applied) = match (adds, outcome) {
        (_, Outcome::NotSent(_) | Outcome::Refused(Refusal::Throttled(_) | Refusal::Credentials(_))) => {
            (before(intent), None)
        }
        (true, outcome) => after.addition(outcome),
        (false, outcome) => after.removal(outcome),
    };
    Some(AfterKeyWrite { intent: stays, license: after.license, applied })
}

struct Judging<'a> {
    intent: &'a Intent,
    step: &'a KeyStep,
    read_back: Option<&'a KeyRing>,
    now: Timestamp,
    license: License,
}

type Said = (Option<Intent>, Option<Change>);

impl Judging<'_> {
    fn addition(&mut self, outcome: &Outcome) -> Said {
        match outcome {
            Outcome::Added(row) => {
                let listed = self.read_back.filter(|ring| ring.row(Some(row.id), Some(&row.uuid)).is_some());
                match listed {
                    Some(ring) => self.bind(row, origin(self.step, row), ring.seats),
                    None => {
                        let learned = KeyStep { id: Some(row.id), uuid: Some(row.uuid.clone()), ..self.step.clone() };
                        let intent = with(self.intent, learned);
                        (Some(Intent { phase: IntentPhase::Answered, ..intent }), None)
                    }
                }
            }
            // The account accepts without naming a row, or refuses, perhaps too late. Only the list decides, after the settle time.
            Outcome::Uncertain(answer) => self.uncertain(*answer),
            Outcome::Refused(_) => self.refused(KeyState::Rejected),
            Outcome::Unanswered => self.turned(IntentPhase::Unanswered),
            Outcome::Accepted | Outcome::Answered | Outcome::NotSent(_) => self.turned(IntentPhase::Answered),
        }
    }

    fn removal(&mut self, outcome: &Outcome) -> Said {
        match outcome {
            // The answer names the row and says that it is deleted; the list must not say otherwise.
            Outcome::Accepted if self.read_back.is_some_and(|ring| is_gone(ring, self.step)) => {
                retire(&mut self.license.keys, self.step);
                let to = self.read_back.map_or(self.step.to, |ring| ring.seats);
                (None, Some(applied(&with(self.intent, KeyStep { to, ..self.step.clone() }), self.now)))
            }
            Outcome::Uncertain(answer) => self.uncertain(*answer),
            Outcome::Refused(Refusal::Request(why)) => {
                let refused = Some(why.clone());
                (Some(Intent { phase: IntentPhase::Rejected, refused, ..self.intent.clone() }), None)
            }
            Outcome::Unanswered => self.turned(IntentPhase::Unanswered),
            Outcome::Accepted | Outcome::Added(_) | Outcome::Answered | Outcome::Refused(_) | Outcome::NotSent(_) => {
                self.turned(IntentPhase::Answered)
            }
        }
    }

    fn bind(&mut self, row: &Row, origin: KeyOrigin, seats: i32) -> Said {
        let fingerprint = self.step.fingerprint.as_deref().unwrap_or_default();
        let record = bound(self.step.secret_key_ref.clone(), fingerprint, row, origin, self.now);
        put(&mut self.license.keys, record);
        (None, change(self.intent, self.step, row, seats, self.now))
    }

    fn refused(&mut self, state: KeyState) -> Said {
        refuse(&mut self.license.keys, self.step, state, None);
        (None, None)
    }

    /// Keeps the intent open: an uncertain answer may come before or after an effect.
    fn uncertain(&self, answer: Uncertain) -> Said {
        let phase = if answer.may_run() { IntentPhase::Unanswered } else { IntentPhase::Answered };
        let refused = answer.is_refusal().then(|| answer.words());
        let mut step = self.step.clone();
        if matches!(self.intent.step, Step::AddKey(_)) {
            step.heard.push(answer.words());
        }
        (Some(Intent { phase, refused, ..with(self.intent, step) }), None)
    }

    fn turned(&self, phase: IntentPhase) -> Said {
        (Some(Intent { phase, ..self.intent.clone() }), None)
    }
}
