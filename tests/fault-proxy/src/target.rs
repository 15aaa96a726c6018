//! Finds a request of a reference again in another run, by what it is: numbers alone do not. A poll more or less, and what was
//! meant for a purchase would hit a reading.

use crate::{Hop, Record};

/// One request of a reference: the first, second ... of its method, path and kind. A run in which it does not come has no
/// other request in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    kind: Kind,
    nth: usize,
    /// `None`: whatever its method and path.
    shape: Option<Shape>,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Purchase,
    /// Opens an intent.
    Opening,
    /// Writes an intent in any other way.
    Intent,
    Other,
}

/// What a request looks like, whoever's object or organization it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    hop: Hop,
    method: String,
    path: Vec<String>,
}

impl Kind {
    fn of(record: &Record) -> Self {
        match record {
            _ if record.is_purchase() => Self::Purchase,
            _ if record.opens => Self::Opening,
            _ if record.intent => Self::Intent,
            _ => Self::Other,
        }
    }
}

/// A namespace or an identifier is another one in each run.
const ANY: &str = "*";

/// As long as a written UUID.
const UUID: usize = 36;

impl Shape {
    fn of(record: &Record) -> Self {
        let mut path: Vec<String> = record.path.split('/').map(str::to_owned).collect();
        for nth in 0..path.len() {
            if path[nth].len() == UUID || (nth > 0 && path[nth - 1] == "namespaces") {
                ANY.clone_into(&mut path[nth]);
            }
        }
        Self { hop: record.hop, method: record.method.clone(), path }
    }
}

impl Target {
    /// The request of this number in a reference.
    ///
    /// # Panics
    /// When the reference has no such request.
    #[must_use]
    pub fn of(reference: &[Record], number: usize) -> Self {
        let until = &reference[..number];
        let last = &until[number - 1];
        let target = Self { kind: Kind::of(last), nth: 0, shape: Some(Shape::of(last)) };
        Self { nth: target.count(until), ..target }
    }

    /// The first purchase, however many requests come before it.
    #[must_use]
    pub fn first_purchase() -> Self {
        Self { kind: Kind::Purchase, nth: 1, shape: None }
    }

    /// The first request that opens an intent, however many requests come before it.
    #[must_use]
    pub fn first_intent() -> Self {
        Self { kind: Kind::Opening, nth: 1, shape: None }
    }

    fn is_like(&self, record: &Record) -> bool {
        Kind::of(record) == self.kind && self.shape.as_ref().is_none_or(|shape| *shape == Shape::of(record))
    }

    fn count(&self, records: &[Record]) -> usize {
        records.iter().filter(|record| self.is_like(record)).count()
    }

    /// Whether the newest of these requests is the one.
    pub(crate) fn is_reached(&self, records: &[Record]) -> bool {
        records.last().is_some_and(|last| self.is_like(last)) && self.count(records) == self.nth
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// a: object, s: Secret, v: reading of the seats, m: of members, w: status, o: an intent is opened, i: and goes on,
    /// p: purchase.
    fn run(namespace: &str, letters: &str) -> Vec<Record> {
        let object = format!("/apis/seatkeeper.dev/v1alpha1/namespaces/{namespace}/licenseseats/acme");
        let record = |(index, letter): (usize, char)| {
            let (hop, method, path) = match letter {
                'a' => (Hop::Apiserver, "GET", object.clone()),
                's' => (Hop::Apiserver, "GET", format!("/api/v1/namespaces/{namespace}/secrets/key")),
                'v' => (Hop::Vendor, "GET", "/public/organization/subscription".to_owned()),
                'm' => (Hop::Vendor, "GET", "/public/members".to_owned()),
                'p' => (Hop::Vendor, "PUT", "/public/organization/subscription".to_owned()),
                _ => (Hop::Apiserver, "PATCH", format!("{object}/status")),
            };
            Record {
                number: index + 1,
                hop,
                method: method.to_owned(),
                path,
                intent: ['o', 'i'].contains(&letter),
                opens: letter == 'o',
                patch: String::new(),
                at: Duration::ZERO,
                executed: None,
                over: None,
                answered: None,
            }
        };
        letters.chars().enumerate().map(record).collect()
    }

    /// The number at which an action for request `k` of the reference strikes in another run.
    fn strikes(reference: &str, k: usize, other: &str) -> Option<usize> {
        let (target, other) = (Target::of(&run("one", reference), k), run("two", other));
        (1..=other.len()).find(|number| target.is_reached(&other[..*number]))
    }

    #[test]
    fn in_the_same_run_each_request_is_found_by_its_number() {
        let reference = "asvmasvmwasvmopvwiw";
        for k in 1..=reference.len() {
            assert_eq!(strikes(reference, k, reference), Some(k));
        }
    }

    #[test]
    fn action_for_a_reading_strikes_the_same_reading_however_many_other_requests_come() {
        assert_eq!(strikes("asvmop", 3, "aaasmvop"), Some(6));
        assert_eq!(strikes("asvmop", 4, "asvvvop"), None, "members are not seats");
    }

    #[test]
    fn purchase_and_intent_are_found_by_their_kind() {
        assert_eq!(strikes("asvopv", 5, "asvasvopv"), Some(8));
        assert_eq!(strikes("asvopv", 4, "asvaswvopv"), Some(8), "no other status");
        assert_eq!(strikes("asopvop", 7, "aop"), None, "there is no second purchase");
    }

    #[test]
    fn request_that_never_comes_has_no_other_in_its_place() {
        assert_eq!(strikes("asvop", 5, &"asv".repeat(30)), None);
        assert_eq!(strikes("asvow", 5, &format!("aso{}", "asvi".repeat(30))), None);
    }

    #[test]
    fn first_intent_and_first_purchase_are_found_without_a_reference() {
        let run = run("one", &format!("{}wovpoipw", "asv".repeat(10)));
        let first = |target: Target| (1..=run.len()).filter(|n| target.is_reached(&run[..*n])).collect::<Vec<_>>();
        assert_eq!(first(Target::first_intent()), [32]);
        assert_eq!(first(Target::first_purchase()), [34]);
    }
}
