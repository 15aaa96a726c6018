//! Never buys twice, by enumeration: the shipped binary between a real kube-apiserver and a simulated vendor, with a
//! proxy that breaks one request at a time. A fault-free reference gives the requests; each is then broken in every way.
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
use case::{Broken, Case, Played, play};
use ground::Ground;
use report::Report;
use scenario::{Scenario, scenarios};
use seatkeeper::api::parse_duration;

/// Cases at the same time; they mostly wait.
fn at_once() -> usize {
    std::env::var("FAULT_PARALLEL").ok().and_then(|n| n.parse().ok()).unwrap_or(32)
}

/// For each case that acts, so many may wait for their silence.
const AWAITING_SILENCE: usize = 4;

/// Control planes that may be taken down.
const PLANES: usize = 2;

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
async fn guarded(ground: &Arc<Ground>, case: Case, puts: Option<usize>) -> (Case, Result<Played, Broken>) {
    let played = AssertUnwindSafe(Box::pin(play(ground, &case, puts))).catch_unwind().await;
    let stage =
        |_| Err(Broken { bought_twice: false, why: "the stage failed; see above".into(), story: String::new() });
    let result = played.unwrap_or_else(stage);
    (case, result)
}

/// The requests from the first to a little after the last write, and how many purchases there were.
pub struct Reference {
    pub records: Vec<Record>,
    pub puts: usize,
}

async fn reference(ground: &Arc<Ground>, scenario: Scenario) -> Result<(&'static str, Reference), String> {
    let name = scenario.name;
    let case = Case { scenario, fault: None, action: "reference".into(), kind: "reference", crew: crew(1) };
    let (case, result) = guarded(ground, case, None).await;
    let played = result.map_err(|broken| format!("{case}: {}\n{}", broken.why, broken.story))?;
    let last = played.records.iter().rposition(|r| r.is_record() || r.is_purchase()).unwrap_or_default();
    let records = played.records.into_iter().take(last + 1).collect();
    Ok((name, Reference { records, puts: played.puts }))
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
    let of_keys = |name: &str| name.starts_with("immuta-");
    if std::env::var("FAULT_CASE").is_ok_and(|wanted| of_keys(&wanted)) {
        return keys::enumerate(&ground, at_once()).await;
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
    let mut chosen = chosen(&known, torture.is_some());
    if let Some(torture) = &torture {
        println!("faults: SEED={} for {} s", torture.seed, torture.duration.as_secs());
        fastrand::Rng::with_seed(torture.seed).shuffle(&mut chosen);
    }
    println!("faults: {} references and {} cases, {} at once", known.len(), chosen.len(), at_once());
    let mut report = Report::default();
    let until = torture.as_ref().map(|torture| started + torture.duration);
    let puts = |case: &Case| known.get(case.scenario.name).map(|reference| reference.puts);
    let begin = |ground: Arc<Ground>, case: Case| {
        let puts = puts(&case);
        async move { guarded(&ground, case, puts).await }
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
        .map(|case| begin(Arc::clone(&ground), case))
        .buffer_unordered(at_once() * AWAITING_SILENCE);
    // What did not come to rest in time beside so many others is played once more, alone. A double purchase never is.
    let mut unrested = Vec::new();
    let mut playing = Box::pin(stream::select(playing, beside));
    while let Some((case, result)) = playing.next().await {
        match &result {
            Err(broken) if !broken.bought_twice && torture.is_none() && case.kind != CONTROL_PLANE => {
                unrested.push((case, broken.why.clone(), broken.story.clone()));
            }
            _ => report.note(&case, result),
        }
    }
    drop(playing);
    for (case, why, story) in unrested {
        println!("faults: once more, alone: {case}: {why}\n{story}");
        let (case, result) = begin(Arc::clone(&ground), case).await;
        report.note(&case, result);
    }
    report.print(started.elapsed());
    #[cfg(debug_assertions)]
    let caught = match known.get("finishes-late") {
        Some(late) if std::env::var("FAULT_CASE").is_err() => weakened::all_are_caught(&ground, late).await,
        _ => true,
    };
    #[cfg(not(debug_assertions))]
    let caught = true;
    let whole = torture.is_none() && std::env::var("FAULT_CASE").is_err() && std::env::var("FAULT_KIND").is_err();
    let keys = !whole || keys::enumerate(&ground, at_once()).await;
    report.sound() && caught && keys
}

fn chosen(known: &HashMap<&'static str, Reference>, everything: bool) -> Vec<Case> {
    let mut all = Vec::new();
    for scenario in scenarios() {
        if let Some(reference) = known.get(scenario.name) {
            all.extend(cases(&scenario, &reference.records));
        }
    }
    if let Ok(wanted) = std::env::var("FAULT_CASE") {
        let (start, end) = wanted.split_once('*').unwrap_or((&wanted, &wanted));
        all.retain(|case| {
            let name = case.to_string();
            name.starts_with(start) && name.ends_with(end)
        });
        let times = std::env::var("FAULT_TIMES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
        return std::iter::repeat_n(all, times).flatten().collect();
    }
    if everything {
        return all;
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
        (CONTROL_PLANE, 12),
    ];
    let only = std::env::var("FAULT_KIND").ok();
    let percent: usize = std::env::var("FAULT_PERCENT").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    kinds
        .into_iter()
        .filter(|(kind, _)| only.as_deref().is_none_or(|only| only == *kind))
        .flat_map(|(kind, most)| thinned(&all, kind, most * percent / 100, sharp))
        .collect()
}
