//! Fuzz inputs: changed copies of a valid document, for the tests of whatever reads foreign bytes. Random bytes are hardly ever JSON, so they
//! test nothing behind the first brace; these mostly are, and mostly of nearly the right shape. Imports nothing of ours.

#[path = "fuzz_inputs/node.rs"]
mod node;

use std::cell::Cell;
use std::fmt;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;

use self::node::{Edit, Node};

/// How many fuzz inputs each reader is given; `PROPTEST_CASES` may ask for more.
const CASES: u32 = 1000;

/// Put into the texts of documents, so that it shows when a sentence of ours repeats one.
pub const MARKER: &str = "zz-words-of-the-vendor-zz";

/// Values that a client once got wrong, as JSON.
const ODD: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "1.0",
    "1.5",
    "1e2",
    "1e400",
    "-1e-400",
    "32767",
    "32768",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-123456789012345678901234567890",
    "NaN",
    "007",
    "[]",
    "{}",
    "[null]",
    r#"{"":null}"#,
    r#""""#,
    r#"" ""#,
    r#""0""#,
    r#""-1""#,
    r#""\u0000""#,
    r#""\n\u001b[31m""#,
    r#""\ud800""#,
    "\"\u{202e}\u{feff}\u{a0}\u{1f4a9}\"",
    "\"zz-words-of-the-vendor-zz\"",
    r#""never""#,
    r#""1969-12-31T23:59:59Z""#,
    r#""0001-01-01T00:00:00""#,
    r#""-000044-03-15T12:00:00Z""#,
    r#""9999-12-31T23:59:59Z""#,
    r#""10000-01-01T00:00:00Z""#,
    r#""2026-02-30T00:00:00Z""#,
    r#""2026-10-01T08:00:00+25:00""#,
    r#""2026-12-31T23:59:60.999999999999Z""#,
];

/// What is done to the bytes, as if to what came over the wire.
#[derive(Clone, Debug)]
enum Harm {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
}

impl Harm {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index| index.index(bytes.len() + 1);
        match self {
            Self::Cut(index) => bytes.truncate(at(index)),
            Self::Insert(index, more) => drop(bytes.splice(at(index)..at(index), more.iter().copied())),
            Self::Flip(index, bit) => {
                let at = at(index);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
        }
    }
}

/// A date as vendors write them, or nearly: years and days that are none, zones and no zone.
pub fn dates() -> impl Strategy<Value = String> {
    let zone = select(vec!["", "", "Z", "+02:00", "-23:59", "+25:00", "[Europe/Paris]", " UTC"]);
    let time = select(vec!["", "T00:00:00", " 23:59:59.9999999", "T12:00", "T24:00:00", "T23:59:60"]);
    let year = prop_oneof![4 => 1900..2200, 2 => -9999..=10_000, 1 => select(vec![-1, 0, 1, 9999, 10_000])];
    (year, 0u8..14, 0u8..33, time, zone).prop_map(|(year, month, day, time, zone): (i32, _, _, _, _)| {
        let sign = if year < 0 { "-" } else { "" };
        let year = year.unsigned_abs();
        let width = if sign.is_empty() && year < 10_000 { 4 } else { 6 };
        format!("{sign}{year:0width$}-{month:02}-{day:02}{time}{zone}")
    })
}

fn value() -> impl Strategy<Value = String> {
    let text = |text: String| Value::from(text).to_string();
    prop_oneof![
        6 => select(ODD).prop_map(str::to_owned),
        2 => (-3i64..40_000).prop_map(|n| n.to_string()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => any::<f64>().prop_map(|n| Value::from(n).to_string()),
        2 => dates().prop_map(text),
        1 => any::<String>().prop_map(text),
        1 => (0usize..5000).prop_map(move |length| text(MARKER.chars().cycle().take(length).collect())),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        2 => Just(Edit::Drop),
        1 => prop_oneof![any::<String>(), Just("id".to_owned()), Just("data".to_owned())].prop_map(Edit::Rename),
        1 => proptest::option::of(value()).prop_map(Edit::Double),
        8 => value().prop_map(Edit::Instead),
        1 => (0usize..200).prop_map(Edit::Many),
        1 => (1usize..200).prop_map(Edit::Deep),
    ]
}

fn harm() -> impl Strategy<Value = Harm> {
    let junk = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..8),
        select(vec![
            b"\0".to_vec(),
            b"\xff".to_vec(),
            b"\xef\xbb\xbf".to_vec(),
            b"\xed\xa0\x80".to_vec(),
            b"<html>".to_vec()
        ]),
    ];
    prop_oneof![
        any::<Index>().prop_map(Harm::Cut),
        (any::<Index>(), 0u8..8).prop_map(|(index, bit)| Harm::Flip(index, bit)),
        (any::<Index>(), junk).prop_map(|(index, junk)| Harm::Insert(index, junk)),
    ]
}

/// Bytes that are shown as text.
#[derive(Clone)]
pub struct FuzzInput(pub Vec<u8>);

impl fmt::Debug for FuzzInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.escape_ascii().to_string())
    }
}

/// Bytes of a wire or file, mutated or intact.
pub fn harmed(bytes: &[u8]) -> impl Strategy<Value = FuzzInput> + use<> {
    (Just(bytes.to_vec()), proptest::collection::vec(harm(), 0..3)).prop_map(|(mut bytes, harms)| {
        harms.iter().for_each(|harm| harm.apply(&mut bytes));
        FuzzInput(bytes)
    })
}

/// Fuzz inputs made of one of these documents. Few edits each, so that a failure is easy to read.
pub fn fuzz_inputs(documents: &[Value]) -> impl Strategy<Value = FuzzInput> + use<> {
    let documents: Vec<Node> = documents.iter().map(|document| Node::List(vec![Node::of(document)])).collect();
    let edits = proptest::collection::vec((any::<Index>(), edit()), 0..4);
    let harm = proptest::option::weighted(0.15, harm());
    (select(documents), edits, harm).prop_map(|(mut document, edits, harm)| {
        for (index, edit) in edits {
            if let places @ 1.. = document.places() {
                document.edit(index.index(places), &edit);
            }
        }
        let mut text = String::new();
        // A node excludes the list around it, and a doubled item follows itself.
        if let Node::List(items) = &document {
            items.iter().for_each(|item| item.write(&mut text));
        }
        let mut bytes = text.into_bytes();
        if let Some(harm) = harm {
            harm.apply(&mut bytes);
        }
        FuzzInput(bytes)
    })
}

/// Gives `read` each document and then fuzz inputs made of them. `read` returns whether it got past the JSON to the fields
/// that it checks, and panics where a result is wrong. Every document gets there. So must a good share of the fuzz inputs,
/// or this tests nothing; and some must not, or nothing was changed.
pub fn each_of(documents: &[Value], read: impl Fn(&[u8]) -> bool) {
    for document in documents {
        assert!(read(document.to_string().as_bytes()), "a valid document is refused: {document:#}");
    }
    let given = Config::default();
    let seed = match given.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => fastrand::u64(..),
    };
    let cases = given.cases.max(CASES);
    let config = Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..given };
    let (read_in, refused) = (Cell::new(0u32), Cell::new(0u32));
    let result = TestRunner::new(config).run(&fuzz_inputs(documents), |FuzzInput(bytes)| {
        let counter = if read(&bytes) { &read_in } else { &refused };
        counter.set(counter.get() + 1);
        Ok(())
    });
    if let Err(error) = result {
        panic!("again with PROPTEST_RNG_SEED={seed}: {error}");
    }
    let (read_in, refused) = (read_in.get(), refused.get());
    assert!(read_in >= cases / 5 && refused >= cases / 50, "{read_in} fuzz inputs were read and {refused} refused");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fuzz_inputs_are_of_every_kind_and_most_are_still_json() {
        let document = json!({ "id": 7, "list": [{ "text": "a" }, { "text": "b" }], "none": null });
        let counts = std::cell::RefCell::new(std::collections::BTreeMap::<&str, u32>::new());
        each_of(std::slice::from_ref(&document), |bytes| {
            let text = std::str::from_utf8(bytes);
            let json = serde_json::from_slice::<Value>(bytes);
            let times = |word: &str| text.map_or(0, |text| text.matches(word).count());
            for (kind, is) in [
                ("unchanged", json.as_ref().is_ok_and(|json| *json == document)),
                ("another", json.as_ref().is_ok_and(|json| *json != document)),
                ("field gone", json.as_ref().is_ok_and(|json| json.is_object() && json.get("id").is_none())),
                ("field twice", times("\"id\":") > 1),
                ("number of no type", json.is_err() && times("1e400") > 0),
                ("deep", times("[[[[[[[[") > 0),
                ("cut", text.is_ok_and(|text| text.starts_with('{') && !text.ends_with('}'))),
                ("not UTF-8", text.is_err()),
                ("byte order mark", bytes.windows(3).any(|window| window == b"\xef\xbb\xbf")),
            ] {
                *counts.borrow_mut().entry(kind).or_default() += u32::from(is);
            }
            json.is_ok()
        });
        let counts = counts.into_inner();
        assert!(counts.values().all(|count| *count > 0), "{counts:?}");
        assert!(counts["another"] > CASES / 2, "{counts:?}");
    }
}
