//! The configuration of kube-state-metrics in docs/: it names fields that the CRD has, and metrics that the operator has.
#![allow(clippy::expect_used, clippy::panic)]

use std::fs;

use seatkeeper_support::workspace_root;
use serde_json::{Value, json};

fn read(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path)).expect(path)
}

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value.as_str().unwrap_or_else(|| panic!("{what}: {value}"))
}

/// The schema of the CRD's version that kube-state-metrics is told to read.
fn schema(version: &str) -> Value {
    let crd: Value = serde_yaml::from_str(&read("crds/licenseseats.seatkeeper.dev.yaml")).expect("YAML");
    let versions = crd["spec"]["versions"].as_array().expect("versions");
    let of = versions.iter().find(|known| known["name"] == version).expect("the version");
    of["schema"]["openAPIV3Schema"].clone()
}

/// What a path of kube-state-metrics leads to in a schema: a field, or the element of a list that has a value.
fn led_to<'a>(schema: &'a Value, path: &Value) -> Option<&'a Value> {
    path.as_array().expect("a path").iter().try_fold(schema, |at, step| {
        let step = step.as_str().expect("a step");
        match step.strip_prefix('[').and_then(|step| step.strip_suffix(']')) {
            Some(search) => {
                let (field, _) = search.split_once('=')?;
                at["items"]["properties"].get(field).map(|_| &at["items"])
            }
            None => at["properties"].get(step),
        }
    })
}

#[test]
fn kube_state_metrics_configuration_names_crd_fields_and_operator_metrics() {
    let config: Value = serde_yaml::from_str(&read("docs/kube-state-metrics.yaml")).expect("YAML");
    assert_eq!(config["kind"], "CustomResourceStateMetrics");
    let resource = &config["spec"]["resources"][0];
    let schema = schema(text(&resource["groupVersionKind"]["version"], "version"));
    let (metadata, listed) = (json!({ "type": "string" }), read("docs/metrics.md"));
    for (label, path) in resource["labelsFromPath"].as_object().expect("labels") {
        let found = if path[0] == "metadata" { Some(&metadata) } else { led_to(&schema, path) };
        assert_eq!(found.map(|field| &field["type"]), Some(&json!("string")), "{label}");
    }
    let metrics = resource["metrics"].as_array().expect("metrics");
    for metric in metrics {
        let name = format!("{}_{}", text(&resource["metricNamePrefix"], "prefix"), text(&metric["name"], "name"));
        let said = format!("| `{name}` | gauge | {}", text(&metric["help"], &name));
        assert!(listed.contains(said.trim_end()), "{said}");
        let of_kind = &metric["each"][text(&metric["each"]["type"], &name).to_lowercase()];
        let field = led_to(&schema, &of_kind["path"]).unwrap_or_else(|| panic!("{name}: {}", of_kind["path"]));
        match text(&metric["each"]["type"], &name) {
            "Gauge" => {
                let (kind, format) = (&field["type"], &field["format"]);
                assert!(kind == "integer" || format == "date-time", "{name}: {field}");
            }
            _ => {
                let element = if field["type"] == "array" { &field["items"] } else { field };
                for path in of_kind["labelsFromPath"].as_object().expect("labels").values() {
                    assert!(led_to(element, path).is_some(), "{name}: {path}");
                }
            }
        }
    }
    // Each metric of objects that the alerts use, but for what only the operator counts.
    let used = read("charts/seatkeeper/files/alerts.yaml");
    for row in listed.lines().filter(|line| line.starts_with("| `seatkeeper_") && line.contains("| gauge |")) {
        let name = row.split('`').nth(1).expect("a name");
        let short = name.trim_start_matches("seatkeeper_");
        let shown = metrics.iter().any(|metric| metric["name"] == short);
        assert!(shown || !used.contains(name) || name == "seatkeeper_leader", "{name}");
    }
}
