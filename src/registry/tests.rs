//! Who may write to which account, told object by object. Each file has one of the registry's jobs.

mod lock;
mod owners;
mod scan;
mod waiters;

use super::*;

const SETTLE: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// A registry and its clock, which stands still unless a test says otherwise. An object's uid is its name unless a test
/// says otherwise, and the order of the uids is that of the ages.
struct Told {
    registry: Registry,
    now: Instant,
    /// Objects that were woken since this was looked at last.
    woken: Vec<Key>,
}

impl Told {
    /// A process that leads in no term yet.
    fn unborn() -> Self {
        Self { registry: Registry::new(SETTLE), now: Instant::now(), woken: Vec::new() }
    }

    /// A registry in its first term, in which nothing was there.
    fn new() -> Self {
        let mut told = Self::unborn();
        told.begin_term(1, &[]);
        told
    }

    /// Begins a term in which these objects are there, and the watch knows them.
    fn begin_term(&mut self, term: u64, there: &[&str]) {
        self.registry.begin_term(term, there.iter().map(|name| (key(name), age(name))));
        let woken = self.registry.inherit(term, uids(there));
        self.woken.extend(woken);
    }

    fn note_in(&mut self, term: u64, name: &str, uid: &str, found: Found) -> Option<Key> {
        let (owner, woken) = self.registry.note((&key(name), uid), found, term, self.now);
        self.woken.extend(woken);
        owner
    }

    fn note(&mut self, name: &str, uid: &str, found: Found) -> Option<Key> {
        self.note_in(self.registry.term, name, uid, found)
    }

    /// An object is read that wants this pool, and has no open change.
    fn wants(&mut self, name: &str, account: &str, pool: &'static str) -> Option<Key> {
        self.note(name, name, ownership(account, pool, name))
    }

    fn reserve_in(&mut self, term: u64, name: &str, account: &str) -> Result<(), BlockedBy> {
        self.registry.reserve(&key(name), change(name, account), term, self.now)
    }

    /// Takes the right to change this account, in the first term.
    fn reserve_of(&mut self, name: &str, account: &str) -> Result<(), BlockedBy> {
        self.reserve_in(1, name, account)
    }

    fn reserve(&mut self, name: &str) -> Result<(), BlockedBy> {
        self.reserve_of(name, "acme")
    }

    fn set_open(&mut self, name: &str, open: Option<InFlight>) {
        let woken = self.registry.set_open(&key(name), open, self.now);
        self.woken.extend(woken);
    }

    fn over(&mut self, name: &str) {
        self.set_open(name, None);
    }

    fn appear(&mut self, name: &str) {
        self.registry.appeared(&key(name), age(name));
    }

    fn disappear(&mut self, name: &str) {
        let woken = self.registry.disappeared(&key(name));
        self.woken.extend(woken);
    }

    fn forget(&mut self, name: &str) {
        let woken = self.registry.forget(&key(name), self.now);
        self.woken.extend(woken);
    }

    fn answered(&mut self, name: &str) {
        let woken = self.registry.answered(&key(name));
        self.woken.extend(woken);
    }

    fn gone(&mut self, name: &str, uid: &str) {
        let woken = self.registry.gone(&key(name), uid);
        self.woken.extend(woken);
    }

    /// The names of those that were woken, in their order.
    fn woken(&mut self) -> Vec<String> {
        let mut names: Vec<String> = self.woken.drain(..).map(|(_, name)| name).collect();
        names.sort();
        names
    }
}

fn key(name: &str) -> Key {
    ("it".into(), name.into())
}

fn age(uid: &str) -> Age {
    (None, uid.into())
}

fn uids(uids: &[&str]) -> BTreeSet<String> {
    uids.iter().map(|uid| (*uid).to_owned()).collect()
}

fn change(name: &str, account: &str) -> InFlight {
    InFlight { id: format!("{name}'s"), account: Realm::of(account) }
}

fn noted(account: &str, pool: &'static str, uid: &str) -> Noted {
    let (account, vendor) = (Realm::of(account), "acme");
    let ownership = Ownership { vendor, account, confirmed: true, pool, age: age(uid), wanted: None };
    Noted { ownership, open: None, rows: Rows::default() }
}

/// Ownership that the vendor has confirmed, without an open change.
pub(crate) fn ownership(account: &str, pool: &'static str, uid: &str) -> Found {
    Found::Wants(noted(account, pool, uid))
}

/// Ownership that is not confirmed.
fn asserted(account: &str, pool: &'static str, uid: &str) -> Found {
    let noted = noted(account, pool, uid);
    Found::Wants(Noted { ownership: Ownership { confirmed: false, ..noted.ownership.clone() }, ..noted })
}

/// Ownership with an open change of its account.
fn opened(account: &str, pool: &'static str, uid: &str) -> Found {
    Found::Wants(Noted { open: Some(change(uid, account)), ..noted(account, pool, uid) })
}
