//! The simulator's clock: real time plus whatever a test advanced it by.
//! Token expiry, rate-limit windows and the key cache follow it; injected pauses are real time.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// A clock that only moves forward.
#[derive(Debug)]
pub struct Clock {
    start: Instant,
    wall: Timestamp,
    ahead: Mutex<Duration>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: Instant::now(), wall: Timestamp::now(), ahead: Mutex::default() }
    }
}

impl Clock {
    /// Time since the simulator started.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed() + *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same moment as a wall-clock time.
    pub fn now(&self) -> Timestamp {
        self.at(self.elapsed())
    }

    /// Wall-clock time of a moment given as time since the start.
    pub fn at(&self, elapsed: Duration) -> Timestamp {
        self.wall.checked_add(elapsed).unwrap_or(self.wall)
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}
