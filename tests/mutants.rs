//! `docs/evidence/mutants.md` is kept by hand after each mutation run: its tables are about files that exist, leave out none of the
//! pure layers and none of what judges a vendor's answers, and add up.

use std::collections::BTreeSet;
use std::fs;

use crate::{root, sources};

/// Whose files a mutation run plays: the layers without I/O, and the vendors, which send changes and judge the answers.
const PLAYED: [&str; 5] = ["calendar", "domain", "registry", "vendors/bitwarden", "vendors/immuta"];

/// What all vendors send changes with.
const PLAYED_FILES: [&str; 2] = ["vendors/connection.rs", "vendors/recorded_intent.rs"];

/// A source of tests alone, by a `cfg` where it is named.
const OF_TESTS: &str = "hostile_answers.rs";

fn page() -> String {
    fs::read_to_string(root().join("docs/evidence/mutants.md")).expect("docs/evidence/mutants.md")
}

/// The file of each row, and its numbers: mutants, and what became of them.
fn rows(page: &str) -> Vec<(&str, Vec<usize>)> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    let rows: Vec<_> = cells
        .map(|(file, numbers)| (file, numbers.split(" | ").map(|number| number.parse().expect("a number")).collect()))
        .collect();
    assert!(rows.len() > 50, "only {} files", rows.len());
    rows
}

#[test]
fn each_file_that_decides_or_judges_is_in_one_table_or_not_played() {
    let page = page();
    let (_, not_played) = page.split_once("## Not played\n").expect("a heading");
    let played: Vec<&str> = rows(&page).into_iter().map(|(file, _)| file).collect();
    let skipped: Vec<&str> = not_played.split('`').skip(1).step_by(2).filter(|name| name.contains('/')).collect();
    let skipped: Vec<&str> = skipped.into_iter().filter(|name| name.ends_with(".rs")).collect();
    let mut told = BTreeSet::new();
    for file in played.iter().chain(&skipped) {
        assert!(root().join("src").join(file).is_file(), "docs/evidence/mutants.md: src/{file} does not exist");
        assert!(told.insert((*file).to_owned()), "docs/evidence/mutants.md names {file} twice");
    }
    let files = PLAYED.iter().flat_map(|folder| sources(&root().join("src").join(folder)));
    let files = files.map(|path| path.strip_prefix(root().join("src")).expect("a source").display().to_string());
    let files = files.chain(PLAYED_FILES.map(str::to_owned));
    let of_tests = |file: &String| file.contains("/tests") || file.ends_with(OF_TESTS);
    let untold: Vec<String> = files.filter(|file| !of_tests(file) && !told.contains(file)).collect();
    assert_eq!(
        untold,
        Vec::<String>::new(),
        "docs/evidence/mutants.md has them in no table and not under \"Not played\""
    );
}

#[test]
fn each_row_of_mutants_adds_up_and_so_does_the_line_of_all() {
    let page = page();
    let mut sums = [0; 5];
    for (file, numbers) in rows(&page) {
        let [mutants, rest @ ..] = numbers.as_slice() else { panic!("{file} has no numbers") };
        assert_eq!((rest.len(), rest.iter().sum::<usize>()), (4, *mutants), "{file}");
        sums.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += number);
    }
    let [mutants, killed, timeouts, unviable, survivors] = sums;
    let line = format!(
        "All tables together: {mutants} changes, {killed} killed, {timeouts} time-outs, {unviable} unviable, {survivors} survivors."
    );
    assert!(page.contains(&line), "docs/evidence/mutants.md must say: {line}");
}
