//! What the subscription says of the license, and of what is billed (docs/vendors/bitwarden.md,
//! "The subscription GET of the owner API", "Self-hosted servers" and "A failure that was billed"). Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::owner::OwnerView;
use super::owner_api_fields::{Details, Item, Stripe};
use crate::api::{License, LicenseState};
use crate::clock;
use crate::vendors::date;

/// The license behind the seats, as far as it is shown.
pub(super) fn license(view: &OwnerView) -> Option<License> {
    let details = view.details.as_deref();
    let shown = match (details, view.self_hosted) {
        (Some(details), true) => license_file(details),
        (Some(details), false) => details.subscription.as_ref().and_then(subscription),
        (None, _) => None,
    };
    let disabled = License::of(LicenseState::Disabled);
    if view.enabled {
        shown
    } else {
        Some(shown.map_or(disabled.clone(), |shown| License { state: disabled.state, ..shown }))
    }
}

/// Whether one of the dates of a subscription that was read so long ago has come since.
pub(super) fn turned(details: &Details, age: Duration) -> bool {
    let now = clock::now();
    let since = |date: Timestamp| now.duration_since(date);
    let stripe = details.subscription.as_ref();
    let dates = stripe.map(|s| [&s.period_end_date, &s.cancelled_date, &s.suspension_date]);
    let mut ages = dates.into_iter().flatten().filter_map(|date| time(date.as_deref())).map(since);
    ages.any(|since| !since.is_negative() && Duration::try_from(since).is_ok_and(|since| since <= age))
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(date::utc)
}

/// On a self-hosted server the license file ends, after some grace.
fn license_file(details: &Details) -> Option<License> {
    let expires_at = time(details.expiration.as_deref()).map(Time)?;
    let period_end = time(details.expiration_without_grace_period.as_deref()).map(Time);
    Some(License { expires_at: Some(expires_at), period_end, ..License::of(LicenseState::Active) })
}

fn subscription(stripe: &Stripe) -> Option<License> {
    let state = match stripe.status.as_deref()? {
        "active" => LicenseState::Active,
        "trialing" => LicenseState::Trial,
        "past_due" => LicenseState::PastDue,
        "incomplete" => LicenseState::Pending,
        "incomplete_expired" => LicenseState::Expired,
        "canceled" => LicenseState::Canceled,
        "unpaid" | "paused" => LicenseState::Unpaid,
        _ => return None,
    };
    let period_end = time(stripe.period_end_date.as_deref());
    let ends = match state {
        LicenseState::Canceled => time(stripe.cancelled_date.as_deref()).or(period_end),
        // Canceled, but good until then.
        _ if stripe.cancel_at_end_date == Some(true) => period_end,
        LicenseState::PastDue => time(stripe.suspension_date.as_deref()),
        // What follows a trial is a subscription that is paid, or none.
        LicenseState::Trial => time(stripe.trial_end_date.as_deref()),
        _ => None,
    };
    Some(License { expires_at: ends.map(Time), period_end: period_end.map(Time), ..License::of(state) })
}

/// Password Manager seats that are billed: the plan's own and those beyond. `None` where the lines do not say it without
/// doubt: while a price migration is attached they show the future's.
pub(super) fn billed(details: &Details) -> Option<i32> {
    let plan = details.organization.plan.as_ref()?.password_manager.as_ref()?;
    let items = details.subscription.as_ref()?.items.as_ref()?;
    let is_seat = |item: &&Item| {
        let name = item.name.as_deref().unwrap_or_default();
        let extra = item.addon_subscription_item == Some(true) || item.sponsored_subscription_item == Some(true);
        name.contains("seat") && !name.contains("secrets-manager") && !extra
    };
    let seats: Vec<&Item> = items.iter().filter(is_seat).collect();
    let beyond = match seats[..] {
        [item] if item.amount.is_some() && item.amount == plan.seat_price => item.quantity?,
        _ => return None,
    };
    let included = plan.base_seats?;
    i32::try_from(beyond.checked_add(included)?).ok().filter(|_| beyond >= 0 && included >= 0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::super::owner::Standing;
    use super::*;

    fn view(details: Value) -> OwnerView {
        OwnerView {
            standing: Standing::Owner,
            enabled: true,
            row: None,
            used: None,
            standalone_secrets_manager: false,
            details: Some(Arc::new(serde_json::from_value(details).unwrap())),
            is_old: false,
            custom_plan: false,
            lacks: None,
            self_hosted: false,
        }
    }

    fn state(stripe: &Value) -> Option<(LicenseState, Option<String>)> {
        let license = license(&view(json!({ "seats": 100, "subscription": stripe })))?;
        Some((license.state, license.expires_at.map(|time| time.0.to_string())))
    }

    #[test]
    fn each_state_of_the_subscription_has_its_word_and_its_end() {
        let end = "2027-01-15T00:00:00Z";
        let ends = Some(end.to_owned());
        for (stripe, expected) in [
            (json!({ "status": "active", "periodEndDate": end }), Some((LicenseState::Active, None))),
            (
                json!({ "status": "active", "periodEndDate": end, "cancelAtEndDate": true }),
                Some((LicenseState::Active, ends.clone())),
            ),
            (json!({ "status": "trialing", "periodEndDate": end }), Some((LicenseState::Trial, None))),
            (
                json!({ "status": "trialing", "periodEndDate": "2028-01-01T00:00:00Z", "trialEndDate": end }),
                Some((LicenseState::Trial, ends.clone())),
            ),
            (json!({ "status": "past_due", "suspensionDate": end }), Some((LicenseState::PastDue, ends.clone()))),
            (json!({ "status": "incomplete" }), Some((LicenseState::Pending, None))),
            (json!({ "status": "incomplete_expired" }), Some((LicenseState::Expired, None))),
            (json!({ "status": "unpaid" }), Some((LicenseState::Unpaid, None))),
            (json!({ "status": "canceled", "cancelledDate": end }), Some((LicenseState::Canceled, ends))),
            (json!({ "status": "of a later year" }), None),
            (json!(null), None),
        ] {
            assert_eq!(state(&stripe), expected, "{stripe}");
        }
        let off = OwnerView { enabled: false, ..view(json!({ "seats": 100, "subscription": { "status": "active" } })) };
        assert_eq!(license(&off).map(|l| l.state), Some(LicenseState::Disabled));
    }

    #[test]
    fn bill_is_reported_only_from_unambiguous_lines() {
        let line =
            |name: &str, amount: f64, quantity: i64| json!({ "name": name, "amount": amount, "quantity": quantity });
        let seats = || line("2023-enterprise-org-seat-annually", 72.0, 150);
        let others = || line("secrets-manager-seat-annually", 144.0, 20);
        for (items, expected) in [
            (vec![seats(), others()], Some(155)),
            (vec![seats(), seats()], None),
            (vec![line("2026-enterprise-org-seat-annually", 80.0, 150)], None),
            (vec![others()], None),
            (vec![line("2023-enterprise-org-seat-annually", 72.0, -150)], None),
            (vec![line("2023-enterprise-org-seat-annually", 72.0, i64::MAX)], None),
        ] {
            let plan = json!({ "passwordManager": { "baseSeats": 5, "seatPrice": 72.0 } });
            let details = json!({ "seats": 155, "plan": plan, "subscription": { "status": "active", "items": items } });
            assert_eq!(billed(&serde_json::from_value(details).unwrap()), expected);
        }
    }
}
