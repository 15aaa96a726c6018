//! Finds the parts of a written status that the apiserver did not store: an older CRD, an admission webhook or a policy drops or
//! changes them.

use std::collections::BTreeSet;

use serde_json::Value;

/// The paths at which the stored value differs from the written one, or is missing. Other stored fields are not
/// compared: a newer CRD may have more.
pub(super) fn lost(written: &Value, stored: &Value) -> Vec<String> {
    let mut paths = BTreeSet::new();
    collect_lost("status", written, stored, &mut paths);
    paths.into_iter().collect()
}

fn collect_lost(path: &str, written: &Value, stored: &Value, paths: &mut BTreeSet<String>) {
    match (written, stored) {
        (Value::Null, _) => {}
        (Value::Object(written), Value::Object(stored)) => {
            for (key, value) in written {
                collect_lost(&format!("{path}.{key}"), value, stored.get(key).unwrap_or(&Value::Null), paths);
            }
        }
        (Value::Array(written), Value::Array(stored)) if written.len() == stored.len() => {
            for (written, stored) in written.iter().zip(stored) {
                collect_lost(&format!("{path}[]"), written, stored, paths);
            }
        }
        (written, stored) if written == stored => {}
        _ => drop(paths.insert(path.to_owned())),
    }
}
