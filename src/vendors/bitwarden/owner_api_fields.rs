//! The JSON of Bitwarden's owner API, as far as it is used (docs/vendors/bitwarden.md, "The owner API"). It is no
//! published contract: whatever is not needed is not read, and what is missing counts as unknown.

use serde::{Deserialize, Serialize};

use super::MAX_SEATS;
use super::number_ranges::{OUT_OF_RANGE, OrganizationRow};
use crate::api::Product;
use crate::domain::Numbers;
use crate::vendors::error::VendorError;
use crate::vendors::json_object;

/// `GET /organizations`: the caller's own. The encrypted key in it is not read.
#[derive(Deserialize)]
pub(super) struct Memberships {
    #[serde(deserialize_with = "json_object::each")]
    pub(super) data: Vec<Membership>,
}

/// The caller's place in one organization, as it is now; a token's roles may be older.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Membership {
    pub(super) id: String,
    pub(super) enabled: Option<bool>,
    /// Whether the plan has API access; without it an organization's key is refused ("The organization key").
    pub(super) use_api: Option<bool>,
    /// 2: confirmed ("Members").
    pub(super) status: i64,
    /// 0: owner ("Members").
    #[serde(rename = "type")]
    pub(super) role: i64,
    /// The type of the provider that manages the organization, if one does ("Organizations under a provider").
    pub(super) provider_type: Option<i64>,
    pub(super) provider_id: Option<String>,
}

/// `GET /organizations/{id}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    /// Null without a seat count. An object that lacks it is no organization ("Shapes of JSON").
    #[serde(deserialize_with = "json_object::required")]
    seats: Option<i64>,
    max_autoscale_seats: Option<i64>,
    sm_seats: Option<i64>,
    max_autoscale_sm_seats: Option<i64>,
    sm_service_accounts: Option<i64>,
    max_autoscale_sm_service_accounts: Option<i64>,
    #[serde(default, deserialize_with = "json_object::optional")]
    pub(super) plan: Option<PlanRow>,
}

/// A plan; self-hosted servers, and clouds that do not know it, give no details.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanRow {
    #[serde(default, deserialize_with = "json_object::optional")]
    pub(super) password_manager: Option<PlanPool>,
    #[serde(default, deserialize_with = "json_object::optional")]
    pub(super) secrets_manager: Option<PlanPool>,
}

/// What a plan allows for a product.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanPool {
    pub(super) base_seats: Option<i64>,
    pub(super) has_additional_seats_option: Option<bool>,
    /// The price of one seat.
    pub(super) seat_price: Option<f64>,
}

impl Organization {
    pub(super) fn row(&self) -> OrganizationRow {
        OrganizationRow::of([
            (self.seats, self.max_autoscale_seats),
            (self.sm_seats, self.max_autoscale_sm_seats),
            (self.sm_service_accounts, self.max_autoscale_sm_service_accounts),
        ])
    }
}

/// `GET /organizations/{id}/billing/vnext/metadata` ("Exact use").
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    organization_occupied_seats: i64,
    #[serde(default)]
    pub(super) is_on_secrets_manager_standalone: bool,
}

impl Metadata {
    /// A person who may read it takes a seat too, so there is one at least.
    pub(super) fn occupied(self) -> Result<i32, VendorError> {
        let seats =
            i32::try_from(self.organization_occupied_seats).ok().filter(|seats| (1..=MAX_SEATS).contains(seats));
        seats.ok_or(OUT_OF_RANGE)
    }
}

/// `GET /organizations/{id}/subscription` ("The subscription GET of the owner API").
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    #[serde(flatten)]
    pub(super) organization: Organization,
    #[serde(default, deserialize_with = "json_object::optional")]
    pub(super) subscription: Option<Stripe>,
    /// Means something on self-hosted servers only.
    pub(super) expiration: Option<String>,
    pub(super) expiration_without_grace_period: Option<String>,
}

/// What Stripe says.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stripe {
    pub(super) status: Option<String>,
    pub(super) period_end_date: Option<String>,
    pub(super) trial_end_date: Option<String>,
    pub(super) cancelled_date: Option<String>,
    pub(super) cancel_at_end_date: Option<bool>,
    pub(super) suspension_date: Option<String>,
    #[serde(default, deserialize_with = "json_object::optional_each")]
    pub(super) items: Option<Vec<Item>>,
}

/// One line that is billed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) name: Option<String>,
    pub(super) amount: Option<f64>,
    pub(super) quantity: Option<i64>,
    pub(super) sponsored_subscription_item: Option<bool>,
    pub(super) addon_subscription_item: Option<bool>,
}

/// Any object of the owner API says what it is.
#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(rename = "object")]
    pub(super) _object: String,
}

/// The error shape of the owner API ("The error object of the owner API"). The text is compared with texts that are known, and
/// not kept.
#[derive(Deserialize)]
pub(super) struct OwnerApiError {
    pub(super) message: String,
}

/// A change through the owner API: differences for seats, totals for limits, where none **clears** the limit
/// ("The subscription POST of the owner API" and "The Secrets Manager POST").
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum RelativeChange {
    /// `POST .../subscription`.
    #[serde(rename_all = "camelCase")]
    PasswordManager { seat_adjustment: i32, max_autoscale_seats: Option<i32> },
    /// `POST .../sm-subscription`, which sets the limits of both its pools.
    #[serde(rename_all = "camelCase")]
    SecretsManager {
        seat_adjustment: i32,
        max_autoscale_seats: Option<i32>,
        service_account_adjustment: i32,
        max_autoscale_service_accounts: Option<i32>,
    },
}

impl RelativeChange {
    /// From what the row shows now. `None`: the row has moved on from `from`, so the difference would be another; or the limit
    /// of the other pool, which would be set too, cannot be read.
    pub(super) fn of(product: Product, from: Numbers, to: Numbers, row: &OrganizationRow) -> Option<Self> {
        if row.numbers(product) != Ok(Some(from)) || to.seats < 1 || to.limit.is_some_and(|limit| limit < 1) {
            return None;
        }
        let adjustment = to.seats.checked_sub(from.seats)?;
        // The limit of the other pool goes along.
        let limit = |product| row.pool(product).ok().map(|pool| pool.limit);
        Some(match product {
            Product::PasswordManager => {
                Self::PasswordManager { seat_adjustment: adjustment, max_autoscale_seats: to.limit }
            }
            Product::SecretsManager => Self::SecretsManager {
                seat_adjustment: adjustment,
                max_autoscale_seats: to.limit,
                service_account_adjustment: 0,
                max_autoscale_service_accounts: limit(Product::MachineAccounts)?,
            },
            Product::MachineAccounts => Self::SecretsManager {
                seat_adjustment: 0,
                max_autoscale_seats: limit(Product::SecretsManager)?,
                service_account_adjustment: adjustment,
                max_autoscale_service_accounts: to.limit,
            },
        })
    }

    /// The last part of the path, below `/organizations/{id}/`.
    pub(super) fn path(&self) -> &'static str {
        match self {
            Self::PasswordManager { .. } => "subscription",
            Self::SecretsManager { .. } => "sm-subscription",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> OrganizationRow {
        OrganizationRow::of([(Some(100), Some(120)), (Some(20), None), (Some(50), Some(60))])
    }

    fn body(product: Product, from: (i32, Option<i32>), to: (i32, Option<i32>)) -> Option<String> {
        let numbers = |(seats, limit)| Numbers { seats, limit };
        let change = RelativeChange::of(product, numbers(from), numbers(to), &row());
        change.map(|change| serde_json::to_string(&change).unwrap())
    }

    #[test]
    fn unchanged_limit_is_sent_since_omission_removes_it() {
        use Product::*;
        for (product, from, to, sent) in [
            (PasswordManager, (100, Some(120)), (110, Some(120)), r#"{"seatAdjustment":10,"maxAutoscaleSeats":120}"#),
            (PasswordManager, (100, Some(120)), (100, None), r#"{"seatAdjustment":0,"maxAutoscaleSeats":null}"#),
            (
                SecretsManager,
                (20, None),
                (15, Some(15)),
                r#"{"seatAdjustment":-5,"maxAutoscaleSeats":15,"serviceAccountAdjustment":0,"maxAutoscaleServiceAccounts":60}"#,
            ),
            (
                MachineAccounts,
                (50, Some(60)),
                (55, Some(60)),
                r#"{"seatAdjustment":0,"maxAutoscaleSeats":null,"serviceAccountAdjustment":5,"maxAutoscaleServiceAccounts":60}"#,
            ),
        ] {
            assert_eq!(body(product, from, to).as_deref(), Some(sent));
        }
    }

    #[test]
    fn difference_is_made_from_current_numbers_or_not_at_all() {
        assert_eq!(body(Product::PasswordManager, (99, Some(120)), (110, Some(120))), None);
        assert_eq!(body(Product::PasswordManager, (100, Some(100)), (110, Some(120))), None);
        assert_eq!(body(Product::PasswordManager, (100, Some(120)), (0, Some(120))), None);
        assert_eq!(body(Product::PasswordManager, (100, Some(120)), (100, Some(0))), None);
        let one = body(Product::PasswordManager, (100, Some(120)), (1, Some(1)));
        assert_eq!(one.as_deref(), Some(r#"{"seatAdjustment":-99,"maxAutoscaleSeats":1}"#));
    }

    #[test]
    fn each_product_is_changed_under_its_own_path() {
        for (product, numbers, path) in [
            (Product::PasswordManager, Numbers { seats: 100, limit: Some(120) }, "subscription"),
            (Product::SecretsManager, Numbers { seats: 20, limit: None }, "sm-subscription"),
            (Product::MachineAccounts, Numbers { seats: 50, limit: Some(60) }, "sm-subscription"),
        ] {
            let to = Numbers { seats: numbers.seats + 1, ..numbers };
            assert_eq!(RelativeChange::of(product, numbers, to, &row()).map(|change| change.path()), Some(path));
        }
    }

    #[test]
    fn unreadable_field_of_other_pool_is_not_overwritten() {
        let row = OrganizationRow::of([(Some(100), None), (Some(20), None), (Some(-1), Some(60))]);
        let (from, to) = (Numbers { seats: 20, limit: None }, Numbers { seats: 25, limit: None });
        assert_eq!(RelativeChange::of(Product::SecretsManager, from, to, &row), None);
    }

    #[test]
    fn use_that_cannot_be_is_not_believed() {
        let occupied = |n: i64| {
            let metadata: Metadata =
                serde_json::from_value(serde_json::json!({ "organizationOccupiedSeats": n })).unwrap();
            metadata.occupied()
        };
        for n in [-1, 0, 32_768, 2_147_483_647, i64::MAX] {
            assert_eq!(occupied(n), Err(OUT_OF_RANGE), "{n}");
        }
        assert_eq!((occupied(1), occupied(32_767)), (Ok(1), Ok(32_767)));
    }
}
