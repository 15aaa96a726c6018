//! `SeatApproval` objects: a watch shows which objects have approvals, and wakes these objects. The approvals that a
//! decision rests on come from a quorum read in its own pass, so that a deleted one counts no more.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use kube::api::ListParams;
use kube::core::Request;
use kube::runtime::watcher::Event;
use kube::{Api, Resource, ResourceExt};
use serde::Deserialize;
use serde_json::Value;

use super::approval_watch::WatchedApproval;
use super::object::bounded;
use super::object_state::Key;
use super::queue::Class;
use super::scope::{Scope, watch};
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
    /// A list of these has arrived, and their watch has not failed since.
    synced: HashSet<Scope>,
    /// The approvals that a new list of each scope has named so far.
    listed: HashMap<Scope, HashSet<Key>>,
    /// Objects with one that came or went since their last pass.
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
                // They can be listed now.
                let unlisted: Vec<Key> = known.unlisted.extract_if(|key| scope.has(&key.0)).collect();
                gone.iter().filter_map(|key| known.of.remove(key)).chain(unlisted).collect()
            }
        }
    }

    /// Notes that an approval of the object came or went.
    fn note(&self, key: &Key) {
        self.lock().news.insert(key.clone());
    }

    /// Whether an approval of the object came or went since this was asked last.
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
                // A list shows what was there before as well.
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

/// What makes an object depend on approvals.
#[derive(Clone, Copy, Debug)]
struct Interest {
    /// `spec.approval` asks for them.
    asks: bool,
    /// A plan is shown that one may deny.
    deniable: bool,
    /// The plan was held by a `SeatApproval`, or because it had none, when it was shown last.
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

    /// Whether the approvals are read, where the watch says whether there are some. Before its first list it does not know of a
    /// denial either.
    fn reads(self, has_some: Option<bool>) -> bool {
        has_some.unwrap_or(self.asks || self.deniable)
    }
}

/// The approvals of an object, read now. Where there can be none, or none would count, nothing is read.
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

/// Those of a list that are for this object and are not being deleted.
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::LicenseSeatsSpec;

    fn approval(name: &str, of: &str) -> WatchedApproval {
        let object = json!({
            "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "metadata": { "name": name, "namespace": "it" },
            "spec": { "licenseSeatsRef": { "name": of }, "decision": "Approved", "planId": "1-aa" },
        });
        serde_json::from_value(object).unwrap()
    }

    fn all() -> Scope {
        Scope::of(&[]).remove(0)
    }

    fn key(name: &str) -> Key {
        ("it".into(), name.into())
    }

    #[test]
    fn object_is_woken_by_an_approval_that_comes_and_by_one_that_goes() {
        let known = KnownApprovals::default();
        assert_eq!(known.has_some(&key("acme")), None, "no list has arrived");
        known.take(&all(), Event::Init);
        assert_eq!(known.take(&all(), Event::InitApply(approval("yes", "acme"))), [key("acme")]);
        assert_eq!(known.take(&all(), Event::InitDone), []);
        assert_eq!((known.has_some(&key("acme")), known.has_some(&key("other"))), (Some(true), Some(false)));
        assert_eq!(known.take(&all(), Event::Apply(approval("also", "other"))), [key("other")]);
        assert_eq!(known.take(&all(), Event::Delete(approval("also", "other"))), [key("other")]);
        assert_eq!(known.has_some(&key("other")), Some(false));
    }

    #[test]
    fn denial_is_looked_up_before_watch_is_ready_only_if_plan_shown_is_open() {
        let spec = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "key" } } }, "seats": 150 });
        let spec: LicenseSeatsSpec = serde_json::from_value(spec).unwrap();
        let (pool, _) = crate::vendors::target(&spec.vendor).unwrap();
        let desired = Desired::parse(&spec, pool, std::time::Duration::ZERO).unwrap();
        let of = |spent: bool| {
            let step = json!({ "seats": { "from": 100, "to": 150 } });
            let plan = json!({ "number": 1, "id": "1-aa", "step": step, "of": "x", "spent": spent });
            let status: LicenseSeatsStatus = serde_json::from_value(json!({ "lastPlan": plan })).unwrap();
            Interest::of(&desired, &status)
        };
        assert!(of(false).reads(None), "the operator has just started, and a plan that needs no yes may be denied");
        assert!(!of(true).reads(None));
        assert!(!Interest::of(&desired, &LicenseSeatsStatus::default()).reads(None));
        assert!(!of(false).reads(Some(false)) && of(true).reads(Some(true)));
    }

    #[test]
    fn approval_that_a_new_list_does_not_name_is_gone() {
        let known = KnownApprovals::default();
        known.take(&all(), Event::Apply(approval("yes", "acme")));
        known.take(&all(), Event::Init);
        assert_eq!(known.take(&all(), Event::InitDone), [key("acme")]);
        assert_eq!(known.has_some(&key("acme")), Some(false));
    }

    #[test]
    fn list_of_one_namespace_says_nothing_of_another() {
        let known = KnownApprovals::default();
        let scopes = Scope::of(&["it".to_owned(), "other".to_owned()]);
        known.take(&scopes[0], Event::Apply(approval("yes", "acme")));
        known.take(&scopes[0], Event::Init);
        known.take(&scopes[0], Event::InitApply(approval("yes", "acme")));
        assert_eq!(known.take(&scopes[1], Event::InitDone), []);
        assert_eq!(known.has_some(&key("acme")), Some(true));
        assert_eq!(known.has_some(&key("another")), None, "the list of its namespace has not arrived");
        assert_eq!(known.has_some(&("other".into(), "acme".into())), Some(false));
        assert_eq!(known.take(&scopes[0], Event::InitDone), []);
        assert_eq!((known.has_some(&key("acme")), known.has_some(&key("another"))), (Some(true), Some(false)));
    }

    #[test]
    fn object_with_unlisted_approvals_is_woken_once_by_next_list() {
        let known = KnownApprovals::default();
        known.note_unlisted(&key("acme"));
        known.take(&all(), Event::Init);
        assert_eq!(known.take(&all(), Event::InitDone), [key("acme")]);
        known.take(&all(), Event::Init);
        assert_eq!(known.take(&all(), Event::InitDone), []);
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
    fn approval_that_cannot_be_read_or_that_admission_would_refuse_holds() {
        let whole = json!({ "decision": "Approved", "upTo": 200, "validUntil": "2026-12-31T00:00:00Z" });
        let read = |change: Value| {
            let mut spec = whole.clone();
            spec["licenseSeatsRef"] = json!({ "name": "acme" });
            for (field, value) in change.as_object().unwrap() {
                spec[field] = value.clone();
            }
            let list = json!({ "items": [{ "metadata": { "name": "odd" }, "spec": spec }] });
            of_object(serde_json::from_value(list).unwrap(), "acme")
        };
        for sound in [json!({}), json!({ "decision": "Denied", "planId": "1-aa" })] {
            assert_eq!((read(sound.clone()).given.len(), read(sound).unread), (1, None));
        }
        for (change, fault) in [
            (json!({ "decision": "Perhaps" }), "is not as its CRD has it"),
            (json!({ "validUntil": null }), "has neither planId nor validUntil, and would approve for ever"),
            (json!({ "planId": "1-aa" }), "has to have either planId or a bound (upTo, limitUpTo)"),
            (json!({ "upTo": null }), "has to have either planId or a bound (upTo, limitUpTo)"),
            (json!({ "decision": "Denied" }), "denies and names no planId"),
            (
                json!({ "validUntil": "9999-01-01T00:00:00Z" }),
                "has a validUntil in the year 9999, and would approve for ever",
            ),
        ] {
            let read = read(change);
            assert_eq!(read.given, [], "{fault}");
            assert_eq!(read.unread, Some(format!("SeatApproval odd {fault}: delete it, and create it anew")));
        }
    }
}
