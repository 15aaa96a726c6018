//! Changes that need a person's yes.

use super::pages::table;
use super::*;
use crate::domain::events::transitions;

mod beside_windows;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A SeatApproval as a person writes it.
fn approval(name: &str, spec: &str) -> Approval {
    let text = format!("{{licenseSeatsRef: {{name: acme}}, {spec}}}");
    Approval { name: name.into(), spec: serde_yaml::from_str(&text).unwrap() }
}

/// An object that asks for approvals, as decisions follow each other.
struct Asker {
    story: Story,
    status: LicenseSeatsStatus,
    given: Vec<Approval>,
    unread: Option<&'static str>,
    openings: Vec<Opening>,
    now: Timestamp,
}

/// 100 seats that are pinned, 80 in use. Increases by more than 10, and all decreases, need an approval.
fn asker(wanted: i32) -> Asker {
    let policy = ApprovalPolicy { increase_above: Some(10), decrease_above: Some(0) };
    let story = story().uses(Usage::Exact(80)).with(|story| story.desired.approval = policy);
    let (account, agreed_seats) = (Some(story.seen.account.clone()), Some(100));
    let status = LicenseSeatsStatus { account, agreed_seats, ..LicenseSeatsStatus::default() };
    let now = at("2026-11-20T08:00:00Z");
    Asker { story, status, given: vec![], unread: None, openings: vec![], now }.wants(wanted)
}

impl Asker {
    /// An edit of `spec.seats`.
    fn wants(mut self, seats: i32) -> Self {
        self.edit(seats);
        self
    }

    fn edit(&mut self, seats: i32) {
        self.story.desired.seats = Some(seats);
        self.story.desired.asked = format!("seats {seats}");
        self.story.generation += 1;
    }

    fn give(&mut self, name: &str, spec: &str) -> &mut Self {
        self.given.push(approval(name, spec));
        self
    }

    /// A yes to the plan that is shown.
    fn approve(&mut self, more: &str) -> &mut Self {
        let spec = format!("decision: Approved, planId: {}{more}", self.plan());
        self.give("yes", &spec)
    }

    /// One pass, whose decision is recorded.
    fn pass(&mut self) -> Decision {
        let (story, status, now) = (&self.story, self.status.clone(), self.now);
        let decision = decide(&Situation {
            published: status.plan.as_ref().and_then(|plan| plan.basis.as_deref()),
            intent: status.intent.as_ref(),
            history: &status.history,
            calendar: Calendar {
                openings: &self.openings,
                used: status.window.as_ref(),
                waits: status.next_window.as_ref(),
                planned: status.plan.as_ref(),
                current: status.observed_generation == story.generation,
            },
            approvals: Approvals {
                given: &self.given,
                unread: self.unread,
                shown: status.last_plan.as_ref(),
                agreed: agreed_for(&status, &story.seen.account_key()),
            },
            ..story.situation(None, now)
        });
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let learned = after_decision(status, &decision);
        self.status = report(&learned.status, story.generation, &finding, now).status;
        decision
    }

    /// Passes until a request would leave or nothing more comes of it.
    fn requested(&mut self) -> Option<Intent> {
        for _ in 0..3 {
            if let Verdict::Change(intent) = self.pass().verdict {
                self.status = before_request(self.status.clone(), &intent);
                return Some(*intent);
            }
        }
        None
    }

    /// The same; the request is made, and its late effects are over.
    fn made(&mut self) -> Option<Intent> {
        let intent = self.requested()?;
        self.story.seen.model = Model::Quantity(intent.target());
        let seen = &self.story.seen;
        self.status = after_request(self.status.clone(), &intent, &Outcome::Accepted, Some(seen), self.now).status;
        self.status.history[0].time = Time(self.now - SignedDuration::from_hours(30));
        Some(intent)
    }

    fn plan(&self) -> String {
        self.status.plan.as_ref().expect("a plan").id.clone()
    }

    fn pending(&self) -> (String, String) {
        said(&self.status, kind::CHANGE_PENDING)
    }

    fn summary(&self) -> &str {
        self.status.summary.as_deref().unwrap_or_default()
    }
}

#[test]
fn step_above_the_number_waits_for_a_yes_and_names_the_plan() {
    let mut asker = asker(111);
    assert_eq!(asker.requested(), None);
    let (reason, message) = asker.pending();
    assert_eq!(reason, "True/AwaitingApproval");
    let told = format!(
        "the increase of 11 seats exceeds spec.approval.increaseAbove 10: create a SeatApproval in this namespace with planId {}, \
         or edit spec to ask for less",
        asker.plan()
    );
    assert!(message.contains(&told), "{message}");
    assert_eq!(asker.summary(), "+11 seats: approval needed");
    assert_eq!(said(&asker.status, kind::READY).0, "True/ChangeDeferred");
    assert_eq!(asker.status.plan.as_ref().unwrap().blocked_by, [PlanBlock::Approval]);
}

#[test]
fn step_up_to_the_number_needs_no_yes() {
    assert!(asker(110).requested().is_some());
}

#[test]
fn each_decrease_needs_a_yes_where_the_number_is_zero() {
    let mut asker = asker(99);
    assert_eq!(asker.requested(), None);
    assert!(asker.pending().1.contains("the decrease of 1 seats exceeds spec.approval.decreaseAbove 0"));
    asker.story.desired.approval.decrease_above = Some(1);
    assert!(asker.requested().is_some());
}

#[test]
fn approved_plan_is_made_once_and_is_recorded() {
    let mut asker = asker(150);
    asker.pass();
    let id = asker.plan();
    asker.approve("");
    let intent = asker.made().unwrap();
    assert_eq!((intent.approval.as_deref(), intent.target().seats), (Some("yes"), 150));
    let used = asker.status.approval.clone().unwrap();
    assert_eq!(
        (used.name.as_str(), used.plan_id.as_str(), used.to, used.limit_to),
        ("yes", id.as_str(), 150, Some(150))
    );
    assert_eq!(asker.status.history[0].approval.as_deref(), Some("yes"));
    assert_eq!(asker.status.agreed_seats, Some(150));
    // The same step again is another plan.
    asker.story.seen.model = Model::Quantity(n(100, Some(100)));
    asker.status.history.clear();
    assert_eq!(asker.requested(), None);
    assert_ne!(asker.plan(), id);
    assert!(
        asker
            .pending()
            .1
            .contains(&format!("SeatApproval yes names plan {id}, which is no open plan of this object: mistyped, finished, or of another object"))
    );
}

#[test]
fn used_approval_is_reported() {
    let mut asker = asker(150);
    asker.pass();
    asker.approve("");
    let decision =
        (0..3).map(|_| asker.pass()).find(|decision| matches!(decision.verdict, Verdict::Change(_))).unwrap();
    let notices = after_decision(asker.status.clone(), &decision).notices;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].reason, "ChangeApproved");
    assert_eq!(
        notices[0].note,
        format!("SeatApproval yes approves plan {}: +50 seats, limit 150", decision.plan.unwrap().id)
    );
}

#[test]
fn plan_awaiting_approval_is_reported_once_with_its_id() {
    let mut asker = asker(150);
    let mut told = vec![];
    for wanted in [150, 150, 160, 160, 155] {
        if asker.story.desired.seats != Some(wanted) {
            asker.edit(wanted);
        }
        let old = asker.status.clone();
        asker.pass();
        let mut notices = vec![];
        transitions(&old, &asker.status, &mut notices);
        let id = asker.plan();
        let names = |note: &str| note.contains(&format!("with planId {id},"));
        told.extend(notices.iter().map(|notice| (wanted, notice.reason, names(&notice.note))));
    }
    assert_eq!(told, [150, 160, 155].map(|wanted| (wanted, "AwaitingApproval", true)));
}

#[test]
fn approval_that_is_taken_back_or_over_counts_no_more() {
    let mut asker = asker(150);
    asker.pass();
    asker.approve(", validUntil: '2026-12-01T00:00:00Z'");
    assert_eq!(asker.pass().verdict, Verdict::Publish, "it was published while it waited, and is once more");
    assert!(matches!(asker.pass().verdict, Verdict::Change(_)));
    asker.now = at("2026-12-01T00:00:00Z");
    assert_eq!(asker.requested(), None);
    assert!(asker.pending().1.contains("SeatApproval yes was valid until 2026-12-01 00:00Z"), "{}", asker.pending().1);
    asker.now = at("2026-11-30T23:59:59Z");
    assert!(asker.pass().wake.unwrap() <= Duration::from_secs(2), "the end of an approval is looked at");
    asker.given.clear();
    assert_eq!(asker.requested(), None);
}

#[test]
fn denial_holds_plan_that_needs_no_approval_and_outweighs_approval() {
    let mut asker = asker(105);
    asker.story.published = false;
    asker.pass();
    asker.approve("");
    let spec = format!("decision: Denied, planId: {}", asker.plan());
    asker.give("no", &spec);
    assert_eq!(asker.requested(), None);
    let (reason, message) = asker.pending();
    assert_eq!(reason, "True/ChangeDenied");
    let told = "delete that SeatApproval to have the change made (the right to delete seatapprovals decides who can)";
    assert!(message.contains("SeatApproval no denies plan") && message.contains(told), "{message}");
    assert_eq!(asker.summary(), "+5 seats: denied");
}

#[test]
fn plan_keeps_its_id_while_the_change_goes_no_further() {
    let mut asker = asker(150);
    asker.story.desired.asked = "sized".into();
    asker.pass();
    let id = asker.plan();
    asker.story.desired.seats = Some(140);
    asker.pass();
    assert_eq!(asker.plan(), id, "nearer");
    asker.story.seen.model = Model::Quantity(n(105, Some(105)));
    asker.pass();
    assert_eq!(asker.plan(), id, "from a higher base");
    asker.story.desired.seats = Some(141);
    asker.pass();
    let further = asker.plan();
    assert_ne!(further, id, "further");
    asker.story.seen.model = Model::Quantity(n(104, Some(104)));
    asker.pass();
    assert_ne!(asker.plan(), further, "from a lower base");
}

#[test]
fn plan_gets_new_id_by_edit_or_opposite_direction_and_no_id_returns() {
    let mut asker = asker(150);
    let mut ids = std::collections::BTreeSet::new();
    for wanted in [150, 140, 150, 60, 150] {
        asker.edit(wanted);
        asker.pass();
        assert!(ids.insert(asker.plan()), "{wanted}: {ids:?}");
    }
    let numbers: Vec<&str> = ids.iter().map(|id| id.split_once('-').unwrap().0).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5"]);
    let id = asker.plan();
    asker.story.generation += 1;
    asker.story.desired.suspended = true;
    asker.pass();
    assert_eq!(asker.plan(), id, "an edit of something else");
}

#[test]
fn wish_reset_to_current_numbers_ends_plan_and_approval() {
    let mut asker = asker(150);
    asker.story.desired.asked = "sized".into();
    asker.pass();
    let id = asker.plan();
    asker.approve("");
    asker.story.desired.seats = Some(100);
    assert_eq!(asker.pass().verdict, Verdict::InSync);
    asker.story.desired.seats = Some(150);
    assert_eq!(asker.requested(), None);
    assert_ne!(asker.plan(), id);
}

#[test]
fn approval_before_hand_over_ends_once_other_cluster_made_change() {
    let mut asker = asker(150);
    asker.pass();
    let id = asker.plan();
    asker.approve("");
    asker.story.desired.standing = Standing::Elsewhere("prod-us".into());
    asker.pass();
    asker.story.seen.model = Model::Quantity(n(150, Some(150)));
    asker.pass();
    assert_eq!(said(&asker.status, kind::READY).0, "True/Standby");
    asker.story.desired.standing = Standing::Everywhere;
    asker.story.seen.model = Model::Quantity(n(100, Some(100)));
    assert_eq!(asker.requested(), None);
    assert_ne!(asker.plan(), id, "the same step again needs another yes");
}

#[test]
fn bound_covers_increases_up_to_it_however_the_plan_changes() {
    let mut asker = asker(150);
    asker.give("year", "decision: Approved, upTo: 165, validUntil: '2026-12-31T00:00:00Z'");
    assert!(asker.requested().is_some());
    asker.status.intent = None;
    asker.edit(165);
    assert!(asker.requested().is_some());
    asker.status.intent = None;
    asker.edit(166);
    assert_eq!(asker.requested(), None);
    assert!(asker.pending().1.contains("The bound of SeatApproval year is below this change"));
    asker.edit(90);
    assert_eq!(asker.requested(), None, "fewer seats are no increase");
    let told = "SeatApproval year has a bound, which covers increases of seats or limit alone";
    assert!(asker.pending().1.contains(told), "{}", asker.pending().1);
}

#[test]
fn seat_bound_of_approval_covers_no_higher_limit_and_limit_bound_no_seats() {
    for (spec, covers) in [
        ("upTo: 150", false),
        ("limitUpTo: 170", false),
        ("upTo: 150, limitUpTo: 170", true),
        ("upTo: 170, limitUpTo: 169", false),
        ("upTo: 170", true),
    ] {
        let mut asker = asker(150);
        asker.story.desired.limit = LimitGoal::UpTo(170);
        asker.give("bound", &format!("decision: Approved, {spec}, validUntil: '2026-12-31T00:00:00Z'"));
        assert_eq!(asker.requested().is_some(), covers, "{spec}");
    }
}

#[test]
fn higher_limit_counts_from_the_seats_and_no_limit_has_no_end() {
    let mut asker = asker(100);
    asker.story.desired.limit = LimitGoal::UpTo(111);
    assert_eq!(asker.requested(), None);
    assert!(asker.pending().1.contains("the increase of 11 seats exceeds spec.approval.increaseAbove 10"));
    asker.story.desired.limit = LimitGoal::UpTo(110);
    assert!(asker.requested().is_some());
    asker.status.intent = None;
    asker.story.desired.limit = LimitGoal::Unlimited;
    asker.story.seen.rules.support.cannot_clear_limit = None;
    assert_eq!(asker.requested(), None);
    assert!(asker.pending().1.contains("without a limit the vendor may buy any number of seats"));
}

#[test]
fn steps_that_add_up_to_more_than_was_agreed_need_a_yes() {
    let mut asker = asker(106);
    assert!(asker.made().is_some());
    assert_eq!(asker.pass().verdict, Verdict::InSync);
    assert_eq!(asker.status.agreed_seats, Some(100));
    asker.edit(110);
    assert!(asker.made().is_some());
    asker.edit(111);
    assert_eq!(asker.made(), None);
    let told =
        "111 seats are 11 above the 100 agreed seats (status.agreedSeats), and spec.approval.increaseAbove is 10";
    assert!(asker.pending().1.contains(told), "{}", asker.pending().1);
    asker.approve("");
    assert!(asker.made().is_some());
    assert_eq!(asker.status.agreed_seats, Some(111));
}

#[test]
fn agreed_seats_begin_at_current_seats_and_fall_with_them() {
    let mut asker = asker(100);
    asker.status.agreed_seats = None;
    asker.pass();
    assert_eq!(asker.status.agreed_seats, Some(100));
    asker.story.desired.approval.decrease_above = None;
    asker.edit(90);
    asker.made();
    asker.pass();
    assert_eq!(asker.status.agreed_seats, Some(90));
    asker.story.desired.approval = ApprovalPolicy::default();
    asker.pass();
    assert_eq!(asker.status.agreed_seats, None);
}

#[test]
fn agreed_seats_fall_also_while_the_object_only_watches() {
    let watches: [fn(&mut Desired); 2] = [
        |desired| desired.policy = ManagementPolicy::Observe,
        |desired| desired.standing = Standing::Elsewhere("prod-us".into()),
    ];
    for watch in watches {
        let mut asker = asker(150);
        asker.status.agreed_seats = Some(150);
        watch(&mut asker.story.desired);
        asker.pass();
        assert_eq!(asker.status.agreed_seats, Some(150), "100 seats are not what is wanted");
        asker.edit(100);
        asker.pass();
        assert_eq!(asker.status.agreed_seats, Some(100), "the seats that people agreed to were given back");
    }
}

#[test]
fn agreed_seats_of_one_account_count_for_no_other() {
    let mut asker = asker(150);
    asker.status.agreed_seats = Some(500);
    asker.story.seen.account.id = Some("two".into());
    asker.story.record = None;
    asker.story.desired.approval.increase_above = Some(60);
    asker.edit(140);
    asker.pass();
    assert_eq!(asker.status.agreed_seats, Some(100));
}

#[test]
fn apply_now_lifts_window_but_neither_never_nor_guard_rail() {
    let window =
        "{increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]}";
    let times = |text: &str| ChangeTimes::parse(Some(&serde_yaml::from_str(text).unwrap())).unwrap();
    let mut asker = asker(150);
    asker.story.desired.adjustment = times(window);
    asker.pass();
    assert_eq!(asker.status.plan.as_ref().unwrap().blocked_by, [PlanBlock::Approval, PlanBlock::Window]);
    asker.approve("");
    assert_eq!(asker.requested(), None);
    assert_eq!(asker.pending().0, "True/AwaitingWindow");
    asker.given.clear();
    asker.approve(", applyNow: true");
    let intent = asker.requested().unwrap();
    assert_eq!((intent.reason, intent.window), (Trigger::Applied, None));
    asker.status.intent = None;
    asker.story.desired.adjustment = times("{increase: {mode: Never}}");
    assert_eq!(asker.requested(), None);
    assert_eq!(asker.pending().0, "True/NeverMade");
    asker.story.desired.adjustment = ChangeTimes::default();
    asker.story.desired.guardrails.max_seats = Some(120);
    assert_eq!(asker.requested(), None);
    assert_eq!(asker.pending().0, "True/BlockedByGuardrail");
}

#[test]
fn limit_falls_while_increase_awaits_approval_and_plan_keeps_id() {
    let mut asker = asker(150);
    asker.story.seen.model = Model::Quantity(n(100, Some(120)));
    let intent = asker.made().unwrap();
    assert_eq!(intent.target(), n(100, Some(100)), "that costs nothing, and the vendor buys nothing meanwhile");
    asker.pass();
    let id = asker.plan();
    asker.story.seen.model = Model::Quantity(n(100, Some(120)));
    assert_eq!(asker.made().unwrap().target(), n(100, Some(100)));
    asker.pass();
    assert_eq!(asker.summary(), "+50 seats: approval needed");
    assert_eq!(asker.plan(), id);
}

#[test]
fn drift_that_is_reported_only_is_corrected_by_a_yes_to_its_plan() {
    let mut asker = asker(100);
    asker.story.desired.approval = ApprovalPolicy::default();
    asker.story.desired.drift = DriftPolicy::Report;
    asker.story.satisfied = true;
    asker.story.seen.model = Model::Quantity(n(95, Some(95)));
    assert_eq!(asker.requested(), None);
    assert_eq!(said(&asker.status, kind::READY).0, "True/DriftReportedOnly");
    asker.approve("");
    assert_eq!(asker.requested().unwrap().target(), n(100, Some(100)));
}

#[test]
fn yes_to_a_plan_corrects_drift_also_beside_a_bound_that_applies_now() {
    let mut asker = asker(100);
    asker.story.desired.approval = ApprovalPolicy::default();
    asker.story.desired.drift = DriftPolicy::Report;
    asker.story.satisfied = true;
    asker.story.seen.model = Model::Quantity(n(95, Some(95)));
    asker.give("year", "decision: Approved, upTo: 165, validUntil: '2026-12-31T00:00:00Z', applyNow: true");
    assert_eq!(asker.requested(), None, "a bound alone corrects nothing that is only reported");
    asker.approve("");
    assert_eq!(asker.requested().unwrap().target(), n(100, Some(100)));
}

#[test]
fn object_without_a_record_lowers_by_a_yes_to_its_plan() {
    let mut asker = asker(90);
    asker.story.record = None;
    asker.story.desired.approval.decrease_above = None;
    asker.pass();
    assert_eq!(said(&asker.status, kind::READY).0, "False/FirstSight");
    asker.approve("");
    assert!(asker.requested().is_some());
}

#[test]
fn first_repeat_of_an_approved_request_needs_no_other_yes() {
    let mut asker = asker(150);
    asker.pass();
    asker.approve("");
    let intent = asker.requested().unwrap();
    asker.given.clear();
    let lost = after_request(asker.status.clone(), &intent, &Outcome::Unanswered, None, asker.now);
    asker.status = lost.status;
    let wait = WaitFor::Request(intent.id);
    asker.story.elapsed = Some(Elapsed { wait, since: SETTLED, settled: Some((n(100, Some(100)), TIMING.pause)) });
    let mut asked = None;
    for _ in 0..3 {
        if let Verdict::Change(again) = asker.pass().verdict {
            asked = Some(again);
        }
    }
    assert_eq!(asked.map(|again| again.attempt), Some(2));
}

#[test]
fn repeat_after_an_edit_needs_another_yes_and_obeys_a_no() {
    for (answer, held) in [("", "True/AwaitingApproval"), ("decision: Denied", "True/ChangeDenied")] {
        let mut asker = asker(150);
        asker.pass();
        asker.approve("");
        let intent = asker.requested().unwrap();
        asker.given.clear();
        asker.status.intent = Some(Intent { phase: IntentPhase::WithoutEffect, ..intent });
        // Guard rails are edited: the wish stays, and the plan is another one.
        asker.story.desired.asked = "other guard rails".into();
        asker.story.generation += 1;
        assert_eq!(asker.requested(), None);
        if !answer.is_empty() {
            let no = format!("{answer}, planId: {}", asker.plan());
            asker.give("no", &no);
            assert_eq!(asker.requested(), None);
        }
        assert_eq!(asker.pending().0, held);
    }
}

#[test]
fn refused_change_that_is_asked_again_needs_another_yes() {
    let mut asker = asker(150);
    asker.pass();
    asker.approve("");
    let intent = asker.requested().unwrap();
    asker.given.clear();
    let refusal = Outcome::Refused(Refusal::Request("No payment method found.".into()));
    asker.status = after_request(asker.status.clone(), &intent, &refusal, Some(&asker.story.seen), asker.now).status;
    asker.story.seen.usage = Usage::Exact(79);
    assert_eq!(asker.requested(), None);
    assert_eq!(asker.pending().0, "True/AwaitingApproval");
}

#[test]
fn approval_of_unknown_plan_lets_nothing_pass_and_is_reported() {
    let mut asker = asker(150);
    asker.pass();
    asker.give("typo", "decision: Approved, planId: 9-ffffff");
    assert_eq!(asker.requested(), None);
    assert_eq!(asker.pending().0, "True/AwaitingApproval");
    let message = asker.pending().1;
    assert!(
        message.contains("SeatApproval typo names plan 9-ffffff, which is no open plan of this object: mistyped, finished, or of another object"),
        "{message}"
    );
}

#[test]
fn unreadable_approvals_hold_change_and_are_reported() {
    let mut asker = asker(105);
    asker.unread = Some("the operator may not list them");
    assert_eq!(asker.requested(), None);
    let (reason, message) = asker.pending();
    assert_eq!(reason, "True/ApprovalsUnreadable");
    let told = "not made: the SeatApprovals of this object could not be read: the operator may not list them";
    assert!(message.ends_with(told), "another approval would not help: {message}");
    for kind in [kind::READY, kind::STALLED] {
        assert!(said(&asker.status, kind).0.ends_with("/ApprovalsUnreadable"), "{kind}: no person's yes ends it");
    }
    assert_eq!(asker.summary(), "+5 seats: approvals not readable");
}

#[test]
fn unreadable_approvals_are_reported_while_last_change_settles() {
    let asked = asker(160);
    let made = |story: Story| story.shows(150, Some(150)).made(100, 150, 0, 1, Trigger::SpecDiffers);
    let mut asker = Asker { story: made(asked.story).with(|s| s.late_over = false), ..asked };
    (asker.status.history, asker.now) = (asker.story.history.clone(), now());
    asker.unread = Some("the operator may not list them");
    asker.pass();
    assert_eq!(said(&asker.status, kind::STALLED).0, "True/ApprovalsUnreadable");
    let blocked = asker.status.plan.unwrap().blocked_by;
    assert_eq!(blocked, [PlanBlock::Approval, PlanBlock::LateEffects]);
}

#[test]
fn denial_counts_though_another_approval_cannot_be_read() {
    let mut asker = asker(150);
    asker.pass();
    let id = asker.plan();
    asker.give("no", &format!("decision: Denied, planId: {id}"));
    asker.unread = Some("SeatApproval odd is not as its CRD has it");
    asker.pass();
    assert_eq!(asker.pending().0, "True/ChangeDenied");
}

#[test]
fn message_names_bounds_and_latest_plans_of_approvals_and_counts_others() {
    let mut asker = asker(150);
    for number in 1..=700 {
        asker.give(&format!("old-{number}"), &format!("decision: Approved, planId: {number}-aaaaaa"));
    }
    asker.give("year", "decision: Approved, upTo: 110, validUntil: '2026-12-31T00:00:00Z'");
    assert_eq!(asker.requested(), None);
    let message = asker.pending().1;
    let told = ". The bound of SeatApproval year is below this change. SeatApproval old-700 names plan 700-aaaaaa, which is no open plan of this object: mistyped, finished, or of another object. SeatApproval old-699 names plan 699-aaaaaa, which is no open plan of this object: mistyped, finished, or of another object. 698 more SeatApprovals \
                of this object do not cover the change";
    assert!(message.ends_with(told), "{message}");
}

#[test]
fn message_names_each_of_a_few_approvals_and_counts_at_least_two_others() {
    for (given, named, others) in [(3, 3, None), (4, 4, None), (5, 3, Some("2 more SeatApprovals"))] {
        let mut asker = asker(150);
        for number in 1..=given {
            asker.give(&format!("old-{number}"), &format!("decision: Approved, planId: {number}-aaaaaa"));
        }
        assert_eq!(asker.requested(), None);
        let message = asker.pending().1;
        assert_eq!(message.matches("SeatApproval old-").count(), named, "{message}");
        assert_eq!(message.contains("more SeatApprovals"), others.is_some(), "{message}");
        assert!(message.contains(others.unwrap_or_default()), "{message}");
    }
}

#[test]
fn decision_wakes_when_first_approval_in_force_ends() {
    let mut asker = asker(150);
    let wake = |asker: &mut Asker| asker.pass().wake;
    assert_eq!(wake(&mut asker), None);
    for (name, minutes) in [("over", -60), ("ends-now", 0), ("later", 120), ("first", 60)] {
        let until = asker.now + SignedDuration::from_mins(minutes);
        asker.give(name, &format!("decision: Approved, upTo: 110, validUntil: '{until}'"));
    }
    assert_eq!(wake(&mut asker), Some(Duration::from_millis(3_600_100)));
}

#[test]
fn shortage_is_reported_ahead_of_change_unapproved_denied_or_never_made() {
    let mut asker = asker(150);
    asker.story.seen.usage = Usage::Exact(100);
    asker.pass();
    assert_eq!(asker.summary(), "0 free; +50 seats: approval needed");
    let spec = format!("decision: Denied, planId: {}", asker.plan());
    asker.give("no", &spec);
    asker.pass();
    assert_eq!(asker.summary(), "shortage: 0 free; +50 seats: denied");
    asker.given.clear();
    asker.story.desired.approval = ApprovalPolicy::default();
    let never = serde_yaml::from_str("{increase: {mode: Never}}").unwrap();
    asker.story.desired.adjustment = ChangeTimes::parse(Some(&never)).unwrap();
    asker.pass();
    assert_eq!(asker.summary(), "0 free; +50 seats: shown only");
}

#[test]
fn waiting_for_a_yes_writes_nothing_from_pass_to_pass() {
    let mut asker = asker(150);
    asker.pass();
    let status = asker.status.clone();
    for _ in 0..3 {
        asker.now += SignedDuration::from_hours(1);
        asker.pass();
        assert_eq!(untimed(&asker.status), untimed(&status));
    }
}

#[test]
fn approval_policy_that_makes_no_sense_is_refused_with_its_field() {
    for (policy, fault) in [
        ("{}", "spec.approval is empty: set increaseAbove, decreaseAbove, or both"),
        ("{increaseAbove: -1}", "spec.approval.increaseAbove is -1: it must be 0 or more"),
        ("{decreaseAbove: -1}", "spec.approval.decreaseAbove is -1: it must be 0 or more"),
    ] {
        let spec = format!("{{vendor: {{}}, approval: {policy}}}");
        let spec = serde_yaml::from_str(&spec).unwrap();
        let error = Desired::parse(&spec, pool(Goal::Quantity), Duration::ZERO).unwrap_err().0;
        assert!(error.starts_with(fault), "{policy}: {error}");
    }
}

#[test]
fn approval_page_matches_status() {
    let mut asker = asker(150);
    asker.story = std::mem::replace(&mut asker.story, story()).shows(150, Some(150));
    asker.story.desired.approval = ApprovalPolicy { increase_above: Some(10), decrease_above: None };
    asker.status.agreed_seats = Some(150);
    let mut page = table("A person's yes");
    asker.pass();
    page.row("9:00", "150 seats are in sync. `approval: {increaseAbove: 10}`", [asker.summary()]);
    asker.edit(165);
    assert_eq!(asker.requested(), None);
    page.row("9:05", "scales the object to 165", [asker.summary()]);
    asker.approve("");
    assert!(asker.made().is_some());
    asker.pass();
    page.row("9:20", "and the change leaves. The vendor shows 165, and `agreedSeats` is 165", [asker.summary()]);
    assert_eq!(asker.status.agreed_seats, Some(165));
    asker.edit(175);
    assert_eq!(asker.pass().verdict, Verdict::Publish);
    page.row("10:00", "The script scales to 175", [asker.summary()]);
    assert!(asker.made().is_some());
    asker.edit(180);
    assert_eq!(asker.requested(), None);
    page.row("10:05", "It scales to 180, which is 15 above what was agreed", [asker.summary()]);
    page.ends();
}
