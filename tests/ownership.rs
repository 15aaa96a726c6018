//! One owner per pool, one change at a time per account, one leader among replicas.

use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{Operator, SYSTEM_NAMESPACE, http_get, needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, FaultKind};

use crate::tenants::fast_but;
use crate::world::{FAST, PATIENCE, World, binary, condition, organization, said, world};

impl World {
    /// Creation times have whole seconds: an object that is created after this is younger.
    pub async fn until_the_next_second(&self, name: &str) {
        let second = self.seats().get(name).await.unwrap().metadata.creation_timestamp.unwrap();
        wait_for("the next second", PATIENCE, async || {
            (self.bitwarden().now().as_second() > second.0.as_second()).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_object_owns_pool_and_younger_takes_over_after_its_deletion() {
    needs_control_plane!();
    let w = world("owner").await;
    w.declare("older", json!({})).await;
    w.until_in_sync("older", 150).await;
    w.until_the_next_second("older").await;
    w.declare("younger", json!({ "seats": 160 })).await;
    let status = w.until_reason("younger", "Ready", "Conflict").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("LicenseSeats older is older"), "{status:?}");
    assert_eq!(said(&status, "Stalled"), "True/Conflict");
    assert_eq!(status.seats, None, "the vendor is not even read for it");
    w.until_polled(3).await;
    assert_eq!((w.puts(), w.organization().seats), (1, Some(150)));
    w.seats().delete("older", &Default::default()).await.unwrap();
    w.until_in_sync("younger", 160).await;
    assert_eq!(w.puts(), 2);
}

/// Nothing but the end of the ownership wakes the younger object here: its timers are an hour.
#[tokio::test(flavor = "multi_thread")]
async fn younger_object_takes_over_at_once_when_owner_is_deleted_or_observes() {
    needs_control_plane!();
    let w = World::with("take-over", organization(), &fast_but(&["--secret-recheck=1h"])).await;
    w.declare("oldest", json!({})).await;
    w.until_in_sync("oldest", 150).await;
    w.until_the_next_second("oldest").await;
    w.declare("middle", json!({ "seats": 160, "interval": "1h" })).await;
    w.until_reason("middle", "Ready", "Conflict").await;
    w.until_the_next_second("middle").await;
    w.declare("youngest", json!({ "seats": 170, "interval": "1h" })).await;
    w.until_reason("youngest", "Ready", "Conflict").await;
    w.edit("oldest", json!({ "managementPolicy": "Observe" })).await;
    w.until_in_sync("middle", 160).await;
    let names_the_owner =
        |s: &LicenseSeatsStatus| condition(s, "Ready").is_some_and(|ready| ready.message.contains("middle is older"));
    w.until("youngest", "the new owner", names_the_owner).await;
    w.seats().delete("middle", &Default::default()).await.unwrap();
    w.until_in_sync("youngest", 170).await;
    assert_eq!(w.puts(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pools_of_one_account_are_changed_one_after_the_other() {
    needs_control_plane!();
    let organization = organization().secrets_manager(20, 50);
    let patient = fast_but(&["--write-timeout=30s", "--settle-unanswered=40s"]);
    let w = World::with("one-at-a-time", organization, &patient).await;
    let pause = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: 60_000 }));
    w.declare("passwords", json!({})).await;
    assert!(w.bitwarden().wait_fired(pause, 1).await);
    let machines = json!({ "bitwarden": { "product": "MachineAccounts" } });
    w.declare("machines", json!({ "vendor": machines, "seats": 60, "limit": null })).await;
    let held = w.until_reason("machines", "ChangePending", "OutcomeUnknown").await;
    assert!(condition(&held, "ChangePending").unwrap().message.contains("of passwords"), "{held:?}");
    assert_eq!(w.puts(), 1);
    w.bitwarden().release(pause);
    w.until_in_sync("passwords", 150).await;
    w.annotate("machines", "seatkeeper.dev/reconcile-requested-at", "now").await;
    w.until_in_sync("machines", 60).await;
    assert_eq!((w.organization().seats, w.organization().service_accounts), (Some(150), Some(60)));
}

#[tokio::test(flavor = "multi_thread")]
async fn second_replica_is_ready_and_idle_and_takes_over_from_first() {
    needs_control_plane!();
    let w = world("replicas").await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    let second = w.another_operator(FAST).await;
    second.wait_ready().await;
    w.until_polled(3).await;
    assert_eq!(
        second.metric(r#"seatkeeper_reconciles_total{outcome="in_sync"}"#).await,
        Some(0.0),
        "{}",
        second.log_tail(20)
    );

    w.operator.signal("TERM");
    w.operator.wait_exit(PATIENCE).await.expect("the first ends");
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    assert_eq!(w.puts(), 2);
    assert!(second.log().contains("leading"), "{}", second.log_tail(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn leader_stopped_past_its_lease_no_longer_acts() {
    needs_control_plane!();
    let w = world("stopped").await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    let second = w.another_operator(FAST).await;
    second.wait_ready().await;
    w.operator.signal("STOP");
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    assert!(second.log().contains("leading"), "{}", second.log_tail(20));
    w.operator.signal("CONT");
    w.edit("acme", json!({ "seats": 170 })).await;
    w.until_in_sync("acme", 170).await;
    w.until_polled(3).await;
    assert_eq!(w.puts(), 3);
    assert!(w.operator.log().contains("not leading any more: "), "{}", w.operator.log_tail(20));
    // Only who leads tells numbers: the other's are as old as its leadership.
    let of = format!("namespace=\"{}\",name=\"acme\"", w.namespace);
    let purchased = async |operator: &Operator| operator.metric_with("seatkeeper_seats_purchased", &[&of]).await;
    assert_eq!((purchased(&second).await, purchased(&w.operator).await), (Some(170.0), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_lease_neither_hurries_nor_hangs_operator() {
    needs_control_plane!();
    let w = world("nonsense").await;
    let name = format!("seatkeeper-{}", w.namespace);
    w.operator.signal("TERM");
    w.operator.wait_exit(PATIENCE).await.expect("the operator ends");
    let nonsense = json!({
        "spec": { "holderIdentity": "somebody", "leaseDurationSeconds": 1, "renewTime": "1970-01-01T00:00:00.000000Z" }
    });
    let patch = ["patch", "lease", &name, "--type=merge", "--patch", &nonsense.to_string()];
    w.plane.kubectl_in(SYSTEM_NAMESPACE, &patch, "").await.ok();
    let second = w.another_operator(FAST).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    assert!(second.log().contains("leading"), "{}", second.log_tail(20));
}

/// A Role with these rules, bound to ServiceAccount `bare`.
fn allowed(name: &str, rules: &serde_json::Value) -> String {
    let (metadata, group) = (json!({ "name": name }), "rbac.authorization.k8s.io");
    let items = json!([
        { "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata, "rules": rules },
        {
            "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "roleRef": { "apiGroup": group, "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": "bare" }],
        },
    ]);
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_without_lease_rights_reports_waits_and_then_starts() {
    needs_control_plane!();
    let w = world("no-lease").await;
    assert!(w.operator.stop().await.success());
    let mark = w.plane.audit_mark();
    let kubectl = async |args: &[&str], stdin: &str| w.plane.kubectl_in(&w.namespace, args, stdin).await.ok();
    kubectl(&["create", "serviceaccount", "bare"], "").await;
    let rules = json!([
        { "apiGroups": ["seatkeeper.dev"], "resources": ["licenseseats", "seatapprovals"], "verbs": ["get", "list", "watch"] },
        { "apiGroups": ["seatkeeper.dev"], "resources": ["licenseseats/status"], "verbs": ["patch"] },
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] },
        { "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"] },
    ]);
    kubectl(&["apply", "-f", "-"], &allowed("all-but-leases", &rules)).await;
    let kubeconfig = w.plane.kubeconfig_for_service_account(&w.namespace, "bare").await;
    let host = format!("--allowed-host={}", w.vendor.host());
    let args: Vec<&str> = FAST.iter().copied().chain([host.as_str()]).collect();
    let operator = Operator::start_as(&kubeconfig, binary(), &w.namespace, &args);
    w.declare("acme", json!({})).await;

    let told = "must allow get, create and update on leases.coordination.k8s.io";
    let says = async || {
        let reply = http_get(operator.address(), "/readyz").await.ok()?;
        (reply.status == 503 && reply.body.contains(told)).then_some(())
    };
    wait_for("the missing right to be told", PATIENCE, says).await;
    let user = format!("system:serviceaccount:{}:bare", w.namespace);
    let refused = async || {
        let audit = w.plane.audit_since(mark).user(&user).resource("leases").code(403);
        (audit.len() >= 4).then_some(())
    };
    wait_for("the Lease to be tried again and again", PATIENCE, refused).await;
    assert_eq!(operator.log().matches(told).count(), 1, "said once\n{}", operator.log_tail(20));
    assert!(w.bitwarden().requests().is_empty(), "the vendor is not even asked");
    let writes = w.plane.audit_since(mark).writes(&user, &w.namespace).only(|event| event.resource != "leases");
    assert!(writes.is_empty(), "{:?}", writes.events());
    assert_eq!(operator.try_exit(), None, "waiting helps");

    let leases = json!([
        { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"] },
    ]);
    kubectl(&["apply", "-f", "-"], &allowed("leases", &leases)).await;
    w.until_in_sync("acme", 150).await;
    operator.wait_ready().await;
    assert_eq!(w.puts(), 1);
}

/// The operator's rights, with these verbs for the objects.
fn rules(verbs: &[&str]) -> serde_json::Value {
    json!([
        { "apiGroups": ["seatkeeper.dev"], "resources": ["licenseseats", "seatapprovals"], "verbs": verbs },
        { "apiGroups": ["seatkeeper.dev"], "resources": ["licenseseats/status"], "verbs": ["patch"] },
        { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] },
        { "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"] },
        { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"] },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_with_silent_watch_waits_for_unknown_objects_before_it_sends() {
    needs_control_plane!();
    let organization = organization().secrets_manager(20, 50);
    let flags = fast_but(&["--settle-unanswered=12s"]);
    let w = World::with("silent", organization, &flags).await;
    assert!(w.operator.stop().await.success());
    let kubectl = async |args: &[&str], stdin: &str| w.plane.kubectl_in(&w.namespace, args, stdin).await.ok();
    kubectl(&["create", "serviceaccount", "bare"], "").await;
    let grant = async |verbs: &[&str]| kubectl(&["apply", "-f", "-"], &allowed("all", &rules(verbs))).await;
    grant(&["get", "list", "watch"]).await;
    let kubeconfig = w.plane.kubeconfig_for_service_account(&w.namespace, "bare").await;
    let host = format!("--allowed-host={}", w.vendor.host());
    let args: Vec<&str> = flags.iter().copied().chain([host.as_str()]).collect();
    let machines = json!({ "bitwarden": { "product": "MachineAccounts" } });
    w.declare("machines", json!({ "vendor": machines, "seats": 60, "limit": null, "suspend": true })).await;
    let first = Operator::start_as(&kubeconfig, binary(), &w.namespace, &args);
    w.until_reason("machines", "Ready", "Suspended").await;
    // The second gets its list, and may not watch.
    grant(&["get", "list"]).await;
    let second = Operator::start_as(&kubeconfig, binary(), &w.namespace, &args);
    second.wait_ready().await;
    let pause = w.bitwarden().inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: 3_600_000 }));
    w.declare("passwords", json!({})).await;
    assert!(w.bitwarden().wait_fired(pause, 1).await, "{}", first.log_tail(20));
    first.signal("KILL");
    first.wait_exit(PATIENCE).await.expect("a killed process ends");
    w.edit("machines", json!({ "suspend": null })).await;
    let leads = async || second.log().contains("leading").then_some(());
    wait_for("the second to lead", PATIENCE, leads).await;
    let published = async || w.status("machines").await.plan.filter(|plan| plan.blocked_by.is_empty());
    wait_for("the plan to be made", PATIENCE, published).await;
    // That is counted and said, and neither vendor nor apiserver is asked over and over meanwhile.
    let reads = || w.count_requests("GET", "/public/organization/subscription");
    let before = reads();
    let until_pending = async |why: &str| {
        let told =
            |s: &LicenseSeatsStatus| condition(s, "ChangePending").is_some_and(|pending| pending.message.contains(why));
        w.until("machines", why, told).await
    };
    until_pending("initial scan").await;
    assert!(reads() <= before + 3, "{} readings", reads() - before);
    let waiting = second.metric(r#"seatkeeper_reconciles_total{outcome="waiting"}"#).await;
    assert!(waiting >= Some(1.0), "{waiting:?}");
    assert_eq!(w.puts(), 1, "{}", second.log_tail(20));
    grant(&["get", "list", "watch"]).await;
    until_pending("of passwords").await;
    assert_eq!(w.puts(), 1);
    w.bitwarden().release(pause);
    w.until_in_sync("machines", 60).await;
}
