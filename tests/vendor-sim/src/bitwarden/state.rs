//! What the vendor stores about one organization: the row, the members, Stripe's side, the ledger.
//! Rows are copied out and written back whole, as the vendor does (docs/vendors/bitwarden.md, "Changes that overlap").

use axum::body::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    ledger::{Actor, Billed, LedgerEntry, Shown, Step},
    member::{Member, MemberStatus},
    organization::{Organization, Provider, SubscriptionStatus},
    plans::PlanType,
    refusal::LastRefusal,
    switches::BillingPath,
    terms::{License, Terms},
    view::OrganizationKey,
    webhook::Handlers,
};

/// The organization's row. Writes replace all of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) billing_email: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) use_api: bool,
    pub(crate) plan: PlanType,
    pub(crate) shown: Shown,
    pub(crate) use_sm: bool,
    pub(crate) customer: bool,
    pub(crate) subscription: bool,
    pub(crate) use_sponsored: bool,
}

/// Stripe's quantities (what is added to the plan's included numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stripe {
    pub(crate) status: SubscriptionStatus,
    pub(crate) seats: i32,
    pub(crate) storage: i32,
    pub(crate) sm_seats: i32,
    pub(crate) accounts: i32,
}

/// Occupancy and other numbers the rules compare with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) users: i32,
    pub(crate) sponsored: i32,
    pub(crate) sm_users: i32,
    pub(crate) machine_accounts: i32,
    pub(crate) storage_gb: i32,
}

impl Usage {
    pub(crate) fn occupied(self) -> i32 {
        self.users + self.sponsored
    }
}

#[derive(Debug)]
pub(crate) struct Org {
    pub(crate) id: Uuid,
    pub(crate) secret: String,
    /// Stands for the encrypted organization key in profiles: a client must not show it.
    pub(crate) vault_key: String,
    pub(crate) row: Row,
    pub(crate) stripe: Option<Stripe>,
    pub(crate) terms: Terms,
    pub(crate) license: Option<License>,
    pub(crate) provider: Option<Provider>,
    pub(crate) provider_id: Uuid,
    /// Users of that provider.
    pub(crate) provider_users: Vec<Uuid>,
    pub(crate) members: Vec<Member>,
    /// The unpaged list, made once per change: it can be megabytes.
    pub(crate) members_json: Option<Bytes>,
    pub(crate) next_member: u32,
    pub(crate) sponsored: i32,
    pub(crate) machine_accounts: i32,
    pub(crate) storage_used: i32,
    pub(crate) ledger: Vec<LedgerEntry>,
    pub(crate) last_refusal: Option<LastRefusal>,
    /// Mails to the owners about seats and cap ("What is billed and when").
    pub(crate) owner_mails: usize,
    /// The vendor has raised seats by itself: that mail is sent once.
    pub(crate) autoscaled: bool,
    /// Which of the paths its bills go, unless a switch says otherwise ("Two billing paths").
    pub(crate) path: BillingPath,
    /// Webhooks under way.
    pub(crate) handlers: Handlers,
}

pub(crate) fn random_id() -> Uuid {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid()
}

pub(crate) fn random_text(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

impl Org {
    /// `number`: how many organizations there were before.
    #[expect(clippy::too_many_lines, reason = "one value: its length is the number of its fields")]
    pub(crate) fn new(id: Uuid, number: usize, o: Organization) -> Self {
        let shown = Shown {
            seats: o.seats,
            limit: o.limit,
            storage_gb: o.storage_gb,
            sm_seats: o.sm_seats,
            sm_limit: o.sm_limit,
            service_accounts: o.service_accounts,
            service_account_limit: o.service_account_limit,
        };
        let over = |total: Option<i32>, base: i32| total.map_or(0, |t| (t - base).max(0));
        let stripe = o.subscription_status.filter(|_| o.stripe_subscription).map(|status| Stripe {
            status,
            seats: over(o.seats, o.plan.base_seats()),
            storage: over(o.storage_gb, o.plan.base_storage()),
            sm_seats: over(o.sm_seats, o.plan.base_sm_seats()),
            accounts: over(o.service_accounts, o.plan.base_accounts()),
        });
        let mut org = Self {
            id,
            secret: o.client_secret.unwrap_or_else(|| random_text(30)),
            vault_key: random_text(64),
            row: Row {
                name: o.name,
                billing_email: Some("billing@example.org".into()),
                enabled: o.enabled,
                use_api: o.use_api.unwrap_or_else(|| o.plan.has_api()),
                plan: o.plan,
                shown,
                use_sm: o.use_secrets_manager,
                customer: o.stripe_customer,
                subscription: o.stripe_subscription,
                use_sponsored: o.use_admin_sponsored_families,
            },
            stripe,
            terms: o.terms,
            license: o.license,
            provider: o.provider,
            provider_id: random_id(),
            provider_users: Vec::new(),
            members: Vec::new(),
            members_json: None,
            next_member: 0,
            sponsored: o.sponsored_families,
            machine_accounts: o.machine_accounts_used,
            storage_used: o.storage_used_gb,
            ledger: Vec::new(),
            last_refusal: None,
            owner_mails: 0,
            autoscaled: false,
            path: o.billing_path.unwrap_or_else(|| BillingPath::of_number(number)),
            handlers: Handlers::default(),
        };
        for (status, count) in [
            (MemberStatus::Confirmed, o.members),
            (MemberStatus::Invited, o.invited),
            (MemberStatus::Accepted, o.accepted),
            (MemberStatus::Revoked, o.revoked),
            (MemberStatus::Staged, o.staged),
        ] {
            for _ in 0..count {
                org.add_member(status);
            }
        }
        org.members.iter_mut().take(o.sm_members as usize).for_each(|m| m.sm = true);
        org
    }

    pub(crate) fn add_member(&mut self, status: MemberStatus) -> &mut Member {
        let number = self.next_member;
        let at = self.members.len();
        self.next_member += 1;
        self.members_json = None;
        self.members.push(Member {
            id: random_id(),
            user_id: random_id(),
            email: format!("member{number}@example.org"),
            name: format!("Member {number}"),
            status,
            before_revoke: MemberStatus::Confirmed,
            kind: if number == 0 { 0 } else { 2 },
            external_id: None,
            sm: false,
        });
        &mut self.members[at]
    }

    pub(crate) fn key(&self) -> OrganizationKey {
        OrganizationKey {
            id: self.id.to_string(),
            client_id: format!("organization.{}", self.id),
            client_secret: self.secret.clone(),
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let count = |sm: bool| {
            let seated = self.members.iter().filter(|m| m.status.occupies() && (!sm || m.sm));
            i32::try_from(seated.count()).unwrap_or(i32::MAX)
        };
        Usage {
            users: count(false),
            sponsored: self.sponsored,
            sm_users: count(true),
            machine_accounts: self.machine_accounts,
            storage_gb: self.storage_used,
        }
    }

    pub(crate) fn billed(&self) -> Billed {
        let plan = self.row.plan;
        self.stripe.map_or_else(Billed::default, |s| Billed {
            seats: Some(s.seats.saturating_add(plan.base_seats())),
            storage_gb: Some(s.storage.saturating_add(plan.base_storage())),
            sm_seats: Some(s.sm_seats.saturating_add(plan.base_sm_seats())),
            service_accounts: Some(s.accounts.saturating_add(plan.base_accounts())),
        })
    }

    /// Changes something and, if the numbers differ afterwards, writes it into the ledger.
    #[expect(clippy::too_many_arguments, reason = "what a line of the ledger is made of")]
    pub(crate) fn commit(
        &mut self,
        at: Timestamp,
        who: Actor,
        step: Step,
        request: Option<u64>,
        f: impl FnOnce(&mut Self),
    ) {
        let (before, billed_before) = (self.row.shown, self.billed());
        f(self);
        let (after, billed_after) = (self.row.shown, self.billed());
        if before != after || billed_before != billed_after {
            let sequence = self.ledger.len() as u64 + 1;
            self.ledger.push(LedgerEntry {
                sequence,
                at,
                who,
                step,
                request,
                before,
                after,
                billed_before,
                billed_after,
            });
        }
    }
}
