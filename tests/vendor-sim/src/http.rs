//! What the vendor answers, before anything goes wrong with it on the wire, and the incoming request in memory.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
};
use serde::Serialize;
use std::net::IpAddr;

/// A request that has arrived completely.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// As sent.
    pub(crate) uri: Uri,
    /// Lower case, without a trailing slash: Bitwarden's routing ignores both.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
}

impl Request {
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Media type without parameters, lower case.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header(header::CONTENT_TYPE).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(header::AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }
}

/// A complete answer of the vendor.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::json_bytes(status, serde_json::to_vec(body).unwrap_or_default())
    }

    pub(crate) fn json_bytes(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::empty(status);
        answer.body = body.into();
        answer.with(header::CONTENT_TYPE, "application/json; charset=utf-8")
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// What every real answer has (docs/vendors/bitwarden.md, "Headers of every answer").
    pub(crate) fn secured(self) -> Self {
        self.with(header::X_FRAME_OPTIONS, "SAMEORIGIN")
            .with(header::X_XSS_PROTECTION, "1; mode=block")
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
    }
}
