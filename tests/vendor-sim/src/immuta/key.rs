//! License keys as the vendor issues them. The text of a key is random: what it grants stands only in the registry,
//! as it would in a signed blob that nobody but the product can read.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bitwarden::state::{random_id, random_text};

/// Life of a key unless said otherwise.
const YEAR: i64 = 365 * 24 * 3600;

/// A license key to issue. Missing JSON fields mean the default: 40 seats for this tenant, good for a year.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LicenseKey {
    /// Its text, for examples that have it written down; random if None.
    pub text: Option<String>,
    /// User seats.
    pub seats: i64,
    /// Seats tolerated over those.
    pub soft_seats: i64,
    /// When it expires; None: `expires_in_seconds` after it is issued.
    pub expires: Option<Timestamp>,
    /// Life in seconds from its issue; negative: already expired.
    pub expires_in_seconds: i64,
    /// Never expires.
    pub perpetual: bool,
    /// Expiry blocks instead of warning.
    pub hard_expiration: bool,
    /// Features it turns on.
    pub features: Vec<String>,
    /// Data handlers it turns on.
    pub handlers: Vec<String>,
    /// Name of the tenant it is for; None: this one.
    pub tenant: Option<String>,
    /// Text on the login page.
    pub notice: Option<String>,
    /// Text on the login page once expired.
    pub notice_on_expire: Option<String>,
    /// Secret in the answer of POST.
    pub renewal_token: Option<String>,
    /// In the answer of POST.
    pub classify_username: Option<String>,
    /// Secret in the answer of POST.
    pub classify_token: Option<String>,
}

impl Default for LicenseKey {
    fn default() -> Self {
        Self {
            text: None,
            seats: 40,
            soft_seats: 0,
            expires: None,
            expires_in_seconds: YEAR,
            perpetual: false,
            hard_expiration: false,
            features: Vec::new(),
            handlers: Vec::new(),
            tenant: None,
            notice: None,
            notice_on_expire: None,
            renewal_token: None,
            classify_username: None,
            classify_token: None,
        }
    }
}

impl LicenseKey {
    /// A key for so many seats, good for a year.
    pub fn seats(seats: i64) -> Self {
        Self { seats, ..Self::default() }
    }

    /// With this text instead of a random one.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Seats tolerated over `seats`.
    #[must_use]
    pub fn soft_seats(mut self, soft_seats: i64) -> Self {
        self.soft_seats = soft_seats;
        self
    }

    /// Expires then.
    #[must_use]
    pub fn expires(mut self, at: Timestamp) -> Self {
        self.expires = Some(at);
        self
    }

    /// Expires so long after it is issued, by the simulator's clock.
    #[must_use]
    pub fn expires_in(mut self, life: Duration) -> Self {
        self.expires_in_seconds = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        self
    }

    /// Expired an hour before it is issued.
    #[must_use]
    pub fn expired(mut self) -> Self {
        self.expires_in_seconds = -3600;
        self
    }

    /// Never expires.
    #[must_use]
    pub fn perpetual(mut self) -> Self {
        self.perpetual = true;
        self
    }

    /// Expiry blocks.
    #[must_use]
    pub fn hard_expiration(mut self) -> Self {
        self.hard_expiration = true;
        self
    }

    /// Turns a feature on.
    #[must_use]
    pub fn feature(mut self, name: impl Into<String>) -> Self {
        self.features.push(name.into());
        self
    }

    /// For another tenant: this one refuses it.
    #[must_use]
    pub fn tenant(mut self, name: impl Into<String>) -> Self {
        self.tenant = Some(name.into());
        self
    }

    /// With these secrets in the answer of POST (docs/vendors/immuta.md, "The license record").
    #[must_use]
    pub fn tokens(mut self, renewal: impl Into<String>, classify: impl Into<String>) -> Self {
        (self.renewal_token, self.classify_token) = (Some(renewal.into()), Some(classify.into()));
        self
    }
}

/// A key in the vendor's registry.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    /// 1, 2, 3 ... in the order of issue.
    pub(crate) number: u64,
    pub(crate) text: String,
    pub(crate) uuid: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) terms: LicenseKey,
}

impl Issued {
    pub(crate) fn new(number: u64, terms: LicenseKey, at: Timestamp) -> Self {
        let later = at.checked_add(SignedDuration::from_secs(terms.expires_in_seconds)).unwrap_or(Timestamp::MAX);
        let expires = Some(terms.expires.unwrap_or(later)).filter(|_| !terms.perpetual);
        let text = terms.text.clone().unwrap_or_else(|| random_text(172));
        Self { number, text, uuid: random_id(), at, expires, terms }
    }

    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}
