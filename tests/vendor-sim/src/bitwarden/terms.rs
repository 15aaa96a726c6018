//! What the subscription GET of the owner API shows beside the numbers (docs/vendors/bitwarden.md,
//! "The subscription GET of the owner API" and "Self-hosted servers"): periods, trial, cancellation, discounts, schedules, and a
//! self-hosted server's license. None of it decides a rule of a change.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A price migration or annual upgrade scheduled at Stripe: while it is attached, the subscription read shows this line
/// instead of the seats billed now ("A failure that was billed").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceMigration {
    /// Name of the future price.
    pub name: String,
    /// Future amount per seat, in the subscription's currency.
    pub amount: f64,
    /// Future quantity.
    pub quantity: i32,
}

/// Terms of the Stripe subscription. Missing JSON fields mean the default: paid a month ago, eleven to go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Terms {
    /// Begin of the paid period.
    pub period_start: Timestamp,
    /// End of the paid period.
    pub period_end: Timestamp,
    /// Begin of the trial.
    pub trial_start: Option<Timestamp>,
    /// End of the trial.
    pub trial_end: Option<Timestamp>,
    /// When it was canceled.
    pub cancelled_at: Option<Timestamp>,
    /// Canceled, but good until the period ends.
    pub cancel_at_period_end: bool,
    /// Invoices are sent instead of charged.
    pub send_invoice: bool,
    /// When an unpaid organization will be disabled.
    pub suspension: Option<Timestamp>,
    /// End of the unpaid period.
    pub unpaid_period_end: Option<Timestamp>,
    /// Days between the due date and the suspension.
    pub grace_days: i32,
    /// The discount of a standalone Secrets Manager: changing Secrets Manager seats then changes Password Manager seats
    /// too, and removes their cap ("The Secrets Manager POST").
    pub secrets_manager_standalone: bool,
    /// An attached schedule.
    pub price_migration: Option<PriceMigration>,
    /// The preview of the next invoice fails.
    pub preview_fails: bool,
}

impl Default for Terms {
    fn default() -> Self {
        // Stripe's times are whole seconds.
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        let days = |n: i64| now.saturating_add(SignedDuration::from_hours(24 * n)).unwrap_or(now);
        Self {
            period_start: days(-30),
            period_end: days(335),
            trial_start: None,
            trial_end: None,
            cancelled_at: None,
            cancel_at_period_end: false,
            send_invoice: false,
            suspension: None,
            unpaid_period_end: None,
            grace_days: 14,
            secrets_manager_standalone: false,
            price_migration: None,
            preview_fails: false,
        }
    }
}

/// The license of a self-hosted organization, as far as it can be read ("Self-hosted servers").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct License {
    /// End, grace period included.
    pub expires: Timestamp,
    /// End without the grace period.
    pub expires_without_grace_period: Timestamp,
}
