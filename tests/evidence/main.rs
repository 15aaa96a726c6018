//! Takes away one guard at a time, in a copy of the sources, and runs the test that must notice. `guards.yaml` names the
//! promises, their guards and those tests; each test must pass with every guard in its place. What was seen becomes `docs/evidence/guards.md`.
//!
//! `evidence` plays all guards and writes the page. `evidence WORD` plays those whose promise or file contains the word, and
//! writes nothing. `evidence --check` plays nothing: each guard must still be in its file, once, and a page that was written must be
//! of this list.
#![allow(clippy::print_stdout, reason = "a program for people")]

mod guard;
mod tree;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use guard::{Guard, Seen, page};
use tree::Tree;

/// Where the list and the page are.
const LIST: &str = "tests/evidence/guards.yaml";
const PAGE: &str = "docs/evidence/guards.md";

fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    match run(word.as_deref()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("evidence: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every guard was missed by its test.
fn run(word: Option<&str>) -> Result<bool, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let guards: Vec<Guard> = serde_yaml::from_str(&std::fs::read_to_string(root.join(LIST))?)?;
    for guard in &guards {
        guard.replaced(&std::fs::read_to_string(root.join(&guard.file))?)?;
    }
    if word == Some("--check") {
        return match std::fs::read_to_string(root.join(PAGE)) {
            Ok(stored) if stored != page(&guards) => {
                Err(format!("{PAGE} is of another list: play it with make evidence").into())
            }
            _ => Ok(true),
        };
    }
    let tree = Tree::copy_of(&root)?;
    let mut sound = true;
    let asked: Vec<&Guard> = guards.iter().filter(|guard| word.is_none_or(|word| guard.is_about(word))).collect();
    // A test that fails anyway proves nothing.
    for test in asked.iter().map(|guard| &guard.red).collect::<BTreeSet<_>>() {
        let seen = tree.with_all(test)?;
        if seen != Seen::Green {
            println!("evidence: with every guard in its place {} is {seen}", test.name());
            sound = false;
        }
    }
    for guard in asked {
        let seen = tree.without(guard)?;
        println!("evidence: {seen}: {} ({})", guard.promise, guard.file);
        sound &= seen == Seen::Red;
    }
    if sound && word.is_none() {
        std::fs::write(root.join(PAGE), page(&guards))?;
    }
    Ok(sound)
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_guard_of_the_list_is_in_its_source_and_the_page_is_of_the_list() {
        assert_eq!(super::run(Some("--check")).map_err(|why| why.to_string()), Ok(true));
    }
}
