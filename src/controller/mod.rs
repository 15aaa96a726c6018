//! Kubernetes in, Kubernetes out: watches objects, and takes each through four steps.
//!
//! `gather` (object, Secret, vendor) → `plan::decide` (pure) → `act` (the only code that changes a vendor) → `record`
//! (the only code that writes status and events, once on every path). The watch carries metadata alone and only says
//! "look"; the object itself is read with a quorum read at the start of each pass, so no purchase rests on a cache, and
//! an object that does not parse hinders nobody but itself.

mod act;
mod census;
mod claim;
mod context;
mod crd;
mod error;
mod gather;
mod hosts;
mod lease;
mod memory;
mod metadata;
mod pools;
mod proof;
mod reconcile;
mod record;
mod secret;
mod store;
mod urgency;
mod watched;
#[cfg(debug_assertions)]
mod weakness;

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use kube::runtime::{Controller, controller, watcher};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

pub use context::{Context, Settings};
pub use crd::CrdState;
pub use error::Error;
pub use lease::{Candidate, Leadership, LeaseSettings};
#[cfg(debug_assertions)]
pub use weakness::Weakness;

/// How often what is remembered of deleted objects is swept out.
const SWEEP: Duration = Duration::from_secs(30);

/// Each time leadership is gained, every object is looked at: what a follower skipped, and what the former leader left. Not
/// part of the stream of triggers, which pauses while the watch fails.
async fn lead(context: &Context, look_at_all: UnboundedSender<()>) {
    let (mut leadership, mut known) = (context.leadership.clone(), 0);
    while let Some(term) = leadership.next_term(known).await {
        context.pools.begin_term(term);
        context.memory.wake_all();
        context.metrics.forget_all();
        // Nobody listens any more when the controller ends, which ends this too.
        let _ = look_at_all.send(());
        let mut next = leadership.clone();
        tokio::select! {
            () = census::count(context, term) => {}
            _ = next.next_term(term) => {}
        }
        known = term;
    }
    std::future::pending().await
}

/// Reconciles until `shutdown`, then lets running passes finish. `synced` is called once the first list has arrived.
pub async fn run(context: Arc<Context>, shutdown: CancellationToken, synced: impl FnOnce()) {
    let (look_at_all, gained) = unbounded_channel();
    let config = controller::Config::default().concurrency(context.settings.concurrency);
    let controller = Controller::new(context.api(), watcher::Config::default())
        .with_config(config)
        .reconcile_all_on(stream::unfold(gained, async |mut gained| gained.recv().await.map(|()| ((), gained))))
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
            census::recount(&context).await;
        }
    };
    let passes =
        controller.run(reconcile::reconcile, reconcile::error_policy, Arc::clone(&context)).for_each(async |result| {
            match result {
                Ok(_) | Err(controller::Error::ObjectNotFound(_) | controller::Error::ReconcilerFailed(..)) => {}
                Err(error) => {
                    tracing::warn!(%error, "watching LicenseSeats failed; the watch is taken up again");
                    context.crd.doubt();
                }
            }
        });
    tokio::select! {
        () = passes => {}
        () = ready => {}
        () = Box::pin(lead(&context, look_at_all.clone())) => {}
        () = crd::follow(&context, look_at_all) => {}
    }
}
