//! Who may write to which account, told object by object.

use futures::FutureExt;

use super::*;
use crate::controller::queue::Next;

fn key(name: &str) -> Key {
    ("it".into(), name.into())
}

fn claim(account: &str, pool: &'static str, uid: &str) -> Claim {
    Claim { account: account.into(), pool, age: (None, uid.into()), wanted: None, open: None }
}

const SETTLE: Duration = Duration::from_secs(3600);

/// A register in its first term, in which nothing was there.
fn new() -> Pools {
    settling(SETTLE)
}

fn settling(settle: Duration) -> Pools {
    let pools = Pools::new(settle, Arc::default());
    begin_term(&pools, 1, &[]);
    pools
}

/// Begins a term in which the watch knows these objects.
fn begin_term(pools: &Pools, term: u64, there: &[&str]) {
    pools.begin_term(term, there.iter().map(|name| (key(name), age(name))));
    pools.inherit(term, uids(there));
}

/// In these tests an object's uid is its name, and the order of the names is that of their ages.
fn age(name: &str) -> Age {
    (None, name.into())
}

fn appear(pools: &Pools, name: &str) {
    pools.appeared(&key(name), age(name));
}

fn uids(names: &[&str]) -> HashSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn intent(id: &str, account: &str) -> Intent {
    serde_json::from_value(serde_json::json!({
        "id": id, "objectUid": "", "generation": 1, "account": account, "from": 1, "to": 2, "attempt": 1,
        "reason": "SpecDiffers", "phase": "Open", "time": "2026-10-01T08:00:00Z",
    }))
    .unwrap()
}

/// Takes the right to change account `acme`, or another.
fn reserve_of(pools: &Pools, name: &str, account: &str) -> Result<(), Bar> {
    reserve_in(pools, 1, name, account)
}

fn reserve_in(pools: &Pools, term: u64, name: &str, account: &str) -> Result<(), Bar> {
    pools.reserve(&key(name), &intent(&format!("{name}'s"), account), term)
}

fn reserve(pools: &Pools, name: &str) -> Result<(), Bar> {
    reserve_of(pools, name, "acme")
}

/// A claim with an open change of its account.
fn open(claim: Claim) -> Claim {
    Claim { open: Some(Open { id: format!("{}'s", claim.age.1), account: claim.account.clone() }), ..claim }
}

fn note(pools: &Pools, name: &str, uid: &str, claim: Option<Claim>) -> Option<Key> {
    let term = pools.lock().term;
    pools.note(&key(name), uid, claim, term)
}

#[test]
fn the_older_object_owns_a_pool_until_it_goes() {
    let pools = new();
    assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), None);
    assert_eq!(note(&pools, "a", "a", Some(claim("acme", "seats", "a"))), None);
    assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), Some(key("a")));
    assert_eq!(reserve(&pools, "b"), Err(Bar::OwnedBy(key("a"))));
    pools.forget(&key("a"));
    assert_eq!(reserve(&pools, "b"), Ok(()));
}

#[test]
fn what_is_created_while_we_lead_and_is_younger_holds_up_nobody() {
    let pools = new();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve(&pools, "b"), Ok(()));
    pools.set_open(&key("b"), None);
    appear(&pools, "c");
    assert_eq!(reserve(&pools, "b"), Ok(()), "c is new and younger");
    pools.set_open(&key("b"), None);
    appear(&pools, "a");
    assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "a is new and older");
    pools.disappeared(&key("a"));
    assert_eq!(reserve(&pools, "b"), Ok(()), "a is gone");
    pools.set_open(&key("b"), None);
    begin_term(&pools, 1, &["b", "c"]);
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "c was there before the term");
    note(&pools, "c", "c", None);
    assert_eq!(reserve(&pools, "b"), Ok(()));
}

#[test]
fn nothing_is_sent_before_every_older_object_was_looked_at() {
    let pools = new();
    appear(&pools, "a");
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet));
    note(&pools, "a", "former", None);
    assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet));
    note(&pools, "a", "a", None);
    assert_eq!(reserve(&pools, "b"), Ok(()));
    appear(&pools, "a");
    assert_eq!(reserve(&pools, "b"), Ok(()), "the watch tells of it again");
    pools.appeared(&key("a"), age("Recreated"));
    assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "another object by the same name");
    pools.forget(&key("a"));
    pools.gone(&key("a"), "a");
    assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "only the former object is gone");
    pools.gone(&key("a"), "Recreated");
    assert_eq!(reserve(&pools, "b"), Ok(()), "that one is gone, which the watch does not know yet");
}

#[test]
fn what_the_watch_does_not_know_of_is_waited_for_until_it_is_looked_at_or_gone() {
    let pools = Pools::new(SETTLE, Arc::default());
    let begin = || {
        let term = 1;
        pools.begin_term(term, [(key("b"), age("b"))]);
        note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
        assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "not counted yet");
        pools.inherit(term - 1, uids(&[]));
        assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "counted for another term");
        pools.inherit(term, uids(&["b", "c"]));
        assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "a change of c may be open");
        assert_eq!(pools.waits_for_unknown(), Some(term));
        term
    };
    let seen_or_gone: [fn(&Pools, u64); 3] = [
        |pools, _| drop(note(pools, "c", "c", None)),
        |pools, _| pools.gone(&key("c"), "c"),
        |pools, term| pools.keep(term, &uids(&["b"])),
    ];
    for seen_or_gone in seen_or_gone {
        let term = begin();
        pools.keep(term, &uids(&["b", "c"]));
        assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet), "c is still there");
        seen_or_gone(&pools, term);
        assert_eq!(reserve(&pools, "b"), Ok(()));
        assert_eq!(pools.waits_for_unknown(), None);
        pools.set_open(&key("b"), None);
    }
    begin();
    appear(&pools, "c");
    assert_eq!(pools.waits_for_unknown(), None, "the watch knows it now");
    assert_eq!(reserve(&pools, "b"), Err(Bar::NotKnownYet));
}

#[test]
fn nothing_is_sent_in_a_term_that_the_register_does_not_know_of_yet() {
    let pools = new();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve_in(&pools, 2, "b", "acme"), Err(Bar::NotKnownYet), "another may have led meanwhile");
    begin_term(&pools, 2, &["b"]);
    assert_eq!(reserve_in(&pools, 2, "b", "acme"), Err(Bar::NotKnownYet), "looked at in the former term");
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve_in(&pools, 2, "b", "acme"), Ok(()));
}

/// The objects that were put into the queue since this was asked last, in their order.
fn woken(pools: &Pools) -> Vec<String> {
    let next = || pools.queue.next().now_or_never();
    let keys: Vec<Key> = std::iter::from_fn(next).collect();
    for key in &keys {
        pools.queue.done(key, Next::Idle);
    }
    keys.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn object_that_waits_for_the_scan_is_woken_when_the_scan_has_come_to_its_age() {
    let pools = new();
    for name in ["a", "b", "d"] {
        appear(&pools, name);
    }
    for name in ["c", "e"] {
        note(&pools, name, name, Some(claim(name, "seats", name)));
        assert!(pools.waits_for_scan(&key(name)));
        assert_eq!(reserve_of(&pools, name, name), Err(Bar::NotKnownYet));
    }
    note(&pools, "b", "b", None);
    assert_eq!(woken(&pools), [""; 0], "a was not read yet");
    note(&pools, "a", "a", None);
    assert_eq!(woken(&pools), ["c"]);
    assert!(!pools.waits_for_scan(&key("c")));
    assert_eq!(reserve_of(&pools, "c", "c"), Ok(()));
    pools.disappeared(&key("d"));
    assert_eq!(woken(&pools), ["e"]);
}

#[test]
fn younger_object_is_woken_when_the_owner_of_its_pool_goes_or_claims_another() {
    let ends: [fn(&Pools); 4] = [
        |pools| pools.forget(&key("a")),
        |pools| drop(note(pools, "a", "a", None)),
        |pools| drop(note(pools, "a", "a", Some(claim("other", "seats", "a")))),
        |pools| drop(note(pools, "a", "recreated", Some(claim("acme", "seats", "c")))),
    ];
    for end in ends {
        let pools = new();
        note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
        assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), Some(key("a")));
        note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
        assert_eq!(woken(&pools), [""; 0], "it still owns the pool");
        end(&pools);
        assert_eq!(woken(&pools), ["b"]);
        assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), None);
    }
}

#[test]
fn object_is_woken_when_the_change_before_it_is_over() {
    let pools = new();
    for (name, pool) in [("a", "seats"), ("b", "machines"), ("c", "secrets")] {
        note(&pools, name, name, Some(claim("acme", pool, name)));
    }
    assert_eq!(reserve(&pools, "a"), Ok(()));
    assert_eq!(reserve(&pools, "b"), Err(Bar::Behind(Some(key("a")))));
    pools.wait_for_account(&key("c"));
    pools.set_open(&key("a"), Some(&intent("a's", "acme")));
    assert_eq!(woken(&pools), [""; 0], "it is still the same change");
    pools.set_open(&key("a"), None);
    let mut free = woken(&pools);
    free.sort();
    assert_eq!(free, ["b", "c"]);
    assert_eq!(reserve(&pools, "b"), Ok(()));
}

#[test]
fn object_that_was_read_in_a_former_term_is_read_again() {
    let pools = new();
    begin_term(&pools, 2, &["a", "b"]);
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    pools.note(&key("a"), "a", None, 1);
    appear(&pools, "a");
    assert_eq!(reserve_in(&pools, 2, "b", "acme"), Err(Bar::NotKnownYet));
    pools.note(&key("a"), "a", None, 2);
    assert_eq!(reserve_in(&pools, 2, "b", "acme"), Ok(()));
}

#[test]
fn one_account_has_one_open_change() {
    let pools = new();
    note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
    note(&pools, "b", "b", Some(claim("acme", "machines", "b")));
    note(&pools, "c", "c", Some(claim("other", "seats", "c")));
    assert_eq!(reserve(&pools, "a"), Ok(()));
    assert_eq!(reserve(&pools, "b"), Err(Bar::Behind(Some(key("a")))));
    assert_eq!(reserve_of(&pools, "c", "other"), Ok(()));
    pools.set_open(&key("a"), None);
    assert_eq!(reserve(&pools, "b"), Ok(()));
}

#[test]
fn a_deleted_objects_open_change_bars_its_account_for_the_settle_time() {
    let pools = new();
    note(&pools, "a", "a", Some(open(claim("acme", "seats", "a"))));
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    pools.forget(&key("a"));
    assert_eq!(reserve(&pools, "b"), Err(Bar::Behind(None)));
}

#[test]
fn an_open_change_whose_record_is_lost_bars_its_account_for_the_settle_time() {
    let opened = || open(claim("acme", "seats", "a"));
    let closed = || claim("acme", "seats", "a");
    for (uid, lost) in [("a", Some(closed())), ("a", None), ("b", Some(claim("acme", "seats", "b")))] {
        let pools = new();
        note(&pools, "a", "a", Some(opened()));
        note(&pools, "a", uid, lost.clone());
        note(&pools, "c", "c", Some(claim("acme", "machines", "c")));
        assert_eq!(reserve(&pools, "c"), Err(Bar::Behind(None)), "{lost:?}");
    }
    let pools = new();
    note(&pools, "a", "a", Some(opened()));
    note(&pools, "a", "a", Some(opened()));
    pools.set_open(&key("a"), None);
    note(&pools, "a", "a", Some(closed()));
    assert_eq!(reserve(&pools, "a"), Ok(()), "it was said to be over");
}

#[test]
fn an_open_change_outlasts_the_term_even_if_its_record_does_not() {
    let opened = || open(claim("acme", "seats", "a"));
    let pools = new();
    note(&pools, "a", "a", Some(opened()));
    begin_term(&pools, 1, &["a", "c"]);
    note(&pools, "c", "c", Some(claim("acme", "machines", "c")));
    assert_eq!(reserve(&pools, "c"), Err(Bar::NotKnownYet));
    note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
    for name in ["a", "c"] {
        assert_eq!(reserve(&pools, name), Err(Bar::Behind(None)), "{name}");
    }
    let pools = new();
    note(&pools, "a", "a", Some(opened()));
    begin_term(&pools, 1, &["a"]);
    note(&pools, "a", "a", Some(opened()));
    pools.set_open(&key("a"), None);
    assert_eq!(reserve(&pools, "a"), Ok(()), "the record was there all the time");
}

#[test]
fn an_open_change_bars_the_account_it_was_sent_to_and_not_the_one_its_object_has_now() {
    let pools = new();
    let sent = Some(Open { id: "a's".into(), account: "acme".into() });
    note(&pools, "a", "a", Some(Claim { open: sent, ..claim("other", "seats", "a") }));
    note(&pools, "b", "b", Some(claim("acme", "machines", "b")));
    note(&pools, "c", "c", Some(claim("other", "machines", "c")));
    assert_eq!(reserve(&pools, "b"), Err(Bar::Behind(Some(key("a")))));
    assert_eq!(reserve_of(&pools, "c", "other"), Ok(()));
}

/// How long after `begun` the account of b is free again; `while_barred` is done over and over.
fn freed(pools: &Pools, begun: Instant, while_barred: impl Fn()) -> Duration {
    note(pools, "b", "b", Some(claim("acme", "machines", "b")));
    while reserve(pools, "b").is_err() {
        while_barred();
        assert!(begun.elapsed() < Duration::from_secs(20), "it bars for ever");
        std::thread::yield_now();
    }
    begun.elapsed()
}

#[test]
fn an_open_change_that_nobody_can_judge_bars_its_account_for_the_settle_time_from_its_first_sight_and_no_longer() {
    let settle = Duration::from_millis(60);
    let (pools, opened) = (settling(settle), || Some(open(claim("acme", "seats", "a"))));
    let begun = Instant::now();
    note(&pools, "a", "a", opened());
    // Neither looking at it again and again nor a new term begins the wait anew.
    let after = freed(&pools, begun, || {
        note(&pools, "a", "a", opened());
        pools.set_open(&key("a"), Some(&intent("a's", "acme")));
    });
    assert!(after >= settle, "{after:?}");
    pools.set_open(&key("b"), None);
    pools.forget(&key("a"));
    assert_eq!(reserve(&pools, "b"), Ok(()), "what is over leaves nothing open");
}

#[test]
fn what_a_request_leaves_running_counts_from_its_end_and_a_repeat_is_another() {
    let settle = Duration::from_millis(60);
    for again in [(|pools: &Pools| pools.request_ended(&key("a"))) as fn(&Pools), |pools| {
        pools.set_open(&key("a"), Some(&intent("another", "acme")))
    }] {
        let pools = settling(settle);
        note(&pools, "a", "a", Some(open(claim("acme", "seats", "a"))));
        let first = Instant::now();
        while first.elapsed() < settle / 2 {
            std::thread::yield_now();
        }
        let begun = Instant::now();
        again(&pools);
        assert!(freed(&pools, begun, || ()) >= settle);
    }
}

#[test]
fn who_must_wait_learns_for_whom_only_within_his_namespace() {
    let (here, there) = (("it".to_owned(), "acme".to_owned()), ("board".to_owned(), "merger".to_owned()));
    for bar in [Bar::OwnedBy(there.clone()), Bar::Behind(Some(there))] {
        let sentence = bar.sentence(&here);
        assert!(sentence.contains("object in another namespace"), "{sentence}");
        assert!(!sentence.contains("board") && !sentence.contains("merger"), "{sentence}");
    }
    let sentence = Bar::Behind(Some(key("passwords"))).sentence(&here);
    assert!(sentence.contains("of passwords"), "{sentence}");
}
