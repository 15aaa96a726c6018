//! An API key and where to use it, as read from a Secret: an organization's own, or a person's.
//!
//! Quoted headings are those of docs/vendors/bitwarden.md.

use k8s_openapi::api::core::v1::Secret;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::NAME;
use crate::api::Region;
use crate::domain::{Fault, reason};
use crate::vendors::AllowedHosts;
use crate::vendors::allowed_hosts::{custom_server, join};
use crate::vendors::client_certificate_and_headers::Access;
use crate::vendors::credential_hash::CredentialHash;
use crate::vendors::secret_data::{CredentialKeys, SecretData, invalid, never_shown};

/// What a Secret with a credential of Bitwarden holds.
pub(in crate::vendors) const CREDENTIALS: CredentialKeys =
    CredentialKeys { vendor: NAME, names: &["clientId", "clientSecret", "apiUrl", "identityUrl"] };

/// The owner of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyOf {
    /// The key of the organization with this id: the organization API ("The organization key").
    Organization(String),
    /// A person's: the owner API, with that person's roles ("The personal key").
    User,
}

/// A key with its servers. Not `Debug`: it holds the secret.
pub(in crate::vendors) struct ApiKey {
    pub(super) of: KeyOf,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) api: Url,
    pub(super) identity: Url,
    pub(super) access: Access,
}

never_shown!(ApiKey);

impl ApiKey {
    pub(in crate::vendors) fn from_secret(
        secret: &Secret,
        region: Option<Region>,
        allowed: &AllowedHosts,
    ) -> Result<Self, Fault> {
        let data = SecretData::credentials(secret, &CREDENTIALS)?;
        let client_id = data.required("clientId")?;
        let of = whose(client_id)?;
        let client_secret = data.secret("clientSecret")?;
        let (api, identity) = servers(&data, region, allowed)?;
        let names_server = ["server", "apiUrl"].iter().any(|key| data.bytes(key).is_some());
        let access = Access::of(&data, names_server)?;
        Ok(Self { of, client_id: client_id.to_owned(), client_secret, api, identity, access })
    }

    /// Names this installation to Bitwarden, which mails the person about every new device ("The personal key"). Made
    /// from the key itself, so that it is the same after a restart, in every replica and in a new installation, and
    /// it cannot be guessed without the key. A rotated key is a new device.
    pub(super) fn device(&self) -> Uuid {
        let parts = ["seatkeeper device", &self.client_id, self.client_secret.expose_secret()];
        uuid::Builder::from_custom_bytes(CredentialHash::of(parts.map(str::as_bytes)).half()).into_uuid()
    }

    /// Tells this key, at these servers, from others.
    pub(super) fn fingerprint(&self) -> CredentialHash {
        CredentialHash::of([
            self.identity.as_str().as_bytes(),
            self.api.as_str().as_bytes(),
            self.client_id.as_bytes(),
            self.client_secret.expose_secret().as_bytes(),
            self.access.hash().bytes(),
        ])
    }
}

/// `organization.<guid>` or `user.<guid>` ("The organization key" and "The personal key").
fn whose(client_id: &str) -> Result<KeyOf, Fault> {
    let guid = |id: &str| Uuid::try_parse(id).ok().map(|id| id.hyphenated().to_string());
    let organization = client_id.strip_prefix("organization.").and_then(guid).map(KeyOf::Organization);
    let user = client_id.strip_prefix("user.").and_then(guid).map(|_| KeyOf::User);
    organization.or(user).ok_or_else(|| {
        invalid(
            "clientId",
            "is not an API key: such a key is organization. or user. with a GUID behind it, as Bitwarden shows it",
        )
    })
}

/// The API and identity servers: of the region's cloud ("Addresses of a deployment"), or the Secret's own.
fn servers(data: &SecretData<'_>, region: Option<Region>, allowed: &AllowedHosts) -> Result<(Url, Url), Fault> {
    let named = |key: &'static str| -> Result<Option<Url>, Fault> {
        data.text(key)?.map(|text| custom_server(key, text, allowed)).transpose()
    };
    let own = match (named("server")?, named("apiUrl")?, named("identityUrl")?) {
        (None, None, None) => None,
        (Some(server), None, None) => Some((join(&server, "api"), join(&server, "identity"))),
        (None, Some(api), Some(identity)) => Some((api, identity)),
        (Some(_), _, _) => {
            return Err(invalid("server", "is set beside apiUrl or identityUrl: keep one of the two forms"));
        }
        (None, Some(_), None) => {
            return Err(invalid("apiUrl", "needs identityUrl beside it: give both, or server alone"));
        }
        (None, None, Some(_)) => {
            return Err(invalid("identityUrl", "needs apiUrl beside it: give both, or server alone"));
        }
    };
    match (own, region) {
        (Some(servers), None) => Ok(servers),
        // Either side can mend these two, so the Secret is read again and not only the spec.
        (Some(_), Some(_)) => Err(Fault::credentials(
            reason::KEY_INVALID,
            "region and server both given",
            "spec.vendor.bitwarden.region is set and the Secret names a server of its own: remove one of the two".into(),
        )),
        (None, Some(region)) => cloud(region),
        (None, None) => Err(Fault::credentials(
            reason::KEY_MISSING,
            "neither region nor server given",
            "neither spec.vendor.bitwarden.region nor the Secret says where the organization is: set the region to US, EU or \
             Gov, or add the key server to the Secret"
                .into(),
        )),
    }
}

fn cloud(region: Region) -> Result<(Url, Url), Fault> {
    let domain = match region {
        Region::US => "bitwarden.com",
        Region::EU => "bitwarden.eu",
        Region::Gov => "bitwarden-gov.com",
    };
    let url = |host: &str| {
        let unusable =
            |_| Fault::credentials(reason::KEY_INVALID, "no server", "the cloud's address is not a URL".into());
        Url::parse(&format!("https://{host}.{domain}")).map_err(unusable)
    };
    Ok((url("api")?, url("identity")?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::ByteString;
    use proptest::prelude::*;

    use super::*;

    const GUID: &str = "0c2a5a8e-3d55-4a4e-9a15-5d2f4c7f1e11";

    fn secret(data: &[(&str, &[u8])]) -> Secret {
        let data: BTreeMap<_, _> =
            data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.to_vec()))).collect();
        Secret { type_: Some(crate::api::SECRET_TYPE.into()), data: Some(data), ..Secret::default() }
    }

    #[test]
    fn device_is_per_key() {
        let key = |id: &str, secret: &str| ApiKey {
            of: KeyOf::User,
            client_id: id.into(),
            client_secret: SecretString::from(secret),
            api: Url::parse("https://a.test").unwrap(),
            identity: Url::parse("https://a.test").unwrap(),
            access: Access::default(),
        };
        let device = key("user.1", "s").device();
        assert_eq!(device, key("user.1", "s").device());
        assert_eq!(device.to_string(), "2381ed7e-a1c9-8c5f-9a3c-5bbf9ada22e6", "the same in every release");
        assert_ne!(device, key("user.2", "s").device());
        assert_ne!(device, key("user.1", "t").device());
        assert!(device.to_string().len() <= 50, "Bitwarden takes at most 50 characters");
    }

    fn organization_key(more: &[(&str, &[u8])]) -> Secret {
        let id = format!("organization.{GUID}");
        secret(&[&[("clientId", id.as_bytes()), ("clientSecret", b"s".as_slice())], more].concat())
    }

    #[test]
    fn each_cloud_has_its_addresses_which_need_no_allowance() {
        // docs/vendors/bitwarden.md, "Addresses of a deployment".
        for (region, api, identity) in [
            (Region::US, "https://api.bitwarden.com", "https://identity.bitwarden.com"),
            (Region::EU, "https://api.bitwarden.eu", "https://identity.bitwarden.eu"),
            (Region::Gov, "https://api.bitwarden-gov.com", "https://identity.bitwarden-gov.com"),
        ] {
            let key = ApiKey::from_secret(&organization_key(&[]), Some(region), &AllowedHosts::default());
            let key = key.unwrap_or_else(|fault| panic!("{region:?}: {fault:?}"));
            assert_eq!((key.api.as_str(), key.identity.as_str()), (&*format!("{api}/"), &*format!("{identity}/")));
            let path = "public/organization/subscription";
            assert_eq!(join(&key.api, path).as_str(), format!("{api}/{path}"));
            assert_eq!(join(&key.identity, "connect/token").as_str(), format!("{identity}/connect/token"));
        }
    }

    #[test]
    fn key_without_region_is_refused_with_both_remedies() {
        let read = ApiKey::from_secret(&organization_key(&[]), None, &AllowedHosts::default());
        let Err(fault) = read else { panic!("it is nowhere") };
        assert_eq!(fault.reason, reason::KEY_MISSING);
        for words in ["spec.vendor.bitwarden.region", "US, EU or Gov", "add the key server to the Secret"] {
            assert!(fault.message.contains(words), "{}", fault.message);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn secret_of_any_content_is_never_echoed_and_reaches_no_other_host(
            id in proptest::collection::vec(any::<u8>(), 0..60), key in "[a-zA-Z0-9]{12,30}", server in "(https?://)?[a-z@:/?#.\\[\\]%0-9-]{0,30}",
            good_id in any::<bool>(),
        ) {
            let good = format!("organization.{GUID}");
            let id: &[u8] = if good_id { good.as_bytes() } else { &id };
            let secret = secret(&[("clientId", id), ("clientSecret", key.as_bytes()), ("server", server.as_bytes())]);
            let allowed = AllowedHosts::new(["vault.test"]).unwrap();
            match ApiKey::from_secret(&secret, None, &allowed) {
                Ok(read) => {
                    prop_assert!(matches!(read.of, KeyOf::Organization(_)));
                    prop_assert_eq!((read.api.scheme(), read.api.host_str()), ("https", Some("vault.test")));
                    prop_assert_eq!((read.identity.scheme(), read.identity.host_str()), ("https", Some("vault.test")));
                }
                Err(fault) => prop_assert!(!fault.message.contains(&key) && !fault.summary.contains(&key)),
            }
        }

        #[test]
        fn only_an_organizations_client_id_names_an_organization(text in "(organization\\.|user\\.)?[0-9a-f{}-]{0,40}") {
            if let Ok(KeyOf::Organization(id)) = whose(&text) {
                prop_assert!(text.starts_with("organization."));
                prop_assert!(id.len() == GUID.len() && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'));
            }
        }
    }
}
