//! State from elsewhere: objects restored from a backup with their old status, a status that somebody wiped, and 200
//! that are mutilated. Whatever the record says, nothing is bought twice, and it ends in order or with a told reason.

use seatkeeper::api::{LicenseSeats, LicenseSeatsStatus};
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind};

use crate::tenants::{Tenant, fast_but};
use crate::world::{FAST, PATIENCE, World, organization, said};

const PHASES: [&str; 6] = ["Open", "Answered", "Unanswered", "Settling", "Rejected", "NeedsReview"];
const FOR_EVER: u64 = 3_600_000;

impl Tenant<'_> {
    /// Writes the status as an administrator would: merge-patches it; null takes away.
    pub async fn patch_status(&self, status: &Value) -> kube::Result<LicenseSeats> {
        let patch = kube::api::Patch::Merge(json!({ "status": status }));
        self.world.seats().patch_status(&self.name, &Default::default(), &patch).await
    }

    /// Deletes the object and restores it: same name and spec, new uid, this status.
    pub async fn restore(&self, spec: Value, status: &Value) {
        self.world.seats().delete(&self.name, &Default::default()).await.expect("delete");
        self.declare(spec).await;
        self.patch_status(status).await.expect("the old status is admitted");
    }

    /// It ends: no intent whose outcome is awaited, and either in order or with one of the reasons that ask a person.
    pub async fn until_resolved(&self) -> LicenseSeatsStatus {
        self.until("an end", |status| {
            let told =
                ["True/InSync", "False/NeedsReview", "False/VendorRejected", "False/SpecInvalid", "False/Conflict"];
            status.intent.as_ref().is_none_or(|intent| !intent.is_open())
                && told.contains(&said(status, "Ready").as_str())
                && said(status, "Reconciling").is_empty()
        })
        .await
    }
}

/// An intent of 100 to 150 as a backup holds it.
fn intent(account: &str, phase: &str) -> Value {
    json!({
        "id": "0123456789ab", "objectUid": "11111111-2222-3333-4444-555555555555", "generation": 7, "account": account,
        "from": 100, "to": 150, "limitFrom": 100, "limitTo": 150, "used": 80, "attempt": 1, "reason": "SpecDiffers",
        "phase": phase, "time": "2026-10-01T08:00:00Z",
    })
}

fn change(account: &str, from: i32, to: i32, time: &str) -> Value {
    json!({
        "id": format!("{from}-{to}"), "account": account, "from": from, "to": to, "limitFrom": from, "limitTo": to,
        "generation": 1, "attempt": 1, "reason": "SpecDiffers", "time": time,
    })
}

fn account(tenant: &Tenant<'_>) -> String {
    format!("{}/{}", tenant.world.vendor.host(), tenant.key.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn object_restored_with_open_change_buys_nothing_twice() {
    needs_control_plane!();
    let w = World::with("restored", organization(), FAST).await;
    w.needs_many_tokens();
    let case = async |phase: &str, shown: i32| {
        let tenant = w.tenant(&format!("{phase} and {shown}"), organization()).await;
        tenant.declare(json!({ "seats": 100 })).await;
        tenant.until_in_sync(100).await;
        if shown != 100 {
            w.bitwarden().set_limit(&tenant.key.id, Some(shown)).expect("a third party raises the limit");
            w.bitwarden().set_seats(&tenant.key.id, shown).expect("a third party buys");
        }
        let old = json!({ "intent": intent(&account(&tenant), phase) });
        // Suspended until the whole of the backup is back, as a careful person restores.
        tenant.restore(json!({ "suspend": true }), &old).await;
        let edited = w.edit(&tenant.name, json!({ "suspend": null })).await.metadata.generation.unwrap_or_default();
        tenant.until("the edit handled", |status| status.observed_generation == edited).await;
        let status = tenant.until_resolved().await;
        tenant.assert_never_above(150);
        // An edit by a person ends a review; restoring counts as one where the generations differ.
        let in_doubt = ["Open", "Answered", "Unanswered"].contains(&phase);
        let (puts, ready) = match shown {
            100 => (1, "True/InSync"),
            120 if in_doubt => (0, "False/NeedsReview"),
            120 => (1, "True/InSync"),
            _ => (0, "True/InSync"),
        };
        assert_eq!((tenant.puts(), said(&status, "Ready").as_str()), (puts, ready), "{}", tenant.name);
        tenant.until_polled(2).await;
        assert_eq!(tenant.puts(), puts, "{}: silent", tenant.name);
    };
    let cases = PHASES.iter().flat_map(|phase| [100, 120, 150].map(|shown| case(phase, shown)));
    futures::future::join_all(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn object_restored_with_old_history_follows_vendor_numbers() {
    needs_control_plane!();
    let w = World::with("old-history", organization(), FAST).await;
    let case = async |name: &str, time: &str, steps: &[(i32, i32)]| {
        let tenant = w.tenant(name, organization()).await;
        tenant.declare(json!({ "seats": 100 })).await;
        tenant.until_in_sync(100).await;
        let history: Vec<Value> = steps.iter().map(|(from, to)| change(&account(&tenant), *from, *to, time)).collect();
        tenant.restore(json!({}), &json!({ "history": history })).await;
        let status = tenant.until_resolved().await;
        assert_eq!((status.seats, said(&status, "Ready").as_str()), (Some(150), "True/InSync"), "{name}");
        tenant.until_polled(2).await;
        assert_eq!((tenant.puts(), tenant.organization().billed.seats), (1, Some(150)), "{name}");
        tenant.assert_never_above(150);
    };
    let now = jiff::Timestamp::now().to_string();
    futures::join!(
        case("years ago", "2020-01-01T00:00:00Z", &[(90, 150), (80, 90)]),
        case("taken back", &now, &[(100, 150)]),
        case("drifted", &now, &[(80, 130)]),
        case("in the future", "2099-01-01T00:00:00Z", &[(100, 150), (150, 100)]),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn status_wiped_at_rest_is_written_anew_and_nothing_is_bought() {
    needs_control_plane!();
    let w = World::with("wiped-at-rest", organization(), FAST).await;
    let case = async |name: &str, wipe: Value| {
        let tenant = w.tenant(name, organization()).await;
        tenant.declare(json!({})).await;
        tenant.until_in_sync(150).await;
        tenant.patch_status(&wipe).await.expect("a status may be wiped");
        tenant.until_polled(2).await;
        tenant.until_in_sync(150).await;
        w.edit(&tenant.name, json!({ "seats": 160 })).await;
        tenant.until_in_sync(160).await;
        assert_eq!((tenant.puts(), tenant.organization().billed.seats), (2, Some(160)), "{name}");
        tenant.assert_never_above(160);
    };
    futures::join!(
        case("whole", Value::Null),
        case("history alone", json!({ "history": null })),
        case("plan alone", json!({ "plan": null })),
        case("conditions alone", json!({ "conditions": null })),
        case("numbers alone", json!({ "seats": null, "used": null, "account": null, "observedGeneration": -1 })),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn status_wiped_while_purchase_may_be_in_flight_starts_no_other_purchase() {
    needs_control_plane!();
    // The vendor turns the total into a difference between two reads: a second request in between would add up.
    let w = World::with("wiped", organization(), &fast_but(&["--settle-unanswered=12s"])).await;
    let case = async |name: &str, wipe: Option<Value>| {
        let tenant = w.tenant(name, organization().limit(None)).await;
        let paused = tenant.inject(Fault::on_put(FaultKind::PauseBetweenReads { ms: FOR_EVER }));
        let spec = json!({ "limit": { "mode": "UpTo", "seats": 300 } });
        tenant.declare(spec.clone()).await;
        w.until_hung_up(&tenant.key).await;
        tenant.until("a doubt", |s| s.intent.is_some() && said(s, "Ready") == "Unknown/OutcomeUnknown").await;
        match wipe {
            Some(wipe) => drop(tenant.patch_status(&wipe).await.expect("a status may be wiped")),
            None => tenant.restore(spec, &json!({ "observedGeneration": -1 })).await,
        }
        tenant.until_polled(3).await;
        assert_eq!(tenant.puts(), 1, "{name}: {}", w.operator.log_tail(20));
        w.bitwarden().release(paused);
        tenant.until_in_sync(150).await;
        tenant.until_polled(2).await;
        assert_eq!((tenant.puts(), tenant.organization().billed.seats), (1, Some(150)), "{name}");
        tenant.assert_never_above(150);
    };
    futures::join!(
        case("whole", Some(Value::Null)),
        case("intent alone", Some(json!({ "intent": null }))),
        case("history and plan", Some(json!({ "history": null, "plan": null }))),
        case("by deleting and creating", None),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn status_of_older_or_newer_version_is_read_as_written() {
    needs_control_plane!();
    let w = World::with("versions", organization(), FAST).await;
    let tenant = w.tenant("older and newer", organization()).await;
    tenant.declare(json!({})).await;
    tenant.until_in_sync(150).await;
    // An older version knew fewer fields.
    let old = json!({
        "effective": null, "limited": null, "usedIsLowerBound": null, "account": null, "free": null, "summary": null,
        "history": null, "desired": null,
    });
    tenant.patch_status(&old).await.expect("the old status is admitted");
    tenant.until("the newer fields", |s| s.free == Some(70) && s.limited == Some(true) && s.account.is_some()).await;
    // A newer one may know more: unknown fields are nobody's business, also inside an open intent.
    let key = format!("/registry/seatkeeper.dev/licenseseats/{}/{}", w.namespace, tenant.name);
    let get = ["get", "licenseseats.seatkeeper.dev", &tenant.name, "--output", "json"];
    let text = w.plane.kubectl_in(&w.namespace, &get, "").await.ok();
    let mut object: Value = serde_json::from_str(&text).expect("JSON");
    object["status"]["more"] = json!({ "of": "it" });
    object["status"]["intent"] = intent(&account(&tenant), "Unanswered");
    object["status"]["intent"]["more"] = json!(["of", "it"]);
    w.plane.etcd_put(&key, &serde_json::to_vec(&object).expect("JSON")).await;
    let known = async || tenant.status().await.history.iter().any(|c| c.id == "0123456789ab").then_some(());
    wait_for("the newer version's change to be recognized", PATIENCE, known).await;
    tenant.until("nothing open", |s| s.intent.is_none() && said(s, "Ready") == "True/InSync").await;
    assert_eq!((tenant.puts(), tenant.organization().billed.seats), (1, Some(150)));
}
