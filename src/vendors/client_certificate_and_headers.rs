//! How the owner of a credential lets his own host be reached: the CA that vouches for it, a certificate for a gateway that wants one,
//! and headers for an access proxy. All of it belongs to the hosts that the same Secret names, and goes to no other.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::credential_hash::CredentialHash;
use super::secret_data::{SecretData, invalid, never_shown};
use crate::domain::Fault;

/// Keys of a Secret that begin so are headers.
const HEADER: &str = "header.";

/// The maximum number of headers of one Secret.
const MOST_HEADERS: usize = 10;

/// Headers that Seatkeeper sets itself, or that define how a request is sent.
const OWN: [&str; 19] = [
    "accept",
    "authorization",
    "bitwarden-client-name",
    "bitwarden-client-version",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "device-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// A certificate and its key, in PEM form.
pub(super) struct ClientCertificate {
    pub chain: Vec<u8>,
    pub key: Vec<u8>,
}

/// How a host is reached. Not `Debug`: it holds a key, and headers that may be tokens.
#[derive(Default)]
pub(super) struct Access {
    /// In PEM form; without it the public CAs are trusted.
    pub ca: Option<Vec<u8>>,
    pub certificate: Option<ClientCertificate>,
    pub headers: HeaderMap,
}

never_shown!(ClientCertificate, Access);

impl Access {
    /// What a Secret says of it. `names_server`: it names its host.
    ///
    /// # Errors
    /// A [`Fault`] that names the Secret's key and the fix.
    pub fn of(data: &SecretData<'_>, names_server: bool) -> Result<Self, Fault> {
        let bytes = |key: &str| data.bytes(key).map(<[u8]>::to_vec);
        let certificate = match (bytes("tls.crt"), bytes("tls.key")) {
            (None, None) => None,
            (Some(chain), Some(key)) => Some(ClientCertificate { chain, key }),
            (Some(_), None) => return Err(invalid("tls.crt", "needs tls.key beside it: store both, or neither")),
            (None, Some(_)) => return Err(invalid("tls.key", "needs tls.crt beside it: store both, or neither")),
        };
        let mut headers = HeaderMap::new();
        let begins = |key: &&str| key.get(..HEADER.len()).is_some_and(|start| start.eq_ignore_ascii_case(HEADER));
        let named: Vec<&str> = data.keys().filter(begins).collect();
        if named.len() > MOST_HEADERS {
            return Err(invalid("header.<Name>", "is there more than 10 times: remove those that no proxy asks for"));
        }
        for key in named {
            let (name, value) = header(data, key)?;
            headers.insert(name, value);
        }
        if !names_server && (certificate.is_some() || !headers.is_empty()) {
            let key = if certificate.is_some() { "tls.crt" } else { "header.<Name>" };
            return Err(invalid(
                key,
                "needs server beside it: name its host there, for Seatkeeper sends it to no other",
            ));
        }
        Ok(Self { ca: bytes("ca.crt"), certificate, headers })
    }

    /// Tells ways from each other.
    pub fn hash(&self) -> CredentialHash {
        let headers = self.headers.iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]);
        CredentialHash::of(self.of_connection().into_iter().chain(headers))
    }

    /// What distinguishes connections: those with the same value may be shared.
    pub fn of_connection(&self) -> [&[u8]; 3] {
        let certificate = self.certificate.as_ref();
        [
            self.ca.as_deref().unwrap_or_default(),
            certificate.map_or(&[], |certificate| &certificate.chain),
            certificate.map_or(&[], |certificate| &certificate.key),
        ]
    }
}

fn header(data: &SecretData<'_>, key: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let Some(name) = key.strip_prefix(HEADER) else {
        return Err(invalid(
            key,
            "begins with capital letters and would be sent to no server: rename it to header.<Name>",
        ));
    };
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(invalid(key, "has a name that no header has: use letters, digits and -"));
    };
    if OWN.contains(&name.as_str()) {
        let why = "is a header that Seatkeeper sets itself: remove it. Such keys are for access proxies alone";
        return Err(invalid(key, why));
    }
    let value = data.text(key)?.and_then(|text| HeaderValue::from_str(text).ok());
    let Some(mut value) = value else {
        return Err(invalid(key, "is empty, or has characters that no header has: store it again"));
    };
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use k8s_openapi::api::core::v1::Secret;

    use super::*;
    use crate::api::SECRET_TYPE;
    use crate::vendors::secret_data::CredentialKeys;

    fn access(data: &[(&str, &str)], names_server: bool) -> Result<Access, String> {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec()))).collect();
        let secret = Secret { type_: Some(SECRET_TYPE.into()), data: Some(data), ..Secret::default() };
        let keys = CredentialKeys { vendor: "Acme", names: &["token"] };
        let data = SecretData::credentials(&secret, &keys).ok().unwrap();
        Access::of(&data, names_server).map_err(|fault| fault.message)
    }

    #[test]
    fn half_certificate_or_bad_header_is_refused_by_key_and_fix_without_value() {
        let many: Vec<(String, &str)> = (0..11).map(|n| (format!("header.X-{n}"), "hidden")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        for (data, says) in [
            (vec![("tls.crt", "hidden")], "the Secret's tls.crt needs tls.key beside it"),
            (vec![("tls.key", "hidden")], "the Secret's tls.key needs tls.crt beside it"),
            (
                vec![("header.Authorization", "hidden")],
                "the Secret's header.Authorization is a header that Seatkeeper sets itself",
            ),
            (vec![("header.Host", "hidden")], "the Secret's header.Host is a header that Seatkeeper sets itself"),
            (vec![("header.", "hidden")], "the Secret's header. has a name that no header has"),
            (vec![("header.X-A", " ")], "the Secret's header.X-A is empty"),
            (vec![("header.X-A", "hidden\u{e9}\u{1f600}\u{7f}")], "contains control characters"),
            (vec![("header.X-A", "hid\nden")], "contains control characters"),
            (vec![("Header.X-A", "hidden")], "the Secret's Header.X-A begins with capital letters"),
            (vec![("HEADER.X-A", "hidden")], "rename it to header.<Name>"),
            (many, "is there more than 10 times"),
        ] {
            let told = access(&data, true).err().unwrap();
            assert!(told.contains(says) && !told.contains("hid"), "{data:?}: {told}");
        }
    }

    #[test]
    fn certificate_and_headers_are_for_the_host_that_the_same_secret_names() {
        let certificate = [("tls.crt", "chain"), ("tls.key", "key")];
        for data in [&certificate[..], &[("header.CF-Access-Client-Id", "id")]] {
            assert!(access(data, true).is_ok());
            let told = access(data, false).err().unwrap();
            assert!(told.contains("needs server beside it"), "{told}");
        }
        assert!(access(&[("ca.crt", "ca")], false).is_ok(), "it is sent nowhere");
    }

    #[test]
    fn other_header_or_certificate_is_other_access() {
        let hash = |data: &[(&str, &str)]| access(data, true).ok().unwrap().hash();
        let one = hash(&[("header.X-A", "1")]);
        assert!(one == hash(&[("header.x-a", "1")]));
        for other in [&[("header.X-A", "2")][..], &[("header.X-B", "1")], &[], &[("tls.crt", "X-A"), ("tls.key", "1")]]
        {
            assert!(one != hash(other), "{other:?}");
        }
    }
}
