//! Logs: text for people, JSON for machines, both on stderr.

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The Kubernetes client logs answers that it cannot read, a Secret whole, and makes request spans that name Secrets.
/// Its watches warn of each refusal, in Rust's words; the operator logs these in its own words.
fn harmless(metadata: &Metadata<'_>) -> bool {
    let from = |module: &str| metadata.target().starts_with(module);
    let answers = from("kube_client::client") && *metadata.level() != Level::ERROR;
    let refusals = from("kube_runtime::watcher") && *metadata.level() == Level::WARN;
    !answers && !refusals
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::Arc;

    #[test]
    fn log_omits_refused_watch_that_operator_reports_and_keeps_client_errors() {
        let (mut written, writer) = std::io::pipe().expect("a pipe");
        let layer = tracing_subscriber::fmt::layer().with_writer(Arc::new(writer));
        let logs = tracing_subscriber::registry().with(layer).with(filter_fn(harmless));
        tracing::subscriber::with_default(logs, || {
            tracing::warn!(target: "kube_runtime::watcher", "watch initlist error with 403: Api(Status {{ .. }})");
            tracing::warn!(target: "kube_client::client::builder", "an answer");
            tracing::error!(target: "kube_client::client::builder", "no TLS");
            tracing::error!(target: "kube_runtime::watcher", "no watch");
            tracing::warn!(target: "seatkeeper::controller", "our own");
        });
        let mut log = String::new();
        written.read_to_string(&mut log).expect("text");
        let told = ["initlist", "an answer", "no TLS", "no watch", "our own"].map(|words| log.contains(words));
        assert_eq!(told, [false, false, true, true, true], "{log}");
    }
}
