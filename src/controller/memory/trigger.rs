//! What asks for a pass: an edit of the object, or an annotation.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::{CONFIRM, FLUX_REQUESTED_AT, RECONCILE_REQUESTED_AT};

/// What asked for a pass; the same trigger before its time is not worth one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::controller) struct Trigger {
    pub uid: String,
    pub generation: i64,
    pub confirmed: Option<String>,
    /// Values of the two annotations that ask for a pass, ours and Flux's.
    requests: [Option<String>; 2],
}

impl Trigger {
    pub fn of(object: &ObjectMeta) -> Self {
        let annotation = |key: &str| {
            let value = object.annotations.as_ref().and_then(|annotations| annotations.get(key));
            value.map(|value| value.chars().take(256).collect::<String>())
        };
        Self {
            uid: object.uid.clone().unwrap_or_default(),
            generation: object.generation.unwrap_or_default(),
            confirmed: annotation(CONFIRM),
            requests: [annotation(RECONCILE_REQUESTED_AT), annotation(FLUX_REQUESTED_AT)],
        }
    }

    /// The request that a pass answers: the later one where both annotations are there. Both are times by convention;
    /// what is not a time counts as the earliest, and between equals ours counts.
    pub fn requested(&self) -> Option<String> {
        let time = |text: &&String| text.parse::<Timestamp>().unwrap_or(Timestamp::MIN);
        self.requests.iter().flatten().rev().max_by_key(time).cloned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn annotation() -> impl Strategy<Value = Option<String>> {
        let long = (0usize..600).prop_map(|length| "\u{1f4a9}".repeat(length));
        proptest::option::of(prop_oneof![4 => crate::mutants::dates(), 1 => any::<String>(), 1 => long])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_annotations_say_the_request_that_is_answered_is_the_latest_of_them_cut_short(
            confirm in annotation(), ours in annotation(), flux in annotation(), other in annotation(),
        ) {
            let given = [(CONFIRM, &confirm), (RECONCILE_REQUESTED_AT, &ours), (FLUX_REQUESTED_AT, &flux), ("other", &other)];
            let annotations = given.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value).clone()?)));
            let object = ObjectMeta { annotations: Some(annotations.collect()), ..ObjectMeta::default() };
            let trigger = Trigger::of(&object);
            let short = |text: &Option<String>| text.as_ref().map(|text| text.chars().take(256).collect::<String>());
            prop_assert_eq!(&trigger.confirmed, &short(&confirm));
            let asked = [short(&ours), short(&flux)];
            let requested = trigger.requested();
            prop_assert_eq!(requested.is_some(), asked.iter().any(Option::is_some));
            prop_assert!(requested.is_none() || asked.contains(&requested));
            let time = |text: &String| text.parse::<Timestamp>().ok();
            let at = requested.as_ref().and_then(time);
            prop_assert!(asked.iter().flatten().all(|text| time(text) <= at), "{:?} of {:?}", requested, asked);
        }
    }
}
