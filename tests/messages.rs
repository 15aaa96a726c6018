//! Every sentence that the operator, the chart, the alerts and the scripts for Argo CD can print, in one file, so that wording is reviewed as wording. The texts of `kubectl
//! explain` are in the CRD, and the texts of flags are in `src/run/flags.rs`.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use super::{code, is_test, root, sources};

const FILE: &str = "tests/snapshots/messages.txt";
const REFRESH: &str = "UPDATE_DOCS=1 cargo test --test shape";

/// Collects the string literals of some code. Attributes count: errors and rules of admission have their sentences there.
/// The reason of an expected lint is for developers alone.
fn literals(tokens: TokenStream, found: &mut Vec<String>) {
    let mut lint = false;
    for token in tokens {
        let expected = matches!(&token, TokenTree::Ident(name) if *name == "expect");
        let arguments = std::mem::replace(&mut lint, expected);
        match token {
            TokenTree::Group(group) if arguments && group.stream().to_string().starts_with("clippy ::") => {}
            TokenTree::Group(group) => literals(group.stream(), found),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    found.push(text.value());
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Whether people read it: words with a blank between them.
fn is_message(text: &str) -> bool {
    text.trim().contains(' ') && text.chars().any(char::is_alphabetic)
}

/// The texts in double quotes of a script or a template, where they are messages.
fn quoted(text: &str) -> BTreeSet<String> {
    // Odd parts of a line are inside of quotes; an escaped quote ends no part.
    let inside = |line: &str| {
        let line = line.replace("\\\"", "\u{1}");
        let parts = line.split('"').skip(1).step_by(2).map(|text| text.replace('\u{1}', "\\\""));
        parts.collect::<Vec<_>>()
    };
    text.lines().flat_map(inside).filter(|text| is_message(text)).collect()
}

/// All files below a folder, as text.
fn texts_below(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| std::fs::read_to_string(&path).expect("a text");
    entries.flat_map(|path| if path.is_dir() { texts_below(&path) } else { vec![read(path)] }).collect()
}

/// The texts of the lines with this word.
fn quoted_beside(word: &str, text: &str) -> BTreeSet<String> {
    let lines: Vec<_> = text.lines().filter(|line| line.contains(word)).collect();
    quoted(&lines.join("\n"))
}

/// What the chart says beside `_checks.tpl`: where a template fails, where the admission policy refuses, and what its alerts say.
fn of_the_charts() -> BTreeSet<String> {
    let folders = ["charts/seatkeeper/templates", "charts/seatkeeper-crds/templates"];
    let templates: Vec<_> = folders.iter().flat_map(|folder| texts_below(&root().join(folder))).collect();
    let mut all: BTreeSet<String> = templates.iter().flat_map(|template| quoted_beside("fail ", template)).collect();
    assert!(all.len() > 50, "{all:?}");
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect(path);
    let policy = read("charts/seatkeeper/templates/policies.yaml");
    let (_, message) = policy.split_once("messageExpression: >-\n").expect("the policy's message");
    let message = message.lines().take_while(|line| !line.trim_start().starts_with("reason:"));
    let message = message.map(str::trim).collect::<Vec<_>>().join(" ");
    let refused: Vec<_> = message.split('\'').skip(1).step_by(2).filter(|text| is_message(text)).collect();
    assert!(refused.concat().contains("may not get Secret"), "{message}");
    all.extend(refused.into_iter().map(str::to_owned));
    let alerts: serde_json::Value =
        serde_yaml::from_str(&read("charts/seatkeeper/files/alerts.yaml")).expect("the alerts");
    let rules = alerts["rules"].as_array().expect("the rules");
    let words = rules.iter().flat_map(|rule| [&rule["summary"], &rule["description"]]);
    let words: Vec<_> = words.filter_map(|text| Some(text.as_str()?.trim().replace('\n', " "))).collect();
    assert_eq!(words.len(), 2 * rules.len(), "{words:?}");
    all.extend(words);
    all
}

/// The text of a line of notes, without the action of the template that it begins with.
fn after_action(line: &str) -> &str {
    if line.starts_with("{{") { line.split_once("}}").map_or("", |(_, text)| text) } else { line }
}

/// What an installer reads: refusals of the chart and the notes after an installation; what its alerts say; and what Argo CD shows of
/// an object and of its actions.
fn beside_the_sources() -> BTreeSet<String> {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect(path);
    let notes = ["seatkeeper", "seatkeeper-crds"].map(|chart| read(&format!("charts/{chart}/templates/NOTES.txt")));
    let lines = notes.iter().flat_map(|notes| notes.lines()).map(after_action).filter(|line| is_message(line));
    let notes: BTreeSet<String> = lines.map(str::to_owned).collect();
    assert!(notes.iter().any(|line| line.contains("every LicenseSeats and SeatApproval of the cluster")), "{notes:?}");
    let checks = quoted(&read("charts/seatkeeper/templates/_checks.tpl"));
    let health = quoted(&read("gitops/argocd/seatkeeper.dev/LicenseSeats/health.lua"));
    assert!(checks.len() > 10 && !health.is_empty(), "{checks:?} {health:?}");
    let actions = texts_below(&root().join("gitops/argocd/seatkeeper.dev/LicenseSeats/actions"));
    let actions: BTreeSet<String> = actions.iter().flat_map(|script| quoted_beside("error(", script)).collect();
    assert_eq!(actions.len(), 2, "{actions:?}");
    notes.into_iter().chain(checks).chain(health).chain(actions).chain(of_the_charts()).collect()
}

fn messages(code: &str) -> BTreeSet<String> {
    let mut found = Vec::new();
    literals(code.parse().expect("Rust"), &mut found);
    found.into_iter().filter(|text| is_message(text)).map(|text| text.escape_debug().to_string()).collect()
}

#[test]
fn literal_with_words_is_a_message_in_any_position() {
    let code = "#[error(\"no {0} here\")] enum A {} fn b() { c(\"InSync\"); d(&[format!(\"two \\\n   words\")], '\"', r#\"x y\"#); }
                #[expect(clippy::panic, reason = \"a mistake\")] fn e() {}";
    assert_eq!(messages(code), ["no {0} here", "two words", "x y"].map(str::to_owned).into());
}

#[test]
fn every_message_that_people_see_is_in_the_snapshot() {
    let files = sources(&root().join("src"));
    let shipped = files.iter().filter(|path| !is_test(path.strip_prefix(root()).unwrap()) && !only_tests(path));
    let mut all: BTreeSet<String> = shipped.flat_map(|path| messages(&code(path))).collect();
    all.extend(beside_the_sources());
    assert!(all.len() > 300, "only {} messages found: does this test still read the sources?", all.len());
    let now: String = all.iter().map(|message| format!("{message}\n")).collect();
    let path = root().join(FILE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let stored: BTreeSet<&str> = stored.lines().collect();
    let gone: Vec<_> = stored.iter().filter(|message| !all.contains(**message)).collect();
    let new: Vec<_> = all.iter().filter(|message| !stored.contains(message.as_str())).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "the wording has changed. Gone: {gone:#?}\nNew: {new:#?}\nReview it, then refresh {FILE} with: {REFRESH}"
    );
}

/// Files that are compiled for tests alone by the word of the module that names them.
fn only_tests(path: &Path) -> bool {
    ["fuzz_inputs", "hostile_answers", "overheard", "secret_destinations", "owned"].iter().any(|name| {
        let inside = path.strip_prefix(root().join("src")).unwrap();
        inside.iter().any(|part| part.to_string_lossy().trim_end_matches(".rs") == *name)
    })
}
