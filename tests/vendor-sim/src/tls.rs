//! A certificate authority per simulator and a server certificate signed by it.
//! Keys live only in memory; a client has to trust exactly this simulator.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use std::{error::Error, sync::Arc};

/// Server side of the TLS identity of one simulator.
#[derive(Debug)]
pub struct Identity {
    /// The CA certificate clients must trust.
    pub ca_pem: String,
    /// What the listener uses.
    pub config: ServerConfig,
    /// A client's certificate that the CA has signed, and its key.
    pub client_pem: (String, String),
}

/// What is wrong with the server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// Nothing.
    #[default]
    Good,
    /// It ended at the beginning of 2021.
    Expired,
    /// It begins in 2100.
    NotYetValid,
    /// It is for `elsewhere.example.org`.
    OtherName,
    /// It is the CA's own.
    OfCa,
    /// It is that of another CA, which the CA has signed.
    OfOtherCa,
}

impl Identity {
    /// Makes a CA and a certificate for localhost, 127.0.0.1, ::1 and `more` names. `clients`: only those with a certificate of
    /// this CA are let in.
    pub fn new(more: &[String], kind: Certificate, clients: bool) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
        names.extend_from_slice(more);
        if kind == Certificate::OtherName {
            names = vec!["elsewhere.example.org".into()];
        }
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(if kind == Certificate::OfCa { names.clone() } else { Vec::new() })?;
        ca.distinguished_name.push(DnType::CommonName, "vendor-sim CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_cert = ca.self_signed(&ca_key)?;
        let ca_der = ca_cert.der().clone();
        let ca_secret = ca_key.serialize_der();
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate()?;
        let cert = leaf(names, kind)?.signed_by(&key, &issuer)?;
        let (cert, key) = match kind {
            Certificate::OfCa => (ca_der.clone(), ca_secret),
            _ => (cert.der().clone(), key.serialize_der()),
        };

        let client_key = KeyPair::generate()?;
        let mut client = CertificateParams::new(Vec::new())?;
        client.distinguished_name.push(DnType::CommonName, "seatkeeper");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let client_pem = (client.signed_by(&client_key, &issuer)?.pem(), client_key.serialize_pem());

        // Named explicitly: with two providers in one build rustls would refuse to guess.
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = if clients {
            let mut roots = RootCertStore::empty();
            roots.add(ca_der)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let mut config = builder.with_single_cert(vec![cert], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca_cert.pem(), config, client_pem })
    }
}

fn leaf(names: Vec<String>, kind: Certificate) -> Result<CertificateParams, rcgen::Error> {
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name.push(DnType::CommonName, "vendor-sim");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if kind == Certificate::OfOtherCa {
        leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        leaf.key_usages.push(KeyUsagePurpose::KeyCertSign);
    }
    let (from, to) = match kind {
        Certificate::Expired => (2020, 2021),
        Certificate::NotYetValid => (2100, 2101),
        _ => return Ok(leaf),
    };
    (leaf.not_before, leaf.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    Ok(leaf)
}
