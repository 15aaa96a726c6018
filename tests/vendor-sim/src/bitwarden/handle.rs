//! What tests do to the vendor from inside the process: create, change and look at organizations.
//! A wrong organization id is a mistake in the test, so it panics.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use uuid::Uuid;

use super::{
    Bitwarden, autoscale,
    ledger::{Actor, LedgerEntry, Step},
    lock,
    member::MemberStatus,
    organization::{Organization, SubscriptionStatus},
    refusal::{LastRefusal, Refusal},
    rules,
    state::{Org, random_id, random_text},
    stripe::{self, Quantities},
    subscription::narrow,
    view::{OrganizationKey, OrganizationView},
    webhook,
};

impl Bitwarden {
    /// The organization behind an id; a test naming a wrong one must fail at once.
    #[expect(clippy::panic, reason = "a mistake in the test")]
    pub(crate) fn on<T>(&self, id: &str, f: impl FnOnce(&mut Org) -> T) -> T {
        let webhook = lock(&self.shared.switches).webhook.clone();
        let by_hand = |o: &mut Org| {
            let (before, billed) = (o.row.clone(), o.billed());
            let result = f(o);
            if o.row != before {
                o.handlers.done_with(&before);
            }
            let emitted = (webhook.enabled && webhook.without_request && o.billed() != billed)
                .then(|| o.handlers.take(o.row.clone()));
            (result, emitted)
        };
        let org = Uuid::parse_str(id).ok();
        match org.and_then(|org| self.with_org(org, by_hand).map(|done| (org, done))) {
            Some((org, (result, emitted))) => {
                if let Some(copy) = emitted {
                    webhook::emit_by_hand(self, org, copy);
                }
                result
            }
            None => panic!("the simulator has no organization {id:?}"),
        }
    }

    /// Adds an organization (replaces one with the same id) and returns its key.
    pub fn add_organization(&self, organization: Organization) -> OrganizationKey {
        let id = organization.id.as_deref().and_then(|id| Uuid::parse_str(id).ok()).unwrap_or_else(random_id);
        let mut orgs = lock(&self.shared.orgs);
        let org = Org::new(id, orgs.len(), organization);
        let key = org.key();
        orgs.insert(id, org);
        drop(orgs);
        self.touch();
        key
    }

    /// All organizations.
    pub fn organizations(&self) -> Vec<OrganizationView> {
        lock(&self.shared.orgs).values().map(Org::view).collect()
    }

    /// One organization, or None.
    pub fn find(&self, id: &str) -> Option<OrganizationView> {
        self.with_org(Uuid::parse_str(id).ok()?, |o| o.view())
    }

    /// One organization.
    pub fn organization(&self, id: &str) -> OrganizationView {
        self.on(id, |o| o.view())
    }

    /// Deletes it; its tokens stay valid.
    pub fn delete_organization(&self, id: &str) {
        if let Ok(id) = Uuid::parse_str(id) {
            lock(&self.shared.orgs).remove(&id);
            self.touch();
        }
    }

    /// The present key.
    pub fn key(&self, id: &str) -> OrganizationKey {
        self.on(id, |o| o.key())
    }

    /// Makes a new secret. Tokens already issued stay good ("How long a token counts").
    pub fn rotate_key(&self, id: &str) -> OrganizationKey {
        self.on(id, |o| {
            o.secret = random_text(30);
            o.key()
        })
    }

    /// A disabled organization gets no new tokens.
    pub fn set_enabled(&self, id: &str, enabled: bool) {
        self.on(id, |o| o.row.enabled = enabled);
    }

    /// Changes the Stripe ids in the row and the subscription's state (None: unknown to Stripe).
    pub fn set_stripe(&self, id: &str, customer: bool, subscription: bool, status: Option<SubscriptionStatus>) {
        self.on(id, |o| {
            (o.row.customer, o.row.subscription) = (customer, subscription);
            o.stripe = match (status, o.stripe) {
                (Some(status), Some(stripe)) => Some(super::state::Stripe { status, ..stripe }),
                (Some(status), None) => {
                    let seats = o.row.shown.seats.map_or(0, |s| s - o.row.plan.base_seats());
                    Some(super::state::Stripe { status, seats, storage: 0, sm_seats: 0, accounts: 0 })
                }
                (None, _) => None,
            };
        });
    }

    /// Sponsored families in use: they occupy seats that the organization API does not show.
    pub fn set_sponsored_families(&self, id: &str, count: i32) {
        self.on(id, |o| o.sponsored = count);
    }

    fn keep(&self, o: &mut Org, outcome: Result<(), Refusal>) -> Result<(), Refusal> {
        if let Err(refusal) = &outcome {
            o.last_refusal = Some(LastRefusal { at: self.now(), request: None, refusal: refusal.clone() });
        }
        outcome
    }

    fn seat(&self, o: &mut Org, n: u32) -> Result<(), Refusal> {
        let switches = lock(&self.shared.switches).clone();
        let n = i32::try_from(n).unwrap_or(i32::MAX);
        if let Some(to) = autoscale::seats_for(o, n, switches.self_hosted)? {
            let path = switches.billing_path.unwrap_or(o.path);
            let raise = |o: &mut Org| autoscale::raise(o, to, Some(path));
            o.commit(self.now(), Actor::Autoscale, Step::Both, None, raise);
        }
        Ok(())
    }

    /// `n` people join through the web vault: all or none. Seats grow as far as the cap allows
    /// ("Seats that Bitwarden adds").
    pub fn join(&self, id: &str, n: u32) -> bool {
        self.on(id, |o| {
            let outcome = self.seat(o, n);
            let joined = self.keep(o, outcome).is_ok();
            for _ in 0..if joined { n } else { 0 } {
                o.add_member(MemberStatus::Confirmed);
            }
            joined
        })
    }

    /// `n` people are invited through the organization API: all or none. Seats grow as far as the cap allows, and are billed by
    /// [`run_billing_job`](Self::run_billing_job) ("What is billed and when").
    pub fn invite(&self, id: &str, n: u32) -> bool {
        let self_hosted = lock(&self.shared.switches).self_hosted;
        self.on(id, |o| {
            let room = autoscale::seats_for(o, i32::try_from(n).unwrap_or(i32::MAX), self_hosted);
            if let Ok(Some(to)) = room {
                let raise = |o: &mut Org| autoscale::raise(o, to, None);
                o.commit(self.now(), Actor::Autoscale, Step::Row, None, raise);
            }
            let invited = self.keep(o, room.map(|_| ())).is_ok();
            for _ in 0..if invited { n } else { 0 } {
                o.add_member(MemberStatus::Invited);
            }
            invited
        })
    }

    /// The last `n` seated members (not the owner) leave; returns how many did.
    pub fn leave(&self, id: &str, n: u32) -> u32 {
        self.on(id, |o| {
            o.members_json = None;
            let mut left = 0;
            for index in (1..o.members.len()).rev() {
                if left < n && o.members[index].status.occupies() {
                    o.members.remove(index);
                    left += 1;
                }
            }
            left
        })
    }

    /// The last `n` seated members (not the owner) are revoked; returns how many were.
    pub fn revoke(&self, id: &str, n: u32) -> u32 {
        self.on(id, |o| {
            o.members_json = None;
            let seated = o.members.iter_mut().skip(1).rev().filter(|m| m.status.occupies());
            seated.take(n as usize).map(|m| m.revoke()).fold(0, |n, ()| n + 1)
        })
    }

    /// Up to `n` revoked members come back: all or none, through autoscaling.
    pub fn restore(&self, id: &str, n: u32) -> bool {
        self.on(id, |o| {
            o.members_json = None;
            let revoked = o.members.iter().filter(|m| m.status == MemberStatus::Revoked).count();
            let n = n.min(u32::try_from(revoked).unwrap_or(u32::MAX));
            let outcome = self.seat(o, n);
            let restored = self.keep(o, outcome).is_ok();
            if restored {
                let back = o.members.iter_mut().filter(|m| m.status == MemberStatus::Revoked);
                back.take(n as usize).for_each(|m| m.status = m.before_revoke);
            }
            restored
        })
    }

    /// Somebody sets seats in the web vault: the vendor's rules apply, the cap does not ("The seat POST"); billed at
    /// once.
    pub fn set_seats(&self, id: &str, seats: i32) -> Result<(), Refusal> {
        let fixed = lock(&self.shared.switches).billing_path;
        self.on(id, |o| {
            let path = fixed.unwrap_or(o.path);
            let delta = seats.wrapping_sub(o.row.shown.seats.unwrap_or(0));
            let mut outcome = rules::seats(&o.row, o.usage(), delta);
            o.commit(self.now(), Actor::ThirdParty, Step::Both, None, |o| {
                if let Ok(new) = outcome {
                    let to = Quantities { seats: Some(new - o.row.plan.base_seats()), ..Quantities::default() };
                    match stripe::charge(&mut o.stripe, o.row.plan, path, to) {
                        Ok(()) => o.row.shown.seats = Some(narrow(new)),
                        Err(refusal) => outcome = Err(refusal),
                    }
                }
            });
            self.keep(o, outcome.map(|_| ()))
        })
    }

    /// Somebody sets or clears the cap in the web vault; block B applies.
    pub fn set_limit(&self, id: &str, limit: Option<i32>) -> Result<(), Refusal> {
        self.on(id, |o| {
            let outcome = rules::limit(&o.row, limit);
            if outcome.is_ok() {
                let set = |o: &mut Org| o.row.shown.limit = limit;
                o.commit(self.now(), Actor::ThirdParty, Step::Row, None, set);
            }
            self.keep(o, outcome)
        })
    }

    /// Vendor staff or a migration write the row; no rule applies, and billing stays ("Who else writes seats").
    pub fn force_row(&self, id: &str, seats: Option<i32>, limit: Option<i32>) {
        self.on(id, |o| {
            o.commit(self.now(), Actor::Vendor, Step::Row, None, |o| {
                (o.row.shown.seats, o.row.shown.limit) = (seats, limit);
            });
        });
    }

    /// The vendor's three-hourly job: bills what invitations through the organization API have added ("What is billed and when").
    pub fn run_billing_job(&self, id: &str) {
        let fixed = lock(&self.shared.switches).billing_path;
        self.on(id, |o| {
            let path = fixed.unwrap_or(o.path);
            o.commit(self.now(), Actor::BillingJob, Step::Billed, None, |o| {
                let seats = o.row.shown.seats.map(|s| s - o.row.plan.base_seats());
                let _ = stripe::charge(&mut o.stripe, o.row.plan, path, Quantities { seats, ..Quantities::default() });
            });
        });
    }

    /// How many webhooks hold the row to write it back, of those that read it after their request.
    pub fn webhooks_holding(&self, id: &str) -> usize {
        self.on(id, |o| o.handlers.holding())
    }

    /// Everything that changed, in order.
    pub fn ledger(&self, id: &str) -> Vec<LedgerEntry> {
        self.on(id, |o| o.ledger.clone())
    }

    /// Why the last change was refused: the reason that the PUT of the organization API hides.
    pub fn last_refusal(&self, id: &str) -> Option<LastRefusal> {
        self.on(id, |o| o.last_refusal.clone())
    }
}
