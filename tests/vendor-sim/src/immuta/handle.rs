//! What tests do to the tenant from inside the process: make it, issue keys, move users, act as a person in the UI, and
//! read the ledger. A wrong key text is a mistake in the test, so it panics.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    Immuta,
    auth::ApiKey,
    choices::Permission,
    key::{Issued, LicenseKey},
    ledger::{Actor, LedgerEntry},
    problem::Problem,
    row::{Row, RowView},
    state::{By, State},
    tenant::{Tenant, TenantKey, UserType},
};
use crate::bitwarden::state::random_text;

/// Everything about the tenant, now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TenantView {
    /// Name; None: there is no tenant.
    pub name: Option<String>,
    /// The answer of `licenseStatus`.
    pub status: Value,
    /// All users, active or not.
    pub users: usize,
    /// All rows, soft-deleted ones too.
    pub rows: Vec<RowView>,
}

fn views(state: &State, now: Timestamp) -> Vec<RowView> {
    let view = |row: &Row| Some(row.view(state.key_of(row)?, now));
    state.rows.iter().filter_map(view).collect()
}

impl Immuta {
    fn by(&self, who: Actor) -> By {
        By { who, request: None, at: self.now() }
    }

    fn change<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let result = f(&mut self.state());
        self.front.touch();
        result
    }

    /// Makes the tenant (instead of one that is there) and returns its first API key. Issued keys and ledger stay.
    pub fn add_tenant(&self, tenant: Tenant) -> TenantKey {
        let by = self.by(Actor::Vendor);
        let key = self.change(|s| {
            s.rebuild(by);
            s.users.clear();
            s.api_keys.clear();
            s.tokens.clear();
            s.tenant = Some(tenant.name.clone());
            let kinds = [
                (tenant.users, UserType::DataConsumer, true),
                (tenant.inactive_users, UserType::DataConsumer, false),
                (tenant.policy_owners, UserType::PolicyOwner, true),
            ];
            for (n, kind, active) in kinds {
                (0..n).for_each(|_| s.add_user(kind, active));
            }
            let text = tenant.api_key.clone().unwrap_or_else(|| random_text(32));
            s.api_keys.push(ApiKey { text: text.clone(), permissions: tenant.permissions.clone(), revoked: false });
            text
        });
        TenantKey { tenant: tenant.name, api_key: key }
    }

    /// One more API key, of a user with these permissions.
    pub fn add_api_key(&self, permissions: &[Permission]) -> String {
        let text = random_text(32);
        let key = ApiKey { text: text.clone(), permissions: permissions.to_vec(), revoked: false };
        self.change(|s| s.api_keys.push(key));
        text
    }

    /// The owner deletes this API key. False: there is none.
    pub fn revoke_api_key(&self, text: &str) -> bool {
        self.change(|s| s.api_keys.iter_mut().find(|k| k.text == text).map(|k| k.revoked = true)).is_some()
    }

    /// All tokens issued so far are refused from now on.
    pub fn expire_tokens(&self) {
        self.change(|s| s.tokens.values_mut().for_each(|t| t.killed = true));
    }

    /// The vendor issues a license key; returns its text. Nothing is added to the tenant. A text that was issued before
    /// keeps its first terms.
    pub fn issue(&self, terms: LicenseKey) -> String {
        let now = self.now();
        self.change(|s| {
            let key = Issued::new(s.keys.len() as u64 + 1, terms, now);
            let text = key.text.clone();
            if s.issued(&text).is_none() {
                s.keys.push(key);
            }
            text
        })
    }

    /// The number by which the ledger names a key.
    #[expect(clippy::panic, reason = "a mistake in the test")]
    pub fn number_of(&self, key: &str) -> u64 {
        let number = self.state().issued(key).map(|k| k.number);
        number.unwrap_or_else(|| panic!("the simulator has issued no such license key"))
    }

    /// So many more active data consumers, whatever the seats (they sign in through the company's directory).
    pub fn add_users(&self, n: u32) {
        self.change(|s| (0..n).for_each(|_| s.add_user(UserType::DataConsumer, true)));
    }

    /// The last `n` users go; returns how many did.
    pub fn remove_users(&self, n: u32) -> u32 {
        self.change(|s| (0..n).map_while(|_| s.users.pop()).fold(0, |n, _| n + 1))
    }

    /// An admin adds an account: refused when `canAddUser` is false.
    pub fn user_joins(&self) -> bool {
        let now = self.now();
        self.change(|s| {
            let allowed = s.can_add_user(now);
            if allowed {
                s.add_user(UserType::DataConsumer, true);
            }
            allowed
        })
    }

    /// Somebody adds a key in the UI, under the same rules as POST.
    pub fn add_by_hand(&self, key: &str) -> Result<RowView, Problem> {
        let by = self.by(Actor::Person);
        self.change(|s| {
            let verdict = s.judge(key, by)?;
            let row = s.add(verdict, by, true);
            views(s, by.at).into_iter().find(|v| v.id == row.id).ok_or_else(|| Problem::not_found("License not found"))
        })
    }

    /// Somebody deletes a row in the UI, under the same rules as DELETE.
    pub fn delete_by_hand(&self, id: i64) -> Result<(), Problem> {
        let by = self.by(Actor::Person);
        self.change(|s| s.delete(id, by, true)).map(|_| ())
    }

    /// The key of this row is no longer honored. False: no such row.
    pub fn invalidate(&self, id: i64) -> bool {
        let by = self.by(Actor::Vendor);
        self.change(|s| s.invalidate(id, by))
    }

    /// The tenant is set up anew: no rows, ids from 1. Users and API keys come back with it.
    pub fn rebuild(&self) {
        let by = self.by(Actor::Vendor);
        self.change(|s| s.rebuild(by));
    }

    /// Ids of rows that are gone are handed out again, the lowest first.
    pub fn reset_ids(&self) {
        self.change(|s| s.last_id = 0);
    }

    /// Every addition and deletion asked for, in order.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.state().ledger.clone()
    }

    /// How often a row came alive from this key: more than once means it was spent twice.
    pub fn additions_of(&self, key: &str) -> usize {
        let number = self.number_of(key);
        self.state().ledger.iter().filter(|e| e.key == Some(number) && e.made_a_row()).count()
    }

    /// All rows, soft-deleted ones too.
    pub fn rows(&self) -> Vec<RowView> {
        let now = self.now();
        views(&self.state(), now)
    }

    /// The rows that are not deleted.
    pub fn live_rows(&self) -> Vec<RowView> {
        self.rows().into_iter().filter(|r| !r.deleted).collect()
    }

    /// The rows made from this key that are not deleted.
    pub fn live_rows_of(&self, key: &str) -> Vec<RowView> {
        let number = self.number_of(key);
        self.live_rows().into_iter().filter(|r| r.key == number).collect()
    }

    /// Everything, now.
    pub fn view(&self) -> TenantView {
        let now = self.now();
        let state = self.state();
        TenantView {
            name: state.tenant.clone(),
            status: state.status(now),
            users: state.users.len(),
            rows: views(&state, now),
        }
    }
}
