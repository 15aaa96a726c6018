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
    /// Only those count that come after the first, second ... request of this kind.
    after: Option<(Kind, usize)>,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Purchase,
    /// Opens an intent.
    Opening,
    /// Writes an intent in any other way.
    Intent,
    /// Writes a status and opens no intent. Only for what is found without a reference.
    Status,
    /// Writes a status and closes an intent. Only for what is found without a reference.
    Closing,
    /// Reads something of the vendor, or signs in there. Only for what is found without a reference.
    Reading,
    Other,
    /// Whatever it does. Only for what is planned while a run goes on.
    Any,
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

    fn is_of(self, record: &Record) -> bool {
        match self {
            Self::Status => record.is_record() && !record.opens,
            Self::Closing => record.is_record() && record.patch.contains("\"intent\":null"),
            Self::Reading => record.hop == Hop::Vendor && !record.is_purchase(),
            Self::Any => true,
            kind => Self::of(record) == kind,
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
        let target = Self { kind: Kind::of(last), nth: 0, shape: Some(Shape::of(last)), after: None };
        Self { nth: target.count(until), ..target }
    }

    /// None, until [`Proxy::hit_next`](crate::Proxy::hit_next): then the next request.
    #[must_use]
    pub fn planned() -> Self {
        Self::nth(Kind::Any, usize::MAX, None)
    }

    /// The request after so many, where it was none so far.
    pub(crate) fn plan(&mut self, records: usize) {
        if self.kind == Kind::Any {
            self.nth = records + 1;
        }
    }

    /// The first purchase, however many requests come before it.
    #[must_use]
    pub fn first_purchase() -> Self {
        Self::nth(Kind::Purchase, 1, None)
    }

    /// The first request that opens an intent, however many requests come before it.
    #[must_use]
    pub fn first_intent() -> Self {
        Self::nth(Kind::Opening, 1, None)
    }

    /// The first, second ... purchase.
    #[must_use]
    pub fn purchase(nth: usize) -> Self {
        Self::nth(Kind::Purchase, nth, None)
    }

    /// The first, second ... request that opens an intent.
    #[must_use]
    pub fn intent(nth: usize) -> Self {
        Self::nth(Kind::Opening, nth, None)
    }

    /// The first request that opens an intent after the first purchase.
    #[must_use]
    pub fn intent_after_purchase() -> Self {
        Self::nth(Kind::Opening, 1, Some((Kind::Purchase, 1)))
    }

    /// The first write of a status that opens no intent.
    #[must_use]
    pub fn first_status() -> Self {
        Self::nth(Kind::Status, 1, None)
    }

    /// The first write of a status that closes an intent.
    #[must_use]
    pub fn first_closing() -> Self {
        Self::nth(Kind::Closing, 1, None)
    }

    /// The first, second ... write of a status that opens no intent, after this one of the requests that open one.
    #[must_use]
    pub fn status_after_intent(intent: usize, nth: usize) -> Self {
        Self::nth(Kind::Status, nth, Some((Kind::Opening, intent)))
    }

    /// The first request of the readings of the vendor.
    #[must_use]
    pub fn first_reading() -> Self {
        Self::nth(Kind::Reading, 1, None)
    }

    /// The first of them after this purchase.
    #[must_use]
    pub fn reading_after_purchase(purchase: usize) -> Self {
        Self::nth(Kind::Reading, 1, Some((Kind::Purchase, purchase)))
    }

    fn nth(kind: Kind, nth: usize, after: Option<(Kind, usize)>) -> Self {
        Self { kind, nth, shape: None, after }
    }

    fn is_like(&self, record: &Record) -> bool {
        self.kind.is_of(record) && self.shape.as_ref().is_none_or(|shape| *shape == Shape::of(record))
    }

    fn count(&self, records: &[Record]) -> usize {
        let from = match self.after {
            None => 0,
            Some((kind, nth)) => {
                let mut each = (0..records.len()).filter(|at| kind.is_of(&records[*at]));
                each.nth(nth - 1).map_or(records.len(), |at| at + 1)
            }
        };
        records[from..].iter().filter(|record| self.is_like(record)).count()
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

    /// The number at which an action for request `k` of the reference takes effect in another run.
    fn hits(reference: &str, k: usize, other: &str) -> Option<usize> {
        let (target, other) = (Target::of(&run("one", reference), k), run("two", other));
        (1..=other.len()).find(|number| target.is_reached(&other[..*number]))
    }

    #[test]
    fn in_the_same_run_each_request_is_found_by_its_number() {
        let reference = "asvmasvmwasvmopvwiw";
        for k in 1..=reference.len() {
            assert_eq!(hits(reference, k, reference), Some(k));
        }
    }

    #[test]
    fn fault_aimed_at_reading_hits_same_reading_despite_other_requests() {
        assert_eq!(hits("asvmop", 3, "aaasmvop"), Some(6));
        assert_eq!(hits("asvmop", 4, "asvvvop"), None, "members are not seats");
    }

    #[test]
    fn purchase_and_intent_are_found_by_their_kind() {
        assert_eq!(hits("asvopv", 5, "asvasvopv"), Some(8));
        assert_eq!(hits("asvopv", 4, "asvaswvopv"), Some(8), "no other status");
        assert_eq!(hits("asopvop", 7, "aop"), None, "there is no second purchase");
    }

    #[test]
    fn missing_request_is_replaced_by_no_other() {
        assert_eq!(hits("asvop", 5, &"asv".repeat(30)), None);
        assert_eq!(hits("asvow", 5, &format!("aso{}", "asvi".repeat(30))), None);
    }

    /// The numbers at which an action for this target takes effect.
    fn hit(target: &Target, letters: &str) -> Vec<usize> {
        let run = run("one", letters);
        (1..=run.len()).filter(|number| target.is_reached(&run[..*number])).collect()
    }

    #[test]
    fn request_after_another_one_is_counted_from_there() {
        let run = "asvwasvopviasvopvw";
        assert_eq!(hit(&Target::first_status(), run), [4]);
        assert_eq!(hit(&Target::first_reading(), run), [3]);
        assert_eq!(hit(&Target::intent(2), run), [15]);
        assert_eq!(hit(&Target::intent_after_purchase(), run), [15]);
        assert_eq!(hit(&Target::purchase(2), run), [16]);
        assert_eq!(hit(&Target::status_after_intent(1, 1), run), [11]);
        assert_eq!(hit(&Target::status_after_intent(2, 1), run), [18]);
        assert_eq!(hit(&Target::reading_after_purchase(2), run), [17]);
        assert_eq!(hit(&Target::reading_after_purchase(3), run), [0; 0]);
        assert_eq!(hit(&Target::first_closing(), run), [0; 0], "none of these writes closes an intent");
    }

    #[test]
    fn planned_request_is_the_next_one_after_it_was_planned() {
        let mut target = Target::planned();
        assert_eq!(hit(&target, "asvopw"), [0; 0]);
        target.plan(3);
        assert_eq!(hit(&target, "asvopw"), [4]);
    }

    #[test]
    fn first_intent_and_first_purchase_are_found_without_a_reference() {
        let run = run("one", &format!("{}wovpoipw", "asv".repeat(10)));
        let first = |target: Target| (1..=run.len()).filter(|n| target.is_reached(&run[..*n])).collect::<Vec<_>>();
        assert_eq!(first(Target::first_intent()), [32]);
        assert_eq!(first(Target::first_purchase()), [34]);
    }
}
