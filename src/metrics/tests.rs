//! What is printed of the operator and of its objects, and that the page says the same.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde_json::{Value, json};

use super::*;
use crate::api::{LicenseSeatsStatus, NextWindow};
use crate::domain::kind;

const KEY: (&str, &str) = ("it", "acme");

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn condition(kind: &str, is: &str, reason: &str) -> Condition {
    Condition {
        type_: kind.into(),
        status: is.into(),
        reason: reason.into(),
        message: String::new(),
        last_transition_time: Time(at(0)),
        observed_generation: None,
    }
}

/// The types of conditions, as they stand in the source: a new one gets its series in these tests by itself.
fn kinds() -> Vec<&'static str> {
    let source = include_str!("../domain/condition.rs");
    let body = source.split("pub mod kind {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("the types");
    body.lines().filter_map(|line| line.split_once(": &str = \"")?.1.strip_suffix("\";")).collect()
}

/// A status that tells everything there is a series for.
fn full() -> LicenseSeatsStatus {
    let status = json!({
        "account": { "vendor": "bitwarden", "host": "vault.test", "id": "1" },
        "effective": { "interval": "5m", "product": "PasswordManager" },
        "desired": 150, "seats": 100, "used": 80, "free": 20, "limit": 120, "billed": 101,
        "license": { "state": "Active", "expiresAt": "2026-12-31T00:00:00Z" },
        "nextWindow": { "name": "soon", "opensAt": "2026-12-01T06:00:00Z", "closesAt": "2026-12-01T07:00:00Z" },
    });
    let status: LicenseSeatsStatus = serde_json::from_value(status).unwrap();
    let conditions = kinds().into_iter().map(|kind| condition(kind, "True", "AwaitingWindow")).collect();
    LicenseSeatsStatus { conditions, ..status }
}

fn show(metrics: &Metrics, status: &LicenseSeatsStatus) {
    metrics.object(KEY, &Shown { status, observed: Some(at(1_000)), outdated: false });
}

fn printed(metrics: &Metrics) -> String {
    metrics.print(true, Format::OpenMetrics).unwrap()
}

/// Values of the series of a family, by their labels beyond those of the object.
fn series(metrics: &Metrics, family: &str) -> Vec<String> {
    let text = printed(metrics);
    let own = r#"namespace="it",name="acme",vendor="bitwarden",product="PasswordManager""#;
    let of = text.lines().filter(|line| line.starts_with(&format!("seatkeeper_{family}{{")));
    of.map(|line| line.replace(&format!("seatkeeper_{family}"), "").replace(&format!("{own},"), "").replace(own, ""))
        .collect()
}

#[test]
fn page_lists_every_metric_with_type_and_meaning() {
    let metrics = Metrics::default();
    show(&metrics, &full());
    let text = printed(&metrics);
    let told = |keyword: &str| {
        let prefix = format!("# {keyword} ");
        text.lines().filter_map(move |line| line.strip_prefix(&prefix)?.split_once(' ')).collect::<Vec<_>>()
    };
    let (helps, kinds) = (told("HELP"), told("TYPE"));
    let row = |((name, help), (_, kind)): (&(&str, &str), &(&str, &str))| {
        let total = if *kind == "counter" { "_total" } else { "" };
        format!("| `{name}{total}` | {kind} | {} |\n", help.trim_end_matches('.'))
    };
    let rows: String = helps.iter().zip(&kinds).map(row).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    let head = "| Metric | Type | Meaning |\n|---|---|---|\n";
    let (before, rest) = page.split_once(head).unwrap();
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let expected = format!("{before}{head}{rows}{after}");
    if std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1") {
        std::fs::write(path, &expected).unwrap();
    }
    assert_eq!(page, expected, "refresh docs/metrics.md with `make generate`");
}

/// Dashboards and rules that people wrote before there were more metrics.
#[test]
fn families_that_were_there_first_keep_their_names_and_types() {
    let metrics = Metrics::default();
    show(&metrics, &full());
    metrics.pass_took(Duration::from_secs(3));
    let text = printed(&metrics);
    for (family, kind) in [
        ("reconciles", "counter"),
        ("reconcile_duration_seconds", "histogram"),
        ("vendor_requests", "counter"),
        ("vendor_request_duration_seconds", "histogram"),
        ("build_info", "gauge"),
        ("seats_desired", "gauge"),
        ("seats_purchased", "gauge"),
        ("seats_used", "gauge"),
        ("seats_limit", "gauge"),
    ] {
        assert!(text.contains(&format!("\n# TYPE seatkeeper_{family} {kind}\n")), "{family}\n{text}");
    }
    for name in ["reconcile_duration_seconds", "pass_duration_seconds"] {
        for measured in [format!("{name}_count 1"), format!("{name}_sum 3.0")] {
            assert!(text.contains(&format!("\nseatkeeper_{measured}\n")), "{measured}\n{text}");
        }
    }
}

#[test]
fn each_series_names_object_vendor_and_product_and_object_has_under_25() {
    let metrics = Metrics::default();
    show(&metrics, &full());
    let text = printed(&metrics);
    let of_object: Vec<&str> = text.lines().filter(|line| line.contains("acme")).collect();
    let own = r#"namespace="it",name="acme",vendor="bitwarden",product="PasswordManager""#;
    assert!(of_object.iter().all(|line| line.contains(own)), "{of_object:#?}");
    assert_eq!(of_object.len(), 24, "{of_object:#?}");
}

#[test]
fn unknown_numbers_have_no_series_and_stale_ones_vanish_unlike_conditions() {
    let metrics = Metrics::default();
    show(&metrics, &full());
    for (family, value) in [
        ("seats_desired", "150"),
        ("seats_purchased", "100"),
        ("seats_used", "80"),
        ("seats_free", "20"),
        ("seats_limit", "120"),
        ("seats_billed", "101"),
        ("license_expiry_timestamp_seconds", "1798675200"),
        ("last_observation_timestamp_seconds", "1000"),
        ("next_window_timestamp_seconds", "1796104800"),
    ] {
        assert_eq!(series(&metrics, family), [format!("{{}} {value}")], "{family}");
    }
    let held = full().next_window.map(|window| NextWindow { held: true, ..window });
    show(&metrics, &LicenseSeatsStatus { used: None, free: None, next_window: held, ..full() });
    for gone in ["seats_used", "seats_free", "next_window_timestamp_seconds"] {
        assert_eq!(series(&metrics, gone), [""; 0], "{gone}");
    }
    metrics.object(KEY, &Shown { status: &full(), observed: None, outdated: true });
    let left: Vec<String> = printed(&metrics)
        .lines()
        .filter(|line| line.contains("_seats_") && line.contains("acme"))
        .map(str::to_owned)
        .collect();
    assert_eq!(left, [""; 0], "they are out of date");
    assert_eq!(series(&metrics, "last_observation_timestamp_seconds"), [""; 0], "not known");
    assert_eq!(series(&metrics, "condition").len(), 8);
    assert_eq!(series(&metrics, "license_expiry_timestamp_seconds").len(), 1);
    let recorded = LicenseSeatsStatus { last_observed_at: Some(Time(at(900))), ..full() };
    metrics.object(KEY, &Shown { status: &recorded, observed: None, outdated: true });
    assert_eq!(series(&metrics, "last_observation_timestamp_seconds"), ["{} 900"], "as another process recorded it");
}

#[test]
fn condition_has_one_series_and_pending_change_has_one_for_its_reason() {
    let metrics = Metrics::default();
    let with = |conditions: Vec<Condition>| LicenseSeatsStatus { conditions, ..full() };
    show(&metrics, &with(vec![condition(kind::CHANGE_PENDING, "True", "AwaitingWindow")]));
    assert_eq!(series(&metrics, "pending_change"), [r#"{reason="AwaitingWindow"} 1"#]);
    assert_eq!(series(&metrics, "condition"), [r#"{type="ChangePending",status="True",reason="AwaitingWindow"} 1"#]);
    show(&metrics, &with(vec![condition(kind::CHANGE_PENDING, "True", "AwaitingApproval")]));
    assert_eq!(series(&metrics, "pending_change"), [r#"{reason="AwaitingApproval"} 1"#]);
    show(&metrics, &with(vec![condition(kind::CHANGE_PENDING, "False", "InSync")]));
    assert_eq!(series(&metrics, "pending_change"), [""; 0]);
    assert_eq!(series(&metrics, "condition"), [r#"{type="ChangePending",status="False",reason="InSync"} 1"#]);
}

#[test]
fn series_go_with_the_object_and_with_the_pool_that_it_had() {
    let metrics = Metrics::default();
    show(&metrics, &full());
    let mut moved = full();
    moved.effective.as_mut().unwrap().product = Some("SecretsManager".into());
    show(&metrics, &moved);
    let text = printed(&metrics);
    assert!(!text.contains("PasswordManager") && text.contains("SecretsManager"), "{text}");
    metrics.forget(KEY);
    assert!(!printed(&metrics).contains("acme"));
    show(&metrics, &full());
    assert!(!metrics.print(false, Format::OpenMetrics).unwrap().contains("acme"), "only who leads tells of objects");
    metrics.forget_all();
    assert!(!printed(&metrics).contains("acme"));
}

fn change(id: &str, from: i32, to: i32) -> Value {
    json!({
        "id": id, "account": "vault.test/1", "step": { "seats": { "from": from, "to": to } }, "generation": 1, "attempt": 1,
        "reason": "UseChanged", "time": "2026-11-29T12:00:00Z",
    })
}

fn with_history(changes: &[Value]) -> LicenseSeatsStatus {
    let history = changes.iter().map(|change| serde_json::from_value(change.clone()).unwrap()).collect();
    LicenseSeatsStatus { history, ..full() }
}

#[test]
fn changes_count_from_zero_once_each_by_effect() {
    let metrics = Metrics::default();
    let none = with_history(&[]);
    show(&metrics, &none);
    assert_eq!(series(&metrics, "changes_total").len(), 6);
    assert!(series(&metrics, "changes_total").iter().all(|line| line.ends_with(" 0")));
    assert_eq!(series(&metrics, "seats_changed_total").len(), 2);
    let one = with_history(&[change("b", 100, 150)]);
    let two = with_history(&[change("c", 150, 130), change("b", 100, 150)]);
    for (before, after) in [(&none, &one), (&one, &one), (&one, &two), (&two, &two)] {
        told(before, after).iter().for_each(|counted| metrics.changed(KEY, counted));
    }
    let made = |direction: &str| format!("{{direction=\"{direction}\",result=\"made\"}} 1");
    let counted = series(&metrics, "changes_total");
    assert!(counted.contains(&made("increase")) && counted.contains(&made("decrease")), "{counted:?}");
    let mut seats = series(&metrics, "seats_changed_total");
    seats.sort();
    assert_eq!(seats, [r#"{direction="decrease"} 20"#, r#"{direction="increase"} 50"#]);
    assert!(series(&metrics, "changes_by_trigger_total").contains(&r#"{trigger="UseChanged"} 2"#.to_owned()));
}

#[test]
fn requests_to_vendors_count_from_zero_by_operation_and_outcome() {
    let metrics = Metrics::default();
    let counted = series(&metrics, "vendor_requests_total");
    assert!(counted.iter().all(|line| line.ends_with(" 0")), "{counted:#?}");
    for (vendor, operation, outcome) in [
        ("bitwarden", "token", "no_answer"),
        ("bitwarden", "get_members", "throttled"),
        ("bitwarden", "put_subscription", "refused"),
        ("bitwarden", "post_subscription", "unanswered"),
        ("immuta", "get_licenses", "key_refused"),
        ("immuta", "add_license", "not_sent"),
    ] {
        let line = format!("{{vendor=\"{vendor}\",operation=\"{operation}\",outcome=\"{outcome}\"}} 0");
        assert!(counted.contains(&line), "{line}\n{counted:#?}");
    }
    // Once for each replica, however many objects there are.
    assert!((300..350).contains(&counted.len()), "{} series", counted.len());
}

#[test]
fn refusal_is_counted_once_when_first_reported() {
    let intent = |phase: &str| {
        let mut intent = change("d", 100, 150);
        intent["phase"] = phase.into();
        intent["objectUid"] = "u".into();
        LicenseSeatsStatus { intent: Some(serde_json::from_value(intent).unwrap()), ..full() }
    };
    assert_eq!(told(&intent("Open"), &intent("Answered")), []);
    let counted = told(&intent("Answered"), &intent("Rejected"));
    assert_eq!(
        counted.iter().map(|c| (c.direction, c.outcome, c.seats)).collect::<Vec<_>>(),
        [(Direction::Increase, ChangeResult::Refused, 50)]
    );
    assert_eq!(told(&intent("Rejected"), &intent("Rejected")), []);
}

#[test]
fn process_metrics_show_memory_time_and_files() {
    let text = Metrics::default().print(false, Format::Plain).unwrap();
    for name in [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
        "process_threads",
    ] {
        assert!(text.contains(&format!("\n{name} ")), "{name}\n{text}");
    }
    assert!(text.contains("\nseatkeeper_leader 0\n"), "{text}");
}
