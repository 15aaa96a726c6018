//! The chart as shipped: the apiserver takes what it renders, and bad values are refused in words.

use seatkeeper_support::{ControlPlane, OPERATOR_USER, SYSTEM_NAMESPACE, needs_control_plane, workspace_root};

#[tokio::test]
async fn lint_is_content() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let chart = workspace_root().join("charts/seatkeeper").display().to_string();
    cp.helm(&["lint", "--strict", &chart]).await.ok();
}

#[tokio::test]
async fn the_apiserver_takes_every_shape_of_it() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let namespace = cp.namespace("watched").await;
    let hosts = ("vendors.allowedHosts", "{vault.acme.example:8443,10.0.0.1}");
    let shapes: [&[(&str, &str)]; 5] = [
        &[],
        &[("watchNamespace", &namespace), hosts, ("flags.read-timeout", "5s"), ("flags.concurrency", "4")],
        &[("metrics.service.enabled", "true"), ("podLabels.team", "it"), ("priorityClassName", "high")],
        &[("serviceAccount.create", "false"), ("rbac.create", "false"), ("crds.install", "false"), ("replicas", "0")],
        &[("replicas", "3")],
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
async fn the_rights_to_the_lease_go_where_the_flag_puts_the_lease() {
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
async fn several_replicas_prefer_different_nodes_and_are_not_drained_at_once() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    let three = cp.render_chart(&[("replicas", "3")]).await.expect("good values");
    for part in ["replicas: 3", "kind: PodDisruptionBudget", "maxUnavailable: 1", "topologyKey: kubernetes.io/hostname"]
    {
        assert!(three.contains(part), "{part} is missing in {three}");
    }
    let one = cp.render_chart(&[]).await.expect("good values");
    assert!(!one.contains("PodDisruptionBudget") && !one.contains("podAntiAffinity"), "{one}");
}

#[tokio::test]
async fn bad_values_are_refused_in_words() {
    needs_control_plane!();
    let cp = ControlPlane::shared().await;
    for (key, value, message) in [
        ("replicas", "-1", "'/replicas'"),
        ("replicas", "many", "got string, want integer"),
        ("replicaCount", "1", "'replicaCount' not allowed"),
        ("flags.retries", "3", "'retries' not allowed"),
        ("flags.read-timeout", "soon", "'/flags/read-timeout'"),
        ("vendors.allowedHosts", "{https://vault.acme.example/}", "'/vendors/allowedHosts/0'"),
        ("log.format", "xml", "one of 'json', 'text'"),
    ] {
        let refused = cp.render_chart(&[(key, value)]).await.expect_err(key);
        assert!(refused.contains(message), "{key}={value}: {refused}");
    }
}
