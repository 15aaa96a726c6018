//! What pages say of a run in numbers, compared with what the run has: scenarios, cases, and the least of each kind. Called by
//! `main` before anything is played.

use crate::case::SILENCE;
use crate::outside::PARTS;
use crate::replays::{MOST_REPLAYS, MOST_TRIES};
use crate::report::{LEAST_BY_OWNER, OF_WHICH_ONE_IS_MISSED, least};
use crate::scenario::scenarios;
use crate::selection::{CLOSES, CONTROL_PLANE, IN_WINDOW, LICENSE_KEYS, Name, TWO_INSTALLATIONS};

const NEVER_BUYS_TWICE: &str = "docs/never-buys-twice.md";
const NIGHTLY: &str = ".github/workflows/nightly.yml";
const IMMUTA: &str = "docs/immuta.md";

/// Whether each page quotes what there is; says what it must say where it does not. `listed`: those of `chosen.txt`.
pub fn is_right(all: &[Name], listed: &[Name]) -> bool {
    let wrong: Vec<_> = quotations(all, listed).into_iter().filter(|(page, words)| !says(page, words)).collect();
    for (page, words) in &wrong {
        println!("faults: {page} must say: {words}");
    }
    wrong.is_empty()
}

/// Pages, and what each must say.
fn quotations(all: &[Name], listed: &[Name]) -> Vec<(&'static str, String)> {
    let (stories, by_owner) = (scenarios().len(), scenarios().iter().filter(|scenario| scenario.by_owner).count());
    let of_keys = |names: &[Name]| names.iter().filter(|name| name.kind == LICENSE_KEYS).count();
    let closing = listed.iter().filter(|name| name.scenario == IN_WINDOW && name.action == CLOSES).count();
    let chosen = listed.len();
    let known = about(NEVER_BUYS_TWICE, (all.len(), 1000), |known| {
        format!("Of all cases (about {known}), `make test` plays those that")
    });
    let part = about(NIGHTLY, (all.len() / 24, 100), |part| format!("Twenty-four parts of about {part} cases."));
    let keys = about(IMMUTA, (of_keys(all), 10), |keys| {
        format!("Of about {keys} such faults, `make test` plays {}:", of_keys(listed))
    });
    let of_the_page = [
        format!("plays {stories} scenarios, {by_owner} of them by differences"),
        known,
        format!("{} crashes and {} pauses past lease and settle time", least("crash"), least("pause")),
        format!("{} with two replicas, {} with wall clocks an hour off", least("split-brain"), least("clock")),
        format!("in {closing} of these the window of a change closes at a request"),
        format!("{} bad answers of the vendor, {} faults of the apiserver", least("answer"), least("apiserver")),
        format!("{} in which a person does something just then", least("elsewhere")),
        format!("{} in which apiserver or etcd are killed", least(CONTROL_PLANE)),
        format!("{} with license keys", least(LICENSE_KEYS)),
        format!("{} with two installations", least(TWO_INSTALLATIONS)),
        format!("{LEAST_BY_OWNER} of all these with an owner's key"),
        format!("After each case {SILENCE} polls must go by without a write"),
        format!("is played once more, alone: {MOST_REPLAYS} cases and {MOST_REPLAYS} passes at most"),
        format!("is tried again, {MOST_TRIES} times at most in all"),
        format!("One case of {OF_WHICH_ONE_IS_MISSED} may be missed"),
        format!("{PARTS} parts more are taken away from outside"),
        format!("On the way to the apiserver the proxy takes {} parts away", crate::weakened::PARTS),
    ];
    let elsewhere = [(NIGHTLY, part), (NIGHTLY, format!("A pull request plays {chosen} in all.")), (IMMUTA, keys)];
    of_the_page.into_iter().map(|words| (NEVER_BUYS_TWICE, words)).chain(elsewhere).collect()
}

/// Wherever the lines of the page end.
fn says(page: &str, words: &str) -> bool {
    let text = std::fs::read_to_string(seatkeeper_support::workspace_root().join(page)).expect("a page");
    text.split_whitespace().collect::<Vec<_>>().join(" ").contains(words)
}

/// What a page says of about so many, or must say. A reference may have a poll more or less than the last one, so the next step
/// up or down is as right.
fn about(page: &str, (number, to): (usize, usize), words: impl Fn(&str) -> String) -> String {
    let near = [number, number + to, number.saturating_sub(to)].map(|number| words(&rounded(number, to)));
    let said = near.iter().find(|words| says(page, words)).cloned();
    said.unwrap_or_else(|| near[0].clone())
}

/// To the nearest such number, as pages write it.
fn rounded(number: usize, to: usize) -> String {
    let number = (number + to / 2) / to * to;
    if number < 1000 { number.to_string() } else { format!("{} {:03}", number / 1000, number % 1000) }
}
