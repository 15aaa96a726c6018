//! Changes from outside under `spec.driftPolicy: Report`.

use super::pages::table;
use super::*;

/// 150 seats were in sync, and the account shows another number now.
fn drifted(seats: i32, limit: i32) -> Story {
    let story = story().made(100, 150, 26, 1, Trigger::SpecDiffers).shows(seats, Some(limit));
    story.with(|s| (s.satisfied, s.desired.drift) = (true, DriftPolicy::Report))
}

#[test]
fn change_from_outside_is_reported_with_both_numbers_and_nothing_is_sent() {
    for (seats, limit, change) in [(120, 120, "+30 seats"), (200, 200, "-50 seats"), (150, 300, "limit 150")] {
        let story = drifted(seats, limit);
        assert_eq!(story.holds()[0].kind, HoldKind::DriftReported, "{seats}");
        let decision = story.follow();
        assert_eq!(
            (decision.wake, decision.plan.map(|plan| plan.blocked_by)),
            (None, Some(vec![PlanBlock::DriftReportedOnly]))
        );
        let status = reported(&story).status;
        assert_eq!(said(&status, kind::READY).0, "True/DriftReportedOnly");
        assert_eq!(said(&status, kind::CHANGE_PENDING).0, "True/DriftReportedOnly");
        assert_eq!(said(&status, kind::DRIFTED).0, "True/ExternalChange");
        assert_eq!(status.summary, Some(format!("{change}: drift reported only")));
        let corrects = story.with(|s| s.desired.drift = DriftPolicy::Correct);
        assert_eq!(corrects.sends().map(|(_, to, _)| to), Some(n(150, Some(150))), "{seats}");
    }
}

#[test]
fn edit_of_the_wish_after_a_report_is_carried_out() {
    let story = drifted(120, 120).wants(160, LimitGoal::Pinned).with(|s| (s.satisfied, s.generation) = (false, 4));
    assert_eq!(story.sends().map(|(_, to, _)| to), Some(n(160, Some(160))));
}

#[test]
fn change_taken_back_by_vendor_is_repeated_and_not_reported_as_drift() {
    let follow = |policy| {
        let story = story().made(100, 150, 1, 1, Trigger::SpecDiffers);
        story.with(|s| (s.satisfied, s.desired.drift) = (true, policy)).follow()
    };
    let report = follow(DriftPolicy::Report);
    assert!(matches!(report.verdict, Verdict::Doubt | Verdict::Change(_)), "{report:?}");
    assert_eq!(report, follow(DriftPolicy::Correct));
}

#[test]
fn change_that_was_made_twice_is_a_question_and_no_mere_report() {
    let story = story().made(100, 150, 1, 1, Trigger::SpecDiffers).shows(200, Some(200)).with(|s| {
        s.seen.rules.support.differences = Differences::Always;
        (s.satisfied, s.desired.drift) = (true, DriftPolicy::Report);
    });
    assert_eq!(story.verdict(), Verdict::NeedsReview);
}

#[test]
fn drift_page_matches_status() {
    let says = |story: &Story| reported(story).status.summary.expect("a summary");
    let both = |change: &dyn Fn(Story) -> Story| {
        [DriftPolicy::Correct, DriftPolicy::Report]
            .map(|policy| says(&change(drifted(150, 150)).with(|story| story.desired.drift = policy)))
    };
    let mut page = table("Changes from outside");
    let [corrects, reports] = both(&|story| story);
    page.row("9:00", "150 seats are in sync", [&corrects, &reports]);
    let [corrects, reports] = both(&|story| story.shows(120, Some(120)));
    page.row("9:05", "A person sets 120", [&corrects, &reports]);
    page.row("9:06", "", [&both(&|story| story)[0], &reports]);
    // The one was corrected, and the other still shows 120.
    let edited = |shown: i32| {
        both(&|story| {
            let edited = story.shows(shown, Some(shown)).wants(140, LimitGoal::Pinned);
            edited.with(|story| (story.satisfied, story.generation) = (false, 4))
        })
    };
    page.row("9:30", "An edit: `seats: 140`", [&edited(150)[0], &edited(120)[1]]);
    page.ends();
}
