//! The way to vendors that the installer has chosen: a proxy, and CAs beside the public ones. For vendors alone: the apiserver is
//! reached without them.

use std::error::Error;
use std::net::IpAddr;

use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy, Url};
use secrecy::{ExposeSecret, SecretString};

use super::http::tls_error;
use super::secret_data::never_shown;

/// The way to vendors. Not `Debug`: it may hold the password of a proxy.
#[derive(Clone, Default)]
pub struct Route {
    proxy: Option<Proxy>,
    told: Option<&'static ToldOfProxy>,
    trusted: Vec<Certificate>,
}

never_shown!(Route);

/// Why a way cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// The proxy is no URL that can be used.
    #[error("must be a URL such as http://proxy.example.org:3128, with a host and without a path")]
    Proxy,
    /// The URL of the proxy holds a user or a password.
    #[error(
        "must not hold credentials: a list of processes would show them. Put user:password into the environment variable \
         SEATKEEPER_VENDOR_PROXY_CREDENTIALS"
    )]
    Credentials,
    /// The credentials of the proxy are none.
    #[error("must be user:password")]
    NoCredentials,
    /// An exception names what can be no vendor.
    #[error(
        "names \"{}\", which would match no vendor: write a host, a domain such as .example.org, an address, a network such as \
         10.0.0.0/8, or * alone; without https://, port and path", .0.escape_debug()
    )]
    Exception(String),
    /// The bundle holds no certificate.
    #[error(
        "holds no certificate that can be used: it must be CA certificates in PEM form (-----BEGIN CERTIFICATE-----)"
    )]
    Bundle,
}

impl Route {
    /// Through a proxy (`http://` or `https://`), but not to the hosts of `except`, written as in `NO_PROXY`. `credentials`:
    /// `user:password`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn through(self, proxy: &str, except: &str, credentials: Option<&SecretString>) -> Result<Self, InvalidRoute> {
        let url = Url::parse(proxy).map_err(|_| InvalidRoute::Proxy)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidRoute::Credentials);
        }
        let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/";
        if !plain || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidRoute::Proxy);
        }
        if let Some(entry) = except.split(',').map(str::trim).find(|entry| !entry.is_empty() && !is_exception(entry)) {
            return Err(InvalidRoute::Exception(entry.to_owned()));
        }
        // Kept as long as the process runs, as its flags are.
        let told: &'static ToldOfProxy = Box::leak(Box::new(ToldOfProxy::new(&url)));
        let mut proxy = Proxy::all(url).map_err(|_| InvalidRoute::Proxy)?.no_proxy(NoProxy::from_string(except));
        if let Some(credentials) = credentials {
            let (user, password) = credentials.expose_secret().split_once(':').ok_or(InvalidRoute::NoCredentials)?;
            proxy = proxy.basic_auth(user, password);
        }
        Ok(Self { proxy: Some(proxy), told: Some(told), ..self })
    }

    /// Trusts these CAs too, in PEM form. A Secret with `ca.crt` trusts its own alone.
    ///
    /// # Errors
    /// When there is none among them that can be used.
    pub fn trusting(self, bundle: &[u8]) -> Result<Self, InvalidRoute> {
        let trusted = Certificate::from_pem_bundle(bundle).map_err(|_| InvalidRoute::Bundle)?;
        // The text between the lines of PEM is checked only where a client is made of it.
        let usable = ClientBuilder::new().tls_certs_merge(trusted.clone()).build().is_ok();
        if trusted.is_empty() || !usable {
            return Err(InvalidRoute::Bundle);
        }
        Ok(Self { trusted, ..self })
    }

    /// The messages about the proxy, if there is one.
    pub(super) fn told(&self) -> Option<&'static ToldOfProxy> {
        self.told
    }

    /// A client that takes this way.
    pub(super) fn taken(&self, builder: ClientBuilder) -> ClientBuilder {
        let builder = self.proxy.iter().cloned().fold(builder, ClientBuilder::proxy);
        if self.trusted.is_empty() { builder } else { builder.tls_certs_merge(self.trusted.clone()) }
    }
}

/// Whether the client reads an entry of `NO_PROXY` as a person means it. It treats unknown text as a domain that matches no host: direct
/// requests would then go through the proxy.
fn is_exception(entry: &str) -> bool {
    let (address, prefix) = entry.split_once('/').map_or((entry, None), |(address, prefix)| (address, Some(prefix)));
    match (address.parse::<IpAddr>(), prefix) {
        (Ok(_), None) => true,
        (Ok(address), Some(prefix)) => {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest)
        }
        (Err(_), Some(_)) => false,
        (Err(_), None) => {
            let domain = entry.strip_prefix('.').unwrap_or(entry);
            let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            entry == "*" || domain.split('.').all(|label| !label.is_empty() && letters(label))
        }
    }
}

/// The messages about a refusing proxy. They name it by host and port, and never with its credentials.
pub(super) struct ToldOfProxy {
    unknown: String,
    unreachable: String,
    untrusted: String,
    credentials: String,
    refuses: String,
    breaks_off: String,
}

impl ToldOfProxy {
    fn new(url: &Url) -> Self {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let proxy = format!("the proxy of --vendor-proxy ({host}:{port})");
        Self {
            unknown: format!(
                "no address was found for {proxy}: correct the flag (chart: vendors.proxy.url), or the name in DNS"
            ),
            unreachable: format!(
                "{proxy} takes no connection: check that it runs, that the flag (chart: vendors.proxy.url) names its port, and \
                 that a NetworkPolicy lets the operator through to it"
            ),
            untrusted: format!(
                "the certificate of {proxy} is not trusted: its CA must be in --vendor-ca-bundle, or in ca.crt of the Secret \
                 where that has one"
            ),
            credentials: format!(
                "{proxy} wants other credentials (407): put user:password of the proxy into \
                 SEATKEEPER_VENDOR_PROXY_CREDENTIALS, or into the Secret of the chart's vendors.proxy.credentialsSecret"
            ),
            refuses: format!(
                "{proxy} makes no connection to this host: allow the host and its port there, and check that the proxy reaches \
                 them"
            ),
            breaks_off: format!("{proxy} ends the connection: check that an HTTP proxy with CONNECT listens there"),
        }
    }

    /// The message of an error that comes from the proxy, without the error's own text.
    pub(super) fn of(&self, error: &reqwest::Error) -> Option<&str> {
        let mut next = error.source();
        let mut causes = std::iter::from_fn(|| {
            let cause = next?;
            next = cause.source();
            Some(cause)
        });
        let tunnel = causes.find_map(|cause| cause.to_string().strip_prefix("tunnel error: ").map(str::to_owned))?;
        Some(match tunnel.as_str() {
            "proxy authorization required" => &self.credentials,
            "unsuccessful" => &self.refuses,
            "failed to create underlying connection" => self.of_connection(causes),
            _ => &self.breaks_off,
        })
    }

    /// The message where the proxy itself is unreachable.
    fn of_connection<'a>(&self, mut causes: impl Iterator<Item = &'a (dyn Error + 'static)>) -> &str {
        let told = causes.find_map(|cause| match tls_error(cause) {
            Some(rustls::Error::InvalidCertificate(_)) => Some(&self.untrusted),
            Some(_) => Some(&self.breaks_off),
            None => (cause.to_string() == "dns error").then_some(&self.unknown),
        });
        told.unwrap_or(&self.unreachable)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::vendors::http::tests::PEM;

    fn through(proxy: &str, credentials: Option<&str>) -> Option<InvalidRoute> {
        let credentials = credentials.map(SecretString::from);
        Route::default().through(proxy, "", credentials.as_ref()).err()
    }

    #[test]
    fn proxy_is_a_url_with_a_host_and_nothing_else() {
        for good in ["http://proxy.test:3128", "https://proxy.test", "http://[::1]:3128/"] {
            assert_eq!(through(good, None), None, "{good}");
        }
        for bad in
            ["proxy.test:3128", "socks5://proxy.test", "http://", "http://proxy.test/path", "http://proxy.test?a=1", ""]
        {
            assert_eq!(through(bad, None), Some(InvalidRoute::Proxy), "{bad}");
        }
        for held in ["http://user:password@proxy.test", "http://user@proxy.test"] {
            assert_eq!(through(held, None), Some(InvalidRoute::Credentials), "{held}");
        }
        assert_eq!(through("http://proxy.test", Some("user:pass:word")), None);
        assert_eq!(through("http://proxy.test", Some("password")), Some(InvalidRoute::NoCredentials));
    }

    #[test]
    fn exception_that_could_match_no_vendor_is_refused_by_its_name() {
        let except = |entries: &str| Route::default().through("http://proxy.test", entries, None).err();
        for good in
            ["", "vault.test", ".test, Other_1.test,", "*", "10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/32"]
        {
            assert_eq!(except(good), None, "{good}");
        }
        for bad in [
            "vault.test:8443",
            "https://vault.test",
            "vault.test/path",
            "*.test",
            "10.0.0.1:8443",
            "10.0.0.0/33",
            "fd00::/129",
            "[::1]",
            "a..test",
            "a b.test",
            "b\u{fc}ro.test",
        ] {
            let both = format!("vault.test,{bad}");
            assert_eq!(except(&both), Some(InvalidRoute::Exception(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn bundle_is_trusted_whole_or_refused() {
        let trusting = |bundle: &str| Route::default().trusting(bundle.as_bytes()).err();
        assert_eq!(trusting(&PEM.repeat(2)), None);
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in ["", "no PEM", &PEM.replace("CERTIFICATE", "PRIVATE KEY"), damaged, &format!("{PEM}{damaged}")] {
            assert_eq!(trusting(bad), Some(InvalidRoute::Bundle), "{bad}");
        }
    }

    /// The outcome of a request through a proxy with this answer to CONNECT; `None`: nothing listens there.
    async fn told_through(scheme: &str, answer: Option<&'static str>) -> (String, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        if let Some(answer) = answer {
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    drop(stream.read(&mut [0; 1024]).await);
                    drop(stream.write_all(answer.as_bytes()).await);
                }
            });
        } else {
            drop(listener);
        }
        (told_by(&format!("{scheme}://127.0.0.1:{port}")).await, port)
    }

    async fn told_by(proxy: &str) -> String {
        let credentials = SecretString::from("seat:hidden");
        let route = Route::default().through(proxy, "", Some(&credentials)).unwrap();
        let client = route.taken(ClientBuilder::new().no_proxy().dns_resolver(Nameless)).build().unwrap();
        let error = client.get("https://vault.test/api").send().await.unwrap_err();
        let told = route.told().and_then(|told| told.of(&error)).unwrap_or_else(|| panic!("{error:?}")).to_owned();
        assert!(!told.contains("hidden") && !told.contains("seat:") && !told.contains("vault.test"), "{told}");
        told
    }

    /// No name has an address.
    struct Nameless;

    impl reqwest::dns::Resolve for Nameless {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            Box::pin(std::future::ready(Err("no such name".into())))
        }
    }

    #[tokio::test]
    async fn refusing_proxy_is_named_with_its_fault() {
        for (answer, says) in [
            (None, "takes no connection"),
            (Some("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), "wants other credentials (407)"),
            (Some("HTTP/1.1 403 Forbidden\r\n\r\n"), "makes no connection to this host"),
            (Some("HTTP/1.1 502 Bad Gateway\r\n\r\n"), "makes no connection to this host"),
            (Some(""), "ends the connection"),
        ] {
            let (told, port) = told_through("http", answer).await;
            assert!(told.starts_with(&format!("the proxy of --vendor-proxy (127.0.0.1:{port}) {says}")), "{told}");
        }
        let (told, _) = told_through("https", Some("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
        assert!(told.contains("ends the connection"), "{told}");
        let told = told_by("http://proxy.test").await;
        assert!(told.starts_with("no address was found for the proxy of --vendor-proxy (proxy.test:80)"), "{told}");
    }

    #[tokio::test]
    async fn proxy_with_untrusted_certificate_is_named_and_not_vendor() {
        let proxy = vendor_sim::Simulator::start(vendor_sim::Options::default()).await.unwrap();
        let told = told_by(&proxy.url().replace("localhost", "127.0.0.1")).await;
        assert!(told.starts_with("the certificate of the proxy of --vendor-proxy (127.0.0.1:"), "{told}");
    }

    #[tokio::test]
    async fn error_of_a_vendor_behind_no_proxy_is_none_of_the_proxy() {
        let route = Route::default().through("http://proxy.test", "vault.test", None).unwrap();
        let client = route.taken(ClientBuilder::new().no_proxy().dns_resolver(Nameless)).build().unwrap();
        let error = client.get("https://vault.test/api").send().await.unwrap_err();
        assert_eq!(route.told().and_then(|told| told.of(&error)), None, "{error:?}");
    }
}
