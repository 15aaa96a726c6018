//! The test of the test: operators without a part of the purchase protocol. Each must be seen to buy too much. From the
//! shipped operator the proxy takes a part away where that can be done on the way to the apiserver. The other parts are
//! inside: this very program, started with `run`, is the operator without one. Release builds have no such parts to leave out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, FromArgMatches};
use fault_proxy::{Action, Hop, Part, Place, Target};
use seatkeeper::run::{FaultSwitch, Run, run_weakened};

use crate::actions::{Crew, LONG, WHILE_BOTH_LEAD, crew, two_leaders};
use crate::case::{Case, Played};
use crate::flaw::{Broken, Flaw};
use crate::ground::Ground;
use crate::replays::Replays;
use crate::scenario::scenarios;
use crate::selection::WEAKENED;
use crate::{Reference, guarded};

const VARIABLE: &str = "FAULT_SWITCH";

/// The weakened operator, if that is what this process was started as.
pub fn operator() -> Option<ExitCode> {
    let name = std::env::var(VARIABLE).ok()?;
    let Some((_, fault_switch)) = FaultSwitch::ALL.into_iter().find(|(known, _)| *known == name) else {
        let known = FaultSwitch::ALL.map(|(name, _)| name).join(", ");
        println!("{VARIABLE}={name:?} names no part of the protocol that can be left out. There are: {known}");
        return Some(ExitCode::FAILURE);
    };
    let command = Run::augment_args(clap::Command::new("run"));
    let args = Run::from_arg_matches(&command.get_matches_from(std::env::args().skip(1))).expect("flags");
    seatkeeper::telemetry::init(args.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Some(runtime.expect("a runtime").block_on(run_weakened(args, fault_switch)))
}

/// Where the vendor is slow, and whoever repeats meanwhile adds up: by totals, and by differences.
const LATE: [&str; 2] = ["finishes-late", "owner-finishes-late"];

/// A part that an operator lacks.
#[derive(Clone, Copy, Debug)]
enum Lack {
    /// One that it leaves out itself.
    Inside(FaultSwitch),
    /// One that the proxy takes away.
    OnTheWay(Part),
}

/// All of them, by the names that the model (tests/model) gives the same.
pub fn count() -> usize {
    lacks().count()
}

fn lacks() -> impl Iterator<Item = (&'static str, Lack)> {
    let inside = FaultSwitch::ALL.map(|(name, fault_switch)| (name, Lack::Inside(fault_switch)));
    let on_the_way = [
        ("no compare-and-swap", Lack::OnTheWay(Part::CompareAndSwap)),
        ("the intent is read from a stale cache", Lack::OnTheWay(Part::StoredIntent)),
    ];
    inside.into_iter().chain(on_the_way)
}

/// The case of a scenario in which what is lacking must show.
fn case(scenario: &'static str, (name, lack): (&'static str, Lack), late: &Reference) -> Case {
    let scenario = scenarios().into_iter().find(|known| known.name == scenario).expect("it is there");
    let records = &late.records;
    let purchase = records.iter().find(|record| record.is_purchase()).expect("it buys").number;
    let intent = records.iter().find(|record| record.intent).expect("it records an intent").number;
    let before = records[..intent - 1].iter().rev();
    let secret = before.clone().find(|record| record.hop == Hop::Apiserver).expect("it reads the Secret").number;
    let at = |number| Target::of(records, number);
    let (fault, crew) = match lack {
        Lack::Inside(FaultSwitch::NoWait | FaultSwitch::ErrorCloses) => (None, crew(1)),
        Lack::Inside(FaultSwitch::NoDeadline) => (Some((at(intent), Action::PauseUntilPurchase(LONG))), crew(2)),
        Lack::OnTheWay(Part::CompareAndSwap) => (Some((at(secret), Action::LoseLease(WHILE_BOTH_LEAD))), two_leaders()),
        Lack::OnTheWay(Part::StoredIntent) => (Some((at(purchase), Action::Kill(Place::Underway))), crew(1)),
    };
    let crew = match lack {
        Lack::Inside(_) => {
            let binary: PathBuf = std::env::current_exe().expect("this program");
            Crew { binary, environment: vec![("RUST_LOG", "info"), (VARIABLE, name)], ..crew }
        }
        Lack::OnTheWay(part) => Crew { lacks: Some(part), ..crew },
    };
    Case { fault, ..Case::apart(scenario, WEAKENED, format!("weakened: {name}"), crew) }
}

/// Says whether each of them was seen to buy too much.
pub async fn all_are_caught(ground: &Arc<Ground>, known: &HashMap<&'static str, Reference>, replays: &Replays) -> bool {
    let each = LATE.into_iter().flat_map(|scenario| lacks().map(move |lack| (scenario, lack)));
    let each = each.map(async |(scenario, lack)| {
        let late = known.get(scenario).expect("each scenario has a reference");
        is_caught(ground, case(scenario, lack, late), late, replays).await
    });
    futures::future::join_all(each).await.into_iter().all(|caught| caught)
}

/// Whether one is, now or when it is tried again.
async fn is_caught(ground: &Arc<Ground>, case: Case, late: &Reference, replays: &Replays) -> bool {
    loop {
        let (_, result) = guarded(ground, case.clone(), Some(late.written)).await;
        let (flaw, story) = match result {
            Err(Broken { flaw: Flaw::BoughtTwice(why), .. }) => {
                println!("caught: {case}: {}", why.split(':').next().unwrap_or_default());
                return true;
            }
            Err(Broken { flaw, story }) => (Some(flaw), story),
            Ok(Played { records, .. }) => {
                (None, records.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            }
        };
        let what = flaw.as_ref().map_or_else(|| "it went well".to_owned(), ToString::to_string);
        if !replays.allow_try(flaw.as_ref()) {
            println!("NOT CAUGHT: {case}: {what}\n{story}");
            return false;
        }
        println!("faults: to be tried again: {case}: {what}");
    }
}
