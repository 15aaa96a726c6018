//! Step 4: the only code that writes status, events and metrics. Once, on every path; nothing when nothing changed.

use std::time::{Duration, Instant};

use kube::ResourceExt;

use super::gather::Queue;
use super::memory::{Entry, Key, backoff, jitter};
use super::store::Stored;
use super::watched::Watched;
use super::{Context, Error};
use crate::api::{Account, LicenseSeatsSpec, LicenseSeatsStatus, LimitMode};
use crate::plan::{self, Decision, Desired, Fault, Finding, Notice, Remedy, Report, Snapshot};

/// How often to look again where only an edit helps; an edit itself is seen at once.
const IDLE: Duration = Duration::from_secs(600);

/// The longest pause between two tries of something that time mends.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// Writes the record of one pass.
pub(super) struct Scribe<'a> {
    pub context: &'a Context,
    pub object: &'a Watched,
    /// The reconcile request that is being handled.
    pub requested: Option<String>,
    /// What is to be told once the status is written.
    pub notices: Vec<Notice>,
}

impl Scribe<'_> {
    /// The vendor was read and a decision was made. Returns when to look again.
    pub async fn decided(
        self,
        stored: &mut Stored,
        status: &LicenseSeatsStatus,
        desired: &Desired,
        snapshot: &Snapshot,
        decision: &Decision,
        entry: &mut Entry,
    ) -> Result<Duration, Error> {
        let regular = jitter(desired.interval);
        let wait = decision.wake.map_or(regular, |wake| wake.min(regular));
        self.context.metrics.pass(decision.verdict.label());
        self.write(stored, status, &Finding::Decided { desired, seen: snapshot, decision }).await?;
        // Not before: what cannot be stored is tried with back-off.
        (entry.failures, entry.unkept) = (0, 0);
        Ok(wait)
    }

    /// It did not come to a decision, or the change could not be sent.
    pub async fn failed(
        self,
        stored: &mut Stored,
        status: &LicenseSeatsStatus,
        fault: &Fault,
        desired: Option<&Desired>,
        account: Option<Account>,
        entry: &mut Entry,
    ) -> Result<Duration, Error> {
        let wait = after_fault(self.context, fault, entry);
        let stale_in = entry.stale_in(desired.map_or(IDLE, |desired| desired.interval), Instant::now());
        let stale = status.conditions.is_empty() || stale_in.is_zero();
        // What grows too old meanwhile is told in time, even where the vendor is left alone for longer.
        let wait = if stale { wait } else { wait.min(stale_in) };
        self.context.metrics.pass("fault");
        tracing::debug!(reason = fault.reason, %fault, "fault");
        self.write(stored, status, &Finding::Failed { fault, desired, account, stale }).await?;
        Ok(wait)
    }

    /// The vendor was not asked, for it is not this object's turn. What still looks fresh is told once it is too old.
    pub async fn paced(
        self,
        stored: &mut Stored,
        status: &LicenseSeatsStatus,
        desired: &Desired,
        (after, why): (Duration, &Queue),
        entry: &Entry,
    ) -> Result<Duration, Error> {
        self.context.metrics.pass("paced");
        let stale_in = entry.stale_in(desired.interval, Instant::now());
        let ready = status.conditions.iter().find(|condition| condition.type_ == plan::kind::READY);
        if ready.is_none_or(|ready| ready.status != "True") {
            return Ok(after);
        }
        if !stale_in.is_zero() {
            self.context.metrics.object(&self.object.namespace().unwrap_or_default(), &self.object.name_any(), status);
            return Ok(after.min(stale_in));
        }
        let why = match why {
            Queue::Pace => "takes only so many requests a minute",
            Queue::Host => "is slow to answer, and only so many objects wait for it at a time",
        };
        let message = format!(
            "{} {why}: the turn of this object has not come for three intervals, and the numbers are at least that old. It \
             comes; fewer keys or longer intervals make it come sooner",
            desired.pool.vendor.name
        );
        let fault = Fault {
            remedy: Remedy::Time { after: None, secret_may_help: false },
            reason: plan::reason::VENDOR_UNREACHABLE,
            summary: "waits for its turn".into(),
            message,
        };
        let finding = Finding::Failed { fault: &fault, desired: Some(desired), account: None, stale: true };
        self.write(stored, status, &finding).await?;
        Ok(after)
    }

    /// The record cannot be read or kept: only words are written, so that nothing in it is lost.
    pub async fn words(mut self, stored: &mut Stored, fault: &Fault, entry: &Entry) -> Result<Duration, Error> {
        let finding = Finding::Failed { fault, desired: None, account: None, stale: true };
        let old = LicenseSeatsStatus {
            conditions: stored.conditions(),
            satisfied_generation: stored.satisfied_generation(),
            ..LicenseSeatsStatus::default()
        };
        let Report { mut status, notices } = plan::report(&old, stored.generation(), &finding, Context::now());
        if fault.remedy == Remedy::Cluster && status.satisfied_generation != old.satisfied_generation {
            // Only Ready records it, and no other field may be able to: said over, what the vendor bought by itself would be
            // taken back once the record can be kept.
            status.satisfied_generation = old.satisfied_generation;
            if vendor_may_buy(stored) {
                plan::keep_ready(&old, &mut status);
            }
        }
        self.context.metrics.pass("fault");
        let wait = after_fault(self.context, fault, entry);
        if stored.write_words(&status).await? {
            self.notices = notices;
            self.tell().await;
        }
        Ok(wait)
    }

    async fn write(
        mut self,
        stored: &mut Stored,
        status: &LicenseSeatsStatus,
        finding: &Finding<'_>,
    ) -> Result<(), Error> {
        let Report { mut status, notices } = plan::report(status, stored.generation(), finding, Context::now());
        status.last_handled_reconcile_at = self.requested.take().or(status.last_handled_reconcile_at);
        let (namespace, name) = (self.object.namespace().unwrap_or_default(), self.object.name_any());
        self.context.metrics.object(&namespace, &name, &status);
        match write(stored, &status).await {
            Ok(Written::Nothing) => return Ok(()),
            Ok(Written::Whole) => self.notices.extend(notices),
            // What was done is told now, for the next pass finds it recorded; the rest is found and told again.
            Ok(Written::Proof) => {
                self.tell().await;
                return Err(Error::Conflict);
            }
            Err(error @ Error::NotStored(_)) => {
                self.tell().await;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        let summary = status.summary.as_deref().unwrap_or_default();
        tracing::info!(seats = status.seats, desired = status.desired, summary, "status");
        self.tell().await;
        Ok(())
    }

    async fn tell(self) {
        for notice in self.notices {
            self.context.tell(self.object, notice).await;
        }
    }
}

/// Whether the spec lets the vendor buy by itself, or does not say.
fn vendor_may_buy(stored: &Stored) -> bool {
    let limit = stored.spec::<LicenseSeatsSpec>().map(|spec| spec.limit);
    limit.map_or(true, |limit| limit.is_some_and(|limit| limit.mode == LimitMode::UpTo))
}

/// A status was written that is not stored whole: that is told, and tried again with back-off. Returns when.
pub(super) async fn not_stored(
    context: &Context,
    object: &Watched,
    key: &Key,
    fields: &[String],
    entry: &mut Entry,
) -> Duration {
    context.crd.doubt();
    context.metrics.pass("not_stored");
    entry.unkept = entry.unkept.saturating_add(1);
    let fault = context.crd.not_stored(fields);
    let told = async {
        let Some(mut stored) = Stored::read(&context.client, key).await? else { return Ok(()) };
        let scribe = Scribe { context, object, requested: None, notices: Vec::new() };
        scribe.words(&mut stored, &fault, entry).await.map(drop)
    };
    if let Err(error) = told.await {
        tracing::warn!(%error, "not even the conditions of the object can tell it");
    }
    let wait = after_fault(context, &fault, entry);
    tracing::warn!(error = %fault, "pass not finished; again in {} s", wait.as_secs());
    wait
}

/// How much of a status was written.
enum Written {
    Nothing,
    Whole,
    /// Intent and history alone: the object had changed meanwhile.
    Proof,
}

/// Writes the status. Somebody else's write in between must not lose the proof of what was done: if our intent is
/// still the stored one, that much is written over it, and the rest follows in the next pass.
async fn write(stored: &mut Stored, status: &LicenseSeatsStatus) -> Result<Written, Error> {
    let ours = stored.status().ok().and_then(|status| status.intent).map(|intent| intent.id);
    for _ in 0..3 {
        match stored.write(status).await {
            Ok(true) => return Ok(Written::Whole),
            Ok(false) => return Ok(Written::Nothing),
            Err(Error::Conflict) if ours.is_some() => {}
            Err(error) => return Err(error),
        }
        let Some(mut again) = stored.again().await? else {
            return Ok(Written::Nothing);
        };
        let Ok(mut fresh) = again.status() else { break };
        if fresh.intent.as_ref().map(|intent| &intent.id) != ours.as_ref() {
            break;
        }
        fresh.intent.clone_from(&status.intent);
        fresh.history.clone_from(&status.history);
        // What is known of licence keys is proof too: lost, one of them would be added again.
        fresh.license.clone_from(&status.license);
        match again.write(&fresh).await {
            Err(Error::Conflict) => {}
            Ok(_) => return Ok(Written::Proof),
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict)
}

fn after_fault(context: &Context, fault: &Fault, entry: &Entry) -> Duration {
    let wait = match &fault.remedy {
        Remedy::Spec | Remedy::Unsupported => IDLE,
        Remedy::Cluster => backoff(entry.unkept, LONGEST_BACKOFF),
        Remedy::Owner | Remedy::Credentials | Remedy::Time { secret_may_help: true, .. } => {
            context.settings.timing.secret_recheck
        }
        Remedy::Time { .. } => backoff(entry.failures, LONGEST_BACKOFF),
    };
    let held = match (&fault.remedy, &entry.hold) {
        (Remedy::Time { after: Some(_), .. }, Some(hold)) => hold.until.saturating_duration_since(Instant::now()),
        _ => Duration::ZERO,
    };
    jitter(wait).max(held)
}
