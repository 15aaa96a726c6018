//! Opens an organization with the keys of its Secrets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::api_key::{ApiKey, KeyOf};
use super::rate_limits::rates;
use super::{BitwardenSession, Organization, Target, of_secret};
use crate::domain::{Fault, reason};
use crate::vendors::rate_limit_rules::Rates;
use crate::vendors::secret_data::{never_shown, version};
use crate::vendors::shared_sessions::Sessions;
use crate::vendors::{Opening, VendorAccount};

/// What is set for Bitwarden alone.
#[derive(Clone, Debug)]
pub struct BitwardenSettings {
    /// How old an answer may be that costs Bitwarden several calls, or that rarely changes: roles and subscriptions.
    pub account_recheck: Duration,
    /// The version this client claims to be. Personal keys need one that is recent enough (docs/vendors/bitwarden.md,
    /// "Headers that every client sends").
    pub client_version: Arc<str>,
}

/// What all organizations share.
pub(in crate::vendors) struct Bitwarden {
    pub(super) settings: BitwardenSettings,
    pub(super) rates: Arc<Rates>,
    /// The keys that are in use.
    pub(super) sessions: Sessions<BitwardenSession>,
}

never_shown!(Bitwarden);

impl Bitwarden {
    pub(in crate::vendors) fn new(settings: BitwardenSettings) -> Self {
        Self { settings, rates: Arc::new(rates()), sessions: Sessions::default() }
    }

    /// Opens a pool of an organization with one or two keys, in any order. Sends nothing. Beside an organization key,
    /// the other Secret may be of no use: that is reported with each reading.
    pub(in crate::vendors) fn open(
        &self,
        opening: &Opening<'_>,
        target: &Target,
    ) -> Result<Box<dyn VendorAccount>, Fault> {
        let secrets = opening.secrets;
        let Target { product, region, organization: named, secrets: names } = target;
        let (mut organization, mut owner, mut id) = (None, None, named.clone());
        let secret_version = version(secrets);
        let (mut owner_secret, mut lacks) = (names.last(), None);
        for (secret, name) in secrets.iter().zip(names) {
            let key = secret.as_ref().map_err(Fault::clone);
            let key = match key.and_then(|secret| ApiKey::from_secret(secret, *region, opening.allowed)) {
                Ok(key) => key,
                Err(fault) => {
                    lacks.get_or_insert((name, fault));
                    continue;
                }
            };
            // A single Secret may be in either place; the order of two says which.
            if key.of == KeyOf::User && secrets.len() > 1 {
                owner_secret = Some(name);
            }
            let slot = if key.of == KeyOf::User { &mut owner } else { &mut organization };
            if slot.is_some() {
                return Err(unfit(
                    "both Secrets hold the same kind of key: credentialsSecretRef is for the organization's (organization.…), \
                     ownerCredentialsSecretRef for an owner's (user.…)",
                ));
            }
            if let KeyOf::Organization(own) = &key.of {
                id = Some(agreed(id, own)?);
            }
            *slot = Some(self.session(opening.http, key)?);
        }
        if let Some((name, fault)) = &lacks {
            // The organization key does alone what it can. A person's key alone would begin to buy by differences.
            if organization.is_none() {
                let named = secrets.len() > 1;
                return Err(if named { of_secret(name, fault.clone()) } else { fault.clone() });
            }
            owner_secret = Some(*name);
        }
        on_one_server(organization.as_ref(), owner.as_ref())?;
        let shown = Mutex::default();
        Ok(Box::new(Organization {
            object: opening.object.clone(),
            organization,
            owner,
            secrets: names.clone(),
            owner_secret: owner_secret.cloned().unwrap_or_default(),
            lacks: lacks.map(|(_, fault)| fault),
            secret_version,
            id,
            product: *product,
            shown,
        }))
    }
}

/// The id that both the spec, where it names one, and the organization key say.
fn agreed(named: Option<String>, own: &str) -> Result<String, Fault> {
    match named.filter(|named| named != own) {
        None => Ok(own.to_owned()),
        Some(named) => Err(unfit(&format!(
            "spec.vendor.bitwarden.organizationId is {named}, and the organization key belongs to {own}: correct one of the two"
        ))),
    }
}

fn on_one_server(
    organization: Option<&Arc<BitwardenSession>>,
    owner: Option<&Arc<BitwardenSession>>,
) -> Result<(), Fault> {
    match organization.zip(owner) {
        Some((organization, owner)) if organization.server() != owner.server() => {
            Err(unfit("the two Secrets name different servers: both keys must be of the same one"))
        }
        _ => Ok(()),
    }
}

/// Keys that do not go together: either the Secrets or the spec can mend it.
fn unfit(message: &str) -> Fault {
    Fault::credentials(reason::KEY_INVALID, "keys do not go together", message.to_owned())
}
