//! Which approvals are read, whom their changes wake, and which of them cannot be read.

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
fn object_is_woken_by_added_and_by_deleted_approval() {
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
fn denial_is_read_before_watch_is_ready_only_for_open_plan() {
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
fn list_of_one_namespace_leaves_other_namespaces_unknown() {
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
