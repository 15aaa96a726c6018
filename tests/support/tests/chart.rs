//! The chart as shipped, on a real apiserver: it takes what the chart renders. What the chart renders is in `charts/*/tests/`.

#![allow(clippy::expect_used, clippy::panic)] // helpers are not themselves tests, so clippy does not see that they may

#[path = "chart/openshift.rs"]
mod openshift;
#[allow(dead_code)] // what other pages need
#[path = "../../followed_pages/page.rs"]
mod page;
#[path = "chart/releases.rs"]
mod releases;
#[path = "chart/values.rs"]
mod values;

use seatkeeper_support::{ControlPlane, OPERATOR_USER, SYSTEM_NAMESPACE, needs_control_plane, workspace_root};

#[tokio::test]
async fn lint_is_content() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    for chart in ["charts/seatkeeper", "charts/seatkeeper-crds"] {
        cp.helm(&["lint", "--strict", &workspace_root().join(chart).display().to_string()]).await.ok();
    }
}

#[tokio::test]
async fn apiserver_accepts_every_shape_of_chart() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let namespace = cp.namespace("watched").await;
    let several = format!("{{{namespace},{}}}", cp.namespace("watched").await);
    let hosts = ("vendors.allowedHosts", "{vault.acme.example:8443,10.0.0.1}");
    let shapes: [&[(&str, &str)]; 10] = [
        &[],
        &[("watchNamespace", &namespace), hosts, ("flags.read-timeout", "5s"), ("flags.concurrency", "4")],
        &[("metrics.service.enabled", "true"), ("podLabels.team", "it"), ("priorityClassName", "high")],
        &[("serviceAccount.create", "false"), ("rbac.create", "false"), ("crds.install", "false"), ("replicas", "0")],
        &[("replicas", "3")],
        &[("rbac.aggregateToEdit", "true"), ("limits.maxSeats", "500"), ("limits.maxIncrease", "50")],
        &[("rbac.userRoles", "false")],
        &[("policies.secretAccess.enabled", "true")],
        &[("policies.secretAccess.enabled", "true"), ("watchNamespaces", &several)],
        &[("watchNamespaces", &several), ("rbac.secretNames", "{bitwarden-org,immuta}")],
    ];
    // Pods are checked when they are made, and nobody makes them here; `warn` makes the apiserver say what the
    // Deployment would violate.
    let label = ["label", "--overwrite", "namespace", SYSTEM_NAMESPACE, "pod-security.kubernetes.io/warn=restricted"];
    cp.kubectl(&label).await.ok();
    for values in shapes {
        let manifests = cp.render_chart(values).await.expect("good values");
        let apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
        let applied = cp.kubectl_in("", &apply, &manifests).await;
        assert!(applied.success() && applied.stderr.is_empty(), "{values:?}: {}", applied.stderr);
    }
    // The check itself works:
    let manifests = cp.render_chart(&[]).await.expect("good values");
    let loose = manifests.replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true");
    let dry_run = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"];
    let warned = cp.kubectl_in("", &dry_run, &loose).await;
    assert!(warned.stderr.contains("would violate PodSecurity"), "{}", warned.stderr);
}

#[tokio::test]
async fn rights_stay_minimal() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let account = format!("--as={OPERATOR_USER}");
    let allowed = cp.kubectl(&["auth", "can-i", "--list", "--no-headers", &account, "--namespace=default"]).await.ok();
    let own: Vec<String> = allowed
        .lines()
        .filter(|line| {
            ["secrets", "licenseseats", "seatapprovals", "events", "leases"].iter().any(|word| line.starts_with(word))
        })
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "events.events.k8s.io [] [] [create patch]",
        "secrets [] [] [get]",
        "licenseseats.seatkeeper.dev [] [] [get list watch]",
        "licenseseats.seatkeeper.dev/status [] [] [patch]",
        "seatapprovals.seatkeeper.dev [] [] [get list watch]",
    ];
    for line in expected {
        assert!(own.iter().any(|found| found == line), "{line} is missing in {own:?}");
    }
    assert_eq!(own.len(), expected.len(), "more than needed: {own:?}");
    let namespace = format!("--namespace={SYSTEM_NAMESPACE}");
    let lease = ["auth", "can-i", "--list", "--no-headers", &account, &namespace];
    let at_home = cp.kubectl(&lease).await.ok();
    let at_home: Vec<Vec<&str>> = at_home.lines().map(|line| line.split_whitespace().collect()).collect();
    let lease = ["leases.coordination.k8s.io", "[]", "[]", "[get", "create", "update]"];
    assert!(at_home.iter().any(|line| line == &lease), "{at_home:?}");
}

#[tokio::test]
async fn lease_rights_follow_lease_namespace_flag() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let namespace = cp.namespace("lease").await;
    let may = async |namespace: &str| {
        let (account, namespace) = (format!("--as={OPERATOR_USER}"), format!("--namespace={namespace}"));
        let update = ["auth", "can-i", "update", "leases.coordination.k8s.io", &account, &namespace];
        cp.kubectl(&update).await.stdout.trim() == "yes"
    };
    assert!(!may(&namespace).await);
    let manifests = cp.render_chart(&[("flags.lease-namespace", &namespace)]).await.expect("good values");
    assert!(manifests.contains(&format!("--lease-namespace={namespace}")), "{manifests}");
    let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    let of_the_lease = manifests.split("---\n").filter(|document| document.contains("name: seatkeeper-lease"));
    for document in of_the_lease {
        cp.kubectl_in("", &apply, document).await.ok();
    }
    assert!(may(&namespace).await, "{manifests}");
    assert!(may(SYSTEM_NAMESPACE).await, "the one that was installed before stays");
}

#[tokio::test]
async fn values_of_a_release_from_before_some_of_them_still_render() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    // As with `helm upgrade --reuse-values`, which brings no defaults of the new chart along.
    let missing =
        ["limits", "policies", "watchNamespaces", "rbac.userRoles", "rbac.aggregateToEdit", "rbac.secretNames"];
    let values = missing.map(|value| (value, "null"));
    let old = cp.render_chart(&values).await.expect("good values");
    assert_eq!(old, cp.render_chart(&[]).await.expect("good values"), "the defaults are what they mean");
}
