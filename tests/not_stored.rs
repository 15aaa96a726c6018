//! A status that the apiserver does not store as it was written, here because an admission policy takes a part away: what
//! was to be recorded before a request leaves is not recorded, so no request leaves; and nothing is written or read again
//! and again.

use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};

use fault_proxy::{Action, Target};

use crate::proxied::Proxied;
use crate::tenants::Tenant;
use crate::world::{FAST, PATIENCE, World, condition, organization, said, world};

/// A record with every field that these policies take away.
fn record() -> Value {
    let step = json!({ "seats": { "from": 1, "to": 2, "limitFrom": 1, "limitTo": 2 } });
    let change = json!({
        "id": "probe", "account": "probe", "step": step, "generation": 1, "attempt": 1,
        "reason": "SpecDiffers", "time": "2026-10-01T08:00:00Z",
    });
    let mut intent = change.clone();
    crate::world::merge(&mut intent, json!({ "objectUid": "probe", "phase": "Open" }));
    let plan = json!({ "id": "probe", "step": step, "reason": "SpecDiffers" });
    json!({ "status": { "plan": plan, "intent": intent, "history": [change] } })
}

/// A policy that takes one field out of every status of an object, in force once this returns.
async fn take_away(w: &World, name: &str, field: &str) {
    let policy = format!("{}-{name}", w.namespace);
    let rule = json!({
        "apiGroups": ["seatkeeper.dev"], "apiVersions": ["v1alpha1"], "operations": ["UPDATE"],
        "resources": ["licenseseats/status"],
    });
    let parents = field.match_indices('.').map(|(end, _)| &field[..end]).filter(|parent| *parent != "status");
    let there: Vec<String> = parents.chain([field]).map(|path| format!("has(object.{path})")).collect();
    let condition = format!("object.metadata.name == '{name}' && has(object.status) && {}", there.join(" && "));
    let remove = format!("[JSONPatch{{op: 'remove', path: '/{}'}}]", field.replace('.', "/"));
    let made = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": { "name": policy },
        "spec": {
            "matchConstraints": {
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": w.namespace } },
                "resourceRules": [rule],
            },
            "matchConditions": [{ "name": "it-is-there", "expression": condition }],
            "reinvocationPolicy": "Never", "failurePolicy": "Fail",
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression": remove } }],
        },
    });
    let bound = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": { "name": policy }, "spec": { "policyName": policy },
    });
    for object in [made, bound] {
        w.plane.kubectl_in("", &["apply", "--server-side", "-f", "-"], &object.to_string()).await.ok();
    }
    let pointer = format!("/{}", field.replace('.', "/"));
    let in_force = async || probe(w, name).await.is_none_or(|object| object.pointer(&pointer).is_none()).then_some(());
    wait_for(format!("the policy to take {field} away"), PATIENCE, in_force).await;
}

async fn let_through(w: &World, name: &str) {
    let policy = format!("{}-{name}", w.namespace);
    for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
        w.plane.kubectl(&["delete", kind, &policy]).await.ok();
    }
}

/// The object as it would be stored with a whole record, unless that is refused.
async fn probe(w: &World, name: &str) -> Option<Value> {
    let record = record().to_string();
    let patch = ["patch", "licenseseats.seatkeeper.dev", name, "--subresource=status", "--type=merge"];
    let patch = [&patch[..], &["--patch", &record, "--dry-run=server", "--output=json"]].concat();
    let answer = w.plane.kubectl_in(&w.namespace, &patch, "").await;
    answer.success().then(|| serde_json::from_str(&answer.stdout).expect("JSON"))
}

fn status_writes(t: &Tenant<'_>) -> usize {
    t.world.audit().verb("patch").resource("licenseseats").subresource("status").name(&t.name).len()
}

/// Passes over the tenant's object.
fn passes(t: &Tenant<'_>) -> usize {
    t.world.audit().verb("get").resource("secrets").name(&t.name).len()
}

/// What is taken away, and how often the change is sent all the same: what is recorded afterwards keeps nothing back.
const CASES: [(&str, usize); 6] = [
    ("status.plan", 0),
    ("status.plan.step.seats.limitTo", 0),
    ("status.intent", 0),
    ("status.intent.phase", 0),
    ("status.intent.step.seats.limitTo", 0),
    ("status.history", 1),
];

/// How many polls of a healthy object are waited for, and how many passes with back-off may fit between them.
const POLLS: usize = 10;
const FEW: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn change_not_fully_recorded_is_not_sent_and_write_retries_with_back_off() {
    needs_control_plane!();
    let w: World = world("not-stored").await;
    let healthy = w.tenant("healthy", organization()).await;
    healthy.declare(json!({ "managementPolicy": "Observe" })).await;
    let cases = CASES.map(|(field, sent)| {
        let (w, healthy) = (&w, &healthy);
        async move {
            let t = w.tenant(field, organization()).await;
            t.declare(json!({ "managementPolicy": "Observe" })).await;
            t.until_said("Ready", "True/Observed").await;
            take_away(w, &t.name, field).await;
            w.edit(&t.name, json!({ "managementPolicy": "Manage" })).await;
            let status = t.until_said("Ready", "False/StatusNotStored").await;
            let message = condition(&status, "Ready").expect("Ready").message.clone();
            assert!(message.contains(&format!("({field})")), "{message}");
            assert_eq!(said(&status, "Stalled"), "True/StatusNotStored");
            let (written, passed) = (status_writes(&t), passes(&t));
            healthy.until_polled(POLLS).await;
            let (writes, passes) = (status_writes(&t) - written, passes(&t) - passed);
            assert!((1..FEW).contains(&passes), "{field}: {passes} passes in {POLLS} polls of another object");
            // At most the plan or the intent, what takes half an intent back, and the words.
            assert!(writes <= 3 * passes, "{field}: {writes} writes in {passes} passes");
            assert_eq!(t.puts(), sent, "{field}");
            assert_eq!(t.status().await.intent, None, "{field}: half an intent is taken back");
            let_through(w, &t.name).await;
            t.until_in_sync(150).await;
            t.assert_never_above(150);
            assert_eq!((t.puts(), t.organization().billed.seats), (1, Some(150)), "{field}");
            assert_eq!(t.status().await.history.len(), 1, "{field}: what was done is recorded in the end");
        }
    });
    futures::future::join_all(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intent_stored_in_part_behind_lost_answer_is_never_sent() {
    needs_control_plane!();
    let p = Proxied::new("half-stored", FAST).await;
    let w = &p.w;
    w.declare("acme", json!({ "managementPolicy": "Observe" })).await;
    w.until_reason("acme", "Ready", "Observed").await;
    take_away(w, "acme", "status.intent.step.seats.limitTo").await;
    p.proxy.arm(Some((Target::first_intent(), Action::DropAnswer)));
    w.edit("acme", json!({ "managementPolicy": "Manage" })).await;
    w.until("acme", "half an intent", |status| status.intent.as_ref().is_some_and(|i| i.target().limit.is_none()))
        .await;
    w.until_reason("acme", "Ready", "StatusNotStored").await;
    assert_eq!(w.puts(), 0, "{}", w.operator.log_tail(20));
    let_through(w, "acme").await;
    w.until_in_sync("acme", 150).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (1, Some(150)));
}
