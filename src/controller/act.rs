//! Step 3: the only code that changes a vendor. Steps 4 to 7 of the purchase protocol, in their order.

use std::time::{Duration, Instant};

use super::memory::Entry;
use super::store::Stored;
use super::{Context, Error};
use crate::api::{Intent, LicenseSeatsStatus};
use crate::clock::Moment;
use crate::plan::{Fault, Outcome, Refusal, Remedy, Snapshot, WaitFor, after_key_write, after_write, reason};
use crate::vendors::{Journal, NotRecorded, Recorded, Urgency, VendorAccount};

/// What became of a change. `status` is updated in place: intent and history say what is proven.
pub(super) struct Acted {
    /// The vendor as read after the change, if it was sent and could be read.
    pub snapshot: Option<Snapshot>,
    /// The change is not sent, and why, if something must be mended or waited for first.
    pub fault: Option<Fault>,
    /// The change, if it is now seen to be made.
    pub applied: Option<crate::api::Change>,
}

/// Makes the change of an intent: records it, sends it once, reads back.
pub(super) async fn act(
    context: &Context,
    stored: &mut Stored,
    status: &mut LicenseSeatsStatus,
    account: &dyn VendorAccount,
    intent: &Intent,
    entry: &mut Entry,
) -> Result<Acted, Error> {
    let started = Moment::now();
    tracing::Span::current().record("intent", intent.id.as_str());
    entry.restart_doubt(WaitFor::Request(intent.id.clone()), started.monotonic());
    let before = status.clone();
    status.intent = Some(intent.clone());
    status.plan = None;
    #[cfg(debug_assertions)]
    context.settings.weaken_version(stored);
    let mut journal = StatusJournal { stored, status, before: &before };
    let recorded = Recorded::by(&mut journal, intent).await.map_err(|why| match why {
        NotRecorded::Failed(error) => error,
        NotRecorded::Differs => Error::NotStored(vec!["status.intent".into()]),
    })?;

    let term = entry.term;
    let go = || may_leave(context, term, started);
    let outcome = account.write(recorded, &go).await;
    let snapshot = if outcome.is_of_something_sent() { account.read(Urgency::Urgent).await.ok() } else { None };
    let read_back = snapshot.as_ref().filter(|s| s.account_key() == intent.account);
    let numbers = read_back.and_then(Snapshot::numbers);
    let applied = if let Some(step) = intent.step.key() {
        let after = after_key_write(intent, step, &outcome, status.license.as_ref(), read_back, Context::now());
        (status.intent, status.license) = (after.intent, Some(after.license));
        after.applied
    } else {
        let after = after_write(intent, &outcome, numbers, Context::now());
        status.intent = after.intent;
        after.applied
    };
    let (from, to) = (intent.base().seats, intent.target().seats);
    tracing::info!(from, to, ?outcome, seen = ?numbers, "change sent");
    // Late effects count from the end of the request, not from its beginning.
    entry.restart_doubt(WaitFor::Request(intent.id.clone()), Instant::now());
    #[cfg(debug_assertions)]
    if context.settings.lacks(super::Weakness::ErrorCloses) && outcome != Outcome::Accepted {
        status.intent = None;
    }
    Ok(Acted { snapshot, fault: fault(outcome, |after| account.throttled(after)), applied })
}

/// The last questions before the bytes leave. Who leads again does not lead in the term in which the pass got the right to
/// make its change: another replica may have led meanwhile, seen no record of this change, and sent one of its own.
fn may_leave(context: &Context, term: u64, started: Moment) -> Result<(), &'static str> {
    #[cfg(debug_assertions)]
    if context.settings.lacks(super::Weakness::NoDeadline) {
        return Ok(());
    }
    if !context.leadership.is_current() {
        return Err("another replica leads, or may");
    }
    if context.shutdown.is_cancelled() {
        return Err("the operator is shutting down");
    }
    if context.crd.outdated().is_some() {
        return Err("the CRD is older than the operator");
    }
    if started.age(Moment::now()) >= context.settings.send_deadline {
        return Err("the send deadline has passed");
    }
    if context.term() == term { Ok(()) } else { Err("another replica leads, or may") }
}

/// Records intents in the status of an object.
struct StatusJournal<'a> {
    stored: &'a mut Stored,
    /// With the intent.
    status: &'a LicenseSeatsStatus,
    /// As it was read.
    before: &'a LicenseSeatsStatus,
}

impl Journal for StatusJournal<'_> {
    type Error = Error;

    async fn record(&mut self, _: &Intent) -> Result<Option<Intent>, Error> {
        write_intent(self.stored, self.status, self.before).await?;
        Ok(self.stored.status().ok().and_then(|status| status.intent))
    }
}

/// Step 4: compare-and-swap, and the whole intent must be stored, each field of it. After an unknown answer the object is
/// read again: on goes only who finds his own intent there.
async fn write_intent(
    stored: &mut Stored,
    status: &LicenseSeatsStatus,
    before: &LicenseSeatsStatus,
) -> Result<(), Error> {
    let intent = status.intent.as_ref();
    debug_assert_ne!(status.intent, before.intent);
    let error = match stored.write(status).await {
        Ok(_) if stored.holds(intent) => return Ok(()),
        Ok(_) => Error::NotStored(vec!["status.intent".into()]),
        Err(error) => error,
    };
    match error {
        Error::Conflict => Err(error),
        Error::NotStored(_) => {
            // Nothing is sent. A part of an intent must not be taken later for a request that may be running.
            if let Err(why) = stored.write(before).await {
                tracing::debug!(%why, "a part of an intent stays recorded");
            }
            Err(error)
        }
        error => match stored.again().await? {
            Some(again) if again.holds(intent) => {
                *stored = again;
                Ok(())
            }
            _ => Err(error),
        },
    }
}

/// What must be mended or waited for before the same is tried again.
fn fault(outcome: Outcome, throttled: impl FnOnce(Option<Duration>) -> Fault) -> Option<Fault> {
    match outcome {
        Outcome::Refused(Refusal::Credentials(fault)) => Some(fault),
        Outcome::Refused(Refusal::Throttled(after)) => Some(throttled(after)),
        Outcome::NotSent(why) => Some(Fault {
            remedy: Remedy::Time { after: None, secret_may_help: false },
            reason: reason::VENDOR_UNREACHABLE,
            summary: "change not sent".into(),
            message: format!("the change was not sent: {why}. It is tried again"),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::CrdState;

    #[tokio::test]
    async fn request_of_a_pass_that_began_in_a_former_term_is_held_back() {
        let context = Context::of_an_hour();
        context.crd_is(CrdState::Current);
        let (started, term) = (Moment::now(), context.term());
        assert_eq!(may_leave(&context, term, started), Ok(()));
        assert_eq!(may_leave(&context, term - 1, started), Err("another replica leads, or may"));
    }

    #[test]
    fn a_change_that_was_held_back_here_is_not_told_as_silence_of_the_vendor() {
        for why in ["the operator is shutting down", "the Secret with the licence key changed meanwhile"] {
            let throttled = |_| Fault::spec("vault.test unreachable".into());
            let fault = fault(Outcome::NotSent(why), throttled).unwrap();
            assert!(!fault.message.contains("vault.test") && !fault.summary.contains("unreachable"), "{fault:?}");
            assert!(fault.message.contains("not sent") && fault.message.contains(why), "{fault:?}");
            assert!(matches!(fault.remedy, Remedy::Time { after: None, secret_may_help: false }), "{fault:?}");
        }
    }
}
