//! What the registry says comes to the work queue.

use futures::FutureExt;

use super::*;
use crate::controller::queue::Next;
use crate::registry::Found;
use crate::registry::tests::ownership;

fn key(name: &str) -> Key {
    ("it".into(), name.into())
}

fn noted(pool: &'static str, uid: &str) -> Found {
    ownership("acme", pool, uid)
}

fn intent(phase: &str) -> Intent {
    serde_json::from_value(serde_json::json!({
        "id": "a's", "objectUid": "", "generation": 1, "account": "acme", "from": 1, "to": 2, "attempt": 1,
        "reason": "SpecDiffers", "phase": phase, "time": "2026-10-01T08:00:00Z",
    }))
    .unwrap()
}

/// Two objects of one account, in the first term; the change of the first is open.
fn behind_a_change() -> Pools {
    let pools = Pools::new(Duration::from_secs(3600), Arc::default());
    pools.begin_term(1, []);
    pools.inherit(1, BTreeSet::new());
    for (name, pool) in [("a", "seats"), ("b", "machines")] {
        pools.note(&key(name), name, noted(pool, name), 1);
    }
    assert_eq!(pools.reserve(&key("a"), &intent("Open"), 1), Ok(()));
    assert_eq!(pools.reserve(&key("b"), &intent("Open"), 1), Err(BlockedBy::InFlightElsewhere(Some(key("a")))));
    assert_eq!(woken(&pools), [""; 0]);
    pools
}

/// The objects that were put into the queue since this was asked last.
fn woken(pools: &Pools) -> Vec<String> {
    let next = || pools.queue.next().now_or_never();
    let keys: Vec<Key> = std::iter::from_fn(next).collect();
    for key in &keys {
        pools.queue.done(key, Next::Idle);
    }
    keys.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn object_waiting_for_other_object_is_queued_when_that_ends() {
    let ends: [fn(&Pools); 3] = [
        |pools| pools.set_open(&key("a"), None),
        |pools| pools.forget(&key("a")),
        |pools| drop(pools.note(&key("a"), "a", Found::Nothing, 1)),
    ];
    for end in ends {
        let pools = behind_a_change();
        end(&pools);
        assert_eq!(woken(&pools), ["b"]);
    }
}

#[test]
fn object_waiting_for_scan_is_queued_when_released() {
    let ends: [fn(&Pools); 5] = [
        |pools| pools.inherit(2, BTreeSet::new()),
        |pools| pools.gone(&key("a"), "a"),
        |pools| pools.keep(2, &BTreeSet::from(["b".to_owned()])),
        |pools| drop(pools.note(&key("a"), "a", Found::Nothing, 2)),
        |pools| pools.disappeared(&key("c")),
    ];
    for (nth, end) in ends.into_iter().enumerate() {
        let pools = behind_a_change();
        pools.set_open(&key("a"), None);
        woken(&pools);
        // The fifth waits for an older object that appears later, the others for one that was there.
        let older = (key("c"), (None, "Older".into()));
        pools.begin_term(2, []);
        if nth > 0 {
            let there = if nth == 4 { vec!["b"] } else { vec!["a", "b"] };
            pools.inherit(2, there.into_iter().map(str::to_owned).collect());
        }
        if nth == 4 {
            pools.appeared(&older.0, older.1);
        }
        pools.note(&key("b"), "b", noted("machines", "b"), 2);
        assert_eq!(pools.reserve(&key("b"), &intent("Open"), 2), Err(BlockedBy::NotKnownYet));
        assert_eq!(woken(&pools), [""; 0], "{nth}");
        end(&pools);
        assert_eq!(woken(&pools), ["b"], "{nth}");
    }
}

#[test]
fn closed_intent_holds_no_account() {
    for (phase, free) in [("Settling", false), ("Unanswered", false), ("WithoutEffect", true), ("NeedsReview", true)] {
        let pools = behind_a_change();
        pools.set_open(&key("a"), Some(&intent(phase)));
        assert_eq!(pools.reserve(&key("b"), &intent("Open"), 1).is_ok(), free, "{phase}");
    }
}

#[test]
fn object_waiting_for_other_is_woken_when_it_ends_or_at_once_if_ended() {
    let pools = behind_a_change();
    let obstacle = || pools.obstacle(&key("b"), "acme", 1);
    assert_eq!(obstacle(), Some(Obstacle::InFlight(Some(crate::domain::Peer::Here("a".into())))));
    pools.wait_out(&key("b"), "acme", 1);
    assert_eq!(woken(&pools), [""; 0]);
    pools.set_open(&key("a"), None);
    assert_eq!(woken(&pools), ["b"]);
    assert_eq!(obstacle(), None);
    pools.wait_out(&key("b"), "acme", 1);
    assert_eq!(woken(&pools), ["b"], "it ended between the decision and the wait");
    assert_eq!(pools.obstacle(&key("b"), "acme", 2), Some(Obstacle::NotScanned), "that term has not begun");
}
