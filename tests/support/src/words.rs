//! What people read is words: no value as Rust's `Debug` writes it, in no log line, no condition and no answer of a probe.

/// How Rust's `Debug` begins what errors and options hold.
const MARKS: [&str; 5] = ["Some(", "Err(", "Ok(", "Status {", "Api("];

/// Rust's `Debug` in a text, with what follows it.
#[must_use]
pub fn debug_text(text: &str) -> Option<&str> {
    MARKS.iter().find_map(|mark| text.find(mark)).map(|at| &text[at..])
}

/// The lines of a log with Rust's `Debug`. Lines for developers alone (`debug`, `trace`) may have it.
#[must_use]
pub fn debug_lines(log: &str) -> Vec<&str> {
    let told = |line: &&str| {
        let level = line.split_whitespace().nth(1).unwrap_or_default();
        let levels = ["INFO", "WARN", "ERROR"];
        levels.contains(&level) || levels.iter().any(|level| line.contains(&format!("\"level\":\"{level}\"")))
    };
    log.lines().filter(told).filter(|line| debug_text(line).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_text_is_found_where_people_read_and_in_no_sentence() {
        let refused = "2026-11-29T12:00:00Z  WARN apiserver: Api(Status { code: 403 })";
        let json = r#"{"timestamp":"t","level":"INFO","message":"from Some(100)"}"#;
        let traced = "2026-11-29T12:00:00Z TRACE hyper: Some(\"head\")";
        let sentence = "2026-11-29T12:00:00Z  INFO the API answers: ok (200), status: some seats";
        assert_eq!(debug_lines(&[refused, json, traced, sentence].join("\n")), [refused, json]);
        assert_eq!(debug_text("why: Err(Late)"), Some("Err(Late)"));
    }
}
