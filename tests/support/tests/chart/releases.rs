//! Releases of the chart as Helm makes them on a real apiserver: upgraded from a former chart (`before/`, as it was at commit d074af6),
//! uninstalled, under another name, a second one, and in an umbrella chart. Each command of the charts' READMEs is run.

use std::fs;
use std::path::{Path, PathBuf};

use seatkeeper_support::{ControlPlane, Output, needs_control_plane, scratch_dir, workspace_root};
use serde_json::Value;

use super::page::{self, Page};

const CRDS: [&str; 2] = ["licenseseats.seatkeeper.dev", "seatapprovals.seatkeeper.dev"];

/// Runs Helm with arguments as in a shell.
async fn helm(cp: &ControlPlane, arguments: &str) -> Output {
    let here = |word: &str| match word.strip_prefix("charts/") {
        Some(chart) => workspace_root().join("charts").join(chart).display().to_string(),
        None => word.trim_matches('\'').to_owned(),
    };
    let words: Vec<String> = arguments.split_whitespace().map(here).collect();
    cp.helm(&words.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn object(cp: &ControlPlane, kind: &str, name: &str) -> Value {
    let got = cp.kubectl_in("seatkeeper-system", &["get", kind, name, "-o", "json"], "").await.ok();
    serde_json::from_str(&got).expect("JSON")
}

async fn uids_of_crds(cp: &ControlPlane) -> Vec<Value> {
    let mut uids = Vec::new();
    for name in CRDS {
        uids.push(object(cp, "crd", name).await["metadata"]["uid"].clone());
    }
    uids
}

/// Whether the CRD has a field that the former chart's CRD lacks.
async fn has_the_new_crd(cp: &ControlPlane) -> bool {
    object(cp, "crd", CRDS[0]).await.to_string().contains("lastObservedAt")
}

#[tokio::test]
async fn former_chart_release_upgrades_with_its_values_and_pods_stay_unchanged() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    let before = workspace_root().join("tests/support/tests/chart/before").display().to_string();
    let set = "--set replicas=3,metrics.service.enabled=true,clusterName=prod,flags.min-interval=1m,podLabels.team=it,\
               nodeSelector.disk=ssd,image.repository=registry.example/keeper,log.level=debug,vendors.allowedHosts={vault.example:8443}";
    helm(&cp, &format!("install seatkeeper {before} --namespace seatkeeper-system --create-namespace {set}"))
        .await
        .ok();
    let was = object(&cp, "deployment", "seatkeeper").await;
    let had = uids_of_crds(&cp).await;
    assert!(!has_the_new_crd(&cp).await, "the former chart has the present CRD");

    let upgrade = "upgrade seatkeeper charts/seatkeeper --namespace seatkeeper-system";
    helm(&cp, &format!("{upgrade} --reuse-values")).await.ok();
    let is = object(&cp, "deployment", "seatkeeper").await;
    assert_eq!(is["spec"], was["spec"], "what the former chart had no value for");
    assert_eq!(is["metadata"]["generation"], was["metadata"]["generation"], "no pod is replaced");
    assert_eq!(uids_of_crds(&cp).await, had);
    assert!(has_the_new_crd(&cp).await, "the CRD is the present one");

    helm(&cp, &format!("{upgrade} --reset-then-reuse-values")).await.ok();
    let is = object(&cp, "deployment", "seatkeeper").await;
    let (pod, was) = (&is["spec"]["template"]["spec"], &was["spec"]["template"]["spec"]);
    assert_eq!(is["spec"]["replicas"], 3);
    assert_eq!(pod["containers"][0]["image"], was["containers"][0]["image"]);
    assert_eq!(pod["securityContext"], was["securityContext"]);
    assert_eq!(pod["nodeSelector"].to_string(), r#"{"disk":"ssd","kubernetes.io/os":"linux"}"#);
    let args = |pod: &Value| pod["containers"][0]["args"].to_string();
    assert_eq!(args(pod), args(was).replace("0.0.0.0:8080", "[::]:8080"));
}

/// The CRDs first, and the operator beside them; then nothing of both is left.
async fn crds_first(cp: &ControlPlane, of_crds: &Page) {
    let first = "helm install seatkeeper-crds charts/seatkeeper-crds --namespace seatkeeper-system --create-namespace";
    of_crds.follow(cp, first).await.ok();
    of_crds.follow(cp, "helm install seatkeeper charts/seatkeeper").await.ok();
    for release in ["seatkeeper", "seatkeeper-crds"] {
        helm(cp, &format!("uninstall {release} --namespace seatkeeper-system")).await.ok();
    }
    cp.kubectl(&["delete", "crd", CRDS[0], CRDS[1]]).await.ok();
}

/// A second install beside the first, which needs what the README adds.
async fn second_install(cp: &ControlPlane, readme: &Page) {
    cp.kubectl(&["create", "namespace", "it-eu"]).await.ok();
    let second = "install seatkeeper-eu charts/seatkeeper --namespace seatkeeper-eu --create-namespace";
    let refused = helm(cp, second).await.refused();
    assert!(refused.contains("cannot be imported into the current release"), "{refused}");
    // A ClusterRole has the release's name: two releases of one name would share it.
    readme.follow(cp, "helm install seatkeeper-eu").await.ok();
}

/// A release of another name, which needs what the README adds as well; then it is uninstalled.
async fn install_under_another_name(cp: &ControlPlane, readme: &Page) {
    let refused = helm(cp, "install other charts/seatkeeper --namespace seatkeeper-system").await.refused();
    assert!(refused.contains("cannot be imported into the current release"), "{refused}");
    readme.follow(cp, "helm install other").await.ok();
    helm(cp, "uninstall other --namespace seatkeeper-system").await.ok();
}

#[tokio::test]
async fn crds_and_objects_survive_uninstall_and_are_adopted_per_readme() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    let (readme, of_crds) = (Page::open("charts/seatkeeper/README.md"), Page::open("charts/seatkeeper-crds/README.md"));
    // An umbrella with an object in it: Helm must know the CRD before.
    let umbrella = umbrella();
    fs::create_dir_all(umbrella.join("templates")).expect("a folder");
    let example = workspace_root().join("examples/bitwarden-observe.yaml");
    fs::copy(example, umbrella.join("templates/acme.yaml")).expect("a copy");
    let platform = format!("install platform {} --namespace platform --create-namespace", umbrella.display());
    let refused = helm(&cp, &format!("{platform} --set seatkeeper.crds.install=true")).await.refused();
    assert!(refused.contains("ensure CRDs are installed first"), "{refused}");

    crds_first(&cp, &of_crds).await;
    readme.follow(&cp, "helm install seatkeeper charts/seatkeeper").await.ok();
    // It needs a kubelet. The README of the project has the same command, and is followed with one.
    let test = readme.take("helm test seatkeeper");
    assert!(page::commands(&page::text("README.md")).contains(&test), "README.md does not have: {test}");
    let had = uids_of_crds(&cp).await;
    let approval = r#"{"apiVersion":"seatkeeper.dev/v1alpha1","kind":"SeatApproval","metadata":{"name":"kept"},
        "spec":{"licenseSeatsRef":{"name":"acme"},"decision":"Approved","planId":"1-abc"}}"#;
    seatkeeper_support::wait_for("the CRD to be served", std::time::Duration::from_secs(30), async || {
        cp.kubectl_in("seatkeeper-system", &["apply", "-f", "-"], approval).await.success().then_some(())
    })
    .await;

    second_install(&cp, &readme).await;
    helm(&cp, "uninstall seatkeeper --namespace seatkeeper-system").await.ok();
    assert_eq!(uids_of_crds(&cp).await, had);
    install_under_another_name(&cp, &readme).await;
    readme.close();

    // Handed over to the chart of CRDs while the operator stays.
    helm(&cp, "install seatkeeper charts/seatkeeper --namespace seatkeeper-system --take-ownership").await.ok();
    let crds = "helm install seatkeeper-crds charts/seatkeeper-crds --namespace seatkeeper-system --take-ownership";
    of_crds.follow(&cp, crds).await.ok();
    of_crds.follow(&cp, "helm upgrade seatkeeper").await.ok();
    of_crds.close();
    let owner = &object(&cp, "crd", CRDS[0]).await["metadata"]["annotations"]["meta.helm.sh/release-name"];
    assert_eq!(owner, "seatkeeper-crds");
    helm(&cp, &platform).await.ok();
    helm(&cp, "uninstall seatkeeper-crds --namespace seatkeeper-system").await.ok();
    assert_eq!(uids_of_crds(&cp).await, had);
    object(&cp, "seatapproval", "kept").await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// An umbrella chart as the README has it.
fn umbrella() -> PathBuf {
    umbrella_of(1)
}

/// One of the umbrella charts that the README has.
fn umbrella_of(example: usize) -> PathBuf {
    let readme = fs::read_to_string(workspace_root().join("charts/seatkeeper/README.md")).expect("the README");
    let example = readme.split("# Chart.yaml\n").nth(example).and_then(|rest| rest.split("```").next());
    let example = example.expect("the example");
    let (dependencies, values) = example.split_once("# values.yaml\n").expect("two files");
    let umbrella = scratch_dir("umbrella");
    copy(&workspace_root().join("charts/seatkeeper"), &umbrella.join("charts/seatkeeper"));
    let head = "apiVersion: v2\nname: platform\nversion: 1.0.0\n";
    fs::write(umbrella.join("Chart.yaml"), format!("{head}{dependencies}")).expect("a file");
    fs::write(umbrella.join("values.yaml"), values).expect("a file");
    umbrella
}

/// As docs/install.md has it of objects that are there already.
#[tokio::test]
async fn install_over_objects_of_kubectl_takes_the_flags_that_its_page_names() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    cp.kubectl(&["create", "namespace", "seatkeeper-system"]).await.ok();
    let chart = "charts/seatkeeper --namespace seatkeeper-system";
    let applied = helm(&cp, &format!("template seatkeeper {chart} --skip-tests --set replicas=2")).await.ok();
    cp.kubectl_in("seatkeeper-system", &["apply", "--server-side", "-f", "-"], &applied).await.ok();

    let refused = helm(&cp, &format!("install seatkeeper {chart}")).await.refused();
    assert!(refused.contains("cannot be imported into the current release"), "{refused}");
    let refused = helm(&cp, &format!("install seatkeeper {chart} --take-ownership")).await.refused();
    assert!(refused.contains("conflict with \"kubectl\"") && refused.contains(".spec.replicas"), "{refused}");
    // The failed release has the name.
    let again = helm(&cp, &format!("install seatkeeper {chart} --take-ownership --force-conflicts")).await.refused();
    assert!(again.contains("cannot reuse a name that is still in use"), "{again}");
    helm(&cp, &format!("upgrade --install seatkeeper {chart} --take-ownership --force-conflicts")).await.ok();
    assert_eq!(object(&cp, "deployment", "seatkeeper").await["spec"]["replicas"], 1);

    // Both own what they have alike, until one of them changes it.
    for value in ["log.level=debug", "image.tag=next"] {
        let upgrade = format!("upgrade seatkeeper {chart} --reset-then-reuse-values --set {value}");
        let refused = helm(&cp, &upgrade).await.refused();
        assert!(refused.contains("conflict with \"kubectl\""), "{refused}");
        helm(&cp, &format!("{upgrade} --force-conflicts")).await.ok();
    }
    helm(&cp, &format!("upgrade seatkeeper {chart} --reset-then-reuse-values --set log.level=warn")).await.ok();
}

#[tokio::test]
async fn monitor_without_its_crd_is_refused_by_kind_and_nothing_is_installed() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    let install = "install seatkeeper charts/seatkeeper --namespace seatkeeper-system --create-namespace";
    for (value, kind) in [
        ("metrics.serviceMonitor.enabled", "ServiceMonitor"),
        ("metrics.podMonitor.enabled", "PodMonitor"),
        ("alerts.enabled", "PrometheusRule"),
    ] {
        let refused = helm(&cp, &format!("{install} --set {value}=true")).await.refused();
        let told = format!("no matches for kind \"{kind}\" in version \"monitoring.coreos.com/v1\"");
        assert!(refused.contains(&told) && refused.contains("ensure CRDs are installed first"), "{refused}");
    }
    assert_eq!(cp.kubectl(&["get", "crd,deployment", "--all-namespaces", "-o", "name"]).await.ok(), "");
    helm(&cp, install).await.ok();
}

#[tokio::test]
async fn installer_without_policy_rights_is_warned_and_installs_without() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    let role = r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"installer"},"rules":[
        {"apiGroups":["","apps","rbac.authorization.k8s.io","apiextensions.k8s.io"],"resources":["*"],"verbs":["*"]}]}"#;
    cp.kubectl_in("", &["apply", "-f", "-"], role).await.ok();
    cp.kubectl(&["create", "clusterrolebinding", "installer", "--clusterrole=installer", "--user=installer"])
        .await
        .ok();
    let install = "upgrade --install seatkeeper charts/seatkeeper --namespace seatkeeper-system --create-namespace --kube-as-user installer";
    let refused = helm(&cp, &format!("{install} --set policies.secretAccess.enabled=true")).await.refused();
    assert!(refused.contains("validatingadmissionpolicies") && refused.contains("is forbidden"), "{refused}");
    helm(&cp, &format!("{install} --reset-values")).await.ok();
    object(&cp, "deployment", "seatkeeper").await;
}

#[tokio::test]
async fn umbrella_chart_toggles_seatkeeper_and_gives_registry_and_pull_secrets() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let umbrella = umbrella();
    let chart = umbrella.display().to_string();
    let on = helm(cp, &format!("template platform {chart} --set global.imagePullSecrets={{mirror}}")).await.ok();
    for words in ["mirror.example.com/seatkeeper/seatkeeper:", "- name: mirror", "name: platform-seatkeeper"] {
        assert!(on.contains(words), "{words} is missing in {on}");
    }
    assert!(!on.contains("CustomResourceDefinition"), "{on}");
    let off = helm(cp, &format!("template platform {chart} --set seatkeeper.enabled=false")).await.ok();
    assert!(!off.contains("kind:"), "{off}");
    let refused = helm(cp, &format!("template platform {chart} --set seatkeeper.log.level=verbose")).await.refused();
    assert!(refused.contains("at '/log/level'"), "{refused}");
}

#[tokio::test]
async fn two_operators_of_one_umbrella_live_side_by_side_and_never_share_a_name() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    for namespace in ["it-eu", "it-us"] {
        cp.kubectl(&["create", "namespace", namespace]).await.ok();
    }
    let umbrella = umbrella_of(2).display().to_string();
    helm(&cp, &format!("install platform {umbrella} --namespace platform --create-namespace")).await.ok();
    let deployments = async |namespace: &str| {
        let get = ["get", "deployments", "-o", "jsonpath={.items[*].metadata.name}"];
        cp.kubectl_in(namespace, &get, "").await.ok()
    };
    assert_eq!(deployments("platform").await, "seatkeeper-eu seatkeeper-us");
    uids_of_crds(&cp).await;

    // As the README has it: without names of their own, both have that of a release with both aliases in it.
    let same =
        "--set eu.fullnameOverride=,us.fullnameOverride=,eu.crds.install=false --namespace same --create-namespace";
    let refused = helm(&cp, &format!("install us-and-eu {umbrella} {same}")).await.refused();
    assert!(refused.contains("Kind=Deployment") && refused.contains("field is immutable"), "{refused}");
    // The twin: the same names, and one of the two switched off. What the refused one left may be of either.
    helm(&cp, "uninstall us-and-eu --namespace same --wait").await.ok();
    let one = format!("install us-and-eu {umbrella} {same} --set us.enabled=false");
    helm(&cp, &one).await.ok();
    assert_eq!(deployments("same").await, "us-and-eu");
}
