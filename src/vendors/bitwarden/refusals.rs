//! Why the owner API refuses a change, in our words: its texts (docs/vendors/bitwarden.md, "Rules of a change") are
//! compared with, and never repeated.

/// How a text of the vendor is recognized.
#[derive(Clone, Copy)]
enum Text {
    Is(&'static str),
    Begins(&'static str),
    Holds(&'static str),
}

use Text::{Begins, Holds, Is};

/// Numbers that were shown before a change agree with it, so another change was faster.
const LIMIT_BELOW: &str = "the seats changed meanwhile, and the limit would be below them";

/// Rules that are checked before anything is changed (U1, A1 to A10, S1 to S21), each with its message.
const BEFORE_ANY_EFFECT: &[(Text, &str)] = &[
    (Is("Only allowed when not self hosted."), "it is self-hosted: seats come from the license"),
    (Is("Cannot set max seat autoscaling below seat count."), LIMIT_BELOW),
    (Is("Organization has no seat limit, no need to adjust seats"), "the plan has no seat count"),
    (
        Is("No payment method found."),
        "the organization has no payment method: add one in the admin console, under Billing",
    ),
    (Is("No subscription found."), "the organization has no subscription: choose a plan in the admin console"),
    (
        Is("Plan does not allow additional seats."),
        "the plan has a fixed number of seats: change the plan in the admin console",
    ),
    (Begins("Plan has a minimum of "), "the plan already includes more seats"),
    (Begins("You must have at least 1 "), "the minimum is 1"),
    (Begins("Organization plan allows a maximum of "), "the plan does not allow so many seats"),
    (Holds(" seats filled."), "more are in use: remove or revoke members first"),
    (
        Holds(" machine accounts. You cannot decrease your subscription"),
        "more are in use: delete machine accounts first",
    ),
    (
        Begins("Your organization has "),
        "more are in use, with sponsored families: remove members or sponsorships first",
    ),
    (
        Is("You cannot have more Secrets Manager seats than Password Manager seats."),
        "Secrets Manager cannot have more seats than Password Manager: raise those of Password Manager first, or lower those of \
         Secrets Manager",
    ),
    (
        Begins("You do not have an active subscription."),
        "the subscription is canceled: reinstate it in the admin console",
    ),
    (
        Is("Organization has no access to Secrets Manager."),
        "the organization has no Secrets Manager: add it to the plan first",
    ),
    (
        Is("Organization has no Secrets Manager seat limit, no need to adjust seats"),
        "a personal key changes no machine accounts while the organization's Secrets Manager seats are not counted: add the \
         organization key as credentialsSecretRef",
    ),
    (
        Is("Organization has no machine accounts limit, no need to adjust machine accounts"),
        "a personal key changes no Secrets Manager seats while the organization's machine accounts are not counted: add the \
         organization key as credentialsSecretRef",
    ),
    (Begins("You have reached the maximum number of "), "the plan does not allow so many"),
    (
        Holds(" users are currently occupying Secrets Manager seats."),
        "more people use Secrets Manager: take their access away first",
    ),
    (
        Begins("Cannot set max machine accounts autoscaling below "),
        "the machine accounts changed meanwhile, and the limit would be below them",
    ),
    (Begins("Cannot set max Secrets Manager seat autoscaling below "), LIMIT_BELOW),
    (Begins("Your plan has a Secrets Manager seat limit of "), "the plan does not allow so high a limit"),
    (Begins("Your plan has a machine account limit of "), "the plan does not allow so high a limit"),
    (
        Is("Your plan does not allow Secrets Manager seat autoscaling."),
        "the plan has no auto-scaling: leave spec.limit out",
    ),
    (
        Is("Your plan does not allow machine accounts autoscaling."),
        "the plan has no auto-scaling: leave spec.limit out",
    ),
];

/// Rules on the limit of Password Manager (B1 to B4): checked after the seats have been changed.
const OF_THE_LIMIT: &[(Text, &str)] = &[
    (Is("Cannot set max seat autoscaling below current seat count."), LIMIT_BELOW),
    (Is("Your plan does not allow seat autoscaling."), "the plan has no auto-scaling: leave spec.limit out"),
    (Begins("Your plan has a seat limit of "), "the plan does not allow so high a limit"),
];

/// A text of the owner API and the message instead of it.
#[derive(Clone, Copy, Debug)]
pub struct RefusalText {
    /// What the vendor's text is, begins with, or holds.
    pub theirs: &'static str,
    /// The message, as it follows "because".
    pub ours: &'static str,
    /// The rule is checked only after seats have changed, so that it proves nothing about them.
    pub after_seats: bool,
}

/// All texts that are known, for the document and the tests.
pub fn refusals() -> Vec<RefusalText> {
    let row = |after_seats| {
        move |(text, ours): &(Text, &'static str)| {
            let (Is(theirs) | Begins(theirs) | Holds(theirs)) = *text;
            RefusalText { theirs, ours, after_seats }
        }
    };
    BEFORE_ANY_EFFECT.iter().map(row(false)).chain(OF_THE_LIMIT.iter().map(row(true))).collect()
}

/// Why a change was refused without any effect; `None` where the text is not known to prove that. `moves_seats`: the
/// request also changes seats, which are changed before the limit is checked.
pub(super) fn without_effect(text: &str, moves_seats: bool) -> Option<&'static str> {
    let is = |(pattern, _): &&(Text, &str)| match pattern {
        Is(whole) => text == *whole,
        Begins(start) => text.starts_with(start),
        Holds(part) => text.contains(part),
    };
    let limit = if moves_seats { &[] } else { OF_THE_LIMIT };
    BEFORE_ANY_EFFECT.iter().chain(limit).find(is).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_checked_after_the_seats_have_changed_proves_nothing_about_them() {
        let text = "Your plan does not allow seat autoscaling.";
        assert!(without_effect(text, false).is_some());
        assert_eq!(without_effect(text, true), None);
        assert!(without_effect("Plan has a minimum of 5 seats.", true).is_some());
        assert_eq!(without_effect("Unable to locate draft invoice for subscription update.", true), None);
    }

    #[test]
    fn message_never_contains_vendor_text() {
        for RefusalText { theirs, ours, .. } in refusals() {
            assert!(!ours.contains(theirs), "{theirs}");
        }
    }
}
