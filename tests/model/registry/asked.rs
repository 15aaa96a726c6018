//! The bridge to the code under test: the model's small values in, what the real `Registry` says out. Nothing is decided
//! here. The registry is pure, so each registry that was met has a number, and each question is asked of it once.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatkeeper::registry::{Age, BlockedBy, Found, InFlight, Key, Noted, Ownership, Realm, Registry, Rows};

use super::world::{AGES, BY_HOST, Change, NAMES, POOLS, Slot, Uid, slot_of};

const HOUR: Duration = Duration::from_secs(3600);

/// The settle time in hours.
pub const SETTLE: u8 = 2;

/// How long the late effects of a change may come, in hours.
const LATE: u8 = 1;

/// Objects as bits, by their uids.
pub type Set = u8;

/// Rows of a tenant as bits.
pub type RowSet = u8;

/// The changes in the history of an object, newest first.
pub type Made = [Option<Change>; 2];

/// The number of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asked(u32);

/// What a registry is told or asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    Appeared(Uid),
    Disappeared(Slot),
    Gone(Uid),
    BeginTerm { term: u8, watched: Set },
    Inherit { term: u8, there: Set },
    Keep { term: u8, there: Set },
    WaitsForUnknown,
    Note(Told),
    Answered(Slot),
    Owner(Slot),
    Reserve { slot: Slot, change: Change, term: u8, now: u8 },
    SetOpen { slot: Slot, open: Option<Change>, now: u8 },
    RequestEnded { slot: Slot, now: u8 },
    Made { slot: Slot, made: Made, now: u8 },
    Shows { slot: Slot, rows: RowSet },
    Forget { slot: Slot, now: u8 },
}

/// What a pass tells of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    pub uid: Uid,
    /// `None`: only the vendor can tell.
    pub account: Option<u8>,
    /// The vendor has accepted its key.
    pub confirmed: bool,
    pub open: Option<Change>,
    /// What its account lists, where that is known.
    pub rows: Option<RowSet>,
    /// The vendor has shown it in this pass.
    pub read: bool,
    /// A person says that its account differs from all others.
    pub differs: bool,
    /// In the order of arrival, where that counts as the age.
    pub place: Option<u8>,
    pub term: u8,
    pub now: u8,
}

/// What it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing that the model asks for.
    Done,
    Yes(bool),
    /// Who has the pool before.
    Owner(Option<Slot>),
    Blocked(Blocked),
}

/// [`BlockedBy`], as far as the model needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    Scan,
    Owner,
    OpenChange,
    LostChange,
    LateEffects,
    Rows,
}

#[derive(Default)]
struct Met {
    numbers: HashMap<Arc<Registry>, u32>,
    registries: Vec<Arc<Registry>>,
}

/// Every registry that was met.
static MET: LazyLock<RwLock<Met>> = LazyLock::new(RwLock::default);

thread_local! {
    static KNOWN: RefCell<HashMap<(Asked, Word), (Asked, Answer)>> = RefCell::default();
}

impl Asked {
    /// The registry of a process that has just started.
    pub fn new() -> Self {
        Self::number(Registry::new(HOUR * u32::from(SETTLE)))
    }

    fn number(registry: Registry) -> Self {
        let mut met = MET.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = met.numbers.get(&registry) {
            return Self(*number);
        }
        let (registry, number) = (Arc::new(registry), u32::try_from(met.registries.len()).expect("fewer registries"));
        met.numbers.insert(Arc::clone(&registry), number);
        met.registries.push(registry);
        Self(number)
    }

    /// Tells the registry something; it becomes another one.
    pub fn tell(&mut self, word: Word) -> Answer {
        let asked = (*self, word);
        let known = KNOWN.with_borrow(|known| known.get(&asked).copied());
        let (next, answer) = known.unwrap_or_else(|| {
            let mut registry = {
                let met = MET.read().unwrap_or_else(PoisonError::into_inner);
                Registry::clone(&met.registries[self.0 as usize])
            };
            let answer = word.tell(&mut registry);
            let said = (Self::number(registry), answer);
            KNOWN.with_borrow_mut(|known| known.insert(asked, said));
            said
        });
        *self = next;
        answer
    }
}

impl Word {
    fn tell(self, registry: &mut Registry) -> Answer {
        match self {
            Self::Appeared(uid) => registry.appeared(key(slot_of(uid)), age(uid)),
            Self::Disappeared(slot) => drop(registry.disappeared(key(slot))),
            Self::Gone(uid) => drop(registry.gone(key(slot_of(uid)), word(uid))),
            Self::BeginTerm { term, watched } => {
                let watched = each(watched).map(|uid| (key(slot_of(uid)).clone(), age(uid)));
                registry.begin_term(term.into(), watched);
            }
            Self::Inherit { term, there } => {
                registry.inherit(term.into(), each(there).map(|uid| word(uid).to_owned()).collect());
            }
            Self::Keep { term, there } => {
                registry.keep(term.into(), &each(there).map(|uid| word(uid).to_owned()).collect());
            }
            Self::WaitsForUnknown => return Answer::Yes(registry.waits_for_unknown().is_some()),
            Self::Note(told) => {
                let Told { uid, term, now, .. } = told;
                let (owner, _) = registry.note((key(slot_of(uid)), word(uid)), told.found(), term.into(), at(now));
                return Answer::Owner(owner.as_ref().map(slot));
            }
            Self::Answered(of) => drop(registry.answered(key(of))),
            Self::Owner(of) => return Answer::Owner(registry.owner(key(of)).map(slot)),
            Self::Reserve { slot, change, term, now } => {
                if let Err(blocked) = registry.reserve(key(slot), opened(change), term.into(), at(now)) {
                    return Answer::Blocked(Blocked::of(&blocked));
                }
            }
            Self::SetOpen { slot, open, now } => drop(registry.set_open(key(slot), open.map(opened), at(now))),
            Self::Made { slot, made, now } => {
                let made = made.into_iter().flatten().map(|change| (opened(change), HOUR * u32::from(LATE)));
                registry.made(key(slot), made, at(now));
            }
            Self::Shows { slot, rows } => registry.shows(key(slot), listed(rows)),
            Self::RequestEnded { slot, now } => registry.request_ended(key(slot), at(now)),
            Self::Forget { slot, now } => drop(registry.forget(key(slot), at(now))),
        }
        Answer::Done
    }
}

impl Told {
    fn found(self) -> Found {
        let Self { uid, confirmed, .. } = self;
        let (slot, vendor) = (slot_of(uid), "acme");
        let age = self.place.map_or_else(|| age(uid), |place| (None, place.to_string()));
        let Some(account) = self.account else { return Found::Unplaced { vendor, age } };
        let (account, pool) = (realm(slot, account), POOLS[slot]);
        let differ = if self.differs { differing(slot) } else { BTreeSet::new() };
        let rows = Rows { listed: self.rows.map(listed), read: self.read, differ };
        let ownership = Ownership { vendor, account, confirmed, pool, age, wanted: None };
        Found::Wants(Noted { ownership, open: self.open.map(opened), rows })
    }
}

impl Blocked {
    fn of(blocked: &BlockedBy) -> Self {
        match blocked {
            BlockedBy::NotKnownYet => Self::Scan,
            BlockedBy::OwnedBy(_) => Self::Owner,
            BlockedBy::SameRows(..) => Self::Rows,
            BlockedBy::Late(_) => Self::LateEffects,
            BlockedBy::InFlightElsewhere(Some(_)) => Self::OpenChange,
            BlockedBy::InFlightElsewhere(None) => Self::LostChange,
        }
    }
}

fn each(set: Set) -> impl Iterator<Item = Uid> {
    (0..8).filter(move |uid| set & 1 << uid != 0)
}

fn at(hour: u8) -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now) + HOUR * u32::from(hour)
}

fn key(slot: Slot) -> &'static Key {
    static KEYS: LazyLock<[Key; 3]> = LazyLock::new(|| NAMES.map(|name| ("it".to_owned(), name.to_owned())));
    &KEYS[slot]
}

fn slot(key: &Key) -> Slot {
    NAMES.iter().position(|name| *name == key.1).expect("a name of the model")
}

fn word(uid: Uid) -> &'static str {
    AGES[usize::from(uid / 2)][usize::from(uid % 2)].1
}

fn age(uid: Uid) -> Age {
    let (second, word) = AGES[usize::from(uid / 2)][usize::from(uid % 2)];
    (Timestamp::from_second(second).ok(), word.to_owned())
}

/// Each object reaches the accounts under a host name of its own. The last one has an id that is of its host alone.
fn realm(slot: Slot, account: u8) -> Realm {
    let id = if account >= BY_HOST { "tenant" } else { "6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c1" };
    Realm::of(&format!("host-{slot}/{id}{account}"))
}

/// The rows with these numbers.
fn listed(rows: RowSet) -> BTreeSet<String> {
    each(rows).map(|row| row.to_string()).collect()
}

/// Says of each account at the address of this object that it differs from those at the addresses of the others.
fn differing(slot: Slot) -> BTreeSet<String> {
    let tenants = [BY_HOST, BY_HOST + 1];
    let others = (0..NAMES.len()).filter(|other| *other != slot);
    let theirs = others.flat_map(|other| tenants.map(|tenant| realm(other, tenant)));
    theirs.flat_map(|theirs| tenants.map(|tenant| realm(slot, tenant).beside(&theirs))).collect()
}

/// An id of a change tells whose it is.
fn opened(change: Change) -> InFlight {
    InFlight { id: change.id.to_string(), account: realm(slot_of(change.id / 8), change.account) }
}
