//! What a period would cost with other seats (docs/vendors/bitwarden.md, "The preview of a bill"). It changes nothing.

use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::error::BitwardenError;
use super::number_ranges::OrganizationRow;
use super::operation::PREVIEW_INVOICE;
use super::session::BitwardenSession;
use crate::api::Product;
use crate::vendors::Cost;

/// No bill is larger: what is, is not believed.
const MOST: f64 = 1e12;

/// Seats of one product.
#[derive(Debug, PartialEq, Serialize)]
struct Seats {
    seats: i32,
}

/// Totals of both products: what is not given is not in the answer.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    password_manager: Seats,
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets_manager: Option<Seats>,
}

/// The question.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Preview {
    update: Update,
}

impl Preview {
    /// With `seats` of one product, and with what the row shows of the other one. `None`: the vendor shows no price of
    /// this pool, or the other one cannot be read.
    pub(super) fn of(product: Product, seats: i32, row: &OrganizationRow) -> Option<Self> {
        let shown = |product| row.pool(product).ok();
        let (password_manager, secrets_manager) = match product {
            Product::PasswordManager => (seats, shown(Product::SecretsManager)?.seats.filter(|seats| *seats > 0)),
            Product::SecretsManager => (shown(Product::PasswordManager)?.seats?, Some(seats)),
            Product::MachineAccounts => return None,
        };
        let secrets_manager = secrets_manager.map(|seats| Seats { seats });
        Some(Self { update: Update { password_manager: Seats { seats: password_manager }, secrets_manager } })
    }
}

/// The answer.
#[derive(Deserialize)]
struct Amounts {
    total: f64,
    tax: f64,
}

impl Amounts {
    fn cost(&self) -> Option<Cost> {
        let decimal = |amount: f64| (0.0..MOST).contains(&amount).then(|| format!("{amount:.2}"));
        Some(Cost { total: decimal(self.total)?, tax: decimal(self.tax)? })
    }
}

impl BitwardenSession {
    /// Asks. `None`: there is no answer that can be believed.
    pub(super) async fn preview(&self, id: &str, preview: &Preview) -> Option<Cost> {
        let read = self.with_token(PREVIEW_INVOICE, |token| self.amounts(id, preview, token)).await;
        read.ok()?.cost()
    }

    async fn amounts(&self, id: &str, preview: &Preview, token: SecretString) -> Result<Amounts, BitwardenError> {
        let url = self.url(&format!("billing/preview-invoice/organizations/{id}/subscription/update"));
        let answer = self.connection.ask(self.api(Method::PUT, url, &token).json(preview)).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.json("the preview of a bill has an unexpected shape")?),
            _ => Err(self.refusal(&answer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(product: Product, seats: i32, secrets_manager: Option<i64>) -> Option<String> {
        let row = OrganizationRow::of([(Some(100), Some(120)), (secrets_manager, None), (Some(50), None)]);
        Preview::of(product, seats, &row).map(|preview| serde_json::to_string(&preview).unwrap())
    }

    #[test]
    fn preview_asks_about_both_products_since_total_lacks_one_left_out() {
        let body = |text: &str| Some(format!("{{\"update\":{{{text}}}}}"));
        let both = r#""passwordManager":{"seats":110},"secretsManager":{"seats":20}"#;
        assert_eq!(asked(Product::PasswordManager, 110, Some(20)), body(both));
        let one = r#""passwordManager":{"seats":110}"#;
        assert_eq!(asked(Product::PasswordManager, 110, Some(0)), body(one), "it has none");
        assert_eq!(asked(Product::PasswordManager, 110, None), body(one), "it has no access");
        let other = r#""passwordManager":{"seats":100},"secretsManager":{"seats":25}"#;
        assert_eq!(asked(Product::SecretsManager, 25, Some(20)), body(other));
        assert_eq!(asked(Product::MachineAccounts, 60, Some(20)), None, "the vendor tells no price of them");
        assert_eq!(asked(Product::PasswordManager, 110, Some(-1)), None, "the other product cannot be read");
    }

    #[test]
    fn amounts_are_decimal_strings_and_those_that_cannot_be_are_not_believed() {
        let cost = |total, tax| Amounts { total, tax }.cost();
        let (total, tax) = ("11520.00".to_owned(), "0.50".to_owned());
        assert_eq!(cost(11520.0, 0.5), Some(Cost { total, tax }));
        for wrong in [-0.01, 1e12, f64::NAN, f64::INFINITY] {
            assert_eq!((cost(wrong, 0.0), cost(1.0, wrong)), (None, None), "{wrong}");
        }
    }
}
