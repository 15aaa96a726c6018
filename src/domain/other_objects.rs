//! Other objects of the same account, and how they block a change. An account gets one change at a time.

use std::time::Duration;

use super::gates::{Hold, HoldKind, Wake};
use super::{Situation, StandsStill};
use crate::api::DIFFERS;

/// Why a change must wait for other objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// An object that may own the pool, or that may have a change in flight, was not read in this term of leadership.
    NotScanned,
    /// An older object owns the pool.
    Owned(Peer),
    /// Another account lists the same licenses: perhaps it is this one under another address.
    SameRows {
        /// The object that has it.
        peer: Peer,
        /// The value of the annotation that declares the two different.
        id: String,
    },
    /// A change of the same account may be in flight. `None`: its object or its record is gone.
    InFlight(Option<Peer>),
    /// The vendor may still write the account's row because of its last change, for so long.
    LateEffects(Duration),
}

/// Another object, as far as the one that waits for it may know it: names in other namespaces are private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// It has this name in the same namespace.
    Here(String),
    /// It is in another namespace.
    Elsewhere,
}

/// Another object that owns a pool of the account and makes no progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The pool.
    pub pool: &'static str,
    /// Its owner.
    pub peer: Peer,
    /// Why it makes no progress.
    pub still: StandsStill,
}

impl Stuck {
    /// The held object, and why it is held as far as that may be known.
    pub(super) fn sentence(&self) -> String {
        match &self.peer {
            Peer::Here(name) => {
                format!("LicenseSeats {name} declares that and is held ({}): see its status", self.still.why)
            }
            Peer::Elsewhere => "a LicenseSeats in another namespace declares that and is held".to_owned(),
        }
    }
}

impl Obstacle {
    /// The sentence for the object that must wait.
    pub(super) fn sentence(&self) -> String {
        let whose = match self {
            Self::NotScanned => {
                return "Seatkeeper waits for its initial scan: another LicenseSeats may own this pool or have a change in flight".into();
            }
            Self::Owned(peer) => {
                let owner = match peer {
                    Peer::Here(name) => format!("LicenseSeats {name} is older and"),
                    Peer::Elsewhere => "an older object in another namespace".into(),
                };
                return format!("{owner} has these seats: delete one of the two, or point one at another account");
            }
            Self::SameRows { peer, id } => {
                let other = match peer {
                    Peer::Here(name) => format!("LicenseSeats {name}"),
                    Peer::Elsewhere => "a LicenseSeats in another namespace".into(),
                };
                return format!(
                    "{other} has another address that lists the same licenses: perhaps it is the same account, so no key is added \
                     or removed for either. Delete one of the two. If they are two accounts, annotate this object with \
                     {DIFFERS}={id}"
                );
            }
            Self::LateEffects(_) => {
                return "the vendor may still write late effects of this account's last change: the next change follows after them"
                    .into();
            }
            Self::InFlight(None) => "whose record is gone".into(),
            Self::InFlight(Some(Peer::Here(name))) => format!("of {name}"),
            Self::InFlight(Some(Peer::Elsewhere)) => "of an object in another namespace".into(),
        };
        format!("another change of this account ({whose}) may be in flight. Seatkeeper makes one change at a time")
    }
}

/// How often to check whether another object is done, if nothing reports it sooner.
pub(super) const OTHERS: Wake = Wake::After(Duration::from_secs(15));

/// Another object blocks the change now.
pub(super) fn obstacle(s: &Situation<'_>) -> Option<Hold> {
    let obstacle = s.obstacle?;
    let kind = match obstacle {
        Obstacle::NotScanned => HoldKind::NotScanned,
        Obstacle::SameRows { .. } => return Some(Hold::of(HoldKind::SameRows, obstacle.sentence())),
        Obstacle::Owned(_) => HoldKind::Owned,
        Obstacle::LateEffects(_) => HoldKind::OtherLateEffects,
        Obstacle::InFlight(_) => HoldKind::OtherChange,
    };
    let wake = if let Obstacle::LateEffects(left) = obstacle { Wake::After(*left) } else { OTHERS };
    Some(Hold { kind, message: obstacle.sentence(), wake })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obstacle_message_names_only_objects_of_the_namespace() {
        let near = |name: &str| Peer::Here(name.to_owned());
        let sentences = [
            (Obstacle::Owned(near("passwords")), "LicenseSeats passwords is older"),
            (Obstacle::Owned(Peer::Elsewhere), "an older object in another namespace"),
            (
                Obstacle::InFlight(Some(near("passwords"))),
                "another change of this account (of passwords) may be in flight",
            ),
            (Obstacle::InFlight(Some(Peer::Elsewhere)), "(of an object in another namespace) may be in flight"),
            (
                Obstacle::SameRows { peer: near("copy"), id: "0123".into() },
                "annotate this object with seatkeeper.dev/differs=0123",
            ),
            (
                Obstacle::SameRows { peer: Peer::Elsewhere, id: "0123".into() },
                "a LicenseSeats in another namespace has",
            ),
            (Obstacle::LateEffects(Duration::ZERO), "late effects of this account's last change"),
            (Obstacle::InFlight(None), "(whose record is gone) may be in flight"),
        ];
        for (obstacle, expected) in sentences {
            assert!(obstacle.sentence().contains(expected), "{obstacle:?}: {}", obstacle.sentence());
        }
    }

    #[test]
    fn sentence_of_held_object_names_it_and_why_in_its_own_namespace_alone() {
        let sentence = |peer| {
            let still = StandsStill { why: "suspended".into(), deferred: true, of_a_person: true };
            Stuck { pool: "passwordManager", peer, still }.sentence()
        };
        let near = sentence(Peer::Here("passwords".to_owned()));
        assert_eq!(near, "LicenseSeats passwords declares that and is held (suspended): see its status");
        assert_eq!(sentence(Peer::Elsewhere), "a LicenseSeats in another namespace declares that and is held");
    }
}
