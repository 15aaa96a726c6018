//! Decides which replica leads, from a `coordination.k8s.io` Lease. Pure, and without wall clocks: a lease expires when it has not
//! changed for its duration on the watcher's own monotonic clock, whatever times it holds.

use std::time::Duration;

/// The longest lease of another replica that this one waits for. A longer one is nonsense, and no flag may set it.
pub const LONGEST_LEASE: Duration = Duration::from_secs(600);

/// The fields of a Lease that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseSeen {
    /// Its holder; `None` or empty when it was released.
    pub holder: Option<String>,
    /// For how long without renewal, as written by the holder; nonsense counts as absent.
    pub duration_seconds: Option<i32>,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseStep {
    /// No replica holds it: take it, if it is still as seen.
    Acquire,
    /// It is ours: renew it.
    Renew,
    /// Another replica holds it, for at least this long.
    Follow(Duration),
}

/// Decides. `unchanged_for`: how long this process has seen the Lease unchanged; `ours`: the duration we write ourselves.
pub fn lease_step(lease: Option<&LeaseSeen>, me: &str, unchanged_for: Duration, ours: Duration) -> LeaseStep {
    let Some(lease) = lease else { return LeaseStep::Acquire };
    match lease.holder.as_deref() {
        None | Some("") => LeaseStep::Acquire,
        Some(holder) if holder == me => LeaseStep::Renew,
        Some(_) => {
            let seconds = lease.duration_seconds.and_then(|s| u64::try_from(s).ok());
            // Never shorter than ours: a holder that writes a short duration by mistake still gets ours.
            let runs = seconds.map_or(ours, Duration::from_secs).clamp(ours, LONGEST_LEASE.max(ours));
            let left = runs.saturating_sub(unchanged_for);
            if left.is_zero() { LeaseStep::Acquire } else { LeaseStep::Follow(left) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Duration = Duration::from_secs(15);

    fn step(holder: Option<&str>, duration_seconds: Option<i32>, unchanged: u64) -> LeaseStep {
        let lease = LeaseSeen { holder: holder.map(str::to_owned), duration_seconds };
        lease_step(Some(&lease), "me", Duration::from_secs(unchanged), OURS)
    }

    #[test]
    fn free_lease_is_taken() {
        assert_eq!(lease_step(None, "me", Duration::ZERO, OURS), LeaseStep::Acquire);
        assert_eq!(step(None, Some(15), 0), LeaseStep::Acquire);
        assert_eq!(step(Some(""), Some(1), 0), LeaseStep::Acquire);
    }

    #[test]
    fn our_own_lease_is_renewed() {
        assert_eq!(step(Some("me"), Some(15), 100), LeaseStep::Renew);
    }

    #[test]
    fn lease_of_other_holder_is_taken_only_once_unchanged_for_its_duration() {
        assert_eq!(step(Some("you"), Some(15), 14), LeaseStep::Follow(Duration::from_secs(1)));
        assert_eq!(step(Some("you"), Some(15), 15), LeaseStep::Acquire);
        assert_eq!(step(Some("you"), Some(60), 15), LeaseStep::Follow(Duration::from_secs(45)));
    }

    #[test]
    fn nonsense_durations_neither_hurry_nor_hang() {
        for nonsense in [None, Some(0), Some(-5), Some(1)] {
            assert_eq!(step(Some("you"), nonsense, 14), LeaseStep::Follow(Duration::from_secs(1)), "{nonsense:?}");
            assert_eq!(step(Some("you"), nonsense, 15), LeaseStep::Acquire, "{nonsense:?}");
        }
        assert_eq!(step(Some("you"), Some(i32::MAX), 600), LeaseStep::Acquire);
    }

    use proptest::prelude::*;

    fn holder() -> impl Strategy<Value = Option<String>> {
        let name = prop_oneof![Just(String::new()), Just("me".to_owned()), Just("you".to_owned()), any::<String>()];
        proptest::option::of(name)
    }

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![
            8 => (0u64..700_000).prop_map(Duration::from_millis),
            1 => (0u64..100).prop_map(Duration::from_nanos),
            1 => any::<u64>().prop_map(Duration::from_secs),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lease_of_any_content_is_taken_at_last_but_not_before_own_duration(
            holder in holder(), duration_seconds in proptest::option::of(prop_oneof![any::<i32>(), -2i32..1000]),
            unchanged_for in duration(), ours in duration(),
        ) {
            let lease = LeaseSeen { holder, duration_seconds };
            let step = |unchanged_for| lease_step(Some(&lease), "me", unchanged_for, ours);
            match (lease.holder.as_deref(), step(unchanged_for)) {
                (None | Some(""), step) => prop_assert_eq!(step, LeaseStep::Acquire),
                (Some("me"), step) => prop_assert_eq!(step, LeaseStep::Renew),
                (_, LeaseStep::Renew) => prop_assert!(false, "it is not ours"),
                (_, LeaseStep::Acquire) => prop_assert!(unchanged_for >= ours),
                (_, LeaseStep::Follow(left)) => {
                    prop_assert!(!left.is_zero() && left <= LONGEST_LEASE.max(ours));
                    prop_assert_eq!(step(unchanged_for + left), LeaseStep::Acquire, "no replica waits for ever");
                }
            }
        }
    }
}
