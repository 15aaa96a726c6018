//! Two clusters with the same object: who only watches, how the account is handed over, and what is told of one that a second
//! Seatkeeper changes as well. A cluster is an installation here: an operator with a name, a namespace and a Lease of its own.

use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use seatkeeper::api::{ActivityState, LicenseSeats, LicenseSeatsStatus, SECRET_TYPE};
use seatkeeper_support::{Operator, needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind};

use crate::tenants::{Tenant, fast_but};
use crate::world::{FAST, PATIENCE, World, condition, object_in, organization, said, world};

const FOR_EVER: u64 = 3_600_000;

/// The other cluster, `prod-us`.
struct Us {
    seats: Api<LicenseSeats>,
    operator: Operator,
}

/// The cluster of the world's own operator.
async fn prod_eu(name: &str) -> World {
    World::with(name, organization(), &fast_but(&["--cluster-name=prod-eu"])).await
}

impl World {
    /// The other cluster, with the same Secret and this object.
    async fn prod_us(&self, spec: Value) -> Us {
        let namespace = self.plane.namespace("prod-us").await;
        let operator = self.another_installation_with(&namespace, &fast_but(&["--cluster-name=prod-us"])).await;
        operator.wait_ready().await;
        let secrets: Api<k8s_openapi::api::core::v1::Secret> = Api::namespaced(self.plane.admin(), &namespace);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": SECRET_TYPE, "metadata": { "name": "key" },
            "stringData": self.credentials(&self.key),
        });
        let secret = serde_json::from_value(secret).expect("a Secret");
        secrets.create(&PostParams::default(), &secret).await.expect("create the Secret");
        let seats: Api<LicenseSeats> = Api::namespaced(self.plane.admin(), &namespace);
        let object = serde_json::from_value(object_in(&namespace, "acme", spec)).expect("an object");
        seats.create(&PostParams::default(), &object).await.expect("the object is admitted");
        Us { seats, operator }
    }

    fn assert_bought_once(&self, seats: i32) {
        Tenant { world: self, name: "acme".into(), key: self.key.clone() }.assert_never_above(seats);
        assert_eq!((self.organization().seats, self.organization().billed.seats), (Some(seats), Some(seats)));
    }

    /// The commit that both clusters apply.
    async fn commit(&self, us: &Us, spec: Value) {
        self.edit("acme", spec.clone()).await;
        us.edit(spec).await;
    }

    /// As the hand-over waits for it.
    async fn until_standby(&self, active: &str) -> LicenseSeatsStatus {
        let summary = format!("standby for {active}");
        self.until("acme", &summary, |status| {
            let at_rest = said(status, "Ready") == "True/Standby";
            at_rest && status.summary.as_deref().is_some_and(|said| said.starts_with(&summary))
        })
        .await
    }
}

impl Us {
    async fn edit(&self, spec: Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.seats.patch("acme", &PatchParams::default(), &patch).await.expect("the edit is admitted");
    }

    async fn until(&self, what: &str, is: impl Fn(&LicenseSeatsStatus) -> bool) -> LicenseSeatsStatus {
        let seen = async || {
            let status = self.seats.get("acme").await.expect("the object").status.unwrap_or_default();
            is(&status).then_some(status)
        };
        match tokio::time::timeout(PATIENCE, wait_for(what, PATIENCE * 2, seen)).await {
            Ok(status) => status,
            Err(_) => {
                panic!("waited {PATIENCE:?} for {what}, which did not happen\n{}", self.operator.log_tail(40))
            }
        }
    }

    async fn until_said(&self, kind: &str, what: &str) -> LicenseSeatsStatus {
        self.until(&format!("{kind} {what}"), |status| said(status, kind) == what).await
    }

    async fn until_in_sync(&self, seats: i32) -> LicenseSeatsStatus {
        self.until("in sync", |status| status.seats == Some(seats) && said(status, "Ready") == "True/InSync").await
    }

    /// The wait before its first change is over.
    async fn until_active(&self) -> LicenseSeatsStatus {
        let active = |status: &LicenseSeatsStatus| state(status) == Some(ActivityState::Active);
        self.until("active", active).await
    }
}

fn state(status: &LicenseSeatsStatus) -> Option<ActivityState> {
    status.activity.as_ref().map(|activity| activity.state)
}

fn message(status: &LicenseSeatsStatus, kind: &str) -> String {
    condition(status, kind).map_or_else(String::new, |condition| condition.message.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn account_is_handed_over_in_two_commits_and_each_change_is_made_once() {
    needs_control_plane!();
    let w = prod_eu("hand-over").await;
    let eu = w.declare("acme", json!({ "activeCluster": "prod-eu" })).await;
    assert_eq!(eu.spec.active_cluster.as_deref(), Some("prod-eu"));
    let us = w.prod_us(json!({ "activeCluster": "prod-eu" })).await;
    let watched = us.until_said("Ready", "True/Standby").await;
    assert!(watched.summary.is_some_and(|said| said.starts_with("standby for prod-eu")));
    let waiting = w.until_reason("acme", "ChangePending", "Activating").await;
    assert_eq!(said(&waiting, "ChangePending"), "True/Activating");
    let until = waiting.activity.as_ref().and_then(|activity| activity.until.clone()).expect("it says until when");
    let words = until.0.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    assert!(message(&waiting, "Ready").contains(&words), "{}", message(&waiting, "Ready"));
    w.until_in_sync("acme", 150).await;

    w.commit(&us, json!({ "activeCluster": "none", "seats": 160 })).await;
    let standby = w.until_standby("none").await;
    assert_eq!((standby.plan, standby.intent), (None, None));
    w.until_polled(3).await;
    assert_eq!(w.puts(), 1, "no cluster is active");

    w.commit(&us, json!({ "activeCluster": "prod-us" })).await;
    us.until_in_sync(160).await;
    w.until_standby("prod-us").await;
    us.until_active().await;
    w.until_polled(3).await;
    assert_eq!(w.puts(), 2);
    w.assert_bought_once(160);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_side_killed_with_request_in_flight_and_new_side_buy_only_once() {
    needs_control_plane!();
    let w = prod_eu("killed").await;
    w.declare("acme", json!({ "activeCluster": "prod-eu", "seats": 100 })).await;
    w.until("acme", "active", |status| state(status) == Some(ActivityState::Active)).await;
    let us = w.prod_us(json!({ "activeCluster": "prod-eu", "seats": 100 })).await;
    us.until_said("Ready", "True/Standby").await;
    let paused = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: FOR_EVER }));
    w.edit("acme", json!({ "seats": 150 })).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.operator.signal("KILL");
    w.operator.wait_exit(PATIENCE).await.expect("a killed process ends");
    // One commit, in an emergency: the old side cannot say that it stands by.
    us.edit(json!({ "activeCluster": "prod-us", "seats": 150 })).await;
    us.until_said("ChangePending", "True/Activating").await;
    assert_eq!(w.puts(), 1, "the new side waits");
    w.bitwarden().release(paused);
    us.until_in_sync(150).await;
    us.until_active().await;
    w.until_polled(3).await;
    assert_eq!(w.puts(), 1);
    w.assert_bought_once(150);
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_side_reports_open_change_and_repeats_nothing() {
    needs_control_plane!();
    let w = prod_eu("open-change").await;
    w.declare("acme", json!({ "activeCluster": "prod-eu", "seats": 100 })).await;
    w.until("acme", "active", |status| state(status) == Some(ActivityState::Active)).await;
    let lost = w.bitwarden().inject(Fault::on_put(FaultKind::Drop { apply: false }));
    w.edit("acme", json!({ "seats": 150 })).await;
    assert!(w.bitwarden().wait_fired(lost, 1).await);
    w.edit("acme", json!({ "activeCluster": "none" })).await;
    let open = |status: &LicenseSeatsStatus| {
        let summary = status.summary.as_deref().unwrap_or_default();
        summary == "standby for none; outcome unknown"
    };
    let open = w.until("acme", "an open change", open).await;
    assert_eq!(said(&open, "Ready"), "Unknown/OutcomeUnknown");
    assert!(message(&open, "Ready").contains("make no other cluster active"), "{}", message(&open, "Ready"));
    w.until_standby("none").await;
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().seats), (1, Some(100)), "nothing is sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_side_that_misses_commit_is_noticed_and_each_change_is_made_once() {
    needs_control_plane!();
    let w = prod_eu("unseen").await;
    w.declare("acme", json!({ "activeCluster": "prod-eu", "seats": 100 })).await;
    w.until("acme", "active", |status| state(status) == Some(ActivityState::Active)).await;
    let us = w.prod_us(json!({ "activeCluster": "prod-us" })).await;
    us.until_said("ChangePending", "True/Activating").await;
    // The old side gets the new number, and not that it is active no more.
    w.edit("acme", json!({ "seats": 150 })).await;
    w.until_in_sync("acme", 150).await;
    let noticed = us.until_said("Drifted", "True/AnotherSeatkeeper").await;
    assert_eq!(said(&noticed, "Ready"), "True/InSync");
    let words = message(&noticed, "Drifted");
    assert!(words.contains("perhaps by another Seatkeeper") && words.contains("spec.activeCluster"), "{words}");
    us.until_active().await;
    assert_eq!(w.puts(), 1);
    w.assert_bought_once(150);
    // What the old side does next is not fought.
    w.edit("acme", json!({ "seats": 140 })).await;
    w.until_in_sync("acme", 140).await;
    let stopped = us.until_said("Ready", "False/NeedsReview").await;
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().seats), (2, Some(140)));
    let id = stopped.intent.clone().expect("the question is recorded").id;
    assert!(message(&stopped, "Ready").contains(&id), "{}", message(&stopped, "Ready"));
    // The administrator decides: the old side stands by at last.
    w.edit("acme", json!({ "activeCluster": "prod-us", "seats": 150 })).await;
    w.until_standby("prod-us").await;
    let confirm = Patch::Merge(json!({ "metadata": { "annotations": { "seatkeeper.dev/confirm": id } } }));
    us.seats.patch("acme", &PatchParams::default(), &confirm).await.expect("annotate");
    us.until_in_sync(150).await;
    assert_eq!(w.puts(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_without_a_name_refuses_a_spec_that_names_the_active_cluster() {
    needs_control_plane!();
    let w = world("nameless").await;
    w.declare("acme", json!({ "activeCluster": "prod-eu" })).await;
    let status = w.until_reason("acme", "Ready", "SpecInvalid").await;
    let words = message(&status, "Ready");
    assert!(words.contains("--cluster-name") && words.contains("spec.activeCluster is prod-eu"), "{words}");
    assert_eq!(w.puts(), 0);
    w.edit("acme", json!({ "activeCluster": null })).await;
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_object_owns_no_pool() {
    needs_control_plane!();
    let w = prod_eu("claims-nothing").await;
    w.declare("older", json!({ "activeCluster": "prod-us" })).await;
    w.until_reason("older", "Ready", "Standby").await;
    w.until_the_next_second("older").await;
    w.declare("younger", json!({})).await;
    w.until_in_sync("younger", 150).await;
    assert_eq!(w.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wiped_or_foreign_cluster_status_waits_before_next_change() {
    needs_control_plane!();
    let flags = fast_but(&["--cluster-name=prod-eu", "--settle-unanswered=8s"]);
    let w = World::with("wiped-activity", organization(), &flags).await;
    let wish = |seats: i32| json!({ "seats": seats, "activeCluster": "prod-eu" });
    w.declare("acme", wish(100)).await;
    let active = |status: &LicenseSeatsStatus| state(status) == Some(ActivityState::Active);
    let known = w.until("acme", "active", active).await.activity.expect("the record");
    let foreign = [
        Value::Null,
        json!({ "activity": { "state": "Active", "cluster": "prod-us", "uid": known.uid, "since": known.since } }),
        json!({ "activity": { "state": "Active", "cluster": "prod-eu", "uid": "another", "since": known.since } }),
    ];
    for (i, status) in foreign.into_iter().enumerate() {
        let seats = 110 + 10 * i32::try_from(i).expect("small");
        let patch = Patch::Merge(json!({ "status": status }));
        w.seats().patch_status("acme", &PatchParams::default(), &patch).await.expect("a status may be written");
        w.edit("acme", wish(seats)).await;
        let status = w.until_reason("acme", "ChangePending", "Activating").await;
        assert_eq!((said(&status, "Ready").as_str(), w.puts()), ("False/Progressing", i), "{i}");
        w.until_in_sync("acme", seats).await;
        w.until("acme", "active", active).await;
        assert_eq!(w.puts(), i + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_spec_of_other_cluster_is_waited_out_once_it_names_this_again() {
    needs_control_plane!();
    let flags = fast_but(&["--cluster-name=prod-eu", "--settle-unanswered=8s"]);
    let w = World::with("unchecked-activity", organization(), &flags).await;
    w.declare("acme", json!({ "seats": 100, "activeCluster": "prod-eu" })).await;
    let active = |status: &LicenseSeatsStatus| state(status) == Some(ActivityState::Active);
    w.until("acme", "active", active).await;
    let never = json!({ "name": "never", "cron": { "schedule": "0 0 30 2 *", "timeZone": "UTC", "duration": "1h" } });
    let unusable = json!({ "increase": { "mode": "InWindow" }, "windows": [never] });
    w.edit("acme", json!({ "activeCluster": "prod-us", "adjustment": unusable })).await;
    let status = w.until_reason("acme", "Ready", "SpecInvalid").await;
    assert_eq!(state(&status), Some(ActivityState::Standby));
    w.edit("acme", json!({ "activeCluster": "prod-eu", "adjustment": null, "seats": 150 })).await;
    w.until_reason("acme", "ChangePending", "Activating").await;
    assert_eq!(w.puts(), 0);
    w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_of_an_object_that_is_active_on_record_waits_for_nothing() {
    needs_control_plane!();
    let flags = fast_but(&["--cluster-name=prod-eu", "--settle-unanswered=20s"]);
    let mut w = World::with("active-restart", organization(), FAST).await;
    w.crash_and_restart(&flags).await;
    w.declare("acme", json!({ "activeCluster": "prod-eu", "seats": 100 })).await;
    let active = |status: &LicenseSeatsStatus| state(status) == Some(ActivityState::Active);
    w.until("acme", "active", active).await;
    w.crash_and_restart(&flags).await;
    w.edit("acme", json!({ "seats": 150 })).await;
    let status = w.until("acme", "a change", |status| status.seats == Some(150)).await;
    assert_eq!((state(&status), w.puts()), (Some(ActivityState::Active), 1));
}
