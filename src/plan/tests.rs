//! Decisions as stories: a situation is built, something is said about what follows.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;
use crate::api::*;

mod keys;
mod properties;
mod satisfied;

const SETTLED: Duration = Duration::from_secs(3600);
const TIMING: Timing = Timing {
    answered: Duration::from_secs(300),
    unanswered: Duration::from_secs(1800),
    pause: Duration::from_secs(10),
};

/// A situation: 100 seats with limit 100 and 80 used at the vendor, 150 pinned seats wanted, plan published.
#[derive(Debug)]
struct Story {
    desired: Desired,
    seen: Snapshot,
    generation: i64,
    confirmed: Option<String>,
    intent: Option<Intent>,
    history: Vec<Change>,
    published: bool,
    elapsed: Option<Elapsed>,
    behind: Option<String>,
    others: Vec<(&'static str, i32)>,
    satisfied: bool,
}

fn n(seats: i32, limit: Option<i32>) -> Numbers {
    Numbers { seats, limit }
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn story() -> Story {
    let pool = Pool::Bitwarden {
        product: Product::PasswordManager,
        region: Some(Region::US),
        organization: None,
        secret: Some("key".into()),
        owner_secret: None,
    };
    let account = Account { vendor: "bitwarden".into(), host: Some("api.test".into()), id: Some("org".into()) };
    Story {
        desired: Desired {
            pool,
            seats: Some(150),
            limit: LimitGoal::Pinned,
            guardrails: Guardrails::default(),
            policy: ManagementPolicy::Manage,
            suspended: false,
            thresholds: Thresholds::default(),
            expiry: vec![],
            interval: Duration::from_secs(600),
        },
        seen: Snapshot {
            account,
            numbers: Some(n(100, Some(100))),
            usage: Usage::AtLeast(80),
            support: Support { read_only: None, cannot_clear_limit: Some("cannot clear".into()) },
            at_least: vec![],
            at_most: vec![Bound { seats: MAX_SEATS, because: "it wraps".into(), pool: None }],
            billed: None,
            capabilities: vec![],
            license: None,
            concern: None,
            tenant: None,
        },
        generation: 3,
        confirmed: None,
        intent: None,
        history: vec![],
        published: true,
        elapsed: None,
        behind: None,
        others: vec![],
        satisfied: false,
    }
}

impl Story {
    fn wants(mut self, seats: i32, limit: LimitGoal) -> Self {
        (self.desired.seats, self.desired.limit) = (Some(seats), limit);
        self
    }
    fn shows(mut self, seats: i32, limit: Option<i32>) -> Self {
        self.seen.numbers = Some(n(seats, limit));
        self
    }
    fn uses(mut self, usage: Usage) -> Self {
        self.seen.usage = usage;
        self
    }
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
    /// An intent of 100 to 150 is recorded in this phase, first seen this long ago.
    fn open(mut self, phase: IntentPhase, since: Duration) -> Self {
        self.intent = Some(Intent {
            id: "i1".into(),
            object_uid: "uid".into(),
            generation: 3,
            account: "api.test/org".into(),
            from: 100,
            to: 150,
            limit_from: Some(100),
            limit_to: Some(150),
            license_key: None,
            used: Some(80),
            attempt: 1,
            reason: Trigger::SpecDiffers,
            phase,
            refused: None,
            time: Time(now()),
        });
        let key = match phase {
            IntentPhase::Answered => "answered-i1",
            _ => "i1",
        };
        self.elapsed = Some(Elapsed { key: key.into(), since, settled: None });
        self
    }
    fn attempt(mut self, attempt: i32) -> Self {
        self.intent.as_mut().unwrap().attempt = attempt;
        self
    }
    /// After the settle time these numbers were read already, longer ago than the pause.
    fn read_before(mut self, numbers: Numbers) -> Self {
        self.elapsed.as_mut().unwrap().settled = Some((numbers, TIMING.pause));
        self
    }
    /// Seatkeeper made this change this many hours ago.
    fn made(mut self, from: i32, to: i32, hours: i64, attempt: i32, reason: Trigger) -> Self {
        self.history.push(Change {
            id: format!("c{}", self.history.len()),
            account: "api.test/org".into(),
            from,
            to,
            limit_from: Some(from),
            limit_to: Some(to),
            license_key: None,
            generation: 3,
            attempt,
            reason,
            time: Time(now() - SignedDuration::from_hours(hours)),
        });
        self
    }
    fn decided(&self) -> Decision {
        self.decided_at(None, now())
    }
    fn decided_at(&self, published: Option<&str>, now: Timestamp) -> Decision {
        decide(&Situation {
            uid: "uid",
            generation: self.generation,
            confirmed: self.confirmed.as_deref(),
            desired: &self.desired,
            seen: &self.seen,
            intent: self.intent.as_ref(),
            history: &self.history,
            license: None,
            published,
            elapsed: self.elapsed.as_ref(),
            behind: self.behind.as_deref(),
            others: &self.others,
            satisfied: self.satisfied,
            timing: TIMING,
            writer: "me",
            now,
        })
    }
    /// Decides as after the plan was published, if there is one.
    fn verdict(&self) -> Verdict {
        self.follow().verdict
    }
    fn follow(&self) -> Decision {
        self.follow_at(now())
    }
    fn follow_at(&self, now: Timestamp) -> Decision {
        let first = self.decided_at(None, now);
        match (&first.verdict, &first.plan) {
            (Verdict::Publish, Some(plan)) if self.published => self.decided_at(Some(&plan.id), now),
            _ => first,
        }
    }
    /// The request that would be sent.
    fn sends(&self) -> Option<(Numbers, Numbers, i32)> {
        match self.verdict() {
            Verdict::Change(intent) => Some((intent.base(), intent.target(), intent.attempt)),
            _ => None,
        }
    }
    fn blocks(&self) -> Vec<Block> {
        match self.verdict() {
            Verdict::Held(blocks) => blocks,
            other => panic!("not held but {other:?}"),
        }
    }
}

#[test]
fn a_repeat_of_what_was_taken_back_of_which_nothing_was_heard_is_no_refusal() {
    let since = TIMING.unanswered * 2;
    let story = |phase| {
        let story = story().made(100, 150, 1, 1, Trigger::SpecDiffers).open(phase, since).attempt(2);
        story.read_before(n(100, Some(100)))
    };
    assert_eq!(story(IntentPhase::Open).verdict(), Verdict::NeedsReview);
    assert_eq!(story(IntentPhase::Unanswered).verdict(), Verdict::NeedsReview);
    assert_eq!(story(IntentPhase::Answered).verdict(), Verdict::Rejected, "it said no");
    let never_made = story(IntentPhase::Open).with(|s| s.history.clear());
    assert_eq!(never_made.verdict(), Verdict::Rejected);
}

#[test]
fn a_change_waits_for_another_pool_that_is_about_to_move_and_is_refused_where_none_is() {
    let bound = |seats, pool| vec![Bound { seats, because: "of the other product".into(), pool: Some(pool) }];
    let up = |others| {
        story().with(|s| {
            s.seen.at_most = bound(120, "PasswordManager");
            s.others = others;
        })
    };
    let down = |others| {
        story().wants(90, LimitGoal::Pinned).with(|s| {
            s.seen.at_least = bound(95, "SecretsManager");
            s.others = others;
        })
    };
    for (story, kind) in [
        (up(vec![("PasswordManager", 150)]), PlanBlock::OtherPool),
        (up(vec![("PasswordManager", 149)]), PlanBlock::Vendor),
        (up(vec![("MachineAccounts", 150)]), PlanBlock::Vendor),
        (up(vec![]), PlanBlock::Vendor),
        (down(vec![("SecretsManager", 90)]), PlanBlock::OtherPool),
        (down(vec![("SecretsManager", 91)]), PlanBlock::Vendor),
    ] {
        assert_eq!(story.blocks()[0].kind, kind);
    }
}

#[test]
fn the_first_look_only_publishes_the_plan() {
    let decision = story().decided();
    assert_eq!(decision.verdict, Verdict::Publish);
    let plan = decision.plan.unwrap();
    assert_eq!((plan.from, plan.to, plan.limit_from, plan.limit_to), (100, 150, Some(100), Some(150)));
}

#[test]
fn a_published_plan_is_carried_out_with_seats_and_limit_together() {
    assert_eq!(story().sends(), Some((n(100, Some(100)), n(150, Some(150)), 1)));
}

#[test]
fn another_spec_or_another_reading_makes_another_plan() {
    let id = |s: Story| s.decided().plan.unwrap().id;
    let ids = [
        id(story()),
        id(story().with(|s| s.generation = 4)),
        id(story().shows(101, Some(101))),
        id(story().wants(151, LimitGoal::Pinned)),
        id(story().with(|s| s.seen.account.id = Some("other".into()))),
    ];
    for (i, a) in ids.iter().enumerate() {
        assert!(ids[i + 1..].iter().all(|b| a != b), "{ids:?}");
    }
    assert_eq!(id(story()), ids[0]);
}

#[test]
fn what_is_as_declared_needs_nothing() {
    assert_eq!(story().shows(150, Some(150)).verdict(), Verdict::InSync);
    assert_eq!(story().wants(100, LimitGoal::Keep).shows(100, None).verdict(), Verdict::InSync);
    assert_eq!(story().wants(100, LimitGoal::Unlimited).shows(100, None).verdict(), Verdict::InSync);
}

#[test]
fn limits_follow_their_mode() {
    assert_eq!(story().wants(150, LimitGoal::UpTo(170)).sends().unwrap().1, n(150, Some(170)));
    assert_eq!(story().wants(100, LimitGoal::Pinned).shows(100, Some(170)).sends().unwrap().1, n(100, Some(100)));
    assert_eq!(story().wants(120, LimitGoal::Keep).shows(100, Some(130)).sends().unwrap().1, n(120, Some(130)));
    assert_eq!(story().with(|s| s.desired.seats = None).shows(100, Some(170)).sends().unwrap().1, n(100, Some(100)));
}

#[test]
fn observing_and_suspending_send_nothing() {
    let observing = story().with(|s| s.desired.policy = ManagementPolicy::Observe);
    assert_eq!(observing.verdict(), Verdict::Observed(Some(n(150, Some(150)))));
    let suspended = story().with(|s| s.desired.suspended = true);
    assert_eq!(suspended.blocks()[0].kind, PlanBlock::Suspended);
    assert_eq!(suspended.decided().plan.unwrap().blocked_by, [PlanBlock::Suspended]);
}

#[test]
fn guard_rails_block_and_never_clamp() {
    let max = story().with(|s| s.desired.guardrails.max_seats = Some(120));
    assert!(max.blocks()[0].message.contains("maxSeats 120"), "{:?}", max.blocks());
    let min = story().wants(90, LimitGoal::Pinned).with(|s| s.desired.guardrails.min_seats = Some(95));
    assert!(min.blocks()[0].message.contains("minSeats 95"));
    let limit = story().wants(100, LimitGoal::UpTo(170)).with(|s| s.desired.guardrails.max_seats = Some(160));
    assert!(limit.blocks()[0].message.contains("limit of 170"));
    let endless = |shown, max| {
        story().wants(100, LimitGoal::Unlimited).shows(100, shown).with(|s| {
            s.seen.support.cannot_clear_limit = None;
            s.desired.guardrails.max_seats = max;
        })
    };
    let blocks = endless(Some(100), Some(160)).blocks();
    assert!(blocks[0].message.contains("spec.limit.mode Unlimited"), "{blocks:?}");
    assert!(blocks[0].message.contains("spec.guardrails.maxSeats 160"), "{blocks:?}");
    assert_eq!(endless(None, Some(160)).verdict(), Verdict::InSync, "there is nothing to remove");
    assert!(endless(Some(100), None).sends().is_some());
}

#[test]
fn seats_never_go_below_what_is_used_or_could_not_be_read() {
    let used = story().wants(70, LimitGoal::Pinned);
    assert!(used.blocks()[0].message.contains("below the 80 in use"), "{:?}", used.blocks());
    let unknown = story().wants(90, LimitGoal::Pinned).uses(Usage::NotReported);
    assert!(unknown.blocks()[0].message.contains("could not be read"));
    assert_eq!(story().wants(80, LimitGoal::Pinned).sends().unwrap().1, n(80, Some(80)));
    assert!(story().uses(Usage::NotReported).sends().is_some(), "an increase does not need usage");
}

#[test]
fn what_the_vendor_would_refuse_without_a_word_is_refused_with_one() {
    let limit = story().wants(150, LimitGoal::Keep).shows(100, Some(120));
    assert!(limit.blocks()[0].message.contains("above the limit of 120: set spec.limit"));
    let unlimited = story().wants(150, LimitGoal::Unlimited);
    assert!(unlimited.blocks()[0].unsupported);
    let bound = |seats| vec![Bound { seats, because: "of the other product".into(), pool: None }];
    let least = story().wants(90, LimitGoal::Pinned).with(|s| s.seen.at_least = bound(95));
    assert!(least.blocks()[0].message.contains("fewer than 95, because of the other product"));
    let most = story().with(|s| s.seen.at_most = bound(140));
    assert!(most.blocks()[0].message.contains("more than 140"));
    let none = story().with(|s| (s.seen.numbers, s.seen.support.read_only) = (None, Some("no count".into())));
    assert_eq!(none.verdict(), Verdict::Unsupported("no count".into()));
}

#[test]
fn an_open_intent_sends_nothing_before_its_settle_time() {
    for (phase, settle) in [
        (IntentPhase::Open, TIMING.unanswered),
        (IntentPhase::Unanswered, TIMING.unanswered),
        (IntentPhase::Answered, TIMING.answered),
    ] {
        let almost = settle - Duration::from_secs(1);
        for seen in [100, 120] {
            let decision = story().open(phase, almost).shows(seen, Some(seen)).follow();
            assert_eq!(decision.verdict, Verdict::Doubt, "{phase:?} {seen}");
            assert_eq!(decision.doubt.unwrap().left, Duration::from_secs(1));
            assert_eq!(decision.intent.unwrap().id, "i1");
        }
    }
}

#[test]
fn a_doubt_this_process_sees_for_the_first_time_waits_in_full() {
    let fresh = story().open(IntentPhase::Open, SETTLED).with(|s| s.elapsed = None);
    assert_eq!(fresh.follow().doubt.unwrap().left, TIMING.unanswered);
    let other = story().open(IntentPhase::Open, SETTLED).with(|s| s.elapsed.as_mut().unwrap().key = "another".into());
    assert_eq!(other.follow().doubt.unwrap().left, TIMING.unanswered);
}

#[test]
fn late_effects_are_counted_from_the_answer_and_not_from_before_the_request() {
    // Found by the model: a request that took minutes had used up the settle time of its own answer.
    let request = story()
        .open(IntentPhase::Answered, SETTLED)
        .read_before(n(100, Some(100)))
        .with(|s| s.elapsed.as_mut().unwrap().key = "i1".into());
    let decision = request.follow();
    assert_eq!(decision.verdict, Verdict::Doubt);
    assert_eq!(decision.doubt.unwrap().left, TIMING.answered);
}

#[test]
fn after_the_settle_time_two_readings_must_agree() {
    let first = story().open(IntentPhase::Unanswered, SETTLED).follow();
    assert_eq!(first.verdict, Verdict::Doubt);
    assert_eq!(first.doubt.unwrap(), Doubt { key: "i1".into(), left: TIMING.pause, settled: true });
    let differs = story().open(IntentPhase::Unanswered, SETTLED).read_before(n(120, Some(120)));
    assert_eq!(differs.verdict(), Verdict::Doubt);
    let agrees = story().open(IntentPhase::Unanswered, SETTLED).read_before(n(100, Some(100)));
    assert_eq!(agrees.sends(), Some((n(100, Some(100)), n(150, Some(150)), 2)));
    assert!(
        matches!(agrees.decided().verdict, Verdict::Change(_)),
        "a repeat needs no plan of its own, or it would forget that it is one"
    );
}

#[test]
fn a_second_attempt_without_effect_is_a_refusal_until_spec_or_usage_changes() {
    let refused = story().open(IntentPhase::Answered, SETTLED).attempt(2).read_before(n(100, Some(100)));
    let decision = refused.follow();
    assert_eq!(decision.verdict, Verdict::Rejected);
    let rejected = story().with(|s| s.intent = decision.intent.clone());
    assert_eq!(rejected.verdict(), Verdict::Rejected);
    assert!(story().with(|s| (s.intent, s.generation) = (decision.intent.clone(), 4)).sends().is_some());
    assert!(story().with(|s| s.intent = decision.intent.clone()).uses(Usage::AtLeast(79)).sends().is_some());
}

#[test]
fn seeing_the_target_ends_the_doubt_but_an_unanswered_request_still_bars_the_next() {
    let answered = story().open(IntentPhase::Answered, Duration::ZERO).shows(150, Some(150)).follow();
    assert_eq!((answered.verdict, answered.intent), (Verdict::InSync, None));
    assert_eq!(answered.applied.unwrap().id, "i1");

    let unanswered = story().open(IntentPhase::Open, Duration::ZERO).shows(150, Some(150)).follow();
    assert_eq!(unanswered.verdict, Verdict::InSync);
    assert_eq!(unanswered.applied.unwrap().id, "i1");
    let settling = unanswered.intent.unwrap();
    assert_eq!(settling.phase, IntentPhase::Settling);

    let edited = story()
        .open(IntentPhase::Settling, Duration::from_secs(60))
        .shows(150, Some(150))
        .wants(160, LimitGoal::Pinned);
    assert_eq!(edited.verdict(), Verdict::Doubt);
    let later = story().open(IntentPhase::Settling, SETTLED).shows(150, Some(150)).wants(160, LimitGoal::Pinned);
    assert_eq!(later.sends(), Some((n(150, Some(150)), n(160, Some(160)), 1)));
}

#[test]
fn numbers_that_no_change_of_ours_explains_need_a_review() {
    let seen = n(120, Some(120));
    let third = story().open(IntentPhase::Unanswered, SETTLED).shows(120, Some(120)).read_before(seen);
    let decision = third.follow();
    assert_eq!(decision.verdict, Verdict::NeedsReview);
    let review = || story().shows(120, Some(120)).with(|s| s.intent.clone_from(&decision.intent));
    assert_eq!(review().verdict(), Verdict::NeedsReview);
    assert_eq!(review().with(|s| s.confirmed = Some("another".into())).verdict(), Verdict::NeedsReview);
    assert!(review().with(|s| s.confirmed = Some("i1".into())).sends().is_some());
    assert!(review().with(|s| s.generation = 4).sends().is_some());
}

#[test]
fn a_change_applied_by_half_is_completed_once() {
    let half = story().open(IntentPhase::Answered, SETTLED).shows(150, Some(100)).read_before(n(150, Some(100)));
    assert_eq!(half.sends(), Some((n(150, Some(100)), n(150, Some(150)), 2)));
    let part = half.follow().applied.expect("the seats are told to be bought");
    assert_eq!((part.base(), part.target()), (n(100, Some(100)), n(150, Some(100))));
}

#[test]
fn an_edit_during_a_doubt_waits_for_it_and_then_starts_afresh() {
    let edited =
        |since| story().open(IntentPhase::Unanswered, since).with(|s| s.generation = 4).wants(130, LimitGoal::Pinned);
    assert_eq!(edited(Duration::from_secs(60)).verdict(), Verdict::Doubt);
    assert_eq!(edited(SETTLED).read_before(n(100, Some(100))).sends(), Some((n(100, Some(100)), n(130, Some(130)), 1)));
}

#[test]
fn a_doubt_about_another_account_is_waited_out() {
    let moved = |since| story().open(IntentPhase::Open, since).with(|s| s.seen.account.id = Some("other".into()));
    assert_eq!(moved(Duration::from_secs(1)).shows(150, Some(150)).verdict(), Verdict::Doubt);
    assert!(moved(SETTLED).sends().is_some());
}

#[test]
fn a_change_the_vendor_takes_back_is_repeated_once_after_its_settle_time() {
    let back = || story().made(100, 150, 1, 1, Trigger::SpecDiffers);
    let first = back().follow();
    assert_eq!(first.verdict, Verdict::Doubt);
    assert_eq!(first.drifted, None, "the vendor's doing is not drift");
    let key = first.doubt.unwrap().key;
    let waited = |story: Story| {
        story.with(|s| {
            let settled = Some((n(100, Some(100)), TIMING.pause));
            s.elapsed = Some(Elapsed { key: key.clone(), since: SETTLED, settled });
        })
    };
    assert_eq!(waited(back()).sends(), Some((n(100, Some(100)), n(150, Some(150)), 2)));
    let again = story().made(100, 150, 1, 2, Trigger::SpecDiffers).follow();
    assert_eq!(again.verdict, Verdict::NeedsReview);
    assert_eq!(again.intent.unwrap().id, "c0", "the review can be confirmed by this id");
    let confirmed = story().made(100, 150, 1, 2, Trigger::SpecDiffers).with(|s| s.confirmed = Some("c0".into()));
    assert!(waited(confirmed).sends().is_some());
    assert!(
        story().made(100, 150, 30, 1, Trigger::SpecDiffers).sends().is_some(),
        "a day later it is not the vendor's"
    );
}

#[test]
fn a_decrease_the_vendor_takes_back_is_not_taken_for_its_own_growth() {
    // Found by the enumerated faults: in sync was told, while 150 were shown and 130 billed.
    let back = |used| {
        let story = story().made(150, 130, 1, 1, Trigger::SpecDiffers).shows(150, Some(300)).uses(Usage::AtLeast(used));
        story.wants(130, LimitGoal::UpTo(300)).with(|s| {
            (s.history[0].limit_from, s.history[0].limit_to, s.satisfied) = (Some(300), Some(300), true);
        })
    };
    assert_eq!(back(80).verdict(), Verdict::Doubt);
    assert_eq!(back(150).verdict(), Verdict::InSync, "members joined: the vendor bought for them");
}

#[test]
fn publishing_a_repeat_does_not_begin_its_wait_anew() {
    let story = story().made(100, 150, 1, 1, Trigger::SpecDiffers).wants(160, LimitGoal::Pinned).with(|s| {
        (s.generation, s.published) = (4, false);
        let (key, settled) = ("reverted-c0".to_owned(), Some((n(100, Some(100)), TIMING.pause)));
        s.elapsed = Some(Elapsed { key, since: SETTLED, settled });
    });
    let decision = story.decided();
    assert_eq!(decision.verdict, Verdict::Publish);
    assert_eq!(decision.doubt.map(|doubt| doubt.key).as_deref(), Some("reverted-c0"));
}

#[test]
fn somebody_elses_change_is_drift_and_corrected_twice_a_day_at_most() {
    let drifted = story().made(90, 150, 1, 1, Trigger::SpecDiffers);
    let decision = drifted.follow();
    assert_eq!(decision.drifted, Some(n(150, Some(150))));
    assert!(matches!(decision.verdict, Verdict::Change(ref i) if i.reason == Trigger::ExternalChange));
    let fight = || {
        let story = story().made(90, 150, 1, 1, Trigger::ExternalChange);
        story.made(95, 150, 2, 1, Trigger::ExternalChange)
    };
    assert_eq!(fight().verdict(), Verdict::Conflict);
    assert!(fight().with(|s| s.generation = 4).sends().is_some(), "an edit starts afresh");
}

#[test]
fn what_a_write_proves_decides_what_stays_open() {
    let intent = story().open(IntentPhase::Open, Duration::ZERO).intent.unwrap();
    let (base, target) = (Some(intent.base()), Some(intent.target()));
    let refused = Outcome::Refused(Refusal::Throttled(None));
    let request = Outcome::Refused(Refusal::Request("status 400".into()));
    for (outcome, read, phase, made) in [
        (Outcome::NotSent("late"), None, None, false),
        (refused, None, None, false),
        (request, None, Some(IntentPhase::Rejected), false),
        (Outcome::Accepted, target, None, true),
        (Outcome::Accepted, base, Some(IntentPhase::Answered), false),
        (Outcome::Accepted, None, Some(IntentPhase::Answered), false),
        (Outcome::Answered, target, None, true),
        (Outcome::Answered, base, Some(IntentPhase::Answered), false),
        (Outcome::Unanswered, target, Some(IntentPhase::Settling), true),
        (Outcome::Unanswered, base, Some(IntentPhase::Unanswered), false),
        (Outcome::Unanswered, None, Some(IntentPhase::Unanswered), false),
    ] {
        let after = after_write(&intent, &outcome, read, now());
        assert_eq!(after.intent.map(|i| i.phase), phase, "{outcome:?} {read:?}");
        assert_eq!(after.applied.is_some(), made, "{outcome:?} {read:?}");
    }
}

#[test]
fn a_repeat_that_comes_to_nothing_stays_the_only_repeat() {
    // Found by the model: the next request counted as a first one, was sent at once and repeated again.
    let repeat = story().open(IntentPhase::Open, Duration::ZERO).attempt(2);
    for outcome in [Outcome::NotSent("late"), Outcome::Refused(Refusal::Throttled(None))] {
        let after = after_write(repeat.intent.as_ref().unwrap(), &outcome, None, now());
        let left = after.intent.unwrap();
        assert_eq!((left.attempt, left.phase), (1, IntentPhase::Answered), "{outcome:?}");
        let waits = story().with(|s| s.intent = Some(left));
        assert_eq!(waits.follow().doubt.unwrap().left, TIMING.answered, "{outcome:?}");
    }
    let settled = story().open(IntentPhase::Answered, SETTLED).read_before(n(100, Some(100)));
    assert_eq!(settled.sends().unwrap().2, 2);
}

#[test]
fn two_writers_or_two_attempts_never_share_an_intent_id() {
    let ids = [
        intent_id("p", 1, "a", now()),
        intent_id("p", 2, "a", now()),
        intent_id("p", 1, "b", now()),
        intent_id("q", 1, "a", now()),
        intent_id("p", 1, "a", now() + SignedDuration::from_nanos(1)),
    ];
    for (i, id) in ids.iter().enumerate() {
        assert!(ids[i + 1..].iter().all(|other| other != id));
    }
}

#[test]
fn the_same_finding_gives_the_same_status_and_says_nothing_twice() {
    let story = story().shows(150, Some(150)).uses(Usage::AtLeast(150));
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    let first = report(&LicenseSeatsStatus::default(), 3, &finding, now());
    assert_eq!(first.notices.len(), 1, "{:?}", first.notices);
    let again = report(&first.status, 3, &finding, now() + SignedDuration::from_hours(5));
    assert_eq!(again.status, first.status);
    assert_eq!(again.notices, []);
}

#[test]
fn two_shortages_with_other_numbers_are_not_folded_into_one_event() {
    // An event series keeps its first sentence: with the same action it would show the numbers of the first.
    let told = |used| {
        let story = story().shows(150, Some(150)).uses(Usage::AtLeast(used));
        let decision = story.decided();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        report(&LicenseSeatsStatus::default(), 3, &finding, now()).notices[0].clone()
    };
    let (three, one) = (told(153), told(151));
    assert_eq!(three.reason, one.reason);
    assert_ne!(three.note, one.note);
    assert_ne!(three.action, one.action);
    assert_eq!(one.action, told(151).action);
}

#[test]
fn a_hiccup_does_not_touch_a_good_status_but_a_stale_one_says_so() {
    let story = story().shows(150, Some(150));
    let decision = story.decided();
    let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
    let good = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
    let remedy = Remedy::Time { after: None, secret_may_help: false };
    let fault =
        Fault { remedy, reason: reason::VENDOR_UNREACHABLE, summary: "unreachable".into(), message: "no".into() };
    let failed = |stale| Finding::Failed { fault: &fault, desired: Some(&story.desired), account: None, stale };
    assert_eq!(report(&good, 3, &failed(false), now()).status, good);
    let stale = report(&good, 4, &failed(true), now()).status;
    assert_eq!(stale.observed_generation, 3, "generation 4 was not handled");
    assert_eq!(stale.seats, Some(150), "the last known numbers stay");
    let ready = stale.conditions.iter().find(|c| c.type_ == kind::READY).unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("Unknown", reason::OBSERVATION_STALE));
}

#[test]
fn shortages_are_told_by_their_threshold() {
    for (seats, used, free_seats, percent, reason) in [
        (100, 50, None, None, "Sufficient"),
        (100, 100, None, None, "Exhausted"),
        (100, 103, None, None, "OverAllocated"),
        (100, 96, Some(5), None, "BelowThreshold"),
        (100, 95, Some(5), None, "Sufficient"),
        (100, 96, None, Some(5), "BelowThreshold"),
        (100, 95, None, Some(5), "Sufficient"),
        (32767, 32766, None, Some(100), "BelowThreshold"),
    ] {
        let story = story().wants(seats, LimitGoal::Keep).shows(seats, None).uses(Usage::Exact(used)).with(|s| {
            s.desired.thresholds = Thresholds { free_seats, free_percent: percent, expiry: None };
        });
        let decision = story.decided();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        let shortage = status.conditions.iter().find(|c| c.type_ == kind::SEAT_SHORTAGE).unwrap();
        assert_eq!(shortage.reason, reason, "{seats} seats, {used} used, {free_seats:?}, {percent:?}%");
    }
}

#[test]
fn a_change_waits_for_another_change_of_the_same_account_and_forgets_nothing_meanwhile() {
    let behind = |story: Story| story.with(|s| s.behind = Some("another change is under way".into()));
    assert_eq!(behind(story()).blocks()[0].kind, PlanBlock::OutcomeUnknown);
    assert_eq!(behind(story().shows(150, Some(150))).verdict(), Verdict::InSync);
    let repeat = || story().open(IntentPhase::Answered, SETTLED).read_before(n(100, Some(100)));
    let waiting = behind(repeat()).follow();
    assert_eq!(waiting.intent, repeat().intent, "the repeat is still known to be one");
    assert_eq!(waiting.doubt.unwrap().key, "answered-i1");
}

#[test]
fn what_the_vendor_buys_within_an_up_to_limit_is_in_order_and_an_edit_counts_from_there() {
    let grown = || story().wants(100, LimitGoal::UpTo(120)).shows(103, Some(120)).with(|s| s.satisfied = true);
    assert_eq!(grown().verdict(), Verdict::InSync);
    let made_by_us =
        story().wants(100, LimitGoal::UpTo(120)).shows(103, Some(120)).made(90, 100, 1, 1, Trigger::SpecDiffers);
    assert_eq!(made_by_us.verdict(), Verdict::InSync);
    assert_eq!(
        grown().with(|s| s.satisfied = false).sends().unwrap().1,
        n(100, Some(120)),
        "a new spec is meant as it says"
    );
    assert_eq!(grown().shows(99, Some(120)).sends().unwrap().1, n(100, Some(120)), "fewer is never in order");
    assert_eq!(grown().shows(125, Some(120)).sends().unwrap().1, n(100, Some(120)), "nor is more than the limit");
    assert_eq!(grown().shows(103, Some(130)).sends().unwrap().1, n(103, Some(120)), "the limit is kept");
    assert_eq!(grown().wants(100, LimitGoal::Pinned).shows(103, Some(103)).sends().unwrap().1, n(100, Some(100)));
}

#[test]
fn a_row_from_before_two_changes_in_a_row_is_the_vendors_doing_too() {
    let two = |seen| {
        story().shows(seen, Some(seen)).made(150, 160, 1, 1, Trigger::SpecDiffers).made(
            100,
            150,
            2,
            1,
            Trigger::SpecDiffers,
        )
    };
    assert_eq!(two(100).wants(160, LimitGoal::Pinned).verdict(), Verdict::Doubt);
    assert_eq!(two(150).wants(160, LimitGoal::Pinned).verdict(), Verdict::Doubt);
    assert!(two(120).wants(160, LimitGoal::Pinned).sends().is_some(), "drift");
}

#[test]
fn a_wall_clock_that_jumps_an_hour_changes_no_wait() {
    for jump in [-1, 0, 1].map(SignedDuration::from_hours) {
        let clock = now() + jump;
        for phase in [IntentPhase::Open, IntentPhase::Unanswered, IntentPhase::Answered, IntentPhase::Settling] {
            let settle = if phase == IntentPhase::Answered { TIMING.answered } else { TIMING.unanswered };
            let left = Duration::from_secs(1);
            let waiting = story().open(phase, settle - left).follow_at(clock);
            assert_eq!((waiting.verdict, waiting.doubt.unwrap().left), (Verdict::Doubt, left), "{phase:?} {jump}");
        }
        let settled = story().open(IntentPhase::Unanswered, SETTLED).read_before(n(100, Some(100)));
        assert!(matches!(settled.follow_at(clock).verdict, Verdict::Change(intent) if intent.attempt == 2), "{jump}");
        // Taken back by the vendor: waited for on the monotonic clock too.
        let back = story().made(100, 150, 1, 1, Trigger::SpecDiffers);
        let told = back.follow_at(clock);
        assert_eq!((told.verdict, told.doubt.unwrap().left), (Verdict::Doubt, TIMING.answered), "{jump}");
        let fight = story().made(90, 150, 1, 1, Trigger::ExternalChange).made(95, 150, 2, 1, Trigger::ExternalChange);
        assert_eq!(fight.follow_at(clock).verdict, Verdict::Conflict, "{jump}");
    }
}

#[test]
fn an_edit_from_before_a_review_is_no_answer_to_it() {
    let seen = n(120, Some(120));
    let edited = || story().with(|s| s.generation = 4).wants(160, LimitGoal::Pinned).shows(120, Some(120));
    let decision = edited().open(IntentPhase::Unanswered, SETTLED).read_before(seen).follow();
    assert_eq!(decision.verdict, Verdict::NeedsReview);
    let review = || edited().with(|s| s.intent.clone_from(&decision.intent));
    assert_eq!(review().verdict(), Verdict::NeedsReview, "also at the next look");
    assert!(review().with(|s| s.confirmed = Some("i1".into())).sends().is_some());
    assert!(review().with(|s| s.generation = 5).sends().is_some());
}

#[test]
fn numbers_in_a_record_may_be_any_without_harm() {
    let mutilated = story().shows(150, Some(150)).open(IntentPhase::Answered, SETTLED);
    let decision = mutilated.with(|s| s.intent.as_mut().unwrap().from = i32::MIN).follow();
    let told = remember(&mut LicenseSeatsStatus::default(), decision.applied).unwrap();
    assert_eq!(told.reason, "SeatsIncreased");
    let absurd = story().wants(i32::MIN, LimitGoal::Keep);
    let decision = absurd.decided();
    let finding = Finding::Decided { desired: &absurd.desired, seen: &absurd.seen, decision: &decision };
    let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
    assert!(status.summary.unwrap().ends_with("blocked by guard rail"));
}
