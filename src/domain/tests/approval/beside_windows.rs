//! A person's yes beside a window: what a late yes lets pass, what an urgent change still needs, and what `applyNow` lifts.

use super::super::windows::{in_window, opening, rules};
use super::*;

const OPEN: &str = "2026-12-01T06:00:00Z";
const LATE: &str = "2026-12-01T12:00:00Z";

/// [`asker`] with a window on each 1st from 6:00 to 10:00 UTC. What was kept from it may leave for a day.
fn waiter(wanted: i32) -> Asker {
    let mut asker = asker(wanted);
    asker.story.desired.adjustment = in_window(", startingDeadline: 24h");
    asker.openings = vec![
        opening("month-start", OPEN, "2026-12-01T10:00:00Z"),
        opening("month-start", "2027-01-01T06:00:00Z", "2027-01-01T10:00:00Z"),
    ];
    asker
}

type Deed = fn(&mut Asker);

/// Says yes to the plan that is shown.
fn agree(asker: &mut Asker) {
    asker.approve("");
}

/// Says yes and no to it.
fn refuse(asker: &mut Asker) {
    agree(asker);
    let spec = format!("decision: Denied, planId: {}", asker.plan());
    asker.give("no", &spec);
}

/// Says yes to it, which the operator cannot read.
fn hide(asker: &mut Asker) {
    agree(asker);
    asker.unread = Some("the operator may not list them");
}

#[test]
fn change_kept_from_its_window_by_approvals_has_no_right_to_leave_late() {
    let mut kept = waiter(150);
    kept.pass();
    agree(&mut kept);
    kept.pass();
    kept.now = at(LATE);
    assert!(kept.requested().is_some(), "no person kept it: the operator was away");
    // What holds it over the window, and what lets it go afterwards. None of it is an edit of the spec.
    let held: [(&str, Deed, Deed); 3] = [
        ("no yes", |_| {}, agree),
        ("a no", refuse, |asker| asker.given.retain(|one| one.name != "no")),
        ("unread", hide, |asker| asker.unread = None),
    ];
    for (what, hold, release) in held {
        let mut asker = waiter(150);
        asker.pass();
        hold(&mut asker);
        asker.pass();
        asker.now = at(OPEN);
        assert_eq!(asker.requested(), None, "{what}");
        release(&mut asker);
        asker.now = at(LATE);
        assert_eq!(asker.requested(), None, "{what}: late");
        assert_eq!(asker.status.plan.as_ref().unwrap().blocked_by, [PlanBlock::Window], "{what}");
        assert!(asker.summary().ends_with("at 2027-01-01 06:00 UTC"), "{what}: {}", asker.summary());
        asker.now = at("2027-01-01T06:00:00Z");
        assert!(asker.requested().is_some(), "{what}: the next window");
    }
}

#[test]
fn drift_approved_after_its_window_has_no_right_to_leave_late() {
    let mut asker = waiter(100);
    asker.story.desired.approval = ApprovalPolicy::default();
    asker.story.desired.drift = DriftPolicy::Report;
    asker.story.satisfied = true;
    asker.story.seen.model = Model::Quantity(n(95, Some(95)));
    asker.pass();
    asker.now = at(OPEN);
    assert_eq!(asker.requested(), None);
    agree(&mut asker);
    asker.now = at(LATE);
    assert_eq!(asker.requested(), None);
    asker.now = at("2027-01-01T06:00:00Z");
    assert_eq!(asker.requested().map(|intent| intent.target()), Some(n(100, Some(100))), "the next window");
}

type Edit = fn(&mut Desired);

#[test]
fn urgent_need_lifts_the_window_and_no_approval_suspend_or_guard_rail() {
    let urgent = "{increase: {mode: InWindow, urgentBelowFreeSeats: 2}, windows: [{name: month-start, cron: {schedule: 0 6 1 * *, \
                  timeZone: UTC, duration: 4h}}]}";
    let held: [(PlanBlock, Edit, Edit); 5] = [
        (PlanBlock::Approval, |it| it.approval.increase_above = Some(10), |it| it.approval.increase_above = None),
        (PlanBlock::Suspended, |it| it.suspended = true, |it| it.suspended = false),
        (PlanBlock::Guardrail, |it| it.guardrails.max_increase = Some(20), |it| it.guardrails.max_increase = None),
        (PlanBlock::Guardrail, |it| it.guardrails.max_seats = Some(120), |it| it.guardrails.max_seats = None),
        (PlanBlock::Guardrail, |it| it.ceilings.max_seats = Some(120), |it| it.ceilings.max_seats = None),
    ];
    for (block, hold, release) in held {
        let mut asker = waiter(150);
        asker.story.desired.approval = ApprovalPolicy::default();
        asker.story.desired.adjustment = rules(urgent);
        asker.story.seen.usage = Usage::Exact(99);
        hold(&mut asker.story.desired);
        assert_eq!(asker.requested(), None, "{block:?}");
        assert_eq!(asker.status.plan.as_ref().unwrap().blocked_by, [block], "the window alone is lifted");
        release(&mut asker.story.desired);
        let intent = asker.requested().expect("it waits for no window");
        assert_eq!((intent.reason, intent.window), (Trigger::Urgent, None));
    }
}

#[test]
fn yes_that_applies_now_lifts_neither_suspend_nor_an_installers_ceiling() {
    let held: [(&str, Edit); 4] = [
        ("", |_| {}),
        ("True/Suspended", |it| it.suspended = true),
        ("True/BlockedByGuardrail", |it| it.ceilings.max_seats = Some(120)),
        ("True/BlockedByGuardrail", |it| it.ceilings.max_increase = Some(20)),
    ];
    for (reason, hold) in held {
        let mut asker = waiter(150);
        asker.pass();
        asker.approve(", applyNow: true");
        hold(&mut asker.story.desired);
        let applied = asker.requested().map(|intent| intent.reason);
        if reason.is_empty() {
            assert_eq!(applied, Some(Trigger::Applied));
        } else {
            assert_eq!((applied, asker.pending().0.as_str()), (None, reason));
        }
    }
}
