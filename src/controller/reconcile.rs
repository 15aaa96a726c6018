//! One pass over one object, in four named steps.

use std::time::{Duration, Instant};

use super::act::act;
use super::context::key_of;
use super::gather::{Found, Gathered, gather, hold};
use super::memory::{Entry, Key, Trigger, backoff, jitter};
use super::pools::Bar;
use super::proof::Proof;
use super::queue::{Class, Next};
use super::record::{Scribe, not_stored};
use super::watched::Watched;
use super::{Context, Error};
use crate::api::LicenseSeatsStatus;
use crate::plan::{self, Decision, Desired, HoldKind, Situation, Snapshot, Verdict};

/// After this long, an object that waits for the initial scan says so.
const SAID: Duration = Duration::from_secs(10);

/// How often to ask whether this replica leads.
const NOT_LEADING: Duration = Duration::from_secs(60);

/// How often to look at an object that is on its way out: its end is told by the watch.
const LEAVING: Duration = Duration::from_secs(600);

/// Takes one object through a pass, and says when it is next.
pub(super) async fn reconcile(context: &Context, object: &Watched) -> Next {
    if !context.leadership.is_current() {
        // Gaining leadership puts every object into the queue. The timer is for a clock that jumps there and back.
        return Next::After(NOT_LEADING, Class::Poll);
    }
    let (key, trigger) = (key_of(object), Trigger::of(&object.metadata));
    let mut entry = context.memory.begin(&key, &trigger, Instant::now());
    entry.term = context.term();
    let wait = match still_waits(context, &key, &mut entry) {
        Some(wait) => Ok(Some(wait)),
        None => match gather(context, &key, &trigger.uid, &mut entry).await {
            Ok(Some(gathered)) => Box::pin(pass(context, object, &key, gathered, &mut entry)).await.map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        },
    };
    let next = match wait {
        Ok(Some(wait)) => match entry.turned_away.clone() {
            Some((host, _)) => Next::Permit(host, wait, entry.class()),
            None => Next::After(wait, entry.class()),
        },
        Ok(None) => {
            context.forget(&key);
            context.pools.gone(&key, &trigger.uid);
            return Next::Idle;
        }
        Err(Error::NotStored(fields)) => {
            Next::After(not_stored(context, object, &key, &fields, &mut entry).await, Class::Poll)
        }
        Err(error) => Next::After(after_error(context, &error, &mut entry), entry.class_after_error()),
    };
    context.memory.end(&key, entry);
    next
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
    let term = entry.term;
    if let Some(proof) = &entry.proof {
        proof.restore(&mut status, term);
    }
    #[cfg(debug_assertions)]
    context.settings.weaken_status(&mut status, entry.elapsed(Instant::now()).is_some());
    let others = context.pools.wanted_beside(key);
    let mut site = Site { context, trigger: &trigger, desired: &desired, others: &others, behind: None };
    let mut decision = site.decide(&snapshot, &mut status, entry, &mut scribe);
    let waiting = entry.waiting.take();
    // What the last pass could not record is recorded before anything is sent.
    if let Verdict::Change(intent) = &decision.verdict
        && entry.proof.is_none()
    {
        match context.pools.reserve(key, intent, term) {
            Ok(()) => {
                if let Err(wait) = account.turn_to_write() {
                    context.pools.set_open(key, status.intent.as_ref());
                    context.metrics.pass("paced");
                    return Ok(wait.after());
                }
                let before = status.license.clone();
                let acted = act(context, &mut stored, &mut status, account.as_ref(), intent, entry).await;
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
                    entry.proof = Proof::after(entry.proof.as_ref(), &wait, &status, term);
                    return wait;
                }
                snapshot = acted.snapshot.unwrap_or(snapshot);
            }
            Err(bar @ Bar::NotKnownYet) => {
                let now = Instant::now();
                let since = waiting.unwrap_or(now);
                entry.waiting = Some(since);
                let left = SAID.saturating_sub(now.duration_since(since));
                if !left.is_zero() {
                    context.metrics.pass("waiting");
                    return Ok(left);
                }
                site.behind = Some(bar.sentence(key));
            }
            Err(bar) => site.behind = Some(bar.sentence(key)),
        }
        decision = site.decide(&snapshot, &mut status, entry, &mut scribe);
    }
    if let Verdict::Held(holds) = &decision.verdict
        && holds.iter().any(|hold| hold.kind == HoldKind::OtherPool)
    {
        context.pools.wait_for_account(key);
    }
    entry.changing = matches!(decision.verdict, Verdict::Publish | Verdict::Change(_));
    context.pools.set_open(key, decision.intent.as_ref());
    entry.follow(decision.doubt.as_ref(), snapshot.numbers(), Instant::now());
    // The vendor is done with.
    drop(visit);
    let wait = scribe.decided(&mut stored, &status, &desired, &snapshot, &decision, entry).await;
    entry.proof = Proof::after(entry.proof.as_ref(), &wait, &status, term);
    wait
}

/// How long still to wait where that can be told without reading anything.
fn still_waits(context: &Context, key: &Key, entry: &mut Entry) -> Option<Duration> {
    let now = Instant::now();
    if entry.about_to_change(SAID, now) && context.pools.waits_for_scan(key) {
        let since = *entry.waiting.get_or_insert(now);
        let left = SAID.saturating_sub(now.duration_since(since));
        if !left.is_zero() {
            // It waits for the scan, and not for its host.
            entry.turned_away = None;
            context.metrics.pass("waiting");
            return Some(left);
        }
    }
    let full = entry.turned_away_by(SAID, now).is_some_and(|host| context.hosts.is_full(host));
    full.then_some(SAID)
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
        let satisfaction = plan::satisfaction(self.desired, &seen.account_key());
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
            satisfied: plan::in_sync_before(status, self.trigger.generation, &satisfaction),
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

/// When to try again after a pass that could not be finished: soon where another writer was faster, with back-off where
/// something is wrong.
fn after_error(context: &Context, error: &Error, entry: &mut Entry) -> Duration {
    entry.failures = entry.failures.saturating_add(1);
    context.metrics.pass("error");
    if matches!(error, Error::Conflict) && entry.failures < 5 {
        return Duration::from_millis(20);
    }
    let wait = jitter(backoff(entry.failures, Duration::from_secs(60)));
    tracing::warn!(%error, "pass not finished; again in {} s", wait.as_secs());
    wait
}
