//! What all cases of a control plane share: the control plane, the proxy's certificates, and how many play at a time.

use std::path::PathBuf;

use fault_proxy::{Identity, Proxy, Upstream};
use k8s_openapi::ByteString;
use kube::Client;
use seatkeeper_support::{Plane, SYSTEM_NAMESPACE, scratch_dir};
use serde_json::json;
use tokio::sync::Semaphore;

/// What all cases share.
pub struct Ground {
    pub plane: Plane,
    pub client: Client,
    pub identity: Identity,
    /// Cases that act at the same time. Those that only wait for silence hardly cost anything and do not count.
    pub stage: Semaphore,
    pub apiserver: Upstream,
    token: String,
}

impl Ground {
    /// On the control plane of this process.
    pub async fn shared(at_once: usize) -> Self {
        Self::on(Plane::shared().await, at_once).await
    }

    /// On a control plane of its own, one case after the other: its apiserver and its etcd may be killed.
    pub async fn own() -> Self {
        Self::on(Plane::own().await, 1).await
    }

    async fn on(plane: Plane, at_once: usize) -> Self {
        let kubeconfig = std::fs::read_to_string(plane.operator_kubeconfig().await).expect("a kubeconfig");
        let between = |from: &str, to: char| {
            let rest = kubeconfig.split(from).nth(1).expect("a complete kubeconfig");
            rest.split(to).next().unwrap_or_default().trim().trim_matches('"').to_owned()
        };
        let ca: ByteString =
            serde_json::from_value(json!(between("certificate-authority-data:", '}'))).expect("base64");
        let ca = String::from_utf8(ca.0).expect("PEM");
        let address = plane.server().trim_start_matches("https://").parse().expect("an address");
        Self {
            client: plane.admin(),
            plane,
            identity: Identity::new().expect("certificates"),
            stage: Semaphore::new(at_once),
            apiserver: Upstream::new(address, "127.0.0.1", &ca).expect("the apiserver"),
            token: between("token:", '}'),
        }
    }

    /// A kubeconfig that leads through the proxy.
    pub fn kubeconfig(&self, proxy: &Proxy) -> PathBuf {
        let ca = serde_json::to_value(ByteString(self.identity.ca_pem.clone().into_bytes())).expect("base64");
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "contexts": [{ "name": "it", "context": { "cluster": "it", "namespace": SYSTEM_NAMESPACE, "user": "it" } }],
            "clusters": [{ "name": "it", "cluster": {
                "server": proxy.apiserver_url(), "certificate-authority-data": ca,
            } }],
            "users": [{ "name": "it", "user": { "token": self.token } }],
        });
        let path = scratch_dir("fault").join("kubeconfig");
        std::fs::write(&path, config.to_string()).expect("a kubeconfig");
        path
    }
}
