//! What a user's key can read (docs/vendors/bitwarden.md, "The owner API").

use serde_json::{Value, json};
use vendor_sim::{Organization, PlanType, PriceMigration, Provider, Role, SubscriptionStatus};

use crate::{
    Bench, example,
    people::{Person, owner_api_error},
};

#[tokio::test]
async fn owner_reads_seats_caps_and_plan() {
    let bench = Bench::new(example().secrets_manager(20, 50).sm_limit(30)).await;
    let (status, o) = bench.owner().await.get("").await;
    assert_eq!(status, 200);
    for (field, expected) in [
        ("object", json!("organization")),
        ("id", json!(bench.key.id)),
        ("seats", json!(100)),
        ("maxAutoscaleSeats", json!(120)),
        ("maxStorageGb", json!(1)),
        ("smSeats", json!(20)),
        ("maxAutoscaleSmSeats", json!(30)),
        ("smServiceAccounts", json!(50)),
        ("maxAutoscaleSmServiceAccounts", Value::Null),
        ("planType", json!(20)),
        ("useSecretsManager", json!(true)),
        ("secretsManagerPlan", Value::Null),
    ] {
        assert_eq!(o.get(field), Some(&expected), "{field}");
    }
    assert_eq!(o["plan"]["passwordManager"]["allowSeatAutoscale"], true);
    assert_eq!((&o["plan"]["secretsManager"]["baseServiceAccount"], &o["plan"]["hasApi"]), (&json!(50), &json!(false)));
}

#[tokio::test]
async fn unknown_plan_has_no_details_and_no_subscription_page() {
    let bench = Bench::new(example().plan(PlanType::Custom)).await;
    let owner = bench.owner().await;
    let (status, o) = owner.get("").await;
    assert_eq!((status, &o["plan"]["type"], &o["plan"]["passwordManager"]), (200, &json!(6), &Value::Null));
    assert_eq!(owner.get("/subscription").await, (404, owner_api_error("Resource not found.")));
    bench.bw.set_plan(&bench.key.id, PlanType::TeamsAnnually);
    assert_eq!(owner.get("/subscription").await.0, 200);
}

#[tokio::test]
async fn subscription_shows_bill_apart_from_seats() {
    let bench = Bench::new(example().plan(PlanType::Teams2019).seats(20).limit(None).members(3).storage(3)).await;
    let owner = bench.owner().await;
    bench.bw.force_row(&bench.key.id, Some(30), None);
    let (status, o) = owner.get("/subscription").await;
    assert_eq!((status, &o["object"], &o["seats"]), (200, &json!("organizationSubscription"), &json!(30)));
    let items = o["subscription"]["items"].as_array().unwrap();
    let quantity = |name: &str| items.iter().find(|i| i["name"] == name).map(|i| i["quantity"].clone());
    assert_eq!(quantity("teams-org-seat-annually"), Some(json!(15)), "20 billed, 5 of them included");
    assert_eq!(quantity("teams-org-annually"), Some(json!(1)));
    assert_eq!(quantity("storage-gb-annually"), Some(json!(2)));
    assert!(items.iter().all(|i| i["interval"] == "year" && i["sponsoredSubscriptionItem"] == false));
    assert_eq!(o["upcomingInvoice"]["amount"], 60.0 + 15.0 * 48.0 + 8.0);
    assert!(o.get("occupiedSeats").is_none() && o["pendingAnnualUpgrade"].is_null());

    // While a schedule is attached, future prices are shown instead.
    let future = PriceMigration { name: "2023-teams-org-seat-annually".into(), amount: 48.0, quantity: 20 };
    bench.bw.change_terms(&bench.key.id, |t| t.price_migration = Some(future));
    let (_, o) = owner.get("/subscription").await;
    let items = o["subscription"]["items"].as_array().unwrap();
    assert!(items.iter().any(|i| i["quantity"] == 20) && !items.iter().any(|i| i["quantity"] == 15), "{items:?}");
}

#[tokio::test]
async fn every_state_of_a_subscription_can_be_read() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let read = async || owner.get("/subscription").await.1;
    for (status, name, cancelled) in [
        (SubscriptionStatus::Trialing, "trialing", false),
        (SubscriptionStatus::Active, "active", false),
        (SubscriptionStatus::PastDue, "past_due", false),
        (SubscriptionStatus::Incomplete, "incomplete", false),
        (SubscriptionStatus::IncompleteExpired, "incomplete_expired", true),
        (SubscriptionStatus::Unpaid, "unpaid", true),
        (SubscriptionStatus::Canceled, "canceled", true),
    ] {
        bench.bw.set_subscription_status(&bench.key.id, status);
        let o = read().await;
        assert_eq!((&o["subscription"]["status"], &o["subscription"]["cancelled"]), (&json!(name), &json!(cancelled)));
        assert_eq!(o["upcomingInvoice"].is_null(), cancelled || name == "incomplete", "{name}");
    }
    let o = read().await;
    assert!(o["subscription"]["cancelledDate"].is_string() && o["subscription"]["trialEndDate"].is_string());

    bench.bw.set_subscription_status(&bench.key.id, SubscriptionStatus::Active);
    let end = "2027-01-15T00:00:00Z".parse().unwrap();
    bench.bw.change_terms(&bench.key.id, |t| {
        (t.period_end, t.cancelled_at, t.suspension, t.send_invoice) = (end, None, Some(end), true);
    });
    let o = read().await["subscription"].take();
    let ends = "2027-01-15T00:00:00Z";
    assert_eq!(
        (&o["periodEndDate"], &o["suspensionDate"], &o["cancelledDate"]),
        (&json!(ends), &json!(ends), &Value::Null)
    );
    assert_eq!((&o["collectionMethod"], &o["gracePeriod"]), (&json!("send_invoice"), &json!(14)));
    assert_eq!(o["cancelAtEndDate"], false);
    bench.bw.change_terms(&bench.key.id, |t| t.cancel_at_period_end = true);
    let o = read().await;
    assert_eq!((&o["subscription"]["cancelAtEndDate"], &o["upcomingInvoice"]), (&json!(true), &Value::Null));
    bench.bw.change_terms(&bench.key.id, |t| t.cancel_at_period_end = false);
    assert!(read().await["upcomingInvoice"].is_object());
    bench.bw.change_terms(&bench.key.id, |t| t.preview_fails = true);
    assert!(read().await["upcomingInvoice"].is_null());
}

#[tokio::test]
async fn organization_without_a_subscription_shows_none() {
    let free =
        Organization::enterprise("x").plan(PlanType::Free).seats(2).stripe_customer(false).stripe_subscription(false);
    let bench = Bench::new(example()).await;
    let key = bench.bw.add_organization(free);
    let mut person = bench.owner().await;
    bench.bw.set_role(&person.key.user_id, &key.id, Role::Owner);
    person.login().await;
    let (status, text) = person.raw("GET", &format!("/organizations/{}/subscription", key.id), None).await;
    let o: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 200);
    for field in ["subscription", "upcomingInvoice", "customerDiscount", "smServiceAccountsGrace"] {
        assert_eq!(o.get(field), Some(&Value::Null), "{field}");
    }
    // A subscription the row names and Stripe does not know is a failure.
    bench.bw.set_stripe(&bench.key.id, true, true, None);
    let wrong = owner_api_error("Something went wrong with your request. Please contact support.");
    assert_eq!(person.get("/subscription").await, (500, wrong));
    assert_eq!(person.get("").await.0, 200, "this read does not ask Stripe");
}

#[tokio::test]
async fn any_confirmed_member_reads_exact_usage() {
    let bench =
        Bench::new(example().members(70).invited(5).accepted(2).revoked(9).staged(4).sponsored_families(3)).await;
    let expected = json!({ "isOnSecretsManagerStandalone": false, "organizationOccupiedSeats": 80 });
    for role in [Role::Owner, Role::Admin, Role::User, Role::Custom] {
        let person = bench.person(role).await;
        assert_eq!(person.get("/billing/vnext/metadata").await, (200, expected.clone()), "{role:?}");
    }
    bench.bw.set_stripe(&bench.key.id, true, true, None);
    let member = bench.person(Role::User).await;
    assert_eq!(member.get("/billing/vnext/metadata").await, (200, expected), "Stripe's errors do not matter here");
    bench.bw.set_stripe(&bench.key.id, true, true, Some(SubscriptionStatus::Active));
    bench.bw.change_terms(&bench.key.id, |t| t.secrets_manager_standalone = true);
    assert_eq!(member.get("/billing/vnext/metadata").await.1["isOnSecretsManagerStandalone"], true);

    let mut stranger = Person { bench: &bench, key: bench.bw.add_user(), token: String::new() };
    stranger.login().await;
    assert_eq!(
        stranger.raw("GET", &format!("/organizations/{}/billing/vnext/metadata", bench.key.id), None).await,
        (403, String::new())
    );
    bench.bw.delete_organization(&bench.key.id);
    assert_eq!(member.get("/billing/vnext/metadata").await, (404, owner_api_error("Organization not found.")));
}

#[tokio::test]
async fn owner_previews_a_bill_and_nothing_is_changed() {
    let bench = Bench::new(example()).await;
    let path = format!("/billing/preview-invoice/organizations/{}/subscription/update", bench.key.id);
    let owner = bench.owner().await;
    let ask = async |person: &Person<'_>, body: &str| person.raw("PUT", &path, Some(body)).await;
    let both = r#"{"update":{"passwordManager":{"seats":160},"secretsManager":{"seats":25}}}"#;
    let one = r#"{"update":{"passwordManager":{"seats":160}}}"#;
    let amounts = |total: f64| (200, json!({ "tax": 0.0, "total": total }));
    for (body, total) in [(both, 160.0 * 72.0 + 25.0 * 144.0), (one, 160.0 * 72.0)] {
        let (status, text) = ask(&owner, body).await;
        assert_eq!((status, serde_json::from_str(&text).unwrap_or_default()), amounts(total), "{body}");
    }
    for (seats, status) in [(0, 400), (1, 200), (100_000, 200), (100_001, 400)] {
        let body = format!(r#"{{"update":{{"passwordManager":{{"seats":{seats}}}}}}}"#);
        assert_eq!(ask(&owner, &body).await.0, status, "{seats}: ranges are looked at, and not the use");
    }
    let admin = bench.person(Role::Admin).await;
    assert_eq!(ask(&admin, one).await, (403, String::new()));
    assert!(bench.bw.ledger(&bench.key.id).is_empty(), "nothing is changed");
    bench.bw.set_stripe(&bench.key.id, true, false, None);
    let none = owner_api_error("Organization does not have a subscription.");
    let (status, text) = ask(&owner, one).await;
    assert_eq!((status, serde_json::from_str(&text).unwrap_or_default()), (400, none));
}

#[tokio::test]
async fn admin_gets_404_on_billing_and_other_answers_elsewhere() {
    let bench = Bench::new(example()).await;
    let not_found = owner_api_error("Resource not found.");
    for role in [Role::Admin, Role::User, Role::Custom] {
        let person = bench.person(role).await;
        assert_eq!(person.get("").await, (404, not_found.clone()));
        assert_eq!(person.get("/subscription").await, (404, not_found.clone()));
        for (action, body) in [
            ("/seat", json!({ "seatAdjustment": 1 })),
            ("/subscription", json!({ "seatAdjustment": 1, "maxAutoscaleSeats": 120 })),
            ("/sm-subscription", json!({})),
            ("/storage", json!({ "storageGbAdjustment": 1 })),
        ] {
            assert_eq!(person.post(action, body).await, (404, not_found.clone()), "{action}");
        }
        assert_eq!(person.get("/billing").await, (401, owner_api_error("Unauthorized.")));
        let rename = person.raw("PUT", &format!("/organizations/{}", bench.key.id), Some(r#"{"name":"x"}"#)).await;
        assert_eq!(rename, (401, String::new()));
        let members = if role == Role::Admin { 200 } else { 404 };
        assert_eq!(person.get("/users").await.0, members);
    }
    let owner = bench.owner().await;
    let rename =
        owner.raw("PUT", &format!("/organizations/{}", bench.key.id), Some(r#"{"name":"New","seats":1}"#)).await;
    let renamed: Value = serde_json::from_str(&rename.1).unwrap();
    assert_eq!((rename.0, &renamed["name"], &renamed["seats"]), (200, &json!("New"), &json!(100)));
    assert_eq!(owner.get("/billing").await.1["paymentSource"]["cardBrand"], "visa");
    assert_eq!(owner.get("/users").await.1["data"].as_array().unwrap().len(), 80);
    assert_eq!((bench.bw.puts(&bench.key.id), bench.bw.writes(&bench.key.id)), (0, 12), "renaming buys nothing");
    assert!(bench.bw.ledger(&bench.key.id).is_empty());
}

#[tokio::test]
async fn provider_decides_rights_to_see_and_change_seats() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let provider = bench.person(Role::ProviderUser).await;
    let view = async |person: &Person<'_>| person.get("/subscription").await;
    // Provider, owner views, owner edits, provider's user views and edits.
    for (managed, views, edits, works) in [
        (None, 200, 200, 404),
        (Some(Provider::Msp), 404, 404, 200),
        (Some(Provider::BusinessUnit), 404, 404, 200),
        (Some(Provider::Reseller), 200, 404, 200),
    ] {
        bench.bw.set_provider(&bench.key.id, managed);
        let change = json!({ "seatAdjustment": 1 });
        assert_eq!(view(&owner).await.0, views, "{managed:?}");
        assert_eq!(owner.post("/seat", change.clone()).await.0, edits, "{managed:?}");
        assert_eq!(view(&provider).await.0, works, "{managed:?}");
        assert_eq!(provider.post("/seat", change).await.0, works, "{managed:?}");
        assert_eq!(owner.get("").await.0, 200, "the cheap read needs only the role");
        let usage = if works == 200 { 200 } else { 403 };
        assert_eq!(provider.get("/billing/vnext/metadata").await.0, usage);
    }
    let (_, less) = view(&owner).await;
    assert_eq!(
        (&less["billingEmail"], &less["subscription"]["items"], &less["upcomingInvoice"]["amount"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!((&less["subscription"]["status"], &less["seats"]), (&json!("active"), &json!(104)));
    let (_, all) = view(&provider).await;
    assert!(all["billingEmail"].is_string() && all["upcomingInvoice"]["amount"].is_number());
}

#[tokio::test]
async fn list_of_organizations_has_no_caps_and_may_repeat_itself() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let list = async || -> Vec<Value> {
        let (status, text) = owner.raw("GET", "/organizations", None).await;
        assert_eq!(status, 200);
        serde_json::from_str::<Value>(&text).unwrap()["data"].as_array().unwrap().clone()
    };
    let one = list().await;
    assert_eq!((one.len(), &one[0]["id"], &one[0]["seats"]), (1, &json!(bench.key.id), &json!(100)));
    assert_eq!((&one[0]["object"], &one[0]["productTierType"]), (&json!("profileOrganization"), &json!(3)));
    assert!(one[0].get("maxAutoscaleSeats").is_none() && one[0]["key"].as_str().unwrap().starts_with("4."));
    bench.bw.set_sponsored_families(&bench.key.id, 2);
    assert_eq!(list().await.len(), 2);
}

#[tokio::test]
async fn plans_are_open_and_routes_are_strict() {
    let bench = Bench::new(example()).await;
    let url = format!("{}/api/plans", bench.sim.url());
    let plans: Value = bench.client.get(&url).send().await.unwrap().json().await.unwrap();
    let teams = plans["data"].as_array().unwrap().iter().find(|p| p["type"] == 17).unwrap();
    assert_eq!((&teams["isAnnual"], &teams["secretsManager"]["baseServiceAccount"]), (&json!(false), &json!(20)));
    assert!(!plans["data"].as_array().unwrap().iter().any(|p| p["type"] == 6), "nobody knows Custom");

    let owner = bench.owner().await;
    let seat = Some(r#"{"seatAdjustment":1}"#);
    assert_eq!(owner.raw("POST", "/organizations/nonsense/seat", seat).await, (404, String::new()));
    assert_eq!(owner.raw("GET", "/organizations/nonsense/subscription", None).await, (404, String::new()));
    assert_eq!(owner.raw("GET", "/organizations/nonsense", None).await.0, 500);
    assert_eq!(owner.raw("POST", "/organizations/nonsense/sm-subscription", Some("{}")).await.0, 400);
    let storage = Some(r#"{"storageGbAdjustment":1}"#);
    assert_eq!(owner.raw("POST", "/organizations/nonsense/storage", storage).await.0, 500);
    assert_eq!(
        owner.raw("GET", &format!("/organizations/{}/license2", bench.key.id), None).await,
        (404, String::new())
    );

    let seat_url = format!("{}/api/organizations/{}/seat", bench.sim.url(), bench.key.id);
    let wrong = bench.client.put(&seat_url).send().await.unwrap();
    assert_eq!(
        (wrong.status().as_u16(), &wrong.headers()["allow"]),
        (405, &"POST".parse().unwrap()),
        "before the token"
    );
    let text = bench.client.post(&seat_url).bearer_auth(&owner.token).body("{}").send().await.unwrap();
    assert_eq!((text.status().as_u16(), text.text().await.unwrap().as_str()), (415, ""));
}
