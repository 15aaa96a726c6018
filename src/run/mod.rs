//! `seatkeeper run`: wires the parts together, waits for what is not there yet, and ends in good order.

mod crd;
mod flags;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controller::{self, Candidate, Context, Parts, Settings};
use crate::metrics::Metrics;
use crate::server::{self, Waiting};
use crate::vendors::Vendors;
use crd::keep_looking;
pub use flags::{Run, version};

#[cfg(debug_assertions)]
pub use crate::controller::FaultSwitch;

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
    Vendors(#[from] crate::vendors::TlsUnavailable),
    #[error("--listen {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("signals: {0}")]
    Signals(#[source] std::io::Error),
    #[error("{0} ended by itself")]
    Ended(&'static str),
}

/// Runs until SIGTERM or SIGINT. Whatever ends, ends all: a half-alive operator would look healthy and do nothing.
pub async fn run(args: Run) -> ExitCode {
    let settings = args.settings();
    conclude(operate(args, settings).await)
}

/// [`run`] without a part of the purchase protocol: for the test that such a thing is noticed.
#[cfg(debug_assertions)]
pub async fn run_weakened(args: Run, fault_switch: FaultSwitch) -> ExitCode {
    let settings = fault_switch.weaken(args.settings());
    tracing::warn!(?fault_switch, "weakened: for tests of the tests");
    conclude(operate(args, settings).await)
}

fn conclude(ended: Result<(), Fatal>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "seatkeeper cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn operate(args: Run, settings: Settings) -> Result<(), Fatal> {
    args.check().map_err(Fatal::Flags)?;
    let allowed = args.hosts().map_err(Fatal::Flags)?;
    let metrics = Arc::new(Metrics::default());
    let vendors = Vendors::new(args.http(), args.bitwarden(), allowed, metrics.requests())?;
    let (waiting, readiness) = watch::channel(Waiting { crd: None, start: Some("starting".into()), lease: None });
    let listener = TcpListener::bind(args.listen).await.map_err(|error| Fatal::Listen(args.listen, error))?;
    let config = config().await?;
    let lease = args.lease(&config.default_namespace);
    let client = Client::try_from(config)?;
    let me = format!("{}_{}", std::env::var("HOSTNAME").unwrap_or_else(|_| "seatkeeper".into()), uuid::Uuid::new_v4());
    let (candidate, leadership) = Candidate::new(client.clone(), lease, me.clone());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, "seatkeeper starts");

    let shutdown = CancellationToken::new();
    let led = leadership.clone();
    let context = Arc::new(Context::new(Parts {
        client: client.clone(),
        vendors,
        settings,
        metrics: Arc::clone(&metrics),
        leadership,
        writer: me,
        shutdown: shutdown.clone(),
    }));
    let serving = async {
        match server::serve(listener, metrics, led, readiness, shutdown.clone()).await {
            // It ends by itself only when the rest is about to.
            Ok(()) => std::future::pending().await,
            Err(error) => Err(Fatal::Listen(args.listen, error)),
        }
    };
    tokio::select! {
        () = work(&context, candidate, &waiting) => if shutdown.is_cancelled() { Ok(()) } else { Err(Fatal::Ended("the controller")) },
        never = keep_looking(&client, &context, &waiting) => match never {},
        result = serving => result,
        result = end(&shutdown, args.shutdown_grace) => result,
    }
}

/// Waits for the CRD, stands for leader and runs the controller until it is told to stop.
async fn work(context: &Arc<Context>, mut candidate: Candidate, waiting: &watch::Sender<Waiting>) {
    let shutdown = &context.shutdown;
    tokio::select! {
        () = context.crd_seen() => {}
        () = shutdown.cancelled() => return,
    }
    waiting.send_modify(|waiting| waiting.start = Some("waiting for the first list of LicenseSeats".into()));
    let synced = || {
        tracing::info!("watching LicenseSeats");
        waiting.send_modify(|waiting| waiting.start = None);
    };
    // The lease is kept while running passes finish, and given back when none is left.
    let idle = CancellationToken::new();
    let electing = async {
        candidate.run(&idle, |trouble| waiting.send_modify(|waiting| waiting.lease = trouble)).await;
        candidate.release().await;
    };
    let controlling = async {
        controller::run(Arc::clone(context), shutdown.clone(), synced).await;
        idle.cancel();
    };
    tokio::join!(electing, controlling);
}

/// Ends once a signal has come and the grace period after it is over.
async fn end(shutdown: &CancellationToken, grace: Duration) -> Result<(), Fatal> {
    let signal = stop_signal().await.map_err(Fatal::Signals)?;
    tracing::info!(signal, "stopping: what is in flight is finished or left for the next start");
    shutdown.cancel();
    tokio::time::sleep(grace).await;
    tracing::warn!("not finished within the grace period; open intents are judged at the next start");
    Ok(())
}

/// How the cluster is reached.
async fn config() -> Result<Config, Fatal> {
    let mut config = without_proxy_of_environment(Config::infer().await?);
    // A retried intent could land after its send deadline (purchase protocol).
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    Ok(config)
}

/// A proxy that the environment names is for other programs. A kubeconfig that names one means it.
fn without_proxy_of_environment(mut config: Config) -> Config {
    let named = |name| std::env::var(name).ok().and_then(|proxy| proxy.parse().ok());
    if ["HTTPS_PROXY", "https_proxy"].into_iter().filter_map(named).any(|proxy| config.proxy_url == Some(proxy)) {
        config.proxy_url = None;
    }
    config
}

async fn stop_signal() -> std::io::Result<&'static str> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}
