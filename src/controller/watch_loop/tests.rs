//! The loop with a queue, a register and permits of its own, and without an apiserver: no pass here comes to a request.

use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::json;

use super::*;
use crate::controller::CrdState;
use crate::controller::object_state::PassRequest;
use crate::controller::queue::Class;
use crate::registry::{Found, Noted, Ownership, Realm, Rows};

const MINUTE: Duration = Duration::from_secs(60);

/// Objects in the order of their ages.
fn object(name: &str, second: u8) -> ObjectMetadata {
    let created = format!("2026-10-01T08:00:0{second}Z");
    let metadata = json!({
        "name": name, "namespace": "it", "uid": name, "generation": 1, "resourceVersion": "1", "creationTimestamp": created,
    });
    serde_json::from_value(json!({ "metadata": metadata })).unwrap()
}

/// What all passes of a leader share, in its first term, in which these objects are there.
fn leading(objects: &[&ObjectMetadata]) -> Context {
    let context = Context::of_an_hour();
    objects.iter().for_each(|object| context.appeared((*object).clone()));
    context.begin_term(1);
    context.pools.inherit(1, objects.iter().map(|object| key_of(object).1).collect());
    context
}

/// Notes that an object wants the one pool of these tests, and returns who has it before.
fn wants(context: &Context, object: &ObjectMetadata) -> Option<Key> {
    let age = age_of(&object.metadata);
    let (vendor, account) = ("acme", Realm::of("h/i"));
    let ownership = Ownership { vendor, account, confirmed: true, pool: "seats", age, wanted: Some(1) };
    context.pools.note(
        &key_of(object),
        &key_of(object).1,
        Found::Wants(Noted { ownership, open: None, rows: Rows::default() }),
        1,
    )
}

#[tokio::test]
async fn object_waiting_for_scan_releases_permit_of_its_host() {
    let (old, x, late) = (object("old", 0), object("x", 1), object("late", 2));
    let context = leading(&[&old, &x]);
    let (key, now) = (key_of(&x), Instant::now());
    wants(&context, &x);
    // The plan of x was published; then its host had no permit.
    let mut state = context.states.begin(&key, &PassRequest::of(&x.metadata), now);
    state.read(now, Context::now());
    (state.changing, state.turned_away) = (true, Some(("host".into(), now)));
    context.states.end(&key, state);
    for _ in 0..2 {
        let taken = context.queue.next().await;
        context.queue.done(&taken, Next::Permit("host".into(), MINUTE, Class::Urgent));
    }
    context.appeared(late);
    context.host_permits.release();
    // Each object that the queue hands out; passes that would read the apiserver are left out.
    let mut taken = Vec::new();
    while let Some(next) = context.queue.next().now_or_never() {
        assert!(taken.len() < 10, "the same is taken again and again: {taken:?}");
        let object = context.known(&next).unwrap();
        let after = reconcile(&context, &object).now_or_never().unwrap_or(Next::Idle);
        ended(&context, &next, after);
        taken.push(next.1);
    }
    taken.sort();
    assert_eq!(taken, ["late", "old", "x"]);
}

#[tokio::test]
async fn crd_that_seems_to_be_missing_for_a_moment_changes_no_owner() {
    let (a, b) = (object("a", 0), object("b", 1));
    let context = leading(&[&a, &b]);
    context.crd_is(CrdState::Current);
    assert_eq!((wants(&context, &a), wants(&context, &b)), (None, Some(key_of(&a))));
    context.crd_is(CrdState::Missing);
    context.crd_is(CrdState::Current);
    context.look_at_all();
    assert_eq!(wants(&context, &b), Some(key_of(&a)));
}

#[tokio::test]
async fn list_of_one_namespace_leaves_objects_of_others_unknown() {
    let elsewhere = |name: &str| {
        let mut object = object(name, 0);
        object.metadata.namespace = Some("hr".into());
        object
    };
    let context = Context::of_an_hour();
    let scopes = Scope::of(&["it".to_owned(), "hr".to_owned()]);
    let mut listing = Listing::default();
    let mut lists = |scope: &Scope, objects: Vec<ObjectMetadata>| {
        assert!(!listing.take(&context, scope, Event::Init));
        for object in objects {
            assert!(!listing.take(&context, scope, Event::InitApply(object)));
        }
        assert!(listing.take(&context, scope, Event::InitDone), "a list is complete");
        let mut known: Vec<String> =
            context.keys().into_iter().map(|(namespace, name)| namespace + "/" + &name).collect();
        known.sort();
        known
    };
    assert_eq!(lists(&scopes[0], vec![object("a", 0), object("b", 1)]), ["it/a", "it/b"]);
    assert_eq!(lists(&scopes[1], vec![elsewhere("a")]), ["hr/a", "it/a", "it/b"]);
    // Gone while the watch of its namespace was interrupted.
    assert_eq!(lists(&scopes[0], vec![object("b", 1)]), ["hr/a", "it/b"]);
    assert_eq!(lists(&scopes[1], vec![]), ["it/b"]);
    let all = Scope::of(&[]);
    assert_eq!(lists(&all[0], vec![elsewhere("c")]), ["hr/c"], "a list of all namespaces says all");
}
