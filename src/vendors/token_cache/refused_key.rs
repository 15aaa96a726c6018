//! Remembers refused keys, so that many objects with one bad key cost at most 12 token requests an hour. A vendor may count token
//! requests by address, for all of its accounts together.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// Token requests in an hour that follow a refusal; the first of all comes before it.
const MOST_AN_HOUR: usize = 11;

const HOUR: Duration = Duration::from_secs(3600);

/// The refusals of one key.
pub(super) struct RefusedKey<E> {
    last: Option<(E, Instant)>,
    /// Versions of the Secrets with which it was tried: one that is not among them was written since.
    tried: HashSet<String>,
    /// Token requests within the last hour that followed a refusal.
    spent: VecDeque<Instant>,
}

impl<E> Default for RefusedKey<E> {
    fn default() -> Self {
        Self { last: None, tried: HashSet::new(), spent: VecDeque::new() }
    }
}

impl<E: Clone> RefusedKey<E> {
    /// The answer that is known without asking: within `probe` for a Secret with which the key was tried, unless a person
    /// asks; and for all objects once the hour's tries are used up. `None` in place of a Secret: no new one is known of.
    pub fn remembered(&mut self, secret: Option<&str>, asked: bool, probe: Duration, now: Instant) -> Option<E> {
        let (error, at) = self.last.clone()?;
        if now.duration_since(at) >= probe {
            self.tried.clear();
        } else if !asked && secret.is_none_or(|secret| self.tried.contains(secret)) {
            return Some(error);
        }
        (!self.may(now)).then_some(error)
    }

    /// Whether its last token request was refused within the last hour.
    pub fn was_refused_lately(&self, now: Instant) -> bool {
        self.last.as_ref().is_some_and(|(_, at)| now.duration_since(*at) < HOUR)
    }

    /// Notes how a token request ended: refused for the key, or not.
    pub fn note(&mut self, refused: Option<&E>, secret: Option<&str>, now: Instant) {
        if self.last.is_some() {
            self.spent.push_back(now);
        }
        self.last = refused.map(|error| (error.clone(), now));
        match refused {
            Some(_) => self.tried.extend(secret.map(str::to_owned)),
            None => self.tried.clear(),
        }
    }

    /// Whether a token that the API refused may be replaced by a new one: a key without permission has every token refused, and
    /// one that follows another within `pause` would say nothing new.
    pub fn renew(&mut self, pause: Duration, now: Instant) -> bool {
        let may = self.may(now) && self.spent.back().is_none_or(|at| now.duration_since(*at) >= pause);
        if may {
            self.spent.push_back(now);
        }
        may
    }

    fn may(&mut self, now: Instant) -> bool {
        while self.spent.front().is_some_and(|at| now.duration_since(*at) >= HOUR) {
            self.spent.pop_front();
        }
        self.spent.len() < MOST_AN_HOUR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Duration = Duration::from_secs(900);
    const REFUSED: &str = "refused";

    #[test]
    fn refused_key_is_retried_after_a_while_or_with_changed_secret() {
        let (mut key, start) = (RefusedKey::default(), Instant::now());
        assert_eq!(key.remembered(Some("1"), false, PROBE, start), None);
        key.note(Some(&REFUSED), Some("1"), start);
        let soon = start + PROBE / 2;
        assert_eq!(key.remembered(Some("1"), false, PROBE, soon), Some(REFUSED));
        assert_eq!(key.remembered(None, false, PROBE, soon), Some(REFUSED));
        assert_eq!(key.remembered(Some("1"), true, PROBE, soon), None, "a person asks");
        assert_eq!(key.remembered(Some("2"), false, PROBE, soon), None);
        key.note(Some(&REFUSED), Some("2"), soon);
        assert_eq!(key.remembered(Some("1"), false, PROBE, start + PROBE), Some(REFUSED), "it was tried since");
        assert_eq!(key.remembered(Some("1"), false, PROBE, soon + PROBE), None);
    }

    #[test]
    fn accepted_key_clears_its_refusal() {
        let (mut key, now) = (RefusedKey::default(), Instant::now());
        key.note(Some(&REFUSED), Some("1"), now);
        assert!(key.was_refused_lately(now + HOUR / 2) && !key.was_refused_lately(now + HOUR));
        key.note(None, Some("1"), now);
        assert_eq!(key.remembered(Some("1"), false, PROBE, now), None);
        assert!(!key.was_refused_lately(now));
    }

    #[test]
    fn objects_that_see_role_refused_share_one_new_token_per_probe_interval() {
        let (mut key, start) = (RefusedKey::<&str>::default(), Instant::now());
        // Three pools of one organization, every ten minutes.
        let looks = (0..6).flat_map(|i| [0, 20, 40].map(|second| start + Duration::from_secs(i * 600 + second)));
        let renewed = looks.filter(|at| key.renew(PROBE, *at)).count();
        assert_eq!(renewed, 3, "in an hour");
        assert!(key.renew(Duration::ZERO, start + HOUR), "a token that is refused itself need not wait");
    }

    #[test]
    fn bad_key_costs_at_most_twelve_token_requests_per_hour() {
        let (mut key, start) = (RefusedKey::default(), Instant::now());
        let mut requests = Vec::new();
        for second in (0..4 * 3600).step_by(7) {
            let now = start + Duration::from_secs(second);
            // A Secret that is written anew all the time.
            if key.remembered(Some(&second.to_string()), second % 2 == 0, PROBE, now).is_none() {
                requests.push(now);
                key.note(Some(&REFUSED), Some(&second.to_string()), now);
            }
        }
        for first in &requests {
            let within = requests.iter().filter(|at| *at >= first && at.duration_since(*first) < HOUR).count();
            assert!(within <= 12, "{within} requests in an hour");
        }
        assert!(requests.len() >= 40, "and it is tried: {}", requests.len());
    }
}
