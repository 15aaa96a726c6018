//! What it costs in requests, as docs/bitwarden.md counts them.

use seatkeeper_support::needs_control_plane;
use serde_json::json;
use vendor_sim::{RequestRecord, Role};

use crate::tenants::{Tenant, fast_but};
use crate::world::{World, organization};

/// So many polls are counted.
const POLLS: usize = 5;

/// Where a person belongs.
const MEMBERSHIPS: &str = "/api/organizations";

/// Requests of this organization whose path ends so.
fn asked(t: &Tenant<'_>, ends: &str) -> usize {
    let ours = |r: &RequestRecord| r.organization.as_deref() == Some(&t.key.id) || r.path.contains(&t.key.id);
    t.world.bitwarden().count(|r| r.method == "GET" && ours(r) && r.path.ends_with(ends))
}

/// Tokens that its organization key asked for.
fn tokens_of(t: &Tenant<'_>) -> usize {
    t.world.bitwarden().count(|r| r.path == "/identity/connect/token" && r.organization.as_deref() == Some(&t.key.id))
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_costs_as_many_requests_as_the_docs_count_for_each_key() {
    needs_control_plane!();
    let w = World::with("requests", organization(), &fast_but(&["--account-recheck=1h"])).await;
    let organization_key = w.tenant("organization key", organization()).await;
    organization_key.declare(json!({ "seats": 100 })).await;
    let alone = w.tenant("owner alone", organization()).await;
    let owner_alone = alone.person(Role::Owner).await;
    w.declare(&alone.name, alone.alone(json!({ "seats": 100 }))).await;
    let both = w.tenant("both keys", organization()).await;
    let owner_beside = both.person(Role::Owner).await;
    w.declare(&both.name, both.both(json!({ "seats": 100 }))).await;
    for t in [&organization_key, &alone, &both] {
        t.until_in_sync(100).await;
    }
    let logins =
        [&owner_alone, &owner_beside].map(|owner| w.bitwarden().find_user(&owner.user_id).map(|user| user.logins));
    assert_eq!(logins, [Some(1), Some(1)], "of each owner's key");
    assert_eq!([&organization_key, &alone, &both].map(tokens_of), [1, 0, 1], "of each organization key");
    let paths = ["/public/organization/subscription", "/public/members", "/billing/vnext/metadata"];
    let counts = |t: &Tenant<'_>| {
        let row = asked(t, &format!("/api/organizations/{}", t.key.id));
        let details = asked(t, &format!("/api/organizations/{}/subscription", t.key.id));
        (paths.map(|path| asked(t, path)), row, details)
    };
    let all = [&organization_key, &alone, &both];
    let before = all.map(counts);
    let tokens = w.bitwarden().token_requests();
    organization_key.until_polled(POLLS).await;
    let polled = |counted: ([usize; 3], usize, usize), before: ([usize; 3], usize, usize)| {
        let paths = [0, 1, 2].map(|path| counted.0[path] - before.0[path]);
        (paths, counted.1 - before.1, counted.2 - before.2)
    };
    let [key, owner, two] = [0, 1, 2].map(|nth| polled(counts(all[nth]), before[nth]));
    // The three are polled side by side: one may be a request ahead.
    let about = |asked: usize, polls: usize| asked.abs_diff(polls) <= 1;
    let polls = key.0[0];
    assert!(about(key.0[1], polls) && (key.0[2], key.1, key.2) == (0, 0, 0), "{key:?}");
    let polls = owner.1;
    assert!(polls > 1 && about(owner.0[2], polls) && (owner.0[0], owner.0[1], owner.2) == (0, 0, 0), "{owner:?}");
    let polls = two.0[0];
    assert!(polls > 1 && about(two.0[2], polls) && (two.0[1], two.1, two.2) == (0, 0, 0), "{two:?}");
    assert_eq!(w.bitwarden().token_requests(), tokens, "a token lasts for an hour");
    let each_account = |t: &Tenant<'_>| asked(t, &format!("/api/organizations/{}/subscription", t.key.id));
    assert_eq!((each_account(&alone), each_account(&both)), (1, 1), "once in each --account-recheck");
    let memberships = w.bitwarden().count(|r| r.method == "GET" && r.path == MEMBERSHIPS);
    assert_eq!(memberships, 2, "of each owner's key once in each --account-recheck");
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_asked_for_anew_after_its_end_and_not_before() {
    needs_control_plane!();
    let w = World::with("token-life", organization(), &fast_but(&["--account-recheck=1h"])).await;
    // One that lives for a second is replaced more often than the limiter likes.
    w.needs_many_tokens();
    let lasting = w.tenant("an hour", organization()).await;
    lasting.declare(json!({ "seats": 100 })).await;
    lasting.until_in_sync(100).await;
    w.bitwarden().switch(|s| s.token_lifetime_seconds = 1);
    let short = w.tenant("a second", organization()).await;
    short.declare(json!({ "seats": 100 })).await;
    short.until_in_sync(100).await;
    let before = tokens_of(&short);
    short.until_token_is_old().await;
    short.until_polled(2).await;
    assert!(tokens_of(&short) > before, "{before} tokens, and no further one");
    lasting.until_polled(1).await;
    assert_eq!(tokens_of(&lasting), 1);
}
