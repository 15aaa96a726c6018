//! A Prometheus that scrapes operators, with the rules that the chart renders. `tests/prometheus/get.sh` gets its programs.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::guardian::scratch_dir;
use crate::http::http_get;
use crate::install::SYSTEM_NAMESPACE;
use crate::kubectl::workspace_root;
use crate::process::{Process, free_port};
use crate::wait::wait_for;

/// The path of `prometheus` or `promtool`.
///
/// # Panics
/// When they cannot be had, with what gets them.
#[must_use]
pub fn prometheus_tool(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let script = workspace_root().join("tests/prometheus/get.sh");
        let output = Command::new(&script).output().unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    });
    folder.join(name)
}

/// The documents of this kind among manifests.
///
/// # Panics
/// When they are no YAML.
#[must_use]
pub fn manifests_of_kind(manifests: &str, kind: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(manifests);
    let documents = documents.map(|document| Value::deserialize(document).expect("YAML"));
    documents.filter(|document| document["kind"] == kind).collect()
}

/// The rule file that the chart's `PrometheusRule` is for Prometheus.
///
/// # Panics
/// When there is not exactly one.
#[must_use]
pub fn rule_file(manifests: &str) -> String {
    let rules = manifests_of_kind(manifests, "PrometheusRule");
    assert_eq!(rules.len(), 1, "{manifests}");
    rules[0]["spec"].to_string()
}

/// A running Prometheus. Dropping it kills it.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    address: SocketAddr,
    folder: PathBuf,
}

impl Prometheus {
    /// Starts one that scrapes each second, as the chart's monitors make it, and evaluates these rules each second.
    ///
    /// # Panics
    /// With its log, when it is not ready after a minute.
    pub async fn start(rules: &str) -> Self {
        let (folder, address) = (scratch_dir("prometheus"), SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
        write("rules.json", rules);
        write("targets.json", "[]");
        let scraped = json!({
            "job_name": "seatkeeper",
            "honor_labels": true,
            "file_sd_configs": [{ "files": [folder.join("targets.json")], "refresh_interval": "1s" }],
        });
        let config = json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" },
            "rule_files": [folder.join("rules.json")],
            "scrape_configs": [scraped],
        });
        write("prometheus.yml", &config.to_string());
        let mut command = Command::new(prometheus_tool("prometheus"));
        command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address={address}")).arg("--log.level=warn");
        let prometheus = Self { process: Process::spawn("prometheus", &command), address, folder };
        wait_for("Prometheus to be ready", Duration::from_secs(60), async || {
            if let Some(status) = prometheus.process.try_exit() {
                panic!("Prometheus ended with {status}\n{}", prometheus.process.log_tail(40));
            }
            http_get(address, "/-/ready").await.is_ok_and(|reply| reply.status == 200).then_some(())
        })
        .await;
        prometheus
    }

    /// Scrapes these from now on. They get the labels that a monitor of the chart would give them.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn scrape(&self, targets: &[(&str, SocketAddr)]) {
        let of = |(pod, address): &(&str, SocketAddr)| json!({ "targets": [address.to_string()], "labels": { "namespace": SYSTEM_NAMESPACE, "pod": pod } });
        let targets: Vec<Value> = targets.iter().map(of).collect();
        let written = self.folder.join("targets.written");
        fs::write(&written, Value::from(targets).to_string()).expect("a file");
        fs::rename(written, self.folder.join("targets.json")).expect("the list of targets");
    }

    /// The result of a query now.
    ///
    /// # Errors
    /// With what Prometheus says, for example of a wrong expression.
    pub async fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let answer = self.get(&format!("/api/v1/query?query={}", percent(expression))).await;
        match &answer["data"]["result"] {
            Value::Array(series) => Ok(series.clone()),
            _ => Err(format!("{expression}: {answer}")),
        }
    }

    /// The values of a label in the series that a selector matches.
    ///
    /// # Errors
    /// With what Prometheus says, for example of a wrong selector.
    pub async fn label_values(&self, label: &str, selector: &str) -> Result<Vec<Value>, String> {
        let answer = self.get(&format!("/api/v1/label/{label}/values?match%5B%5D={}", percent(selector))).await;
        match &answer["data"] {
            Value::Array(values) => Ok(values.clone()),
            _ => Err(format!("{label} of {selector}: {answer}")),
        }
    }

    /// The alerts that are pending or fire, with their labels and annotations.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn alerts(&self) -> Vec<Value> {
        let answer = self.get("/api/v1/alerts").await;
        answer["data"]["alerts"].as_array().expect("a list of alerts").clone()
    }

    /// The rules with their health, as they were evaluated last.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn rules(&self) -> Vec<Value> {
        let answer = self.get("/api/v1/rules").await;
        let groups = answer["data"]["groups"].as_array().expect("a list of groups").clone();
        groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default()).collect()
    }

    async fn get(&self, path: &str) -> Value {
        let reply = http_get(self.address, path).await.expect("Prometheus answers");
        serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{path}: {error}: {}", reply.body))
    }
}

fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
