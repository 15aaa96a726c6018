//! The object as the apiserver stores it: quorum reads, and compare-and-swap writes of its status.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::api::{GetParams, Patch, PatchParams};
use kube::core::Request;
use kube::{Client, Resource};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Error;
use super::lenient_metadata::needed;
use super::object_state::{Key, Left};
use super::status_not_stored::lost;
use crate::api::{Intent, LicenseSeats, LicenseSeatsStatus};

/// Name of the operator in `managedFields`.
const MANAGER: &str = "seatkeeper";

/// The longest a single apiserver request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One object with the version it was read at.
#[derive(Clone)]
pub(super) struct StoredObject {
    client: Client,
    key: Key,
    object: Object,
    /// The versions that were read and written.
    versions: Vec<String>,
}

/// The object as JSON, which keeps for comparison what typed parsing would lose.
#[derive(Clone, Deserialize)]
struct Object {
    #[serde(deserialize_with = "needed")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

/// Waits for an apiserver request, up to a time limit.
pub(super) async fn bounded<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Error> {
    match tokio::time::timeout(TIMEOUT, request).await {
        Ok(result) => result.map_err(Error::of),
        Err(_) => Err(Error::Slow(TIMEOUT)),
    }
}

/// Reads one object by name, quorum read; `None`: there is none. It is parsed here, because the client would log an object that it
/// cannot parse, even a Secret.
pub(super) async fn get<K: Resource<DynamicType = ()>, T: DeserializeOwned>(
    client: &Client,
    (namespace, name): (&str, &str),
) -> Result<Option<T>, Error> {
    let request = Request::new(K::url_path(&(), Some(namespace))).get(name, &GetParams::default());
    let request = request.map_err(|error| Error::of(kube::Error::BuildRequest(error)))?;
    match bounded(client.request_text(request)).await {
        Ok(text) => parsed(&text).map(Some),
        Err(Error::Apiserver(kube::Error::Api(status))) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The answer. No part of an unexpected one is repeated.
fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| Error::Foreign)
}

impl StoredObject {
    /// A quorum read (no `resourceVersion`): never a cache. `None`: the object is gone.
    pub async fn read(client: &Client, key: &Key) -> Result<Option<Self>, Error> {
        let object = get::<LicenseSeats, Object>(client, (&key.0, &key.1)).await?;
        let object = object.map(|object| whole(object, &key.1)).transpose()?;
        Ok(object.map(|object| {
            let versions = object.metadata.resource_version.iter().cloned().collect();
            Self { client: client.clone(), key: key.clone(), object, versions }
        }))
    }

    /// An object for tests, as if it had been read.
    #[cfg(test)]
    pub fn of(client: &Client, key: &Key, object: Value) -> Self {
        let object = serde_json::from_value(object).unwrap();
        Self { client: client.clone(), key: key.clone(), object, versions: Vec::new() }
    }

    /// Reads the same object again.
    pub async fn again(&self) -> Result<Option<Self>, Error> {
        Self::read(&self.client, &self.key).await
    }

    pub fn metadata(&self) -> &ObjectMeta {
        &self.object.metadata
    }

    pub fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or_default()
    }

    /// The spec, or its faults, by field.
    pub fn spec<T: DeserializeOwned>(&self) -> Result<T, String> {
        parse("spec", &self.object.spec)
    }

    /// `spec.activeCluster`, whether or not the rest of the spec can be read.
    pub fn active_cluster(&self) -> Option<&str> {
        self.object.spec.get("activeCluster").and_then(Value::as_str)
    }

    /// The status; absent counts as never written.
    pub fn status(&self) -> Result<LicenseSeatsStatus, String> {
        match &self.object.status {
            Value::Null => Ok(LicenseSeatsStatus::default()),
            status => parse("status", status),
        }
    }

    /// Its state at the end of a pass of this term. `redone`: when a pass last restored a status that another writer had written.
    pub fn left(&self, term: u64, redone: Option<Instant>) -> Left {
        Left::new(&self.versions, &self.object.status, (term, redone))
    }

    /// The status as JSON, whether or not it can be read.
    pub fn record(&self) -> &Value {
        &self.object.status
    }

    /// The conditions of a status. The rest of it may not be readable.
    pub fn conditions(&self) -> Vec<Condition> {
        let conditions = self.object.status.get("conditions");
        conditions.map_or_else(Vec::new, |value| parse("status.conditions", value).unwrap_or_default())
    }

    /// The recorded generation that was in sync, whether or not the rest of the status can be read.
    pub fn satisfied_generation(&self) -> Option<i64> {
        self.object.status.get("satisfiedGeneration").and_then(Value::as_i64)
    }

    /// Whether this very intent is recorded, with each of its fields.
    pub fn has_intent(&self, intent: Option<&Intent>) -> bool {
        has_intent(&self.object.status, intent)
    }

    /// Writes the differences, if there are any, on condition that no other write came since the reading. Returns an error if the
    /// status is not stored whole: an older CRD drops unknown fields.
    pub async fn write(&mut self, status: &LicenseSeatsStatus) -> Result<bool, Error> {
        let new = serde_json::to_value(status)?;
        let Some(changes) = difference(&self.object.status, &new) else {
            return Ok(false);
        };
        self.patch(changes, &new).await?;
        Ok(true)
    }

    /// Writes only words, and leaves the rest of a status unchanged that cannot be read or kept.
    pub async fn write_words(&mut self, status: &LicenseSeatsStatus) -> Result<bool, Error> {
        let mut new = json!({
            "observedGeneration": status.observed_generation, "summary": status.summary, "conditions": status.conditions,
        });
        if let Some(generation) = status.satisfied_generation {
            new["satisfiedGeneration"] = generation.into();
        }
        let changed = !lost(&new, &self.object.status).is_empty();
        if changed {
            self.patch(new.clone(), &new).await?;
        }
        Ok(changed)
    }

    /// Patches the status, and returns the parts of `wanted` that the answer lacks.
    async fn patch(&mut self, changes: Value, wanted: &Value) -> Result<(), Error> {
        let version = &self.object.metadata.resource_version;
        let patch = json!({ "metadata": { "resourceVersion": version }, "status": &changes });
        let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
        let (namespace, name) = &self.key;
        let request = Request::new(LicenseSeats::url_path(&(), Some(namespace)));
        let request = request.patch_subresource("status", name, &params, &Patch::Merge(&patch));
        let request = request.map_err(|error| Error::of(kube::Error::BuildRequest(error)))?;
        let answer = bounded(self.client.request_text(request)).await.map_err(refused)?;
        self.object = whole(parsed(&answer)?, name)?;
        self.versions.extend(self.object.metadata.resource_version.clone());
        let lost = lost(wanted, &self.object.status);
        if lost.is_empty() { Ok(()) } else { Err(Error::NotStored(lost)) }
    }
}

/// The answer, if it is the object that was asked for. Without uid and version no compare-and-swap is possible, and a proxy that
/// answers for the apiserver must not make an object look gone.
fn whole(object: Object, name: &str) -> Result<Object, Error> {
    let metadata = &object.metadata;
    let asked_for = metadata.name.as_deref() == Some(name);
    if asked_for && metadata.uid.is_some() && metadata.resource_version.is_some() {
        Ok(object)
    } else {
        Err(Error::Foreign)
    }
}

/// A status that the schema of the CRD refuses is not stored either: an older schema may not know one of our values.
fn refused(error: Error) -> Error {
    match error {
        Error::Apiserver(kube::Error::Api(status)) if status.is_invalid() => {
            let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
            // A rule that could not be checked names no field: "<nil>".
            let fields = causes.iter().map(|cause| &cause.field).filter(|field| field.starts_with(char::is_alphabetic));
            let fields: BTreeSet<String> = fields.cloned().collect();
            tracing::warn!(why = status.message, "the apiserver refuses a status");
            Error::NotStored(if fields.is_empty() { vec!["status".into()] } else { fields.into_iter().collect() })
        }
        error => error,
    }
}

/// Whether a record has this very intent, if this version can read it.
fn has_intent(record: &Value, intent: Option<&Intent>) -> bool {
    let recorded = parse::<Option<Intent>>("status.intent", record.get("intent").unwrap_or(&Value::Null));
    recorded.is_ok_and(|recorded| serde_json::to_value(recorded).ok() == serde_json::to_value(intent).ok())
}

fn parse<T: DeserializeOwned>(root: &str, value: &Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let (path, why) = (error.path().to_string(), error.inner().to_string());
        let path = if path == "." { root.to_owned() } else { format!("{root}.{path}") };
        // An unknown text would be repeated as it is, in a condition and in a log.
        let why = why.chars().take(200).map(|c| if c.is_control() { ' ' } else { c });
        format!("{path} cannot be read: {}", why.collect::<String>())
    })
}

/// The JSON merge patch from one value to another; `None` when they are equal.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    let changed = after.iter().filter_map(|(key, value)| {
        let change = difference(before.get(key).unwrap_or(&Value::Null), value)?;
        Some((key.clone(), change))
    });
    let patch: Map<String, Value> = gone.chain(changed).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests;
