//! Carrying out a change: rules, then Stripe, then the whole row (docs/vendors/bitwarden.md, "Rules of a change" and
//! "Changes that overlap"). Both APIs share it. Each function works on a row it has read itself and writes that row
//! back, so concurrent changes can be lost.

use uuid::Uuid;

use super::{
    context::Context,
    ledger::Step,
    lock,
    refusal::{Refusal, WENT_WRONG},
    rules::{self, SmTarget},
    state::{Row, Usage},
    stripe::{self, Quantities},
    switches::BillingPath,
    webhook,
};
use crate::faults::FaultKind;

impl Context {
    /// Reads the row; U0 if the organization is gone.
    pub(crate) fn read(&self, org: Uuid) -> Result<Row, Refusal> {
        self.sim.with_org(org, |o| o.row.clone()).ok_or_else(|| Refusal::not_found("U0"))
    }

    fn usage(&self, org: Uuid) -> Result<Usage, Refusal> {
        self.sim.with_org(org, |o| o.usage()).ok_or_else(|| Refusal::not_found("U0"))
    }

    fn billing_path(&self, org: Uuid) -> Result<BillingPath, Refusal> {
        let fixed = lock(&self.sim.shared.switches).billing_path;
        let path = self.sim.with_org(org, |o| fixed.unwrap_or(o.path));
        path.ok_or_else(|| Refusal::not_found("U0"))
    }

    /// Replaces the whole row, whatever it has become meanwhile ("Changes that overlap").
    fn write(&self, org: Uuid, row: &Row) {
        let (at, who, number) = (self.sim.now(), self.actor(), self.number);
        self.sim.with_org(org, |o| o.commit(at, who, Step::Row, Some(number), |o| o.row = row.clone()));
    }

    /// Stripe's part; a real change emits the webhook.
    fn bill(&self, org: Uuid, to: Quantities) -> Result<(), Refusal> {
        self.fail(&FaultKind::FailBeforeBilling)?;
        let path = self.billing_path(org)?;
        if self.hit(&FaultKind::CardDeclined) {
            return Err(Refusal::card(path));
        }
        let (at, who, number) = (self.sim.now(), self.actor(), self.number);
        let changed = self
            .sim
            .with_org(org, |o| {
                let mut outcome = Ok(());
                let before = o.stripe;
                o.commit(at, who, Step::Billed, Some(number), |o| {
                    outcome = stripe::charge(&mut o.stripe, o.row.plan, path, to)
                });
                outcome.map(|()| o.stripe != before)
            })
            .ok_or_else(|| Refusal::not_found("U0"))??;
        if changed {
            webhook::emit(self, org);
        }
        Ok(())
    }

    /// The window between Stripe and the row, seconds long at the vendor.
    async fn before_row(&self) -> Result<(), Refusal> {
        self.pause(|kind| if let FaultKind::PauseBeforeRow { ms } = kind { Some(*ms) } else { None }).await;
        // A 400 although Stripe has changed ("Two billing paths").
        if self.hit(&FaultKind::DraftInvoiceLost) {
            return Err(Refusal::new("stripe", "Unable to locate draft invoice for subscription update."));
        }
        self.fail(&FaultKind::FailAfterBilling)
    }

    /// What the rules say, unless they had to ask a pricing service that fails. Some rules come before that question.
    fn priced<T>(&self, outcome: Result<T, Refusal>, before: &[&str]) -> Result<T, Refusal> {
        let decided = outcome.as_ref().is_err_and(|refusal| before.contains(&refusal.rule));
        if !decided && lock(&self.sim.shared.switches).pricing_down {
            return Err(Refusal::with_status("pricing", 500, WENT_WRONG));
        }
        outcome
    }

    /// Seats by a delta, cap absolutely ("Rules of Password Manager").
    pub(crate) async fn update(&self, org: Uuid, delta: i32, limit: Option<i32>) -> Result<(), Refusal> {
        let mut row = self.read(org)?;
        rules::target_within_limit(&row, delta, limit)?;
        if delta != 0 {
            self.adjust_seats(org, &mut row, delta).await?;
        }
        self.fail(&FaultKind::Half)?;
        if limit != row.shown.limit {
            self.priced(rules::limit(&row, limit), &["B1"])?;
            row.shown.limit = limit;
            self.write(org, &row);
        }
        Ok(())
    }

    /// Block A.
    pub(crate) async fn adjust_seats(&self, org: Uuid, row: &mut Row, delta: i32) -> Result<(), Refusal> {
        let new = self.priced(rules::seats(row, self.usage(org)?, delta), &["A1", "A2", "A3"])?;
        self.bill(org, Quantities { seats: Some(new - row.plan.base_seats()), ..Quantities::default() })?;
        self.before_row().await?;
        row.shown.seats = Some(narrow(new));
        self.write(org, row);
        // A13: the cap as it was before this request.
        if row.shown.limit == Some(new) {
            self.sim.with_org(org, |o| o.owner_mails += 1);
        }
        Ok(())
    }

    /// Storage by a delta, on a row of its own.
    pub(crate) async fn adjust_storage(&self, org: Uuid, delta: i32) -> Result<(), Refusal> {
        let mut row = self.read(org)?;
        let new = self.priced(rules::storage(&row, self.usage(org)?, delta), &[])?;
        self.bill(org, Quantities { storage: Some(new - row.plan.base_storage()), ..Quantities::default() })?;
        self.before_row().await?;
        row.shown.storage_gb = Some(new);
        self.write(org, &row);
        Ok(())
    }

    /// Always ends in a write of the whole row, even if nothing in it changes ("Rules of Secrets Manager").
    pub(crate) async fn update_sm(&self, org: Uuid, mut row: Row, to: SmTarget) -> Result<(), Refusal> {
        self.priced(rules::secrets_manager(&row, self.usage(org)?, to), &["S1"])?;
        let changes = to.seats != row.shown.sm_seats || to.accounts != row.shown.service_accounts;
        if changes {
            self.bill(org, Quantities::of_sm(row.plan, to))?;
        }
        self.before_row().await?;
        row.shown.sm_seats = to.seats;
        row.shown.sm_limit = to.limit;
        row.shown.service_accounts = to.accounts;
        row.shown.service_account_limit = to.account_limit;
        self.write(org, &row);
        Ok(())
    }
}

/// Note on A12: the column is 16 bits wide, so larger totals wrap.
#[expect(clippy::cast_possible_truncation, reason = "the vendor's own truncation")]
pub(crate) fn narrow(total: i32) -> i32 {
    i32::from(total as i16)
}
