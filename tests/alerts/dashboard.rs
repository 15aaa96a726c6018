//! What a Prometheus answers to the dashboard, and the page of evidence that shows it.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::time::Instant;

use seatkeeper_support::{Prometheus, SYSTEM_NAMESPACE, workspace_root};
use serde_json::Value;

use super::scraped_again;
use crate::world::PATIENCE;

const PAGE: &str = "docs/evidence/dashboard.md";

const REFRESH: &str = "UPDATE_DOCS=1 cargo test --test behavior -- each_fault_fires";

/// Parts of queries whose number of series differs from run to run: rates of what was asked and made, and reasons that come and go.
const DIFFERS: [&str; 3] = ["$__rate_interval", "by (reason)", "type, status, reason"];

/// Each query has an answer, and those that are the same in each run are in [`PAGE`].
pub async fn is_answered_as_the_page_has_it(prometheus: &Prometheus) {
    let (path, deadline) = (workspace_root().join(PAGE), Instant::now() + PATIENCE);
    loop {
        let page = page(&answers(prometheus).await);
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &page).expect(PAGE);
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        if stored == page {
            return;
        }
        let lacks: Vec<&str> = page.lines().filter(|line| stored.lines().all(|other| other != *line)).collect();
        assert!(Instant::now() < deadline, "{PAGE} is stale, refresh it with {REFRESH}. It lacks {lacks:#?}");
        scraped_again(prometheus, 1).await;
    }
}

fn page(rows: &[String]) -> String {
    format!(
        "# What Prometheus answers to the dashboard\n\n\
         Written by `{REFRESH}`. An operator has one object for each fault of an object in \
         [faults.yaml](../../tests/prometheus/faults.yaml), and one whose account was changed and corrected. A Prometheus scrapes the \
         operator, and is asked each query of [dashboard.json](../../charts/seatkeeper/files/dashboard.json), with every namespace and \
         every object selected. `-` is for what differs from run to run.\n\n\
         | Panel | Query | Labels | Series | Number |\n|---|---|---|---|---|\n{}\n",
        rows.join("\n")
    )
}

/// What of an answer is the same in each run.
fn row(panel: &Value, query: &str, answer: &[Value]) -> String {
    let named = answer.iter().filter_map(|series| series["metric"].as_object()).flat_map(|labels| labels.keys());
    let labels: BTreeSet<&str> = named.map(String::as_str).filter(|label| *label != "__name__").collect();
    let differs = DIFFERS.iter().any(|part| query.contains(part));
    let series = if differs { "-".to_owned() } else { answer.len().to_string() };
    let number = match answer {
        [one] if !differs && labels.is_empty() => one["value"][1].as_str().unwrap_or_default(),
        _ => "-",
    };
    let labels = Vec::from_iter(labels).join(", ");
    format!("| {} | `{query}` | {labels} | {series} | {number} |", panel["title"].as_str().unwrap_or_default())
}

/// The queries of the dashboard's panels and variables, as Grafana sends them with everything selected, each as a row with its answer.
async fn answers(prometheus: &Prometheus) -> Vec<String> {
    let board = fs::read_to_string(workspace_root().join("charts/seatkeeper/files/dashboard.json")).expect("a file");
    let board: Value = serde_json::from_str(&board).expect("JSON");
    each_variable_of_the_dashboard_has_values(prometheus, &board).await;
    let mut rows = Vec::new();
    for panel in board["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().expect("a query");
            let asked = with_all(query).replace("$__rate_interval", "1m");
            assert!(!asked.contains('$'), "{query}");
            let answer = prometheus.query(&asked).await.unwrap_or_else(|error| panic!("{error}"));
            let numbers = answer.iter().filter_map(|series| series["value"][1].as_str());
            let said = panel["description"].as_str().is_some_and(|text| text.contains("Empty while none waits."));
            assert!(said || numbers.into_iter().any(|number| number != "NaN"), "{}: {query}", panel["title"]);
            rows.push(row(panel, query, &answer));
        }
    }
    assert!(rows.len() > 30, "{rows:?}");
    let of_object = prometheus.query("seatkeeper_condition{type=\"Ready\"}").await.expect("a query");
    let labels = &of_object[0]["metric"];
    assert_ne!(labels["namespace"], SYSTEM_NAMESPACE, "honor_labels keeps the object's namespace");
    rows
}

/// A query with everything selected.
fn with_all(query: &str) -> String {
    query.replace("$namespace", ".*").replace("$name", ".*")
}

/// What Grafana asks to fill the variables.
async fn each_variable_of_the_dashboard_has_values(prometheus: &Prometheus, board: &Value) {
    let all = board["templating"]["list"].as_array().expect("variables");
    let mut asked = BTreeSet::new();
    for variable in all.iter().filter(|variable| variable["type"] == "query") {
        assert_eq!(variable["allValue"], ".*", "as with_all has it: {variable}");
        let query = with_all(variable["query"]["query"].as_str().expect("a query"));
        let (selector, label) = query
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')')?.rsplit_once(", "))
            .unwrap_or_else(|| panic!("{query}: this test knows label_values alone"));
        let values = prometheus.label_values(label, selector).await.unwrap_or_else(|error| panic!("{error}"));
        assert!(!values.is_empty(), "{query} has no values");
        asked.insert(label.to_owned());
    }
    assert_eq!(asked, ["name", "namespace"].map(str::to_owned).into());
}
