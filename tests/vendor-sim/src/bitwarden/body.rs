//! Reads the body of the public PUT as ASP.NET does (sections 5.1, 5.3): names in any case, numbers also as strings,
//! unknown fields ignored, 32-bit integers only.

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

/// One JSON object and where it is.
struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

fn conversion(path: &str, kind: &str) -> Box<Answer> {
    Box::new(model_error(path, &format!("The JSON value could not be converted to {kind}. Path: {path}")))
}

impl<'a> Object<'a> {
    /// The last field of that name in any case, unless null; and its path as sent.
    fn field(&self, name: &str) -> Option<(String, &'a Value)> {
        let (key, value) = self.map.iter().rfind(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null())?;
        Some((format!("{}.{key}", self.path), value))
    }

    fn object(&self, name: &str) -> Result<Option<Object<'a>>, Box<Answer>> {
        match self.field(name) {
            None => Ok(None),
            Some((path, Value::Object(map))) => Ok(Some(Object { path, map })),
            Some((path, _)) => Err(conversion(&path, "the model")),
        }
    }

    fn number(&self, name: &str) -> Result<Option<i32>, Box<Answer>> {
        let Some((path, value)) = self.field(name) else {
            return Ok(None);
        };
        let number = match value {
            Value::Number(number) => number.as_i64().and_then(|n| i32::try_from(n).ok()),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| conversion(&path, "System.Nullable`1[System.Int32]"))
    }
}

/// The update, or the 400.
pub(crate) fn read(body: &[u8]) -> Result<Update, Box<Answer>> {
    let missing = || Box::new(model_error("", "A non-empty request body is required."));
    if body.is_empty() {
        return Err(missing());
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| Box::new(model_error("$", &format!("{error}. Path: $"))))?;
    let root = match &value {
        Value::Null => return Err(missing()),
        Value::Object(map) => Object { path: "$".into(), map },
        _ => return Err(conversion("$", "the model")),
    };
    let password_manager = match root.object("passwordManager")? {
        None => None,
        Some(pm) => Some(PasswordManager {
            seats: pm.number("seats")?,
            limit: pm.number("maxAutoScaleSeats")?,
            storage: pm.number("storage")?,
        }),
    };
    let secrets_manager = match root.object("secretsManager")? {
        None => None,
        Some(sm) => Some(SecretsManager {
            seats: sm.number("seats")?,
            limit: sm.number("maxAutoScaleSeats")?,
            accounts: sm.number("serviceAccounts")?,
            account_limit: sm.number("maxAutoScaleServiceAccounts")?,
        }),
    };
    if password_manager.is_none() && secrets_manager.is_none() {
        return Err(Box::new(model_error("", "At least one of PasswordManager or SecretsManager must be provided.")));
    }
    Ok(Update { password_manager, secrets_manager })
}
