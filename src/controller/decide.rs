//! Decides, the second step of a pass: asks the registry which objects block a change, and decides. It sends nothing and writes nothing.

use std::time::{Duration, Instant};

use super::Context;
use super::object_state::{Key, ObjectState};
use super::pass_values::{Decided, Pass, Reading};
use super::shared_registry::Pools;
use crate::api::LicenseSeatsStatus;
use crate::domain::{self, Desired, HoldKind, Learned, Situation, Verdict};

/// After this long, an object that waits for the initial scan, or a new object that waits for its turn, reports the wait.
pub(super) const SAID: Duration = Duration::from_secs(10);

/// How much longer an object does not report a wait that has lasted this long.
pub(super) fn silent_for(waited: Duration) -> Duration {
    SAID.saturating_sub(waited)
}

/// Decides about the reading, and takes the findings of the decision into the record.
pub(super) fn decide(pass: &mut Pass<'_>, status: LicenseSeatsStatus, desired: Desired, reading: Reading) -> Decided {
    let Reading { snapshot, asked } = reading;
    let (context, requested) = (pass.context, &pass.requested);
    let account = snapshot.account_key();
    let obstacle = context.pools.obstacle(pass.key, &account, pass.state.term);
    let now = Context::now();
    let desired = desired.sized(&snapshot, status.sizing.as_ref(), now);
    let decision = domain::decide(&Situation {
        uid: &requested.uid,
        generation: requested.generation,
        confirmed: requested.confirmed.as_deref(),
        look: requested.look(),
        rotated: pass.state.rotated(status.intent.as_ref()),
        desired: &desired,
        seen: &snapshot,
        intent: status.intent.as_ref(),
        may_bill: status.may_bill.as_ref(),
        history: &status.history,
        license: status.license.as_ref(),
        published: status.plan.as_ref().and_then(|plan| plan.basis.as_deref()),
        elapsed: pass.state.doubt.elapsed(asked).as_ref(),
        record: status.record_of.as_ref(),
        satisfied: domain::in_sync_before(&status, requested.generation, &domain::satisfaction(&desired, &account)),
        obstacle: obstacle.as_ref(),
        others: &context.pools.wanted_beside(pass.key),
        stuck: &context.pools.stuck_beside(pass.key),
        calendar: domain::Calendar {
            openings: &context.schedules.openings(&desired.adjustment, now),
            used: status.window.as_ref(),
            waits: status.next_window.as_ref(),
            planned: status.plan.as_ref(),
            current: status.observed_generation == requested.generation,
        },
        approvals: domain::Approvals {
            given: &pass.approvals.given,
            unread: pass.approvals.unread.as_deref(),
            shown: status.last_plan.as_ref(),
            agreed: domain::agreed_for(&status, &account),
        },
        activity: domain::ActivePast {
            record: status.activity.as_ref(),
            edits_unseen: domain::edits_unseen(&status, requested.generation, pass.state.was_recorded()),
        },
        timing: context.settings.timing,
        writer: &context.writer,
        now,
    });
    let Learned { status, notices } = domain::after_decision(status, &decision);
    pass.notices.extend(notices);
    Decided { status, desired, snapshot, decision }
}

/// How much longer not to report that a change of this account waits for the initial scan, so that a start causes no writes. The end
/// of the scan wakes the object. Effects that could not be recorded before are recorded without delay.
pub(super) fn silence(
    pools: &Pools,
    key: &Key,
    account: &str,
    verdict: &Verdict,
    state: &mut ObjectState,
) -> Option<Duration> {
    let since = state.waiting.take();
    let Verdict::Held(holds) = verdict else { return None };
    if state.proof.is_some() || holds.iter().all(|hold| hold.kind != HoldKind::NotScanned) {
        return None;
    }
    let now = Instant::now();
    let since = *state.waiting.insert(since.unwrap_or(now));
    let left = silent_for(now.duration_since(since));
    if left.is_zero() {
        return None;
    }
    pools.wait_out(key, account, state.term);
    Some(left)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures::FutureExt;
    use serde_json::json;

    use super::*;
    use crate::api::{Account, LicenseSeatsSpec};
    use crate::controller::object_metadata::ObjectMetadata;
    use crate::controller::stored_object::StoredObject;
    use crate::domain::{Hold, Model, Numbers, Rules, Snapshot, Usage, WaitFor, Wake};
    use crate::registry::tests::ownership;

    /// A request without an answer began its settle time of a minute 100 seconds ago.
    fn counts_as_one_of_two(asked_ago: Duration) -> bool {
        let (context, key) = (Context::of_an_hour(), ("it".to_owned(), "acme".to_owned()));
        let metadata = json!({ "name": "acme", "namespace": "it", "uid": "uid", "resourceVersion": "7" });
        let object: ObjectMetadata = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
        let stored = StoredObject::of(&context.client, &key, json!({ "metadata": metadata }));
        let intent = json!({
            "id": "open", "objectUid": "uid", "account": "host/id", "step": { "seats": { "from": 100, "to": 150 } },
            "generation": 1, "attempt": 1, "reason": "SpecDiffers", "phase": "Unanswered", "time": "2026-10-01T08:00:00Z",
        });
        let status = serde_json::from_value(json!({ "intent": intent })).unwrap();
        let bitwarden = json!({ "bitwarden": { "credentialsSecretRef": { "name": "key" } } });
        let spec: LicenseSeatsSpec = serde_json::from_value(json!({ "vendor": bitwarden, "seats": 150 })).unwrap();
        let (pool, _) = crate::vendors::target(&spec.vendor).unwrap();
        let desired = Desired::parse(&spec, pool, Duration::ZERO).unwrap();
        let snapshot = Snapshot {
            account: Account { vendor: "bitwarden".into(), host: Some("host".into()), id: Some("id".into()) },
            usage: Usage::NotReported,
            model: Model::Quantity(Numbers { seats: 100, limit: None }),
            rules: Rules::default(),
            billed: None,
            billed_is_old: false,
            capabilities: Vec::new(),
            license: None,
            concern: None,
        };
        let (mut state, now) = (ObjectState::default(), Instant::now());
        let ago = |seconds| now.checked_sub(seconds).unwrap();
        state.doubt.restart(WaitFor::Request("open".into()), ago(Duration::from_secs(100)));
        let mut pass = Pass::over(&context, &object, &key, stored, &mut state);
        let decided = decide(&mut pass, status, desired, Reading { snapshot, asked: ago(asked_ago) });
        decided.decision.doubt.unwrap().settled
    }

    #[tokio::test]
    async fn reading_before_end_of_settle_time_is_none_of_two_however_late_decided() {
        assert!(counts_as_one_of_two(Duration::ZERO));
        assert!(!counts_as_one_of_two(Duration::from_secs(50)));
    }

    #[test]
    fn silence_about_a_wait_ends_after_10_seconds() {
        let left = |waited| silent_for(Duration::from_millis(waited));
        assert_eq!(left(0), Duration::from_secs(10));
        assert_eq!(left(9_999), Duration::from_millis(1));
        assert_eq!([left(10_000), left(60_000)], [Duration::ZERO; 2]);
    }

    #[tokio::test]
    async fn object_silent_about_waiting_for_initial_scan_is_woken_when_scan_ends() {
        let (context, key) = (Context::of_an_hour(), ("it".to_owned(), "acme".to_owned()));
        context.pools.begin_term(1, []);
        context.pools.note(&key, "b", ownership("acme", "seats", "b"), 1);
        let mut state = ObjectState::default();
        state.term = 1;
        let hold = Hold { kind: HoldKind::NotScanned, message: String::new(), wake: Wake::OnEdit };
        let held = Verdict::Held(vec![hold]);
        assert!(silence(&context.pools, &key, "acme", &held, &mut state).is_some());
        assert_eq!(context.queue.next().now_or_never(), None);
        context.pools.inherit(1, BTreeSet::new());
        assert_eq!(context.queue.next().now_or_never(), Some(key.clone()));
        assert_eq!(silence(&context.pools, &key, "acme", &Verdict::InSync, &mut state), None);
        assert_eq!(state.waiting, None, "the next wait begins anew");
    }
}
