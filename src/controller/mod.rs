//! Kubernetes in, Kubernetes out: watches objects, queues them in order of arrival, and takes each through four steps.
//!
//! `gather` (object, Secret, vendor) → `decide` (asks `domain`) → `act` (the only code that changes a vendor) → `record`
//! (the only code that writes status and events, once on every path). The watch carries metadata alone and only triggers
//! a pass; the object itself is read with a quorum read at the start of each pass, so no purchase rests on a cache, and
//! an object that does not parse hinders no other.

mod act;
mod apiserver_outage;
mod approvals;
mod checks_before_sending;
mod context;
mod decide;
mod error;
mod estimate;
mod event_publisher;
mod gather;
mod host_permits;
mod initial_scan;
mod installation_signature;
mod intent_journal;
mod lease;
mod lenient_metadata;
mod object_metadata;
mod object_state;
mod outdated_crd;
mod overwritten_status;
mod pass_urgency;
mod pass_values;
mod queue;
mod read_secret;
mod reconcile;
mod record;
mod schedules;
mod seat_approval_metadata;
mod shared_registry;
mod sign_in_before_window;
mod status_not_stored;
mod stored_object;
mod unstored_proof;
mod wanted_ownership;
mod watch_loop;
mod watched_namespaces;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use apiserver_outage::Apiserver;
pub use context::{Context, Parts, Settings};
pub use error::{Error, plain};
pub use lease::{Candidate, Leadership, LeaseSettings};
pub use outdated_crd::CrdState;

/// How often to list the objects again while the scan waits for one that the watch does not know.
const RECOUNT: Duration = Duration::from_secs(30);

/// Begins a term each time leadership is gained. Not part of the watch, which pauses while it fails.
async fn lead(context: &Context) {
    let (mut leadership, mut known) = (context.leadership.clone(), 0);
    while let Some(term) = leadership.next_term(known).await {
        context.begin_term(term);
        let mut next = leadership.clone();
        tokio::select! {
            () = initial_scan::count(context, term) => {}
            _ = next.next_term(term) => {}
        }
        known = term;
    }
    std::future::pending().await
}

async fn recount(context: &Context) {
    loop {
        tokio::time::sleep(RECOUNT).await;
        initial_scan::recount(context).await;
    }
}

/// Reconciles until `shutdown`, then lets running passes finish. `waits` receives the current wait until the first
/// lists have arrived, and then `None`.
pub async fn run(context: Arc<Context>, shutdown: CancellationToken, waits: impl Fn(Option<String>)) {
    tokio::select! {
        () = Box::pin(watch_loop::work(&context, &shutdown, waits)) => {}
        () = Box::pin(lead(&context)) => {}
        () = Box::pin(recount(&context)) => {}
        () = outdated_crd::follow(&context) => {}
        () = context.follow_turns() => {}
        () = overwritten_status::follow(&context) => {}
        () = Box::pin(approvals::follow(&context)) => {}
    }
}
