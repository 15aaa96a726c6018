//! What sources and tests say of vendors and of the protocol can be followed: they quote headings of pages in docs/, which
//! exist, and number nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use super::{root, sources, vendors};

/// Every source and test, with its text.
fn texts() -> Vec<(PathBuf, String)> {
    let files = ["src", "tests", "benches"].into_iter().flat_map(|folder| sources(&root().join(folder)));
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    files.map(|path| (path.strip_prefix(root()).unwrap().to_owned(), fs::read_to_string(&path).unwrap())).collect()
}

/// The comments of a text: each run of comment lines as one line, without what stands in backticks.
fn comments(text: &str) -> Vec<String> {
    let mut runs = vec![String::new()];
    for line in text.lines().map(str::trim_start) {
        match line.strip_prefix("//") {
            Some(comment) => {
                let comment = comment.trim_start_matches(['/', '!']).trim();
                let run = runs.last_mut().unwrap();
                run.push_str(comment);
                run.push(' ');
            }
            None => runs.push(String::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs.iter().map(|run| run.split('`').step_by(2).collect()).collect()
}

/// The first place where something is cited by its number.
fn cited_by_number(text: &str) -> Option<String> {
    let markers = ["//", "///", "//!"];
    let words: Vec<&str> = text.split_whitespace().filter(|word| !markers.contains(word)).collect();
    let cites = |pair: &&[&str]| {
        let word = pair[0].trim_start_matches(|c: char| !c.is_alphabetic()).to_lowercase();
        ["section", "sections", "step", "steps"].contains(&word.as_str())
            && pair[1].starts_with(|c: char| c.is_ascii_digit())
    };
    words.windows(2).find(cites).map(|pair| pair.join(" "))
}

/// What a comment quotes and a heading could be: it begins with a capital letter.
fn quotes(comment: &str) -> impl Iterator<Item = &str> {
    comment.split('"').skip(1).step_by(2).filter(|quote| quote.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// What comments quote directly after the name of a page in docs/, with that page.
fn quotes_of_pages(comment: &str) -> Vec<(&str, &str)> {
    let pages = comment.match_indices("docs/").filter_map(|(at, _)| {
        let (page, rest) = comment[at..].split_once(".md, \"")?;
        let heading = rest.split_once('"')?.0;
        (!page.contains(' ')).then_some((page, heading))
    });
    pages.collect()
}

/// The headings of a page, and its steps: names in bold at the beginning of a list's item.
fn headings(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let heading = |line: &str| line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_owned());
    let step = |line: &str| Some(line.strip_prefix("* **")?.split_once(".**")?.0.to_owned());
    text.lines().filter_map(|line| heading(line).or_else(|| step(line))).collect()
}

/// The pages of facts, by path, with their headings.
fn pages() -> BTreeMap<String, BTreeSet<String>> {
    let page = |name: &String| format!("docs/vendors/{name}.md");
    vendors().iter().map(|name| (page(name), headings(&page(name)))).collect()
}

#[test]
fn comments_are_read_as_one_line_with_their_quotes() {
    let text =
        "//! Rates (docs/vendors/a.md, \"Rate\n//! limits\").\nfn a() {}\n    // Not `\"This\"`, but (\"That\").\n";
    let read = comments(text);
    assert_eq!(read, ["Rates (docs/vendors/a.md, \"Rate limits\"). ", "Not , but (\"That\"). "]);
    assert_eq!(read.iter().flat_map(|run| quotes(run)).collect::<Vec<_>>(), ["Rate limits", "That"]);
    assert_eq!(quotes_of_pages(&read[0]), [("docs/vendors/a", "Rate limits")]);
}

#[test]
fn no_source_or_test_cites_a_section_or_a_step_by_its_number() {
    // Put together, for this file is read too.
    for (word, after) in [("(section", "12)."), ("/// Sections\n///", "5.2 and 5.3"), ("(protocol, step", "7)")] {
        assert!(cited_by_number(&format!("{word} {after}")).is_some(), "{word} {after}");
    }
    assert_eq!(cited_by_number("one section of 12 steps, 7 of them"), None);
    let texts = texts();
    assert!(texts.len() > 300, "only {} files: does this test still read the sources?", texts.len());
    for (path, text) in texts {
        if let Some(cited) = cited_by_number(&text) {
            panic!("{} cites {cited:?}: quote a heading of a page in docs/", path.display());
        }
    }
}

#[test]
fn every_heading_that_sources_and_tests_quote_is_on_its_page() {
    let pages = pages();
    let mut checked = 0;
    for (path, text) in texts().into_iter().filter(|(path, _)| !path.ends_with("cited.rs")) {
        let comments = comments(&text);
        let named: Vec<_> = pages.iter().filter(|(page, _)| comments.iter().any(|run| run.contains(*page))).collect();
        for (page, heading) in comments.iter().flat_map(|run| quotes_of_pages(run)) {
            let page = format!("{page}.md");
            assert!(
                headings(&page).contains(heading),
                "{} quotes {heading:?} of {page}, which has no such heading",
                path.display()
            );
        }
        for quote in comments.iter().flat_map(|run| quotes(run)) {
            let is_named = named.iter().any(|(_, headings)| headings.contains(quote));
            let is_heading = pages.values().any(|headings| headings.contains(quote));
            checked += usize::from(is_named);
            assert!(
                is_named || (named.is_empty() && !is_heading),
                "{} quotes {quote:?}: no page of docs/vendors that the file names has such a heading. What is no heading \
                 stands in backticks",
                path.display()
            );
        }
    }
    assert!(checked > 300, "only {checked} quotes: does this test still read the sources?");
}

#[test]
fn every_row_of_the_answers_names_facts_that_exist() {
    let page = headings("docs/vendors/bitwarden.md");
    for row in seatkeeper::vendors::symptoms() {
        assert!(!row.headings.is_empty(), "{} rests on nothing", row.seen);
        for heading in row.headings {
            assert!(page.contains(*heading), "{} names {heading:?}, which docs/vendors/bitwarden.md lacks", row.seen);
        }
    }
}

#[test]
fn each_vendor_has_fact_page_named_by_its_module_with_links_that_resolve() {
    let anchor = |heading: &String| {
        let dashes = heading.to_lowercase().replace(' ', "-");
        dashes.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect::<String>()
    };
    for name in vendors() {
        let page = format!("docs/vendors/{name}.md");
        let module = fs::read_to_string(root().join("src/vendors").join(&name).join("mod.rs")).unwrap();
        let says = module.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains(&page));
        assert!(says, "src/vendors/{name}/mod.rs does not name {page}");
        let anchors: Vec<_> = headings(&page).iter().map(anchor).collect();
        let text = fs::read_to_string(root().join(&page)).unwrap();
        for link in text.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(anchors.iter().any(|anchor| anchor == link), "{page} links to #{link}, which is not there");
        }
    }
}
