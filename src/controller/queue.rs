//! The work queue: which object is taken next, and when an object is due again.
//!
//! Objects wait in three classes. Within a class the first to arrive is the first to be taken. Each class precedes the
//! next, but every fourth turn goes to an object past its longest wait, so that no class starves.
//!
//! An object has one place. If a pass is requested again while the object waits, it keeps its place. If a pass is requested during
//! its pass, the object is taken once more afterwards. No object is in two passes at a time. All of this may be lost at any time: a
//! start takes every object once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::object_state::Key;

/// How urgent a pass is; the first goes before the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    /// A person edited the object or asked for a pass, or a change is about to be made, in flight or in doubt.
    Urgent,
    /// This process has not read the vendor for the object yet.
    New,
    /// The interval has passed.
    Poll,
}

/// When an object is taken again after a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Only when something happens.
    Idle,
    /// After this long, or when something happens.
    After(Duration, Class),
    /// In its old place as soon as this vendor host has a permit, and after this long at the latest.
    Permit(String, Duration, Class),
}

/// From this wait on an object gets a turn although more urgent ones wait.
const AGED: Duration = Duration::from_secs(1);

/// One of this many turns goes to the object that has waited longest.
const SHARE: u32 = 4;

/// The queue. All methods take effect at once; only [`Queue::next`] waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a pass now.
    pub fn push(&self, key: &Key, class: Class) {
        self.lock().push(key, class, Instant::now());
        self.changed.notify_one();
    }

    /// Waits for the next object and takes it. The caller says [`Queue::done`] after its pass.
    pub async fn next(&self) -> Key {
        loop {
            let due = {
                let mut state = self.lock();
                if let Some(key) = state.take(Instant::now()) {
                    return key;
                }
                state.next_timer()
            };
            let timer = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = timer => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Ends a pass.
    pub fn done(&self, key: &Key, next: Next) {
        self.lock().done(key, next, Instant::now());
        self.changed.notify_one();
    }

    /// Removes an object until a pass is requested again. Returns whether it is in a pass, which goes on.
    pub fn remove(&self, key: &Key) -> bool {
        self.lock().remove(key)
    }

    /// Puts the first object that waits for a permit of a host back into its place, for each host that has one.
    pub fn release(&self, has_permit: impl Fn(&str) -> bool) {
        if self.lock().release(has_permit) {
            self.changed.notify_one();
        }
    }
}

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Ready,
    /// Due at this time; the number makes it unique.
    Delayed(Instant, u64),
    /// Waits for a permit of the host, at most until this time.
    Parked(String, Instant, u64),
    /// In its pass. `again`: asked for meanwhile; `gone`: removed meanwhile.
    Running {
        again: Option<Class>,
        gone: bool,
    },
}

#[derive(Clone, Debug)]
struct Item {
    class: Class,
    /// Number and time of its arrival.
    arrival: u64,
    since: Instant,
    place: Place,
}

#[derive(Debug, Default)]
struct State {
    items: HashMap<Key, Item>,
    ready: [BTreeMap<u64, Key>; 3],
    timers: BTreeMap<(Instant, u64), Key>,
    parked: HashMap<String, BTreeMap<(Class, u64), Key>>,
    /// The last number that was given.
    number: u64,
    /// How often in a row an aged object was overtaken.
    overtakes: u32,
}

impl State {
    fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn push(&mut self, key: &Key, class: Class, now: Instant) {
        self.expire(now);
        let Some(mut item) = self.items.remove(key) else {
            return self.arrive(key, class, now);
        };
        match &mut item.place {
            Place::Running { again, gone } => {
                *again = Some(again.map_or(class, |other| other.min(class)));
                *gone = false;
                self.items.insert(key.clone(), item);
            }
            Place::Delayed(..) => {
                self.unindex(&item);
                self.arrive(key, class, now);
            }
            Place::Ready | Place::Parked(..) => {
                self.unindex(&item);
                item.class = item.class.min(class);
                self.ready(key, item);
            }
        }
    }

    fn arrive(&mut self, key: &Key, class: Class, now: Instant) {
        let arrival = self.number();
        self.ready(key, Item { class, arrival, since: now, place: Place::Ready });
    }

    fn ready(&mut self, key: &Key, mut item: Item) {
        self.ready[item.class as usize].insert(item.arrival, key.clone());
        item.place = Place::Ready;
        self.items.insert(key.clone(), item);
    }

    /// Removes an item from the index of its position.
    fn unindex(&mut self, item: &Item) {
        match &item.place {
            Place::Ready => drop(self.ready[item.class as usize].remove(&item.arrival)),
            Place::Delayed(at, number) => drop(self.timers.remove(&(*at, *number))),
            Place::Parked(host, at, number) => {
                self.timers.remove(&(*at, *number));
                if let Some(parked) = self.parked.get_mut(host) {
                    parked.remove(&(item.class, item.arrival));
                    if parked.is_empty() {
                        self.parked.remove(host);
                    }
                }
            }
            Place::Running { .. } => {}
        }
    }

    /// Makes due objects ready, in the order in which they became due.
    fn expire(&mut self, now: Instant) {
        while let Some(entry) = self.timers.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((due, _), key) = entry.remove_entry();
            let Some(item) = self.items.remove(&key) else { continue };
            self.unindex(&item);
            match item.place {
                Place::Parked(..) => self.ready(&key, item),
                _ => self.arrive(&key, item.class, due),
            }
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((due, _), _)| *due)
    }

    fn take(&mut self, now: Instant) -> Option<Key> {
        self.expire(now);
        let heads = self.ready.iter().filter_map(|class| class.first_key_value());
        let heads: Vec<(u64, &Key)> = heads.map(|(arrival, key)| (*arrival, key)).collect();
        let (first, oldest) = (*heads.first()?, *heads.iter().min()?);
        let aged = oldest != first && now.duration_since(self.items[oldest.1].since) >= AGED;
        let overtakes = if aged { (self.overtakes + 1) % SHARE } else { 0 };
        let key = if aged && overtakes == 0 { oldest.1.clone() } else { first.1.clone() };
        self.overtakes = overtakes;
        let mut item = self.items.remove(&key)?;
        self.unindex(&item);
        item.place = Place::Running { again: None, gone: false };
        self.items.insert(key.clone(), item);
        Some(key)
    }

    fn done(&mut self, key: &Key, next: Next, now: Instant) {
        self.expire(now);
        let Some(item) = self.items.remove(key) else { return };
        match (&item.place, next) {
            (Place::Running { again: Some(class), .. }, _) => self.arrive(key, *class, now),
            (Place::Running { gone: true, .. }, _) | (_, Next::Idle) => {}
            (_, Next::After(wait, class)) if wait.is_zero() => self.arrive(key, class, now),
            (_, Next::After(wait, class)) => {
                let (at, number) = (after(now, wait), self.number());
                self.timers.insert((at, number), key.clone());
                self.items.insert(key.clone(), Item { class, place: Place::Delayed(at, number), ..item });
            }
            (_, Next::Permit(host, wait, class)) => {
                let (at, number) = (after(now, wait), self.number());
                self.timers.insert((at, number), key.clone());
                self.parked.entry(host.clone()).or_default().insert((class, item.arrival), key.clone());
                self.items.insert(key.clone(), Item { class, place: Place::Parked(host, at, number), ..item });
            }
        }
    }

    fn remove(&mut self, key: &Key) -> bool {
        let Some(mut item) = self.items.remove(key) else { return false };
        self.unindex(&item);
        let Place::Running { again, gone } = &mut item.place else { return false };
        (*again, *gone) = (None, true);
        self.items.insert(key.clone(), item);
        true
    }

    fn release(&mut self, has_permit: impl Fn(&str) -> bool) -> bool {
        let heads =
            self.parked.iter().filter(|(host, _)| has_permit(host)).filter_map(|(_, parked)| parked.values().next());
        let heads: Vec<Key> = heads.cloned().collect();
        for key in &heads {
            if let Some(item) = self.items.remove(key) {
                self.unindex(&item);
                self.ready(key, item);
            }
        }
        !heads.is_empty()
    }
}

/// A time that far in the future is treated as never.
fn after(now: Instant, wait: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);
    now + wait.min(LONGEST)
}

#[cfg(test)]
mod tests;
