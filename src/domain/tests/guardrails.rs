//! What keeps a change from being made.

use super::pages::{POLICIES, WHO_MAY_SPEND, block, table};
use super::*;

#[test]
fn guard_rails_block_and_never_clamp() {
    let max = story().with(|s| s.desired.guardrails.max_seats = Some(120));
    assert!(max.holds()[0].message.contains("maxSeats 120"), "{:?}", max.holds());
    let min = story().wants(90, LimitGoal::Pinned).with(|s| s.desired.guardrails.min_seats = Some(95));
    assert!(min.holds()[0].message.contains("minSeats 95"));
    let limit = story().wants(100, LimitGoal::UpTo(170)).with(|s| s.desired.guardrails.max_seats = Some(160));
    assert!(limit.holds()[0].message.contains("limit of 170"));
    let endless = |shown, max| {
        story().wants(100, LimitGoal::Unlimited).shows(100, shown).with(|s| {
            s.seen.rules.support.cannot_clear_limit = None;
            s.desired.guardrails.max_seats = max;
        })
    };
    let blocks = endless(Some(100), Some(160)).holds();
    assert!(blocks[0].message.contains("spec.limit.mode Unlimited"), "{blocks:?}");
    assert!(blocks[0].message.contains("spec.guardrails.maxSeats 160"), "{blocks:?}");
    assert_eq!(endless(None, Some(160)).verdict(), Verdict::InSync, "there is nothing to remove");
    assert!(endless(Some(100), None).sends().is_some());
}

/// One rail: what is shown, what is wanted, `maxSeats`, `minSeats`, and what is said of it.
type Rail = ((i32, i32), (i32, LimitGoal), Option<i32>, Option<i32>, Option<&'static str>);

#[test]
fn each_rail_lets_its_own_number_through_and_holds_the_next_one() {
    use LimitGoal::{Keep, Pinned, UpTo};
    const OVER: &str = "150 seats would be above spec.guardrails.maxSeats 149: lower seats, or raise maxSeats first";
    const LIMIT: &str =
        "a limit of 170 would be above spec.guardrails.maxSeats 169: lower the limit, or raise maxSeats first";
    const PINNED: &str =
        "a limit of 150 would be above spec.guardrails.maxSeats 149: lower the limit, or raise maxSeats first";
    const UNDER: &str = "90 seats would be below spec.guardrails.minSeats 91: raise seats, or lower minSeats first";
    let rails: [Rail; 15] = [
        ((100, 300), (150, Keep), Some(150), None, None),
        ((100, 300), (150, Keep), Some(151), None, None),
        ((100, 300), (150, Keep), Some(149), None, Some(OVER)),
        // What lowers is never held by an upper bound, and neither is what stays.
        ((200, 300), (150, Keep), Some(149), None, None),
        ((150, 300), (150, Pinned), Some(150), None, None),
        ((150, 300), (150, Pinned), Some(149), None, Some(PINNED)),
        ((100, 100), (100, UpTo(170)), Some(170), None, None),
        ((100, 100), (100, UpTo(170)), Some(171), None, None),
        ((100, 100), (100, UpTo(170)), Some(169), None, Some(LIMIT)),
        // A limit that is lowered and is above the bound all the same.
        ((100, 300), (100, UpTo(170)), Some(169), None, Some(LIMIT)),
        ((100, 300), (90, Keep), None, Some(90), None),
        ((100, 300), (90, Keep), None, Some(89), None),
        ((100, 300), (90, Keep), None, Some(91), Some(UNDER)),
        // What raises is never held by a lower bound.
        ((70, 300), (90, Keep), None, Some(91), None),
        ((100, 300), (90, Keep), Some(80), Some(90), None),
    ];
    for (row, ((seats, limit), (wish, goal), max, min, held)) in rails.into_iter().enumerate() {
        let story = story().wants(wish, goal).shows(seats, Some(limit)).uses(Usage::AtLeast(60)).with(|s| {
            (s.desired.guardrails.max_seats, s.desired.guardrails.min_seats) = (max, min);
        });
        let holds = match story.verdict() {
            Verdict::Held(holds) => holds.into_iter().map(|hold| hold.message).collect(),
            Verdict::Change(_) => Vec::new(),
            other => panic!("row {row}: {other:?}"),
        };
        assert_eq!(holds, held.map(str::to_owned).into_iter().collect::<Vec<_>>(), "row {row}");
    }
}

#[test]
fn step_of_a_change_is_let_through_up_to_its_rail_and_held_beyond() {
    use LimitGoal::{Keep, Pinned, Unlimited, UpTo};
    const UP: &str = "150 seats are 50 more than now, above spec.guardrails.maxIncrease 49: declare 149 seats first, or raise \
                      maxIncrease";
    const DOWN: &str = "90 seats are 10 fewer than now, above spec.guardrails.maxDecrease 9: declare 91 seats first, or raise \
                        maxDecrease";
    const LIMIT: &str = "a limit of 170 would let Acme buy 70 seats more than now, above spec.guardrails.maxIncrease 69: lower the \
                         limit, or raise maxIncrease";
    const NONE: &str = "spec.limit.mode Unlimited would let Acme buy past spec.guardrails.maxIncrease 1000: use mode UpTo or \
                        Pinned, or remove maxIncrease";
    // What is shown, what is wanted, `maxIncrease`, `maxDecrease`, and what is said of it.
    let steps: [Rail; 13] = [
        ((100, 300), (150, Keep), Some(50), None, None),
        ((100, 300), (150, Keep), Some(49), None, Some(UP)),
        ((100, 100), (150, Pinned), Some(50), None, None),
        ((100, 100), (150, Pinned), Some(49), None, Some(UP)),
        ((100, 300), (90, Keep), None, Some(10), None),
        ((100, 300), (90, Keep), None, Some(9), Some(DOWN)),
        // Each rail is for its own direction.
        ((100, 300), (90, Keep), Some(1), None, None),
        ((100, 300), (150, Keep), None, Some(1), None),
        // Up to a higher limit the vendor may buy by itself.
        ((100, 100), (100, UpTo(170)), Some(70), None, None),
        ((100, 100), (100, UpTo(170)), Some(69), None, Some(LIMIT)),
        ((100, 100), (100, Unlimited), Some(1000), None, Some(NONE)),
        // A limit that falls protects, whatever it leaves to buy.
        ((100, 300), (100, UpTo(170)), Some(1), Some(1), None),
        ((100, 300), (100, Pinned), Some(1), Some(1), None),
    ];
    for (row, ((seats, limit), (wish, goal), increase, decrease, held)) in steps.into_iter().enumerate() {
        let story = story().wants(wish, goal).shows(seats, Some(limit)).uses(Usage::AtLeast(60)).with(|s| {
            s.seen.rules.support.cannot_clear_limit = None;
            (s.desired.guardrails.max_increase, s.desired.guardrails.max_decrease) = (increase, decrease);
        });
        let holds = match story.verdict() {
            Verdict::Held(holds) => holds.into_iter().map(|hold| hold.message).collect(),
            Verdict::Change(_) => Vec::new(),
            other => panic!("row {row}: {other:?}"),
        };
        assert_eq!(holds, held.map(str::to_owned).into_iter().collect::<Vec<_>>(), "row {row}");
    }
}

#[test]
fn only_seats_and_limits_above_ceiling_are_reported() {
    let desired = |goal| Desired { pool: pool(goal), ..story().desired };
    let seats = desired(Goal::Quantity).under(Ceilings { max_seats: Some(100), max_increase: None });
    let keys = Desired { pool: desired(Goal::Keys { keys: vec![], prune: false }).pool, ..seats.clone() };
    let (stay, may_buy) = ("they stay, and none is added", "may buy past");
    for (desired, shown, told) in [
        (&seats, n(100, Some(100)), [false, false]),
        (&seats, n(101, Some(101)), [true, false]),
        (&seats, n(90, Some(95)), [false, false]),
        (&seats, n(90, Some(100)), [false, false]),
        (&seats, n(100, Some(101)), [false, true]),
        (&seats, n(101, Some(102)), [true, true]),
        (&seats, n(90, None), [false, true]),
        (&keys, n(90, None), [false, false]),
        (&keys, n(101, None), [true, false]),
    ] {
        let said = desired.above_ceiling(shown).unwrap_or_default().1;
        assert_eq!([stay, may_buy].map(|words| said.contains(words)), told, "{shown:?}: {said}");
    }
}

#[test]
fn limit_changes_alone_while_kept_seats_are_below_minimum() {
    let story = story().wants(100, LimitGoal::UpTo(120)).shows(100, Some(110)).uses(Usage::Exact(80));
    let story = story.with(|s| s.desired.guardrails.min_seats = Some(110));
    assert!(matches!(story.verdict(), Verdict::Change(_)), "{:?}", story.verdict());
}

#[test]
fn pinned_limit_falls_above_max_seats_only_as_sized_seats_follow_use_down() {
    let follows = || sizing::parsed("limit: {mode: Pinned}, sizing: {headroom: {seats: 5}}").unwrap().sizing;
    for (shown, wish, sizing, held) in [
        ((120, Some(120)), 110, None, true),
        ((120, Some(120)), 110, follows(), false),
        ((110, Some(120)), 110, follows(), true),
    ] {
        let story = story().wants(wish, LimitGoal::Pinned).shows(shown.0, shown.1).with(|s| {
            (s.desired.sizing, s.desired.guardrails.max_seats) = (sizing, Some(105));
        });
        let told = match story.verdict() {
            Verdict::Held(holds) => holds.iter().any(|hold| hold.message.starts_with("a limit of 110 would be above")),
            _ => false,
        };
        assert_eq!(told, held, "from {shown:?}");
    }
}

/// What is said against this wish under these ceilings, where it is held.
fn held_by((seats, limit): (i32, Option<i32>), (wish, goal): (i32, LimitGoal), ceilings: Ceilings) -> Vec<String> {
    let story = story().wants(wish, goal).shows(seats, limit).uses(Usage::AtLeast(60)).with(|s| {
        s.seen.rules.support.cannot_clear_limit = None;
        s.desired = s.desired.clone().under(ceilings);
    });
    match story.verdict() {
        Verdict::Held(holds) => {
            assert!(holds.iter().all(|hold| hold.kind == HoldKind::GuardRail), "{holds:?}");
            holds.into_iter().map(|hold| hold.message).collect()
        }
        Verdict::Change(_) => Vec::new(),
        other => panic!("{wish} seats: {other:?}"),
    }
}

#[test]
fn ceiling_allows_its_own_number_holds_next_and_never_holds_decrease() {
    use LimitGoal::{Keep, Pinned, Unlimited, UpTo};
    const OVER: &str = "150 seats would be above the installer's --max-seats 149: lower seats, or ask the installer to raise it \
                        (chart: limits.maxSeats)";
    const LIMIT: &str = "a limit of 170 would be above the installer's --max-seats 169: lower the limit, or ask the installer to \
                         raise it (chart: limits.maxSeats)";
    const NONE: &str = "spec.limit.mode Unlimited would let Acme buy past the installer's --max-seats 1000: use mode UpTo or Pinned, \
                        or ask the installer to remove it (chart: limits.maxSeats)";
    let rows = [
        ((100, Some(300)), (150, Keep), 150, None),
        ((100, Some(300)), (150, Keep), 149, Some(OVER)),
        ((100, Some(100)), (150, Pinned), 149, Some(OVER)),
        // What is above already may come down, and stays where it is.
        ((200, Some(300)), (150, Keep), 100, None),
        ((100, Some(100)), (100, UpTo(170)), 170, None),
        ((100, Some(100)), (100, UpTo(170)), 169, Some(LIMIT)),
        ((100, Some(100)), (100, Unlimited), 1000, Some(NONE)),
        // A limit that falls, or comes where there was none, protects.
        ((100, Some(300)), (100, UpTo(170)), 169, None),
        ((100, None), (100, UpTo(170)), 169, None),
        ((200, Some(300)), (200, Pinned), 100, None),
    ];
    for (row, (shown, wish, max, held)) in rows.into_iter().enumerate() {
        let said = held_by(shown, wish, Ceilings { max_seats: Some(max), max_increase: None });
        assert_eq!(said, held.map(str::to_owned).into_iter().collect::<Vec<_>>(), "row {row}");
    }
}

#[test]
fn step_is_let_through_up_to_the_ceiling_of_a_step_and_held_beyond() {
    use LimitGoal::{Keep, Pinned, Unlimited, UpTo};
    const UP: &str = "150 seats are 50 more than now, above the installer's --max-increase 49: declare 149 seats first, or ask the \
                      installer to raise it (chart: limits.maxIncrease)";
    const LIMIT: &str = "a limit of 170 would let Acme buy 70 seats more than now, above the installer's --max-increase 69: lower the \
                         limit, or ask the installer to raise it (chart: limits.maxIncrease)";
    const NONE: &str = "spec.limit.mode Unlimited would let Acme buy past the installer's --max-increase 1000: use mode UpTo or \
                        Pinned, or ask the installer to remove it (chart: limits.maxIncrease)";
    let rows = [
        ((100, Some(300)), (150, Keep), 50, None),
        ((100, Some(300)), (150, Keep), 49, Some(UP)),
        ((100, Some(300)), (90, Keep), 1, None),
        ((100, Some(100)), (100, UpTo(170)), 70, None),
        ((100, Some(100)), (100, UpTo(170)), 69, Some(LIMIT)),
        ((100, Some(100)), (100, Unlimited), 1000, Some(NONE)),
        ((100, Some(300)), (100, Pinned), 1, None),
    ];
    for (row, (shown, wish, max, held)) in rows.into_iter().enumerate() {
        let said = held_by(shown, wish, Ceilings { max_seats: None, max_increase: Some(max) });
        assert_eq!(said, held.map(str::to_owned).into_iter().collect::<Vec<_>>(), "row {row}");
    }
}

#[test]
fn step_names_no_number_beyond_bound_and_is_omitted_if_bound_mends_it() {
    let said = |wish, bounds: fn(&mut Guardrails, &mut Ceilings)| -> Vec<String> {
        let story = story().wants(wish, LimitGoal::Keep).shows(100, Some(300)).uses(Usage::Exact(1));
        let story = story.with(|s| bounds(&mut s.desired.guardrails, &mut s.desired.ceilings));
        story.holds().into_iter().map(|hold| hold.message).collect()
    };
    let both = |rails: &mut Guardrails, ceilings: &mut Ceilings| {
        (ceilings.max_seats, ceilings.max_increase) = (Some(150), Some(50));
        (rails.min_seats, rails.max_decrease) = (Some(50), Some(50));
    };
    for wish in [200, 40] {
        let held = said(wish, both);
        assert!(held.len() == 1 && !held[0].contains("first, or ask"), "{wish}: {held:?}");
    }
    let narrow = |rails: &mut Guardrails, ceilings: &mut Ceilings| {
        (ceilings.max_seats, rails.max_increase) = (Some(150), Some(49));
        (rails.min_seats, rails.max_decrease) = (Some(50), Some(49));
    };
    for (wish, first) in [(200, "declare 149 seats first"), (40, "declare 51 seats first")] {
        let held = said(wish, narrow);
        assert!(held.len() == 2 && held[1].contains(first), "{wish}: {held:?}");
    }
}

#[test]
fn message_quoted_by_page_is_that_of_held_step_or_wish() {
    let told = |(wish, goal), (seats, limit), bound: fn(&mut Desired)| {
        let story = story().wants(wish, goal).shows(seats, Some(limit)).with(|s| bound(&mut s.desired));
        said(&reported(&story).status, kind::READY)
    };
    let step = told((150, LimitGoal::Keep), (100, 300), |desired| desired.guardrails.max_increase = Some(20));
    let wish = told((560, LimitGoal::Pinned), (500, 500), |desired| desired.ceilings.max_seats = Some(500));
    let held = "False/GuardrailViolated".to_owned();
    assert_eq!(step, (held.clone(), block(POLICIES, "+50 seats not made: ")));
    assert_eq!(wish, (held, block(WHO_MAY_SPEND, "+60 seats, limit 560 not made: ")));
}

#[test]
fn own_guard_rail_and_ceiling_are_both_named_where_both_hold() {
    let story = story().wants(150, LimitGoal::Keep).shows(100, Some(300)).with(|s| {
        s.desired.guardrails.max_seats = Some(130);
        s.desired.ceilings.max_seats = Some(120);
    });
    let said: Vec<String> = story.holds().into_iter().map(|hold| hold.message).collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].contains("spec.guardrails.maxSeats 130") && said[1].contains("--max-seats 120"), "{said:?}");
    let effective = reported(&story).status.effective.unwrap();
    assert_eq!(effective.max_seats, Some(120), "the smaller one is in force");
}

#[test]
fn effective_values_are_the_smaller_bounds_or_absent() {
    let in_force = |own: (Option<i32>, Option<i32>), ceilings: (Option<i32>, Option<i32>)| {
        let story = story().with(|s| {
            (s.desired.guardrails.max_seats, s.desired.guardrails.max_increase) = own;
            s.desired.ceilings = Ceilings { max_seats: ceilings.0, max_increase: ceilings.1 };
        });
        let effective = reported(&story).status.effective.unwrap();
        (effective.max_seats, effective.max_increase)
    };
    assert_eq!(in_force((None, None), (None, None)), (None, None));
    assert_eq!(in_force((Some(200), Some(20)), (None, None)), (Some(200), Some(20)));
    assert_eq!(in_force((None, None), (Some(300), Some(30))), (Some(300), Some(30)));
    assert_eq!(in_force((Some(200), Some(40)), (Some(300), Some(30))), (Some(200), Some(30)));
}

#[test]
fn seats_above_ceiling_stay_in_sync_and_are_reported() {
    let told = |seats: i32, limit: Option<i32>, max: i32| {
        let goal = if limit.is_none() { LimitGoal::Unlimited } else { LimitGoal::Keep };
        let story = story().wants(seats, goal).shows(seats, limit).uses(Usage::Exact(80)).with(|s| {
            s.desired.ceilings.max_seats = Some(max);
        });
        let status = reported(&story).status;
        let (ready, message) = said(&status, kind::READY);
        assert_eq!(ready, "True/InSync");
        assert_eq!(said(&status, kind::STALLED).0, "");
        (status.summary.unwrap(), message)
    };
    let above = "150 purchased seats are above the installer's --max-seats 149: they stay, and none is added";
    let buys = "Acme may buy past the installer's --max-seats 150 by itself, for";
    for (seats, limit, max, summary, words) in [
        (150, Some(150), 150, "in sync", None),
        (150, Some(150), 149, "in sync; above --max-seats 149", Some(above.to_owned())),
        (
            150,
            Some(151),
            150,
            "vendor may buy past --max-seats 150",
            Some(format!("{buys} the limit of 151 is above it")),
        ),
        (150, None, 150, "vendor may buy past --max-seats 150", Some(format!("{buys} there is no limit"))),
        (150, Some(200), 149, "in sync; above --max-seats 149", Some(format!("{above}; Acme may buy past"))),
    ] {
        let (short, message) = told(seats, limit, max);
        assert_eq!(short, summary);
        match words {
            Some(words) => assert!(message.contains(&words), "{message}"),
            None => assert!(!message.contains("--max-seats"), "{message}"),
        }
    }
}

#[test]
fn seats_never_go_below_used_or_unreadable_use() {
    let used = story().wants(70, LimitGoal::Pinned);
    assert!(used.holds()[0].message.contains("below the 80 in use"), "{:?}", used.holds());
    let unknown = story().wants(90, LimitGoal::Pinned).uses(Usage::NotReported);
    assert!(unknown.holds()[0].message.contains("could not be read"));
    assert_eq!(story().wants(80, LimitGoal::Pinned).sends().unwrap().1, n(80, Some(80)));
    assert!(story().uses(Usage::NotReported).sends().is_some(), "an increase does not need usage");
}

#[test]
fn change_that_vendor_refuses_silently_is_refused_with_reason() {
    let limit = story().wants(150, LimitGoal::Keep).shows(100, Some(120));
    assert!(limit.holds()[0].message.contains("above the limit of 120: set spec.limit"));
    let unlimited = story().wants(150, LimitGoal::Unlimited);
    assert!(unlimited.holds()[0].kind == HoldKind::Unsupported);
    let bound = |seats| vec![Bound { seats, because: "of the other product".into(), pool: None }];
    let least = story().wants(90, LimitGoal::Pinned).with(|s| s.seen.rules.at_least = bound(95));
    assert!(least.holds()[0].message.contains("refuses 90 seats: of the other product"));
    let most = story().with(|s| s.seen.rules.at_most = bound(140));
    assert!(most.holds()[0].message.contains("refuses 150 seats: of the other product"));
    let none = story().with(|s| s.seen.model = Model::Uncounted("no count".into()));
    assert_eq!(none.verdict(), Verdict::Unsupported("no count".into()));
}

#[test]
fn bound_of_the_vendor_lets_its_own_number_through() {
    let bound = |seats| vec![Bound { seats, because: "of the other product".into(), pool: None }];
    assert!(story().with(|s| s.seen.rules.at_most = bound(150)).sends().is_some());
    assert!(story().wants(90, LimitGoal::Pinned).with(|s| s.seen.rules.at_least = bound(90)).sends().is_some());
}

#[test]
fn change_bound_by_other_pool_waits_if_that_pool_moves_else_is_refused() {
    let bound = |seats, pool| vec![Bound { seats, because: "of the other product".into(), pool: Some(pool) }];
    let up = |others| {
        story().with(|s| {
            s.seen.rules.at_most = bound(120, "People");
            s.others = others;
        })
    };
    let down = |others| {
        story().wants(90, LimitGoal::Pinned).with(|s| {
            s.seen.rules.at_least = bound(95, "Machines");
            s.others = others;
        })
    };
    let first_look = |story: Story| story.with(|s| s.record = None);
    for (story, kind) in [
        // Objects that are applied together are read one after the other.
        (first_look(up(vec![])), HoldKind::UnreadPool),
        (first_look(up(vec![("Others", 150)])), HoldKind::UnreadPool),
        (first_look(up(vec![("People", 149)])), HoldKind::VendorRule),
        (up(vec![("People", 150)]), HoldKind::OtherPool),
        (up(vec![("People", 149)]), HoldKind::VendorRule),
        (up(vec![("Others", 150)]), HoldKind::VendorRule),
        (up(vec![]), HoldKind::VendorRule),
        (down(vec![("Machines", 90)]), HoldKind::OtherPool),
        (down(vec![("Machines", 91)]), HoldKind::VendorRule),
    ] {
        assert_eq!(story.holds()[0].kind, kind);
    }
}

#[test]
fn pool_is_not_refused_for_another_one_that_this_leader_has_not_read_yet() {
    let scanning =
        || story().behind(&samples::status_of("held-suspended")).with(|s| (s.others, s.stuck) = (vec![], vec![]));
    assert_eq!(scanning().holds()[0].kind, HoldKind::VendorRule, "no object declares that");
    let unread = || scanning().with(|s| s.obstacle = Some(Obstacle::NotScanned));
    let holds = unread().holds();
    assert_eq!(holds.iter().map(|hold| &hold.kind).collect::<Vec<_>>(), [&HoldKind::NotScanned]);
    let message = "Seatkeeper waits for its initial scan: another LicenseSeats may declare that People is raised";
    assert_eq!(holds[0].message, message);
    assert_eq!(holds[0].wake, Wake::After(Duration::from_secs(15)), "the end of the scan wakes it as well");
    let read = unread().with(|s| s.others.push(("People", 149)));
    assert_eq!(read.holds()[0].kind, HoldKind::VendorRule, "its object was read and asks for less");
    let new = unread().with(|s| s.record = None);
    assert_eq!(new.holds()[0].kind, HoldKind::UnreadPool);
    let fixed =
        unread().with(|s| s.seen.rules.at_most = vec![Bound { seats: 120, because: "of the plan".into(), pool: None }]);
    assert_eq!(fixed.holds()[0].kind, HoldKind::VendorRule, "no object moves it");
}

#[test]
fn pool_behind_held_one_stalls_and_behind_deferred_one_stays_ready() {
    let deferred_pool = |of_a_person| HoldKind::DeferredPool { of_a_person };
    for (other, kind, ready) in [
        ("held-guard-rail", HoldKind::StuckPool, "False/AwaitingOtherPool"),
        ("held-approval", deferred_pool(true), "True/ChangeDeferred"),
        ("held-suspended", deferred_pool(true), "True/ChangeDeferred"),
        ("held-window", deferred_pool(false), "True/ChangeDeferred"),
    ] {
        let story = story().behind(&samples::status_of(other));
        let decision = story.decided();
        assert!(matches!(&decision.verdict, Verdict::Held(holds) if holds[0].kind == kind), "{decision:?}");
        let minutes = decision.wake.map(|wake| wake.as_secs() / 60);
        assert_eq!(minutes, Some(5), "that may take days, and the end of the other object's change wakes this one");
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        assert_eq!(said(&status, kind::READY).0, ready);
        assert_eq!(said(&status, kind::CHANGE_PENDING).0, "True/AwaitingOtherPool");
        let deferred = ready.starts_with("True");
        assert_eq!(stands_still(&status).map(|still| still.deferred), Some(deferred), "and so for a third pool");
    }
}

#[test]
fn largest_step_page_matches_status() {
    let rails = Guardrails { max_increase: Some(20), ..Guardrails::default() };
    let scaled =
        |seats: i32| story().wants(seats, LimitGoal::Pinned).with(|story| story.desired.guardrails = rails.clone());
    let says = |story: Story| reported(&story).status.summary.expect("a summary");
    let mut page = table("The largest step of one change");
    page.row("9:00", "100 seats are in sync, `maxIncrease: 20`", [&says(scaled(100))]);
    page.row("9:05", "scales the object to 190", [&says(scaled(190))]);
    page.row("9:20", "scales to 110", [&says(scaled(110))]);
    page.row("9:20", "The vendor shows 110", [&says(scaled(110).shows(110, Some(110)))]);
    page.ends();
}
