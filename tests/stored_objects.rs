//! What another version, a backup or a broken cluster may have left: objects that do not parse, a status from the
//! future, no CRD, no apiserver. Nobody else is held up, nothing is lost, nothing is sent on a guess.

use seatkeeper_support::{ControlPlane, OPERATOR_USER, Operator, http_get, needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind};

use crate::world::{FAST, PATIENCE, World, binary, world};

/// The object as stored, whether or not it parses.
pub async fn stored(w: &World, name: &str) -> Value {
    let get = ["get", "licenseseats.seatkeeper.dev", name, "--output", "json"];
    let json = w.plane.kubectl_in(&w.namespace, &get, "").await.ok();
    serde_json::from_str(&json).expect("JSON")
}

/// Stores an object behind the apiserver's back.
pub async fn store(w: &World, name: &str, object: &Value) {
    let key = format!("/registry/seatkeeper.dev/licenseseats/{}/{name}", w.namespace);
    let bytes = serde_json::to_vec(object).expect("JSON");
    w.plane.etcd_put(&key, &bytes).await;
}

/// The last second of the year 9999, which Kubernetes takes for a time and Rust's libraries may not.
const LAST: &str = "9999-12-31T23:59:59Z";

/// Notes in an object's `managedFields` who changed it when, in a way that only Kubernetes itself can read: whoever may
/// update an object may do that.
pub async fn stain(w: &World, resource: &str, api_version: &str, name: &str) {
    let nested = (0..200).fold(json!({}), |inner, _| json!({ "f:x": inner }));
    let entry = json!({
        "manager": "somebody", "operation": "Update", "apiVersion": api_version, "time": LAST,
        "fieldsType": "FieldsV1", "fieldsV1": { "f:metadata": { "f:annotations": nested } },
    });
    let patch = json!({ "metadata": { "managedFields": [entry] } }).to_string();
    w.plane.kubectl_in(&w.namespace, &["patch", resource, name, "--type=merge", "--patch", &patch], "").await.ok();
    let get = ["get", resource, name, "--show-managed-fields", "--output", "json"];
    let stored = w.plane.kubectl_in(&w.namespace, &get, "").await.ok();
    assert!(stored.contains(LAST), "the apiserver keeps it: {stored}");
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == kind));
    found.unwrap_or(&Value::Null)
}

async fn until_stored(w: &World, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let seen = async || Some(stored(w, name).await).filter(|object| is(object));
    wait_for(format!("{name}: {what}\n{}", w.operator.log_tail(20)), PATIENCE, seen).await
}

#[tokio::test(flavor = "multi_thread")]
async fn unparsable_object_is_reported_blocks_no_other_and_heals_when_corrected() {
    needs_control_plane!();
    let w = world("nonsense").await;
    let observe = json!({ "managementPolicy": "Observe", "limit": { "mode": "UpTo", "seats": 200 } });
    for name in ["product", "limit", "seats", "healthy"] {
        w.declare(name, observe.clone()).await;
        w.until_reason(name, "Ready", "Observed").await;
    }
    let good = stored(&w, "product").await;
    for (name, pointer, value) in [
        ("product", "/spec/vendor/bitwarden/product", json!("Nonsense")),
        ("limit", "/spec/limit/mode", json!("Nonsense")),
        ("seats", "/spec/seats", json!("many")),
    ] {
        let mut object = stored(&w, name).await;
        object["spec"]["vendor"]["bitwarden"]["product"] = json!("PasswordManager");
        *object.pointer_mut(pointer).expect("a field") = value;
        store(&w, name, &object).await;
    }
    for (name, field) in [("product", "spec.vendor.bitwarden.product"), ("limit", "spec.limit.mode")] {
        let told = |object: &Value| condition(object, "Ready")["reason"] == "SpecInvalid";
        let object = until_stored(&w, name, "SpecInvalid", told).await;
        let message = condition(&object, "Ready")["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(field), "{message}");
        assert_eq!(condition(&object, "Stalled")["status"], "True");
    }
    // Where an admission rule cannot even be evaluated, the apiserver takes no status: that is left to the log.
    let logged = async || w.operator.log().contains("pass not finished").then_some(());
    wait_for("the refused status to be logged", PATIENCE, logged).await;
    // The others go on as before, and so do their edits.
    assert!(w.bitwarden().join(&w.key.id, 1));
    w.until("healthy", "the new member", |s| s.used == Some(81)).await;

    store(&w, "product", &good).await;
    w.edit("limit", json!({ "limit": { "mode": "UpTo" } })).await;
    w.edit("seats", json!({ "seats": 160 })).await;
    for name in ["product", "limit", "seats"] {
        w.until_reason(name, "Ready", "Observed").await;
    }
    assert_eq!(w.puts(), 0);
    assert_eq!(w.operator.try_exit(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn object_with_time_only_kubernetes_reads_stops_no_other_and_still_works() {
    needs_control_plane!();
    let mut w = world("year-9999").await;
    let observe = json!({ "managementPolicy": "Observe" });
    w.declare("stained", observe).await;
    w.until_reason("stained", "Ready", "Observed").await;
    stain(&w, "licenseseats.seatkeeper.dev", "seatkeeper.dev/v1alpha1", "stained").await;
    let used = |members: i32| move |object: &Value| object["status"]["used"] == members;
    assert!(w.bitwarden().join(&w.key.id, 1));
    until_stored(&w, "stained", "the new member", used(81)).await;
    // A new process has nothing but the list to begin with.
    w.crash_and_restart(FAST).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    assert!(w.bitwarden().join(&w.key.id, 1));
    until_stored(&w, "stained", "the next member", used(82)).await;
    assert!(!w.operator.log().contains("managedFields"), "no object is logged\n{}", w.operator.log_tail(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_beyond_admission_are_reported_never_bought_and_fixed_by_edit() {
    needs_control_plane!();
    let w = world("too-many").await;
    w.declare("acme", json!({ "seats": 100 })).await;
    w.until_in_sync("acme", 100).await;
    let mut object = stored(&w, "acme").await;
    object["spec"]["seats"] = json!(40_000);
    object["metadata"]["generation"] = json!(2);
    store(&w, "acme", &object).await;
    let status = w.until_reason("acme", "Ready", "SpecInvalid").await;
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    let message = ready.map(|ready| ready.message.as_str()).unwrap_or_default();
    assert!(message.contains("spec.seats is 40000: it must be between 1 and 32767"), "{message}");
    w.edit("acme", json!({ "seats": 120 })).await;
    w.until_in_sync("acme", 120).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (1, Some(120)));
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_status_keeps_its_intent_and_sends_nothing() {
    needs_control_plane!();
    let w = world("future").await;
    let lost = w.bitwarden().inject(Fault::on_put(FaultKind::Drop { apply: false }));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(lost, 1).await);
    w.until_reason("acme", "ChangePending", "OutcomeUnknown").await;
    let mut object = stored(&w, "acme").await;
    object["status"]["intent"]["phase"] = json!("Future");
    object["status"]["intent"]["more"] = json!({ "of": "it" });
    store(&w, "acme", &object).await;
    let told = |object: &Value| condition(object, "Ready")["reason"] == "SpecInvalid";
    let now = until_stored(&w, "acme", "the status to be told unreadable", told).await;
    let message = condition(&now, "Ready")["message"].as_str().unwrap_or_default();
    assert!(message.contains("status.intent.phase"), "{message}");
    assert_eq!(now["status"]["intent"]["phase"], "Future");
    assert_eq!(now["status"]["intent"]["id"], object["status"]["intent"]["id"]);

    // A second later, so that a time stamp made anew would differ.
    let told_at = condition(&now, "Ready")["lastTransitionTime"].as_str().unwrap_or_default().to_owned();
    let later = async || {
        (jiff::Timestamp::now().as_second() > told_at.parse::<jiff::Timestamp>().ok()?.as_second()).then_some(())
    };
    wait_for("the clock to move on", PATIENCE, later).await;
    // Looked at again and again, it is neither touched nor written anew.
    let passes = async || w.operator.metric(r#"seatkeeper_reconciles_total{outcome="fault"}"#).await;
    for time in ["2026-10-01T08:00:00Z", "2026-10-01T08:00:01Z", "2026-10-01T08:00:02Z"] {
        let before = passes().await;
        w.annotate_raw("acme", "seatkeeper.dev/reconcile-requested-at", time).await;
        wait_for("another pass", PATIENCE, async || (passes().await > before).then_some(())).await;
    }
    let later = stored(&w, "acme").await;
    assert_eq!(later["status"]["conditions"], now["status"]["conditions"]);
    assert_eq!(later["status"]["intent"], now["status"]["intent"]);
    assert_eq!(w.puts(), 1);
    let writes = w.audit().verb("patch").resource("licenseseats").subresource("status").len();
    assert!(writes <= 5, "plan, intent, doubt, unreadable: {writes} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_apiserver_and_missing_crd_are_reported_and_awaited() {
    needs_control_plane!();
    let plane = ControlPlane::start().await;
    plane.install_chart(&[]).await;
    let kubeconfig = plane.operator_kubeconfig().await;
    let delete = ["delete", "crd", "licenseseats.seatkeeper.dev", "--wait"];
    plane.kubectl(&delete).await.ok();
    plane.stop_apiserver();
    let operator = Operator::start_as(&kubeconfig, binary(), "", FAST);
    let until = async |path: &str, status: u16, part: &str| {
        let answer = async || {
            let reply = http_get(operator.address(), path).await.ok()?;
            (reply.status == status && reply.body.contains(part)).then_some(())
        };
        wait_for(format!("{path}: {part}\n{}", operator.log_tail(20)), PATIENCE, answer).await;
    };
    until("/readyz", 503, "waiting for the apiserver").await;
    until("/livez", 200, "ok").await;
    plane.start_apiserver().await;
    until("/readyz", 503, "waiting for the CRD licenseseats.seatkeeper.dev: install it with").await;
    plane.install_chart(&[]).await;
    operator.wait_ready().await;
    for part in ["waiting for the apiserver", "waiting for the CRD"] {
        let said = operator.log().matches(part).count();
        assert!((1..=3).contains(&said), "{part:?} is said {said} times, not once and not every time");
    }
    // Discovery may be refused for a moment after the start of an apiserver, before it knows its roles.
    let refused = plane.audit().user(OPERATOR_USER).code(403);
    let refused = refused.only(|event| !event.resource.is_empty());
    assert!(refused.is_empty(), "its rights suffice: {:?}", refused.events());
    assert!(operator.stop().await.success());
}
