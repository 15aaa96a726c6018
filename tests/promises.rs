//! The promises of the pages: each quotes its page, and names tests and guards that exist.

use std::collections::BTreeSet;
use std::fs;

use crate::{root, tests};

/// The rows of a page's table of promises, from its heading on.
fn rows_below(page: &str, heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let below = text.split(heading).nth(1).unwrap_or_else(|| panic!("{page} has no {heading:?}"));
    let rows =
        below.lines().skip_while(|line| !line.starts_with("| ")).take_while(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// Each of the cells names tests that exist.
fn name_tests_that_exist<'a>(page: &str, cells: impl Iterator<Item = &'a String>) {
    let tests = tests();
    assert!(tests.len() > 300, "only {} tests found: does this test still read the sources?", tests.len());
    for cell in cells {
        let named: Vec<&str> = cell.split('`').filter(|part| part.contains("::")).collect();
        assert!(!named.is_empty(), "{page}: a promise without a test: {cell:?}");
        let missing = named.iter().find(|name| !tests.iter().any(|test| test == *name));
        assert!(missing.is_none(), "{page} names the test {}, which is not there", missing.unwrap_or(&""));
    }
}

#[test]
fn each_promise_of_the_threat_model_names_tests_that_exist() {
    let page = "docs/threat-model.md";
    let rows = rows_below(page, "## Promises\n");
    assert!(rows.len() > 20, "only {} promises", rows.len());
    name_tests_that_exist(page, rows.iter().map(|row| row.last().expect("a cell")));
}

/// Text without line ends and quote marks of its page.
fn flowing(text: &str) -> String {
    text.lines().flat_map(|line| line.trim_start_matches("> ").split_whitespace()).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_promise_of_evidence_is_listed_with_existing_tests_and_guards() {
    let page = "docs/evidence/promises.md";
    let rows = rows_below(page, "# Promises and what holds them\n");
    assert!(rows.len() > 50, "only {} promises", rows.len());
    name_tests_that_exist(page, rows.iter().map(|row| &row[2]));
    let list = fs::read_to_string(root().join("tests/evidence/guards.yaml")).unwrap();
    let guards: BTreeSet<&str> = list.lines().filter_map(|line| line.strip_prefix("- promise: ")).collect();
    let mut named = BTreeSet::new();
    for row in &rows {
        let path = row[1].split_once("](").and_then(|(_, rest)| rest.strip_suffix(')')).expect("a link");
        let text = fs::read_to_string(root().join("docs/evidence").join(path)).unwrap();
        assert!(flowing(&text).contains(&flowing(&row[0])), "{path} does not say: {}", row[0]);
        // A row without a guard says why it has none.
        assert!(!row[3].trim().is_empty(), "no guard, and no reason why there is none: {}", row[0]);
        named.extend(row[3].split("; ").filter(|guard| !guard.starts_with("None: ")));
    }
    assert_eq!(named, guards, "guards that a row names, and guards.yaml");
}

#[test]
fn each_test_that_turns_red_without_its_guard_exists() {
    let list = fs::read_to_string(root().join("tests/evidence/guards.yaml")).unwrap();
    let tests = tests();
    let mut of_kind = 0;
    for line in list.lines().filter_map(|line| line.strip_prefix("  red: !")) {
        let (kind, name) = line.split_once(' ').unwrap_or((line, ""));
        let name = match kind {
            "pure" | "unit" | "behavior" => name.trim_matches('"').to_owned(),
            "model" => format!("model::{}", name.trim_matches('"')),
            _ => continue,
        };
        of_kind += 1;
        assert!(tests.contains(&name), "guards.yaml names the test {name}, which is not there");
    }
    assert!(of_kind > 100, "only {of_kind} tests: does this test still read the list?");
}
