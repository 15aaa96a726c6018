//! Starts the parts, applies the examples, and shows the table before and after.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use seatkeeper_support::{ControlPlane, Operator};
use vendor_sim::{Options, Simulator, Switches};

use crate::folder_lock::FolderLock;
use crate::guide::Guide;
use crate::scene::{self, MANAGED, MONTHLY, Part};
use crate::tenants;
use crate::{Failure, say, show};

const NAMESPACE: &str = "it";

/// As shipped, but quicker to look again and to make a second change: nobody wants to wait for minutes after each command. The
/// simulator's webhooks are over within seconds.
const QUICK: &[&str] = &["--min-interval=1s", "--secret-recheck=1s", "--settle-answered=10s", "--cluster-name=prod-eu"];

/// Where each object stands before anything is bought, by the reason of its `Ready`.
const BEFORE: &[(&str, &str)] = &[
    (MANAGED, "Suspended"),
    ("acme-approval", "ChangeDeferred"),
    ("acme-eu", "CredentialsInvalid"),
    ("acme-immuta", "InSync"),
    ("acme-immuta-renewed", "InSync"),
    ("acme-immuta-watched", "Observed"),
    ("acme-labs", "Observed"),
    ("acme-machine-accounts", "InSync"),
    (MONTHLY, "ChangeDeferred"),
    ("acme-owned", "InSync"),
    ("acme-renewal", "InSync"),
    ("acme-secrets-manager", "InSync"),
    ("acme-self-hosted", "Observed"),
    ("acme-sized", "InSync"),
    ("acme-two-clusters", "Standby"),
];

/// So many seconds at least one sees an object wait for its window.
const FIRST_LOOK: i64 = 15;

/// A vendor that is as quick as the operator is told to be, and that people may ask with curl.
async fn simulated(self_hosted: bool) -> Result<Simulator, Failure> {
    let switches = Switches { self_hosted, client_headers: false, ..Switches::hurried() };
    let started = Simulator::start(Options { switches, ..Options::default() }).await;
    started.map_err(Failure::from_io("the simulator"))
}

/// Everything that runs. Dropped in this order: the operator first, so that it does not lose what it works with.
pub(crate) struct Stage {
    operator: Operator,
    plane: ControlPlane,
    cloud: Simulator,
    _self_hosted: Simulator,
    parts: Vec<Part>,
    /// Secrets of the Immuta tenants.
    immuta: Vec<tenants::Filled>,
}

impl Stage {
    pub(crate) async fn up(binary: &Path, lock: &FolderLock) -> Result<Self, Failure> {
        say("starting etcd and kube-apiserver ...");
        let plane = ControlPlane::start().await;
        say("starting the simulated vendors: Bitwarden's cloud, a self-hosted Bitwarden, and two Immuta tenants ...");
        let cloud = simulated(false).await?;
        let self_hosted = simulated(true).await?;
        let parts = scene::organizations(&cloud, &self_hosted);
        let immuta = tenants::secrets(&cloud, &self_hosted);
        say("installing the chart ...");
        let hosts = [cloud.host(), self_hosted.host()].join(",");
        let allowed = format!("{{{hosts}}}");
        plane.install_chart(&[("vendors.allowedHosts", &allowed)]).await;
        say("starting the operator, as the chart's ServiceAccount ...");
        let allow = format!("--allowed-host={hosts}");
        let flags: Vec<&str> = QUICK.iter().copied().chain([allow.as_str()]).collect();
        let operator = Operator::start(&plane, binary, "", &flags).await;
        operator.wait_ready().await;
        let stage = Self { operator, plane, cloud, _self_hosted: self_hosted, parts, immuta };
        stage.kubectl(&["create", "namespace", NAMESPACE], "").await?;
        stage.hand_over(lock).await?;
        Ok(stage)
    }

    /// The administrator's kubeconfig at its known path, with the namespace set so that commands stay short.
    async fn hand_over(&self, lock: &FolderLock) -> Result<(), Failure> {
        let namespace = format!("--namespace={NAMESPACE}");
        self.kubectl(&["config", "set-context", "--current", &namespace], "").await?;
        let path = lock.kubeconfig();
        let copied = fs::copy(self.plane.kubeconfig_path(), &path);
        copied.map(drop).map_err(Failure::from_io(path.display()))
    }

    /// Applies the examples and shows what becomes of them.
    pub(crate) async fn perform(&self, lock: &FolderLock) -> Result<(), Failure> {
        say("applying examples/ (the Secrets name the simulator instead of a region; acme-bitwarden is suspended) ...");
        let manifests = scene::manifests(&self.parts, &self.immuta)?;
        self.kubectl(&["apply", "--server-side", "-f", "-"], &manifests).await?;
        for (name, reason) in BEFORE {
            self.until(name, "{.status.conditions[?(@.type==\"Ready\")].reason}", reason).await?;
        }
        self.let_the_window_open_soon().await?;
        show("\nWhile acme-bitwarden is suspended, STATUS says what would be done:\n");
        self.run_and_show(&["get", "licenseseats"]).await?;
        show("\nNow it may buy:\n");
        let release = r#"{"spec":{"suspend":false}}"#;
        self.run_and_show(&["patch", "licenseseats", MANAGED, "--type=merge", "-p", release]).await?;
        self.until(MANAGED, "{.status.conditions[?(@.type==\"Ready\")].reason}", "InSync").await?;
        self.until(MANAGED, "{.status.seats}", "150").await?;
        show("");
        self.run_and_show(&["get", "licenseseats"]).await?;
        let guide = Guide {
            kubeconfig: &lock.kubeconfig(),
            log: self.operator.log_path(),
            metrics_url: &format!("http://{}/metrics", self.operator.address()),
            control_url: &self.cloud.control_url(),
            parts: &self.parts,
        };
        show(&guide.to_string());
        Ok(())
    }

    /// Lets the window of one object open within a minute, so that one sees it happen, and not before one sees it wait.
    async fn let_the_window_open_soon(&self) -> Result<(), Failure> {
        // Its limit is pinned first, and until that has settled STATUS does not name the window.
        self.until(MONTHLY, "{.status.limit}", "100").await?;
        self.until(MONTHLY, "{.status.conditions[?(@.type==\"ChangePending\")].reason}", "AwaitingWindow").await?;
        let left = || 60 - Timestamp::now().as_second().rem_euclid(60);
        if left() < FIRST_LOOK {
            tokio::time::sleep(Duration::from_secs(left().unsigned_abs())).await;
        }
        let opens = Timestamp::from_second(Timestamp::now().as_second() + left());
        let opens = opens.map_err(|error| Failure(format!("the next minute: {error}")))?;
        let cron = scene::opens_at(opens);
        let patch = format!(r#"[{{"op":"replace","path":"/spec/adjustment/windows/0/cron","value":{cron}}}]"#);
        self.kubectl(&["patch", "licenseseats", MONTHLY, "--type=json", "-p", &patch], "").await?;
        self.until(MONTHLY, "{.status.nextWindow.opensAt}", &opens.to_string()).await
    }

    /// Ends the operator as Kubernetes would; the rest may simply be killed.
    pub(crate) async fn down(self) {
        self.operator.stop().await;
    }

    async fn run_and_show(&self, args: &[&str]) -> Result<(), Failure> {
        let shown = args.iter().map(|arg| match arg.contains(['{', ' ']) {
            true => format!("'{arg}'"),
            false => (*arg).to_owned(),
        });
        show(&format!("$ kubectl {}", shown.collect::<Vec<_>>().join(" ")));
        show(self.kubectl(args, "").await?.trim_end());
        Ok(())
    }

    async fn until(&self, name: &str, path: &str, value: &str) -> Result<(), Failure> {
        say(&format!("waiting until {name} shows {value} ..."));
        let (object, condition) = (format!("licenseseats/{name}"), format!("--for=jsonpath={path}={value}"));
        let waited = self.kubectl(&["wait", &object, &condition, "--timeout=90s"], "").await;
        waited.map(drop).map_err(|failure| Failure(format!("{failure}\n{}", self.operator.log_tail(20))))
    }

    async fn kubectl(&self, args: &[&str], stdin: &str) -> Result<String, Failure> {
        let output = self.plane.kubectl_in(NAMESPACE, args, stdin).await;
        match output.success() {
            true => Ok(output.stdout),
            false => Err(Failure(format!("kubectl {}: {}", args.join(" "), output.stderr))),
        }
    }
}
