//! An object without a record of the account lowers nothing until a person agrees.

use super::*;

/// Declares fewer seats than there are, at first sight.
fn fewer() -> Story {
    story().wants(90, LimitGoal::Pinned).with(|s| s.record = None)
}

fn after(story: Story) -> Story {
    let record = story.follow().record_of;
    story.with(|s| s.record = record)
}

#[test]
fn object_without_a_record_lowers_nothing_and_raises_at_once() {
    let holds = fewer().holds();
    assert_eq!(holds.iter().map(|hold| &hold.kind).collect::<Vec<_>>(), [&HoldKind::FirstSight]);
    for yes in ["edit spec.seats to what you want", "seatkeeper.dev/confirm="] {
        assert!(holds[0].message.contains(yes), "{}", holds[0].message);
    }
    let grown = story().wants(40, LimitGoal::UpTo(150)).shows(100, Some(150)).uses(Usage::Exact(30));
    assert_eq!(grown.with(|s| s.record = None).holds()[0].kind, HoldKind::FirstSight, "restored under UpTo");
    assert!(story().with(|s| s.record = None).sends().is_some());
    let limit = story().wants(100, LimitGoal::Pinned).shows(100, Some(300)).with(|s| s.record = None);
    assert!(limit.sends().is_some(), "a lower limit buys nothing and takes no seat away");
}

#[test]
fn record_of_another_object_or_account_is_none() {
    for (uid, account) in [("another", "api.test/one"), ("uid", "api.test/two")] {
        let record = RecordOf { uid: uid.into(), account: account.into(), first_wish: None };
        assert_eq!(fewer().with(|s| s.record = Some(record)).holds()[0].kind, HoldKind::FirstSight, "{uid} {account}");
    }
}

#[test]
fn wish_that_was_found_is_held_until_it_is_edited_confirmed_or_in_sync() {
    let waits = || after(fewer());
    assert_eq!(waits().holds()[0].kind, HoldKind::FirstSight, "nor at any later sight");
    for limit in [LimitGoal::UpTo(110), LimitGoal::Keep] {
        let of_the_limit = after(waits()).wants(90, limit);
        assert_eq!(of_the_limit.holds()[0].kind, HoldKind::FirstSight, "an edit of the limit agrees to no fewer seats");
        assert_eq!(after(of_the_limit).holds()[0].kind, HoldKind::FirstSight);
    }
    let former = waits().with(|s| s.record.as_mut().unwrap().first_wish = Some(s.desired.wish()));
    assert_eq!(after(former).holds()[0].kind, HoldKind::FirstSight, "as a former version recorded it");
    let edited = waits().wants(95, LimitGoal::Pinned);
    assert_eq!(edited.sends().map(|sent| sent.1), Some(n(95, Some(95))));
    let back = after(edited).wants(90, LimitGoal::Pinned);
    assert_eq!(back.sends().map(|sent| sent.1), Some(n(90, Some(90))), "an edit back is an edit");
    let message = waits().holds().remove(0).message;
    let consent = message.rsplit_once('=').unwrap().1.to_owned();
    let confirmed = waits().with(|s| s.confirmed = Some(consent)).uses(Usage::AtLeast(81));
    assert_eq!(confirmed.sends().map(|sent| sent.1), Some(n(90, Some(90))));
    let moved = waits().shows(110, Some(110)).with(|s| s.confirmed.clone_from(&confirmed.confirmed));
    assert_eq!(moved.holds()[0].kind, HoldKind::FirstSight, "a yes is for the numbers that it was given to");
    let in_sync = after(fewer().shows(90, Some(90)));
    assert_eq!(in_sync.record, Some(record()));
    assert!(in_sync.shows(95, Some(95)).sends().is_some(), "what was bought outside is corrected");
}

/// Found with 100 seats, where the spec asks for 40. The vendor may have bought the other 60 for people who use them.
fn grown() -> Story {
    story().wants(40, LimitGoal::UpTo(150)).shows(100, Some(150)).uses(Usage::Exact(100)).with(|s| s.record = None)
}

#[test]
fn seats_that_stay_for_their_use_at_first_sight_are_not_agreed_to() {
    assert_eq!(grown().verdict(), Verdict::InSync);
    let people_left = || after(grown()).uses(Usage::Exact(30));
    for limit in [LimitGoal::UpTo(120), LimitGoal::Pinned] {
        let edited = people_left().wants(40, limit);
        assert_eq!(edited.holds()[0].kind, HoldKind::FirstSight, "an edit of the limit agrees to no fewer seats");
    }
    assert!(people_left().wants(50, LimitGoal::Pinned).sends().is_some(), "an edit of the seats does");
    let in_sync = after(grown().shows(40, Some(150)).uses(Usage::Exact(30)));
    let grown_since = after(in_sync.shows(100, Some(150)).with(|s| s.satisfied = true));
    assert_eq!(grown_since.verdict(), Verdict::InSync);
    let edited = grown_since.with(|s| s.satisfied = false).wants(40, LimitGoal::Pinned);
    assert!(edited.sends().is_some(), "what the vendor bought since is known");
}

#[test]
fn object_that_only_observes_has_no_record_of_its_own() {
    let observed = after(fewer().with(|s| s.desired.policy = ManagementPolicy::Observe));
    assert_eq!(observed.record, None);
}

#[test]
fn first_external_change_of_account_in_sync_is_drift() {
    let changed = story().wants(100, LimitGoal::Pinned).shows(120, Some(120)).with(|s| s.satisfied = true);
    let decision = changed.follow();
    assert_eq!(decision.drifted, Some(n(100, Some(100))));
    assert!(matches!(decision.verdict, Verdict::Change(ref intent) if intent.reason == Trigger::ExternalChange));
}
