//! Pages for people lead somewhere, and have what the code can say. Part of `shape`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::{root, sources};

/// Pages by their path.
fn pages() -> BTreeMap<PathBuf, String> {
    let folders = ["charts", "docs", "gitops"].into_iter().flat_map(|folder| sources(&root().join(folder)));
    let top = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].into_iter().map(|page| root().join(page));
    let markdown = folders.chain(top).filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    markdown.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// A page's lines without blocks of code.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The anchor of a heading, as GitHub makes it.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The anchors of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

/// Where the links of a page lead, but for those to the web.
fn links(page: &str) -> Vec<String> {
    let text: Vec<&str> = prose(page).collect();
    let text = text.join("\n");
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).map(str::to_owned).collect()
}

#[test]
fn anchor_of_a_heading_is_the_one_that_github_makes() {
    let page =
        "# A person's `yes`\n\n```sh\n# no heading\n```\n## The CRD: old\n[a](#b) [c](d.md#e) [f](https://g.h)\n";
    assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), ["a-persons-yes", "the-crd-old"]);
    assert_eq!(links(page), ["#b", "d.md#e"]);
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let (pages, mut checked, mut dead) = (pages(), 0, Vec::new());
    assert!(pages.len() > 20, "only {} pages", pages.len());
    for (path, text) in &pages {
        for link in links(text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            checked += 1;
            let there = match fs::canonicalize(&target) {
                Ok(target) if !anchor.is_empty() => {
                    pages.get(&target).is_some_and(|page| anchors(page).contains(anchor))
                }
                found => found.is_ok(),
            };
            if !there {
                dead.push(format!("{}: {link}", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(checked > 200, "only {checked} links");
    assert_eq!(dead, Vec::<String>::new());
}

#[test]
fn every_page_is_in_the_index() {
    let index = links(&fs::read_to_string(root().join("docs/README.md")).unwrap());
    let pages = sources(&root().join("docs"))
        .into_iter()
        .map(|path| path.strip_prefix(root().join("docs")).unwrap().to_owned());
    let missing: Vec<PathBuf> = pages
        .filter(|page| page != Path::new("README.md") && !page.starts_with("evidence"))
        .filter(|page| !index.iter().any(|link| Path::new(link) == page))
        .collect();
    assert_eq!(missing, Vec::<PathBuf>::new(), "docs/README.md does not list them");
}

/// The values of the constants of reasons.
fn reasons() -> BTreeSet<String> {
    let source = fs::read_to_string(root().join("src/domain/condition.rs")).unwrap();
    let body = source.split("pub mod reason {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("the reasons");
    let reasons =
        body.lines().filter_map(|line| Some(line.split_once(": &str = \"")?.1.strip_suffix("\";")?.to_owned()));
    reasons.collect()
}

/// Reasons that need nobody: nothing is wrong.
const GOOD_NEWS: [&str; 6] = ["InSync", "Observed", "Standby", "Authenticated", "Sufficient", "Active"];

/// What docs/troubleshooting.md says of each reason.
fn places() -> BTreeMap<String, String> {
    let page = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let mut places = BTreeMap::new();
    let lines: Vec<&str> = prose(&page).collect();
    for (at, line) in lines.iter().enumerate() {
        if let Some(reason) = line.strip_prefix("### ") {
            let text: Vec<&str> = lines[at + 1..].iter().take_while(|line| !line.starts_with('#')).copied().collect();
            let other = places.insert(reason.to_owned(), text.join(" ").trim().to_owned());
            assert_eq!(other, None, "docs/troubleshooting.md has {reason} twice");
        }
    }
    places
}

/// What a person who looks a reason up would miss: the first of symptom, cause and remedy that is not told, in this order.
fn missed(mut text: &str) -> Option<&'static str> {
    ["Symptom: ", "Cause: ", "Do: "].into_iter().find(|part| {
        let told = text.split_once(part).filter(|(_, told)| told.len() > 4);
        text = told.map_or("", |(_, told)| told);
        told.is_none()
    })
}

#[test]
fn troubleshooting_has_one_place_for_each_reason_and_none_for_another() {
    let (known, there) = (reasons(), places().into_keys().collect::<BTreeSet<_>>());
    assert!(known.len() > 50, "{known:?}");
    assert_eq!(
        known.difference(&there).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "docs/troubleshooting.md has no place for them"
    );
    assert_eq!(
        there.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "docs/troubleshooting.md: no such reason"
    );
}

#[test]
fn troubleshooting_has_symptom_cause_and_remedy_of_each_reason() {
    assert_eq!(missed("Symptom: it is red. Cause: heat. Do: wait."), None);
    for (text, part) in [
        ("Cause: heat. Do: wait.", "Symptom: "),
        ("Symptom: red. Do: wait.", "Cause: "),
        ("Symptom: red. Cause: heat.", "Do: "),
    ] {
        assert_eq!(missed(text), Some(part), "{text}");
    }
    for (reason, text) in places() {
        let lacks =
            if GOOD_NEWS.contains(&reason.as_str()) { (text.len() < 20).then_some("meaning") } else { missed(&text) };
        assert_eq!(lacks, None, "docs/troubleshooting.md, {reason}: {text}");
    }
}

/// What a symptom quotes of the STATUS column: phrases without numbers.
fn quoted(text: &str) -> impl Iterator<Item = String> {
    let symptom = text.split_once("Symptom: ").map_or("", |(_, rest)| rest.split("Cause: ").next().unwrap_or_default());
    let quoted = symptom.split('`').skip(1).step_by(2);
    let phrases = quoted.map(|words| words.rsplit_once(" seats: ").map_or(words, |(_, phrase)| phrase));
    let phrases = phrases.filter(|phrase| phrase.contains(' ') && !phrase.starts_with("kubectl"));
    let phrases = phrases.filter(|phrase| !phrase.contains(|c: char| c.is_ascii_digit()));
    phrases.map(|phrase| phrase.replace("Bitwarden ", "{vendor} "))
}

#[test]
fn troubleshooting_quotes_status_column() {
    let text =
        "Symptom: `+5 seats: denied by you`, `shortage: 0 free`, `READY`, or `Bitwarden sleeps`. Cause: `not this`.";
    assert_eq!(quoted(text).collect::<Vec<_>>(), ["denied by you", "{vendor} sleeps"]);
    let said = fs::read_to_string(root().join("tests/snapshots/messages.txt")).unwrap().replace("\\'", "'");
    let mut checked = 0;
    for (reason, text) in places() {
        for phrase in quoted(&text) {
            assert!(said.contains(&phrase), "docs/troubleshooting.md, {reason}: nothing says {phrase:?}");
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked}");
}

/// Whether a sentence of the code is what a phrase says, which has `...` for what it leaves out.
fn says(sentence: &str, phrase: &str) -> bool {
    let parts: Vec<&str> = phrase.trim_start_matches("... ").split("...").collect();
    let Some(mut rest) = sentence.strip_prefix(parts[0]) else { return false };
    for part in &parts[1..] {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.is_empty() || parts[1..].last().is_some_and(|last| last.is_empty())
}

/// What the second column of a table's row quotes, with `...` for what differs.
fn column_quotes(row: &str) -> Vec<String> {
    let cell = row.split(" | ").nth(1).unwrap_or_default();
    let quoted = cell.split('`').skip(1).step_by(2).filter(|words| !words.starts_with('/'));
    let phrases = quoted.map(|words| words.trim_end_matches(" at TIME"));
    phrases.map(|words| words.replace("prod-us", "...").replace(" N", " ...")).collect()
}

#[test]
fn never_buys_twice_quotes_status_column_and_reasons() {
    let row = "| It rains | `... wet at TIME`, `Rain`, or `dry; on N`; `/readyz` says `no ... here: ...` | `Wait` |";
    assert_eq!(column_quotes(row), ["... wet", "Rain", "dry; on ...", "no ... here: ..."]);
    assert!(says("wet", "... wet") && !says("wet", "... we") && !says("wetter", "wet"));
    assert!(says("no {kind} here: {}", "no ... here: ...") && !says("no {kind} there: {}", "no ... here: ..."));
    let page = fs::read_to_string(root().join("docs/never-buys-twice.md")).unwrap();
    let code = fs::read_to_string(root().join("tests/snapshots/messages.txt")).unwrap().replace("\\'", "'");
    let said = |phrase: &str| code.lines().any(|sentence| says(sentence, phrase));
    let kinds = ["Ready", "ChangePending", "CredentialsValid", "Drifted"];
    let named = reasons().into_iter().chain(kinds.map(str::to_owned)).collect::<BTreeSet<_>>();
    let table = page.split("| What happened | `kubectl get` says |").nth(1).expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    let phrases: Vec<String> = rows.flat_map(column_quotes).collect();
    assert!(phrases.len() > 40, "only {phrases:?}");
    let (of_words, names): (Vec<_>, Vec<_>) = phrases.into_iter().partition(|phrase| phrase.contains(' '));
    let wrong = of_words.iter().filter(|phrase| !said(phrase) && !phrase.split("; ").all(said));
    let wrong: Vec<&String> = wrong.chain(names.iter().filter(|name| !named.contains(*name))).collect();
    assert_eq!(wrong, Vec::<&String>::new(), "docs/never-buys-twice.md: nothing says them");
}

#[test]
fn files_of_one_guess_page_exist_and_its_count_matches_rows() {
    let page = fs::read_to_string(root().join("docs/evidence/one-guess.md")).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.contains(".rs`"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    // A guess names a file as it was called then.
    for path in rows.iter().map(|row| row[2]) {
        assert!(root().join("src").join(path.trim_matches('`')).is_file(), "{path}");
    }
    let right = rows.iter().filter(|row| row[3].is_empty()).count();
    assert!(page.contains(&format!("{right} of {}", rows.len())), "{right} of {}", rows.len());
}
