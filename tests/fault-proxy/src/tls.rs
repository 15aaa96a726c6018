//! The proxy's own certificate authority, and what it needs to reach the servers behind it.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// What a step of setting up may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The server side of both hops. One may serve many proxies.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The CA certificate that the operator must trust.
    pub ca_pem: String,
    pub(crate) config: Arc<ServerConfig>,
}

impl Identity {
    /// Makes a CA and a certificate for localhost and 127.0.0.1.
    ///
    /// # Errors
    /// When no keys can be made.
    pub fn new() -> Result<Self, Failure> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "fault-proxy CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_cert = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(["localhost", "127.0.0.1"].map(String::from).to_vec())?;
        leaf.distinguished_name.push(DnType::CommonName, "fault-proxy");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let cert = leaf.signed_by(&key, &issuer)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(cert.der().to_vec())],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca_cert.pem(), config: Arc::new(config) })
    }
}

/// A server behind the proxy.
#[derive(Clone, Debug)]
pub struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) name: ServerName<'static>,
    pub(crate) config: Arc<ClientConfig>,
}

impl Upstream {
    /// `name` is what its certificate is for; it must be signed by the CA.
    ///
    /// # Errors
    /// When name or CA are none.
    pub fn new(address: SocketAddr, name: &str, ca_pem: &str) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { address, name: ServerName::try_from(name.to_owned())?, config: Arc::new(config) })
    }
}

/// Named explicitly: with two providers in one build rustls would refuse to guess.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
