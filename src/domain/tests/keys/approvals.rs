//! License keys whose addition or removal needs a person's yes.

use super::super::windows::{in_window, opening};
use super::*;

/// Key `a` is listed and not there, and each change of a key needs a yes: how many seats it brings is not known before.
fn asker(rows: &[Row]) -> Keys {
    let policy = ApprovalPolicy { increase_above: Some(100), decrease_above: Some(100) };
    keys().lists(&["a"]).shows(rows).with(|story| story.desired.approval = policy)
}

impl Keys {
    /// Its plan is shown, and a person says yes to it.
    fn approved(mut self) -> Self {
        let shown = self.decide().last_plan.expect("a plan");
        let spec = format!("{{licenseSeatsRef: {{name: acme}}, decision: Approved, planId: {}}}", shown.id);
        self.given = vec![Approval { name: "yes".into(), spec: serde_yaml::from_str(&spec).unwrap() }];
        self.shown = Some(shown);
        self
    }
}

#[test]
fn key_awaits_approval_despite_shortage_and_reports_both() {
    let story = asker(&[row(7, 5)]).with(|story| {
        story.desired.adjustment = in_window("");
        story.openings = vec![opening("month-start", "2026-12-01T06:00:00Z", "2026-12-01T10:00:00Z")];
    });
    assert_eq!(story.adds(), None);
    let status = story.status();
    let pending = said(&status, kind::CHANGE_PENDING);
    assert_eq!(pending.0, "True/AwaitingApproval");
    assert!(pending.1.contains("the seats of a license key are known only after it is added"), "{}", pending.1);
    assert_eq!(status.plan.as_ref().map(|plan| plan.blocked_by.clone()), Some(vec![PlanBlock::Approval]));
    assert_eq!(status.summary.as_deref(), Some("10 of 5 seats in use; +1 more"));
    assert_eq!(said(&status, kind::SEAT_SHORTAGE).0, "True/OverAllocated");
    assert!(story.approved().adds().is_some());
}

#[test]
fn key_plan_approval_survives_other_row_changes_and_serves_no_other_key() {
    let story = asker(&[row(7, 40)]).approved();
    for rows in [vec![row(7, 40)], vec![row(7, 40), row(8, 10)], vec![row(8, 10)]] {
        assert!(story.clone().shows(&rows).adds().is_some(), "{rows:?}");
    }
    let other = story.lists(&["b"]);
    assert_eq!(other.adds(), None);
    assert_eq!(said(&other.status(), kind::CHANGE_PENDING).0, "True/AwaitingApproval");
}

#[test]
fn key_removal_of_any_size_needs_approval_and_follows_it() {
    let (old, new) = (record("a", &row(7, 40), KeyOrigin::Added), record("b", &row(8, 60), KeyOrigin::Added));
    let story = asker(&[row(7, 40), row(8, 60)]).prunes().lists(&["b"]).knows(&[old, new]);
    assert_eq!(story.removes(), None);
    assert_eq!(said(&story.status(), kind::CHANGE_PENDING).0, "True/AwaitingApproval");
    assert!(story.approved().removes().is_some());
}
