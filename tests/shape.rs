//! The shape of the code and of what is generated from it, held by reading the files; and what `make test` and CI run.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod api_reference;
mod chart_readme;
mod ci;
mod cited;
mod counted;
mod messages;
mod mutants;
mod pages;
mod promises;
mod release;
mod runner;
mod selection;
mod verdicts;

use std::path::{Path, PathBuf};
use std::{env, fs};

use seatkeeper_support::FLAGS_WITH_OWN_VALUES;

/// Left to right: a module imports only from itself and those before it.
const LAYERS: &[&[&str]] = &[
    // Only in tests, of any layer.
    &["fuzz_inputs"],
    &["api"],
    &["calendar"],
    &["domain"],
    &["registry"],
    &["clock"],
    &["vendors"],
    &["metrics"],
    &["controller"],
    &["server", "telemetry"],
    &["run"],
    &["main", "lib"],
];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a source folder").map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The top-level module a file belongs to.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn layer(module: &str) -> usize {
    LAYERS.iter().position(|layer| layer.contains(&module)).unwrap_or_else(|| panic!("{module} has no layer: add it"))
}

/// The code of a file without comments, and without what is only compiled for tests, wherever that stands.
fn code(path: &Path) -> String {
    without_tests(&fs::read_to_string(path).unwrap())
}

fn without_tests(text: &str) -> String {
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut kept = Vec::new();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        // The item after it: rustfmt closes one of several lines with a brace below its first line.
        let indent = &line[..line.len() - line.trim_start().len()];
        let first = lines.by_ref().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
        if !first.ends_with([';', '}', ',']) {
            let end = format!("{indent}}}");
            assert!(lines.by_ref().any(|line| line == end), "no end of what is only for tests: {first}");
        }
    }
    kept.join("\n")
}

/// Of tests alone, as their place says.
fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.iter().any(|part| part == "tests")
}

#[test]
fn only_test_code_is_left_out_of_file() {
    let text = "use a;\n#[cfg(test)]\nmod tests;\n// A comment.\nfn b() {\n    #[cfg(test)]\n    c();\n}\n\n#[cfg(test)]\n\
                #[allow(x)]\nmod more {\n    fn d() {}\n}\nfn e() {}\n";
    assert_eq!(without_tests(text), "use a;\nfn b() {\n}\n\nfn e() {}");
    let rate_limit = code(&root().join("src/vendors/rate_limit.rs"));
    assert!(rate_limit.contains("fn signal(") && !rate_limit.contains("mod tests"), "{rate_limit}");
}

#[test]
fn modules_import_only_leftwards() {
    let mut checked = 0;
    for path in sources(&root().join("src")) {
        let here = module(&path);
        for import in code(&path).split("crate::").skip(1) {
            let there: String = import.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            checked += 1;
            assert!(
                layer(&there) <= layer(&here),
                "{} imports crate::{there}, which lies to the right of {here}",
                path.display()
            );
        }
    }
    assert!(checked > 30, "only {checked} imports found: does this test still read the sources?");
}

/// Holds that no source of a module has any of these words; returns how many were looked at.
fn lacks(module: &str, words: &[&str]) -> usize {
    let sources = sources(&root().join("src").join(module)).into_iter();
    let sources: Vec<_> = sources.filter(|path| !is_test(path.strip_prefix(root()).unwrap())).collect();
    for path in &sources {
        let code = code(path);
        for word in ["async ", ".await", "tokio", "reqwest", "kube::", "rand", "println"].iter().chain(words) {
            assert!(!code.contains(word), "{} contains {word:?}: the {module} is pure", path.display());
        }
    }
    sources.len()
}

#[test]
fn domain_has_no_clock_network_or_await() {
    let checked = lacks("domain", &["Timestamp::now", "Instant", "SystemTime"]);
    assert!(checked > 15, "only {checked} files looked at");
}

#[test]
fn plan_and_its_tests_name_no_vendor_and_no_vendor_term() {
    let words = ["bitwarden", "immuta", "organization", "tenant", "stripe", "webhook", "32767", "32_767"];
    let files = sources(&root().join("src/domain"));
    assert!(files.len() > 40, "only {} files looked at", files.len());
    for path in files {
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        for word in words {
            assert!(!text.contains(word), "{} says {word:?}: the vendor's folder gives it as a value", path.display());
        }
    }
}

#[test]
fn registry_receives_time_and_has_no_network_or_await() {
    let checked = lacks("registry", &["::now", ".elapsed(", "Mutex", "SystemTime"]);
    assert!(checked > 5, "only {checked} files looked at");
}

#[test]
fn calendar_receives_time_and_reads_no_zone_of_machine() {
    let checked = lacks(
        "calendar",
        &["::now", ".elapsed(", "SystemTime", "tz::db", "from_env", "::system(", "TimeZone::get", "fs::"],
    );
    assert!(checked > 5, "only {checked} files looked at");
}

#[test]
fn only_clock_module_reads_time_of_machine() {
    for path in sources(&root().join("src")) {
        let asks = ["Timestamp::now", "SystemTime", "Zoned::now"].iter().any(|word| code(&path).contains(word));
        assert_eq!(asks, module(&path) == "clock", "{}: a test could not set this clock wrong", path.display());
    }
}

/// Sections of a TOML file that set a profile which is not for development, with their lines.
fn profiles_that_ship(toml: &str) -> impl Iterator<Item = &str> {
    let sections = toml.split("\n[").filter(|section| section.starts_with("profile."));
    sections.filter(|section| !["profile.dev", "profile.test"].iter().any(|dev| section.starts_with(dev)))
}

#[test]
fn test_only_code_is_in_no_shipped_binary() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(
        profiles_that_ship(&manifest).count() > 0,
        "Cargo.toml has no release profile: does this test still read it?"
    );
    for section in profiles_that_ship(&manifest) {
        assert!(!section.contains("debug-assertions"), "[{section} weakens what is shipped");
    }
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    assert!(!config.contains("debug-assertions") && !config.contains("profile."), "{config}");
    let dockerfile = fs::read_to_string(root().join("Dockerfile")).unwrap();
    assert!(dockerfile.contains("cargo build --release --locked"), "{dockerfile}");
}

#[test]
fn requests_to_vendors_leave_at_one_place() {
    let mut leave = Vec::new();
    for path in sources(&root().join("src/vendors")) {
        let code = code(&path);
        let places =
            [".execute(", ".send()", "reqwest::get(", "TcpStream"].iter().map(|word| code.matches(word).count());
        leave.extend(std::iter::repeat_n(path.clone(), places.sum()));
    }
    assert_eq!(leave, [root().join("src/vendors/dispatch.rs")], "what leaves elsewhere, no test of secrets hears");
}

#[test]
fn vendor_answers_are_parsed_where_list_does_not_count_as_object() {
    let mut parse = Vec::new();
    for path in sources(&root().join("src/vendors")) {
        let code = code(&path);
        // For tests alone, by the module that names them.
        let of_tests = is_test(path.strip_prefix(root()).unwrap())
            || path.ends_with("hostile_answers.rs")
            || path.ends_with("secret_destinations.rs");
        if of_tests {
            continue;
        }
        if code.contains("serde_json::from_") || code.contains("serde_json::Deserializer") {
            parse.push(path.strip_prefix(root().join("src/vendors")).unwrap().to_owned());
        }
    }
    parse.sort();
    // The list of members streams, and counts objects alone.
    assert_eq!(parse, [Path::new("bitwarden/members.rs"), Path::new("http.rs")], "serde reads a list as a struct");
}

/// The folders of vendors.
fn vendors() -> Vec<String> {
    let folders = fs::read_dir(root().join("src/vendors")).unwrap().map(|entry| entry.unwrap().path());
    let names: Vec<_> = folders
        .filter(|path| path.join("mod.rs").is_file())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert!(names.len() >= 2, "{names:?}");
    names
}

#[test]
fn every_vendor_lists_the_answers_that_prove_that_nothing_was_done() {
    let folder = root().join("src/vendors");
    let all = code(&folder.join("mod.rs"));
    for name in vendors() {
        assert!(
            folder.join(&name).join("proofs.rs").is_file(),
            "src/vendors/{name} has no proofs.rs: an answer proves nothing by itself"
        );
        assert!(all.contains(&format!("{name}::proofs()")), "src/vendors/mod.rs does not list {name}::proofs()");
    }
}

/// That src/vendors/mod.rs has a list with one of each vendor.
fn assert_listed_of_every_vendor(what: &str, kind: &str) {
    let list = code(&root().join("src/vendors/mod.rs"));
    let names = vendors();
    for name in &names {
        assert!(list.contains(&format!("&{name}::{what}")), "src/vendors/mod.rs does not list {name}::{what}");
    }
    assert!(list.contains(&format!("{what}: [&{kind}; {}]", names.len())), "{names:?}");
}

#[test]
fn every_vendor_declares_keys_of_its_credentials() {
    assert_listed_of_every_vendor("CREDENTIALS", "CredentialKeys");
}

#[test]
fn every_vendor_declares_its_operations() {
    assert_listed_of_every_vendor("OPERATIONS", "Operations");
}

/// Names of all tests, as cargo prints them, with the file in the place of the test program.
fn tests() -> Vec<String> {
    let roots = [("src", ""), ("tests", ""), ("tests/support/tests", "support::")];
    let each = roots.into_iter().flat_map(|(folder, prefix)| {
        let folder = root().join(folder);
        sources(&folder).into_iter().map(move |path| (folder.clone(), prefix, path))
    });
    let mut names = Vec::new();
    for (folder, prefix, path) in each.filter(|(.., path)| path.extension().is_some_and(|kind| kind == "rs")) {
        let inside = path.strip_prefix(&folder).unwrap().with_extension("");
        let modules: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).filter(|part| part != "mod").collect();
        let (mut module, mut is_test) = (format!("{prefix}{}::", modules.join("::")), false);
        for line in fs::read_to_string(&path).unwrap().lines() {
            if line.ends_with("mod tests {") {
                module += "tests::";
            }
            let line = line.trim_start();
            let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            match name {
                Some(name) if is_test => names.push(format!("{module}{name}")),
                None if line.starts_with("#[test]") || line.starts_with("#[tokio::test") => {
                    is_test = true;
                    continue;
                }
                None if is_test && line.starts_with("#[") => continue,
                _ => {}
            }
            is_test = false;
        }
    }
    names
}

/// A name is read in a list of results, beside its module and what became of it.
const LONGEST_NAME: usize = 70;

#[test]
fn test_name_is_short_enough_for_one_line_of_results() {
    let long: Vec<String> = tests()
        .into_iter()
        .filter(|test| test.rsplit("::").next().is_some_and(|name| name.len() > LONGEST_NAME))
        .collect();
    assert!(long.is_empty(), "subject_condition_outcome in {LONGEST_NAME} characters: {long:#?}");
}

/// What is formatted for no person: a version of Secrets, and bases that are only compared.
const COMPARED: [&str; 3] = ["vendors/secret_data.rs", "domain/keys/license_list.rs", "domain/two_readings.rs"];

/// Sources of tests alone, by a `cfg` where they are named.
const OF_TESTS: [&str; 2] = ["hostile_answers.rs", "fuzz_inputs.rs"];

#[test]
fn no_message_and_no_log_line_has_the_debug_text_of_a_type() {
    for path in sources(&root().join("src")) {
        let inside = path.strip_prefix(root().join("src")).unwrap().to_owned();
        if is_test(&inside) || COMPARED.iter().chain(&OF_TESTS).any(|path| inside.ends_with(path)) {
            continue;
        }
        // A failed assertion is for programmers.
        let code = code(&path);
        let lines = code.lines().filter(|line| !line.contains("assert") && !line.contains("panic!"));
        for line in lines {
            let debug = line.contains(":?}") || line.contains(":#?}") || line.contains("!(?") || line.contains(", ?");
            assert!(!debug, "{}: {line}", path.display());
        }
    }
}

#[test]
fn every_module_has_header() {
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not open with what it decides and may touch", path.display());
    }
}

#[test]
fn crds_in_repository_and_charts_are_those_that_types_generate() {
    for crd in seatkeeper::api::crds() {
        let (yaml, name) = (serde_yaml::to_string(&crd).expect("YAML"), crd.metadata.name.expect("a name"));
        let folders = ["crds", "charts/seatkeeper/files", "charts/seatkeeper-crds/files"];
        for file in folders.map(|folder| format!("{folder}/{name}.yaml")) {
            if env::var_os("UPDATE_DOCS").is_some() {
                fs::write(root().join(&file), &yaml).expect("a file");
            }
            let stored = fs::read_to_string(root().join(&file)).unwrap_or_default();
            assert!(stored == yaml, "{file} is not what the types give; refresh it with: make generate");
        }
    }
}

#[test]
fn chart_knows_every_flag_and_no_other() {
    use clap::Args;
    let command = seatkeeper::run::Run::augment_args(clap::Command::new("run"));
    let mut flags: Vec<String> = command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
    flags.retain(|flag| !FLAGS_WITH_OWN_VALUES.contains(&flag.as_str()));
    flags.sort();
    let schema = fs::read_to_string(root().join("charts/seatkeeper/values.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let known = schema["properties"]["flags"]["properties"].as_object().expect("flags");
    let mut known: Vec<String> = known.keys().cloned().collect();
    known.sort();
    assert_eq!(known, flags, "charts/seatkeeper/values.schema.json, properties.flags");
    // The schema's words name no fix, so that it lets through what the checks refuse by the value to set.
    let refused = schema["properties"]["flags"]["patternProperties"].as_object().expect("flags of other values");
    let expected = format!("^({})$", FLAGS_WITH_OWN_VALUES.join("|"));
    assert_eq!(refused.keys().collect::<Vec<_>>(), [&expected]);
    let checks = fs::read_to_string(root().join("charts/seatkeeper/templates/_checks.tpl")).unwrap();
    let named = checks.lines().find(|line| line.contains("$own := dict")).expect("the values of flags");
    let missing: Vec<_> =
        FLAGS_WITH_OWN_VALUES.iter().filter(|flag| !named.contains(&format!("\"{flag}\" "))).collect();
    assert!(missing.is_empty(), "charts/seatkeeper/templates/_checks.tpl names no value for {missing:?}");
}
