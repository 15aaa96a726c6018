//! Every pass that one replica of the model can make: its steps, in their order, with what came of each. `passes.txt` lists
//! them, and tests/faults/conformance plays them on the real controller: there the same things come of the same steps.
//!
//! `UPDATE_DOCS=1 cargo test --test model passes` writes the list anew.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use stateright::Model;

use crate::apiserver::Record;
use crate::case::Case;
use crate::pass_step::{Left, OnRecord, PassStep, Stored, line};
use crate::variants::Variant;

/// The steps of a pass so far, as one number: a part of a state is small. Empty between two passes, and always where nobody
/// asks for passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Steps(u64);

const BITS: u32 = 6;

fn all() -> &'static [PassStep] {
    static ALL: OnceLock<Vec<PassStep>> = OnceLock::new();
    ALL.get_or_init(PassStep::all)
}

impl Steps {
    fn then(self, step: PassStep) -> Self {
        let place = all().iter().position(|known| *known == step).expect("a step that there can be");
        assert_eq!(self.0 >> (u64::BITS - BITS), 0, "more steps than a pass can have");
        Self(self.0 << BITS | (place as u64 + 1))
    }

    fn list(self) -> Vec<PassStep> {
        let (all, mut left, mut steps) = (all(), self.0, Vec::new());
        while left > 0 {
            let place = usize::try_from(left & ((1 << BITS) - 1)).expect("a few bits");
            steps.push(all[place - 1]);
            left >>= BITS;
        }
        steps.reverse();
        steps
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Where each pass that ends is noted.
#[derive(Debug, Default)]
pub struct Passes(Mutex<BTreeSet<Steps>>);

impl Passes {
    pub fn note(&self, pass: Steps) {
        self.0.lock().unwrap().insert(pass);
    }
}

impl<C: Case> Variant<C> {
    /// The steps with one more, where somebody asks for passes.
    pub fn with_step(&self, steps: Steps, step: PassStep) -> Steps {
        if self.passes.is_some() { steps.then(step) } else { steps }
    }
}

/// What a write leaves on record.
pub fn left<C: Case>(before: &Record<C>, after: &Record<C>) -> Left {
    let intent = match (before.intent, after.intent) {
        (None, None) => OnRecord::None,
        (Some(_), None) => OnRecord::Closed,
        (_, Some(_)) => OnRecord::Stays,
    };
    let made = C::newest(&after.made).is_some() && C::newest(&after.made) != C::newest(&before.made);
    Left { intent, plan: after.published.is_some() && after.published != before.published, made }
}

/// Walks through all states and finds each pass.
fn passes_of<C: Case>(variants: impl IntoIterator<Item = Variant<C>>) -> BTreeSet<Vec<PassStep>> {
    let passes: &'static Passes = Box::leak(Box::default());
    for variant in variants {
        let variant = Variant { passes: Some(passes), ..variant };
        let (mut seen, mut next) = (HashSet::new(), variant.init_states());
        while let Some(world) = next.pop() {
            let mut acts = Vec::new();
            variant.actions(&world, &mut acts);
            let worlds = acts.into_iter().filter_map(|act| variant.next_state(&world, act));
            next.extend(worlds.filter(|world| seen.insert(fingerprint(world))));
        }
        let line = format!("passes: {} {}: {} states", variant.name(), variant.replicas, seen.len());
        // Past the capture of the test harness, as the other lines of the model.
        let mut out = std::io::stdout();
        writeln!(out, "{line}").unwrap();
    }
    let found = passes.0.lock().unwrap();
    found.iter().map(|steps| steps.list()).collect()
}

fn fingerprint(part: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    part.hash(&mut hasher);
    hasher.finish()
}

/// Why a pass is not provoked on the controller.
fn only_in_the_model(pass: &[PassStep]) -> Option<&'static str> {
    let closed = PassStep::Status(Stored::Merged(Left { intent: OnRecord::Closed, plan: false, made: false }));
    (pass.contains(&PassStep::ReadBack(true)) && pass.last() == Some(&closed)).then_some(
        "another replica must judge the same intent and record its change as made, between the request and its record",
    )
}

const HEAD: &str = "\
# Every pass that one replica of the model makes, with seats that are a number, with license keys, or with both. Written by:
# UPDATE_DOCS=1 cargo test --test model passes. tests/faults/conformance plays each on the controller.

";

#[test]
fn passes_of_the_model_are_listed_for_the_controller_to_play() {
    let mut kinds: BTreeMap<Vec<PassStep>, Vec<&str>> = BTreeMap::new();
    for pass in passes_of(crate::quantity::with_all_passes()) {
        kinds.entry(pass).or_default().push("seats");
    }
    for pass in passes_of(crate::keys::with_all_passes()) {
        kinds.entry(pass).or_default().push("keys");
    }
    let mut text = HEAD.to_owned();
    for (pass, kinds) in &kinds {
        let only = only_in_the_model(pass).map(|why| format!("  # only in the model: {why}")).unwrap_or_default();
        text.push_str(&format!("{:<11}{}{only}\n", kinds.join(" "), line(pass)));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("passes.txt");
    if std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &text).unwrap();
    }
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(listed, text, "tests/model/passes.txt is stale: UPDATE_DOCS=1 cargo test --test model passes");
}
