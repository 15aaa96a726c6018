//! The stage of one case: its own namespace, vendor, proxy and operator processes, restarted as a Deployment would.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fault_proxy::{Deed, Hand, Identity, Proxy, Upstream};
use futures::FutureExt;
use k8s_openapi::ByteString;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use seatkeeper::api::{LicenseSeats, LicenseSeatsStatus, SECRET_TYPE};
use seatkeeper_support::{ControlPlane, Operator, SYSTEM_NAMESPACE, http_get, scratch_dir, wait_for};
use serde_json::{Value, json};
use vendor_sim::{Bitwarden, Options, OrganizationKey, Simulator};

use crate::actions::Crew;
use crate::scenario::{AtPurchase, Scenario};

/// The longest wait for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// What all cases share.
pub struct Ground {
    pub plane: &'static ControlPlane,
    pub client: Client,
    identity: Identity,
    token: String,
    apiserver: Upstream,
}

impl Ground {
    pub async fn new() -> Self {
        let plane = ControlPlane::shared().await;
        let kubeconfig = std::fs::read_to_string(plane.operator_kubeconfig().await).expect("a kubeconfig");
        let between = |from: &str, to: char| {
            let rest = kubeconfig.split(from).nth(1).expect("a complete kubeconfig");
            rest.split(to).next().unwrap_or_default().trim().trim_matches('"').to_owned()
        };
        let ca: ByteString =
            serde_json::from_value(json!(between("certificate-authority-data:", '}'))).expect("base64");
        let ca = String::from_utf8(ca.0).expect("PEM");
        let address = plane.server().trim_start_matches("https://").parse().expect("an address");
        Self {
            plane,
            client: plane.admin(),
            identity: Identity::new().expect("certificates"),
            token: between("token:", '}'),
            apiserver: Upstream::new(address, "127.0.0.1", &ca).expect("the apiserver"),
        }
    }

    fn kubeconfig(&self, proxy: &Proxy) -> PathBuf {
        let ca = serde_json::to_value(ByteString(self.identity.ca_pem.clone().into_bytes())).expect("base64");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{ "name": "it", "context": { "cluster": "it", "namespace": SYSTEM_NAMESPACE, "user": "it" } }],
            "clusters": [{ "name": "it", "cluster": {
                "server": proxy.apiserver_url(), "certificate-authority-data": ca,
            } }],
            "users": [{ "name": "it", "user": { "token": self.token } }],
        });
        let path = scratch_dir("fault").join("kubeconfig");
        std::fs::write(&path, config.to_string()).expect("a kubeconfig");
        path
    }
}

/// The operator processes.
struct Staff {
    crew: Crew,
    namespace: String,
    kubeconfig: Mutex<PathBuf>,
    allowed: Mutex<String>,
    running: Mutex<Vec<Operator>>,
    /// Logs of those that were killed.
    past: Mutex<String>,
    expected: AtomicBool,
    ended_alone: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Staff {
    fn start(&self, replica: usize) -> Operator {
        let allowed = format!("--allowed-host={}", lock(&self.allowed));
        let mut flags = self.crew.replicas[replica].clone();
        flags.push(&allowed);
        let kubeconfig = lock(&self.kubeconfig).clone();
        Operator::start_in(&self.crew.environment, &kubeconfig, &self.crew.binary, &self.namespace, &flags)
    }

    /// Puts a new process in the place of one that has ended, as a Deployment does.
    fn tend(&self) {
        let mut running = lock(&self.running);
        for replica in 0..running.len() {
            if running[replica].try_exit().is_none() {
                continue;
            }
            // A free port is free when it is chosen, and may be somebody else's a moment later.
            let no_port = running[replica].log().contains("Address already in use");
            if !no_port && !self.expected.swap(false, Ordering::SeqCst) {
                self.ended_alone.fetch_add(1, Ordering::SeqCst);
            }
            lock(&self.past).push_str(&running[replica].log());
            running[replica] = self.start(replica);
        }
    }

    fn log(&self) -> String {
        let now: String = lock(&self.running).iter().map(|operator| operator.log()).collect();
        format!("{}{now}", lock(&self.past))
    }

    fn signal(&self, signal: &str) {
        if let Some(first) = lock(&self.running).first() {
            first.signal(signal);
        }
    }
}

/// The stage.
pub struct Rig {
    pub namespace: String,
    pub proxy: Proxy,
    pub key: OrganizationKey,
    vendor: Simulator,
    client: Client,
    staff: Arc<Staff>,
    tending: tokio::task::JoinHandle<()>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.tending.abort();
        lock(&self.staff.running).clear();
    }
}

impl Rig {
    /// Sets up everything until just before what is counted.
    pub async fn new(ground: &Ground, scenario: &Scenario, crew: Crew) -> Self {
        let namespace = ground.plane.namespace("fault").await;
        let vendor = Simulator::start(Options::default()).await.expect("simulator");
        let key = vendor.bitwarden().add_organization((scenario.organization)());
        let staff = Arc::new(Staff {
            crew,
            namespace: namespace.clone(),
            kubeconfig: Mutex::default(),
            allowed: Mutex::default(),
            running: Mutex::default(),
            past: Mutex::default(),
            expected: AtomicBool::new(false),
            ended_alone: AtomicUsize::new(0),
        });
        let leases: Api<Lease> = Api::namespaced(ground.client.clone(), SYSTEM_NAMESPACE);
        let hand = hand(&staff, &leases, &vendor, &key, scenario.at_purchase);
        let upstream = Upstream::new(vendor.address(), "localhost", &vendor.ca_pem()).expect("the simulator");
        let proxy = Proxy::start(&ground.identity, ground.apiserver.clone(), upstream, hand).await.expect("a proxy");
        *lock(&staff.kubeconfig) = ground.kubeconfig(&proxy);
        *lock(&staff.allowed) = proxy.vendor_host();
        let tended = Arc::clone(&staff);
        let tending = tokio::spawn(async move {
            loop {
                tended.tend();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let client = ground.client.clone();
        let rig = Self { namespace, proxy, key, vendor, client, staff, tending };
        rig.secret(&ground.identity.ca_pem).await;
        rig.start(&leases).await;
        rig
    }

    async fn secret(&self, ca: &str) {
        let secret = json!({
            "metadata": { "name": "key" }, "type": SECRET_TYPE,
            "stringData": {
                "clientId": self.key.client_id, "clientSecret": self.key.client_secret,
                "server": self.proxy.vendor_url(), "ca.crt": ca,
            },
        });
        let secret: Secret = serde_json::from_value(secret).expect("a Secret");
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        secrets.create(&PostParams::default(), &secret).await.expect("create the Secret");
    }

    /// The first replica leads before the next one starts.
    async fn start(&self, leases: &Api<Lease>) {
        for replica in 0..self.staff.crew.replicas.len() {
            let operator = self.staff.start(replica);
            lock(&self.staff.running).push(operator);
            wait_for("the operator to be ready", PATIENCE, async || {
                let address = lock(&self.staff.running)[replica].address();
                http_get(address, "/readyz").await.is_ok_and(|reply| reply.status == 200).then_some(())
            })
            .await;
            wait_for("a leader", PATIENCE, async || {
                let lease = leases.get_opt(&lease_name(&self.namespace)).await.ok()??;
                lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
            })
            .await;
        }
    }

    fn seats(&self) -> Api<LicenseSeats> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn declare(&self, spec: &Value) {
        let object = json!({
            "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats", "metadata": { "name": "acme" },
            "spec": {
                "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "key" } } },
                "seats": spec["seats"], "limit": spec["limit"], "interval": "1s",
            },
        });
        let object: LicenseSeats = serde_json::from_value(object).expect("a LicenseSeats");
        self.seats().create(&PostParams::default(), &object).await.expect("the object is admitted");
    }

    pub async fn edit(&self, spec: &Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.seats().patch("acme", &PatchParams::default(), &patch).await.expect("the edit is admitted");
    }

    /// The status and whether it is of the newest spec.
    pub async fn status(&self) -> Option<LicenseSeatsStatus> {
        let object = self.seats().get("acme").await.ok()?;
        let generation = object.metadata.generation.unwrap_or_default();
        object.status.filter(|status| status.observed_generation == generation)
    }

    pub fn bitwarden(&self) -> Bitwarden {
        self.vendor.bitwarden()
    }
    pub fn log(&self) -> String {
        self.staff.log()
    }

    /// Processes that ended although nobody killed them.
    pub fn ended_alone(&self) -> usize {
        self.staff.ended_alone.load(Ordering::SeqCst)
    }
}

fn lease_name(namespace: &str) -> String {
    format!("seatkeeper-{namespace}")
}

fn hand(
    staff: &Arc<Staff>,
    leases: &Api<Lease>,
    vendor: &Simulator,
    key: &OrganizationKey,
    at_purchase: AtPurchase,
) -> Hand {
    let (staff, leases, bitwarden) = (Arc::clone(staff), leases.clone(), vendor.bitwarden());
    let (key, once) = (key.clone(), Arc::new(AtomicBool::new(false)));
    Arc::new(move |deed| {
        let (staff, leases, bitwarden) = (Arc::clone(&staff), leases.clone(), bitwarden.clone());
        let (key, once) = (key.clone(), Arc::clone(&once));
        async move {
            match deed {
                Deed::Kill => {
                    staff.expected.store(true, Ordering::SeqCst);
                    staff.signal("KILL");
                }
                Deed::Stop => staff.signal("STOP"),
                Deed::Continue => staff.signal("CONT"),
                Deed::DeleteLease => {
                    let _ = leases.delete(&lease_name(&staff.namespace), &DeleteParams::default()).await;
                }
                Deed::Purchase if once.swap(true, Ordering::SeqCst) => {}
                Deed::Purchase => match at_purchase {
                    AtPurchase::Nothing => {}
                    AtPurchase::ThirdParty(seats) => {
                        bitwarden.set_seats(&key.id, seats).expect("the vendor allows it");
                    }
                    AtPurchase::ExpireTokens => bitwarden.expire_tokens(),
                },
            }
        }
        .boxed()
    })
}
