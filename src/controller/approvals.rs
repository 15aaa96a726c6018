//! `SeatApproval` objects: a watch shows which objects have approvals, and wakes these objects. The approvals of a decision come
//! from a quorum read in its own pass, so that a deleted approval no longer counts.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use kube::api::ListParams;
use kube::core::Request;
use kube::runtime::watcher::Event;
use kube::{Api, Resource, ResourceExt};
use serde::Deserialize;
use serde_json::Value;

use super::object_state::Key;
use super::queue::Class;
use super::seat_approval_metadata::WatchedApproval;
use super::stored_object::bounded;
use super::watched_namespaces::{Scope, watch};
use super::{Context, Error};
use crate::api::{ApprovalPolicy, LicenseSeatsStatus, PlanBlock, SeatApproval};
use crate::domain::{Approval, Desired, fault_of};

const NO_CRD: &str = "the CRD seatapprovals.seatkeeper.dev is not installed: apply it with seatkeeper crd | kubectl apply --server-side -f -";

const NO_RIGHT: &str = "the operator may not list them: its Role must allow get, list and watch on seatapprovals";

/// Which objects have approvals, as the watch knows it.
#[derive(Default)]
pub(super) struct KnownApprovals(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The LicenseSeats of each approval.
    of: HashMap<Key, Key>,
    /// The scopes whose list has arrived and whose watch has not failed since.
    synced: HashSet<Scope>,
    /// The approvals that a new list of each scope has named so far.
    listed: HashMap<Scope, HashSet<Key>>,
    /// Objects with an approval added or deleted since their last pass.
    news: HashSet<Key>,
    /// Objects whose approvals could not be listed when they were read last.
    unlisted: HashSet<Key>,
}

/// The approvals of one object, as they were read for one decision.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadApprovals {
    pub given: Vec<Approval>,
    /// Why they could not be read, as the end of a sentence.
    pub unread: Option<String>,
}

impl KnownApprovals {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event of the watch. Returns the objects that it concerns.
    fn take(&self, scope: &Scope, event: Event<WatchedApproval>) -> Vec<Key> {
        let mut known = self.lock();
        match event {
            Event::Init => {
                known.listed.remove(scope);
                vec![]
            }
            Event::InitApply(approval) => {
                let key = key_of(&approval);
                known.listed.entry(scope.clone()).or_default().insert(key);
                known.apply(&approval)
            }
            Event::Apply(approval) => known.apply(&approval),
            Event::Delete(approval) => known.of.remove(&key_of(&approval)).into_iter().collect(),
            Event::InitDone => {
                known.synced.insert(scope.clone());
                let listed = known.listed.remove(scope).unwrap_or_default();
                let of_it = known.of.keys().filter(|key| scope.has(&key.0));
                let gone: Vec<Key> = of_it.filter(|key| !listed.contains(*key)).cloned().collect();
                // Notes that the approvals can be listed now.
                let unlisted: Vec<Key> = known.unlisted.extract_if(|key| scope.has(&key.0)).collect();
                gone.iter().filter_map(|key| known.of.remove(key)).chain(unlisted).collect()
            }
        }
    }

    /// Notes that an approval of the object was added or deleted.
    fn note(&self, key: &Key) {
        self.lock().news.insert(key.clone());
    }

    /// Whether an approval of the object was added or deleted since the last call.
    pub fn take_news(&self, key: &Key) -> bool {
        self.lock().news.remove(key)
    }

    /// Notes that the approvals of the object cannot be listed. It is woken once they can.
    fn note_unlisted(&self, key: &Key) {
        self.lock().unlisted.insert(key.clone());
    }

    /// Whether an object may have approvals; `None`: that is not known.
    fn has_some(&self, key: &Key) -> Option<bool> {
        let known = self.lock();
        let some = known.of.values().any(|of| of == key);
        let synced = known.synced.iter().any(|scope| scope.has(&key.0));
        if some || synced { Some(some) } else { None }
    }
}

impl Known {
    fn apply(&mut self, approval: &WatchedApproval) -> Vec<Key> {
        let key = key_of(approval);
        let of = reference(&approval.spec).map(|name| (key.0.clone(), name.to_owned()));
        let before = match &of {
            Some(of) => self.of.insert(key, of.clone()).filter(|before| before != of),
            None => self.of.remove(&key),
        };
        of.into_iter().chain(before).collect()
    }
}

fn key_of(approval: &WatchedApproval) -> Key {
    (approval.namespace().unwrap_or_default(), approval.name_any())
}

fn reference(spec: &Value) -> Option<&str> {
    spec.pointer("/licenseSeatsRef/name")?.as_str()
}

/// Wakes objects whose approvals come and go, for as long as it runs. A cluster without the CRD has none.
pub(super) async fn follow(context: &Context) {
    let api = |scope: &Scope| -> Api<WatchedApproval> {
        match scope.namespace() {
            Some(namespace) => Api::namespaced(context.client.clone(), namespace),
            None => Api::all(context.client.clone()),
        }
    };
    let mut events = watch(&context.scopes(), api);
    let mut failing = HashSet::new();
    while let Some((scope, event)) = events.next().await {
        match event {
            Ok(event) => {
                if matches!(event, Event::InitDone) {
                    failing.remove(&scope);
                }
                // A list includes older approvals as well.
                let is_news = matches!(event, Event::Apply(_) | Event::Delete(_));
                for key in context.approvals.take(&scope, event) {
                    if context.known(&key).is_some() {
                        if is_news {
                            context.approvals.note(&key);
                        }
                        context.queue.push(&key, Class::Urgent);
                    }
                }
            }
            Err(error) => {
                context.approvals.lock().synced.remove(&scope);
                if let Some(error) = context.apiserver.tells_of_watch(&scope, error)
                    && failing.insert(scope.clone())
                {
                    tracing::warn!(error, %scope, "watching SeatApprovals failed; the watch is taken up again, and objects that need one are held meanwhile");
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Name,
    #[serde(default)]
    spec: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    name: String,
    deletion_timestamp: Option<Value>,
}

/// The reasons for which an object depends on approvals.
#[derive(Clone, Copy, Debug)]
struct Interest {
    /// `spec.approval` asks for them.
    asks: bool,
    /// The status shows a plan that an approval may deny.
    deniable: bool,
    /// When the plan was shown last, a `SeatApproval` or the lack of one held it.
    held: bool,
}

impl Interest {
    fn of(desired: &Desired, status: &LicenseSeatsStatus) -> Self {
        Self {
            asks: desired.approval != ApprovalPolicy::default(),
            deniable: status.last_plan.as_ref().is_some_and(|plan| !plan.spent),
            held: status.plan.as_ref().is_some_and(|plan| plan.blocked_by.contains(&PlanBlock::Approval)),
        }
    }

    /// Whether to read the approvals, by what the watch knows. Before its first list the watch does not know of a denial either.
    fn reads(self, has_some: Option<bool>) -> bool {
        has_some.unwrap_or(self.asks || self.deniable)
    }
}

/// The approvals of an object, read now. If there can be none, or none would count, nothing is read.
pub(super) async fn read_approvals(
    context: &Context,
    key: &Key,
    desired: &Desired,
    status: &LicenseSeatsStatus,
) -> Result<ReadApprovals, Error> {
    let interest = Interest::of(desired, status);
    if !interest.reads(context.approvals.has_some(key)) {
        return Ok(ReadApprovals::default());
    }
    let request = Request::new(SeatApproval::url_path(&(), Some(&key.0))).list(&ListParams::default());
    let request = request.map_err(kube::Error::BuildRequest)?;
    match bounded(context.client.request::<List>(request)).await {
        Ok(list) => Ok(of_object(list, &key.1)),
        // Without the CRD there is no denial, and without the right to list them nothing was held by one.
        Err(Error::Apiserver(kube::Error::Api(status))) if status.code == 404 && !interest.asks => {
            Ok(ReadApprovals::default())
        }
        Err(Error::Apiserver(kube::Error::Api(status)))
            if status.is_forbidden() && !interest.asks && !interest.held =>
        {
            Ok(ReadApprovals::default())
        }
        Err(Error::Apiserver(kube::Error::Api(status))) if status.code == 404 || status.is_forbidden() => {
            context.approvals.note_unlisted(key);
            let why = if status.code == 404 { NO_CRD } else { NO_RIGHT };
            Ok(ReadApprovals { given: Vec::new(), unread: Some(why.to_owned()) })
        }
        Err(error) => Err(error),
    }
}

/// The approvals of a list that are for this object and are not being deleted.
fn of_object(list: List, name: &str) -> ReadApprovals {
    let mut read = ReadApprovals::default();
    let of_it = |item: &Item| reference(&item.spec) == Some(name) && item.metadata.deletion_timestamp.is_none();
    for Item { metadata: Name { name, .. }, spec } in list.items.into_iter().filter(of_it) {
        let fault = match serde_json::from_value(spec) {
            Ok(spec) => match fault_of(&spec) {
                None => {
                    read.given.push(Approval { name, spec });
                    continue;
                }
                Some(fault) => fault,
            },
            Err(_) => "is not as its CRD has it",
        };
        read.unread = Some(format!("SeatApproval {name} {fault}: delete it, and create it anew"));
    }
    read
}

#[cfg(test)]
mod tests;
