//! The examples are what people copy: each is admitted unchanged, and each can be acted on.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use seatkeeper::api::{LICENSE_KEY_TYPE, LicenseSeats, SECRET_TYPE, SeatApproval};
use seatkeeper::domain::Desired;
use seatkeeper::vendors::target;
use seatkeeper_support::{ControlPlane, needs_control_plane, workspace_root};
use serde::Deserialize as _;
use serde_json::Value;

/// Whatever lies in examples/.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace_root().join("examples")).expect("examples/");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|d| Value::deserialize(d).expect("YAML")).collect()
}

/// The names of all LicenseSeats in examples/.
pub fn names() -> Vec<String> {
    let texts = files().into_iter().map(|file| fs::read_to_string(file).expect("a text"));
    let objects = texts.flat_map(|text| documents(&text));
    let seats = objects.filter(|object| object["kind"] == "LicenseSeats");
    seats.map(|object| object["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_admitted_unchanged() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace("examples").await;
    for file in files() {
        let path = file.to_str().expect("a path");
        let apply = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", path];
        let applied = plane.kubectl_in(&namespace, &apply, "").await.ok();
        let objects = documents(&fs::read_to_string(&file).expect("a text"));
        assert_eq!(applied.lines().count(), objects.len(), "{path}: {applied}");
    }
}

#[test]
fn every_example_states_its_purpose_and_is_usable() {
    for file in files() {
        let text = fs::read_to_string(&file).expect("a text");
        let file = file.display();
        let comment: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(comment.len() >= 2, "{file} does not start with what it shows");
        let needs = comment.iter().any(|line| line.starts_with("# You need: "));
        assert!(needs, "{file} does not say what you need");
        for document in documents(&text) {
            match document["kind"].as_str() {
                Some("LicenseSeats") => {
                    let object: LicenseSeats = serde_json::from_value(document.clone()).expect("a LicenseSeats");
                    let read = serde_json::to_value(&object.spec).expect("JSON");
                    assert_eq!(read, document["spec"], "{file}: something in it is not understood");
                    let desired = target(&object.spec.vendor)
                        .and_then(|(pool, _)| Desired::parse(&object.spec, pool, Duration::ZERO));
                    assert!(desired.is_ok(), "{file}: {desired:?}");
                }
                Some("Secret") => {
                    let secret: Secret = serde_json::from_value(document).expect("a Secret");
                    let kind = secret.type_.as_deref();
                    assert!([Some(SECRET_TYPE), Some(LICENSE_KEY_TYPE)].contains(&kind), "{file}: {kind:?}");
                    let names_tenant = secret.string_data.is_some_and(|data| data.contains_key("server"));
                    assert!(kind == Some(SECRET_TYPE) || names_tenant, "{file}: license keys for no tenant");
                }
                Some("SeatApproval") => {
                    let approval: SeatApproval = serde_json::from_value(document.clone()).expect("a SeatApproval");
                    let read = serde_json::to_value(&approval.spec).expect("JSON");
                    assert_eq!(read, document["spec"], "{file}: something in it is not understood");
                }
                kind => panic!("{file} has a {kind:?}: say here how it is checked"),
            }
        }
    }
}
