//! A change that an approval allows, and that is taken back with it.

use fault_proxy::{Hop, Record};

use crate::case::{Case, End};
use crate::rig::Rig;
use crate::selection::APPROVED;

/// What broke the promises of an approval: a request that was recorded after it was gone, or a change that waits although nothing is
/// in its way.
pub fn broken(rig: &Rig, case: &Case, end: End, records: &[Record]) -> Option<String> {
    if case.scenario.name != APPROVED {
        return None;
    }
    let deleted = rig.proxy.hit();
    let intent = records.iter().find(|record| record.opens && record.executed == Some(200));
    if let (Some(deleted), Some(intent)) = (deleted, intent) {
        // Approvals are read when the vendor has been read, so a reading that ended later found none.
        let reading = |record: &&Record| record.hop == Hop::Vendor && record.method == "GET";
        let later = |record: &&Record| deleted <= record.number && record.number < intent.number;
        if let Some(reading) = records.iter().filter(reading).find(later) {
            let (reading, intent) = (reading.number, intent.number);
            return Some(format!(
                "the approval was gone at request {deleted}, and after reading {reading} a request was recorded ({intent})"
            ));
        }
    }
    let organization = rig.bitwarden().organization(&rig.key().id);
    let is = (organization.seats, organization.billed.seats);
    let wrong = end == End::Deferred && (deleted.is_none() || is != (Some(100), Some(100)));
    wrong.then(|| {
        format!("waits for an approval; shown and billed are {is:?}, and the approval was gone at {deleted:?}")
    })
}
