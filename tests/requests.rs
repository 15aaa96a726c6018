//! What it costs in requests, as docs/bitwarden.md counts them.

use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{RequestRecord, Role, UserKey};

use crate::docs;
use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, organization};

/// So many polls are counted.
const POLLS: usize = 5;

const POLL: &str = "each `interval`";
const RECHECK: &str = "each `--account-recheck`";
const HOUR: &str = "each hour";

/// What the page calls a request, by column, and how its path ends; `{id}` is the organization's. Whoever asks for something else
/// than these asks for too much.
const CALLED: [(&str, &str, &str); 7] = [
    (POLL, "subscription", "/public/organization/subscription"),
    (POLL, "members", "/public/members"),
    (POLL, "organization", "/api/organizations/{id}"),
    (POLL, "exact use", "/api/organizations/{id}/billing/vnext/metadata"),
    (RECHECK, "memberships", "/api/organizations"),
    (RECHECK, "subscription", "/api/organizations/{id}/subscription"),
    (HOUR, "token", "/identity/connect/token"),
];

/// The objects of the test: their names are the words of the page.
const KEYS: [&str; 3] = ["organization key", "owner's key alone", "both"];

/// What docs/bitwarden.md counts for these keys: the column, the request, and how many.
fn told(keys: &str) -> Vec<(String, String, usize)> {
    let mut told = Vec::new();
    for (column, cell) in docs::row("docs/bitwarden.md", POLL, keys) {
        for words in cell.split(", ").filter(|words| !words.is_empty()) {
            let (request, number) = words.rsplit_once(' ').expect("a request and a number");
            let request = if request == "tokens" { "token" } else { request };
            assert!(CALLED.iter().any(|called| (called.0, called.1) == (&*column, request)), "what is {words:?}?");
            told.push((column.clone(), request.to_owned(), number.parse().expect("a number")));
        }
    }
    assert!(told.iter().any(|(column, ..)| column == POLL), "{keys}: {told:?}");
    told
}

/// Requests of this organization whose path ends so.
fn asked(t: &Tenant<'_>, ends: &str) -> usize {
    let ours = |r: &RequestRecord| r.organization.as_deref() == Some(&t.key.id) || r.path.contains(&t.key.id);
    t.world.bitwarden().count(|r| r.method == "GET" && ours(r) && r.path.ends_with(ends))
}

/// Tokens that its organization key asked for.
fn tokens_of(t: &Tenant<'_>) -> usize {
    t.world.bitwarden().count(|r| r.path == "/identity/connect/token" && r.organization.as_deref() == Some(&t.key.id))
}

/// Requests with the keys of an object, by how [`CALLED`] calls them; the owner, if there is one.
fn counted(t: &Tenant<'_>, owner: Option<&UserKey>) -> [usize; CALLED.len()] {
    let vendor = t.world.bitwarden();
    let user = owner.and_then(|owner| vendor.find_user(&owner.user_id));
    CALLED.map(|(_, request, path)| {
        let path = path.replace("{id}", &t.key.id);
        match request {
            // By a person's key: whose it is, no path says.
            "memberships" => vendor.count(|r| r.method == "GET" && r.path == path) * usize::from(owner.is_some()),
            "token" => tokens_of(t) + user.as_ref().map_or(0, |user| user.logins),
            _ => asked(t, &path),
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn poll_costs_as_many_requests_as_the_docs_count_for_each_key() {
    needs_control_plane!();
    // One world each: a person's list of memberships names no organization in its path.
    for keys in KEYS {
        let w = World::with("requests", organization(), &fast_but(&["--account-recheck=1h"])).await;
        let t = w.tenant(keys, organization()).await;
        let owner = if keys == KEYS[0] { None } else { Some(t.person(Role::Owner).await) };
        let spec = json!({ "seats": 100 });
        match keys {
            "organization key" => t.declare(spec).await,
            "both" => drop(w.declare(&t.name, t.both(spec)).await),
            _ => drop(w.declare(&t.name, t.alone(spec)).await),
        }
        t.until_in_sync(100).await;
        let passes = || w.audit().verb("get").resource("licenseseats").name(&t.name).len();
        let (before, first) = (counted(&t, owner.as_ref()), passes());
        wait_for("polls", PATIENCE, async || (passes() >= first + POLLS).then_some(())).await;
        let (after, polls) = (counted(&t, owner.as_ref()), passes() - first);
        let told = told(keys);
        for (nth, (column, request, _)) in CALLED.into_iter().enumerate() {
            let told = told.iter().find(|told| (&*told.0, &*told.1) == (column, request)).map_or(0, |told| told.2);
            let what = format!("{keys}, {column}: {request} {told}; {before:?}, after {polls} polls {after:?}");
            if column == POLL {
                // A pass may have begun, or may be about to read.
                let asked = after[nth] - before[nth];
                assert!(asked.abs_diff(told * polls) <= told, "{what}");
            } else {
                // Within the hour once, and the polls ask for no more.
                assert_eq!((before[nth], after[nth]), (told, told), "{what}");
            }
        }
        let known = CALLED.map(|(_, _, path)| path.replace("{id}", &t.key.id));
        let other = w.bitwarden().requests().into_iter().find(|r| !known.iter().any(|path| r.path.ends_with(path)));
        assert_eq!(other.map(|r| r.path), None, "{keys}: the page counts no such request");
    }
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
