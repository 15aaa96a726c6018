//! `status.agreedSeats`: the seats up to which people have agreed.

use super::{Desired, Snapshot};
use crate::api::{Account, ApprovalPolicy, LicenseSeatsStatus};

/// Seats up to which people have agreed for an account, from a status. An agreement for another account does not count.
pub fn agreed_for(status: &LicenseSeatsStatus, account: &str) -> Option<i32> {
    let recorded = status.account.as_ref().and_then(Account::key);
    status.agreed_seats.filter(|_| recorded.as_deref() == Some(account))
}

/// Seats up to which people have agreed, after a decision. While the account is in sync they fall with its seats. Only approved
/// changes raise them.
pub(super) fn agreed_seats(old: Option<i32>, desired: &Desired, seen: &Snapshot, in_sync: bool) -> Option<i32> {
    let asked = desired.approval != ApprovalPolicy::default();
    let seats = seen.numbers().map(|numbers| numbers.seats);
    match (old.filter(|_| asked), seats.filter(|_| asked)) {
        (Some(agreed), Some(seats)) if in_sync => Some(agreed.min(seats)),
        (Some(agreed), _) => Some(agreed),
        (None, seats) => seats,
    }
}
