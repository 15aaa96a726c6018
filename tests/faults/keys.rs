//! License keys under the same faults: a key that is added, and a renewal that adds one and removes another. The tenant is
//! the worst there is: it makes a second row of a key that it has. Called by `main` after the cases of Bitwarden.

pub mod stage;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fault_proxy::{Action, Hop, Instead, Part, Place, Record, Target};
use futures::{FutureExt, StreamExt, stream};
use seatkeeper::api::LicenseSeatsStatus;
use vendor_sim::Immuta;
use vendor_sim::immuta::{Actor, Endpoint};

use crate::actions::{Crew, JSON, LONG, apiserver_answers, crew, short_but, vendor_answers};
use crate::branch::Branch;
use crate::case::{End, REST, SILENCE, UNSEEN_BY_WATCHES, Writes, named, unseen_by_watches, writes};
use crate::ends_once::{ENDS_ONCE, ends_once, never};
use crate::flaw::{Broken, Flaw, worst_first};
use crate::ground::Ground;
use crate::outside::has_open_change;
use crate::report::Report;
use crate::rig::PATIENCE;
use crate::selection::{LICENSE_KEYS, Name, Request};
use crate::{AWAITING_SILENCE, Run};
use stage::Stage;

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// A first key.
    Add,
    /// A key instead of the one that is there, with `prune`.
    Renew,
}

impl Story {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "immuta-add",
            Self::Renew => "immuta-delete",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Case {
    story: Story,
    fault: Option<(Target, Action)>,
    pub name: Name,
    crew: Crew,
    /// The purchase that is held back goes on when the operator says that its outcome is not known.
    let_go: bool,
}

impl Case {
    /// What is not one of the cases to choose from.
    fn apart(story: Story, action: &str) -> Self {
        let name = Name { kind: LICENSE_KEYS, scenario: story.name(), request: None, action: action.to_owned() };
        Self { story, fault: None, name, crew: crew(1), let_go: false }
    }
}

/// What was seen.
struct Played {
    records: Vec<Record>,
    decided: Option<Branch>,
}

/// The requests of both stories when nothing goes wrong.
pub struct References {
    add: Vec<Record>,
    renew: Vec<Record>,
}

pub async fn references(ground: &Arc<Ground>) -> Result<References, String> {
    let one = async |story| {
        let (case, result) = guarded(ground, Case::apart(story, "reference")).await;
        let told = |Broken { flaw, story }| format!("the reference fails: {}: {flaw}\n{story}", case.name);
        result.map(|played| played.records).map_err(told)
    };
    let (add, renew) = tokio::try_join!(one(Story::Add), one(Story::Renew))?;
    Ok(References { add, renew })
}

pub fn all_cases(known: &References) -> Vec<Case> {
    let mut all = broken_in_every_way(Story::Add, &known.add);
    all.extend(broken_in_every_way(Story::Renew, &known.renew));
    all
}

/// Plays cases and notes them.
pub async fn play_all(run: &Run<'_>, cases: Vec<Case>, report: &mut Report) {
    let mut playing = stream::iter(cases)
        .take_while(|_| futures::future::ready(run.in_time()))
        .map(|case| guarded(run.ground, case))
        .buffer_unordered(run.at_once * AWAITING_SILENCE);
    while let Some((case, result)) = playing.next().await {
        if let (Ok(played), true) = (&result, run.closely) {
            let records: Vec<String> = played.records.iter().map(ToString::to_string).collect();
            println!("{}\n{}", case.name, records.join("\n"));
        }
        if let Ok(played) = &result {
            run.language.look(&case.name.to_string(), &played.records);
        }
        report.note(&case.name, false, result.as_ref().map(|_| End::InSync));
        report.decided(result.iter().flat_map(|played| &played.decided));
    }
}

/// The test of the judge: the operator ends once, and the request that was to be broken never comes.
pub async fn ending_once(ground: &Arc<Ground>) -> Result<(), Flaw> {
    let crew = Crew { binary: ends_once(), ..crew(1) };
    let case = Case { fault: Some(never()), crew, ..Case::apart(Story::Add, ENDS_ONCE) };
    guarded(ground, case).await.1.map(|_| ()).map_err(|broken| broken.flaw)
}

/// The operator waits so long for an addition without an answer: longer than it needs to tell that it waits.
const SETTLE: &str = "--settle-unanswered=20s";

/// An answer that proves that nothing was done (docs/never-buys-twice.md), and one that proves nothing.
const PROOF: Instead = Instead { status: 401, header: JSON, body: r#"{"message":"The key is refused."}"# };
const NO_PROOF: Instead = Instead { status: 502, header: ("content-type", "text/html"), body: "" };

/// The test of the test: where a part of the protocol is taken away, a key must be seen to be spent twice. The same stories
/// with the part in its place must be seen to do no harm.
pub async fn weakened_are_caught(ground: &Arc<Ground>, known: &References) -> bool {
    let records = &known.add;
    let purchase = records.iter().find(|record| record.is_purchase()).expect("a key is added").number;
    let case = |words: &str, action, crew| Case {
        fault: Some((Target::of(records, purchase), action)),
        crew,
        ..Case::apart(Story::Add, words)
    };
    let lacking = |part| Crew { lacks: Some(part), ..crew(1) };
    let waiting = || Crew { replicas: vec![short_but(&[SETTLE])], ..crew(1) };
    let without = [
        case("without the wait before a change is judged", Action::HoldBack(None), crew(1)),
        case("without the doubt of an answer", Action::HoldBack(Some(PROOF)), crew(1)),
        case("without the stored intent", Action::Kill(Place::Withheld), lacking(Part::StoredIntent)),
    ];
    let with = [
        case("with the wait before a change is judged", Action::HoldBack(None), waiting()),
        case("with the doubt of an answer", Action::HoldBack(Some(NO_PROOF)), waiting()),
    ];
    let caught = without.map(async |case| {
        let (case, result) = guarded(ground, case).await;
        let (caught, said) = seen(&result, |flaw| matches!(flaw, Some(Flaw::BoughtTwice(_))));
        println!("{}: {}: {said}", if caught { "caught" } else { "NOT CAUGHT" }, case.name);
        caught
    });
    let harmless = with.map(async |case| {
        let (case, result) = guarded(ground, Case { let_go: true, ..case }).await;
        let (harmless, said) = seen(&result, |flaw| flaw.is_none());
        println!("{}: {}: {said}", if harmless { "harmless" } else { "FLAGGED" }, case.name);
        harmless
    });
    let (caught, harmless) = tokio::join!(futures::future::join_all(caught), futures::future::join_all(harmless));
    caught.into_iter().chain(harmless).all(|fine| fine)
}

/// Whether a story ended as it must, and what is to be said of it: all of it where it did not.
fn seen(result: &Result<Played, Broken>, wanted: fn(Option<&Flaw>) -> bool) -> (bool, String) {
    match result {
        Err(Broken { flaw, .. }) if wanted(Some(flaw)) => (true, flaw.to_string()),
        Err(Broken { flaw, story }) => (false, format!("{flaw}\n{story}")),
        Ok(_) => (wanted(None), "it went well".to_owned()),
    }
}

/// Each request of a reference, up to its last write: everything at writes to the tenant and at intents, and what differs by
/// kind at the others.
fn broken_in_every_way(story: Story, records: &[Record]) -> Vec<Case> {
    let last = records.iter().rposition(|r| r.is_record() || r.is_purchase()).unwrap_or_default();
    let mut all = Vec::new();
    for (record, request) in records[..=last].iter().zip(Request::of(records)) {
        let target = Target::of(records, record.number);
        let sharp = record.intent || record.is_purchase();
        let mut add = |action: String, what| {
            let name = Name { kind: LICENSE_KEYS, scenario: story.name(), request: Some(request), action };
            all.push(Case { story, fault: Some((target.clone(), what)), name, crew: crew(1), let_go: false });
        };
        for place in [Place::Before, Place::Withheld, Place::Answered] {
            add(format!("killed {}", named(place)), Action::Kill(place));
            if record.is_purchase() {
                add(format!("stopped {}", named(place)), Action::Pause(place, LONG));
            }
        }
        let answers = match record.hop {
            Hop::Vendor => vendor_answers(),
            Hop::Apiserver => apiserver_answers(),
        };
        // The tenant asks for an hour's pause, and for that nobody waits here.
        let answers = answers.into_iter().filter(|(name, _)| !name.contains("10^9"));
        for (name, action) in answers.filter(|(name, _)| sharp || ["answer dropped", "500"].contains(&name.as_str())) {
            add(name, action);
        }
    }
    all
}

/// Plays a case so that a failing step of the stage is a failing case and no more.
async fn guarded(ground: &Arc<Ground>, case: Case) -> (Case, Result<Played, Broken>) {
    let played = AssertUnwindSafe(Box::pin(play(ground, &case))).catch_unwind().await;
    let stage = |_| Err(Broken { flaw: Flaw::Stage("the stage failed; see above".into()), story: String::new() });
    let result = played.unwrap_or_else(stage);
    (case, result)
}

async fn play(ground: &Arc<Ground>, case: &Case) -> Result<Played, Broken> {
    let permit = ground.stage.acquire().await.expect("the stage is never closed");
    let stage = Stage::new(ground, case.crew.clone()).await;
    if case.story == Story::Renew {
        stage.declare(&["old"]).await;
        let ended = silent(&stage, false, REST).await.map_err(|why| format!("before anything was broken: {why}"));
        let begun = worst_first(Ok(()), stage.processes(), ended, true);
        begun.map_err(|flaw| Broken { flaw, story: String::new() })?;
    }
    let before = stage.tenant.ledger().len();
    stage.proxy.arm(case.fault.clone());
    match case.story {
        Story::Add => stage.declare(&["new"]).await,
        Story::Renew => stage.list(&["new"]).await,
    }
    let ended = async {
        silent(&stage, case.fault.is_some(), REST).await?;
        drop(permit);
        silent(&stage, case.fault.is_some(), SILENCE).await
    };
    let ended = tokio::select! {
        biased;
        ended = ended => ended,
        never = let_go(&stage, case) => match never {},
    };
    let records = stage.proxy.records();
    judge(&stage, case, (before, ended), &records).map_err(|flaw| {
        let mut story = String::new();
        for record in &records {
            let _ = write!(story, "\n{record}");
        }
        for entry in stage.tenant.ledger() {
            let _ = write!(
                story,
                "\n{:?} {:?} key {:?} row {:?} {}",
                entry.who, entry.action, entry.key, entry.id, entry.effect
            );
        }
        let log = stage.log();
        let lines: Vec<&str> = log.lines().collect();
        let story = format!("{story}\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        Broken { flaw, story }
    })?;
    let decided = has_rows(&stage, &stage.unlisted()).then_some(Branch::BelievedALie);
    Ok(Played { records, decided })
}

/// Lets the purchase go on that is held back, once the operator says that its outcome is not known.
async fn let_go(stage: &Stage, case: &Case) -> Infallible {
    while case.let_go && !has_open_change(stage.status().await.as_ref()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if case.let_go {
        stage.proxy.let_go();
    }
    std::future::pending().await
}

/// Judges what was played; `before`: how long the ledger was when counting began, `ended`: whether it came to rest.
fn judge(
    stage: &Stage,
    case: &Case,
    (before, ended): (usize, Result<(), String>),
    records: &[Record],
) -> Result<(), Flaw> {
    let hit = case.fault.is_none() || stage.proxy.fired();
    worst_first(harm(stage, case, before, records), stage.processes(), ended, hit)?;
    match &case.fault {
        Some((_, action)) if unseen_by_watches(&stage.proxy, action) => Err(Flaw::Missed(UNSEEN_BY_WATCHES.into())),
        _ => Ok(()),
    }
}

/// The ledger's oracle, whatever the status says: no key is spent twice, nothing is removed but the old key's one row.
fn harm(stage: &Stage, case: &Case, before: usize, records: &[Record]) -> Result<(), Flaw> {
    let wrong = |why: String| Err(Flaw::Wrong(why));
    let (tenant, numbers) = (&stage.tenant, |key: &str| stage.tenant.number_of(key));
    for key in [&stage.old, &stage.new] {
        if tenant.additions_of(key) > 1 {
            return Err(Flaw::BoughtTwice(format!(
                "key {} was spent {} times",
                numbers(key),
                tenant.additions_of(key)
            )));
        }
    }
    let ledger = tenant.ledger().split_off(before);
    let by_operator = ledger.iter().filter(|e| e.effect && [Actor::Request, Actor::LateFinisher].contains(&e.who));
    let removed: Vec<_> = by_operator.filter(|entry| !entry.made_a_row()).collect();
    let old = (case.story == Story::Renew).then(|| numbers(&stage.old));
    if removed.len() > 1 || removed.iter().any(|entry| entry.key != old) {
        return wrong(format!("more was removed than the old key: {removed:?}"));
    }
    // The last valid key goes only after the next one is there.
    let order: Vec<_> = ledger.iter().filter(|entry| entry.effect).map(|entry| entry.key).collect();
    if removed.len() == 1 && order.first() != Some(&Some(numbers(&stage.new))) {
        return wrong(format!("removed before the other was added: {order:?}"));
    }
    if tenant.live_rows_of(&stage.foreign).len() != 1 {
        return wrong("somebody else's key was touched".into());
    }
    // One request of each kind, and one repeat of what had no effect or whose refusal proved that.
    let sent = |method: &str| records.iter().filter(|r| r.is_purchase() && r.method == method).count();
    if sent("POST") > 2 || sent("DELETE") > 2 {
        return wrong(format!("{} additions and {} removals were sent", sent("POST"), sent("DELETE")));
    }
    Ok(())
}

fn spent_twice(stage: &Stage) -> Option<&String> {
    [&stage.old, &stage.new].into_iter().find(|key| stage.tenant.additions_of(key) > 1)
}

/// Waits until the keys are as declared and told so, and polls go by without any write; a fault that takes effect begins anew.
async fn silent(stage: &Stage, broken: bool, wanted: usize) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    let ended = async || {
        let status = stage.status().await;
        status.as_ref().is_some_and(|status| is_end(stage, status))
    };
    let mut since: Option<(Writes, usize)> = None;
    loop {
        let hit = !broken || stage.proxy.fired();
        let written = (writes(&stage.proxy.records()), hit);
        let wanted = if hit { wanted } else { SILENCE };
        let polls = stage.tenant.calls(Endpoint::List);
        match since {
            Some((before, first)) if before == written => {
                if polls >= first + wanted {
                    if ended().await {
                        return Ok(());
                    }
                    since = None;
                }
            }
            _ => since = ended().await.then_some((written, polls)),
        }
        if spent_twice(stage).is_some() {
            return Err("it cannot come to rest any more".into());
        }
        if Instant::now() > deadline {
            let status = serde_json::to_string(&stage.status().await).unwrap_or_default();
            return Err(format!("not as declared, or not silent, after {PATIENCE:?}; status: {status}"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// In sync, with one row of each listed key. The row of an old key may stay where an answer that nobody gave said that it is
/// gone: an answer of success is believed (docs/vendors/immuta.md, "Deleting a row").
fn is_end(stage: &Stage, status: &LicenseSeatsStatus) -> bool {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    let in_sync = ready.is_some_and(|ready| ready.reason == "InSync") && status.intent.is_none();
    let rows = |tenant: &Immuta, key: &str| tenant.live_rows_of(key).len();
    let lied =
        stage.proxy.records().iter().any(|r| r.method == "DELETE" && r.executed.is_none() && r.answered == Some(200));
    in_sync
        && stage.listed().iter().all(|key| rows(&stage.tenant, key) == 1)
        && (lied || !has_rows(stage, &stage.unlisted()))
}

fn has_rows(stage: &Stage, keys: &[&str]) -> bool {
    keys.iter().any(|key| !stage.tenant.live_rows_of(key).is_empty())
}
