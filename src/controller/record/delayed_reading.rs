//! The status of an object that the rate limit delays: its wait, or the time of a late reading. Called by `record` alone.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::super::decide::silent_for;
use super::super::pass_values::{Pass, Queue, RateLimited};
use super::super::{Context, Error};
use crate::api::LicenseSeatsStatus;
use crate::domain::{self, Desired, Fault, Finding, Remedy};

/// For an object that was never read.
const EVER: &str = "yet";

/// For an object with stale numbers.
const THREE_INTERVALS: &str = "for three intervals, and the numbers are at least that old";

impl Pass<'_> {
    /// The rate limit delayed the reading. Numbers that still look fresh are reported as stale once they are too old, and
    /// a new object, an edit or a changed Secret does not wait in silence. All other statuses stay, with the time of a
    /// late reading added.
    pub(super) async fn rate_limited(&mut self, rate_limited: RateLimited) -> Result<Duration, Error> {
        let RateLimited { status, desired, after, why } = rate_limited;
        self.context.metrics.pass("rate_limited");
        let unseen = self.state.unseen_for(self.is_edited(&status), Instant::now());
        let turn = match why {
            Queue::RateLimiter => self.late_turn(&status, &desired, after),
            Queue::Host => None,
        };
        let (silent, since) = self.silence(&status, &desired, (unseen, turn));
        if silent.is_zero() {
            let fault = waits_for_turn(&desired, &why, (since, turn));
            let finding = Finding::Failed { fault: &fault, desired: Some(&desired), account: None, stale: true };
            self.write_with_proof(&status, &finding).await?;
            return Ok(after);
        }
        if !status.conditions.is_empty() {
            if let (Some(turn), None) = (turn, unseen) {
                self.say_turn(&desired, turn).await?;
            }
            self.show(&status, desired.interval);
        }
        Ok(after.min(silent))
    }

    /// Time of the next reading, if it is late.
    fn late_turn(&mut self, status: &LicenseSeatsStatus, desired: &Desired, after: Duration) -> Option<Timestamp> {
        let grace = if was_read(status) { desired.interval } else { Duration::ZERO };
        self.state.late_turn(after, grace, (Instant::now(), Context::now()))
    }

    /// How long the wait stays unreported, and how long the object was not read. `unseen`: for how long an edit or a changed Secret
    /// has waited.
    fn silence(
        &self,
        status: &LicenseSeatsStatus,
        desired: &Desired,
        (unseen, turn): (Option<Duration>, Option<Timestamp>),
    ) -> (Duration, &'static str) {
        let (state, now) = (&self.state, Instant::now());
        let ready = status.conditions.iter().find(|condition| condition.type_ == domain::kind::READY);
        match unseen {
            _ if status.conditions.is_empty() => (silent_for(state.unread_for(now)), EVER),
            Some(unseen) => (silent_for(unseen), "since its spec or a Secret was changed"),
            // It reports the wait, and not its end.
            None if domain::is_rate_limited(status) && turn.is_some() => {
                (Duration::ZERO, if was_read(status) { THREE_INTERVALS } else { EVER })
            }
            None if ready.is_some_and(|ready| ready.status == "True") => {
                (state.stale_in(desired.interval, now), THREE_INTERVALS)
            }
            // The status already reports that the object is not ready.
            None => (Duration::MAX, THREE_INTERVALS),
        }
    }

    /// Adds the time of the turn to the status. No request of a person counts as handled by that.
    async fn say_turn(&mut self, desired: &Desired, turn: Timestamp) -> Result<(), Error> {
        let Ok(record) = self.stored.status() else { return Ok(()) };
        let status = domain::says_turn(&record, desired.pool.vendor.name, self.state.observed, turn);
        self.stored.write(&status).await.map(drop)
    }
}

/// Whether any process has read the vendor for the object.
fn was_read(status: &LicenseSeatsStatus) -> bool {
    status.last_observed_at.is_some()
}

/// Why the turn of an object has not come. `since`: for how long not; `turn`: when it comes, if it is late.
fn waits_for_turn(desired: &Desired, why: &Queue, (since, turn): (&str, Option<Timestamp>)) -> Fault {
    let why = match why {
        Queue::RateLimiter => "limits the requests per minute",
        Queue::Host => "answers slowly, and the number of concurrent readings is limited",
    };
    let wait = match turn {
        Some(turn) => format!("The next reading is at about {}", domain::shown(turn)),
        None => "Wait".to_owned(),
    };
    let message = format!(
        "{} {why}, so Seatkeeper has not read this object {since}. {wait}. For earlier readings, use longer intervals or fewer credentials",
        desired.pool.vendor.name
    );
    Fault {
        remedy: Remedy::Time { after: None, secret_may_help: false },
        reason: domain::reason::VENDOR_UNREACHABLE,
        summary: domain::RATE_LIMITED.into(),
        message,
    }
}
