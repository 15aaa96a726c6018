//! Reads the needed metadata of an object, and tolerates any value that a writer can store.
//!
//! A person who may update an object may write nearly anything into `managedFields`, and Kubernetes accepts times that
//! our types do not. One object that could not be read would make the whole list unreadable. So unneeded fields are
//! skipped unread, and a time is read as the nearest one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::{Deserialize, Deserializer};

use crate::api::{CONFIRM, DIFFERS, FLUX_REQUESTED_AT, RECONCILE_REQUESTED_AT};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Needed {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<String>,
    deletion_timestamp: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

/// Reads the needed fields, for `deserialize_with`. It does not read foreign annotations either, which are most of the remaining bytes.
pub(super) fn needed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let needed = Needed::deserialize(deserializer)?;
    let annotations = needed.annotations.map(|mut annotations| {
        annotations
            .retain(|key, _| [CONFIRM, DIFFERS, FLUX_REQUESTED_AT, RECONCILE_REQUESTED_AT].contains(&key.as_str()));
        annotations
    });
    Ok(ObjectMeta {
        name: needed.name,
        namespace: needed.namespace,
        uid: needed.uid,
        resource_version: needed.resource_version,
        generation: needed.generation,
        creation_timestamp: needed.creation_timestamp.as_deref().map(time),
        deletion_timestamp: needed.deletion_timestamp.as_deref().map(time),
        annotations: annotations.filter(|annotations| !annotations.is_empty()),
        ..ObjectMeta::default()
    })
}

/// The times that Kubernetes writes and we cannot hold are later than any that we can.
fn time(text: &str) -> Time {
    Time(text.parse().unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(metadata: &Value) -> ObjectMeta {
        needed(metadata).expect("whatever it holds")
    }

    #[test]
    fn object_with_any_managed_fields_is_still_read() {
        let nested = (0..100_000).fold(String::new(), |nested, _| nested + r#"{"f:x":"#) + "1" + &"}".repeat(100_000);
        let fields = r#""fieldsV1":"#.to_owned() + &nested;
        for entry in [r#""time":"9999-12-31T23:59:59Z""#, r#""time":7"#, r#""time":{}"#, &fields] {
            let text = format!(r#"{{"managedFields":[{{{entry}}}],"name":"acme","uid":"u","labels":{{"a":1}}}}"#);
            let metadata = needed(&mut serde_json::Deserializer::from_str(&text)).expect("the rest");
            assert_eq!((metadata.name.as_deref(), metadata.uid.as_deref()), (Some("acme"), Some("u")));
        }
    }

    #[test]
    fn unrepresentable_time_is_read_as_latest_time() {
        for time in ["9999-12-31T23:59:59Z", "nonsense"] {
            let metadata = read(&json!({ "creationTimestamp": time, "deletionTimestamp": time }));
            assert_eq!(metadata.creation_timestamp, Some(Time(Timestamp::MAX)));
            assert_eq!(metadata.deletion_timestamp, Some(Time(Timestamp::MAX)));
        }
        let metadata = read(&json!({ "creationTimestamp": "2026-10-01T08:00:00Z", "deletionTimestamp": null }));
        assert_eq!(metadata.creation_timestamp.map(|time| time.0.as_second()), Some(1_790_841_600));
        assert_eq!(metadata.deletion_timestamp, None);
    }

    #[test]
    fn of_annotations_only_ours_are_kept() {
        let metadata = read(&json!({ "annotations": { "foreign": "x".repeat(1000), CONFIRM: "id" } }));
        assert_eq!(metadata.annotations, Some([(CONFIRM.to_owned(), "id".to_owned())].into()));
        assert_eq!(read(&json!({ "annotations": { "foreign": "x" } })).annotations, None);
    }
}
