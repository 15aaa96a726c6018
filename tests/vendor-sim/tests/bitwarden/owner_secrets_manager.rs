//! Secrets Manager through both APIs (docs/vendors/bitwarden.md, "The Secrets Manager POST" and
//! "Rules of Secrets Manager").

use serde_json::json;
use vendor_sim::{Actor, Fault, FaultKind, Organization, PlanType};

use crate::{Bench, example};

fn with_sm() -> Organization {
    example().secrets_manager(20, 60).sm_members(10).machine_accounts_used(55)
}

/// Seats and cap, machine accounts and cap.
fn numbers(bench: &Bench) -> [Option<i32>; 4] {
    let v = bench.bw.organization(&bench.key.id);
    [v.sm_seats, v.sm_limit, v.service_accounts, v.service_account_limit]
}

#[tokio::test]
async fn counts_are_relative_and_missing_caps_are_cleared() {
    let bench = Bench::new(with_sm().sm_limit(30).service_account_limit(80)).await;
    let owner = bench.owner().await;
    let both = json!({
        "seatAdjustment": 2, "maxAutoscaleSeats": 40, "serviceAccountAdjustment": 5, "maxAutoscaleServiceAccounts": 90,
    });
    let (status, profile) = owner.post("/sm-subscription", both).await;
    assert_eq!((status, &profile["object"]), (200, &json!("profileOrganization")));
    assert_eq!(numbers(&bench), [Some(22), Some(40), Some(65), Some(90)]);
    let billed = bench.bw.organization(&bench.key.id).billed;
    assert_eq!((billed.sm_seats, billed.service_accounts), (Some(22), Some(65)));
    assert_eq!(owner.post("/sm-subscription", json!({})).await.0, 200);
    assert_eq!(numbers(&bench), [Some(22), None, Some(65), None]);
    let entries = bench.bw.ledger(&bench.key.id);
    assert!(entries.iter().all(|e| e.who == Actor::OwnerWrite));
    assert_eq!(bench.bw.writes(&bench.key.id), 2);
}

#[tokio::test]
async fn first_failing_rule_is_named() {
    let bench = Bench::new(with_sm()).await;
    let owner = bench.owner().await;
    for (body, text) in [
        (json!({ "seatAdjustment": 1, "maxAutoscaleSeats": 20 }), "Cannot set max seat autoscaling below seat count."),
        (json!({ "seatAdjustment": -20 }), "You must have at least 1 Secrets Manager seat."),
        (
            json!({ "seatAdjustment": -11 }),
            "10 users are currently occupying Secrets Manager seats. You cannot decrease your subscription below your \
             current occupied seat count.",
        ),
        (json!({ "seatAdjustment": 81 }), "You cannot have more Secrets Manager seats than Password Manager seats."),
        (json!({ "serviceAccountAdjustment": -11 }), "Plan has a minimum of 50 machine accounts."),
        (
            json!({ "serviceAccountAdjustment": -6 }),
            "Your organization currently has 55 machine accounts. You cannot decrease your subscription below your \
             current machine account usage.",
        ),
        (
            json!({ "maxAutoscaleSeats": 19 }),
            "Cannot set max Secrets Manager seat autoscaling below current Secrets Manager seat count.",
        ),
        (
            json!({ "maxAutoscaleServiceAccounts": 59 }),
            "Cannot set max machine accounts autoscaling below current machine accounts count.",
        ),
    ] {
        assert_eq!(owner.refused("/sm-subscription", body).await, (400, text.to_owned()));
    }
    assert!(bench.bw.ledger(&bench.key.id).is_empty());
    assert_eq!(bench.bw.remove_machine_accounts(&bench.key.id, 5), 5);
    assert_eq!(owner.post("/sm-subscription", json!({ "serviceAccountAdjustment": -10 })).await.0, 200);
}

#[tokio::test]
async fn without_access_or_without_limits_every_write_is_refused() {
    for (organization, text) in [
        (example(), "Organization has no access to Secrets Manager."),
        (
            example().secrets_manager(None, 50),
            "Organization has no Secrets Manager seat limit, no need to adjust seats",
        ),
        (
            example().secrets_manager(5, None),
            "Organization has no machine accounts limit, no need to adjust machine accounts",
        ),
    ] {
        let bench = Bench::new(organization).await;
        let owner = bench.owner().await;
        assert_eq!(owner.refused("/sm-subscription", json!({})).await, (400, text.into()), "even if nothing changes");
    }
    let bench =
        Bench::new(example().plan(PlanType::Families).use_api(true).seats(6).members(2).secrets_manager(1, 1)).await;
    let owner = bench.owner().await;
    let none = (404, "Resource not found.".to_owned());
    assert_eq!(owner.refused("/sm-subscription", json!({ "seatAdjustment": 1 })).await, none, "the plan has none");
}

#[tokio::test]
async fn standalone_discount_makes_password_manager_follow_and_lose_cap() {
    let bench = Bench::new(with_sm().limit(120)).await;
    let owner = bench.owner().await;
    let pm = || {
        let v = bench.bw.organization(&bench.key.id);
        (v.seats, v.limit)
    };
    assert_eq!(owner.post("/sm-subscription", json!({ "seatAdjustment": 5 })).await.0, 200);
    assert_eq!(pm(), (Some(100), Some(120)), "without the discount nothing follows");
    bench.bw.change_terms(&bench.key.id, |t| t.secrets_manager_standalone = true);
    assert_eq!(owner.get("/subscription").await.1["customerDiscount"]["active"], true);
    assert_eq!(owner.post("/sm-subscription", json!({ "serviceAccountAdjustment": 1 })).await.0, 200);
    assert_eq!(pm(), (Some(100), Some(120)), "only seats pull");
    assert_eq!(owner.post("/sm-subscription", json!({ "seatAdjustment": 5 })).await.0, 200);
    assert_eq!((pm(), numbers(&bench)[0]), ((Some(105), None), Some(30)));
    bench.bw.inject(Fault::on_owner_write(FaultKind::HalfSecretsManager));
    assert_eq!(owner.post("/sm-subscription", json!({ "seatAdjustment": 5 })).await.0, 500);
    assert_eq!((pm(), numbers(&bench)[0]), ((Some(110), None), Some(30)), "one half of it");
}

#[tokio::test]
async fn machine_accounts_and_members_pull_their_numbers_up_to_the_cap() {
    let bench = Bench::new(with_sm().sm_limit(22).service_account_limit(61)).await;
    let (bw, id) = (&bench.bw, bench.key.id.as_str());
    assert!(bw.add_machine_accounts(id, 5), "there is room");
    assert!(bw.ledger(id).is_empty());
    assert!(bw.add_machine_accounts(id, 1));
    assert!(!bw.add_machine_accounts(id, 1), "the cap is 61");
    assert_eq!(bw.last_refusal(id).unwrap().refusal.rule, "S12");
    assert!(bw.grant_secrets_manager(id, 12) && !bw.grant_secrets_manager(id, 1));
    assert_eq!(bw.last_refusal(id).unwrap().refusal.rule, "S5");
    let view = bw.organization(id);
    assert_eq!((view.sm_seats, view.sm_occupied, view.billed.sm_seats), (Some(22), 22, Some(22)));
    assert_eq!((view.service_accounts, view.machine_accounts_used), (Some(61), 61));
    assert!(bw.ledger(id).iter().all(|e| e.who == Actor::Autoscale));
    assert!(!bw.grant_secrets_manager(id, 59), "there are not so many members");
}

#[tokio::test]
async fn both_apis_write_the_same_numbers() {
    let bench = Bench::new(with_sm()).await;
    let owner = bench.owner().await;
    assert_eq!(bench.put(r#"{"secretsManager":{"seats":25,"serviceAccounts":70}}"#).await.0, 200);
    assert_eq!(owner.post("/sm-subscription", json!({ "seatAdjustment": -5, "maxAutoscaleSeats": 30 })).await.0, 200);
    let (_, text) = bench.get().await;
    let expected = r#""secretsManager":{"seats":20,"maxAutoScaleSeats":30,"serviceAccounts":70,"#;
    assert!(text.contains(expected), "{text}");
    assert_eq!(owner.get("").await.1["smSeats"], 20);
    // Lowering both: Secrets Manager first, or the Password Manager part is refused.
    assert_eq!(owner.post("/sm-subscription", json!({ "seatAdjustment": 70 })).await.0, 200);
    let order = "You cannot have more Secrets Manager seats than Password Manager seats.";
    assert_eq!(owner.refused("/seat", json!({ "seatAdjustment": -20 })).await, (400, order.into()));
    assert_eq!(owner.post("/sm-subscription", json!({ "seatAdjustment": -70 })).await.0, 200);
    assert_eq!(owner.post("/seat", json!({ "seatAdjustment": -20 })).await.0, 200);
}
