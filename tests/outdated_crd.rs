//! A CRD that is older than the operator, or gone: nothing is sent to the vendor, nothing is written again and again, object
//! and `/readyz` say why, and the operator goes on by itself once the CRD is there. A CRD belongs to the whole cluster, so
//! these tests have a control plane of their own, and use it one after the other.

use std::process::Command;
use std::time::Duration;

use seatkeeper_support::{ControlPlane, Plane, http_get, needs_control_plane, wait_for};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use vendor_sim::Organization;

use crate::check::check;
use crate::proxied::Proxied;
use crate::stored_objects::stored;
use crate::tenants::fast_but;
use crate::world::{FAST, PATIENCE, World, binary, condition, organization, said};

const REQUESTED: &str = "seatkeeper.dev/reconcile-requested-at";

/// How long each step of the return may take on a busy machine, once the CRD is back.
const RETURN: Duration = Duration::from_secs(20);

/// The shipped CRD without these fields, as an older version was.
fn without(fields: &[&str]) -> Value {
    let mut crd = serde_json::to_value(seatkeeper::api::crd()).expect("JSON");
    for field in fields {
        let (parent, name) = field.rsplit_once('.').expect("a path");
        let pointer = parent.replace("[]", "/items").replace('.', "/properties/");
        let pointer = format!("/spec/versions/0/schema/openAPIV3Schema/properties/{pointer}");
        let schema = crd.pointer_mut(&pointer).unwrap_or_else(|| panic!("the CRD has no {parent}"));
        let removed = schema["properties"].as_object_mut().and_then(|fields| fields.remove(name));
        assert!(removed.is_some(), "the CRD has no {field}");
        if let Some(required) = schema["required"].as_array_mut() {
            required.retain(|required| required != name);
        }
    }
    crd
}

/// A world on the control plane of which the CRD may be changed, and the right to change it.
async fn alone(name: &str, organization: Organization) -> (MutexGuard<'static, ()>, World) {
    static TURN: Mutex<()> = Mutex::const_new(());
    static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
    let turn = TURN.lock().await;
    let plane = PLANE.get_or_init(ControlPlane::start).await;
    // Whatever the test before has left.
    plane.install_chart(&[]).await;
    (turn, World::on_plane(Plane::Shared(plane), name, organization, FAST).await)
}

impl World {
    /// Installs a CRD as Helm does, which then owns its fields.
    async fn install_crd(&self, crd: &Value) {
        let apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=helm", "-f", "-"];
        self.plane.kubectl_in("", &apply, &crd.to_string()).await.ok();
    }

    /// Waits until `/readyz` answers 503 with these words, and returns its sentence.
    async fn until_not_ready(&self, words: &str) -> String {
        let not_ready = async || {
            let reply = http_get(self.operator.address(), "/readyz").await.ok()?;
            (reply.status == 503 && reply.body.contains(words)).then_some(reply.body)
        };
        wait_for(format!("/readyz: {words}\n{}", self.operator.log_tail(20)), PATIENCE, not_ready).await
    }

    /// Status writes of the operator so far.
    fn status_writes(&self) -> usize {
        self.audit().verb("patch").resource("licenseseats").subresource("status").len()
    }

    /// How often the operator has read the object.
    fn readings(&self, name: &str) -> usize {
        self.audit().verb("get").resource("licenseseats").name(name).len()
    }

    /// Asks for so many passes, one after the other.
    async fn ask_for_passes(&self, name: &str, times: usize) {
        for time in 0..times {
            let before = self.readings(name);
            self.annotate_raw(name, REQUESTED, &format!("{before} {time}")).await;
            let another = async || (self.readings(name) > before).then_some(());
            wait_for("another pass", PATIENCE, another).await;
        }
    }
}

/// Reason and message of `Ready`.
fn ready(object: &Value) -> String {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|condition| condition["type"] == "Ready");
    ready.next().map_or_else(String::new, |ready| format!("{}: {}", ready["reason"], ready["message"]))
}

/// Runs the command that a message gives between backticks, with the operator's own binary.
async fn follow_advice(w: &World, message: &str) {
    let command = message.split('`').nth(1).expect("a command in the message");
    let (print, apply) = command.split_once(" | kubectl ").expect("two commands");
    let printed = Command::new(binary()).args(print.split(' ').skip(1)).output().expect("the binary");
    let apply: Vec<&str> = apply.split(' ').collect();
    w.plane.kubectl_in("", &apply, &String::from_utf8_lossy(&printed.stdout)).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn older_crd_stops_reads_purchases_and_writes_until_advice_is_followed() {
    needs_control_plane!();
    let (_turn, mut w) = alone("older", organization()).await;
    assert!(w.operator.stop().await.success());
    w.install_crd(&without(&["status.plan"])).await;
    w.operator = w.another_operator(FAST).await;
    w.until_not_ready("is older than the operator: it lacks status.plan. ").await;
    let asked = [format!("--operator={}", w.operator.address()), "--lease-namespace=seatkeeper-system".into()];
    let (passed, lines) = check(&w.plane.operator_kubeconfig().await, &asked);
    assert!(!passed && lines.len() == 3 && lines[0].starts_with("ok: "), "{lines:?}");
    assert!(lines[1].contains("FAILED: the CRD") && lines[1].contains("it lacks status.plan. "), "{lines:?}");
    assert!(lines[2].contains(" is not ready: the CRD") && lines[2].contains("it lacks status.plan. "), "{lines:?}");
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "Ready", "CRDOutdated").await;
    assert_eq!(said(&status, "Ready"), "False/CRDOutdated");
    assert_eq!(said(&status, "Stalled"), "True/CRDOutdated");
    assert_eq!(status.summary.as_deref(), Some("the CRD is older than the operator"));
    let message = condition(&status, "Ready").expect("Ready").message.clone();
    assert!(message.contains("it lacks status.plan"), "{message}");

    w.ask_for_passes("acme", 10).await;
    assert_eq!((w.status_writes(), w.bitwarden().requests().len()), (1, 0), "{}", w.operator.log_tail(20));

    follow_advice(&w, &message).await;
    w.operator.wait_ready().await;
    w.until_in_sync("acme", 150).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (1, Some(150)));
}

#[tokio::test(flavor = "multi_thread")]
async fn field_lost_from_crd_at_runtime_stops_purchases_until_it_is_back() {
    needs_control_plane!();
    let (_turn, w) = alone("loses", organization()).await;
    w.declare("acme", json!({ "seats": 100 })).await;
    w.until_in_sync("acme", 100).await;
    let whole = without(&[]);
    let lost = [
        "status.intent",
        "status.intent.phase",
        "status.intent.step.seats.limitTo",
        "status.intent.step.addKey",
        "status.history",
        "status.history[].step.removeKey",
        "status.conditions",
        "status.plan.blockedBy",
        "spec.thresholds",
    ];
    for (seats, field) in (110..).step_by(10).zip(lost) {
        w.install_crd(&without(&[field])).await;
        w.until_not_ready(&format!("it lacks {field}. ")).await;
        let before = w.bitwarden().requests().len();
        // Raw, as is the status below: what is left of it may not parse.
        let patch = json!({ "spec": { "seats": seats } }).to_string();
        let edit = ["patch", "licenseseats.seatkeeper.dev", "acme", "--type=merge", "--patch", &patch];
        w.plane.kubectl_in(&w.namespace, &edit, "").await.ok();
        w.ask_for_passes("acme", 3).await;
        if field == "status.conditions" {
            let told = async || {
                w.operator.log().contains("the conditions of the object cannot be written either").then_some(())
            };
            wait_for("it to be logged", PATIENCE, told).await;
        } else {
            let told = format!("it lacks {field}. ");
            let told = async || ready(&stored(&w, "acme").await).contains(&told).then_some(());
            wait_for(format!("{field} to be told"), PATIENCE, told).await;
        }
        assert_eq!(w.bitwarden().requests().len(), before, "{field}: the vendor is left alone");
        w.install_crd(&whole).await;
        w.operator.wait_ready().await;
        w.until_in_sync("acme", seats).await;
    }
    assert_eq!((w.puts(), w.organization().billed.seats), (lost.len(), Some(190)));
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_change_is_not_sent_if_crd_then_turns_out_older() {
    needs_control_plane!();
    let (_turn, w) = alone("meanwhile", organization()).await;
    let p = Proxied::over(w, &fast_but(&["--send-deadline=30s", "--settle-unanswered=40s"])).await;
    let w = &p.w;
    p.hold_first_intent();
    w.declare("acme", json!({})).await;
    p.until_intent_held("acme").await;
    // A field that this change does not touch, so that everything of it is recorded.
    w.install_crd(&without(&["status.billed"])).await;
    w.until_not_ready("it lacks status.billed. ").await;
    p.let_go();
    w.until_reason("acme", "Ready", "CRDOutdated").await;
    assert_eq!(w.puts(), 0, "{}", w.operator.log_tail(20));
    w.install_crd(&without(&[])).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (1, Some(150)));
}

#[tokio::test(flavor = "multi_thread")]
async fn vendor_bought_seats_stay_though_crd_could_not_record_permission() {
    needs_control_plane!();
    // Nothing has to be changed, so no change of this spec is recorded either.
    let (_turn, w) = alone("unrecorded", organization().limit(200)).await;
    w.declare("acme", json!({ "seats": 100, "limit": { "mode": "UpTo", "seats": 200 } })).await;
    w.until_in_sync("acme", 100).await;
    assert!(w.bitwarden().join(&w.key.id, 30));
    w.until_in_sync("acme", 110).await;
    assert_eq!(w.bitwarden().leave(&w.key.id, 30), 30);
    w.install_crd(&without(&["status.satisfiedGeneration"])).await;
    w.until("acme", "the CRD to be told outdated", |status| {
        condition(status, "Stalled").is_some_and(|stalled| stalled.reason == "CRDOutdated")
    })
    .await;
    w.install_crd(&without(&[])).await;
    w.operator.wait_ready().await;
    w.until("acme", "the vendor to be read again", |status| {
        said(status, "Stalled").is_empty() && status.used == Some(80)
    })
    .await;
    w.until_polled(3).await;
    assert_eq!((w.organization().seats, w.puts()), (Some(110), 0), "nobody asked for fewer");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_and_series_vanish_with_deleted_crd_and_return_with_it() {
    needs_control_plane!();
    let (_turn, w) = alone("deleted", organization()).await;
    w.declare("acme", json!({ "interval": "1h" })).await;
    w.until_in_sync("acme", 150).await;
    let of = format!("namespace=\"{}\",name=\"acme\"", w.namespace);
    assert_eq!(w.operator.metric_with("seatkeeper_seats_purchased", &[&of]).await, Some(150.0));

    w.plane.kubectl(&["delete", "crd", "licenseseats.seatkeeper.dev", "--wait"]).await.ok();
    let sentence = w.until_not_ready("waiting for the CRD licenseseats.seatkeeper.dev").await;
    // The object's own next pass is an hour away: only the watch can report the deletion in time.
    let gone = async || (!w.operator.metrics().await.contains("name=\"acme\"")).then_some(());
    wait_for("the series of a deleted object to vanish", Duration::from_secs(10), gone).await;
    assert_eq!(w.operator.try_exit(), None);

    follow_advice(&w, &sentence).await;
    let ready = async || w.operator.is_ready().await.then_some(());
    wait_for("the operator to be ready again", RETURN, ready).await;
    let declared = async || w.try_declare("acme", json!({ "seats": 160 })).await.ok();
    wait_for("the CRD to be served", PATIENCE, declared).await;
    let bought = async || {
        let status = w.status("acme").await;
        (status.seats == Some(160) && said(&status, "Ready") == "True/InSync").then_some(())
    };
    wait_for("160 seats in sync", RETURN, bought).await;
    assert_eq!(w.operator.metric_with("seatkeeper_seats_purchased", &[&of]).await, Some(160.0));
    assert_eq!((w.puts(), w.organization().billed.seats), (2, Some(160)));
}
