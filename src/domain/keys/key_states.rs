//! The state of each license key: compares the records of the keys with the account's list. Used by `keys`.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::expiry::state_of;
use super::fingerprint::same;
use super::is_live;
use super::key_record::{bound, put};
use super::license_list::{KeyRing, Row, WantedKey};
use crate::api::{KeyAsked, KeyOrigin, KeyRecord, KeyState, KeyStep, KeysOf, License};
use crate::domain::Fault;
use crate::domain::protocol::digest;

/// The state of a listed key.
#[derive(Debug, PartialEq)]
pub(super) enum Standing<'a> {
    /// Its row is listed, or its time has passed: an account may hide expired rows.
    Listed(&'a KeyRecord),
    /// Its row is gone.
    Lost(&'a KeyRecord),
    /// Its row is not listed, and its seats are still counted: the list may lack it.
    Hidden(&'a KeyRecord),
    /// The account refused it.
    Refused,
    /// It was sent twice, and nothing proves the outcome.
    Unproven(&'a KeyAsked),
    /// The account has it, and its row is not known.
    Present,
    /// Its Secret cannot be used.
    Unreadable(&'a Fault),
    /// An earlier entry holds the same key.
    Twin,
    /// The spec says which row it has, and that row is not listed, or another listed key has it.
    NoSuchRow,
    /// A person has confirmed that its row is gone: the key must be added.
    GivenUp,
    /// No row of it is known: the key must be added.
    New,
}

/// All records of keys that are not foreign.
#[derive(Debug)]
pub(super) struct KeyRecords<'a> {
    pub ring: &'a KeyRing,
    pub list: Vec<KeyRecord>,
    /// Rows that are recorded as missing: an earlier reading did not show them.
    missed: Vec<(Option<i64>, Option<String>)>,
    now: Timestamp,
}

impl<'a> KeyRecords<'a> {
    /// Reads the records of a status in the light of what the account lists. Records of another object, by its uid, or
    /// of another account prove nothing: a row that is still the same is treated as the key of the same reference, and
    /// not as one that this object added.
    pub fn of(ring: &'a KeyRing, known: Option<&License>, own: &KeysOf, now: Timestamp) -> Self {
        let former = known.and_then(|license| license.keys_of.clone()).unwrap_or_default();
        let kept = known.map_or(&[][..], |license| &license.keys).iter().filter(|record| {
            let refused = is_rowless(record.state);
            record.origin != Some(KeyOrigin::Foreign) && (record.id.is_some() || (refused && former == *own))
        });
        let records: Vec<KeyRecord> = kept.cloned().collect();
        let missed = records.iter().filter(|record| record.state == KeyState::Missing);
        let missed = missed.map(|record| (record.id, record.uuid.clone())).collect();
        let mut records = Self { ring, list: records, missed, now };
        if former != *own {
            records.take_over(&former, own);
        }
        records.look();
        records.adopt();
        // A row that was adopted accounts for seats that a hidden row seemed to hold.
        records.drop_unlisted();
        records
    }

    fn take_over(&mut self, former: &KeysOf, own: &KeysOf) {
        let ring = self.ring;
        if former.account != own.account {
            self.list.retain(|record| ring.row(record.id, record.uuid.as_deref()).is_some());
        }
        for record in &mut self.list {
            record.origin = Some(KeyOrigin::Found);
            if former.object_uid != own.object_uid {
                record.fingerprint = None;
            }
        }
    }

    /// Updates every record from the list, and drops obsolete records.
    fn look(&mut self) {
        let (ring, now) = (self.ring, self.now);
        let mut records = std::mem::take(&mut self.list);
        for record in &mut records {
            if record.fingerprint.is_none() {
                let entry = ring.wanted.iter().find(|entry| record.secret_key_ref.as_ref() == Some(&entry.reference));
                record.fingerprint = entry.and_then(|entry| entry.fingerprint.clone().ok());
            }
            if let Some(entry) = ring.wanted.iter().find(|entry| is_of_key(record, entry)) {
                record.secret_key_ref = Some(entry.reference.clone());
            }
            if record.id.is_none() {
                continue;
            }
            let ended = |record: &KeyRecord| record.expires_at.as_ref().is_some_and(|time| time.0 <= now);
            record.state = match ring.row(record.id, record.uuid.as_deref()) {
                Some(row) => {
                    record.seats = row.seats.or(record.seats);
                    // An end that cannot be read does not change the known end.
                    record.expires_at =
                        row.expires.map(Time).or(record.expires_at.take().filter(|_| row.odd.is_some()));
                    record.features = row.features.clone().unwrap_or_default();
                    record.asked = None;
                    let removed = record.state == KeyState::Removed;
                    if removed { KeyState::Removed } else { state_of(row, now) }
                }
                None if record.state == KeyState::Removed => KeyState::Removed,
                None if is_rowless(record.state) || record.state == KeyState::GivenUp => record.state,
                None if ended(record) => KeyState::Expired,
                None => KeyState::Missing,
            };
        }
        // One record for each key: a record with a row comes first, and one that lets the key be added comes last. A status that a
        // person edited may hold several.
        records.sort_by_key(|record| self.rank(record));
        for record in records {
            let twin = |other: &KeyRecord| match (&other.fingerprint, &record.fingerprint) {
                (Some(one), Some(other)) => same(one, other),
                _ => false,
            };
            if !self.list.iter().any(twin) {
                self.list.push(record);
            }
        }
        self.drop_unlisted();
    }

    /// Which of several records of one key counts: the lowest one.
    pub fn rank(&self, record: &KeyRecord) -> (bool, bool, bool) {
        let unlisted = self.ring.row(record.id, record.uuid.as_deref()).is_none();
        (unlisted, record.state == KeyState::Removed, record.state == KeyState::GivenUp)
    }

    /// Drops the obsolete records of rows that are not listed.
    fn drop_unlisted(&mut self) {
        let (ring, counted, missed) = (self.ring, self.unexplained(), &self.missed);
        let unlisted = |record: &KeyRecord| ring.row(record.id, record.uuid.as_deref()).is_none();
        self.list.retain(|record| {
            let wanted = || ring.wanted.iter().any(|entry| is_of(record, entry));
            // Neither one short list nor one wrong reading may make this object forget a key that it added.
            let once = || !missed.contains(&(record.id, record.uuid.clone()));
            let hidden = || record.state == KeyState::Missing && (holds_seats(counted, record.seats) || once());
            // A removed row that is no longer listed is gone for good; `Missing` is for rows that were removed outside Seatkeeper.
            !unlisted(record) || (record.state != KeyState::Removed && (wanted() || hidden()))
        });
    }

    pub fn record(
        &self,
        reference: crate::api::SecretKeyRef,
        fingerprint: &str,
        row: &Row,
        origin: KeyOrigin,
    ) -> KeyRecord {
        bound(Some(reference), fingerprint, row, origin, self.now)
    }

    /// Records a row as that of the key of a step.
    pub fn bind(&mut self, step: &KeyStep, row: &Row, origin: KeyOrigin) {
        let fingerprint = step.fingerprint.as_deref().unwrap_or_default();
        self.put(bound(step.secret_key_ref.clone(), fingerprint, row, origin, self.now));
    }

    /// Replaces all other records of its key or its row.
    pub fn put(&mut self, record: KeyRecord) {
        put(&mut self.list, record);
    }

    /// Takes out the record of a row.
    pub fn forget(&mut self, step: &KeyStep) {
        self.list.retain(|record| (record.id, &record.uuid) != (step.id, &step.uuid));
    }

    /// Seats that the account counts and no listed row explains. Rows that may not count explain nothing.
    pub fn unexplained(&self) -> i32 {
        let live = self.ring.rows.iter().filter(|row| is_live(row, self, self.now));
        live.filter_map(|row| row.seats).fold(self.ring.seats, i32::saturating_sub)
    }

    /// Whether the account may count an unlisted row with this many seats. An unknown number means that it may.
    pub fn counts(&self, seats: Option<i32>) -> bool {
        holds_seats(self.unexplained(), seats)
    }

    /// Seats that a listed row gives now. A row that has ended or is not honored gives none, unless the account may count them.
    /// `None`: not known.
    pub fn gives(&self, row: &Row) -> Option<i32> {
        let spent = !is_live(row, self, self.now) && !self.counts(row.seats);
        if spent { Some(0) } else { row.seats }
    }

    /// Seats that were added since an addition was decided and that no listed row explains. Below 0: seats that got a row since.
    /// Seats that no row explained then, such as soft seats, explain nothing now.
    pub fn gained_seats(&self, step: &KeyStep) -> i32 {
        // A former version did not record it.
        self.unexplained().saturating_sub(step.unexplained.unwrap_or_default())
    }

    /// Whether the row of a record is not listed, although its seats are still counted.
    pub fn hides(&self, record: &KeyRecord) -> bool {
        record.state == KeyState::Missing && self.counts(record.seats)
    }

    /// Records a person's answers: rows that are gone, whatever the account counts, and requests without effect. The known facts
    /// about a row stay, because the list may have been short.
    pub fn take_answers(&mut self, confirms: impl Fn(&str) -> bool) {
        let answered = |record: &KeyRecord| match record.state {
            KeyState::Unproven => record.asked.as_ref().is_some_and(|asked| confirms(&asked.id)),
            _ => self.hides(record) && confirms(&question(record, self.ring)),
        };
        let mut records = self.list.clone();
        records.retain(|record| !(answered(record) && record.id.is_none()));
        for record in records.iter_mut().filter(|record| answered(record)) {
            // Whether an earlier row of the key is gone is another question.
            let asked = record.asked.take().is_some();
            record.state = if asked { KeyState::Missing } else { KeyState::GivenUp };
        }
        self.list = records;
    }

    /// The only row that can belong to a key that the account reports as present: it belongs to no other key, has the known seats of
    /// the key, and is in a list that lacks nothing.
    pub fn only_possible(&self, step: &KeyStep) -> Option<&'a Row> {
        let known = self.list.iter().find(|record| match (&record.fingerprint, &step.fingerprint) {
            (Some(one), Some(other)) => same(one, other),
            _ => false,
        });
        let seats = known.and_then(|record| record.seats);
        let fits = |row: &&Row| !self.owns(row) && seats.is_none_or(|seats| row.seats == Some(seats));
        let mut rows = self.ring.rows.iter().filter(fits);
        rows.next().filter(|_| rows.next().is_none() && self.unexplained() <= 0)
    }

    pub fn owns(&self, row: &Row) -> bool {
        self.list.iter().any(|record| row.is(record.id, record.uuid.as_deref()))
    }

    pub fn is_twin(&self, i: usize) -> bool {
        self.ring.wanted[..i].iter().any(|earlier| same_key(earlier, &self.ring.wanted[i]))
    }

    /// Whether the spec still lists the key of a record. A key that cannot be read now counts as listed under its name.
    pub fn is_wanted(&self, record: &KeyRecord) -> bool {
        self.ring.wanted.iter().any(|entry| is_of(record, entry))
    }

    /// The state of an entry's key.
    pub fn standing(&self, i: usize) -> Standing<'_> {
        let entry = &self.ring.wanted[i];
        if let Err(fault) = &entry.fingerprint {
            return Standing::Unreadable(fault);
        }
        if self.is_twin(i) {
            return Standing::Twin;
        }
        match self.list.iter().find(|record| record.state != KeyState::Removed && is_of_key(record, entry)) {
            Some(record) => match record.state {
                KeyState::Rejected => Standing::Refused,
                // A record that a person edited does not show the request, so a person must check that too.
                KeyState::Unproven => record.asked.as_ref().map_or(Standing::Present, Standing::Unproven),
                KeyState::AlreadyPresent => Standing::Present,
                KeyState::GivenUp => Standing::GivenUp,
                KeyState::Missing if self.hides(record) => Standing::Hidden(record),
                KeyState::Missing => Standing::Lost(record),
                _ => Standing::Listed(record),
            },
            None if entry.adopt.is_some() => Standing::NoSuchRow,
            None => Standing::New,
        }
    }
}

/// Whether a key of this state has no known row.
fn is_rowless(state: KeyState) -> bool {
    matches!(state, KeyState::Rejected | KeyState::AlreadyPresent | KeyState::Unproven)
}

/// Whether this many unexplained seats can include those of a row. Soft seats beside a row are fewer than its own.
pub(super) fn holds_seats(unexplained: i32, seats: Option<i32>) -> bool {
    unexplained > 0 && seats.is_none_or(|seats| unexplained >= seats)
}

/// Names the question whether the row of a record is gone, for this reading. A yes to it answers no later question.
pub(super) fn question(record: &KeyRecord, ring: &KeyRing) -> String {
    let (id, uuid) = (record.id.unwrap_or_default().to_string(), record.uuid.as_deref().unwrap_or_default());
    digest(&[&id, uuid, &ring.sight()])
}

/// Whether a record belongs to exactly the key of an entry.
pub(super) fn is_of_key(record: &KeyRecord, entry: &WantedKey) -> bool {
    match (&record.fingerprint, &entry.fingerprint) {
        (Some(one), Ok(other)) => same(one, other),
        _ => false,
    }
}

pub(super) fn same_key(one: &WantedKey, other: &WantedKey) -> bool {
    match (&one.fingerprint, &other.fingerprint) {
        (Ok(one), Ok(other)) => same(one, other),
        _ => false,
    }
}

/// Whether an entry holds or may hold the key of a record. An unreadable Secret removes no key from the list.
fn is_of(record: &KeyRecord, entry: &WantedKey) -> bool {
    let unreadable = entry.fingerprint.is_err() || record.fingerprint.is_none();
    is_of_key(record, entry) || (unreadable && record.secret_key_ref.as_ref() == Some(&entry.reference))
}
