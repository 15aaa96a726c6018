//! What other people and other machines do while a request is under way.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use seatkeeper::api::{LicenseSeats, SECRET_TYPE, SeatApproval};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use vendor_sim::{Bitwarden, OrganizationKey};

use crate::ground::Ground;
use crate::scenario::of_the_other_pool;
use crate::selection::IN_WINDOW;
use crate::window;

pub const ROTATED: &str = "Secret rotated";
pub const TAKEN_AWAY: &str = "Secret deleted, later restored";
pub const EMPTIED: &str = "Secret emptied, later restored";
pub const EDITED: &str = "spec edited";
pub const SUSPENDED: &str = "suspended, later resumed";
pub const RECREATED: &str = "object deleted and created again";
pub const STATUS_RESTORED: &str = "status restored from before";
pub const OBJECT_RESTORED: &str = "object restored with its old status and a new uid";
pub const GONE_FOR_A_WHILE: &str = "object deleted, later created again";
pub const OTHER_POOL: &str = "object for the other pool of the account created";
pub const RIVAL: &str = "second object for the account created";
pub const BY_SOMEBODY: &str = "seats changed by a third party";
pub const APISERVER_RESTARTED: &str = "apiserver killed and restarted";
pub const ETCD_KILLED: &str = "etcd killed and restarted";
pub const ETCD_RESTORED: &str = "etcd killed and restored from before the intent";
pub const RIGHTS_TAKEN: &str = "the operator's rights taken away, later given back";

pub const TOLD_TO_END: &str = "the operator is told to end";
pub const LABELED: &str = "object labeled by another program";

pub const APPROVAL_DELETED: &str = "approval deleted";
pub const JOINED: &str = "a person joins";

pub const RECREATED_THEN_KILLED: &str = "object deleted and created again, and the operator killed";
pub const WIPED_THEN_KILLED: &str = "status restored from before, and the operator killed";
pub const RIVAL_THEN_KILLED: &str = "second object for the account created, and the operator killed";

/// Somebody does something, and the operator is killed before it can learn of it. The next one starts when it is done.
const THEN_KILLED: [(&str, &str); 3] =
    [(RECREATED_THEN_KILLED, RECREATED), (WIPED_THEN_KILLED, STATUS_RESTORED), (RIVAL_THEN_KILLED, RIVAL)];

/// What somebody does, and whether the operator is killed with it.
pub fn deed(what: &'static str) -> (&'static str, bool) {
    let killing = THEN_KILLED.into_iter().find(|(both, _)| *both == what);
    killing.map_or((what, false), |(_, deed)| (deed, true))
}

/// Those that need nothing but a namespace.
pub const EVERYWHERE: [&str; 10] = [
    ROTATED,
    TAKEN_AWAY,
    EMPTIED,
    EDITED,
    SUSPENDED,
    RECREATED,
    GONE_FOR_A_WHILE,
    STATUS_RESTORED,
    OBJECT_RESTORED,
    RIVAL,
];

/// Those that need a control plane of their own.
pub const CONTROL_PLANE: [&str; 4] = [APISERVER_RESTARTED, ETCD_KILLED, ETCD_RESTORED, RIGHTS_TAKEN];

/// Those that end in the background.
const IN_TWO_PARTS: [&str; 8] =
    [TAKEN_AWAY, EMPTIED, SUSPENDED, GONE_FOR_A_WHILE, APISERVER_RESTARTED, ETCD_KILLED, ETCD_RESTORED, RIGHTS_TAKEN];

/// How long a Secret or a right is away: longer than a look at it.
const AWAY: Duration = Duration::from_secs(2);

/// Longer than the settle time of a request that was never answered.
const LONG_GONE: Duration = Duration::from_secs(6);

/// The objects of a case, as everybody but the operator sees and changes them.
#[derive(Clone)]
pub struct CaseObjects {
    pub ground: Arc<Ground>,
    pub namespace: String,
    pub bitwarden: Bitwarden,
    pub key: OrganizationKey,
    /// Where the proxy stands in for the vendor.
    pub server: Arc<Mutex<String>>,
    /// What the spec is edited to.
    pub edit: Value,
    /// What is declared, the object's status then, and etcd's data then.
    pub before: Arc<Mutex<Before>>,
    /// How much of what should happen is done.
    pub done: Arc<AtomicUsize>,
}

/// The state of things just before the first numbered request.
#[derive(Default)]
pub struct Before {
    pub spec: Value,
    pub status: Value,
    pub etcd: Option<PathBuf>,
}

impl CaseObjects {
    pub fn seats(&self) -> Api<LicenseSeats> {
        Api::namespaced(self.ground.client.clone(), &self.namespace)
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.ground.client.clone(), &self.namespace)
    }

    pub fn by_owner(&self) -> bool {
        self.key.client_id.starts_with("user.")
    }

    pub async fn secret(&self) {
        let ca = &self.ground.identity.ca_pem;
        let (client_id, client_secret) = if self.by_owner() {
            let key = self.bitwarden.user_key(&self.key.client_id);
            (key.client_id, key.client_secret)
        } else {
            let key = self.bitwarden.key(&self.key.id);
            (key.client_id, key.client_secret)
        };
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let secret = json!({
            "metadata": { "name": "key" }, "type": SECRET_TYPE,
            "stringData": {
                "clientId": client_id, "clientSecret": client_secret, "server": server, "ca.crt": ca,
            },
        });
        let secret: Secret = serde_json::from_value(secret).expect("a Secret");
        let _ = self.secrets().delete("key", &DeleteParams::default()).await;
        self.secrets().create(&PostParams::default(), &secret).await.expect("create the Secret");
    }

    pub async fn declare(&self, name: &str, spec: &Value) {
        let mut object = json!({
            "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats", "metadata": { "name": name },
            "spec": {
                "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "key" } } },
                "seats": spec["seats"], "limit": spec["limit"], "interval": "1s",
            },
        });
        if spec["product"].is_string() {
            object["spec"]["vendor"]["bitwarden"]["product"] = spec["product"].clone();
        }
        for field in ["sizing", "approval"].iter().filter(|field| spec[*field].is_object()) {
            object["spec"][*field] = spec[*field].clone();
        }
        if spec["approval"].is_object() {
            self.approve(name, spec).await;
        }
        if spec[IN_WINDOW] == true {
            object["spec"]["adjustment"] = window::adjustment();
        }
        let object: LicenseSeats = serde_json::from_value(object).expect("a LicenseSeats");
        self.seats().create(&PostParams::default(), &object).await.expect("the object is admitted");
    }

    fn approvals(&self) -> Api<SeatApproval> {
        Api::namespaced(self.ground.client.clone(), &self.namespace)
    }

    /// Approves what a spec asks for.
    async fn approve(&self, name: &str, spec: &Value) {
        let approval = json!({
            "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "metadata": { "name": "yes" },
            "spec": {
                "licenseSeatsRef": { "name": name }, "decision": "Approved", "validUntil": "2099-12-31T00:00:00Z",
                "upTo": spec["seats"], "limitUpTo": spec["limit"]["seats"],
            },
        });
        let approval: SeatApproval = serde_json::from_value(approval).expect("a SeatApproval");
        self.approvals().create(&PostParams::default(), &approval).await.expect("the approval is admitted");
    }

    /// Writes to the object, and changes nothing that means anything.
    async fn label(&self) {
        let patch = Patch::Merge(json!({ "metadata": { "labels": { "team": "finance" } } }));
        self.seats().patch("acme", &PatchParams::default(), &patch).await.expect("the label is admitted");
    }

    pub async fn edit(&self, spec: &Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.seats().patch("acme", &PatchParams::default(), &patch).await.expect("the edit is admitted");
    }

    /// Asks for a look now, as a person does who does not want to wait.
    pub async fn ask(&self) {
        let word = format!("{:?}", self.bitwarden.now());
        let annotations = json!({ "seatkeeper.dev/reconcile-requested-at": word });
        let patch = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
        let _ = self.seats().patch("acme", &PatchParams::default(), &patch).await;
    }

    fn before<T>(&self, look: impl FnOnce(&Before) -> T) -> T {
        look(&self.before.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn create_again(&self) {
        self.seats().delete("acme", &DeleteParams::default()).await.expect("delete");
        self.declare("acme", &self.before(|before| before.spec.clone())).await;
    }

    /// Puts the whole status in the place of the one that is there, as a restoring tool does.
    async fn restore_status(&self) {
        let status = self.before(|before| before.status.clone());
        loop {
            let mut object = self.seats().get("acme").await.expect("the object");
            object.status = serde_json::from_value(status.clone()).expect("a status");
            match self.seats().replace_status("acme", &PostParams::default(), &object).await {
                // The operator was faster.
                Err(kube::Error::Api(answer)) if answer.is_conflict() => {}
                replaced => return drop(replaced.expect("the old status is admitted")),
            }
        }
    }

    /// Does it. What takes time goes on in the background.
    pub async fn happen(&self, what: &'static str) {
        self.begin(what).await;
        self.count();
    }

    /// Each deed, and each that goes on in the background, counts when it is done.
    fn count(&self) {
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether it was done to its end: one that fails would fail unseen, in a task of the proxy.
    pub fn happened(&self, what: &str) -> bool {
        let parts = if IN_TWO_PARTS.contains(&what) { 2 } else { 1 };
        self.done.load(Ordering::SeqCst) == parts
    }

    #[expect(clippy::too_many_lines, reason = "one match: an arm for each happening")]
    async fn begin(&self, what: &'static str) {
        match what {
            ROTATED => {
                if self.by_owner() {
                    self.bitwarden.rotate_user_key(&self.key.client_id);
                } else {
                    self.bitwarden.rotate_key(&self.key.id);
                }
                self.bitwarden.expire_tokens();
                self.secret().await;
            }
            TAKEN_AWAY => {
                self.secrets().delete("key", &DeleteParams::default()).await.expect("delete the Secret");
                self.later(AWAY, async |objects| objects.secret().await);
            }
            EMPTIED => {
                let patch = Patch::Merge(json!({ "data": null }));
                self.secrets().patch("key", &PatchParams::default(), &patch).await.expect("empty the Secret");
                self.later(AWAY, async |objects| objects.secret().await);
            }
            EDITED => self.edit(&self.edit).await,
            LABELED => self.label().await,
            // An edit that leaves the wish as it is: what is open stays open, and no request is counted anew.
            SUSPENDED => {
                self.edit(&json!({ "suspend": true })).await;
                self.later(LONG_GONE, async |objects| objects.edit(&json!({ "suspend": false })).await);
            }
            RECREATED => self.create_again().await,
            STATUS_RESTORED => self.restore_status().await,
            OBJECT_RESTORED => {
                self.create_again().await;
                self.restore_status().await;
            }
            GONE_FOR_A_WHILE => {
                self.seats().delete("acme", &DeleteParams::default()).await.expect("delete");
                self.later(LONG_GONE, async |objects| {
                    let spec = objects.before(|before| before.spec.clone());
                    objects.declare("acme", &spec).await;
                });
            }
            RIVAL => self.declare("rival", &self.rival()).await,
            OTHER_POOL => self.declare("rival", &of_the_other_pool()).await,
            BY_SOMEBODY => self.bitwarden.set_seats(&self.key.id, self.others_seats()).expect("the vendor allows it"),
            APPROVAL_DELETED => {
                self.approvals().delete("yes", &DeleteParams::default()).await.expect("delete the approval");
            }
            JOINED => assert!(self.bitwarden.join(&self.key.id, 1), "the vendor has a seat for the person"),
            APISERVER_RESTARTED => {
                self.ground.plane.stop_apiserver();
                self.later(Duration::ZERO, async |objects| objects.ground.plane.start_apiserver().await);
            }
            ETCD_KILLED => {
                self.ground.plane.stop_etcd();
                self.later(Duration::ZERO, async |objects| objects.ground.plane.start_etcd().await);
            }
            RIGHTS_TAKEN => {
                let taken = self.take_rights().await;
                self.later(AWAY, async move |objects| objects.give_rights(&taken).await);
            }
            ETCD_RESTORED => {
                let saved = self.before(|before| before.etcd.clone()).expect("etcd's data were saved");
                self.ground.plane.stop_apiserver();
                self.later(Duration::ZERO, async move |objects| objects.ground.plane.restore_etcd(&saved).await);
            }
            _ => panic!("nobody knows how to make this happen: {what}"),
        }
    }

    /// What somebody else sets the seats to: between what is there and what is wanted.
    fn others_seats(&self) -> i32 {
        let seats = self.edit["seats"].as_i64().expect("the scenario's edit has seats");
        i32::try_from(seats).expect("a number of seats")
    }

    fn bindings(&self) -> Api<ClusterRoleBinding> {
        Api::all(self.ground.client.clone())
    }

    /// Removes what binds the operator to its rights, all but those on its Lease.
    async fn take_rights(&self) -> Vec<ClusterRoleBinding> {
        let chart = ListParams::default().labels("app.kubernetes.io/name=seatkeeper");
        let found = self.bindings().list(&chart).await.expect("the apiserver answers").items;
        assert!(!found.is_empty(), "the chart binds the operator to its rights");
        for binding in &found {
            let name = binding.metadata.name.as_deref().unwrap_or_default();
            self.bindings().delete(name, &DeleteParams::default()).await.expect("take the rights away");
        }
        found
    }

    async fn give_rights(&self, taken: &[ClusterRoleBinding]) {
        for binding in taken {
            let mut again = binding.clone();
            (again.metadata.resource_version, again.metadata.uid) = (None, None);
            self.bindings().create(&PostParams::default(), &again).await.expect("give the rights back");
        }
    }

    /// What the second object wants: something else.
    fn rival(&self) -> Value {
        let mut spec = self.before(|before| before.spec.clone());
        for (key, value) in self.edit.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        spec
    }

    /// On a thread of its own, for what starts servers cannot move between threads.
    fn later(&self, wait: Duration, deed: impl AsyncFnOnce(Self) + Send + 'static) {
        let (objects, runtime) = (self.clone(), Handle::current());
        tokio::task::spawn_blocking(move || {
            runtime.block_on(async {
                tokio::time::sleep(wait).await;
                deed(objects.clone()).await;
                objects.count();
            });
        });
    }
}
