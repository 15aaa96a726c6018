//! What CI runs is everything: no variable of its environment selects, skips or rewrites a part of it. Part of `shape`.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use seatkeeper_support::scratch_dir;

use crate::{root, sources};

/// Names that say nothing about what is run: where things are, how much is told, what the simulated vendors answer.
const HARMLESS: [&str; 20] = [
    "ALL_PROXY",
    "APPLICATION_ADMIN",
    "CARGO_MANIFEST_DIR",
    "CARGO_PKG_VERSION",
    "CI",
    "HELM_CACHE_HOME",
    "HELM_CONFIG_HOME",
    "HELM_DATA_HOME",
    "HOSTNAME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBEBUILDER_ASSETS",
    "PATH",
    "QUANTUM_MASKING",
    "RUST_BACKTRACE",
    "SCREAMING_SNAKE_CASE",
    "SEATKEEPER_CACHE",
    "TMPDIR",
    "USER_ADMIN",
    "VARIABLE",
];

/// What libraries, cargo and make read; our own names are found in the sources.
const FOREIGN: [&str; 14] = [
    "BASH_ENV",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_PROFILE_DEV_DEBUG_ASSERTIONS",
    "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
    "CLIPPY_CONF_DIR",
    "INSTA_FORCE_PASS",
    "INSTA_UPDATE",
    "MAKEFILES",
    "MAKEFLAGS",
    "PROPTEST_CASES",
    "PROPTEST_RNG_SEED",
    "RUSTFLAGS",
    "RUST_TEST_NOCAPTURE",
];

/// Words in capitals that stand in quotes: with an underscore in them, or read from the environment at that place.
fn names_in(text: &str) -> BTreeSet<String> {
    let pieces: Vec<&str> = text.split('"').collect();
    let is_name = |word: &str| {
        word.len() > 1
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let is_read = |before: &str| ["var(", "var_os(", "variable(", "set("].iter().any(|call| before.ends_with(call));
    let names = pieces.windows(2).filter(|pair| is_name(pair[1]) && (pair[1].contains('_') || is_read(pair[0])));
    names.map(|pair| pair[1].to_owned()).collect()
}

/// Every variable that a source of this repository may read and that may change what is run.
fn read_somewhere() -> BTreeSet<String> {
    let folders = ["src", "tests", "benches"].map(|folder| root().join(folder));
    let files = folders.iter().flat_map(|folder| sources(folder));
    let rust =
        files.filter(|file| file.extension().is_some_and(|extension| extension == "rs") && !file.ends_with("ci.rs"));
    let mut names: BTreeSet<String> = rust.flat_map(|file| names_in(&fs::read_to_string(file).unwrap())).collect();
    names.retain(|name| !HARMLESS.contains(&name.as_str()));
    names
}

#[test]
fn variable_is_found_by_underscore_or_by_its_reader() {
    let text = r#"env::var("SEED"), variable("SEED_OF"), f("PATCH"), const A: &str = "UPDATE_DOCS"; g("Not_ONE")"#;
    assert_eq!(names_in(text).into_iter().collect::<Vec<_>>(), ["SEED", "SEED_OF", "UPDATE_DOCS"]);
}

#[test]
fn ci_runs_make_test_without_variables_that_select_skip_or_rewrite() {
    let mut poison = read_somewhere();
    for known in ["FAULT_CASE", "FAULT_KIND", "SEED", "DURATION", "SEQUENCES", "UPDATE_DOCS", "SKIP_CONTROL_PLANE"] {
        assert!(poison.contains(known), "{known} is not found in the sources any more: {poison:?}");
    }
    poison.extend(FOREIGN.map(str::to_owned));
    let folder = scratch_dir("ci");
    let (make, seen) = (folder.join("make"), folder.join("seen"));
    fs::write(&make, format!("#!/bin/sh\necho \"make $*\" >{0}\nenv >>{0}\n", seen.display())).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&make).status().unwrap().success());
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(root().join(".ci/run"));
    command.env("PATH", path).env("SEATKEEPER_CACHE", "/kept").env("CARGO_TARGET_DIR", "/kept-too");
    command.envs(poison.iter().map(|name| (name, "poison")));
    assert!(command.status().unwrap().success());
    let seen = fs::read_to_string(seen).unwrap();
    let survivors: Vec<&str> = seen.lines().filter(|line| line.ends_with("=poison")).collect();
    assert_eq!(survivors, [""; 0], "let .ci/run unset these, or say in tests/ci.rs why they are harmless");
    for line in ["make test", "CI=true", "SEATKEEPER_CACHE=/kept", "CARGO_TARGET_DIR=/kept-too"] {
        assert!(seen.lines().any(|seen| seen == line), "{line}\n{seen}");
    }
}

/// The tests that a line of the Makefile chooses, by parts of their names.
fn chosen_in(makefile: &str) -> Vec<String> {
    let lines = makefile.lines().filter(|line| line.contains("cargo test"));
    let chosen = lines.filter_map(|line| line.split_once(" -- ")).flat_map(|(_, words)| words.split_whitespace());
    chosen.map(|word| word.rsplit("::").next().unwrap_or(word).to_owned()).collect()
}

#[test]
fn each_word_by_which_makefile_chooses_tests_is_in_a_name_of_a_test() {
    let chosen = chosen_in(&fs::read_to_string(root().join("Makefile")).unwrap());
    assert!(chosen.len() > 5, "{chosen:?}");
    let files = ["src", "tests"].map(|folder| root().join(folder));
    let files = files.iter().flat_map(|folder| sources(folder));
    let text: String = files
        .filter(|file| file.extension().is_some_and(|rs| rs == "rs"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let names: Vec<&str> = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    let lost: Vec<_> = chosen.iter().filter(|word| !names.iter().any(|name| name.contains(word.as_str()))).collect();
    assert_eq!(lost, [""; 0], "correct them in the Makefile");
}
