//! Reads a Secret by name, afresh in each pass, because each pass may send. `get` is the only verb that the operator has on Secrets.
//! It reads only the needed fields of a Secret, so that odd metadata cannot prevent its use. An unreadable answer is an error without text.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::lenient_metadata::needed;
use super::object_state::Key;
use super::stored_object::get;
use super::{Context, Error};
use crate::domain::{Fault, reason};

#[derive(Deserialize)]
struct Needed {
    #[serde(deserialize_with = "needed")]
    metadata: ObjectMeta,
    #[serde(rename = "type")]
    kind: Option<String>,
    data: Option<BTreeMap<String, ByteString>>,
}

/// The Secret, or why it cannot be used. `kind`: the type that it should have.
pub(super) async fn read_secret(
    context: &Context,
    (namespace, _): &Key,
    name: &str,
    kind: &str,
) -> Result<Result<Secret, Fault>, Error> {
    let fault = |reason, summary: &str, message| Ok(Err(Fault::credentials(reason, summary, message)));
    match get::<Secret, Needed>(&context.client, (namespace, name)).await {
        Ok(Some(Needed { metadata, kind, data })) => {
            Ok(Ok(Secret { metadata, type_: kind, data, ..Secret::default() }))
        }
        Ok(None) => fault(
            reason::SECRET_NOT_FOUND,
            "Secret not found",
            format!("Secret {name} is not in namespace {namespace}: create it with type {kind}"),
        ),
        Err(Error::Apiserver(kube::Error::Api(status))) if status.is_forbidden() => fault(
            reason::SECRET_NOT_PERMITTED,
            "Secret may not be read",
            format!(
                "the operator may not get Secret {name} in namespace {namespace}: its Role must allow get on it (chart: rbac.secretNames lists it, or is empty)"
            ),
        ),
        Err(error) => Err(error),
    }
}
