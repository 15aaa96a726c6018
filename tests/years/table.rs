//! The openings of windows as another implementation made them: `tests/calendar/openings.py` says what the columns are.

/// The openings of one schedule in one zone.
pub struct ScheduleRow {
    pub zone: &'static str,
    pub schedule: &'static str,
    /// Seconds since 1970, in order.
    pub opens: Vec<i64>,
    /// Those that the clock of the zone skips, and those that it shows twice.
    pub odd: Vec<(i64, Odd)>,
    /// The shortest time between two of them, in seconds.
    pub gap: i64,
}

/// An opening that a clock has not just once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    Gap,
    Overlap,
}

/// All rows.
pub fn rows() -> Vec<ScheduleRow> {
    include_str!("../calendar/openings.txt").lines().skip(1).filter(|line| !line.is_empty()).map(row).collect()
}

fn row(line: &'static str) -> ScheduleRow {
    let columns: Vec<&'static str> = line.split(" | ").collect();
    let [zone, schedule, first, steps] = columns[..] else { panic!("four columns: {line}") };
    let mut second: i64 = first.parse().expect("a second");
    let (mut opens, mut odd, mut gap) = (vec![second], Vec::new(), i64::MAX);
    for run in steps.split_whitespace() {
        let (step, count) = run.split_once('x').unwrap_or((run, "1"));
        let step_seconds = step.trim_end_matches(['g', 'o']).parse::<i64>().expect("minutes") * 60;
        for _ in 0..count.parse().expect("a count") {
            second += step_seconds;
            gap = gap.min(step_seconds);
            opens.push(second);
            match step.as_bytes().last() {
                Some(b'g') => odd.push((second, Odd::Gap)),
                Some(b'o') => odd.push((second, Odd::Overlap)),
                _ => {}
            }
        }
    }
    ScheduleRow { zone, schedule, opens, odd, gap }
}

/// A window of a row: it stays open for so many seconds.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    pub row: &'a ScheduleRow,
    pub length: i64,
}

impl Window<'_> {
    /// The first stretch of this window that opens after a moment.
    pub fn next(&self, time: i64) -> Option<(i64, i64)> {
        let opens = self.row.opens.get(self.row.opens.partition_point(|opens| *opens <= time))?;
        Some((*opens, opens + self.length))
    }

    /// The first opening after a moment that a clock has not just once.
    pub fn next_odd(&self, time: i64) -> Option<i64> {
        let odd = &self.row.odd;
        odd.get(odd.partition_point(|(opens, _)| *opens <= time)).map(|(opens, _)| *opens)
    }

    /// The stretches of this window that touch a span of time.
    fn within(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
        let first = self.row.opens.partition_point(|opens| opens + self.length <= from);
        let stretches = self.row.opens[first..].iter().map(|opens| (*opens, opens + self.length));
        stretches.take_while(move |(opens, _)| *opens < to)
    }
}

/// The stretch in which a moment lies: windows that overlap are one.
pub fn stretch_at(windows: &[Window<'_>], time: i64) -> Option<(i64, i64)> {
    let mut stretch = windows.iter().find_map(|window| window.within(time, time + 1).next())?;
    loop {
        let (from, to) = stretch;
        let others = windows.iter().flat_map(|window| window.within(from, to));
        let wider = others.fold(stretch, |(from, to), (opens, closes)| (from.min(opens), to.max(closes)));
        if wider == stretch {
            return Some(stretch);
        }
        stretch = wider;
    }
}

/// The last stretch that is over at a moment.
pub fn stretch_before(windows: &[Window<'_>], time: i64) -> Option<(i64, i64)> {
    let ends = windows.iter().filter_map(|window| {
        let past = window.row.opens.partition_point(|opens| opens + window.length <= time);
        past.checked_sub(1).map(|last| window.row.opens[last])
    });
    ends.max().and_then(|opens| stretch_at(windows, opens))
}
