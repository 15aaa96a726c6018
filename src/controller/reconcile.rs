//! One pass over one object, in four named steps.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::runtime::controller::Action;

use super::act::act;
use super::context::key_of;
use super::gather::{Found, Gathered, crowded, gather, hold};
use super::memory::{Entry, Key, Trigger, backoff, jitter};
use super::pools::Bar;
use super::proof::Proof;
use super::record::{Scribe, not_stored};
use super::watched::Watched;
use super::{Context, Error};
use crate::api::LicenseSeatsStatus;
use crate::plan::{self, Decision, Desired, Situation, Snapshot, Verdict};
use crate::vendors::{VendorAccount, VendorError};

/// How long to wait at least while an object was not looked at that may have the pool, and how long for each object that
/// there is: a hundred passes a second are few.
const CENSUS: Duration = Duration::from_millis(200);
const EACH: Duration = Duration::from_millis(10);

/// When that is said, and how often the object and the vendor are read although nothing but a wait goes on.
const SAID: Duration = Duration::from_secs(10);

/// How often to look at an object that is on its way out: its end is told by the watch.
const LEAVING: Duration = Duration::from_secs(600);

/// Looks at one object, if there is a reason to.
pub(super) async fn reconcile(object: Arc<Watched>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.leadership.is_current() {
        // Gaining leadership wakes every object.
        return Ok(Action::await_change());
    }
    let (key, trigger) = (key_of(&object), Trigger::of(&object.metadata));
    let mut entry = match context.memory.begin(&key, &trigger, Instant::now()) {
        Ok(entry) => entry,
        Err(not_yet) => return Ok(Action::requeue(not_yet)),
    };
    if let Some(wait) = still_waits(&context, &key, &entry) {
        context.memory.end(&key, entry, Instant::now() + wait);
        return Ok(Action::requeue(wait));
    }
    let wait = async {
        match gather(&context, &key, &trigger.uid, &mut entry).await? {
            Some(gathered) => Box::pin(pass(&context, &object, &key, gathered, &mut entry)).await.map(Some),
            None => Ok(None),
        }
    };
    match wait.await {
        Ok(Some(wait)) => {
            context.memory.end(&key, entry, Instant::now() + wait);
            Ok(Action::requeue(wait))
        }
        Ok(None) => {
            context.forget(&key);
            context.pools.gone(&trigger.uid);
            Ok(Action::await_change())
        }
        Err(Error::NotStored(fields)) => {
            let wait = not_stored(&context, &object, &key, &fields, &mut entry).await;
            context.memory.end(&key, entry, Instant::now() + wait);
            Ok(Action::requeue(wait))
        }
        Err(error) => {
            context.memory.fail(&key, entry);
            Err(error)
        }
    }
}

/// Decide, act, record; returns when to look again.
async fn pass(
    context: &Context,
    object: &Watched,
    key: &Key,
    gathered: Gathered,
    entry: &mut Entry,
) -> Result<Duration, Error> {
    let Gathered { mut stored, found } = gathered;
    let trigger = Trigger::of(stored.metadata());
    let mut scribe = Scribe { context, object, requested: trigger.requested(), notices: Vec::new() };
    let (mut status, desired, account, mut snapshot, secret_version, visit) = match found {
        Found::Seen { status, desired, account, snapshot, secret_version, visit } => {
            (status, desired, account, *snapshot, secret_version, visit)
        }
        Found::Failed { status, desired, account, fault } => {
            return scribe.failed(&mut stored, &status, &fault, desired.as_ref(), account, entry).await;
        }
        Found::Paced { status, desired, after, why } => {
            return scribe.paced(&mut stored, &status, &desired, (after, &why), entry).await;
        }
        Found::Leaving => {
            context.metrics.forget(&key.0, &key.1);
            return Ok(LEAVING);
        }
        Found::NoRecord(fault) => return scribe.words(&mut stored, &fault, entry).await,
    };
    let term = context.term();
    if let Some(proof) = &entry.proof {
        proof.restore(&mut status, term);
    }
    #[cfg(debug_assertions)]
    context.settings.weaken_status(&mut status, entry.elapsed(Instant::now()).is_some());
    let others = context.pools.wanted_beside(key);
    let mut site = Site { context, trigger: &trigger, desired: &desired, others: &others, behind: None };
    let mut decision = site.decide(&snapshot, &mut status, entry, &mut scribe);
    let mut wait_at_most = Duration::MAX;
    let waiting = entry.waiting.take();
    // What the last pass could not record is recorded before anything is sent.
    if let Verdict::Change(intent) = &decision.verdict
        && entry.proof.is_none()
    {
        match context.pools.reserve(key, intent, term, &context.all_watched()) {
            Ok(()) => {
                if let Err(VendorError::Paced { after } | VendorError::Closed { after }) = account.turn_to_write() {
                    context.pools.set_open(key, status.intent.as_ref());
                    context.metrics.pass("paced");
                    return Ok(after);
                }
                let before = status.license.clone();
                let acted = act(context, &mut stored, &mut status, &account, intent, entry).await;
                // Without an outcome nothing was sent: the intent could not be recorded.
                let acted = acted.inspect_err(|_| context.pools.set_open(key, None))?;
                context.pools.request_ended(key);
                scribe.notices.extend(plan::remember(&mut status, acted.applied));
                let adoptions = status.license.as_ref().map(|now| plan::adoptions(before.as_ref(), now));
                scribe.notices.extend(adoptions.into_iter().flatten());
                if let Some(fault) = acted.fault {
                    context.pools.set_open(key, status.intent.as_ref());
                    entry.failures = entry.failures.saturating_add(1);
                    entry.hold = hold(context, entry, &fault, secret_version);
                    let account = Some(snapshot.account);
                    let wait = scribe.failed(&mut stored, &status, &fault, Some(&desired), account, entry).await;
                    entry.proof = Proof::after(entry.proof.take(), &wait, &status, term);
                    return wait;
                }
                snapshot = acted.snapshot.unwrap_or(snapshot);
            }
            Err(bar @ Bar::NotKnownYet) => {
                let now = Instant::now();
                let since = waiting.unwrap_or(now);
                entry.waiting = Some(since);
                wait_at_most = after_census(context);
                if now.duration_since(since) < SAID {
                    return Ok(wait_at_most);
                }
                site.behind = Some(bar.sentence(key));
            }
            Err(bar) => site.behind = Some(bar.sentence(key)),
        }
        decision = site.decide(&snapshot, &mut status, entry, &mut scribe);
    }
    entry.changing = matches!(decision.verdict, Verdict::Publish | Verdict::Change(_));
    context.pools.set_open(key, decision.intent.as_ref());
    entry.follow(decision.doubt.as_ref(), snapshot.numbers, Instant::now());
    // The vendor is done with.
    drop(visit);
    let wait = scribe.decided(&mut stored, &status, &desired, &snapshot, &decision, entry).await;
    entry.proof = Proof::after(entry.proof.take(), &wait, &status, term);
    Ok(wait?.min(wait_at_most))
}

/// How long still to wait where that can be told without reading anything.
fn still_waits(context: &Context, key: &Key, entry: &Entry) -> Option<Duration> {
    let now = Instant::now();
    if entry.only_waits(SAID, now) && context.pools.waits(key, &context.all_watched()) {
        return Some(after_census(context));
    }
    let full = entry.turned_away_by(SAID, now).is_some_and(|host| context.hosts.is_full(host));
    full.then(|| crowded(context))
}

/// When to ask again whether every object was looked at: all that wait come back so seldom that those they wait for get
/// their turn.
fn after_census(context: &Context) -> Duration {
    context.metrics.pass("waiting");
    jitter(CENSUS + EACH * context.watched_count())
}

/// What stays the same for both decisions of a pass.
struct Site<'a> {
    context: &'a Context,
    trigger: &'a Trigger,
    desired: &'a Desired,
    others: &'a [(&'static str, i32)],
    behind: Option<String>,
}

impl Site<'_> {
    /// Decides, and takes a change that is now seen to be made into the record.
    fn decide(
        &self,
        seen: &Snapshot,
        status: &mut LicenseSeatsStatus,
        entry: &Entry,
        scribe: &mut Scribe<'_>,
    ) -> Decision {
        let mut decision = plan::decide(&Situation {
            uid: &self.trigger.uid,
            generation: self.trigger.generation,
            confirmed: self.trigger.confirmed.as_deref(),
            desired: self.desired,
            seen,
            intent: status.intent.as_ref(),
            history: &status.history,
            license: status.license.as_ref(),
            published: status.plan.as_ref().map(|plan| plan.id.as_str()),
            elapsed: entry.elapsed(Instant::now()).as_ref(),
            satisfied: plan::in_sync_before(status, self.trigger.generation),
            behind: self.behind.as_deref(),
            others: self.others,
            timing: self.context.settings.timing,
            writer: &self.context.writer,
            now: Context::now(),
        });
        scribe.notices.extend(plan::remember(status, decision.applied.take()));
        if let Some(license) = &decision.license {
            scribe.notices.extend(plan::adoptions(status.license.as_ref(), license));
            status.license = Some(license.clone());
        }
        decision
    }
}

/// A pass that could not be finished: soon again where somebody was faster, ever later where something is wrong.
#[allow(clippy::needless_pass_by_value)] // the signature is kube's
pub(super) fn error_policy(object: Arc<Watched>, error: &Error, context: Arc<Context>) -> Action {
    let failures = context.memory.failures(&key_of(&object));
    context.metrics.pass("error");
    if matches!(error, Error::Conflict) && failures < 5 {
        return Action::requeue(Duration::from_millis(20));
    }
    let wait = jitter(backoff(failures, Duration::from_secs(60)));
    let (namespace, name) = key_of(&object);
    tracing::warn!(namespace, name, %error, "pass not finished; again in {} s", wait.as_secs());
    Action::requeue(wait)
}
