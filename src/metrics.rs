//! What is counted, and how it is printed for Prometheus. Labels come from small fixed sets, or name an object.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::api::LicenseSeatsStatus;
use crate::vendors::RequestMetrics;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PassLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ObjectLabels {
    namespace: String,
    name: String,
}

/// All metrics of the operator.
pub struct Metrics {
    registry: Registry,
    /// Of single objects: what was seen of them while leading.
    objects: Registry,
    passes: Family<PassLabels, Counter>,
    durations: Histogram,
    requests: RequestMetrics,
    gauges: [(Family<ObjectLabels, Gauge>, Number); 4],
}

type Number = fn(&LicenseSeatsStatus) -> Option<i32>;

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("seatkeeper");
        let mut objects = Registry::with_prefix("seatkeeper");
        let (passes, requests) = (Family::default(), RequestMetrics::default());
        registry.register("reconciles", "Passes over objects, by what was found", Family::clone(&passes));
        // From a pass that only looks to one that waits for a slow vendor until its time is over.
        let durations = Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]);
        let help = "Seconds from the beginning of a pass over an object to its end";
        registry.register("reconcile_duration_seconds", help, durations.clone());
        let help = "Requests to vendors, by vendor, operation and outcome";
        registry.register("vendor_requests", help, requests.counted.clone());
        let help = "Seconds from a request to a vendor to its answer, or to the end of waiting for one";
        registry.register("vendor_request_duration_seconds", help, requests.seconds.clone());
        let info = Family::<BuildInfo, Gauge>::default();
        info.get_or_create(&BuildInfo { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "Version of the operator", info);
        let gauges: [(&str, &str, Number); 4] = [
            ("seats_desired", "Purchased seats that the object asks for", |status| status.desired),
            ("seats_purchased", "Purchased seats at the vendor", |status| status.seats),
            ("seats_used", "Seats in use (a lower bound where status.usedIsLowerBound)", |status| status.used),
            ("seats_limit", "Up to how many seats the vendor may buy by itself", |status| status.limit),
        ];
        let gauges = gauges.map(|(name, help, number)| {
            let family = Family::<ObjectLabels, Gauge>::default();
            objects.register(name, help, family.clone());
            (family, number)
        });
        Self { registry, objects, passes, durations, requests, gauges }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BuildInfo {
    version: &'static str,
}

impl Metrics {
    /// What vendor clients measure of their requests.
    pub fn requests(&self) -> RequestMetrics {
        self.requests.clone()
    }

    /// Counts a pass.
    pub fn pass(&self, outcome: &'static str) {
        self.passes.get_or_create(&PassLabels { outcome }).inc();
    }

    /// Notes how long a pass took, waiting included.
    pub fn pass_took(&self, duration: Duration) {
        self.durations.observe(duration.as_secs_f64());
    }

    /// Shows an object's numbers; a number that is not known has no series.
    pub fn object(&self, namespace: &str, name: &str, status: &LicenseSeatsStatus) {
        let object = ObjectLabels { namespace: namespace.to_owned(), name: name.to_owned() };
        for (family, number) in &self.gauges {
            match number(status) {
                Some(n) => drop(family.get_or_create(&object).set(n.into())),
                None => drop(family.remove(&object)),
            }
        }
    }

    /// Removes an object's numbers.
    pub fn forget(&self, namespace: &str, name: &str) {
        let object = ObjectLabels { namespace: namespace.to_owned(), name: name.to_owned() };
        for (family, _) in &self.gauges {
            family.remove(&object);
        }
    }

    /// Removes the numbers of all objects.
    pub fn forget_all(&self) {
        for (family, _) in &self.gauges {
            family.clear();
        }
    }

    /// Everything, in the OpenMetrics text format. Numbers of objects are told only by who leads: those of a former leader
    /// are out of date, and would be counted twice.
    ///
    /// # Errors
    /// Never in practice: writing into a string does not fail.
    pub fn print(&self, leading: bool) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode_registry(&mut text, &self.registry)?;
        if leading {
            text::encode_registry(&mut text, &self.objects)?;
        }
        text::encode_eof(&mut text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::{RequestLabels, VendorLabel};

    #[test]
    fn readme_lists_every_metric() {
        let metrics = Metrics::default();
        // What was never counted is not printed.
        metrics.pass("in_sync");
        metrics.requests().counted.get_or_create(&RequestLabels { vendor: "v", operation: "o", outcome: "ok" }).inc();
        metrics.requests().seconds.get_or_create(&VendorLabel { vendor: "v" }).observe(0.1);
        let (one, rest) = (Some(1), LicenseSeatsStatus::default());
        metrics.object("n", "o", &LicenseSeatsStatus { desired: one, seats: one, used: one, limit: one, ..rest });
        let printed = metrics.print(true).unwrap();
        let described = printed.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let names: Vec<String> = described
            .map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
            .collect();
        assert_eq!(names.len(), 9, "{printed}");
        let readme = include_str!("../README.md");
        for name in names {
            assert!(readme.contains(&format!("`{name}`")), "README.md does not list {name}");
        }
    }
}
