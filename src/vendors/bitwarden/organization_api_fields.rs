//! The JSON of Bitwarden's organization API, as far as it is used (docs/vendors/bitwarden.md, "Shapes of JSON",
//! "The subscription GET" and "The subscription PUT").

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::error::BitwardenError;
use super::number_ranges::OrganizationRow;
use crate::api::Product;
use crate::domain::Numbers;
use crate::vendors::error::VendorError;
use crate::vendors::json_object;
use crate::vendors::token_cache::NewToken;

/// A token answer. The token becomes a `SecretString` at once.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    access_token: String,
    expires_in: i64,
}

impl TokenAnswer {
    /// The token, which lasts a day at most.
    pub(super) fn token(self) -> Result<NewToken, VendorError> {
        let lifetime = u64::try_from(self.expires_in).ok().filter(|seconds| *seconds > 0);
        let lifetime = lifetime.ok_or(VendorError::Unreadable("the token has no lifetime"))?;
        if self.access_token.is_empty() || !self.access_token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(VendorError::Unreadable("the token has characters that no header has"));
        }
        let lifetime = Some(Duration::from_secs(lifetime.min(24 * 3600)));
        Ok(NewToken { value: SecretString::from(self.access_token), lifetime })
    }
}

/// A token error. Only `error` is read: descriptions may change.
#[derive(Deserialize)]
pub(super) struct TokenError {
    error: String,
}

impl TokenError {
    /// `person`: the key is a person's, so that no organization and no plan can be why it is refused
    /// ("Refusals of the token endpoint").
    pub(super) fn meaning(&self, person: bool) -> BitwardenError {
        match self.error.as_str() {
            "invalid_client" if person => BitwardenError::PersonUnknown,
            "invalid_client" => BitwardenError::InvalidClient,
            "invalid_grant" if person => BitwardenError::LegacyAccount,
            "version_header_missing" | "invalid_client_version" => BitwardenError::ClientVersion,
            _ => BitwardenError::TokenRefused(400),
        }
    }
}

/// Any answer of the application to a write carries a message; its text is not read.
#[derive(Deserialize)]
pub(super) struct Message {
    #[serde(rename = "message")]
    pub(super) _message: String,
}

/// `GET /public/organization/subscription`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    #[serde(default, deserialize_with = "json_object::optional")]
    password_manager: Option<PasswordManager>,
    #[serde(default, deserialize_with = "json_object::optional")]
    secrets_manager: Option<SecretsManager>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PasswordManager {
    seats: Option<i64>,
    max_auto_scale_seats: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretsManager {
    seats: Option<i64>,
    max_auto_scale_seats: Option<i64>,
    service_accounts: Option<i64>,
    max_auto_scale_service_accounts: Option<i64>,
}

impl Subscription {
    /// All pools. A missing `secretsManager` counts as no access, so that it does not hinder Password Manager.
    pub(super) fn row(&self) -> Result<OrganizationRow, VendorError> {
        let pm = self.password_manager.as_ref().ok_or(VendorError::Unreadable("passwordManager is missing"))?;
        let default = SecretsManager::default();
        let sm = self.secrets_manager.as_ref().unwrap_or(&default);
        Ok(OrganizationRow::of([
            (pm.seats, pm.max_auto_scale_seats),
            (sm.seats, sm.max_auto_scale_seats),
            (sm.service_accounts, sm.max_auto_scale_service_accounts),
        ]))
    }
}

/// `PUT /public/organization/subscription`: only what must change. An unchanged `secretsManager` still writes the whole
/// row and needs a payment method, and `storage` runs the storage path even for a difference of 0
/// ("The subscription PUT").
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    password_manager: Option<PoolChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets_manager: Option<PoolChange>,
}

#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PoolChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_auto_scale_seats: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_accounts: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_auto_scale_service_accounts: Option<i32>,
}

impl SubscriptionChange {
    /// The change from one pair of numbers to another; `None` when there is nothing this API can carry. Numbers below 1
    /// are silently ignored by the server for seats, and a limit cannot be cleared: neither is sent.
    pub(super) fn of(product: Product, from: Numbers, to: Numbers) -> Option<Self> {
        let seats = (to.seats != from.seats).then_some(to.seats);
        let limit = to.limit.filter(|_| to.limit != from.limit);
        let clears = to.limit.is_none() && from.limit.is_some();
        if clears
            || seats.is_some_and(|n| n < 1)
            || limit.is_some_and(|n| n < 1)
            || (seats.is_none() && limit.is_none())
        {
            return None;
        }
        let users = PoolChange { seats, max_auto_scale_seats: limit, ..PoolChange::default() };
        let machines =
            PoolChange { service_accounts: seats, max_auto_scale_service_accounts: limit, ..PoolChange::default() };
        Some(match product {
            Product::PasswordManager => Self { password_manager: Some(users), secrets_manager: None },
            Product::SecretsManager => Self { password_manager: None, secrets_manager: Some(users) },
            Product::MachineAccounts => Self { password_manager: None, secrets_manager: Some(machines) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(product: Product, from: (i32, Option<i32>), to: (i32, Option<i32>)) -> Option<String> {
        let numbers = |(seats, limit)| Numbers { seats, limit };
        SubscriptionChange::of(product, numbers(from), numbers(to)).map(|c| serde_json::to_string(&c).unwrap())
    }

    #[test]
    fn only_changed_fields_are_sent_and_seats_go_with_limit() {
        use Product::*;
        for (product, from, to, sent) in [
            (
                PasswordManager,
                (100, Some(100)),
                (150, Some(150)),
                r#"{"passwordManager":{"seats":150,"maxAutoScaleSeats":150}}"#,
            ),
            (PasswordManager, (100, None), (150, None), r#"{"passwordManager":{"seats":150}}"#),
            (PasswordManager, (100, None), (100, Some(120)), r#"{"passwordManager":{"maxAutoScaleSeats":120}}"#),
            (SecretsManager, (5, Some(9)), (6, Some(9)), r#"{"secretsManager":{"seats":6}}"#),
            (
                MachineAccounts,
                (50, None),
                (60, Some(60)),
                r#"{"secretsManager":{"serviceAccounts":60,"maxAutoScaleServiceAccounts":60}}"#,
            ),
        ] {
            assert_eq!(body(product, from, to).as_deref(), Some(sent));
        }
    }

    #[test]
    fn field_that_server_ignores_or_misreads_is_never_sent() {
        for (from, to) in [
            ((100, Some(100)), (100, Some(100))),
            ((100, Some(100)), (0, Some(100))),
            ((100, Some(100)), (100, None)),
            ((100, Some(100)), (100, Some(0))),
        ] {
            assert_eq!(body(Product::PasswordManager, from, to), None, "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn single_seat_and_limit_of_one_are_sent() {
        assert_eq!(
            body(Product::PasswordManager, (2, None), (1, None)).as_deref(),
            Some(r#"{"passwordManager":{"seats":1}}"#)
        );
        assert_eq!(
            body(Product::SecretsManager, (1, None), (1, Some(1))).as_deref(),
            Some(r#"{"secretsManager":{"maxAutoScaleSeats":1}}"#)
        );
    }

    #[test]
    fn token_lasts_its_stated_time_and_a_day_at_most() {
        let token = |token: &str, expires_in| TokenAnswer { access_token: token.to_owned(), expires_in }.token();
        for (expires_in, seconds) in [(1, 1), (3600, 3600), (86_400, 86_400), (86_401, 86_400), (i64::MAX, 86_400)] {
            let Ok(token) = token("t", expires_in) else { panic!("no token of {expires_in} s") };
            assert_eq!(token.lifetime, Some(Duration::from_secs(seconds)));
        }
        for (text, expires_in) in [("t", 0), ("t", -1), ("", 3600), ("a b", 3600), ("a\n", 3600)] {
            assert!(token(text, expires_in).is_err(), "{text:?} {expires_in}");
        }
    }

    #[test]
    fn token_endpoint_code_is_read_by_kind_of_key() {
        use BitwardenError::*;
        for (word, of_organization, of_person) in [
            ("invalid_client", InvalidClient, PersonUnknown),
            ("invalid_grant", TokenRefused(400), LegacyAccount),
            ("version_header_missing", ClientVersion, ClientVersion),
            ("invalid_client_version", ClientVersion, ClientVersion),
            ("invalid_scope", TokenRefused(400), TokenRefused(400)),
        ] {
            let error = TokenError { error: word.to_owned() };
            assert_eq!((error.meaning(false), error.meaning(true)), (of_organization, of_person), "{word}");
        }
    }

    #[test]
    fn numbers_that_cannot_be_seats_are_not_believed() {
        for text in [r#"{"passwordManager":{"seats":-1}}"#, r#"{"passwordManager":{"seats":3000000000}}"#, "{}"] {
            let read: Subscription = serde_json::from_str(text).unwrap();
            assert!(read.row().and_then(|row| row.pool(Product::PasswordManager)).is_err(), "{text}");
        }
        for text in ["null", "[]", r#"{"passwordManager":{"seats":"many"}}"#, r#"{"passwordManager":{"seats":1e99}}"#] {
            assert!(serde_json::from_str::<json_object::JsonObject<Subscription>>(text).is_err(), "{text}");
        }
    }

    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn accepted_numbers_of_any_answer_could_be_seats(
            numbers in proptest::collection::vec(proptest::option::of(prop_oneof![any::<i64>(), -3i64..40_000]), 6),
        ) {
            let [seats, limit, sm, sm_limit, machines, machine_limit] = numbers[..] else { unreachable!() };
            let read: Subscription = serde_json::from_value(serde_json::json!({
                "passwordManager": { "seats": seats, "maxAutoScaleSeats": limit },
                "secretsManager": { "seats": sm, "maxAutoScaleSeats": sm_limit, "serviceAccounts": machines,
                    "maxAutoScaleServiceAccounts": machine_limit },
            })).unwrap();
            let believed = |answered: Option<i64>, read: Option<i32>| answered == read.map(i64::from) && read.is_none_or(|n| n >= 0);
            if let Ok(row) = read.row() {
                let pool = |product, seats, limit| {
                    row.pool(product).is_ok_and(|pool| believed(seats, pool.seats) && believed(limit, pool.limit))
                        || [seats, limit].iter().flatten().any(|n| !(1..=32_767).contains(n))
                };
                prop_assert!(pool(Product::PasswordManager, seats, limit));
                prop_assert!(pool(Product::SecretsManager, sm, sm_limit));
                prop_assert!(pool(Product::MachineAccounts, machines, machine_limit));
            }
        }

        #[test]
        fn change_carries_its_target_and_never_less_than_one(
            from in (any::<i32>(), any::<Option<i32>>()), to in (-2i32..200, proptest::option::of(-2i32..200)),
        ) {
            let Some(body) = body(Product::PasswordManager, from, to) else { return Ok(()) };
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let sent = |name: &str| body["passwordManager"].get(name).and_then(serde_json::Value::as_i64);
            let (seats, limit) = (sent("seats"), sent("maxAutoScaleSeats"));
            prop_assert!(seats.is_some() || limit.is_some());
            prop_assert!(seats.is_none_or(|n| n >= 1 && n == i64::from(to.0)));
            prop_assert!(limit.is_none_or(|n| n >= 1 && Some(n) == to.1.map(i64::from)));
        }
    }
}
