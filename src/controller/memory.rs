//! What this process remembers about objects between passes: when to look again, how long a doubt has lasted on the
//! monotonic clock, and which credentials need not be tried again. All of it may be lost at any time: a restart waits
//! longer, it never buys.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::proof::Proof;
use crate::api::{CONFIRM, FLUX_REQUESTED_AT, RECONCILE_REQUESTED_AT};
use crate::plan::{Doubt, Elapsed, Fault, Numbers};

/// Namespace and name.
pub(super) type Key = (String, String);

/// What asked for a pass; the same trigger before its time is not worth one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub uid: String,
    pub generation: i64,
    pub confirmed: Option<String>,
    /// Values of the two annotations that ask for a pass, ours and Flux's.
    requests: [Option<String>; 2],
}

impl Trigger {
    pub fn of(object: &ObjectMeta) -> Self {
        let annotation = |key: &str| {
            let value = object.annotations.as_ref().and_then(|annotations| annotations.get(key));
            value.map(|value| value.chars().take(256).collect::<String>())
        };
        Self {
            uid: object.uid.clone().unwrap_or_default(),
            generation: object.generation.unwrap_or_default(),
            confirmed: annotation(CONFIRM),
            requests: [annotation(RECONCILE_REQUESTED_AT), annotation(FLUX_REQUESTED_AT)],
        }
    }

    /// The request that a pass answers: the later one where both annotations are there. Both are times by convention;
    /// what is not a time counts as the earliest, and between equals ours counts.
    pub fn requested(&self) -> Option<String> {
        let time = |text: &&String| text.parse::<Timestamp>().unwrap_or(Timestamp::MIN);
        self.requests.iter().flatten().rev().max_by_key(time).cloned()
    }
}

/// A vendor that refused credentials or asked for a pause: not asked again while nothing has changed.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub fault: Fault,
    pub secret_version: Option<String>,
    pub until: Instant,
}

#[derive(Clone, Debug)]
struct DoubtSince {
    key: String,
    since: Instant,
    settled: Option<(Numbers, Instant)>,
}

/// The memory of one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    trigger: Option<Trigger>,
    due: Option<Instant>,
    doubt: Option<DoubtSince>,
    pub hold: Option<Hold>,
    /// When the vendor was last read with success; before that, when this process first tried.
    pub last_read: Option<Instant>,
    /// Failed passes in a row.
    pub failures: u32,
    /// Passes in a row of which the record could not be kept.
    pub unkept: u32,
    /// What was done and is not recorded yet.
    pub proof: Option<Proof>,
    /// A person edited the object or asked for a look, and that was not done yet.
    pub asked: bool,
    /// A change was published and is about to be made.
    pub changing: bool,
    /// How far apart readings are because the vendor takes only so many; zero where they are as asked for.
    stretched: Duration,
    /// Since when a change waits until every object was looked at.
    pub waiting: Option<Instant>,
    /// The host that had no place for it, and when that was found.
    pub turned_away: Option<(String, Instant)>,
    /// The next reading waited for its turn.
    paced: bool,
    /// This process has read the vendor for it.
    seen: bool,
    /// How often every object had been made due when the present pass began.
    woken: u64,
}

impl Entry {
    /// How long until the last good reading is older than three intervals: zero when it is. An interval that is stretched
    /// counts as it is, but only once the vendor was read: how old the numbers are that another process read, nobody knows.
    pub fn stale_in(&self, interval: Duration, now: Instant) -> Duration {
        let age = self.last_read.map_or(Duration::ZERO, |read| now.duration_since(read));
        let interval = if self.seen { interval.max(self.stretched) } else { interval };
        (interval * 3).saturating_sub(age)
    }

    /// The next reading has to wait this much longer for its turn.
    pub fn pace(&mut self, after: Duration, now: Instant) {
        let age = self.last_read.map_or(Duration::ZERO, |read| now.duration_since(read));
        self.stretched = self.stretched.max(age + after);
        self.paced = true;
    }

    /// The vendor was read.
    pub fn read(&mut self, now: Instant) {
        if !self.paced {
            self.stretched = Duration::ZERO;
        }
        (self.last_read, self.paced, self.seen) = (Some(now), false, true);
    }

    /// Whether nothing but other objects is waited for, and the vendor was read less than this long ago.
    pub fn only_waits(&self, fresh: Duration, now: Instant) -> bool {
        let read = self.last_read.is_some_and(|read| now.duration_since(read) < fresh);
        self.waiting.is_some() && !self.asked && read
    }

    /// The host that had no place for it less than this long ago.
    pub fn turned_away_by(&self, fresh: Duration, now: Instant) -> Option<&str> {
        let (host, at) = self.turned_away.as_ref()?;
        (now.duration_since(*at) < fresh).then_some(host)
    }

    /// Whether the outcome of a change is not known yet.
    pub fn in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// What is known about the open doubt, for the decision.
    pub fn elapsed(&self, now: Instant) -> Option<Elapsed> {
        self.doubt.as_ref().map(|doubt| Elapsed {
            key: doubt.key.clone(),
            since: now.duration_since(doubt.since),
            settled: doubt.settled.map(|(numbers, at)| (numbers, now.duration_since(at))),
        })
    }

    /// Starts the clock of a doubt, unless it runs already.
    pub fn start_doubt(&mut self, key: &str, now: Instant) {
        if self.doubt.as_ref().is_none_or(|doubt| doubt.key != key) {
            self.doubt = Some(DoubtSince { key: key.to_owned(), since: now, settled: None });
        }
    }

    /// Starts the clock of a doubt anew: what may still be running has just been heard of.
    pub fn restart_doubt(&mut self, key: &str, now: Instant) {
        self.doubt = Some(DoubtSince { key: key.to_owned(), since: now, settled: None });
    }

    /// Keeps, starts or ends the clock, as the decision says.
    pub fn follow(&mut self, doubt: Option<&Doubt>, numbers: Option<Numbers>, now: Instant) {
        let Some(doubt) = doubt else {
            self.doubt = None;
            return;
        };
        self.start_doubt(&doubt.key, now);
        if let (Some(kept), Some(numbers), true) = (self.doubt.as_mut(), numbers, doubt.settled)
            && kept.settled.is_none_or(|(before, _)| before != numbers)
        {
            kept.settled = Some((numbers, now));
        }
    }
}

#[derive(Debug, Default)]
struct Entries {
    of: HashMap<Key, Entry>,
    /// How often every object was made due.
    woken: u64,
}

/// The memory of all objects.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Entries>);

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a pass: the entry to work on, or how long to wait because nothing new was asked. No object is reconciled
    /// twice at once, so the entry may be worked on outside the lock.
    pub fn begin(&self, key: &Key, trigger: &Trigger, now: Instant) -> Result<Entry, Duration> {
        let mut entries = self.lock();
        let woken = entries.woken;
        let entry = entries.of.entry(key.clone()).or_default();
        let known = entry.trigger.as_ref();
        match entry.due.filter(|due| *due > now) {
            Some(due) if known == Some(trigger) => return Err(due - now),
            _ => {}
        }
        if known.is_some_and(|known| known.uid != trigger.uid) {
            *entry = Entry::default();
        } else if known != Some(trigger) {
            // An edit or a request is a reason to try refused credentials once more.
            (entry.hold, entry.turned_away) = (None, None);
            entry.asked |= known.is_some();
        }
        entry.trigger = Some(trigger.clone());
        (entry.due, entry.woken) = (None, woken);
        entry.last_read.get_or_insert(now);
        Ok(entry.clone())
    }

    /// Ends a pass: keeps the entry and when to look again; at once if every object was made due meanwhile.
    pub fn end(&self, key: &Key, entry: Entry, due: Instant) {
        let mut entries = self.lock();
        let due = (entry.woken == entries.woken).then_some(due);
        entries.of.insert(key.clone(), Entry { due, ..entry });
    }

    /// Ends a pass that could not be finished: what was learned is kept, and the next one may begin at once.
    pub fn fail(&self, key: &Key, entry: Entry) {
        let failures = entry.failures.saturating_add(1);
        self.lock().of.insert(key.clone(), Entry { due: None, failures, ..entry });
    }

    /// How many passes in a row have failed.
    pub fn failures(&self, key: &Key) -> u32 {
        self.lock().of.get(key).map_or(0, |entry| entry.failures)
    }

    /// Makes every object due now. What was tried with back-off begins anew.
    pub fn wake_all(&self) {
        let mut entries = self.lock();
        entries.woken += 1;
        for entry in entries.of.values_mut() {
            (entry.due, entry.unkept) = (None, 0);
        }
    }

    pub fn forget(&self, key: &Key) {
        self.lock().of.remove(key);
    }

    /// All objects with a memory.
    pub fn keys(&self) -> Vec<Key> {
        self.lock().of.keys().cloned().collect()
    }
}

/// Exponential, from one second to `most`.
pub(super) fn backoff(failures: u32, most: Duration) -> Duration {
    Duration::from_secs(1).saturating_mul(1 << failures.saturating_sub(1).min(12)).min(most)
}

/// Spreads a wait by up to a tenth, so that objects created together do not stay together.
pub(super) fn jitter(wait: Duration) -> Duration {
    wait.mul_f64(fastrand::f64().mul_add(0.1, 0.95))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_made_due_during_its_pass_is_looked_at_again_at_once() {
        let (memory, key, now) = (Memory::default(), ("it".to_owned(), "acme".to_owned()), Instant::now());
        let trigger = Trigger::of(&ObjectMeta { uid: Some("uid".into()), ..ObjectMeta::default() });
        let later = now + Duration::from_secs(600);
        let entry = memory.begin(&key, &trigger, now).unwrap();
        memory.end(&key, entry, later);
        assert_eq!(memory.begin(&key, &trigger, now).unwrap_err(), Duration::from_secs(600));
        memory.wake_all();
        let entry = memory.begin(&key, &trigger, now).expect("it is due");
        // A new term begins while the pass still runs: others wait until this object was looked at in it.
        memory.wake_all();
        memory.end(&key, entry, later);
        let entry = memory.begin(&key, &trigger, now).expect("it is due again");
        memory.end(&key, entry, later);
        assert!(memory.begin(&key, &trigger, now).is_err());
    }

    use proptest::prelude::*;

    fn annotation() -> impl Strategy<Value = Option<String>> {
        let long = (0usize..600).prop_map(|length| "\u{1f4a9}".repeat(length));
        proptest::option::of(prop_oneof![4 => crate::mutants::dates(), 1 => any::<String>(), 1 => long])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_annotations_say_the_request_that_is_answered_is_the_latest_of_them_cut_short(
            confirm in annotation(), ours in annotation(), flux in annotation(), other in annotation(),
        ) {
            let given = [(CONFIRM, &confirm), (RECONCILE_REQUESTED_AT, &ours), (FLUX_REQUESTED_AT, &flux), ("other", &other)];
            let annotations = given.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value).clone()?)));
            let object = ObjectMeta { annotations: Some(annotations.collect()), ..ObjectMeta::default() };
            let trigger = Trigger::of(&object);
            let short = |text: &Option<String>| text.as_ref().map(|text| text.chars().take(256).collect::<String>());
            prop_assert_eq!(&trigger.confirmed, &short(&confirm));
            let asked = [short(&ours), short(&flux)];
            let requested = trigger.requested();
            prop_assert_eq!(requested.is_some(), asked.iter().any(Option::is_some));
            prop_assert!(requested.is_none() || asked.contains(&requested));
            let time = |text: &String| text.parse::<Timestamp>().ok();
            let at = requested.as_ref().and_then(time);
            prop_assert!(asked.iter().flatten().all(|text| time(text) <= at), "{:?} of {:?}", requested, asked);
        }
    }
}
