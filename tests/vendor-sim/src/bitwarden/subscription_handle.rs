//! What tests do to subscriptions and to Secrets Manager: status, terms, provider, plan, license, machine accounts.

use super::{
    Bitwarden,
    ledger::{Actor, Step},
    lock,
    organization::{Provider, SubscriptionStatus},
    plans::PlanType,
    refusal::LastRefusal,
    rules::{self, SmTarget},
    state::Org,
    stripe::{self, Quantities},
    switches::BillingPath,
    terms::{License, Terms},
};

impl Bitwarden {
    /// Changes the state of the subscription at Stripe, and stamps what Stripe would: the time of a cancellation, a
    /// trial of a week. The ids in the row stay.
    pub fn set_subscription_status(&self, id: &str, status: SubscriptionStatus) {
        let view = self.organization(id);
        self.set_stripe(id, view.stripe_customer, view.stripe_subscription, Some(status));
        let now = self.now();
        self.change_terms(id, |terms| match status {
            SubscriptionStatus::Canceled => terms.cancelled_at = terms.cancelled_at.or(Some(now)),
            SubscriptionStatus::Trialing if terms.trial_end.is_none() => {
                terms.trial_start = Some(now);
                terms.trial_end = now.checked_add(jiff::SignedDuration::from_hours(7 * 24)).ok();
            }
            _ => {}
        });
    }

    /// Changes the terms of the subscription.
    pub fn change_terms(&self, id: &str, f: impl FnOnce(&mut Terms)) {
        self.on(id, |o| f(&mut o.terms));
    }

    /// Gives the organization to a provider, or back to its owners.
    pub fn set_provider(&self, id: &str, provider: Option<Provider>) {
        self.on(id, |o| o.provider = provider);
    }

    /// Vendor staff or a migration change the plan; the numbers and the bill stay (docs/vendors/bitwarden.md,
    /// "Who else writes seats").
    pub fn set_plan(&self, id: &str, plan: PlanType) {
        self.on(id, |o| {
            o.row.plan = plan;
            o.row.use_api = plan.has_api();
        });
    }

    /// A self-hosted organization gets another license: its end, and the seats it gives (docs/vendors/bitwarden.md,
    /// "Self-hosted servers").
    pub fn set_license(&self, id: &str, license: License, seats: Option<i32>) {
        self.on(id, |o| {
            o.license = Some(license);
            o.commit(self.now(), Actor::Vendor, Step::Row, None, |o| o.row.shown.seats = seats);
        });
    }

    /// Somebody makes `n` more machine accounts: all or none. Their number grows as far as its cap allows.
    pub fn add_machine_accounts(&self, id: &str, n: u32) -> bool {
        let (fixed, n) = (self.billing_path(), i32::try_from(n).unwrap_or(i32::MAX));
        self.on(id, |o| {
            let path = fixed.unwrap_or(o.path);
            let used = o.machine_accounts.saturating_add(n);
            let now = SmTarget::of(&o.row);
            let grown = SmTarget { accounts: now.accounts.map(|a| a.max(used)), ..now };
            let done = self.autoscale_sm(o, grown, path);
            if done {
                o.machine_accounts = used;
            }
            done
        })
    }

    /// `n` machine accounts go; returns how many did.
    pub fn remove_machine_accounts(&self, id: &str, n: u32) -> u32 {
        self.on(id, |o| {
            let gone = i32::try_from(n).unwrap_or(i32::MAX).min(o.machine_accounts);
            o.machine_accounts -= gone;
            u32::try_from(gone).unwrap_or(0)
        })
    }

    /// `n` more seated members get access to Secrets Manager: all or none. Its seats grow as far as their cap and the
    /// Password Manager seats allow.
    pub fn grant_secrets_manager(&self, id: &str, n: u32) -> bool {
        let fixed = self.billing_path();
        self.on(id, |o| {
            let path = fixed.unwrap_or(o.path);
            let without = |o: &Org| o.members.iter().filter(|m| m.status.occupies() && !m.sm).count();
            if without(o) < n as usize {
                return false;
            }
            let used = o.usage().sm_users.saturating_add(i32::try_from(n).unwrap_or(i32::MAX));
            let now = SmTarget::of(&o.row);
            let grown = SmTarget { seats: now.seats.map(|s| s.max(used)), ..now };
            let done = self.autoscale_sm(o, grown, path);
            if done {
                let plain = o.members.iter_mut().filter(|m| m.status.occupies() && !m.sm);
                plain.take(n as usize).for_each(|m| m.sm = true);
            }
            done
        })
    }

    /// Of all organizations, if a switch says so.
    fn billing_path(&self) -> Option<BillingPath> {
        lock(&self.shared.switches).billing_path
    }

    /// The rules of Secrets Manager apply to the vendor's own growth too; billed in the same step. The source does not
    /// describe this way in detail.
    fn autoscale_sm(&self, o: &mut Org, to: SmTarget, path: BillingPath) -> bool {
        let mut outcome = rules::secrets_manager(&o.row, o.usage(), to);
        let plan = o.row.plan;
        if outcome.is_ok() && to != SmTarget::of(&o.row) {
            o.commit(self.now(), Actor::Autoscale, Step::Both, None, |o| {
                outcome = stripe::charge(&mut o.stripe, plan, path, Quantities::of_sm(plan, to));
                if outcome.is_ok() {
                    (o.row.shown.sm_seats, o.row.shown.service_accounts) = (to.seats, to.accounts);
                }
            });
        }
        let done = outcome.is_ok();
        if let Err(refusal) = outcome {
            o.last_refusal = Some(LastRefusal { at: self.now(), request: None, refusal });
        }
        done
    }
}
