//! `spec.adjustment`, checked: when changes of each direction may be made. `calendar`, which knows the zones, checks schedules and
//! time zones.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::SpecFault;
use crate::api::{self, AdjustmentMode, BeforeRenewal, CronWindow, parse_duration};

const HOUR: Duration = Duration::from_secs(3600);

/// How long a window may stay open, and how long after its end a change may leave.
const WEEK: Duration = Duration::from_secs(168 * 3600);

/// How long before a renewal a window may open.
const BEFORE: RangeInclusive<Duration> = HOUR..=Duration::from_secs(2160 * 3600);

/// The maximum number of windows.
const MOST_WINDOWS: usize = 10;

/// When changes may be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeTimes {
    /// When seats may be bought, a limit raised, or a license key added.
    pub increase: Direction,
    /// When seats may be given back, or a license key removed.
    pub decrease: Direction,
    /// With fewer free seats than this, a wanted increase waits for no window.
    pub urgent_below: Option<i32>,
    /// How many changes a window allows. If the spec has no number, [`ChangeTimes::most_changes`] returns 1.
    pub max_changes: Option<i32>,
    /// How long after its window a change that missed it may still leave.
    pub deadline: Duration,
    /// Windows by the calendar.
    pub crons: Vec<CronRule>,
    /// Windows before each renewal.
    pub renewals: Vec<Renewal>,
}

/// When changes of one direction may be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// At once, in windows, or never.
    pub mode: AdjustmentMode,
    /// Names of its windows; `None`: all.
    windows: Option<Vec<String>>,
}

/// A window by the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronRule {
    /// Its path in the spec.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its schedule, time zone and duration as texts.
    pub cron: CronWindow,
}

/// A window before the end of the period that the vendor shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Its name.
    pub name: String,
    /// How long before the end it opens.
    pub opens: Duration,
    /// How long before the end it closes.
    pub closes: Duration,
}

impl Direction {
    /// Whether a window of this name is one of its own.
    pub fn has(&self, name: &str) -> bool {
        self.windows.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
    }
}

impl ChangeTimes {
    /// How many changes a window allows; at least 1.
    pub fn most_changes(&self) -> i32 {
        self.max_changes.unwrap_or(1)
    }

    /// Checks specs that pass admission, and those stored before a rule.
    pub(super) fn parse(spec: Option<&api::Adjustment>) -> Result<Self, SpecFault> {
        let Some(spec) = spec else { return Ok(Self::default()) };
        let api::Adjustment { increase, decrease, windows, max_changes_per_window, starting_deadline } = spec;
        let (crons, renewals) = stretches(windows)?;
        if let Some(most) = max_changes_per_window.filter(|most| !(1..=100).contains(most)) {
            let path = "spec.adjustment.maxChangesPerWindow";
            return Err(SpecFault(format!("{path} is {most}: it must be between 1 and 100")));
        }
        let deadline =
            duration("spec.adjustment.startingDeadline", starting_deadline.as_deref(), Duration::ZERO..=WEEK)?;
        let adjustment = Self {
            increase: increase
                .as_ref()
                .map(|it| Direction { mode: it.mode, windows: it.windows.clone() })
                .unwrap_or_default(),
            decrease: decrease
                .as_ref()
                .map(|it| Direction { mode: it.mode, windows: it.windows.clone() })
                .unwrap_or_default(),
            urgent_below: increase.as_ref().and_then(|increase| increase.urgent_below_free_seats),
            max_changes: *max_changes_per_window,
            deadline,
            crons,
            renewals,
        };
        adjustment.check()?;
        Ok(adjustment)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.crons.iter().map(|rule| rule.name.as_str()).chain(self.renewals.iter().map(|one| one.name.as_str()))
    }

    /// Contradictions between the directions and the windows.
    fn check(&self) -> Result<(), SpecFault> {
        for (path, direction) in [("increase", &self.increase), ("decrease", &self.decrease)] {
            let named = direction.windows.iter().flatten();
            if let Some(name) = named.clone().find(|name| !self.names().any(|one| one == name.as_str())) {
                return Err(SpecFault(format!(
                    "spec.adjustment.{path}.windows names \"{}\", and spec.adjustment.windows has no such window: add it, or \
                     correct the name",
                    name.escape_debug()
                )));
            }
            if direction.mode != AdjustmentMode::InWindow && direction.windows.is_some() {
                return Err(SpecFault(format!(
                    "spec.adjustment.{path}.windows goes with mode InWindow alone: set mode to InWindow, or remove windows"
                )));
            }
            if direction.mode == AdjustmentMode::InWindow && (self.names().next().is_none() || direction.is_empty()) {
                return Err(SpecFault(format!(
                    "spec.adjustment.{path}.mode is InWindow and it has no window: add one to spec.adjustment.windows, or use mode \
                     Immediate"
                )));
            }
        }
        if self.urgent_below.is_some_and(|seats| seats < 1) || self.urgent_below.is_some() && !self.increase.waits() {
            return Err(SpecFault(
                "spec.adjustment.increase.urgentBelowFreeSeats must be at least 1 and goes with mode InWindow alone: correct it, \
                 or remove it"
                    .into(),
            ));
        }
        let used = |name: &str| [&self.increase, &self.decrease].iter().any(|one| one.waits() && one.has(name));
        match self.names().find(|name| !used(name)) {
            Some(name) => Err(SpecFault(format!(
                "spec.adjustment.windows has \"{}\", which no direction uses: set the mode of increase or decrease to InWindow \
                 and name it there, or remove the window",
                name.escape_debug()
            ))),
            None => Ok(()),
        }
    }
}

impl Direction {
    fn waits(&self) -> bool {
        self.mode == AdjustmentMode::InWindow
    }

    fn is_empty(&self) -> bool {
        self.windows.as_ref().is_some_and(Vec::is_empty)
    }
}

/// Windows by the calendar with their names, and those before renewals.
type Stretches = (Vec<CronRule>, Vec<Renewal>);

fn stretches(windows: &[api::Window]) -> Result<Stretches, SpecFault> {
    if windows.len() > MOST_WINDOWS {
        return Err(SpecFault(format!(
            "spec.adjustment.windows has {} windows: at most {MOST_WINDOWS} are allowed",
            windows.len()
        )));
    }
    let (mut crons, mut renewals, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (i, window) in windows.iter().enumerate() {
        let api::Window { name, cron, before_renewal } = window;
        if !names.insert(name) {
            return Err(SpecFault(format!(
                "spec.adjustment.windows has \"{}\" twice: give each window a name of its own",
                name.escape_debug()
            )));
        }
        match (cron, before_renewal) {
            (Some(cron), None) => {
                let path = format!("spec.adjustment.windows[{i}].cron");
                crons.push(CronRule { path, name: name.clone(), cron: cron.clone() });
            }
            (None, Some(before)) => renewals.push(renewal(i, name, before)?),
            _ => {
                return Err(SpecFault(format!(
                    "spec.adjustment.windows[{i}] needs exactly one of cron and beforeRenewal: add one, or remove one"
                )));
            }
        }
    }
    Ok((crons, renewals))
}

fn renewal(i: usize, name: &str, before: &BeforeRenewal) -> Result<Renewal, SpecFault> {
    let path = |field: &str| format!("spec.adjustment.windows[{i}].beforeRenewal.{field}");
    let opens = duration(&path("opens"), Some(&before.opens), BEFORE)?;
    let closes = duration(&path("closes"), Some(&before.closes), BEFORE)?;
    if opens <= closes {
        return Err(SpecFault(format!(
            "{} must be longer before the renewal than closes, such as opens 48h and closes 2h",
            path("opens")
        )));
    }
    Ok(Renewal { name: name.into(), opens, closes })
}

fn duration(path: &str, text: Option<&str>, allowed: RangeInclusive<Duration>) -> Result<Duration, SpecFault> {
    let Some(text) = text else { return Ok(*allowed.start()) };
    let length = parse_duration(text).map_err(|error| SpecFault(format!("{path} {error}")))?;
    let hours = |length: &Duration| length.as_secs() / 3600;
    Some(length).filter(|length| allowed.contains(length)).ok_or_else(|| {
        SpecFault(format!(
            "{path} must be a duration between {}h and {}h, such as 24h",
            hours(allowed.start()),
            hours(allowed.end())
        ))
    })
}
