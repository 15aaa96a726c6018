//! What every pass shares.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::reflector::Store;
use kube::{Api, Client, Resource, ResourceExt};
use tokio_util::sync::CancellationToken;

use super::Leadership;
use super::crd::Crd;
use super::hosts::Hosts;
use super::memory::{Key, Memory};
use super::pools::Pools;
use super::watched::Watched;
use crate::metrics::Metrics;
use crate::plan::{Notice, Timing};
use crate::vendors::Vendors;

/// How the operator behaves; each field is a flag.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Only this namespace, or all.
    pub namespace: Option<String>,
    /// Shortest interval between two readings of one object.
    pub min_interval: Duration,
    /// Settle times of the purchase protocol.
    pub timing: Timing,
    /// From before the intent is written to the last byte leaving.
    pub send_deadline: Duration,
    /// How often a Secret is looked at while an object waits for it.
    pub secret_recheck: Duration,
    /// How often refused credentials are tried although nothing has changed.
    pub credential_probe: Duration,
    /// Passes at the same time.
    pub concurrency: u16,
    /// What the test of the tests leaves out; a release build has no such thing.
    #[cfg(debug_assertions)]
    pub weakness: Option<super::Weakness>,
}

/// What every pass shares.
pub struct Context {
    /// For the apiserver; without retries of its own.
    pub client: Client,
    /// For vendors.
    pub vendors: Vendors,
    /// How to behave.
    pub settings: Settings,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether anything may be done at all.
    pub leadership: Leadership,
    /// Ends sending.
    pub shutdown: CancellationToken,
    pub(super) memory: Memory,
    pub(super) pools: Pools,
    pub(super) hosts: Hosts,
    pub(super) crd: Crd,
    /// The watch's cache, once there is one.
    pub(super) watched: OnceLock<Store<Watched>>,
    /// Name of this process in intent ids.
    pub(super) writer: String,
    recorder: Recorder,
}

impl Context {
    /// Puts the parts together.
    pub fn new(
        client: Client,
        vendors: Vendors,
        settings: Settings,
        metrics: Arc<Metrics>,
        leadership: Leadership,
        writer: String,
        shutdown: CancellationToken,
    ) -> Self {
        let reporter = Reporter { controller: "seatkeeper".into(), instance: None };
        let recorder = Recorder::new(client.clone(), reporter);
        let pools = Pools::new(settings.timing.unanswered.max(settings.timing.answered));
        let hosts = Hosts::new(settings.concurrency.into());
        Self {
            client,
            vendors,
            settings,
            metrics,
            leadership,
            shutdown,
            memory: Memory::default(),
            pools,
            hosts,
            crd: Crd::default(),
            watched: OnceLock::new(),
            writer,
            recorder,
        }
    }

    /// The wall clock, for records.
    pub(super) fn now() -> Timestamp {
        crate::clock::now()
    }

    /// Tells people; a failure is only logged, for the status says the same.
    pub(super) async fn tell(&self, object: &Watched, notice: Notice) {
        let event = Event {
            type_: if notice.warning { EventType::Warning } else { EventType::Normal },
            reason: notice.reason.into(),
            note: Some(notice.note.chars().take(1000).collect()),
            action: notice.action,
            secondary: None,
        };
        let reference = object.object_ref(&());
        let published = self.recorder.publish(&event, &reference);
        match tokio::time::timeout(Duration::from_secs(5), published).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(object = %object.name_any(), %error, "event not published"),
            Err(_) => tracing::warn!(object = %object.name_any(), "event not published within 5 s"),
        }
    }

    /// Number of the newest term, whether or not it was begun here.
    pub(super) fn term(&self) -> u64 {
        self.leadership.clone().next_term(0).now_or_never().flatten().unwrap_or_default()
    }

    /// The objects this process is for, as metadata alone.
    pub(super) fn api(&self) -> Api<Watched> {
        match &self.settings.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }

    /// Every object the watch knows of.
    pub(super) fn all_watched(&self) -> Vec<Arc<Watched>> {
        self.watched.get().map(Store::state).unwrap_or_default()
    }

    /// How many they are.
    pub(super) fn watched_count(&self) -> u32 {
        u32::try_from(self.watched.get().map_or(0, Store::len)).unwrap_or(u32::MAX)
    }

    /// Forgets an object that is gone, and its metrics.
    pub(super) fn forget(&self, key: &Key) {
        self.memory.forget(key);
        self.pools.forget(key);
        self.metrics.forget(&key.0, &key.1);
    }

    /// Forgets every object, and its metrics.
    pub(super) fn forget_all(&self) {
        for key in self.memory.keys() {
            self.forget(&key);
        }
        self.metrics.forget_all();
    }

    /// Forgets the objects that the watch does not know any more.
    pub(super) fn forget_the_gone(&self) {
        let there: HashSet<Key> = self.all_watched().iter().map(|object| key_of(object)).collect();
        for key in self.memory.keys() {
            if !there.contains(&key) {
                self.forget(&key);
            }
        }
    }
}

/// Namespace and name of an object.
pub(super) fn key_of(object: &Watched) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}
