//! Certificates, keys and kubeconfigs of one control plane. Pure but for the files it writes into that plane's folder.

use k8s_openapi::ByteString;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The certificate authority of a control plane, and what it has issued.
#[derive(Debug)]
pub(crate) struct Pki {
    pub(crate) ca: PathBuf,
    pub(crate) serving_cert: PathBuf,
    pub(crate) serving_key: PathBuf,
    pub(crate) service_account_key: PathBuf,
    pub(crate) service_account_public_key: PathBuf,
    ca_pem: String,
    admin_cert_pem: String,
    admin_key_pem: String,
}

impl Pki {
    pub(crate) fn generate(dir: &Path) -> Result<Self, rcgen::Error> {
        let mut params = params("seatkeeper test CA", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let issue = |mut params: CertificateParams, usage| -> Result<(String, String), rcgen::Error> {
            let key = KeyPair::generate()?;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![usage];
            params.use_authority_key_identifier_extension = true;
            Ok((params.signed_by(&key, &ca)?.pem(), key.serialize_pem()))
        };
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"];
        let (serving_cert, serving_key) =
            issue(self::params("kube-apiserver", &names)?, ExtendedKeyUsagePurpose::ServerAuth)?;
        let mut admin = self::params("admin", &[])?;
        admin.distinguished_name.push(DnType::OrganizationName, "system:masters");
        let (admin_cert_pem, admin_key_pem) = issue(admin, ExtendedKeyUsagePurpose::ClientAuth)?;
        let tokens = KeyPair::generate()?;
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            write_private(&path, text);
            path
        };
        Ok(Self {
            ca: write("ca.crt", &ca.pem()),
            serving_cert: write("serving.crt", &serving_cert),
            serving_key: write("serving.key", &serving_key),
            service_account_key: write("sa.key", &tokens.serialize_pem()),
            service_account_public_key: write("sa.pub", &tokens.public_key_pem()),
            ca_pem: ca.pem(),
            admin_cert_pem,
            admin_key_pem,
        })
    }

    pub(crate) fn admin_kubeconfig(&self, server: &str) -> String {
        let certificate = base64(self.admin_cert_pem.as_bytes());
        let key = base64(self.admin_key_pem.as_bytes());
        let user = format!("{{client-certificate-data: {certificate}, client-key-data: {key}}}");
        self.kubeconfig(server, "default", "admin", &user)
    }

    /// Like a pod, it finds itself in the namespace of its ServiceAccount.
    pub(crate) fn token_kubeconfig(&self, server: &str, namespace: &str, user: &str, token: &str) -> String {
        self.kubeconfig(server, namespace, user, &format!("{{token: {token}}}"))
    }

    fn kubeconfig(&self, server: &str, namespace: &str, user: &str, credentials: &str) -> String {
        let ca = base64(self.ca_pem.as_bytes());
        format!(
            "apiVersion: v1
kind: Config
current-context: seatkeeper
contexts:
- name: seatkeeper
  context: {{cluster: seatkeeper, namespace: {namespace:?}, user: {user:?}}}
clusters:
- name: seatkeeper
  cluster: {{server: {server:?}, certificate-authority-data: {ca}}}
users:
- name: {user:?}
  user: {credentials}
"
        )
    }
}

fn params(common_name: &str, names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

/// Writes a file that only its owner reads: helm warns about kubeconfigs that others may read, rightly.
pub(crate) fn write_private(path: &Path, text: &str) {
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

/// Kubernetes' own byte strings are base64, so no crate of its own is needed for it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let encoded = serde_json::to_value(ByteString(bytes.to_vec())).expect("bytes are always encodable");
    encoded.as_str().expect("a byte string is a string").to_owned()
}
