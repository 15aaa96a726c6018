//! Which hosts may receive credentials.
//!
//! A custom host is named in the Secret, by the owner of the credential, and must also be in the operator's list: an
//! author of LicenseSeats can neither send a credential elsewhere nor probe the cluster network.

use std::collections::HashSet;
use std::str::FromStr;

use reqwest::Url;

use crate::domain::{Fault, reason};

/// Hosts that a Secret may name, beside the vendors' own clouds: `host` for port 443, or `host:port`.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(HashSet<String>);

/// An entry of the allow-list is not `host` or `host:port`.
#[derive(Debug, thiserror::Error)]
#[error("allowed host \"{}\" is not a host name or host:port (no scheme, no path)", .0.escape_debug())]
pub struct InvalidAllowedHost(String);

impl AllowedHosts {
    /// Checks and collects entries.
    ///
    /// # Errors
    /// Names the first entry that is not `host` or `host:port`.
    pub fn new<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, InvalidAllowedHost> {
        let entries = entries.into_iter().filter(|entry| !entry.as_ref().trim().is_empty());
        entries.map(|entry| authority_of(entry.as_ref().trim())).collect::<Result<_, _>>().map(Self)
    }

    fn allow(&self, url: &Url) -> bool {
        self.0.contains(&authority(url))
    }
}

fn authority_of(entry: &str) -> Result<String, InvalidAllowedHost> {
    let invalid = || InvalidAllowedHost(entry.to_owned());
    if entry.contains(['/', '@', '?', '#', '*']) {
        return Err(invalid());
    }
    let url = Url::from_str(&format!("https://{entry}")).map_err(|_| invalid())?;
    // The parser turns look-alikes such as the full-width asterisk into the plain one.
    Some(authority(&url)).filter(|host| !host.contains('*')).ok_or_else(invalid)
}

/// Host and port, always with a port, in the URL parser's normal form, so that spelling tricks compare equal.
fn authority(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443))
}

/// Host as people write it: the port only where it is not 443.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Reads a server named in a Secret. `key` is the Secret's key, for the message.
pub(super) fn server(key: &str, text: &str) -> Result<Url, Fault> {
    let invalid = |why: &str| {
        let message = format!("the Secret's {key} {why}: write it as https://host or https://host:port");
        Fault::credentials(reason::KEY_INVALID, &format!("Secret: {key} is not usable"), message)
    };
    let url = Url::parse(text).map_err(|_| invalid("is not a URL"))?;
    if url.scheme() != "https" {
        return Err(invalid("is not https; credentials are never sent in the clear"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("carries more than a host, a port and a path"));
    }
    Ok(url)
}

/// Reads a server named in a Secret that may only be one of the allowed hosts.
pub(super) fn custom_server(key: &str, text: &str, allowed: &AllowedHosts) -> Result<Url, Fault> {
    let url = server(key, text)?;
    if !allowed.allow(&url) {
        let message = format!(
            "the Secret names the host {0}, which this operator may not talk to: ask the installer to allow it with \
             --allowed-host={0} (Helm: vendors.allowedHosts)",
            host(&url)
        );
        return Err(Fault::credentials(reason::HOST_NOT_ALLOWED, "host not allowed by the operator", message));
    }
    Ok(url)
}

/// Whether two servers are one place: scheme, host, port, and path, whatever slashes end it. The URL parser has brought the
/// rest into its normal form.
pub(super) fn same_place(one: &Url, other: &Url) -> bool {
    let place = |url: &Url| (url.scheme().to_owned(), authority(url), url.path().trim_end_matches('/').to_owned());
    place(one) == place(other)
}

/// Appends a path to a base URL whatever its trailing slashes.
pub(super) fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> AllowedHosts {
        AllowedHosts::new(["vault.example.org", "localhost:8443"]).unwrap()
    }

    #[test]
    fn listed_host_is_allowed_on_its_port_alone() {
        for (server, allows) in [
            ("https://vault.example.org", true),
            ("https://vault.example.org:443/", true),
            ("https://VAULT.example.org", true),
            ("https://localhost:8443/base", true),
            ("https://vault.example.org:8443", false),
            ("https://localhost", false),
            ("https://vault.example.org.evil.test", false),
            ("https://10.0.0.1", false),
        ] {
            assert_eq!(custom_server("server", server, &allowed()).is_ok(), allows, "{server}");
        }
    }

    #[test]
    fn server_that_is_not_plain_https_is_refused_by_key() {
        for server in [
            "http://vault.example.org",
            "vault.example.org",
            "https://u:p@vault.example.org",
            "https://vault.example.org/?a=b",
            "",
        ] {
            let fault = custom_server("server", server, &allowed()).unwrap_err();
            assert_eq!(fault.reason, reason::KEY_INVALID, "{server}");
            assert!(!fault.message.contains("u:p"), "{}", fault.message);
        }
    }

    #[test]
    fn nonsense_allow_list_is_refused() {
        for entry in ["https://a.test", "*.example.org", "a.test/path", "user@a.test", "a b"] {
            assert!(AllowedHosts::new([entry]).is_err(), "{entry}");
        }
        assert!(AllowedHosts::new(["", " "]).is_ok());
    }

    #[test]
    fn paths_join_with_any_slashes() {
        for base in ["https://a.test/base", "https://a.test/base/", "https://a.test/base//"] {
            assert_eq!(join(&Url::parse(base).unwrap(), "api").as_str(), "https://a.test/base/api");
        }
    }

    #[test]
    fn two_servers_are_one_place_if_scheme_host_port_and_path_are_the_same() {
        let place = |text: &str| server("server", text).unwrap();
        let here = place("https://tenant.test/base");
        for same in [
            "https://TENANT.test:443/base/",
            "https://tenant.test/base//",
            "https://tenant.test/x/../base",
            "https:tenant.test/base",
        ] {
            assert!(same_place(&here, &place(same)), "{same}");
        }
        for other in [
            "https://tenant.test",
            "https://tenant.test/",
            "https://tenant.test/Base",
            "https://tenant.test/base/more",
            "https://tenant.test:8443/base",
            "https://tenant.test./base",
            "https://tenant.test.evil.test/base",
            "https://evil.test/tenant.test/base",
        ] {
            assert!(!same_place(&here, &place(other)), "{other}");
        }
        assert!(same_place(&place("https://tenant.test"), &place("https://tenant.test///")));
    }

    #[test]
    fn wildcard_is_no_host() {
        for entry in ["*", "*.example.org", "\u{ff0a}", "%2a.example.org"] {
            assert!(AllowedHosts::new([entry]).is_err(), "{entry}");
        }
    }

    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn only_listed_https_hosts_pass_for_any_text(
            text in prop_oneof![any::<String>(), "(https?:)?/{0,3}([a-z:@]{0,4})?(vault\\.example\\.org|localhost)?[:@/?#.a-z0-9\\\\%]{0,12}"],
        ) {
            if let Ok(url) = custom_server("server", &text, &allowed()) {
                prop_assert_eq!((url.scheme(), url.username(), url.password()), ("https", "", None));
                prop_assert!(["vault.example.org", "localhost:8443"].contains(&host(&url).as_str()), "{}", url);
                prop_assert_eq!(host(&join(&url, "connect/token")), host(&url));
            }
        }

        #[test]
        fn allow_list_entry_is_a_host_or_refused(entry in any::<String>()) {
            if let Ok(list) = AllowedHosts::new([&entry]) {
                prop_assert!(list.0.iter().all(|host| !host.contains(['/', '@', '*'])), "{:?}", list);
            }
        }
    }
}
