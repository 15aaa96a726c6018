//! One pass over one object: its four steps, and its requeue time.

use std::time::{Duration, Instant};

use super::act::act;
use super::context::key_of;
use super::decide::{SAID, decide, silent_for};
use super::estimate::estimate;
use super::gather::gather;
use super::object_metadata::ObjectMetadata;
use super::object_state::{Key, ObjectState, PassRequest, backoff, jitter};
use super::pass_values::{Gathered, Seen};
use super::queue::{Class, Next};
use super::record::{not_stored, record};
use super::sign_in_before_window::get_ready;
use super::{Context, Error};

/// How often to check whether this replica leads.
const NOT_LEADING: Duration = Duration::from_secs(60);

/// Runs one pass over an object, and returns its requeue time.
pub(super) async fn reconcile(context: &Context, object: &ObjectMetadata) -> Next {
    if !context.leadership.is_current() {
        // Gaining leadership puts every object into the queue. The timer is for a clock that jumps there and back.
        return Next::After(NOT_LEADING, Class::Poll);
    }
    let (key, requested) = (key_of(object), PassRequest::of(&object.metadata));
    let mut state = context.states.begin(&key, &requested, Instant::now());
    state.term = context.term();
    let wait = match still_waits(context, &key, &mut state) {
        Some(wait) => Ok(Some(wait)),
        None => Box::pin(pass(context, object, &key, &mut state)).await,
    };
    let next = match wait {
        Ok(Some(wait)) => match state.turned_away.clone() {
            Some((host, _)) => Next::Permit(host, wait, state.class()),
            None => Next::After(wait, state.class()),
        },
        Ok(None) => {
            context.forget(&key);
            context.pools.gone(&key, &requested.uid);
            return Next::Idle;
        }
        Err(Error::NotStored(fields)) => {
            Next::After(not_stored(context, object, &key, &fields, &mut state).await, Class::Poll)
        }
        Err(error) => Next::After(after_error(context, &error, &mut state), state.class_after_error()),
    };
    context.states.end(&key, state);
    next
}

/// The four steps. Returns when the next pass is due; `None`: the object is gone.
async fn pass(
    context: &Context,
    object: &ObjectMetadata,
    key: &Key,
    state: &mut ObjectState,
) -> Result<Option<Duration>, Error> {
    let Some((mut pass, read)) = Box::pin(gather(context, object, key, state)).await? else { return Ok(None) };
    let end = match read {
        Gathered::End(end) => end,
        Gathered::Seen(seen) => {
            let Seen { status, desired, reading, opened } = *seen;
            let mut decided = decide(&mut pass, status, desired, reading);
            estimate(&mut pass, &mut decided, opened.account.as_ref()).await;
            get_ready(&mut decided, opened.account.as_ref()).await;
            Box::pin(act(&mut pass, decided, opened)).await?
        }
    };
    Box::pin(record(pass, end)).await.map(Some)
}

/// The rest of the wait, if it is known without a reading.
fn still_waits(context: &Context, key: &Key, state: &mut ObjectState) -> Option<Duration> {
    let now = Instant::now();
    if state.about_to_change(SAID, now) && context.pools.waits_for_scan(key) {
        let since = *state.waiting.get_or_insert(now);
        let left = silent_for(now.duration_since(since));
        if !left.is_zero() {
            // It waits for the scan, and not for its host.
            state.turned_away = None;
            context.metrics.pass("waiting");
            return Some(left);
        }
    }
    let full = state.turned_away_by(SAID, now).is_some_and(|host| context.host_permits.is_full(host));
    full.then_some(SAID)
}

/// When to try again after a pass that could not be finished: soon if another writer was faster, with back-off after a fault.
fn after_error(context: &Context, error: &Error, state: &mut ObjectState) -> Duration {
    state.failures = state.failures.saturating_add(1);
    context.metrics.pass("error");
    if matches!(error, Error::Conflict) && state.failures < 5 {
        return Duration::from_millis(20);
    }
    state.records_nothing();
    let wait = jitter(backoff(state.failures, Duration::from_secs(60)));
    if context.apiserver.tells(error) {
        tracing::warn!(%error, "pass not finished; Seatkeeper tries again in {} s", wait.as_secs());
    }
    wait
}
