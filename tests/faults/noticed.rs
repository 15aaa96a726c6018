//! Whether what was done to a case reached anybody: an operator that never noticed says nothing about its row.

use fault_proxy::{Action, Hop, Place, Record};
use jiff::{SignedDuration, Timestamp};

use crate::case::{Case, UNSEEN_BY_WATCHES, unseen_by_watches};
use crate::happenings::RIGHTS_TAKEN;
use crate::rig::Rig;

/// Why nothing shows that what was done to the case reached anybody.
pub fn unnoticed(rig: &Rig, case: &Case, records: &[Record]) -> Option<&'static str> {
    let (_, action) = case.fault.as_ref()?;
    if case.crew.replicas.len() > 1 && rig.leaders() < case.crew.replicas.len() {
        return Some("one of the replicas has never led");
    }
    let wrong = case.crew.clocks.iter().filter_map(|shift| shift.parse::<i64>().ok()).filter(|shift| *shift != 0);
    for shift in wrong {
        if !records.iter().any(|record| is_written_by_clock(record, SignedDuration::from_secs(shift))) {
            return Some("no record has the time of a clock that was set wrong");
        }
    }
    if case.happening() == Some(RIGHTS_TAKEN) && !records.iter().any(is_denied) {
        return Some("the apiserver refused nothing of an operator without rights");
    }
    match action {
        Action::Kill(Place::Underway) if !rig.proxy.killed_in_pause() => {
            Some("the vendor did not pause within the request")
        }
        _ if unseen_by_watches(&rig.proxy, action) => Some(UNSEEN_BY_WATCHES),
        _ => None,
    }
}

/// It was stored, and writes a time that is off by about so much: that of a process whose clock was set wrong.
fn is_written_by_clock(record: &Record, shift: SignedDuration) -> bool {
    let about = |text: &str| {
        let off = text.parse::<Timestamp>().ok().map(|time| time.duration_since(Timestamp::now()) - shift);
        off.is_some_and(|off| off.abs() < SignedDuration::from_mins(10))
    };
    record.executed == Some(200) && record.patch.split('"').any(about)
}

/// The apiserver denied it.
fn is_denied(record: &Record) -> bool {
    record.hop == Hop::Apiserver && record.executed == Some(403)
}

/// A record was stored before etcd went back to the time before all of them.
pub fn is_undone_by_etcd(rig: &Rig, records: &[Record]) -> bool {
    let hit = rig.proxy.hit().unwrap_or_default();
    records.iter().any(|record| record.number < hit && record.is_record() && record.executed == Some(200))
}
