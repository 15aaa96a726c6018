//! The cron windows of specs as openings. A schedule is parsed once, because that takes milliseconds, and kept by its texts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::api::{CronWindow, parse_duration};
use crate::calendar::{self, Schedule};
use crate::domain::{ChangeTimes, CronRule, Opening, SpecFault};

/// How many schedules are kept. Beyond that all are parsed again.
const MOST_KEPT: usize = 1000;

/// The texts of a schedule.
type Texts = (String, String, String);

/// Parsed schedules.
#[derive(Default)]
pub(super) struct Schedules(Mutex<HashMap<Texts, Arc<Schedule>>>);

impl Schedules {
    /// Checks that each schedule is valid and opens at least once.
    pub fn check(&self, adjustment: &ChangeTimes) -> Result<(), SpecFault> {
        adjustment.crons.iter().try_for_each(|rule| self.parsed(rule).map(drop))
    }

    /// The openings around `now`: of each window the last one that began, and the next ones.
    pub fn openings(&self, adjustment: &ChangeTimes, now: Timestamp) -> Vec<Opening> {
        let parsed = adjustment.crons.iter().filter_map(|rule| Some((rule, self.parsed(rule).ok()?)));
        let named = |rule: &CronRule, (calendar::Opening { opens, closes }, local)| {
            let name = rule.name.clone();
            Opening { name, opens, closes, local }
        };
        parsed
            .flat_map(|(rule, schedule)| schedule.near(now).map(|near| named(rule, near)).collect::<Vec<_>>())
            .collect()
    }

    fn parsed(&self, rule: &CronRule) -> Result<Arc<Schedule>, SpecFault> {
        let CronWindow { schedule, time_zone, duration } = &rule.cron;
        let texts = (schedule.clone(), time_zone.clone(), duration.clone());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schedule) = kept.get(&texts) {
            return Ok(Arc::clone(schedule));
        }
        let length = parse_duration(duration).map_err(|error| SpecFault(format!("{}.duration {error}", rule.path)))?;
        let parsed = Schedule::parse(schedule, time_zone, length).map_err(|fault| SpecFault(fault.at(&rule.path)))?;
        let parsed = Arc::new(parsed);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(texts, Arc::clone(&parsed));
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adjustment(schedule: &str, duration: &str) -> ChangeTimes {
        let cron =
            CronWindow { schedule: schedule.into(), time_zone: "Europe/Berlin".into(), duration: duration.into() };
        let rule = CronRule { path: "spec.adjustment.windows[0].cron".into(), name: "month-start".into(), cron };
        ChangeTimes { crons: vec![rule], ..ChangeTimes::default() }
    }

    #[test]
    fn spec_window_has_last_begun_opening_and_coming_ones_in_its_own_zone() {
        let now: Timestamp = "2026-12-01T05:30:00Z".parse().unwrap();
        let openings = Schedules::default().openings(&adjustment("0 6 1 * *", "4h"), now);
        let local: Vec<&str> = openings.iter().map(|opening| opening.local.as_str()).collect();
        let expected = ["2026-12-01 06:00 CET", "2027-01-01 06:00 CET", "2027-02-01 06:00 CET", "2027-03-01 06:00 CET"];
        assert_eq!(local[..4], expected);
        assert_eq!(local.last(), Some(&"2027-04-01 06:00 CEST"));
        assert!(openings.iter().all(|opening| opening.name == "month-start"));
        assert_eq!(openings[0].closes.to_string(), "2026-12-01T09:00:00Z");
    }

    #[test]
    fn schedule_that_cannot_be_is_refused_with_its_path() {
        let refused = |schedule, duration| Schedules::default().check(&adjustment(schedule, duration)).unwrap_err().0;
        let fault = refused("0 6 31 2 *", "4h");
        assert!(fault.starts_with("spec.adjustment.windows[0].cron.schedule"), "{fault}");
        let fault = refused("0 6 1 * *", "4 hours");
        assert!(fault.starts_with("spec.adjustment.windows[0].cron.duration is not a duration"), "{fault}");
    }

    #[test]
    fn parsed_schedules_are_kept_and_do_not_grow_without_end() {
        let schedules = Schedules::default();
        let rule = |hour: usize| adjustment(&format!("{} {} 1 * *", hour / 24 % 60, hour % 24), "1h");
        let first = schedules.parsed(&rule(0).crons[0]).unwrap();
        assert!(Arc::ptr_eq(&first, &schedules.parsed(&rule(0).crons[0]).unwrap()));
        for hour in 0..MOST_KEPT + 5 {
            schedules.check(&rule(hour)).unwrap();
        }
        assert!(schedules.0.lock().unwrap().len() <= MOST_KEPT);
    }
}
