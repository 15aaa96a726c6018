//! Finds a request of a reference again in another run. Numbers alone do not: a poll more or less, and what was meant for
//! the vendor would hit the apiserver.

use crate::{Hop, Record};

/// A purchase or an intent that has not come after so many further requests will not come; another request of the same
/// hop takes its place.
const SLACK: usize = 10;

/// One request of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its number.
    pub number: usize,
    hop: Hop,
    sharp: Option<Sharp>,
}

/// A request that can be told from all others: the first, second ... of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharp {
    Purchase(usize),
    Intent(usize),
}

fn sharp(records: &[Record]) -> Option<Sharp> {
    let last = records.last()?;
    let count = |is: fn(&Record) -> bool| records.iter().filter(|record| is(record)).count();
    if last.is_purchase() {
        Some(Sharp::Purchase(count(Record::is_purchase)))
    } else if last.intent {
        Some(Sharp::Intent(count(|record| record.intent)))
    } else {
        None
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
        Self { number, hop: until[number - 1].hop, sharp: sharp(until) }
    }

    /// The first purchase, however many requests come before it.
    #[must_use]
    pub fn first_purchase() -> Self {
        Self { number: usize::MAX - SLACK, hop: Hop::Vendor, sharp: Some(Sharp::Purchase(1)) }
    }

    /// The first request that writes an intent, however many others come before it.
    #[must_use]
    pub fn first_intent() -> Self {
        Self { number: usize::MAX - SLACK, hop: Hop::Apiserver, sharp: Some(Sharp::Intent(1)) }
    }

    /// Whether the newest of these requests is the one: the same purchase or intent, or the first of this number or
    /// higher on the same hop.
    pub(crate) fn is_reached(&self, records: &[Record]) -> bool {
        let Some(last) = records.last().filter(|last| last.hop == self.hop) else { return false };
        match self.sharp {
            Some(_) if sharp(records) == self.sharp => true,
            Some(_) => last.number >= self.number + SLACK,
            None => last.number >= self.number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// a: apiserver GET, v: vendor GET, i: intent, p: purchase.
    fn run(letters: &str) -> Vec<Record> {
        let record = |(index, letter): (usize, char)| {
            let (hop, method) = match letter {
                'a' => (Hop::Apiserver, "GET"),
                'v' => (Hop::Vendor, "GET"),
                'i' => (Hop::Apiserver, "PATCH"),
                _ => (Hop::Vendor, "PUT"),
            };
            Record {
                number: index + 1,
                hop,
                method: method.to_owned(),
                path: String::new(),
                intent: letter == 'i',
                opens: letter == 'i',
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
        let (target, other) = (Target::of(&run(reference), k), run(other));
        (1..=other.len()).find(|number| target.is_reached(&other[..*number]))
    }

    #[test]
    fn in_the_same_run_each_request_is_found_by_its_number() {
        let reference = "aavaavipvi";
        for k in 1..=reference.len() {
            assert_eq!(strikes(reference, k, reference), Some(k));
        }
    }

    #[test]
    fn an_action_for_the_vendor_never_strikes_the_apiserver() {
        assert_eq!(strikes("aavip", 3, "aaavip"), Some(4));
        assert_eq!(strikes("aavip", 3, "aaa"), None);
    }

    #[test]
    fn a_purchase_and_an_intent_are_found_by_their_kind() {
        assert_eq!(strikes("aavipv", 5, "aavaavipv"), Some(8));
        assert_eq!(strikes("aavipv", 4, "aavaavipv"), Some(7));
        assert_eq!(strikes("aavipaavip", 9, "avipaavip"), Some(8), "the second intent, though it comes early");
    }

    #[test]
    fn the_first_intent_is_found_without_a_reference() {
        let run = run(&format!("{}ivpi", "aav".repeat(10)));
        let strikes: Vec<usize> = (1..=run.len()).filter(|n| Target::first_intent().is_reached(&run[..*n])).collect();
        assert_eq!(strikes, [31]);
    }

    #[test]
    fn what_never_comes_is_not_waited_for_without_end() {
        assert_eq!(strikes("aavip", 5, &"aav".repeat(10)), Some(15));
    }
}
