//! What one key and two make of the same organization.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::owner_api_fields::Details;
use super::*;

const PRODUCTS: [Product; 3] = [Product::PasswordManager, Product::SecretsManager, Product::MachineAccounts];

/// Seen with the organization key alone: 100 seats, 20 of Secrets Manager, 50 machine accounts.
fn seen(product: Product) -> Seen {
    Seen {
        account: Account { vendor: "bitwarden".into(), host: None, id: None },
        product,
        organization_key: true,
        self_hosted: false,
        row: Some(OrganizationRow::of([(Some(100), Some(120)), (Some(20), None), (Some(50), None)])),
        members: Some(80),
        owner: None,
        concern: None,
        fails: None,
    }
}

/// A person sees this subscription too; `null`: there is none.
fn viewed(product: Product, standing: Standing, subscription: &Value) -> Seen {
    let details: Details = serde_json::from_value(json!({ "seats": 100, "subscription": subscription })).unwrap();
    let owner = OwnerView {
        standing,
        enabled: true,
        row: None,
        used: Some(80),
        standalone_secrets_manager: false,
        details: (standing != Standing::Managed).then(|| Arc::new(details)),
        is_old: false,
        custom_plan: false,
        lacks: None,
        self_hosted: false,
    };
    Seen { owner: Some(owner), ..seen(product) }
}

fn support(seen: Seen) -> Support {
    seen.snapshot().rules.support
}

#[test]
fn pool_target_stays_within_server_integer_range() {
    for product in PRODUCTS {
        let bounds = Seen { row: None, ..seen(product) }.snapshot().rules.at_most;
        let most = bounds.iter().map(|bound| bound.seats).min();
        assert_eq!(most, Some(32_767), "{product:?}: {bounds:?}");
    }
}

#[test]
fn second_key_takes_nothing_from_organization_key_that_bitwarden_allows() {
    let active = json!({ "status": "active" });
    for product in PRODUCTS {
        let resold = support(viewed(product, Standing::Resold, &active));
        assert_eq!((resold.read_only, resold.seats_fixed), (None, None), "{product:?}: a reseller's customer buys");
        let alone = Seen { organization_key: false, ..viewed(product, Standing::Resold, &active) };
        assert!(support(alone).read_only.is_some_and(|why| why.contains("reseller")), "{product:?}");
    }
    let managed = support(viewed(Product::PasswordManager, Standing::Managed, &active));
    assert_eq!(managed.read_only, None, "the limit needs no subscription");
    assert!(managed.seats_fixed.is_some_and(|why| why.contains("provider")));
    let managed = support(viewed(Product::SecretsManager, Standing::Managed, &active));
    assert!(managed.read_only.is_some_and(|why| why.contains("provider")));
}

#[test]
fn subscription_seen_by_second_key_holds_for_seats_and_leaves_limit() {
    for (subscription, word) in [(json!(null), "no subscription"), (json!({ "status": "unpaid" }), "unpaid")] {
        for standing in [Standing::Owner, Standing::Resold] {
            let support = support(viewed(Product::PasswordManager, standing, &subscription));
            assert_eq!(support.read_only, None, "{word}");
            assert!(support.seats_fixed.is_some_and(|why| why.contains(word)), "{word}");
        }
    }
}

#[test]
fn seats_are_not_lowered_while_second_key_fails() {
    assert_eq!(support(seen(Product::PasswordManager)).cannot_lower, None);
    let fails = Some(NamedSecret { name: "owner".into(), field: "ownerCredentialsSecretRef" });
    let failing = support(Seen { fails, ..seen(Product::PasswordManager) });
    assert!(failing.cannot_lower.is_some_and(|why| why.contains("Secret owner (ownerCredentialsSecretRef)")));
    assert_eq!((failing.read_only, failing.seats_fixed), (None, None));
}

#[test]
fn unreadable_pool_holds_only_decrease_of_another() {
    let unread = |product| {
        let row = Some(OrganizationRow::of([(Some(100), None), (Some(-1), None), (Some(50), None)]));
        Seen { row, ..seen(product) }.snapshot()
    };
    let (passwords, machines) = (unread(Product::PasswordManager), unread(Product::MachineAccounts));
    assert_eq!(passwords.numbers().map(|numbers| numbers.seats), Some(100));
    assert!(passwords.rules.support.cannot_lower.is_some_and(|why| why.contains("Secrets Manager")));
    assert_eq!(machines.rules.support.cannot_lower, None);
}

#[test]
fn no_secrets_manager_seats_or_machine_accounts_are_shown_and_not_changed() {
    for product in [Product::SecretsManager, Product::MachineAccounts] {
        let row = Some(OrganizationRow::of([(Some(100), None), (Some(0), None), (Some(0), None)]));
        let snapshot = Seen { row, ..seen(product) }.snapshot();
        assert_eq!(snapshot.numbers().map(|numbers| numbers.seats), Some(0), "{product:?}");
        assert!(snapshot.rules.support.read_only.is_some_and(|why| why.contains(product.name())));
    }
}

#[test]
fn seats_go_by_totals_where_an_organization_key_can_carry_the_change() {
    assert_eq!(support(seen(Product::PasswordManager)).differences, Differences::WithoutLimit);
    let alone = Seen { organization_key: false, ..seen(Product::PasswordManager) };
    assert_eq!(support(alone).differences, Differences::Always);
}

#[test]
fn no_key_reads_or_writes_seats_without_count_and_use_is_still_shown() {
    let row = Some(OrganizationRow::of([(None, None); 3]));
    let active = json!({ "status": "active" });
    let snapshot = Seen { row, ..viewed(Product::PasswordManager, Standing::Owner, &active) }.snapshot();
    assert!(matches!(snapshot.model, Model::Uncounted(_)), "{:?}", snapshot.model);
    assert_eq!(snapshot.usage, Usage::Exact(80));
    assert_eq!(snapshot.capabilities.len(), 2);
    for key in snapshot.capabilities {
        let seats = [Capability::ReadSeats, Capability::WriteSeats];
        assert!(!key.allows.iter().any(|allows| seats.contains(allows)), "{key:?}");
    }
}
