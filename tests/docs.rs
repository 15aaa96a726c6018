//! What the README, the chart and `kubectl explain` say of reasons and flags is what the code has.

use std::collections::BTreeMap;
use std::fs;

use clap::Args as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use seatkeeper::domain::{CONDITIONS, kind};
use seatkeeper::vendors::{Proof, proofs};
use seatkeeper_support::{FLAGS_WITH_OWN_VALUES, workspace_root};

use crate::{damaged_status, sequences, vendor_writes};

fn text(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path)).expect("a text")
}

/// The cells of a row after its first, by the words at the head of their columns: of the table of a page that has this head.
pub fn row(page: &str, head: &str, first: &str) -> Vec<(String, String)> {
    let page = text(page);
    let cells =
        |line: &str| -> Vec<String> { line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
    let table: Vec<&str> =
        page.lines().skip_while(|line| !line.contains(head)).take_while(|line| !line.is_empty()).collect();
    let found = table.iter().skip(2).map(|line| cells(line)).find(|cells| cells[0] == first);
    let found = found.unwrap_or_else(|| panic!("no table with {head:?} has a row {first:?}"));
    cells(table[0]).into_iter().zip(found).skip(1).collect()
}

/// The values of the constants in a source.
fn constants(path: &str, at_least: usize) -> Vec<String> {
    let source = text(path);
    let values = source.lines().filter_map(|line| {
        let (_, value) = line.trim().strip_prefix("pub const ")?.split_once(": &str = \"")?;
        Some(value.strip_suffix("\";")?.to_owned())
    });
    let words: Vec<String> = values.collect();
    assert!(words.len() >= at_least, "{path} looks different now: {words:?}");
    words
}

#[test]
fn readme_explains_every_condition_and_reason() {
    let readme = text("README.md");
    for word in constants("src/domain/condition.rs", 30).iter().chain(&constants("src/domain/events.rs", 7)) {
        assert!(readme.contains(&format!("`{word}`")), "README.md does not explain {word}");
    }
}

/// The README's table of conditions.
fn table_of_conditions() -> String {
    let mut table = "| Condition | Status and reason | What it means, and what to do |\n|---|---|---|\n".to_owned();
    let mut before = "";
    for entry in CONDITIONS {
        let kind = if entry.kind == before { String::new() } else { format!("`{}` ", entry.kind) };
        let reasons: Vec<String> = entry.reasons.iter().map(|reason| format!("`{reason}`")).collect();
        table += &format!("| {kind}| {} {} | {} |\n", entry.status(), reasons.join(", "), entry.means);
        before = entry.kind;
    }
    table
}

#[test]
fn readme_table_of_conditions_is_the_one_of_the_code() {
    let readme = text("README.md");
    let (begin, end) = ("| Condition | Status and reason |", "\n\n");
    let start = readme.find(begin).expect("the table");
    let length = readme[start..].find(end).expect("the end of the table") + 1;
    let (stored, made) = (&readme[start..start + length], table_of_conditions());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(workspace_root().join("README.md"), readme.replace(stored, &made)).expect("written");
        return;
    }
    assert_eq!(stored, made, "refresh it with: make generate");
}

#[test]
fn each_row_of_the_table_of_conditions_is_seen_by_a_test_of_the_binary() {
    let folders = ["tests", "tests/immuta"].map(|folder| workspace_root().join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("tests"));
    let paths = entries.map(|entry| entry.expect("a file").path()).filter(|path| path.is_file());
    let tests: String = paths.map(|path| fs::read_to_string(path).expect("text")).collect();
    let lines: Vec<&str> = tests.lines().filter(|line| line.contains('"')).collect();
    let rows = CONDITIONS.iter().flat_map(|entry| entry.reasons.iter().map(move |reason| (entry, *reason)));
    let unseen: Vec<String> = rows
        .filter(|(entry, reason)| {
            let (named, said) = (format!("\"{}\"", entry.kind), format!("\"{}/{reason}\"", entry.status()));
            let waited_for = format!("{named}, \"{reason}\"");
            // What stands in one line without the condition may be said of another one.
            let of_ready = format!("until_ready({said})");
            let expects = |line: &&str| {
                line.contains(&said) && line.contains(&named)
                    || line.contains(&waited_for)
                    || entry.kind == kind::READY && line.contains(&of_ready)
            };
            !lines.iter().any(expects)
        })
        .map(|(entry, reason)| format!("{}={}/{reason}", entry.kind, entry.status()))
        .collect();
    assert_eq!(
        unseen,
        Vec::<String>::new(),
        "rows of src/domain/condition_table.rs that no test expects of the binary"
    );
}

/// The table of answers that prove that nothing was done, as the vendors' code has it.
fn table_of_proofs() -> String {
    let mut table = "| Vendor | Status | Shape | What it proves |\n|---|---|---|---|\n".to_owned();
    for Proof { vendor, statuses, shape, proves } in proofs() {
        let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
        table += &format!("| {vendor} | {} | {shape} | {proves} |\n", statuses.join(", "));
    }
    table
}

#[test]
fn answers_that_prove_that_nothing_was_done_are_those_of_the_code() {
    let page = text("docs/never-buys-twice.md");
    let start = page.find("| Vendor | Status | Shape |").expect("the table");
    let length = page[start..].find("\n\n").expect("the end of the table") + 1;
    let (stored, made) = (&page[start..start + length], table_of_proofs());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(workspace_root().join("docs/never-buys-twice.md"), page.replace(stored, &made)).expect("written");
        return;
    }
    assert_eq!(stored, made, "refresh it with: make generate");
}

/// Wherever the lines of the page end.
fn says(page: &str, words: &str) -> bool {
    text(page).split_whitespace().collect::<Vec<_>>().join(" ").contains(words)
}

/// What the enumeration of faults has in numbers, `tests/faults/quoted.rs` compares.
#[test]
fn pages_quote_as_many_bad_answers_lives_and_statuses_as_the_tests_have() {
    let (answers, lives, statuses) = (vendor_writes::cases().len(), sequences::LIVES, damaged_status::CASES);
    let at_night = text(".github/workflows/nightly.yml");
    let at_night = at_night.split("SEQUENCES=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let thousands = at_night.and_then(|lives| lives.strip_suffix("000")).expect("lives at night, in thousands");
    let never = "docs/never-buys-twice.md";
    for (page, words) in [
        (never, format!(": {answers} bad answers to the request that buys")),
        (never, format!("({lives} generated lives of objects, {thousands} 000 at night;")),
        (never, format!("({statuses} mutated statuses)")),
        ("CONTRIBUTING.md", format!("and {lives} generated lives.")),
        ("CONTRIBUTING.md", format!("{thousands} 000 lives")),
    ] {
        assert!(says(page, &words), "{page} must say: {words}");
    }
}

#[test]
fn kubectl_explain_names_every_condition_and_reason() {
    let crd = seatkeeper::api::crd();
    let schema = crd.spec.versions[0].schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
    let field = |schema: &JSONSchemaProps, name: &str| schema.properties.as_ref().expect("fields")[name].clone();
    let conditions = field(&field(schema.expect("a schema"), "status"), "conditions").description;
    let conditions = conditions.expect("a description");
    for word in constants("src/domain/condition.rs", 30) {
        assert!(
            conditions.contains(&format!("`{word}`")),
            "status.conditions in src/api/status.rs does not name {word}"
        );
    }
    let known = constants("src/domain/condition.rs", 30);
    let named = conditions.split('`').skip(1).step_by(2).filter(|word| word.starts_with(char::is_uppercase));
    for word in named.filter(|word| !["True", "False", "Unknown"].contains(word)) {
        assert!(known.iter().any(|known| known == word), "status.conditions names {word}, which does not exist");
    }
}

#[test]
fn readme_applies_no_object_to_a_cluster_that_is_not_suspended() {
    let readme = text("README.md");
    let commands: Vec<&str> =
        readme.lines().filter(|line| line.starts_with("kubectl") && line.contains("acme.yaml")).collect();
    let [made, applied] = commands[..] else { panic!("other commands with acme.yaml: {commands:?}") };
    let suspended = made.contains(r#"{"spec":{"suspend":true}}"#) && made.ends_with("-o yaml > acme.yaml");
    assert!(suspended, "a newcomer buys first: {made}");
    assert_eq!(applied, "kubectl -n it apply -f acme.yaml");
    assert_eq!(readme.matches("kubectl -n it apply").count(), 1, "another object is applied");
}

/// The fields of the spec by their paths. A list is one, and so is the reference to a Secret.
fn fields_of_spec() -> BTreeMap<String, JSONSchemaProps> {
    fn below(path: &str, schema: &JSONSchemaProps, found: &mut BTreeMap<String, JSONSchemaProps>) {
        let inside = schema.properties.iter().flatten().filter(|_| !path.ends_with("SecretRef"));
        let before = found.len();
        for (name, field) in inside {
            below(format!("{path}.{name}").trim_start_matches('.'), field, found);
        }
        if found.len() == before {
            found.insert(path.to_owned(), schema.clone());
        }
    }
    let crd = seatkeeper::api::crd();
    let schema = crd.spec.versions[0].schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
    let spec = &schema.and_then(|schema| schema.properties.as_ref()).expect("a schema")["spec"];
    let mut found = BTreeMap::new();
    below("", spec, &mut found);
    found
}

/// The fields that a cell names. One that begins with a dot has other names at the end than the one before it.
fn fields_of(cell: &str) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for word in cell.split('`').skip(1).step_by(2) {
        let whole = word.strip_prefix('.').map(|end| {
            let before: Vec<&str> = named.last().expect("a field before it").split('.').collect();
            format!("{}.{end}", before[..before.len() - end.split('.').count()].join("."))
        });
        named.push(whole.unwrap_or_else(|| word.to_owned()));
    }
    named
}

#[test]
fn each_field_of_the_spec_is_in_the_readme_with_its_words_and_bounds() {
    assert_eq!(fields_of("`a.b.c`, `.d`, `.e.f`"), ["a.b.c", "a.b.d", "a.e.f"]);
    let (readme, mut left) = (text("README.md"), fields_of_spec());
    assert!(left.len() > 30, "{:?}", left.keys());
    let table = readme.split("| Field | When absent | Meaning |\n").nth(1).expect("the table");
    for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
        let cell = row.split('|').nth(1).expect("a cell");
        for path in fields_of(cell).into_iter().filter(|path| path != "vendor") {
            let field =
                left.remove(&path).unwrap_or_else(|| panic!("README.md: {path} is no field, or is there twice"));
            for word in field.enum_.iter().flatten().filter_map(|word| word.0.as_str()) {
                assert!(row.contains(&format!("`{word}`")), "README.md, {path} does not name {word}: {row}");
            }
            if let Some(most) = field.max_items.filter(|_| !cell.contains("crease.windows")) {
                assert!(
                    row.contains(&format!("t most {most}")),
                    "README.md, {path} does not say at most {most}: {row}"
                );
            }
        }
        // It means something beside one mode only.
        if row.contains("`limit.seats`") {
            left.remove("limit.seats");
        }
    }
    assert_eq!(left.into_keys().collect::<Vec<_>>(), Vec::<String>::new(), "README.md has no row for them");
}

fn flags() -> Vec<clap::Arg> {
    let command = seatkeeper::run::Run::augment_args(clap::Command::new("run"));
    command.get_arguments().cloned().collect()
}

#[test]
fn every_flag_has_its_variable_in_the_environment() {
    for argument in flags() {
        let flag = argument.get_long().expect("a long flag");
        let variable = format!("SEATKEEPER_{}", flag.replace('-', "_").to_uppercase());
        assert_eq!(argument.get_env().and_then(|name| name.to_str()), Some(variable.as_str()), "--{flag}");
    }
}

#[test]
fn chart_explains_every_flag_that_it_takes_with_its_default() {
    let values = text("charts/seatkeeper/values.yaml");
    let comment = |line: &str| {
        line.strip_prefix("#   ")
            .and_then(|line| line.split_once(": "))
            .map(|(flag, rest)| (flag.to_owned(), rest.split_whitespace().next().unwrap_or_default().to_owned()))
    };
    let explained: Vec<(String, String)> = values.lines().filter_map(comment).collect();
    let flags = flags();
    let taken: Vec<_> =
        flags.iter().filter(|flag| !FLAGS_WITH_OWN_VALUES.contains(&flag.get_long().unwrap_or_default())).collect();
    for argument in &taken {
        let flag = argument.get_long().expect("a long flag");
        let found = explained.iter().find(|(explained, _)| explained == flag);
        let (_, shown) = found.unwrap_or_else(|| panic!("values.yaml does not explain the flag {flag}"));
        if let Some(default) = argument.get_default_values().first() {
            let same = |text: &str| seatkeeper::api::parse_duration(text).map_err(|_| text.to_owned());
            assert_eq!(same(shown), same(&default.to_string_lossy()), "values.yaml, {flag}");
        }
    }
    assert_eq!(explained.len(), taken.len(), "values.yaml explains flags that do not exist, or twice: {explained:?}");
}

#[test]
fn chart_compares_flags_by_their_own_defaults() {
    let checks = text("charts/seatkeeper/templates/_checks.tpl");
    let defaults = checks.split("seatkeeper.flagDefaults\" -}}\n").nth(1).and_then(|rest| rest.split("{{-").next());
    let defaults: Vec<_> = defaults.expect("the defaults").lines().filter_map(|line| line.split_once(": ")).collect();
    assert!(defaults.len() > 10, "{defaults:?}");
    let flags = flags();
    for (flag, default) in defaults {
        let own = flags.iter().find(|own| own.get_long() == Some(flag)).unwrap_or_else(|| panic!("no flag --{flag}"));
        assert_eq!(own.get_default_values(), [default], "charts/seatkeeper/templates/_checks.tpl, {flag}");
    }
}

#[test]
fn readme_lists_every_flag_with_its_default() {
    let readme = text("README.md");
    let mut rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `--")).collect();
    for argument in flags() {
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
