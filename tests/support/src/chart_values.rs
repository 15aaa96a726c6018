//! The values of a chart as its `values.yaml` documents them: a comment above each, its default, its place. The charts' READMEs are
//! made of that, and tests set each value to something wrong.

use serde_json::Value;

/// Flags of the operator that the chart sets from values of their own; all others are keys of `flags`.
pub const FLAGS_WITH_OWN_VALUES: [&str; 10] = [
    "namespace",
    "cluster-name",
    "listen",
    "allowed-host",
    "log-format",
    "max-seats",
    "max-increase",
    "vendor-proxy",
    "vendor-no-proxy",
    "vendor-ca-bundle",
];

/// A value, or a section with a comment of its own.
#[derive(Debug, Clone)]
pub struct ChartValue {
    /// Its keys from the top.
    pub path: Vec<String>,
    /// What it is by default; a section's is `None`.
    pub default: Option<Value>,
    /// The comment above it, line by line.
    pub comment: Vec<String>,
}

impl ChartValue {
    /// `image.tag`
    #[must_use]
    pub fn name(&self) -> String {
        self.path.join(".")
    }

    /// What the value is in these values.
    #[must_use]
    pub fn in_values<'a>(&self, values: &'a Value) -> Option<&'a Value> {
        self.path.iter().try_fold(values, |values, key| values.get(key))
    }
}

/// All values in the order of the file.
///
/// # Panics
/// When a value has no comment, neither of its own nor of the map that it is in; when the text is not YAML.
#[must_use]
pub fn chart_values(yaml: &str) -> Vec<ChartValue> {
    let all: Value = serde_yaml::from_str(yaml).expect("values.yaml is YAML");
    let mut found: Vec<ChartValue> = Vec::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut comment: Vec<String> = Vec::new();
    for line in yaml.lines() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(words) = text.strip_prefix('#') {
            comment.push(words.strip_prefix(' ').unwrap_or(words).to_owned());
            continue;
        }
        let key =
            text.split_once(':').map(|(key, _)| key).filter(|key| !key.is_empty() && !key.starts_with(['-', '{']));
        if let Some(key) = key {
            above.retain(|(outer, _)| *outer < indent);
            above.push((indent, key.to_owned()));
            let path = above.iter().map(|(_, key)| key.clone()).collect();
            found.push(ChartValue { path, default: None, comment: std::mem::take(&mut comment) });
        }
        comment.clear();
    }
    let below = |outer: &ChartValue, inner: &ChartValue| {
        inner.path.len() > outer.path.len() && inner.path.starts_with(&outer.path)
    };
    let mut values = Vec::new();
    for value in &found {
        let documented = |inner: &&ChartValue| below(value, inner) && !inner.comment.is_empty();
        let is_section = found.iter().find(documented).is_some();
        let covered = found.iter().any(|outer| {
            let has_documented = found.iter().any(|inner| below(outer, inner) && !inner.comment.is_empty());
            below(outer, value) && !outer.comment.is_empty() && !has_documented
        });
        if covered || (is_section && value.comment.is_empty()) {
            continue;
        }
        assert!(!value.comment.is_empty(), "values.yaml: {} has no comment above it", value.name());
        let default = (!is_section).then(|| value.in_values(&all).cloned().unwrap_or_default());
        values.push(ChartValue { default, ..value.clone() });
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_documented_by_the_comment_above_it_or_above_its_map() {
        let yaml = "# A.\na: 1\n\nb:\n  # C,\n  # long.\n  c: {x: [1]}\n# D.\nd:\n  e: true\n  f: null\n# G.\ng:\n  # H.\n  h: \"\"\n";
        let values = chart_values(yaml);
        let told: Vec<String> = values
            .iter()
            .map(|one| {
                let default = one.default.as_ref().map_or("-".to_owned(), Value::to_string);
                format!("{} {default} {}", one.name(), one.comment.join("/"))
            })
            .collect();
        assert_eq!(
            told,
            ["a 1 A.", "b.c {\"x\":[1]} C,/long.", "d {\"e\":true,\"f\":null} D.", "g - G.", "g.h \"\" H."]
        );
    }

    #[test]
    #[should_panic(expected = "a.b has no comment")]
    fn value_without_a_comment_is_refused() {
        let _ = chart_values("a:\n  # C.\n  c: 1\n  b: 1\n");
    }
}
