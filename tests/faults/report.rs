//! Counts what was played, tells what failed, and writes the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::branch::{Branch, Branches};
use crate::case::End;
use crate::flaw::{Broken, Flaw};
use crate::replays::Replays;
use crate::rig::conditions;
use crate::selection::{CONTROL_PLANE, LICENSE_KEYS, Name, TWO_INSTALLATIONS, unshown};
use crate::table::{self, Counts};

/// Fewer of a kind in a whole run would not be the proof that is promised.
const LEAST: [(&str, usize); 10] = [
    ("crash", 90),
    ("answer", 100),
    ("apiserver", 60),
    ("split-brain", 35),
    ("pause", 10),
    ("elsewhere", 45),
    ("clock", 28),
    (CONTROL_PLANE, 10),
    (LICENSE_KEYS, 80),
    (TWO_INSTALLATIONS, 20),
];

/// The least of a kind.
pub fn least(kind: &str) -> usize {
    LEAST.iter().find(|(known, _)| *known == kind).map(|(_, least)| *least).expect("it is there")
}

/// Fewer through the owner API would prove nothing of differences.
pub const LEAST_BY_OWNER: usize = 150;

/// Of so many cases one may be missed.
pub const OF_WHICH_ONE_IS_MISSED: usize = 20;

#[derive(Default)]
pub struct Report {
    /// By kind and action.
    rows: BTreeMap<(&'static str, String), Tally>,
    failed: Vec<String>,
    /// Cases that show nothing, because their fault never took effect or no record shows it. They are in no tally.
    missed: Vec<String>,
    bought_twice: usize,
    reviews: Vec<String>,
    run: usize,
    /// Of these, changes through the owner API.
    by_owner: usize,
    /// How many there are to choose from.
    known: usize,
    branches: Branches,
    /// What the names of those that ran say that they play. A case that is missed shows nothing.
    shown: BTreeSet<String>,
}

#[derive(Default)]
struct Tally {
    run: usize,
    in_sync: usize,
    rejected: usize,
    needs_review: usize,
    held: usize,
    failed: usize,
}

impl Report {
    /// So many cases could be played.
    pub fn knowing(known: usize) -> Self {
        Self { known, ..Self::default() }
    }

    /// `by_owner`: the change went through the owner API.
    pub fn note(&mut self, name: &Name, by_owner: bool, result: Result<End, &Broken>) {
        if let Err(Broken { flaw: Flaw::Missed(why), .. }) = result {
            return self.missed.push(format!("{name}: {why}"));
        }
        self.shown.extend(name.branches());
        let row = self.rows.entry((name.kind, name.action.clone())).or_default();
        row.run += 1;
        self.run += 1;
        self.by_owner += usize::from(by_owner);
        if self.run.is_multiple_of(100) {
            println!("faults: {} so far of kinds as {}", self.run, name.kind);
        }
        match result {
            Ok(End::InSync) => row.in_sync += 1,
            Ok(End::Rejected) => row.rejected += 1,
            Ok(End::NeedsReview) => {
                row.needs_review += 1;
                self.reviews.push(name.to_string());
            }
            Ok(End::Held | End::Contested | End::Deferred) => row.held += 1,
            Err(Broken { flaw, story }) => {
                row.failed += 1;
                self.bought_twice += usize::from(matches!(flaw, Flaw::BoughtTwice(_)));
                println!("\nFAILED {name}: {flaw}\n{story}\nreplay: FAULT_CASE={:?}\n", name.to_string());
                self.failed.push(format!("{name}: {flaw}"));
            }
        }
    }

    /// The branches of the oracles that decided a case.
    pub fn decided<'a>(&mut self, branches: impl IntoIterator<Item = &'a Branch>) {
        self.branches.note(branches);
    }

    /// Takes in what was played beside.
    pub fn add(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.failed.extend(other.failed);
        self.missed.extend(other.missed);
        self.bought_twice += other.bought_twice;
        self.reviews.extend(other.reviews);
        self.run += other.run;
        self.by_owner += other.by_owner;
        self.known += other.known;
        self.branches.add(other.branches);
        self.shown.extend(other.shown);
    }

    /// Nothing failed, and no more was missed than may be.
    pub fn sound(&self) -> bool {
        self.failed.is_empty() && self.missed.len() <= self.most_missed()
    }

    fn most_missed(&self) -> usize {
        (self.run + self.missed.len()) / OF_WHICH_ONE_IS_MISSED
    }

    fn table(&self) -> String {
        let mut table = String::from(
            "| kind | what happens | run | in sync | refused | needs review | held | failed |\n|---|---|---|---|---|---|---|---|\n",
        );
        for ((kind, action), row) in &self.rows {
            let Tally { run, in_sync, rejected, needs_review, held, failed } = row;
            let _ = writeln!(
                table,
                "| {kind} | {action} | {run} | {in_sync} | {rejected} | {needs_review} | {held} | {failed} |"
            );
        }
        table
    }

    fn kinds(&self) -> BTreeMap<&str, usize> {
        let mut kinds = BTreeMap::new();
        for ((kind, _), row) in &self.rows {
            *kinds.entry(*kind).or_default() += row.run;
        }
        kinds
    }

    fn line(&self, replays: &Replays) -> String {
        let Self { run, bought_twice, reviews, .. } = self;
        let (reviews, missed, most_missed) = (reviews.len(), self.missed.len(), self.most_missed());
        format!(
            "faults: {run} run, {bought_twice} double purchases, {reviews} NeedsReview (= ambiguous), {missed} missed (of at \
             most {most_missed}), {replays}"
        )
    }

    pub fn print(&self, took: Duration, replays: &Replays) {
        println!("{}", self.table());
        let Self { by_owner, known, .. } = self;
        let (kinds, failed, seconds) = (self.kinds(), self.failed.len(), took.as_secs());
        println!(
            "{kinds:?}, of {known} that there are; {by_owner} of them through the owner API; in {seconds} s, {failed} failed"
        );
        println!("{}", self.branches);
        for failed in &self.failed {
            println!("failed: {failed}");
        }
        for review in &self.reviews {
            println!("needs review: {review}");
        }
        for missed in &self.missed {
            println!("missed: {missed}");
        }
        println!("{}", conditions());
        println!("{}", self.line(replays));
    }

    /// Whether a whole run was as much as is promised, and docs/evidence/faults.md has the same rows; `listed`: those of `chosen.txt`.
    pub fn whole(&self, listed: &[Name], replays: &Replays) -> bool {
        let kinds = self.kinds();
        let few = LEAST.iter().filter(|(kind, least)| kinds.get(kind).is_none_or(|run| run < least));
        let few = few.map(|(kind, least)| format!("fewer than {least} of kind {kind}"));
        let by_owner =
            (self.by_owner < LEAST_BY_OWNER).then(|| format!("fewer than {LEAST_BY_OWNER} with an owner's key"));
        let missed = unshown(listed, &self.shown).into_iter();
        let missed = missed.map(|branch| format!("listed, and shown by no case that ran: {branch}"));
        let few: Vec<_> = few.chain(by_owner).chain(missed).chain(self.branches.out_of_bounds()).collect();
        for few in &few {
            println!("faults: {few}");
        }
        few.is_empty() && self.documented(listed, replays)
    }

    /// Writes docs/evidence/faults.md (`UPDATE_DOCS=1`), or compares its rows with those of this run, and how many cases each has
    /// with the list. How a case ended may differ.
    fn documented(&self, listed: &[Name], replays: &Replays) -> bool {
        let path = seatkeeper_support::workspace_root().join("docs/evidence/faults.md");
        if std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1") {
            let (table, conditions, line) = (self.table(), conditions(), self.line(replays));
            let run = self.run;
            let text = format!(
                "# Faults and their outcomes\n\nGenerated by `UPDATE_DOCS=1 cargo test --test faults`. Played are {run} cases, \
                 as tests/faults/chosen.txt lists them: each action and each \
                 scenario of a kind, and of the rest mostly those at a purchase or at the record of one. The \
                 nightly workflow plays all that there are, and `make torture` any. Each row is one fault, played at \
                 many requests of many scenarios:\n\n\
                 * kind: what fails (the answer, the apiserver, a clock and others)\n\
                 * what happens: the fault at one request of the operator\n\
                 * run: how many cases were played\n\
                 * in sync: how many ended with the account as declared\n\
                 * refused: how many ended in a reported refusal\n\
                 * needs review: how many ended in a question to a person\n\
                 * held: how many waited, where at first sight a person must agree to lower seats, or a bill contradicts them, for the \
                 next window, or for an approval\n\
                 * failed: how many broke a promise\n\n\
                 {table}\n`{conditions}`\n\n`{line}`\n"
            );
            std::fs::write(path, text).expect("docs/evidence/faults.md");
            return true;
        }
        let text = std::fs::read_to_string(path).expect("docs/evidence/faults.md");
        let missing = self.rows.keys().find(|(kind, action)| !text.contains(&format!("| {kind} | {action} |")));
        let there = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| kind |")).count();
        // A release build is played at night, and the page is that of a debug build.
        let as_told = cfg!(not(debug_assertions)) || text.contains(&conditions());
        let same = missing.is_none() && there == self.rows.len() && as_told;
        let counted = table::is_of(&text, &counts(listed));
        if !same || counted.is_err() {
            println!(
                "docs/evidence/faults.md is stale ({missing:?}, {counted:?}): run UPDATE_DOCS=1 cargo test --test faults"
            );
        }
        same && counted.is_ok()
    }
}

/// How many cases a list has of each kind and action.
fn counts(listed: &[Name]) -> Counts {
    let mut counts = Counts::new();
    for name in listed {
        *counts.entry((name.kind.to_owned(), name.action.clone())).or_default() += 1;
    }
    counts
}
