//! Many objects seen through one watch: waiting for hundreds of them costs the apiserver nothing.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use seatkeeper::api::{LicenseSeats, LicenseSeatsStatus};
use seatkeeper_support::wait_for;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, said};

/// A change of seats as it was first seen on record, and the object's spec in that very version.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub name: String,
    pub uid: Option<String>,
    pub id: String,
    pub from: i32,
    pub to: i32,
    /// The seats that the spec asked for.
    pub asked: Option<i32>,
    /// The spec let nothing be sent: suspended, or only observing.
    pub still: bool,
    /// When it was decided, in whole seconds.
    pub since: Timestamp,
    /// From when on the record was seen to be closed, or to be another one.
    pub until: Option<Timestamp>,
}

impl Recorded {
    fn of(object: &DynamicObject) -> Option<Self> {
        let (intent, spec) = (&object.data["status"]["intent"], &object.data["spec"]);
        let number = |value: &Value| value.as_i64().and_then(|number| i32::try_from(number).ok());
        let step = &intent["step"]["seats"];
        Some(Self {
            name: object.name_any(),
            uid: object.uid(),
            id: intent["id"].as_str()?.to_owned(),
            from: number(&step["from"])?,
            to: number(&step["to"])?,
            asked: number(&spec["seats"]),
            still: spec["suspend"] == true || spec["managementPolicy"] == "Observe",
            since: intent["time"].as_str()?.parse().ok()?,
            until: None,
        })
    }

    /// Another version of the object of this name was seen. What one left open that is gone is over when the next records a change.
    fn see(&mut self, object: &DynamicObject, now: Timestamp) {
        let intent = &object.data["status"]["intent"];
        let phase = intent["phase"].as_str().unwrap_or_default();
        let is_open = matches!(phase, "Open" | "Answered" | "Unanswered" | "Settling");
        let (same, records) = (self.uid == object.uid(), intent["id"].as_str());
        let ours = records == Some(self.id.as_str());
        if self.name == object.name_any() && if same { !ours || !is_open } else { records.is_some() && !ours } {
            self.until.get_or_insert(now);
        }
    }
}

/// The objects of a world's namespace, always up to date.
pub struct Mirror {
    store: Store<DynamicObject>,
    recorded: Arc<Mutex<Vec<Recorded>>>,
    resource: ApiResource,
    namespace: String,
    watching: JoinHandle<()>,
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

impl Mirror {
    pub async fn of(world: &World) -> Self {
        let resource = ApiResource::erase::<LicenseSeats>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(world.plane.admin(), &world.namespace, &resource);
        let writer = kube::runtime::reflector::store::Writer::new(resource.clone());
        let store = writer.as_reader();
        let events = watcher(api, watcher::Config::default()).default_backoff().reflect(writer);
        let recorded: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let record = Arc::clone(&recorded);
        let watching = tokio::spawn(events.for_each(move |event| {
            if let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) = &event {
                let mut all = record.lock().unwrap_or_else(PoisonError::into_inner);
                all.iter_mut().for_each(|known| known.see(object, Timestamp::now()));
                let new = Recorded::of(object).filter(|new| all.iter().all(|known| known.id != new.id));
                all.extend(new);
            }
            std::future::ready(())
        }));
        store.wait_until_ready().await.expect("the watch begins");
        Self { store, recorded, resource, namespace: world.namespace.clone(), watching }
    }

    /// The changes that were recorded for the objects of this name, in their order.
    pub fn recorded(&self, name: &str) -> Vec<Recorded> {
        let all = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|recorded| recorded.name == name).cloned().collect()
    }

    /// uid, generation and status of an object; a status that does not parse counts as none.
    pub fn get(&self, name: &str) -> Option<(String, i64, LicenseSeatsStatus)> {
        let key = ObjectRef::new_with(name, self.resource.clone()).within(&self.namespace);
        let object = self.store.get(&key)?;
        let status = object.data.get("status").cloned().and_then(|status| serde_json::from_value(status).ok());
        Some((object.uid()?, object.metadata.generation?, status.unwrap_or_default()))
    }

    /// Asks for a pass, and waits until one has handled the present spec and nothing is under way any more.
    pub async fn until_settled(&self, tenant: &Tenant<'_>, word: &str) -> LicenseSeatsStatus {
        tenant.world.annotate(&tenant.name, "seatkeeper.dev/reconcile-requested-at", word).await;
        let last = std::cell::RefCell::new(None);
        let settled = async || {
            let (_, generation, status) = self.get(&tenant.name)?;
            let over = status.observed_generation == generation
                && status.last_handled_reconcile_at.as_deref() == Some(word)
                && status.intent.as_ref().is_none_or(|intent| !intent.is_open())
                && said(&status, "Reconciling").is_empty()
                && !["OutcomeUnknown", "Settling"].iter().any(|waits| said(&status, "ChangePending").ends_with(waits));
            last.replace(Some(status.clone()));
            over.then_some(status)
        };
        match tokio::time::timeout(PATIENCE * 4, wait_for("never", PATIENCE * 9, settled)).await {
            Ok(status) => status,
            Err(_) => panic!(
                "{}: not settled after {word}: {:#?}\n{}",
                tenant.name,
                last.borrow(),
                tenant.world.operator.log_tail(20)
            ),
        }
    }
}

/// Flags for many objects at a time: a busy machine must not cost the operator its Lease, which is not the subject.
pub fn patient() -> Vec<&'static str> {
    fast_but(&["--lease-duration=30s", "--lease-renew-deadline=20s"])
}

/// The seed of a generated test: `SEED`, or another one each time. It is printed, for a failure to be repeated.
pub fn seed(test: &str) -> u64 {
    let seed = match std::env::var("SEED") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("SEED={text:?} is not a number. An example: SEED=7")),
        Err(_) => fastrand::u64(..1_000_000_000),
    };
    eprintln!("{test}: SEED={seed}");
    seed
}
