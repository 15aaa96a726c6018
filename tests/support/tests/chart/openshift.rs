//! The chart where each namespace has user ids of its own, as OpenShift's `restricted-v2` keeps it.

use std::time::Duration;

use seatkeeper_support::{ControlPlane, SYSTEM_NAMESPACE, needs_control_plane, wait_for, workspace_root};
use serde::Deserialize;
use serde_json::{Value, json};

/// What `restricted-v2` refuses of users: one outside of the range that the namespace's annotation names.
const POLICY: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: users-of-the-namespace}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  variables:
    - {name: range, expression: "namespaceObject.metadata.annotations['openshift.io/sa.scc.uid-range'].split('/')"}
    - {name: first, expression: "int(variables.range[0])"}
    - {name: contexts, expression: "[object.spec.?securityContext] + object.spec.containers.map(c, c.?securityContext)"}
  validations:
    - expression: >-
        variables.contexts.all(c, !c.runAsUser.hasValue() ||
        (c.runAsUser.value() >= variables.first && c.runAsUser.value() < variables.first + int(variables.range[1])))
      message: this user is not of the namespace's range
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: users-of-the-namespace}
spec: {policyName: users-of-the-namespace, validationActions: [Deny]}
"#;

/// The pod that the Deployment of the chart makes with these values.
async fn pod(cp: &ControlPlane, values: &[&str]) -> String {
    let chart = workspace_root().join("charts/seatkeeper").display().to_string();
    let command = ["template", "seatkeeper", &chart, "--namespace", SYSTEM_NAMESPACE];
    let rendered = cp.helm(&[&command, values].concat()).await.ok();
    let documents = serde_yaml::Deserializer::from_str(&rendered).map(|one| Value::deserialize(one).expect("YAML"));
    let deployment = documents.into_iter().find(|one| one["kind"] == "Deployment").expect("a Deployment");
    let mut spec = deployment["spec"]["template"]["spec"].clone();
    // No controller makes the account of the chart here.
    spec.as_object_mut().expect("a spec").remove("serviceAccountName");
    spec["automountServiceAccountToken"] = json!(false);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "one" }, "spec": spec }).to_string()
}

#[tokio::test]
async fn chart_pod_is_admitted_in_namespace_user_range_once_platform_picks_user() {
    needs_control_plane!();
    let cp = ControlPlane::start().await;
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "restricted", "annotations": { "openshift.io/sa.scc.uid-range": "1000660000/10000" },
    } });
    cp.kubectl_in("", &["create", "-f", "-"], &namespace.to_string()).await.ok();
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default" } });
    cp.kubectl_in("restricted", &["create", "-f", "-"], &account.to_string()).await.ok();
    cp.kubectl_in("", &["create", "-f", "-"], POLICY).await.ok();
    let create = |pod: String| {
        let cp = &cp;
        async move { cp.kubectl_in("restricted", &["create", "--dry-run=server", "-f", "-"], &pod).await }
    };
    // The policy is in force once it refuses the chart's own user.
    let own = pod(&cp, &[]).await;
    wait_for("the refusal of the chart's own user", Duration::from_secs(60), async || {
        create(own.clone()).await.stderr.contains("this user is not of the namespace's range").then_some(())
    })
    .await;
    // As docs/platforms.md says.
    let platforms = std::fs::read_to_string(workspace_root().join("docs/platforms.md")).expect("a page");
    assert!(platforms.contains("--set podSecurityContext=null"), "the command of the page is another one");
    create(pod(&cp, &["--set", "podSecurityContext=null"]).await).await.ok();
    create(pod(&cp, &["--set", "podSecurityContext.runAsUser=1000660007"]).await).await.ok();
    let beyond = create(pod(&cp, &["--set", "podSecurityContext.runAsUser=1000670000"]).await).await;
    assert!(beyond.stderr.contains("this user is not of the namespace's range"), "{}", beyond.stderr);
}
