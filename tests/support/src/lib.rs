//! The real parts that Seatkeeper's tests, benches and quickstart run on.
//!
//! Nothing here imitates Kubernetes. A [`ControlPlane`] is a private etcd and kube-apiserver on free loopback ports,
//! with RBAC and the audit log on; the operator under test runs as its own process ([`Operator`]) with a token of the
//! ServiceAccount that the chart ships, never as an administrator. Read the modules in this order:
//!
//! * `control_plane` starts, stops and reaches etcd and kube-apiserver; `launch` knows their flags, `pki` makes the
//!   certificates and kubeconfigs; `plane` is the shared one or one's own;
//! * `install` brings the chart and the CRD in, makes namespaces and ServiceAccount tokens;
//! * `chart_values` reads what a chart's `values.yaml` says of its values;
//! * `kubectl` finds the pinned tools and runs kubectl and helm as a person would;
//! * `audit` answers "who did what, how often?" from the apiserver's own record;
//! * `process` runs children in their own groups, and `operator` is such a child with metrics and readiness;
//! * `prometheus` scrapes operators with the chart's rules;
//! * `guardian` makes sure that nothing stays behind, even when a test is killed;
//! * `wait` waits for conditions instead of sleeping; `http` is the little HTTP that loopback needs;
//! * `words` finds what people should not have to read.
//!
//! ```no_run
//! # async fn example() {
//! use seatkeeper_support::{ControlPlane, Operator, needs_control_plane};
//! needs_control_plane!();
//! let cp = ControlPlane::shared().await;
//! let namespace = cp.namespace("first").await;
//! let operator = Operator::start(cp, "target/debug/seatkeeper", &namespace, &["--min-interval", "1s"]).await;
//! operator.wait_ready().await;
//! cp.kubectl_in(&namespace, &["apply", "-f", "-"], "...").await.ok();
//! # }
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a harness reports trouble by failing the test

mod audit;
mod chart_values;
mod control_plane;
mod guardian;
mod http;
mod install;
mod kubectl;
mod launch;
mod operator;
mod pki;
mod plane;
mod process;
mod prometheus;
mod wait;
mod words;

pub use audit::{Audit, AuditEvent, AuditMark};
pub use chart_values::{ChartValue, FLAGS_WITH_OWN_VALUES, chart_values};
pub use control_plane::ControlPlane;
pub use guardian::{clear_scratch, scratch_dir};
pub use http::{HttpReply, http_get, http_get_as};
pub use install::{OPERATOR_USER, SYSTEM_NAMESPACE};
pub use kubectl::{Output, other_kubernetes, tool, workspace_root};
pub use operator::{Operator, is_other_binary, only_for_tests, operator_binary};
pub use plane::Plane;
pub use process::{Process, free_port, process_alive, send_signal};
pub use prometheus::{Prometheus, manifests_of_kind, prometheus_tool, rule_file};
pub use wait::{skip_control_plane, wait_for};
pub use words::{debug_lines, debug_text};
