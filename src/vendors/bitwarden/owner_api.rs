//! What is asked with a person's key: the owner API (docs/vendors/bitwarden.md, "The owner API"), which sees and
//! clears more, and changes by differences.

use futures::TryFutureExt;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::error::BitwardenError;
use super::members::Counted;
use super::operation;
use super::organization_api_fields::Message;
use super::owner_api_fields::{Details, Membership, Memberships, Metadata, Organization, RelativeChange};
use super::proofs::Asked;
use super::session::BitwardenSession;
use crate::api::Product;
use crate::domain::Outcome;
use crate::vendors::SendGuard;
use crate::vendors::operation::Operation;
use crate::vendors::rate_limit::Wait;
use crate::vendors::token_cache::Asker;

/// The path of the list of a person's organizations.
pub(super) const LIST: &str = "organizations";

/// Exact use.
pub(super) const METADATA: &str = "organizations/{id}/billing/vnext/metadata";

/// The details of this many organizations of one person are kept.
const MOST_DETAILS: usize = 256;

/// Answers that cost the vendor several calls, or that hardly change: asked seldom.
#[derive(Default)]
pub(super) struct Known {
    memberships: Option<(Arc<Vec<Membership>>, Instant)>,
    /// The details by organization.
    details: HashMap<String, (Arc<Details>, Instant)>,
    /// Nothing of this was asked with a token before the one with this number.
    token: u64,
}

impl Known {
    /// Keeps the details of an organization, in the place of what is out of date or else of the oldest.
    fn keep(&mut self, id: &str, details: Arc<Details>, age: Duration) {
        self.details.retain(|_, (_, at)| at.elapsed() < age);
        if self.details.len() >= MOST_DETAILS
            && let Some(oldest) = self.details.iter().min_by_key(|(_, (_, at))| *at).map(|(id, _)| id.clone())
        {
            self.details.remove(&oldest);
        }
        self.details.insert(id.to_owned(), (details, Instant::now()));
    }
}

impl BitwardenSession {
    /// `GET /organizations`: where this person belongs, at most `age` old.
    pub(super) async fn memberships(&self, age: Duration) -> Result<Arc<Vec<Membership>>, BitwardenError> {
        if let Some((known, at)) = &self.known().memberships
            && at.elapsed() < age
        {
            return Ok(Arc::clone(known));
        }
        let list: Memberships = self.get(operation::GET_ORGANIZATIONS, LIST, "").await?;
        let list = Arc::new(list.data);
        self.known().memberships = Some((Arc::clone(&list), Instant::now()));
        Ok(list)
    }

    /// `GET /organizations/{id}`: owners only; no call to billing.
    pub(super) async fn organization(&self, id: &str) -> Result<Organization, BitwardenError> {
        self.get(operation::GET_ORGANIZATION, "organizations/{id}", id).await
    }

    /// `GET .../billing/vnext/metadata` ("Exact use").
    pub(super) async fn metadata(&self, id: &str) -> Result<Metadata, BitwardenError> {
        self.get(operation::GET_METADATA, METADATA, id).await
    }

    /// `GET .../subscription`: at most `age` old, and as long as it is `still` right for its age. With whether it was read before.
    pub(super) async fn details(
        &self,
        id: &str,
        age: Duration,
        still: impl Fn(&Details, Duration) -> bool,
    ) -> Result<(Arc<Details>, bool), BitwardenError> {
        if let Some((known, at)) = self.known().details.get(id)
            && at.elapsed() < age
            && still(known, at.elapsed())
        {
            return Ok((Arc::clone(known), true));
        }
        let details: Arc<Details> =
            Arc::new(self.get(operation::GET_DETAILS, "organizations/{id}/subscription", id).await?);
        self.known().keep(id, Arc::clone(&details), self.settings.account_recheck);
        Ok((details, false))
    }

    /// Members that take a seat, from `GET .../users`: for servers without exact use, and for Secrets Manager.
    pub(super) async fn count_users(&self, id: &str) -> Result<Counted, BitwardenError> {
        let path = format!("organizations/{id}/users");
        let of_path = |error: BitwardenError| error.of_path("organizations/{id}/users");
        let count = |token| self.count_list(&path, token).map_err(of_path);
        self.with_token(operation::GET_USERS, count).await
    }

    /// Forgets what is asked seldom, and the token with its roles: something that was seen when the token had this number has
    /// shown that they are out of date. `false`: no other token can be had for now, so another look would show the same.
    pub(super) async fn look_anew(&self, number: u64) -> bool {
        let renewed = self.tokens.replace(number, self.connection.settings.credential_probe).await;
        let mut known = self.known();
        if renewed && known.token <= number {
            *known = Known { token: number + 1, ..Known::default() };
        }
        renewed
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `path` may hold `{id}`, of the organization.
    async fn get<T: DeserializeOwned>(
        &self,
        operation: Operation,
        path: &'static str,
        id: &str,
    ) -> Result<T, BitwardenError> {
        let of_path = |error: BitwardenError| error.of_path(path);
        let read = |token| self.get_json(path.replace("{id}", id), token).map_err(of_path);
        self.with_token(operation, read).await
    }

    async fn get_json<T: DeserializeOwned>(&self, path: String, token: SecretString) -> Result<T, BitwardenError> {
        let answer = self.connection.ask(self.api(Method::GET, self.url(&path), &token)).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.json("the answer of the owner API has an unexpected shape")?),
            StatusCode::BAD_REQUEST if answer.json::<Message>("no message").is_ok() => Err(BitwardenError::SelfHosted),
            _ => Err(self.refusal(&answer)),
        }
    }

    /// The turn of a reading of the organization; until its id is known, of the person's list of organizations.
    pub(super) fn turn_to_look(&self, id: Option<&str>, pool: Product, asker: Asker<'_>) -> Result<(), Wait> {
        let path = id.map_or_else(|| LIST.to_owned(), |id| format!("organizations/{id}"));
        self.connection.turn(&Method::GET, &self.url(&path), (self.client_id(), pool as u8), asker)
    }

    /// The turn of the next change of this organization.
    pub(super) fn turn_to_adjust(&self, id: &str, asker: Asker<'_>) -> Result<(), Wait> {
        self.connection.turn(&Method::POST, &self.url(&format!("organizations/{id}/subscription")), id, asker)
    }

    /// `POST .../subscription` or `.../sm-subscription` ("The subscription POST of the owner API" and
    /// "The Secrets Manager POST").
    pub(super) async fn adjust(
        &self,
        id: &str,
        change: &RelativeChange,
        moves_seats: bool,
        send_guard: SendGuard<'_>,
    ) -> Outcome {
        let url = self.url(&format!("organizations/{id}/{}", change.path()));
        let request = |token: &SecretString| self.api(Method::POST, url, token).json(change);
        self.send_once(operation::POST_SUBSCRIPTION, request, send_guard, Asked::Differences { moves_seats }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Known {
        pub(in super::super) fn learn(&mut self) {
            self.memberships = Some((Arc::default(), Instant::now()));
        }

        pub(in super::super) fn is_empty(&self) -> bool {
            self.memberships.is_none() && self.details.is_empty()
        }
    }

    #[test]
    fn details_of_only_the_latest_organizations_are_kept() {
        let (mut known, hour) = (Known::default(), Duration::from_secs(3600));
        let details: Arc<Details> = Arc::new(serde_json::from_str(r#"{"seats":100}"#).unwrap());
        for id in 0..=MOST_DETAILS {
            known.keep(&id.to_string(), Arc::clone(&details), hour);
        }
        assert_eq!(known.details.len(), MOST_DETAILS);
        assert!(known.details.contains_key(&MOST_DETAILS.to_string()) && !known.details.contains_key("0"));
        known.keep("another", details, Duration::ZERO);
        assert_eq!(known.details.len(), 1, "what is out of date goes first");
    }
}
