//! The wall clock: for records and day-long windows only. All waiting is on the monotonic clock.

use jiff::Timestamp;

/// Now.
#[cfg(not(debug_assertions))]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// Now; a test may set a process's clock wrong by so many seconds. A release build has no such thing.
#[cfg(debug_assertions)]
pub(super) fn now() -> Timestamp {
    use std::sync::LazyLock;

    use jiff::SignedDuration;

    static SHIFT: LazyLock<SignedDuration> = LazyLock::new(|| {
        let seconds = std::env::var("SEATKEEPER_TEST_CLOCK_SHIFT").ok().and_then(|shift| shift.parse().ok());
        SignedDuration::from_secs(seconds.unwrap_or_default())
    });
    Timestamp::now() + *SHIFT
}
