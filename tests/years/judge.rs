//! Judges what was requested, by the table alone: it links neither the calendar nor the gate.

use crate::table::{Window, stretch_at, stretch_before};

/// What the spec says of windows.
#[derive(Clone, Default)]
pub struct Rule<'a> {
    pub windows: Vec<Window<'a>>,
    /// How often they got other names, which is nothing to the judge.
    pub renamed: u32,
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
    /// The generation of the spec that asked for it.
    pub generation: i64,
    /// It got no usable answer.
    pub lost: bool,
    pub urgent: bool,
    /// Seats that were free.
    pub free: i32,
    pub suspended: bool,
    /// When its spec was edited last, by the clock of the operator: suspending and resuming are edits too.
    pub edited: i64,
    /// The vendor refused it for the other product.
    pub refused: bool,
}

/// What is wrong with the requests of a year.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub outside: usize,
    pub too_many: usize,
    pub not_urgent: usize,
    /// Left late, although nobody wanted it before its window was over.
    pub late_without_right: usize,
    /// Left while a person or the other product stood against it.
    pub held: usize,
}

impl Faults {
    pub fn count(&self) -> usize {
        let Self { outside, too_many, not_urgent, late_without_right, held } = self;
        outside + too_many + not_urgent + late_without_right + held
    }

    pub fn add(&mut self, other: Self) {
        self.outside += other.outside;
        self.too_many += other.too_many;
        self.not_urgent += other.not_urgent;
        self.late_without_right += other.late_without_right;
        self.held += other.held;
    }
}

const DAY: i64 = 86_400;

impl Request<'_> {
    /// Whether it asks for the change of the request before it, of which nothing came or nothing is left.
    fn repeats(&self, last: &Self) -> bool {
        self.attempt > 1 && (last.lost || self.at - last.at < DAY)
    }

    /// Whether that request passed the window for it as well: nothing was edited since, or the change was made and taken back.
    fn has_passed(&self, last: &Self) -> bool {
        let current = !last.lost || last.generation == self.generation;
        self.attempt == 2 && current && self.at - last.at < DAY
    }
}

/// Judges the requests of one object in their order.
pub fn judge(requests: &[Request<'_>]) -> Faults {
    let mut faults = Faults::default();
    let mut counted: Vec<(i64, i64)> = Vec::new();
    for (nth, request) in requests.iter().enumerate() {
        let Request { at, rule, urgent, free, edited, .. } = request;
        faults.held += usize::from(request.suspended || request.refused);
        let last = nth.checked_sub(1).and_then(|last| requests.get(last));
        let repeats = last.is_some_and(|last| request.repeats(last));
        // The limit alone may fall at any time, and the first repeat is the same change.
        if !(request.raises || request.lowers) || last.is_some_and(|last| request.has_passed(last)) {
            continue;
        }
        if *urgent {
            faults.not_urgent += usize::from(rule.urgent_below.is_none_or(|below| *free >= below));
            continue;
        }
        let open = stretch_at(&rule.windows, *at);
        let late = || stretch_before(&rule.windows, *at).filter(|(_, closes)| *at < closes + rule.deadline);
        let Some((opens, closes)) = open.or_else(late) else {
            faults.outside += 1;
            continue;
        };
        faults.late_without_right += usize::from(open.is_none() && *edited >= closes);
        let mut before = counted.iter().filter(|(from, to)| *from < closes && opens < *to).count();
        if repeats && before > 0 {
            // It keeps the place of the request that it repeats.
            (before, _) = (before - 1, counted.pop());
        }
        faults.too_many += usize::from(before >= usize::try_from(rule.most).expect("at least 1"));
        counted.push((opens, closes));
    }
    faults
}
