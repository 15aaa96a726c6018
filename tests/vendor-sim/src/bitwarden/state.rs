//! What the vendor stores about one organization: the row, the members, Stripe's side, the ledger.
//! Rows are copied out and written back whole, as the vendor does (section 14).

use axum::body::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    ledger::{Actor, Billed, LedgerEntry, Shown, Step},
    organization::{Organization, Provider, SubscriptionStatus},
    plans::Plan,
    refusal::LastRefusal,
    view::{OrganizationKey, OrganizationView},
};

/// The organization's row. Writes replace all of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) use_api: bool,
    pub(crate) plan: Plan,
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

/// Status of a member (section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MemberStatus {
    /// -1.
    Revoked,
    /// 0.
    Invited,
    /// 1.
    Accepted,
    /// 2.
    Confirmed,
    /// 3.
    Staged,
}

impl MemberStatus {
    /// The vendor's number.
    pub fn number(self) -> i8 {
        match self {
            Self::Revoked => -1,
            Self::Invited => 0,
            Self::Accepted => 1,
            Self::Confirmed => 2,
            Self::Staged => 3,
        }
    }

    /// Section 8: whether such a member takes a seat.
    pub fn occupies(self) -> bool {
        matches!(self, Self::Invited | Self::Accepted | Self::Confirmed)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) status: MemberStatus,
    /// What a revoked member goes back to.
    pub(crate) before_revoke: MemberStatus,
    pub(crate) kind: u8,
    pub(crate) external_id: Option<String>,
    pub(crate) sm: bool,
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
    pub(crate) row: Row,
    pub(crate) stripe: Option<Stripe>,
    pub(crate) provider: Option<Provider>,
    pub(crate) members: Vec<Member>,
    /// The unpaged list, made once per change: it can be megabytes.
    pub(crate) members_json: Option<Bytes>,
    pub(crate) next_member: u32,
    pub(crate) sponsored: i32,
    pub(crate) machine_accounts: i32,
    pub(crate) storage_used: i32,
    pub(crate) ledger: Vec<LedgerEntry>,
    pub(crate) last_refusal: Option<LastRefusal>,
}

pub(crate) fn random_id() -> Uuid {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid()
}

pub(crate) fn random_text(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

impl Org {
    pub(crate) fn new(id: Uuid, o: Organization) -> Self {
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
            row: Row {
                name: o.name,
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
            provider: o.provider,
            members: Vec::new(),
            members_json: None,
            next_member: 0,
            sponsored: o.sponsored_families,
            machine_accounts: o.machine_accounts_used,
            storage_used: o.storage_used_gb,
            ledger: Vec::new(),
            last_refusal: None,
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

    pub(crate) fn view(&self) -> OrganizationView {
        let usage = self.usage();
        let mut members_by_status = std::collections::BTreeMap::new();
        for member in &self.members {
            *members_by_status.entry(member.status.number()).or_insert(0) += 1;
        }
        let Row { shown, .. } = self.row;
        OrganizationView {
            id: self.id.to_string(),
            name: self.row.name.clone(),
            client_id: format!("organization.{}", self.id),
            enabled: self.row.enabled,
            use_api: self.row.use_api,
            plan: self.row.plan,
            seats: shown.seats,
            limit: shown.limit,
            storage_gb: shown.storage_gb,
            use_secrets_manager: self.row.use_sm,
            sm_seats: shown.sm_seats,
            sm_limit: shown.sm_limit,
            service_accounts: shown.service_accounts,
            service_account_limit: shown.service_account_limit,
            machine_accounts_used: self.machine_accounts,
            members: self.members.len(),
            members_by_status,
            occupied: usage.occupied(),
            sm_occupied: usage.sm_users,
            sponsored_families: self.sponsored,
            billed: self.billed(),
            billed_quantity: self.stripe.map(|s| s.seats),
            stripe_customer: self.row.customer,
            stripe_subscription: self.row.subscription,
            subscription_status: self.stripe.map(|s| s.status),
            provider: self.provider,
            last_refusal: self.last_refusal.clone(),
        }
    }
}
