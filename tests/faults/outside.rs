//! The test of the test, for parts of the protocol that no build can leave out: each is taken away from the shipped operator
//! from outside, and harm must be seen. The same story with the part in its place must be seen to end well. Called by `main`
//! after the cases.

use std::cell::Cell;
use std::fmt;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fault_proxy::{Action, Instead, Moment, Part as OnTheWay, Target};
use futures::FutureExt;
use kube::api::{Patch, PatchParams};
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::scratch_dir;
use serde_json::{Value, json};
use vendor_sim::{Bitwarden, Fault, FaultKind, Webhook};

use crate::actions::{Crew, SHORT, crew, patient, short_but};
use crate::branch::Branch;
use crate::case::{Case, End, Played, ended, is_conflict, play_beside};
use crate::flaw::{Broken, Flaw};
use crate::ground::Ground;
use crate::happenings::{
    BY_SOMEBODY, EDITED, OTHER_POOL, RECREATED, RECREATED_THEN_KILLED, RIVAL, RIVAL_THEN_KILLED, STATUS_RESTORED,
    WIPED_THEN_KILLED,
};
use crate::judge::harm;
use crate::rig::{PATIENCE, Rig};
use crate::scenario::{Scenario, of_two_pools, scenarios};
use crate::selection::WEAKENED;
use crate::two::{one_waits_for_the_other, parts_are_missed};

/// The operator waits so long for a purchase without an answer: longer than it needs to tell that it waits.
const SETTLE: &str = "--settle-unanswered=20s";

/// What the status says while the process remembers a change that no record tells of.
const REMEMBERED: &str = "whose record is gone";

/// Just above the send deadline and the write time-out together.
const TOO_SHORT: &str = "--settle-unanswered=9s";

/// A replica whose clock stands still while its machine sleeps sees nothing of these times. The other replica has the short ones.
const LONG_LEASE: [&str; 2] = ["--lease-duration=10m", "--lease-renew-deadline=9m"];
/// Nor does it ask for the Lease as soon as it wakes up, and see that another replica has it.
const SELDOM: &str = "--lease-retry=60s";
/// Where the vendor holds its change, the other replica bears that.
const BEARING: [&str; 2] = ["--write-timeout=8s", "--settle-unanswered=12s"];
const LONG_DEADLINE: &str = "--send-deadline=60s";
const LONG_SETTLE: &str = "--settle-unanswered=70s";

/// How long it sleeps at most, and what its wall clock shows of it.
const SLEEP: Duration = Duration::from_secs(60);
const SLEPT: &str = "3600";

/// Where the vendor is slow, and whoever repeats meanwhile adds up: by totals, and by differences.
const TOTALS: &str = "finishes-late";
const DIFFERENCES: &str = "owner-finishes-late";

/// An answer that proves that nothing was done (docs/never-buys-twice.md), and one that proves nothing.
const PROOF: Instead = Instead { status: 401, header: ("www-authenticate", "Bearer"), body: "" };
const NO_PROOF: Instead = Instead { status: 502, header: ("content-type", "text/html"), body: "" };

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
    /// Just before a difference leaves, the vendor is read once more.
    LastLook,
    /// An open change is judged when its request has ended, and not before; in this scenario.
    Wait(&'static str),
    /// Only an answer that comes before any effect closes a change; in this scenario.
    Proof(&'static str),
    /// Before a request leaves, three questions are asked; `Some`: this one alone.
    Questions(Option<Question>),
    /// What others undo is corrected twice a day and no more.
    Corrections,
    /// A repeat that is taken back is not repeated.
    Repeats,
    /// Nor is it, and an edit answers the question that a person is asked then.
    Answer,
    /// One object has a pool, and others of the pool buy nothing. Two installations do not have this part.
    Owner,
    /// No request leaves while another change of its account runs. Nor do they have this one.
    Lock,
}

/// What holds back a request of a replica that slept. Each does alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// Whether its leadership still runs.
    Leadership,
    /// Whether the send deadline has passed.
    Deadline,
    /// What the wall clock says of both.
    WallClock,
}

const QUESTIONS: [(Question, &str); 3] = [
    (Question::Leadership, "the end of a leadership"),
    (Question::Deadline, "the send deadline"),
    (Question::WallClock, "the question to the wall clock"),
];

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
const ROWS: [(Part, &str, &str, Oracle); 11] = [
    (Part::MemoryOfObjects, "memory of deleted objects", "the operator killed", Oracle::Bill),
    (Part::MemoryOfRecords, "memory of wiped records", "the operator killed", Oracle::Bill),
    (Part::Scan, "first scan of a term", "the older object hidden from the next leader", Oracle::Bill),
    (Part::LastLook, "last look before a difference", "it shows the numbers of before the intent", Oracle::Bill),
    (Part::Wait(TOTALS), "wait before a change is judged", "it is over before the request is", Oracle::Bill),
    (Part::Wait(DIFFERENCES), "wait before a change is judged", "it is over before the request is", Oracle::Bill),
    (Part::Proof(TOTALS), "doubt of an answer", "a proof for a request that goes on", Oracle::Bill),
    (Part::Proof(DIFFERENCES), "doubt of an answer", "a proof for a request that goes on", Oracle::Bill),
    (Part::Questions(None), "questions before a request leaves", "no clock shows the sleep", Oracle::Bill),
    (Part::Corrections, "count of corrections", "the history emptied after each", Oracle::Bill),
    (Part::Repeats, "repeat of a repeat", "the attempt on record set back to 1", Oracle::Effects),
];

/// How many of these rows take away a part by totals that another one takes away by differences.
const TWICE: usize = 2;

/// How many parts are taken away: these, the owner of a pool and the lock of an account.
pub const PARTS: usize = ROWS.len() - TWICE + 2;

/// A part of the protocol, in its place or taken away.
struct Story {
    part: Part,
    taken: bool,
    /// By how many seconds the wall clock of the replicas is off, where that changes.
    clock: PathBuf,
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

fn pause() -> FaultKind {
    FaultKind::PauseBetweenReads { ms: u64::try_from(PATIENCE.as_millis()).unwrap_or_default() }
}

/// The vendor holds the change until it is told to carry it out: whoever buys meanwhile adds up.
fn held(scenario: Scenario) -> Scenario {
    let by_totals = |vendor: &Bitwarden| {
        vendor.inject(Fault::on_put(pause()));
    };
    let by_owner = |vendor: &Bitwarden| {
        vendor.inject(Fault::on_owner_write(pause()));
    };
    Scenario { vendor: if scenario.by_owner { by_owner } else { by_totals }, ..scenario }
}

/// In sync already, and others undo it. No webhook undoes it as well.
fn undone() -> Scenario {
    let vendor = |vendor: &Bitwarden| vendor.switch(|switches| switches.webhook = Webhook::silent());
    let first = named("first-purchase");
    Scenario { name: "undone-by-others", before: Some(first.spec.clone()), vendor, billings: 2, ..first }
}

impl Story {
    fn new(part: Part, taken: bool, words: String) -> Self {
        let late = || held(named(DIFFERENCES));
        let purchase = |what| Some((Target::first_purchase(), Action::Meanwhile(Moment::Before, what)));
        let (scenario, fault) = match part {
            Part::MemoryOfObjects => (late(), purchase(if taken { RECREATED_THEN_KILLED } else { RECREATED })),
            Part::MemoryOfRecords => (late(), purchase(if taken { WIPED_THEN_KILLED } else { STATUS_RESTORED })),
            Part::Scan => (late(), purchase(RIVAL_THEN_KILLED)),
            Part::LastLook => {
                let after = Action::Meanwhile(Moment::After, BY_SOMEBODY);
                (named("owner-purchase"), Some((Target::first_intent(), after)))
            }
            Part::Wait(scenario) => (held(named(scenario)), None),
            Part::Proof(scenario) => {
                let answer = Action::AnswerBeside(if taken { PROOF } else { NO_PROOF });
                (held(named(scenario)), Some((Target::first_purchase(), answer)))
            }
            Part::Questions(_) => {
                let sleeps = (Target::first_intent(), Action::PauseUntilPurchase(SLEEP));
                (if taken { late() } else { named(DIFFERENCES) }, Some(sleeps))
            }
            Part::Corrections => (undone(), None),
            Part::Repeats => (named("webhook-restores"), None),
            Part::Answer => {
                let edited = Action::Meanwhile(Moment::Before, EDITED);
                (named("owner-webhook-restores"), Some((Target::planned(), edited)))
            }
            Part::Owner => (late(), purchase(RIVAL)),
            Part::Lock => (held(of_two_pools()), purchase(OTHER_POOL)),
        };
        let clock = scratch_dir("clock").join("seconds");
        let lacks = (taken && part == Part::LastLook).then_some(OnTheWay::FreshNumbers);
        let crew = match part {
            Part::Questions(question) => asleep(question, &clock),
            Part::Wait(_) if taken => patient(TOO_SHORT),
            _ => Crew { lacks, ..patient(SETTLE) },
        };
        Self { part, taken, clock, case: Case { fault, ..Case::apart(scenario, WEAKENED, words, crew) } }
    }

    /// What others do meanwhile, and who takes the part away; notes when all of that is done. Ends with the harm.
    async fn beside(&self, rig: &Rig, before: usize, done: &Cell<bool>) -> String {
        match self.part {
            Part::MemoryOfObjects
            | Part::MemoryOfRecords
            | Part::Scan
            | Part::Wait(_)
            | Part::Proof(_)
            | Part::Owner
            | Part::Lock => self.carry_out_late(rig).await,
            Part::LastLook => until(async || rig.proxy.fired()).await,
            Part::Questions(question) => self.sleep(rig, question).await,
            Part::Corrections => self.undo(rig).await,
            Part::Repeats => self.take_back(rig).await,
            Part::Answer => {
                self.take_back(rig).await;
                until_status(rig, |status| ended(status) == Some(End::NeedsReview)).await;
                rig.proxy.hit_next();
                until(async || rig.proxy.fired()).await;
            }
        }
        done.set(true);
        until(async || self.taken && harm(rig, &self.case, before).is_err()).await;
        "harm is done".into()
    }

    /// The vendor carries out the purchase that it holds once another one is carried out, or once the operator tells that the
    /// part holds that one back.
    async fn carry_out_late(&self, rig: &Rig) {
        if self.taken {
            if self.part == Part::Scan {
                rig.proxy.hide("acme");
                until(async || rig.proxy.left_out() > 0).await;
            }
            until(async || carried_out(rig) >= 1).await;
        } else {
            until(async || self.is_told(rig).await).await;
        }
        for pause in rig.bitwarden().faults() {
            rig.bitwarden().release(pause.id);
        }
        // That another one buys at all may be harm already, and is not the worst.
        let purchases = if self.taken { 2 } else { 1 };
        until(async || carried_out(rig) >= purchases).await;
    }

    /// Whether the operator tells of what the part holds back.
    async fn is_told(&self, rig: &Rig) -> bool {
        match self.part {
            Part::Scan | Part::Owner => is_conflict(rig.status("rival").await.as_ref()),
            Part::Wait(_) | Part::Proof(_) => has_open_change(rig.status("acme").await.as_ref()),
            Part::Lock => waits_for_another_change(rig.status("rival").await.as_ref()),
            _ => {
                let conditions = rig.status("acme").await.into_iter().flat_map(|status| status.conditions);
                conditions.into_iter().any(|condition| condition.message.contains(REMEMBERED))
            }
        }
    }

    /// The replica that has recorded a change sleeps, until another one leads and buys. Its wall clock shows that, or not.
    async fn sleep(&self, rig: &Rig, question: Option<Question>) {
        until_status(rig, |status| status.intent.is_some()).await;
        if question == Some(Question::WallClock) {
            fs::write(&self.clock, SLEPT).expect("a clock");
        }
        rig.delete_lease().await;
        if self.taken {
            self.carry_out_late(rig).await;
        }
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

/// Two replicas: the first one sleeps, and only this question shows it.
fn asleep(question: Option<Question>, clock: &Path) -> Crew {
    let clocks = vec![clock.display().to_string(), "0".to_owned()];
    let mut flags = vec![LONG_SETTLE];
    if question != Some(Question::Leadership) {
        flags.extend(LONG_LEASE);
    }
    if question != Some(Question::Deadline) {
        flags.push(LONG_DEADLINE);
    }
    if question.is_none() {
        flags.push(SELDOM);
    }
    let other = if question.is_none() { short_but(&BEARING) } else { SHORT.to_vec() };
    Crew { replicas: vec![short_but(&flags), other], clocks, ..crew(2) }
}

/// Whether it says that it does not know what became of its change.
pub fn has_open_change(status: Option<&LicenseSeatsStatus>) -> bool {
    let mut conditions = status.into_iter().flat_map(|status| &status.conditions);
    conditions.any(|condition| condition.type_ == "Ready" && condition.reason == "OutcomeUnknown")
        && status.is_some_and(|status| status.intent.is_some())
}

/// Whether it says that it waits for the change of another object.
fn waits_for_another_change(status: Option<&LicenseSeatsStatus>) -> bool {
    let mut conditions = status.into_iter().flat_map(|status| &status.conditions);
    conditions.any(|condition| condition.type_ == "Ready" && condition.reason == "OutcomeUnknown")
        && status.is_some_and(|status| status.intent.is_none())
}

/// How many purchases the vendor has carried out.
fn carried_out(rig: &Rig) -> usize {
    rig.proxy.records().iter().filter(|record| record.is_purchase() && record.executed == Some(200)).count()
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
    rig.objects.seats().patch_status("acme", &PatchParams::default(), &patch).await.expect("the history is admitted");
}

/// Plays a story so that a failing step of the stage is a failing story and no more.
async fn guarded(ground: &Arc<Ground>, story: &Story) -> Result<Played, Broken> {
    let done = Cell::new(false);
    let beside = async |rig: &Rig, before: usize| story.beside(rig, before, &done).await;
    let played = AssertUnwindSafe(Box::pin(play_beside(ground, &story.case, None, beside))).catch_unwind().await;
    let broken = |flaw| Err(Broken { flaw, story: String::new() });
    match played {
        Err(_) => broken(Flaw::Stage("the stage failed; see above".into())),
        Ok(Ok(played)) if !done.get() => {
            broken(Flaw::Missed(format!("it ended {:?} before all of it was done", played.end)))
        }
        Ok(played) => played,
    }
}

/// Whether the harm is seen where the part is taken away.
async fn is_caught(ground: &Arc<Ground>, story: &Story, oracle: Oracle) -> bool {
    match guarded(ground, story).await {
        Err(Broken { flaw, .. }) if oracle.is_broken(&flaw) => {
            println!("caught: {story}: {}", flaw.to_string().split(':').next().unwrap_or_default());
            return true;
        }
        Err(Broken { flaw, story: told }) => println!("NOT CAUGHT: {story}: {flaw}\n{told}"),
        Ok(Played { end, .. }) => println!("NOT CAUGHT: {story}: ended {end:?}"),
    }
    false
}

/// Whether nothing is seen where the part is in its place; the branches that decided it.
async fn is_harmless(ground: &Arc<Ground>, story: &Story) -> Option<Vec<Branch>> {
    match guarded(ground, story).await {
        Ok(Played { end, decided, .. }) => {
            println!("harmless: {story}: ended {end:?}");
            Some(decided)
        }
        Err(Broken { flaw, story: told }) => {
            println!("FLAGGED: {story}: {flaw}\n{told}");
            None
        }
    }
}

/// The stories in which a part is in its place. A release build has no clock that can be set wrong.
fn twins(part: Part, name: &str) -> Vec<Story> {
    if part != Part::Questions(None) {
        return vec![Story::new(part, false, format!("with {name}"))];
    }
    let (played, skipped): (Vec<_>, Vec<_>) =
        QUESTIONS.into_iter().partition(|(question, _)| *question != Question::WallClock || cfg!(debug_assertions));
    for (_, name) in skipped {
        println!("SKIPPED: with {name}: a release build has no wrong clock");
    }
    let story = |(question, name)| Story::new(Part::Questions(Some(question)), false, format!("with {name}"));
    played.into_iter().map(story).collect()
}

/// Says whether every part is missed where it is taken away, and no harm is seen where it is not: then the branches that
/// decided the stories without harm.
pub async fn all_are_caught(ground: &Arc<Ground>) -> Option<Vec<Branch>> {
    let each = ROWS.map(async |(part, name, how, oracle)| {
        let without = Story::new(part, true, format!("without {name}: {how}"));
        let twins = twins(part, name);
        let harmless = futures::future::join_all(twins.iter().map(|with| is_harmless(ground, with)));
        let (caught, harmless) = tokio::join!(is_caught(ground, &without, oracle), harmless);
        harmless.into_iter().collect::<Option<Vec<_>>>().filter(|_| caught).map(|decided| decided.concat())
    });
    let with = [
        (Part::Owner, "with the owner of a pool"),
        (Part::Lock, "with the lock of an account"),
        (Part::Answer, "with repeat of a repeat, and an edit after it"),
    ];
    let with = with.map(async |(part, words)| is_harmless(ground, &Story::new(part, false, words.into())).await);
    let beside = async { one_waits_for_the_other(ground).await.ok() };
    let (each, missed, with, beside) = tokio::join!(
        futures::future::join_all(each),
        parts_are_missed(ground),
        futures::future::join_all(with),
        beside
    );
    let decided = each.into_iter().chain(with).chain([beside]).collect::<Option<Vec<_>>>();
    decided.filter(|_| missed).map(|decided| decided.concat())
}
