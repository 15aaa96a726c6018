//! Each value of the chart: what it does, and that one of another type is refused by its name. What is wrong in sense is in
//! `charts/seatkeeper/tests/refused_test.yaml`.

use std::collections::BTreeSet;
use std::fs;

use seatkeeper_support::{
    ChartValue, ControlPlane, Output, SYSTEM_NAMESPACE, chart_values, needs_control_plane, scratch_dir, workspace_root,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One entry of `cases.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    value: String,
    to: Value,
    #[serde(default)]
    beside: Map<String, Value>,
    #[serde(default)]
    alone: bool,
    shows: Vec<String>,
}

/// Values without any effect: other charts read them.
const IGNORED: [&str; 1] = ["enabled"];

/// What monitoring needs: `charts/seatkeeper/tests/monitoring_test.yaml` says what each of these does.
const OF_MONITORING: [&str; 4] = ["metrics.serviceMonitor.", "metrics.podMonitor.", "alerts.", "dashboard."];

/// Maps with names that the chart does not know.
const FREE: [&str; 14] = [
    "metrics.serviceMonitor.labels",
    "metrics.podMonitor.labels",
    "alerts.labels",
    "alerts.ruleLabels",
    "dashboard.labels",
    "dashboard.annotations",
    "commonLabels",
    "global",
    "serviceAccount.annotations",
    "metrics.service.annotations",
    "deploymentAnnotations",
    "podAnnotations",
    "podLabels",
    "nodeSelector",
];

fn values() -> Vec<ChartValue> {
    let text = fs::read_to_string(workspace_root().join("charts/seatkeeper/values.yaml")).expect("values.yaml");
    chart_values(&text)
}

fn cases() -> Vec<Case> {
    serde_yaml::from_str(include_str!("cases.yaml")).expect("cases.yaml")
}

/// Sets one value in a tree of values.
fn set(tree: &mut Value, path: &str, value: Value) {
    let mut place = tree;
    for key in path.split('.') {
        if !place.is_object() {
            *place = json!({});
        }
        place = place.as_object_mut().expect("an object").entry(key).or_insert(Value::Null);
    }
    *place = value;
}

/// `helm template` with a file of values, tests of the chart included.
async fn template(cp: &ControlPlane, values: &Value) -> Output {
    let file = scratch_dir("values").join("values.json");
    fs::write(&file, values.to_string()).expect("a file of values");
    let (file, chart) = (file.display().to_string(), workspace_root().join("charts/seatkeeper").display().to_string());
    cp.helm(&["template", "seatkeeper", &chart, "--namespace", SYSTEM_NAMESPACE, "--values", &file]).await
}

async fn dry_run(cp: &ControlPlane, manifests: &str) {
    let apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
    // Objects are checked whether or not their namespace is there, and each of them once.
    let here = manifests.replace("\"elsewhere\"", SYSTEM_NAMESPACE);
    let applied = cp.kubectl_in("", &apply, &here).await;
    assert!(applied.success(), "{}", applied.stderr);
}

#[tokio::test]
async fn each_value_changes_rendered_chart_and_apiserver_accepts_it() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let cases = cases();
    let listed: BTreeSet<&str> = cases.iter().map(|case| case.value.as_str()).collect();
    let values = values();
    let there = values.iter().filter(|value| value.default.is_some()).map(ChartValue::name);
    let there: BTreeSet<String> = there.filter(|name| !OF_MONITORING.iter().any(|of| name.starts_with(of))).collect();
    assert_eq!(listed, there.iter().map(String::as_str).collect(), "cases.yaml and values.yaml name other values");
    for namespace in ["it", "hr"] {
        cp.kubectl(&["create", "namespace", namespace]).await;
    }
    // A pod needs its account, and no controller makes the one that each namespace has.
    for account in ["default", "keeper-account"] {
        cp.kubectl_in(SYSTEM_NAMESPACE, &["create", "serviceaccount", account], "").await;
    }
    let runtime = json!({
        "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": "gvisor" }, "handler": "runsc",
    });
    cp.kubectl_in("", &["apply", "-f", "-"], &runtime.to_string()).await.ok();
    let mut alone = String::new();
    let mut together = json!({});
    for case in &cases {
        let without = Value::Object(case.beside.clone());
        let mut with = without.clone();
        set(&mut with, &case.value, case.to.clone());
        let (without, with) = (template(cp, &without).await.ok(), template(cp, &with).await.ok());
        assert_eq!(with == without, IGNORED.contains(&case.value.as_str()), "{}: rendered alike", case.value);
        for words in &case.shows {
            assert!(with.contains(words), "{}: {words:?} is missing in {with}", case.value);
            assert!(!without.contains(words), "{}: {words:?} is there without it", case.value);
        }
        if case.alone {
            alone += &with;
        } else {
            set(&mut together, &case.value, case.to.clone());
        }
    }
    let all = template(cp, &together).await.ok();
    assert_eq!(all, template(cp, &together).await.ok(), "the same values give the same bytes");
    for case in cases.iter().filter(|case| !case.alone) {
        for words in &case.shows {
            // The name and the affinity of all objects are set as well.
            assert!(all.contains(words) || words.contains("seatkeeper"), "{}: {words:?}", case.value);
        }
    }
    dry_run(cp, &all).await;
    dry_run(cp, &alone).await;
}

#[test]
fn chart_is_rendered_without_cluster_reads_or_randomness() {
    let mut folders = vec![workspace_root().join("charts")];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !path.iter().any(|part| part == "templates") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("text");
            read += 1;
            for word in [
                "lookup ",
                "rand",
                "now",
                "genCA",
                "genSelf",
                "genSigned",
                "uuidv4",
                "derivePassword",
                "htpasswd",
                "getHostByName",
            ] {
                let calls = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
                let calls = calls.filter(|call| !call.contains("/*") && !call.contains('"'));
                let called =
                    calls.flat_map(|call| call.split([' ', '(', '|'])).any(|part| part.starts_with(word.trim()));
                assert!(!called, "{} calls {word}: Argo CD would see a difference each time", path.display());
            }
        }
    }
    assert!(read > 10, "only {read} templates found");
}

/// Of another type than this one.
fn wrong_for(default: &Value) -> Value {
    match default {
        Value::Null | Value::String(_) | Value::Array(_) => json!({ "wrong": true }),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => json!("wrong"),
    }
}

#[tokio::test]
async fn each_value_of_another_type_is_refused_by_its_name() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let mut wrong = json!({});
    let values = values();
    for value in &values {
        if let Some(default) = &value.default {
            set(&mut wrong, &value.name(), wrong_for(default));
        }
    }
    let refused = template(cp, &wrong).await.refused();
    for value in values.iter().filter(|value| value.default.is_some()) {
        let place = format!("at '/{}'", value.path.join("/"));
        assert!(refused.contains(&place), "{} is not refused: {refused}", value.name());
    }
}

#[tokio::test]
async fn each_map_refuses_names_that_it_does_not_know() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let mut maps: BTreeSet<String> = BTreeSet::new();
    for value in values() {
        let sections = (1..value.path.len()).map(|length| value.path[..length].join("."));
        maps.extend(sections);
        if value.default.is_none_or(|default| default.is_object()) {
            maps.insert(value.path.join("."));
        }
    }
    for free in FREE {
        assert!(maps.remove(free), "{free} is no map");
    }
    let mut wrong = json!({ "unknownKey": 1 });
    for map in &maps {
        set(&mut wrong, &format!("{map}.unknownKey"), json!("1"));
    }
    let refused = template(cp, &wrong).await.refused();
    for map in &maps {
        let said = format!("at '/{}': additional properties 'unknownKey' not allowed", map.replace('.', "/"));
        assert!(refused.contains(&said), "{said:?} is missing in {refused}");
    }
    assert!(refused.contains("at '': additional properties 'unknownKey' not allowed"), "{refused}");
}

#[tokio::test]
async fn crd_chart_holds_crds_byte_for_byte_and_keeps_them_by_default() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let chart = workspace_root().join("charts/seatkeeper-crds").display().to_string();
    let render = async |values: &str| cp.helm(&["template", "crds", &chart, "--set-json", values]).await;
    let shipped = ["licenseseats", "seatapprovals"].map(|name| {
        fs::read_to_string(workspace_root().join(format!("crds/{name}.seatkeeper.dev.yaml"))).expect("a CRD")
    });
    let bare = render(r#"{"keep":false}"#).await.ok();
    let kept = render(r#"{"commonLabels":{"team":"it"},"enabled":true}"#).await.ok();
    let above = "\nmetadata:\n  annotations:\n    helm.sh/resource-policy: keep\n  labels:\n    team: it\n";
    for crd in &shipped {
        assert!(bare.contains(crd.trim_end()), "{bare}");
        assert!(kept.contains(crd.replace("\nmetadata:\n", above).trim_end()), "{kept}");
    }
}

#[tokio::test]
async fn password_in_proxy_url_is_refused_and_not_repeated() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let values = json!({ "vendors": { "proxy": { "url": "http://user:hidden@proxy.example" } } });
    let refused = template(cp, &values).await.refused();
    assert!(refused.contains("into vendors.proxy.credentialsSecret.name"), "{refused}");
    assert!(!refused.contains("hidden"), "{refused}");
}
