//! What the chart renders for Prometheus and Grafana, asked of their own tools and of an apiserver. What each value does is in
//! `charts/seatkeeper/tests/monitoring_test.yaml`.
#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use seatkeeper_support::{
    ControlPlane, manifests_of_kind, needs_control_plane, prometheus_tool, rule_file, scratch_dir, wait_for,
    workspace_root,
};
use serde_json::{Value, json};

async fn rendered(values: &[(&str, &str)]) -> String {
    ControlPlane::shared().await.render_chart(values).await.expect("good values")
}

async fn rules() -> Vec<Value> {
    let manifests = rendered(&[("alerts.enabled", "true")]).await;
    let file: Value = serde_json::from_str(&rule_file(&manifests)).expect("JSON");
    file["groups"][0]["rules"].as_array().expect("rules").clone()
}

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value.as_str().unwrap_or_else(|| panic!("{what}: {value}"))
}

#[tokio::test]
async fn apiserver_accepts_every_monitor_shape_or_names_missing_prometheus_crds() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    cp.install_chart(&[]).await;
    let shapes: [&[(&str, &str)]; 3] = [
        &[
            ("metrics.serviceMonitor.enabled", "true"),
            ("metrics.serviceMonitor.interval", "30s"),
            ("metrics.serviceMonitor.scrapeTimeout", "10s"),
            ("metrics.serviceMonitor.labels.release", "prom"),
            ("metrics.serviceMonitor.relabelings[0].action", "labeldrop"),
            ("metrics.serviceMonitor.relabelings[0].regex", "node"),
        ],
        &[("metrics.podMonitor.enabled", "true"), ("metrics.podMonitor.metricRelabelings[0].action", "labeldrop")],
        &[
            ("alerts.enabled", "true"),
            ("alerts.keepFiringFor", "5m"),
            ("alerts.ruleLabels.team", "it"),
            ("dashboard.enabled", "true"),
        ],
    ];
    let apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
    for values in shapes {
        let manifests = cp.render_chart(values).await.expect("good values");
        let refused = cp.kubectl_in("", &apply, &manifests).await.refused();
        assert!(refused.contains("no matches for kind"), "{values:?}: {refused}");
    }
    let script = workspace_root().join("tests/prometheus/crds.sh");
    let output = Command::new(script).output().expect("a script");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    for plural in ["servicemonitors", "podmonitors", "prometheusrules"] {
        let file = format!("{folder}/monitoring.coreos.com_{plural}.yaml");
        cp.kubectl(&["apply", "--server-side", "-f", &file]).await.ok();
        let name = format!("crd/{plural}.monitoring.coreos.com");
        cp.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", &name]).await.ok();
    }
    for values in shapes {
        let manifests = cp.render_chart(values).await.expect("good values");
        let taken = async || {
            // The handler of a CRD comes up a moment after it is established.
            let applied = cp.kubectl_in("", &apply, &manifests).await;
            let early = applied.stderr.contains("no matches for kind") || applied.stderr.contains("could not find");
            (!early).then_some(applied)
        };
        let applied = wait_for("the kinds to be served", Duration::from_secs(60), taken).await;
        assert!(applied.success() && applied.stderr.is_empty(), "{values:?}: {}", applied.stderr);
    }
    // The check itself works:
    let manifests = cp.render_chart(&[("metrics.podMonitor.enabled", "true")]).await.expect("good values");
    let wrong = manifests.replace("honorLabels: true", "honourLabels: true");
    let refused = cp.kubectl_in("", &apply, &wrong).await.refused();
    assert!(refused.contains("honourLabels"), "{refused}");
}

#[tokio::test]
async fn promtool_confirms_each_chart_alert_fires_and_stays_quiet() {
    needs_control_plane!();
    let folder = scratch_dir("rules");
    let manifests = rendered(&[("alerts.enabled", "true")]).await;
    fs::write(folder.join("rules.yaml"), rule_file(&manifests)).expect("a file");
    let tests = workspace_root().join("tests/prometheus/alerts.test.yaml");
    fs::copy(tests, folder.join("alerts.test.yaml")).expect("a copy");
    let mut told = Vec::new();
    for arguments in [["check", "rules", "rules.yaml"], ["test", "rules", "alerts.test.yaml"]] {
        let output = Command::new(prometheus_tool("promtool")).args(arguments).current_dir(&folder).output();
        let output = output.expect("promtool");
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(output.status.success() && said.contains("SUCCESS"), "{said}");
        told.push(format!("$ promtool {}", arguments.join(" ")));
        told.extend(said.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    page_of_rules_has(&told.join("\n"));
}

/// What promtool said is in the page of evidence.
fn page_of_rules_has(told: &str) {
    let read = |path: &str| fs::read_to_string(workspace_root().join(path)).unwrap_or_default();
    let tests: Value = serde_yaml::from_str(&read("tests/prometheus/alerts.test.yaml")).expect("YAML");
    let (path, tests) = ("docs/evidence/alert-rules.md", tests["tests"].as_array().expect("tests").len());
    let refresh = "UPDATE_DOCS=1 cargo test -p seatkeeper-support --test monitoring -- promtool";
    let page = format!(
        "# What promtool says of the alert rules\n\n\
         Written by `{refresh}`. The rules are those of the chart with `alerts.enabled=true`. The {tests} tests are those of \
         [alerts.test.yaml](../../tests/prometheus/alerts.test.yaml): what fires when, and what stays quiet. Empty lines are left \
         out.\n\n```\n{told}\n```\n"
    );
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(workspace_root().join(path), &page).expect(path);
    }
    assert_eq!(read(path), page, "{path} is stale, refresh it with {refresh}");
}

#[tokio::test]
async fn each_alert_is_in_fault_table_is_tested_and_has_heading_on_its_page() {
    needs_control_plane!();
    let read = |path: &str| fs::read_to_string(workspace_root().join(path)).expect(path);
    let (tests, table, page) =
        (read("tests/prometheus/alerts.test.yaml"), read("tests/prometheus/faults.yaml"), read("docs/alerts.md"));
    let table: Value = serde_yaml::from_str(&table).expect("YAML");
    let rows = table.as_array().expect("rows").iter();
    let fired: BTreeSet<&str> =
        rows.flat_map(|row| row["alerts"].as_array().expect("alerts")).filter_map(Value::as_str).collect();
    let mut rendered = BTreeSet::new();
    for rule in rules().await {
        let (alert, severity) = (text(&rule["alert"], "alert"), text(&rule["labels"]["severity"], "severity"));
        for key in ["expr", "for"] {
            text(&rule[key], alert);
        }
        for key in ["summary", "description"] {
            assert!(!text(&rule["annotations"][key], alert).is_empty(), "{rule}");
        }
        assert!(page.contains(&format!("\n### {alert}\n")), "docs/alerts.md has no heading {alert}");
        let runbook = text(&rule["annotations"]["runbook_url"], alert);
        let expected = format!("/docs/alerts.md#{}", alert.to_lowercase());
        assert!(runbook.starts_with("https://") && runbook.ends_with(&expected), "{runbook}");
        let played = format!("{{alertname=\"{alert}\",severity=\"{severity}\"}}");
        assert!(tests.contains(&played), "tests/prometheus/alerts.test.yaml never sees {played}");
        rendered.insert(format!("{alert}/{severity}"));
    }
    assert_eq!(rendered.iter().map(String::as_str).collect::<BTreeSet<_>>(), fired);
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    for heading in headings {
        assert!(rendered.iter().any(|alert| alert.starts_with(&format!("{heading}/"))), "no alert is called {heading}");
    }
}

#[tokio::test]
async fn alert_drops_each_reason_that_may_change_while_its_condition_stays() {
    needs_control_plane!();
    for rule in rules().await {
        let expression = text(&rule["expr"], "expr");
        if expression.starts_with("absent(") {
            continue;
        }
        let inside = expression.split_once(" without (").and_then(|(_, rest)| rest.split_once(')'));
        let left_out: Vec<&str> = inside.expect(expression).0.split(", ").collect();
        for label in ["instance", "pod", "node"] {
            assert!(left_out.contains(&label), "{label}: {expression}");
        }
        let shown = ["seatkeeper_condition", "seatkeeper_pending_change"].iter().any(|of| {
            let aggregated = expression.split_once('(').map_or("", |(_, rest)| rest);
            let selected = aggregated.split(" ignoring ").next().unwrap_or_default();
            selected.contains(of)
        });
        assert!(!shown || left_out.contains(&"reason"), "{expression}");
    }
}

#[tokio::test]
async fn dashboard_is_found_by_grafana_sidecar_and_read_by_grafana_11() {
    needs_control_plane!();
    let values = [("dashboard.enabled", "true"), ("dashboard.annotations.grafana_folder", "Licenses")];
    let manifests = rendered(&values).await;
    let map = &manifests_of_kind(&manifests, "ConfigMap")[0];
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    assert_eq!(map["metadata"]["annotations"], json!({ "grafana_folder": "Licenses" }));
    let board: Value = serde_json::from_str(text(&map["data"]["seatkeeper.json"], "data")).expect("JSON");
    assert!(board["schemaVersion"].as_u64() >= Some(39), "{}", board["schemaVersion"]);
    assert_eq!((&board["id"], &board["uid"]), (&Value::Null, &json!("seatkeeper")));
    let variables = board["templating"]["list"].as_array().expect("variables");
    let names: Vec<&str> = variables.iter().map(|variable| text(&variable["name"], "name")).collect();
    assert_eq!(names, ["datasource", "namespace", "name"]);
    let (mut ids, mut rows, mut places) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    for panel in board["panels"].as_array().expect("panels") {
        let title = text(&panel["title"], "title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: its id is there twice");
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().zip(place["w"].as_u64()).is_some_and(|(x, w)| x + w <= 24), "{title}");
        assert!(places.insert((place["y"].as_u64(), place["x"].as_u64())), "{title}: another panel is there");
        if panel["type"] == "row" {
            rows.push(title);
            continue;
        }
        assert_eq!(panel["datasource"], json!({ "type": "prometheus", "uid": "${datasource}" }), "{title}");
        assert!(!text(&panel["description"], title).is_empty(), "{title}");
        assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()), "{title}");
    }
    assert_eq!(rows, ["Fleet", "One object: $name", "Vendors and operator"]);
}

#[tokio::test]
async fn values_of_a_release_from_before_monitors_and_alerts_still_render() {
    needs_control_plane!();
    // As with `helm upgrade --reuse-values`, which brings no defaults of the new chart along.
    let missing = ["metrics.serviceMonitor", "metrics.podMonitor", "alerts", "dashboard"];
    let old = rendered(&missing.map(|value| (value, "null"))).await;
    assert_eq!(old, rendered(&[]).await, "the defaults are what they mean");
}
