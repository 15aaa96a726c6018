//! Who may write to which account, told object by object.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::*;

fn key(name: &str) -> Key {
    ("it".into(), name.into())
}

fn claim(account: &str, pool: &'static str, uid: &str) -> Claim {
    Claim { account: account.into(), pool, age: (None, uid.into()), wanted: None, open: false }
}

fn watched(names: &[&str]) -> Vec<Arc<Watched>> {
    let object = |name: &&str| {
        let metadata = serde_json::json!({ "metadata": { "namespace": "it", "name": name, "uid": name } });
        Arc::new(serde_json::from_value(metadata).unwrap())
    };
    names.iter().map(object).collect()
}

fn note(pools: &Pools, name: &str, uid: &str, claim: Option<Claim>) -> Option<Key> {
    pools.note(&key(name), uid, claim, Duration::from_secs(3600))
}

#[test]
fn the_older_object_owns_a_pool_until_it_goes() {
    let pools = Pools::default();
    assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), None);
    assert_eq!(note(&pools, "a", "a", Some(claim("acme", "seats", "a"))), None);
    assert_eq!(note(&pools, "b", "b", Some(claim("acme", "seats", "b"))), Some(key("a")));
    assert_eq!(pools.reserve(&key("b"), &watched(&["a", "b"])), Err(Bar::OwnedBy(key("a"))));
    pools.forget(&key("a"), Duration::ZERO);
    assert_eq!(pools.reserve(&key("b"), &watched(&["b"])), Ok(()));
}

#[test]
fn what_is_created_while_we_lead_and_is_younger_holds_up_nobody() {
    let pools = Pools::default();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(pools.reserve(&key("b"), &watched(&["b"])), Ok(()));
    pools.set_open(&key("b"), false);
    assert_eq!(pools.reserve(&key("b"), &watched(&["b", "c"])), Ok(()), "c is new and younger");
    pools.set_open(&key("b"), false);
    assert_eq!(pools.reserve(&key("b"), &watched(&["a", "b"])), Err(Bar::NotKnownYet), "a is new and older");
    pools.begin_term();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(pools.reserve(&key("b"), &watched(&["b", "c"])), Err(Bar::NotKnownYet), "c was there before the term");
    note(&pools, "c", "c", None);
    assert_eq!(pools.reserve(&key("b"), &watched(&["b", "c"])), Ok(()));
}

#[test]
fn nothing_is_sent_before_every_older_object_was_looked_at() {
    let pools = Pools::default();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    assert_eq!(pools.reserve(&key("b"), &watched(&["a", "b"])), Err(Bar::NotKnownYet));
    note(&pools, "a", "former", None);
    assert_eq!(pools.reserve(&key("b"), &watched(&["a", "b"])), Err(Bar::NotKnownYet));
    note(&pools, "a", "a", None);
    assert_eq!(pools.reserve(&key("b"), &watched(&["a", "b"])), Ok(()));
}

#[test]
fn an_object_that_somebody_elses_finalizer_holds_back_holds_up_nobody() {
    let pools = Pools::default();
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    let mut leaving = watched(&["a"]);
    Arc::get_mut(&mut leaving[0]).unwrap().metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    assert_eq!(pools.reserve(&key("b"), &leaving), Ok(()));
}

#[test]
fn one_account_has_one_open_change() {
    let pools = Pools::default();
    note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
    note(&pools, "b", "b", Some(claim("acme", "machines", "b")));
    note(&pools, "c", "c", Some(claim("other", "seats", "c")));
    let all = watched(&["a", "b", "c"]);
    assert_eq!(pools.reserve(&key("a"), &all), Ok(()));
    assert_eq!(pools.reserve(&key("b"), &all), Err(Bar::Behind(Some(key("a")))));
    assert_eq!(pools.reserve(&key("c"), &all), Ok(()));
    pools.set_open(&key("a"), false);
    assert_eq!(pools.reserve(&key("b"), &all), Ok(()));
}

#[test]
fn a_deleted_objects_open_change_bars_its_account_for_the_settle_time() {
    let pools = Pools::default();
    let open = Claim { open: true, ..claim("acme", "seats", "a") };
    note(&pools, "a", "a", Some(open));
    note(&pools, "b", "b", Some(claim("acme", "seats", "b")));
    pools.forget(&key("a"), Duration::from_secs(3600));
    assert_eq!(pools.reserve(&key("b"), &watched(&["b"])), Err(Bar::Behind(None)));
}

#[test]
fn an_open_change_whose_record_is_lost_bars_its_account_for_the_settle_time() {
    let open = || Claim { open: true, ..claim("acme", "seats", "a") };
    let closed = || claim("acme", "seats", "a");
    for (uid, lost) in
        [("a", Some(closed())), ("a", None), ("b", Some(Claim { open: false, ..claim("acme", "seats", "b") }))]
    {
        let pools = Pools::default();
        note(&pools, "a", "a", Some(open()));
        note(&pools, "a", uid, lost.clone());
        note(&pools, "c", "c", Some(claim("acme", "machines", "c")));
        let watched: Vec<Arc<Watched>> = watched(&["c"]);
        assert_eq!(pools.reserve(&key("c"), &watched), Err(Bar::Behind(None)), "{lost:?}");
    }
    let pools = Pools::default();
    note(&pools, "a", "a", Some(open()));
    note(&pools, "a", "a", Some(open()));
    pools.set_open(&key("a"), false);
    note(&pools, "a", "a", Some(closed()));
    assert_eq!(pools.reserve(&key("a"), &watched(&["a"])), Ok(()), "it was said to be over");
}

#[test]
fn an_open_change_outlasts_the_term_even_if_its_record_does_not() {
    let open = || Claim { open: true, ..claim("acme", "seats", "a") };
    let pools = Pools::default();
    note(&pools, "a", "a", Some(open()));
    pools.begin_term();
    note(&pools, "c", "c", Some(claim("acme", "machines", "c")));
    assert_eq!(pools.reserve(&key("c"), &watched(&["a", "c"])), Err(Bar::NotKnownYet));
    note(&pools, "a", "a", Some(claim("acme", "seats", "a")));
    for name in ["a", "c"] {
        assert_eq!(pools.reserve(&key(name), &watched(&["a", "c"])), Err(Bar::Behind(None)), "{name}");
    }
    let pools = Pools::default();
    note(&pools, "a", "a", Some(open()));
    pools.begin_term();
    note(&pools, "a", "a", Some(open()));
    pools.set_open(&key("a"), false);
    assert_eq!(pools.reserve(&key("a"), &watched(&["a"])), Ok(()), "the record was there all the time");
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
