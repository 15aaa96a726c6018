//! JSON objects that are objects. Serde reads a list as a struct too, by position: a vendor means fields by their
//! names, so a list in the place of an object is refused. Used by `http` for every answer, and by the wire types for
//! what is in them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// What is read from a JSON object, and from nothing else.
pub(super) struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfNames(PhantomData)).map(Self)
    }
}

struct OfNames<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfNames<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// For a field that is an object, or null, or not there (with `default`).
pub(super) fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::<JsonObject<T>>::deserialize(deserializer).map(|object| object.map(|JsonObject(of)| of))
}

/// For a field that may be null, and must be there.
pub(super) fn required<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// For a field that is a list of objects.
pub(super) fn each<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Vec::<JsonObject<T>>::deserialize(deserializer).map(|list| list.into_iter().map(|JsonObject(of)| of).collect())
}

/// For a field that is a list of objects, or null, or not there (with `default`).
pub(super) fn optional_each<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let list = Option::<Vec<JsonObject<T>>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(|JsonObject(of)| of).collect()))
}
