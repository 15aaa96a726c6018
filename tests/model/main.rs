//! The purchase protocol, checked in every order of events within bounds: one object, one or two replicas of the
//! operator, a vendor, and a few faults. `quantity` is a vendor whose seats are a number, `keys` one whose seats come
//! from license keys.
//!
//! The operator of the model calls the same code as the operator that ships wherever something is judged or recorded:
//! `domain::decide`, `domain::after_decision`, `domain::after_request`, and `domain::over_another_write` where somebody else wrote
//! meanwhile. So what is checked is the code. A copy, in `operator`, is what `controller` does around them, and each part of it is
//! compared with the code or named here:
//!
//! * The order of the steps of a pass, the compare-and-swap of an intent and of a status, that a request leaves only before the send
//!   deadline, that it is read back, and what is written over another write: `passes` lists each pass that the model makes,
//!   and `tests/faults/conformance.rs` brings the shipped binary to them.
//! * The clock of a doubt (`domain::DoubtClock`): `clocks` plays traces of the model on the real one.
//! * That a reading is as old as the moment at which it was asked for: a unit test of `controller::decide` alone holds that.
//!
//! Who may write to which account at all is a model of its own, in `registry`.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod apiserver;
mod bridge;
mod case;
mod clocks;
mod keys;
mod operator;
mod pass_step;
mod passes;
mod properties;
mod quantity;
mod registry;
mod replica;
mod variants;
mod world;

use std::io::Write;
use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use case::Case;
use variants::Variant;

/// What came out of one variant.
struct Checked {
    /// The first property found broken.
    broken: Option<&'static str>,
    states: usize,
}

/// Checks one variant and says what came out.
fn check<C: Case>(variant: Variant<C>) -> Checked {
    let started = Instant::now();
    let checker = variant.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    let properties = variant.properties();
    let mut always = properties.iter().filter(|property| matches!(property.expectation, Expectation::Always));
    let broken = always.find(|property| found.contains_key(property.name)).map(|property| property.name);
    let verdict = broken.map_or_else(|| "safe".to_owned(), |name| format!("caught: {name}"));
    let states = checker.unique_state_count();
    let line = format!("model: {} {} {states} states, {verdict}", variant.name(), variant.replicas);
    // Past the capture of the test harness: `make test` shows these lines.
    let mut out = std::io::stdout();
    writeln!(out, "{line} ({:.1} s)", started.elapsed().as_secs_f64()).unwrap();
    // The shortest way there, for whoever has to mend the protocol (or wants to see why a part is needed).
    if let Some(path) = broken.and_then(|name| found.get(name))
        && (variant.fault_switch.is_none() || std::env::var_os("MODEL_TRACES").is_some())
    {
        for (world, act) in path.clone().into_vec() {
            writeln!(out, "  {}: {act:?}", world.brief()).unwrap();
        }
    }
    if broken.is_none() && variant.fault_switch.is_none() {
        for property in properties.iter().filter(|property| matches!(property.expectation, Expectation::Sometimes)) {
            assert!(found.contains_key(property.name), "{line}: no state where it {}", property.name);
        }
    }
    Checked { broken, states }
}

/// Nothing is broken. Returns how many states there are.
fn safe<C: Case>(variant: Variant<C>) -> usize {
    let checked = check(variant);
    assert_eq!(checked.broken, None, "{} with {} replicas", variant.name(), variant.replicas);
    checked.states
}

/// A weakened protocol does the harm that its part prevents; a check that could not see that would be worth nothing.
fn caught<C: Case>(variant: Variant<C>) {
    let broken = check(variant).broken;
    assert!(
        broken.is_some_and(|name| C::HARM.contains(&name)),
        "{} with {} replicas is not caught: {broken:?}",
        variant.name(),
        variant.replicas
    );
}
