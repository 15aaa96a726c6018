//! The objects that wait for a turn of one urgency, in their order. The next place goes round the namespaces, so that
//! one with many objects takes no more than its share while others wait. Within a namespace the first to come is the
//! first to go. Keys that failed lately come behind all others, and go round the namespaces among themselves.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::Ask;
use crate::registry::Key;

/// This long after its promised time, the place of an object that has not come is kept.
pub(super) const LATE: Duration = Duration::from_secs(2);

/// A place that was not taken up for this long is given up.
const LAPSED: Duration = Duration::from_secs(600);

/// An owner that waits, with the objects that wait with it.
#[derive(Debug)]
struct Waiting {
    owner: u64,
    objects: Vec<Key>,
    /// The time that it was promised.
    told: Duration,
    /// Its objects were called to come sooner.
    called: bool,
}

impl Waiting {
    fn is_due(&self, now: Duration) -> bool {
        (self.told..=self.told + LATE).contains(&now)
    }
}

/// Those that wait in one namespace, in order of arrival.
#[derive(Debug)]
struct Group {
    namespace: String,
    /// In which round the first of them has its turn. Each of the others has it a round later than the one before it, and
    /// each turn that the namespace takes puts them all off by a round.
    round: usize,
    waiting: VecDeque<Waiting>,
}

impl Group {
    /// How many of its first ones come before a round, or before the end of it.
    fn before(&self, round: usize, end: bool) -> usize {
        (round + usize::from(end)).saturating_sub(self.round).min(self.waiting.len())
    }
}

/// A place: the order is that of the rounds, and in a round that of the groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    band: usize,
    group: usize,
    index: usize,
}

/// Those that wait for one urgency.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Keys that failed lately are in the second one.
    bands: [Vec<Group>; 2],
    /// The latest round of each in which an object that waited had a turn.
    rounds: [usize; 2],
    /// The objects that wait in any of them.
    owners: HashSet<u64>,
}

impl Queue {
    /// The place that an object has, or would be given.
    pub fn place(&mut self, ask: &Ask<'_>) -> Place {
        let band = usize::from(ask.failed);
        match self.find(ask.owner) {
            Some(place) if place.band == band => place,
            Some(other) => {
                // What is known of the key has changed.
                let waiting = self.take(other);
                let place = self.end(band, &ask.object.0);
                waiting.into_iter().for_each(|waiting| self.insert(place, &ask.object.0, waiting));
                place
            }
            None => self.end(band, &ask.object.0),
        }
    }

    /// How many come before a place.
    pub fn before(&self, place: Place) -> usize {
        self.ahead(place).map(|(_, before)| before).sum()
    }

    /// How many of those that come before a place are there to take their turn.
    pub fn due_before(&self, place: Place, now: Duration) -> usize {
        let ahead = self.ahead(place).flat_map(|(group, before)| group.waiting.iter().take(before));
        ahead.filter(|waiting| waiting.is_due(now)).count()
    }

    /// How many are there to take their turn.
    pub fn due(&self, now: Duration) -> usize {
        self.all().filter(|waiting| waiting.is_due(now)).count()
    }

    /// Lets an object wait at the place that it has or was given. Returns whether the object is new there.
    pub fn wait(&mut self, place: Place, ask: &Ask<'_>, told: Duration) -> bool {
        if self.find(ask.owner) != Some(place) {
            let waiting = Waiting { owner: ask.owner, objects: Vec::new(), told, called: false };
            self.insert(place, &ask.object.0, waiting);
        }
        let Some(waiting) = self.get_mut(place) else { return false };
        (waiting.told, waiting.called) = (told, false);
        let new = !waiting.objects.contains(ask.object);
        if new {
            waiting.objects.push(ask.object.clone());
        }
        new
    }

    /// The turn of a place has come, whether or not an object waited there. Returns the objects that did.
    pub fn had_its_turn(&mut self, place: Place, owner: u64) -> Vec<Key> {
        if self.find(owner) != Some(place) {
            return Vec::new();
        }
        let (group, round) = (&mut self.bands[place.band][place.group], &mut self.rounds[place.band]);
        *round = (*round).max(group.round + place.index);
        group.round += 1;
        self.take(place).map(|waiting| waiting.objects).unwrap_or_default()
    }

    /// No object waits as this owner any more. Returns the objects that did.
    pub fn remove(&mut self, owner: u64) -> Vec<Key> {
        let waiting = self.find(owner).and_then(|place| self.take(place));
        waiting.map(|waiting| waiting.objects).unwrap_or_default()
    }

    /// An object waits no more; the others that wait with it do.
    pub fn leave(&mut self, owner: u64, object: &Key) {
        let Some(place) = self.find(owner) else { return };
        let Some(waiting) = self.get_mut(place) else { return };
        waiting.objects.retain(|other| other != object);
        if waiting.objects.is_empty() {
            self.take(place);
        }
    }

    /// The waiting objects whose announced time is over a second later than the time of their place. Each is named once before its turn.
    pub fn call(&mut self, times: &[Duration]) -> Vec<Key> {
        const SOONER: Duration = Duration::from_secs(1);
        let mut called = Vec::new();
        for (place, time) in self.first(times.len()).into_iter().zip(times) {
            let Some(waiting) = self.get_mut(place) else { continue };
            if waiting.told > *time + SOONER && !waiting.called {
                waiting.called = true;
                called.extend(waiting.objects.iter().cloned());
            }
        }
        called
    }

    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Owners whose places have lapsed.
    pub fn lapsed(&self, now: Duration) -> Vec<u64> {
        self.all().filter(|waiting| waiting.told + LAPSED <= now).map(|waiting| waiting.owner).collect()
    }

    /// The first places in order.
    fn first(&self, most: usize) -> Vec<Place> {
        let mut places = Vec::new();
        for (band, groups) in self.bands.iter().enumerate() {
            let of = |(group, of): (usize, &Group)| {
                let (round, waiting) = (of.round, of.waiting.len().min(most));
                (0..waiting).map(move |index| (round + index, Place { band, group, index }))
            };
            let mut those: Vec<(usize, Place)> = groups.iter().enumerate().flat_map(of).collect();
            those.sort_by_key(|(round, place)| (*round, place.group));
            places.extend(those.into_iter().map(|(_, place)| place));
        }
        places.truncate(most);
        places
    }

    /// The groups with objects before a place, and how many of their first ones.
    fn ahead(&self, place: Place) -> impl Iterator<Item = (&Group, usize)> {
        let Place { band, group, index } = place;
        let groups = &self.bands[band];
        let round = groups.get(group).map_or(self.next_round(band), |group| group.round + index);
        let before = self.bands[..band].iter().flatten().map(|group| (group, group.waiting.len()));
        before.chain(groups.iter().enumerate().map(move |(at, of)| (of, of.before(round, at < group))))
    }

    /// The round in which a namespace without waiting objects begins: an object that comes back for one turn after the
    /// other has one a round.
    fn next_round(&self, band: usize) -> usize {
        self.rounds[band] + 1
    }

    fn all(&self) -> impl Iterator<Item = &Waiting> {
        self.bands.iter().flatten().flat_map(|group| &group.waiting)
    }

    fn find(&self, owner: u64) -> Option<Place> {
        if !self.owners.contains(&owner) {
            return None;
        }
        self.bands.iter().enumerate().find_map(|(band, groups)| {
            groups.iter().enumerate().find_map(|(group, of)| {
                let index = of.waiting.iter().position(|waiting| waiting.owner == owner)?;
                Some(Place { band, group, index })
            })
        })
    }

    /// The place after the last of a namespace.
    fn end(&self, band: usize, namespace: &str) -> Place {
        let groups = &self.bands[band];
        let group = groups.iter().position(|group| group.namespace == namespace).unwrap_or(groups.len());
        Place { band, group, index: groups.get(group).map_or(0, |group| group.waiting.len()) }
    }

    fn get_mut(&mut self, place: Place) -> Option<&mut Waiting> {
        self.bands[place.band].get_mut(place.group)?.waiting.get_mut(place.index)
    }

    fn insert(&mut self, place: Place, namespace: &str, waiting: Waiting) {
        let round = self.next_round(place.band);
        let groups = &mut self.bands[place.band];
        if place.group == groups.len() {
            groups.push(Group { namespace: namespace.to_owned(), round, waiting: VecDeque::new() });
        }
        self.owners.insert(waiting.owner);
        groups[place.group].waiting.insert(place.index, waiting);
    }

    /// Takes out the objects that wait at a place that is taken.
    fn take(&mut self, place: Place) -> Option<Waiting> {
        let groups = &mut self.bands[place.band];
        let group = groups.get_mut(place.group)?;
        let waiting = group.waiting.remove(place.index)?;
        if group.waiting.is_empty() {
            groups.remove(place.group);
        }
        self.owners.remove(&waiting.owner);
        Some(waiting)
    }
}

#[cfg(test)]
mod tests;
