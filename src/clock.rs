//! The time; all code asks here. The wall clock is for records, day-long windows and dates of the vendor. All waiting
//! is on the monotonic clock. That clock stops while a machine is suspended, so code that asks whether something may
//! still be done asks both.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// What the wall clock says.
#[cfg(not(debug_assertions))]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// What the wall clock says; a test may set a process's clock wrong. A release build has no such thing.
#[cfg(debug_assertions)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now() + shift()
}

/// The error of the clock in seconds: a number, or the path of a file with a number that changes while we run.
#[cfg(debug_assertions)]
fn shift() -> jiff::SignedDuration {
    use std::sync::LazyLock;

    static SHIFT: LazyLock<String> = LazyLock::new(|| std::env::var("SEATKEEPER_TEST_CLOCK_SHIFT").unwrap_or_default());
    let text = if SHIFT.starts_with('/') { std::fs::read_to_string(&*SHIFT) } else { Ok(SHIFT.clone()) };
    jiff::SignedDuration::from_secs(text.unwrap_or_default().trim().parse().unwrap_or_default())
}

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    monotonic: Instant,
    wall: Timestamp,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { monotonic: Instant::now(), wall: now() }
    }

    /// On the monotonic clock, for all waiting.
    pub(crate) fn monotonic(self) -> Instant {
        self.monotonic
    }

    /// How long ago it was, by the clock that says more. A wall clock that was set forward costs a request; one that was
    /// set back says nothing.
    pub(crate) fn age(self, now: Self) -> Duration {
        let by_wall = Duration::try_from(self.wall.duration_until(now.wall)).unwrap_or_default();
        now.monotonic.duration_since(self.monotonic).max(by_wall)
    }

    /// This much later: on the monotonic clock, and on the wall clock.
    #[cfg(test)]
    pub(crate) fn later(self, monotonic: u64, wall: i64) -> Self {
        let wall = self.wall + jiff::SignedDuration::from_secs(wall);
        Self { monotonic: self.monotonic + Duration::from_secs(monotonic), wall }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_by_faster_clock_and_never_backwards() {
        let then = Moment::now();
        for (monotonic, wall, age) in [(7, 7, 7), (7, 3607, 3607), (7, -3593, 7), (7, 0, 7), (0, -3600, 0)] {
            let now = then.later(monotonic, wall);
            assert_eq!(then.age(now), Duration::from_secs(age), "{monotonic} s and {wall} s on the wall");
        }
    }
}
