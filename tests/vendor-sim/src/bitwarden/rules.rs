//! The business rules, in the vendor's order (docs/vendors/bitwarden.md, "Rules of a change"). Each function says which
//! rule fails first, and its text. They are pure: the numbers go in, the new total or a refusal comes out.

use super::{
    ledger::Shown,
    refusal::Refusal,
    state::{Row, Usage},
};

/// U1, the first rule of a combined update ("Rules of Password Manager").
pub(crate) fn target_within_limit(row: &Row, delta: i32, limit: Option<i32>) -> Result<(), Refusal> {
    match (row.shown.seats, limit) {
        (Some(seats), Some(limit)) if seats.wrapping_add(delta) > limit => {
            Err(Refusal::new("U1", "Cannot set max seat autoscaling below seat count."))
        }
        _ => Ok(()),
    }
}

/// Block A, up to A10: the new total ("Rules of Password Manager").
pub(crate) fn seats(row: &Row, usage: Usage, delta: i32) -> Result<i32, Refusal> {
    let Some(seats) = row.shown.seats else {
        return Err(Refusal::new("A1", "Organization has no seat limit, no need to adjust seats"));
    };
    if !row.customer {
        return Err(Refusal::new("A2", "No payment method found."));
    }
    if !row.subscription {
        return Err(Refusal::new("A3", "No subscription found."));
    }
    let plan = row.plan.limits().ok_or_else(|| Refusal::not_found("A4"))?;
    if !plan.scales {
        return Err(Refusal::new("A5", "Plan does not allow additional seats."));
    }
    let new = seats.wrapping_add(delta);
    if new < plan.base_seats {
        return Err(Refusal::new("A6", format!("Plan has a minimum of {} seats.", plan.base_seats)));
    }
    if new <= 0 {
        return Err(Refusal::new("A7", "You must have at least 1 seat."));
    }
    // A8 never fails: the current plan source sets no maximum of additional seats.
    let occupied = usage.occupied();
    if delta < 0 && occupied > new {
        return Err(Refusal::new(
            "A9",
            if row.use_sponsored || usage.sponsored > 0 {
                format!(
                    "Your organization has {} members and {} sponsored families. To decrease the seat count below \
                     {occupied}, you must remove members or sponsorships.",
                    usage.users, usage.sponsored
                )
            } else {
                format!(
                    "Your organization currently has {occupied} seats filled. Your new plan only has ({new}) seats. \
                     Remove some users."
                )
            },
        ));
    }
    if row.use_sm && row.shown.sm_seats.is_some_and(|sm| new < sm) {
        return Err(Refusal::new("A10", "You cannot have more Secrets Manager seats than Password Manager seats."));
    }
    Ok(new)
}

/// Block B ("Rules of Password Manager"). No cap at all is always allowed; only the owner API can ask for it.
pub(crate) fn limit(row: &Row, limit: Option<i32>) -> Result<(), Refusal> {
    if let (Some(limit), Some(seats)) = (limit, row.shown.seats)
        && limit < seats
    {
        return Err(Refusal::new("B1", "Cannot set max seat autoscaling below current seat count."));
    }
    let plan = row.plan.limits().ok_or_else(|| Refusal::not_found("B2"))?;
    if !plan.scales {
        return Err(Refusal::new("B3", "Your plan does not allow seat autoscaling."));
    }
    match (plan.max_seats, limit) {
        (Some(max), Some(limit)) if limit > max => Err(Refusal::new(
            "B4",
            format!(
                "Your plan has a seat limit of {max}, but you have specified a max autoscale count of {limit}.Reduce \
                 your max autoscale seat count."
            ),
        )),
        _ => Ok(()),
    }
}

/// Storage: the new total in GB ("Rules of Password Manager").
pub(crate) fn storage(row: &Row, usage: Usage, delta: i32) -> Result<i32, Refusal> {
    let refuse = |text: &str| Err(Refusal::new("storage", text));
    let plan = row.plan.limits().ok_or_else(|| Refusal::not_found("storage"))?;
    if !plan.storage {
        return refuse("Plan does not allow additional storage.");
    }
    if !row.customer {
        return refuse("No payment method found.");
    }
    if !row.subscription {
        return refuse("No subscription found.");
    }
    let Some(current) = row.shown.storage_gb else {
        return refuse("No access to storage.");
    };
    let new = current.wrapping_add(delta).max(plan.base_storage);
    if new > 100 {
        return refuse("Maximum storage is 100 GB.");
    }
    if usage.storage_gb > new {
        return refuse(&format!(
            "You are currently using {} GB of storage. Delete some stored data first.",
            usage.storage_gb
        ));
    }
    Ok(new)
}

/// Wanted Secrets Manager numbers, all absolute; equal to the row's where nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SmTarget {
    pub(crate) seats: Option<i32>,
    pub(crate) limit: Option<i32>,
    pub(crate) accounts: Option<i32>,
    pub(crate) account_limit: Option<i32>,
}

impl SmTarget {
    /// What the row has now.
    pub(crate) fn of(row: &Row) -> Self {
        let Shown { sm_seats, sm_limit, service_accounts, service_account_limit, .. } = row.shown;
        Self { seats: sm_seats, limit: sm_limit, accounts: service_accounts, account_limit: service_account_limit }
    }
}

/// S0 to S21 ("Rules of Secrets Manager").
#[expect(clippy::too_many_lines, reason = "the vendor's rules in the vendor's order")]
pub(crate) fn secrets_manager(row: &Row, usage: Usage, to: SmTarget) -> Result<(), Refusal> {
    let refuse = |rule, text: String| Err(Refusal::new(rule, text));
    let now = row.shown;
    if !row.use_sm {
        return refuse("S1", "Organization has no access to Secrets Manager.".into());
    }
    let all = row.plan.limits().ok_or_else(|| Refusal::not_found("S0"))?;
    let plan = all.sm.ok_or_else(|| Refusal::not_found("S0"))?;
    if !all.free && !row.customer {
        return refuse("S2", "No payment method found.".into());
    }
    if !all.free && !row.subscription {
        return refuse("S2", "No subscription found.".into());
    }
    if to.seats != now.sm_seats {
        let (Some(old), Some(new)) = (now.sm_seats, to.seats) else {
            return refuse("S3", "Organization has no Secrets Manager seat limit, no need to adjust seats".into());
        };
        if new > old && plan.max_seats.is_some_and(|max| !plan.scales || new > max) {
            let max = plan.max_seats.unwrap_or_default();
            return refuse(
                "S4",
                format!("You have reached the maximum number of Secrets Manager seats ({max}) for this plan."),
            );
        }
        if to.limit.is_some_and(|limit| new > limit) {
            return refuse("S5", "Cannot set max seat autoscaling below seat count.".into());
        }
        if new < plan.base_seats {
            // Two spaces, as the vendor writes it.
            return refuse("S6", format!("Plan has a minimum of {} Secrets Manager  seats.", plan.base_seats));
        }
        if new <= 0 {
            return refuse("S7", "You must have at least 1 Secrets Manager seat.".into());
        }
        if new < old && usage.sm_users > new {
            return refuse(
                "S8",
                format!(
                    "{} users are currently occupying Secrets Manager seats. You cannot decrease your subscription \
                     below your current occupied seat count.",
                    usage.sm_users
                ),
            );
        }
        if now.seats.is_some_and(|seats| new > seats) {
            return refuse("S9", "You cannot have more Secrets Manager seats than Password Manager seats.".into());
        }
    }
    if to.accounts != now.service_accounts {
        let (Some(old), Some(new)) = (now.service_accounts, to.accounts) else {
            return refuse(
                "S10",
                "Organization has no machine accounts limit, no need to adjust machine accounts".into(),
            );
        };
        if let Some(max) = plan.max_accounts.filter(|max| new > *max) {
            return refuse(
                "S11",
                format!("You have reached the maximum number of machine accounts ({max}) for this plan."),
            );
        }
        if to.account_limit.is_some_and(|limit| new > limit) {
            return refuse("S12", "Cannot set max machine accounts autoscaling below machine account amount.".into());
        }
        if new < plan.base_accounts {
            return refuse("S13", format!("Plan has a minimum of {} machine accounts.", plan.base_accounts));
        }
        if new <= 0 {
            return refuse("S14", "You must have at least 1 machine account.".into());
        }
        if new < old && usage.machine_accounts > new {
            return refuse(
                "S15",
                format!(
                    "Your organization currently has {} machine accounts. You cannot decrease your subscription below \
                     your current machine account usage.",
                    usage.machine_accounts
                ),
            );
        }
    }
    if let Some(limit) = to.limit.filter(|_| to.limit != now.sm_limit) {
        if to.seats.is_some_and(|seats| limit < seats) {
            return refuse(
                "S16",
                "Cannot set max Secrets Manager seat autoscaling below current Secrets Manager seat count.".into(),
            );
        }
        if let Some(max) = plan.max_seats.filter(|max| limit > *max) {
            return refuse(
                "S17",
                format!(
                    "Your plan has a Secrets Manager seat limit of {max}, but you have specified a max autoscale count \
                     of {limit}.Reduce your max autoscale count."
                ),
            );
        }
        if !plan.scales {
            return refuse("S18", "Your plan does not allow Secrets Manager seat autoscaling.".into());
        }
    }
    if let Some(limit) = to.account_limit.filter(|_| to.account_limit != now.service_account_limit) {
        if to.accounts.is_some_and(|accounts| limit < accounts) {
            return refuse(
                "S19",
                "Cannot set max machine accounts autoscaling below current machine accounts count.".into(),
            );
        }
        if !plan.scales {
            return refuse("S20", "Your plan does not allow machine accounts autoscaling.".into());
        }
        if let Some(max) = plan.max_accounts.filter(|max| limit > *max) {
            return refuse(
                "S21",
                format!(
                    "Your plan has a machine account limit of {max}, but you have specified a max autoscale count of \
                     {limit}.Reduce your max autoscale count."
                ),
            );
        }
    }
    Ok(())
}
