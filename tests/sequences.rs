//! Generated lives of objects: created, edited, suspended, deleted, created again, while members come and go, other
//! people change the vendor and requests get lost. Every second life is of an owner's key, whose changes are differences.
//! Whatever the order, the operator never brings the seats above the wish that is in force at that moment or beyond the change
//! that is on record, sends no more requests than it has recorded and than there were causes for since it last came to rest,
//! leaves nothing open, and the end is what the last spec says. `judge` holds that.
//!
//! 200 sequences from one printed seed; `SEQUENCES` runs more or fewer, `SEED` repeats a run.

mod judge;

use futures::StreamExt;
use jiff::Timestamp;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, Role};

use crate::mirror::{Mirror, patient, seed};
use crate::tenants::Tenant;
use crate::world::{World, organization, said};
use judge::{Account, Asked, Changes, End};

/// Operators, each with a namespace and a vendor of its own.
const WORLDS: u64 = 3;
/// Sequences at a time in each; they mostly wait.
const SIDE_BY_SIDE: usize = 40;
/// The seats of each organization before anything is asked.
const AT_FIRST: i32 = 100;

/// What a person wants, as last written.
#[derive(Clone, Debug)]
struct Wish {
    seats: i32,
    /// `None`: left alone; `Some(None)`: pinned; `Some(Some(n))`: up to n.
    limit: Option<Option<i32>>,
    observe: bool,
    suspend: bool,
}

impl Wish {
    fn spec(&self) -> Value {
        let limit = self.limit.map(|limit| match limit {
            None => json!({ "mode": "Pinned", "seats": null }),
            Some(seats) => json!({ "mode": "UpTo", "seats": seats }),
        });
        json!({
            "seats": self.seats, "limit": limit, "suspend": self.suspend, "interval": "5s",
            "managementPolicy": if self.observe { "Observe" } else { "Manage" },
        })
    }
}

struct Life<'w> {
    seed: u64,
    random: fastrand::Rng,
    tenant: Tenant<'w>,
    mirror: &'w Mirror,
    wish: Wish,
    steps: Vec<String>,
    /// The key is an owner's.
    by_owner: bool,
    asked: Vec<Asked>,
    /// What may make the operator send a request: each at most one.
    causes: usize,
    /// What may make it repeat one.
    faults: Vec<u64>,
    /// Of all that was sent, what is accounted for.
    accounted: Account,
    /// Somebody else changed the vendor.
    others: usize,
    words: u32,
}

impl Life<'_> {
    fn seats(&mut self) -> i32 {
        [70, 80, 85, 90, 100, 101, 110, 120, 150, 200][self.random.usize(..10)]
    }

    fn now(&self) -> Timestamp {
        self.tenant.world.bitwarden().now()
    }

    /// `begun`: before the wish was written.
    fn asks(&mut self, begun: Timestamp, open: Option<String>) {
        self.causes += 1;
        self.asked.push(Asked { seats: self.wish.seats, begun, stored: self.now(), open });
    }

    /// A bound of the judge, which does not know the steps of this life.
    fn holds(&self, bound: Result<(), String>) {
        if let Err(broken) = bound {
            panic!("{broken}\n{self}");
        }
    }

    /// What was sent since the last rest is accounted for.
    fn account(&mut self) {
        let vendor = self.tenant.world.bitwarden();
        let fired = self.faults.iter().map(|fault| vendor.fired(*fault)).sum();
        let now = Account { writes: self.tenant.writes(), causes: self.causes, fired };
        let before = std::mem::replace(&mut self.accounted, now);
        self.holds(judge::requests(before, now));
    }

    async fn settled(&mut self) -> LicenseSeatsStatus {
        self.words += 1;
        let word = format!("{} {}", self.seed, self.words);
        let status = self.mirror.until_settled(&self.tenant, &word).await;
        self.account();
        status
    }

    async fn edit(&mut self) {
        match self.random.u8(..10) {
            // Lives that stand still show little.
            _ if (self.wish.observe || self.wish.suspend) && self.random.bool() => {
                (self.wish.observe, self.wish.suspend) = (false, false);
            }
            0..6 => self.wish.seats = self.seats(),
            6 | 7 => self.wish.limit = [None, Some(None), Some(Some(210))][self.random.usize(..3)],
            8 => self.wish.observe ^= true,
            _ => self.wish.suspend ^= true,
        }
        let begun = self.now();
        let stored = self.tenant.world.edit(&self.tenant.name, self.wish.spec()).await;
        let open = stored.status.and_then(|status| status.intent).filter(|intent| intent.is_open());
        self.asks(begun, open.map(|intent| intent.id));
    }

    async fn create_again(&mut self) {
        self.tenant.world.seats().delete(&self.tenant.name, &Default::default()).await.expect("delete");
        if self.random.bool() {
            self.wish.seats = self.seats();
        }
        let begun = self.now();
        self.tenant.declare(self.wish.spec()).await;
        // What was open when the object went, nobody has seen.
        self.asks(begun, Some("perhaps, of the object that is gone".into()));
    }

    async fn step(&mut self) {
        let (vendor, id) = (self.tenant.world.bitwarden(), self.tenant.key.id.clone());
        let what = self.random.u8(..20);
        let done = match what {
            0..11 => {
                self.edit().await;
                format!("edit to {:?}", self.wish)
            }
            11 | 12 => {
                self.create_again().await;
                format!("delete, create {:?}", self.wish)
            }
            13 | 14 => {
                // At rest, so that no reading from before is acted upon.
                self.settled().await;
                let n = self.random.u32(1..=15);
                let joined = vendor.join(&id, n);
                self.causes += 1;
                format!("{n} join: {joined}")
            }
            15 | 16 => {
                self.causes += 1;
                format!("{} leave", vendor.leave(&id, 10))
            }
            17 => {
                if self.by_owner {
                    // A difference adds to what somebody buys between the reading and the request.
                    self.settled().await;
                }
                let seats = self.seats();
                (self.others, self.causes) = (self.others + 1, self.causes + 1);
                format!("somebody buys {seats}: {}", vendor.set_seats(&id, seats).is_ok())
            }
            _ => self.fault(),
        };
        self.steps.push(done);
        if self.random.u8(..10) < 7 {
            let status = self.settled().await;
            self.steps.push(format!("settled: {}", said(&status, "Ready")));
        }
    }

    /// The next request that buys goes wrong.
    fn fault(&mut self) -> String {
        let kinds = [
            FaultKind::Drop { apply: true },
            FaultKind::Drop { apply: false },
            FaultKind::FailBeforeBilling,
            FaultKind::FailAfterBilling,
            FaultKind::Half,
        ];
        let kind = kinds[self.random.usize(..kinds.len())].clone();
        let said = format!("fault {kind:?}");
        let fault = if self.by_owner { Fault::on_owner_write(kind) } else { Fault::on_put(kind) };
        self.faults.push(self.tenant.inject(fault));
        said
    }

    /// What this life left behind.
    fn check(&self, status: &LicenseSeatsStatus) {
        let (view, vendor) = (self.tenant.organization(), self.tenant.world.bitwarden());
        self.holds(judge::end(&End {
            wish: self.wish.clone(),
            ready: said(status, "Ready"),
            said: (status.seats, status.limit),
            shown: (view.seats, view.limit),
            billed: view.billed.seats,
            used: status.used,
            refused: view.last_refusal.filter(|last| last.request.is_some()).map(|last| last.refusal.rule),
            by_owner: self.by_owner,
            faults: self.faults.len(),
            others: self.others,
        }));
        self.holds(judge::changes(&Changes {
            asked: self.asked.clone(),
            recorded: self.mirror.recorded(&self.tenant.name),
            ledger: vendor.ledger(&self.tenant.key.id),
            writes: self.tenant.writes(),
            at_first: AT_FIRST,
        }));
    }
}

impl std::fmt::Display for Life<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, causes, by_owner, .. } = self;
        let (faults, steps) = (self.faults.len(), self.steps.join("\n  "));
        write!(f, "seed {seed}, by owner: {by_owner}, {causes} causes, {faults} faults:\n  {steps}")
    }
}

async fn live(w: &World, mirror: &Mirror, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let tenant = w.tenant(&format!("life {seed}"), organization()).await;
    let wish = Wish { seats: [100, 120, 150][random.usize(..3)], limit: Some(None), observe: false, suspend: false };
    let by_owner = seed % 2 == 1;
    if by_owner {
        let key = w.bitwarden().add_user_key(&tenant.key.id, Role::Owner);
        w.secret(&tenant.name, w.personal(&key)).await;
    }
    let mut life = Life {
        seed,
        random,
        tenant,
        mirror,
        steps: vec![format!("create {wish:?}")],
        wish,
        by_owner,
        asked: Vec::new(),
        causes: 0,
        faults: Vec::new(),
        accounted: Account::default(),
        others: 0,
        words: 0,
    };
    let begun = life.now();
    life.tenant.declare(life.wish.spec()).await;
    life.asks(begun, None);
    for _ in 0..life.random.u8(4..=9) {
        life.step().await;
    }
    let status = life.settled().await;
    life.check(&status);
    let heard = |life: &Life| (life.tenant.writes(), life.tenant.organization().billed.seats);
    let before = heard(&life);
    for _ in 0..3 {
        life.settled().await;
    }
    life.holds(judge::silence(before, heard(&life)));
    w.seats().delete(&life.tenant.name, &Default::default()).await.expect("delete");
}

/// As many lives as a pull request plays.
pub const LIVES: u64 = 200;

/// `SEQUENCES`, or as many as a pull request plays.
fn how_many() -> u64 {
    let Ok(text) = std::env::var("SEQUENCES") else { return LIVES };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.unwrap_or_else(|| panic!("SEQUENCES={text:?} is not a number of one or more. An example: SEQUENCES=5000"))
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_stays_within_requested_seats_in_any_order_of_actions() {
    needs_control_plane!();
    let seed = seed("sequences");
    let number = how_many();
    let world = async |part: u64| {
        let flags = [patient(), vec!["--concurrency=100"]].concat();
        let w = World::with("lives", organization(), &flags).await;
        w.needs_many_tokens();
        let mirror = Mirror::of(&w).await;
        let lives = (0..number).filter(|n| n % WORLDS == part).map(|n| live(&w, &mirror, seed + n));
        futures::stream::iter(lives).buffer_unordered(SIDE_BY_SIDE).collect::<()>().await;
        assert_eq!(w.operator.try_exit(), None);
        assert!(!w.operator.log().contains("panicked"), "{}", w.operator.log_tail(40));
    };
    futures::future::join_all((0..WORLDS).map(world)).await;
    eprintln!("sequences: {number} run, 0 double purchases");
}
