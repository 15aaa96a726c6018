//! `seatkeeper check`, which `helm test` runs: with the arguments that the chart gives it, and a ServiceAccount with the chart's rights.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use seatkeeper_support::{ControlPlane, SYSTEM_NAMESPACE, needs_control_plane, wait_for, workspace_root};
use serde_json::{Value, json};

use crate::world::{PATIENCE, binary, world};

/// What it prints, line by line, and whether it ends well.
pub fn check(kubeconfig: &Path, arguments: &[String]) -> (bool, Vec<String>) {
    let mut command = Command::new(binary());
    let printed = command.arg("check").args(arguments).env("KUBECONFIG", kubeconfig).output().expect("the binary");
    assert!(printed.stderr.is_empty(), "{}", String::from_utf8_lossy(&printed.stderr));
    let lines = String::from_utf8_lossy(&printed.stdout).lines().map(str::to_owned).collect();
    (printed.status.success(), lines)
}

/// The arguments of the pod of `helm test`, but for the host of the operator.
async fn arguments(plane: &ControlPlane, operator: &str) -> Vec<String> {
    let chart = workspace_root().join("charts/seatkeeper").display().to_string();
    let show = ["template", "seatkeeper", &chart, "--namespace", SYSTEM_NAMESPACE, "-s", "templates/tests/check.yaml"];
    let rendered = plane.helm(&show).await.ok();
    let documents = serde_yaml::Deserializer::from_str(&rendered);
    let objects: Vec<Value> =
        documents.map(|one| <Value as serde::Deserialize>::deserialize(one).expect("YAML")).collect();
    let pod = objects.iter().find(|object| object["kind"] == "Pod").expect("a pod");
    let args = pod["spec"]["containers"][0]["args"].as_array().expect("arguments");
    let args = args.iter().map(|argument| argument.as_str().expect("a text").to_owned());
    assert_eq!(args.clone().next().as_deref(), Some("check"));
    let host = |argument: String| match argument.strip_prefix("--operator=") {
        Some(host) => {
            assert_eq!(host, "seatkeeper-test.seatkeeper-system.svc:8080");
            format!("--operator={operator}")
        }
        None => argument,
    };
    let (within, args): (Vec<String>, Vec<String>) = args.skip(1).map(host).partition(|one| one == "--within=60s");
    assert_eq!(within.len(), 1, "without it a test right after the installation fails");
    args
}

/// A ServiceAccount of this test, so that the audit log tells it from the operators.
async fn account(plane: &ControlPlane, namespace: &str) -> PathBuf {
    plane.kubectl_in(namespace, &["create", "serviceaccount", "checker"], "").await.ok();
    plane.kubeconfig_for_service_account(namespace, "checker").await
}

/// Binds the chart's roles to it.
async fn bind(plane: &ControlPlane, namespace: &str) {
    let to = format!("--serviceaccount={namespace}:checker");
    let all = ["create", "clusterrolebinding", namespace, "--clusterrole=seatkeeper", &to];
    plane.kubectl(&all).await.ok();
    let lease = ["create", "rolebinding", namespace, "--role=seatkeeper-lease", &to];
    plane.kubectl_in(SYSTEM_NAMESPACE, &lease, "").await.ok();
}

/// Each verb of a role that was installed, as a finding names it.
async fn rights(plane: &ControlPlane, kind: &str, name: &str, place: &str) -> BTreeSet<String> {
    let role = plane.kubectl_in(SYSTEM_NAMESPACE, &["get", kind, name, "-o", "json"], "").await.ok();
    let role: Value = serde_json::from_str(&role).expect("JSON");
    let list = |rule: &Value, field: &str| -> Vec<String> {
        let words = rule[field].as_array().expect("a list").iter();
        words.map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().expect("rules") {
        for (group, resource) in list(rule, "apiGroups")
            .iter()
            .flat_map(|group| list(rule, "resources").into_iter().map(move |resource| (group.clone(), resource)))
        {
            let group = if group.is_empty() { group } else { format!(".{group}") };
            rights.extend(list(rule, "verbs").iter().map(|verb| format!("{verb} {resource}{group} {place}")));
        }
    }
    rights
}

#[tokio::test(flavor = "multi_thread")]
async fn check_passes_with_chart_rights_and_reads_or_writes_nothing() {
    needs_control_plane!();
    let w = world("check").await;
    let kubeconfig = account(&w.plane, &w.namespace).await;
    bind(&w.plane, &w.namespace).await;
    let mut arguments = arguments(&w.plane, &w.operator.address().to_string()).await;
    arguments.push(format!("--within={}s", PATIENCE.as_secs()));
    let mark = w.plane.audit_mark();
    // It asks again by itself: the apiserver takes a moment to learn of a new binding.
    let (passed, lines) = check(&kubeconfig, &arguments);
    assert!(passed, "{lines:?}");
    let expected = [
        "ok: this ServiceAccount has all 13 rights that the operator needs".to_owned(),
        "ok: the CRD has every field of this operator".into(),
        format!("ok: the replica at {} is ready", w.operator.address()),
    ];
    assert_eq!(lines, expected);
    let user = format!("system:serviceaccount:{}:checker", w.namespace);
    let asked = w.plane.audit_since(mark).user(&user);
    assert!(asked.clone().resource("selfsubjectaccessreviews").len() >= 13);
    let others = asked.count(|event| !event.resource.is_empty() && event.resource != "selfsubjectaccessreviews");
    assert_eq!(others, 0, "no object and no Secret");
    assert_eq!(w.bitwarden().requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_each_chart_right_that_is_missing_and_no_other() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace("check-rights").await;
    let kubeconfig = account(plane, &namespace).await;
    let (passed, lines) = check(&kubeconfig, &[format!("--lease-namespace={SYSTEM_NAMESPACE}")]);
    assert!(!passed);
    let named = |line: &String| {
        let right = line.strip_prefix("FAILED: this ServiceAccount may not ")?;
        Some(right.strip_suffix(": set rbac.create=true in the chart, or bind a role with this rule")?.to_owned())
    };
    let missing: BTreeSet<String> = lines.iter().filter_map(named).collect();
    let mut given = rights(plane, "clusterrole", "seatkeeper", "in all namespaces").await;
    given.extend(rights(plane, "role", "seatkeeper-lease", "in the namespace seatkeeper-system").await);
    assert_eq!(missing, given);
    assert_eq!(lines.len(), missing.len() + 1, "and what is known of the CRD: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn named_secret_rights_in_named_namespaces_suffice_if_chart_names_them() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    let namespace = plane.namespace("check-names").await;
    let kubeconfig = account(plane, &namespace).await;
    let rules = json!([
        { "apiGroups": ["seatkeeper.dev"], "resources": ["licenseseats", "seatapprovals"], "verbs": ["get", "list", "watch"] },
        { "apiGroups": ["seatkeeper.dev"], "resources": ["licenseseats/status"], "verbs": ["patch"] },
        { "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["key"], "verbs": ["get"] },
        { "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"] },
        { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"] },
    ]);
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "checker" }, "rules": rules,
    });
    plane.kubectl_in(&namespace, &["create", "-f", "-"], &role.to_string()).await.ok();
    let bind = format!("--serviceaccount={namespace}:checker");
    plane.kubectl_in(&namespace, &["create", "rolebinding", "checker", "--role=checker", &bind], "").await.ok();
    // Without --lease-namespace: the Lease is where the ServiceAccount is.
    let of = |secret: &str| [format!("--namespace={namespace}"), format!("--secret-name={secret}")];
    let in_order = async || check(&kubeconfig, &of("key")).0.then_some(());
    wait_for("the checks to be in order", PATIENCE, in_order).await;
    let (passed, lines) = check(&kubeconfig, &of("other"));
    let missing = format!("FAILED: this ServiceAccount may not get secrets other in the namespace {namespace}");
    assert!(!passed && lines[0].starts_with(&missing), "{lines:?}");
    let (passed, lines) = check(&kubeconfig, &[format!("--namespace={namespace}")]);
    assert!(!passed && lines[0].contains(&format!("get secrets in the namespace {namespace}")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_unreachable_operator_beside_passed_checks() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    let kubeconfig = plane.operator_kubeconfig().await;
    let port = seatkeeper_support::free_port();
    for (operator, message) in [
        (
            format!("127.0.0.1:{port}"),
            format!("FAILED: the replica at 127.0.0.1:{port} does not answer (Connection refused"),
        ),
        (
            "seatkeeper.invalid:8080".into(),
            "FAILED: seatkeeper.invalid:8080 has no address: no pod of the operator runs".into(),
        ),
    ] {
        let asked = arguments(plane, &operator).await;
        // The apiserver takes a moment to tell the schema of a new CRD.
        let told = async || {
            let (passed, lines) = check(&kubeconfig, &asked);
            assert!(!passed && lines.len() == 3, "{lines:?}");
            lines[..2].iter().all(|line| line.starts_with("ok: ")).then_some(lines)
        };
        let lines = wait_for("the CRD to be in order", PATIENCE, told).await;
        assert!(lines[2].starts_with(&message), "{lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_missing_crd_of_approvals() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    cp.install_chart(&[]).await;
    let kubeconfig = cp.operator_kubeconfig().await;
    let finds = async |words: &str| {
        wait_for(format!("the finding: {words}"), PATIENCE, async || {
            let (_, lines) = check(&kubeconfig, &[]);
            lines.iter().any(|line| line.starts_with(words)).then_some(())
        })
        .await;
    };
    finds("ok: the CRD has every field of this operator").await;
    cp.kubectl(&["delete", "crd", "seatapprovals.seatkeeper.dev"]).await.ok();
    finds("FAILED: the CRD seatapprovals.seatkeeper.dev is not installed, so no change can be approved").await;
}
