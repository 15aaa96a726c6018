//! Compares the schema that a cluster serves for `LicenseSeats` with the one compiled in. Pure; called with the OpenAPI
//! document of the group version.
//!
//! The apiserver drops a field that its CRD does not know without a word, and refuses a word that an older enumeration
//! does not have. A newer CRD with more is accepted.

use std::sync::OnceLock;

use serde_json::Value;

use super::crd_file::crd;

/// What of this operator's CRD the cluster's CRD lacks, by field path: `status.plan`, or `status.intent.phase=Settling` for
/// a word that a field does not accept. Empty: nothing. `None`: the document does not describe `LicenseSeats`.
pub fn lacking(document: &Value) -> Option<Vec<String>> {
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    let theirs = schemas.values().find(|schema| is_ours(schema))?;
    let mut lacking = Vec::new();
    compare("", ours(), theirs, &mut lacking);
    Some(lacking)
}

fn is_ours(schema: &Value) -> bool {
    let kinds = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
    kinds.into_iter().flatten().any(|kind| {
        let is = |key: &str, value: &str| kind.get(key).and_then(Value::as_str) == Some(value);
        is("group", "seatkeeper.dev") && is("version", "v1alpha1") && is("kind", "LicenseSeats")
    })
}

/// The schema of the only version.
fn ours() -> &'static Value {
    static OURS: OnceLock<Value> = OnceLock::new();
    OURS.get_or_init(|| {
        let version = crd().spec.versions.into_iter().next();
        let schema = version.and_then(|version| version.schema).and_then(|schema| schema.open_api_v3_schema);
        serde_json::to_value(schema).unwrap_or_default()
    })
}

fn compare(path: &str, ours: &Value, theirs: &Value, lacking: &mut Vec<String>) {
    if theirs.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
    if !path.is_empty() && ours.get("type") != theirs.get("type") {
        return lacking.push(path.to_owned());
    }
    if let Some(accepted) = theirs.get("enum").and_then(Value::as_array) {
        let words = ours.get("enum").and_then(Value::as_array).into_iter().flatten();
        let refused = words.filter(|word| !accepted.contains(word)).filter_map(Value::as_str);
        lacking.extend(refused.map(|word| format!("{path}={word}")));
    }
    for (name, child) in ours.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match theirs.get("properties").and_then(|fields| fields.get(name)) {
            Some(served) => compare(&path, child, served, lacking),
            None => lacking.push(path),
        }
    }
    if let (Some(ours), Some(theirs)) = (ours.get("items"), theirs.get("items")) {
        compare(&format!("{path}[]"), ours, theirs, lacking);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fuzz_inputs::each_of;

    /// The OpenAPI document of a cluster with the shipped CRD.
    fn document() -> Value {
        let mut schema = ours().clone();
        schema["x-kubernetes-group-version-kind"] =
            json!([{ "group": "seatkeeper.dev", "kind": "LicenseSeats", "version": "v1alpha1" }]);
        schema["properties"]["metadata"] = json!({ "allOf": [{ "$ref": "#/components/schemas/ObjectMeta" }] });
        let list = json!({ "x-kubernetes-group-version-kind":
            [{ "group": "seatkeeper.dev", "kind": "LicenseSeatsList", "version": "v1alpha1" }] });
        json!({ "openapi": "3.0.0", "components": { "schemas": { "List": list, "LicenseSeats": schema } } })
    }

    fn schema<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
        document.pointer_mut(&format!("/components/schemas/LicenseSeats{pointer}")).expect("a schema")
    }

    fn without(pointer: &str, name: &str) -> Option<Vec<String>> {
        let mut document = document();
        schema(&mut document, pointer).as_object_mut().expect("an object").remove(name).expect("what is removed");
        lacking(&document)
    }

    #[test]
    fn shipped_crd_and_newer_one_lack_nothing() {
        let mut document = document();
        assert_eq!(lacking(&document), Some(Vec::new()));
        let more = json!({ "type": "object", "properties": { "deep": { "type": "string" } } });
        schema(&mut document, "/properties/status/properties")["more"] = more.clone();
        schema(&mut document, "/properties/spec/properties")["more"] = more;
        let phases = schema(&mut document, "/properties/status/properties/intent/properties/phase/enum");
        phases.as_array_mut().expect("phases").push(json!("Future"));
        schema(&mut document, "/properties/status/properties/summary")["maxLength"] = json!(1000);
        assert_eq!(lacking(&document), Some(Vec::new()));
    }

    #[test]
    fn each_field_that_is_missing_is_named_by_its_path_once() {
        for (pointer, name, path) in [
            ("/properties", "status", "status"),
            ("/properties/status/properties", "plan", "status.plan"),
            ("/properties/status/properties/intent/properties", "limitTo", "status.intent.limitTo"),
            ("/properties/status/properties/history/items/properties", "licenseKey", "status.history[].licenseKey"),
            ("/properties/spec/properties/vendor/properties", "immuta", "spec.vendor.immuta"),
        ] {
            assert_eq!(without(pointer, name), Some(vec![path.to_owned()]));
        }
        assert_eq!(
            without("/properties/status/properties/intent", "properties").map(|lacking| lacking.len() > 5),
            Some(true)
        );
    }

    #[test]
    fn unaccepted_enum_value_and_other_type_are_named() {
        let mut document = document();
        let phases = schema(&mut document, "/properties/status/properties/intent/properties/phase/enum");
        phases.as_array_mut().expect("phases").retain(|phase| phase != "Settling");
        schema(&mut document, "/properties/status/properties/seats")["type"] = json!("string");
        let named = ["status.intent.phase=Settling".to_owned(), "status.seats".to_owned()];
        assert_eq!(lacking(&document), Some(named.to_vec()));
    }

    #[test]
    fn crd_that_keeps_unknown_fields_lacks_nothing_there() {
        let mut document = document();
        *schema(&mut document, "/properties/status") =
            json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        assert_eq!(lacking(&document), Some(Vec::new()));
    }

    #[test]
    fn document_without_resource_reports_nothing_about_it() {
        for document in [json!({}), json!(null), json!({ "components": { "schemas": {} } })] {
            assert_eq!(lacking(&document), None);
        }
        let mut other = document();
        schema(&mut other, "/x-kubernetes-group-version-kind/0")["version"] = json!("v1");
        assert_eq!(lacking(&other), None);
    }

    #[test]
    fn reported_path_of_any_document_begins_with_spec_or_status() {
        each_of(&[document()], |bytes| {
            let Ok(document) = serde_json::from_slice(bytes) else { return false };
            let lacking = lacking(&document);
            let paths = lacking.iter().flatten();
            assert!(paths.clone().all(|path| path.starts_with("spec") || path.starts_with("status")));
            lacking.is_some_and(|lacking| lacking.is_empty())
        });
    }
}
