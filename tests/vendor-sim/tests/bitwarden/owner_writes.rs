//! Seats and cap through the owner API (docs/vendors/bitwarden.md, "The seat POST", "The subscription POST of the owner API"
//! and "Rules of a change").

use serde_json::{Value, json};
use vendor_sim::{Actor, BillingPath, Fault, FaultKind, PlanType, Role, Step, SubscriptionStatus};

use crate::{
    Bench, example,
    people::{model_error, owner_api_error},
};

const WENT_WRONG: &str = "Something went wrong with your request. Please contact support.";

#[tokio::test]
async fn seat_adjustment_is_relative_and_ignores_the_cap() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let payment =
        json!({ "object": "payment", "userProfile": null, "paymentIntentClientSecret": null, "success": true });
    for total in [115, 130] {
        assert_eq!(owner.post("/seat", json!({ "seatAdjustment": 15 })).await, (200, payment.clone()));
        assert_eq!(bench.seats(), (Some(total), Some(total)), "the same request again buys again");
    }
    assert_eq!(bench.bw.organization(&bench.key.id).limit, Some(120), "now below the seats");
    assert_eq!(bench.put_seats(131).await.0, 500, "which the organization API does not forgive");
    assert_eq!(bench.refusal(), "U1");
    assert_eq!(owner.post("/seat", json!({ "seatAdjustment": -30 })).await, (200, payment));
    assert_eq!(bench.seats(), (Some(100), Some(100)));
    let steps: Vec<_> = bench.bw.ledger(&bench.key.id).iter().map(|e| (e.who, e.step)).collect();
    let one = [(Actor::OwnerWrite, Step::Billed), (Actor::OwnerWrite, Step::Row)];
    assert_eq!(steps, one.repeat(3));
    assert_eq!((bench.bw.puts(&bench.key.id), bench.bw.writes(&bench.key.id)), (1, 4));
}

#[tokio::test]
async fn seat_adjustment_must_be_present_and_not_zero() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let zero = model_error("SeatAdjustment", "Seat adjustment cannot be 0.");
    let missing = model_error("SeatAdjustment", "The SeatAdjustment field is required.");
    assert_eq!(owner.post("/seat", json!({ "seatAdjustment": 0 })).await, (400, zero));
    assert_eq!(owner.post("/seat", json!({})).await, (400, missing.clone()));
    assert_eq!(owner.post("/seat", json!({ "seatAdjustment": null })).await, (400, missing));
    let (status, wrong) = owner.post("/seat", json!({ "seatAdjustment": 1.5 })).await;
    assert_eq!((status, wrong["validationErrors"]["$.seatAdjustment"].is_array()), (400, true), "{wrong}");
    let empty = model_error("", "A non-empty request body is required.");
    assert_eq!(owner.post("/seat", Value::Null).await, (400, empty));
    assert!(bench.bw.ledger(&bench.key.id).is_empty());
}

#[tokio::test]
async fn subscription_write_sets_seats_by_a_delta_and_the_cap_absolutely() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let limit = || bench.bw.organization(&bench.key.id).limit;
    let (status, profile) = owner.post("/subscription", json!({ "seatAdjustment": 5, "maxAutoscaleSeats": 130 })).await;
    assert_eq!((status, &profile["object"], &profile["seats"]), (200, &json!("profileOrganization"), &json!(105)));
    assert!(profile.get("maxAutoscaleSeats").is_none(), "the answer has no cap");
    assert_eq!((bench.seats(), limit()), ((Some(105), Some(105)), Some(130)));
    // Names in any case, numbers as strings, no adjustment at all.
    assert_eq!(owner.post("/subscription", json!({ "MAXAUTOSCALESEATS": "140" })).await.0, 200);
    assert_eq!((bench.seats().0, limit()), (Some(105), Some(140)));
    for cleared in [json!({ "seatAdjustment": 0, "maxAutoscaleSeats": null }), json!({ "seatAdjustment": -5 })] {
        assert_eq!(owner.post("/subscription", cleared).await.0, 200);
        assert_eq!(limit(), None, "null and missing clear the cap");
        bench.bw.set_limit(&bench.key.id, Some(150)).unwrap();
    }
    assert_eq!(bench.seats(), (Some(100), Some(100)));
    let (status, _) = owner.post("/subscription", json!({ "seatAdjustment": null })).await;
    assert_eq!(status, 400, "null is not a missing number");
    assert_eq!(limit(), Some(150));
}

#[tokio::test]
async fn first_failing_rule_is_named() {
    let bench = Bench::new(example().secrets_manager(90, 50)).await;
    let owner = bench.owner().await;
    let below = "Cannot set max seat autoscaling below seat count.";
    let filled =
        "Your organization currently has 80 seats filled. Your new plan only has (79) seats. Remove some users.";
    for (action, body, text) in [
        ("/subscription", json!({ "seatAdjustment": 21, "maxAutoscaleSeats": 120 }), below),
        ("/subscription", json!({ "maxAutoscaleSeats": -1 }), below),
        ("/subscription", json!({ "seatAdjustment": -21, "maxAutoscaleSeats": 120 }), filled),
        ("/seat", json!({ "seatAdjustment": -21 }), filled),
        ("/seat", json!({ "seatAdjustment": -100 }), "You must have at least 1 seat."),
        ("/seat", json!({ "seatAdjustment": -101 }), "Plan has a minimum of 0 seats."),
        (
            "/seat",
            json!({ "seatAdjustment": -11 }),
            "You cannot have more Secrets Manager seats than Password Manager seats.",
        ),
    ] {
        assert_eq!(owner.refused(action, body).await, (400, text.to_owned()));
    }
    assert_eq!(bench.refusal(), "A10");
    bench.bw.set_stripe(&bench.key.id, true, false, None);
    let up = json!({ "seatAdjustment": 1 });
    assert_eq!(owner.refused("/seat", up.clone()).await, (400, "No subscription found.".into()));
    bench.bw.set_stripe(&bench.key.id, false, false, None);
    assert_eq!(owner.refused("/seat", up.clone()).await, (400, "No payment method found.".into()));
    assert_eq!(owner.post("/subscription", json!({ "maxAutoscaleSeats": 125 })).await.0, 200, "a cap needs no payment");
    bench.bw.force_row(&bench.key.id, None, None);
    let unlimited = "Organization has no seat limit, no need to adjust seats";
    assert_eq!(owner.refused("/seat", up.clone()).await, (400, unlimited.into()));
    bench.bw.delete_organization(&bench.key.id);
    assert_eq!(owner.post("/seat", up).await, (404, owner_api_error("Resource not found.")));
}

#[tokio::test]
async fn plans_that_do_not_scale_refuse_seats_and_caps() {
    let bench = Bench::new(example().plan(PlanType::TeamsStarter).seats(10).limit(None).members(3)).await;
    let owner = bench.owner().await;
    let seats = "Plan does not allow additional seats.";
    assert_eq!(owner.refused("/seat", json!({ "seatAdjustment": 1 })).await, (400, seats.into()));
    let cap = "Your plan does not allow seat autoscaling.";
    assert_eq!(owner.refused("/subscription", json!({ "maxAutoscaleSeats": 10 })).await, (400, cap.into()));
    bench.bw.set_plan(&bench.key.id, PlanType::Custom);
    assert_eq!(owner.refused("/seat", json!({ "seatAdjustment": 1 })).await, (404, "Resource not found.".into()));
}

#[tokio::test]
async fn refused_cap_leaves_the_seats_that_were_just_bought() {
    let bench = Bench::new(example().plan(PlanType::Teams2019).seats(20).limit(None).members(3)).await;
    let owner = bench.owner().await;
    let (status, text) = owner.refused("/subscription", json!({ "seatAdjustment": 5, "maxAutoscaleSeats": 30 })).await;
    assert_eq!(status, 400);
    assert!(text.starts_with("Your plan has a seat limit of 5, but you have specified a max autoscale count of 30."));
    assert_eq!(bench.seats(), (Some(25), Some(25)), "400, and bought");
}

#[tokio::test]
async fn ended_subscriptions_answer_by_billing_path() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let inactive = "You do not have an active subscription. Reinstate your subscription to make changes.";
    let status = "Your subscription cannot be updated in its current status.";
    for (path, state, expected) in [
        (BillingPath::Legacy, Some(SubscriptionStatus::Canceled), (400, inactive)),
        (BillingPath::Legacy, Some(SubscriptionStatus::PastDue), (200, "")),
        (BillingPath::Legacy, None, (500, WENT_WRONG)),
        (BillingPath::New, Some(SubscriptionStatus::Canceled), (500, status)),
        (BillingPath::New, Some(SubscriptionStatus::Incomplete), (500, status)),
        (BillingPath::New, Some(SubscriptionStatus::Trialing), (200, "")),
        (BillingPath::New, None, (500, "We couldn't find your subscription.")),
    ] {
        bench.bw.switch(|s| s.billing_path = Some(path));
        bench.bw.set_stripe(&bench.key.id, true, true, state);
        let (code, answer) = owner.post("/seat", json!({ "seatAdjustment": 1 })).await;
        assert_eq!((code, answer["message"].as_str().unwrap_or_default()), expected, "{path:?} {state:?}");
    }
}

#[tokio::test]
async fn declined_card_changes_nothing_and_lost_invoice_is_still_billed() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let up = || json!({ "seatAdjustment": 5 });
    bench.bw.inject(Fault::on_owner_write(FaultKind::CardDeclined));
    let (status, declined) = owner.post("/seat", up()).await;
    assert_eq!((status, &declined["message"]), (400, &json!("Errors have occurred.")));
    assert_eq!(declined["validationErrors"]["payment_method"][0], "Your card was declined.");
    bench.bw.switch(|s| s.billing_path = Some(BillingPath::New));
    bench.bw.inject(Fault::on_owner_write(FaultKind::CardDeclined));
    assert_eq!(owner.refused("/seat", up()).await, (500, WENT_WRONG.into()));
    bench.bw.switch(|s| s.billing_path = Some(BillingPath::Legacy));
    assert_eq!(bench.seats(), (Some(100), Some(100)));
    bench.bw.inject(Fault::on_owner_write(FaultKind::DraftInvoiceLost));
    let lost = "Unable to locate draft invoice for subscription update.";
    assert_eq!(owner.refused("/seat", up()).await, (400, lost.into()));
    assert_eq!(bench.seats(), (Some(100), Some(105)), "a 400 that was billed");
}

#[tokio::test]
async fn storage_is_adjusted_by_gigabytes() {
    let bench = Bench::new(example().storage(5).storage_used(3)).await;
    let owner = bench.owner().await;
    let post = async |n: i32| owner.post("/storage", json!({ "storageGbAdjustment": n })).await;
    assert_eq!(post(2).await.1["success"], true);
    assert_eq!(post(0).await, (400, model_error("StorageGbAdjustment", "Storage adjustment cannot be 0.")));
    assert_eq!(post(94).await.1["message"], "Maximum storage is 100 GB.");
    let used = "You are currently using 3 GB of storage. Delete some stored data first.";
    assert_eq!(post(-5).await.1["message"], used);
    let view = bench.bw.organization(&bench.key.id);
    assert_eq!((view.storage_gb, view.billed.storage_gb), (Some(7), Some(7)));
}

#[tokio::test]
async fn applied_change_answers_500_to_some_callers() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let unhandled = owner_api_error("An unhandled server error has occurred.");
    let change = || json!({ "seatAdjustment": 1, "maxAutoscaleSeats": 120 });
    bench.bw.set_sponsored_families(&bench.key.id, 1);
    assert_eq!(owner.post("/subscription", change()).await.0, 200);
    bench.bw.set_sponsored_families(&bench.key.id, 2);
    assert_eq!(owner.post("/subscription", change()).await, (500, unhandled.clone()));
    assert_eq!(bench.seats(), (Some(102), Some(102)));
    bench.bw.set_sponsored_families(&bench.key.id, 0);
    bench.bw.set_provider(&bench.key.id, Some(vendor_sim::Provider::Reseller));
    let provider = bench.person(Role::ProviderUser).await;
    assert_eq!(provider.post("/subscription", change()).await, (500, unhandled));
    assert_eq!(provider.post("/seat", json!({ "seatAdjustment": 1 })).await.0, 200, "this answer needs no profile");
    assert_eq!(bench.seats(), (Some(104), Some(104)));
}

#[tokio::test]
async fn raising_seats_to_the_old_cap_mails_the_owners() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let mails = || bench.bw.organization(&bench.key.id).owner_mails;
    owner.post("/subscription", json!({ "seatAdjustment": 10, "maxAutoscaleSeats": 110 })).await;
    assert_eq!(mails(), 0, "moved together");
    bench.bw.set_limit(&bench.key.id, Some(115)).unwrap();
    owner.post("/seat", json!({ "seatAdjustment": 5 })).await;
    assert_eq!(mails(), 1);
    bench.bw.set_limit(&bench.key.id, None).unwrap();
    assert!(bench.bw.join(&bench.key.id, 40) && bench.bw.join(&bench.key.id, 1));
    assert_eq!(mails(), 2, "the first autoscale, once");
}

#[tokio::test]
async fn new_billing_path_cannot_grow_from_the_included_seats_again() {
    for (path, grown) in [(BillingPath::Legacy, 200), (BillingPath::New, 500)] {
        let bench = Bench::new(example().plan(PlanType::Teams2019).seats(8).limit(None).members(3)).await;
        let owner = bench.owner().await;
        bench.bw.switch(|s| s.billing_path = Some(path));
        assert_eq!(owner.post("/seat", json!({ "seatAdjustment": -3 })).await.0, 200);
        let (status, answer) = owner.post("/seat", json!({ "seatAdjustment": 1 })).await;
        assert_eq!(status, grown, "{answer}");
    }
}

#[tokio::test]
async fn without_prices_the_owner_api_fails_and_the_organization_api_does_not() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let (up, wrong) = (|| json!({ "seatAdjustment": 1 }), owner_api_error(WENT_WRONG));
    bench.bw.switch(|s| s.pricing_down = true);
    assert_eq!(owner.get("").await, (500, wrong.clone()));
    assert_eq!(owner.get("/subscription").await, (500, wrong.clone()));
    assert_eq!(owner.post("/seat", up()).await, (500, wrong));
    assert_eq!(bench.refusal(), "pricing");
    let limit = owner.refused("/subscription", json!({ "maxAutoscaleSeats": 99 })).await;
    assert_eq!(limit.0, 400, "this rule needs no plan");
    assert_eq!(bench.get().await.0, 200);
    assert_eq!(owner.get("/billing/vnext/metadata").await.0, 200);
    bench.bw.set_stripe(&bench.key.id, false, false, None);
    assert_eq!(owner.refused("/seat", up()).await, (400, "No payment method found.".into()));
    bench.bw.set_stripe(&bench.key.id, true, true, Some(SubscriptionStatus::Active));
    bench.bw.switch(|s| s.self_hosted = true);
    assert_eq!(owner.get("").await.0, 200, "a server of one's own asks nobody");
    bench.bw.switch(|s| (s.self_hosted, s.pricing_down) = (false, false));
    assert_eq!((owner.get("").await.0, owner.post("/seat", up()).await.0), (200, 200));
}

#[tokio::test]
async fn organizations_go_the_billing_paths_in_turns_unless_one_is_chosen() {
    let (bench, texts) = (Bench::new(example()).await, std::cell::RefCell::new(Vec::new()));
    let chosen = example().billing_path(BillingPath::New);
    for organization in [example(), example(), chosen] {
        let key = bench.bw.add_organization(organization);
        bench.bw.set_stripe(&key.id, true, true, Some(SubscriptionStatus::Unpaid));
        let outcome = bench.bw.set_seats(&key.id, 110);
        texts.borrow_mut().push(outcome.unwrap_err().status);
    }
    // The bench has one already, on the legacy path.
    assert_eq!(texts.into_inner(), [500, 400, 500]);
}
