//! The state that all passes share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use kube::{Api, Client, ResourceExt};
use tokio_util::sync::CancellationToken;

use super::Leadership;
use super::apiserver_outage::Apiserver;
use super::approvals::KnownApprovals;
use super::event_publisher::Events;
use super::host_permits::HostPermits;
use super::object_metadata::ObjectMetadata;
use super::object_state::{Key, ObjectStates, PassRequest};
use super::outdated_crd::Crd;
use super::overwritten_status::Suspects;
use super::queue::{Class, Queue};
use super::schedules::Schedules;
use super::shared_registry::Pools;
use super::watched_namespaces::Scope;
use crate::domain::{Ceilings, Timing};
use crate::metrics::Metrics;
use crate::registry::age_of;
use crate::vendors::Vendors;

/// How the operator behaves; each field is a flag.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Only these namespaces; none: all.
    pub namespaces: Vec<String>,
    /// Name of this cluster, for `spec.activeCluster`.
    pub cluster_name: Option<String>,
    /// Shortest interval between two readings of one object.
    pub min_interval: Duration,
    /// The ceilings for every object.
    pub ceilings: Ceilings,
    /// Settle times of the purchase protocol.
    pub timing: Timing,
    /// The longest time from before the intent is written until the last byte leaves.
    pub send_deadline: Duration,
    /// How often unchanged credentials are tried again after a refusal.
    pub credential_probe: Duration,
    /// The number of passes at the same time.
    pub concurrency: u16,
}

/// The parts of a [`Context`].
pub struct Parts {
    /// The client for the apiserver; it makes no retries of its own.
    pub client: Client,
    /// The clients for vendors.
    pub vendors: Vendors,
    /// How to behave.
    pub settings: Settings,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether anything may be done at all.
    pub leadership: Leadership,
    /// Whether it answers.
    pub apiserver: Arc<Apiserver>,
    /// Name of this process in intent ids.
    pub writer: String,
    /// Name of this installation, which all its replicas have.
    pub installation: String,
    /// Ends sending.
    pub shutdown: CancellationToken,
}

/// The state that all passes share.
pub struct Context {
    /// The client for the apiserver; it makes no retries of its own.
    pub client: Client,
    /// The clients for vendors.
    pub vendors: Vendors,
    /// How to behave.
    pub settings: Settings,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether anything may be done at all.
    pub leadership: Leadership,
    /// Ends sending.
    pub shutdown: CancellationToken,
    pub(super) apiserver: Arc<Apiserver>,
    pub(super) states: ObjectStates,
    pub(super) pools: Pools,
    pub(super) host_permits: HostPermits,
    pub(super) crd: Crd,
    /// Which objects have approvals.
    pub(super) approvals: KnownApprovals,
    /// Cron windows, parsed.
    pub(super) schedules: Schedules,
    /// The objects whose status another writer may have written.
    pub(super) suspects: Suspects,
    /// The queue of objects.
    pub(super) queue: Arc<Queue>,
    /// Every object that the watch knows of.
    pub(super) metadata: Mutex<HashMap<Key, Arc<ObjectMetadata>>>,
    /// Name of this process in intent ids.
    pub(super) writer: String,
    /// Name of this installation, which all its replicas have.
    pub(super) installation: String,
    pub(super) events: Events,
}

impl Context {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts { client, vendors, settings, metrics, leadership, apiserver, writer, installation, shutdown } = parts;
        let events = Events::new(client.clone(), &writer, Arc::clone(&apiserver));
        let queue = Arc::new(Queue::default());
        let settle = settings.timing.unanswered.max(settings.timing.answered);
        let pools = Pools::new(settle, Arc::clone(&queue));
        let host_permits = HostPermits::new(settings.concurrency.into(), Arc::clone(&queue));
        Self {
            client,
            vendors,
            settings,
            metrics,
            leadership,
            shutdown,
            apiserver,
            states: ObjectStates::default(),
            pools,
            host_permits,
            crd: Crd::default(),
            approvals: KnownApprovals::default(),
            schedules: Schedules::default(),
            suspects: Suspects::default(),
            queue,
            metadata: Mutex::default(),
            writer,
            installation,
            events,
        }
    }

    /// The wall clock, for records.
    pub(super) fn now() -> Timestamp {
        crate::clock::now()
    }

    /// Number of the newest term, whether or not it was begun here.
    pub(super) fn term(&self) -> u64 {
        self.leadership.clone().next_term(0).now_or_never().flatten().unwrap_or_default()
    }

    /// The scope of this process.
    pub(super) fn scopes(&self) -> Vec<Scope> {
        Scope::of(&self.settings.namespaces)
    }

    /// The objects of a scope, as metadata alone.
    pub(super) fn api(&self, scope: &Scope) -> Api<ObjectMetadata> {
        match scope.namespace() {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    fn metadata(&self) -> MutexGuard<'_, HashMap<Key, Arc<ObjectMetadata>>> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The watch delivers an object: new, changed, or as it was.
    pub(super) fn appeared(&self, object: ObjectMetadata) {
        let (key, requested) = (key_of(&object), PassRequest::of(&object.metadata));
        self.pools.appeared(&key, age_of(&object.metadata));
        self.metadata().insert(key.clone(), Arc::new(object));
        match self.states.news(&key, &requested) {
            Some(class) => self.queue.push(&key, class),
            None => self.suspect(&key),
        }
    }

    /// The watch no longer knows the object. Its state is needed until its pass has ended.
    pub(super) fn disappeared(&self, key: &Key) {
        self.metadata().remove(key);
        self.pools.disappeared(key);
        if !self.queue.remove(key) {
            self.forget(key);
        }
    }

    /// The object as the watch knows it.
    pub(super) fn known(&self, key: &Key) -> Option<Arc<ObjectMetadata>> {
        self.metadata().get(key).cloned()
    }

    /// The objects that the watch knows of.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.metadata().keys().cloned().collect()
    }

    /// Begins a term of leading: each object is read again, including those that a follower skipped or the former
    /// leader left.
    pub(super) fn begin_term(&self, term: u64) {
        let metadata = self.metadata();
        self.pools.begin_term(term, metadata.iter().map(|(key, object)| (key.clone(), age_of(&object.metadata))));
        self.metrics.forget_all();
        let mut keys: Vec<&Key> = metadata.keys().collect();
        keys.sort_by_cached_key(|key| metadata.get(*key).map(|object| age_of(&object.metadata)));
        keys.into_iter().for_each(|key| self.queue.push(key, Class::New));
    }

    /// Requests passes for objects whose turns come earlier than announced, for as long as it runs.
    pub(super) async fn follow_turns(&self) {
        loop {
            for key in self.vendors.called().await {
                if let Some(class) = self.states.waits(&key).filter(|_| self.known(&key).is_some()) {
                    self.queue.push(&key, class);
                }
            }
        }
    }

    /// Forgets an object that is gone, and its metrics.
    pub(super) fn forget(&self, key: &Key) {
        self.states.forget(key);
        self.vendors.leave_queues(key);
        self.pools.forget(key);
        self.metrics.forget((&key.0, &key.1));
    }

    /// Puts every object into the queue. Back-off starts anew.
    pub(super) fn look_at_all(&self) {
        self.states.end_back_off();
        for key in self.keys() {
            self.queue.push(&key, Class::Poll);
        }
    }
}

/// Namespace and name of an object.
pub(super) fn key_of(object: &ObjectMetadata) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
impl Context {
    /// The context of a replica that leads for an hour, in term 1, with an apiserver that cannot be reached.
    pub(super) fn of_an_hour() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::try_from(kube::Config::new("http://127.0.0.1:9".parse().unwrap())).unwrap();
        let http = crate::vendors::HttpSettings {
            connect_timeout: MINUTE,
            read_timeout: MINUTE,
            write_timeout: MINUTE,
            credential_probe: MINUTE,
        };
        let bitwarden =
            crate::vendors::BitwardenSettings { account_recheck: MINUTE, client_version: "2026.8.0".into() };
        let metrics = Arc::new(Metrics::default());
        let vendors =
            Vendors::new((http, crate::vendors::Route::default()), bitwarden, Default::default(), metrics.requests())
                .unwrap();
        let settings = Settings {
            namespaces: Vec::new(),
            cluster_name: None,
            ceilings: Ceilings::default(),
            min_interval: MINUTE,
            timing: Timing { answered: MINUTE, unanswered: MINUTE, pause: MINUTE, secret_recheck: MINUTE },
            send_deadline: MINUTE,
            credential_probe: MINUTE,
            concurrency: 32,
        };
        let (leadership, shutdown) = (Leadership::of_an_hour(), CancellationToken::new());
        let (apiserver, writer, installation) = (Arc::default(), "me".into(), "it/seatkeeper".into());
        Self::new(Parts { client, vendors, settings, metrics, leadership, apiserver, writer, installation, shutdown })
    }
}
