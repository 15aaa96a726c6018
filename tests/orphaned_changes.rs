//! A request that may still be running blocks its account, whatever has become of the object it was made for, and for a
//! process that has seen nothing of it but the record; and when it must be over, it blocks no other change any more.

use std::time::{Duration, Instant};

use kube::api::{Patch, PatchParams};
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, FaultKind};

use crate::stored_objects::{store, stored};
use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, condition, organization, said};

const FOR_EVER: u64 = 3_600_000;
const SETTLE: Duration = Duration::from_secs(12);

/// What becomes of the object while no operator runs.
#[derive(Clone, Copy)]
enum Fate {
    /// It is deleted, and somebody else's finalizer holds it back.
    HeldBack,
    /// Its status is of a version that this one cannot read.
    Unreadable,
    /// Its Secret is now that of another organization.
    Switched,
    /// Its Secret is gone.
    WithoutSecret,
}

async fn befall(t: &Tenant<'_>, fate: Fate) {
    let w = t.world;
    match fate {
        Fate::HeldBack => {
            let patch = Patch::Merge(json!({ "metadata": { "finalizers": ["example.org/hold"] } }));
            w.seats().patch(&t.name, &PatchParams::default(), &patch).await.expect("a finalizer");
            w.seats().delete(&t.name, &Default::default()).await.expect("delete");
        }
        Fate::Unreadable => {
            let mut object = stored(w, &t.name).await;
            object["status"]["intent"]["phase"] = json!("Future");
            store(w, &t.name, &object).await;
        }
        Fate::Switched => {
            let other = w.bitwarden().add_organization(organization());
            w.secret(&t.name, w.credentials(&other)).await;
        }
        Fate::WithoutSecret => w.secrets().delete(&t.name, &Default::default()).await.map(drop).expect("delete"),
    }
}

/// Another pool of the same account, with a Secret of its own.
async fn declare_beside(t: &Tenant<'_>) -> String {
    let name = format!("{}-beside", t.name);
    t.world.secret(&name, t.world.credentials(&t.key)).await;
    let vendor = json!({ "bitwarden": { "product": "MachineAccounts", "credentialsSecretRef": { "name": name } } });
    t.world.declare(&name, json!({ "vendor": vendor, "seats": 60, "limit": null })).await;
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn request_blocks_account_for_settle_time_even_without_object() {
    needs_control_plane!();
    let flags = fast_but(&["--settle-unanswered=12s"]);
    let mut w = World::with("left-open", organization(), &flags).await;
    let fates = [
        ("held back", Fate::HeldBack),
        ("unreadable", Fate::Unreadable),
        ("switched", Fate::Switched),
        ("without secret", Fate::WithoutSecret),
    ];
    let begun = async |(sentence, fate): &(&str, Fate)| {
        let t = w.tenant(sentence, organization().secrets_manager(20, 50)).await;
        let paused = t.inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: FOR_EVER }));
        t.declare(json!({})).await;
        assert!(w.bitwarden().wait_fired(paused, 1).await);
        w.until_hung_up(&t.key).await;
        (t.name, t.key, paused, *fate)
    };
    let begun = futures::future::join_all(fates.iter().map(begun)).await;
    w.operator.signal("KILL");
    w.operator.wait_exit(PATIENCE).await.expect("a killed process ends");
    let mut beside = Vec::new();
    for (name, key, _, fate) in &begun {
        let t = Tenant { world: &w, name: name.clone(), key: key.clone() };
        befall(&t, *fate).await;
        beside.push(declare_beside(&t).await);
    }
    w.start_operator(&flags).await;
    let started = Instant::now();
    let ends = async |((name, key, paused, _), beside): (&(String, _, u64, Fate), &String)| {
        let t = Tenant { world: &w, name: name.clone(), key: vendor_sim::OrganizationKey::clone(key) };
        let held = w.until_reason(beside, "ChangePending", "OutcomeUnknown").await;
        let message = &condition(&held, "ChangePending").expect("ChangePending").message;
        assert!(message.contains(&format!("(of {name}) may be in flight")), "{message}");
        let sent = async || (t.puts() > 1).then(|| started.elapsed());
        let after = wait_for(format!("{beside} to be changed"), PATIENCE, sent).await;
        assert!(after >= SETTLE, "{beside}: a second request after {after:?}, while the first may be running");
        w.bitwarden().release(*paused);
        let status = w.until_in_sync(beside, 60).await;
        assert_eq!(said(&status, "ChangePending"), "", "{beside}");
    };
    futures::future::join_all(begun.iter().zip(&beside).map(ends)).await;
}
