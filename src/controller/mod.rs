//! Kubernetes in, Kubernetes out: watches objects, and takes each through four steps.
//!
//! `gather` (object, Secret, vendor) → `plan::decide` (pure) → `act` (the only code that changes a vendor) → `record`
//! (the only code that writes status and events, once on every path). The watch carries metadata alone and only says
//! "look"; the object itself is read with a quorum read at the start of each pass, so no purchase rests on a cache, and
//! an object that does not parse hinders nobody but itself.

mod act;
mod context;
mod error;
mod gather;
mod lease;
mod memory;
mod pools;
mod reconcile;
mod record;
mod store;
mod urgency;
mod watched;
#[cfg(debug_assertions)]
mod weakness;

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use kube::Api;
use kube::runtime::{Controller, controller, watcher};
use tokio_util::sync::CancellationToken;

pub use context::{Context, Settings};
pub use error::Error;
pub use lease::{Candidate, Leadership, LeaseSettings};
#[cfg(debug_assertions)]
pub use weakness::Weakness;

use watched::Watched;

/// How often what is remembered of deleted objects is swept out.
const SWEEP: Duration = Duration::from_secs(30);

/// Each time leadership is gained, every object is looked at: what a follower skipped, and what the former leader left.
fn terms(context: Arc<Context>) -> impl Stream<Item = ()> + Send + 'static {
    let leadership = context.leadership.clone();
    stream::unfold((leadership, 0, context), async |(mut leadership, known, context)| {
        let term = leadership.next_term(known).await?;
        context.pools.begin_term();
        context.memory.wake_all();
        Some(((), (leadership, term, context)))
    })
}

/// Reconciles until `shutdown`, then lets running passes finish. `synced` is called once the first list has arrived.
pub async fn run(context: Arc<Context>, shutdown: CancellationToken, synced: impl FnOnce()) {
    let client = context.client.clone();
    let watched: Api<Watched> = match &context.settings.namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let config = controller::Config::default().concurrency(context.settings.concurrency);
    let controller = Controller::new(watched, watcher::Config::default())
        .with_config(config)
        .reconcile_all_on(terms(Arc::clone(&context)))
        .graceful_shutdown_on(shutdown.clone().cancelled_owned());
    let store = controller.store();
    drop(context.watched.set(store.clone()));
    let ready = async {
        if store.wait_until_ready().await.is_ok() {
            synced();
        }
        loop {
            tokio::time::sleep(SWEEP).await;
            context.forget_the_gone();
        }
    };
    let passes =
        controller.run(reconcile::reconcile, reconcile::error_policy, Arc::clone(&context)).for_each(async |result| {
            match result {
                Ok(_) | Err(controller::Error::ObjectNotFound(_) | controller::Error::ReconcilerFailed(..)) => {}
                Err(error) => tracing::warn!(%error, "watching LicenseSeats failed; the watch is taken up again"),
            }
        });
    tokio::select! {
        () = passes => {}
        () = ready => {}
    }
}
