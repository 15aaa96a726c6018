//! Logs: text for people, JSON for machines, both on stderr.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The Kubernetes client logs answers that it cannot read, a Secret whole, and makes request spans that name Secrets.
fn harmless(metadata: &Metadata<'_>) -> bool {
    !metadata.target().starts_with("kube_client::client") || *metadata.level() == Level::ERROR
}

/// Starts logging. `RUST_LOG` sets what is logged, `info` unless set; whatever it says, the Kubernetes client's requests
/// and answers are kept out.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs = match format {
        LogFormat::Text => {
            logs.with_target(false).with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed()
        }
        LogFormat::Json => logs.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(logs).with(filter).with(filter_fn(harmless)).init();
}
