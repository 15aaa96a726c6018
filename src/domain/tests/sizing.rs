//! How many seats there should be, by their use.

use super::pages::table;
use super::*;
use crate::api::{LicenseSeatsSpec, PastUse, SizeBound};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A spec as a person writes it, and what it is checked to.
pub(super) fn parsed(spec: &str) -> Result<Desired, SpecFault> {
    let text = format!("{{vendor: {{}}, {spec}}}");
    let spec: LicenseSeatsSpec = serde_yaml::from_str(&text).unwrap();
    Desired::parse(&spec, pool(Goal::Quantity), Duration::ZERO)
}

/// An object whose seats follow the use, as decisions follow each other.
struct Follower {
    story: Story,
    status: LicenseSeatsStatus,
    now: Timestamp,
}

/// 100 seats, pinned, of which 90 are in use. The object has seen the account in sync.
fn follower(sizing: &str) -> Follower {
    let desired = parsed(&format!("limit: {{mode: Pinned}}, sizing: {sizing}")).unwrap();
    let story = story().uses(Usage::Exact(90)).with(|story| story.desired = desired);
    let status = LicenseSeatsStatus { record_of: story.record.clone(), ..LicenseSeatsStatus::default() };
    Follower { story, status, now: at("2026-10-01T08:00:00Z") }
}

impl Follower {
    fn railed(mut self, guardrails: Guardrails) -> Self {
        self.story.desired.guardrails = guardrails;
        self
    }

    fn later(&mut self, hours: i64) -> &mut Self {
        self.now += SignedDuration::from_hours(hours);
        self
    }

    fn uses(&mut self, usage: Usage) -> &mut Self {
        self.story.seen.usage = usage;
        self
    }

    /// One pass, whose decision is recorded.
    fn pass(&mut self) -> Decision {
        let (story, status, now) = (&self.story, self.status.clone(), self.now);
        let desired = story.desired.clone().sized(&story.seen, status.sizing.as_ref(), now);
        let satisfaction = satisfaction(&desired, &story.seen.account_key());
        let decision = decide(&Situation {
            desired: &desired,
            published: status.plan.as_ref().and_then(|plan| plan.basis.as_deref()),
            intent: status.intent.as_ref(),
            history: &status.history,
            record: status.record_of.as_ref(),
            satisfied: in_sync_before(&status, story.generation, &satisfaction),
            approvals: Approvals { shown: status.last_plan.as_ref(), ..Approvals::default() },
            ..story.situation(None, now)
        });
        let finding = Finding::Decided { desired: &desired, seen: &story.seen, decision: &decision };
        let learned = after_decision(status, &decision);
        self.status = report(&learned.status, story.generation, &finding, now).status;
        decision
    }

    /// Passes until nothing more is to be done; each request is made, and its late effects are over. Returns the seats.
    fn follow(&mut self) -> i32 {
        for _ in 0..12 {
            if let Verdict::Change(intent) = self.pass().verdict {
                let recorded = before_request(self.status.clone(), &intent);
                self.story.seen.model = Model::Quantity(intent.target());
                let seen = &self.story.seen;
                self.status = after_request(recorded, &intent, &Outcome::Accepted, Some(seen), self.now).status;
                self.status.history[0].time = Time(self.now - SignedDuration::from_hours(30));
            }
        }
        self.story.seen.numbers().unwrap().seats
    }

    fn summary(&self) -> &str {
        self.status.summary.as_deref().unwrap_or_default()
    }

    fn ready(&self) -> (String, String) {
        said(&self.status, kind::READY)
    }
}

#[test]
fn seats_follow_more_use_at_once_with_larger_headroom_rounded_up_to_step() {
    for (sizing, used, seats) in [
        ("{headroom: {seats: 5}}", 96, 101),
        ("{headroom: {percent: 10}}", 101, 112),
        ("{headroom: {seats: 5, percent: 10}}", 100, 110),
        ("{headroom: {seats: 20, percent: 10}}", 100, 120),
        ("{headroom: {seats: 5}, step: 10}", 96, 110),
        ("{headroom: {seats: 5}, step: 10}", 105, 110),
        ("{headroom: {seats: 0}}", 105, 105),
    ] {
        let mut follower = follower(sizing);
        follower.uses(Usage::Exact(used));
        assert_eq!(follower.follow(), seats, "{sizing} with {used}");
        assert_eq!(follower.ready().0, "True/InSync");
        assert_eq!(follower.status.desired, Some(seats));
        let made = &follower.status.history[0];
        assert_eq!(
            (made.target().limit, made.reason),
            (Some(seats), Trigger::SpecDiffers),
            "the first follows the spec"
        );
    }
}

#[test]
fn change_that_follows_use_names_use_as_cause() {
    let mut follower = follower("{headroom: {seats: 10}}");
    assert_eq!(follower.follow(), 100);
    follower.uses(Usage::Exact(95));
    assert_eq!(follower.follow(), 105);
    follower.uses(Usage::Exact(97));
    assert_eq!(follower.follow(), 107);
    let reasons: Vec<Trigger> = follower.status.history.iter().map(|change| change.reason).collect();
    assert_eq!(reasons, [Trigger::UseChanged, Trigger::UseChanged]);
    assert!(follower.status.conditions.iter().all(|condition| condition.type_ != kind::DRIFTED), "nothing is drift");
}

#[test]
fn seats_follow_lower_use_once_no_higher_use_was_seen_for_spec_delay() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 48h}");
    assert_eq!(follower.follow(), 100);
    follower.later(100).uses(Usage::Exact(60));
    assert_eq!(follower.follow(), 100);
    let (ready, message) = follower.ready();
    assert_eq!(ready, "True/InSync");
    let told = "60 in use ask for 70 seats; more were in use within spec.sizing.decreaseAfter, or that use is not known. Seatkeeper \
                goes below 100 seats on 2026-10-07 12:00Z at the earliest";
    assert!(message.contains(told), "{message}");
    follower.later(47).uses(Usage::Exact(50));
    assert_eq!(follower.follow(), 100);
    follower.later(1);
    assert_eq!(follower.follow(), 70, "60 were in use an hour ago");
    follower.later(46);
    assert_eq!(follower.follow(), 70);
    follower.later(1);
    assert_eq!(follower.follow(), 60);
    assert_eq!(follower.status.sizing.as_ref().unwrap().highest, []);
}

#[test]
fn decision_wakes_when_fewer_seats_will_be_enough() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 48h}");
    follower.follow();
    follower.later(100).uses(Usage::Exact(60));
    assert_eq!(follower.pass().wake, Some(Duration::from_secs(48 * 3600) + license_validity::OVER));
}

#[test]
fn object_never_seen_lowers_nothing_before_it_knows_use_of_whole_period() {
    let mut follower = follower("{headroom: {seats: 5}, decreaseAfter: 48h}");
    follower.uses(Usage::Exact(40));
    assert_eq!(follower.follow(), 100);
    follower.later(47).uses(Usage::Exact(42));
    assert_eq!(follower.follow(), 100);
    follower.later(1);
    assert_eq!(follower.follow(), 47);
}

#[test]
fn object_without_a_record_asks_a_person_before_it_follows_downwards() {
    let mut follower = follower("{headroom: {seats: 5}, decreaseAfter: 48h}");
    follower.status.record_of = None;
    follower.uses(Usage::Exact(40));
    assert_eq!(follower.follow(), 100);
    follower.later(48);
    assert_eq!(follower.follow(), 100);
    let (ready, message) = follower.ready();
    assert_eq!(ready, "False/FirstSight");
    assert!(message.contains("edit spec.sizing.headroom to what you want"), "{message}");
}

#[test]
fn lower_bound_of_use_only_raises_and_names_credentials_that_show_all() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 1h}");
    assert_eq!(follower.uses(Usage::AtLeast(95)).follow(), 105);
    follower.later(9000).uses(Usage::AtLeast(40));
    follower.follow();
    assert_eq!(follower.later(9000).follow(), 105);
    let (ready, message) = follower.ready();
    assert_eq!(ready, "True/InSync");
    let told = "these credentials show 40 in use, which ask for 50 seats; more may be in use, so Seatkeeper gives none back: use a key \
                of the chief";
    assert!(message.contains(told), "{message}");
}

#[test]
fn seats_are_held_back_if_fewer_suffice_and_timed_only_if_use_is_exact() {
    for (usage, held_back, until) in [
        (Usage::Exact(90), false, false),
        (Usage::AtLeast(90), false, false),
        (Usage::Exact(89), true, true),
        (Usage::AtLeast(89), true, false),
    ] {
        let mut follower = follower("{headroom: {seats: 10}}");
        follower.uses(usage);
        let desired = follower.story.desired.sized(&follower.story.seen, None, follower.now);
        assert_eq!((desired.holds_seats_back(), desired.lowers_at().is_some()), (held_back, until), "{usage:?}");
    }
}

#[test]
fn unshown_use_changes_nothing_and_is_reported_with_remedy() {
    let mut follower = follower("{headroom: {seats: 10}}");
    assert_eq!(follower.follow(), 100);
    let before = follower.status.sizing.clone();
    follower.story.seen.model = Model::Quantity(n(100, Some(120)));
    assert_eq!(follower.uses(Usage::NotReported).follow(), 100);
    assert_eq!(follower.ready().0, "False/UnsupportedByVendor");
    assert_eq!(follower.summary(), "use not shown; sizing needs it");
    assert!(follower.ready().1.contains("Use a key of the chief, or declare spec.seats instead of spec.sizing"));
    follower.story.desired.pool.every_use = None;
    follower.follow();
    let told = "which Acme shows to no credentials: nothing is changed. Declare spec.seats instead of spec.sizing";
    assert!(follower.ready().1.contains(told), "{}", follower.ready().1);
    assert_eq!(follower.status.sizing, before, "what is remembered stays");
}

#[test]
fn guard_rail_bounds_the_size_and_is_named() {
    let max = Guardrails { max_seats: Some(105), ..Guardrails::default() };
    let mut follower = follower("{headroom: {seats: 10}}").railed(max);
    assert_eq!(follower.uses(Usage::Exact(100)).follow(), 105);
    assert_eq!(follower.summary(), "in sync; use asks 110, maxSeats 105");
    let sizing = follower.status.sizing.clone().unwrap();
    assert_eq!((sizing.wanted, sizing.clamped_by), (110, Some(SizeBound::MaxSeats)));
    follower.uses(Usage::Exact(105)).follow();
    let (short, message) = said(&follower.status, kind::SEAT_SHORTAGE);
    assert_eq!(short, "True/Exhausted");
    assert!(
        message.contains("the use asks for 115 seats, above spec.guardrails.maxSeats 105: raise maxSeats"),
        "{message}"
    );
}

#[test]
fn ceiling_bounds_the_size_is_named_and_lowers_nothing() {
    let capped = |ceilings| {
        let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 1h}");
        follower.story.desired.ceilings = ceilings;
        follower
    };
    let seats = |max| Ceilings { max_seats: Some(max), max_increase: None };
    let mut bounded = capped(seats(105));
    assert_eq!(bounded.uses(Usage::Exact(100)).follow(), 105);
    assert_eq!(bounded.summary(), "use asks 110, --max-seats 105");
    assert_eq!(bounded.status.sizing.clone().unwrap().clamped_by, Some(SizeBound::MaxSeats));
    let (_, message) = bounded.ready();
    let words = "the use asks for 110 seats, above the installer's --max-seats 105: ask the installer to raise it (chart: \
                 limits.maxSeats), or free seats";
    assert!(message.contains(words), "{message}");
    assert_eq!(capped(seats(110)).uses(Usage::Exact(100)).follow(), 110, "its own number is let through");
    // 100 seats were there before the ceiling of 50. More use adds none, less use gives seats back as ever.
    let mut above = capped(seats(50));
    assert_eq!(above.uses(Usage::Exact(95)).follow(), 100);
    assert_eq!(above.summary(), "use asks 105, --max-seats 50…");
    above.uses(Usage::Exact(60)).follow();
    assert_eq!(above.later(2).follow(), 70);
    // The object's own rail brings seats down, and is the one that is named.
    let mut both = capped(seats(50)).railed(Guardrails { max_seats: Some(96), ..Guardrails::default() });
    both.uses(Usage::Exact(95)).follow();
    assert_eq!(both.later(2).follow(), 96);
    assert_eq!(both.summary(), "use asks 105, maxSeats 96; +1 more");
}

#[test]
fn size_goes_in_the_smaller_steps_of_rail_and_ceiling() {
    let sizes = |own, ceiling| {
        let rails = Guardrails { max_increase: Some(own), ..Guardrails::default() };
        let mut follower = follower("{headroom: {seats: 10}}").railed(rails);
        follower.story.desired.ceilings = Ceilings { max_seats: None, max_increase: Some(ceiling) };
        follower.uses(Usage::Exact(120)).pass();
        assert_eq!(follower.summary(), "+20 seats now; +1 more");
        let (_, message) = follower.ready();
        let named = ["--max-increase 20", "maxIncrease 20"].map(|rail| message.contains(rail));
        (named, follower.follow())
    };
    assert_eq!(sizes(25, 20), ([true, false], 130));
    assert_eq!(sizes(20, 25), ([false, true], 130));
}

#[test]
fn size_at_min_seats_is_not_mentioned() {
    let min = Guardrails { min_seats: Some(100), ..Guardrails::default() };
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 1h}").railed(min);
    follower.uses(Usage::Exact(10)).follow();
    assert_eq!(follower.later(2).follow(), 100);
    assert_eq!(follower.summary(), "in sync");
    assert_eq!(follower.status.sizing.clone().unwrap().clamped_by, Some(SizeBound::MinSeats));
}

#[test]
fn step_is_as_large_as_the_guard_rail_allows_and_the_next_one_follows() {
    let rails = Guardrails { max_increase: Some(20), max_decrease: Some(15), ..Guardrails::default() };
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 1h}").railed(rails);
    follower.follow();
    follower.uses(Usage::Exact(135));
    follower.pass();
    assert_eq!(follower.summary(), "+20 seats now; +1 more");
    assert_eq!(follower.follow(), 145);
    follower.uses(Usage::Exact(100)).follow();
    assert_eq!(follower.later(1).follow(), 110);
    let steps = follower.status.history.iter().rev().map(|change| (change.base().seats, change.target().seats));
    assert_eq!(steps.collect::<Vec<_>>(), [(100, 120), (120, 140), (140, 145), (145, 130), (130, 115), (115, 110)]);
}

#[test]
fn growth_over_several_windows_reports_their_number() {
    let said_of = |rails: Guardrails, rules: &str, used: i32| {
        let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 1h}").railed(rails);
        follower.follow();
        follower.story.desired.adjustment = windows::rules(rules);
        follower.uses(Usage::Exact(used)).later(2).pass();
        follower.later(2).pass();
        follower.ready().1
    };
    let both = "{increase: {mode: InWindow}, decrease: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]";
    let (one, two) = (format!("{both}}}"), format!("{both}, maxChangesPerWindow: 2}}"));
    let rails = || Guardrails { max_increase: Some(20), max_decrease: Some(15), ..Guardrails::default() };
    let up = said_of(rails(), &one, 135);
    assert!(up.contains("goes up to 120 (spec.guardrails.maxIncrease 20); 45 wanted: 3 windows of 20"), "{up}");
    let up = said_of(rails(), &two, 135);
    assert!(up.contains("; 45 wanted: 2 windows of 40"), "{up}");
    let up = said_of(Guardrails { max_seats: Some(140), ..rails() }, &one, 135);
    assert!(up.contains("; 40 wanted: 2 windows of 20"), "{up}");
    let down = said_of(rails(), &one, 59);
    assert!(down.contains("(spec.guardrails.maxDecrease 15); 31 fewer wanted: 3 windows of 15"), "{down}");
    let down = said_of(Guardrails { min_seats: Some(75), ..rails() }, &one, 59);
    assert!(down.contains("; 25 fewer wanted: 2 windows of 15"), "{down}");
    for (used, rules) in [(105, one.as_str()), (135, "{}")] {
        let up = said_of(rails(), rules, used);
        assert!(!up.contains(" a window:"), "{used} {rules}: {up}");
    }
}

#[test]
fn seats_changed_from_outside_are_drift_and_seats_following_use_are_not() {
    let mut follower = follower("{headroom: {seats: 10}}");
    follower.follow();
    follower.story.seen.model = Model::Quantity(n(120, Some(120)));
    let decision = follower.pass();
    assert_eq!(decision.plan.unwrap().reason, Trigger::ExternalChange);
    assert!(
        said(&follower.status, kind::DRIFTED)
            .1
            .contains("it showed 100 seats with limit 100 as declared, now it shows 120")
    );
    assert_eq!(follower.follow(), 100);
    // A person sets just what the use asks for: that is in sync, and the next change follows the use.
    follower.story.seen.model = Model::Quantity(n(103, Some(103)));
    follower.uses(Usage::Exact(93)).follow();
    assert_eq!(follower.ready().0, "True/InSync");
    follower.uses(Usage::Exact(94));
    assert_eq!(follower.pass().plan.unwrap().reason, Trigger::UseChanged);
}

#[test]
fn use_that_comes_and_goes_ends_no_refusal_and_no_review() {
    let mut follower = follower("{headroom: {seats: 10}}");
    follower.follow();
    for phase in [IntentPhase::Rejected, IntentPhase::NeedsReview] {
        let story = story().open(phase, SETTLED);
        let mut intent = story.intent.unwrap();
        intent.wish = Some(follower.story.desired.wish());
        follower.status.intent = Some(intent);
        for used in [95, 92, 99] {
            follower.uses(Usage::Exact(used));
            if let Some(intent) = follower.status.intent.as_mut() {
                intent.used = Some(90);
            }
            let verdict = follower.pass().verdict;
            assert!(matches!(verdict, Verdict::Rejected | Verdict::NeedsReview), "{verdict:?}");
        }
    }
}

#[test]
fn sixteen_earlier_uses_are_kept_and_joining_two_lowers_neither() {
    let mut follower = follower("{headroom: {seats: 0}, decreaseAfter: 2160h}");
    follower.uses(Usage::Exact(100)).follow();
    for used in (40..100).rev() {
        follower.later(24).uses(Usage::Exact(used)).follow();
    }
    let highest = follower.status.sizing.clone().unwrap().highest;
    assert_eq!(highest.len(), 16);
    assert_eq!(highest[0].used, 100);
    let falls = highest.windows(2).all(|pair| pair[0].used > pair[1].used && pair[0].until.0 < pair[1].until.0);
    assert!(falls, "{highest:?}");
    // 100 were in use 60 days ago, and 70 of them 30 days ago.
    assert_eq!(follower.later(24 * 30).follow(), 100, "until 90 days after the joined ones");
}

#[test]
fn use_that_comes_again_is_remembered_once_and_no_longer_while_it_lasts() {
    let mut follower = follower("{headroom: {seats: 0}, decreaseAfter: 2160h}");
    for used in [90, 80, 90, 80] {
        follower.later(24).uses(Usage::Exact(used)).follow();
    }
    let remembered = |follower: &Follower| follower.status.sizing.clone().unwrap().highest;
    let until = Time(follower.now);
    assert_eq!(remembered(&follower), [PastUse { used: 90, until }], "with its last time");
    follower.uses(Usage::Exact(70)).follow();
    follower.uses(Usage::Exact(80)).follow();
    assert_eq!(remembered(&follower).iter().map(|past| past.used).collect::<Vec<_>>(), [90]);
}

#[test]
fn edit_of_the_headroom_counts_at_once() {
    let mut follower = follower("{headroom: {seats: 20}, decreaseAfter: 1h}");
    assert_eq!(follower.follow(), 110);
    follower.later(2);
    follower.story.desired =
        parsed("limit: {mode: Pinned}, sizing: {headroom: {seats: 5}, decreaseAfter: 1h}").unwrap();
    follower.story.generation = 4;
    assert_eq!(follower.follow(), 95, "90 were in use all the time");
}

#[test]
fn sizing_that_admission_would_refuse_is_refused_with_its_field() {
    for (spec, fault) in [
        ("sizing: {headroom: {}}", "spec.sizing.headroom is empty: set seats, percent, or both"),
        ("sizing: {headroom: {seats: -1}}", "spec.sizing.headroom.seats is -1: it must be between 0 and 2147483647"),
        ("sizing: {headroom: {percent: 1001}}", "spec.sizing.headroom.percent is 1001: it must be between 0 and 1000"),
        ("sizing: {headroom: {seats: 1}, step: 0}", "spec.sizing.step is 0: it must be between 1 and "),
        (
            "sizing: {headroom: {seats: 1}, decreaseAfter: 59m}",
            "spec.sizing.decreaseAfter must be a duration between 1h and 2160h",
        ),
        (
            "sizing: {headroom: {seats: 1}, decreaseAfter: 2161h}",
            "spec.sizing.decreaseAfter must be a duration between 1h and 2160h",
        ),
        ("sizing: {headroom: {seats: 1}, decreaseAfter: 2 weeks}", "spec.sizing.decreaseAfter is not a duration"),
        ("seats: 5, sizing: {headroom: {seats: 1}}", "spec.seats and spec.sizing exclude each other"),
        (
            "limit: {mode: UpTo, seats: 9}, sizing: {headroom: {seats: 1}}",
            "spec.sizing goes with limit mode Pinned alone",
        ),
        ("limit: {mode: Unlimited}, sizing: {headroom: {seats: 1}}", "spec.sizing goes with limit mode Pinned alone"),
        (
            "sizing: {headroom: {seats: 1}}, adjustment: {increase: {mode: InWindow, urgentBelowFreeSeats: 2}}",
            "spec.adjustment.increase.urgentBelowFreeSeats is above spec.sizing.headroom.seats",
        ),
    ] {
        let error = parsed(spec).unwrap_err().0;
        assert!(error.starts_with(fault), "{spec}: {error}");
    }
    let equal = "sizing: {headroom: {seats: 2}}, adjustment: {increase: {mode: InWindow, urgentBelowFreeSeats: 2}, windows: \
                 [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]}";
    assert!(parsed(equal).is_ok(), "{:?}", parsed(equal));
    let keys = Goal::Keys { keys: vec![], prune: false };
    let spec = "{vendor: {}, sizing: {headroom: {seats: 1}}}";
    let spec: LicenseSeatsSpec = serde_yaml::from_str(spec).unwrap();
    let error = Desired::parse(&spec, pool(keys), Duration::ZERO).unwrap_err().0;
    assert!(
        error.starts_with("spec.sizing is for seats that are set as a number, and not for license keys"),
        "{error}"
    );
}

#[test]
fn earlier_use_keeps_seats_and_never_buys_any() {
    // 200 were in use, and a guard rail kept the seats for them from being bought. It is lifted when they are gone.
    let rails = |max_seats| Guardrails { max_seats, ..Guardrails::default() };
    let mut follower = follower("{headroom: {seats: 10}}").railed(rails(Some(120)));
    assert_eq!(follower.uses(Usage::Exact(200)).follow(), 120);
    follower.later(1).uses(Usage::Exact(90));
    assert_eq!(follower.follow(), 120, "what is there is kept");
    let mut follower = follower.railed(rails(None));
    assert_eq!(follower.follow(), 120, "and nothing is bought for people who are gone");
    // A person gives seats back at the vendor: they are not bought again while the use needs none of them.
    follower.story.seen.model = Model::Quantity(n(110, Some(110)));
    assert_eq!(follower.follow(), 110);
    assert_eq!(follower.ready().0, "True/InSync");
    assert_eq!(follower.uses(Usage::Exact(101)).follow(), 111, "more use counts at once");
}

#[test]
fn decrease_time_is_counted_from_last_use_that_needs_those_seats() {
    let mut follower = follower("{headroom: {seats: 0}, step: 10, decreaseAfter: 48h}");
    follower.uses(Usage::Exact(99)).follow();
    // 93 need as many seats as 99 do.
    follower.later(100).uses(Usage::Exact(93)).follow();
    follower.later(10).uses(Usage::Exact(60)).follow();
    let expected = follower.now + SignedDuration::from_hours(48);
    let told = format!("goes below 100 seats on {} at the earliest", expected.strftime("%Y-%m-%d %H:%MZ"));
    assert!(follower.ready().1.contains(&told), "{told}: {}", follower.ready().1);
    assert_eq!(follower.later(47).follow(), 100);
    assert_eq!(follower.later(1).follow(), 60);
}

#[test]
fn use_of_another_account_counts_for_nothing() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 1h}");
    assert_eq!(follower.uses(Usage::Exact(900)).follow(), 910);
    follower.later(1).uses(Usage::Exact(800)).follow();
    // Credentials of another, smaller account, whose seats a person has just lowered.
    follower.story.seen.account.id = Some("two".into());
    follower.story.seen.model = Model::Quantity(n(50, Some(50)));
    follower.uses(Usage::Exact(30));
    assert_eq!(follower.follow(), 50, "nothing is bought for the people of the other account");
    let sizing = follower.status.sizing.clone().unwrap();
    assert_eq!((sizing.account.as_str(), sizing.highest.len(), sizing.used), ("api.test/two", 0, 30));
    assert_eq!((sizing.seats_then, sizing.in_sync_with), (Some(50), Some(50)));
}

#[test]
fn numbers_in_sync_are_kept_while_change_is_open_but_not_across_accounts() {
    let mut follower = follower("{headroom: {seats: 10}}");
    assert_eq!(follower.follow(), 100);
    let remembered = |follower: &mut Follower| {
        assert!(!matches!(follower.uses(Usage::Exact(120)).pass().verdict, Verdict::InSync));
        follower.status.sizing.clone().unwrap().in_sync_with
    };
    assert_eq!(remembered(&mut follower), Some(100));
    follower.story.seen.account.id = Some("two".into());
    assert_eq!(remembered(&mut follower), None);
}

#[test]
fn part_of_the_use_is_no_knowledge_of_how_few_seats_were_enough() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 48h}");
    assert_eq!(follower.uses(Usage::AtLeast(40)).follow(), 100);
    // For a year a part of the use was shown. The first reading of all of it does not say what it was yesterday.
    follower.later(9000).uses(Usage::AtLeast(40)).follow();
    follower.status.record_of = Some(record());
    follower.later(1).uses(Usage::Exact(60));
    assert_eq!(follower.follow(), 100);
    assert_eq!(follower.later(47).follow(), 100);
    assert_eq!(follower.later(1).follow(), 70);
}

#[test]
fn clock_that_was_ahead_keeps_seats_no_longer_than_decrease_after() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 48h}");
    follower.follow();
    let real = follower.now;
    // For two passes the clock is ten years ahead.
    follower.status.sizing = None;
    follower.later(24 * 3650).uses(Usage::Exact(95)).follow();
    follower.uses(Usage::Exact(60)).follow();
    follower.now = real;
    assert_eq!(follower.follow(), 105);
    assert_eq!(follower.later(47).follow(), 105);
    assert_eq!(follower.later(1).follow(), 70);
}

#[test]
fn record_that_was_forged_buys_nothing() {
    let mut follower = follower("{headroom: {seats: 10}}");
    follower.follow();
    let past = |used| PastUse { used, until: Time(at("2999-01-01T00:00:00Z")) };
    for (used, seats_then) in [(30_000, 30_000), (i32::MAX, i32::MAX), (i32::MIN, i32::MIN)] {
        let forged = follower.status.sizing.as_mut().unwrap();
        (forged.used, forged.wanted, forged.seats_then, forged.in_sync_with) =
            (used, used, Some(seats_then), Some(used));
        forged.since = Some(Time(at("2999-01-01T00:00:00Z")));
        forged.highest = vec![past(7), past(used), past(29_000), past(i32::MIN)];
        assert_eq!(follower.follow(), 100, "{used}");
    }
}

#[test]
fn due_decrease_is_reported_apart_from_seats_kept_for_some_time() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 48h}");
    follower.uses(Usage::Exact(90)).follow();
    follower.later(10).uses(Usage::Exact(80)).follow();
    follower.later(47).uses(Usage::Exact(60)).follow();
    // 90 were in use more than two days ago, and 80 an hour ago.
    follower.later(2).story.desired.suspended = true;
    follower.pass();
    let (ready, message) = follower.ready();
    assert_eq!(ready, "True/Suspended");
    let until = (follower.now + SignedDuration::from_hours(46)).strftime("%Y-%m-%d %H:%MZ").to_string();
    assert!(message.starts_with("-10 seats, limit 90 not made"), "{message}");
    assert!(message.ends_with(&format!("Seatkeeper goes below 90 seats on {until} at the earliest")), "{message}");
}

#[test]
fn step_down_towards_the_most_seats_takes_the_limit_along() {
    let rails = Guardrails { max_seats: Some(70), max_decrease: Some(15), ..Guardrails::default() };
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 1h}").railed(rails);
    follower.uses(Usage::Exact(50)).follow();
    assert_eq!(follower.later(1).follow(), 60);
    let steps = follower.status.history.iter().rev().map(|change| (change.base().seats, change.target().seats));
    assert_eq!(steps.collect::<Vec<_>>(), [(100, 85), (85, 70), (70, 60)]);
}

#[test]
fn account_that_no_person_uses_keeps_one_seat() {
    let mut follower = follower("{headroom: {seats: 0}, decreaseAfter: 1h}");
    follower.uses(Usage::Exact(0)).follow();
    assert_eq!(follower.later(1).follow(), 1, "no vendor sells fewer");
    follower.story.seen.model = Model::Quantity(n(0, Some(0)));
    assert_eq!(follower.follow(), 0, "and none is bought without a use");
}

#[test]
fn use_that_comes_and_goes_buys_once_and_gives_back_once_in_all_that_time() {
    let mut follower = follower("{headroom: {seats: 10}, decreaseAfter: 48h}");
    for hour in 0..24 * 30 {
        follower.later(1).uses(Usage::Exact(if hour % 2 == 0 { 95 } else { 80 }));
        assert_eq!(follower.follow(), 105, "{hour}");
    }
    assert_eq!(follower.status.history.len(), 1);
    assert_eq!(follower.status.sizing.clone().unwrap().highest.len(), 1);
}

#[test]
fn sizing_page_matches_status() {
    let rails = Guardrails { max_seats: Some(200), max_increase: Some(20), ..Guardrails::default() };
    let mut follower = follower("{headroom: {seats: 5, percent: 10}, step: 10}").railed(rails);
    let mut page = table("Seats that follow the use");
    let mut kept = "at the earliest";
    for (day, used, tells, seats) in [
        (1, 90, "90 in use", 100),
        (3, 98, "98 are in use", 110),
        (10, 108, "108 are in use", 120),
        (12, 78, "78 are in use", 120),
        (20, 90, "90 are in use", 120),
        (26, 90, "and 90 at most since", 100),
        (28, 97, "`maxSeats: 105`. 97 are in use", 105),
    ] {
        follower.now = at(&format!("2026-12-{day:02}T09:00:00Z"));
        if day == 28 {
            follower.story.desired.guardrails.max_seats = Some(105);
        }
        follower.uses(Usage::Exact(used)).pass();
        let date = format!("{day} Dec");
        page.row(&date, tells, [follower.summary()]);
        assert_eq!(follower.follow(), seats, "{day}");
        // The page leaves out what goes without saying.
        match day {
            3 | 28 => {
                page.row(&date, &format!("The vendor shows {seats}"), [follower.summary()]);
            }
            12 => {
                let told = page.row(&date, "`Ready` says: ", [follower.summary()]);
                kept = told.split('`').nth(3).expect("a sentence");
            }
            _ => {}
        }
        let waits = follower.ready().1.contains(kept);
        assert_eq!(waits, [12, 20].contains(&day), "{day}: {}", follower.ready().1);
    }
    page.ends();
}
