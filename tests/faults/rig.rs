//! The stage of one case: its own namespace, vendor, proxy and operator processes, restarted as a Deployment would.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fault_proxy::{Deed, Hand, Proxy, Upstream};
use futures::FutureExt;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::DeleteParams;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{Operator, SYSTEM_NAMESPACE, http_get, wait_for};
use serde_json::Value;
use tokio::sync::watch;
use vendor_sim::{BillingPath, Bitwarden, Fault, FaultKind, FaultView, Options, OrganizationKey, Role, Simulator};

use crate::actions::Crew;
use crate::case::Case;
use crate::flaw::Processes;
use crate::ground::Ground;
use crate::happenings::{CaseObjects, TOLD_TO_END, deed};
use crate::keys::stage::tenant;
use crate::scenario::{AtPurchase, LATE, Scenario};

/// The longest wait for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// What the operator says when it is told to end.
const STOPS: &str = "stopping: requests in flight";

/// Read by debug builds of the operator alone: so many seconds its wall clock is off.
const CLOCK: &str = "SEATKEEPER_TEST_CLOCK_SHIFT";

/// The operator processes.
struct Staff {
    crew: Crew,
    namespace: String,
    kubeconfig: Mutex<PathBuf>,
    allowed: Mutex<String>,
    running: Mutex<Vec<Operator>>,
    /// Logs of those that were killed.
    past: Mutex<String>,
    /// How many were started.
    started: AtomicUsize,
    expected: AtomicBool,
    ended_alone: AtomicUsize,
    /// The vendor's pause that a kill waits for.
    pause: Mutex<Option<u64>>,
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
        let mut environment: Vec<(&str, &str)> = self.crew.environment.clone();
        let nth = self.started.fetch_add(1, Ordering::SeqCst);
        environment.extend(self.crew.clocks.iter().cycle().nth(nth).map(|shift| (CLOCK, shift.as_str())));
        Operator::start_in(&environment, &kubeconfig, &self.crew.binary, &self.namespace, &flags)
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

/// What every run of this build is played with, where a scenario does not say otherwise.
pub fn conditions() -> String {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let (shown, changed) = (serde_json::to_value(tenant()).unwrap_or_default(), tenant().changed());
    let changed: Vec<_> =
        changed.iter().map(|name| format!("{name} {}", shown[name].to_string().trim_matches('"'))).collect();
    format!(
        "faults: played with a {profile} build; the vendor by default: {}; the tenant of license keys is as it is by default, but for {}",
        vendor().switches,
        changed.join(", ")
    )
}

/// The vendor of a case, until its scenario changes it.
fn vendor() -> Options {
    Options::hurried()
}

/// Where the first purchases of two installations wait for each other, as behind slow connections.
pub struct Meeting {
    arrived: watch::Sender<usize>,
    longest: Duration,
}

impl Meeting {
    pub fn new(longest: Duration) -> Self {
        Self { arrived: watch::Sender::new(0), longest }
    }

    async fn come(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        // Whoever comes too late is not waited for.
        let _ = tokio::time::timeout(self.longest, self.until(2)).await;
    }

    /// Waits until so many have arrived.
    pub async fn until(&self, wanted: usize) {
        let _ = self.arrived.subscribe().wait_for(|arrived| *arrived >= wanted).await;
    }
}

/// The vendor, and what an installation has there.
pub struct Account {
    pub vendor: Arc<Simulator>,
    pub key: OrganizationKey,
    /// With another installation of the same account.
    pub meeting: Option<Arc<Meeting>>,
}

impl Account {
    /// A new organization at a vendor of its own. Half of the names go each billing path, and a name always the same one; a
    /// scenario may choose.
    pub async fn new(scenario: &Scenario, name: &str) -> Self {
        let vendor = Arc::new(Simulator::start(vendor()).await.expect("simulator"));
        let mut organization = (scenario.organization)();
        organization.billing_path.get_or_insert_with(|| BillingPath::of_name(name));
        let key = vendor.bitwarden().add_organization(organization);
        Self { vendor, key, meeting: None }.seen_by(scenario)
    }

    /// With the key that a scenario uses.
    pub fn seen_by(mut self, scenario: &Scenario) -> Self {
        if scenario.by_owner {
            let owner = self.vendor.bitwarden().add_user_key(&self.key.id, Role::Owner);
            (self.key.client_id, self.key.client_secret) = (owner.client_id, owner.client_secret);
        }
        self
    }
}

/// The stage.
pub struct Rig {
    pub proxy: Proxy,
    pub objects: CaseObjects,
    leases: Api<Lease>,
    _vendor: Arc<Simulator>,
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
    pub async fn new(ground: &Arc<Ground>, case: &Case) -> Self {
        let account = Account::new(&case.scenario, &case.to_string()).await;
        Self::at(ground, &case.scenario, case.crew.clone(), account).await
    }

    /// On an account that is there already, and that others may use as well.
    pub async fn at(ground: &Arc<Ground>, scenario: &Scenario, crew: Crew, account: Account) -> Self {
        let Account { vendor, key, meeting } = account;
        let namespace = ground.plane.namespace("fault").await;
        let staff = Arc::new(Staff {
            crew,
            namespace: namespace.clone(),
            kubeconfig: Mutex::default(),
            allowed: Mutex::default(),
            running: Mutex::default(),
            past: Mutex::default(),
            started: AtomicUsize::new(0),
            expected: AtomicBool::new(false),
            ended_alone: AtomicUsize::new(0),
            pause: Mutex::default(),
        });
        let leases: Api<Lease> = Api::namespaced(ground.client.clone(), SYSTEM_NAMESPACE);
        let upstream = Upstream::new(vendor.address(), "localhost", &vendor.ca_pem()).expect("the simulator");
        let (objects, hand) = {
            let ground = Arc::clone(ground);
            let (bitwarden, edit) = (vendor.bitwarden(), scenario.edit.0.clone());
            // The proxy knows its address only once it runs, and needs its hand before that.
            let (server, before, done) = (Arc::default(), Arc::default(), Arc::default());
            let objects = CaseObjects { ground, namespace, bitwarden, key, server, edit, before, done };
            (objects.clone(), hand(&staff, &leases, objects, (scenario.at_purchase, meeting)))
        };
        let proxy = Proxy::start(&ground.identity, ground.apiserver.clone(), upstream, hand).await.expect("a proxy");
        staff.crew.lacks.into_iter().for_each(|part| proxy.take_away(part));
        *lock(&objects.server) = proxy.vendor_url();
        *lock(&staff.kubeconfig) = ground.kubeconfig(&proxy);
        *lock(&staff.allowed) = proxy.vendor_host();
        let tended = Arc::clone(&staff);
        let tending = tokio::spawn(async move {
            loop {
                tended.tend();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let rig = Self { proxy, objects, leases, _vendor: vendor, staff, tending };
        rig.objects.secret().await;
        rig.start().await;
        rig
    }

    /// The first replica leads before the next one starts.
    async fn start(&self) {
        for replica in 0..self.staff.crew.replicas.len() {
            let operator = self.staff.start(replica);
            lock(&self.staff.running).push(operator);
            wait_for("the operator to be ready", PATIENCE, async || {
                let address = lock(&self.staff.running)[replica].address();
                http_get(address, "/readyz").await.is_ok_and(|reply| reply.status == 200).then_some(())
            })
            .await;
            wait_for("a leader", PATIENCE, async || {
                let lease = self.leases.get_opt(&lease_name(&self.objects.namespace)).await.ok()??;
                lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
            })
            .await;
        }
    }

    /// Declares with the first pass held back.
    pub async fn declare_held(&self, spec: &Value) {
        tokio::join!(self.proxy.hold(), self.objects.declare("acme", spec));
    }

    /// Remembers spec and status as they are now, for what may be restored later.
    pub async fn remember(&self, spec: &Value, etcd: bool) {
        let object = self.objects.seats().get_opt("acme").await.expect("the apiserver answers");
        let status = object.and_then(|object| object.status);
        let etcd = etcd.then(|| self.objects.ground.plane.save_etcd());
        let mut before = lock(&self.objects.before);
        before.spec = spec.clone();
        before.status = serde_json::to_value(status).expect("JSON");
        before.etcd = etcd;
    }

    /// Waits until an object made now is younger than ours, in the apiserver's whole seconds.
    pub async fn until_older(&self) {
        let object = self.objects.seats().get("acme").await.expect("the object");
        let made = object.metadata.creation_timestamp.expect("a stored object has a time").0;
        let older = async || (Timestamp::now().as_second() > made.as_second()).then_some(());
        wait_for("the next second", PATIENCE, older).await;
    }

    /// The status of an object, if it is of its newest spec.
    pub async fn status(&self, name: &str) -> Option<LicenseSeatsStatus> {
        let object = self.objects.seats().get(name).await.ok()?;
        let generation = object.metadata.generation.unwrap_or_default();
        object.status.filter(|status| status.observed_generation == generation)
    }

    pub fn key(&self) -> &OrganizationKey {
        &self.objects.key
    }
    pub fn bitwarden(&self) -> &Bitwarden {
        &self.objects.bitwarden
    }
    pub fn log(&self) -> String {
        self.staff.log()
    }

    /// Whoever looks for the Lease next leads.
    pub async fn delete_lease(&self) {
        let _ = self.leases.delete(&lease_name(&self.objects.namespace), &DeleteParams::default()).await;
    }

    /// How many of the processes that run now have led.
    pub fn leaders(&self) -> usize {
        lock(&self.staff.running).iter().filter(|operator| operator.log().contains(" leading me=")).count()
    }

    /// How those that run and those before them fared.
    pub fn processes(&self) -> Processes {
        Processes::of(&self.log(), self.staff.ended_alone.load(Ordering::SeqCst))
    }
}

/// The vendor's pause within the next purchase; the story's own, if it has one.
fn pause(objects: &CaseObjects) -> u64 {
    let vendor = &objects.bitwarden;
    let is_pause = |view: &FaultView| matches!(view.fault.kind, FaultKind::PauseBetweenReads { .. }) && view.fired == 0;
    if let Some(own) = vendor.faults().into_iter().find(is_pause) {
        return own.id;
    }
    let ms = u64::try_from(LATE.as_millis()).unwrap_or_default();
    let pause = FaultKind::PauseBetweenReads { ms };
    vendor.inject(if objects.by_owner() { Fault::on_owner_write(pause) } else { Fault::on_put(pause) })
}

/// Waits until the pause has begun.
async fn until_paused(vendor: Bitwarden, pause: Option<u64>) {
    while pause.is_none_or(|pause| vendor.fired(pause) == 0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn lease_name(namespace: &str) -> String {
    format!("seatkeeper-{namespace}")
}

/// Lets it happen. An operator that is killed with it is stopped before, so that it learns of nothing, and the next one starts
/// when all is done.
async fn happen(staff: &Staff, leases: &Api<Lease>, objects: &CaseObjects, what: &'static str) {
    if what == TOLD_TO_END {
        staff.expected.store(true, Ordering::SeqCst);
        staff.signal("TERM");
        while !staff.log().contains(STOPS) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        return;
    }
    let (deed, killed) = deed(what);
    if killed {
        staff.signal("STOP");
    }
    objects.happen(deed).await;
    if killed {
        staff.expected.store(true, Ordering::SeqCst);
        staff.signal("KILL");
        let _ = leases.delete(&lease_name(&staff.namespace), &DeleteParams::default()).await;
    }
}

fn hand(
    staff: &Arc<Staff>,
    leases: &Api<Lease>,
    objects: CaseObjects,
    (at_purchase, meeting): (AtPurchase, Option<Arc<Meeting>>),
) -> Hand {
    let (staff, leases, once) = (Arc::clone(staff), leases.clone(), Arc::new(AtomicBool::new(false)));
    Arc::new(move |deed| {
        let (staff, leases, objects, once) = (Arc::clone(&staff), leases.clone(), objects.clone(), Arc::clone(&once));
        let meeting = meeting.clone();
        async move {
            match deed {
                Deed::Kill => {
                    staff.expected.store(true, Ordering::SeqCst);
                    staff.signal("KILL");
                }
                Deed::PauseVendor => *lock(&staff.pause) = Some(pause(&objects)),
                Deed::AwaitPause => {
                    let pause = *lock(&staff.pause);
                    until_paused(objects.bitwarden, pause).await;
                }
                Deed::Stop => staff.signal("STOP"),
                Deed::Continue => staff.signal("CONT"),
                Deed::DeleteLease => {
                    let _ = leases.delete(&lease_name(&staff.namespace), &DeleteParams::default()).await;
                }
                Deed::Happen(what) => happen(&staff, &leases, &objects, what).await,
                Deed::Purchase if once.swap(true, Ordering::SeqCst) => {}
                Deed::Purchase => match at_purchase {
                    AtPurchase::Nothing => {
                        if let Some(meeting) = meeting {
                            meeting.come().await;
                        }
                    }
                    AtPurchase::ThirdParty(seats) => {
                        objects.bitwarden.set_seats(&objects.key.id, seats).expect("the vendor allows it");
                    }
                    AtPurchase::FailReadings => {
                        let fails =
                            || FaultKind::Answer { status: 500, headers: [].into(), body: String::new(), apply: false };
                        objects.bitwarden.inject(Fault::on_get(fails()).times(2));
                        objects.bitwarden.inject(Fault::on_owner_read(fails()).times(2));
                    }
                    AtPurchase::ExpireTokens => objects.bitwarden.expire_tokens(),
                },
            }
        }
        .boxed()
    })
}
