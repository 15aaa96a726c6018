//! The operator under test: the real binary in a process of its own, with the identity that the chart gives it.

use crate::control_plane::ControlPlane;
use crate::http::http_get;
use crate::process::{Process, free_port};
use crate::wait::wait_for;
use crate::words::debug_lines;
use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::LazyLock;
use std::time::Duration;

/// Names another operator to test than the one that is built with the tests, for example the one that ships.
const OTHER: &str = "SEATKEEPER_BINARY";

/// What is in no binary that ships: the words of what only tests need.
const ONLY_FOR_TESTS: [&str; 1] = ["SEATKEEPER_TEST_CLOCK_SHIFT"];

/// The operator under test: the one that `SEATKEEPER_BINARY` names, else the one that was built with the tests.
///
/// # Panics
/// When the variable names no file.
#[must_use]
pub fn operator_binary(built: &'static str) -> &'static str {
    static NAMED: LazyLock<Option<String>> = LazyLock::new(|| env::var(OTHER).ok());
    let Some(named) = NAMED.as_deref() else { return built };
    assert!(Path::new(named).is_file(), "{OTHER}={named:?} is no file: run `cargo build --release`, or unset {OTHER}");
    named
}

/// Whether [`operator_binary`] is another than the one that was built with the tests.
#[must_use]
pub fn is_other_binary() -> bool {
    env::var_os(OTHER).is_some()
}

/// The words of what only tests need that a binary holds. One that ships holds none.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn only_for_tests(binary: &str) -> Vec<&'static str> {
    let bytes = fs::read(binary).unwrap_or_else(|error| panic!("{binary}: {error}"));
    let holds = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
    ONLY_FOR_TESTS.into_iter().filter(|words| holds(words)).collect()
}

/// A running `seatkeeper run`. Dropping it kills it, and fails the test if it logged Rust's `Debug`; [`stop`](Self::stop) ends it as a
/// kubelet would.
#[derive(Debug)]
pub struct Operator {
    process: Process,
    address: SocketAddr,
}

impl Operator {
    /// Starts `binary` for one namespace (`""`: all), as the chart's ServiceAccount. `args` are further flags of
    /// `seatkeeper run`. It returns at once; see [`wait_ready`](Self::wait_ready).
    pub async fn start(cp: &ControlPlane, binary: impl AsRef<Path>, namespace: &str, args: &[&str]) -> Self {
        let kubeconfig = cp.operator_kubeconfig().await;
        Self::start_as(&kubeconfig, binary, namespace, args)
    }

    /// Like [`start`](Self::start), with another identity.
    ///
    /// # Panics
    /// When there is no such binary.
    #[must_use]
    pub fn start_as(kubeconfig: &Path, binary: impl AsRef<Path>, namespace: &str, args: &[&str]) -> Self {
        Self::start_in(&[], kubeconfig, binary, namespace, args)
    }

    /// Like [`start_as`](Self::start_as), with further environment variables, for example `RUST_LOG`.
    ///
    /// # Panics
    /// When there is no such binary.
    #[must_use]
    pub fn start_in(
        environment: &[(&str, &str)],
        kubeconfig: &Path,
        binary: impl AsRef<Path>,
        namespace: &str,
        args: &[&str],
    ) -> Self {
        let binary = binary.as_ref();
        assert!(binary.is_file(), "{} does not exist: run `cargo build` first", binary.display());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = Command::new(binary);
        command.args(["run", "--listen", &address.to_string()]);
        if !namespace.is_empty() {
            command.args(["--namespace", namespace]);
        }
        command.args(args).env("KUBECONFIG", kubeconfig);
        // The developer's own settings are not under test.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("SEATKEEPER_") {
                command.env_remove(name);
            }
        }
        command.envs(environment.iter().copied());
        Self { process: Process::spawn("seatkeeper", &command), address }
    }

    /// Where it serves `/livez`, `/readyz` and `/metrics`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Panics
    /// With its log, when it ends instead or is not ready after 30 s.
    pub async fn wait_ready(&self) {
        wait_for("the operator to be ready", Duration::from_secs(30), async || {
            if let Some(status) = self.process.try_exit() {
                panic!("the operator ended with {status}\n{}", self.process.log_tail(40));
            }
            self.is_ready().await.then_some(())
        })
        .await;
    }

    /// Whether `/readyz` answers 200 now.
    pub async fn is_ready(&self) -> bool {
        http_get(self.address, "/readyz").await.is_ok_and(|reply| reply.status == 200)
    }

    /// The text of `/metrics`.
    ///
    /// # Panics
    /// When it is not served.
    pub async fn metrics(&self) -> String {
        let reply = http_get(self.address, "/metrics").await.expect("the operator serves metrics");
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    /// The value of one series, written as in `/metrics`: `name{label="value"}`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let metrics = self.metrics().await;
        metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.trim().parse().ok())
    }

    /// The value of the one series of a family that has all these labels, each written as in `/metrics`: `label="value"`.
    pub async fn metric_with(&self, family: &str, labels: &[&str]) -> Option<f64> {
        let (metrics, family) = (self.metrics().await, format!("{family}{{"));
        let mut of = metrics.lines().filter_map(|line| line.strip_prefix(&family)?.rsplit_once("} "));
        let (_, value) = of.find(|(own, _)| labels.iter().all(|label| own.contains(label)))?;
        value.trim().parse().ok()
    }

    /// Sends TERM and waits for the end, as a kubelet does before it kills.
    ///
    /// # Panics
    /// With its log, when it still runs after 15 s, the grace period of the chart.
    pub async fn stop(&self) -> ExitStatus {
        self.process.signal("TERM");
        let exit = self.process.wait_exit(Duration::from_secs(15)).await;
        exit.unwrap_or_else(|| panic!("the operator ignores TERM\n{}", self.process.log_tail(40)))
    }
}

impl Drop for Operator {
    /// Whatever the test was about: what it logged was words.
    fn drop(&mut self) {
        let log = self.process.log();
        let lines = debug_lines(&log);
        assert!(std::thread::panicking() || lines.is_empty(), "lines of the log have Rust's Debug text: {lines:#?}");
    }
}

impl Deref for Operator {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch_dir;
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    fn script(text: &str) -> std::path::PathBuf {
        let path = scratch_dir("script").join("seatkeeper");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("an executable script");
        path
    }

    #[tokio::test]
    #[should_panic(expected = "lines of the log have Rust's Debug text")]
    async fn operator_that_logs_debug_text_fails_its_test() {
        let binary = script(r#"echo "2026-11-29T12:00:00Z  WARN apiserver: Api(Status { code: 403 })""#);
        let operator = Operator::start_as(Path::new("/its/kubeconfig"), binary, "", &[]);
        wait_for("the script", Duration::from_secs(20), async || operator.log().contains("WARN").then_some(())).await;
    }

    #[tokio::test]
    async fn operator_gets_its_flags_and_own_identity() {
        let binary = script(r#"echo "$KUBECONFIG: $*"; trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"#);
        let operator = Operator::start_as(Path::new("/its/kubeconfig"), binary, "it", &["--concurrency", "1"]);
        wait_for("the script", Duration::from_secs(20), async || operator.log().contains("up").then_some(())).await;
        let address = operator.address();
        let expected = format!("/its/kubeconfig: run --listen {address} --namespace it --concurrency 1");
        assert_eq!(operator.log().lines().next(), Some(expected.as_str()));
        assert!(operator.stop().await.success());
    }

    #[tokio::test]
    #[should_panic(expected = "no such account")]
    async fn ended_operator_is_not_awaited() {
        let operator = Operator::start_as(Path::new("/none"), script("echo no such account; exit 3"), "", &[]);
        operator.wait_ready().await;
    }

    #[tokio::test]
    async fn metrics_are_read_by_series() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                let answer = "HTTP/1.0 200 OK\r\n\r\n# HELP a\na_total{x=\"1\"} 2\na_total{x=\"10\"} 3.5\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let operator = Operator { process: Process::spawn("none", &Command::new("true")), address };
        assert!(operator.is_ready().await);
        assert_eq!(operator.metric(r#"a_total{x="10"}"#).await, Some(3.5));
        assert_eq!(operator.metric("a_total").await, None);
    }
}
