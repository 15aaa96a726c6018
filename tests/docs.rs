//! What the README says of reasons and flags is what the code has.

use std::fs;

use clap::Args as _;
use seatkeeper_support::workspace_root;

fn text(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path)).expect("a text")
}

#[test]
fn the_readme_explains_every_condition_and_reason() {
    let readme = text("README.md");
    let source = text("src/plan/condition.rs");
    let values = source.lines().filter_map(|line| {
        let (_, value) = line.trim().strip_prefix("pub const ")?.split_once(": &str = \"")?;
        value.strip_suffix("\";")
    });
    let words: Vec<&str> = values.collect();
    assert!(words.len() > 30, "src/plan/condition.rs looks different now: {words:?}");
    for word in words {
        assert!(readme.contains(&format!("`{word}`")), "README.md does not explain {word}");
    }
}

#[test]
fn the_readme_lists_every_flag_with_its_default() {
    let readme = text("README.md");
    let mut rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `--")).collect();
    let command = seatkeeper::run::Run::augment_args(clap::Command::new("run"));
    for argument in command.get_arguments() {
        let flag = argument.get_long().expect("a long flag");
        let row = rows.iter().position(|row| row.starts_with(&format!("| `--{flag}` |")));
        let row = rows.remove(row.unwrap_or_else(|| panic!("README.md has no row for --{flag}")));
        if let Some(default) = argument.get_default_values().first() {
            let default = format!("| `{}` |", default.to_string_lossy());
            assert!(row.contains(&default), "--{flag}: {default} in README.md");
        }
    }
    assert!(rows.is_empty(), "README.md has flags that do not exist: {rows:?}");
}
