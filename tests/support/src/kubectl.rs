//! The pinned tools: where they are, and kubectl and helm as a person would run them.
//!
//! Never the kubectl on PATH: it may be many minors older. Their caches lie in the control plane's folder, so that
//! a test leaves nothing in the home directory.

use crate::control_plane::ControlPlane;
use crate::guardian::Guarded;
use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(300);

/// What a command has answered.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// Standard output of a command that must succeed.
    ///
    /// # Panics
    /// With everything the command said, when it did not.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.success(), "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr);
        self.stdout
    }

    /// Standard error of a command that must be refused.
    ///
    /// # Panics
    /// When it succeeded.
    #[track_caller]
    pub fn refused(self) -> String {
        assert!(!self.success(), "this should have been refused\nstdout: {}", self.stdout);
        self.stderr
    }
}

impl ControlPlane {
    /// Runs kubectl as administrator.
    pub async fn kubectl(&self, args: &[&str]) -> Output {
        self.run("kubectl", args, "").await
    }

    /// Runs kubectl as administrator in a namespace, with text on stdin (for `apply -f -`; may be empty).
    pub async fn kubectl_in(&self, namespace: &str, args: &[&str], stdin: &str) -> Output {
        self.run("kubectl", &[&["--namespace", namespace], args].concat(), stdin).await
    }

    /// Runs helm as administrator.
    pub async fn helm(&self, args: &[&str]) -> Output {
        self.run("helm", args, "").await
    }

    /// Runs a line of a shell as administrator in a folder, with the pinned kubectl and helm before all others.
    ///
    /// # Panics
    /// When there is no bash.
    pub async fn shell(&self, folder: &Path, line: &str) -> Output {
        let own = ["kubectl", "helm"].map(|name| tool(name).parent().expect("a folder").to_owned());
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(own.into_iter().chain(env::split_paths(&path))).expect("parts of a PATH");
        let mut command = Command::new("bash");
        command.args(["-c", &format!("set -o pipefail\n{line}")]).current_dir(folder).env("PATH", path);
        self.finish(command, line, "").await
    }

    async fn run(&self, name: &str, args: &[&str], stdin: &str) -> Output {
        let mut command = Command::new(tool(name));
        command.args(args);
        self.finish(command, &format!("{name} {args:?}"), stdin).await
    }

    /// Runs a command as administrator to its end. `what` is for messages.
    async fn finish(&self, mut command: Command, what: &str, stdin: &str) -> Output {
        command.env("KUBECONFIG", self.kubeconfig_path()).env("KUBECACHEDIR", self.dir().join("kubectl"));
        for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(folder, self.dir().join(folder.to_lowercase()));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{what} does not start: {error}"));
        let _guarded = child.id().map(Guarded::new);
        let mut pipe = child.stdin.take().expect("stdin is piped");
        let text = stdin.as_bytes().to_vec();
        let feed = async move {
            // A command that fails early does not read on; its own message says more than a broken pipe.
            let _ = pipe.write_all(&text).await;
        };
        let finished = async { tokio::join!(feed, child.wait_with_output()).1 };
        let Ok(output) = timeout(LIMIT, finished).await else { panic!("{what} still ran after {LIMIT:?}") };
        let output = output.expect("a child can be waited for");
        Output {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The root of the checkout.
#[must_use]
pub fn workspace_root() -> &'static Path {
    let support = Path::new(env!("CARGO_MANIFEST_DIR"));
    support.parent().and_then(Path::parent).expect("tests/support lies two folders deep")
}

/// The path of a pinned tool: from `$KUBEBUILDER_ASSETS` if it is there, otherwise from the per-user cache. The apiserver is that of
/// [`other_kubernetes`]; the other tools stay.
///
/// # Panics
/// When it is nowhere, with the command that builds it.
#[must_use]
pub fn tool(name: &str) -> PathBuf {
    let other = other_kubernetes().filter(|_| name == "kube-apiserver");
    if let Some(assets) = env::var_os("KUBEBUILDER_ASSETS").filter(|_| other.is_none()) {
        let path = Path::new(&assets).join(name);
        if path.is_file() {
            return path;
        }
    }
    let (tools, takes) = match (other, name) {
        (Some(other), _) => (other, 4),
        _ if CONTROLLERS.contains(&name) => ("controllers", 2),
        _ => ("control-plane", 5),
    };
    let path = cache(tools).join(name);
    assert!(
        path.is_file(),
        "{name} is not built yet ({} does not exist): run {}, which takes about {takes} minutes once",
        path.display(),
        if BETWEEN.contains(&tools) {
            format!("`tests/control-plane/build.sh {tools}`")
        } else {
            format!("`make {tools}`")
        }
    );
    path
}

/// The supported releases of Kubernetes between the oldest and the newest, as folders of `tests/control-plane`.
const BETWEEN: [&str; 3] = ["1.34", "1.35", "1.36"];

/// The folder of `tests/control-plane` with the apiserver that `SEATKEEPER_KUBERNETES` names: `oldest`, or a release between it and the
/// newest. `None`: the newest.
///
/// # Panics
/// When the environment names another one.
#[must_use]
pub fn other_kubernetes() -> Option<&'static str> {
    let asked = env::var("SEATKEEPER_KUBERNETES").ok()?;
    let known = ["oldest"].into_iter().chain(BETWEEN).find(|known| *known == asked);
    assert!(
        known.is_some(),
        "SEATKEEPER_KUBERNETES is {asked:?}: set it to oldest or one of {BETWEEN:?}, or not at all"
    );
    known
}

/// Those of a module of their own, with the stages of kwok: a control plane runs without them.
const CONTROLLERS: [&str; 4] = ["kube-controller-manager", "kube-scheduler", "kwok", "kwok-stages.yaml"];

/// The build script owns the name of the cache: it depends on the pins and on the Go version.
fn cache(tools: &'static str) -> PathBuf {
    static CACHES: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut caches = CACHES.lock().unwrap_or_else(PoisonError::into_inner);
    let found = caches.entry(tools).or_insert_with(|| {
        let script = workspace_root().join("tests/control-plane/build.sh");
        let output = std::process::Command::new(&script).args(["--where", tools]).output();
        let output = output.unwrap_or_else(|error| panic!("{} does not run: {error}", script.display()));
        assert!(
            output.status.success(),
            "{} --where fails; `make {tools}` needs Go (or set KUBEBUILDER_ASSETS to a folder with the tools): {}",
            script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    });
    found.clone()
}
