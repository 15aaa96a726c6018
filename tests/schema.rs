//! The CRD as the apiserver takes it: structural, documented to the last field, and asking for no more than it must.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::Api;
use seatkeeper::api::UNOBSERVED;
use seatkeeper_support::{ControlPlane, needs_control_plane};
use serde_json::json;

use crate::admission::desk;

/// The CRD as it is installed.
async fn installed() -> CustomResourceDefinition {
    let crds: Api<CustomResourceDefinition> = Api::all(ControlPlane::shared().await.admin());
    crds.get("licenseseats.seatkeeper.dev").await.expect("the CRD is installed")
}

/// Every field with its path, the root first.
fn fields(crd: &CustomResourceDefinition) -> Vec<(String, JSONSchemaProps)> {
    fn walk(path: &str, schema: &JSONSchemaProps, into: &mut Vec<(String, JSONSchemaProps)>) {
        into.push((path.to_owned(), schema.clone()));
        for (name, child) in schema.properties.iter().flatten() {
            walk(&format!("{path}.{name}"), child, into);
        }
        if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
            walk(&format!("{path}[]"), items, into);
        }
    }
    let mut all = Vec::new();
    let root = crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref();
    walk("", root.expect("a schema"), &mut all);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn apiserver_finds_the_schema_structural_and_serves_it() {
    needs_control_plane!();
    let status = installed().await.status.expect("a status");
    let conditions = status.conditions.unwrap_or_default();
    let is = |kind: &str| conditions.iter().find(|c| c.type_ == kind).map(|c| c.status.as_str());
    assert_eq!(is("NonStructuralSchema"), None, "{conditions:?}");
    assert_eq!(is("Established"), Some("True"), "{conditions:?}");
    assert_eq!(is("NamesAccepted"), Some("True"), "{conditions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_is_documented() {
    needs_control_plane!();
    let fields = fields(&installed().await);
    assert!(fields.iter().any(|(path, _)| path == ".status.conditions[].reason"));
    let silent = |(path, schema): &(String, JSONSchemaProps)| {
        let text = schema.description.as_deref().unwrap_or_default();
        // What an item is, the list says; apiVersion, kind and metadata are filled in by the apiserver.
        let expected = (path.starts_with(".spec") || path.starts_with(".status")) && !path.ends_with("[]");
        (expected && text.len() < 10).then(|| path.clone())
    };
    let silent: Vec<String> = fields.iter().filter_map(silent).collect();
    assert!(silent.is_empty(), "without a description: {silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_older_objects_lack_are_optional() {
    needs_control_plane!();
    let fields = fields(&installed().await);
    let required = |(path, schema): &(String, JSONSchemaProps)| {
        let names = schema.required.clone().unwrap_or_default();
        names.into_iter().map(|name| format!("{path}.{name}")).collect::<Vec<_>>()
    };
    let all: Vec<String> = fields.iter().flat_map(required).collect();
    let (status, spec): (Vec<_>, Vec<_>) = all.into_iter().partition(|path| path.starts_with(".status."));
    let expected = [
        ".spec",
        ".spec.adjustment.decrease.mode",
        ".spec.adjustment.increase.mode",
        ".spec.adjustment.windows[].beforeRenewal.closes",
        ".spec.adjustment.windows[].beforeRenewal.opens",
        ".spec.adjustment.windows[].cron.duration",
        ".spec.adjustment.windows[].cron.schedule",
        ".spec.adjustment.windows[].cron.timeZone",
        ".spec.adjustment.windows[].name",
        ".spec.limit.mode",
        ".spec.sizing.headroom",
        ".spec.vendor",
        ".spec.vendor.bitwarden.credentialsSecretRef.name",
        ".spec.vendor.bitwarden.ownerCredentialsSecretRef.name",
        ".spec.vendor.immuta.credentialsSecretRef",
        ".spec.vendor.immuta.credentialsSecretRef.name",
        ".spec.vendor.immuta.licenseKeys[].adopt.id",
        ".spec.vendor.immuta.licenseKeys[].adopt.uuid",
        ".spec.vendor.immuta.licenseKeys[].secretKeyRef",
        ".spec.vendor.immuta.licenseKeys[].secretKeyRef.key",
        ".spec.vendor.immuta.licenseKeys[].secretKeyRef.name",
    ];
    let mut spec = spec;
    spec.sort();
    assert_eq!(spec, expected);
    // Within the status only parts of something that is there as a whole.
    let top: Vec<_> = status.iter().filter(|path| path.matches('.').count() < 3).collect();
    assert!(top.is_empty(), "{top:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_defaults_only_unhandled_generation_and_scale_selector() {
    needs_control_plane!();
    let fields = fields(&installed().await);
    let defaults: Vec<_> =
        fields.iter().filter_map(|(path, schema)| Some((path.as_str(), schema.default.as_ref()?.0.clone()))).collect();
    let expected = [
        (".status", json!({ "observedGeneration": UNOBSERVED })),
        (".status.observedGeneration", json!(UNOBSERVED)),
        (".status.selector", json!("seatkeeper.dev/pods=none")),
    ];
    assert_eq!(defaults, expected);
    let nullable: Vec<_> = fields.iter().filter(|(_, schema)| schema.nullable == Some(true)).collect();
    assert!(nullable.is_empty(), "a nullable field keeps its null, and rules fail on it: {nullable:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unhandled_object_is_not_read_as_current() {
    needs_control_plane!();
    let d = desk("new").await;
    let made = d.create("new", json!({})).await.expect("it is admitted");
    let status = made.status.expect("a status at once");
    assert_eq!(status.observed_generation, UNOBSERVED);
    assert!(status.conditions.is_empty());
    let output = ["get", "seats", "new", "-o", "jsonpath={.status.observedGeneration}"];
    assert_eq!(d.plane.kubectl_in(&d.namespace, &output, "").await.ok(), "-1");
}
