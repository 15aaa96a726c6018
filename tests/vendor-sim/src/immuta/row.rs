//! A row of the license table, and the two shapes in which Immuta shows it (docs/vendors/immuta.md,
//! "The license record").

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    choices::{CreatedAt, Dates},
    key::Issued,
    switches::Switches,
};

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    /// Number of the key it was made from.
    pub(crate) key: u64,
    pub(crate) added_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) invalidated: bool,
    pub(crate) deleted: bool,
}

/// A row as tests and people see it; never with the text of its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RowView {
    /// Tenant-local id.
    pub id: i64,
    /// Universal identifier.
    pub uuid: String,
    /// Number of its key.
    pub key: u64,
    /// Seats.
    pub seats: i64,
    /// Soft seats.
    pub soft_seats: i64,
    /// When it expires.
    pub expires: Option<Timestamp>,
    /// Past that.
    pub expired: bool,
    /// No longer honored.
    pub invalidated: bool,
    /// Soft-deleted.
    pub deleted: bool,
}

/// A date as the API writes it.
pub(crate) fn date(dates: Dates, at: Timestamp) -> Value {
    let format = match dates {
        Dates::Milliseconds => "%Y-%m-%dT%H:%M:%S.%3fZ",
        Dates::Seconds => "%Y-%m-%dT%H:%M:%SZ",
        Dates::NoZone => "%Y-%m-%dT%H:%M:%S.%3f",
        Dates::Offset => "%Y-%m-%dT%H:%M:%S.%3f+00:00",
    };
    Value::from(at.strftime(format).to_string())
}

/// Names turned on, as the examples show them or as the table says.
fn enabled(switches: &Switches, names: &[String]) -> Value {
    if switches.features_as_array {
        return json!(names);
    }
    names.iter().map(|name| (name.clone(), json!({ "enabled": true }))).collect::<Map<_, _>>().into()
}

impl Row {
    pub(crate) fn view(&self, key: &Issued, now: Timestamp) -> RowView {
        RowView {
            id: self.id,
            uuid: self.uuid.clone(),
            key: self.key,
            seats: key.terms.seats,
            soft_seats: key.terms.soft_seats,
            expires: key.expires,
            expired: key.expired(now),
            invalidated: self.invalidated,
            deleted: self.deleted,
        }
    }

    /// As in the list: without the key.
    pub(crate) fn short(&self, key: &Issued, switches: &Switches) -> Value {
        let created = match switches.created_at {
            CreatedAt::Added => self.added_at,
            CreatedAt::Generated => key.at,
        };
        let mut features = key.terms.features.clone();
        if switches.extra_fields {
            features.push("QUANTUM_MASKING".into());
        }
        let mut record = json!({
            "id": self.id,
            "uuid": self.uuid,
            "features": enabled(switches, &features),
            "handlers": enabled(switches, &key.terms.handlers),
            "seats": key.terms.seats,
            "notice": key.terms.notice,
            "noticeOnExpire": key.terms.notice_on_expire,
            "createdAt": date(switches.dates, created),
        });
        match key.expires {
            Some(expires) => record["expires"] = date(switches.dates, expires),
            None if switches.perpetual_expires_absent => {}
            None => record["expires"] = Value::Null,
        }
        if switches.extra_fields {
            record["edition"] = json!({ "tier": "unlimited", "since": [2031, 1] });
        }
        record
    }

    /// What POST and DELETE have in common: with the key.
    fn long(&self, key: &Issued, switches: &Switches, now: Timestamp) -> Value {
        let mut record = self.short(key, switches);
        record["licenseKey"] = json!(key.text);
        record["softSeats"] = json!(key.terms.soft_seats);
        record["hardExpiration"] = json!(key.terms.hard_expiration);
        record["expired"] = json!(key.expired(now));
        record["invalidated"] = json!(self.invalidated);
        record["deleted"] = json!(self.deleted);
        record["updatedAt"] = date(switches.dates, self.updated_at);
        record
    }

    /// As POST answers.
    pub(crate) fn added(&self, key: &Issued, switches: &Switches, now: Timestamp) -> Value {
        let mut record = self.long(key, switches, now);
        record["renewalToken"] = json!(key.terms.renewal_token);
        record["classifyUsername"] = json!(key.terms.classify_username);
        record["classifyToken"] = json!(key.terms.classify_token);
        record
    }

    /// As DELETE answers.
    pub(crate) fn removed(&self, hard: bool, key: &Issued, switches: &Switches, now: Timestamp) -> Value {
        let mut record = self.long(key, switches, now);
        record["hardDelete"] = json!(hard);
        record
    }
}
