//! `/livez`, `/readyz` and `/metrics`, over plain HTTP for the kubelet and Prometheus.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::controller::Leadership;
use crate::metrics::{Format, Metrics};

/// The waits of the operator before it is ready, each a sentence for people. A follower that waits for its turn is ready.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// The apiserver, the CRD, or a newer one.
    pub crd: Option<String>,
    /// The first list.
    pub start: Option<String>,
    /// The right to use the Lease.
    pub lease: Option<String>,
}

/// Reports what the operator waits for.
pub type Readiness = watch::Receiver<Waiting>;

/// Serves until `shutdown`.
///
/// # Errors
/// When the listener fails, which ends the process.
pub async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    leadership: Leadership,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get("ok\n"))
        .route("/readyz", get(async |State(readiness): State<Readiness>| ready(&readiness)).with_state(readiness))
        .route("/metrics", get(async move |headers: HeaderMap| print(&metrics, leadership.is_current(), &headers)));
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

fn ready(readiness: &Readiness) -> (StatusCode, String) {
    let waiting = readiness.borrow();
    match [&waiting.crd, &waiting.start, &waiting.lease].into_iter().find_map(Option::as_ref) {
        None => (StatusCode::OK, "ok\n".into()),
        Some(sentence) => (StatusCode::SERVICE_UNAVAILABLE, format!("{sentence}\n")),
    }
}

fn print(metrics: &Metrics, leading: bool, headers: &HeaderMap) -> Response {
    let format = Format::asked(headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()));
    match metrics.print(leading, format) {
        Ok(text) => ([(header::CONTENT_TYPE, format.content_type())], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
