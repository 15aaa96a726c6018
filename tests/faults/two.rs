//! Two installations that do not know of each other: two operators, each with a Lease, a namespace and an object of its own,
//! declare the same account. The vendor is slow, and one of the two meets a fault at its purchase. Called by `main` after
//! the cases of one installation.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fault_proxy::{Action, Place, Record, Target};
use futures::{FutureExt, StreamExt, stream};
use seatkeeper::api::{IntentPhase, LicenseSeatsStatus};
use serde_json::json;
use vendor_sim::{Actor, Fault, FaultKind, LedgerEntry};

use crate::actions::{Crew, LONG, crew, patient, short_but, vendor_answers};
use crate::branch::Branch;
use crate::case::{End, REST, SILENCE, Writes, ended, named, polls, writes};
use crate::doubt::{are_in_order, is_hidden_and_told, is_taken_for_growth};
use crate::ends_once::{ENDS_ONCE, ends_once, never};
use crate::flaw::{Broken, Flaw, Processes, worst_first};
use crate::ground::Ground;
use crate::judge::beside_another;
use crate::report::Report;
use crate::rig::{Account, Meeting, PATIENCE, Rig};
use crate::scenario::{Scenario, of_the_other_pool, of_two_pools, scenarios};
use crate::selection::{Name, TWO_INSTALLATIONS, WEAKENED};
use crate::{AWAITING_SILENCE, Run};

/// Seats before anybody buys.
const BASE: i32 = 100;

/// How slow the vendor is, before and after it carries out a request.
const SLOW_MS: u64 = 100;
const SLOW: Duration = Duration::from_millis(SLOW_MS);

/// How long the vendor takes between two readings of its own.
const ONE_MOMENT_MS: u64 = 400;

/// Past the client's time-out here.
const PAST_TIMEOUT: Duration = Duration::from_millis(2400);

/// What each answer of the vendor is that says something of its own about two installations.
const ANSWERS: [&str; 11] = [
    "request dropped",
    "answer dropped",
    "answer late",
    "applied late",
    "answer truncated",
    "500 after applying",
    "500 before applying",
    "503 before applying",
    "404 page after applying",
    "429 after 1 s",
    "200 null, applied",
];

/// Who sends what, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// Both begin at once, with organization keys.
    Totals,
    /// So do they, and the vendor carries out both at one moment: between two readings of its own it makes a difference of a total.
    TotalsAtOneMoment,
    /// Both begin at once, with owners' keys.
    Differences,
    /// The second begins while the first one's difference is under way, and the vendor may buy by itself: it never buys more than
    /// are in use.
    OneAfterTheOther,
    /// Both begin at once, each with a pool of its own. Only where harm must be seen.
    Pools,
}

impl Story {
    const ALL: [Self; 4] = [Self::Totals, Self::TotalsAtOneMoment, Self::Differences, Self::OneAfterTheOther];

    fn name(self) -> &'static str {
        match self {
            Self::Totals => "two-totals",
            Self::TotalsAtOneMoment => "two-totals-at-one-moment",
            Self::Differences => "owner-two-differences",
            Self::OneAfterTheOther => "owner-two-one-after-the-other",
            Self::Pools => "owner-two-pools",
        }
    }

    fn by_owner(self) -> bool {
        matches!(self, Self::Differences | Self::OneAfterTheOther | Self::Pools)
    }

    /// Two requests may add up.
    fn adds(self) -> bool {
        self != Self::Totals
    }

    /// More seats than declared may be the vendor's growth.
    fn may_grow(self) -> bool {
        self == Self::TotalsAtOneMoment
    }

    /// The branch of the oracle that two requests decide.
    fn branch(self) -> Branch {
        match self {
            Self::Totals => Branch::TwoTotals,
            Self::TotalsAtOneMoment => Branch::TwoTotalsAtOneMoment,
            Self::Differences | Self::Pools => Branch::TwoDifferences,
            Self::OneAfterTheOther => Branch::TwoDifferencesOneAfterTheOther,
        }
    }

    /// What each of the two declares, and finds.
    fn scenario(self) -> Scenario {
        if self == Self::Pools {
            return of_two_pools();
        }
        let name = if self.by_owner() { "owner-purchase" } else { "first-purchase" };
        let mut scenario = scenarios().into_iter().find(|scenario| scenario.name == name).expect("it is there");
        if self == Self::Differences {
            scenario.spec = json!({ "seats": scenario.goal.0 });
        }
        scenario
    }
}

#[derive(Clone, Debug)]
pub struct Case {
    story: Story,
    /// What the first one meets, and at which of its requests.
    fault: (Target, Action),
    pub name: Name,
    judged_as: JudgedAs,
    /// How both are run.
    crew: Crew,
    /// How long a purchase is under way at most, for that of the other installation to leave meanwhile.
    longest_meeting: Duration,
}

impl Case {
    /// With a fault at the first purchase.
    fn new(story: Story, fault: Action, name: Name, judged_as: JudgedAs) -> Self {
        let (crew, longest_meeting) = (judged_as.crew(), judged_as.longest_meeting());
        Self { story, fault: (Target::first_purchase(), fault), name, judged_as, crew, longest_meeting }
    }
}

/// How many installations the ledger may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum JudgedAs {
    Two,
    /// One, in which one object has the pool: its change is made once, whoever else wants it.
    One,
}

/// Each fault at the purchase of the first installation.
pub fn all_cases() -> Vec<Case> {
    let mut faults: Vec<(String, Action)> =
        vendor_answers().into_iter().filter(|(name, _)| ANSWERS.contains(&name.as_str())).collect();
    for (_, action) in &mut faults {
        if let Action::Delay(late) = action {
            *late = PAST_TIMEOUT;
        }
    }
    for place in [Place::Before, Place::Withheld, Place::Answered] {
        faults.push((format!("killed {}", named(place)), Action::Kill(place)));
        faults.push((format!("stopped {}", named(place)), Action::Pause(place, LONG)));
    }
    let request = "purchase-1".parse().ok();
    let case = |story: Story, (action, fault): &(String, Action)| {
        let name = Name { kind: TWO_INSTALLATIONS, scenario: story.name(), request, action: action.clone() };
        Case::new(story, fault.clone(), name, JudgedAs::Two)
    };
    Story::ALL.into_iter().flat_map(|story| faults.iter().map(move |fault| case(story, fault))).collect()
}

/// What was seen.
struct Played {
    end: End,
    decided: Vec<Branch>,
    story: String,
}

/// Plays cases and notes them.
pub async fn play_all(run: &Run<'_>, cases: Vec<Case>, report: &mut Report) {
    let mut playing = stream::iter(cases)
        .take_while(|_| futures::future::ready(run.in_time()))
        .map(|case| guarded(run.ground, case))
        .buffer_unordered(run.at_once * AWAITING_SILENCE);
    while let Some((case, result)) = playing.next().await {
        if let (Ok(played), true) = (&result, run.closely) {
            println!("{}\n{}", case.name, played.story);
        }
        report.note(&case.name, case.story.by_owner(), result.as_ref().map(|played| played.end));
        report.decided(result.iter().flat_map(|played| &played.decided));
    }
}

/// The test of the test: two installations are an operator that does not ask who owns a pool, nor whether another change of
/// the account runs. Judged as one, they must be seen to do harm.
pub async fn parts_are_missed(ground: &Arc<Ground>) -> bool {
    let owner =
        is_missed(ground, Story::Differences, "the owner of a pool", |flaw| matches!(flaw, Flaw::BoughtTwice(_)));
    let lock = is_missed(ground, Story::Pools, "the lock of an account", |flaw| matches!(flaw, Flaw::SentTooOften(_)));
    let (owner, lock) = tokio::join!(owner, lock);
    owner && lock
}

/// The first difference is under way until the second one comes. Whether that is seen, and judged as any other case is; the
/// branches that decided it.
pub async fn one_waits_for_the_other(ground: &Arc<Ground>) -> Result<Vec<Branch>, ()> {
    let action = "the first is held until the second comes".to_owned();
    let name = Name { kind: WEAKENED, scenario: Story::OneAfterTheOther.name(), request: None, action };
    let case = Case::new(Story::OneAfterTheOther, Action::Delay(SLOW), name, JudgedAs::Two);
    let bearing =
        ["--write-timeout=30s", "--settle-unanswered=40s", "--lease-duration=15s", "--lease-renew-deadline=10s"];
    let crew = Crew { replicas: vec![short_but(&bearing)], ..crew(1) };
    let (case, result) = guarded(ground, Case { crew, longest_meeting: PATIENCE, ..case }).await;
    match result {
        Ok(Played { end, decided, .. }) => {
            println!("harmless: {}: ended {end:?}", case.name);
            Ok(decided)
        }
        Err(Broken { flaw, story }) => {
            println!("FLAGGED: {}: {flaw}\n{story}", case.name);
            Err(())
        }
    }
}

/// The test of the judge: one of the operators ends once, and the request that was to be broken never comes.
pub async fn ending_once(ground: &Arc<Ground>) -> Result<(), Flaw> {
    let name = Name { kind: WEAKENED, scenario: Story::Totals.name(), request: None, action: ENDS_ONCE.into() };
    let case = Case::new(Story::Totals, Action::DropAnswer, name, JudgedAs::Two);
    let crew = Crew { binary: ends_once(), ..case.crew };
    let (_, result) = guarded(ground, Case { fault: never(), crew, ..case }).await;
    result.map(|_| ()).map_err(|broken| broken.flaw)
}

async fn is_missed(ground: &Arc<Ground>, story: Story, part: &str, breaks: fn(&Flaw) -> bool) -> bool {
    let action = format!("without {part}: two installations");
    let name = Name { kind: WEAKENED, scenario: story.name(), request: None, action };
    let case = Case::new(story, Action::Delay(PAST_TIMEOUT), name, JudgedAs::One);
    let (case, result) = guarded(ground, case).await;
    match result {
        Err(Broken { flaw, .. }) if breaks(&flaw) => {
            let why = flaw.to_string();
            println!("caught: {}: {}", case.name, why.split(':').next().unwrap_or_default());
            return true;
        }
        Err(Broken { flaw, story }) => println!("NOT CAUGHT: {}: {flaw}\n{story}", case.name),
        Ok(Played { end, story, .. }) => println!("NOT CAUGHT: {}: ended {end:?}\n{story}", case.name),
    }
    false
}

/// Plays a case so that a failing step of the stage is a failing case and no more.
async fn guarded(ground: &Arc<Ground>, case: Case) -> (Case, Result<Played, Broken>) {
    let played = AssertUnwindSafe(Box::pin(play(ground, &case))).catch_unwind().await;
    let stage = |_| Err(Broken { flaw: Flaw::Stage("the stage failed; see above".into()), story: String::new() });
    let result = played.unwrap_or_else(stage);
    (case, result)
}

impl JudgedAs {
    /// As everywhere here, but with a vendor that may take its time. Where harm must be seen, it does so for as long as the two
    /// purchases wait for each other.
    fn crew(self) -> Crew {
        match self {
            Self::Two => {
                Crew { replicas: vec![short_but(&["--write-timeout=2s", "--settle-unanswered=5s"])], ..crew(1) }
            }
            Self::One => patient("--settle-unanswered=90s"),
        }
    }

    /// So long a purchase is under way at most.
    fn longest_meeting(self) -> Duration {
        match self {
            Self::Two => Duration::from_secs(1),
            // Harm must be seen, so neither arrives without the other.
            Self::One => PATIENCE,
        }
    }
}

/// The two installations.
struct Two {
    first: Rig,
    second: Rig,
    meeting: Arc<Meeting>,
}

impl Two {
    async fn new(ground: &Arc<Ground>, Case { story, crew, longest_meeting, .. }: &Case) -> Self {
        let scenario = story.scenario();
        let meeting = Arc::new(Meeting::new(*longest_meeting));
        let mine = Account { meeting: Some(Arc::clone(&meeting)), ..Account::new(&scenario, story.name()).await };
        let (vendor, key) = (Arc::clone(&mine.vendor), mine.key.clone());
        let others = Account { vendor, key, meeting: Some(Arc::clone(&meeting)) }.seen_by(&scenario);
        let begin = |account| Rig::at(ground, &scenario, crew.clone(), account);
        let (first, second) = tokio::join!(begin(mine), begin(others));
        let slow = FaultKind::Delay { before_ms: SLOW_MS, after_ms: SLOW_MS };
        first.bitwarden().inject(Fault::always(slow));
        if *story == Story::TotalsAtOneMoment {
            let pause = FaultKind::PauseBetweenReads { ms: ONE_MOMENT_MS };
            first.bitwarden().inject(Fault::on_put(pause).for_ever());
        }
        Self { first, second, meeting }
    }

    async fn act(&self, case: &Case) {
        let spec = case.story.scenario().spec;
        let second = if case.story == Story::Pools { of_the_other_pool() } else { spec.clone() };
        tokio::join!(self.first.declare_held(&spec), self.second.declare_held(&second));
        self.first.proxy.arm(Some(case.fault.clone()));
        self.second.proxy.arm(None);
        self.first.proxy.release();
        if case.story == Story::OneAfterTheOther {
            self.meeting.until(1).await;
        }
        self.second.proxy.release();
    }

    fn rigs(&self) -> [&Rig; 2] {
        [&self.first, &self.second]
    }

    fn records(&self) -> [Vec<Record>; 2] {
        self.rigs().map(|rig| rig.proxy.records())
    }

    /// The purchases of both in the order in which they came, by the clock of the first one's proxy.
    fn purchases(&self) -> Vec<Record> {
        let began = self.first.proxy.armed().unwrap_or_else(Instant::now);
        let mut all: Vec<Record> = Vec::new();
        for rig in self.rigs() {
            let later = rig.proxy.armed().unwrap_or(began).saturating_duration_since(began);
            let purchases = rig.proxy.records().into_iter().filter(Record::is_purchase);
            all.extend(purchases.map(|record| record.later(later)));
        }
        all.sort_by_key(|record| record.at);
        all
    }

    async fn statuses(&self) -> [Option<LicenseSeatsStatus>; 2] {
        [self.first.status("acme").await, self.second.status("acme").await]
    }

    /// The end of both.
    async fn end(&self) -> Option<[End; 2]> {
        let [first, second] = self.statuses().await;
        Some([ended_beside(first?)?, ended_beside(second?)?])
    }

    /// Waits for an end of both, and so many polls of each without a write.
    async fn silent(&self, wanted: usize) -> Result<[End; 2], String> {
        let deadline = Instant::now() + PATIENCE;
        let mut since: Option<([End; 2], Writes, usize)> = None;
        loop {
            let (records, hit) = (self.records(), self.first.proxy.fired());
            let written = (records.iter().map(|records| writes(records)).sum(), hit);
            let wanted = if hit { wanted } else { SILENCE };
            let polled = records.iter().map(|records| polls(records)).min().unwrap_or_default();
            match since {
                Some((ends, before, from)) if before == written => {
                    if polled >= from + wanted {
                        if self.end().await == Some(ends) {
                            return Ok(ends);
                        }
                        since = None;
                    }
                }
                _ => since = self.end().await.map(|ends| (ends, written, polled)),
            }
            if Instant::now() > deadline {
                let statuses = serde_json::to_string(&self.statuses().await).unwrap_or_default();
                return Err(format!("neither at an end nor silent after {PATIENCE:?}; statuses: {statuses}"));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn processes(&self) -> Processes {
        self.first.processes().and(self.second.processes())
    }

    fn ledger(&self) -> Vec<LedgerEntry> {
        self.first.bitwarden().ledger(&self.first.key().id)
    }

    /// The branch that is decided by whose purchases were carried out.
    fn decided(&self, story: Story) -> Option<Branch> {
        let sent = |records: &Vec<Record>| records.iter().any(|r| r.is_purchase() && r.executed == Some(200));
        match self.records().each_ref().map(sent) {
            [true, true] => Some(story.branch()),
            [true, false] if story == Story::OneAfterTheOther => Some(Branch::SecondSentNothing),
            _ => None,
        }
    }

    fn story(&self) -> String {
        let mut lines = Vec::new();
        for (rig, whose) in self.rigs().into_iter().zip(["first", "second"]) {
            lines.push(format!("the {whose} installation:"));
            lines.extend(rig.proxy.records().iter().map(ToString::to_string));
            lines.push(rig.log());
        }
        lines.extend(self.ledger().iter().map(|entry| format!("{entry:?}")));
        lines.join("\n")
    }
}

async fn play(ground: &Arc<Ground>, case: &Case) -> Result<Played, Broken> {
    let permits = ground.stage.acquire_many(2).await.expect("the stage is never closed");
    let two = Two::new(ground, case).await;
    two.act(case).await;
    let ends = async {
        two.silent(REST).await?;
        drop(permits);
        two.silent(SILENCE).await
    };
    // Whoever is to be caught need not come to rest.
    let harmed = async {
        while case.judged_as == JudgedAs::Two || bought(&two, case).is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        "harm is done".to_owned()
    };
    let ends = tokio::select! {
        why = harmed => Err(why),
        ends = ends => ends,
    };
    let end = match worst_first(bought(&two, case), two.processes(), ends, two.first.proxy.fired()) {
        Err(flaw) => Err(flaw),
        Ok(((), ends)) => judge(&two, case.story, ends).await.map_err(Flaw::Wrong),
    };
    let sent = two.decided(case.story);
    let story = two.story();
    match end {
        Ok((end, excuses)) => Ok(Played { end, decided: sent.into_iter().chain(excuses).collect(), story }),
        Err(flaw) => Err(Broken { flaw, story }),
    }
}

/// The ledger's oracle. Two totals are one change, whoever sends them, but where the vendor adds them up. Two differences are at
/// most two changes. Nobody takes one of them back: a webhook that held the row meanwhile hides the later one for a moment, and
/// no bill follows it.
fn bought(two: &Two, case: &Case) -> Result<(), Flaw> {
    if case.story == Story::Pools {
        let purchases = two.purchases();
        let beside = beside_another(&purchases.iter().collect::<Vec<_>>());
        beside.map_or(Ok(()), |why| Err(Flaw::SentTooOften(why)))?;
    }
    let (story, goal) = (case.story, case.story.scenario().goal.0);
    let adds = story.adds() && case.judged_as == JudgedAs::Two;
    let most = if adds { goal + (goal - BASE) } else { goal };
    let ledger = two.ledger();
    for entry in &ledger {
        let (shown, billed) =
            ((entry.before.seats, entry.after.seats), (entry.billed_before.seats, entry.billed_after.seats));
        let lowered = billed.1 < billed.0 || (shown.1 < shown.0 && entry.who != Actor::Webhook);
        if lowered || shown.1.max(billed.1) > Some(most) {
            return Err(Flaw::BoughtTwice(format!("lowered, or more than {most}: {entry:?}")));
        }
    }
    let billings = ledger.iter().filter(|entry| entry.billed_before.seats != entry.billed_after.seats).count();
    let allowed = if adds { 2 } else { 1 };
    if billings > allowed {
        return Err(Flaw::BoughtTwice(format!("billing changed {billings} times")));
    }
    for records in two.records() {
        let effects = records.iter().filter(|r| r.is_purchase() && r.executed == Some(200)).count();
        let by_hand = ledger.iter().filter(|entry| entry.who == Actor::ThirdParty).count();
        if effects > 1 + usize::from(!story.by_owner()) || by_hand > 0 {
            return Err(Flaw::BoughtTwice(format!("{effects} purchases of one installation were carried out")));
        }
    }
    Ok(())
}

/// Bought once: both are in sync. Made by both: both say so, and leave it to a person; where the vendor may grow by itself, one
/// that saw its own change alone at first may take the other for growth. The end, and what excuses it.
async fn judge(two: &Two, story: Story, ends: [End; 2]) -> Result<(End, Vec<Branch>), String> {
    let goal = story.scenario().goal.0;
    let shown = two.first.bitwarden().organization(&two.first.key().id);
    let statuses = two.statuses().await;
    let differ = shown.seats != shown.billed.seats;
    let told = statuses.each_ref().map(|status| status.as_ref().and_then(|status| status.billed));
    if differ && !is_hidden_and_told(&two.ledger(), &told) {
        return Err(format!("shown are {:?}, billed {:?}, told {told:?}", shown.seats, shown.billed.seats));
    }
    let expected = if shown.seats == Some(goal) { End::InSync } else { End::NeedsReview };
    let excuses = [
        (Branch::HiddenAndTold, differ),
        (Branch::TakenForGrowth, is_taken_for_growth(expected, story.may_grow(), &ends)),
        (Branch::AsksBesideAnother, statuses.iter().flatten().any(asks_beside_another)),
    ];
    if !are_in_order(expected, story.may_grow(), &ends) {
        return Err(format!("{:?} seats are shown, and it ended {ends:?}", shown.seats));
    }
    for (status, end) in statuses.into_iter().zip(ends) {
        if end == End::NeedsReview && !names_another(status.as_ref()) {
            return Err("a review of what two installations made, and no word of another one".into());
        }
    }
    Ok((expected, excuses.into_iter().filter(|(_, excuses)| *excuses).map(|(branch, _)| branch).collect()))
}

/// The end of one of the two. One that was about to send what the other made has a question on record: that is no open change, and
/// it must be told.
fn ended_beside(status: LicenseSeatsStatus) -> Option<End> {
    let asks = asks_beside_another(&status);
    let intent = status.intent.filter(|_| !asks);
    ended(&LicenseSeatsStatus { intent, ..status })
}

/// Whether it has such a question on record, and tells it.
fn asks_beside_another(status: &LicenseSeatsStatus) -> bool {
    let told =
        status.conditions.iter().any(|drifted| drifted.type_ == "Drifted" && drifted.reason == "AnotherSeatkeeper");
    told && status.intent.as_ref().is_some_and(|intent| intent.phase == IntentPhase::MadeElsewhere)
}

fn names_another(status: Option<&LicenseSeatsStatus>) -> bool {
    let mut conditions = status.into_iter().flat_map(|status| &status.conditions);
    conditions.any(|ready| ready.type_ == "Ready" && ready.message.contains("perhaps by another Seatkeeper"))
}
