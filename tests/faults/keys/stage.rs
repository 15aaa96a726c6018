//! The stage of one case: a namespace, a tenant, the proxy, and an operator that is restarted as a Deployment would.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fault_proxy::{Deed, Hand, Proxy, Upstream};
use futures::FutureExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use seatkeeper::api::{LICENSE_KEY_TYPE, LicenseSeats, LicenseSeatsStatus, SECRET_TYPE};
use seatkeeper_support::Operator;
use serde_json::{Value, json};
use vendor_sim::immuta::{Duplicate, LicenseKey, Switches, Tenant};
use vendor_sim::{Immuta, Options, Simulator};

use crate::actions::Crew;
use crate::flaw::Processes;
use crate::ground::Ground;
use crate::happenings::{LABELED, STATUS_RESTORED};

/// The operator process, and what became of those before it.
struct Shop {
    namespace: String,
    kubeconfig: PathBuf,
    allowed: String,
    crew: Crew,
    running: Mutex<Option<Operator>>,
    past: Mutex<String>,
    killed: AtomicBool,
    ended_alone: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shop {
    /// Sees to it that an operator runs.
    fn tend(&self) {
        let mut running = lock(&self.running);
        if let Some(operator) = running.as_ref() {
            if operator.try_exit().is_none() {
                return;
            }
            let log = operator.log();
            // A free port is free when it is chosen, and may be somebody else's a moment later.
            let in_order = self.killed.swap(false, Ordering::SeqCst) || log.contains("Address already in use");
            self.ended_alone.fetch_add(usize::from(!in_order), Ordering::SeqCst);
            lock(&self.past).push_str(&log);
        }
        let allowed = format!("--allowed-host={}", self.allowed);
        let Crew { binary, replicas, environment, .. } = &self.crew;
        let flags: Vec<&str> = replicas[0].iter().copied().chain([allowed.as_str()]).collect();
        *running = Some(Operator::start_in(environment, &self.kubeconfig, binary, &self.namespace, &flags));
    }

    fn signal(&self, signal: &str) {
        if let Some(operator) = lock(&self.running).as_ref() {
            operator.signal(signal);
        }
    }

    fn act(&self, deed: Deed) {
        match deed {
            Deed::Kill => {
                self.killed.store(true, Ordering::SeqCst);
                self.signal("KILL");
            }
            Deed::Stop => self.signal("STOP"),
            Deed::Continue => self.signal("CONT"),
            Deed::PauseVendor | Deed::AwaitPause | Deed::DeleteLease | Deed::Purchase | Deed::Happen(_) => {}
        }
    }
}

/// The tenant of every case: it makes a second row of a key that it has.
pub fn tenant() -> Switches {
    Switches { duplicate: Duplicate::SecondRow, ..Switches::default() }
}

/// The stage.
pub struct Stage {
    pub proxy: Proxy,
    pub tenant: Immuta,
    pub old: String,
    pub new: String,
    pub foreign: String,
    listed: Mutex<Vec<&'static str>>,
    shop: Arc<Shop>,
    objects: Api<LicenseSeats>,
    secrets: Api<Secret>,
    tending: tokio::task::JoinHandle<()>,
    _vendor: Simulator,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.tending.abort();
        lock(&self.shop.running).take();
    }
}

impl Stage {
    /// A tenant with 10 users and somebody else's key, that makes a second row of a key that it has.
    #[expect(clippy::too_many_lines, reason = "each part needs the ones before it")]
    pub async fn new(ground: &Arc<Ground>, crew: Crew) -> Self {
        let namespace = ground.plane.namespace("keys").await;
        let vendor = Simulator::start(Options::hurried()).await.expect("simulator");
        let tenant = vendor.immuta();
        tenant.switch(|switches| *switches = self::tenant());
        let api_key = tenant.add_tenant(Tenant::new("acme").users(10)).api_key;
        let issue = |seats| tenant.issue(LicenseKey::seats(seats));
        let (old, new, foreign) = (issue(40), issue(50), issue(5));
        tenant.add_by_hand(&foreign).expect("added by hand");

        let upstream = Upstream::new(vendor.address(), "localhost", &vendor.ca_pem()).expect("the simulator");
        let whose: Arc<Mutex<Option<Arc<Shop>>>> = Arc::default();
        let objects: Api<LicenseSeats> = Api::namespaced(ground.client.clone(), &namespace);
        let hand: Hand = {
            let (whose, objects) = (Arc::clone(&whose), objects.clone());
            Arc::new(move |deed| {
                let (shop, objects) = (lock(&whose).clone(), objects.clone());
                async move {
                    shop.iter().for_each(|shop| shop.act(deed));
                    if let Deed::Happen(what) = deed {
                        happen(&objects, what).await;
                    }
                }
                .boxed()
            })
        };
        let proxy = Proxy::start(&ground.identity, ground.apiserver.clone(), upstream, hand).await.expect("a proxy");
        crew.lacks.into_iter().for_each(|part| proxy.take_away(part));
        let shop = Arc::new(Shop {
            namespace: namespace.clone(),
            kubeconfig: ground.kubeconfig(&proxy),
            allowed: proxy.vendor_host(),
            crew,
            running: Mutex::default(),
            past: Mutex::default(),
            killed: AtomicBool::default(),
            ended_alone: AtomicUsize::default(),
        });
        *lock(&whose) = Some(Arc::clone(&shop));
        let tended = Arc::clone(&shop);
        let tending = tokio::spawn(async move {
            loop {
                tended.tend();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let stage = Self {
            objects,
            secrets: Api::namespaced(ground.client.clone(), &namespace),
            listed: Mutex::default(),
            proxy,
            tenant,
            old,
            new,
            foreign,
            shop,
            tending,
            _vendor: vendor,
        };
        let (server, ca) = (stage.proxy.vendor_url(), &ground.identity.ca_pem);
        stage.secret("admin", SECRET_TYPE, json!({ "apiKey": api_key, "server": server, "ca.crt": ca })).await;
        let keys = json!({ "old": stage.old, "new": stage.new, "server": server, "ca.crt": ca });
        stage.secret("keys", LICENSE_KEY_TYPE, keys).await;
        stage
    }

    async fn secret(&self, name: &str, kind: &str, data: Value) {
        let secret = json!({ "metadata": { "name": name }, "type": kind, "stringData": data });
        let secret: Secret = serde_json::from_value(secret).expect("a Secret");
        self.secrets.create(&PostParams::default(), &secret).await.expect("create the Secret");
    }

    pub async fn declare(&self, keys: &[&'static str]) {
        *lock(&self.listed) = keys.to_vec();
        let immuta = json!({
            "credentialsSecretRef": { "name": "admin" }, "licenseKeys": entries(keys), "prune": true,
        });
        let object = json!({
            "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats", "metadata": { "name": "acme" },
            "spec": { "vendor": { "immuta": immuta }, "interval": "1s" },
        });
        let object: LicenseSeats = serde_json::from_value(object).expect("a LicenseSeats");
        self.objects.create(&PostParams::default(), &object).await.expect("the object is admitted");
    }

    pub async fn list(&self, keys: &[&'static str]) {
        *lock(&self.listed) = keys.to_vec();
        let patch = Patch::Merge(json!({ "spec": { "vendor": { "immuta": { "licenseKeys": entries(keys) } } } }));
        self.objects.patch("acme", &PatchParams::default(), &patch).await.expect("the edit is admitted");
    }

    fn texts(&self, listed: bool) -> Vec<&str> {
        let names = lock(&self.listed);
        let all = [("old", self.old.as_str()), ("new", self.new.as_str())];
        all.into_iter().filter(|(name, _)| names.contains(name) == listed).map(|(_, text)| text).collect()
    }

    /// The keys that are declared, and those that are not.
    pub fn listed(&self) -> Vec<&str> {
        self.texts(true)
    }

    pub fn unlisted(&self) -> Vec<&str> {
        self.texts(false)
    }

    /// The status, if it is of the newest spec.
    pub async fn status(&self) -> Option<LicenseSeatsStatus> {
        let object = self.objects.get("acme").await.ok()?;
        let generation = object.metadata.generation.unwrap_or_default();
        object.status.filter(|status| status.observed_generation == generation)
    }

    pub fn log(&self) -> String {
        let now = lock(&self.shop.running).as_ref().map(|operator| operator.log()).unwrap_or_default();
        format!("{}{now}", lock(&self.shop.past))
    }

    /// How the one that runs and those before it fared.
    pub fn processes(&self) -> Processes {
        Processes::of(&self.log(), self.shop.ended_alone.load(Ordering::SeqCst))
    }
}

/// What another program does to the object.
async fn happen(objects: &Api<LicenseSeats>, what: &str) {
    let parameters = PatchParams::default();
    let done = match what {
        LABELED => {
            let patch = Patch::Merge(json!({ "metadata": { "labels": { "team": "finance" } } }));
            objects.patch("acme", &parameters, &patch).await
        }
        STATUS_RESTORED => {
            let patch = Patch::Merge(json!({ "status": null }));
            objects.patch_status("acme", &parameters, &patch).await
        }
        _ => panic!("nobody knows how to make this happen to a tenant: {what}"),
    };
    done.expect("the object is changed");
}

fn entries(keys: &[&str]) -> Value {
    keys.iter().map(|key| json!({ "secretKeyRef": { "name": "keys", "key": key } })).collect()
}
