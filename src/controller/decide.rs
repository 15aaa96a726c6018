//! Step 2: asks what other objects have against a change, and decides. Nothing is sent and nothing is written.

use std::time::{Duration, Instant};

use super::Context;
use super::memory::Entry;
use super::pass::{Decided, Pass};
use crate::api::LicenseSeatsStatus;
use crate::plan::{self, Desired, HoldKind, Learned, Situation, Snapshot, Verdict};

/// After this long, an object that waits for the initial scan says so.
pub(super) const SAID: Duration = Duration::from_secs(10);

/// Decides about what was read, and takes what the decision has found out into the record.
pub(super) fn decide(pass: &mut Pass<'_>, status: LicenseSeatsStatus, desired: Desired, snapshot: Snapshot) -> Decided {
    let (context, trigger) = (pass.context, &pass.trigger);
    let account = snapshot.account_key();
    let obstacle = context.pools.obstacle(pass.key, &account, pass.entry.term);
    let decision = plan::decide(&Situation {
        uid: &trigger.uid,
        generation: trigger.generation,
        confirmed: trigger.confirmed.as_deref(),
        desired: &desired,
        seen: &snapshot,
        intent: status.intent.as_ref(),
        history: &status.history,
        license: status.license.as_ref(),
        published: status.plan.as_ref().map(|plan| plan.id.as_str()),
        elapsed: pass.entry.doubt.elapsed(Instant::now()).as_ref(),
        record: status.record_of.as_ref(),
        satisfied: plan::in_sync_before(&status, trigger.generation, &plan::satisfaction(&desired, &account)),
        obstacle: obstacle.as_ref(),
        others: &context.pools.wanted_beside(pass.key),
        timing: context.settings.timing,
        writer: &context.writer,
        now: Context::now(),
    });
    let Learned { status, notices } = plan::after_decision(status, &decision);
    pass.notices.extend(notices);
    Decided { status, desired, snapshot, decision }
}

/// How long still to say nothing of it that a decision waits for the initial scan: a start costs no writes.
pub(super) fn silence(verdict: &Verdict, entry: &mut Entry) -> Option<Duration> {
    let since = entry.waiting.take();
    let Verdict::Held(holds) = verdict else { return None };
    holds
        .iter()
        .any(|hold| hold.kind == HoldKind::NotScanned)
        .then(|| {
            let now = Instant::now();
            let since = *entry.waiting.insert(since.unwrap_or(now));
            SAID.saturating_sub(now.duration_since(since))
        })
        .filter(|left| !left.is_zero())
}
