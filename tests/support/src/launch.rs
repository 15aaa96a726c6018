//! How etcd and kube-apiserver are started: their flags, and waiting until they are ready. Called by `control_plane`.

use crate::kubectl::tool;
use crate::pki::Pki;
use crate::process::Process;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Two to three seconds on an idle machine; a busy 2-core CI runner compiles beside it.
const START_LIMIT: Duration = Duration::from_secs(90);

const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
";

pub(crate) fn write_audit_policy(dir: &Path) -> io::Result<()> {
    fs::write(audit_policy(dir), AUDIT_POLICY)
}

fn audit_policy(dir: &Path) -> PathBuf {
    dir.join("audit-policy.yaml")
}

pub(crate) fn audit_log(dir: &Path) -> PathBuf {
    dir.join("audit.log")
}

pub(crate) fn etcd_data(dir: &Path) -> PathBuf {
    dir.join("etcd")
}

pub(crate) fn etcd(dir: &Path, client_port: u16, peer_port: u16) -> Command {
    let mut command = Command::new(tool("etcd"));
    let client = format!("http://127.0.0.1:{client_port}");
    let peer = format!("http://127.0.0.1:{peer_port}");
    command.arg("--data-dir").arg(etcd_data(dir)).arg("--unsafe-no-fsync"); // a power cut may cost a test its data
    command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
    command.args(["--listen-peer-urls", &peer]);
    command
}

pub(crate) fn apiserver(dir: &Path, pki: &Pki, etcd: SocketAddr, port: u16) -> Command {
    let mut command = Command::new(tool("kube-apiserver"));
    command
        .arg(format!("--etcd-servers=http://{etcd}"))
        .arg("--bind-address=127.0.0.1")
        .arg(format!("--secure-port={port}"))
        .arg("--endpoint-reconciler-type=none") // without it: "may not be in the loopback range"
        .arg("--authorization-mode=RBAC")
        .arg("--service-cluster-ip-range=10.0.0.0/24")
        .arg(format!("--service-account-issuer=https://127.0.0.1:{port}"))
        .arg("--audit-log-maxsize=10240"); // MB; the log would rotate at 100
    let mut path = |flag: &str, path: &Path| {
        command.arg(format!("--{flag}={}", path.display()));
    };
    path("cert-dir", &dir.join("certs"));
    path("client-ca-file", &pki.ca);
    path("tls-cert-file", &pki.serving_cert);
    path("tls-private-key-file", &pki.serving_key);
    path("service-account-signing-key-file", &pki.service_account_key);
    path("service-account-key-file", &pki.service_account_public_key);
    path("audit-policy-file", &audit_policy(dir));
    path("audit-log-path", &audit_log(dir));
    command
}

/// controller-manager and scheduler, as the administrator.
pub(crate) fn controllers(dir: &Path, pki: &Pki, kubeconfig: &Path, ports: [u16; 2]) -> [Command; 2] {
    ["kube-controller-manager", "kube-scheduler"].map(|name| {
        let mut command = Command::new(tool(name));
        let port = ports[usize::from(name == "kube-scheduler")];
        command.args(["--leader-elect=false", "--bind-address=127.0.0.1", &format!("--secure-port={port}")]);
        let mut path = |flag: &str, path: &Path| {
            command.arg(format!("--{flag}={}", path.display()));
        };
        for flag in ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"] {
            path(flag, kubeconfig);
        }
        path("cert-dir", &dir.join(name));
        if name == "kube-controller-manager" {
            path("service-account-private-key-file", &pki.service_account_key);
            path("root-ca-file", &pki.ca);
            // The kubelet of a test renews no Lease.
            command.args(["--use-service-account-credentials", "--node-monitor-grace-period=1h"]);
        }
        command
    })
}

/// kwok in the place of every kubelet, by the stages of its module.
pub(crate) fn kwok(dir: &Path, kubeconfig: &Path) -> Command {
    let mut command = Command::new(tool("kwok"));
    command.arg(format!("--kubeconfig={}", kubeconfig.display()));
    command.arg(format!("--config={}", tool("kwok-stages.yaml").display()));
    // It renews the Leases of the nodes. The developer's own settings of kwok are in his home.
    command.args(["--manage-all-nodes=true", "--node-lease-duration-seconds=40"]).env("HOME", dir);
    command
}

pub(crate) async fn client_config(kubeconfig: &str) -> Config {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a complete kubeconfig")
}

/// Like `wait_for`, but an answer instead of a panic, and at once when the process ends.
pub(crate) async fn until_ready(name: &str, process: &Process, ready: impl AsyncFn() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(status) = process.try_exit() {
            return Err(format!("{name} ended with {status} instead of starting\n{}", process.log_tail(40)));
        }
        if ready().await {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("{name} was not ready after {START_LIMIT:?}\n{}", process.log_tail(40)));
        }
        sleep(Duration::from_millis(20)).await;
    }
}
