//! `seatkeeper run`: wires the parts together, waits for what is not there yet, and ends in good order.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::api::parse_duration;
use crate::controller::{self, Context, Settings};
use crate::metrics::Metrics;
use crate::plan::Timing;
use crate::server;
use crate::telemetry::LogFormat;
use crate::vendors::{AllowedHosts, HttpSettings, Vendors};

/// How often to look for an apiserver or a CRD that is not there yet.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// Settings of `seatkeeper run`.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Watch only this namespace [default: all]
    #[arg(long, env = "SEATKEEPER_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,

    /// Address of /livez, /readyz and /metrics (plain HTTP)
    #[arg(
        long,
        env = "SEATKEEPER_LISTEN",
        default_value = "0.0.0.0:8080",
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,

    /// A host, or host:port, that a Secret may name as its server; may be given several times or comma-separated
    #[arg(
        long = "allowed-host",
        env = "SEATKEEPER_ALLOWED_HOST",
        value_delimiter = ',',
        value_name = "HOST"
    )]
    allowed_hosts: Vec<String>,

    /// How log lines look
    #[arg(long, env = "SEATKEEPER_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Shortest interval between two readings of one object; shorter spec.interval are stretched to it
    #[arg(long, env = "SEATKEEPER_MIN_INTERVAL", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    min_interval: Duration,

    /// How long late effects of a write may take after the vendor's final answer
    #[arg(long, env = "SEATKEEPER_SETTLE_ANSWERED", default_value = "5m", value_parser = duration, value_name = "DURATION")]
    settle_answered: Duration,

    /// How long a write that was never answered may still be running at the vendor. Lowering it can buy twice
    #[arg(long, env = "SEATKEEPER_SETTLE_UNANSWERED", default_value = "30m", value_parser = duration, value_name = "DURATION")]
    settle_unanswered: Duration,

    /// Pause between the two readings that must agree after a settle time
    #[arg(long, env = "SEATKEEPER_SETTLE_PAUSE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    settle_pause: Duration,

    /// From before the intent is recorded to the request leaving; later it is dropped
    #[arg(long, env = "SEATKEEPER_SEND_DEADLINE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    send_deadline: Duration,

    /// Longest time for a vendor write; must be below --settle-unanswered
    #[arg(long, env = "SEATKEEPER_WRITE_TIMEOUT", default_value = "120s", value_parser = duration, value_name = "DURATION")]
    write_timeout: Duration,

    /// Longest time for a vendor read
    #[arg(long, env = "SEATKEEPER_READ_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    read_timeout: Duration,

    /// How often a Secret is looked at while an object waits for it
    #[arg(long, env = "SEATKEEPER_SECRET_RECHECK", default_value = "5s", value_parser = duration, value_name = "DURATION")]
    secret_recheck: Duration,

    /// How often refused credentials are tried again although nothing has changed
    #[arg(long, env = "SEATKEEPER_CREDENTIAL_PROBE", default_value = "15m", value_parser = duration, value_name = "DURATION")]
    credential_probe: Duration,

    /// Objects worked on at the same time
    #[arg(long, env = "SEATKEEPER_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "N")]
    concurrency: u16,

    /// After SIGTERM, how long running passes may take to finish
    #[arg(long, env = "SEATKEEPER_SHUTDOWN_GRACE", default_value = "8s", value_parser = duration, value_name = "DURATION")]
    shutdown_grace: Duration,
}

/// Why the operator cannot run at all; waiting would not help.
#[derive(Debug, thiserror::Error)]
enum Fatal {
    #[error("{0}")]
    Flags(String),
    #[error("no cluster to talk to: {0}; set KUBECONFIG or run inside a pod with a ServiceAccount")]
    Config(#[from] kube::config::InferConfigError),
    #[error("Kubernetes client: {0}")]
    Client(#[from] kube::Error),
    #[error("vendor client: {0}")]
    Vendors(#[from] crate::vendors::VendorError),
    #[error("--listen {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("signals: {0}")]
    Signals(#[source] std::io::Error),
    #[error("{0} ended by itself")]
    Ended(&'static str),
}

/// Runs until SIGTERM or SIGINT. Whatever ends, ends all: a half-alive operator would look healthy and do nothing.
pub async fn run(args: Run) -> ExitCode {
    match operate(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "seatkeeper cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn operate(args: Run) -> Result<(), Fatal> {
    args.check()?;
    let allowed = AllowedHosts::new(&args.allowed_hosts).map_err(|e| Fatal::Flags(format!("--allowed-host: {e}")))?;
    let metrics = Arc::new(Metrics::default());
    let vendors = Vendors::new(args.http(), allowed, metrics.requests())?;
    let shutdown = CancellationToken::new();
    let (readiness, ready) = watch::channel(Err("starting".to_owned()));
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Fatal::Listen(args.listen, error))?;
    let mut config = Config::infer().await?;
    // A retried intent could land after its send deadline (purchase protocol).
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    let client = Client::try_from(config)?;
    let grace = args.shutdown_grace;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, "seatkeeper starts");

    let context = Arc::new(Context::new(
        client.clone(),
        vendors,
        args.settings(),
        Arc::clone(&metrics),
        shutdown.clone(),
    ));
    let serving = async {
        match server::serve(listener, metrics, ready, shutdown.clone()).await {
            // It ends by itself only when the rest is about to.
            Ok(()) => std::future::pending().await,
            Err(error) => Err(Fatal::Listen(args.listen, error)),
        }
    };
    let working = async {
        tokio::select! {
            () = wait_for_crd(&client, &readiness) => {}
            () = shutdown.cancelled() => return,
        }
        let synced = || {
            tracing::info!("watching LicenseSeats");
            drop(readiness.send_replace(Ok(())));
        };
        controller::run(context, shutdown.clone(), synced).await;
    };
    let ending = async {
        let signal = stop_signal().await.map_err(Fatal::Signals)?;
        tracing::info!(
            signal,
            "stopping: what is in flight is finished or left for the next start"
        );
        shutdown.cancel();
        tokio::time::sleep(grace).await;
        tracing::warn!("not finished within the grace period; open intents are judged at the next start");
        Ok(())
    };
    tokio::select! {
        () = working => if shutdown.is_cancelled() { Ok(()) } else { Err(Fatal::Ended("the controller")) },
        result = serving => result,
        result = ending => result,
    }
}

impl Run {
    fn check(&self) -> Result<(), Fatal> {
        let refuse = |text: &str| Err(Fatal::Flags(text.to_owned()));
        if self.write_timeout >= self.settle_unanswered {
            return refuse(
                "--write-timeout must be below --settle-unanswered: a request could outlive its settle time",
            );
        }
        if self.send_deadline >= self.settle_unanswered {
            return refuse(
                "--send-deadline must be below --settle-unanswered: a request could leave after its settle time",
            );
        }
        let nonzero = [
            ("--min-interval", self.min_interval),
            ("--write-timeout", self.write_timeout),
            ("--read-timeout", self.read_timeout),
            ("--send-deadline", self.send_deadline),
            ("--secret-recheck", self.secret_recheck),
            ("--credential-probe", self.credential_probe),
            ("--settle-answered", self.settle_answered),
        ];
        match nonzero.iter().find(|(_, duration)| duration.is_zero()) {
            Some((flag, _)) => Err(Fatal::Flags(format!("{flag} must be longer than 0s"))),
            None => Ok(()),
        }
    }

    fn http(&self) -> HttpSettings {
        HttpSettings {
            connect_timeout: Duration::from_secs(10),
            read_timeout: self.read_timeout,
            write_timeout: self.write_timeout,
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            namespace: self.namespace.clone().filter(|namespace| !namespace.is_empty()),
            min_interval: self.min_interval,
            timing: Timing {
                answered: self.settle_answered,
                unanswered: self.settle_unanswered,
                pause: self.settle_pause,
            },
            send_deadline: self.send_deadline,
            secret_recheck: self.secret_recheck,
            credential_probe: self.credential_probe,
            concurrency: self.concurrency,
        }
    }
}

/// Waits for the apiserver and the CRD, saying what is missing. Discovery needs no rights of our own.
async fn wait_for_crd(client: &Client, readiness: &watch::Sender<Result<(), String>>) {
    loop {
        let waiting = match client.list_api_group_resources("seatkeeper.dev/v1alpha1").await {
            Ok(list) if list.resources.iter().any(|resource| resource.name == "licenseseats") => return,
            Ok(_) => missing_crd(),
            // A group that nobody serves is answered in plain text, so only the code tells.
            Err(kube::Error::Api(status)) if status.code == 404 => missing_crd(),
            Err(kube::Error::Api(status)) => format!("waiting for the apiserver: {} ({})", status.message, status.code),
            Err(error) => format!("waiting for the apiserver: {error}"),
        };
        let said = Err(waiting);
        if *readiness.borrow() != said {
            tracing::warn!("{}", said.as_ref().err().map_or("", String::as_str));
            drop(readiness.send_replace(said));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn missing_crd() -> String {
    "waiting for the CRD licenseseats.seatkeeper.dev: install it with `seatkeeper crd | kubectl apply --server-side -f -`".into()
}

async fn stop_signal() -> std::io::Result<&'static str> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}
