//! The flags of `seatkeeper run`, and the checks of their values.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use secrecy::SecretString;

use crate::api::{NO_CLUSTER, parse_duration};
use crate::calendar::database_version;
use crate::controller::{LeaseSettings, Settings};
use crate::domain::{Ceilings, LONGEST_INTERVAL, LONGEST_LEASE, Timing, is_cluster_name};
use crate::telemetry::LogFormat;
use crate::vendors::{AllowedHosts, BitwardenSettings, HttpSettings, InvalidRoute, Route};

/// It is never an argument, because a list of processes shows arguments.
const PROXY_CREDENTIALS: &str = "SEATKEEPER_VENDOR_PROXY_CREDENTIALS";

/// No flag needs more than a year, and a clock may be unable to hold a moment that is further away.
const LONGEST_DURATION: Duration = Duration::from_secs(365 * 24 * 3600);

fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(duration) if duration > LONGEST_DURATION => Err("is longer than a year: write a shorter duration".into()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

/// What `--version` prints after the name: the version, and the release of the time zones that are compiled in.
pub fn version() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| format!("{} (time zones: tzdata {})", env!("CARGO_PKG_VERSION"), database_version()));
    &TEXT
}

/// As Bitwarden parses it: at least two numbers, and nothing but numbers (docs/vendors/bitwarden.md,
/// "The personal key").
fn client_version(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('.').collect();
    let numbers = parts.iter().all(|part| (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    if numbers && (2..=4).contains(&parts.len()) {
        Ok(text.to_owned())
    } else {
        Err("is not a version of two to four numbers, such as 2026.8.0".into())
    }
}

/// A namespace, or nothing, which means all.
fn namespace(text: &str) -> Result<String, String> {
    // Such names are labels as those of clusters are.
    if text.is_empty() || is_cluster_name(text) {
        Ok(text.to_owned())
    } else {
        Err("is no name of a namespace: it has 1 to 63 lower-case letters, digits and dashes, and no blank beside a comma, such as it,hr"
            .into())
    }
}

/// The names that `spec.activeCluster` may have, except for the word that means no cluster.
fn cluster_name(text: &str) -> Result<String, String> {
    if text == NO_CLUSTER {
        Err(format!("must not be {NO_CLUSTER}: spec.activeCluster: {NO_CLUSTER} means that no cluster is active"))
    } else if is_cluster_name(text) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 63 lower-case letters, digits and dashes, with a letter or a digit at each end, such as prod-eu".into())
    }
}

/// Settings of `seatkeeper run`.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Watch only this namespace; may be repeated or comma-separated [default: all]
    #[arg(long = "namespace", env = "SEATKEEPER_NAMESPACE", value_delimiter = ',', value_parser = namespace, value_name = "NAME")]
    namespaces: Vec<String>,

    /// Name of this cluster. Objects with another name in spec.activeCluster are only observed
    #[arg(long, env = "SEATKEEPER_CLUSTER_NAME", value_parser = cluster_name, value_name = "NAME")]
    cluster_name: Option<String>,

    /// Address of /livez, /readyz and /metrics (plain HTTP)
    #[arg(long, env = "SEATKEEPER_LISTEN", default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    pub(super) listen: SocketAddr,

    /// A host, or host:port, that a Secret may name as its server; may be repeated or comma-separated
    #[arg(long = "allowed-host", env = "SEATKEEPER_ALLOWED_HOST", value_delimiter = ',', value_name = "HOST")]
    allowed_hosts: Vec<String>,

    /// A proxy for requests to vendors, and for nothing else: http://HOST:PORT or https://HOST:PORT. Its credentials, as user:password, are in the
    /// environment variable SEATKEEPER_VENDOR_PROXY_CREDENTIALS alone
    #[arg(long, env = "SEATKEEPER_VENDOR_PROXY", value_name = "URL")]
    vendor_proxy: Option<String>,

    /// Vendors to reach without the proxy: hosts, domains and networks as in NO_PROXY, comma-separated
    #[arg(long, env = "SEATKEEPER_VENDOR_NO_PROXY", value_name = "HOSTS")]
    vendor_no_proxy: Option<String>,

    /// A file with CA certificates in PEM form, trusted for vendors beside the public CAs. For a Secret with ca.crt, that alone is trusted
    #[arg(long, env = "SEATKEEPER_VENDOR_CA_BUNDLE", value_name = "FILE")]
    vendor_ca_bundle: Option<PathBuf>,

    /// Format of the log
    #[arg(long, env = "SEATKEEPER_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Most seats, and highest limit, that any object may raise its account to. Seats above it stay [default: no bound]
    #[arg(long, env = "SEATKEEPER_MAX_SEATS", value_parser = clap::value_parser!(i32).range(1..), value_name = "N")]
    max_seats: Option<i32>,

    /// Largest increase of one change of any object [default: no bound]
    #[arg(long, env = "SEATKEEPER_MAX_INCREASE", value_parser = clap::value_parser!(i32).range(1..), value_name = "N")]
    max_increase: Option<i32>,

    /// Shortest interval between two readings of one object. It replaces a shorter spec.interval
    #[arg(long, env = "SEATKEEPER_MIN_INTERVAL", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    min_interval: Duration,

    /// How long late effects of a write may take after the vendor's final answer. Lowering it can buy twice
    #[arg(long, env = "SEATKEEPER_SETTLE_ANSWERED", default_value = "5m", value_parser = duration, value_name = "DURATION")]
    settle_answered: Duration,

    /// How long a write that was never answered may still be running at the vendor. Lowering it can buy twice
    #[arg(long, env = "SEATKEEPER_SETTLE_UNANSWERED", default_value = "30m", value_parser = duration, value_name = "DURATION")]
    settle_unanswered: Duration,

    /// Pause between the two readings that must agree after a settle time
    #[arg(long, env = "SEATKEEPER_SETTLE_PAUSE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    settle_pause: Duration,

    /// Longest time between recording the intent and sending the request. A later request is dropped
    #[arg(long, env = "SEATKEEPER_SEND_DEADLINE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    send_deadline: Duration,

    /// Longest time for a vendor write. Together with --send-deadline it must be below --settle-unanswered
    #[arg(long, env = "SEATKEEPER_WRITE_TIMEOUT", default_value = "120s", value_parser = duration, value_name = "DURATION")]
    write_timeout: Duration,

    /// Longest time for a vendor read
    #[arg(long, env = "SEATKEEPER_READ_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    read_timeout: Duration,

    /// Maximum age of cached roles and subscription data. Each reading of them takes several calls of the vendor
    #[arg(long, env = "SEATKEEPER_ACCOUNT_RECHECK", default_value = "1h", value_parser = duration, value_name = "DURATION")]
    account_recheck: Duration,

    /// Client version reported to Bitwarden. Bitwarden refuses personal keys of old clients
    #[arg(long, env = "SEATKEEPER_BITWARDEN_CLIENT_VERSION", default_value = "2026.8.0", value_parser = client_version, value_name = "VERSION")]
    bitwarden_client_version: String,

    /// How often the operator reads a Secret that an object waits for; after twelve reads, a twelfth as often
    #[arg(long, env = "SEATKEEPER_SECRET_RECHECK", default_value = "5s", value_parser = duration, value_name = "DURATION")]
    secret_recheck: Duration,

    /// How often the operator tries unchanged credentials again after a refusal
    #[arg(long, env = "SEATKEEPER_CREDENTIAL_PROBE", default_value = "15m", value_parser = duration, value_name = "DURATION")]
    credential_probe: Duration,

    /// Number of objects worked on at the same time
    #[arg(long, env = "SEATKEEPER_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "N")]
    concurrency: u16,

    /// Namespace of the leader election Lease [default: the operator's own]
    #[arg(long, env = "SEATKEEPER_LEASE_NAMESPACE", value_name = "NAME")]
    lease_namespace: Option<String>,

    /// Name of the leader election Lease [default: seatkeeper, or seatkeeper- and the first --namespace]
    #[arg(long, env = "SEATKEEPER_LEASE_NAME", value_name = "NAME")]
    lease_name: Option<String>,

    /// How long the Lease must stay unchanged before another replica takes over; at most 10m
    #[arg(long, env = "SEATKEEPER_LEASE_DURATION", default_value = "15s", value_parser = duration, value_name = "DURATION")]
    lease_duration: Duration,

    /// How long after its last renewal a leader still acts; must be below --lease-duration
    #[arg(long, env = "SEATKEEPER_LEASE_RENEW_DEADLINE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    lease_renew_deadline: Duration,

    /// How often a follower reads the Lease; the leader renews it half as often, where --lease-renew-deadline allows
    #[arg(long, env = "SEATKEEPER_LEASE_RETRY", default_value = "1s", value_parser = duration, value_name = "DURATION")]
    lease_retry: Duration,

    /// How long running passes may take to finish after SIGTERM
    #[arg(long, env = "SEATKEEPER_SHUTDOWN_GRACE", default_value = "8s", value_parser = duration, value_name = "DURATION")]
    pub(super) shutdown_grace: Duration,
}

impl Run {
    /// Refuses values that would be unsafe or would never work, by the name of the flag.
    pub(super) fn check(&self) -> Result<(), String> {
        let refuse = |text: &str| Err(text.to_owned());
        // Another replica counts from its first reading of the intent. The request may leave later than that, and end still later.
        if self.send_deadline.saturating_add(self.write_timeout) >= self.settle_unanswered {
            return refuse(
                "--send-deadline and --write-timeout together must be below --settle-unanswered: a request could outlive its \
                 settle time",
            );
        }
        // A replica with other flags, as during their change, waits no longer than that for a leader that is silent.
        if self.lease_duration > LONGEST_LEASE {
            return refuse("--lease-duration must not be above 10m: two replicas could lead at once");
        }
        if self.lease_renew_deadline >= self.lease_duration {
            return refuse("--lease-renew-deadline must be below --lease-duration: two replicas could lead at once");
        }
        if self.lease_retry >= self.lease_renew_deadline {
            return refuse("--lease-retry must be below --lease-renew-deadline: a healthy leader would lose its lease");
        }
        if self.min_interval > LONGEST_INTERVAL {
            return refuse("--min-interval must be at most 24h, as spec.interval is");
        }
        let nonzero = [
            ("--lease-retry", self.lease_retry),
            ("--min-interval", self.min_interval),
            ("--write-timeout", self.write_timeout),
            ("--read-timeout", self.read_timeout),
            ("--send-deadline", self.send_deadline),
            ("--secret-recheck", self.secret_recheck),
            ("--credential-probe", self.credential_probe),
            ("--settle-answered", self.settle_answered),
        ];
        match nonzero.iter().find(|(_, duration)| duration.is_zero()) {
            Some((flag, _)) => Err(format!("{flag} must be longer than 0s")),
            None => Ok(()),
        }
    }

    pub(super) fn http(&self) -> HttpSettings {
        HttpSettings {
            connect_timeout: Duration::from_secs(10),
            read_timeout: self.read_timeout,
            write_timeout: self.write_timeout,
            credential_probe: self.credential_probe,
        }
    }

    /// The way to vendors.
    pub(super) fn route(&self) -> Result<Route, String> {
        let mut route = Route::default();
        let except = self.vendor_no_proxy.as_deref().unwrap_or_default();
        let credentials = std::env::var(PROXY_CREDENTIALS).ok().filter(|credentials| !credentials.is_empty());
        let credentials = credentials.map(|credentials| SecretString::from(credentials.trim()));
        match self.vendor_proxy.as_deref().filter(|proxy| !proxy.is_empty()) {
            Some(proxy) => {
                route = route.through(proxy, except, credentials.as_ref()).map_err(|error| match error {
                    InvalidRoute::NoCredentials => format!("{PROXY_CREDENTIALS} {error}"),
                    InvalidRoute::Exception(_) => format!("--vendor-no-proxy {error}"),
                    error => format!("--vendor-proxy {error}"),
                })?;
            }
            None if credentials.is_some() || !except.is_empty() => {
                return Err(format!(
                    "{PROXY_CREDENTIALS} and --vendor-no-proxy mean nothing without --vendor-proxy: give it, or remove them"
                ));
            }
            None => {}
        }
        let Some(file) = self.vendor_ca_bundle.as_ref().filter(|file| !file.as_os_str().is_empty()) else {
            return Ok(route);
        };
        let bundle = std::fs::read(file)
            .map_err(|error| format!("--vendor-ca-bundle {} cannot be read: {error}", file.display()))?;
        route.trusting(&bundle).map_err(|error| format!("--vendor-ca-bundle {} {error}", file.display()))
    }

    pub(super) fn bitwarden(&self) -> BitwardenSettings {
        BitwardenSettings {
            account_recheck: self.account_recheck,
            client_version: self.bitwarden_client_version.as_str().into(),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            namespaces: self.watched(),
            cluster_name: self.cluster_name.clone(),
            min_interval: self.min_interval,
            ceilings: Ceilings { max_seats: self.max_seats, max_increase: self.max_increase },
            timing: Timing {
                answered: self.settle_answered,
                unanswered: self.settle_unanswered,
                pause: self.settle_pause,
                secret_recheck: self.secret_recheck,
            },
            send_deadline: self.send_deadline,
            credential_probe: self.credential_probe,
            concurrency: self.concurrency,
        }
    }

    /// The namespaces to watch, each once; none: all.
    fn watched(&self) -> Vec<String> {
        let mut watched: Vec<String> = Vec::new();
        for namespace in self.namespaces.iter().filter(|namespace| !namespace.is_empty()) {
            if !watched.contains(namespace) {
                watched.push(namespace.clone());
            }
        }
        watched
    }

    /// `own`: the namespace the operator itself runs in.
    pub(super) fn lease(&self, own: &str) -> LeaseSettings {
        // By the first one alone: a namespace that is added behind it leaves the Lease as it is, and two operators that share one
        // namespace do not both lead if it is the first of each.
        let watched = self.watched();
        let default =
            || watched.first().map_or_else(|| "seatkeeper".to_owned(), |namespace| format!("seatkeeper-{namespace}"));
        LeaseSettings {
            namespace: self.lease_namespace.clone().unwrap_or_else(|| own.to_owned()),
            name: self.lease_name.clone().unwrap_or_else(default),
            duration: self.lease_duration,
            renew_deadline: self.lease_renew_deadline,
            retry: self.lease_retry,
        }
    }

    pub(super) fn hosts(&self) -> Result<AllowedHosts, String> {
        AllowedHosts::new(&self.allowed_hosts).map_err(|error| format!("--allowed-host: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn run(flags: &[&str]) -> Result<Run, String> {
        let command = Run::augment_args(clap::Command::new("run"));
        let matches = command.try_get_matches_from(["run"].iter().chain(flags)).map_err(|error| error.to_string())?;
        Run::from_arg_matches(&matches).map_err(|error| error.to_string())
    }

    #[test]
    fn namespaces_are_watched_once_each_and_an_empty_one_means_all() {
        let watched = |flags: &[&str]| run(flags).unwrap().settings().namespaces;
        assert_eq!(watched(&["--namespace=it,hr", "--namespace=it", "--namespace=dev"]), ["it", "hr", "dev"]);
        assert_eq!(watched(&["--namespace="]), Vec::<String>::new());
        assert_eq!(watched(&[]), Vec::<String>::new());
    }

    #[test]
    fn name_that_no_namespace_has_is_refused_by_the_flag() {
        for name in ["It", "it_x", "it, hr", " it", "-it", &"a".repeat(64)] {
            let error = run(&[&format!("--namespace={name}")]).unwrap_err();
            assert!(error.contains("--namespace") && error.contains("is no name of a namespace"), "{name}: {error}");
        }
        assert!(run(&[&format!("--namespace={}", "a".repeat(63))]).is_ok());
    }

    #[test]
    fn duration_of_more_than_a_year_is_refused_by_the_flag() {
        let command = Run::augment_args(clap::Command::new("run"));
        let of_time = command
            .get_arguments()
            .filter(|flag| flag.get_value_names().is_some_and(|names| names.iter().any(|name| name == "DURATION")));
        let flags: Vec<&str> = of_time.filter_map(clap::Arg::get_long).collect();
        assert!(flags.len() > 10, "{flags:?}");
        for flag in flags {
            assert!(run(&[&format!("--{flag}=8760h")]).is_ok(), "{flag}");
            for text in ["8760h1s", "5124095576030431h"] {
                let error = run(&[&format!("--{flag}={text}")]).unwrap_err();
                assert!(error.contains(flag) && error.contains("is longer than a year"), "{flag}: {error}");
            }
        }
    }

    #[test]
    fn lease_has_the_name_of_the_first_namespace_whichever_follow() {
        let name = |flags: &[&str]| run(flags).unwrap().lease("own").name;
        assert_eq!(name(&[]), "seatkeeper");
        assert_eq!(name(&["--namespace=it"]), "seatkeeper-it");
        assert_eq!(name(&["--namespace=it,hr"]), "seatkeeper-it");
        assert_eq!(name(&["--namespace=hr,it"]), "seatkeeper-hr");
        assert_eq!(name(&["--namespace=it,hr", "--lease-name=other"]), "other");
    }

    #[test]
    fn ceilings_are_at_least_one_and_absent_by_default() {
        let ceilings = |flags: &[&str]| run(flags).unwrap().settings().ceilings;
        assert_eq!(ceilings(&[]), Ceilings::default());
        let both = Ceilings { max_seats: Some(1), max_increase: Some(50) };
        assert_eq!(ceilings(&["--max-seats=1", "--max-increase=50"]), both);
        for flag in
            ["--max-seats=0", "--max-increase=0", "--max-seats=-1", "--max-seats=many", "--max-seats=2147483648"]
        {
            let error = run(&[flag]).unwrap_err();
            assert!(error.contains(flag.split('=').next().unwrap()), "{error}");
        }
    }
}
