//! What is measured of single objects. Each series carries namespace, name, vendor and product, and goes with the object.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::changes::{ChangeResult, DIRECTIONS, Direction};
use crate::api::LicenseSeatsStatus;
use crate::domain::kind;

/// The object of the series.
#[derive(Clone, Debug, Default, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ObjectLabels {
    namespace: String,
    name: String,
    /// Kind of vendor; empty where no valid spec names one.
    vendor: String,
    /// As `status.effective.product` has it; empty where no valid spec names one.
    product: String,
}

/// A condition that an object has.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConditionLabels {
    #[prometheus(flatten)]
    object: ObjectLabels,
    r#type: String,
    status: String,
    reason: String,
}

/// A change that waits.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PendingLabels {
    #[prometheus(flatten)]
    object: ObjectLabels,
    reason: String,
}

/// Changes of one kind.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ChangeLabels {
    #[prometheus(flatten)]
    object: ObjectLabels,
    direction: &'static str,
    result: &'static str,
}

/// What is shown of an object.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its status.
    pub status: &'a LicenseSeatsStatus,
    /// When the vendor was last read for it.
    pub observed: Option<Timestamp>,
    /// The numbers are too old to rely on, and are not shown.
    pub outdated: bool,
}

/// A number of an object.
struct Number {
    family: Family<ObjectLabels, Gauge>,
    of: fn(&Shown<'_>) -> Option<i64>,
}

/// The series that an object has.
#[derive(Default)]
struct Series {
    labels: ObjectLabels,
    conditions: Vec<ConditionLabels>,
    pending: Option<PendingLabels>,
}

/// All series of objects.
pub(super) struct Objects {
    numbers: Vec<Number>,
    conditions: Family<ConditionLabels, Gauge>,
    pending: Family<PendingLabels, Gauge>,
    changes: Family<ChangeLabels, Counter>,
    known: Mutex<HashMap<(String, String), Series>>,
}

/// Names, descriptions and sources of the numbers. Of these, the ones that begin with `seats` vanish when they are out of date.
type NumberGauge = (&'static str, &'static str, fn(&Shown<'_>) -> Option<i64>);

const NUMBERS: [NumberGauge; 9] = [
    ("seats_desired", "Purchased seats that the object asks for", |s| s.seats(|status| status.desired)),
    ("seats_purchased", "Purchased seats at the vendor", |s| s.seats(|status| status.seats)),
    ("seats_used", "Seats in use (a lower bound where status.usedIsLowerBound)", |s| s.seats(|status| status.used)),
    ("seats_free", "Purchased seats that are not in use; negative where more are in use", |s| {
        s.seats(|status| status.free)
    }),
    ("seats_limit", "Up to how many seats the vendor may buy by itself", |s| s.seats(|status| status.limit)),
    ("seats_billed", "Seats that the vendor bills, while they differ from the purchased seats", |s| {
        s.seats(|status| status.billed)
    }),
    ("license_expiry_timestamp_seconds", "When the license ends, in Unix time", |s| {
        Some(s.status.license.as_ref()?.expires_at.as_ref()?.0.as_second())
    }),
    ("last_observation_timestamp_seconds", "When the vendor was last read for the object, in Unix time", |s| {
        let recorded = || s.status.last_observed_at.as_ref().map(|time| time.0);
        s.observed.or_else(recorded).map(Timestamp::as_second)
    }),
    ("next_window_timestamp_seconds", "When the window opens that the change waits for, in Unix time", |s| {
        // What only a person ends is not waited for.
        let next = s.status.next_window.as_ref().filter(|window| !window.held)?;
        Some(next.opens_at.0.as_second())
    }),
];

impl Shown<'_> {
    fn seats(&self, number: fn(&LicenseSeatsStatus) -> Option<i32>) -> Option<i64> {
        number(self.status).filter(|_| !self.outdated).map(i64::from)
    }
}

impl Objects {
    pub fn register(registry: &mut Registry) -> Self {
        let numbers = NUMBERS.map(|(name, help, of)| {
            let family = Family::default();
            registry.register(name, help, Family::clone(&family));
            Number { family, of }
        });
        let (conditions, pending, changes) = (Family::default(), Family::default(), Family::default());
        registry.register("condition", "1 for each condition that the object has", Family::clone(&conditions));
        let help = "1 while a change waits, by the reason of the condition ChangePending";
        registry.register("pending_change", help, Family::clone(&pending));
        let help = "Changes by this process, by direction (increase, decrease, limit) and result (made, refused)";
        registry.register("changes", help, Family::clone(&changes));
        Self { numbers: numbers.into(), conditions, pending, changes, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<(String, String), Series>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows an object as it is now.
    pub fn show(&self, key: (&str, &str), shown: &Shown<'_>) {
        let labels = labels(key, shown.status);
        let mut known = self.known();
        let series = known.entry((key.0.to_owned(), key.1.to_owned())).or_default();
        if series.labels != labels {
            self.remove(series);
            series.labels = labels.clone();
            self.count_from_zero(&labels);
        }
        for Number { family, of } in &self.numbers {
            match of(shown) {
                Some(n) => drop(family.get_or_create(&labels).set(n)),
                None => drop(family.remove(&labels)),
            }
        }
        let conditions = conditions(&labels, shown.status);
        for gone in series.conditions.iter().filter(|before| !conditions.contains(before)) {
            self.conditions.remove(gone);
        }
        for condition in &conditions {
            self.conditions.get_or_create(condition).set(1);
        }
        let pending = pending(&labels, shown.status);
        if let Some(gone) = series.pending.as_ref().filter(|before| pending.as_ref() != Some(before)) {
            self.pending.remove(gone);
        }
        if let Some(pending) = &pending {
            self.pending.get_or_create(pending).set(1);
        }
        (series.conditions, series.pending) = (conditions, pending);
    }

    /// Counts a change of an object that is shown.
    pub fn changed(&self, key: (&str, &str), direction: Direction, outcome: ChangeResult) {
        let known = self.known();
        if let Some(series) = known.get(&(key.0.to_owned(), key.1.to_owned())) {
            self.changes.get_or_create(&change(&series.labels, direction, outcome)).inc();
        }
    }

    /// The first change must be an increase of a counter that was there before.
    fn count_from_zero(&self, labels: &ObjectLabels) {
        for direction in DIRECTIONS {
            for outcome in [ChangeResult::Made, ChangeResult::Refused] {
                drop(self.changes.get_or_create(&change(labels, direction, outcome)));
            }
        }
    }

    /// Removes the series of an object.
    pub fn forget(&self, key: (&str, &str)) {
        if let Some(series) = self.known().remove(&(key.0.to_owned(), key.1.to_owned())) {
            self.remove(&series);
        }
    }

    /// Removes the series of all objects.
    pub fn forget_all(&self) {
        let mut known = self.known();
        known.values().for_each(|series| self.remove(series));
        known.clear();
    }

    fn remove(&self, series: &Series) {
        for Number { family, .. } in &self.numbers {
            family.remove(&series.labels);
        }
        for condition in &series.conditions {
            self.conditions.remove(condition);
        }
        if let Some(pending) = &series.pending {
            self.pending.remove(pending);
        }
        for direction in DIRECTIONS {
            for outcome in [ChangeResult::Made, ChangeResult::Refused] {
                self.changes.remove(&change(&series.labels, direction, outcome));
            }
        }
    }
}

fn labels((namespace, name): (&str, &str), status: &LicenseSeatsStatus) -> ObjectLabels {
    let vendor = status.account.as_ref().map(|account| account.vendor.clone());
    let product = status.effective.as_ref().and_then(|effective| effective.product.clone());
    ObjectLabels {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        vendor: vendor.unwrap_or_default(),
        product: product.unwrap_or_default(),
    }
}

fn conditions(labels: &ObjectLabels, status: &LicenseSeatsStatus) -> Vec<ConditionLabels> {
    let of = |condition: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| ConditionLabels {
        object: labels.clone(),
        r#type: condition.type_.clone(),
        status: condition.status.clone(),
        reason: condition.reason.clone(),
    };
    status.conditions.iter().map(of).collect()
}

fn pending(labels: &ObjectLabels, status: &LicenseSeatsStatus) -> Option<PendingLabels> {
    let waits = |condition: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        condition.type_ == kind::CHANGE_PENDING && condition.status == "True"
    };
    let reason = status.conditions.iter().find(waits)?.reason.clone();
    Some(PendingLabels { object: labels.clone(), reason })
}

fn change(labels: &ObjectLabels, direction: Direction, outcome: ChangeResult) -> ChangeLabels {
    ChangeLabels { object: labels.clone(), direction: direction.label(), result: outcome.label() }
}
