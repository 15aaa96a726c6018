//! Generated lives of objects: created, edited, suspended, deleted, created again, while members come and go, other
//! people change the vendor and requests get lost. Every second life is of an owner's key, whose changes are differences.
//! Whatever the order, the operator never brings the seats above the wish that is in force at that moment, sends no more
//! requests than there were causes for since it last came to rest, leaves nothing open, and the end is what the last spec says.
//!
//! 200 sequences from one printed seed; `SEQUENCES` runs more or fewer, `SEED` repeats a run.

use futures::StreamExt;
use jiff::Timestamp;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{Actor, Fault, FaultKind, Role};

use crate::mirror::{Mirror, patient, seed};
use crate::tenants::Tenant;
use crate::world::{World, organization, said};

/// Operators, each with a namespace and a vendor of its own.
const WORLDS: u64 = 3;
/// Sequences at a time in each; they mostly wait.
const SIDE_BY_SIDE: usize = 40;

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

/// A wish as it was written.
struct Asked {
    seats: i32,
    /// Before it was written, and once it was stored: somewhere between the two it came into force.
    begun: Timestamp,
    stored: Timestamp,
    /// The change that was open when it was stored: that of an earlier wish.
    open: Option<String>,
}

/// How much was sent, and why, until some moment.
#[derive(Clone, Copy, Default)]
struct Account {
    writes: usize,
    causes: usize,
    fired: u64,
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

    /// Whether wish `nth` may bring seats at this moment: until the next one is stored, and for as long as the change that was
    /// open then stays open.
    fn is_in_force(&self, nth: usize, at: Timestamp) -> bool {
        let later = &self.asked[nth + 1..];
        let Some(next) = later.first() else { return true };
        let kept = later.iter().take_while(|asked| asked.open.is_some() && asked.open == next.open).count();
        // It is closed when a later wish finds it closed.
        later.get(kept).is_none_or(|closed| at <= closed.stored)
    }

    /// The most seats that the operator may bring at this moment.
    fn bound(&self, at: Timestamp) -> Option<i32> {
        let begun = self.asked.iter().enumerate().filter(|(_, asked)| asked.begun <= at);
        begun.filter(|(nth, _)| self.is_in_force(*nth, at)).map(|(_, asked)| asked.seats).max()
    }

    /// What was sent since the last rest had a cause since then, or repeats what met a fault.
    fn account(&mut self) {
        let vendor = self.tenant.world.bitwarden();
        let fired = self.faults.iter().map(|fault| vendor.fired(*fault)).sum();
        let now = Account { writes: self.tenant.writes(), causes: self.causes, fired };
        let before = std::mem::replace(&mut self.accounted, now);
        let (sent, causes, fired) = (now.writes - before.writes, now.causes - before.causes, now.fired - before.fired);
        assert!(sent as u64 <= causes as u64 + fired, "{sent} requests for {causes} causes and {fired} faults\n{self}");
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
        let fault = if self.by_owner { Fault::on_private_write(kind) } else { Fault::on_put(kind) };
        self.faults.push(self.tenant.inject(fault));
        said
    }

    /// Whether the end is what the last spec says.
    fn check(&self, status: &LicenseSeatsStatus) {
        let shown = self.tenant.organization();
        let ready = said(status, "Ready");
        let wish = &self.wish;
        let limit_kept = match wish.limit {
            None => true,
            Some(None) => shown.limit == shown.seats,
            Some(Some(limit)) => shown.limit == Some(limit),
        };
        let within =
            matches!(wish.limit, Some(Some(limit)) if shown.seats > Some(wish.seats) && shown.seats <= Some(limit));
        let as_wished = limit_kept && (shown.seats == Some(wish.seats) || within);
        let fair = match ready.as_str() {
            "True/InSync" => !wish.observe && as_wished,
            "True/Observed" => wish.observe,
            // What the vendor bought by itself may be more than the spec keeps of it.
            "True/Suspended" => wish.suspend && !wish.observe && !(limit_kept && shown.seats == Some(wish.seats)),
            // Below the seats in use, or down from above the limit, which may be wrong.
            "False/GuardrailViolated" => {
                // A difference rests on numbers that agree.
                let contradicts = self.by_owner && shown.billed.seats != shown.seats;
                status.used > Some(wish.seats) || shown.limit < shown.seats || contradicts
            }
            // A new object lowers nothing before a person agrees, and nobody does here.
            "False/FirstSight" => shown.seats > Some(wish.seats),
            // Above a limit that is left alone, or refused twice.
            "False/VendorRejected" => {
                (wish.limit.is_none() && shown.limit < Some(wish.seats)) || !self.faults.is_empty()
            }
            "False/NeedsReview" => !self.faults.is_empty() || (self.by_owner && self.others > 0),
            "False/Conflict" => self.others > 2,
            _ => false,
        };
        assert!(fair, "{ready} at {:?} with limit {:?}\n{self}", shown.seats, shown.limit);
        assert_eq!((status.seats, status.limit), (shown.seats, shown.limit), "{self}");
        let refusal = shown.last_refusal.filter(|last| last.request.is_some()).map(|last| last.refusal.rule);
        assert_ne!(refusal, Some("A9"), "below the seats in use was asked for\n{self}");

        let recorded = self.mirror.recorded(&self.tenant.name);
        assert!(self.tenant.writes() == 0 || !recorded.is_empty(), "nothing that was sent was recorded\n{self}");
        for change in recorded.iter().filter(|change| change.to > change.from) {
            assert!(Some(change.to) <= change.asked, "recorded above the wish of that moment: {change:?}\n{self}");
        }
        self.check_ledger();
    }

    /// At no time more than was asked for in that moment.
    fn check_ledger(&self) {
        let mut most = 100;
        for entry in self.tenant.world.bitwarden().ledger(&self.tenant.key.id) {
            let now = entry.after.seats.max(entry.billed_after.seats);
            if matches!(entry.who, Actor::ThirdParty | Actor::Autoscale | Actor::BillingJob) {
                most = most.max(now.unwrap_or_default());
            }
            let asked = self.asked.iter().filter(|asked| asked.begun <= entry.at).map(|asked| asked.seats).max();
            assert!(now <= asked.max(Some(most)), "above what was ever asked: {entry:?}\n{self}");
            if !matches!(entry.who, Actor::PublicPut | Actor::PrivateWrite | Actor::LateFinisher) {
                continue;
            }
            let (bound, before, billed) = (self.bound(entry.at), &entry.before, &entry.billed_before);
            let raised = entry.after.seats.filter(|seats| Some(*seats) > before.seats);
            assert!(raised <= bound, "above {bound:?}, the wish in force: {entry:?}\n{self}");
            // Billing may follow the number that is shown.
            let raised = entry.billed_after.seats.filter(|seats| Some(*seats) > billed.seats);
            assert!(raised <= bound.max(before.seats), "billed above {bound:?}, the wish in force: {entry:?}\n{self}");
        }
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
    for _ in 0..life.random.u8(3..=6) {
        life.step().await;
    }
    let status = life.settled().await;
    life.check(&status);
    let before = (life.tenant.writes(), life.tenant.organization().billed);
    for _ in 0..3 {
        life.settled().await;
    }
    assert_eq!((life.tenant.writes(), life.tenant.organization().billed), before, "it is not silent\n{life}");
    w.seats().delete(&life.tenant.name, &Default::default()).await.expect("delete");
}

/// `SEQUENCES`, or as many as a pull request plays.
fn how_many() -> u64 {
    let Ok(text) = std::env::var("SEQUENCES") else { return 200 };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.unwrap_or_else(|| panic!("SEQUENCES={text:?} is not a number of one or more. An example: SEQUENCES=5000"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_in_whatever_order_the_ledger_stays_within_what_was_asked() {
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
