//! `seatkeeper run`: connects the parts, waits for missing ones, and ends in order.

mod check;
mod crd_check;
mod flags;
mod openings;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controller::{self, Apiserver, Candidate, Context, Parts};
use crate::metrics::Metrics;
use crate::server::{self, Waiting};
use crate::vendors::Vendors;
pub use check::{Check, Findings, LEASE_RIGHT, RIGHTS, Right, check};
use crd_check::keep_looking;
pub use flags::{Run, version};
pub use openings::{Openings, openings};

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

/// Runs until SIGTERM or SIGINT. If one part ends, all end: a partly running operator would look healthy and do nothing.
pub async fn run(args: Run) -> ExitCode {
    match Box::pin(operate(args)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "seatkeeper cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn operate(args: Run) -> Result<(), Fatal> {
    args.check().map_err(Fatal::Flags)?;
    let allowed = args.hosts().map_err(Fatal::Flags)?;
    let metrics = Arc::new(Metrics::default());
    let route = args.route().map_err(Fatal::Flags)?;
    let vendors = Vendors::new((args.http(), route), args.bitwarden(), allowed, metrics.requests())?;
    let (waiting, readiness) = watch::channel(Waiting { crd: None, start: Some("starting".into()), lease: None });
    let listener = listen(args.listen).await.map_err(|error| Fatal::Listen(args.listen, error))?;
    let config = config().await?;
    let lease = args.lease(&config.default_namespace);
    let installation = format!("{}/{}", lease.namespace, lease.name);
    let client = Client::try_from(config)?;
    let me = format!("{}_{}", std::env::var("HOSTNAME").unwrap_or_else(|_| "seatkeeper".into()), uuid::Uuid::new_v4());
    let apiserver = Arc::new(Apiserver::default());
    let (candidate, leadership) = Candidate::new(client.clone(), lease, me.clone(), Arc::clone(&apiserver));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, "seatkeeper starts");

    let shutdown = CancellationToken::new();
    let led = leadership.clone();
    let context = Arc::new(Context::new(Parts {
        client: client.clone(),
        vendors,
        settings: args.settings(),
        metrics: Arc::clone(&metrics),
        leadership,
        apiserver,
        writer: me,
        installation,
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

/// Waits for the CRD, takes part in the election and runs the controller until it is asked to stop.
async fn work(context: &Arc<Context>, mut candidate: Candidate, waiting: &watch::Sender<Waiting>) {
    let shutdown = &context.shutdown;
    tokio::select! {
        () = context.crd_seen() => {}
        () = shutdown.cancelled() => return,
    }
    let waits = |start: Option<String>| {
        if start.is_none() {
            tracing::info!("watching LicenseSeats");
        }
        waiting.send_modify(|waiting| waiting.start = start);
    };
    // The lease is kept while running passes finish, and given back when none is left.
    let idle = CancellationToken::new();
    let electing = async {
        candidate.run(&idle, |trouble| waiting.send_modify(|waiting| waiting.lease = trouble)).await;
        candidate.release().await;
    };
    let controlling = async {
        controller::run(Arc::clone(context), shutdown.clone(), waits).await;
        idle.cancel();
    };
    tokio::join!(electing, controlling);
}

/// Ends once a signal has come and the grace period after it has passed.
async fn end(shutdown: &CancellationToken, grace: Duration) -> Result<(), Fatal> {
    let signal = stop_signal().await.map_err(Fatal::Signals)?;
    tracing::info!(signal, "stopping: requests in flight finish or are left for the next start");
    shutdown.cancel();
    tokio::time::sleep(grace).await;
    tracing::warn!("not finished within the grace period; open intents are judged at the next start");
    Ok(())
}

/// Listens at the address. Where the kernel has no IPv6, every address of both kinds is every address of IPv4: the chart asks for both.
async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && lacks_ipv6(&error) => {
            let other = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            tracing::info!("this node has no IPv6: listening at {other} instead of {address}");
            TcpListener::bind(other).await
        }
        bound => bound,
    }
}

/// Linux says so by EAFNOSUPPORT (97), or by EADDRNOTAVAIL (99) where IPv6 is switched off for the namespace of the pod.
fn lacks_ipv6(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(97 | 99))
}

/// How the cluster is reached.
async fn config() -> Result<Config, Fatal> {
    let mut config = without_proxy_of_environment(Config::infer().await?);
    // A retried intent could land after its send deadline (purchase protocol).
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    Ok(config)
}

/// A proxy of the environment is for other programs. A proxy of the kubeconfig is for this one.
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn every_address_of_both_kinds_is_reached_by_ipv4() {
        let listener = listen("[::]:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        listener.accept().await.unwrap();
    }

    #[tokio::test]
    async fn wildcard_listener_is_reached_by_ipv6() {
        // A kernel without IPv6 has no such address to bind either.
        if TcpListener::bind("[::1]:0").await.is_err() {
            return;
        }
        let listener = listen("[::]:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        listener.accept().await.unwrap();
    }

    #[tokio::test]
    async fn address_that_cannot_be_had_is_not_replaced_by_another() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let error = listen(taken.local_addr().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        // Of another machine (RFC 3849).
        assert!(listen("[2001:db8::1]:0".parse().unwrap()).await.is_err());
    }

    #[test]
    fn error_of_kernel_without_ipv6_is_recognized() {
        for (code, lacks) in [(97, true), (99, true), (98, false), (13, false)] {
            assert_eq!(lacks_ipv6(&std::io::Error::from_raw_os_error(code)), lacks, "{code}");
        }
    }
}
