//! The state of one object between passes.

mod secret_recheck;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Left, PassRequest};
use crate::api::{Intent, IntentPhase};
use crate::controller::installation_signature::Signature;
use crate::controller::queue::Class;
use crate::controller::unstored_proof::Proof;
use crate::domain::{DoubtClock, Fault, Remedy};

/// A turn that the rate limit delays by more than this is reported.
const LATE: Duration = Duration::from_secs(60);

/// This many tries in a row show that a server lacks a path, and that no proxy before it is still starting. Or they show that the
/// obstacle of a change does not end at once.
const FEW_TRIES: u32 = 5;

/// A vendor that refused credentials or asked for a pause. It gets no request while nothing has changed.
#[derive(Clone, Debug)]
pub(in crate::controller) struct CredentialPause {
    pub fault: Fault,
    pub secret_version: Option<String>,
    pub until: Instant,
}

/// The state of one object between passes.
#[derive(Clone, Debug, Default)]
pub(in crate::controller) struct ObjectState {
    pub(super) requested: Option<PassRequest>,
    /// The trigger of the last recorded pass.
    pub recorded: Option<PassRequest>,
    /// The term of leadership of that pass, if every pass since was recorded.
    pub recorded_in: Option<u64>,
    /// How long the outcome of a change has not been known.
    pub doubt: DoubtClock<Instant>,
    pub credential_pause: Option<CredentialPause>,
    /// Versions of the Secrets with which the vendor was read last.
    pub secret: Option<String>,
    /// The same, and the versions of the Secrets with license keys.
    pub read_with: Option<String>,
    /// The intent that the vendor refused, and the versions of the Secrets by then.
    refused: Option<(String, Option<String>)>,
    /// When the vendor was last read with success; before that, when this process first tried.
    pub last_read: Option<Instant>,
    /// The wall-clock time of that reading, if this process has read the vendor.
    pub observed: Option<Timestamp>,
    /// Which installation signed its status.
    pub signature: Signature,
    /// Failed passes in a row.
    pub failures: u32,
    /// Tries in a row in which the server lacked a path.
    lacks: u32,
    /// Why the change that is about to be made did not leave when it was tried last.
    unsent: Option<String>,
    /// Passes in a row whose record could not be kept.
    pub unkept: u32,
    /// Unrecorded effects.
    pub proof: Option<Proof>,
    /// A person edited the object or asked for a reading, and no pass has handled that yet.
    pub asked: bool,
    /// A change was published and is about to be made.
    pub changing: bool,
    /// The interval between readings that the vendor's rate limit causes; zero if they come in time.
    stretched: Duration,
    /// Since when a change waits for the initial scan.
    pub waiting: Option<Instant>,
    /// The host that had no permit for it, and when that was found.
    pub turned_away: Option<(String, Instant)>,
    /// A `SeatApproval` of the object was added or deleted since the approvals were read.
    pub has_news: bool,
    /// The next reading waited for its turn.
    pub(super) rate_limited: bool,
    /// When this wait began.
    rate_limited_since: Option<Instant>,
    /// End of this wait, as first reported.
    late_turn: Option<Timestamp>,
    /// Time of its last reading, with any result.
    turn_came: Option<Instant>,
    /// Versions of the Secrets with which it asked last.
    asks_with: Option<String>,
    /// The versions have changed, and the object has had no turn with them yet.
    other_secret: bool,
    /// This process has read the vendor for it.
    seen: bool,
    /// The term of leadership in which its pass began.
    pub term: u64,
    /// As the last pass left the object, if it could be recorded.
    pub left: Option<Left>,
    /// Another writer wrote its status, and no pass has restored it yet.
    pub foreign: bool,
    /// When a pass last restored such a status.
    pub redone: Option<Instant>,
    /// Since when an edit or a changed Secret waits for a pass.
    unseen: Option<Instant>,
    /// When it began to wait for a Secret.
    waits_for_secret: Option<Instant>,
    /// Until then, and in this term, only a change of a Secret is a reason to read the vendor.
    pub secret_watch: Option<(Instant, u64)>,
    /// The plan and seats of the last price request.
    pub estimated: Option<(String, i32)>,
    /// A pass works on a copy of this state.
    pub(super) running: bool,
}

impl ObjectState {
    /// Begins a pass: a copy to work on. Another object with the same name starts without state.
    pub(super) fn begin(&mut self, requested: &PassRequest, now: Instant) -> Self {
        let known = self.requested.as_ref();
        if known.is_some_and(|known| known.uid != requested.uid) {
            *self = Self::default();
        } else if known != Some(requested) {
            // After an edit or a request, refused credentials are tried once more.
            (self.credential_pause, self.turned_away, self.waits_for_secret) = (None, None, None);
            self.asked |= known.is_some();
            if known.is_some_and(|known| known.generation != requested.generation) {
                self.unseen = Some(now);
            }
        }
        self.requested = Some(requested.clone());
        self.last_read.get_or_insert(now);
        let copy = Self { running: false, ..self.clone() };
        self.running = true;
        copy
    }

    /// How long until the last good reading is older than three intervals: zero when it is. An interval that is stretched
    /// counts as it is, but only once the vendor was read: the age of numbers that another process read is not known.
    pub fn stale_in(&self, interval: Duration, now: Instant) -> Duration {
        let age = self.unread_for(now);
        let interval = if self.seen { interval.max(self.stretched) } else { interval };
        (interval * 3).saturating_sub(age)
    }

    /// How long ago the vendor was last read for the object; before that, how long ago this process first tried.
    pub fn unread_for(&self, now: Instant) -> Duration {
        self.last_read.map_or(Duration::ZERO, |read| now.duration_since(read))
    }

    /// The next reading has to wait this much longer for its turn.
    pub fn rate_limit(&mut self, after: Duration, now: Instant) {
        // The time does not count from the last good reading: in an outage the interval would be stretched to the length of the outage.
        let since = self.turn_came.max(self.last_read);
        let age = since.map_or(Duration::ZERO, |turn| now.duration_since(turn));
        self.stretched = self.stretched.max(age + after);
        self.rate_limited = true;
        self.rate_limited_since.get_or_insert(now);
    }

    /// How long the reading that comes now has waited for its turn; `None`: it has not.
    pub fn waited(&mut self, now: Instant) -> Option<Duration> {
        self.late_turn = None;
        Some(now.duration_since(self.rate_limited_since.take()?))
    }

    /// When its turn comes, `after` from now, if the rate limit delays a reading that is due by more than a minute. It is the same
    /// time until the turn comes, so that its status is written once. `grace`: a reading that this process never made is not due
    /// earlier, for another process may have made it just before.
    pub fn late_turn(
        &mut self,
        after: Duration,
        grace: Duration,
        (now, wall): (Instant, Timestamp),
    ) -> Option<Timestamp> {
        let due = if self.seen || self.asked { None } else { self.last_read.map(|began| began + grace) };
        let due = due.max(self.rate_limited_since);
        let late = due.is_some_and(|due| (now + after).saturating_duration_since(due) > LATE);
        if late && self.late_turn.is_none() {
            self.late_turn = wall.checked_add(after).ok();
        }
        self.late_turn
    }

    /// The vendor was asked in vain: the next wait for a turn begins now.
    pub fn not_read(&mut self, now: Instant) {
        (self.turn_came, self.asked) = (Some(now), false);
        self.answered();
    }

    /// Notes that the object asks for its turn with these versions of the Secrets. Returns whether they have changed.
    pub fn asks_with(&mut self, secret: Option<&str>) -> bool {
        let other = self.asks_with.is_some() && self.asks_with.as_deref() != secret;
        self.asks_with = secret.map(str::to_owned);
        self.other_secret |= other;
        other
    }

    /// Notes that the object had its turn with the present Secrets.
    pub fn answered(&mut self) {
        self.other_secret = false;
    }

    /// Whether its Secrets have changed, and it has had no turn with them yet.
    pub fn has_other_secret(&self) -> bool {
        self.other_secret
    }

    /// Notes a reading of the vendor.
    pub fn read(&mut self, now: Instant, by_the_wall: Timestamp) {
        if !self.rate_limited {
            self.stretched = Duration::ZERO;
        }
        (self.last_read, self.rate_limited, self.seen, self.asked) = (Some(now), false, true, false);
        self.waits_for_secret = None;
        (self.foreign, self.has_news, self.unseen) = (false, false, None);
        self.observed = Some(by_the_wall);
        self.answered();
    }

    /// The vendor was asked in vain.
    pub fn failed(&mut self, fault: &Fault) {
        self.failures = self.failures.saturating_add(1);
        let lacks = matches!(fault.remedy, Remedy::Server { .. });
        self.lacks = if lacks { self.lacks.saturating_add(1) } else { 0 };
    }

    /// Whether the server has lacked a path for a few tries in a row. Other failures say nothing of that.
    pub fn lacks_a_path(&self) -> bool {
        self.lacks >= FEW_TRIES
    }

    /// Notes that the change that is about to be made did not leave.
    pub fn not_sent(&mut self, why: &str) {
        self.unsent = Some(why.to_owned());
    }

    /// Why the change that is about to be made does not leave, once it was tried a few times.
    pub fn keeps_from_leaving(&self) -> Option<String> {
        self.unsent.clone().filter(|_| self.changing && self.failures >= FEW_TRIES)
    }

    /// Notes that a decision was made and stored. While a change is about to be made, its failures stay counted: a change that does
    /// not leave, pass after pass, is tried with back-off.
    pub fn decided(&mut self) {
        self.unkept = 0;
        if !self.changing {
            (self.failures, self.lacks, self.unsent) = (0, 0, None);
        }
    }

    /// How long an edit or a changed Secret has waited for a pass; `None`: neither does. `edited`: the status is of a former
    /// spec.
    pub fn unseen_for(&mut self, edited: bool, now: Instant) -> Option<Duration> {
        let since = (edited || self.other_secret).then(|| *self.unseen.get_or_insert(now));
        since.map(|since| now.duration_since(since))
    }

    /// Whether a pass of this term was recorded, and each one since: an edit that came since and lasted was seen.
    pub fn was_recorded(&self) -> bool {
        self.recorded_in == Some(self.term)
    }

    /// Notes that a pass could not be recorded: an edit may come and go before the next pass that can be.
    pub fn records_nothing(&mut self) {
        self.recorded_in = None;
    }

    /// The urgency of the next pass.
    pub fn class(&self) -> Class {
        let in_turn = self.rate_limited || self.turned_away.is_some();
        if self.changing || self.doubt.runs() || (self.asked && in_turn) {
            Class::Urgent
        } else if !self.seen && in_turn {
            Class::New
        } else {
            Class::Poll
        }
    }

    /// The urgency of the next try after a pass that could not be finished.
    pub fn class_after_error(&self) -> Class {
        if self.asked { Class::Urgent } else { self.class() }
    }

    /// Whether a change is about to be made from a reading that is less than this old.
    pub fn about_to_change(&self, fresh: Duration, now: Instant) -> bool {
        let read = self.last_read.is_some_and(|read| now.duration_since(read) < fresh);
        self.changing && self.seen && !self.asked && read
    }

    /// Whether a Secret has changed since this process first knew of the refusal of this intent.
    pub fn rotated(&self, intent: Option<&Intent>) -> bool {
        let refused = self.refused.as_ref().filter(|(id, _)| intent.is_some_and(|intent| intent.id == *id));
        refused.is_some_and(|(_, then)| *then != self.secret)
    }

    /// Remembers with which Secrets the vendor refused an intent.
    pub fn refuses(&mut self, intent: Option<&Intent>) {
        let id = intent.filter(|intent| intent.phase == IntentPhase::Rejected).map(|intent| &intent.id);
        if self.refused.as_ref().map(|(known, _)| known) != id {
            self.refused = id.map(|id| (id.clone(), self.secret.clone()));
        }
    }

    /// The host that had no permit for it less than this long ago.
    pub fn turned_away_by(&self, fresh: Duration, now: Instant) -> Option<&str> {
        let (host, at) = self.turned_away.as_ref()?;
        (now.duration_since(*at) < fresh).then_some(host)
    }
}

#[cfg(test)]
mod tests;
