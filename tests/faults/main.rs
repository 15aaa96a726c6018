//! Never buys twice, by enumeration: the shipped binary between a real kube-apiserver and a simulated vendor, with a
//! proxy that breaks one request at a time. A fault-free reference gives the requests; each can be broken in every way,
//! and a fixed choice of these cases is played: `report` holds how many of which kind that must be.
//!
//! `FAULT_CASE=scenario/k/action` plays one case alone (`*` in place of any part: `webhook-restores/*/429`),
//! `FAULT_KIND=crash` one kind, `UPDATE_DOCS=1` writes the table to docs/faults.md. With `SEED` or `DURATION` it plays random cases instead (`make torture`).
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod actions;
mod case;
mod ground;
mod happenings;
mod judge;
mod keys;
mod report;
mod rig;
mod scenario;
#[cfg(debug_assertions)]
mod weakened;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fault_proxy::Record;
use futures::{FutureExt, StreamExt, stream};

use actions::{CONTROL_PLANE, cases, crew, thinned};
use case::{Broken, Case, Flaw, Played, Written, play};
use ground::Ground;
use report::{Report, Title};
use scenario::{Scenario, scenarios};
use seatkeeper::api::parse_duration;

/// Cases at the same time; they mostly wait.
fn at_once() -> usize {
    std::env::var("FAULT_PARALLEL").ok().and_then(|n| n.parse().ok()).unwrap_or(32)
}

/// For each case that acts, so many may wait for their silence.
const AWAITING_SILENCE: usize = 4;

/// Control planes that may be taken down.
const PLANES: usize = 3;

fn main() -> ExitCode {
    #[cfg(debug_assertions)]
    if let Some(code) = weakened::operator() {
        return code;
    }
    // As in any other test binary: `cargo test purchase` is not meant for this one.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let meant = words.is_empty() || words.iter().any(|word| "faults".contains(word.as_str()));
    if !meant || std::env::args().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    if seatkeeper_support::skip_control_plane() {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).enable_all().build();
    let sound = runtime.expect("a runtime").block_on(enumerate());
    // Statics are never dropped: what still runs ends with the guardian.
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays a case so that a failing step of the stage is a failing case and no more.
async fn guarded(ground: &Arc<Ground>, case: Case, reference: Option<Written>) -> (Case, Result<Played, Broken>) {
    let played = AssertUnwindSafe(Box::pin(play(ground, &case, reference))).catch_unwind().await;
    let stage = |_| Err(Broken { flaw: Flaw::Restless("the stage failed; see above".into()), story: String::new() });
    let result = played.unwrap_or_else(stage);
    (case, result)
}

/// The requests from the first to the last write, and how much was written.
pub struct Reference {
    pub records: Vec<Record>,
    pub written: Written,
}

async fn reference(ground: &Arc<Ground>, scenario: Scenario) -> Result<(&'static str, Reference), String> {
    let name = scenario.name;
    let case = Case { scenario, fault: None, action: "reference".into(), kind: "reference", crew: crew(1) };
    let (case, result) = guarded(ground, case, None).await;
    let played = result.map_err(|Broken { flaw, story }| format!("{case}: {flaw}\n{story}"))?;
    let written = Written::of(&played.records);
    let last = played.records.iter().rposition(|r| r.is_record() || r.is_purchase()).unwrap_or_default();
    let records = played.records.into_iter().take(last + 1).collect();
    Ok((name, Reference { records, written }))
}

/// Random cases for some time, instead of the chosen ones.
struct Torture {
    seed: u64,
    duration: Duration,
}

impl Torture {
    fn wanted() -> Option<Self> {
        let (seed, duration) = (std::env::var("SEED").ok(), std::env::var("DURATION").ok());
        seed.as_ref().or(duration.as_ref())?;
        let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
        let duration = duration.map_or(Ok(Duration::from_secs(600)), |text| parse_duration(&text));
        Some(Self { seed, duration: duration.expect("DURATION such as 10m") })
    }
}

async fn enumerate() -> bool {
    let started = Instant::now();
    let ground = Arc::new(Ground::shared(at_once()).await);
    let mut report = Report::default();
    if std::env::var("FAULT_CASE").is_ok_and(|wanted| wanted.starts_with("immuta-")) {
        let caught = keys::enumerate(&ground, at_once(), &mut report).await;
        report.print(started.elapsed());
        return report.sound() && caught;
    }
    let references = stream::iter(scenarios())
        .map(|scenario| reference(&ground, scenario))
        .buffer_unordered(at_once())
        .collect::<Vec<_>>()
        .await;
    let mut known = HashMap::new();
    for result in references {
        match result {
            Ok((name, reference)) => drop(known.insert(name, reference)),
            Err(story) => {
                println!("the reference fails: {story}");
                return false;
            }
        }
    }
    let torture = Torture::wanted();
    let all = all_cases(&known);
    report.know(all.len());
    let mut chosen = if torture.is_some() { all } else { chosen(&known, all) };
    if let Some(torture) = &torture {
        println!("faults: SEED={} for {} s", torture.seed, torture.duration.as_secs());
        fastrand::Rng::with_seed(torture.seed).shuffle(&mut chosen);
    }
    println!("faults: {} references and {} cases, {} at once", known.len(), chosen.len(), at_once());
    let until = torture.as_ref().map(|torture| started + torture.duration);
    let alone = std::env::var("FAULT_CASE").is_ok();
    let part = alone || ["FAULT_KIND", "FAULT_PERCENT"].iter().any(|name| std::env::var(name).is_ok());
    let whole = torture.is_none() && !part;
    let mut of_keys = Report::default();
    let keys = async { if whole { keys::enumerate(&ground, at_once(), &mut of_keys).await } else { true } };
    let seats = async {
        play_all(&ground, chosen, &known, until, &mut report).await;
        alone || torture.is_some() || weakened_are_caught(&ground, &known).await
    };
    let (seats_caught, keys_caught) = tokio::join!(seats, keys);
    report.add(of_keys);
    report.print(started.elapsed());
    // A run that failed is no table for the docs.
    report.sound() && seats_caught && keys_caught && (!whole || report.whole())
}

/// Operators without a part of the protocol exist in debug builds alone.
#[cfg(debug_assertions)]
async fn weakened_are_caught(ground: &Arc<Ground>, known: &HashMap<&'static str, Reference>) -> bool {
    match known.get("finishes-late") {
        Some(late) => weakened::all_are_caught(ground, late).await,
        None => false,
    }
}

#[cfg(not(debug_assertions))]
async fn weakened_are_caught(_: &Arc<Ground>, _: &HashMap<&'static str, Reference>) -> bool {
    println!("SKIPPED: weakened operators and wrong clocks, which a release build cannot contain");
    true
}

/// Plays cases, many at a time, until `until`.
async fn play_all(
    ground: &Arc<Ground>,
    chosen: Vec<Case>,
    known: &HashMap<&'static str, Reference>,
    until: Option<Instant>,
    report: &mut Report,
) {
    let begin = |ground: Arc<Ground>, case: Case| {
        let written = known.get(case.scenario.name).map(|reference| reference.written);
        async move { guarded(&ground, case, written).await }
    };
    let (own, chosen): (Vec<Case>, Vec<Case>) = chosen.into_iter().partition(|case| case.kind == CONTROL_PLANE);
    let in_time = || until.is_none_or(|until| Instant::now() < until);
    // Those that take down their control plane: one after the other on each.
    let planes = if own.is_empty() { 0 } else { PLANES };
    let grounds = futures::future::join_all((0..planes).map(|_| Ground::own())).await;
    let beside = stream::select_all(grounds.into_iter().enumerate().map(|(nth, plane)| {
        let (plane, share) = (Arc::new(plane), own.iter().skip(nth).step_by(PLANES).cloned().collect::<Vec<_>>());
        let in_time = stream::iter(share).take_while(|_| futures::future::ready(in_time()));
        Box::pin(in_time.then(move |case| begin(Arc::clone(&plane), case)))
    }));
    let playing = stream::iter(chosen)
        .take_while(|_| futures::future::ready(in_time()))
        .map(|case| begin(Arc::clone(ground), case))
        .buffer_unordered(at_once() * AWAITING_SILENCE);
    // What did not come to rest in time beside so many others is played once more, alone. Nothing else ever is.
    let mut restless = Vec::new();
    let mut playing = Box::pin(stream::select(playing, beside));
    while let Some((case, result)) = playing.next().await {
        match result {
            Err(Broken { flaw: flaw @ Flaw::Restless(_), story }) if until.is_none() && case.kind != CONTROL_PLANE => {
                println!("faults: to be played once more, alone: {case}: {flaw}\n{story}");
                restless.push(case);
            }
            result => note(report, &case, &result),
        }
    }
    drop(playing);
    for case in restless {
        let (case, result) = begin(Arc::clone(ground), case).await;
        note(report, &case, &result);
    }
}

fn note(report: &mut Report, case: &Case, result: &Result<Played, Broken>) {
    if let (Ok(played), true) = (result, std::env::var("FAULT_CASE").is_ok()) {
        let records: Vec<String> = played.records.iter().map(ToString::to_string).collect();
        println!("{case}: {:?}\n{}\n{}", played.end, records.join("\n"), played.log);
    }
    let (name, by_owner) = (case.to_string(), case.scenario.by_owner);
    let title = Title { kind: case.kind, action: case.action.clone(), name, by_owner };
    report.note(&title, result.as_ref().map(|played| played.end));
}

/// Each (request, action) of each scenario.
fn all_cases(known: &HashMap<&'static str, Reference>) -> Vec<Case> {
    let each = scenarios().into_iter().filter_map(|scenario| {
        let reference = known.get(scenario.name)?;
        Some(cases(&scenario, &reference.records))
    });
    each.flatten().collect()
}

fn chosen(known: &HashMap<&'static str, Reference>, mut all: Vec<Case>) -> Vec<Case> {
    if let Ok(wanted) = std::env::var("FAULT_CASE") {
        let (start, end) = wanted.split_once('*').unwrap_or((&wanted, &wanted));
        all.retain(|case| {
            let name = case.to_string();
            name.starts_with(start) && name.ends_with(end)
        });
        let times = std::env::var("FAULT_TIMES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
        return std::iter::repeat_n(all, times).flatten().collect();
    }
    let sharp = |case: &Case| {
        let record = known.get(case.scenario.name).zip(case.fault.as_ref());
        record
            .and_then(|(known, (target, _))| known.records.get(target.number - 1))
            .is_some_and(|r| r.intent || r.is_purchase())
    };
    let kinds = [
        ("crash", 195),
        ("answer", 195),
        ("apiserver", 105),
        ("split-brain", 65),
        ("pause", 10),
        ("elsewhere", 70),
        ("clock", 15),
        (CONTROL_PLANE, 16),
    ];
    let only = std::env::var("FAULT_KIND").ok();
    let percent: usize = std::env::var("FAULT_PERCENT").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    kinds
        .into_iter()
        .filter(|(kind, _)| only.as_deref().is_none_or(|only| only == *kind))
        .flat_map(|(kind, most)| thinned(&all, kind, most * percent / 100, sharp))
        .collect()
}
