//! The JSON of Immuta's license endpoints, as far as it is used (docs/vendors/immuta.md, "Endpoints"). No type here has
//! a place for a license key, a renewal token or a classify token: what is not named is never kept.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ImmutaError;
use crate::domain::Row;
use crate::vendors::date;
use crate::vendors::error::VendorError;

/// How many features of a key are read. The examples have one or two.
const MOST_FEATURES: usize = 30;
/// How long the name of a feature may be.
const LONGEST_FEATURE: usize = 40;

/// The body of `POST /bim/apikey/authenticate`: the field is all lower case ("Authentication").
#[derive(Serialize)]
pub(super) struct Exchange<'a> {
    pub(super) apikey: &'a str,
}

/// A token answer. The token becomes a `SecretString` at once.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenAnswer {
    token: Option<String>,
    token_expiration: Option<Value>,
}

impl TokenAnswer {
    pub(super) fn token(self) -> Result<SecretString, ImmutaError> {
        let token = self.token.filter(|token| !token.is_empty()).ok_or(ImmutaError::ApiKeyRefused)?;
        if !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(VendorError::Unreadable("the token has characters that no header has").into());
        }
        Ok(SecretString::from(token))
    }

    /// When the token expires, if the answer has a time that can be read.
    pub(super) fn expiration(&self) -> Option<Timestamp> {
        date::utc(self.token_expiration.as_ref()?.as_str()?)
    }
}

/// A license record, short or long.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LicenseRecord {
    id: Option<Value>,
    uuid: Option<Value>,
    seats: Option<Value>,
    expires: Option<Value>,
    hard_expiration: Option<Value>,
    invalidated: Option<Value>,
    deleted: Option<Value>,
    features: Option<Value>,
    handlers: Option<Value>,
}

impl LicenseRecord {
    /// The row, checked; `None`: it is marked as deleted. The fields that identify it must be there; any other field
    /// that cannot be read is named in the row and is not known.
    ///
    /// # Errors
    /// The field that should identify it.
    pub(super) fn row(self) -> Result<Option<Row>, &'static str> {
        let id = self.id.as_ref().and_then(Value::as_i64).ok_or("id")?;
        // It goes into the status, so it must look like an identifier, though it need not be a UUID
        // ("Slips and gaps of the page").
        let usable = |uuid: &&str| (1..=100).contains(&uuid.len()) && uuid.bytes().all(|b| b.is_ascii_graphic());
        let uuid = self.uuid.as_ref().and_then(Value::as_str).filter(usable).ok_or("uuid")?.to_owned();
        let mut odd = None;
        let seats = told(self.seats.as_ref(), "seats", &mut odd, |seats| number(Some(seats.as_i64()?)).ok()?);
        // Taken for one without end, an expiry that is not understood would go unnoticed.
        let expires = told(self.expires.as_ref(), "expires", &mut odd, |end| date::utc(end.as_str()?));
        let hard = told(self.hard_expiration.as_ref(), "hardExpiration", &mut odd, Value::as_bool);
        let invalidated = told(self.invalidated.as_ref(), "invalidated", &mut odd, Value::as_bool).unwrap_or_default();
        let deleted = told(self.deleted.as_ref(), "deleted", &mut odd, Value::as_bool).unwrap_or_default();
        let features = features([self.features.as_ref(), self.handlers.as_ref()]);
        let row = Row { id, uuid, seats, expires, hard, invalidated, odd, features };
        Ok((!deleted).then_some(row))
    }
}

/// The value of a field; `None`: it has none. A field that cannot be read becomes the odd one of its row.
fn told<T>(
    field: Option<&Value>,
    name: &'static str,
    odd: &mut Option<&'static str>,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<T> {
    let value = field.filter(|value| !value.is_null())?;
    let read = read(value);
    if read.is_none() {
        odd.get_or_insert(name);
    }
    read
}

/// Names of what a key turns on beside seats, in order: features and data handlers. They are objects in the examples and
/// arrays in the table ("The license record"). `None`: in another shape, or with a name that is none: it goes into the
/// status.
fn features(fields: [Option<&Value>; 2]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for field in fields.into_iter().flatten() {
        match field {
            Value::Array(list) => {
                names.extend(list.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?);
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    let enabled = value.as_bool().or_else(|| value.get("enabled")?.as_bool())?;
                    names.extend(enabled.then(|| name.clone()));
                }
            }
            _ => return None,
        }
    }
    names.sort_unstable();
    names.dedup();
    let usable = |name: &String| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        (1..=LONGEST_FEATURE).contains(&name.len()) && name.bytes().all(plain)
    };
    (names.len() <= MOST_FEATURES && names.iter().all(usable)).then_some(names)
}

/// The record that answers a removal, as far as it identifies the row and its state.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemovedRecord {
    id: i64,
    uuid: String,
    deleted: Option<bool>,
    hard_delete: Option<bool>,
}

impl RemovedRecord {
    /// Whether it says that this row is deleted.
    pub(super) fn is_of(&self, id: i64, uuid: &str) -> bool {
        (self.id, self.uuid.as_str()) == (id, uuid) && (self.deleted == Some(true) || self.hard_delete == Some(true))
    }
}

/// `GET /admin/license/licenseStatus` ("The license status").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LicenseStatus {
    active_user_count: Option<i64>,
    license_seats: Option<i64>,
    pub(super) can_add_user: Option<bool>,
    hard_seats: Option<i64>,
}

impl LicenseStatus {
    pub(super) fn used(&self) -> Result<Option<i32>, VendorError> {
        number(self.active_user_count)
    }

    /// All seats; a tenant without any license may leave the number out.
    pub(super) fn seats(&self, unlicensed: bool) -> Result<i32, VendorError> {
        let none = || if unlicensed { Ok(0) } else { Err(VendorError::Unreadable("licenseSeats is missing")) };
        number(self.license_seats)?.map_or_else(none, Ok)
    }

    pub(super) fn hard_seats(&self) -> Result<Option<i32>, VendorError> {
        number(self.hard_seats)
    }
}

/// `GET /admin/license/usage` ("The usage report"): only the summary; the users are not needed here.
#[derive(Deserialize)]
pub(super) struct Usage {
    summary: Value,
}

impl Usage {
    /// All users of both types. They are never checked against each other: even the published example does not add up.
    pub(super) fn users(&self) -> Option<i32> {
        let total = |name: &str| {
            let counts = self.summary.get(name)?;
            // The table calls it an array, the example shows an object.
            let counts = counts.as_array().map_or(Some(counts), |list| list.first())?;
            i32::try_from(counts.get("totalCount")?.as_i64()?).ok().filter(|n| *n >= 0)
        };
        total("dataConsumers")?.checked_add(total("policyOwners")?)
    }
}

/// What a refusal says, as far as it matters. Its text is read and never kept: it may repeat the key ("Refusals").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hint {
    /// The key is there already.
    pub(super) duplicate: bool,
    /// The field that carries the key is named.
    pub(super) names_field: bool,
}

impl Hint {
    pub(super) fn of(body: &Value, key: &str) -> Self {
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
        let message = message.replace(key, " ").to_lowercase();
        let details = body.get("validation").map(details).unwrap_or_default();
        let exists = ["already exist", "already present", "already been", "already added", "duplicate"];
        Self {
            duplicate: details.iter().any(|(code, _)| code == "unique")
                || exists.iter().any(|word| message.contains(word)),
            names_field: message.contains("licensekey") || details.iter().any(|(_, field)| field == "licensekey"),
        }
    }
}

/// Code and field of each detail; fields in lower case.
fn details(validation: &Value) -> Vec<(String, String)> {
    let one = std::slice::from_ref(validation);
    let list = validation.as_array().map_or(one, Vec::as_slice);
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let field = |detail: &Value| match detail.get("path") {
        Some(Value::Array(path)) => path.last().and_then(Value::as_str).unwrap_or_default().to_lowercase(),
        Some(Value::String(path)) => path.to_lowercase(),
        _ => text(detail, "field"),
    };
    list.iter().map(|detail| (text(detail, "code"), field(detail))).collect()
}

fn number(n: Option<i64>) -> Result<Option<i32>, VendorError> {
    let checked = |n: i64| i32::try_from(n).ok().filter(|n| *n >= 0);
    n.map(|n| checked(n).ok_or(VendorError::Unreadable("a number is out of range"))).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(record: Value) -> Result<Option<Row>, &'static str> {
        serde_json::from_value::<LicenseRecord>(record).expect("a record").row()
    }

    #[test]
    fn license_without_end_has_none_and_malformed_end_is_reported() {
        for record in [json!({"id": 1, "uuid": "u"}), json!({"id": 1, "uuid": "u", "expires": null, "seats": null})] {
            let row = read(record).unwrap().unwrap();
            assert_eq!((row.expires, row.seats), (None, None));
        }
        for expires in [json!(""), json!("never"), json!(17), json!({})] {
            let row = read(json!({"id": 1, "uuid": "u", "expires": expires})).unwrap().unwrap();
            assert_eq!((row.expires, row.odd), (None, Some("expires")), "{expires}");
        }
    }

    #[test]
    fn features_are_read_in_either_shape_and_unclear_ones_count_as_unknown() {
        let of = |features: Value, handlers: Value| {
            let record = json!({"id": 1, "uuid": "u", "features": features, "handlers": handlers});
            read(record).unwrap().unwrap().features
        };
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(json!({"id": 1, "uuid": "u"})).unwrap().unwrap().features, names(&[]));
        assert_eq!(of(json!({"FPE": {"enabled": true}, "OFF": {"enabled": false}}), json!({})), names(&["FPE"]));
        assert_eq!(of(json!({"FPE": true, "OFF": false}), json!({"S3": {"enabled": true}})), names(&["FPE", "S3"]));
        assert_eq!(of(json!(["FPE", "A", "FPE"]), Value::Null), names(&["A", "FPE"]));
        let many: Vec<String> = (0..31).map(|n| format!("F{n}")).collect();
        for odd in [
            json!("FPE"),
            json!({"FPE": 1}),
            json!({"FPE": {}}),
            json!([1]),
            json!(["two words"]),
            json!([""]),
            json!(["x".repeat(41)]),
            json!(many),
        ] {
            assert_eq!(of(odd.clone(), json!({})), None, "{odd}");
            assert_eq!(of(json!({}), odd), None);
        }
    }

    #[test]
    fn row_with_unreadable_field_names_it_and_row_without_identity_is_error() {
        for (field, value) in [
            ("seats", json!(-1)),
            ("seats", json!(3_000_000_000_i64)),
            ("seats", json!("40")),
            ("hardExpiration", json!("no")),
            ("invalidated", json!(1)),
            ("deleted", json!("true")),
        ] {
            let row = read(json!({"id": 1, "uuid": "u", field: value})).unwrap().unwrap();
            assert_eq!((row.id, row.seats, row.odd), (1, None, Some(field)), "{value}");
        }
        for (record, field) in [
            (json!({"id": 1, "uuid": ""}), "uuid"),
            (json!({"id": 1, "uuid": "a\nb"}), "uuid"),
            (json!({"id": 1}), "uuid"),
            (json!({"id": "1", "uuid": "u"}), "id"),
            (json!({"uuid": "u"}), "id"),
        ] {
            assert_eq!(read(record.clone()), Err(field), "{record}");
        }
        assert_eq!(read(json!({"id": 1, "uuid": "u", "deleted": true})), Ok(None));
    }

    #[test]
    fn refusal_is_read_from_code_or_words_and_never_from_key_in_it() {
        let hint = |body: &Value| Hint::of(body, "KEY duplicate");
        let unique = json!({"message": "no", "validation": [{"code": "unique", "path": ["licenseKey"]}]});
        assert!(hint(&unique).duplicate && hint(&unique).names_field);
        assert!(hint(&json!({"message": "The license already exists"})).duplicate);
        assert_eq!(hint(&json!({"message": "not valid: KEY duplicate"})), Hint::default());
        assert!(hint(&json!({"message": "\"licenseKey\" is not allowed"})).names_field);
        assert!(
            hint(&json!({"message": "bad", "validation": {"code": "any.required", "path": "licensekey"}})).names_field
        );
        assert_eq!(hint(&json!([])), Hint::default());
    }

    #[test]
    fn users_are_counted_from_the_summary_in_either_shape() {
        let usage = |consumers: Value| {
            let body = json!({"summary": {"dataConsumers": consumers, "policyOwners": {"totalCount": 3}}, "users": 7});
            serde_json::from_value::<Usage>(body).unwrap().users()
        };
        assert_eq!(usage(json!({"totalCount": 25, "activeCount": 10, "inactiveCount": 25})), Some(28));
        assert_eq!(usage(json!([{"totalCount": 25}])), Some(28));
        for odd in [json!([]), json!(null), json!({"totalCount": -1}), json!({"totalCount": "9"})] {
            assert_eq!(usage(odd), None);
        }
    }

    #[test]
    fn most_features_and_longest_name_are_known_and_one_more_is_not() {
        let features = |features: Value| {
            read(json!({"id": 1, "uuid": "u", "features": features}))
                .unwrap()
                .unwrap()
                .features
                .map(|names| names.len())
        };
        let many = |count: usize| json!((0..count).map(|n| format!("F{n}")).collect::<Vec<_>>());
        assert_eq!((features(many(MOST_FEATURES)), features(many(MOST_FEATURES + 1))), (Some(MOST_FEATURES), None));
        let long = |length: usize| json!(["x".repeat(length)]);
        assert_eq!((features(long(LONGEST_FEATURE)), features(long(LONGEST_FEATURE + 1))), (Some(1), None));
        assert_eq!(features(json!(["a-b_c.D9"])), Some(1));
        let uuid = |length: usize| read(json!({"id": 1, "uuid": "u".repeat(length)}));
        assert!(uuid(100).is_ok_and(|row| row.is_some()));
        assert_eq!(uuid(101), Err("uuid"));
    }

    #[test]
    fn removal_is_of_row_that_id_and_uuid_name_and_that_is_marked_as_gone() {
        let is_of = |record: Value| serde_json::from_value::<RemovedRecord>(record).unwrap().is_of(7, "u7");
        assert!(is_of(json!({"id": 7, "uuid": "u7", "deleted": true})));
        assert!(is_of(json!({"id": 7, "uuid": "u7", "deleted": false, "hardDelete": true})));
        for other in [
            json!({"id": 8, "uuid": "u7", "deleted": true}),
            json!({"id": 7, "uuid": "u8", "deleted": true}),
            json!({"id": 7, "uuid": "u7", "deleted": false, "hardDelete": false}),
            json!({"id": 7, "uuid": "u7"}),
        ] {
            assert!(!is_of(other.clone()), "{other}");
        }
    }

    #[test]
    fn seats_that_a_tenant_leaves_out_are_none_only_where_it_has_no_license() {
        let status = |status: Value| serde_json::from_value::<LicenseStatus>(status).unwrap();
        let missing = status(json!({}));
        assert_eq!((missing.seats(true), missing.used(), missing.hard_seats()), (Ok(0), Ok(None), Ok(None)));
        assert!(missing.seats(false).is_err());
        let none = status(json!({"licenseSeats": 0, "activeUserCount": 0, "hardSeats": 0}));
        assert_eq!((none.seats(false), none.used(), none.hard_seats()), (Ok(0), Ok(Some(0)), Ok(Some(0))));
        let some = status(json!({"licenseSeats": 50, "activeUserCount": 30, "hardSeats": 40}));
        assert_eq!((some.seats(true), some.used(), some.hard_seats()), (Ok(50), Ok(Some(30)), Ok(Some(40))));
    }

    #[test]
    fn token_expires_as_answered_and_fits_a_header() {
        let answer = |token: Value, end: Value| {
            serde_json::from_value::<TokenAnswer>(json!({"token": token, "tokenExpiration": end})).unwrap()
        };
        let end = answer(json!("t"), json!("2031-06-30T00:00:00.000Z")).expiration();
        assert_eq!(end, Some("2031-06-30T00:00:00Z".parse().unwrap()));
        assert_eq!(answer(json!("t"), json!(17)).expiration(), None);
        assert!(answer(json!("t"), Value::Null).token().is_ok());
        for none in [json!(""), Value::Null] {
            assert_eq!(answer(none, Value::Null).token().err(), Some(ImmutaError::ApiKeyRefused));
        }
        assert!(
            answer(json!("two words"), Value::Null).token().is_err_and(|error| error != ImmutaError::ApiKeyRefused)
        );
    }

    #[test]
    fn tenant_without_users_has_none_and_not_an_unknown_number() {
        let body = json!({"summary": {"dataConsumers": {"totalCount": 0}, "policyOwners": {"totalCount": 0}}});
        assert_eq!(serde_json::from_value::<Usage>(body).unwrap().users(), Some(0));
    }
}
