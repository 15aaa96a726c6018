//! `seatkeeper check`: asks the apiserver what this ServiceAccount may do and which CRD there is, and each replica whether it is ready.
//! It reads no Secret and no object, writes nothing, and touches no vendor. Called by `main`; the chart's `helm test` runs it.

use std::net::SocketAddr;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};

use tokio::time::{Instant, sleep};

use super::config;
use super::crd_check::{look_once, serves_approvals};
use crate::api::parse_duration;

/// The longest time for one request.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause before failed checks are repeated.
const PAUSE: Duration = Duration::from_secs(1);

/// A kind of resource, and the verbs that the operator needs on it.
#[derive(Debug, PartialEq, Eq)]
pub struct Right {
    /// The API group.
    pub group: &'static str,
    /// The resource, with its subresource if it is one.
    pub resource: &'static str,
    /// The verbs.
    pub verbs: &'static [&'static str],
}

/// The rights that the operator needs in each namespace that it manages. Tests compare them with the chart's Role.
pub const RIGHTS: [Right; 5] = [
    Right { group: "seatkeeper.dev", resource: "licenseseats", verbs: &["get", "list", "watch"] },
    Right { group: "seatkeeper.dev", resource: "seatapprovals", verbs: &["get", "list", "watch"] },
    Right { group: "seatkeeper.dev", resource: "licenseseats/status", verbs: &["patch"] },
    Right { group: "", resource: "secrets", verbs: &["get"] },
    Right { group: "events.k8s.io", resource: "events", verbs: &["create", "patch"] },
];

/// The rights that it needs in the namespace of its Lease.
pub const LEASE_RIGHT: Right =
    Right { group: "coordination.k8s.io", resource: "leases", verbs: &["get", "create", "update"] };

/// Settings of `seatkeeper check`.
#[derive(Debug, clap::Args)]
pub struct Check {
    /// A namespace that the operator manages; may be repeated or comma-separated [default: all]
    #[arg(long = "namespace", value_delimiter = ',', value_name = "NAME")]
    namespaces: Vec<String>,

    /// A Secret that the operator must be allowed to get; may be repeated or comma-separated [default: every Secret]
    #[arg(long = "secret-name", value_delimiter = ',', value_name = "NAME")]
    secret_names: Vec<String>,

    /// Namespace of the leader election Lease [default: the namespace of this ServiceAccount]
    #[arg(long, value_name = "NAME")]
    lease_namespace: Option<String>,

    /// Host and port of the operator's /readyz. Each address of the host gets a request [default: none]
    #[arg(long, value_parser = host_and_port, value_name = "HOST:PORT")]
    operator: Option<String>,

    /// How long to repeat failed checks, such as right after an installation
    #[arg(long, default_value = "0s", value_parser = duration, value_name = "DURATION")]
    within: Duration,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

fn host_and_port(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(1..) => Ok(text.to_owned()),
        _ => Err("must be a host and a port, such as seatkeeper:8080".into()),
    }
}

/// The findings, each as a sentence: in order, or not.
pub type Findings = Vec<Result<String, String>>;

/// Repeats all checks until everything is in order or the time has passed, and returns the last findings.
pub async fn check(args: &Check) -> Findings {
    let end = Instant::now() + args.within;
    loop {
        let findings = ask_all(args).await;
        if findings.iter().all(Result::is_ok) || Instant::now() >= end {
            return findings;
        }
        sleep(PAUSE).await;
    }
}

/// Makes all checks, and goes on after a failed one.
async fn ask_all(args: &Check) -> Findings {
    let mut findings = Vec::new();
    match cluster().await {
        Ok((client, own)) => {
            findings.extend(rights(&client, args, &own).await);
            findings.push(crd(&client).await);
        }
        Err(trouble) => findings.push(Err(trouble)),
    }
    if let Some(operator) = &args.operator {
        findings.extend(replicas(operator).await);
    }
    findings
}

/// The apiserver, and the own namespace.
async fn cluster() -> Result<(Client, String), String> {
    let mut config = config().await.map_err(|error| error.to_string())?;
    config.read_timeout = Some(PATIENCE);
    let own = config.default_namespace.clone();
    Ok((Client::try_from(config).map_err(|error| format!("Kubernetes client: {error}"))?, own))
}

/// One sentence if all rights are there, otherwise one for each missing right.
async fn rights(client: &Client, args: &Check, own: &str) -> Findings {
    let mut needed = Vec::new();
    let everywhere = [String::new()];
    let namespaces = if args.namespaces.is_empty() { &everywhere[..] } else { &args.namespaces };
    for namespace in namespaces {
        for right in &RIGHTS {
            let named = right.resource == "secrets" && !args.secret_names.is_empty();
            let names = if named { &args.secret_names[..] } else { &everywhere[..] };
            needed.extend(names.iter().flat_map(|name| attributes(right, namespace, name)));
        }
    }
    let lease = args.lease_namespace.as_deref().unwrap_or(own);
    needed.extend(attributes(&LEASE_RIGHT, lease, ""));
    let count = needed.len();
    let mut missing = Vec::new();
    for attributes in needed {
        missing.extend(ask(client, attributes).await.err().map(Err));
    }
    if missing.is_empty() {
        missing.push(Ok(format!("this ServiceAccount has all {count} rights that the operator needs")));
    }
    missing
}

/// One question for each verb. No namespace: all of them. No name: every name.
fn attributes(right: &Right, namespace: &str, name: &str) -> Vec<ResourceAttributes> {
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((right.resource, ""));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let of = |verb: &&str| ResourceAttributes {
        group: some(right.group),
        resource: some(resource),
        subresource: some(subresource),
        verb: some(verb),
        namespace: some(namespace),
        name: some(name),
        ..ResourceAttributes::default()
    };
    right.verbs.iter().map(of).collect()
}

async fn ask(client: &Client, attributes: ResourceAttributes) -> Result<(), String> {
    let right = describe(&attributes);
    let spec =
        SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..SelfSubjectAccessReviewSpec::default() };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    match Api::all(client.clone()).create(&PostParams::default(), &review).await {
        Ok(answer) if answer.status.as_ref().is_some_and(|status| status.allowed) => Ok(()),
        Ok(_) => Err(format!(
            "this ServiceAccount may not {right}: set rbac.create=true in the chart, or bind a role with this rule"
        )),
        Err(error) => Err(format!("the apiserver does not say whether this ServiceAccount may {right}: {error}")),
    }
}

/// `patch licenseseats/status.seatkeeper.dev in the namespace it`.
fn describe(attributes: &ResourceAttributes) -> String {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let mut words = format!("{} {}", text(&attributes.verb), text(&attributes.resource));
    for (mark, part) in [("/", &attributes.subresource), (".", &attributes.group), (" ", &attributes.name)] {
        if let Some(part) = part {
            words += &format!("{mark}{part}");
        }
    }
    match &attributes.namespace {
        Some(namespace) => format!("{words} in the namespace {namespace}"),
        None => format!("{words} in all namespaces"),
    }
}

async fn crd(client: &Client) -> Result<String, String> {
    if let Some(trouble) = look_once(client).await?.trouble() {
        return Err(trouble);
    }
    match serves_approvals(client).await? {
        true => Ok("the CRD has every field of this operator".into()),
        false => {
            Err("the CRD seatapprovals.seatkeeper.dev is not installed, so no change can be approved: install it with \
             `seatkeeper crd | kubectl apply --server-side -f -`"
                .into())
        }
    }
}

/// Checks each replica: the host has an address for each.
async fn replicas(operator: &str) -> Findings {
    let mut addresses: Vec<SocketAddr> = match tokio::net::lookup_host(operator).await {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            return vec![Err(format!(
                "{operator} has no address: no pod of the operator runs, or DNS does not answer ({error}). Check the pods"
            ))];
        }
    };
    addresses.sort();
    addresses.dedup();
    let client = match reqwest::Client::builder().no_proxy().timeout(PATIENCE).build() {
        Ok(client) => client,
        Err(error) => return vec![Err(format!("HTTP client: {error}"))],
    };
    let mut findings = Vec::new();
    for address in addresses {
        findings.push(replica(&client, address).await);
    }
    findings
}

async fn replica(client: &reqwest::Client, address: SocketAddr) -> Result<String, String> {
    let silent =
        |error: reqwest::Error| format!("the replica at {address} does not answer ({}). Check its log", cause(&error));
    let answer = client.get(format!("http://{address}/readyz")).send().await.map_err(silent)?;
    let ready = answer.status() == reqwest::StatusCode::OK;
    let body = answer.text().await.map_err(silent)?;
    if ready {
        Ok(format!("the replica at {address} is ready"))
    } else {
        Err(format!("the replica at {address} is not ready: {}", body.trim_end()))
    }
}

/// The innermost cause: those around it repeat that a request was sent.
fn cause(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operator_is_a_host_and_a_port() {
        for good in ["seatkeeper:8080", "[::1]:8080", "10.0.0.1:65535"] {
            assert_eq!(host_and_port(good).as_deref(), Ok(good));
        }
        for bad in ["", "seatkeeper", ":8080", "seatkeeper:", "seatkeeper:0", "seatkeeper:65536", "seatkeeper:http"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn right_is_described_by_verb_resource_name_and_namespace() {
        let describe = |right, namespace, name| {
            attributes(right, namespace, name).iter().map(describe).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(describe(&RIGHTS[2], "it", ""), "patch licenseseats/status.seatkeeper.dev in the namespace it");
        assert_eq!(describe(&RIGHTS[3], "", ""), "get secrets in all namespaces");
        assert_eq!(describe(&RIGHTS[3], "it", "key"), "get secrets key in the namespace it");
        assert_eq!(describe(&LEASE_RIGHT, "it", "").matches("leases.coordination.k8s.io").count(), 3);
    }
}
