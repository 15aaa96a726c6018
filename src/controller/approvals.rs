//! `SeatApproval` objects: a watch tells which objects of ours have some, and wakes them; what a decision rests on is read with a
//! quorum read in its own pass, so that one that was deleted counts no more.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use kube::api::ListParams;
use kube::core::{ApiResource, DynamicObject, Request};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource, ResourceExt};
use serde::Deserialize;
use serde_json::Value;

use super::object::bounded;
use super::object_state::Key;
use super::queue::Class;
use super::{Context, Error};
use crate::api::{ApprovalPolicy, SeatApproval};
use crate::domain::{Approval, Desired};

/// Which objects have approvals, as the watch knows it.
#[derive(Default)]
pub(super) struct KnownApprovals(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The LicenseSeats of each approval.
    of: HashMap<Key, Key>,
    /// A list has arrived, and the watch has not failed since.
    synced: bool,
    /// Those that a new list has named so far.
    listed: HashSet<Key>,
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

    /// Takes in what the watch tells. Returns the objects that it concerns.
    fn take(&self, event: Event<DynamicObject>) -> Vec<Key> {
        let mut known = self.lock();
        match event {
            Event::Init => {
                known.listed.clear();
                vec![]
            }
            Event::InitApply(approval) => {
                let key = key_of(&approval);
                known.listed.insert(key);
                known.apply(&approval)
            }
            Event::Apply(approval) => known.apply(&approval),
            Event::Delete(approval) => known.of.remove(&key_of(&approval)).into_iter().collect(),
            Event::InitDone => {
                known.synced = true;
                let listed = std::mem::take(&mut known.listed);
                let gone: Vec<Key> = known.of.keys().filter(|key| !listed.contains(*key)).cloned().collect();
                gone.iter().filter_map(|key| known.of.remove(key)).collect()
            }
        }
    }

    /// Whether an object may have approvals; `None`: that is not known.
    fn has_some(&self, key: &Key) -> Option<bool> {
        let known = self.lock();
        let some = known.of.values().any(|of| of == key);
        if some || known.synced { Some(some) } else { None }
    }
}

impl Known {
    fn apply(&mut self, approval: &DynamicObject) -> Vec<Key> {
        let key = key_of(approval);
        let of = reference(&approval.data["spec"]).map(|name| (key.0.clone(), name.to_owned()));
        let before = match &of {
            Some(of) => self.of.insert(key, of.clone()).filter(|before| before != of),
            None => self.of.remove(&key),
        };
        of.into_iter().chain(before).collect()
    }
}

fn key_of(approval: &DynamicObject) -> Key {
    (approval.namespace().unwrap_or_default(), approval.name_any())
}

fn reference(spec: &Value) -> Option<&str> {
    spec.pointer("/licenseSeatsRef/name")?.as_str()
}

/// Wakes objects whose approvals come and go, for as long as it runs. A cluster without the CRD has none.
pub(super) async fn follow(context: &Context) {
    let resource = ApiResource::erase::<SeatApproval>(&());
    let api: Api<DynamicObject> = match &context.settings.namespace {
        Some(namespace) => Api::namespaced_with(context.client.clone(), namespace, &resource),
        None => Api::all_with(context.client.clone(), &resource),
    };
    let mut events = Box::pin(watcher(api, watcher::Config::default()).default_backoff());
    let mut failing = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                failing &= !matches!(event, Event::InitDone);
                for key in context.approvals.take(event) {
                    if context.known(&key).is_some() {
                        context.queue.push(&key, Class::Urgent);
                    }
                }
            }
            Err(error) => {
                context.approvals.lock().synced = false;
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "watching SeatApprovals failed; the watch is taken up again, and objects that need one are held meanwhile");
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

/// The approvals of an object, read now. Where there can be none, or none is asked for, nothing is read.
pub(super) async fn read_approvals(context: &Context, key: &Key, desired: &Desired) -> Result<ReadApprovals, Error> {
    let asks = desired.approval != ApprovalPolicy::default();
    match context.approvals.has_some(key) {
        Some(false) => return Ok(ReadApprovals::default()),
        None if !asks => return Ok(ReadApprovals::default()),
        Some(true) | None => {}
    }
    let request = Request::new(SeatApproval::url_path(&(), Some(&key.0))).list(&ListParams::default());
    let request = request.map_err(kube::Error::BuildRequest)?;
    match bounded(context.client.request::<List>(request)).await {
        Ok(list) => Ok(of_object(list, &key.1)),
        Err(Error::Apiserver(kube::Error::Api(status))) if status.code == 404 => Ok(unread(
            "the CRD seatapprovals.seatkeeper.dev is not installed: apply it with seatkeeper crd | kubectl apply --server-side -f -",
        )),
        Err(Error::Apiserver(kube::Error::Api(status))) if status.is_forbidden() => {
            Ok(unread("the operator may not list them: its Role must allow get, list and watch on seatapprovals"))
        }
        Err(error) => Err(error),
    }
}

fn unread(why: &str) -> ReadApprovals {
    ReadApprovals { given: Vec::new(), unread: Some(why.to_owned()) }
}

/// Those of a list that are for this object and are not being deleted.
fn of_object(list: List, name: &str) -> ReadApprovals {
    let mut read = ReadApprovals::default();
    let of_it = |item: &Item| reference(&item.spec) == Some(name) && item.metadata.deletion_timestamp.is_none();
    for Item { metadata: Name { name, .. }, spec } in list.items.into_iter().filter(of_it) {
        match serde_json::from_value(spec) {
            Ok(spec) => read.given.push(Approval { name, spec }),
            Err(_) => {
                read.unread =
                    Some(format!("SeatApproval {name} is not as its CRD has it: delete it, and create it anew"))
            }
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn approval(name: &str, of: &str) -> DynamicObject {
        let object = json!({
            "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "metadata": { "name": name, "namespace": "it" },
            "spec": { "licenseSeatsRef": { "name": of }, "decision": "Approved", "planId": "1-aa" },
        });
        serde_json::from_value(object).unwrap()
    }

    fn key(name: &str) -> Key {
        ("it".into(), name.into())
    }

    #[test]
    fn object_is_woken_by_an_approval_that_comes_and_by_one_that_goes() {
        let known = KnownApprovals::default();
        assert_eq!(known.has_some(&key("acme")), None, "no list has arrived");
        known.take(Event::Init);
        assert_eq!(known.take(Event::InitApply(approval("yes", "acme"))), [key("acme")]);
        assert_eq!(known.take(Event::InitDone), []);
        assert_eq!((known.has_some(&key("acme")), known.has_some(&key("other"))), (Some(true), Some(false)));
        assert_eq!(known.take(Event::Apply(approval("also", "other"))), [key("other")]);
        assert_eq!(known.take(Event::Delete(approval("also", "other"))), [key("other")]);
        assert_eq!(known.has_some(&key("other")), Some(false));
    }

    #[test]
    fn approval_that_a_new_list_does_not_name_is_gone() {
        let known = KnownApprovals::default();
        known.take(Event::Apply(approval("yes", "acme")));
        known.take(Event::Init);
        assert_eq!(known.take(Event::InitDone), [key("acme")]);
        assert_eq!(known.has_some(&key("acme")), Some(false));
    }

    #[test]
    fn list_gives_those_of_the_object_that_are_not_being_deleted() {
        let list = json!({ "items": [
            { "metadata": { "name": "yes" }, "spec": { "licenseSeatsRef": { "name": "acme" }, "decision": "Approved", "planId": "1-aa" } },
            { "metadata": { "name": "leaves", "deletionTimestamp": "2026-12-01T00:00:00Z" },
              "spec": { "licenseSeatsRef": { "name": "acme" }, "decision": "Approved", "planId": "1-aa" } },
            { "metadata": { "name": "other" }, "spec": { "licenseSeatsRef": { "name": "other" }, "decision": "Denied", "planId": "1-bb" } },
        ] });
        let read = of_object(serde_json::from_value(list).unwrap(), "acme");
        assert_eq!(read.given.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["yes"]);
        assert_eq!(read.unread, None);
    }

    #[test]
    fn approval_that_cannot_be_read_holds_and_is_named() {
        let spec = json!({ "licenseSeatsRef": { "name": "acme" }, "decision": "Perhaps" });
        let list = json!({ "items": [{ "metadata": { "name": "odd" }, "spec": spec }] });
        let read = of_object(serde_json::from_value(list).unwrap(), "acme");
        assert_eq!(read.given, []);
        assert_eq!(
            read.unread.as_deref(),
            Some("SeatApproval odd is not as its CRD has it: delete it, and create it anew")
        );
    }
}
