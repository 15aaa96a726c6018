//! Who did what, and how often: the apiserver's own audit log, which a client cannot get wrong.
//!
//! The log backend writes before the answer is finished (`--audit-log-mode=blocking`, the default), so a request that
//! has returned is in the file. A watch is written when it begins, and once more when it ends; it counts once.

use serde::Deserialize;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// One request, from its newest audit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Who asked, for example [`OPERATOR_USER`](crate::OPERATOR_USER).
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, ...
    pub verb: String,
    /// The plural resource, for example `licenseseats`; empty for paths like `/readyz`.
    pub resource: String,
    /// For example `status` or `scale`; empty for the object itself.
    pub subresource: String,
    /// Empty for cluster-wide requests.
    pub namespace: String,
    /// Empty for lists and for names that the server makes.
    pub name: String,
    /// The HTTP status; 0 if none was recorded.
    pub code: u16,
    /// Path and query.
    pub uri: String,
    /// When the request came in, RFC 3339.
    pub received: String,
}

/// A place in the audit log, to look only at what comes later.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditMark(u64);

impl AuditMark {
    /// Behind the last whole line: the next one may be half written already.
    pub(crate) fn at_end_of(log: &Path) -> Self {
        const LONGEST_LINE: u64 = 1 << 20;
        let start = fs::metadata(log).map_or(0, |metadata| metadata.len()).saturating_sub(LONGEST_LINE);
        let lines = read_from(log, start);
        let end = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        Self(start + end as u64)
    }
}

/// Requests in the order of their arrival in the log; each filter narrows them.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    events: Vec<AuditEvent>,
}

impl Audit {
    pub(crate) fn read(log: &Path, mark: AuditMark) -> Self {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(log) {
            file.seek(SeekFrom::Start(mark.0))
                .and_then(|_| file.read_to_end(&mut bytes))
                .expect("a readable audit log");
        }
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Self {
        let mut events: Vec<AuditEvent> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        // The last line may be half written. Any other line that is not a record would be a bug worth seeing.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let record: Record =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("not an audit record ({error}): {line}"));
            let id = record.audit_id.clone();
            match places.get(&id) {
                Some(&place) => events[place] = record.into(),
                None => {
                    places.insert(id, events.len());
                    events.push(record.into());
                }
            }
        }
        Self { events }
    }

    /// Only requests of this user.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        self.only(|event| event.user == user)
    }

    /// Only this verb.
    #[must_use]
    pub fn verb(self, verb: &str) -> Self {
        self.only(|event| event.verb == verb)
    }

    /// Only this resource (plural), all its subresources included.
    #[must_use]
    pub fn resource(self, resource: &str) -> Self {
        self.only(|event| event.resource == resource)
    }

    /// Only this subresource; `""` is the object itself.
    #[must_use]
    pub fn subresource(self, subresource: &str) -> Self {
        self.only(|event| event.subresource == subresource)
    }

    /// Only this namespace.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.only(|event| event.namespace == namespace)
    }

    /// Only objects of this name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.only(|event| event.name == name)
    }

    /// Only answers with this HTTP status.
    #[must_use]
    pub fn code(self, code: u16) -> Self {
        self.only(|event| event.code == code)
    }

    /// Only what this user wrote in this namespace: create, update, patch, delete, refused attempts included.
    #[must_use]
    pub fn writes(self, user: &str, namespace: &str) -> Self {
        let write = |event: &AuditEvent| {
            matches!(event.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection")
        };
        self.user(user).namespace(namespace).only(write)
    }

    /// Only what the closure accepts.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&AuditEvent) -> bool) -> Self {
        self.events.retain(keep);
        self
    }

    /// How many requests the closure accepts.
    #[must_use]
    pub fn count(&self, accept: impl Fn(&AuditEvent) -> bool) -> usize {
        self.events.iter().filter(|event| accept(event)).count()
    }

    /// How many requests are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The requests that are left.
    #[must_use]
    pub fn events(&self) -> &[AuditEvent] {
        &self.events
    }
}

fn read_from(log: &Path, start: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // No file yet: nobody has asked anything yet.
    if let Ok(mut file) = File::open(log) {
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_to_end(&mut bytes)).expect("a readable audit log");
    }
    bytes
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(rename = "auditID")]
    audit_id: String,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
    request_received_timestamp: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl From<Record> for AuditEvent {
    fn from(record: Record) -> Self {
        let object = record.object_ref.unwrap_or_default();
        Self {
            user: record.user.username,
            verb: record.verb,
            resource: object.resource,
            subresource: object.subresource,
            namespace: object.namespace,
            name: object.name,
            code: record.response_status.map_or(0, |status| status.code),
            uri: record.request_uri,
            received: record.request_received_timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"auditID":"a","stage":"ResponseStarted","requestURI":"/x","verb":"watch","user":{"username":"u"},"objectRef":{"resource":"secrets","namespace":"n"},"responseStatus":{"code":200},"requestReceivedTimestamp":"t"}"#;

    #[test]
    fn watch_counts_once_and_half_written_line_not_at_all() {
        let ended = LINE.replace("200", "410");
        let other = LINE.replace(r#""auditID":"a""#, r#""auditID":"b""#);
        let audit = Audit::parse(&format!("{LINE}\n{other}\n{ended}\n{{\"auditID\":\"c\",\"st"));
        assert_eq!(audit.len(), 2);
        assert_eq!(audit.count(|event| event.code == 410), 1);
        assert_eq!(audit.clone().user("u").verb("watch").resource("secrets").namespace("n").len(), 2);
        assert!(audit.subresource("status").is_empty());
    }

    #[test]
    fn mark_follows_last_whole_line() {
        let log = crate::scratch_dir("audit").join("audit.log");
        assert_eq!(AuditMark::at_end_of(&log).0, 0);
        fs::write(&log, format!("{LINE}\n{{\"auditID\":")).expect("a writable file");
        let mark = AuditMark::at_end_of(&log);
        fs::write(&log, format!("{LINE}\n{LINE}\n")).expect("a writable file");
        assert_eq!(Audit::read(&log, mark).len(), 1);
    }

    #[test]
    fn refused_writes_are_writes_and_reads_are_not() {
        let patch = LINE.replace("watch", "patch").replace("200", "403");
        assert_eq!(Audit::parse(&format!("{patch}\n")).writes("u", "n").code(403).len(), 1);
        assert!(Audit::parse(&format!("{LINE}\n")).writes("u", "n").is_empty());
    }
}
