//! `spec.activeCluster`: the side that only observes, the one that waits before its first change, and an account that
//! moves by our own plan.

use super::pages::table;
use super::*;

/// One installation, in virtual time: an object in a cluster, its record and the clock of its process.
struct Side {
    cluster: &'static str,
    story: Story,
    status: LicenseSeatsStatus,
    clock: DoubtClock<Duration>,
    at: Duration,
    /// An edit of the spec was perhaps not seen.
    watched: bool,
}

/// 100 seats are shown and 150 are wanted.
fn side(cluster: &'static str, active: Option<&str>) -> Side {
    let side = Side {
        cluster,
        story: story(),
        status: LicenseSeatsStatus { record_of: Some(record()), ..LicenseSeatsStatus::default() },
        clock: DoubtClock::default(),
        at: Duration::ZERO,
        watched: true,
    };
    side.names(active)
}

/// The same object, which has been active for long.
fn active(cluster: &'static str) -> Side {
    let mut side = side(cluster, Some(cluster));
    let since = Time(now() - SignedDuration::from_hours(100));
    let cluster = Some(cluster.to_owned());
    side.status.activity =
        Some(Activity { state: ActivityState::Active, cluster, uid: "uid".into(), since, until: None });
    side
}

impl Side {
    fn names(mut self, active: Option<&str>) -> Self {
        self.story.generation += 1;
        let desired = Desired { standing: Standing::parse(active).unwrap(), ..self.story.desired.clone() };
        self.story.desired = desired.seen_from(Some(self.cluster)).unwrap();
        self
    }

    fn shows(mut self, seats: i32) -> Self {
        self.story = self.story.shows(seats, Some(seats));
        self
    }

    fn later(mut self, seconds: u64) -> Self {
        self.at += Duration::from_secs(seconds);
        self
    }

    fn restarted(mut self) -> Self {
        self.clock = DoubtClock::default();
        self
    }

    fn now(&self) -> Timestamp {
        now() + SignedDuration::try_from(self.at).unwrap()
    }

    fn decide(&self) -> Decision {
        let status = &self.status;
        decide(&Situation {
            published: status.plan.as_ref().and_then(|plan| plan.basis.as_deref()),
            intent: status.intent.as_ref(),
            history: &status.history,
            record: status.record_of.as_ref(),
            elapsed: self.clock.elapsed(self.at).as_ref(),
            satisfied: in_sync_before(
                status,
                self.story.generation,
                &satisfaction(&self.story.desired, "api.test/one"),
            ),
            calendar: Calendar {
                planned: status.plan.as_ref(),
                current: status.observed_generation == self.story.generation,
                ..Calendar::default()
            },
            activity: ActivePast {
                record: status.activity.as_ref(),
                edits_unseen: edits_unseen(status, self.story.generation, self.watched),
            },
            ..self.story.situation(None, self.now())
        })
    }

    /// One pass, which is recorded. A request that would leave is recorded, and its fate is not known.
    fn pass(mut self) -> (Self, Decision) {
        let decision = self.decide();
        let learned = after_decision(self.status.clone(), &decision);
        if let Verdict::Change(intent) = &decision.verdict {
            self.status = before_request(learned.status, intent);
            self.clock.restart(WaitFor::Request(intent.id.clone()), self.at);
            return (self, decision);
        }
        let finding = Finding::Decided { desired: &self.story.desired, seen: &self.story.seen, decision: &decision };
        self.status = report(&learned.status, self.story.generation, &finding, self.now()).status;
        self.clock.follow(decision.doubt.as_ref(), self.story.seen.numbers(), self.at);
        (self, decision)
    }

    fn passed(self) -> Self {
        self.pass().0
    }

    /// Passes until a request would leave or nothing more comes of it.
    fn settled(self) -> (Self, Option<Intent>) {
        let mut side = self;
        for _ in 0..3 {
            let (next, decision) = side.pass();
            side = next;
            if let Verdict::Change(intent) = decision.verdict {
                return (side, Some(*intent));
            }
        }
        (side, None)
    }

    fn requests(self) -> bool {
        self.settled().1.is_some()
    }

    fn ready(&self) -> (String, String) {
        said(&self.status, kind::READY)
    }

    fn summary(&self) -> &str {
        self.status.summary.as_deref().unwrap_or_default()
    }

    fn state(&self) -> Option<ActivityState> {
        self.status.activity.as_ref().map(|activity| activity.state)
    }
}

#[test]
fn object_without_cluster_field_acts_at_once_and_records_no_cluster() {
    let (side, sent) = side("prod-eu", None).settled();
    assert!(sent.is_some());
    assert_eq!(side.status.activity, None);
}

#[test]
fn object_of_other_cluster_is_observed_and_names_active_cluster() {
    for (other, standby) in [("prod-us", "standby for prod-us"), ("none", "standby for none")] {
        let (side, sent) = side("prod-eu", Some(other)).settled();
        assert_eq!(sent, None);
        assert_eq!(side.ready().0, "True/Standby");
        assert!(side.ready().1.contains(&format!("spec.activeCluster is {other}")), "{}", side.ready().1);
        assert_eq!(side.summary(), format!("{standby}; spec: 150"));
        assert_eq!(said(&side.status, kind::CHANGE_PENDING).0, "");
        assert_eq!((side.status.plan.clone(), side.status.record_of.clone()), (None, None));
        assert_eq!(side.shows(150).passed().summary(), standby);
    }
}

#[test]
fn standby_is_reported_before_any_other_hold() {
    let cases: [fn(&mut Story); 6] = [
        |s| s.desired.policy = ManagementPolicy::Observe,
        |s| s.desired.suspended = true,
        |s| s.desired.drift = DriftPolicy::Report,
        |s| s.desired.guardrails.max_seats = Some(120),
        |s| s.seen.model = Model::Uncounted("not counted".into()),
        |s| s.intent = Some(story().open(IntentPhase::Rejected, SETTLED).intent.unwrap()),
    ];
    for (i, case) in cases.into_iter().enumerate() {
        let mut side = side("prod-eu", Some("prod-us"));
        case(&mut side.story);
        side.status.intent = side.story.intent.clone();
        let side = side.passed();
        assert_eq!(side.ready().0, "True/Standby", "case {i}");
    }
}

#[test]
fn shortage_is_reported_after_standby() {
    let mut side = side("prod-eu", Some("prod-us")).shows(150);
    side.story.seen.usage = Usage::Exact(150);
    let side = side.passed();
    assert_eq!(side.summary(), "standby for prod-us; 0 free");
}

#[test]
fn spec_that_names_a_cluster_is_refused_by_an_operator_without_a_name() {
    let of = |active| Desired { standing: Standing::parse(Some(active)).unwrap(), ..story().desired };
    for active in ["prod-eu", "none"] {
        let fault = of(active).seen_from(None).unwrap_err().0;
        assert!(fault.contains("--cluster-name") && fault.contains("clusterName"), "{fault}");
        assert!(of(active).stands_by().is_some(), "what was not placed changes nothing");
    }
    assert_eq!(of("none").seen_from(Some("none")).unwrap().stands_by(), Some("none"), "no operator is called so");
    for name in ["", "Prod", "-a", "a-", "a.b", &"a".repeat(64)] {
        assert!(Standing::parse(Some(name)).is_err(), "{name}");
    }
    for name in ["a", "7", "prod-eu", &"a".repeat(63)] {
        assert!(Standing::parse(Some(name)).is_ok(), "{name}");
    }
}

#[test]
fn side_with_open_change_sends_nothing_and_is_standby_once_outcome_known() {
    let (eu, sent) = active("prod-eu").settled();
    assert!(sent.is_some());
    let eu = eu.names(Some("none")).later(60).passed();
    assert_eq!(eu.ready().0, "Unknown/OutcomeUnknown");
    assert!(eu.ready().1.contains("make no other cluster active"), "{}", eu.ready().1);
    assert_eq!(eu.summary(), "standby for none; outcome unknown");
    assert_eq!(said(&eu.status, kind::RECONCILING).0, "True/Progressing");
    let eu = eu.later(1800).passed();
    assert_eq!(eu.ready().0, "Unknown/OutcomeUnknown", "two readings must agree");
    let (eu, sent) = eu.later(10).settled();
    assert_eq!(sent, None, "what came to nothing is not sent again");
    assert_eq!(eu.ready().0, "True/Standby");
    let kept = eu.status.intent.as_ref().map(|intent| intent.phase);
    assert_eq!(kept, Some(IntentPhase::WithoutEffect), "no attempt is forgotten");
}

#[test]
fn side_with_made_change_is_no_standby_until_its_late_effects_are_over() {
    let (eu, _) = active("prod-eu").settled();
    let mut eu = eu.shows(150);
    let intent = eu.status.intent.clone().unwrap();
    eu.status = after_request(eu.status.clone(), &intent, &Outcome::Accepted, Some(&eu.story.seen), eu.now()).status;
    let eu = eu.names(Some("none")).later(60).passed();
    assert_eq!(eu.ready().0, "Unknown/OutcomeUnknown");
    assert!(eu.ready().1.contains("late effects"), "{}", eu.ready().1);
    let (eu, decision) = eu.pass();
    assert_eq!(decision.wake, Some(Duration::from_secs(240)));
    assert_eq!(eu.later(240).passed().ready().0, "True/Standby");
}

#[test]
fn open_question_remains_during_standby() {
    let mut eu = active("prod-eu").names(Some("none")).shows(120);
    let wish = Some(eu.story.desired.wish());
    eu.status.intent = story().open(IntentPhase::NeedsReview, SETTLED).intent.map(|intent| Intent { wish, ..intent });
    assert_eq!(eu.passed().ready().0, "False/NeedsReview");
}

#[test]
fn newly_active_object_reports_end_of_settle_time_and_two_readings() {
    let us = side("prod-us", Some("prod-eu")).passed().names(Some("prod-us")).passed();
    assert_eq!(us.ready().0, "False/Progressing");
    assert_eq!(said(&us.status, kind::CHANGE_PENDING).0, "True/Activating");
    assert!(us.ready().1.contains("2026-11-22 12:30:00Z"), "{}", us.ready().1);
    assert_eq!(us.summary(), "+50 seats: becomes active at 12:30Z");
    assert_eq!(us.status.plan.as_ref().unwrap().blocked_by, [PlanBlock::Activation]);
    let us = us.later(1799).passed();
    assert_eq!(us.state(), Some(ActivityState::Activating));
    let us = us.later(1).passed();
    assert_eq!(us.state(), Some(ActivityState::Activating), "the first of two readings");
    let us = us.later(9).passed();
    assert_eq!(us.state(), Some(ActivityState::Activating));
    let (us, sent) = us.later(1).settled();
    assert!(sent.is_some());
    assert_eq!(us.state(), Some(ActivityState::Active), "recorded with the intent");
}

#[test]
fn reading_that_differs_after_the_wait_is_the_first_of_two_again() {
    let us = side("prod-us", Some("none")).passed().names(Some("prod-us")).passed().later(1800).passed();
    let us = us.shows(110).later(10).passed();
    assert_eq!(us.state(), Some(ActivityState::Activating));
    assert!(us.later(10).requests());
}

#[test]
fn wait_of_an_object_in_sync_runs_all_the_same_and_writes_nothing() {
    let us = side("prod-us", Some("none")).shows(150).passed().names(Some("prod-us")).passed();
    assert_eq!(us.ready().0, "True/InSync");
    assert!(us.ready().1.contains("first change at 2026-11-22 12:30:00Z"), "{}", us.ready().1);
    let told = us.status.clone();
    let us = us.later(600).passed().later(1195).passed();
    assert_eq!(us.status, told, "a wait costs no writes");
    let us = us.later(5).passed().later(10).passed();
    assert_eq!((us.state(), us.ready().1.contains("first change")), (Some(ActivityState::Active), false));
    let mut us = us.later(3600);
    us.story.desired.seats = Some(160);
    us.story.generation += 1;
    assert!(us.requests(), "a later wish does not wait");
}

#[test]
fn restart_waits_anew_and_reports_it() {
    let us = side("prod-us", Some("none")).passed().names(Some("prod-us")).passed().later(1200).restarted().passed();
    assert!(us.ready().1.contains("2026-11-22 12:50:00Z"), "{}", us.ready().1);
    let us = us.later(1799).passed().later(10).passed();
    assert_eq!(us.state(), Some(ActivityState::Activating));
    assert!(us.later(10).requests());
}

#[test]
fn reported_time_stays_while_near_actual_time() {
    let waiting = || side("prod-us", Some("none")).passed().names(Some("prod-us")).passed();
    let restarted = |seconds| waiting().later(seconds).restarted().passed().ready().1;
    assert!(restarted(60).contains("2026-11-22 12:30:00Z"), "{}", restarted(60));
    assert!(restarted(61).contains("2026-11-22 12:31:01Z"), "{}", restarted(61));
    let told = waiting().status;
    let second = waiting().later(1800).passed();
    assert_eq!(second.status.activity, told.activity, "while two readings must agree");
}

#[test]
fn reported_time_of_short_wait_is_off_by_at_most_one_tenth_of_wait() {
    let until = |moved: i64| {
        let told = now() + SignedDuration::from_secs(100 - moved);
        let Activity { state, cluster, uid, since, .. } = active("prod-us").status.activity.unwrap();
        let record = Activity { state, cluster, uid, since, until: Some(Time(told)) };
        let (story, timing) = (story(), Timing { unanswered: Duration::from_secs(100), ..TIMING });
        let activity = ActivePast { record: Some(&record), edits_unseen: false };
        let situation = Situation { timing, activity, ..story.situation(None, now()) };
        let until = crate::domain::standby::until(&situation, Duration::from_secs(100)).unwrap();
        now() + SignedDuration::from_secs(100) - until
    };
    assert_eq!([10, -10, 11, -11].map(|moved| until(moved).get_seconds()), [10, -10, 0, 0]);
}

#[test]
fn object_active_again_while_its_request_is_in_flight_reports_no_time() {
    let (eu, sent) = active("prod-eu").settled();
    assert!(sent.is_some());
    let eu = eu.names(Some("none")).passed().names(Some("prod-eu")).later(60).passed();
    assert_eq!(eu.ready().0, "Unknown/OutcomeUnknown");
    let activity = eu.status.activity.unwrap();
    assert_eq!((activity.state, activity.until), (ActivityState::Activating, None), "its clock does not run yet");
}

#[test]
fn object_that_is_active_on_record_does_not_wait_again_after_a_restart() {
    assert!(active("prod-eu").restarted().requests());
}

#[test]
fn record_that_is_of_something_else_or_gone_is_none() {
    let with = |change: fn(&mut Side)| {
        let mut side = active("prod-eu");
        change(&mut side);
        side.requests()
    };
    assert!(with(|_| ()));
    assert!(!with(|side| side.status.activity = None), "a status that was wiped");
    assert!(!with(|side| side.status.activity.as_mut().unwrap().uid = "another".into()), "restored");
    assert!(!with(|side| side.status.activity.as_mut().unwrap().cluster = Some("prod-us".into())), "another cluster's");
    assert!(!with(|side| side.status.activity.as_mut().unwrap().state = ActivityState::Standby));
    assert!(!with(|side| side.status.activity.as_mut().unwrap().state = ActivityState::Activating));
}

#[test]
fn flag_that_is_renamed_together_with_the_spec_waits_once() {
    let mut side = active("prod-eu");
    side.cluster = "eu-1";
    let side = side.names(Some("prod-eu")).passed();
    assert_eq!(side.ready().0, "True/Standby", "the flag alone");
    let side = side.names(Some("eu-1")).passed();
    assert_eq!(side.state(), Some(ActivityState::Activating));
}

#[test]
fn cluster_field_removed_on_standby_makes_object_active_after_wait() {
    let us = side("prod-us", Some("prod-eu")).passed().names(None).passed();
    assert_eq!((us.state(), us.ready().0.as_str()), (Some(ActivityState::Activating), "False/Progressing"));
    let (us, sent) = us.later(1800).passed().later(10).settled();
    assert!(sent.is_some());
    assert_eq!(us.status.activity, None, "an ordinary object from now on");
    assert!(active("prod-eu").names(None).requests(), "it was active here");
}

#[test]
fn cluster_field_edited_there_and_back_is_waited_for_if_no_pass_saw_it() {
    let twice = |watched| {
        let mut eu = active("prod-eu").shows(150).passed().names(Some("prod-us")).names(Some("prod-eu")).shows(100);
        eu.watched = watched;
        eu.requests()
    };
    assert!(twice(true), "this process saw every edit that lasted");
    assert!(!twice(false), "the operator was away");
    let mut once = active("prod-eu").shows(150).passed().shows(100);
    once.story.generation += 1;
    once.watched = false;
    assert!(once.requests(), "one edit cannot name another cluster and this one again");
}

#[test]
fn unchecked_spec_counts_as_of_other_cluster_only_if_it_names_one() {
    let after = |named: Option<&str>| {
        let mut eu = active("prod-eu");
        eu.status = unchecked(eu.status, named, now());
        eu.names(Some("prod-eu")).requests()
    };
    assert!(after(Some("prod-eu")), "an edit of something else");
    assert!(!after(Some("prod-us")), "which may use the spec that this side could not");
    assert!(!after(None), "every cluster may have changed the account");
    let everywhere = |named: Option<&str>| {
        let mut eu = side("prod-eu", None);
        eu.status = unchecked(eu.status, named, now());
        eu.names(None).requests()
    };
    assert!(everywhere(None) && !everywhere(Some("prod-us")));
    let mut told = active("prod-eu").status;
    told = unchecked(told, Some("prod-us"), now());
    assert_eq!(unchecked(told.clone(), Some("prod-us"), now() + SignedDuration::from_hours(1)), told, "told once");
}

/// Its account cannot be read in this pass.
fn in_an_outage(side: Side) -> Side {
    let fault = Fault {
        remedy: Remedy::Time { after: None, secret_may_help: false },
        reason: reason::VENDOR_UNREACHABLE,
        summary: "unreachable".into(),
        message: "unreachable".into(),
    };
    let desired = Some(&side.story.desired);
    let finding = Finding::Failed { fault: &fault, desired, account: None, stale: false };
    let status = report(&side.status, side.story.generation, &finding, side.now()).status;
    let again = report(&status, side.story.generation, &finding, side.now() + SignedDuration::from_hours(1)).status;
    assert_eq!(again, status, "told once");
    Side { status, ..side }
}

#[test]
fn object_on_standby_in_outage_waits_though_its_account_was_never_read() {
    for named in [Some("prod-eu"), None] {
        let eu = in_an_outage(active("prod-eu").names(Some("none"))).names(named).passed();
        assert_eq!(eu.state(), Some(ActivityState::Activating), "{named:?}");
    }
}

#[test]
fn object_that_is_active_in_an_outage_does_not_wait_after_it() {
    assert!(in_an_outage(active("prod-eu")).requests());
}

#[test]
fn decrease_after_a_hand_over_is_for_a_person_to_agree_to() {
    let mut us = side("prod-us", Some("none")).passed().names(Some("prod-us"));
    us.story = us.story.wants(90, LimitGoal::Pinned);
    let us = us.passed().later(1800).passed().later(10).passed().passed();
    assert_eq!(us.ready().0, "False/FirstSight");
}

#[test]
fn old_side_killed_with_a_request_in_flight_and_the_new_side_buy_once() {
    let (eu, sent) = active("prod-eu").settled();
    assert!(sent.is_some());
    drop(eu);
    // The request takes effect at the last moment of the settle time.
    let us = side("prod-us", Some("prod-us")).passed().later(1799).passed();
    let us = us.shows(150).later(1).passed().later(10);
    assert!(!us.requests());
}

// An account that moves by exactly our own plan.

/// A plan from 100 to 150 seats is published, and the account shows this.
fn planned(seats: i32) -> Side {
    let side = side("prod-eu", None).passed();
    assert!(side.status.plan.is_some());
    side.shows(seats).later(2)
}

#[test]
fn account_changed_exactly_by_our_plan_is_reported_and_in_sync() {
    let side = planned(150).passed();
    assert_eq!(side.ready().0, "True/InSync");
    let (drifted, message) = said(&side.status, kind::DRIFTED);
    assert_eq!(drifted, "True/AnotherSeatkeeper");
    for words in ["another Seatkeeper", "a person", "spec.activeCluster", "seatkeeper.dev/confirm="] {
        assert!(message.contains(words), "{message}");
    }
    assert!(side.status.history.is_empty(), "it is no change of ours");
    let told = side.status.clone();
    let side = side.later(600).passed();
    assert_eq!(side.status, told);
    let side = side.later(24 * 3600).passed();
    assert_eq!((said(&side.status, kind::DRIFTED).0.as_str(), side.status.intent), ("", None), "a day is enough");
}

#[test]
fn account_that_changes_otherwise_proves_no_other_seatkeeper() {
    for seats in [100, 130, 200] {
        let side = planned(seats).passed();
        assert_eq!(side.status.intent.filter(|intent| intent.phase == IntentPhase::MadeElsewhere), None, "{seats}");
    }
}

#[test]
fn account_moved_per_our_plan_then_moved_again_waits_for_person_to_decide() {
    let moved = || planned(150).passed().shows(100).later(60);
    let (side, sent) = moved().settled();
    assert_eq!((sent, side.ready().0.as_str()), (None, "False/NeedsReview"));
    assert!(side.ready().1.contains("perhaps by another Seatkeeper"), "{}", side.ready().1);
    assert!(side.ready().1.contains("moved to 100 seats"), "{}", side.ready().1);
    let id = side.status.intent.clone().unwrap().id;
    assert_eq!(side.shows(150).passed().ready().0, "True/InSync", "back in sync, nothing is left to decide");
    let mut confirmed = moved();
    confirmed.story.confirmed = Some(id);
    assert!(confirmed.requests());
    let mut edited = moved();
    edited.story.desired.seats = Some(160);
    edited.story.generation += 1;
    assert!(edited.requests());
    assert!(moved().later(24 * 3600).requests(), "a day later it is drift");
}

#[test]
fn plan_of_a_request_that_did_not_leave_counts_as_planned() {
    let (side, sent) = side("prod-eu", None).settled();
    let (mut side, intent) = (side, sent.unwrap());
    let after = after_request(side.status.clone(), &intent, &Outcome::NotSent("late"), None, side.now());
    side.status = after.status;
    let side = side.shows(150).later(2).passed();
    assert_eq!(said(&side.status, kind::DRIFTED).0, "True/AnotherSeatkeeper");
}

#[test]
fn remembered_request_without_record_explains_change_of_account() {
    let side = planned(100);
    let before = side.status.clone();
    let (mut side, sent) = side.settled();
    assert!(sent.is_some());
    side.status = before;
    let side = side.shows(150).passed();
    assert_eq!(said(&side.status, kind::DRIFTED).0, "", "a record from before the intent was restored");
}

#[test]
fn change_of_another_object_that_may_be_running_explains_the_move() {
    for obstacle in [Obstacle::InFlight(None), Obstacle::LateEffects(SETTLED), Obstacle::NotScanned] {
        let mut side = planned(150);
        side.story.obstacle = Some(obstacle);
        assert_eq!(said(&side.passed().status, kind::DRIFTED).0, "", "as after a restore while the request runs");
    }
}

#[test]
fn own_change_reverted_and_restored_proves_no_other_seatkeeper() {
    let mut side = side("prod-eu", None);
    side.status.history = story().made(100, 150, 1, 1, Trigger::SpecDiffers).history;
    side.story.history.clone_from(&side.status.history);
    let side = side.passed();
    let plan = Plan { blocked_by: vec![], ..planned(100).status.plan.unwrap() };
    let mut side = side.shows(150);
    side.status.plan = Some(plan);
    assert_eq!(said(&side.passed().status, kind::DRIFTED).0, "");
}

#[test]
fn plan_that_something_else_holds_is_often_made_by_hand_and_asks_nothing() {
    let mut side = side("prod-eu", None);
    side.story.desired.suspended = true;
    let side = side.passed().shows(150).passed();
    assert_eq!(said(&side.status, kind::DRIFTED).0, "");
}

#[test]
fn own_change_explains_move_for_one_day_and_recorded_request_by_numbers() {
    let told = |made: (i32, i32), ago: i64, remembered: bool| {
        let mut side = planned(150);
        let mut change = story().made(made.0, made.1, 1, 1, Trigger::SpecDiffers).history.remove(0);
        change.time = Time(side.now() - SignedDuration::from_secs(ago));
        if remembered {
            side.clock.restart(WaitFor::LateEffects(change.id.clone()), side.at);
        }
        side.status.history = vec![change];
        said(&side.passed().status, kind::DRIFTED).0 == "True/AnotherSeatkeeper"
    };
    const DAY: i64 = 24 * 3600;
    assert!(!told((100, 150), DAY - 1, false));
    assert!(told((100, 150), DAY, false));
    assert!(told((90, 100), 7200, false));
    assert!(told((90, 100), 7200, true), "what it remembers is on record");
}

#[test]
fn observing_object_reports_no_other_seatkeeper() {
    let changes: [fn(&mut Desired); 2] = [
        |desired| desired.policy = ManagementPolicy::Observe,
        // The flag of the operator was renamed, and the spec is the same.
        |desired| desired.standing = Standing::Elsewhere("prod-eu".into()),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut side = planned(150);
        change(&mut side.story.desired);
        assert_eq!(side.passed().status.intent, None, "case {i}");
    }
}

#[test]
fn old_side_that_never_sees_the_commit_is_noticed_by_the_new_side() {
    let us = side("prod-us", Some("prod-us")).passed();
    let eu = active("prod-eu").settled();
    assert!(eu.1.is_some(), "it goes on");
    let us = us.shows(150).later(60).passed();
    assert_eq!(said(&us.status, kind::DRIFTED).0, "True/AnotherSeatkeeper");
    let us = us.later(1800).passed().later(10).passed().shows(100).later(60);
    assert!(!us.requests(), "and does not fight it");
}

#[test]
fn object_after_hand_over_asks_nothing_about_other_seatkeeper() {
    let side = planned(150).passed().names(Some("prod-us")).shows(170).passed();
    assert_eq!((side.ready().0.as_str(), &side.status.intent), ("True/Standby", &None));
}

/// As `kubectl get` shows it.
fn column(side: &Side) -> &str {
    side.status.summary.as_deref().unwrap_or_default()
}

#[test]
fn hand_over_page_matches_status() {
    let nine: Timestamp = "2026-12-01T09:00:00Z".parse().unwrap();
    let at = |side: Side, minute: i64, second: u64| {
        let since = Duration::try_from(nine.duration_since(now())).unwrap();
        let at = since + Duration::from_secs(u64::try_from(minute * 60).unwrap() + second);
        Side { at, ..side }.passed()
    };
    let edited = |side: Side, seats: i32| {
        let story = side.story.wants(seats, LimitGoal::Pinned).with(|story| story.generation += 1);
        Side { story, ..side }
    };
    let mut page = table("One active cluster");
    let (eu, us) = (active("prod-eu"), side("prod-us", Some("prod-eu")));
    let (eu, us) = (at(edited(eu, 100), 0, 0), at(edited(us, 100), 0, 0));
    page.row("9:00", "100 seats, `activeCluster: prod-eu`", [column(&eu), column(&us)]);
    let (eu, us) = (at(edited(eu, 150), 5, 0), at(edited(us, 150), 5, 0));
    let eu = at(at(eu, 5, 1), 5, 2);
    assert_eq!(eu.status.intent.as_ref().map(Intent::target), Some(n(150, Some(150))));
    page.row("9:05", "`seats: 150`. The answer is lost", [column(&eu), column(&us)]);
    let (eu, us) = (at(eu.names(Some("none")), 6, 0), at(us.names(Some("none")), 6, 0));
    page.row("9:06", "`activeCluster: none`", [column(&eu), column(&us)]);
    let (eu, us) = (at(at(eu, 36, 0), 36, 20), at(us, 36, 0));
    page.row("9:36", "Two readings show 100", [column(&eu), column(&us)]);
    let (eu, us) = (at(eu.names(Some("prod-us")), 40, 0), at(us.names(Some("prod-us")), 40, 0));
    page.row("9:40", "`activeCluster: prod-us`", [column(&eu), column(&us)]);
    let (eu, us) = (at(eu, 70, 0), at(us, 70, 0).later(10));
    let (us, decision) = us.pass();
    let Verdict::Change(intent) = decision.verdict else { panic!("{decision:?}") };
    page.row("10:10", "Two readings agree, and the request leaves", [column(&eu), column(&us)]);
    let (eu, mut us) = (eu.shows(150), us.shows(150));
    us.status = after_request(us.status.clone(), &intent, &Outcome::Accepted, Some(&us.story.seen), us.now()).status;
    let (eu, us) = (at(eu, 71, 0), at(us, 71, 0));
    page.row("10:11", "The vendor shows 150, as after the lost request", [column(&eu), column(&us)]);
    let (eu, us) = (at(eu, 76, 0), at(us, 76, 0));
    page.row("10:16", "Late effects of that request would be over", [column(&eu), column(&us)]);
    page.ends();
}
