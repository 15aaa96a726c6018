//! Access tokens: whom one speaks for and how long it lives (docs/vendors/bitwarden.md, "How long a token counts").
//! Roles are frozen into a user's token, so a role change shows only in the next one. The token endpoint issues them,
//! the router checks them.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use super::{Bitwarden, identity, lock, owner_api, state::random_text, switches::Switches, users::Role};
use crate::http::Request;

/// What a user's token says about him, as of its issue ("The personal key").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) user: Uuid,
    /// Confirmed memberships only.
    pub(crate) roles: BTreeMap<Uuid, Role>,
}

impl Claims {
    pub(crate) fn owns(&self, org: Uuid) -> bool {
        self.roles.get(&org) == Some(&Role::Owner)
    }
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Organization(Uuid),
    User(Claims),
}

#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    expires: Duration,
    pub(crate) killed: bool,
}

impl Token {
    pub(crate) fn alive(&self, now: Duration, skew: u64) -> bool {
        !self.killed && now < self.expires + Duration::from_secs(skew)
    }
}

impl Bitwarden {
    pub(crate) fn issue(&self, kind: TokenKind, switches: &Switches) -> String {
        let token = format!("eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.{}.{}", random_text(240), random_text(86));
        let expires = self.shared.clock.elapsed() + Duration::from_secs(switches.token_lifetime_seconds);
        lock(&self.shared.tokens).insert(token.clone(), Token { kind, expires, killed: false });
        token
    }

    /// Whom a request is about, even if it will be refused: by token, by path, or by client id.
    pub(crate) fn organization_of(&self, request: &Request) -> Option<String> {
        if let Some(token) =
            request.bearer().and_then(|bearer| lock(&self.shared.tokens).get(bearer).map(|t| t.kind.clone()))
            && let TokenKind::Organization(org) = token
        {
            return Some(org.to_string());
        }
        let org = owner_api::organization_in(&request.path).or_else(|| identity::organization_asking(request))?;
        Some(org.to_string())
    }
}
