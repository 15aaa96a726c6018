//! The registry of ownership, checked in every order of events within bounds: two objects of one pool and a third of another
//! pool of the same account, one or two replicas of which each has the real registry, and a vendor whose requests end late.

mod asked;
mod calm;
mod events;
mod fault_switches;
mod pass;
mod properties;
mod replica;
mod variants;
mod world;

use std::io::Write;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use events::ALL;
use fault_switches::FaultSwitch;
use variants::Variant;

/// Checks one variant, says what came out, and returns the number of states and the first property found broken.
fn check(variant: Variant) -> (usize, Option<&'static str>) {
    let started = Instant::now();
    let (name, fault_switch, replicas) = (variant.name, variant.fault_switch, variant.replicas);
    let checker = variant.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    let broken = found.keys().next().copied();
    let verdict = broken.map_or_else(|| "safe".to_owned(), |name| format!("caught: {name}"));
    let what = fault_switch.map_or(name, FaultSwitch::name);
    let (states, seconds) = (checker.unique_state_count(), started.elapsed().as_secs_f64());
    // Past the capture of the test harness: `make test` shows these lines.
    let mut out = std::io::stdout();
    writeln!(out, "model of the registry: {what}; {replicas} {states} states, {verdict} ({seconds:.1} s)").unwrap();
    if let Some(path) = found.into_values().next()
        && (fault_switch.is_none() || std::env::var_os("MODEL_TRACES").is_some())
    {
        for (_, act) in path.into_vec() {
            writeln!(out, "  {act:?}").unwrap();
        }
    }
    (states, broken)
}

/// Checks that each of these holds, and that together they are large enough.
fn safe(variants: &[Variant], at_least: usize) {
    let checked = variants.iter().map(|variant| {
        let (states, broken) = check(variant.clone());
        assert_eq!(broken, None, "{}", variant.name);
        states
    });
    let states: usize = checked.sum();
    assert!(states >= at_least, "only {states} states");
}

#[test]
fn account_has_one_change_at_once_despite_object_and_leader_changes() {
    let variants = Variant::each();
    safe(&variants, 8_000_000);
    let happens = |event| variants.iter().any(|variant| variant.taken.has(event));
    let never: Vec<_> = ALL.iter().filter(|event| !happens(**event)).collect();
    assert!(never.is_empty(), "never happens: {never:?}");
}

#[test]
#[ignore = "larger, with the same verdict: cargo test --test model -- --ignored"]
fn account_has_one_change_at_once_despite_changes_of_both() {
    safe(&Variant::larger(), 10_000_000);
}

#[test]
fn driver_that_leaves_a_guard_out_is_caught() {
    for fault_switch in FaultSwitch::ALL {
        for promise in fault_switch.breaks() {
            let (_, broken) = check(fault_switch.variant(promise));
            assert_eq!(broken, Some(*promise), "{fault_switch:?}");
        }
    }
}
