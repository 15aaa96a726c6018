//! Where `spec.driftPolicy` is Report, a change from outside is reported and not corrected.

use super::{Hold, HoldKind, Wanted};
use crate::api::{DriftPolicy, Trigger};
use crate::domain::Situation;
use crate::domain::approval::{Consent, consent};
use crate::domain::ladder::Settle;

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let change = wanted.change;
    let drift = s.desired.drift == DriftPolicy::Report && change.reason == Trigger::ExternalChange;
    // A change that is shown twice is a question to a person, and a row that is missing once may be a list that lacks it.
    let comes_first = match &change.settle {
        Settle::Review(_) => true,
        Settle::Wait(_) => change.drifted.is_none(),
        Settle::Done | Settle::Late(_) => false,
    };
    // Approving the plan that is shown applies it.
    let approved = matches!(consent(s, change), Consent::Approved { of_plan: true, .. });
    if !drift || comes_first || approved {
        return vec![];
    }
    let message =
        "spec.driftPolicy is Report: edit spec to what you want, or set driftPolicy to Correct to have it corrected";
    vec![Hold::of(HoldKind::DriftReported, message.into())]
}
