//! One operator over all namespaces: who owns a pool is decided across them, and the other learns no names from it.

use jiff::Timestamp;
use kube::api::Patch;
use seatkeeper::api::{Account, LicenseSeats, LicenseSeatsStatus};
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};

use crate::world::{FAST, PATIENCE, World, condition, organization, said};

#[tokio::test(flavor = "multi_thread")]
async fn younger_object_in_other_namespace_waits_without_learning_pool_owner() {
    needs_control_plane!();
    let mut w = World::over_all_namespaces("undisclosed", organization(), FAST).await;
    let owner = w.declare("confidential", json!({})).await;
    w.until_in_sync("confidential", 150).await;
    let (owners, theirs) = (w.seats(), w.namespace.clone());
    until_younger(&w, &owner).await;

    w.namespace = w.plane.namespace("elsewhere").await;
    w.secret("key", w.credentials(&w.key)).await;
    w.declare("younger", json!({ "seats": 160 })).await;
    let status = w.until_reason("younger", "Ready", "Conflict").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.starts_with("a LicenseSeats in another namespace is older"), "{message}");
    assert_eq!(
        (said(&status, "Stalled").as_str(), status.seats),
        ("True/Conflict", None),
        "the vendor is not read for it"
    );
    w.until_told("Conflict", 1).await;
    w.until_polled(3).await;
    let everything = format!("{} {:?}", shown(&w, "younger").await, w.events().await);
    for name in [theirs.as_str(), "confidential"] {
        assert!(!everything.contains(name), "{name} is disclosed: {everything}");
    }
    assert_eq!((w.puts(), w.organization().seats), (1, Some(150)));

    owners.delete("confidential", &Default::default()).await.expect("delete");
    w.until_in_sync("younger", 160).await;
    assert_eq!((w.puts(), w.organization().billed.seats), (2, Some(160)));
}

/// Two namespaces and one operator. In one, an object without a Secret of which somebody may edit the status.
struct Forgery {
    w: World,
    /// Of the one whose account it is.
    ours: String,
    /// Of the one who edits.
    theirs: String,
}

impl Forgery {
    /// `older`: the object without a Secret is the older one.
    async fn new(name: &str, older: bool) -> Self {
        let quick = FAST.iter().copied().filter(|flag| !flag.starts_with("--settle-unanswered"));
        let flags: Vec<&str> = quick.chain(["--settle-unanswered=15s"]).collect();
        let w = World::over_all_namespaces(name, organization(), &flags).await;
        let theirs = w.plane.namespace("forger").await;
        let mut forgery = Self { ours: w.namespace.clone(), theirs, w };
        if older {
            let forged = forgery.declare_without_a_secret().await;
            until_younger(&forgery.w, &forged).await;
        }
        let own = forgery.w.declare("acme", json!({})).await;
        forgery.w.until_in_sync("acme", 150).await;
        if !older {
            until_younger(&forgery.w, &own).await;
            forgery.declare_without_a_secret().await;
        }
        forgery
    }

    async fn declare_without_a_secret(&mut self) -> LicenseSeats {
        self.w.namespace.clone_from(&self.theirs);
        let object = self.w.declare("forged", json!({ "seats": 20 })).await;
        self.w.until_reason("forged", "CredentialsValid", "SecretNotFound").await;
        self.w.namespace.clone_from(&self.ours);
        object
    }

    /// Edits the status, and waits until the operator has read it.
    async fn forge(&mut self, status: Value) {
        self.w.namespace.clone_from(&self.theirs);
        let patch = Patch::Merge(json!({ "status": status }));
        self.w.seats().patch_status("forged", &Default::default(), &patch).await.expect("the status is edited");
        self.w.annotate("forged", "seatkeeper.dev/reconcile-requested-at", "now").await;
        let handled = |status: &LicenseSeatsStatus| status.last_handled_reconcile_at.is_some();
        self.w.until("forged", "the request to be handled", handled).await;
        self.w.namespace.clone_from(&self.ours);
    }

    async fn account(&self) -> String {
        self.w.status("acme").await.account.as_ref().and_then(Account::key).expect("an account")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_intent_blocks_other_namespace_for_settle_time_and_sends_nothing() {
    needs_control_plane!();
    let mut f = Forgery::new("forged-intent", false).await;
    let account = f.account().await;
    let intent = json!({
        "id": "forged", "objectUid": "u", "generation": 1, "account": account, "from": 150, "to": 20, "attempt": 1,
        "reason": "SpecDiffers", "phase": "Open", "time": "2026-01-01T00:00:00Z",
    });
    f.forge(json!({ "intent": intent })).await;
    f.w.edit("acme", json!({ "seats": 160 })).await;
    let blocked = |status: &LicenseSeatsStatus| {
        let told = "another change of this account (of an object in another namespace) may be in flight";
        condition(status, "ChangePending").is_some_and(|pending| pending.message.contains(told))
    };
    f.w.until("acme", "blocked by the forged intent", blocked).await;
    assert_eq!(f.w.puts(), 1, "nothing more is sent meanwhile");
    // The forged intent stays, and its time passes.
    f.w.until_in_sync("acme", 160).await;
    assert_eq!((f.w.puts(), f.w.organization().billed.seats), (2, Some(160)));
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_change_blocks_other_namespace_no_longer_than_settle_time() {
    needs_control_plane!();
    let mut f = Forgery::new("forged-change", false).await;
    let account = f.account().await;
    let change = json!({
        "id": "forged", "account": account, "generation": 1, "from": 150, "to": 20, "attempt": 1000, "reason": "SpecDiffers",
        "time": Timestamp::now().to_string(),
    });
    f.forge(json!({ "history": [change] })).await;
    f.w.edit("acme", json!({ "seats": 160 })).await;
    let blocked = |status: &LicenseSeatsStatus| {
        condition(status, "ChangePending").is_some_and(|pending| pending.message.contains("late effects of"))
    };
    f.w.until("acme", "blocked by the forged change", blocked).await;
    assert_eq!(f.w.puts(), 1, "nothing more is sent meanwhile");
    // The late effects of a thousand attempts would come for over half an hour.
    f.w.until_in_sync("acme", 160).await;
    assert_eq!((f.w.puts(), f.w.organization().billed.seats), (2, Some(160)));
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_account_blocks_other_namespace_until_gone_and_sends_nothing() {
    needs_control_plane!();
    let mut f = Forgery::new("forged-account", true).await;
    let mut status = serde_json::to_value(f.w.status("acme").await).expect("JSON");
    status.as_object_mut().expect("a status").remove("conditions");
    f.forge(status).await;
    f.w.edit("acme", json!({ "seats": 160 })).await;
    let status = f.w.until_reason("acme", "Ready", "Conflict").await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.starts_with("a LicenseSeats in another namespace is older"), "{message}");
    assert_eq!((f.w.puts(), f.w.organization().seats), (1, Some(150)), "nothing is sent for either");
    f.w.namespace.clone_from(&f.theirs);
    f.w.seats().delete("forged", &Default::default()).await.expect("delete");
    f.w.namespace.clone_from(&f.ours);
    f.w.until_in_sync("acme", 160).await;
    assert_eq!((f.w.puts(), f.w.organization().billed.seats), (2, Some(160)));
}

/// Creation times have whole seconds: what is made from now on is younger.
async fn until_younger(w: &World, than: &LicenseSeats) {
    let made = than.metadata.creation_timestamp.as_ref().expect("a stored object has a time").0;
    let later = async || (w.bitwarden().now().as_second() > made.as_second()).then_some(());
    wait_for("the next second", PATIENCE, later).await;
}

/// Everything that the apiserver shows of an object.
async fn shown(w: &World, name: &str) -> String {
    let object: LicenseSeats = w.seats().get(name).await.expect("the object");
    serde_json::to_string(&object).expect("JSON")
}
