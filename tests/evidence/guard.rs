//! One promise, the guard that keeps it, and the test that notices when the guard is gone.

use std::fmt;

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// One entry of the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// What people are told.
    pub promise: String,
    /// The page that tells it.
    pub said: String,
    /// The source with the guard.
    pub file: String,
    /// The guard as it is written there, once.
    guard: String,
    /// What stands there without it.
    without: String,
    /// The test that turns red.
    pub red: Test,
}

/// A test, and how it is run.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Test {
    /// A unit test of the pure layers: its full name.
    Pure(String),
    /// A unit test of the operator: its full name.
    Unit(String),
    /// A test of the model: its full name.
    Model(String),
    /// A test of the binary against a real apiserver: its full name.
    Behavior(String),
    /// A pass of the model that the binary is brought to: its line in `tests/model/passes.txt`.
    Conformance(String),
    /// The simulated years, all of them.
    Years,
}

/// What was seen of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The test failed, as it must without its guard.
    Red,
    /// The test passed. Without its guard: nothing notices that the guard is gone.
    Green,
    /// The sources without the guard are no program, or there is no such test.
    NotPlayed,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Red => "red",
            Self::Green => "GREEN",
            Self::NotPlayed => "NOT PLAYED",
        })
    }
}

impl Guard {
    /// The source without the guard.
    pub fn replaced(&self, source: &str) -> Result<String, String> {
        match source.matches(&self.guard).count() {
            1 => Ok(source.replacen(&self.guard, &self.without, 1)),
            times => Err(format!(
                "{}: the guard of \"{}\" is there {times} times: correct guards.yaml",
                self.file, self.promise
            )),
        }
    }

    /// What is played, in one word: the file, the guard, what stands there without it, and the test.
    pub fn mark(&self) -> String {
        let mut hash = Sha256::new();
        for text in [self.file.as_str(), &self.guard, &self.without, self.red.name()] {
            hash.update(text);
            hash.update([0]);
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether one of the words is in its promise, its file or its test.
    pub fn is_about(&self, words: &[String]) -> bool {
        let texts = [self.promise.as_str(), self.file.as_str(), self.red.name()];
        words.iter().any(|word| texts.iter().any(|text| text.contains(word.as_str())))
    }
}

impl Test {
    /// Full name.
    pub fn name(&self) -> &str {
        match self {
            Self::Pure(name)
            | Self::Unit(name)
            | Self::Model(name)
            | Self::Behavior(name)
            | Self::Conformance(name) => name,
            Self::Years => "years",
        }
    }

    /// Whether its program runs it by its name.
    pub fn is_by_name(&self) -> bool {
        !matches!(self, Self::Conformance(_) | Self::Years)
    }

    /// The place of its program among all, the quickest first.
    pub fn order(&self) -> u8 {
        match self {
            Self::Pure(_) => 0,
            Self::Unit(_) => 1,
            Self::Behavior(_) => 2,
            Self::Years => 3,
            Self::Model(_) => 4,
            Self::Conformance(_) => 5,
        }
    }

    /// Arguments of `cargo test` that choose the program.
    pub fn program(&self) -> &'static [&'static str] {
        match self {
            Self::Pure(_) => &["--package", "seatkeeper-pure", "--lib"],
            Self::Unit(_) => &["--package", "seatkeeper", "--lib"],
            Self::Model(_) => &["--package", "seatkeeper-model", "--test", "model"],
            Self::Behavior(_) => &["--package", "seatkeeper", "--test", "behavior"],
            Self::Conformance(_) => &["--package", "seatkeeper", "--test", "faults"],
            Self::Years => &["--package", "seatkeeper-years", "--test", "years"],
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Pure(_) | Self::Unit(_) => "unit test",
            Self::Model(_) => "model",
            Self::Behavior(_) => "binary",
            Self::Conformance(_) => "pass of the model",
            Self::Years => "simulated years",
        }
    }
}

/// The page: every guard of the list, and whether its test was `seen` to fail without it as it is written now.
pub fn page(guards: &[Guard], seen: impl Fn(&Guard) -> bool) -> String {
    let mut page = "# What turns red when a guard is removed\n\n\
        `make evidence` takes away one guard at a time, in a copy of the sources, and runs the test that must notice. That test must also pass\n\
        with every guard in its place. `tests/evidence/guards.yaml` quotes the guards from the sources. `tests/evidence/seen.txt` has a mark for each guard whose\n\
        test was seen to fail without it, made of its file, its guard and its test. The last column says *seen* while the guard is\n\
        unchanged since then. A row without it is new, was changed, or was played before marks were kept:\n\
        `make evidence WORDS=--rest` plays those.\n\n\
        A test fails if a guard is no longer in its file, or if this page belongs to another list.\n\n\
        | Promise | Page | Guard | What turns red | | |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for guard in guards {
        let Guard { promise, said, file, red, .. } = guard;
        let mark = if seen(guard) { "seen" } else { "" };
        page += &format!("| {promise} | {said} | `{file}` | `{}` | {} | {mark} |\n", red.name(), red.kind());
    }
    page
}
