//! Records, the last step of a pass: the only code that writes status, events and metrics. It writes once, on every path, and
//! nothing if nothing changed.

mod delayed_reading;

use std::time::{Duration, Instant};

use super::decide::silent_for;
use super::installation_signature::{Signature, Signed};
use super::object_metadata::ObjectMetadata;
use super::object_state::{Key, ObjectState, backoff, jitter};
use super::pass_values::{Decided, End, Failed, Pass};
use super::stored_object::StoredObject;
use super::unstored_proof::Proof;
use super::{Context, Error};
use crate::api::{LicenseSeatsSpec, LicenseSeatsStatus, LimitMode, UNOBSERVED};
use crate::domain::{self, Decision, Fault, Finding, HoldKind, Remedy, Report, Snapshot, Verdict};
use crate::metrics::{self, Shown};

/// How often to read again if only an edit helps. The watch reports an edit at once.
const IDLE: Duration = Duration::from_secs(600);

/// The longest pause between two tries after a fault that may end with time.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// How often an object that is being deleted gets a pass: the watch reports its end.
const LEAVING: Duration = Duration::from_secs(600);

/// Records the result of a pass. Returns when the next one is due.
pub(super) async fn record(mut pass: Pass<'_>, end: End) -> Result<Duration, Error> {
    let wait = Box::pin(write_end(&mut pass, end)).await?;
    pass.state.left = Some(pass.stored.left(pass.state.term, pass.state.redone));
    Ok(wait)
}

async fn write_end(pass: &mut Pass<'_>, end: End) -> Result<Duration, Error> {
    match end {
        End::Leaving => {
            pass.context.metrics.forget((&pass.key.0, &pass.key.1));
            Ok(LEAVING)
        }
        End::Quiet(after) => Ok(after),
        End::NoRecord(fault) => pass.words(&fault).await,
        End::Failed(failed) => pass.failed(*failed).await,
        End::RateLimited(rate_limited) => pass.rate_limited(*rate_limited).await,
        End::Decided(decided) => Box::pin(pass.decided(*decided)).await,
    }
}

impl Pass<'_> {
    /// The vendor was read and a decision was made.
    async fn decided(&mut self, decided: Decided) -> Result<Duration, Error> {
        let Decided { status, desired, snapshot, decision } = decided;
        let regular = jitter(desired.interval);
        let wait = decision.wake.map_or(regular, |wake| wake.min(regular));
        self.note_last_changes(&status.history, Duration::MAX);
        self.follow(&decision, &snapshot);
        self.context.metrics.pass(decision.verdict.label());
        let unsent = decision.unsent.clone().or_else(|| self.state.keeps_from_leaving());
        let decision = Decision { unsent, ..decision };
        let finding = Finding::Decided { desired: &desired, seen: &snapshot, decision: &decision };
        self.write_with_proof(&status, &finding).await?;
        // This comes after the write: a status that cannot be stored is tried with back-off.
        self.state.decided();
        if !matches!(&decision.verdict, Verdict::Lacking(lack) if lack.secret_may_help) {
            self.state.secret_watch = None;
            return Ok(wait);
        }
        // If a Secret does not arrive, a person must act, and the status must report that in time.
        let awaits = self.stored.status().ok().and_then(|status| domain::awaits_secret(&status, Context::now()));
        let wait = awaits.map_or(wait, |left| wait.min(left));
        self.state.secret_watch = Some((Instant::now() + wait, self.state.term));
        Ok(wait.min(self.state.secret_recheck(self.context.settings.timing.secret_recheck, Instant::now())))
    }

    /// Passes the decision to the registry and the state of the object.
    fn follow(&mut self, decision: &Decision, seen: &Snapshot) {
        let (pools, key) = (&self.context.pools, self.key);
        if let Verdict::Held(holds) = &decision.verdict {
            for hold in holds {
                match hold.kind {
                    HoldKind::OtherPool
                    | HoldKind::StuckPool
                    | HoldKind::DeferredPool { .. }
                    | HoldKind::VendorRule => {
                        pools.wait_for_account(key);
                    }
                    HoldKind::NotScanned | HoldKind::OtherChange => {
                        pools.wait_out(key, &seen.account_key(), self.state.term);
                    }
                    _ => {}
                }
            }
        }
        self.state.changing = matches!(decision.verdict, Verdict::Publish | Verdict::Change(_));
        pools.set_open(key, decision.intent.as_ref());
        self.state.refuses(decision.intent.as_ref());
        self.state.doubt.follow(decision.doubt.as_ref(), seen.numbers(), Instant::now());
    }

    /// Whether the status is of a former spec.
    fn is_edited(&self, status: &LicenseSeatsStatus) -> bool {
        let observed = status.observed_generation;
        observed != UNOBSERVED && observed != self.requested.generation
    }

    /// It reached no decision, or the change could not be sent.
    async fn failed(&mut self, failed: Failed) -> Result<Duration, Error> {
        let Failed { status, desired, account, mut fault, back } = failed;
        if let Remedy::Server { lasts } = &mut fault.remedy {
            *lasts = self.state.lacks_a_path();
        }
        let wait = back.map_or_else(|| after_fault(self.context, &fault, self.state), one_after_another);
        let (interval, now) = (desired.as_ref().map_or(IDLE, |desired| desired.interval), Instant::now());
        let edited = self.is_edited(&status);
        let unseen = self.state.unseen_for(edited, now).map(silent_for);
        let said_in = self.state.stale_in(interval, now).min(unseen.unwrap_or(Duration::MAX));
        let now_wrong = status.conditions.is_empty() || self.state.foreign || domain::tells_fault(&status);
        let stale = now_wrong || said_in.is_zero();
        // Numbers that become too old meanwhile are reported in time, even if the vendor is read later.
        let wait = if stale { wait } else { wait.min(said_in) };
        let fault = if edited { not_checked(fault) } else { fault };
        self.context.metrics.pass("fault");
        tracing::debug!(reason = fault.reason, %fault, "fault");
        let finding = Finding::Failed { fault: &fault, desired: desired.as_ref(), account, stale };
        self.write_with_proof(&status, &finding).await?;
        self.state.foreign = false;
        Ok(wait)
    }

    /// The record cannot be read or kept: only words are written, so that nothing in it is lost.
    async fn words(&mut self, fault: &Fault) -> Result<Duration, Error> {
        self.state.records_nothing();
        let finding = Finding::Failed { fault, desired: None, account: None, stale: true };
        let stored = &mut self.stored;
        let old = LicenseSeatsStatus {
            conditions: stored.conditions(),
            satisfied_generation: stored.satisfied_generation(),
            ..LicenseSeatsStatus::default()
        };
        let Report { mut status, notices } = domain::report(&old, stored.generation(), &finding, Context::now());
        if fault.remedy == Remedy::Cluster && status.satisfied_generation != old.satisfied_generation {
            // Only Ready records it, and no other field may: if it were overwritten, the vendor's own purchase would be
            // reverted once the record can be kept.
            status.satisfied_generation = old.satisfied_generation;
            if vendor_may_buy(stored) {
                domain::keep_ready(&old, &mut status);
            }
        }
        self.context.metrics.pass("fault");
        let wait = after_fault(self.context, fault, self.state);
        if stored.write_words(&status).await? {
            self.notices = notices;
            self.tell().await;
        }
        Ok(wait)
    }

    /// Writes the status. Unrecorded effects at the vendor are kept for the next pass.
    async fn write_with_proof(&mut self, status: &LicenseSeatsStatus, finding: &Finding<'_>) -> Result<(), Error> {
        let written = self.write(status, finding).await;
        if written.is_ok() {
            (self.state.recorded, self.state.recorded_in) = (Some(self.requested.clone()), Some(self.state.term));
        }
        self.state.proof = Proof::after(self.state.proof.as_ref(), &written, status, self.state.term);
        written
    }

    async fn write(&mut self, status: &LicenseSeatsStatus, finding: &Finding<'_>) -> Result<(), Error> {
        let Report { mut status, notices } = domain::report(status, self.stored.generation(), finding, Context::now());
        let handled = status.last_handled_reconcile_at.as_deref();
        status.last_handled_reconcile_at = self.requested.handled(self.state.recorded.as_ref(), handled);
        let signature = self.sign(&mut status);
        self.show(&status, finding.interval().unwrap_or(IDLE));
        self.context.pools.set_stuck(self.key, domain::stands_still(&status));
        let before = self.stored.status().unwrap_or_default();
        let written = write(&mut self.stored, &status).await;
        if written.is_ok() {
            self.count(&before, &status);
        }
        match written {
            Ok(Written::Nothing) => {
                self.state.signature = signature;
                return Ok(());
            }
            Ok(Written::Whole) => {
                self.state.signature = signature;
                self.notices.extend(notices);
            }
            // Effects are reported now, because the next pass finds them recorded. The next pass finds and reports the rest again.
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

    /// Signs the status with the name of this installation, and reports another one that signs it too. Returns the
    /// state to keep once it is written.
    fn sign(&mut self, status: &mut LicenseSeatsStatus) -> Signature {
        let own = &self.context.installation;
        let found = status.operator.take();
        let (signed, next) = self.state.signature.look(found.as_deref(), own, self.state.term);
        status.operator = match signed {
            Signed::AsItIs => found,
            Signed::Ours => Some(own.clone()),
            Signed::Another => {
                let notice = domain::another_installation(found.as_deref().unwrap_or_default(), own);
                tracing::warn!(namespace = self.key.0, name = self.key.1, "{}", notice.note);
                self.notices.push(notice);
                Some(own.clone())
            }
        };
        next
    }

    /// Shows the object in the metrics. Numbers that are older than three intervals are not shown.
    fn show(&self, status: &LicenseSeatsStatus, interval: Duration) {
        let outdated = self.state.stale_in(interval, Instant::now()).is_zero();
        let shown = Shown { status, observed: self.state.observed, outdated };
        self.context.metrics.object((&self.key.0, &self.key.1), &shown);
    }

    /// Counts the changes that the status has and the stored one did not have.
    fn count(&self, before: &LicenseSeatsStatus, after: &LicenseSeatsStatus) {
        for change in metrics::told(before, after) {
            self.context.metrics.changed((&self.key.0, &self.key.1), &change);
        }
    }

    async fn tell(&mut self) {
        self.context.events.publish(self.object, std::mem::take(&mut self.notices)).await;
    }
}

/// A fault that may end with time, and that prevents the check of an edit.
fn not_checked(fault: Fault) -> Fault {
    if !matches!(fault.remedy, Remedy::Time { .. }) {
        return fault;
    }
    let message = format!("The edit of the spec has not been checked yet: {}", fault.message);
    Fault { message, ..fault }
}

/// Whether the spec lets the vendor buy by itself, or has no limit.
fn vendor_may_buy(stored: &StoredObject) -> bool {
    let limit = stored.spec::<LicenseSeatsSpec>().map(|spec| spec.limit);
    limit.map_or(true, |limit| limit.is_some_and(|limit| limit.mode == LimitMode::UpTo))
}

/// Reports that a status was not stored whole, and returns when to try again, with back-off.
pub(super) async fn not_stored(
    context: &Context,
    object: &ObjectMetadata,
    key: &Key,
    fields: &[String],
    state: &mut ObjectState,
) -> Duration {
    context.crd.doubt();
    context.metrics.pass("not_stored");
    state.unkept = state.unkept.saturating_add(1);
    let fault = context.crd.not_stored(fields);
    let told = async {
        let Some(stored) = StoredObject::read(&context.client, key).await? else { return Ok(()) };
        Pass::over(context, object, key, stored, state).words(&fault).await.map(drop)
    };
    if let Err(error) = told.await {
        tracing::warn!(%error, "the conditions of the object cannot be written either");
    }
    let wait = after_fault(context, &fault, state);
    tracing::warn!(error = %fault, "pass not finished; Seatkeeper tries again in {} s", wait.as_secs());
    wait
}

/// How much of a status was written.
enum Written {
    Nothing,
    Whole,
    /// What was done at the vendor alone: the object had changed meanwhile.
    Proof,
}

/// Writes the status. Another write in between must not lose the proof of what was done: if our intent is
/// still the stored one, that much is written over it, and the rest follows in the next pass.
async fn write(stored: &mut StoredObject, status: &LicenseSeatsStatus) -> Result<Written, Error> {
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
        let Ok(fresh) = again.status() else { break };
        let Some(fresh) = domain::over_another_write(fresh, ours.as_deref(), status) else { break };
        match again.write(&fresh).await {
            Err(Error::Conflict) => {}
            Ok(_) => return Ok(Written::Proof),
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict)
}

/// When an object returns to a closed host or path: after the pause has ended, and at another time than the other objects.
pub(super) fn one_after_another(pause: Duration) -> Duration {
    pause.mul_f64(fastrand::f64().mul_add(0.1, 1.0))
}

fn after_fault(context: &Context, fault: &Fault, state: &mut ObjectState) -> Duration {
    let wait = match &fault.remedy {
        Remedy::Spec | Remedy::Unsupported => IDLE,
        Remedy::Cluster => backoff(state.unkept, LONGEST_BACKOFF),
        Remedy::Owner | Remedy::Credentials | Remedy::Server { .. } | Remedy::Time { secret_may_help: true, .. } => {
            state.secret_recheck(context.settings.timing.secret_recheck, Instant::now())
        }
        Remedy::Time { .. } => backoff(state.failures, LONGEST_BACKOFF),
    };
    let held = match (&fault.remedy, &state.credential_pause) {
        (Remedy::Time { after: Some(_), .. }, Some(credential_pause)) => {
            credential_pause.until.saturating_duration_since(Instant::now())
        }
        _ => Duration::ZERO,
    };
    jitter(wait).max(held)
}
