//! What keeps a change from being made.

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
fn seats_never_go_below_what_is_used_or_could_not_be_read() {
    let used = story().wants(70, LimitGoal::Pinned);
    assert!(used.holds()[0].message.contains("below the 80 in use"), "{:?}", used.holds());
    let unknown = story().wants(90, LimitGoal::Pinned).uses(Usage::NotReported);
    assert!(unknown.holds()[0].message.contains("could not be read"));
    assert_eq!(story().wants(80, LimitGoal::Pinned).sends().unwrap().1, n(80, Some(80)));
    assert!(story().uses(Usage::NotReported).sends().is_some(), "an increase does not need usage");
}

#[test]
fn what_the_vendor_would_refuse_without_a_word_is_refused_with_one() {
    let limit = story().wants(150, LimitGoal::Keep).shows(100, Some(120));
    assert!(limit.holds()[0].message.contains("above the limit of 120: set spec.limit"));
    let unlimited = story().wants(150, LimitGoal::Unlimited);
    assert!(unlimited.holds()[0].kind == HoldKind::Unsupported);
    let bound = |seats| vec![Bound { seats, because: "of the other product".into(), pool: None }];
    let least = story().wants(90, LimitGoal::Pinned).with(|s| s.seen.rules.at_least = bound(95));
    assert!(least.holds()[0].message.contains("fewer than 95: of the other product"));
    let most = story().with(|s| s.seen.rules.at_most = bound(140));
    assert!(most.holds()[0].message.contains("more than 140"));
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
fn a_change_waits_for_another_pool_that_is_about_to_move_and_is_refused_where_none_is() {
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
