//! Counts members of an answer while it streams: the list is not paged, and large organizations have large lists
//! (docs/vendors/bitwarden.md, "Members"). Memory stays constant but for one number per member, which keeps doubles
//! from counting twice.

use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_SEATS;
use crate::vendors::error::VendorError;
use crate::vendors::json_object::JsonObject;

/// The largest member list that is read, in bytes: 1 KiB for each of the 32 767 members an organization can seat.
pub(super) const LIST_CAP: u64 = 32 * 1024 * 1024;

/// Members that take a seat: invited, accepted or confirmed. Revoked and staged ones do not, and what is not known yet
/// is not counted: the number is a lower bound anyway ("Members" and "Who occupies a seat").
pub(super) fn count(body: impl Read) -> Result<Counted, VendorError> {
    let mut capped = Capped { inner: body, left: LIST_CAP };
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::new(&mut capped));
    let counted = json.deserialize_map(List).and_then(|counted| json.end().map(|()| counted));
    match counted {
        Ok(Some(count)) => Ok(count),
        Ok(None) => Err(VendorError::Unreadable("the member list has no data")),
        Err(_) if capped.left == 0 => Err(VendorError::Unreadable("the member list is too large")),
        Err(e) if e.is_io() => Err(VendorError::NoAnswer("the member list broke off")),
        Err(_) => Err(VendorError::Unreadable("the member list has an unexpected shape")),
    }
}

struct Capped<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Option<Counted>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut count = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "data" {
                if count.is_some() {
                    return Err(A::Error::duplicate_field("data"));
                }
                count = Some(map.next_value::<Members>()?.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(count)
    }
}

/// How many members take a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// Members with a seat of Password Manager.
    pub(super) seats: i32,
    /// Of Secrets Manager, where the list says of each member whether it has access: the list of the owner API does
    /// ("Who occupies a seat"), the one of the organization API does not.
    pub(super) secrets_manager: Option<i32>,
}

struct Members(Counted);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counting)
    }
}

struct Counting;

impl<'de> Visitor<'de> for Counting {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of members")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Members, A::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Member {
            id: String,
            status: i64,
            access_secrets_manager: Option<bool>,
        }
        let (mut seated, mut with_access, mut told) = (HashSet::new(), HashSet::new(), true);
        while let Some(JsonObject(member)) = list.next_element::<JsonObject<Member>>()? {
            if matches!(member.status, 0..=2) {
                let mut hash = DefaultHasher::new();
                member.id.hash(&mut hash);
                seated.insert(hash.finish());
                told &= member.access_secrets_manager.is_some();
                if member.access_secrets_manager == Some(true) {
                    with_access.insert(hash.finish());
                }
            }
        }
        let number = |set: &HashSet<u64>| i32::try_from(set.len()).unwrap_or(MAX_SEATS);
        Ok(Members(Counted { seats: number(&seated), secrets_manager: told.then(|| number(&with_access)) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Result<i32, VendorError> {
        count(text.as_bytes()).map(|counted| counted.seats)
    }

    #[test]
    fn secrets_manager_access_counts_only_if_every_seated_member_has_it() {
        let count = |text: &str| count(text.as_bytes()).unwrap().secrets_manager;
        let told = r#"{"data":[{"id":"a","status":2,"accessSecretsManager":true},
            {"id":"b","status":1,"accessSecretsManager":false},{"id":"c","status":-1}]}"#;
        assert_eq!(count(told), Some(1));
        assert_eq!(
            count(r#"{"data":[{"id":"a","status":2,"accessSecretsManager":true},{"id":"b","status":1}]}"#),
            None
        );
    }

    #[test]
    fn invited_accepted_and_confirmed_members_take_a_seat_once() {
        let list = r#"{"object":"list","data":[
            {"id":"a","status":0,"name":null},{"id":"b","status":1},{"id":"c","status":2,"collections":[{"id":"x"}]},
            {"id":"c","status":2},{"id":"d","status":-1},{"id":"e","status":3},{"id":"f","status":99}]}"#;
        assert_eq!(counted(list), Ok(3));
        assert_eq!(counted(r#"{"data":[]}"#), Ok(0));
    }

    #[test]
    fn malformed_list_is_an_error_and_never_zero() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":{}}"#,
            r#"{"data":[{"id":"a"}]}"#,
            r#"{"data":[1]}"#,
            r#"{"data":[{"id":"a","status":"2"}]}"#,
            r#"{"data":[{"id":"a","status":2}"#,
            r#"{"data":[]} x"#,
            r#"{"data":[{"id":"a","status":2}],"data":[]}"#,
            "<html></html>",
        ] {
            assert!(counted(text).is_err(), "{text}");
        }
    }

    #[test]
    fn endless_list_is_abandoned_after_the_cap() {
        let endless = std::io::Cursor::new(br#"{"data":["#).chain(std::io::repeat(b' '));
        assert_eq!(count(endless), Err(VendorError::Unreadable("the member list is too large")));
    }

    #[test]
    fn deeply_nested_answer_does_not_overflow_the_stack() {
        let text = format!(r#"{{"object":{}"#, "[".repeat(1_000_000));
        assert!(counted(&text).is_err());
        assert!(counted(&format!(r#"{{"data":{}"#, "[".repeat(1_000_000))).is_err());
    }

    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn list_is_counted_whole_and_cut_short_it_is_an_error(
            members in proptest::collection::vec((0u8..20, -1i64..6), 0..20), cut in any::<prop::sample::Index>(),
        ) {
            let data: Vec<_> = members.iter().map(|(id, status)| serde_json::json!({ "id": id.to_string(), "status": status })).collect();
            let text = serde_json::json!({ "data": data }).to_string();
            let seated: HashSet<u8> = members.iter().filter(|(_, status)| (0..=2).contains(status)).map(|(id, _)| *id).collect();
            prop_assert_eq!(counted(&text), Ok(i32::try_from(seated.len()).unwrap()));
            prop_assert!(counted(&text[..cut.index(text.len())]).is_err());
        }
    }
}
