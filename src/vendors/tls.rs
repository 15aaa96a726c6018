//! TLS with what a Secret says: its CAs alone, a server certificate that is pinned by an exact match, and a certificate of our own.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificate_error::Untrusted;
use super::client_certificate_and_headers::ClientCertificate;

/// What of a Secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// `ca.crt`.
    Ca,
    /// `tls.crt`, or it does not fit `tls.key`.
    Certificate,
    /// `tls.key`.
    Key,
}

/// Trusts these CAs alone. A certificate among them that a server shows as its own is trusted although a CA's is none for
/// servers: Bitwarden's installer makes one that is both.
#[derive(Debug)]
struct Pinning {
    inner: Arc<WebPkiServerVerifier>,
    pinned: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Pinning {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // Its time was checked before.
            Err(Error::InvalidCertificate(why))
                if Untrusted::of(&why) == Untrusted::OfCa && self.pinned.contains(end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The configuration of a client that trusts these CAs alone.
pub(super) fn with_ca(ca: &[u8], certificate: Option<&ClientCertificate>) -> Result<ClientConfig, Unusable> {
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let pinned: Vec<_> = CertificateDer::pem_slice_iter(ca).collect::<Result<_, _>>().map_err(|_| Unusable::Ca)?;
    let mut roots = RootCertStore::empty();
    for root in &pinned {
        roots.add(root.clone()).map_err(|_| Unusable::Ca)?;
    }
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = Pinning { inner: inner.build().map_err(|_| Unusable::Ca)?, pinned };
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|_| Unusable::Ca)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { chain, key }) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
            let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(Unusable::Certificate)?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Unusable::Key)?;
            builder.with_client_auth_cert(chain, key).map_err(|_| Unusable::Certificate)?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
