//! Secrets of every type and of every vendor, and what their owners have allowed: what `places` plays. Said apart from the code
//! that decides it.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reqwest::Url;

use crate::api::{LICENSE_KEY_TYPE, SECRET_TYPE};
use crate::vendors::dispatch::overheard::Sent;
use crate::vendors::http::tests::PEM;

/// What the owner of a Secret has allowed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Allowed {
    Nothing,
    /// A Bitwarden credential, at Bitwarden's own clouds or at the servers named; whether it is a person's.
    Bitwarden(&'static [&'static str], bool),
    /// An Immuta credential, at this server.
    Immuta(&'static str),
    /// License keys, for this server.
    LicenseKeys(&'static str),
}

pub(super) use Allowed::{Bitwarden, Immuta, LicenseKeys, Nothing};

pub(super) struct Owned {
    pub(super) name: &'static str,
    kind: Option<&'static str>,
    /// Keys with a value of their own, and those whose value is given.
    pub(super) keys: &'static [&'static str],
    given: &'static [(&'static str, &'static str)],
    pub(super) allowed: Allowed,
}

const TENANT: (&str, &str) = ("server", "https://tenant.test");
const VAULT: (&str, &str) = ("server", "https://vault.test");
/// A GUID is added, another one for each Secret.
const ORGANIZATION: (&str, &str) = ("clientId", "organization.");
const PERSON: (&str, &str) = ("clientId", "user.");
/// The keys that only say where the others may go.
pub(super) const SERVERS: [&str; 4] = ["server", "ca.crt", "apiUrl", "identityUrl"];
pub(super) const CLOUDS: &[&str] = &[
    "https://api.bitwarden.com",
    "https://identity.bitwarden.com",
    "https://api.bitwarden.eu",
    "https://identity.bitwarden.eu",
    "https://api.bitwarden-gov.com",
    "https://identity.bitwarden-gov.com",
];

#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
pub(super) fn owned() -> Vec<Owned> {
    let row = |name, kind, keys, given, allowed| Owned { name, kind, keys, given, allowed };
    let (credentials, license_key) = (Some(SECRET_TYPE), Some(LICENSE_KEY_TYPE));
    vec![
        row("no-type", None, &["clientSecret", "apiKey", "licenseKey"], &[ORGANIZATION, TENANT], Nothing),
        row("opaque", Some("Opaque"), &["clientSecret", "apiKey", "licenseKey"], &[ORGANIZATION, TENANT], Nothing),
        row("opaque-bitwarden", Some("Opaque"), &["clientSecret"], &[ORGANIZATION], Nothing),
        row("opaque-immuta", Some("Opaque"), &["apiKey"], &[TENANT], Nothing),
        row("tls", Some("kubernetes.io/tls"), &["tls.crt", "tls.key"], &[TENANT], Nothing),
        row("organization", credentials, &["clientSecret"], &[ORGANIZATION], Bitwarden(CLOUDS, false)),
        row("own", credentials, &["clientSecret"], &[ORGANIZATION, VAULT], Bitwarden(&["https://vault.test"], false)),
        row(
            "pair",
            credentials,
            &["clientSecret"],
            &[ORGANIZATION, ("apiUrl", "https://api.test"), ("identityUrl", "https://identity.test/sub")],
            Bitwarden(&["https://api.test", "https://identity.test/sub"], false),
        ),
        row("person", credentials, &["clientSecret"], &[PERSON], Bitwarden(CLOUDS, true)),
        row("own-person", credentials, &["clientSecret"], &[PERSON, VAULT], Bitwarden(&["https://vault.test"], true)),
        row(
            "own-header",
            credentials,
            &["clientSecret", "header.X-Access"],
            &[ORGANIZATION, VAULT],
            Bitwarden(&["https://vault.test"], false),
        ),
        row("header-nowhere", credentials, &["clientSecret", "header.X-Access"], &[ORGANIZATION], Nothing),
        row("header-own", credentials, &["clientSecret", "header.Authorization"], &[ORGANIZATION, VAULT], Nothing),
        row("not-allowed", credentials, &["clientSecret"], &[PERSON, ("server", "https://evil.test")], Nothing),
        row("immuta", credentials, &["apiKey"], &[TENANT], Immuta("https://tenant.test")),
        row("immuta-header", credentials, &["apiKey", "header.X-Access"], &[TENANT], Immuta("https://tenant.test")),
        row("immuta-other", credentials, &["apiKey"], &[VAULT], Immuta("https://vault.test")),
        row("immuta-evil", credentials, &["apiKey"], &[("server", "https://evil.test")], Nothing),
        row("both-vendors", credentials, &["apiKey", "clientSecret"], &[ORGANIZATION, TENANT], Nothing),
        row("old-key", credentials, &["licenseKey"], &[TENANT], Nothing),
        row("old-key-beside", credentials, &["apiKey", "licenseKey"], &[TENANT], Immuta("https://tenant.test")),
        row("key", license_key, &["licenseKey", "second"], &[TENANT], LicenseKeys("https://tenant.test")),
        row(
            "key-spelled",
            license_key,
            &["licenseKey"],
            &[("server", " HTTPS://Tenant.test:443/\n")],
            LicenseKeys("https://tenant.test"),
        ),
        row("key-other", license_key, &["licenseKey"], &[VAULT], LicenseKeys("https://vault.test")),
        row("key-path", license_key, &["licenseKey"], &[("server", "https://tenant.test/a")], Nothing),
        row("key-nowhere", license_key, &["licenseKey"], &[], Nothing),
        row("key-http", license_key, &["licenseKey"], &[("server", "http://tenant.test")], Nothing),
        row("key-words", license_key, &["licenseKey"], &[("server", "the tenant")], Nothing),
        row("key-evil", license_key, &["licenseKey"], &[("server", "https://evil.test")], Nothing),
        row("key-ca", license_key, &["licenseKey"], &[TENANT, ("ca.crt", PEM)], Nothing),
        row("key-beside-api-key", license_key, &["licenseKey", "apiKey"], &[TENANT], Nothing),
        row("key-is-api-key", license_key, &["apiKey"], &[TENANT], Nothing),
        row("key-is-bitwarden", license_key, &["clientSecret"], &[ORGANIZATION], Nothing),
        row("key-beside-bitwarden", license_key, &["licenseKey", "clientSecret"], &[ORGANIZATION, TENANT], Nothing),
        row("key-beside-token", license_key, &["licenseKey", "token"], &[TENANT], Nothing),
        row("key-is-password", license_key, &["password"], &[TENANT], Nothing),
        row("immuta-with-token", credentials, &["apiKey", "token"], &[TENANT], Immuta("https://tenant.test")),
    ]
}

impl Owned {
    /// A value that no other Secret has, and that arrives the same in JSON and in a form.
    pub(super) fn value(&self, key: &str) -> String {
        let own = format!("Q{}Z{key}Z", self.name).replace(|c: char| !c.is_ascii_alphanumeric(), "");
        match self.given.iter().find(|(given, _)| *given == key) {
            Some(("clientId", whose)) => {
                let number = owned().iter().position(|owned| owned.name == self.name).unwrap();
                format!("{whose}0c2a5a8e-3d55-4a4e-9a15-{number:012x}")
            }
            Some((_, value)) => (*value).to_owned(),
            None => own,
        }
    }

    pub(super) fn data(&self) -> impl Iterator<Item = (String, String)> {
        let all = self.keys.iter().chain(self.given.iter().map(|(key, _)| key));
        all.map(|key| ((*key).to_owned(), self.value(key)))
    }

    pub(super) fn secret(&self) -> Secret {
        Secret {
            metadata: ObjectMeta {
                name: Some(self.name.into()),
                namespace: Some("it".into()),
                ..ObjectMeta::default()
            },
            type_: self.kind.map(str::to_owned),
            data: Some(self.data().map(|(key, value)| (key, ByteString(value.into_bytes()))).collect()),
            ..Secret::default()
        }
    }

    /// The servers that its owner named, if it is a key of Bitwarden.
    pub(super) fn place(&self) -> Option<&'static [&'static str]> {
        match self.allowed {
            Bitwarden(servers, _) => Some(servers),
            _ => None,
        }
    }

    pub(super) fn is_a_person(&self) -> bool {
        matches!(self.allowed, Bitwarden(_, true))
    }

    /// Whether the owner allowed this use of the key at the request's address.
    pub(super) fn names(&self, key: &str, request: &Sent) -> bool {
        let adds = request.method == "POST" && request.url.path().ends_with("/admin/license");
        let at = |server: &str| {
            let server = Url::parse(server).unwrap();
            let same =
                (server.scheme(), server.host(), server.port()) == ("https", request.url.host(), request.url.port());
            same && request.url.path().starts_with(server.path())
        };
        match self.allowed {
            Nothing => false,
            Bitwarden(servers, _) => {
                ["clientId", "clientSecret", "header.X-Access"].contains(&key)
                    && servers.iter().any(|server| at(server))
            }
            Immuta(server) => ["apiKey", "header.X-Access"].contains(&key) && at(server),
            LicenseKeys(server) => self.keys.contains(&key) && adds && at(server),
        }
    }
}
