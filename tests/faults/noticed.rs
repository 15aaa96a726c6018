//! Whether what was done to a case reached anybody: an operator that never noticed says nothing about its row.

use fault_proxy::{Action, Place, Record};
use jiff::{SignedDuration, Timestamp};

use crate::case::{Case, UNSEEN_BY_WATCHES, unseen_by_watches};
use crate::rig::Rig;

/// Why nothing shows that what was done to the case reached anybody.
pub fn unnoticed(rig: &Rig, case: &Case, records: &[Record]) -> Option<&'static str> {
    let (_, action) = case.fault.as_ref()?;
    if case.crew.replicas.len() > 1 && rig.leaders() < case.crew.replicas.len() {
        return Some("one of the replicas has never led");
    }
    if case.crew.clocks.iter().any(|shift| *shift != "0") && !records.iter().any(is_of_another_time) {
        return Some("no record has the time of a clock that was set wrong");
    }
    match action {
        Action::Kill(Place::Underway) if !rig.proxy.killed_in_pause() => {
            Some("the vendor did not pause within the request")
        }
        _ if unseen_by_watches(&rig.proxy, action) => Some(UNSEEN_BY_WATCHES),
        _ => None,
    }
}

/// It was stored, and writes a time about an hour off: that of a process whose clock was set wrong.
fn is_of_another_time(record: &Record) -> bool {
    let about_an_hour = SignedDuration::from_mins(50)..SignedDuration::from_mins(70);
    let off = |text: &str| text.parse::<Timestamp>().map(|time| Timestamp::now().duration_since(time).abs());
    let texts = || record.patch.split('"').filter_map(|text| off(text).ok());
    record.executed == Some(200) && texts().any(|off| about_an_hour.contains(&off))
}
