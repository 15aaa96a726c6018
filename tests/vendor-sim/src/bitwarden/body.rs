//! Reads bodies as ASP.NET does (docs/vendors/bitwarden.md, "Shapes of JSON" and "The subscription PUT"): names in any
//! case, numbers also as strings, unknown fields ignored, 32-bit integers only. The PUT of the organization API is
//! read here, the writes of the owner API in its own module.

use serde_json::{Map, Value};

use super::route::model_error;
use crate::http::Answer;

/// `passwordManager`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PasswordManager {
    pub(crate) seats: Option<i32>,
    pub(crate) limit: Option<i32>,
    pub(crate) storage: Option<i32>,
}

/// `secretsManager`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SecretsManager {
    pub(crate) seats: Option<i32>,
    pub(crate) limit: Option<i32>,
    pub(crate) accounts: Option<i32>,
    pub(crate) account_limit: Option<i32>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Update {
    pub(crate) password_manager: Option<PasswordManager>,
    pub(crate) secrets_manager: Option<SecretsManager>,
}

/// What is wrong with a body, and where: a JSON path, a property, or nothing for the whole. Each API words it its way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BodyError {
    pub(crate) key: String,
    pub(crate) text: String,
}

impl BodyError {
    fn new(key: &str, text: impl Into<String>) -> Self {
        Self { key: key.into(), text: text.into() }
    }

    fn conversion(path: &str, kind: &str) -> Self {
        Self::new(path, format!("The JSON value could not be converted to {kind}. Path: {path}"))
    }

    fn empty() -> Self {
        Self::new("", "A non-empty request body is required.")
    }
}

/// One JSON object and where it is.
pub(crate) struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// The whole body.
    pub(crate) fn root(value: &'a Value) -> Result<Self, BodyError> {
        match value {
            Value::Null => Err(BodyError::empty()),
            Value::Object(map) => Ok(Self { path: "$".into(), map }),
            _ => Err(BodyError::conversion("$", "the model")),
        }
    }

    /// The last field of that name in any case, unless null; and its path as sent.
    fn field(&self, name: &str) -> Option<(String, &'a Value)> {
        let (key, value) = self.map.iter().rfind(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null())?;
        Some((format!("{}.{key}", self.path), value))
    }

    /// An object, or None if it is missing or null.
    pub(crate) fn member(&self, name: &str) -> Result<Option<Object<'a>>, BodyError> {
        match self.field(name) {
            None => Ok(None),
            Some((path, Value::Object(map))) => Ok(Some(Object { path, map })),
            Some((path, _)) => Err(BodyError::conversion(&path, "the model")),
        }
    }

    /// A number, or None if it is missing or null.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i32>, BodyError> {
        let Some((path, value)) = self.field(name) else {
            return Ok(None);
        };
        let number = match value {
            Value::Number(number) => number.as_i64().and_then(|n| i32::try_from(n).ok()),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| BodyError::conversion(&path, "System.Nullable`1[System.Int32]"))
    }

    /// A number that is 0 if it is missing; null is no number.
    pub(crate) fn count(&self, name: &str) -> Result<i32, BodyError> {
        if let Some((key, _)) = self.map.iter().find(|(key, value)| key.eq_ignore_ascii_case(name) && value.is_null()) {
            return Err(BodyError::conversion(&format!("{}.{key}", self.path), "System.Int32"));
        }
        Ok(self.number(name)?.unwrap_or(0))
    }

    /// A text, or None if it is missing, null or no text.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.field(name).and_then(|(_, value)| value.as_str())
    }
}

/// The JSON in a body.
pub(crate) fn parse(body: &[u8]) -> Result<Value, BodyError> {
    if body.is_empty() {
        return Err(BodyError::empty());
    }
    serde_json::from_slice(body).map_err(|error| BodyError::new("$", format!("{error}. Path: $")))
}

fn update(body: &[u8]) -> Result<Update, BodyError> {
    let value = parse(body)?;
    let root = Object::root(&value)?;
    let password_manager = match root.member("passwordManager")? {
        None => None,
        Some(pm) => Some(PasswordManager {
            seats: pm.number("seats")?,
            limit: pm.number("maxAutoScaleSeats")?,
            storage: pm.number("storage")?,
        }),
    };
    let secrets_manager = match root.member("secretsManager")? {
        None => None,
        Some(sm) => Some(SecretsManager {
            seats: sm.number("seats")?,
            limit: sm.number("maxAutoScaleSeats")?,
            accounts: sm.number("serviceAccounts")?,
            account_limit: sm.number("maxAutoScaleServiceAccounts")?,
        }),
    };
    if password_manager.is_none() && secrets_manager.is_none() {
        return Err(BodyError::new("", "At least one of PasswordManager or SecretsManager must be provided."));
    }
    Ok(Update { password_manager, secrets_manager })
}

/// The update, or the 400.
pub(crate) fn read(body: &[u8]) -> Result<Update, Box<Answer>> {
    update(body).map_err(|error| Box::new(model_error(&error.key, &error.text)))
}
