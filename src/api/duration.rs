//! Durations as people write them in Go and Kubernetes: `90s`, `10m`, `1h30m`. Whole numbers, largest unit first.
//!
//! Not with the parser of kube-core (5.0): it panics where hours overflow, which a stored object may hold, it accepts
//! negative durations, fractions and an empty text, and it writes ten minutes as `600s`.

use std::time::Duration;

/// The text is not a duration of the form `1h30m`, `10m` or `90s`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a duration: write whole numbers with units, largest first, such as 90s, 10m or 1h30m")]
pub struct InvalidDuration;

/// Parses a Go-style duration; the same language that admission accepts, so that nothing admitted fails here.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text;
    let mut seconds = 0u64;
    for (unit, length) in [('h', 3600), ('m', 60), ('s', 1)] {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || !rest[digits..].starts_with(unit) {
            continue;
        }
        let count: u64 = rest[..digits].parse().map_err(|_| InvalidDuration)?;
        seconds = count.checked_mul(length).and_then(|s| seconds.checked_add(s)).ok_or(InvalidDuration)?;
        rest = &rest[digits + 1..];
    }
    if text.is_empty() || !rest.is_empty() {
        return Err(InvalidDuration);
    }
    Ok(Duration::from_secs(seconds))
}

/// Writes a duration in the form [`parse_duration`] reads, in whole seconds.
pub fn go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let text: String = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, seconds) in [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h0m5s", 3605), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_duration_is_refused() {
        for text in ["", "10", "10 minutes", "m", "5m1h", "1.5h", "-5m", "10M", "99999999999999999999h", "5\u{661}m"] {
            assert_eq!(parse_duration(text), Err(InvalidDuration), "{text}");
        }
    }

    #[test]
    fn durations_are_written_shortly() {
        for (seconds, text) in [(0, "0s"), (90, "1m30s"), (600, "10m"), (3600, "1h")] {
            assert_eq!(go_duration(Duration::from_secs(seconds)), text);
        }
    }

    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_the_parser_panic(text in prop_oneof![any::<String>(), "[0-9hms. -]{0,30}"]) {
            if let Ok(duration) = parse_duration(&text) {
                prop_assert_eq!(parse_duration(&go_duration(duration)), Ok(duration));
            }
        }

        #[test]
        fn written_duration_is_read_back(seconds in any::<u64>()) {
            prop_assert_eq!(parse_duration(&go_duration(Duration::from_secs(seconds))), Ok(Duration::from_secs(seconds)));
        }
    }
}
