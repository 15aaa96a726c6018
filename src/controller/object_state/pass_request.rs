//! The triggers of a pass: an edit of the object, or an annotation.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::{CONFIRM, DIFFERS, FLUX_REQUESTED_AT, RECONCILE_REQUESTED_AT};

/// The trigger of a pass. The same trigger alone is no reason for another pass before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::controller) struct PassRequest {
    pub uid: String,
    pub generation: i64,
    pub confirmed: Option<String>,
    /// The accounts from which a person declares this one different.
    differs: Option<String>,
    /// Values of the two annotations that ask for a pass, ours and Flux's.
    requests: [Option<String>; 2],
}

/// The kept length of an annotation, in characters: enough for the IDs of all license keys that a spec may list.
const LONGEST: usize = 1024;

impl PassRequest {
    pub fn of(object: &ObjectMeta) -> Self {
        let annotation = |key: &str| {
            let value = object.annotations.as_ref().and_then(|annotations| annotations.get(key));
            value.map(|value| value.chars().take(LONGEST).collect::<String>())
        };
        Self {
            uid: object.uid.clone().unwrap_or_default(),
            generation: object.generation.unwrap_or_default(),
            confirmed: annotation(CONFIRM),
            differs: annotation(DIFFERS),
            requests: [annotation(RECONCILE_REQUESTED_AT), annotation(FLUX_REQUESTED_AT)],
        }
    }

    /// Value of the annotation with which a person asks for a look. Robots set Flux's.
    pub fn look(&self) -> Option<&str> {
        self.requests[0].as_deref()
    }

    /// The request that counts as handled once a pass over this requested is recorded, where `handled` did so before. `recorded`:
    /// the requested of the last pass that this process recorded. Any change of either annotation is a request; where both are
    /// new, ours is named. A process that has recorded none yet names the later one where both are dates.
    pub fn handled(&self, recorded: Option<&Self>, handled: Option<&str>) -> Option<String> {
        if let (None, [Some(ours), Some(flux)]) = (recorded, &self.requests)
            && let (Ok(at), Ok(at_flux)) = (ours.parse::<Timestamp>(), flux.parse::<Timestamp>())
            && at != at_flux
        {
            return Some(if at > at_flux { ours.clone() } else { flux.clone() });
        }
        let known = recorded.map(|requested| &requested.requests);
        let mut new = (0..self.requests.len())
            .filter(|i| known.is_none_or(|known| known[*i] != self.requests[*i]))
            .filter_map(|i| self.requests[i].as_deref());
        // If one of the two is recorded already, perhaps by another process, it stays: this process cannot know which one is newer.
        let named = if new.clone().any(|value| Some(value) == handled) { handled } else { new.next().or(handled) };
        named.map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn annotation() -> impl Strategy<Value = Option<String>> {
        let long = (0usize..2000).prop_map(|length| "\u{1f4a9}".repeat(length));
        proptest::option::of(prop_oneof![4 => crate::fuzz_inputs::dates(), 1 => any::<String>(), 1 => long])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn annotation_of_any_text_is_handled_once_per_change_and_cut_short(
            confirm in annotation(), ours in annotation(), flux in annotation(), other in annotation(), first in annotation(),
        ) {
            let given = [(CONFIRM, &confirm), (RECONCILE_REQUESTED_AT, &ours), (FLUX_REQUESTED_AT, &flux), ("other", &other)];
            let requested = requested(&given);
            let short = |text: &Option<String>| text.as_ref().map(|text| text.chars().take(LONGEST).collect::<String>());
            prop_assert_eq!(&requested.confirmed, &short(&confirm));
            let asked = [short(&ours), short(&flux)];
            let handled = requested.handled(None, first.as_deref());
            prop_assert!(handled == first || asked.contains(&handled), "{:?}", handled);
            prop_assert!(asked.iter().all(Option::is_none) || asked.contains(&handled), "a restart finds it: {:?}", handled);
            prop_assert_eq!(&requested.handled(None, handled.as_deref()), &handled, "another restart");
            prop_assert_eq!(requested.handled(Some(&requested), handled.as_deref()), handled, "and at rest");
        }
    }

    fn requested(annotations: &[(&str, &Option<String>)]) -> PassRequest {
        let annotations = annotations.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value).clone()?)));
        PassRequest::of(&ObjectMeta { annotations: Some(annotations.collect()), ..ObjectMeta::default() })
    }

    #[test]
    fn ids_of_all_license_keys_that_a_spec_may_list_are_read_whole() {
        let ids = vec!["0123456789ab"; 20].join(", ");
        assert_eq!(requested(&[(CONFIRM, &Some(ids.clone()))]).confirmed, Some(ids));
    }

    #[test]
    fn annotation_of_flux_is_no_look_of_a_person() {
        let (ours, flux) = (Some("one".to_owned()), Some("other".to_owned()));
        assert_eq!(requested(&[(FLUX_REQUESTED_AT, &flux)]).look(), None);
        let both = requested(&[(RECONCILE_REQUESTED_AT, &ours), (FLUX_REQUESTED_AT, &flux)]);
        assert_eq!(both.look(), Some("one"));
    }

    #[test]
    fn changed_annotation_is_handled_whatever_times_it_names() {
        let of = |ours: Option<&str>, flux: Option<&str>| {
            let (ours, flux) = (ours.map(str::to_owned), flux.map(str::to_owned));
            requested(&[(RECONCILE_REQUESTED_AT, &ours), (FLUX_REQUESTED_AT, &flux)])
        };
        let before = of(Some("2026-10-01T08:00:00Z"), Some("2026-10-02T08:00:00Z"));
        let handled = Some("2026-10-02T08:00:00Z");
        for (ours, flux, named) in [
            (Some("2026-10-01T08:00:00Z"), Some("2026-09-01T08:00:00Z"), Some("2026-09-01T08:00:00Z")),
            (Some("Thu Oct  1 10:00:05 CEST 2026"), handled, Some("Thu Oct  1 10:00:05 CEST 2026")),
            (Some("one"), Some("other"), Some("one")),
            (None, handled, handled),
            (None, Some("other"), Some("other")),
            (Some("2026-10-01T08:00:00Z"), None, handled),
        ] {
            assert_eq!(of(ours, flux).handled(Some(&before), handled).as_deref(), named, "{ours:?} {flux:?}");
        }
        let new = of(Some("one"), Some("other"));
        for (handled, named) in [(None, "one"), (Some("former"), "one"), (Some("one"), "one"), (Some("other"), "other")]
        {
            assert_eq!(new.handled(None, handled).as_deref(), Some(named), "after a restart: {handled:?}");
        }
    }

    #[test]
    fn restarted_process_handles_later_of_two_dates_whichever_was_recorded() {
        let dates =
            ["2026-10-01T08:00:00Z", "2026-10-01T10:00:00.5+01:00", "2026-10-01T08:00:00+00:00"].map(str::to_owned);
        let of = |ours: &String, flux: &String| {
            requested(&[(RECONCILE_REQUESTED_AT, &Some(ours.clone())), (FLUX_REQUESTED_AT, &Some(flux.clone()))])
        };
        let [early, late, same] = &dates;
        for handled in [None, Some("former"), Some(early.as_str()), Some(late.as_str())] {
            for requested in [of(early, late), of(late, early)] {
                assert_eq!(requested.handled(None, handled).as_deref(), Some(late.as_str()), "{handled:?}");
            }
        }
        assert_eq!(of(early, same).handled(None, Some(same)).as_ref(), Some(same), "neither is later");
    }
}
