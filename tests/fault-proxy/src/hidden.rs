//! Leaves one object out of what the apiserver lists and what its watches tell.

use hyper::body::Bytes;
use serde_json::Value;

fn is_named(object: &Value, name: &str) -> bool {
    object["metadata"]["name"] == name
}

/// A list without the object of this name, and whether it held one. What is no list stays as it is.
pub(crate) fn without(list: Bytes, name: &str) -> (Bytes, bool) {
    let Ok(mut parsed) = serde_json::from_slice::<Value>(&list) else { return (list, false) };
    let Some(items) = parsed.get_mut("items").and_then(Value::as_array_mut) else { return (list, false) };
    let before = items.len();
    items.retain(|item| !is_named(item, name));
    let held = items.len() < before;
    if held { (parsed.to_string().into(), true) } else { (list, false) }
}

/// The lines of a watch, of which the last may not have come to its end yet.
#[derive(Default)]
pub(crate) struct Lines(Vec<u8>);

impl Lines {
    /// Takes in what has come. Returns the whole lines that do not tell of the object of this name, and how many do.
    pub(crate) fn take(&mut self, chunk: &[u8], name: &str) -> (Bytes, usize) {
        self.0.extend_from_slice(chunk);
        let whole = self.0.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let (mut told, mut left_out) = (Vec::new(), 0);
        for line in self.0[..whole].split_inclusive(|byte| *byte == b'\n') {
            let event = serde_json::from_slice::<Value>(line).unwrap_or_default();
            if is_named(&event["object"], name) {
                left_out += 1;
            } else {
                told.extend_from_slice(line);
            }
        }
        self.0.drain(..whole);
        (told.into(), left_out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn list_leaves_out_the_hidden_object_and_nothing_else() {
        let list = |names: &[&str]| {
            let items: Vec<_> = names.iter().map(|name| json!({ "metadata": { "name": name } })).collect();
            Bytes::from(json!({ "kind": "List", "items": items }).to_string())
        };
        assert_eq!(without(list(&["acme", "rival"]), "acme"), (list(&["rival"]), true));
        assert_eq!(without(list(&["rival"]), "acme"), (list(&["rival"]), false));
        let status = Bytes::from_static(br#"{"kind":"Status"}"#);
        assert_eq!(without(status.clone(), "acme"), (status, false));
    }

    #[test]
    fn watch_leaves_out_the_hidden_object_wherever_its_line_is_cut() {
        let line =
            |name: &str| json!({ "type": "ADDED", "object": { "metadata": { "name": name } } }).to_string() + "\n";
        let all = line("acme") + &line("rival") + &line("acme");
        for cut in 0..all.len() {
            let mut lines = Lines::default();
            let (first, then) =
                (lines.take(&all.as_bytes()[..cut], "acme"), lines.take(&all.as_bytes()[cut..], "acme"));
            assert_eq!([first.0, then.0].concat(), line("rival").as_bytes(), "cut at {cut}");
            assert_eq!(first.1 + then.1, 2, "cut at {cut}");
        }
    }
}
