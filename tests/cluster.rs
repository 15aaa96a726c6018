//! The chart installed on a cluster with controller-manager and scheduler. The kubelet is a stand-in of this test: it runs each
//! container of a pod as a process of the operator's binary, with the container's arguments and environment and a token of the pod's
//! ServiceAccount. There is no network of pods, so each listens at a port of its own. A pod is ready if its readiness probe says so.
//! One test has kwok in the place of kubelets instead, which runs nothing and says that each pod is ready.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use seatkeeper_support::{
    ControlPlane, Process, SYSTEM_NAMESPACE, free_port, http_get, needs_control_plane, wait_for, workspace_root,
};
use serde_json::{Value, json};

use crate::world::{PATIENCE, binary};

/// How long between two looks at the pods, as a kubelet's probes have a period.
const LOOK: Duration = Duration::from_millis(200);

/// A container that runs.
struct Running {
    process: Process,
    address: SocketAddr,
    /// A pod that ends, and is not started again.
    ends: bool,
    told: Value,
}

/// What a kubelet does for one node.
pub struct Kubelet<'a> {
    plane: &'a ControlPlane,
    running: BTreeMap<String, Running>,
}

impl<'a> Kubelet<'a> {
    pub async fn start(plane: &'a ControlPlane) -> Self {
        add_node(plane, "node", "linux").await;
        Self { plane, running: BTreeMap::new() }
    }

    /// Looks after the pods until it is dropped.
    pub async fn run(mut self) {
        loop {
            let pods: Api<Pod> = Api::all(self.plane.admin());
            let here = ListParams::default().fields("spec.nodeName=node");
            for pod in pods.list(&here).await.expect("a list").items {
                self.look_after(&pod).await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn look_after(&mut self, pod: &Pod) {
        let (name, uid) = (pod.metadata.name.clone().expect("a name"), pod.metadata.uid.clone().expect("a uid"));
        let namespace = pod.metadata.namespace.as_deref().expect("a namespace");
        let pods: Api<Pod> = Api::namespaced(self.plane.admin(), namespace);
        if pod.metadata.deletion_timestamp.is_some() {
            self.running.remove(&uid);
            let _ = pods.delete(&name, &DeleteParams::default().grace_period(0)).await;
            return;
        }
        if !self.running.contains_key(&uid) {
            let started = self.start_container(pod, namespace).await;
            self.running.insert(uid.clone(), started);
        }
        let running = self.running.get_mut(&uid).expect("it was started");
        let status = status(running).await;
        if running.told != status {
            let patch = Patch::Strategic(json!({ "status": status }));
            let written = pods.patch_status(&name, &PatchParams::default(), &patch).await;
            assert!(written.is_ok() || pods.get_opt(&name).await.expect("an answer").is_none(), "{written:?}");
            running.told = status;
        }
    }

    async fn start_container(&self, pod: &Pod, namespace: &str) -> Running {
        let spec = pod.spec.as_ref().expect("a spec");
        let account = spec.service_account_name.as_deref().expect("an account");
        let container = &spec.containers[0];
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(binary());
        for argument in container.args.iter().flatten() {
            match argument.as_str() {
                "--listen=[::]:8080" => command.arg(format!("--listen={address}")),
                // Instead of the headless Service, which DNS would answer: the replicas, one after the other.
                "--operator=seatkeeper-test.seatkeeper-system.svc:8080" => {
                    let replica = self.running.values().next().expect("a replica");
                    command.arg(format!("--operator={}", replica.address))
                }
                other => command.arg(other),
            };
        }
        for variable in container.env.iter().flatten() {
            command.env(&variable.name, variable.value.as_deref().unwrap_or_default());
        }
        let kubeconfig = self.plane.kubeconfig_for_service_account(namespace, account).await;
        command.env("KUBECONFIG", kubeconfig).env("HOSTNAME", pod.metadata.name.clone().unwrap_or_default());
        let process = Process::spawn(&container.name, &command);
        let ends = spec.restart_policy.as_deref() == Some("Never");
        Running { process, address, ends, told: Value::Null }
    }
}

/// The status of a pod with this container.
async fn status(running: &Running) -> Value {
    let exited = running.process.try_exit();
    let answer = http_get(running.address, "/readyz").await;
    let ready = exited.is_none() && answer.is_ok_and(|answer| answer.status == 200);
    let phase = match exited {
        _ if !running.ends => "Running",
        None => "Running",
        Some(exit) if exit.success() => "Succeeded",
        Some(_) => "Failed",
    };
    let is = |kind: &str, met: bool| json!({ "type": kind, "status": if met { "True" } else { "False" } });
    json!({
        "phase": phase,
        "conditions": [is("Initialized", true), is("ContainersReady", ready), is("Ready", ready)],
    })
}

/// A node that is ready, and large enough for every pod of the test.
async fn add_node(plane: &ControlPlane, name: &str, os: &str) {
    let nodes: Api<Node> = Api::all(plane.admin());
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": { "kubernetes.io/os": os, "kubernetes.io/hostname": name } },
    });
    let node = serde_json::from_value(node).expect("a node");
    nodes.create(&PostParams::default(), &node).await.expect("the administrator may");
    let size = json!({ "cpu": "4", "memory": "8Gi", "pods": "20" });
    let ready = json!([{ "type": "Ready", "status": "True", "reason": "KubeletReady" }]);
    let status = json!({ "status": { "capacity": size, "allocatable": size, "conditions": ready } });
    let patch = Patch::Strategic(&status);
    nodes.patch_status(name, &PatchParams::default(), &patch).await.expect("the administrator may");
}

fn chart() -> String {
    workspace_root().join("charts/seatkeeper").display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_waits_and_tests_well_with_ready_replicas_and_times_out_otherwise() {
    needs_control_plane!();
    let plane = ControlPlane::start().await;
    let controllers = plane.start_controllers();
    let kubelet = Kubelet::start(&plane).await;
    let here = ["--namespace", SYSTEM_NAMESPACE];
    let scenes = async {
        let chart = chart();
        let install = ["install", "seatkeeper", &chart, "--create-namespace", "--wait", "--timeout=110s"];
        let with = ["--set", "replicas=2", "--set", "flags.min-interval=1s"];
        let installed = plane.helm(&[&install[..], &here, &with].concat()).await;
        let told = || controllers.iter().map(|process| process.log_tail(15)).collect::<String>();
        assert!(installed.success(), "{}\n{}", installed.stderr, told());
        let deployment = ["get", "deployment", "seatkeeper", "-o", "jsonpath={.status.availableReplicas}"];
        assert_eq!(plane.kubectl_in(SYSTEM_NAMESPACE, &deployment, "").await.ok(), "2");
        let lease = ["get", "lease", "seatkeeper", "-o", "jsonpath={.spec.holderIdentity}"];
        assert!(plane.kubectl_in(SYSTEM_NAMESPACE, &lease, "").await.ok().starts_with("seatkeeper-"));

        plane.helm(&[&["test", "seatkeeper", "--timeout=110s"], &here[..]].concat()).await.ok();
        let phase = ["get", "pod", "seatkeeper-test", "-o", "jsonpath={.status.phase}"];
        assert_eq!(plane.kubectl_in(SYSTEM_NAMESPACE, &phase, "").await.ok(), "Succeeded");
        let service = plane.kubectl_in(SYSTEM_NAMESPACE, &["get", "service", "seatkeeper-test"], "").await.refused();
        assert!(service.contains("not found"), "it goes with the test: {service}");

        // The twin: a flag that the operator does not know. The new pod is never ready, and the old ones go on.
        let upgrade = ["upgrade", "seatkeeper", &chart, "--reuse-values", "--wait", "--timeout=5s"];
        let wrong = ["--set", "extraArgs={--no-such-flag}"];
        plane.helm(&[&upgrade[..], &here, &wrong].concat()).await.refused();
        assert_eq!(plane.kubectl_in(SYSTEM_NAMESPACE, &deployment, "").await.ok(), "2");

        plane.helm(&[&["uninstall", "seatkeeper", "--wait"], &here[..]].concat()).await.ok();
        let gone = async || {
            let pods = ["get", "pods", "-o", "name", "--selector=app.kubernetes.io/name=seatkeeper"];
            plane.kubectl_in(SYSTEM_NAMESPACE, &pods, "").await.ok().is_empty().then_some(())
        };
        wait_for("the pods to be gone", PATIENCE, gone).await;
        let crds = plane.kubectl(&["get", "crd", "-o", "name"]).await.ok();
        assert_eq!(crds.lines().count(), 2, "{crds}");
    };
    tokio::select! {
        () = scenes => {}
        () = kubelet.run() => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_waits_for_replicas_on_a_node_that_kwok_plays() {
    needs_control_plane!();
    let plane = ControlPlane::start().await;
    let controllers = plane.start_controllers();
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": "node", "labels": { "kubernetes.io/os": "linux", "kubernetes.io/hostname": "node" } },
    });
    plane.kubectl_in("", &["create", "-f", "-"], &node.to_string()).await.ok();
    let (chart, here) = (chart(), ["--namespace", SYSTEM_NAMESPACE, "--create-namespace"]);
    let install = ["install", "seatkeeper", &chart, "--set", "replicas=2", "--wait"];
    // The twin: without kwok the node is not ready, so no pod is.
    let waited = plane.helm(&[&install[..], &here, &["--timeout=2s"]].concat()).await.refused();
    assert!(waited.contains("Deployment/seatkeeper-system/seatkeeper not ready"), "{waited}");
    plane.helm(&["uninstall", "seatkeeper", "--namespace", SYSTEM_NAMESPACE]).await.ok();

    let kwok = plane.start_kwok();
    let installed = plane.helm(&[&install[..], &here, &["--timeout=110s"]].concat()).await;
    let told = || controllers.iter().chain([&kwok]).map(|process| process.log_tail(15)).collect::<String>();
    assert!(installed.success(), "{}\n{}", installed.stderr, told());
    let available = ["get", "deployment", "seatkeeper", "-o", "jsonpath={.status.availableReplicas}"];
    assert_eq!(plane.kubectl_in(SYSTEM_NAMESPACE, &available, "").await.ok(), "2");
    assert_eq!(nodes_of_pods(&plane, |nodes| nodes.len() == 2).await, ["node", "node"]);
    plane.helm(&["uninstall", "seatkeeper", "--wait", "--namespace", SYSTEM_NAMESPACE]).await.ok();
}

/// The nodes that the scheduler has chosen for the pods of the release, as soon as they are `enough`.
async fn nodes_of_pods(plane: &ControlPlane, enough: impl Fn(&[String]) -> bool) -> Vec<String> {
    let pods: Api<Pod> = Api::namespaced(plane.admin(), SYSTEM_NAMESPACE);
    wait_for("the pods to have nodes", PATIENCE, async || {
        let listed = pods.list(&ListParams::default()).await.expect("a list").items;
        let nodes: Vec<String> = listed.into_iter().filter_map(|pod| pod.spec?.node_name).collect();
        enough(&nodes).then_some(nodes)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_scheduled_to_linux_alone_although_a_windows_node_is_empty() {
    needs_control_plane!();
    let plane = ControlPlane::start().await;
    let _controllers = plane.start_controllers();
    add_node(&plane, "node", "linux").await;
    add_node(&plane, "windows", "windows").await;
    let chart = chart();
    let here = ["--namespace", SYSTEM_NAMESPACE, "--create-namespace", "--set", "replicas=2"];
    // No kubelet runs here, so nothing is waited for but the scheduler.
    let release = ["upgrade", "--install", "seatkeeper", &chart];
    plane.helm(&[&release[..], &here].concat()).await.ok();
    assert_eq!(nodes_of_pods(&plane, |nodes| nodes.len() == 2).await, ["node", "node"]);
    // The twin: without the selector the next pod goes where no other pod is.
    plane.helm(&[&release[..], &here, &["--set", "nodeSelector=null"]].concat()).await.ok();
    nodes_of_pods(&plane, |nodes| nodes.contains(&"windows".to_owned())).await;
}

/// Whether this user may do this with a kind in namespace `default`, as `kubectl auth can-i` has it.
async fn may(plane: &ControlPlane, user: &str, verb: &str, kind: &str) -> bool {
    let (who, kind) = (format!("--as={user}"), format!("{kind}.seatkeeper.dev"));
    plane.kubectl_in("default", &["auth", "can-i", verb, &kind, &who], "").await.stdout.trim() == "yes"
}

/// Waits until the roles of Kubernetes have the rules of every role that is there. The last one is made here, with a verb of its own.
async fn until_aggregated(plane: &ControlPlane, verb: &str) {
    let labels = ["view", "edit", "admin"].map(|own| format!("rbac.authorization.k8s.io/aggregate-to-{own}"));
    let labels: BTreeMap<String, &str> = labels.into_iter().map(|label| (label, "true")).collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": verb, "labels": labels },
        "rules": [{ "apiGroups": ["seatkeeper.dev"], "resources": ["licenseseats"], "verbs": [verb] }],
    });
    plane.kubectl_in("", &["create", "-f", "-"], &role.to_string()).await.ok();
    for user in ["view", "edit", "admin"] {
        let last = async || may(plane, user, verb, "licenseseats").await.then_some(());
        wait_for(format!("{verb} to be in {user}"), PATIENCE, last).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn view_role_reads_and_edit_role_spends_only_if_installer_allows() {
    needs_control_plane!();
    let plane = ControlPlane::start().await;
    let _controllers = plane.start_controllers();
    // Each user has the role of his name, and nothing else.
    for role in ["view", "edit", "admin"] {
        let (of, user) = (format!("--clusterrole={role}"), format!("--user={role}"));
        plane.kubectl_in("default", &["create", "rolebinding", role, &of, &user], "").await.ok();
    }
    for (time, (aggregate, spends)) in [("false", false), ("true", true), ("false", false)].into_iter().enumerate() {
        plane.install_chart(&[("rbac.aggregateToEdit", aggregate)]).await;
        until_aggregated(&plane, &format!("last-{time}")).await;
        for user in ["view", "edit", "admin"] {
            for kind in ["licenseseats", "seatapprovals"] {
                assert!(may(&plane, user, "list", kind).await, "{user} reads {kind}, {aggregate}");
            }
            for (verb, kind) in [("create", "licenseseats"), ("patch", "licenseseats/scale")] {
                let expected = spends && user != "view";
                assert_eq!(may(&plane, user, verb, kind).await, expected, "{user}, {verb} {kind}, {aggregate}");
            }
            assert!(!may(&plane, user, "create", "seatapprovals").await, "{user} approves, {aggregate}");
        }
        assert!(!may(&plane, "nobody", "list", "licenseseats").await, "a user without a role");
    }
    // The twins: nothing but the role was missing.
    for (user, role, verb, kind) in
        [("view", "editor", "create", "licenseseats"), ("admin", "approver", "create", "seatapprovals")]
    {
        let (of, who) = (format!("--clusterrole=seatkeeper-{role}"), format!("--user={user}"));
        plane.kubectl_in("default", &["create", "rolebinding", role, &of, &who], "").await.ok();
        let allowed = async || may(&plane, user, verb, kind).await.then_some(());
        wait_for(format!("{user} to {verb} {kind}"), PATIENCE, allowed).await;
    }
}
