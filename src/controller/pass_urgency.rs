//! The urgency of a pass: a pass that a person awaits overtakes one that is merely due. Called by `gather`.

use super::object_state::{ObjectState, PassRequest};
use crate::api::{Intent, LicenseSeatsStatus, UNOBSERVED};
use crate::vendors::Urgency;

/// It comes from the record, which a restart keeps, and from the state of this process.
pub(super) fn urgency(requested: &PassRequest, status: &LicenseSeatsStatus, state: &ObjectState) -> Urgency {
    let open = status.intent.as_ref().is_some_and(Intent::is_open);
    let new = status.observed_generation == UNOBSERVED;
    let edited = !new && status.observed_generation != requested.generation;
    let handled = &status.last_handled_reconcile_at;
    let requested = requested.handled(state.recorded.as_ref(), handled.as_deref()) != *handled;
    if state.asked {
        Urgency::Asked
    } else if open || state.changing || state.doubt.runs() {
        Urgency::Urgent
    } else if edited || requested || state.foreign || state.has_news || state.has_other_secret() {
        Urgency::Changed
    } else if new {
        Urgency::First
    } else {
        Urgency::Poll
    }
}

#[cfg(test)]
#[allow(clippy::field_reassign_with_default)] // the other fields are not this module's
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

    fn requested(generation: i64) -> PassRequest {
        PassRequest::of(&ObjectMeta { generation: Some(generation), ..ObjectMeta::default() })
    }

    fn seen(generation: i64) -> LicenseSeatsStatus {
        LicenseSeatsStatus { observed_generation: generation, ..LicenseSeatsStatus::default() }
    }

    #[test]
    fn pass_requested_by_person_is_distinguished_from_due_pass() {
        let idle = ObjectState::default();
        assert_eq!(urgency(&requested(1), &seen(1), &idle), Urgency::Poll);
        assert_eq!(urgency(&requested(1), &LicenseSeatsStatus::default(), &idle), Urgency::First);
        assert_eq!(urgency(&requested(2), &seen(1), &idle), Urgency::Changed, "edited before a restart");
        let mut other_secret = ObjectState::default();
        other_secret.asks_with(Some("1"));
        assert_eq!(urgency(&requested(1), &seen(1), &other_secret), Urgency::Poll, "the first one is no other one");
        other_secret.asks_with(Some("2"));
        assert_eq!(urgency(&requested(1), &seen(1), &other_secret), Urgency::Changed);
        other_secret.answered();
        other_secret.asks_with(Some("2"));
        assert_eq!(urgency(&requested(1), &seen(1), &other_secret), Urgency::Poll, "it was tried");
        let mut approved = ObjectState::default();
        approved.has_news = true;
        assert_eq!(
            urgency(&requested(1), &seen(1), &approved),
            Urgency::Changed,
            "a person said yes, and waits for it"
        );
        approved.read(std::time::Instant::now(), jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(urgency(&requested(1), &seen(1), &approved), Urgency::Poll);
        let mut asked = ObjectState::default();
        asked.asked = true;
        assert_eq!(urgency(&requested(2), &seen(1), &asked), Urgency::Asked);
        let mut changing = ObjectState::default();
        changing.changing = true;
        assert_eq!(urgency(&requested(1), &seen(1), &changing), Urgency::Urgent);
        let mut doubting = ObjectState::default();
        let wait = crate::domain::WaitFor::Request("0123".into());
        doubting.doubt.restart(wait, std::time::Instant::now());
        assert_eq!(urgency(&requested(1), &seen(1), &doubting), Urgency::Urgent);
    }
}
