//! What changes around the object: which keys it lists, whether it is suspended or bounded, and how many seats are in use.

use super::{Key, Keys};
use crate::world::{FIRST_GENERATION, World as AnyWorld};

type World = AnyWorld<Keys>;

/// Which keys the spec lists. It always prunes, and never asks for a number of seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listing {
    A,
    Both,
    B,
}

impl Listing {
    pub const ALL: [Self; 3] = [Self::A, Self::Both, Self::B];

    pub fn keys(self) -> &'static [Key] {
        match self {
            Self::A => &[Key::A],
            Self::Both => &[Key::A, Key::B],
            Self::B => &[Key::B],
        }
    }

    pub fn place(self) -> usize {
        match self {
            Self::A => 0,
            Self::Both => 1,
            Self::B => 2,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outside {
    /// Generation of the spec: each edit counts.
    pub generation: u8,
    pub suspended: bool,
    pub listing: Listing,
    /// `spec.guardrails.maxSeats` is set, which stands against every addition.
    pub bounded: bool,
    /// Seats in use, where that is reported.
    pub used: Option<u8>,
}

/// Seats that are in use at first.
const USED: u8 = 1;
/// More than the keys bring.
const MANY: u8 = 99;

impl Outside {
    pub fn new() -> Self {
        Self { generation: FIRST_GENERATION, suspended: false, listing: Listing::A, bounded: false, used: Some(USED) }
    }

    /// Nothing stands against a change any more.
    pub fn unhinder(&mut self) {
        (self.suspended, self.bounded, self.used) = (false, false, Some(USED));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutsideAct {
    /// Somebody edits the spec and leaves the wish as it is.
    Edit,
    /// Somebody lists other keys.
    List(Listing),
    /// Somebody sets or takes away `spec.suspend`.
    Suspend,
    /// The bound comes or goes.
    Bound,
    /// Another number of seats is in use, or it is not reported any more.
    Use(Option<u8>),
}

pub fn offers(world: &World, offers: &mut Vec<OutsideAct>) {
    if world.left.edits > 0 {
        offers.push(OutsideAct::Edit);
    }
    if world.left.suspends > 0 {
        offers.push(OutsideAct::Suspend);
    }
    if world.left.bounds > 0 {
        offers.push(OutsideAct::Bound);
    }
    if world.left.uses > 0 {
        let others = [None, Some(USED), Some(MANY)].into_iter().filter(|used| *used != world.outside.used);
        offers.extend(others.map(OutsideAct::Use));
    }
    if world.left.wishes > 0 {
        let others = Listing::ALL.into_iter().filter(|listing| *listing != world.outside.listing);
        offers.extend(others.map(OutsideAct::List));
    }
}

pub fn step(world: &mut World, act: OutsideAct) {
    match act {
        OutsideAct::Edit => {
            world.left.edits -= 1;
            world.outside.generation += 1;
        }
        OutsideAct::Suspend => {
            world.left.suspends -= 1;
            world.outside.suspended = !world.outside.suspended;
        }
        OutsideAct::Bound => {
            world.left.bounds -= 1;
            world.outside.bounded = !world.outside.bounded;
        }
        OutsideAct::Use(used) => {
            world.left.uses -= 1;
            world.outside.used = used;
        }
        OutsideAct::List(listing) => {
            world.left.wishes -= 1;
            world.outside.generation += 1;
            world.outside.listing = listing;
            // Another wish is another decision.
            world.tries = [0; 2];
        }
    }
}
