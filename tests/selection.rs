//! Which faults are played (tests/faults/selection.rs): a list that leaves nothing out, and variables that cannot ask for nothing.
//! Part of `shape`, for the program of the faults has no unit tests.

#[allow(dead_code)]
#[path = "faults/selection.rs"]
mod subject;

use std::collections::BTreeSet;
use std::time::Duration;

use fault_proxy::{Hop, Record};

use subject::{Choice, Name, Request, new_list, unshown};

/// a: object, s: Secret, w: status, i: intent, t: token, v: reading, p: purchase.
fn requests(letters: &str) -> Vec<Request> {
    let record = |(index, letter): (usize, char)| {
        let (hop, method, path) = match letter {
            'a' => (Hop::Apiserver, "GET", "/licenseseats/acme"),
            's' => (Hop::Apiserver, "GET", "/secrets/key"),
            'w' | 'i' => (Hop::Apiserver, "PATCH", "/licenseseats/acme/status"),
            't' => (Hop::Vendor, "POST", "/connect/token"),
            'v' => (Hop::Vendor, "GET", "/members"),
            _ => (Hop::Vendor, "PUT", "/subscription"),
        };
        Record {
            number: index + 1,
            hop,
            method: method.to_owned(),
            path: path.to_owned(),
            intent: letter == 'i',
            opens: letter == 'i',
            patch: String::new(),
            at: Duration::ZERO,
            executed: None,
            over: None,
            answered: None,
        }
    };
    Request::of(&letters.chars().enumerate().map(record).collect::<Vec<_>>())
}

/// Two kinds in two scenarios, each action at each request.
fn all(letters: &str) -> Vec<Name> {
    let mut all = Vec::new();
    for scenario in ["first", "second"] {
        for request in requests(letters) {
            for (kind, action) in [("crash", "killed"), ("crash", "killed late"), ("pause", "stopped")] {
                all.push(Name { kind, scenario, request: Some(request), action: action.to_owned() });
            }
        }
    }
    all
}

const LETTERS: &str = "astvviwpvw";

/// What the variables ask for.
fn asked(variables: &[(&str, &str)]) -> Result<Choice, String> {
    Choice::asked(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

fn picked(variables: &[(&str, &str)], list: &str) -> Result<Vec<String>, String> {
    let picked = asked(variables)?.pick(&all(LETTERS), list)?;
    Ok(picked.iter().map(ToString::to_string).collect())
}

#[test]
fn request_is_named_by_kind_and_ordinal() {
    let names: Vec<String> = requests(LETTERS).iter().map(ToString::to_string).collect();
    let expected =
        "object-1 secret-1 token-1 reading-1 reading-2 intent-1 status-1 purchase-1 reading-3 status-2".split(' ');
    assert_eq!(names, expected.collect::<Vec<_>>());
    for (request, name) in requests(LETTERS).into_iter().zip(&names) {
        assert_eq!(name.parse(), Ok(request));
    }
}

#[test]
fn meaningless_variable_is_refused_with_usable_values() {
    for (variable, value, hint) in [
        ("FAULT_KIND", "crush", "There are: crash, answer"),
        ("FAULT_SHARD", "0/3", "FAULT_SHARD=2/24"),
        ("FAULT_SHARD", "4/3", "FAULT_SHARD=2/24"),
        ("FAULT_SHARD", "all", "FAULT_SHARD=2/24"),
        ("FAULT_TIMES", "0", "FAULT_TIMES=20"),
        ("FAULT_PARALLEL", "many", "FAULT_PARALLEL=20"),
        ("SEED", "x", "SEED=7"),
        ("DURATION", "long", "DURATION=10m"),
    ] {
        let why = asked(&[(variable, value)]).expect_err(value);
        assert!(why.contains(&format!("{variable}={value:?}")) && why.contains(hint), "{why}");
    }
}

#[test]
fn fault_case_that_is_unknown_or_of_another_kind_fails_with_example() {
    for variables in [
        &[("FAULT_CASE", "first/purchase-2/killed")][..],
        &[("FAULT_CASE", "third/*")],
        &[("FAULT_CASE", "first/purchase-1/killed"), ("FAULT_KIND", "pause")],
        &[("FAULT_SHARD", "99/99")],
        &[("FAULT_CASE", "")],
    ] {
        let why = picked(variables, "").expect_err("nothing is played");
        assert!(why.contains(variables[0].1) && why.contains("FAULT_CASE=\"first/object-1/killed\""), "{why}");
    }
}

#[test]
fn case_is_found_by_name_or_by_parts_around_star() {
    assert_eq!(picked(&[("FAULT_CASE", "first/purchase-1/killed")], "").unwrap(), ["first/purchase-1/killed"]);
    assert_eq!(picked(&[("FAULT_CASE", "second/*/stopped")], "").unwrap().len(), LETTERS.len());
    assert_eq!(picked(&[("FAULT_CASE", "*")], "").unwrap().len(), all(LETTERS).len());
    let twice = picked(&[("FAULT_CASE", "first/intent-1/stopped"), ("FAULT_TIMES", "2")], "").unwrap();
    assert_eq!(twice, ["first/intent-1/stopped"; 2]);
}

#[test]
fn parts_of_all_cases_cover_each_case_exactly_once() {
    let parts = ["1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"];
    let parts: Vec<String> = parts.iter().flat_map(|part| picked(&[("FAULT_SHARD", part)], "").unwrap()).collect();
    assert_eq!(parts.len(), all(LETTERS).len());
    assert_eq!(parts.into_iter().collect::<BTreeSet<_>>().len(), all(LETTERS).len());
}

#[test]
fn new_list_leaves_nothing_out_and_is_the_same_every_time() {
    let list = new_list(&all(LETTERS));
    assert_eq!(list, new_list(&all(LETTERS)));
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let played = picked(&[], &list).unwrap();
    assert_eq!(played, lines.collect::<Vec<_>>());
    assert!(played.len() < all(LETTERS).len(), "a choice, not all");
    let of_a_kind = picked(&[("FAULT_KIND", "pause")], &list).unwrap();
    assert!(of_a_kind.iter().all(|name| name.ends_with("/stopped")) && of_a_kind.len() >= 10, "{of_a_kind:?}");
}

#[test]
fn chosen_list_lacking_kind_action_or_scenario_of_kind_is_refused() {
    let whole = [
        "first/purchase-1/killed",
        "first/purchase-1/killed late",
        "second/intent-1/killed",
        "second/intent-1/killed late",
        "first/purchase-1/stopped",
        "second/intent-1/stopped",
    ];
    assert_eq!(picked(&[], &whole.join("\n")).unwrap(), whole);
    for (left_out, named) in [
        (0, "crash: killed at a purchase"),
        (1, "crash: killed late at a purchase"),
        (2, "crash: killed at a record"),
        (3, "crash: killed late at a record"),
        (4, "pause: scenario first"),
        (5, "pause: scenario second"),
    ] {
        let rest: Vec<&str> = (0..whole.len()).filter(|nth| *nth != left_out).map(|nth| whole[nth]).collect();
        let why = picked(&[], &rest.join("\n")).expect_err(named);
        assert!(why.contains(named) && why.contains("UPDATE_CHOSEN=1"), "{why}");
    }
    let why = picked(&[], &whole[..4].join("\n")).expect_err("no pause");
    assert!(why.contains("kind pause"), "{why}");
}

#[test]
fn action_without_a_case_of_an_owner_is_refused() {
    let name = |scenario, action: &str| {
        let request = "purchase-1".parse().ok();
        Name { kind: "crash", scenario, request, action: action.to_owned() }
    };
    let all = [name("first", "killed"), name("owner-first", "killed"), name("owner-first", "killed late")];
    let list = |names: &[&Name]| names.iter().map(|name| format!("{name}\n")).collect::<String>();
    let played = |names: &[&Name]| asked(&[]).unwrap().pick(&all, &list(names)).map(|played| played.len());
    assert_eq!(played(&[&all[0], &all[1], &all[2]]), Ok(3));
    let why = played(&[&all[0], &all[2]]).expect_err("no owner's key is killed");
    assert!(why.contains("crash: killed, with an owner's key"), "{why}");
}

#[test]
fn missing_listed_request_falls_back_to_previous_of_class() {
    let list = |line: &str| format!("{}\n{line}", new_list(&all(LETTERS)));
    let last = |line: &str| picked(&[], &list(line)).map(|played| played.last().cloned().unwrap());
    assert_eq!(last("first/reading-9/killed").unwrap(), "first/reading-3/killed");
    for unknown in
        ["first/reading-99/killed", "first/letter-1/killed", "third/reading-1/killed", "first/reading-1/kissed", "?"]
    {
        let why = last(unknown).expect_err(unknown);
        assert!(why.contains(unknown) && why.contains("UPDATE_CHOSEN=1"), "{why}");
    }
}

#[test]
fn unplayed_case_is_credited_to_no_other() {
    let all = all(LETTERS);
    let is_killed_at_purchase = |name: &Name| name.to_string() == "first/purchase-1/killed";
    let ran = |names: &[&Name]| -> BTreeSet<String> { names.iter().flat_map(|name| name.branches()).collect() };
    // The second scenario has the same fault at its purchase.
    let others: Vec<&Name> = all.iter().filter(|name| !is_killed_at_purchase(name)).collect();
    assert_eq!(unshown(&all, &ran(&others)), Vec::<String>::new());
    let others: Vec<&Name> = others.into_iter().filter(|name| name.to_string() != "second/purchase-1/killed").collect();
    assert_eq!(unshown(&all, &ran(&others)), ["crash: killed at a purchase"]);
    let others: Vec<&Name> = others.into_iter().filter(|name| name.kind != "pause").collect();
    let missing = unshown(&all, &ran(&others));
    assert!(missing.contains(&"kind pause".to_owned()), "{missing:?}");
}
