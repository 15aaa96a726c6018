//! A day with the operator: at rest, asked, suspended, observing, stopped, and wrongly started.

use std::time::Duration;

use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper::api::{IntentPhase, ManagementPolicy};
use seatkeeper_support::{
    OPERATOR_USER, Operator, SYSTEM_NAMESPACE, http_get, http_get_as, needs_control_plane, wait_for,
};
use serde_json::json;
use vendor_sim::{Fault, FaultKind, Role};

use crate::bad_answers::throttled;
use crate::tenants::fast_but;
use crate::world::{FAST, PATIENCE, World, binary, organization, said, world};

const FOR_EVER: u64 = 3_600_000;
const REQUESTED: &str = "seatkeeper.dev/reconcile-requested-at";
const FLUX: &str = "reconcile.fluxcd.io/requestedAt";

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_nothing_is_written_and_a_secret_is_only_ever_read_by_its_name() {
    needs_control_plane!();
    // A control plane of its own: whatever the operator writes, anywhere, is in its audit log.
    let w = World::over_all_namespaces("rest", organization(), FAST).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    // The event of the purchase comes last.
    let told = async || (!w.events().await.is_empty()).then_some(());
    wait_for("the purchase to be told", PATIENCE, told).await;
    let mark = w.plane.audit_mark();
    w.until_polled(20).await;
    let wrote = w.wrote_since(mark);
    assert!(wrote.is_empty(), "{:?}", wrote.events());
    assert_eq!(w.vendor_writes(), 1, "the purchase");
    let audit = w.plane.audit_since(mark);
    assert!(audit.user(OPERATOR_USER).namespace(&w.namespace).len() >= 40, "object and Secret are read each time");
    let secrets = w.audit().resource("secrets");
    assert!(secrets.len() > 20);
    let by_name = secrets.count(|event| event.verb == "get" && event.name == "key");
    assert_eq!(by_name, secrets.len(), "{:?}", secrets.events());
    assert_eq!(w.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_nothing_is_written_with_an_owners_key_alone_or_beside_another() {
    needs_control_plane!();
    let w = World::over_all_namespaces("owner-rest", organization(), FAST).await;
    let (alone, both) = (w.tenant("alone", organization()).await, w.tenant("both", organization()).await);
    let owners = [alone.person(Role::Owner).await, both.person(Role::Owner).await];
    w.declare("alone", alone.alone(json!({}))).await;
    w.declare("both", both.both(json!({}))).await;
    for t in [&alone, &both] {
        t.until_in_sync(150).await;
    }
    // The events of both purchases come last.
    w.until_told("SeatsIncreased", 2).await;
    for t in [&alone, &both] {
        t.until_polled(1).await;
    }
    assert_eq!((alone.owner_requests("POST"), both.puts(), w.vendor_writes()), (1, 1, 2), "the purchases");
    let signed_in = || owners.each_ref().map(|owner| w.bitwarden().find_user(&owner.user_id).map(|user| user.logins));
    let (mark, logins, tokens) = (w.plane.audit_mark(), signed_in(), w.bitwarden().token_requests());
    for t in [&alone, &both] {
        t.until_polled(10).await;
    }
    let wrote = w.wrote_since(mark);
    assert!(wrote.is_empty(), "{:?}", wrote.events());
    assert_eq!((w.vendor_writes(), w.bitwarden().token_requests(), signed_in()), (2, tokens, logins));
}

#[tokio::test(flavor = "multi_thread")]
async fn term_ends_an_idle_operator_with_success() {
    needs_control_plane!();
    let w = world("term").await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    assert!(w.operator.stop().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn term_during_a_purchase_leaves_it_open_and_the_next_start_resolves_it() {
    needs_control_plane!();
    let slow = fast_but(&["--write-timeout=60s", "--settle-unanswered=65s", "--shutdown-grace=1s"]);
    let mut w = World::with("term-purchase", organization(), &slow).await;
    let paused = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: FOR_EVER }));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    assert!(w.operator.stop().await.success());
    let intent = w.status("acme").await.intent.expect("the intent stays open");
    assert_eq!((intent.phase, intent.base().seats, intent.target().seats), (IntentPhase::Open, 100, 150));
    w.start_operator(FAST).await;
    w.until_reason("acme", "ChangePending", "OutcomeUnknown").await;
    w.bitwarden().release(paused);
    w.until_in_sync("acme", 150).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (1, Some(150)));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_process_within_ten_seconds_however_long_purchase_hangs() {
    needs_control_plane!();
    // With the grace period as shipped.
    let slow = fast_but(&["--write-timeout=60s", "--settle-unanswered=65s"]);
    let w = World::with("term-stuck", organization(), &slow).await;
    let paused = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: FOR_EVER }));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.operator.signal("TERM");
    let exit = w.operator.wait_exit(Duration::from_secs(10)).await;
    assert!(exit.is_some_and(|exit| exit.success()), "{exit:?}\n{}", w.operator.log_tail(20));
    assert!(w.operator.log().contains("not finished within the grace period"), "{}", w.operator.log_tail(20));
    assert!(w.status("acme").await.intent.is_some(), "it is left for the next start");
}

#[tokio::test(flavor = "multi_thread")]
async fn term_lets_a_purchase_that_is_answered_in_time_be_recorded() {
    needs_control_plane!();
    let w = world("term-grace").await;
    let paused = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: FOR_EVER }));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(paused, 1).await);
    w.operator.signal("TERM");
    let told = async || w.operator.log().contains("stopping").then_some(());
    wait_for("the operator to begin stopping", PATIENCE, told).await;
    w.bitwarden().release(paused);
    let exit = w.operator.wait_exit(PATIENCE).await.expect("it ends");
    assert!(exit.success(), "{exit}");
    let status = w.status("acme").await;
    assert_eq!((status.intent, status.history.len()), (None, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn reconcile_request_is_handled_now_despite_long_interval() {
    needs_control_plane!();
    let w = world("requested").await;
    w.declare("acme", json!({ "interval": "24h", "seats": 100 })).await;
    w.until_in_sync("acme", 100).await;
    for (members, key, value) in [
        (81, REQUESTED, "2026-10-01T08:00:00Z"),
        (82, REQUESTED, "2026-10-01T08:00:01Z"),
        (83, FLUX, "2026-10-01T10:00:02.123+02:00"),
        (84, REQUESTED, "2026-10-01T08:00:03Z"),
        (85, FLUX, "2026-10-01T08:00:01Z"),
        (86, REQUESTED, "Thu Oct  1 10:00:05 CEST 2026"),
    ] {
        assert!(w.bitwarden().join(&w.key.id, 1));
        w.annotate("acme", key, value).await;
        let status = w.until("acme", format!("{value} to be handled"), |s| s.used == Some(members)).await;
        assert_eq!(status.last_handled_reconcile_at.as_deref(), Some(value));
    }
    assert_eq!(w.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_change_is_sent_again_by_own_annotation_and_not_by_flux() {
    needs_control_plane!();
    let w = world("refused-flux").await;
    let refuses = w.bitwarden().inject(Fault::on_put(FaultKind::FailBeforeBilling).for_ever());
    w.declare("acme", json!({})).await;
    w.until_reason("acme", "Ready", "VendorRejected").await;
    assert_eq!(w.puts(), 2, "the change and its repeat");
    // From now on the vendor would make it.
    w.bitwarden().clear_fault(refuses);
    for value in ["2026-10-01T08:00:00Z", "2026-10-01T08:00:01Z"] {
        w.annotate("acme", FLUX, value).await;
        let handled = |s: &LicenseSeatsStatus| s.last_handled_reconcile_at.as_deref() == Some(value);
        let status = w.until("acme", format!("{value} to be handled"), handled).await;
        assert_eq!(said(&status, "Ready"), "False/VendorRejected");
        w.until_polled(3).await;
        assert_eq!(w.puts(), 2, "Flux asks for a reading");
    }
    w.annotate("acme", REQUESTED, "2026-10-01T08:00:02Z").await;
    w.until_in_sync("acme", 150).await;
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (3, Some(150)));
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_and_observed_objects_are_read_and_never_written_to_vendor() {
    needs_control_plane!();
    let w = world("suspend").await;
    w.declare("suspended", json!({ "suspend": true })).await;
    w.declare("observed", json!({ "managementPolicy": "Observe" })).await;
    let status = w.until_reason("suspended", "Ready", "Suspended").await;
    assert_eq!(said(&status, "ChangePending"), "True/Suspended");
    assert_eq!(status.plan.expect("the plan is shown").step.target().seats, 150);
    let status = w.until_reason("observed", "Ready", "Observed").await;
    assert_eq!(status.summary.as_deref(), Some("observed; spec: 150"));
    assert!(w.bitwarden().join(&w.key.id, 5));
    for name in ["suspended", "observed"] {
        w.until(name, "the new members", |s| s.used == Some(85)).await;
    }
    w.until_polled(4).await;
    assert_eq!(w.puts(), 0);

    w.seats().delete("observed", &Default::default()).await.expect("delete");
    w.edit("suspended", json!({ "suspend": null })).await;
    w.until_in_sync("suspended", 150).await;
    assert_eq!(w.puts(), 1);
    let policy = w.seats().get("suspended").await.expect("the object").spec.management_policy;
    assert_eq!(policy.unwrap_or_default(), ManagementPolicy::Manage, "the operator writes no spec");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_object_goes_at_once_without_operator_and_vendor_keeps_seats() {
    needs_control_plane!();
    let w = world("delete").await;
    let object = w.declare("acme", json!({})).await;
    assert_eq!(object.metadata.finalizers, None);
    w.until_in_sync("acme", 150).await;
    assert!(w.operator.stop().await.success());
    assert_eq!(w.seats().get("acme").await.expect("the object").metadata.finalizers, None);
    w.seats().delete("acme", &Default::default()).await.expect("delete");
    assert!(w.seats().get_opt("acme").await.expect("a look").is_none());
    assert_eq!((w.organization().seats, w.puts()), (Some(150), 1));
}

async fn declare_broken(w: &World) {
    let nowhere = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "nowhere" } } } });
    w.declare("broken", nowhere).await;
    w.until_reason("broken", "CredentialsValid", "SecretNotFound").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_object_match_its_status_and_vanish_with_it() {
    needs_control_plane!();
    let w = world("metrics-object").await;
    w.declare("acme", json!({ "limit": { "mode": "UpTo", "seats": 170 } })).await;
    declare_broken(&w).await;
    w.until_in_sync("acme", 150).await;
    w.until_polled(1).await;
    let labels = |name: &str| format!("namespace=\"{}\",name=\"{name}\"", w.namespace);
    let object = format!("{},vendor=\"bitwarden\",product=\"PasswordManager\"", labels("acme"));
    for (series, value) in [
        ("seats_desired{}", 150.0),
        ("seats_purchased{}", 150.0),
        ("seats_used{}", 80.0),
        ("seats_free{}", 70.0),
        ("seats_limit{}", 170.0),
        ("condition{,type=\"Ready\",status=\"True\",reason=\"InSync\"}", 1.0),
        ("changes_total{,direction=\"increase\",result=\"made\"}", 1.0),
        ("changes_total{,direction=\"decrease\",result=\"made\"}", 0.0),
    ] {
        let series = format!("seatkeeper_{}", series.replacen('{', &format!("{{{object}"), 1));
        assert_eq!(w.operator.metric(&series).await, Some(value), "{series}\n{}", w.operator.metrics().await);
    }
    let of_broken = async |family: &str, more: &str| w.operator.metric_with(family, &[&labels("broken"), more]).await;
    let refused =
        of_broken("seatkeeper_condition", "type=\"CredentialsValid\",status=\"False\",reason=\"SecretNotFound\"").await;
    assert_eq!((refused, of_broken("seatkeeper_seats_purchased", "").await), (Some(1.0), None), "it was never read");
    let now = w.bitwarden().now().as_second() as f64;
    let observed = w.operator.metric(&format!("seatkeeper_last_observation_timestamp_seconds{{{object}}}")).await;
    assert!(observed.is_some_and(|observed| (now - 60.0..=now).contains(&observed)), "{observed:?} {now}");
    assert_eq!(w.operator.metric("seatkeeper_seats_changed_total{direction=\"increase\"}").await, Some(50.0));
    assert_eq!(w.operator.metric("seatkeeper_changes_by_trigger_total{trigger=\"SpecDiffers\"}").await, Some(1.0));
    assert_eq!(w.operator.metric("seatkeeper_leader").await, Some(1.0));
    // From now on the object's own next pass is an hour away: only the watch can report the deletion in time.
    let generation = w.edit("acme", json!({ "interval": "1h" })).await.metadata.generation;
    w.until("acme", "the longer interval", |status| status.observed_generation == generation.unwrap_or_default()).await;
    w.seats().delete("acme", &Default::default()).await.expect("delete");
    let gone = async || (!w.operator.metrics().await.contains(&object)).then_some(());
    wait_for("the series of a deleted object to vanish", Duration::from_secs(10), gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn first_refusal_of_a_vendor_is_an_increase_of_a_counter_that_was_at_0() {
    needs_control_plane!();
    let w = world("metrics-zero").await;
    let of = |labels: &str| format!("seatkeeper_vendor_requests_total{{vendor=\"bitwarden\",{labels}}}");
    let metrics = w.operator.metrics().await;
    let counters: Vec<_> =
        metrics.lines().filter(|line| line.starts_with("seatkeeper_vendor_requests_total{")).collect();
    assert!(counters.len() > 300 && counters.iter().all(|line| line.ends_with(" 0")), "{counters:#?}");
    assert_eq!(w.bitwarden().requests().len(), 0);
    let refused = of("operation=\"put_subscription\",outcome=\"refused\"");
    assert_eq!(w.operator.metric(&refused).await, Some(0.0));
    w.bitwarden().inject(Fault::on_put(throttled("60")).times(1));
    w.declare("acme", json!({})).await;
    wait_for("the refusal to be counted", PATIENCE, async || {
        (w.operator.metric(&refused).await == Some(1.0)).then_some(())
    })
    .await;
    // No request made a counter: each of them was there before.
    let later = w.operator.metrics().await;
    let after = later.lines().filter(|line| line.starts_with("seatkeeper_vendor_requests_total{")).count();
    assert_eq!(after, counters.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_answer_in_the_accepted_format() {
    needs_control_plane!();
    let w = world("metrics").await;
    w.declare("acme", json!({ "limit": { "mode": "UpTo", "seats": 170 } })).await;
    declare_broken(&w).await;
    w.until_in_sync("acme", 150).await;
    w.until_polled(1).await;
    for path in ["/livez", "/readyz"] {
        let reply = http_get(w.operator.address(), path).await.expect("an answer");
        assert_eq!((reply.status, reply.body.as_str()), (200, "ok\n"), "{path}");
    }
    for (operation, outcome) in
        [("token", "ok"), ("get_subscription", "ok"), ("get_members", "ok"), ("put_subscription", "ok")]
    {
        let labels = format!("vendor=\"bitwarden\",operation=\"{operation}\",outcome=\"{outcome}\"");
        let series = format!("seatkeeper_vendor_requests_total{{{labels}}}");
        assert!(w.operator.metric(&series).await >= Some(1.0), "{series}\n{}", w.operator.metrics().await);
    }
    let measured = "seatkeeper_vendor_request_duration_seconds_count{vendor=\"bitwarden\"}";
    assert!(w.operator.metric(measured).await >= Some(4.0), "{}", w.operator.metrics().await);
    for outcome in ["planned", "in_sync", "fault"] {
        let series = format!("seatkeeper_reconciles_total{{outcome=\"{outcome}\"}}");
        assert!(w.operator.metric(&series).await >= Some(1.0), "{series}");
    }
    let version = format!("seatkeeper_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    let metrics = w.operator.metrics().await;
    assert!(metrics.contains(&version), "{metrics}");
    assert!(!metrics.contains("# EOF"), "the older text format is for who asks for nothing");
    let open = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    let open = http_get_as(w.operator.address(), "/metrics", open).await.expect("an answer").body;
    assert!(open.ends_with("# EOF\n") && open.contains("# TYPE seatkeeper_changes counter"), "{open}");
    assert!(metrics.contains("# TYPE seatkeeper_changes_total counter"), "{metrics}");
    assert!(!metrics.contains(&w.key.client_secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn shortage_is_reported_while_growing_and_ends_with_purchase() {
    needs_control_plane!();
    let w = world("shortage").await;
    w.declare("acme", json!({ "seats": 100, "thresholds": { "freeSeats": 15 } })).await;
    let status = w.until_in_sync("acme", 100).await;
    assert_eq!(said(&status, "SeatShortage"), "False/Sufficient");
    for (joining, reason, free) in [(6, "BelowThreshold", 14), (14, "Exhausted", 0)] {
        assert!(w.bitwarden().join(&w.key.id, joining));
        let status = w.until_reason("acme", "SeatShortage", reason).await;
        assert_eq!((status.free, said(&status, "Ready").as_str()), (Some(free), "True/InSync"));
        let summary = status.summary.unwrap_or_default();
        assert_eq!(summary, format!("shortage: {free} free, threshold 15"));
        let told = async || w.events().await.into_iter().find(|(told, _)| told == reason);
        let (_, note) = wait_for(format!("an event {reason}"), PATIENCE, told).await;
        assert_eq!(note, format!("{free} free, threshold 15. Raise spec.seats, or free seats at Bitwarden"));
    }
    w.bitwarden().force_row(&w.key.id, Some(99), Some(100));
    w.edit("acme", json!({ "managementPolicy": "Observe" })).await;
    let status = w.until_reason("acme", "SeatShortage", "OverAllocated").await;
    assert_eq!(status.free, Some(-1));
    w.edit("acme", json!({ "managementPolicy": null, "seats": 120 })).await;
    let status = w.until_in_sync("acme", 120).await;
    assert_eq!((said(&status, "SeatShortage").as_str(), status.free), ("False/Sufficient", Some(20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_that_the_vendor_bought_stay_through_an_outage_of_the_key() {
    needs_control_plane!();
    let w = world("grown").await;
    w.declare("acme", json!({ "limit": { "mode": "UpTo", "seats": 200 } })).await;
    w.until_in_sync("acme", 150).await;
    let edited = w.edit("acme", json!({ "thresholds": { "freeSeats": 1 } })).await.metadata.generation;
    w.until("acme", "the edit in sync", |s| Some(s.observed_generation) == edited).await;
    assert!(w.bitwarden().join(&w.key.id, 85));
    w.until_in_sync("acme", 165).await;
    assert_eq!(w.bitwarden().leave(&w.key.id, 25), 25);
    let key = w.bitwarden().rotate_key(&w.key.id);
    w.bitwarden().forget_keys();
    w.bitwarden().expire_tokens();
    w.until_reason("acme", "Ready", "CredentialsInvalid").await;
    w.secret("key", w.credentials(&key)).await;
    w.until("acme", "the key to work again", |s| s.used == Some(140) && said(s, "Ready") == "True/InSync").await;
    w.until_polled(3).await;
    assert_eq!((w.organization().seats, w.puts()), (Some(165), 1), "nobody asked for fewer");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_flag_ends_process_with_message_that_names_it() {
    needs_control_plane!();
    let plane = seatkeeper_support::ControlPlane::shared().await;
    for flag in [
        "--allowed-host=https://x",
        "--write-timeout=31m",
        "--send-deadline=31m",
        // Below the settle time of 30 minutes alone, but not with the send deadline of 10 seconds.
        "--write-timeout=1795s",
        "--min-interval=0s",
        "--settle-answered=0s",
        // As long as the lease of 15 seconds, or as its renew deadline of 10: two replicas could lead, or none.
        "--lease-renew-deadline=15s",
        "--lease-retry=10s",
        "--lease-retry=0s",
        // Longer than anybody else waits for a leader that is silent.
        "--lease-duration=601s",
        "--min-interval=nonsense",
        "--min-interval=24h1s",
        "--cluster-name=none",
        "--cluster-name=Prod",
        "--cluster-name=",
        "--interval=10m",
        "--concurrency=0",
        "--listen=nowhere",
        "--log-format=xml",
    ] {
        let operator = Operator::start(plane, binary(), "default", &[flag]).await;
        let exit = operator.wait_exit(PATIENCE).await.unwrap_or_else(|| panic!("{flag} is accepted"));
        assert!(!exit.success(), "{flag}");
        let name = flag.split('=').next().unwrap_or_default();
        assert!(operator.log().contains(name), "{flag}: {}", operator.log());
        assert!(!operator.log().contains("panicked"), "{flag}: {}", operator.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn installations_sharing_objects_report_each_other_without_endless_writes() {
    needs_control_plane!();
    let w = world("two-installs").await;
    w.declare("acme", json!({ "managementPolicy": "Observe" })).await;
    let first = format!("{SYSTEM_NAMESPACE}/seatkeeper-{}", w.namespace);
    let signed = |status: &LicenseSeatsStatus| status.operator == Some(first.clone());
    w.until("acme", "signed by the first", signed).await;
    let (allowed, lease) = (format!("--allowed-host={}", w.vendor.host()), format!("another-{}", w.namespace));
    let lease_flag = format!("--lease-name={lease}");
    let flags = [FAST, &[allowed.as_str(), lease_flag.as_str()]].concat();
    let second = Operator::start(&w.plane, binary(), &w.namespace, &flags).await;
    let told = w.until_told("AnotherInstallation", 2).await;
    for (one, other) in [(first.as_str(), lease.as_str()), (lease.as_str(), first.as_str())] {
        let names =
            |note: &&(String, String)| note.1.contains(&format!("has the Lease {one}")) || note.1.contains(other);
        assert!(told.iter().any(|note| names(&note)), "{told:?}");
    }
    for operator in [&w.operator, &second] {
        assert!(operator.log().contains("Only one of them may serve an account"), "{}", operator.log_tail(20));
    }
    w.until_polled(2).await;
    let written = w.seats().get("acme").await.expect("acme").metadata.resource_version;
    w.until_polled(6).await;
    assert_eq!(w.seats().get("acme").await.expect("acme").metadata.resource_version, written, "no write at rest");
}
