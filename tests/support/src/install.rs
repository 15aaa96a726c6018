//! What the control plane holds before a test begins: the chart as shipped, namespaces, ServiceAccount tokens.

use crate::control_plane::ControlPlane;
use crate::guardian::serial;
use crate::kubectl::workspace_root;
use crate::pki::write_private;
use crate::wait::wait_for;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use std::path::PathBuf;
use std::time::Duration;

/// Where the chart is installed.
pub const SYSTEM_NAMESPACE: &str = "seatkeeper-system";
/// The ServiceAccount the chart makes by default.
const SERVICE_ACCOUNT: &str = "seatkeeper";
/// The operator's name in the audit log and in RBAC.
pub const OPERATOR_USER: &str = "system:serviceaccount:seatkeeper-system:seatkeeper";

const RESOURCES: [&str; 2] = ["licenseseats", "seatapprovals"];

impl ControlPlane {
    /// Installs the chart as shipped, with `--set key=value` for each pair (a list is `{a,b}`), and waits until the CRD
    /// is served. Installing again changes the values.
    ///
    /// # Panics
    /// With helm's or kubectl's message.
    pub async fn install_chart(&self, values: &[(&str, &str)]) {
        self.try_install_chart(values).await.unwrap_or_else(|message| panic!("{message}"));
    }

    pub(crate) async fn try_install_chart(&self, values: &[(&str, &str)]) -> Result<(), String> {
        let manifests = self.render_chart(values).await?;
        let namespaces = Api::<Namespace>::all(self.admin());
        match namespaces.create(&PostParams::default(), &namespace(SYSTEM_NAMESPACE)).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            result => drop(result.map_err(|error| format!("{SYSTEM_NAMESPACE} is not made: {error}"))?),
        }
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        let applied = self.kubectl_in("", &apply, &manifests).await;
        if !applied.success() {
            return Err(format!("the chart is refused: {}", applied.stderr));
        }
        self.wait_until_served().await;
        Ok(())
    }

    /// The chart's manifests with these values.
    ///
    /// # Errors
    /// With helm's message, for example when the schema refuses a value.
    pub async fn render_chart(&self, values: &[(&str, &str)]) -> Result<String, String> {
        let chart = workspace_root().join("charts/seatkeeper").display().to_string();
        let values: Vec<String> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
        // What `helm test` would start is no part of an installation.
        let mut args = vec!["template", "seatkeeper", &chart, "--namespace", SYSTEM_NAMESPACE, "--skip-tests"];
        args.extend(values.iter().flat_map(|value| ["--set", value]));
        let rendered = self.helm(&args).await;
        if rendered.success() { Ok(rendered.stdout) } else { Err(rendered.stderr) }
    }

    /// Established is not enough: the handler comes up a moment later. The dry-run write afterwards takes the slow
    /// first write (up to 2 s) out of the tests' timings; whether it is accepted does not matter.
    async fn wait_until_served(&self) {
        let crds = Api::<CustomResourceDefinition>::all(self.admin());
        for resource in RESOURCES {
            wait_for(format!("the CRD of {resource} to be established"), Duration::from_secs(30), async || {
                let crd = crds.get(&format!("{resource}.seatkeeper.dev")).await.ok()?;
                let conditions = crd.status?.conditions?;
                conditions.iter().find(|one| one.type_ == "Established" && one.status == "True").map(drop)
            })
            .await;
            wait_for(format!("{resource} to be served"), Duration::from_secs(30), async || {
                let path = format!("/apis/seatkeeper.dev/v1alpha1/{resource}?limit=1");
                self.kubectl(&["get", "--raw", &path]).await.success().then_some(())
            })
            .await;
        }
        let object =
            r#"{"apiVersion":"seatkeeper.dev/v1alpha1","kind":"LicenseSeats","metadata":{"name":"warm-up"},"spec":{}}"#;
        let dry_run = ["apply", "--server-side", "--dry-run=server", "--validate=false", "-f", "-"];
        let _ = self.kubectl_in(SYSTEM_NAMESPACE, &dry_run, object).await;
    }

    /// Makes a namespace of a new name that begins with `prefix`.
    ///
    /// # Panics
    /// When the apiserver refuses.
    pub async fn namespace(&self, prefix: &str) -> String {
        let name = format!("{prefix}-{}", serial());
        let namespaces = Api::<Namespace>::all(self.admin());
        let made = namespaces.create(&PostParams::default(), &namespace(&name)).await;
        made.unwrap_or_else(|error| panic!("the namespace {name} is not made: {error}"));
        name
    }

    /// A kubeconfig with a token of the chart's ServiceAccount: what the operator runs with.
    pub async fn operator_kubeconfig(&self) -> PathBuf {
        self.kubeconfig_for_service_account(SYSTEM_NAMESPACE, SERVICE_ACCOUNT).await
    }

    /// A kubeconfig with a token of a ServiceAccount, valid for a week: a quickstart may run over a weekend.
    ///
    /// # Panics
    /// When there is no such ServiceAccount: install the chart first.
    pub async fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> PathBuf {
        let accounts = Api::<ServiceAccount>::namespaced(self.admin(), namespace);
        let spec = TokenRequestSpec { expiration_seconds: Some(7 * 24 * 3600), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let issued = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let issued = issued.unwrap_or_else(|error| panic!("no token for ServiceAccount {namespace}/{name}: {error}"));
        let token = issued.status.expect("an issued token").token;
        let path = self.dir().join(format!("{namespace}-{name}-{}.kubeconfig", serial()));
        write_private(&path, &self.pki.token_kubeconfig(&self.server(), namespace, name, &token));
        path
    }
}

fn namespace(name: &str) -> Namespace {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    Namespace { metadata, ..Namespace::default() }
}
