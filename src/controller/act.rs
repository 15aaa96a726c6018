//! Acts, the third step of a pass: the only code that changes a vendor. It reserves the account, records the intent,
//! sends it once, and reads back (docs/never-buys-twice.md, "Record" to "Gathered back").

use std::time::{Duration, Instant};

use super::checks_before_sending::may_leave;
use super::decide::{decide, silence};
use super::gather::credential_pause;
use super::intent_journal::StatusJournal;
use super::object_state::Key;
use super::pass_values::{Decided, End, Failed, Opened, Pass, Reading};
use super::record::one_after_another;
use super::wanted_ownership::rows_of;
use super::{Context, Error};
use crate::api::{Intent, LicenseSeatsStatus};
use crate::clock::Moment;
use crate::domain::{self, Fault, Learned, Outcome, Refusal, Remedy, Snapshot, Verdict, WaitFor, reason};
use crate::vendors::rate_limit::Wait;
use crate::vendors::{NotRecorded, Recorded, Urgency, VendorAccount};

/// How long to wait after another object was faster, if nothing reports its end sooner.
const OVERTAKEN: Duration = Duration::from_secs(1);

/// The beginning of the log text about a change of which no byte has left.
const NOT_SENT: &str = "the change was not sent: ";

/// Carries out a decision. The reading after a request gets a new decision, and nothing is sent because of it.
pub(super) async fn act(pass: &mut Pass<'_>, decided: Decided, opened: Opened) -> Result<End, Error> {
    let (context, key) = (pass.context, pass.key);
    // Its permit for the host becomes free when this step ends.
    let Opened { account, secret_version, permit: _permit } = opened;
    let account_key = decided.snapshot.account_key();
    if let Some(left) = silence(&context.pools, key, &account_key, &decided.decision.verdict, pass.state) {
        context.metrics.pass("waiting");
        return Ok(End::Quiet(left));
    }
    let intent = match &decided.decision.verdict {
        // Unrecorded effects of the last pass are recorded before anything is sent.
        Verdict::Change(intent) if pass.state.proof.is_none() => intent.clone(),
        _ => return Ok(End::Decided(Box::new(decided))),
    };
    if context.pools.reserve(key, &intent, pass.state.term).is_err() {
        // Another object was faster since the decision: the next pass reports that.
        context.metrics.pass("waiting");
        return Ok(End::Quiet(OVERTAKEN));
    }
    if let Err(wait) = account.turn_to_write() {
        context.pools.set_open(key, decided.status.intent.as_ref());
        return Ok(not_sent_yet(pass, decided, account.as_ref(), wait));
    }
    let Decided { status, desired, snapshot, .. } = decided;
    let answered = request(pass, status, account.as_ref(), &intent).await;
    // Without an outcome nothing was sent: the intent could not be recorded.
    let Answered { learned, read_back, asked, fault } = answered.inspect_err(|_| context.pools.set_open(key, None))?;
    context.pools.request_ended(key);
    if let Some(listed) = read_back.as_ref().and_then(rows_of) {
        context.pools.shows(key, listed);
    }
    let Learned { status, notices } = learned;
    pass.notices.extend(notices);
    if let Some(fault) = fault {
        context.pools.set_open(key, status.intent.as_ref());
        pass.state.failed(&fault);
        if let Some(why) = fault.message.strip_prefix(NOT_SENT) {
            pass.state.not_sent(why);
        }
        pass.state.credential_pause = credential_pause(context, pass.state, &fault, secret_version);
        let account = Some(snapshot.account);
        return Ok(End::Failed(Box::new(Failed { status, desired: Some(desired), account, fault, back: None })));
    }
    let reading = Reading { snapshot: read_back.unwrap_or(snapshot), asked };
    Ok(End::Decided(Box::new(decide(pass, status, desired, reading))))
}

/// The end of a pass whose change has no turn. If the path for changes is closed, the reading and the decision are still recorded:
/// the path may stay closed for hours, and readings go on.
fn not_sent_yet(pass: &mut Pass<'_>, decided: Decided, account: &dyn VendorAccount, wait: Wait) -> End {
    let after = wait.after();
    let Some(fault) = account.closed(wait) else {
        pass.context.metrics.pass("rate_limited");
        return End::Quiet(after);
    };
    // The approval is not used yet.
    pass.notices.retain(|notice| notice.reason != domain::event::CHANGE_APPROVED);
    let decision = decided.decision.not_sent_yet(fault.message, one_after_another(after));
    End::Decided(Box::new(Decided { decision, ..decided }))
}

/// The outcome of a request.
struct Answered {
    /// The proof in the answer.
    learned: Learned,
    /// The vendor as read after the request, if it was sent and could be read.
    read_back: Option<Snapshot>,
    /// When it was read, or would have been.
    asked: Instant,
    /// Why the request did not leave or must be sent again, if a fault or a wait comes first.
    fault: Option<Fault>,
}

/// Makes the change of an intent: records it, sends it once, reads back.
async fn request(
    pass: &mut Pass<'_>,
    before: LicenseSeatsStatus,
    account: &dyn VendorAccount,
    intent: &Intent,
) -> Result<Answered, Error> {
    let started = Moment::now();
    let (context, term) = (pass.context, pass.state.term);
    tracing::Span::current().record("intent", intent.id.as_str());
    pass.state.doubt.restart(WaitFor::Request(intent.id.clone()), started.monotonic());
    let status = domain::before_request(before.clone(), intent);
    let mut journal = StatusJournal { stored: &mut pass.stored, status: &status, before: &before };
    let recorded = Recorded::by(&mut journal, intent).await.map_err(|why| match why {
        NotRecorded::Failed(error) => error,
        NotRecorded::Differs => Error::NotStored(vec!["status.intent".into()]),
    })?;

    let outcome = account.write(recorded, &|| may_leave(context, term, started)).await;
    let asked = Instant::now();
    let read_back = if outcome.is_of_something_sent() { account.read(Urgency::Urgent).await.ok() } else { None };
    let learned = domain::after_request(status, intent, &outcome, read_back.as_ref(), Context::now());
    log(pass.key, intent, &outcome, read_back.as_ref());
    // Late effects count from the end of the request, not from its beginning.
    pass.state.doubt.restart(WaitFor::Request(intent.id.clone()), Instant::now());
    Ok(Answered { learned, read_back, asked, fault: fault(outcome, |after| account.throttled(after)) })
}

/// The log line of a change. It remains if the status that would record the change is gone. It leaves out seats that were not read,
/// and names a change that leaves no limit.
fn log((namespace, name): &Key, intent: &Intent, outcome: &Outcome, read_back: Option<&Snapshot>) {
    let (from, to) = (intent.base().seats, intent.target().seats);
    let most = intent.target().limit;
    let limit: &dyn tracing::Value = if most.is_some() { &most } else { &"none" };
    let seen = read_back.and_then(Snapshot::numbers).map(|numbers| numbers.seats);
    let (account, trigger, intent) = (intent.account.as_str(), intent.reason.word(), intent.id.as_str());
    let why = if let Outcome::NotSent(why) = outcome { Some(*why) } else { None };
    let outcome = outcome.label();
    // The fields are the same, so that one query finds both lines.
    macro_rules! told {
        ($line:literal) => {
            tracing::info!(namespace, name, account, from, to, limit, outcome, seen, trigger, intent, why, $line)
        };
    }
    if why.is_some() { told!("change not sent") } else { told!("change sent") }
}

/// The obstacle before another try.
fn fault(outcome: Outcome, throttled: impl FnOnce(Option<Duration>) -> Fault) -> Option<Fault> {
    match outcome {
        Outcome::Refused(Refusal::Credentials(fault)) => Some(fault),
        Outcome::Refused(Refusal::Throttled(after)) => Some(throttled(after)),
        Outcome::NotSent(why) => Some(Fault {
            remedy: Remedy::Time { after: None, secret_may_help: false },
            reason: reason::VENDOR_UNREACHABLE,
            summary: "change not sent".into(),
            message: format!("{NOT_SENT}{why}. Seatkeeper tries again"),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::Arc;

    use super::*;

    /// The log line of a change from 100 seats to 150.
    fn logged(limit: Option<i32>, outcome: &Outcome) -> String {
        let limit_to = limit.map_or_else(String::new, |limit| format!(",\"limitTo\":{limit}"));
        let intent = format!(
            r#"{{"id":"i","objectUid":"u","account":"vault.test/1","step":{{"seats":{{"from":100,"to":150{limit_to}}}}},
                "generation":1,"attempt":1,"reason":"SpecDiffers","phase":"Open","time":"2026-11-29T12:00:00Z"}}"#
        );
        let intent: Intent = serde_json::from_str(&intent).expect("an intent");
        let (mut written, log) = std::io::pipe().expect("a pipe");
        let lines = tracing_subscriber::fmt().with_writer(Arc::new(log)).with_ansi(false).finish();
        tracing::subscriber::with_default(lines, || super::log(&("it".into(), "acme".into()), &intent, outcome, None));
        let mut text = String::new();
        written.read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn line_about_money_has_the_same_fields_whether_or_not_it_was_sent() {
        let change = r#"namespace="it" name="acme" account="vault.test/1" from=100 to=150"#;
        let why = r#"trigger="SpecDiffers" intent="i""#;
        for (limit, outcome, line) in [
            (Some(150), Outcome::Unanswered, format!(r#"change sent {change} limit=150 outcome="unanswered" {why}"#)),
            (None, Outcome::Accepted, format!(r#"change sent {change} limit="none" outcome="ok" {why}"#)),
            (
                None,
                Outcome::NotSent("late"),
                format!(r#"change not sent {change} limit="none" outcome="not_sent" {why} why="late""#),
            ),
        ] {
            let logged = logged(limit, &outcome);
            assert!(logged.trim_end().ends_with(&line), "{line}\nis not\n{logged}");
        }
    }

    #[test]
    fn unsent_change_is_not_reported_as_vendor_silence() {
        for why in ["the operator is shutting down", "the Secret with the license key changed meanwhile"] {
            let throttled = |_| Fault::spec("vault.test unreachable".into());
            let fault = fault(Outcome::NotSent(why), throttled).unwrap();
            assert!(!fault.message.contains("vault.test") && !fault.summary.contains("unreachable"), "{fault:?}");
            assert!(fault.message.contains("not sent") && fault.message.contains(why), "{fault:?}");
            assert!(matches!(fault.remedy, Remedy::Time { after: None, secret_may_help: false }), "{fault:?}");
        }
    }
}
