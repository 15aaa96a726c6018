//! The pages that are read once the operator runs: alerts, platforms, policies, troubleshooting, releases.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use seatkeeper_support::{
    ControlPlane, Plane, SYSTEM_NAMESPACE, needs_control_plane, prometheus_tool, rule_file, scratch_dir, wait_for,
    workspace_root,
};
use serde_json::{Value, json};

use super::create_namespaces;
use super::page::Page;
use crate::world::{FAST, PATIENCE, World, binary, organization, said};

/// A release of the chart as it is.
async fn install(cp: &ControlPlane, page: &Page) {
    let line = "helm install seatkeeper charts/seatkeeper --namespace seatkeeper-system --create-namespace";
    cp.shell(&page.folder, line).await.ok();
}

/// An operator of all namespaces, and an organization with its Secret `key` in namespace `it`, as the pages name it.
async fn in_namespace_it(plane: Plane, flags: &[&str]) -> World {
    create_namespaces(&plane, &["it"]).await;
    World::on(plane, "it".to_owned(), String::new(), organization(), flags).await
}

async fn deployment(cp: &ControlPlane) -> Value {
    let got = cp.kubectl_in(SYSTEM_NAMESPACE, &["get", "deployment", "seatkeeper", "-o", "json"], "").await.ok();
    serde_json::from_str(&got).expect("JSON")
}

/// The kinds of the Prometheus Operator, as in a cluster that has it.
async fn add_monitoring_kinds(cp: &ControlPlane) {
    let output = Command::new(workspace_root().join("tests/prometheus/crds.sh")).output().expect("a script");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    for plural in ["servicemonitors", "prometheusrules"] {
        let file = format!("{folder}/monitoring.coreos.com_{plural}.yaml");
        cp.kubectl(&["apply", "--server-side", "-f", &file]).await.ok();
        let served = async || cp.kubectl(&["get", plural, "--all-namespaces"]).await.success().then_some(());
        wait_for(format!("{plural} to be served"), PATIENCE, served).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_page_turns_alerts_on_and_shows_operator_and_object() {
    needs_control_plane!();
    let (page, cp) = (Page::open("docs/alerts.md"), ControlPlane::start().await);
    install(&cp, &page).await;
    let refused = page.follow(&cp, "helm upgrade seatkeeper").await.refused();
    assert!(refused.contains("no matches for kind"), "{refused}");
    add_monitoring_kinds(&cp).await;
    page.follow(&cp, "helm upgrade seatkeeper").await.ok();
    let made = ["servicemonitor/seatkeeper", "prometheusrule/seatkeeper", "configmap/seatkeeper-dashboard"];
    cp.kubectl_in(SYSTEM_NAMESPACE, &[&["get"], &made[..]].concat(), "").await.ok();

    let rules = rule_file(&page.follow(&cp, "helm template seatkeeper").await.ok());
    let file = scratch_dir("rules").join("rules.json");
    fs::write(&file, rules).expect("a file");
    let checked = Command::new(prometheus_tool("promtool")).args(["check", "rules"]).arg(&file).output();
    let checked = checked.expect("promtool");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    look_at_what_an_alert_is_about(&page, cp).await;
    page.close();
}

/// The pods that no node takes, the holder of the Lease, and an account that was changed outside.
async fn look_at_what_an_alert_is_about(page: &Page, cp: ControlPlane) {
    let _controllers = cp.start_controllers();
    let w = in_namespace_it(Plane::Own(Box::new(cp)), FAST).await;
    let pending = async || {
        let told = page.follow(&w.plane, "kubectl -n seatkeeper-system get pods").await.ok();
        told.contains("Pending").then_some(())
    };
    wait_for("a pod", PATIENCE, pending).await;
    let described = page.follow(&w.plane, "kubectl -n seatkeeper-system describe pods").await.ok();
    assert!(described.contains("Name:") && described.contains("Pending"), "{described}");
    let holder = page.follow(&w.plane, "kubectl -n seatkeeper-system get leases").await.ok();
    assert!(holder.contains("HOLDER") && holder.contains("seatkeeper"), "{holder}");

    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    let replaced = [("NAMESPACE", "it"), ("NAME", "acme")];
    let conditions = page.follow_but(&w.plane, "kubectl -n NAMESPACE get licenseseats NAME", &replaced).await.ok();
    assert!(conditions.lines().any(|line| line.starts_with("Ready=True InSync: ")), "{conditions}");
    w.bitwarden().set_seats(&w.key.id, 140).expect("the vendor allows it");
    w.until_told("ExternalChange", 1).await;
    let told = page.follow(&w.plane, "kubectl get events -A").await.ok();
    assert!(told.contains("licenseseats/acme") && told.contains("ExternalChange"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn platforms_page_leaves_user_to_openshift_and_sends_requests_to_proxy() {
    needs_control_plane!();
    let (page, cp) = (Page::open("docs/platforms.md"), ControlPlane::start().await);
    install(&cp, &page).await;
    let user = |deployment: &Value| deployment["spec"]["template"]["spec"]["securityContext"]["runAsUser"].clone();
    assert_eq!(user(&deployment(&cp).await), 65532);
    page.follow(&cp, "helm upgrade seatkeeper").await.ok();
    assert_eq!(user(&deployment(&cp).await), Value::Null);
    assert_eq!(page.follow(&cp, "kubectl -n seatkeeper-system get deployment").await.ok(), "{}");

    fs::write(page.folder.join("proxy-ca.pem"), "as if it were a certificate\n").expect("a file");
    page.follow_but(&cp, "kubectl -n seatkeeper-system create secret", &[("USER", "a"), ("PASSWORD", "b")]).await.ok();
    page.follow(&cp, "kubectl -n seatkeeper-system create configmap").await.ok();
    fs::write(page.folder.join("values.yaml"), page.block("yaml", "noProxy")).expect("a file");
    let line =
        "helm upgrade seatkeeper charts/seatkeeper --namespace seatkeeper-system --reuse-values --values values.yaml";
    cp.shell(&page.folder, line).await.ok();
    // What the pod names is there, with the keys that it asks for.
    let pod = &deployment(&cp).await["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let args = container["args"].to_string();
    for flag in ["--vendor-proxy=http://proxy.example.org:3128", "--vendor-no-proxy=vault.example.org", "/ca.crt"] {
        assert!(args.contains(flag), "{flag}: {args}");
    }
    let data = async |kind: &str, name: &Value| {
        let get = ["get", kind, name.as_str().expect("a name"), "-o", "jsonpath={.data}"];
        cp.kubectl_in(SYSTEM_NAMESPACE, &get, "").await.ok()
    };
    let named = &container["env"].as_array().expect("variables").last().expect("one")["valueFrom"]["secretKeyRef"];
    assert_eq!(
        (data("secret", &named["name"]).await.as_str(), &named["key"]),
        (r#"{"credentials":"YTpi"}"#, &json!("credentials"))
    );
    assert!(data("configmap", &pod["volumes"][0]["configMap"]["name"]).await.contains("\"ca.crt\":\"as if"));

    page.follow(&cp, "kubectl -n seatkeeper-system rollout restart").await.ok();
    let restarted = deployment(&cp).await["spec"]["template"]["metadata"]["annotations"].to_string();
    assert!(restarted.contains("kubectl.kubernetes.io/restartedAt"), "{restarted}");
    page.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_page_shows_openings_approves_plan_and_waits_for_standby() {
    needs_control_plane!();
    let page = Page::open("docs/policies.md");
    let flags: Vec<&str> = FAST.iter().copied().chain(["--cluster-name=prod-eu"]).collect();
    let w = in_namespace_it(Plane::own().await, &flags).await;
    w.plane.shell(&page.folder, "kubectl -n it create -f examples/bitwarden-monthly.yaml").await.ok();
    let inside = ("kubectl -n seatkeeper-system exec -i deploy/seatkeeper -- seatkeeper", binary());
    let openings = page.follow_but(&w.plane, "kubectl -n it get licenseseats acme-monthly", &[inside]).await.ok();
    let shown = page.block("", "window month-start");
    let head = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(head(&openings), head(&shown));
    assert_eq!(openings.lines().count(), shown.lines().count(), "{openings}");

    w.declare("acme", json!({ "approval": { "increaseAbove": 10 } })).await;
    let asked = "True/AwaitingApproval";
    let status = w.until("acme", asked, |status| said(status, "ChangePending") == asked).await;
    let (approval, id) = (page.block("yaml", "kind: SeatApproval"), status.plan.expect("a plan").id);
    assert!(approval.contains("planId: \"7-4f1c2a\""), "{approval}");
    assert_eq!(page.follow(&w.plane, "kubectl -n it get licenseseats acme -o").await.ok().trim(), id);
    fs::write(page.folder.join("approval.yaml"), approval.replace("7-4f1c2a", &id)).expect("a file");
    assert_eq!(w.puts(), 0);
    page.follow(&w.plane, "kubectl -n it create -f approval.yaml").await.ok();
    w.until_in_sync("acme", 150).await;

    w.edit("acme", json!({ "activeCluster": "none" })).await;
    page.follow_but(&w.plane, "kubectl --context prod-eu", &[("--context prod-eu ", "")]).await.ok();
    assert_eq!(said(&w.status("acme").await, "Ready"), "True/Standby");
    page.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn troubleshooting_page_shows_object_operator_and_secret() {
    needs_control_plane!();
    let page = Page::open("docs/troubleshooting.md");
    let w = in_namespace_it(Plane::own().await, FAST).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    w.until_told("SeatsIncreased", 1).await;
    let shows = async |begins: &str, words: &[&str]| {
        let shown = page.follow(&w.plane, begins).await.ok();
        for words in words {
            assert!(shown.contains(words), "{begins}: {words} is missing in {shown}");
        }
    };
    shows("kubectl -n it get licenseseats -o wide", &["STATUS", "EXPIRES", "acme", "in sync"]).await;
    shows("kubectl -n it get licenseseats acme", &["Ready=True InSync: "]).await;
    shows("kubectl -n it events", &["SeatsIncreased"]).await;
    shows("kubectl get deployments -A", &["seatkeeper-system", "--listen=[::]:8080"]).await;
    shows("kubectl -n seatkeeper-system get lease", &["HOLDER", "seatkeeper"]).await;
    shows("kubectl -n seatkeeper-system get pods", &[]).await;
    shows("kubectl -n it get seatapprovals", &[]).await;
    shows("kubectl get licenseseats -A", &["ACCOUNT", "acme", &w.key.id]).await;
    let keys = page.follow_but(&w.plane, "kubectl -n it get secret NAME", &[("NAME", "key")]).await.ok();
    let keys: Value = serde_json::from_str(&keys).expect("JSON");
    assert_eq!(keys, json!(["ca.crt", "clientId", "clientSecret", "server"]));
    page.close();
}

#[tokio::test]
async fn release_page_names_signing_workflow_and_verifies_download() {
    needs_control_plane!();
    let (page, cp) = (Page::open("docs/release.md"), ControlPlane::shared().await);
    let begin = ["version=", "identity=", "issuer="];
    let identity = page.follow_together(cp, &begin, "echo \"$identity $issuer\"").await.ok();
    let (of, issuer) = identity.trim().split_once(' ').expect("two");
    let (workflow, tag) = of.split_once('@').expect("a workflow at a tag");
    let file = workflow.strip_prefix("https://github.com/seatkeeper/seatkeeper/").expect("of this project");
    assert!(workspace_root().join(file).is_file(), "{file}");
    assert_eq!(
        (tag, issuer),
        (concat!("refs/tags/v", env!("CARGO_PKG_VERSION")), "https://token.actions.githubusercontent.com")
    );

    symlink(binary(), page.folder.join("kubectl-seatkeeper")).expect("a link");
    let plugin = [("kubectl", "PATH=$PWD:$PATH kubectl"), ("force-conflicts", "force-conflicts --dry-run=server")];
    let applied = page.follow_but(cp, "kubectl seatkeeper crd", &plugin).await.ok();
    assert!(applied.contains("licenseseats.seatkeeper.dev serverside-applied (server dry run)"), "{applied}");

    // Of two files that the sums name one was fetched, and it is as it should be.
    let fetch = "echo a > fetched; echo b > other; sha256sum fetched other > SHA256SUMS; rm other";
    cp.shell(&page.folder, fetch).await.ok();
    assert_eq!(page.follow(cp, "sha256sum --check").await.ok(), "fetched: OK\n");
    cp.shell(&page.folder, "echo c > fetched").await.ok();
    page.follow(cp, "sha256sum --check").await.refused();
    page.close();
}
