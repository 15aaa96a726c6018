//! A change that the vendor took back, and its one repeat.

use crate::api::Change;
use crate::domain::protocol::{RECENT, WaitFor, wait};
use crate::domain::settle_time::late;
use crate::domain::two_readings::second_reading;
use crate::domain::wanted_change::Settle;
use crate::domain::{Numbers, Situation};

/// Our last change, if the vendor took it back: the vendor shows exactly our own last base again, soon after our write
/// (docs/never-buys-twice.md, "Heal"). The vendor did that, so it is neither drift nor a third party. Changes that followed
/// one another count as one: a late handler of the vendor may bring back the row from before the first of them.
pub(in crate::domain) fn taken_back<'a>(s: &Situation<'a>, seen: Numbers) -> Option<&'a Change> {
    let last = s.history.first().filter(|last| seen != last.target())?;
    let recent =
        |change: &&Change| change.account == s.seen.account_key() && s.now.duration_since(change.time.0).abs() < RECENT;
    let mut expected = last.target();
    for change in s.history.iter().take_while(recent) {
        if change.target() != expected {
            break;
        }
        if change.base() == seen {
            return Some(last);
        }
        expected = change.base();
    }
    None
}

/// The attempt number of the change that was taken back, and the readings that it needs before its repeat. A repeat is not repeated:
/// handlers of both requests may then still run, one after the other, for longer than the settle time. A handler that writes between
/// the two reads of a third request makes the vendor add up (found by the model). So a person is asked.
///
/// `attempt`: the number of the next request if the vendor had taken nothing back. A request without effect meanwhile counts.
pub(super) fn repeat_after(s: &Situation<'_>, last: &Change, seen: Numbers, attempt: i32) -> (i32, Settle) {
    let afresh = !s.asked_for(last) || s.confirms(&last.id);
    if last.attempt > 1 && !afresh {
        return (attempt, Settle::Review(Box::new(last.clone())));
    }
    let back = || WaitFor::TakenBack(last.id.clone());
    let left = wait(s, back(), late(s, last.attempt.max(1))).or_else(|| second_reading(s, back(), seen));
    (attempt.max(if afresh { 1 } else { 2 }), left.map_or(Settle::Done, Settle::Wait))
}
