//! Judges what was requested, by the table alone: it links neither the calendar nor the gate.

use crate::table::{Window, stretch_at, stretch_before};

/// What the spec says of windows.
#[derive(Clone)]
pub struct Rule<'a> {
    pub windows: Vec<Window<'a>>,
    pub most: i32,
    /// In seconds.
    pub deadline: i64,
    pub urgent_below: Option<i32>,
}

/// A request that left.
pub struct Request<'a> {
    /// When, by the clock of the operator, in seconds since 1970.
    pub at: i64,
    pub rule: Rule<'a>,
    pub raises: bool,
    pub lowers: bool,
    pub attempt: i32,
    pub urgent: bool,
    /// Seats that were free.
    pub free: i32,
}

/// What is wrong with the requests of a year.
#[derive(Debug, Default)]
pub struct Faults {
    pub outside: usize,
    pub too_many: usize,
    pub not_urgent: usize,
}

/// Judges the requests in their order.
pub fn judge(requests: &[Request<'_>]) -> Faults {
    let mut faults = Faults::default();
    let mut counted: Vec<(i64, i64)> = Vec::new();
    for request in requests {
        let Request { at, rule, attempt, urgent, free, .. } = request;
        // The limit alone may fall at any time, and the first repeat is the same change.
        if !(request.raises || request.lowers) || *attempt == 2 {
            continue;
        }
        if *urgent {
            faults.not_urgent += usize::from(rule.urgent_below.is_none_or(|below| *free >= below));
            continue;
        }
        let late = || stretch_before(&rule.windows, *at).filter(|(_, closes)| *at < closes + rule.deadline);
        let Some((opens, closes)) = stretch_at(&rule.windows, *at).or_else(late) else {
            faults.outside += 1;
            continue;
        };
        let before = counted.iter().filter(|(from, to)| *from < closes && opens < *to).count();
        faults.too_many += usize::from(before >= usize::try_from(rule.most).expect("at least 1"));
        counted.push((opens, closes));
    }
    faults
}
