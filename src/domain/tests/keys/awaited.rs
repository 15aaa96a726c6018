//! Secrets of license keys that have not arrived.

use super::*;

const AWAITED: (bool, bool) = (true, false);
const STALLED: (bool, bool) = (false, true);

/// `Reconciling` and `Stalled` at once, how long still the Secrets are awaited after 50 seconds, and the two conditions after 119 and
/// after 120.
type Told = ((bool, bool), Option<Duration>, (bool, bool), (bool, bool));

/// What is said of keys that cannot be read, for these reasons.
fn told(reasons: &[&'static str]) -> Told {
    let story = keys().lists(&["a", "b"][..reasons.len()]).with(|s| {
        for (wanted, reason) in s.ring.wanted.iter_mut().zip(reasons) {
            wanted.fingerprint = Err(Fault::credentials(reason, "no key", "no".into()));
        }
    });
    let (seen, decision) = (story.seen(), story.decide());
    let finding = Finding::Decided { desired: &story.desired, seen: &seen, decision: &decision };
    let at = |seconds| now() + SignedDuration::from_secs(seconds);
    let after = |old: &LicenseSeatsStatus, seconds| report(old, 3, &finding, at(seconds)).status;
    let said = |status: &LicenseSeatsStatus| {
        let has = |kind: &str| status.conditions.iter().any(|condition| condition.type_ == kind);
        (has(kind::RECONCILING), has(kind::STALLED))
    };
    let first = after(&LicenseSeatsStatus::default(), 0);
    (said(&first), awaits_secret(&first, at(50)), said(&after(&first, 119)), said(&after(&first, 120)))
}

#[test]
fn license_key_secret_missing_or_partial_needs_person_after_two_minutes() {
    let awaited = (AWAITED, Some(Duration::from_secs(70)), AWAITED, STALLED);
    for reasons in
        [vec![reason::SECRET_NOT_FOUND], vec![reason::KEY_MISSING], vec![reason::SECRET_NOT_FOUND, reason::KEY_MISSING]]
    {
        assert_eq!(told(&reasons), awaited, "{reasons:?}");
    }
}

#[test]
fn license_key_that_no_secret_brings_needs_a_person_at_once() {
    for other in [reason::KEY_INVALID, reason::SECRET_NOT_PERMITTED] {
        for reasons in [vec![other], vec![reason::SECRET_NOT_FOUND, other]] {
            assert_eq!(told(&reasons), (STALLED, None, STALLED, STALLED), "{reasons:?}");
        }
    }
}
