//! The CRD as it is shipped: the derived schema, made stricter where derive has no word for it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;

use super::{LicenseSeats, SeatApproval, UNOBSERVED};

/// The CustomResourceDefinition for `LicenseSeats`, deterministic: the same types give the same bytes.
pub fn crd() -> CustomResourceDefinition {
    let mut crd = LicenseSeats::crd();
    for version in &mut crd.spec.versions {
        let Some(root) = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut()) else {
            continue;
        };
        tidy(root);
        if let Some(status) = root.properties.as_mut().and_then(|p| p.get_mut("status")) {
            let json = serde_json::json!({ "observedGeneration": UNOBSERVED });
            status.default = Some(k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSON(json));
        }
    }
    crd
}

/// All CustomResourceDefinitions, in the order in which they are applied.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut approval = SeatApproval::crd();
    for version in &mut approval.spec.versions {
        if let Some(root) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            tidy(root);
        }
    }
    vec![crd(), approval]
}

/// All of them as one YAML stream.
///
/// # Errors
/// What cannot be written as YAML.
pub fn crds_yaml() -> Result<String, serde_yaml::Error> {
    let documents = crds().iter().map(serde_yaml::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(documents.join("---\n"))
}

/// An explicit null must mean the same as an absent field: a nullable field would keep the null, and CEL would fail
/// on it with a message that explains nothing. Integer bounds are i32 throughout, so `format` and schemars' own minimum
/// of the type say nothing.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    // schemars splits doc comments at their first sentence and wraps lines; explain prints best unwrapped.
    if let Some(text) = &mut schema.description {
        *text = text.split("\n\n").map(|p| p.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    }
    for child in schema.properties.iter_mut().flat_map(|p| p.values_mut()) {
        tidy(child);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        tidy(items);
    }
}
