//! The loop: objects from the watch go into the queue, and objects from the queue get passes.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kube::runtime::watcher::Event;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::Context;
use super::context::key_of;
use super::object_metadata::ObjectMetadata;
use super::object_state::Key;
use super::queue::Next;
use super::reconcile::reconcile;
use super::watched_namespaces::{Lists, Scope, watch};
use crate::registry::age_of;

/// Works until `shutdown`, then lets running passes finish. No pass begins before the first list of each scope has arrived.
/// `waits` receives the current wait until then, and `None` once they have arrived.
pub(super) async fn work(context: &Context, shutdown: &CancellationToken, waits: impl Fn(Option<String>)) {
    let scopes = context.scopes();
    let mut events = watch(&scopes, |scope| context.api(scope));
    let mut passes: FuturesUnordered<BoxFuture<'_, (Key, Next)>> = FuturesUnordered::new();
    let (mut listing, mut lists) = (Listing::default(), Lists::awaited(scopes));
    waits(lists.waited_for());
    loop {
        let stopping = shutdown.is_cancelled();
        if stopping && passes.is_empty() {
            return;
        }
        let free = !stopping && lists.are_complete() && passes.len() < usize::from(context.settings.concurrency);
        tokio::select! {
            biased;
            Some((key, next)) = passes.next() => ended(context, &key, next),
            Some((scope, event)) = events.next(), if !stopping => match event {
                Ok(event) => {
                    // A list begins before the apiserver has accepted it.
                    let begins = matches!(event, Event::Init);
                    let complete = listing.take(context, &scope, event);
                    if !begins && lists.work(&scope, complete) {
                        waits(lists.waited_for());
                    }
                }
                Err(error) => {
                    if let Some(error) = context.apiserver.tells_of_watch(&scope, error)
                        && lists.fails(&scope, &error)
                    {
                        tracing::warn!(error, %scope, "watching LicenseSeats failed; the watch is taken up again");
                        waits(lists.waited_for());
                    }
                    context.crd.doubt();
                }
            },
            key = context.queue.next(), if free => match context.known(&key) {
                Some(object) => passes.push(Box::pin(async move {
                    let (began, span) = (Instant::now(), pass_span(&object));
                    let next = reconcile(context, &object).instrument(span).await;
                    context.metrics.pass_took(began.elapsed());
                    (key, next)
                })),
                None => context.queue.done(&key, Next::Idle),
            },
            () = shutdown.cancelled(), if !stopping => {}
        }
    }
}

/// The fields of all log lines of a pass: the object, its generation, and the intent once a request is about to leave.
fn pass_span(object: &ObjectMetadata) -> Span {
    let (namespace, name) = key_of(object);
    let generation = object.metadata.generation;
    tracing::info_span!("pass", namespace, name, generation, intent = tracing::field::Empty)
}

fn ended(context: &Context, key: &Key, next: Next) {
    context.queue.done(key, next);
    if context.known(key).is_none() {
        // Deleted during the pass.
        context.forget(key);
    }
    // A write by another writer during the pass.
    context.suspect(key);
    // A permit may have become free before the object was parked, or was not taken by the object that it was given to.
    context.host_permits.release();
}

/// The objects of each scope's list that is not complete yet.
#[derive(Default)]
struct Listing(HashMap<Scope, Vec<ObjectMetadata>>);

impl Listing {
    /// Takes an event of the watch. Returns whether a list is complete.
    fn take(&mut self, context: &Context, scope: &Scope, event: Event<ObjectMetadata>) -> bool {
        match event {
            Event::Init => drop(self.0.remove(scope)),
            Event::InitApply(object) => self.0.entry(scope.clone()).or_default().push(object),
            Event::Apply(object) => context.appeared(object),
            Event::Delete(object) => context.disappeared(&key_of(&object)),
            Event::InitDone => {
                let mut list = self.0.remove(scope).unwrap_or_default();
                // An object that a new list lacks was deleted while the watch was interrupted.
                let listed: HashSet<Key> = list.iter().map(key_of).collect();
                for key in context.keys().iter().filter(|key| scope.has(&key.0) && !listed.contains(*key)) {
                    context.disappeared(key);
                }
                // A younger object may have to wait for an older one.
                list.sort_by_cached_key(|object| age_of(&object.metadata));
                list.into_iter().for_each(|object| context.appeared(object));
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
