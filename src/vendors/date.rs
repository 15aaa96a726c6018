//! Times as vendors write them. Pure.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// A time or a date with a zone, or without one and then UTC. Before the year 1 it is none: it goes into the status, and the
/// apiserver would refuse the whole of that.
pub(super) fn utc(text: &str) -> Option<Timestamp> {
    let utc = |local: DateTime| local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let zoned = text.parse::<Timestamp>().ok();
    let read = zoned.or_else(|| text.parse().ok().and_then(utc)).or_else(|| utc(text.parse::<Date>().ok()?.into()));
    read.filter(|time| time.to_zoned(TimeZone::UTC).year() >= 1)
}

/// A time in an HTTP header, such as `Wed, 21 Oct 2026 07:28:00 GMT` (RFC 9110, "Date/Time Formats"; of its three forms
/// the one that servers may still send).
pub(super) fn http(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz_inputs::dates;

    #[test]
    fn dates_are_read_with_zone_and_without() {
        let expected = "2031-06-30T00:00:00Z".parse::<Timestamp>().unwrap();
        for text in [
            "2031-06-30T00:00:00.000Z",
            "2031-06-30T00:00:00.0000000Z",
            "2031-06-30T00:00:00Z",
            "2031-06-30T00:00:00.000",
            "2031-06-30T02:00:00+02:00",
            "2031-06-30 00:00:00",
            "2031-06-30",
        ] {
            assert_eq!(utc(text), Some(expected), "{text}");
        }
        assert_eq!(utc("soon"), None);
    }

    #[test]
    fn year_that_apiserver_cannot_store_is_no_date() {
        for text in ["-000044-03-15T12:00:00Z", "-000001-12-31", "0000-01-01T00:00:00", "+010000-01-01"] {
            assert_eq!(utc(text), None, "{text}");
        }
        assert!(utc("0001-01-01T00:00:00").is_some(), "how .NET writes no time at all");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn date_read_from_any_text_can_be_stored(text in prop_oneof![8 => dates(), 1 => any::<String>()]) {
            let Some(read) = utc(&text) else { return Ok(()) };
            let stored = serde_json::to_value(Time(read)).unwrap();
            let stored = stored.as_str().unwrap();
            // RFC 3339, which is all that the apiserver takes: a year has four digits.
            let year = &stored[..stored.find('-').unwrap()];
            prop_assert!(year.len() == 4 && stored.len() == "2031-06-30T00:00:00Z".len(), "{}", stored);
            let lost = read.duration_since(stored.parse().unwrap());
            prop_assert!((0..1000).contains(&lost.as_millis()), "{} is stored as {}", read, stored);
        }
    }
}
