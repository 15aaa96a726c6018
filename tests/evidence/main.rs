//! Takes away one guard at a time, in a copy of the sources, and runs the test that must notice. `guards.yaml` names the
//! promises, their guards and those tests; each test must pass with every guard in its place. What was seen becomes `docs/evidence/guards.md`.
//!
//! `evidence` plays all guards, `evidence WORD...` those whose promise, file or test contains one of the words, and `evidence --rest`
//! those that have not been seen as they are written now. What was seen is kept, and the page says it of each guard.
//! `evidence --page` plays nothing and writes the page. `evidence --check` plays nothing: each guard must still be in its file, once, and the page must be of the list and of what was seen.
#![allow(clippy::print_stdout, reason = "a program for people")]

mod guard;
mod seen;
mod tree;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use guard::{Guard, Seen, Test, page};
use seen::Marks;
use tree::Tree;

/// Where the list and the page are.
const LIST: &str = "tests/evidence/guards.yaml";
const PAGE: &str = "docs/evidence/guards.md";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("evidence: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every guard that is asked for was missed by its test.
fn run(words: &[String]) -> Result<bool, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let guards: Vec<Guard> = serde_yaml::from_str(&std::fs::read_to_string(root.join(LIST))?)?;
    for guard in &guards {
        guard.replaced(&std::fs::read_to_string(root.join(&guard.file))?)?;
    }
    let mut marks = Marks::kept(&root);
    if words == ["--check"] {
        return is_current(&root, &guards, &marks).map(|()| true);
    }
    let is_asked = |guard: &&Guard| match words {
        [] => true,
        [option] if option == "--rest" => !marks.have(guard),
        [option] if option == "--page" => false,
        words => guard.is_about(words),
    };
    let mut asked: Vec<&Guard> = guards.iter().filter(is_asked).collect();
    // Those of one program after each other, the quickest program first.
    asked.sort_by_key(|guard| guard.red.order());
    let tree = Tree::copy_of(&root)?;
    // A test that fails anyway proves nothing.
    let tests: BTreeSet<&Test> = asked.iter().map(|guard| &guard.red).collect();
    let fail_anyway = tree.failing_with_all(&tests)?;
    for test in &fail_anyway {
        println!("evidence: with every guard in its place this test does not pass: {}", test.name());
    }
    let mut sound = fail_anyway.is_empty();
    for (nth, guard) in asked.iter().enumerate() {
        let seen = tree.without(guard)?;
        println!("evidence: {} of {}: {seen}: {} ({})", nth + 1, asked.len(), guard.promise, guard.file);
        let red = seen == Seen::Red;
        marks.keep(guard, red && !fail_anyway.contains(&&guard.red), &guards)?;
        sound &= red;
    }
    std::fs::write(root.join(PAGE), page(&guards, |guard| marks.have(guard)))?;
    Ok(sound)
}

/// `Err`: the page is of another list, or of another run.
fn is_current(root: &Path, guards: &[Guard], marks: &Marks) -> Result<(), Box<dyn Error>> {
    if std::fs::read_to_string(root.join(PAGE))? == page(guards, |guard| marks.have(guard)) {
        return Ok(());
    }
    Err(format!("{PAGE} is of another list: write it with make evidence WORDS=--page, and play it with WORDS=--rest")
        .into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_guard_of_the_list_is_in_its_source_and_the_page_is_of_the_list() {
        assert_eq!(super::run(&["--check".to_owned()]).map_err(|why| why.to_string()), Ok(true));
    }
}
