//! The test of the test: operators from which the proxy takes a part of the purchase protocol away, between them and the
//! apiserver. Each must be seen to buy too much. `outside` takes away the other parts.

use std::collections::HashMap;
use std::sync::Arc;

use fault_proxy::{Action, Hop, Part, Place, Target};

use crate::actions::{Crew, WHILE_BOTH_LEAD, crew, two_leaders};
use crate::case::{Case, Played};
use crate::flaw::{Broken, Flaw};
use crate::ground::Ground;
use crate::replays::Replays;
use crate::scenario::scenarios;
use crate::selection::WEAKENED;
use crate::{Reference, guarded};

/// Where the vendor is slow, and whoever repeats meanwhile adds up: by totals, and by differences.
const LATE: [&str; 2] = ["finishes-late", "owner-finishes-late"];

/// A part that an operator lacks.
#[derive(Clone, Copy, Debug)]
enum Lack {
    CompareAndSwap,
    StoredIntent,
}

/// All of them, by the names that the model (tests/model) gives the same.
const LACKS: [(&str, Lack); 2] =
    [("no compare-and-swap", Lack::CompareAndSwap), ("the intent is read from a stale cache", Lack::StoredIntent)];

/// How many parts are taken away here.
pub const PARTS: usize = LACKS.len();

/// The case of a scenario in which what is lacking must show.
fn case(scenario: &'static str, (name, lack): (&'static str, Lack), late: &Reference) -> Case {
    let scenario = scenarios().into_iter().find(|known| known.name == scenario).expect("it is there");
    let records = &late.records;
    let purchase = records.iter().find(|record| record.is_purchase()).expect("it buys").number;
    let intent = records.iter().find(|record| record.intent).expect("it records an intent").number;
    let before = records[..intent - 1].iter().rev();
    let secret = before.clone().find(|record| record.hop == Hop::Apiserver).expect("it reads the Secret").number;
    let at = |number| Target::of(records, number);
    let (fault, crew, part) = match lack {
        Lack::CompareAndSwap => ((at(secret), Action::LoseLease(WHILE_BOTH_LEAD)), two_leaders(), Part::CompareAndSwap),
        Lack::StoredIntent => ((at(purchase), Action::Kill(Place::Underway)), crew(1), Part::StoredIntent),
    };
    let crew = Crew { lacks: Some(part), ..crew };
    Case { fault: Some(fault), ..Case::apart(scenario, WEAKENED, format!("weakened: {name}"), crew) }
}

/// Says whether each of them was seen to buy too much.
pub async fn all_are_caught(ground: &Arc<Ground>, known: &HashMap<&'static str, Reference>, replays: &Replays) -> bool {
    let each = LATE.into_iter().flat_map(|scenario| LACKS.map(|lack| (scenario, lack)));
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
