//! Why a cron window is refused, as sentences for the person who wrote it.

use std::time::Duration;

use super::zone_name::database_version;
use crate::api::go_duration;

/// The field of a cron window that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarField {
    /// The five cron fields.
    Schedule,
    /// The IANA name.
    TimeZone,
    /// How long the window stays open.
    Duration,
}

impl CalendarField {
    /// The field's name in the spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::TimeZone => "timeZone",
            Self::Duration => "duration",
        }
    }
}

/// A cron window that is refused. Its text begins with the field's name, and says what is wrong and what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {}", self.field().name(), self.sentence())]
pub struct CalendarFault(Cause);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    Schedule(ScheduleFault),
    TimeZone(ZoneFault),
    Duration(DurationFault),
}

impl CalendarFault {
    /// The field that is wrong.
    pub fn field(&self) -> CalendarField {
        match self.0 {
            Cause::Schedule(_) => CalendarField::Schedule,
            Cause::TimeZone(_) => CalendarField::TimeZone,
            Cause::Duration(_) => CalendarField::Duration,
        }
    }

    /// The text with the path of the cron window before it, such as `spec.adjustment.windows[0].cron`.
    pub fn at(&self, path: &str) -> String {
        format!("{path}.{self}")
    }

    fn sentence(&self) -> String {
        match &self.0 {
            Cause::Schedule(fault) => fault.to_string(),
            Cause::TimeZone(fault) => fault.to_string(),
            Cause::Duration(fault) => fault.to_string(),
        }
    }
}

impl From<ScheduleFault> for CalendarFault {
    fn from(fault: ScheduleFault) -> Self {
        Self(Cause::Schedule(fault))
    }
}

impl From<ZoneFault> for CalendarFault {
    fn from(fault: ZoneFault) -> Self {
        Self(Cause::TimeZone(fault))
    }
}

impl From<DurationFault> for CalendarFault {
    fn from(fault: DurationFault) -> Self {
        Self(Cause::Duration(fault))
    }
}

/// What is wrong with a schedule. `part` is the name of one of the five fields, `item` its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScheduleFault {
    #[error("is empty: write five cron fields, such as \"0 6 1W * *\"")]
    Empty,
    #[error("has {0} characters, and at most 100 are read: write shorter lists, or use a second window")]
    TooLong(usize),
    #[error("contains the character U+{0:04X}: write only ASCII letters, digits, blanks and * , - / #")]
    Character(u32),
    #[error("begins or ends with a blank: remove the blank")]
    OuterBlank,
    #[error("sets a time zone with \"{0}\": remove it, and name the zone in timeZone")]
    ZoneInSchedule(String),
    #[error("is the nickname \"{nickname}\", and nicknames are not read: write {instead}")]
    Nickname { nickname: String, instead: String },
    #[error(
        "has only {0} of five fields (minute, hour, day of month, month, day of week): add the missing, \"*\" for any"
    )]
    TooFewFields(usize),
    #[error(
        "has {0} fields, and five are read (minute, hour, day of month, month, day of week): remove the seconds or the year"
    )]
    TooManyFields(usize),
    #[error("has \"{item}\" as {part}, and \"?\" is not read: write \"*\" for any")]
    QuestionMark { part: &'static str, item: String },
    #[error(
        "has \"{item}\" as {part}, and \"+\" is not read: for a weekday of the month write \"* * MON#1\" as the last fields"
    )]
    Plus { part: &'static str, item: String },
    #[error("has an empty item in \"{item}\" as {part}: remove the extra comma")]
    EmptyItem { part: &'static str, item: String },
    #[error("has \"{item}\" as {part}, and {value} is outside {low} to {high}: write a number from {low} to {high}")]
    OutOfRange { part: &'static str, item: String, value: String, low: u32, high: u32 },
    #[error("has \"{item}\" as {part}, a range that runs backwards: write \"{instead}\"")]
    Backwards { part: &'static str, item: String, instead: String },
    #[error("has \"{item}\" as {part}, steps from a single value: write \"{instead}\"")]
    StepsFromOne { part: &'static str, item: String, instead: String },
    #[error("has \"{item}\" as {part}, whose step is outside 1 to {high}: write a step from 1 to {high}")]
    Step { part: &'static str, item: String, high: u32 },
    #[error(
        "has \"{item}\" as {part}, and \"{name}\" is not an English short name: write {names}, or a number from {low} to {high}"
    )]
    Name { part: &'static str, item: String, name: String, names: String, low: u32, high: u32 },
    #[error("has \"{item}\" as {part}: after \"#\" write a number from 1 to 5, or L for the last of the month")]
    Occurrence { part: &'static str, item: String },
    #[error(
        "has \"{item}\" as {part}, both the last day and the last weekday: write one of them, and a second window for the other"
    )]
    LastDayAndLastWeekday { part: &'static str, item: String },
    #[error("has \"{item}\" as {part}, which is not understood: write {forms}, or a list of these")]
    Form { part: &'static str, item: String, forms: &'static str },
    #[error(
        "restricts the day of month (\"{days}\") and the day of week (\"{weekdays}\"), and cron opens on a day that matches \
         either: write {instead}"
    )]
    BothDays { days: String, weekdays: String, instead: String },
    #[error("is not understood: {0}; write five cron fields, such as \"0 6 1W * *\"")]
    Unreadable(String),
    #[error(
        "never opens, because no month that it names has \"{0}\" as day of month: write a day that exists, or L for the last day"
    )]
    NeverOpens(String),
}

/// What is wrong with the name of a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ZoneFault {
    #[error("is empty: write the name of a zone, such as Europe/Berlin or UTC")]
    Empty,
    #[error(
        "has {0} characters, and no zone's name has more than 64: write the name of a zone, such as Europe/Berlin or UTC"
    )]
    TooLong(usize),
    #[error(
        "contains the character U+{0:04X}, which no zone's name has: write the name in ASCII, such as Europe/Berlin"
    )]
    Character(u32),
    #[error("begins or ends with a blank: remove the blank")]
    OuterBlank,
    #[error("is \"{name}\", and the names of zones distinguish upper and lower case: write {known}")]
    Case { name: String, known: &'static str },
    #[error(
        "is \"{name}\", which the time zone database {} does not have: did you mean {nearest}?",
        database_version()
    )]
    Misspelled { name: String, nearest: &'static str },
    #[error(
        "is \"{name}\", which the time zone database {} does not have: write the name of a zone, such as Europe/Berlin or UTC",
        database_version()
    )]
    Unknown { name: String },
}

/// What is wrong with a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DurationFault {
    #[error("is {}, below 1h: write at least 1h", go_duration(*.0))]
    Short(Duration),
    #[error("is {}, above 168h: write at most 168h", go_duration(*.0))]
    Long(Duration),
    #[error(
        "is {}, longer than the {} between the openings {first} and {second}: write at most {}",
        go_duration(*.duration), go_duration(*.gap), go_duration(*.gap)
    )]
    OutlastsGap { duration: Duration, gap: Duration, first: String, second: String },
    #[error(
        "is {}, longer than the {} between the openings {first} and {second}: write a schedule whose openings are at least 1h apart",
        go_duration(*.duration), go_duration(*.gap)
    )]
    TooDense { duration: Duration, gap: Duration, first: String, second: String },
}
