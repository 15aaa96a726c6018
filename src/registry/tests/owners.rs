//! Which object owns a pool.

use super::*;

#[test]
fn the_older_object_owns_a_pool_until_it_goes() {
    let mut told = Told::new();
    assert_eq!(told.claims("b", "acme", "seats"), None);
    assert_eq!(told.claims("a", "acme", "seats"), None);
    assert_eq!(told.claims("b", "acme", "seats"), Some(key("a")));
    assert_eq!((told.registry.owner(&key("b")), told.registry.owner(&key("a"))), (Some(&key("a")), None));
    assert_eq!(told.reserve("b"), Err(Bar::OwnedBy(key("a"))));
    told.forget("a");
    assert_eq!(told.registry.owner(&key("b")), None);
    assert_eq!(told.reserve("b"), Ok(()));
}

#[test]
fn another_pool_or_the_same_pool_of_another_account_has_another_owner() {
    let mut told = Told::new();
    told.claims("a", "acme", "seats");
    for (account, pool) in [("acme", "machines"), ("other", "seats")] {
        assert_eq!(told.claims("b", account, pool), None, "{pool} of {account}");
    }
}

#[test]
fn what_is_wanted_beside_an_object_is_that_of_the_other_pools_of_its_account() {
    let mut told = Told::new();
    let wants = |account: &str, pool, wanted| {
        claim(account, pool, "x").map(|noted| Noted { claim: Claim { wanted, ..noted.claim }, ..noted })
    };
    told.note("a", "a", wants("acme", "seats", Some(1)));
    for (name, account, pool, wanted) in [
        ("b", "acme", "machines", Some(2)),
        ("c", "acme", "seats", Some(3)),
        ("d", "other", "machines", Some(4)),
        ("e", "acme", "secrets", None),
    ] {
        told.note(name, name, wants(account, pool, wanted));
    }
    assert_eq!(told.registry.wanted_beside(&key("a")), [("machines", 2)]);
    assert_eq!(told.registry.wanted_beside(&key("nobody")), []);
}
