//! What is asked with an organization key: the organization API, which sets totals (docs/vendors/bitwarden.md,
//! "The subscription GET", "The subscription PUT" and "Members").

use futures::TryFutureExt;
use futures::TryStreamExt;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::error::BitwardenError;
use super::members::{self, Counted};
use super::operation::{GET_MEMBERS, GET_SUBSCRIPTION, PUT_SUBSCRIPTION};
use super::organization_api_fields::{Message, Subscription, SubscriptionChange};
use super::proofs::Asked;
use super::session::BitwardenSession;
use crate::api::Product;
use crate::domain::Outcome;
use crate::vendors::SendGuard;
use crate::vendors::error::VendorError;
use crate::vendors::http;
use crate::vendors::rate_limit::Wait;
use crate::vendors::token_cache::Asker;

/// The members of an organization.
const MEMBERS: &str = "public/members";

/// The path that all organizations share.
pub(super) const SUBSCRIPTION: &str = "public/organization/subscription";

impl BitwardenSession {
    /// What comes before a reading of this pool: a token, and its turn on the path that all organizations share.
    pub(super) async fn turn_to_read(&self, asker: Asker<'_>, pool: Product) -> Result<(), BitwardenError> {
        self.turn_of_token(asker).await?;
        self.connection
            .turn(&Method::GET, &self.url(SUBSCRIPTION), (self.client_id(), pool as u8), asker)
            .map_err(VendorError::from)?;
        Ok(())
    }

    /// The turn of the next change of this organization.
    pub(super) fn turn_to_set_totals(&self, asker: Asker<'_>) -> Result<(), Wait> {
        self.connection.turn(&Method::PUT, &self.url(SUBSCRIPTION), self.client_id(), asker)
    }

    /// `GET /public/organization/subscription` ("The subscription GET").
    pub(super) async fn subscription(&self) -> Result<Subscription, BitwardenError> {
        let path = |error: BitwardenError| error.of_organization_path(SUBSCRIPTION);
        let read = |token| self.get_subscription(token).map_err(path);
        self.with_token(GET_SUBSCRIPTION, read).await
    }

    /// Members that take a seat, from `GET /public/members` ("Members").
    pub(super) async fn count_members(&self) -> Result<i32, BitwardenError> {
        let path = |error: BitwardenError| error.of_organization_path(MEMBERS);
        let count = |token| self.get_members(token).map_err(path);
        self.with_token(GET_MEMBERS, count).await.map(|counted| counted.seats)
    }

    async fn get_subscription(&self, token: SecretString) -> Result<Subscription, BitwardenError> {
        let answer = self.connection.ask(self.api(Method::GET, self.url(SUBSCRIPTION), &token)).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.json("the subscription has an unexpected shape")?),
            // The one meaning a 400 of the application has here ("The subscription GET"); proxies have others.
            StatusCode::BAD_REQUEST if answer.json::<Message>("no message").is_ok() => Err(BitwardenError::SelfHosted),
            _ => Err(self.refusal(&answer)),
        }
    }

    async fn get_members(&self, token: SecretString) -> Result<Counted, BitwardenError> {
        self.count_list(MEMBERS, token).await
    }

    /// Counts the members of a list that take a seat, without keeping the list in memory.
    pub(super) async fn count_list(&self, path: &str, token: SecretString) -> Result<Counted, BitwardenError> {
        let response = self.connection.stream(self.api(Method::GET, self.url(path), &token)).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(&http::whole(response).await?));
        }
        let body = response.bytes_stream().map_err(std::io::Error::other);
        let reader = SyncIoBridge::new(StreamReader::new(body));
        let counted = tokio::task::spawn_blocking(move || members::count(reader)).await;
        Ok(counted.unwrap_or(Err(VendorError::Unreadable("counting members failed")))?)
    }

    /// `PUT /public/organization/subscription` ("The subscription PUT").
    pub(super) async fn set_totals(&self, change: &SubscriptionChange, send_guard: SendGuard<'_>) -> Outcome {
        let url = self.url(SUBSCRIPTION);
        let request = |token: &SecretString| self.api(Method::PUT, url, token).json(change);
        self.send_once(PUT_SUBSCRIPTION, request, send_guard, Asked::Totals).await
    }
}
