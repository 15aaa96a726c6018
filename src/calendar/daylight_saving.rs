//! The clock of a zone: local times to instants and back, where the clock is set forward (daylight saving) and set back.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::fault::ZoneFault;
use super::zone_name::by_name;

/// More than any clock was set forward or back at once.
pub(super) const LARGEST_SHIFT: SignedDuration = SignedDuration::from_hours(25);

/// The clock of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The zone of an IANA name, spelled as the database spells it.
    pub(super) fn parse(name: &str) -> Result<Self, ZoneFault> {
        by_name(name).map(Self)
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
