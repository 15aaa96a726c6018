//! The harness itself: a real apiserver with RBAC and an audit log that counts, and etcd within reach.
#![allow(clippy::expect_used)] // the helper below is not itself a test, so clippy does not see that it may

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams};
use seatkeeper_support::{
    ControlPlane, OPERATOR_USER, Process, SYSTEM_NAMESPACE, needs_control_plane, other_kubernetes, scratch_dir, tool,
    wait_for, workspace_root,
};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

#[tokio::test]
async fn operator_may_get_a_secret_by_name_and_nothing_wider() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let namespace = cp.namespace("rbac").await;
    let literal = ["create", "secret", "generic", "key", "--from-literal=a=b"];
    cp.kubectl_in(&namespace, &literal, "").await.ok();
    let client = cp.client_of(&cp.operator_kubeconfig().await).await;
    let secrets = Api::<Secret>::namespaced(client.clone(), &namespace);
    secrets.get("key").await.expect("get is granted");
    let forbidden = |error: kube::Error| matches!(error, kube::Error::Api(status) if status.is_forbidden());
    assert!(secrets.list(&ListParams::default()).await.is_err_and(forbidden));
    assert!(secrets.delete("key", &Default::default()).await.is_err_and(forbidden));
    let maps = Api::<ConfigMap>::namespaced(client, &namespace);
    assert!(maps.get("kube-root-ca.crt").await.is_err_and(forbidden));
}

#[tokio::test]
async fn audit_log_counts_exactly_and_at_once() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let namespace = cp.namespace("audit").await;
    let maps = Api::<ConfigMap>::namespaced(cp.admin(), &namespace);
    let mark = cp.audit_mark();
    for number in 1..=30 {
        let metadata = ObjectMeta { name: Some(format!("map-{number}")), ..ObjectMeta::default() };
        let map = ConfigMap { metadata, ..ConfigMap::default() };
        maps.create(&PostParams::default(), &map).await.expect("an administrator may create");
        // Not `wait_for`: an answered request is in the file.
        assert_eq!(cp.audit_since(mark).writes("admin", &namespace).len(), number);
    }
    maps.get("map-1").await.expect("it exists");
    let audit = cp.audit().user("admin").namespace(&namespace).resource("configmaps");
    assert_eq!(audit.count(|event| event.verb == "get" && event.name == "map-1" && event.code == 200), 1);
    assert_eq!(audit.clone().verb("create").subresource("").code(201).len(), 30);
    assert!(audit.writes(OPERATOR_USER, &namespace).is_empty());
}

#[tokio::test]
async fn etcd_takes_an_object_behind_the_apiservers_back() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let namespace = cp.namespace("etcd").await;
    let object = json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats", "spec": {"seats": "not a number"},
        "metadata": {"name": "odd", "namespace": namespace, "uid": "0b1c4a6e-0000-4000-8000-000000000000"},
    });
    let key = format!("/registry/seatkeeper.dev/licenseseats/{namespace}/odd");
    cp.etcd_put(&key, object.to_string().as_bytes()).await;
    let read = ["get", "licenseseats", "odd", "-o", "jsonpath={.spec.seats}"];
    assert_eq!(cp.kubectl_in(&namespace, &read, "").await.ok(), "not a number");
    // Lists come from the watch cache, which hears of it a moment later.
    wait_for("it to be listed", Duration::from_secs(10), async || {
        let listed = cp.kubectl_in(&namespace, &["get", "licenseseats", "-o", "name"], "").await.ok();
        listed.contains("/odd").then_some(())
    })
    .await;
}

#[tokio::test]
async fn own_apiserver_stops_hangs_and_returns_with_its_data() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    let namespace = cp.namespace("kept").await;
    let get = ["get", "namespace", &namespace, "-o", "name", "--request-timeout=1s"];
    cp.stop_apiserver();
    assert!(cp.kubectl(&get).await.refused().contains("refused"));
    cp.start_apiserver().await;
    cp.kubectl(&get).await.ok();
    cp.signal_apiserver("STOP");
    cp.kubectl(&get).await.refused();
    cp.signal_apiserver("CONT");
    cp.kubectl(&get).await.ok();
    assert!(cp.kubectl(&["get", "namespace", SYSTEM_NAMESPACE]).await.refused().contains("not found"));
}

#[tokio::test]
async fn apiserver_has_release_pinned_by_module_that_environment_selects() {
    needs_control_plane!();
    let folder = format!("tests/control-plane/{}", other_kubernetes().unwrap_or_default());
    let pins = std::fs::read_to_string(workspace_root().join(&folder).join("go.mod")).expect("go.mod");
    let pinned = pins.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes ")).expect("a pin");
    let pinned = pinned.split_whitespace().next().expect("a version");
    let version = ControlPlane::shared().await.kubectl(&["get", "--raw", "/version"]).await.ok();
    let version: serde_json::Value = serde_json::from_str(&version).expect("JSON");
    let is_foreign = std::env::var_os("KUBEBUILDER_ASSETS").is_some() && other_kubernetes().is_none();
    assert!(version["gitVersion"] == pinned || is_foreign, "{version}, and {folder} pins {pinned}");
}

/// Runs one of the tests above in a process of its own, with another environment.
async fn rerun(environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().expect("the path of this test"));
    command.args(["--exact", "etcd_takes_an_object_behind_the_apiservers_back"]);
    command.env_remove("CI").env_remove("KUBEBUILDER_ASSETS").envs(environment.iter().copied());
    let process = Process::spawn("rerun", &command);
    let status = process.wait_exit(Duration::from_secs(240)).await.expect("it ends");
    (status.success(), process.log())
}

#[tokio::test]
async fn leaving_tests_out_is_loud_and_impossible_in_ci() {
    let (passed, log) = rerun(&[("SKIP_CONTROL_PLANE", "1")]).await;
    assert!(passed && log.contains("SKIPPED etcd_takes_an_object"), "{log}");
    let (passed, log) = rerun(&[("SKIP_CONTROL_PLANE", "1"), ("CI", "true")]).await;
    assert!(!passed && log.contains("SKIP_CONTROL_PLANE is set in CI"), "{log}");
}

#[tokio::test]
async fn missing_tool_names_the_command_that_builds_it() {
    let (passed, log) = rerun(&[("SKIP_CONTROL_PLANE", ""), ("SEATKEEPER_CACHE", "/nonexistent")]).await;
    assert!(!passed && log.contains("make control-plane"), "{log}");
}

#[tokio::test]
async fn tools_in_a_folder_of_ones_own_are_used_instead_of_built_ones() {
    needs_control_plane!();
    let assets = scratch_dir("assets");
    for name in ["etcd", "kube-apiserver", "kubectl", "helm"] {
        std::os::unix::fs::symlink(tool(name), assets.join(name)).expect("a link");
    }
    let assets = assets.display().to_string();
    let (passed, log) = rerun(&[("KUBEBUILDER_ASSETS", &assets), ("SEATKEEPER_CACHE", "/nonexistent")]).await;
    assert!(passed && log.contains("1 passed"), "{log}");
}
