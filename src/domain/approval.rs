//! `spec.approval` and `SeatApproval`: which changes need an approval, which changes an approval covers, and the gate for the
//! others. An approval is a separate object, so that rights alone decide which person may give it.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::change_direction::{directions, is_higher};
use super::gates::{Hold, HoldKind, Wanted};
use super::plan::{is_of_a_plan, shown};
use super::wanted_change::Move;
use super::windows::is_first_repeat;
use super::{Numbers, Situation};
use crate::api::{ApprovalDecision, SeatApprovalSpec, ShownPlan, Step};

/// A `SeatApproval` of the object, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Its name.
    pub name: String,
    /// Its spec.
    pub spec: SeatApprovalSpec,
}

/// The known approvals, and the seats approved before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Approvals<'a> {
    /// The approvals of the object.
    pub given: &'a [Approval],
    /// Why the operator could not read them, as the end of a sentence. Then no approval is known.
    pub unread: Option<&'a str>,
    /// The plan that the status showed last.
    pub shown: Option<&'a ShownPlan>,
    /// Seats up to which people have agreed, if the spec asks for approvals.
    pub agreed: Option<i32>,
}

/// The verdict of the approvals on a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// The change needs no approval, and has none.
    NotNeeded,
    /// This approval covers the change. `now`: the change waits for no window either; `of_plan`: the approval names this plan.
    Approved { name: String, now: bool, of_plan: bool },
    /// This approval denies the change.
    Denied(String),
    /// The change needs an approval, with the cause.
    Needed(String),
    /// The approvals could not be read, with the cause.
    Unread(String),
}

/// The day from which no approval counts. A later end would mean an approval without end.
const END_OF_TIME: i16 = 9999;

/// The fault of an approval that admission would refuse, as the rest of a sentence. A denial that names a plan counts, whatever else
/// it has.
pub fn fault_of(spec: &SeatApprovalSpec) -> Option<&'static str> {
    let bound = spec.up_to.is_some() || spec.limit_up_to.is_some();
    let denies = spec.decision == ApprovalDecision::Denied;
    let ends = spec.valid_until.as_ref().map(|until| until.0.to_zoned(jiff::tz::TimeZone::UTC).year());
    match (&spec.plan_id, bound) {
        (Some(_), _) if denies => None,
        (None, _) if denies => Some("denies and names no planId"),
        (Some(_), true) | (None, false) => Some("has to have either planId or a bound (upTo, limitUpTo)"),
        (None, true) if ends.is_none() => Some("has neither planId nor validUntil, and would approve for ever"),
        (None, true) if ends >= Some(END_OF_TIME) => {
            Some("has a validUntil in the year 9999, and would approve for ever")
        }
        _ => None,
    }
}

/// The verdict of the approvals on a change.
pub(super) fn consent(s: &Situation<'_>, change: &Move) -> Consent {
    if !is_of_a_plan(&change.step) {
        return Consent::NotNeeded;
    }
    let given = given(s, change);
    if let Some(why) = s.approvals.unread
        && !matches!(given, Some(Consent::Denied(_)))
    {
        return Consent::Unread(format!("the SeatApprovals of this object could not be read: {why}"));
    }
    given.or_else(|| needed(s, &change.step).map(Consent::Needed)).unwrap_or(Consent::NotNeeded)
}

/// The verdict of the present approvals on a change.
fn given(s: &Situation<'_>, change: &Move) -> Option<Consent> {
    if s.approvals.given.is_empty() {
        return None;
    }
    let ShownPlan { id, .. } = shown(s, &change.step)?;
    let in_force = |approval: &&Approval| approval.spec.valid_until.as_ref().is_none_or(|until| s.now < until.0);
    let given: Vec<&Approval> = s.approvals.given.iter().filter(in_force).collect();
    let of_plan = |approval: &Approval| approval.spec.plan_id.as_deref() == Some(id.as_str());
    let denied = given.iter().find(|one| one.spec.decision == ApprovalDecision::Denied && of_plan(one));
    if let Some(denied) = denied {
        return Some(Consent::Denied(denied.name.clone()));
    }
    let approves = |one: &&&Approval| {
        let bound = one.spec.plan_id.is_none() && within(&one.spec, &change.step);
        one.spec.decision == ApprovalDecision::Approved && (of_plan(one) || bound)
    };
    let applies_now = |one: &Approval| one.spec.apply_now == Some(true);
    let covering: Vec<&&Approval> = given.iter().filter(approves).collect();
    // A wait that one of them lifts is lifted, whichever of them is named.
    let (now, names_plan) = (covering.iter().any(|one| applies_now(one)), covering.iter().any(|one| of_plan(one)));
    let named = covering.iter().max_by_key(|one| (applies_now(one), of_plan(one)))?;
    Some(Consent::Approved { name: named.name.clone(), now, of_plan: names_plan })
}

/// Whether an approval that names a bound covers a change. A bound covers increases alone, because fewer seats are within any upper bound.
fn within(spec: &SeatApprovalSpec, step: &Step) -> bool {
    let Step::Seats(_) = step else { return false };
    let (from, to): (Numbers, Numbers) = (step.base(), step.target());
    let (up, down) = directions(step);
    let seats = to.seats <= from.seats || spec.up_to.is_some_and(|most| to.seats <= most);
    let highest = spec.limit_up_to.or(spec.up_to);
    let limit = !is_higher(to.limit, from.limit) || to.limit.zip(highest).is_some_and(|(limit, most)| limit <= most);
    up && !down && seats && limit
}

/// Why a change needs an approval, if it does.
fn needed(s: &Situation<'_>, step: &Step) -> Option<String> {
    let policy = &s.desired.approval;
    let (from, to) = (step.base(), step.target());
    let (up, down) = directions(step);
    if let Some(most) = policy.increase_above.filter(|_| up) {
        let Step::Seats(_) = step else {
            return Some("the seats of a license key are known only after it is added".into());
        };
        let Some(reach) = reach(from, to) else {
            return Some(format!(
                "without a limit the vendor may buy any number of seats, and spec.approval.increaseAbove is {most}"
            ));
        };
        let rise = i64::from(reach) - i64::from(from.seats);
        let agreed = s.approvals.agreed.unwrap_or(from.seats);
        let above = i64::from(reach) - i64::from(agreed);
        if rise > i64::from(most) {
            return Some(format!("the increase of {rise} seats exceeds spec.approval.increaseAbove {most}"));
        }
        if above > i64::from(most) {
            return Some(format!(
                "{reach} seats are {above} above the {agreed} agreed seats (status.agreedSeats), and spec.approval.increaseAbove is {most}"
            ));
        }
    }
    let fall = i64::from(from.seats) - i64::from(to.seats);
    let most = policy.decrease_above.filter(|most| down && (step.key().is_some() || fall > i64::from(*most)))?;
    Some(match step.key() {
        Some(_) => format!("a license key would be removed, and spec.approval.decreaseAbove is {most}"),
        None => format!("the decrease of {fall} seats exceeds spec.approval.decreaseAbove {most}"),
    })
}

/// How many seats there may be after a change: those that it buys, and those that a higher limit lets the vendor buy. `None`: the
/// number has no end.
pub(super) fn reach(from: Numbers, to: Numbers) -> Option<i32> {
    if !is_higher(to.limit, from.limit) {
        return Some(to.seats);
    }
    to.limit.map(|limit| limit.max(to.seats))
}

/// A message names at most this many approvals that do not cover a change, because approvals of finished plans accumulate over the years.
const NAMED: usize = 3;

/// Why the present approvals do not cover a change, as sentences: bounds first, then the latest plans.
pub(super) fn why_none_covers(s: &Situation<'_>, step: &Step) -> Vec<String> {
    let number = |plan: &str| plan.split('-').next().and_then(|number| number.parse::<i64>().ok());
    let mut given: Vec<&Approval> = s.approvals.given.iter().collect();
    given.sort_by_key(|one| one.spec.plan_id.as_deref().map(|plan| Reverse(number(plan))));
    let named = if given.len() == NAMED + 1 { NAMED + 1 } else { NAMED };
    let more = given.len().saturating_sub(named);
    let rest = (more > 0).then(|| format!("{more} more SeatApprovals of this object do not cover the change"));
    given.into_iter().take(named).map(|one| why_not(s, one, step)).chain(rest).collect()
}

fn why_not(s: &Situation<'_>, Approval { name, spec }: &Approval, step: &Step) -> String {
    let increases = matches!(step, Step::Seats(_)) && directions(step) == (true, false);
    match (&spec.plan_id, &spec.valid_until) {
        (_, Some(until)) if until.0 <= s.now => {
            format!("SeatApproval {name} was valid until {}", until.0.strftime("%Y-%m-%d %H:%MZ"))
        }
        (Some(plan), _) => {
            format!(
                "SeatApproval {name} names plan {plan}, which is no open plan of this object: mistyped, finished, or of another object"
            )
        }
        (None, _) if increases => format!("The bound of SeatApproval {name} is below this change"),
        (None, _) => format!("SeatApproval {name} has a bound, which covers increases of seats or limit alone"),
    }
}

/// When the first of the approvals in force ends.
pub(super) fn next_end(s: &Situation<'_>) -> Option<Timestamp> {
    let ends = s.approvals.given.iter().filter_map(|one| Some(one.spec.valid_until.as_ref()?.0));
    ends.filter(|end| *end > s.now).min()
}

/// The approvals cannot be read, and only a person can change that.
pub(super) fn unreadable(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    match consent(s, wanted.change) {
        Consent::Unread(why) if !is_first_repeat(s, wanted.change) => vec![Hold::of(HoldKind::ApprovalsUnread, why)],
        _ => vec![],
    }
}

/// `spec.approval` and `SeatApproval`: a change waits for a person's yes, and a no holds it.
pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    // Most changes need no yes, so an id is computed only for a message that names it.
    let id = || shown(s, &wanted.change.step).map_or_else(String::new, |plan| plan.id);
    match consent(s, wanted.change) {
        // The protocol's first repeat of a request is the same change, which has passed already. A person may still deny it.
        Consent::Needed(_) if is_first_repeat(s, wanted.change) => vec![],
        Consent::Needed(why) => {
            let others: String = why_none_covers(s, &wanted.change.step).iter().map(|why| format!(". {why}")).collect();
            let message = format!(
                "{why}: create a SeatApproval in this namespace with planId {}, or edit spec to ask for less{others}",
                id()
            );
            vec![Hold::of(HoldKind::Approval, message)]
        }
        Consent::Denied(name) => {
            let message = format!(
                "SeatApproval {name} denies plan {}: delete that SeatApproval to have the change made (the right to delete \
                 seatapprovals decides who can), or edit spec to another wish",
                id()
            );
            vec![Hold::of(HoldKind::Denied, message)]
        }
        // `unreadable` holds what is not read.
        Consent::Unread(_) | Consent::NotNeeded | Consent::Approved { .. } => vec![],
    }
}
