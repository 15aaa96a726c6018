//! Never buys twice, by enumeration: the shipped binary between a real kube-apiserver and a simulated vendor, with a
//! proxy that breaks one request at a time. A fault-free reference gives the requests; each can be broken in every way,
//! and those cases that `chosen.txt` lists are played: `report` holds how many of which kind that must be.
//!
//! `FAULT_CASE=scenario/request/action` plays one case alone (`*` in place of any part: `webhook-restores/*/429`),
//! `FAULT_KIND=crash` one kind of the list, `FAULT_SHARD=2/24` a part of all that there are, `FAULT_TIMES=20` each case so
//! often, `FAULT_PARALLEL=8` so many at a time. With `SEED` or `DURATION` it plays random cases of all (`make torture`).
//! `FAULT_KIND=weakened` plays only what lacks a part of the protocol, `FAULT_KIND=conformance` only the passes of the model.
//! `UPDATE_CHOSEN=1` writes a new list and plays nothing, `UPDATE_DOCS=1` writes the table to docs/evidence/faults.md.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod actions;
mod approved;
mod branch;
mod case;
mod conformance;
mod doubt;
mod ends_once;
mod flaw;
mod ground;
mod happenings;
mod judge;
mod keys;
mod noticed;
mod outside;
#[path = "../model/pass_step.rs"]
mod pass_step;
mod quoted;
mod replays;
mod report;
mod rig;
mod scenario;
mod selection;
mod table;
mod two;
mod weakened;
mod window;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use fault_proxy::Record;
use futures::{FutureExt, StreamExt, stream};

use actions::{cases, crew};
use branch::{Branch, Branches};
use case::{Case, Played, Written, play};
use conformance::Language;
use flaw::{Broken, Flaw};
use ground::Ground;
use replays::Replays;
use report::Report;
use rig::conditions;
use scenario::{Scenario, scenarios};
use selection::{CONTROL_PLANE, Choice, Name};

/// References at the same time.
const AT_ONCE: usize = 32;

/// For each case that acts, so many may wait for their silence.
const AWAITING_SILENCE: usize = 4;

/// Control planes that may be taken down.
const PLANES: usize = 3;

fn main() -> ExitCode {
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
    let result = runtime.expect("a runtime").block_on(enumerate());
    if let Err(why) = &result {
        println!("faults: nothing was played: {why}");
    }
    // Statics are never dropped: what still runs ends with the guardian.
    if result == Ok(true) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays a case so that a failing step of the stage is a failing case and no more.
async fn guarded(ground: &Arc<Ground>, case: Case, reference: Option<Written>) -> (Case, Result<Played, Broken>) {
    let played = AssertUnwindSafe(Box::pin(play(ground, &case, reference))).catch_unwind().await;
    let stage = |_| Err(Broken { flaw: Flaw::Stage("the stage failed; see above".into()), story: String::new() });
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
    let case = Case::apart(scenario, "reference", "reference".into(), crew(1));
    let (case, result) = guarded(ground, case, None).await;
    let played = result.map_err(|Broken { flaw, story }| format!("{case}: {flaw}\n{story}"))?;
    let written = Written::of(&played.records);
    let last = played.records.iter().rposition(|r| r.is_record() || r.is_purchase()).unwrap_or_default();
    let records = played.records.into_iter().take(last + 1).collect();
    Ok((name, Reference { records, written }))
}

async fn references(ground: &Arc<Ground>) -> Result<HashMap<&'static str, Reference>, String> {
    let each = stream::iter(scenarios()).map(|scenario| reference(ground, scenario)).buffer_unordered(AT_ONCE);
    each.collect::<Vec<_>>().await.into_iter().collect()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn chosen_txt() -> PathBuf {
    seatkeeper_support::workspace_root().join("tests/faults/chosen.txt")
}

/// How much may be played once more. A pass of the model that is asked for alone is late for no reason of the machine.
fn replays_of(choice: &Choice) -> Replays {
    if choice.is_of_conformance() && choice.is_of_a_case() { Replays::of(0) } else { Replays::default() }
}

/// Plays what is asked for; whether all went well. `Err`: why nothing could be played.
async fn enumerate() -> Result<bool, String> {
    let started = Instant::now();
    let choice = Choice::asked(variable)?;
    let ground = Arc::new(Ground::shared(choice.at_once).await);
    let (language, replays) = (Language::listed()?, replays_of(&choice));
    if choice.is_of_conformance() {
        return Ok(only_conformance(&ground, &language, &choice, &replays).await);
    }
    let (known, known_of_keys) = tokio::try_join!(references(&ground), keys::references(&ground))?;
    let (all, all_of_keys, all_of_two) = (all_cases(&known), keys::all_cases(&known_of_keys), two::all_cases());
    let of_keys = all_of_keys.iter().map(|case| &case.name);
    let of_two = all_of_two.iter().map(|case| &case.name);
    let names: Vec<Name> = all.iter().map(|case| &case.name).chain(of_keys).chain(of_two).cloned().collect();
    if variable("UPDATE_CHOSEN").is_some_and(|value| value == "1") {
        return Ok(write_chosen(&names));
    }
    if choice.is_of_the_weakened() {
        return Ok(only_the_weakened(&ground, &known, &known_of_keys, choice.times).await);
    }
    let picked = choice.pick(&names, &std::fs::read_to_string(chosen_txt()).expect("tests/faults/chosen.txt"))?;
    let chosen = picked_of(&all, |case| &case.name, &picked);
    let chosen_of_keys = picked_of(&all_of_keys, |case| &case.name, &picked);
    let chosen_of_two = picked_of(&all_of_two, |case| &case.name, &picked);
    announce(&choice, known.len(), [chosen.len(), chosen_of_keys.len(), chosen_of_two.len()]);
    let until = choice.torture.as_ref().map(|torture| started + torture.duration);
    let closely = choice.is_of_a_case();
    let run = Run { ground: &ground, at_once: choice.at_once, until, closely, language: &language, replays: &replays };
    let mut report = Report::knowing(names.len());
    let (mut of_keys, mut of_two) = (Report::knowing(0), Report::knowing(0));
    let whole = choice.is_whole();
    let quoted = !whole || choice.times > 1 || quoted::is_right(&names, &picked);
    let seats = async {
        run.play_all(chosen, &known, &mut report).await;
        if whole { weakened_are_caught(&ground, &known, &replays).await } else { Some(Vec::new()) }
    };
    let keys = async {
        keys::play_all(&run, chosen_of_keys, &mut of_keys).await;
        !whole || keys::weakened_are_caught(&ground, &known_of_keys).await
    };
    let two = two::play_all(&run, chosen_of_two, &mut of_two);
    let conforms = async { !whole || conformance::is_shown(&ground, &language, &choice, &replays).await };
    let (seats_caught, keys_caught, (), conforms) = tokio::join!(seats, keys, two, conforms);
    report.add(of_keys);
    report.add(of_two);
    report.decided(seats_caught.iter().flatten());
    report.print(started.elapsed(), &replays);
    // A run that failed is no table for the docs.
    let conforms = language.knows_all() && conforms;
    let complete = !whole || report.whole(&picked[..picked.len() / choice.times], &replays);
    Ok([report.sound(), seats_caught.is_some(), keys_caught, conforms, quoted, complete].into_iter().all(|fine| fine))
}

/// Plays nothing but the passes of the model.
async fn only_conformance(ground: &Arc<Ground>, language: &Language, choice: &Choice, replays: &Replays) -> bool {
    let shown = conformance::is_shown(ground, language, choice, replays).await;
    println!("{}", conditions());
    println!("conformance: {replays}");
    shown
}

/// Writes the list of the pull request's cases anew.
fn write_chosen(names: &[Name]) -> bool {
    std::fs::write(chosen_txt(), selection::new_list(names)).expect("tests/faults/chosen.txt");
    println!("faults: tests/faults/chosen.txt is written; nothing was played");
    true
}

/// Says what is about to be played.
fn announce(choice: &Choice, references: usize, [seats, keys, two]: [usize; 3]) {
    if let Some(torture) = &choice.torture {
        println!("faults: SEED={} for {} s", torture.seed, torture.duration.as_secs());
    }
    println!(
        "faults: {references} references, {seats} cases, {keys} of license keys and {two} of two installations, {} at once",
        choice.at_once
    );
}

/// The cases with these names, in their order.
fn picked_of<C: Clone>(all: &[C], name: impl Fn(&C) -> &Name, picked: &[Name]) -> Vec<C> {
    let by_name: HashMap<&Name, &C> = all.iter().map(|case| (name(case), case)).collect();
    picked.iter().filter_map(|name| by_name.get(name).copied().cloned()).collect()
}

/// Plays nothing but what lacks a part of the protocol, so often.
async fn only_the_weakened(
    ground: &Arc<Ground>,
    known: &HashMap<&'static str, Reference>,
    known_of_keys: &keys::References,
    times: usize,
) -> bool {
    let replays = Replays::of(times);
    let each = (0..times).map(async |_| {
        let keys = keys::weakened_are_caught(ground, known_of_keys);
        let (seats, keys) = tokio::join!(weakened_are_caught(ground, known, &replays), keys);
        seats.filter(|_| keys)
    });
    let each = futures::future::join_all(each).await;
    let mut branches = Branches::default();
    branches.note(each.iter().flatten().flatten());
    println!("{branches}");
    println!("{}", conditions());
    println!("weakened: {replays}");
    each.iter().all(Option::is_some)
}

/// Whether harm is seen wherever a part of the protocol is missing: then the branches that decided the stories without harm.
async fn weakened_are_caught(
    ground: &Arc<Ground>,
    known: &HashMap<&'static str, Reference>,
    replays: &Replays,
) -> Option<Vec<Branch>> {
    let without = weakened::all_are_caught(ground, known, replays);
    let (without, outside, ends) = tokio::join!(without, outside::all_are_caught(ground), ends_once::is_seen(ground));
    outside.filter(|_| without && ends)
}

/// How cases are played.
pub struct Run<'a> {
    ground: &'a Arc<Ground>,
    /// Cases that act at the same time; they mostly wait.
    at_once: usize,
    /// When no further case begins.
    until: Option<Instant>,
    /// The requests of each case are shown.
    closely: bool,
    /// What one replica may do.
    language: &'a Language,
    /// What may be played once more.
    replays: &'a Replays,
}

impl Run<'_> {
    fn in_time(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    /// Plays cases, many at a time.
    async fn play_all(&self, chosen: Vec<Case>, known: &HashMap<&'static str, Reference>, report: &mut Report) {
        let begin = |ground: Arc<Ground>, case: Case| {
            let written = known.get(case.scenario.name).map(|reference| reference.written);
            async move { guarded(&ground, case, written).await }
        };
        let (own, chosen): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|case| case.name.kind == CONTROL_PLANE);
        // Those that take down their control plane: one after the other on each.
        let planes = if own.is_empty() { 0 } else { PLANES };
        let grounds = futures::future::join_all((0..planes).map(|_| Ground::own())).await;
        let beside = stream::select_all(grounds.into_iter().enumerate().map(|(nth, plane)| {
            let (plane, share) = (Arc::new(plane), own.iter().skip(nth).step_by(PLANES).cloned().collect::<Vec<_>>());
            let in_time = stream::iter(share).take_while(|_| futures::future::ready(self.in_time()));
            Box::pin(in_time.then(move |case| begin(Arc::clone(&plane), case)))
        }));
        let playing = stream::iter(chosen)
            .take_while(|_| futures::future::ready(self.in_time()))
            .map(|case| begin(Arc::clone(self.ground), case))
            .buffer_unordered(self.at_once * AWAITING_SILENCE);
        // What did not come to rest in time beside so many others, or missed its fault there, is played once more, alone, and no more than
        // a few of them.
        // Nothing else ever is.
        let mut late = Vec::new();
        let mut playing = Box::pin(stream::select(playing, beside));
        while let Some((case, result)) = playing.next().await {
            match result {
                Err(Broken { flaw, story })
                    if self.until.is_none() && case.name.kind != CONTROL_PLANE && self.replays.allow(&flaw) =>
                {
                    println!("faults: to be played once more, alone: {case}: {flaw}\n{story}");
                    late.push(case);
                }
                result => self.note(report, &case, &result),
            }
        }
        drop(playing);
        for case in late {
            let (case, result) = begin(Arc::clone(self.ground), case).await;
            self.note(report, &case, &result);
        }
    }

    fn note(&self, report: &mut Report, case: &Case, result: &Result<Played, Broken>) {
        if let (Ok(played), true) = (result, self.closely) {
            let records: Vec<String> = played.records.iter().map(ToString::to_string).collect();
            println!("{case}: {:?}\n{}\n{}", played.end, records.join("\n"), played.log);
        }
        if let (Ok(played), true) = (result, case.is_of_one_replica()) {
            self.language.look(&case.to_string(), &played.records);
        }
        report.note(&case.name, case.scenario.by_owner, result.as_ref().map(|played| played.end));
        report.decided(result.iter().flat_map(|played| &played.decided));
    }
}

/// Each (request, action) of each scenario.
fn all_cases(known: &HashMap<&'static str, Reference>) -> Vec<Case> {
    let each = scenarios().into_iter().filter_map(|scenario| {
        let reference = known.get(scenario.name)?;
        Some(cases(&scenario, &reference.records))
    });
    each.flatten().collect()
}
