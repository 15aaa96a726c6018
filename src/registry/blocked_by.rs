//! Why a change must wait, with the objects that it waits for.

use std::time::Duration;

use super::Key;
use crate::domain::{Obstacle, Peer};

/// Another object, as the first one may know it.
pub fn peer((namespace, _): &Key, (theirs, name): &Key) -> Peer {
    if theirs == namespace { Peer::Here(name.clone()) } else { Peer::Elsewhere }
}

/// Why nothing may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockedBy {
    /// An object that may have the pool, or an open change, was not read yet.
    NotKnownYet,
    /// An older object has this pool.
    OwnedBy(Key),
    /// The account of another object lists the same rows, and may be the same account. The id names the pair.
    SameRows(Key, String),
    /// Another change of this account may still be running; `None`: its object or its record is gone.
    InFlightElsewhere(Option<Key>),
    /// The last change of this account may have late effects for so long.
    Late(Duration),
}

impl BlockedBy {
    /// The same for the decision about the object that must wait. It names no object of another namespace.
    pub fn obstacle(&self, key: &Key) -> Obstacle {
        let peer = |other: &Key| peer(key, other);
        match self {
            Self::NotKnownYet => Obstacle::NotScanned,
            Self::OwnedBy(owner) => Obstacle::Owned(peer(owner)),
            Self::SameRows(other, id) => Obstacle::SameRows { peer: peer(other), id: id.clone() },
            Self::Late(left) => Obstacle::LateEffects(*left),
            Self::InFlightElsewhere(other) => Obstacle::InFlight(other.as_ref().map(peer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_name_is_reported_only_within_its_namespace() {
        let (here, there) = (("it".to_owned(), "acme".to_owned()), ("board".to_owned(), "merger".to_owned()));
        assert_eq!(BlockedBy::OwnedBy(there.clone()).obstacle(&here), Obstacle::Owned(Peer::Elsewhere));
        assert_eq!(
            BlockedBy::InFlightElsewhere(Some(there)).obstacle(&here),
            Obstacle::InFlight(Some(Peer::Elsewhere))
        );
        let near = BlockedBy::InFlightElsewhere(Some(("it".into(), "passwords".into()))).obstacle(&here);
        assert_eq!(near, Obstacle::InFlight(Some(Peer::Here("passwords".into()))));
    }
}
