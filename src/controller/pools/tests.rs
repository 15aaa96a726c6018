//! Who may write to which account, told object by object.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;

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
    let pools = Pools::new(settle);
    begin_term(&pools, 1, &[]);
    pools
}

fn begin_term(pools: &Pools, term: u64, there: &[&str]) {
    pools.begin_term(term);
    pools.inherit(term, uids(there));
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
fn reserve_of(pools: &Pools, name: &str, account: &str, watched: &[Arc<Watched>]) -> Result<(), Bar> {
    reserve_in(pools, 1, name, account, watched)
}

fn reserve_in(pools: &Pools, term: u64, name: &str, account: &str, watched: &[Arc<Watched>]) -> Result<(), Bar> {
    pools.reserve(&key(name), &intent(&format!("{name}'s"), account), term, watched)
}

fn reserve(pools: &Pools, name: &str, watched: &[Arc<Watched>]) -> Result<(), Bar> {
    reserve_of(pools, name, "acme", watched)
}

/// A claim with an open change of its account.
fn open(claim: Claim) -> Claim {
    Claim { open: Some(Open { id: format!("{}'s", claim.age.1), account: claim.account.clone() }), ..claim }
}

fn watched(names: &[&str]) -> Vec<Arc<Watched>> {
    let object = |name: &&str| {
        let metadata = serde_json::json!({ "metadata": { "namespace": "it", "name": name, "uid": name } });
        Arc::new(serde_json::from_value(metadata).unwrap())
    };
    names.iter().map(object).collect()
}

fn note(pools: &Pools, name: &str, uid: &str, claim: Option<Claim>) -> Option<Key> {
    pools.note(&key(name), uid, claim)
}

#[test]
fn the_older_object_owns_a_pool_until_it_goes() {
    let pools = new();
    assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), None);
    assert_eq!(note(&pools, "a", "a", Some(claim("acme", "seats", "a"))), None);
    assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), Some(key("a")));
    assert_eq!(reserve(&pools, "b", &watched(&["a", "b"])), Err(Bar::OwnedBy(key("a"))));
    pools.forget(&key("a"));
    assert_eq!(reserve(&pools, "b", &watched(&["b"])), Ok(()));
}

#[test]
fn what_is_created_while_we_lead_and_is_younger_holds_up_nobody() {
    let pools = new();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve(&pools, "b", &watched(&["b"])), Ok(()));
    pools.set_open(&key("b"), None);
    assert_eq!(reserve(&pools, "b", &watched(&["b", "c"])), Ok(()), "c is new and younger");
    pools.set_open(&key("b"), None);
    assert_eq!(reserve(&pools, "b", &watched(&["a", "b"])), Err(Bar::NotKnownYet), "a is new and older");
    begin_term(&pools, 1, &["b", "c"]);
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve(&pools, "b", &watched(&["b", "c"])), Err(Bar::NotKnownYet), "c was there before the term");
    note(&pools, "c", "c", None);
    assert_eq!(reserve(&pools, "b", &watched(&["b", "c"])), Ok(()));
}

#[test]
fn nothing_is_sent_before_every_older_object_was_looked_at() {
    let pools = new();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve(&pools, "b", &watched(&["a", "b"])), Err(Bar::NotKnownYet));
    note(&pools, "a", "former", None);
    assert_eq!(reserve(&pools, "b", &watched(&["a", "b"])), Err(Bar::NotKnownYet));
    note(&pools, "a", "a", None);
    assert_eq!(reserve(&pools, "b", &watched(&["a", "b"])), Ok(()));
}

#[test]
fn an_object_that_somebody_elses_finalizer_holds_back_is_looked_at_first() {
    let pools = new();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    let mut leaving = watched(&["a"]);
    Arc::get_mut(&mut leaving[0]).unwrap().metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    assert_eq!(reserve(&pools, "b", &leaving), Err(Bar::NotKnownYet), "a change of it may be open");
    note(&pools, "a", "a", None);
    assert_eq!(reserve(&pools, "b", &leaving), Ok(()));
}

#[test]
fn what_the_watch_does_not_know_of_is_waited_for_until_it_is_looked_at_or_gone() {
    let pools = Pools::new(SETTLE);
    let only_b = watched(&["b"]);
    let begin = || {
        let term = 1;
        pools.begin_term(term);
        note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
        assert_eq!(reserve(&pools, "b", &only_b), Err(Bar::NotKnownYet), "not counted yet");
        pools.inherit(term - 1, uids(&[]));
        assert_eq!(reserve(&pools, "b", &only_b), Err(Bar::NotKnownYet), "counted for another term");
        pools.inherit(term, uids(&["b", "c"]));
        assert_eq!(reserve(&pools, "b", &only_b), Err(Bar::NotKnownYet), "a change of c may be open");
        assert_eq!(pools.waits_for_unknown(&only_b), Some(term));
        assert_eq!(pools.waits_for_unknown(&watched(&["b", "c"])), None);
        term
    };
    let seen_or_gone: [fn(&Pools, u64); 3] = [
        |pools, _| drop(note(pools, "c", "c", None)),
        |pools, _| pools.gone("c"),
        |pools, term| pools.keep(term, &uids(&["b"])),
    ];
    for seen_or_gone in seen_or_gone {
        let term = begin();
        pools.keep(term, &uids(&["b", "c"]));
        assert_eq!(reserve(&pools, "b", &only_b), Err(Bar::NotKnownYet), "c is still there");
        seen_or_gone(&pools, term);
        assert_eq!(reserve(&pools, "b", &only_b), Ok(()));
        assert_eq!(pools.waits_for_unknown(&only_b), None);
        pools.set_open(&key("b"), None);
    }
}

#[test]
fn nothing_is_sent_in_a_term_that_the_register_does_not_know_of_yet() {
    let pools = new();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    let only_b = watched(&["b"]);
    assert_eq!(reserve_in(&pools, 2, "b", "acme", &only_b), Err(Bar::NotKnownYet), "another may have led meanwhile");
    begin_term(&pools, 2, &["b"]);
    assert_eq!(reserve_in(&pools, 2, "b", "acme", &only_b), Err(Bar::NotKnownYet), "looked at in the former term");
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(reserve_in(&pools, 2, "b", "acme", &only_b), Ok(()));
}

#[test]
fn one_account_has_one_open_change() {
    let pools = new();
    note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
    note(&pools, "b", "b", Some(claim("acme", "machines", "b")));
    note(&pools, "c", "c", Some(claim("other", "seats", "c")));
    let all = watched(&["a", "b", "c"]);
    assert_eq!(reserve(&pools, "a", &all), Ok(()));
    assert_eq!(reserve(&pools, "b", &all), Err(Bar::Behind(Some(key("a")))));
    assert_eq!(reserve_of(&pools, "c", "other", &all), Ok(()));
    pools.set_open(&key("a"), None);
    assert_eq!(reserve(&pools, "b", &all), Ok(()));
}

#[test]
fn a_deleted_objects_open_change_bars_its_account_for_the_settle_time() {
    let pools = new();
    note(&pools, "a", "a", Some(open(claim("acme", "seats", "a"))));
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    pools.forget(&key("a"));
    assert_eq!(reserve(&pools, "b", &watched(&["b"])), Err(Bar::Behind(None)));
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
        let watched: Vec<Arc<Watched>> = watched(&["c"]);
        assert_eq!(reserve(&pools, "c", &watched), Err(Bar::Behind(None)), "{lost:?}");
    }
    let pools = new();
    note(&pools, "a", "a", Some(opened()));
    note(&pools, "a", "a", Some(opened()));
    pools.set_open(&key("a"), None);
    note(&pools, "a", "a", Some(closed()));
    assert_eq!(reserve(&pools, "a", &watched(&["a"])), Ok(()), "it was said to be over");
}

#[test]
fn an_open_change_outlasts_the_term_even_if_its_record_does_not() {
    let opened = || open(claim("acme", "seats", "a"));
    let pools = new();
    note(&pools, "a", "a", Some(opened()));
    begin_term(&pools, 1, &["a", "c"]);
    note(&pools, "c", "c", Some(claim("acme", "machines", "c")));
    assert_eq!(reserve(&pools, "c", &watched(&["a", "c"])), Err(Bar::NotKnownYet));
    note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
    for name in ["a", "c"] {
        assert_eq!(reserve(&pools, name, &watched(&["a", "c"])), Err(Bar::Behind(None)), "{name}");
    }
    let pools = new();
    note(&pools, "a", "a", Some(opened()));
    begin_term(&pools, 1, &["a"]);
    note(&pools, "a", "a", Some(opened()));
    pools.set_open(&key("a"), None);
    assert_eq!(reserve(&pools, "a", &watched(&["a"])), Ok(()), "the record was there all the time");
}

#[test]
fn an_open_change_bars_the_account_it_was_sent_to_and_not_the_one_its_object_has_now() {
    let pools = new();
    let sent = Some(Open { id: "a's".into(), account: "acme".into() });
    note(&pools, "a", "a", Some(Claim { open: sent, ..claim("other", "seats", "a") }));
    note(&pools, "b", "b", Some(claim("acme", "machines", "b")));
    note(&pools, "c", "c", Some(claim("other", "machines", "c")));
    let all = watched(&["a", "b", "c"]);
    assert_eq!(reserve(&pools, "b", &all), Err(Bar::Behind(Some(key("a")))));
    assert_eq!(reserve_of(&pools, "c", "other", &all), Ok(()));
}

/// How long after `begun` the account of b is free again; `while_barred` is done over and over.
fn freed(pools: &Pools, begun: Instant, while_barred: impl Fn()) -> Duration {
    note(pools, "b", "b", Some(claim("acme", "machines", "b")));
    while reserve(pools, "b", &watched(&["a", "b"])).is_err() {
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
    assert_eq!(reserve(&pools, "b", &watched(&["b"])), Ok(()), "what is over leaves nothing open");
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
        assert!(sentence.contains("of an object in another namespace"), "{sentence}");
        assert!(!sentence.contains("board") && !sentence.contains("merger"), "{sentence}");
    }
    let sentence = Bar::Behind(Some(key("passwords"))).sentence(&here);
    assert!(sentence.contains("of passwords"), "{sentence}");
}
