//! Metrics, and their exposition for Prometheus. Labels come from small fixed sets, or name an object.

mod changes;
mod object;
mod process;
mod text;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use changes::{ChangeResult, Counted, Direction, told};
pub use object::Shown;
pub use text::Format;

use crate::vendors::RequestMetrics;
use changes::{DIRECTIONS, TRIGGERS};
use object::Objects;
use process::OwnProcess;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PassLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DirectionLabel {
    direction: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TriggerLabel {
    trigger: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BuildInfo {
    version: &'static str,
}

/// All metrics of the operator.
pub struct Metrics {
    registry: Registry,
    /// The series of single objects, from what was read while leading.
    of_objects: Registry,
    /// Without the prefix of the operator.
    of_process: Registry,
    objects: Objects,
    passes: Family<PassLabels, Counter>,
    durations: Histogram,
    waits: Histogram,
    requests: RequestMetrics,
    seats_changed: Family<DirectionLabel, Counter>,
    triggers: Family<TriggerLabel, Counter>,
    leader: Gauge,
}

/// The possible outcomes of a pass: what was decided, and why nothing was.
const PASSES: [&str; 17] = [
    "changing",
    "conflict",
    "error",
    "fault",
    "held",
    "in_sync",
    "lacking",
    "needs_review",
    "not_stored",
    "observed",
    "outcome_unknown",
    "rate_limited",
    "planned",
    "rejected",
    "standby",
    "unsupported",
    "waiting",
];

/// Registers the duration of a pass, under its former name too: dashboards and rules of before may have that.
fn durations_of_passes(registry: &mut Registry) -> Histogram {
    // From a pass that only reads to one that waits for a slow vendor until its time limit.
    let durations = Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]);
    let help = "Seconds from the beginning of a pass over an object to its end";
    registry.register("pass_duration_seconds", help, durations.clone());
    let help = "The same as seatkeeper_pass_duration_seconds, under its former name";
    registry.register("reconcile_duration_seconds", help, durations.clone());
    durations
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("seatkeeper");
        let (passes, requests) = (Family::<PassLabels, Counter>::default(), RequestMetrics::default());
        // The first of a kind is an increase only where the counter was there before.
        for outcome in PASSES {
            drop(passes.get_or_create(&PassLabels { outcome }));
        }
        registry.register("reconciles", "Passes over objects, by outcome", Family::clone(&passes));
        let durations = durations_of_passes(&mut registry);
        let help = "Requests to vendors, by vendor, operation and outcome";
        registry.register("vendor_requests", help, requests.counted.clone());
        let help = "Seconds from a request to a vendor to its answer, or to its timeout";
        registry.register("vendor_request_duration_seconds", help, requests.seconds.clone());
        // From a turn that comes at once after all to the longest pause that a vendor may ask for.
        let waits = Histogram::new([0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0]);
        let help = "Seconds that the reading of an object waited for its turn at the vendor's rate limit";
        registry.register("rate_limit_wait_seconds", help, waits.clone());
        let (seats_changed, triggers) = (Family::default(), Family::default());
        for label in DIRECTIONS.iter().filter(|direction| **direction != Direction::Limit) {
            drop(seats_changed.get_or_create(&DirectionLabel { direction: label.label() }));
        }
        for trigger in TRIGGERS {
            drop(triggers.get_or_create(&TriggerLabel { trigger: trigger.word() }));
        }
        let help = "Seats that were bought (increase) or given back (decrease)";
        registry.register("seats_changed", help, Family::clone(&seats_changed));
        let help = "Changes that were made, by the reason for them";
        registry.register("changes_by_trigger", help, Family::clone(&triggers));
        let leader = Gauge::default();
        registry.register("leader", "1 if this replica leads", leader.clone());
        let info = Family::<BuildInfo, Gauge>::default();
        info.get_or_create(&BuildInfo { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build_info", "Version of the operator", info);
        let mut of_objects = Registry::with_prefix("seatkeeper");
        let objects = Objects::register(&mut of_objects);
        let mut of_process = Registry::default();
        of_process.register_collector(Box::new(OwnProcess));
        Self {
            registry,
            of_objects,
            of_process,
            objects,
            passes,
            durations,
            waits,
            requests,
            seats_changed,
            triggers,
            leader,
        }
    }
}

impl Metrics {
    /// What vendor clients measure of their requests.
    pub fn requests(&self) -> RequestMetrics {
        self.requests.clone()
    }

    /// Counts a pass.
    pub fn pass(&self, outcome: &'static str) {
        debug_assert!(PASSES.contains(&outcome), "{outcome} is to be counted from 0 on");
        self.passes.get_or_create(&PassLabels { outcome }).inc();
    }

    /// Notes how long a pass took, waiting included.
    pub fn pass_took(&self, duration: Duration) {
        self.durations.observe(duration.as_secs_f64());
    }

    /// Notes how long a reading waited for its turn.
    pub fn turn_took(&self, duration: Duration) {
        self.waits.observe(duration.as_secs_f64());
    }

    /// Shows an object; what is not known of it has no series. `key`: namespace and name.
    pub fn object(&self, key: (&str, &str), shown: &Shown<'_>) {
        self.objects.show(key, shown);
    }

    /// Counts a change of an object.
    pub fn changed(&self, key: (&str, &str), change: &Counted) {
        let Counted { direction, outcome, seats, trigger } = *change;
        self.objects.changed(key, direction, outcome);
        if outcome == ChangeResult::Made {
            self.triggers.get_or_create(&TriggerLabel { trigger }).inc();
            if seats > 0 {
                self.seats_changed.get_or_create(&DirectionLabel { direction: direction.label() }).inc_by(seats.into());
            }
        }
    }

    /// Removes what is shown of an object.
    pub fn forget(&self, key: (&str, &str)) {
        self.objects.forget(key);
    }

    /// Removes what is shown of all objects.
    pub fn forget_all(&self) {
        self.objects.forget_all();
    }

    /// Everything. Only the leader shows the series of objects: those of a former leader are out of date, and would be
    /// counted twice.
    ///
    /// # Errors
    /// Never in practice: writing into a string does not fail.
    pub fn print(&self, leading: bool, format: Format) -> Result<String, std::fmt::Error> {
        self.leader.set(leading.into());
        let mut registries = vec![&self.registry, &self.of_process];
        if leading {
            registries.push(&self.of_objects);
        }
        text::print(&registries, format)
    }
}

#[cfg(test)]
mod tests;
