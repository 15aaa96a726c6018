//! Each of the two references takes either kind of key: what counts is what the Secret holds, not where it is named.

use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{OrganizationView, Role};

use crate::tenants::Tenant;
use crate::world::{condition, organization, said, world};

/// References to the Secrets of these names.
fn references(credentials: Option<&str>, owner: Option<&str>) -> Value {
    let named = |name: Option<&str>| name.map_or(Value::Null, |name| json!({ "name": name }));
    let (credentials, owner) = (named(credentials), named(owner));
    json!({ "vendor": { "bitwarden": { "credentialsSecretRef": credentials, "ownerCredentialsSecretRef": owner } } })
}

impl Tenant<'_> {
    /// Changes sent with the personal key.
    fn differences(&self) -> usize {
        let path = format!("/organizations/{}", self.key.id);
        self.world.bitwarden().count(|r| r.method == "POST" && r.path.contains(&path))
    }
}

fn bought(view: &OrganizationView) -> (Option<i32>, Option<i32>) {
    (view.seats, view.billed.seats)
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_key_alone_works_where_the_organizations_is_expected() {
    needs_control_plane!();
    let w = world("either-person").await;
    let t = w.tenant("person", organization().sponsored_families(3)).await;
    t.person(Role::Owner).await;
    w.declare("acme", references(Some("owner-person"), None)).await;
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(83), Some(false)), "its owner sees all");
    assert_eq!(bought(&t.organization()), (Some(150), Some(150)));
    assert_eq!((t.puts(), t.differences()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_key_alone_works_where_an_owners_is_expected() {
    needs_control_plane!();
    let w = world("either-organization").await;
    let t = w.tenant("organization", organization()).await;
    w.declare("acme", references(None, Some("organization"))).await;
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(80), Some(true)), "it sees members alone");
    assert_eq!(bought(&t.organization()), (Some(150), Some(150)));
    assert_eq!((t.puts(), t.differences()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_keys_work_as_in_their_own_places() {
    needs_control_plane!();
    let w = world("either-swapped").await;
    let t = w.tenant("swapped", organization().sponsored_families(3)).await;
    t.person(Role::Owner).await;
    w.declare("acme", references(Some("owner-swapped"), Some("swapped"))).await;
    let status = w.until_in_sync("acme", 150).await;
    assert_eq!((status.used, status.used_is_lower_bound), (Some(83), Some(false)));
    assert_eq!(bought(&t.organization()), (Some(150), Some(150)));
    assert_eq!((t.puts(), t.differences()), (1, 0), "seats go by totals");
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_key_with_too_few_rights_is_reported_by_field_that_names_it() {
    needs_control_plane!();
    let w = world("either-concern").await;
    for (name, swapped) in [("in-place", false), ("swapped", true)] {
        let t = w.tenant(name, organization()).await;
        t.person(Role::Admin).await;
        let owner = format!("owner-{name}");
        let (named, spec) = match swapped {
            false => ("ownerCredentialsSecretRef", references(Some(name), Some(&owner))),
            true => ("credentialsSecretRef", references(Some(&owner), Some(name))),
        };
        w.declare(name, spec).await;
        let status = w.until_in_sync(name, 150).await;
        assert_eq!(said(&status, "CredentialsValid"), "False/InsufficientRole", "{name}");
        let message = &condition(&status, "CredentialsValid").expect("CredentialsValid").message;
        assert!(message.starts_with(&format!("Secret {owner} ({named}): ")), "{name}: {message}");
    }
}
