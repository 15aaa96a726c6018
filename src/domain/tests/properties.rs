//! What holds of every decision, whatever the spec, the vendor, the record and the clocks say.

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Seats where decisions turn, and any others.
fn seats() -> impl Strategy<Value = i32> {
    prop_oneof![8 => select(vec![0, 1, 70, 80, 90, 100, 120, 150, 170, MAX_SEATS]), 1 => 0..=i32::MAX]
}

/// Numbers in a status or an old object may be anything.
fn any_number() -> impl Strategy<Value = i32> {
    prop_oneof![8 => seats(), 1 => any::<i32>(), 1 => select(vec![i32::MIN, i32::MAX, -1])]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    let near = (-30i64..30).prop_map(|hours| now() + SignedDuration::from_hours(hours));
    prop_oneof![8 => near, 1 => select(vec![Timestamp::MIN, Timestamp::MAX])]
}

fn trigger() -> impl Strategy<Value = Trigger> {
    select(vec![Trigger::SpecDiffers, Trigger::ExternalChange])
}

fn account() -> impl Strategy<Value = String> {
    select(vec!["api.test/one".to_owned(), "api.test/one".to_owned(), "api.test/other".to_owned()])
}

prop_compose! {
    fn intents()(
        id in select(vec!["i1", "i2", ""]), object_uid in select(vec!["uid", "former"]), account in account(),
        (from, to) in (any_number(), any_number()), (limit_from, limit_to) in (of(any_number()), of(any_number())),
        (generation, attempt) in (prop_oneof![Just(3i64), any::<i64>()], prop_oneof![Just(1), Just(2), any::<i32>()]),
        used in of(any_number()), reason in trigger(), time in moment(),
        phase in select(vec![
            IntentPhase::Open, IntentPhase::Answered, IntentPhase::Unanswered, IntentPhase::Settling,
            IntentPhase::WithoutEffect, IntentPhase::Rejected, IntentPhase::NeedsReview,
        ]),
        wish in of(select(vec!["a wish".to_owned(), String::new()])), answered in 0..3,
    ) -> Intent {
        let (id, object_uid, time) = (id.to_owned(), object_uid.to_owned(), Time(time));
        let step = seats_step(n(from, limit_from), n(to, limit_to));
        Intent { id, object_uid, generation, wish, account, step, used, attempt, reason, phase, answered, refused: None, next_try: None, look: None, window: None, approval: None, time }
    }
}

prop_compose! {
    fn changes()(intent in intents(), time in moment()) -> Change {
        crate::domain::outcome::applied(&intent, time)
    }
}

prop_compose! {
    fn desires()(
        seats in of(any_number()), (min_seats, max_seats) in (of(any_number()), of(any_number())),
        (max_increase, max_decrease) in (of(any_number()), of(any_number())),
        ceilings in (of(any_number()), of(any_number())),
        limit in prop_oneof![
            Just(LimitGoal::Keep), Just(LimitGoal::Pinned), Just(LimitGoal::Unlimited), any_number().prop_map(LimitGoal::UpTo),
        ],
        policy in prop_oneof![4 => Just(ManagementPolicy::Manage), 1 => Just(ManagementPolicy::Observe)],
        suspended in prop::bool::weighted(0.2), free_seats in of(any_number()), free_percent in of(any_number()),
    ) -> Desired {
        Desired {
            seats, limit, policy, suspended,
            guardrails: Guardrails { min_seats, max_seats, max_increase, max_decrease },
            ceilings: Ceilings { max_seats: ceilings.0, max_increase: ceilings.1 },
            thresholds: Thresholds { free_seats, free_percent, expiry: None },
            ..story().desired
        }
    }
}

prop_compose! {
    fn stories()(
        desired in desires().boxed(), intent in of(intents()), history in proptest::collection::vec(changes(), 0..4),
        numbers in prop_oneof![20 => (seats(), of(seats())).prop_map(Some), 1 => Just(None)],
        usage in prop_oneof![seats().prop_map(Usage::AtLeast), seats().prop_map(Usage::Exact), Just(Usage::NotReported)],
        read_only in prop::bool::weighted(0.1), blocked in prop::bool::weighted(0.2), satisfied in any::<bool>(),
        published in any::<bool>(), confirmed in of(select(vec!["i1", "i2", ""])),
        elapsed in of((
            select(["i1", "i2", "another"].into_iter().flat_map(|id| [WaitFor::Request(id.into()), WaitFor::LateEffects(id.into()), WaitFor::TakenBack(id.into())]).collect::<Vec<_>>()), select(vec![0u64, 299, 300, 1799, 1800, 9999]),
            of((seats(), of(seats()), select(vec![0u64, 9, 10]))), any::<bool>(),
        )),
    ) -> Story {
        let mut story = story();
        story.seen.model = numbers.map_or_else(
            || Model::Uncounted("not counted".to_owned()),
            |(seats, limit)| Model::Quantity(n(seats, limit)),
        );
        story.seen.usage = usage;
        story.seen.rules.support.read_only = read_only.then(|| "it is read only".to_owned());
        story.elapsed = elapsed.map(|(wait, since, settled, same)| {
            let settled = settled.map(|(seats, limit, ago)| {
                let read = story.seen.numbers().filter(|_| same).unwrap_or_else(|| n(seats, limit));
                (read, Duration::from_secs(ago))
            });
            Elapsed { wait, since: Duration::from_secs(since), settled }
        });
        let obstacle = blocked.then_some(Obstacle::InFlight(None));
        let confirmed = confirmed.map(str::to_owned);
        Story { desired, intent, history, obstacle, satisfied, published, confirmed, ..story }
    }
}

/// Whether an intent that may still be running has been waited out.
fn waited_out(story: &Story, intent: &Intent) -> bool {
    let own = if intent.phase == IntentPhase::Answered { TIMING.answered } else { TIMING.unanswered };
    let earlier = u32::try_from(intent.attempt.saturating_sub(1)).unwrap_or(0);
    let settle = own.saturating_add(TIMING.answered.saturating_mul(earlier));
    story.elapsed.as_ref().is_some_and(|elapsed| elapsed.wait == protocol::wait_of(intent) && elapsed.since >= settle)
}

/// The conditions of a report: each type once, and only what the table has.
pub(super) fn said(status: &LicenseSeatsStatus) {
    let mut types = std::collections::BTreeSet::new();
    for condition in &status.conditions {
        assert!(types.insert(&condition.type_), "{} is there twice", condition.type_);
        let work = [kind::RECONCILING, kind::STALLED].contains(&condition.type_.as_str());
        let known = CONDITIONS.iter().any(|entry| {
            entry.kind == condition.type_
                && entry.status() == condition.status
                && entry.reasons.contains(&condition.reason.as_str())
        });
        assert!(work || known, "{condition:?} is not in the table of conditions");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn report_has_each_condition_once_and_only_of_table(story in stories()) {
        let decision = story.follow();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let old = LicenseSeatsStatus { history: story.history.clone(), ..LicenseSeatsStatus::default() };
        said(&report(&old, 3, &finding, now()).status);
    }

    #[test]
    fn request_is_sent_only_where_every_gate_allows_it(story in stories()) {
        let Verdict::Change(intent) = story.verdict() else { return Ok(()) };
        let (from, to) = (intent.base(), intent.target());
        prop_assert!(!story.desired.suspended && story.desired.policy == ManagementPolicy::Manage);
        prop_assert!(story.obstacle.is_none() && story.seen.rules.support.read_only.is_none());
        prop_assert_eq!(Some(from), story.seen.numbers());
        prop_assert!(from != to && intent.attempt >= 1);
        prop_assert_eq!((intent.account.as_str(), intent.phase), ("api.test/one", IntentPhase::Open));
        prop_assert!(story.intent.as_ref().is_none_or(|open| open.id != intent.id));

        let (rails, ceilings) = (&story.desired.guardrails, story.desired.ceilings);
        if to.seats > from.seats {
            prop_assert!(ceilings.max_seats.is_none_or(|max| to.seats <= max));
            prop_assert!(ceilings.max_increase.is_none_or(|max| to.seats - from.seats <= max));
            prop_assert!(rails.max_seats.is_none_or(|max| to.seats <= max) && to.seats <= MAX_SEATS);
            prop_assert_eq!(Some(to.seats), story.desired.seats);
            prop_assert!(rails.max_increase.is_none_or(|max| to.seats - from.seats <= max));
        }
        if to.seats < from.seats {
            prop_assert!(rails.min_seats.is_none_or(|min| to.seats >= min));
            prop_assert!(story.seen.usage.count().is_some_and(|used| to.seats >= used));
            prop_assert!(rails.max_decrease.is_none_or(|max| from.seats - to.seats <= max));
        }
        if to.limit != from.limit {
            prop_assert!(to.limit.is_some(), "a limit cannot be cleared");
            prop_assert!(rails.max_seats.is_none_or(|max| to.limit <= Some(max)));
            let raised = from.limit.is_some_and(|from| to.limit > Some(from));
            prop_assert!(!raised || ceilings.max_seats.is_none_or(|max| to.limit <= Some(max)));
            let room = |max: i32| to.limit <= Some(from.seats.saturating_add(max));
            prop_assert!(!raised || ceilings.max_increase.is_none_or(room));
            prop_assert!(!raised || rails.max_increase.is_none_or(|max| to.limit <= Some(from.seats.saturating_add(max))));
        }
        prop_assert!(to.limit.is_none_or(|limit| limit >= to.seats));
    }

    #[test]
    fn request_that_may_be_in_flight_blocks_next_one(story in stories()) {
        let Some(open) = story.intent.as_ref().filter(|intent| intent.is_open()) else { return Ok(()) };
        if story.sends().is_some() && !waited_out(&story, open) {
            let answered = open.phase == IntentPhase::Answered && open.account == "api.test/one";
            prop_assert!(answered && story.seen.numbers() == Some(open.target()), "{:?}", open);
        }
    }

    #[test]
    fn intent_that_may_be_in_flight_stays_on_record(story in stories()) {
        let Some(open) = story.intent.as_ref().filter(|intent| intent.is_open()) else { return Ok(()) };
        if story.seen.numbers() != Some(open.target()) && !waited_out(&story, open) {
            // A record without a wish gets the present one.
            let wish = open.wish.clone();
            let kept = story.follow().intent.map(|intent| Intent { wish, ..intent });
            prop_assert_eq!(kept.as_ref(), Some(open));
        }
    }

    #[test]
    fn every_decision_is_reportable_and_report_is_deterministic(story in stories()) {
        let decision = story.decided();
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let mut status = LicenseSeatsStatus { history: story.history.clone(), ..LicenseSeatsStatus::default() };
        drop(remember(&mut status, decision.applied.clone()));
        let first = report(&status, 3, &finding, now()).status;
        prop_assert_eq!(&report(&first, 3, &finding, now()).status, &first);
        let ready = first.conditions.iter().find(|c| c.type_ == kind::READY);
        prop_assert!(ready.is_some_and(|ready| !ready.message.is_empty()));
        prop_assert!(first.summary.is_some_and(|summary| !summary.is_empty()));
    }

    #[test]
    fn wall_clock_an_hour_off_neither_shortens_wait_nor_sends_request(story in stories(), hours in select(vec![-1i64, 1])) {
        // Only the day-long windows follow the wall clock; what is near their edge may fall to either side.
        let hour = SignedDuration::from_hours(1);
        let edge = |change: &Change| {
            let age = now().duration_since(change.time.0).abs();
            (age - SignedDuration::from_hours(24)).abs() <= hour
        };
        if story.history.iter().any(edge) {
            return Ok(());
        }
        let (right, wrong) = (story.follow(), story.follow_at(now() + SignedDuration::from_hours(hours)));
        prop_assert_eq!(&right.doubt, &wrong.doubt);
        let sends = |decision: &Decision| match &decision.verdict {
            Verdict::Change(intent) => Some((intent.base(), intent.target(), intent.attempt)),
            _ => None,
        };
        prop_assert_eq!(sends(&right), sends(&wrong));
    }
}
