//! `/livez`, `/readyz` and `/metrics`, over plain HTTP for the kubelet and Prometheus.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Whether the operator is ready: `Err` is a sentence that says what it waits for.
pub type Readiness = watch::Receiver<Result<(), String>>;

/// Serves until `shutdown`.
///
/// # Errors
/// When the listener fails, which ends the process.
pub async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get("ok\n"))
        .route(
            "/readyz",
            get(async |State(readiness): State<Readiness>| ready(&readiness)).with_state(readiness),
        )
        .route(
            "/metrics",
            get(async |State(metrics): State<Arc<Metrics>>| print(&metrics)).with_state(metrics),
        );
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

fn ready(readiness: &Readiness) -> (StatusCode, String) {
    match &*readiness.borrow() {
        Ok(()) => (StatusCode::OK, "ok\n".into()),
        Err(waiting) => (StatusCode::SERVICE_UNAVAILABLE, format!("{waiting}\n")),
    }
}

fn print(metrics: &Metrics) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match metrics.print() {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
