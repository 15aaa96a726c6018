//! The installer's ceilings: upper bounds for every object. They hold only changes that raise. Seats that were above them before
//! stay and are reported. A change that lowers passes.

use super::{Desired, Goal, Numbers};
use crate::api::SizeBound;

/// The installer's ceilings for every object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ceilings {
    /// `--max-seats`: purchased seats, and the limit up to which a vendor buys by itself.
    pub max_seats: Option<i32>,
    /// `--max-increase`: the largest step upwards of one change.
    pub max_increase: Option<i32>,
}

/// A bound upwards: its number, and how people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upper {
    pub max: i32,
    /// The name in a few words.
    pub short: &'static str,
    /// The name and the number, as sentences have them.
    pub name: String,
    /// What to do to raise it.
    pub raise: &'static str,
    /// What to do to remove it.
    pub remove: &'static str,
    /// It also holds a lower limit.
    pub holds_what_falls: bool,
}

impl Upper {
    fn of_object(max: i32, short: &'static str, raise: &'static str, remove: &'static str) -> Self {
        Self { max, short, name: format!("spec.guardrails.{short} {max}"), raise, remove, holds_what_falls: true }
    }

    fn of_installer(max: i32, short: &'static str, raise: &'static str, remove: &'static str) -> Self {
        Self { max, short, name: format!("the installer's {short} {max}"), raise, remove, holds_what_falls: false }
    }
}

impl Desired {
    /// Adds the installer's ceilings.
    #[must_use]
    pub fn under(self, ceilings: Ceilings) -> Self {
        Self { ceilings, ..self }
    }

    /// The most seats: of the object, and of the installer.
    pub(super) fn most_seats(&self) -> impl Iterator<Item = Upper> + use<> {
        let own = self.guardrails.max_seats;
        let own = own.map(|max| Upper::of_object(max, "maxSeats", "raise maxSeats first", "remove maxSeats"));
        let installers = self.ceilings.max_seats.map(|max| {
            let (raise, remove) = (
                "ask the installer to raise it (chart: limits.maxSeats)",
                "ask the installer to remove it (chart: limits.maxSeats)",
            );
            Upper::of_installer(max, "--max-seats", raise, remove)
        });
        own.into_iter().chain(installers)
    }

    /// The largest step upwards: of the object, and of the installer.
    pub(super) fn largest_increase(&self) -> impl Iterator<Item = Upper> + use<> {
        let own = self.guardrails.max_increase;
        let own = own.map(|max| Upper::of_object(max, "maxIncrease", "raise maxIncrease", "remove maxIncrease"));
        let installers = self.ceilings.max_increase.map(|max| {
            let (raise, remove) = (
                "ask the installer to raise it (chart: limits.maxIncrease)",
                "ask the installer to remove it (chart: limits.maxIncrease)",
            );
            Upper::of_installer(max, "--max-increase", raise, remove)
        });
        own.into_iter().chain(installers)
    }

    /// The upper bound that reduced a size. `bound`: the reduced size.
    pub(super) fn upper_bound(&self, which: SizeBound, bound: i32) -> Option<Upper> {
        match which {
            // The object's own bound lowers seats. The installer's bound only stops an increase, even if the seats are above it already.
            SizeBound::MaxSeats => self.most_seats().find(|one| !one.holds_what_falls || one.max == bound),
            SizeBound::MaxIncrease => self.largest_increase().min_by_key(|one| one.max),
            SizeBound::MinSeats | SizeBound::MaxDecrease | SizeBound::Vendor => None,
        }
    }

    /// The numbers above the installer's ceiling, in a few words and as a sentence.
    pub(super) fn above_ceiling(&self, shown: Numbers) -> Option<(String, String)> {
        let max = self.ceilings.max_seats?;
        let (seats, vendor) = (shown.seats, self.pool.vendor.name);
        let buys = !matches!(self.pool.goal, Goal::Keys { .. });
        let limit = match shown.limit {
            None if buys => Some("there is no limit".to_owned()),
            Some(limit) if limit > max && limit > seats => Some(format!("the limit of {limit} is above it")),
            _ => None,
        };
        if seats <= max && limit.is_none() {
            return None;
        }
        let stay = (seats > max).then(|| {
            format!("{seats} purchased seats are above the installer's --max-seats {max}: they stay, and none is added")
        });
        let may = limit.map(|limit| {
            format!(
                "{vendor} may buy past the installer's --max-seats {max} by itself, for {limit}: set spec.limit (mode Pinned lets \
                 the limit follow the seats)"
            )
        });
        let short = if seats > max { "above" } else { "vendor may buy past" };
        let words: Vec<String> = stay.into_iter().chain(may).collect();
        Some((format!("{short} --max-seats {max}"), words.join("; ")))
    }
}
