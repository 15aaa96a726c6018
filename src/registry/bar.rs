//! Why a change must wait, and the sentence for it.

use super::Key;

/// Why nothing may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bar {
    /// An object that may have the pool, or an open change, was not looked at yet.
    NotKnownYet,
    /// An older object has this pool.
    OwnedBy(Key),
    /// Another change of this account may still be running; `None`: its object or its record is gone.
    Behind(Option<Key>),
}

impl Bar {
    /// The sentence for the object that must wait. Other namespaces' names are not for everybody's eyes.
    pub fn sentence(&self, (namespace, _): &Key) -> String {
        let whose = match self {
            Self::NotKnownYet => {
                return "not every object was looked at yet, and one may have these seats or an open change".into();
            }
            Self::OwnedBy((theirs, name)) if theirs == namespace => {
                return format!("LicenseSeats {name} is older and has these seats");
            }
            Self::OwnedBy(_) => return "an older object in another namespace has these seats".into(),
            Self::Behind(None) => "of which the record is gone".into(),
            Self::Behind(Some((theirs, name))) if theirs == namespace => {
                format!("of {name}")
            }
            Self::Behind(Some(_)) => "of an object in another namespace".into(),
        };
        format!("another change of this account, {whose}, may still be running: one is made at a time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_must_wait_learns_for_whom_only_within_his_namespace() {
        let (here, there) = (("it".to_owned(), "acme".to_owned()), ("board".to_owned(), "merger".to_owned()));
        for bar in [Bar::OwnedBy(there.clone()), Bar::Behind(Some(there))] {
            let sentence = bar.sentence(&here);
            assert!(sentence.contains("object in another namespace"), "{sentence}");
            assert!(!sentence.contains("board") && !sentence.contains("merger"), "{sentence}");
        }
        let sentence = Bar::Behind(Some(("it".into(), "passwords".into()))).sentence(&here);
        assert!(sentence.contains("of passwords"), "{sentence}");
    }
}
