//! What tests do to people with API keys: make them, give and take roles, rotate keys, look at devices and mails.
//! A wrong user or organization id is a mistake in the test, so it panics.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use jiff::SignedDuration;
use uuid::Uuid;

use super::{
    Bitwarden, lock,
    member::MemberStatus,
    state::{Org, random_id, random_text},
    token::Claims,
    users::{Account, Device, Membership, Role, User, UserKey, UserView},
};

/// A GUID, or a client id with one.
fn parse(user: &str) -> Option<Uuid> {
    Uuid::parse_str(user.strip_prefix("user.").unwrap_or(user)).ok()
}

impl Bitwarden {
    /// The user behind an id (`<guid>` or `user.<guid>`).
    #[expect(clippy::panic, reason = "a mistake in the test")]
    fn on_user<T>(&self, user: &str, f: impl FnOnce(&mut User) -> T) -> T {
        let found = parse(user).and_then(|id| lock(&self.shared.users).get_mut(&id).map(f));
        self.touch();
        match found {
            Some(result) => result,
            None => panic!("the simulator has no user {user:?}"),
        }
    }

    fn make_user(&self, id: Uuid, email: String) -> UserKey {
        let now = self.now();
        let account = Account {
            legacy_encryption: false,
            v2_encryption: false,
            created: now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now),
        };
        let user = User {
            id,
            email,
            secret: random_text(30),
            vault_key: random_text(64),
            account,
            devices: Vec::new(),
            mails: 0,
            logins: 0,
        };
        let key = user.key();
        lock(&self.shared.users).insert(id, user);
        self.touch();
        key
    }

    /// A user who belongs to no organization yet.
    pub fn add_user(&self) -> UserKey {
        let id = random_id();
        self.make_user(id, format!("user-{id}@example.org"))
    }

    /// Gives a confirmed member of the organization an API key: one with this role if there is one without a key, else
    /// a plain member, who gets the role; so no seat is taken while there is somebody to take. Otherwise, and never for
    /// a provider's user, somebody joins (no rule applies).
    pub fn add_user_key(&self, organization: &str, role: Role) -> UserKey {
        let Some(number) = role.number() else {
            let key = self.add_user();
            self.set_role(&key.user_id, organization, role);
            return key;
        };
        let taken: Vec<Uuid> = lock(&self.shared.users).keys().copied().collect();
        let (id, email) = self.on(organization, |o| {
            let free = |kind: u8| {
                let fits = |m: &super::member::Member| m.status == MemberStatus::Confirmed && m.kind == kind;
                o.members.iter().position(|m| fits(m) && !taken.contains(&m.user_id))
            };
            let index = free(number).or_else(|| free(2)).unwrap_or_else(|| {
                o.add_member(MemberStatus::Confirmed);
                o.members.len() - 1
            });
            o.members_json = None;
            let member = &mut o.members[index];
            member.kind = number;
            (member.user_id, member.email.clone())
        });
        self.make_user(id, email)
    }

    /// The present key.
    pub fn user_key(&self, user: &str) -> UserKey {
        self.on_user(user, |u| u.key())
    }

    /// Makes a new secret. Tokens already issued stay good ("How long a token counts").
    pub fn rotate_user_key(&self, user: &str) -> UserKey {
        self.on_user(user, |u| {
            u.secret = random_text(30);
            u.key()
        })
    }

    /// Deletes the account: its key is unknown from now on, its tokens stay good. Memberships stay as they are.
    pub fn remove_user(&self, user: &str) {
        self.on_user(user, |_| ());
        if let Some(id) = parse(user) {
            lock(&self.shared.users).remove(&id);
        }
        self.touch();
    }

    /// Changes what the token endpoint asks of the account.
    pub fn change_account(&self, user: &str, f: impl FnOnce(&mut Account)) {
        self.on_user(user, |u| f(&mut u.account));
    }

    /// Gives the user this role, as a new confirmed member if need be (no rule applies). Shows in the next token only.
    pub fn set_role(&self, user: &str, organization: &str, role: Role) {
        let (id, email) = self.on_user(user, |u| (u.id, u.email.clone()));
        self.on(organization, |o| {
            o.members_json = None;
            let Some(number) = role.number() else {
                if !o.provider_users.contains(&id) {
                    o.provider_users.push(id);
                }
                return;
            };
            if let Some(member) = o.members.iter_mut().find(|m| m.user_id == id) {
                member.kind = number;
                return;
            }
            let member = o.add_member(MemberStatus::Confirmed);
            (member.user_id, member.email, member.kind) = (id, email, number);
        });
    }

    /// Changes the status of the user's membership, e.g. to an owner who is not confirmed.
    pub fn set_member_status(&self, user: &str, organization: &str, status: MemberStatus) {
        let id = self.on_user(user, |u| u.id);
        self.on(organization, |o| {
            o.members_json = None;
            o.members.iter_mut().filter(|m| m.user_id == id).for_each(|m| m.status = status);
        });
    }

    /// Takes the user out of the organization, and out of its provider.
    pub fn remove_from_organization(&self, user: &str, organization: &str) {
        let id = self.on_user(user, |u| u.id);
        self.on(organization, |o| {
            o.members_json = None;
            o.members.retain(|m| m.user_id != id);
            o.provider_users.retain(|p| *p != id);
        });
    }

    /// How many "new device" mails the user got: one per device identifier ("The personal key").
    pub fn device_mails(&self, user: &str) -> usize {
        self.on_user(user, |u| u.mails)
    }

    /// The user's devices, oldest first.
    pub fn devices(&self, user: &str) -> Vec<Device> {
        self.on_user(user, |u| u.devices.clone())
    }

    /// All users with a key.
    pub fn users(&self) -> Vec<UserView> {
        let ids: Vec<Uuid> = lock(&self.shared.users).keys().copied().collect();
        ids.iter().filter_map(|id| self.find_user(&id.to_string())).collect()
    }

    /// One user, or None.
    pub fn find_user(&self, user: &str) -> Option<UserView> {
        let id = parse(user)?;
        let memberships = lock(&self.shared.orgs).values().flat_map(|o| o.memberships(id)).collect();
        let users = lock(&self.shared.users);
        let user = users.get(&id)?;
        let UserKey { user_id, email, client_id, .. } = user.key();
        Some(UserView {
            user_id,
            email,
            client_id,
            account: user.account.clone(),
            devices: user.devices.clone(),
            device_mails: user.mails,
            logins: user.logins,
            memberships,
        })
    }

    /// The roles a token will carry, from confirmed memberships ("The personal key").
    pub(crate) fn claims(&self, user: Uuid) -> Claims {
        let orgs = lock(&self.shared.orgs);
        let role = |o: &Org| o.confirmed(user).map(|m| (o.id, Role::of_number(m.kind)));
        Claims { user, roles: orgs.values().filter_map(role).collect() }
    }
}

impl Org {
    /// The user's confirmed membership.
    pub(crate) fn confirmed(&self, user: Uuid) -> Option<&super::member::Member> {
        self.members.iter().find(|m| m.user_id == user && m.status == MemberStatus::Confirmed)
    }

    fn memberships(&self, user: Uuid) -> Vec<Membership> {
        let entry = |role, status| Membership { organization: self.id.to_string(), role, status };
        let member = self.members.iter().find(|m| m.user_id == user);
        let member = member.map(|m| entry(Role::of_number(m.kind), Some(m.status)));
        let provider = self.provider_users.contains(&user).then(|| entry(Role::ProviderUser, None));
        member.into_iter().chain(provider).collect()
    }
}
