//! Pages of docs/ as a reader follows them: each command as it stands there, against an apiserver, with what the page says comes of it.
//! `page` has the commands that cannot run here, and why.

mod first_use;
mod operation;
pub mod page;

use std::fs;

use seatkeeper_support::{ControlPlane, SYSTEM_NAMESPACE, needs_control_plane, scratch_dir, wait_for, workspace_root};
use serde_json::{Value, json};

use crate::cluster::Kubelet;
use crate::tenants::Tenant;
use crate::world::{FAST, PATIENCE, World, binary, merge, organization, said};
use page::Page;

async fn create_namespaces(cp: &ControlPlane, names: &[&str]) {
    for name in names {
        cp.kubectl(&["create", "namespace", name]).await.ok();
    }
}

/// Waits until the operator of a release is ready.
async fn until_rolled_out(cp: &ControlPlane, namespace: &str, deployment: &str) {
    let deployment = format!("deployment/{deployment}");
    cp.kubectl_in(namespace, &["rollout", "status", &deployment, "--timeout=120s"], "").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn install_page_makes_a_first_a_second_and_a_namespaced_install() {
    needs_control_plane!();
    let (page, cp) = (Page::open("docs/install.md"), ControlPlane::start().await);
    let _controllers = cp.start_controllers();
    let kubelet = Kubelet::start(&cp).await;
    let scenes = async {
        create_namespaces(&cp, &["hr", "it", "sales", "it-tools"]).await;
        let install = "helm install seatkeeper charts/seatkeeper --namespace seatkeeper-system --create-namespace";
        cp.shell(&page.folder, &format!("{install} --set 'watchNamespaces={{hr}}'")).await.ok();
        look_after_the_install(&page, &cp).await;
        page.follow(&cp, "helm install seatkeeper-it charts/seatkeeper --namespace seatkeeper-it").await.ok();
        until_rolled_out(&cp, "seatkeeper-it", "seatkeeper-it").await;
        for (namespace, release) in [("seatkeeper-it", "seatkeeper-it"), ("seatkeeper-system", "seatkeeper")] {
            cp.helm(&["uninstall", release, "--namespace", namespace]).await.ok();
        }
        cp.kubectl(&["delete", "crd", "--all"]).await.ok();
        install_without_cluster_rights(&page, &cp).await;
    };
    tokio::select! {
        () = scenes => {}
        () = kubelet.run() => {}
    }
    page.close();
}

async fn look_after_the_install(page: &Page, cp: &ControlPlane) {
    let told = page.follow(cp, "kubectl -n seatkeeper-system rollout status").await.ok();
    assert!(told.contains("successfully rolled out"), "{told}");
    let crds = page.follow(cp, "kubectl get crd").await.ok();
    assert_eq!(crds.lines().count(), 3, "a head and two rows: {crds}");
    let pods = page.follow(cp, "kubectl -n seatkeeper-system get pods").await.ok();
    assert!(pods.contains("seatkeeper-"), "{pods}");
}

/// An administrator installs the CRDs, and a team whose rights end with three namespaces the operator.
async fn install_without_cluster_rights(page: &Page, cp: &ControlPlane) {
    page.follow(cp, "kubectl apply --server-side -f crds/").await.ok();
    let as_team = ("helm install", "helm install --kube-as-user team");
    let begins = "helm install seatkeeper charts/seatkeeper --namespace it-tools";
    let until_refused = async |replaced: &[(&str, &str)], words: &str| {
        let refused = page.follow_but(cp, begins, replaced).await.refused();
        assert!(refused.contains(words), "{words}: {refused}");
        cp.helm(&["uninstall", "seatkeeper", "--namespace", "it-tools", "--ignore-not-found"]).await.ok();
    };
    for namespace in ["it-tools", "it", "sales"] {
        let bind = ["create", "rolebinding", "team", "--clusterrole=admin", "--user=team"];
        cp.kubectl_in(namespace, &bind, "").await.ok();
    }
    until_refused(&[as_team], "attempting to grant RBAC permissions not currently held").await;
    page.follow(cp, "kubectl create clusterrole seatkeeper-installer").await.ok();
    for namespace in ["it-tools", "it", "sales"] {
        let bind = format!("kubectl -n {namespace} create rolebinding seatkeeper-installer");
        page.follow_but(cp, &bind, &[("NAME", "team")]).await.ok();
    }
    // What the values of the page leave out is out of reach.
    until_refused(&[as_team, ("--set rbac.userRoles=false", "")], "cannot get resource \"clusterroles\"").await;
    until_refused(&[as_team, ("--set crds.install=false", "")], "cannot get resource \"customresourcedefinitions\"")
        .await;
    page.follow_but(cp, begins, &[as_team]).await.ok();
    until_rolled_out(cp, "it-tools", "seatkeeper").await;
    let roles = cp.kubectl(&["get", "clusterroles,clusterrolebindings", "-o", "name"]).await.ok();
    assert!(!roles.lines().any(|name| name.ends_with("/seatkeeper")), "{roles}");
}

/// Whether the CRD has a field that the former chart's CRD lacks.
async fn has_the_new_crd(cp: &ControlPlane) -> bool {
    cp.kubectl(&["get", "crd", "licenseseats.seatkeeper.dev", "-o", "json"]).await.ok().contains("lastObservedAt")
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrade_page_brings_crds_along_and_uninstalls_the_operator_alone() {
    needs_control_plane!();
    let (page, cp) = (Page::open("docs/upgrade.md"), ControlPlane::start().await);
    let before = workspace_root().join("tests/support/tests/chart/before").display().to_string();
    let install = ["install", "seatkeeper", &before, "--namespace", "seatkeeper-system", "--create-namespace"];
    cp.helm(&[&install[..], &["--set", "clusterName=prod"]].concat()).await.ok();
    assert!(!has_the_new_crd(&cp).await, "the former chart has the present CRD");
    page.follow(&cp, "helm upgrade seatkeeper charts").await.ok();
    assert!(has_the_new_crd(&cp).await);
    let args = ["get", "deployment", "seatkeeper", "-o", "jsonpath={.spec.template.spec.containers[0].args}"];
    let args = cp.kubectl_in("seatkeeper-system", &args, "").await.ok();
    assert!(args.contains("--cluster-name=prod"), "the values stay: {args}");
    go_back(&page, &cp, &before).await;

    for (begins, replaced) in [
        ("kubectl apply --server-side --force-conflicts -f crds/", ("crds/", "crds/")),
        ("docker run --rm IMAGE crd", ("docker run --rm IMAGE", binary())),
    ] {
        let older =
            format!("kubectl apply --server-side --force-conflicts -f {before}/files/licenseseats.seatkeeper.dev.yaml");
        cp.shell(&page.folder, &older).await.ok();
        assert!(!has_the_new_crd(&cp).await, "{begins}");
        page.follow_but(&cp, begins, &[replaced]).await.ok();
        assert!(has_the_new_crd(&cp).await, "{begins}");
    }
    uninstall(&page, &cp).await;
    page.close();
}

/// The operator is the older one, and the CRD stays the newer one.
async fn go_back(page: &Page, cp: &ControlPlane, before: &str) {
    let listen = ["get", "deployment", "seatkeeper", "-o", "jsonpath={.spec.template.spec.containers[0].args[1]}"];
    let listens = async || cp.kubectl_in("seatkeeper-system", &listen, "").await.ok();
    assert_eq!(listens().await, "--listen=[::]:8080");
    let values = "--set limits.maxSeats=500 --set 'rbac.secretNames={key}'";
    let line = format!(
        "helm upgrade seatkeeper charts/seatkeeper --namespace seatkeeper-system --reset-then-reuse-values {values}"
    );
    cp.shell(&page.folder, &line).await.ok();
    let (begins, older) = ("helm upgrade seatkeeper OLDER", ("OLDER", before));
    let refused = page.follow_but(cp, begins, &[older]).await.refused();
    let of_page = page.quoted("at '");
    assert!(of_page.len() == 2 && of_page.iter().all(|line| refused.contains(line)), "{of_page:?}: {refused}");
    let mut forgets = page.quoted("--set ");
    forgets.retain(|value| value.ends_with("=null"));
    let without = format!("{} --set crds", forgets.join(" "));
    page.follow_but(cp, begins, &[older, ("--set crds", &without)]).await.ok();
    let values = cp.helm(&["get", "values", "seatkeeper", "--namespace", "seatkeeper-system"]).await.ok();
    assert!(values.contains("clusterName: prod") && !values.contains("maxSeats"), "{values}");
    assert!(values.contains("tag: OLDTAG"), "the next upgrade has to name its tag: {values}");
    assert_eq!(listens().await, "--listen=0.0.0.0:8080");
    assert!(has_the_new_crd(cp).await);
    // The twin: what the page warns of. With the next upgrade the release has its CRDs again.
    cp.helm(&["rollback", "seatkeeper", "1", "--namespace", "seatkeeper-system"]).await.ok();
    assert!(!has_the_new_crd(cp).await);
    let line = "helm upgrade seatkeeper charts/seatkeeper --namespace seatkeeper-system --reset-then-reuse-values --set crds.install=true";
    cp.shell(&page.folder, line).await.ok();
    assert!(has_the_new_crd(cp).await);
}

/// The objects outlive the release, and go by the page's own command.
async fn uninstall(page: &Page, cp: &ControlPlane) {
    create_namespaces(cp, &["it"]).await;
    for example in ["bitwarden-observe", "bitwarden-approval"] {
        wait_for("the example to be taken", PATIENCE, async || {
            let line = format!("kubectl -n it apply -f examples/{example}.yaml");
            cp.shell(&page.folder, &line).await.success().then_some(())
        })
        .await;
    }
    let objects = async || cp.kubectl_in("it", &["get", "licenseseats,seatapprovals", "-o", "name"], "").await.ok();
    page.follow(cp, "helm uninstall seatkeeper --namespace").await.ok();
    let left = objects().await;
    assert!(left.contains("licenseseats") && left.contains("seatapproval"), "{left}");
    page.follow(cp, "kubectl delete licenseseats,seatapprovals").await.ok();
    assert_eq!(objects().await, "");
    page.follow(cp, "kubectl delete crd").await.ok();
    assert_eq!(cp.kubectl(&["get", "crd", "-o", "name"]).await.ok(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_page_restores_suspended_objects_with_their_plans() {
    needs_control_plane!();
    let page = Page::open("docs/backup.md");
    let w = World::over_all_namespaces("backup", organization(), FAST).await;
    let other = w.tenant("other", organization()).await;
    w.declare("acme", json!({})).await;
    other.declare(json!({ "seats": 120 })).await;
    w.until_in_sync("acme", 150).await;
    other.until_in_sync(120).await;
    let approval = json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "metadata": { "name": "yes" },
        "spec": { "licenseSeatsRef": { "name": "acme" }, "decision": "Approved", "planId": "1-abc" },
    });
    w.plane.kubectl_in(&w.namespace, &["create", "-f", "-"], &approval.to_string()).await.ok();
    page.follow(&w.plane, "kubectl get licenseseats,seatapprovals --all-namespaces -o json").await.ok();
    let saved = fs::read_to_string(page.folder.join("seats.json")).expect("the backup");
    assert!(saved.contains("\"history\""), "with its status: {saved}");

    // All is lost, and meanwhile somebody has lowered seats and limit of one.
    let lost = ["delete", "licenseseats,seatapprovals", "--all", "--all-namespaces"];
    w.plane.kubectl(&lost).await.ok();
    w.bitwarden().set_seats(&w.key.id, 100).expect("the vendor allows it");
    w.bitwarden().set_limit(&w.key.id, Some(120)).expect("the vendor allows it");
    page.follow(&w.plane, "jq '.items[] |= (del").await.ok();
    for (name, summary) in [("acme", "+50 seats, limit 150: suspended"), ("other", "in sync; suspended")] {
        let status = w.until(name, summary, |status| status.summary.as_deref() == Some(summary)).await;
        assert_eq!(said(&status, "Stalled"), "", "{name}");
        assert_eq!(w.seats().get(name).await.expect("the object").spec.suspend, Some(true), "{name}");
    }
    let shown = page.follow(&w.plane, "kubectl get licenseseats --all-namespaces").await.ok();
    assert!(shown.contains("+50 seats, limit 150: suspended"), "{shown}");
    w.plane.kubectl_in(&w.namespace, &["get", "seatapproval", "yes"], "").await.ok();
    assert_eq!((w.bitwarden().puts(&w.key.id), other.puts()), (1, 1), "nothing is bought meanwhile");
    w.edit("acme", json!({ "suspend": false })).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!((w.bitwarden().puts(&w.key.id), other.puts()), (2, 1));

    // All is lost once more, and the status comes back.
    w.plane.kubectl(&lost).await.ok();
    page.follow(&w.plane, "jq '.items[] |= (del").await.ok();
    w.until("acme", "read", |status| status.seats == Some(150) && status.history.is_empty()).await;
    page.follow(&w.plane, "jq '.items[] | select(.kind").await.ok();
    w.until("acme", "its record", |status| !status.history.is_empty()).await;
    w.edit("acme", json!({ "suspend": false })).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!(w.bitwarden().puts(&w.key.id), 2);
    let suspended = page.follow(&w.plane, "kubectl get licenseseats --all-namespaces -o custom-columns").await.ok();
    let columns = |name: &str| suspended.lines().find(|line| line.contains(name)).map(|line| line.ends_with("true"));
    assert_eq!((columns("acme"), columns("other")), (Some(false), Some(true)), "{suspended}");
    w.plane.kubectl(&lost).await.ok();
    restored_with_the_operator_stopped(&page, &other).await;
    assert_eq!((w.bitwarden().puts(&w.key.id), other.puts()), (2, 1), "nothing is bought");
    suspended_in_backup_and_licenses_of_keys(&page, &w).await;
    page.close();
}

/// The objects are as they were in the backup, with their records, before the operator sees them.
async fn restored_with_the_operator_stopped(page: &Page, other: &Tenant<'_>) {
    let w = other.world;
    let scaled = async |replicas: &str| {
        page.follow(&w.plane, &format!("kubectl -n seatkeeper-system scale deployment seatkeeper {replicas}"))
            .await
            .ok();
        let get = ["get", "deployment", "seatkeeper", "-o", "jsonpath=--replicas={.spec.replicas}"];
        assert_eq!(w.plane.kubectl_in(SYSTEM_NAMESPACE, &get, "").await.ok(), replicas);
    };
    scaled("--replicas=0").await;
    assert!(w.operator.stop().await.success());
    page.follow(&w.plane, "jq '.items[] |= del").await.ok();
    assert!(w.status("acme").await.history.is_empty() && other.status().await.history.is_empty());
    page.follow(&w.plane, "jq '.items[] | select(.kind").await.ok();
    scaled("--replicas=1").await;
    let started = w.another_operator(FAST).await;
    started.wait_ready().await;
    for tenant in [&Tenant { world: w, name: "acme".into(), key: w.key.clone() }, other] {
        tenant.ask("restored").await;
        let status = tenant.until_said("Ready", "True/InSync").await;
        assert!(!status.history.is_empty(), "{}: the record of the backup", tenant.name);
        let spec = w.seats().get(&tenant.name).await.expect("the object").spec;
        assert_eq!(spec.suspend, None, "{}", tenant.name);
    }
}

/// Of a backup with an object that is suspended, and one whose key was added.
async fn suspended_in_backup_and_licenses_of_keys(page: &Page, w: &World) {
    let key =
        json!({ "secretKeyRef": { "name": "one", "key": "licenseKey" }, "id": 7, "uuid": "u", "state": "Active" });
    let items = json!([
        { "metadata": { "namespace": "it", "name": "still" }, "spec": { "suspend": true } },
        { "metadata": { "namespace": "it", "name": "immuta" }, "status": { "license": { "keys": [key] } } },
    ]);
    fs::write(page.folder.join("seats.json"), json!({ "items": items }).to_string()).expect("the backup");
    assert_eq!(page.follow(&w.plane, "jq -r").await.ok().trim(), "it/still");
    let adopt = page.follow(&w.plane, "jq '.items[] | select(.status.license.keys)").await.ok();
    let adopt: Value = serde_json::from_str(&adopt).expect("JSON");
    let entry = json!({ "secretKeyRef": { "name": "one", "key": "licenseKey" }, "adopt": { "id": 7, "uuid": "u" } });
    assert_eq!(adopt, json!({ "name": "immuta", "keys": [entry] }));
}

/// What kubectl answers to one of these groups.
async fn as_group(cp: &ControlPlane, groups: &[&str], args: &[&str], object: &Value) -> String {
    let mut words: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
    words.push("--as=somebody".into());
    words.extend(groups.iter().map(|group| format!("--as-group={group}")));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let object = if object.is_null() { String::new() } else { object.to_string() };
    let answer = cp.kubectl_in("it", &words, &object).await;
    format!("{}{}", answer.stdout.trim(), answer.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_spend_page_grants_exactly_the_listed_rights() {
    needs_control_plane!();
    let (page, cp) = (Page::open("docs/who-may-spend.md"), ControlPlane::start().await);
    cp.install_chart(&[]).await;
    create_namespaces(&cp, &["it"]).await;
    let (editors, approvers) = ("it-admins", "heads-of-department");
    let may = async |group: &str, kind: &str| {
        let kind = format!("{kind}.seatkeeper.dev");
        as_group(&cp, &[group], &["auth", "can-i", "create", &kind], &Value::Null).await.starts_with("yes")
    };
    for group in [editors, approvers] {
        assert!(!may(group, "licenseseats").await && !may(group, "seatapprovals").await, "{group}");
    }
    page.follow(&cp, "kubectl -n it create rolebinding seats-editors").await.ok();
    page.follow(&cp, "kubectl -n it create rolebinding seats-approvers").await.ok();
    for (group, kind, other) in
        [(editors, "licenseseats", "seatapprovals"), (approvers, "seatapprovals", "licenseseats")]
    {
        wait_for(format!("{group} to create {kind}"), PATIENCE, async || may(group, kind).await.then_some(())).await;
        assert!(!may(group, other).await, "{group} creates {other}");
    }
    // An approver creates, and cannot apply; whoever may read approvals as well can.
    let mut approval = json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "metadata": { "name": "one" },
        "spec": { "licenseSeatsRef": { "name": "acme" }, "decision": "Approved", "planId": "1-abc" },
    });
    let created = as_group(&cp, &[approvers], &["create", "-f", "-"], &approval).await;
    assert!(created.contains("created"), "{created}");
    merge(&mut approval, json!({ "metadata": { "name": "two" } }));
    let refused = as_group(&cp, &[approvers], &["apply", "-f", "-"], &approval).await;
    assert!(refused.contains("cannot get resource \"seatapprovals\""), "{refused}");
    let applied = as_group(&cp, &[approvers, editors], &["apply", "-f", "-"], &approval).await;
    assert!(applied.contains("created"), "{applied}");
    page.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn gitops_page_gives_argo_cd_its_scripts_and_makes_the_operator() {
    needs_control_plane!();
    let (page, cp) = (Page::open("docs/gitops.md"), ControlPlane::start().await);
    create_namespaces(&cp, &["argocd"]).await;
    let own = ["create", "configmap", "argocd-cm", "--from-literal=url=https://argocd.example"];
    cp.kubectl_in("argocd", &own, "").await.ok();
    page.follow(&cp, "kubectl -n argocd patch configmap argocd-cm").await.ok();
    let merged = cp.kubectl_in("argocd", &["get", "configmap", "argocd-cm", "-o", "json"], "").await.ok();
    for key in [
        "\"url\"",
        "resource.customizations.health.seatkeeper.dev_LicenseSeats",
        "resource.customizations.actions.seatkeeper.dev",
    ] {
        assert!(merged.contains(key), "{key} is missing in {merged}");
    }

    page.follow(&cp, "kubectl apply --server-side -f crds/").await.ok();
    let crds = cp.kubectl(&["get", "crd", "-o", "name"]).await.ok();
    assert_eq!(crds.lines().count(), 2, "{crds}");
    let built = page.follow(&cp, "kubectl kustomize --enable-helm").await.ok();
    let file = scratch_dir("built").join("operator.yaml");
    fs::write(&file, built).expect("a file");
    let file = file.display().to_string();
    cp.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file]).await.ok();
    cp.kubectl_in("seatkeeper-system", &["get", "deployment", "seatkeeper"], "").await.ok();
    page.close();
}
