//! One operator for some namespaces, and for some Secrets, with nothing but the Roles that the chart makes for it there.

use seatkeeper_support::{ControlPlane, OPERATOR_USER, Operator, Plane, http_get, needs_control_plane, wait_for};
use serde_json::json;

use crate::world::{FAST, PATIENCE, World, binary, condition, organization, said};

/// A control plane with the chart for some new namespaces of these names, and the namespaces.
async fn installed_for(names: &[&str], others: &[&str], values: &[(&str, &str)]) -> (Plane, Vec<String>) {
    let plane = ControlPlane::start().await;
    let mut namespaces = Vec::new();
    for name in names.iter().chain(others) {
        namespaces.push(plane.namespace(name).await);
    }
    let watched = format!("{{{}}}", namespaces[..names.len()].join(","));
    plane.install_chart(&[&[("watchNamespaces", watched.as_str())], values].concat()).await;
    (Plane::Own(Box::new(plane)), namespaces)
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_of_two_namespaces_serves_both_as_one_and_leaves_a_third_alone() {
    needs_control_plane!();
    let (plane, spaces) = installed_for(&["one", "two"], &["three"], &[]).await;
    let watched = spaces[..2].join(",");
    let mut w = World::on(plane, spaces[0].clone(), watched, organization(), FAST).await;
    let first = w.key.clone();
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    w.until_the_next_second("acme").await;
    // In the other one: an account of its own, an approval there, and the account of the first once more.
    w.namespace.clone_from(&spaces[1]);
    let second = w.bitwarden().add_organization(organization());
    w.secret("key", w.credentials(&second)).await;
    w.secret("first", w.credentials(&first)).await;
    w.declare("acme", json!({ "seats": 120, "approval": { "increaseAbove": 0 } })).await;
    let asked = w.until_reason("acme", "ChangePending", "AwaitingApproval").await;
    let approval = json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "metadata": { "name": "yes" },
        "spec": { "licenseSeatsRef": { "name": "acme" }, "decision": "Approved", "planId": asked.plan.expect("a plan").id },
    });
    w.plane.kubectl_in(&spaces[1], &["create", "-f", "-"], &approval.to_string()).await.ok();
    w.until_in_sync("acme", 120).await;
    let other = json!({ "seats": 170, "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "first" } } } });
    w.declare("younger", other).await;
    let status = w.until_reason("younger", "Ready", "Conflict").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("in another namespace is older"), "{message}");
    assert_eq!((w.bitwarden().puts(&first.id), w.bitwarden().puts(&second.id)), (1, 1));
    // The watch of this namespace tells of a deletion, and the owner in the other one is still known after it.
    w.plane.kubectl_in(&spaces[1], &["delete", "licenseseats", "younger"], "").await.ok();
    w.namespace.clone_from(&spaces[0]);
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    // The third one: nothing is read there, and nothing may be.
    w.namespace.clone_from(&spaces[2]);
    w.secret("key", w.credentials(&second)).await;
    w.declare("acme", json!({})).await;
    w.until_polled(3).await;
    assert_eq!(w.status("acme").await.conditions.len(), 0);
    let may = async |namespace: &str, verb: &str, resource: &str| {
        let (account, namespace) = (format!("--as={OPERATOR_USER}"), format!("--namespace={namespace}"));
        w.plane.kubectl(&["auth", "can-i", verb, resource, &account, &namespace]).await.stdout.trim() == "yes"
    };
    for (verb, resource) in [("get", "secrets"), ("list", "licenseseats.seatkeeper.dev")] {
        assert!(may(&spaces[0], verb, resource).await && may(&spaces[1], verb, resource).await, "{verb} {resource}");
        assert!(!may(&spaces[2], verb, resource).await, "{verb} {resource}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn namespace_that_is_not_there_is_named_and_served_once_it_is_made() {
    needs_control_plane!();
    let (plane, spaces) = installed_for(&["there"], &[], &[]).await;
    let watched = format!("{},nowhere", spaces[0]);
    let operator = Operator::start(&plane, binary(), &watched, FAST).await;
    let told = "waiting for the first list of LicenseSeats in namespace nowhere:";
    let answer = wait_for("/readyz to name the namespace", PATIENCE, async || {
        let reply = http_get(operator.address(), "/readyz").await.ok()?;
        (reply.status == 503 && reply.body.contains(told)).then_some(reply.body)
    })
    .await;
    let fix = "Namespace nowhere does not exist, or the operator's Role is not in it: create the namespace";
    assert!(answer.contains(fix) && operator.log().contains(fix), "{answer}\n{}", operator.log_tail(20));
    plane.kubectl(&["create", "namespace", "nowhere"]).await.ok();
    plane.install_chart(&[("watchNamespaces", format!("{{{watched}}}").as_str())]).await;
    wait_for("the operator to serve both", PATIENCE, async || operator.is_ready().await.then_some(())).await;
    let log = operator.log();
    assert_eq!(log.matches(fix).count(), 2, "once of each watch: {log}");
    assert!(log.matches("LicenseSeats not counted").count() <= 1, "{log}");
}

/// The policy about Secrets is for people: the operator writes its status under it as ever.
const NAMED: &[(&str, &str)] = &[("rbac.secretNames", "{key,more}"), ("policies.secretAccess.enabled", "true")];

#[tokio::test(flavor = "multi_thread")]
async fn secret_not_named_by_chart_is_not_read_and_message_names_value_to_set() {
    needs_control_plane!();
    let (plane, spaces) = installed_for(&["named"], &[], NAMED).await;
    let w = World::on(plane, spaces[0].clone(), spaces[0].clone(), organization(), FAST).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    w.secret("unnamed", w.credentials(&w.key)).await;
    w.declare("other", json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "unnamed" } } } })).await;
    let status = w.until("other", "a verdict", |status| said(status, "CredentialsValid").starts_with("False/")).await;
    let message = &condition(&status, "CredentialsValid").expect("CredentialsValid").message;
    let told = "the operator may not get Secret unnamed in namespace";
    assert!(message.contains(told) && message.contains("rbac.secretNames"), "{message}");
}
