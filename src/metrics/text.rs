//! How metrics are printed: as OpenMetrics, or in the older text format for a client that does not ask for that.

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus, which curl and older agents get.
    Plain,
}

impl Format {
    /// What an `Accept` header asks for. Weights are ignored: a client that names OpenMetrics can read it.
    pub fn asked(accept: Option<&str>) -> Self {
        match accept {
            Some(accept) if accept.contains("application/openmetrics-text") => Self::OpenMetrics,
            _ => Self::Plain,
        }
    }

    /// The `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

pub(super) fn print(registries: &[&Registry], format: Format) -> Result<String, std::fmt::Error> {
    let mut printed = String::new();
    for registry in registries {
        text::encode_registry(&mut printed, registry)?;
    }
    text::encode_eof(&mut printed)?;
    Ok(match format {
        Format::OpenMetrics => printed,
        Format::Plain => plain(&printed),
    })
}

/// OpenMetrics names a family of counters without the `_total` of its samples, and ends with `# EOF`. The older format does neither.
fn plain(printed: &str) -> String {
    let counters: Vec<&str> =
        printed.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let described = |line: &str| {
        let (keyword, rest) = line.strip_prefix("# ")?.split_once(' ')?;
        let (name, rest) = rest.split_once(' ')?;
        let suffix = if counters.contains(&name) { "_total" } else { "" };
        Some(format!("# {keyword} {name}{suffix} {rest}"))
    };
    let lines = printed.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT "));
    lines.map(|line| described(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_client_that_accepts_open_metrics_gets_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert_eq!(Format::asked(Some(prometheus)), Format::OpenMetrics);
        for accept in [None, Some("*/*"), Some("text/plain;version=0.0.4")] {
            assert_eq!(Format::asked(accept), Format::Plain, "{accept:?}");
        }
    }

    #[test]
    fn counters_are_named_as_their_samples_are_in_the_older_format() {
        let printed = "# HELP a Things.\n# TYPE a counter\na_total{b=\"# HELP a c\"} 1\n# HELP d E.\n# TYPE d gauge\nd 2\n# EOF\n";
        let expected = "# HELP a_total Things.\n# TYPE a_total counter\na_total{b=\"# HELP a c\"} 1\n# HELP d E.\n# TYPE d gauge\nd 2\n";
        assert_eq!(plain(printed), expected);
    }
}
