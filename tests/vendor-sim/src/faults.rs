//! Faults: what goes wrong with a request, on the wire ([`FaultKind::Drop`] and such) or inside the vendor
//! ([`FaultKind::Half`] and such). Every fault counts how often it fired.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) mod registry;

/// Which requests a fault hits, and what it does to them.
///
/// Of the wire faults that match a request the oldest fires; of the inner ones all do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths (lower case) that contain this.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// Only this path, in any case.
    #[serde(default)]
    pub whole_path: Option<String>,
    /// Only requests of this organization (GUID): by token, by path of the owner API, or by client id at the token endpoint.
    #[serde(default)]
    pub organization: Option<String>,
    /// Only clients whose User-Agent contains this.
    #[serde(default)]
    pub user_agent_contains: Option<String>,
    /// Let so many matching requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// Hit so many, then no more. None: for ever.
    #[serde(default)]
    pub times: Option<u64>,
    /// What happens.
    pub kind: FaultKind,
}

/// What happens to a request. JSON: `"half"`, `{"drop": {"apply": true}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// Answers this. With `apply` the request is executed first; without it never is.
    Answer {
        /// Status.
        status: u16,
        /// Headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Body.
        #[serde(default)]
        body: String,
        /// Execute first.
        #[serde(default)]
        apply: bool,
    },
    /// Waits before executing and before answering. Can be released.
    Delay {
        /// Before executing.
        #[serde(default)]
        before_ms: u64,
        /// Before answering.
        #[serde(default)]
        after_ms: u64,
    },
    /// Closes the connection without an answer.
    Drop {
        /// Execute first.
        #[serde(default)]
        apply: bool,
    },
    /// Closes the connection now and executes later. Can be released.
    ApplyLate {
        /// When.
        after_ms: u64,
    },
    /// The real answer, cut in half: Content-Length says more, then the connection closes.
    Truncate,
    /// The real answer, reset (RST) in the middle of the body.
    Reset,
    /// The real answer, slowly.
    Drip {
        /// Speed.
        bytes_per_second: u64,
    },
    /// Not executed; 200 with valid JSON padded to about this size.
    HugeBody {
        /// Size.
        bytes: u64,
    },
    /// The real answer with so many more headers.
    HeaderFlood {
        /// How many.
        count: u32,
    },
    /// Not executed; 200 with an HTML page, as a captive portal would.
    Html,
    /// Not executed; 200 with this text as application/json.
    Body {
        /// The text.
        text: String,
    },
    /// The edge: 429, empty body, no Retry-After. Not executed ("The edge in front of the cloud").
    EdgeThrottle,
    /// The edge: 403 `error code: 1020`. Not executed ("The edge in front of the cloud").
    EdgeForbidden,
    /// Inside: seats are written, then it fails before the cap.
    Half,
    /// Inside: the Password Manager part is done, then it fails before Secrets Manager.
    HalfSecretsManager,
    /// Inside: Stripe refuses; nothing changed.
    FailBeforeBilling,
    /// Inside: Stripe has the new quantity, then it fails before the row is written.
    FailAfterBilling,
    /// Inside: Stripe has the new quantity, but its draft invoice is not found: 400 on the owner API
    /// ("Two billing paths").
    DraftInvoiceLost,
    /// Inside: Stripe refuses the card; nothing changed ("Two billing paths").
    CardDeclined,
    /// Inside: says 200 but changes nothing. Immuta: for additions and deletions.
    NoEffect,
    /// Inside: waits between the two reads of the PUT of the organization API ("Changes that overlap"), or before the only one of a
    /// write of the owner API. Can be released.
    PauseBetweenReads {
        /// At most so long.
        ms: u64,
    },
    /// Inside: waits between Stripe's update and the row; Immuta: between the check of a key and its row. Can be released.
    PauseBeforeRow {
        /// At most so long.
        ms: u64,
    },
}

impl FaultKind {
    pub(crate) fn inner(&self) -> bool {
        use FaultKind as K;
        matches!(
            self,
            K::Half
                | K::HalfSecretsManager
                | K::FailBeforeBilling
                | K::FailAfterBilling
                | K::DraftInvoiceLost
                | K::CardDeclined
                | K::NoEffect
                | K::PauseBetweenReads { .. }
                | K::PauseBeforeRow { .. }
        )
    }
}

impl Fault {
    /// Hits every request, for ever.
    pub fn always(kind: FaultKind) -> Self {
        Self {
            method: None,
            path_contains: None,
            whole_path: None,
            organization: None,
            user_agent_contains: None,
            skip: 0,
            times: None,
            kind,
        }
    }

    /// Hits one request.
    pub fn once(kind: FaultKind) -> Self {
        Self::always(kind).times(1)
    }

    /// Hits one PUT of the subscription through the organization API: the request that buys.
    pub fn on_put(kind: FaultKind) -> Self {
        Self::once(kind).method("PUT").path("/public/organization/subscription")
    }

    /// Hits one GET of the subscription through the organization API.
    pub fn on_get(kind: FaultKind) -> Self {
        Self::once(kind).method("GET").path("/public/organization/subscription")
    }

    /// Hits one write of the owner API.
    pub fn on_owner_write(kind: FaultKind) -> Self {
        Self::once(kind).method("POST").path("/api/organizations/")
    }

    /// Hits one read of the owner API.
    pub fn on_owner_read(kind: FaultKind) -> Self {
        Self::once(kind).method("GET").path("/api/organizations/")
    }

    /// Hits one token request.
    pub fn on_token(kind: FaultKind) -> Self {
        Self::once(kind).path("/connect/token")
    }

    /// Only this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only paths containing this.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path_contains = Some(path.into());
        self
    }

    /// Only this path.
    #[must_use]
    pub fn whole_path(mut self, path: impl Into<String>) -> Self {
        self.whole_path = Some(path.into());
        self
    }

    /// Only this organization.
    #[must_use]
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        self.organization = Some(id.into());
        self
    }

    /// Let so many pass first.
    #[must_use]
    pub fn skip(mut self, n: u64) -> Self {
        self.skip = n;
        self
    }

    /// Hit so many.
    #[must_use]
    pub fn times(mut self, n: u64) -> Self {
        self.times = Some(n);
        self
    }

    /// Hit for ever.
    #[must_use]
    pub fn for_ever(mut self) -> Self {
        self.times = None;
        self
    }

    pub(crate) fn matches(&self, method: &str, path: &str, organization: Option<&str>, agent: &str) -> bool {
        self.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method))
            && self.path_contains.as_ref().is_none_or(|p| path.contains(&p.to_ascii_lowercase()))
            && self.whole_path.as_ref().is_none_or(|p| path.eq_ignore_ascii_case(p))
            && self
                .organization
                .as_ref()
                .is_none_or(|o| organization.is_some_and(|known| known.eq_ignore_ascii_case(o)))
            && self.user_agent_contains.as_ref().is_none_or(|a| agent.contains(a.as_str()))
    }
}

/// A fault and what became of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultView {
    /// Its number.
    pub id: u64,
    /// Matching requests seen, including those let pass.
    pub seen: u64,
    /// How often it fired.
    pub fired: u64,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
}
