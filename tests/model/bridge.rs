//! What both bridges to the code under test have in common: the model's spec, a reading and a situation as the values of the
//! code, and a decision of the code as a judgment of the model.

use std::time::Duration;

use jiff::Timestamp;
use seatkeeper::api::{
    Account, ApprovalPolicy, DriftPolicy, Guardrails, Intent, LicenseSeatsStatus, ManagementPolicy, Thresholds, Trigger,
};
use seatkeeper::domain::{
    ActivePast, Approvals, Calendar, Ceilings, ChangeTimes, Decision, Desired, Goal, LimitGoal, Model, Pool, Rules,
    Situation, Snapshot, Standing, Timing, Usage, VendorWords, Verdict,
};

use crate::apiserver::Record;
use crate::case::{Case, Doubted, Judgment, Said};
use crate::variants::{FaultSwitch, Variant};

/// The uid of the model's object.
pub const UID: &str = "uid";

/// The key of the account, as the code derives it from [`snapshot`].
pub const ACCOUNT: &str = "host/account";

/// A vendor that does not exist.
const ACME: VendorWords =
    VendorWords { key: "acme", name: "Acme", account: "account", keys_field: "spec.keys", full: "" };

/// A spec that asks for no number of seats.
pub fn desired(goal: Goal) -> Desired {
    Desired {
        pool: Pool {
            vendor: &ACME,
            name: "Seats",
            secrets: vec!["key".to_owned()],
            most_seats: i32::MAX,
            frees: ("remove", "members"),
            every_use: None,
            goal,
        },
        seats: None,
        approval: ApprovalPolicy::default(),
        asked: String::new(),
        sizing: None,
        size: None,
        limit: LimitGoal::Keep,
        guardrails: Guardrails::default(),
        ceilings: Ceilings::default(),
        policy: ManagementPolicy::Manage,
        adjustment: ChangeTimes::default(),
        drift: DriftPolicy::Correct,
        standing: Standing::Everywhere,
        suspended: false,
        thresholds: Thresholds::default(),
        expiry: Vec::new(),
        interval: Duration::from_secs(600),
    }
}

/// A reading of the account.
pub fn snapshot(usage: Usage, model: Model) -> Snapshot {
    Snapshot {
        account: Account { vendor: "acme".to_owned(), host: Some("host".to_owned()), id: Some("account".to_owned()) },
        usage,
        model,
        rules: Rules::default(),
        billed: None,
        billed_is_old: false,
        capabilities: Vec::new(),
        license: None,
        concern: None,
    }
}

/// A situation in which nothing is published and no clock runs.
pub fn situation<'a>(
    desired: &'a Desired,
    seen: &'a Snapshot,
    status: &'a LicenseSeatsStatus,
    timing: Timing,
) -> Situation<'a> {
    Situation {
        uid: UID,
        generation: 1,
        confirmed: None,
        look: None,
        rotated: false,
        may_bill: None,
        desired,
        seen,
        intent: status.intent.as_ref(),
        history: &status.history,
        license: status.license.as_ref(),
        published: None,
        elapsed: None,
        satisfied: false,
        obstacle: None,
        record: None,
        others: &[],
        stuck: &[],
        calendar: Calendar::default(),
        approvals: Approvals::default(),
        activity: ActivePast::default(),
        timing,
        writer: "writer",
        now: Timestamp::UNIX_EPOCH,
    }
}

/// The id of a published plan, as the code has it.
pub fn plan_word(published: Option<u64>) -> Option<String> {
    published.map(|id| format!("{id:012x}"))
}

/// Why a change is made, of which the model knows two reasons.
pub fn trigger(external: bool) -> Trigger {
    if external { Trigger::ExternalChange } else { Trigger::SpecDiffers }
}

/// What a decision says to the model. `mark`: an intent as the model has it; `made`: what the record says besides.
pub fn judgment<C: Case>(
    variant: &Variant<C>,
    decision: &Decision,
    mark: fn(&Intent) -> C::Mark,
    made: C::Made,
    doubt: Option<Doubted<C>>,
) -> Judgment<C> {
    let verdict = match &decision.verdict {
        Verdict::InSync if decision.may_bill.is_some() => Said::MayBill,
        Verdict::InSync => Said::InSync,
        Verdict::Publish => Said::Publish,
        Verdict::Change(intent) => Said::Change(mark(intent)),
        Verdict::Doubt => Said::Doubt,
        Verdict::Rejected => Said::Rejected,
        Verdict::NeedsReview => Said::NeedsReview,
        Verdict::Held(_) => Said::Held,
        Verdict::Conflict => Said::Conflict,
        Verdict::Lacking(_) => Said::Lacking,
        _ => Said::Other,
    };
    let forgets = variant.fault_switch == Some(FaultSwitch::ForgetsFirst) && verdict == Said::Held;
    let kept = decision.intent.as_ref().filter(|_| !forgets);
    let plan = decision.plan.as_ref().filter(|_| !matches!(verdict, Said::Change(_)));
    let published = plan.and_then(|plan| plan.basis.as_deref());
    let published = published.map(|basis| u64::from_str_radix(basis, 16).expect("a plan id in hexadecimal"));
    Judgment { verdict, record: Record { published, intent: kept.map(mark), made }, doubt }
}
