//! What is remembered about every HTTPS request. Never its Authorization header, never the body of a token request.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// One request, as seen from outside and inside.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// 1, 2, 3 ... in the order in which they had arrived completely.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Method.
    pub method: String,
    /// Path, lower case.
    pub path: String,
    /// Organization of the key's token, of the path of the owner API, or of the client id, if known.
    pub organization: Option<String>,
    /// Status sent to the client; None while it runs and when the connection was dropped instead.
    pub status: Option<u16>,
    /// Status the vendor came to; None if it was never executed (or has not been yet).
    pub executed: Option<u16>,
    /// The client headers that it did not have, if the simulator asks for them (docs/vendors/bitwarden.md,
    /// "Headers that every client sends").
    pub lacks: Vec<&'static str>,
    /// The client hung up before the answer.
    pub client_gone: bool,
    /// Faults that fired on it.
    pub faults: Vec<u64>,
    /// Headers, without Authorization and Cookie.
    pub headers: BTreeMap<String, String>,
    /// The body, for requests to the API.
    pub body: Option<String>,
}
