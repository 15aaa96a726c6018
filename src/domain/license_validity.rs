//! Whether the license behind the seats is in force, and whether it ends soon. Called by `report`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::condition::{ConditionStatus, reason};
use super::keys::ends_hard;
use super::status_column::date;
use crate::api::{KeyState, License, LicenseState};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The condition `LicenseValid`.
pub(super) struct Validity {
    pub status: ConditionStatus,
    pub reason: &'static str,
    pub message: String,
}

fn say(status: ConditionStatus, reason: &'static str, message: String) -> Validity {
    Validity { status, reason, message }
}

/// Judges the license that the vendor shows; `None`: it shows none with these credentials. `expiry`: how long before its
/// end to warn, longest first.
pub(super) fn validity(vendor: &str, license: Option<&License>, expiry: &[Duration], now: Timestamp) -> Validity {
    let Some(license) = license else {
        let message = format!("these credentials do not show the state of the license at {vendor}");
        return say(ConditionStatus::Unknown, reason::NOT_REPORTED, message);
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
                say(ConditionStatus::True, reason::PAST_DUE, message)
            }
            _ => say(ConditionStatus::True, reason::ACTIVE, format!("the license at {vendor} is in force")),
        };
    };
    let over = last_moment(ends);
    if over <= now && honored(license) {
        let message = format!(
            "the license at {vendor} passed its end date {}, and {vendor} still honors it: renew it before {vendor} stops{kind}",
            date(ends)
        );
        return say(ConditionStatus::True, reason::EXPIRING_SOON, message);
    }
    if over <= now {
        return say(
            ConditionStatus::False,
            reason::EXPIRED,
            format!("the license at {vendor} ended on {}{kind}", date(ends)),
        );
    }
    ahead(vendor, license, (ends, now.duration_until(over)), (expiry, kind))
}

/// A license that ends later. `left`: until its last moment.
fn ahead(
    vendor: &str,
    license: &License,
    (ends, left): (Timestamp, SignedDuration),
    (expiry, kind): (&[Duration], &str),
) -> Validity {
    // The shortest warning time that was reached. Each one makes another sentence, and so another event.
    let reached =
        expiry.iter().filter(|before| SignedDuration::try_from(**before).is_ok_and(|before| left < before)).min();
    match reached {
        Some(before) => {
            let hours = before.as_secs() / 3600;
            let message = soon(vendor, license, (ends, hours), kind);
            say(ConditionStatus::True, reason::EXPIRING_SOON, message)
        }
        None if license.state == LicenseState::PastDue => say(
            ConditionStatus::True,
            reason::PAST_DUE,
            format!("a payment to {vendor} is late, and the license ends on {}", date(ends)),
        ),
        None => say(
            ConditionStatus::True,
            reason::ACTIVE,
            format!("the license at {vendor} is in force until {}", date(ends)),
        ),
    }
}

/// An end within one of the thresholds. `ends`: when, and of the shortest threshold that is reached the hours.
fn soon(vendor: &str, license: &License, (ends, hours): (Timestamp, u64), kind: &str) -> String {
    let (ends, trial) = (date(ends), license.state == LicenseState::Trial);
    match trial {
        true => format!(
            "the trial at {vendor} ends on {ends}, in less than {hours} h: choose a plan there and add a way to pay, or the seats \
             are lost"
        ),
        false => format!("the license at {vendor} ends on {ends}, in less than {hours} h{kind}"),
    }
}

/// Whether the vendor reports the license in force. Its report overrides the clock of this process.
fn honored(license: &License) -> bool {
    license.can_add_user == Some(true) || matches!(license.state, LicenseState::Trial | LicenseState::PastDue)
}

/// The last moment before an end. A date ends with its day, and so does midnight that is written in place of a date.
pub(super) fn last_moment(end: Timestamp) -> Timestamp {
    let midnight = end.as_second().rem_euclid(DAY.as_secs()) == 0 && end.subsec_nanosecond() == 0;
    if midnight { end.saturating_add(DAY).unwrap_or(end) } else { end }
}

/// The time after a known moment until that moment has certainly passed.
pub(super) const OVER: Duration = Duration::from_millis(100);

/// Time until the license changes by itself: at its end, at the end of its period or of one of its keys, or at one of the warning times.
pub(super) fn turns_in(license: &License, expiry: &[Duration], now: Timestamp) -> Option<Duration> {
    let ends = license.expires_at.as_ref().map(|time| last_moment(time.0));
    let warnings = expiry.iter().filter_map(|before| ends?.checked_sub(*before).ok());
    let period = license.period_end.as_ref().map(|time| time.0);
    let keys = license.keys.iter().filter_map(|key| key.expires_at.as_ref().map(|time| time.0));
    let keys = keys.flat_map(|end| [end, last_moment(end)]);
    let moments = warnings.chain(ends).chain(period).chain(keys).filter(|moment| *moment > now);
    moments.min().and_then(|next| Duration::try_from(now.duration_until(next)).ok()).map(|left| left + OVER)
}

/// The message for a state in which the license is not in force, whatever its end. `kind`: what its end does, as far as that
/// is known.
fn not_in_force(vendor: &str, license: &License, kind: &str) -> Option<Validity> {
    let gone = |what: &str, reason| {
        say(ConditionStatus::False, reason, format!("{what} at {vendor}: act there, or seats are lost"))
    };
    Some(match license.state {
        LicenseState::Unpaid => gone("the subscription is not paid", reason::EXPIRED),
        LicenseState::Canceled => gone("the subscription is canceled", reason::EXPIRED),
        LicenseState::Expired => gone(&format!("the license has expired{kind}"), reason::EXPIRED),
        LicenseState::Absent => gone("there is no license key", reason::EXPIRED),
        LicenseState::Invalidated => {
            // If the list does not show it, the seats show it.
            let listed = license.keys.iter().filter(|key| key.state == KeyState::Active).count();
            if listed == 0 {
                return Some(gone("the license is invalidated", reason::INVALIDATED));
            }
            let message = format!(
                "{vendor} licenses 0 seats and lists license keys that look in force ({listed}), so it honors none of them: check them at \
                 {vendor}, or supply another key"
            );
            say(ConditionStatus::False, reason::INVALIDATED, message)
        }
        LicenseState::Disabled => gone("the account is switched off", reason::INVALIDATED),
        LicenseState::Pending => {
            let message = format!("the first payment to {vendor} is missing: pay it to begin the subscription");
            say(ConditionStatus::Unknown, reason::PENDING, message)
        }
        LicenseState::Active | LicenseState::Trial | LicenseState::PastDue => return None,
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    const HOUR: u64 = 3600;

    fn judged(state: LicenseState, ends_in: Option<i64>) -> (ConditionStatus, &'static str, String) {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let ends = |hours| Time(now + SignedDuration::from_hours(hours));
        let license = License { expires_at: ends_in.map(ends), ..License::of(state) };
        let expiry = [Duration::from_secs(720 * HOUR), Duration::from_secs(168 * HOUR)];
        let Validity { status, reason, message } = validity("Acme", Some(&license), &expiry, now);
        (status, reason, message)
    }

    #[test]
    fn license_ending_soon_is_reported_once_per_threshold() {
        for (hours, expected) in
            [(721, "in force until 2026-12-01"), (719, "less than 720 h"), (100, "less than 168 h")]
        {
            let (status, reason, message) = judged(LicenseState::Active, Some(hours));
            assert_eq!(
                (status, reason),
                (ConditionStatus::True, if hours > 720 { reason::ACTIVE } else { reason::EXPIRING_SOON })
            );
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn license_with_end_date_ends_with_that_day() {
        // The time of these is midnight.
        let (status, reason, message) = judged(LicenseState::Active, Some(0));
        assert_eq!((status, reason), (ConditionStatus::True, reason::EXPIRING_SOON));
        assert!(message.contains("ends on 2026-11-01, in less than 168 h"), "{message}");
        assert_eq!(judged(LicenseState::Active, Some(-24)).1, reason::EXPIRED);
    }

    #[test]
    fn trial_ending_soon_is_reported_with_remedy() {
        let (status, reason, message) = judged(LicenseState::Trial, Some(7 * 24 - 1));
        assert_eq!((status, reason), (ConditionStatus::True, reason::EXPIRING_SOON));
        assert!(
            message.starts_with("the trial at Acme ends on 2026-11-07, in less than 168 h: choose a plan"),
            "{message}"
        );
        assert_eq!(judged(LicenseState::Trial, Some(800)).1, reason::ACTIVE);
    }

    #[test]
    fn license_turns_at_the_next_warning_then_at_its_end_and_not_after_it() {
        let now: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        let expiry = [Duration::from_secs(720 * HOUR), Duration::from_secs(168 * HOUR)];
        for (hours, next) in [(721, Some(1)), (720, Some(552)), (169, Some(1)), (100, Some(100)), (0, None), (-1, None)]
        {
            let expires_at = Some(Time(now + SignedDuration::from_hours(hours)));
            let license = License { expires_at, ..License::of(LicenseState::Active) };
            let left = next.map(|hours| Duration::from_secs(hours * HOUR) + OVER);
            assert_eq!(turns_in(&license, &expiry, now), left, "{hours}");
        }
        let midnight = Some(Time(now + SignedDuration::from_hours(12)));
        let license = License { expires_at: midnight, ..License::of(LicenseState::Active) };
        assert_eq!(turns_in(&license, &[], now), Some(Duration::from_secs(36 * HOUR) + OVER), "a date, with its day");
        let license =
            License { period_end: Some(Time(now + SignedDuration::from_secs(14))), ..License::of(LicenseState::Trial) };
        assert_eq!(turns_in(&license, &expiry, now), Some(Duration::from_secs(14) + OVER));
    }

    #[test]
    fn license_not_in_force_is_reported_with_cause() {
        for (state, reason, word) in [
            (LicenseState::Unpaid, reason::EXPIRED, "not paid"),
            (LicenseState::Canceled, reason::EXPIRED, "canceled"),
            (LicenseState::Expired, reason::EXPIRED, "expired"),
            (LicenseState::Absent, reason::EXPIRED, "no license key"),
            (LicenseState::Invalidated, reason::INVALIDATED, "invalidated"),
            (LicenseState::Disabled, reason::INVALIDATED, "switched off"),
        ] {
            let (status, why, message) = judged(state, None);
            assert_eq!((status, why), (ConditionStatus::False, reason));
            assert!(message.contains(word), "{message}");
        }
        assert_eq!(judged(LicenseState::Active, Some(-1)).1, reason::EXPIRED, "its time has passed");
        for honored in [LicenseState::Trial, LicenseState::PastDue] {
            let (status, reason, message) = judged(honored, Some(-1));
            assert_eq!(
                (status, reason),
                (ConditionStatus::True, reason::EXPIRING_SOON),
                "the vendor says that it is in force"
            );
            assert!(message.contains("passed its end date 2026-10-31, and Acme still honors it"), "{message}");
        }
        assert_eq!(judged(LicenseState::PastDue, None).1, reason::PAST_DUE);
        assert_eq!(judged(LicenseState::Pending, None).0, ConditionStatus::Unknown);
    }

    #[test]
    fn unshown_license_is_unknown_and_not_invalid() {
        let unknown = validity("Acme", None, &[], Timestamp::UNIX_EPOCH);
        assert_eq!((unknown.status, unknown.reason), (ConditionStatus::Unknown, reason::NOT_REPORTED));
    }
}
