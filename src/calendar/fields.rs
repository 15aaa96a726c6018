//! The five cron fields as a person writes them: what is read, and the sentence for what is not.
//!
//! Croner reads more than that, and drops some of it in silence (an empty item of a list, what follows `W`). What passes here
//! means to croner what it says.

use super::fault::ScheduleFault;

/// The most characters that a schedule may have.
const LONGEST: usize = 100;

/// One of the five fields.
struct Field {
    part: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
    forms: &'static str,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const MINUTE: Field = Field {
    part: "minute",
    low: 0,
    high: 59,
    names: &[],
    forms: "\"*\", a number from 0 to 59, a range (0-30), steps (*/15)",
};
const HOUR: Field = Field {
    part: "hour",
    low: 0,
    high: 23,
    names: &[],
    forms: "\"*\", a number from 0 to 23, a range (6-18), steps (*/6)",
};
const DAY: Field = Field {
    part: "day of month",
    low: 1,
    high: 31,
    names: &[],
    forms: "\"*\", a number from 1 to 31, a range (1-7), steps (*/2), L (the last day), LW (the last weekday), 15W (the weekday \
            nearest to the 15th)",
};
const MONTH: Field = Field {
    part: "month",
    low: 1,
    high: 12,
    names: &MONTHS,
    forms: "\"*\", a number from 1 to 12, a name (JAN), a range (JAN-MAR), steps (*/3)",
};
const WEEKDAY: Field = Field {
    part: "day of week",
    low: 0,
    high: 7,
    names: &WEEKDAYS,
    forms: "\"*\", a number from 0 to 7 (0 and 7 are Sunday), a name (MON), a range (MON-FRI), steps (*/2), MON#1 (the first \
            Monday), FRI#L (the last Friday)",
};

/// Nicknames of crontabs, and what they mean.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * SUN"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// The five fields of a schedule in upper case, each of a form that croner reads as it is meant.
pub(super) fn checked(schedule: &str) -> Result<[String; 5], ScheduleFault> {
    text(schedule)?;
    let parts: Vec<String> = schedule.split_ascii_whitespace().map(str::to_ascii_uppercase).collect();
    let parts: [String; 5] = parts.try_into().map_err(|parts: Vec<String>| match parts.len() {
        fewer @ 0..5 => ScheduleFault::TooFewFields(fewer),
        more => ScheduleFault::TooManyFields(more),
    })?;
    for (field, list) in [MINUTE, HOUR, DAY, MONTH, WEEKDAY].iter().zip(&parts) {
        field.check(list)?;
    }
    let [_, _, days, _, weekdays] = &parts;
    if days != "*" && weekdays != "*" {
        return Err(both_days(&parts));
    }
    Ok(parts)
}

/// What is wrong with the text as a whole, before it is split.
fn text(schedule: &str) -> Result<(), ScheduleFault> {
    let length = schedule.chars().count();
    if length > LONGEST {
        return Err(ScheduleFault::TooLong(length));
    }
    if let Some(strange) = schedule.chars().find(|c| !matches!(c, ' '..='~')) {
        return Err(ScheduleFault::Character(strange.into()));
    }
    let Some(first) = schedule.split_ascii_whitespace().next() else {
        return Err(ScheduleFault::Empty);
    };
    if schedule.trim() != schedule {
        return Err(ScheduleFault::OuterBlank);
    }
    if first.contains('=') {
        return Err(ScheduleFault::ZoneInSchedule(first.to_owned()));
    }
    if first.starts_with('@') {
        let known = NICKNAMES.iter().find(|(nickname, _)| nickname.eq_ignore_ascii_case(first));
        let example = || "five cron fields, such as \"0 6 1W * *\"".to_owned();
        let instead = known.map_or_else(example, |(_, fields)| format!("\"{fields}\""));
        return Err(ScheduleFault::Nickname { nickname: first.to_owned(), instead });
    }
    Ok(())
}

/// Days of the month and days of the week at once: with the schedule that is most likely meant.
fn both_days(parts: &[String; 5]) -> ScheduleFault {
    let [minute, hour, days, month, weekdays] = parts;
    let week = ["1-7", "8-14", "15-21", "22-28"].iter().position(|week| week == days);
    let single = WEEKDAYS.contains(&weekdays.as_str()) || weekdays.parse::<u32>().is_ok();
    let instead = match week {
        Some(week) if single => format!("\"{minute} {hour} * {month} {weekdays}#{}\"", week + 1),
        _ => {
            "\"*\" as one of them, and for a weekday of the month \"* * MON#1\" (the first) or \"* * FRI#L\" (the last)"
                .into()
        }
    };
    ScheduleFault::BothDays { days: days.clone(), weekdays: weekdays.clone(), instead }
}

impl Field {
    fn check(&self, list: &str) -> Result<(), ScheduleFault> {
        let (part, item) = (self.part, list.to_owned());
        if list == "*" {
            return Ok(());
        }
        if list.contains('?') {
            return Err(ScheduleFault::QuestionMark { part, item });
        }
        if list.contains('+') {
            return Err(ScheduleFault::Plus { part, item });
        }
        let items: Vec<&str> = list.split(',').collect();
        if items.contains(&"") {
            return Err(ScheduleFault::EmptyItem { part, item });
        }
        // Croner would drop the L.
        if items.contains(&"L") && items.contains(&"LW") {
            return Err(ScheduleFault::LastDayAndLastWeekday { part, item });
        }
        items.into_iter().try_for_each(|item| self.item(item))
    }

    /// One item of the list.
    fn item(&self, item: &str) -> Result<(), ScheduleFault> {
        if let Some((range, step)) = item.split_once('/') {
            return self.steps(item, range, step);
        }
        if let Some((first, last)) = item.split_once('-') {
            return self.range(item, first, last);
        }
        if self.part == DAY.part {
            if let "L" | "LW" = item {
                return Ok(());
            }
            if let Some(day) = item.strip_suffix('W') {
                return self.value(item, day).map(drop);
            }
        }
        if self.part == WEEKDAY.part {
            if let Some((day, occurrence)) = item.split_once('#') {
                self.value(item, day)?;
                return match occurrence {
                    "1" | "2" | "3" | "4" | "5" | "L" => Ok(()),
                    _ => Err(ScheduleFault::Occurrence { part: self.part, item: item.to_owned() }),
                };
            }
            if let Some(day) = item.strip_suffix('L') {
                return self.value(item, day).map(drop);
            }
        }
        self.value(item, item).map(drop)
    }

    fn steps(&self, item: &str, range: &str, step: &str) -> Result<(), ScheduleFault> {
        let part = self.part;
        let count = number(step).ok_or_else(|| self.form(item))?;
        if range != "*" {
            let Some((first, last)) = range.split_once('-') else {
                self.value(item, range)?;
                let instead = format!("{range}-{}/{step}", self.end());
                return Err(ScheduleFault::StepsFromOne { part, item: item.to_owned(), instead });
            };
            self.range(item, first, last)?;
        }
        if (1..=self.high).contains(&count) {
            Ok(())
        } else {
            Err(ScheduleFault::Step { part, item: item.to_owned(), high: self.high })
        }
    }

    fn range(&self, item: &str, first: &str, last: &str) -> Result<(), ScheduleFault> {
        let from = self.value(item, first)?;
        let to = self.value(item, last)?;
        // As the end of a range, Sunday is the last day of the week.
        if from <= to || last == "SUN" {
            return Ok(());
        }
        let named = self.names.contains(&first);
        let turn = match (self.names, named) {
            ([start, .., end], true) => format!("{first}-{end},{start}-{last}"),
            _ => format!("{first}-{},{}-{last}", self.end(), self.low),
        };
        Err(ScheduleFault::Backwards { part: self.part, item: item.to_owned(), instead: turn })
    }

    /// The last value of a range to the end.
    fn end(&self) -> u32 {
        // 7 is Sunday again.
        if self.part == WEEKDAY.part { 6 } else { self.high }
    }

    /// The number that a value of the item means.
    fn value(&self, item: &str, value: &str) -> Result<u32, ScheduleFault> {
        let (part, low, high, item) = (self.part, self.low, self.high, item.to_owned());
        if !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit()) {
            return match number(value) {
                Some(number) if (low..=high).contains(&number) => Ok(number),
                _ => Err(ScheduleFault::OutOfRange { part, item, value: value.to_owned(), low, high }),
            };
        }
        if let Some(index) = (low..).zip(self.names).find_map(|(index, name)| (*name == value).then_some(index)) {
            return Ok(index);
        }
        // L, W and # are no names; a field without names has none in any language.
        let word = value.len() > 1 && value.bytes().all(|c| c.is_ascii_uppercase());
        if word && !self.names.is_empty() {
            let names = self.names.join(", ");
            return Err(ScheduleFault::Name { part, item, name: value.to_owned(), names, low, high });
        }
        Err(self.form(&item))
    }

    fn form(&self, item: &str) -> ScheduleFault {
        ScheduleFault::Form { part: self.part, item: item.to_owned(), forms: self.forms }
    }
}

/// A number of digits alone; what is too large for croner is none of any field.
fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
