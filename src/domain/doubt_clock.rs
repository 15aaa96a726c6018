//! How long the outcome of a change has not been known. The caller supplies the time: the operator from the monotonic
//! clock of its process, the model (tests/model) from its hours.

use std::ops::Sub;
use std::time::Duration;

use super::{Doubt, Elapsed, Numbers, WaitFor};

/// A clock that runs while something is in doubt. `T`: a moment. The difference of two moments is the time between them.
#[derive(Clone, Debug)]
pub struct DoubtClock<T>(Option<Since<T>>);

impl<T> Default for DoubtClock<T> {
    fn default() -> Self {
        Self(None)
    }
}

#[derive(Clone, Debug)]
struct Since<T> {
    wait: WaitFor,
    since: T,
    /// The reading after the settle time, and its time.
    settled: Option<(Numbers, T)>,
    /// The wait has ended, and the findings are kept until the change can be made.
    kept: bool,
}

impl<T: Copy + Sub<Output = Duration>> DoubtClock<T> {
    /// Whether the outcome of a change is not known yet.
    pub fn runs(&self) -> bool {
        self.0.as_ref().is_some_and(|doubt| !doubt.kept)
    }

    /// The findings about the open doubt, for the decision.
    pub fn elapsed(&self, now: T) -> Option<Elapsed> {
        let since = |then: T| now - then;
        self.0.as_ref().map(|doubt| Elapsed {
            wait: doubt.wait.clone(),
            since: since(doubt.since),
            settled: doubt.settled.map(|(numbers, at)| (numbers, since(at))),
        })
    }

    /// Starts the clock anew: a request that may still be running has just become known.
    pub fn restart(&mut self, wait: WaitFor, now: T) {
        self.0 = Some(Since { wait, since: now, settled: None, kept: false });
    }

    /// Keeps, starts or ends the clock, as the decision says.
    pub fn follow(&mut self, doubt: Option<&Doubt>, numbers: Option<Numbers>, now: T) {
        let Some(doubt) = doubt else {
            self.0 = None;
            return;
        };
        if self.0.as_ref().is_none_or(|kept| kept.wait != doubt.wait) {
            self.restart(doubt.wait.clone(), now);
        }
        let Some(since) = self.0.as_mut() else { return };
        since.kept = doubt.left.is_zero();
        if let (Some(numbers), true) = (numbers, doubt.settled)
            && since.settled.is_none_or(|(before, _)| before != numbers)
        {
            since.settled = Some((numbers, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paused_doubt_clock_does_not_run_but_keeps_its_findings() {
        let (mut clock, now) = (DoubtClock::default(), Duration::from_secs(1));
        let wait = WaitFor::Request("0123".into());
        let doubt = |left| Doubt { wait: wait.clone(), left: Duration::from_secs(left), settled: true };
        let read = Numbers { seats: 100, limit: None };
        clock.follow(Some(&doubt(10)), Some(read), now);
        assert!(clock.runs());
        clock.follow(Some(&doubt(0)), Some(read), now + Duration::from_secs(20));
        assert!(!clock.runs());
        let elapsed = clock.elapsed(now + Duration::from_secs(30)).unwrap();
        assert_eq!(elapsed.settled, Some((read, Duration::from_secs(30))));
        clock.follow(None, Some(read), now);
        assert_eq!(clock.elapsed(now), None);
    }
}
