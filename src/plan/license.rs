//! Whether the license behind the seats is in force, and whether it ends soon. Called by `report`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::condition::{Is, reason};
use super::keys::ends_hard;
use super::summary::date;
use crate::api::{KeyState, License, LicenseState};

/// What `LicenseValid` says.
pub(super) struct Validity {
    pub is: Is,
    pub reason: &'static str,
    pub message: String,
}

fn say(is: Is, reason: &'static str, message: String) -> Validity {
    Validity { is, reason, message }
}

/// Judges the license that the vendor shows; `None`: it shows none with these credentials. `expiry`: how long before its
/// end to warn, longest first.
pub(super) fn validity(vendor: &str, license: Option<&License>, expiry: &[Duration], now: Timestamp) -> Validity {
    let Some(license) = license else {
        let message = format!("these credentials do not show the state of the license at {vendor}");
        return say(Is::Unknown, reason::NOT_REPORTED, message);
    };
    let ends = license.expires_at.as_ref().map(|time| time.0);
    let kind = match ends_hard(license) {
        Some(true) => " (hard expiration: it blocks)",
        Some(false) => " (soft expiration: it warns, and does not block)",
        None => "",
    };
    if let Some(said) = not_in_force(vendor, license, kind) {
        return said;
    }
    let Some(ends) = ends else {
        return match license.state {
            LicenseState::PastDue => {
                let message = format!("a payment to {vendor} is late: pay it before the subscription is switched off");
                say(Is::True, reason::PAST_DUE, message)
            }
            _ => say(Is::True, reason::ACTIVE, format!("the license at {vendor} is in force")),
        };
    };
    if ends <= now {
        return say(Is::False, reason::EXPIRED, format!("the license at {vendor} ended on {}{kind}", date(ends)));
    }
    // The shortest warning time that has been reached: each one makes another sentence, and so another event.
    let left = now.duration_until(ends);
    let reached =
        expiry.iter().filter(|before| SignedDuration::try_from(**before).is_ok_and(|before| left < before)).min();
    match reached {
        Some(before) => {
            let hours = before.as_secs() / 3600;
            let message = format!("the license at {vendor} ends on {}, in less than {hours} h{kind}", date(ends));
            say(Is::True, reason::EXPIRING_SOON, message)
        }
        None if license.state == LicenseState::PastDue => say(
            Is::True,
            reason::PAST_DUE,
            format!("a payment to {vendor} is late, and the license ends on {}", date(ends)),
        ),
        None => say(Is::True, reason::ACTIVE, format!("the license at {vendor} is in force until {}", date(ends))),
    }
}

/// What is said of a state in which the license is not in force, whatever its end. `kind`: what its end does, as far as that
/// is known.
fn not_in_force(vendor: &str, license: &License, kind: &str) -> Option<Validity> {
    let gone = |what: &str, reason| say(Is::False, reason, format!("{what} at {vendor}: act there, or seats are lost"));
    Some(match license.state {
        LicenseState::Unpaid => gone("the subscription is not paid", reason::EXPIRED),
        LicenseState::Cancelled => gone("the subscription is cancelled", reason::EXPIRED),
        LicenseState::Expired => gone(&format!("the license has expired{kind}"), reason::EXPIRED),
        LicenseState::Absent => gone("there is no license key", reason::EXPIRED),
        LicenseState::Invalidated => {
            // Where the list does not show it, the seats do.
            let listed = license.keys.iter().filter(|key| key.state == KeyState::Active).count();
            if listed == 0 {
                return Some(gone("the license is invalidated", reason::INVALIDATED));
            }
            let message = format!(
                "{vendor} licenses 0 seats and lists license keys that look in force ({listed}), so it honors none of them: look \
                 at them at {vendor}, or supply another key"
            );
            say(Is::False, reason::INVALIDATED, message)
        }
        LicenseState::Disabled => gone("the account is switched off", reason::INVALIDATED),
        LicenseState::Pending => {
            let message = format!("the first payment to {vendor} is not done: the subscription begins with it");
            say(Is::Unknown, reason::PENDING, message)
        }
        LicenseState::Active | LicenseState::Trial | LicenseState::PastDue => return None,
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    const HOUR: u64 = 3600;

    fn judged(state: LicenseState, ends_in: Option<i64>) -> (Is, &'static str, String) {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let ends = |hours| Time(now + SignedDuration::from_hours(hours));
        let license = License { expires_at: ends_in.map(ends), ..License::of(state) };
        let expiry = [Duration::from_secs(720 * HOUR), Duration::from_secs(168 * HOUR)];
        let Validity { is, reason, message } = validity("Acme", Some(&license), &expiry, now);
        (is, reason, message)
    }

    #[test]
    fn a_license_that_ends_soon_is_told_once_for_each_threshold() {
        for (hours, expected) in
            [(721, "in force until 2026-12-01"), (719, "less than 720 h"), (100, "less than 168 h")]
        {
            let (is, reason, message) = judged(LicenseState::Active, Some(hours));
            assert_eq!((is, reason), (Is::True, if hours > 720 { reason::ACTIVE } else { reason::EXPIRING_SOON }));
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn what_is_not_in_force_is_said_with_its_cause() {
        for (state, reason, word) in [
            (LicenseState::Unpaid, reason::EXPIRED, "not paid"),
            (LicenseState::Cancelled, reason::EXPIRED, "cancelled"),
            (LicenseState::Expired, reason::EXPIRED, "expired"),
            (LicenseState::Absent, reason::EXPIRED, "no license key"),
            (LicenseState::Invalidated, reason::INVALIDATED, "invalidated"),
            (LicenseState::Disabled, reason::INVALIDATED, "switched off"),
        ] {
            let (is, why, message) = judged(state, None);
            assert_eq!((is, why), (Is::False, reason));
            assert!(message.contains(word), "{message}");
        }
        assert_eq!(judged(LicenseState::Active, Some(-1)).1, reason::EXPIRED, "its time has passed");
        assert_eq!(judged(LicenseState::PastDue, None).1, reason::PAST_DUE);
        assert_eq!(judged(LicenseState::Pending, None).0, Is::Unknown);
    }

    #[test]
    fn a_license_that_is_not_shown_is_unknown_and_not_invalid() {
        let unknown = validity("Acme", None, &[], Timestamp::UNIX_EPOCH);
        assert_eq!((unknown.is, unknown.reason), (Is::Unknown, reason::NOT_REPORTED));
    }
}
