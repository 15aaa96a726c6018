//! The test of the test, for parts of the protocol that no build can leave out: each is taken away from the shipped operator
//! from outside, and harm must be seen. The same story with the part in its place must be seen to end well. Called by `main`
//! after the cases.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use fault_proxy::{Action, Moment, Target};
use futures::FutureExt;
use kube::api::{Patch, PatchParams};
use seatkeeper::api::LicenseSeatsStatus;
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind};

use crate::actions::{Crew, crew, short_but};
use crate::case::{Broken, Case, End, Flaw, ended, play_beside};
use crate::choice::WEAKENED;
use crate::ground::Ground;
use crate::happenings::{
    RECREATED, RECREATED_THEN_KILLED, RIVAL, RIVAL_THEN_KILLED, STATUS_RESTORED, WIPED_THEN_KILLED,
};
use crate::judge::harm;
use crate::rig::Rig;
use crate::scenario::{Scenario, scenarios};
use crate::two::owner_is_missed;

/// How long the vendor pauses within a purchase: longer than the next leader needs to buy.
const PAUSE_MS: u64 = 5000;

/// What somebody else sets the seats to, one after the other.
const UNDONE: [i32; 3] = [120, 130, 125];

/// A part of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The process remembers a request whose object is gone.
    MemoryOfObjects,
    /// The process remembers a request whose record is gone.
    MemoryOfRecords,
    /// A new leader reads every object before it sends anything.
    Scan,
    /// What others undo is corrected twice a day and no more.
    Corrections,
    /// A repeat that is taken back is not repeated.
    Repeats,
    /// One object has a pool, and others of the pool buy nothing. Two installations do not have this part.
    Owner,
}

/// What must break without a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Oracle {
    /// More is shown or billed than was asked for, or it is billed more often.
    Bill,
    /// More purchases of a decision have an effect than two.
    Effects,
}

impl Oracle {
    fn is_broken(self, flaw: &Flaw) -> bool {
        match self {
            Self::Bill => matches!(flaw, Flaw::BoughtTwice(_)),
            Self::Effects => matches!(flaw, Flaw::SentTooOften(_)),
        }
    }
}

/// What is taken away, how, and what must break then.
const ROWS: [(Part, &str, &str, Oracle); 5] = [
    (Part::MemoryOfObjects, "memory of deleted objects", "the operator killed", Oracle::Bill),
    (Part::MemoryOfRecords, "memory of wiped records", "the operator killed", Oracle::Bill),
    (Part::Scan, "first scan of a term", "the older object hidden from the next leader", Oracle::Bill),
    (Part::Corrections, "count of corrections", "the history emptied after each", Oracle::Bill),
    (Part::Repeats, "repeat of a repeat", "the attempt on record set back to 1", Oracle::Effects),
];

/// A part of the protocol, in its place or taken away.
struct Story {
    part: Part,
    taken: bool,
    case: Case,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.case.fmt(f)
    }
}

fn named(name: &str) -> Scenario {
    scenarios().into_iter().find(|scenario| scenario.name == name).expect("it is there")
}

/// By a difference, which the vendor carries out slowly: whoever buys meanwhile adds up.
fn slow() -> Scenario {
    let vendor = |vendor: &vendor_sim::Bitwarden| {
        vendor.inject(Fault::on_private_write(FaultKind::PauseBetweenReads { ms: PAUSE_MS }));
    };
    Scenario { vendor, ..named("owner-finishes-late") }
}

/// In sync already, and others undo it.
fn undone() -> Scenario {
    let first = named("first-purchase");
    Scenario { name: "undone-by-others", before: Some(first.spec.clone()), billings: 2, ..first }
}

impl Story {
    fn new(part: Part, taken: bool, words: String) -> Self {
        let (scenario, happens) = match part {
            Part::MemoryOfObjects => (slow(), Some(if taken { RECREATED_THEN_KILLED } else { RECREATED })),
            Part::MemoryOfRecords => (slow(), Some(if taken { WIPED_THEN_KILLED } else { STATUS_RESTORED })),
            Part::Scan => (slow(), Some(RIVAL_THEN_KILLED)),
            Part::Corrections => (undone(), None),
            Part::Repeats => (named("webhook-restores"), None),
            Part::Owner => (slow(), Some(RIVAL)),
        };
        let patient = Crew { replicas: vec![short_but(&["--settle-unanswered=8s"])], ..crew(1) };
        let crew = if happens.is_some() { patient } else { crew(1) };
        let fault = happens.map(|what| (Target::first_purchase(), Action::Meanwhile(Moment::Before, what)));
        Self { part, taken, case: Case { fault, ..Case::apart(scenario, WEAKENED, words, crew) } }
    }

    /// What others do meanwhile, and who takes the part away. Ends with the harm.
    async fn beside(&self, rig: &Rig, before: usize) -> String {
        match self.part {
            Part::MemoryOfObjects | Part::MemoryOfRecords | Part::Owner => {}
            Part::Scan if self.taken => {
                rig.proxy.hide("acme");
                until(async || rig.proxy.left_out() > 0).await;
                // That the younger one buys at all is not the worst: both are billed.
                let billed = || rig.bitwarden().organization(&rig.key().id).billed.seats;
                until(async || billed() > Some(self.case.scenario.between.1)).await;
            }
            Part::Scan => {}
            Part::Corrections => self.undo(rig).await,
            Part::Repeats => self.take_back(rig).await,
        }
        until(async || self.taken && harm(rig, &self.case, before).is_err()).await;
        "harm is done".into()
    }

    /// Somebody else changes the seats as soon as the last such change is corrected.
    async fn undo(&self, rig: &Rig) {
        let [first, second, third] = UNDONE;
        for seats in [first, second] {
            rig.bitwarden().set_seats(&rig.key().id, seats).expect("the vendor allows it");
            let corrected = |status: &LicenseSeatsStatus| {
                let last = status.history.first().map(|change| change.base().seats);
                last == Some(seats) && ended(status) == Some(End::InSync)
            };
            until_status(rig, corrected).await;
            if self.taken {
                write_history(rig, &json!([])).await;
            }
        }
        rig.bitwarden().set_seats(&rig.key().id, third).expect("the vendor allows it");
    }

    /// The vendor takes back the repeat as well.
    async fn take_back(&self, rig: &Rig) {
        let repeated = |status: &LicenseSeatsStatus| {
            status.history.first().is_some_and(|last| last.attempt == 2) && ended(status) == Some(End::InSync)
        };
        let status = until_status(rig, repeated).await;
        if self.taken {
            let mut history = serde_json::to_value(&status.history).expect("JSON");
            history[0]["attempt"] = json!(1);
            write_history(rig, &history).await;
        }
        let old = rig.bitwarden().ledger(&rig.key().id)[0].before;
        rig.bitwarden().force_row(&rig.key().id, old.seats, old.limit);
    }
}

async fn until(condition: impl AsyncFn() -> bool) {
    while !condition().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_status(rig: &Rig, wanted: impl Fn(&LicenseSeatsStatus) -> bool) -> LicenseSeatsStatus {
    loop {
        if let Some(status) = rig.status("acme").await.filter(&wanted) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// As an administrator may.
async fn write_history(rig: &Rig, history: &Value) {
    let patch = Patch::Merge(json!({ "status": { "history": history } }));
    rig.site.seats().patch_status("acme", &PatchParams::default(), &patch).await.expect("the history is admitted");
}

/// Plays a story so that a failing step of the stage is a failing story and no more.
async fn guarded(ground: &Arc<Ground>, story: &Story) -> Result<End, Broken> {
    let beside = async |rig: &Rig, before: usize| story.beside(rig, before).await;
    let played = AssertUnwindSafe(Box::pin(play_beside(ground, &story.case, None, beside))).catch_unwind().await;
    let stage = |_| Err(Broken { flaw: Flaw::Stage("the stage failed; see above".into()), story: String::new() });
    played.unwrap_or_else(stage).map(|played| played.end)
}

/// Whether the harm is seen where the part is taken away. How fast the next leader is is chance, so there are three tries.
async fn is_caught(ground: &Arc<Ground>, story: &Story, oracle: Oracle) -> bool {
    let mut last = String::new();
    for _ in 0..3 {
        match guarded(ground, story).await {
            Err(Broken { flaw, .. }) if oracle.is_broken(&flaw) => {
                println!("caught: {story}: {}", flaw.to_string().split(':').next().unwrap_or_default());
                return true;
            }
            Err(Broken { flaw, story }) => last = format!("{flaw}\n{story}"),
            Ok(end) => last = format!("ended {end:?}"),
        }
    }
    println!("NOT CAUGHT: {story}: {last}");
    false
}

/// Whether nothing is seen where the part is in its place.
async fn is_harmless(ground: &Arc<Ground>, story: &Story) -> bool {
    match guarded(ground, story).await {
        Ok(_) => true,
        Err(Broken { flaw, story: told }) => {
            println!("FLAGGED: {story}: {flaw}\n{told}");
            false
        }
    }
}

/// Says whether every part is missed where it is taken away, and no harm is seen where it is not.
pub async fn all_are_caught(ground: &Arc<Ground>) -> bool {
    let each = ROWS.map(async |(part, name, how, oracle)| {
        let without = Story::new(part, true, format!("without {name}: {how}"));
        let with = Story::new(part, false, format!("with {name}"));
        let (caught, harmless) = tokio::join!(is_caught(ground, &without, oracle), is_harmless(ground, &with));
        caught && harmless
    });
    let with_owner = Story::new(Part::Owner, false, "with the owner of a pool".into());
    let owner = async { tokio::join!(owner_is_missed(ground), is_harmless(ground, &with_owner)) };
    let (each, (missed, harmless)) = tokio::join!(futures::future::join_all(each), owner);
    each.into_iter().all(|fine| fine) && missed && harmless
}
