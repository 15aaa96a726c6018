//! Turns a cron window of the spec into openings: at which instants it opens, and until when.
//!
//! A schedule names local times, as the clock of its zone shows them. Croner reads the fields and says which days match, without
//! a zone. The zone's clock then turns each local time into an instant. A time that the clock skips opens at the first instant
//! after the gap, and a time that the clock shows twice opens at the first. The zones are compiled in ([`database_version`]), so
//! each machine gives the same answer.
//!
//! Pure: the time is an argument. `domain` gets openings, and never schedules.

mod daylight_saving;
mod days;
mod fault;
mod fields;
mod schedule;
mod spacing;
mod zone_name;

pub use fault::{CalendarFault, CalendarField};
pub use schedule::{Around, Opening, Schedule};
pub use zone_name::database_version;

#[cfg(test)]
mod tests;
