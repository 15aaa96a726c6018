//! What changes around the object: which keys it lists, and whether it is suspended.

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
}

impl Outside {
    pub fn new() -> Self {
        Self { generation: FIRST_GENERATION, suspended: false, listing: Listing::A }
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
}

pub fn offers(world: &World, offers: &mut Vec<OutsideAct>) {
    if world.left.edits > 0 {
        offers.push(OutsideAct::Edit);
    }
    if world.left.suspends > 0 {
        offers.push(OutsideAct::Suspend);
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
        OutsideAct::List(listing) => {
            world.left.wishes -= 1;
            world.outside.generation += 1;
            world.outside.listing = listing;
            // Another wish is another decision.
            world.tries = [0; 2];
        }
    }
}
