//! Tables: the first failing rule and its exact text (docs/vendors/bitwarden.md, "Rules of a change").

use super::{
    organization::Organization,
    plans::PlanType,
    refusal::Refusal,
    rules::{self, SmTarget},
    state::{Org, random_id},
};

fn org(organization: Organization) -> Org {
    Org::new(random_id(), 0, organization)
}

fn base() -> Organization {
    Organization::enterprise("x").seats(100).members(80)
}

/// Runs U1 and block A as the update does.
fn seats(organization: Organization, delta: i32, limit: Option<i32>) -> Result<i32, Refusal> {
    let org = org(organization);
    rules::target_within_limit(&org.row, delta, limit)?;
    rules::seats(&org.row, org.usage(), delta)
}

#[test]
fn seat_rules_fail_in_the_vendors_order() {
    let u1 = "Cannot set max seat autoscaling below seat count.";
    let a10 = "You cannot have more Secrets Manager seats than Password Manager seats.";
    let filled =
        "Your organization currently has 80 seats filled. Your new plan only has (79) seats. Remove some users.";
    let families = "Your organization has 80 members and 2 sponsored families. To decrease the seat count below 82, you \
                    must remove members or sponsorships.";
    let enabled = "Your organization has 80 members and 0 sponsored families. To decrease the seat count below 80, you \
                   must remove members or sponsorships.";
    let everything_wrong = || base().seats(None).stripe_customer(false).stripe_subscription(false).plan(PlanType::Free);
    let table: Vec<(Organization, i32, Option<i32>, &str, &str)> = vec![
        (base(), 11, Some(110), "U1", u1),
        (base().stripe_customer(false), 11, Some(110), "U1", u1),
        (everything_wrong(), 5, Some(1), "A1", "Organization has no seat limit, no need to adjust seats"),
        (everything_wrong().seats(2), 5, None, "A2", "No payment method found."),
        (everything_wrong().seats(2).stripe_customer(true), 5, None, "A3", "No subscription found."),
        (base().plan(PlanType::Custom), 5, None, "A4", "Resource not found."),
        (base().plan(PlanType::Free).seats(2), 5, None, "A5", "Plan does not allow additional seats."),
        (base().plan(PlanType::TeamsStarter).seats(10), 5, None, "A5", "Plan does not allow additional seats."),
        (base().plan(PlanType::Teams2019).seats(8), -4, None, "A6", "Plan has a minimum of 5 seats."),
        (base(), -101, None, "A6", "Plan has a minimum of 0 seats."),
        (base(), -100, None, "A7", "You must have at least 1 seat."),
        (base(), -21, None, "A9", filled),
        (base().sponsored_families(2), -19, None, "A9", families),
        (base().use_admin_sponsored_families(true), -21, None, "A9", enabled),
        (base().secrets_manager(95, 50), -10, None, "A10", a10),
    ];
    for (organization, delta, limit, rule, text) in table {
        let refusal = seats(organization, delta, limit).unwrap_err();
        assert_eq!((refusal.rule, refusal.text.as_str()), (rule, text));
    }
}

#[test]
fn seat_rules_match_vendor() {
    assert_eq!(seats(base(), 10, Some(110)).unwrap(), 110);
    assert_eq!(seats(base(), -20, None).unwrap(), 80, "down to the occupied seats");
    // Growing is never refused for occupancy, not even when more members than seats are there already.
    assert_eq!(seats(base().members(200), 5, None).unwrap(), 105);
    assert_eq!(seats(base().invited(5).revoked(50).staged(50), -15, None).unwrap(), 85, "only -1 and 3 are free");
}

#[test]
fn limit_rules() {
    let limit = |o: Organization, limit| rules::limit(&org(o).row, limit).map_err(|r| (r.rule, r.text));
    assert_eq!(limit(base(), Some(100)), Ok(()));
    assert_eq!(limit(base(), None), Ok(()));
    let b1 = "Cannot set max seat autoscaling below current seat count.";
    assert_eq!(limit(base(), Some(99)), Err(("B1", b1.into())));
    assert_eq!(limit(base().plan(PlanType::Custom), Some(100)), Err(("B2", "Resource not found.".into())));
    let b3 = "Your plan does not allow seat autoscaling.";
    assert_eq!(limit(base().plan(PlanType::Families).seats(6), Some(6)), Err(("B3", b3.into())));
    let b4 = "Your plan has a seat limit of 5, but you have specified a max autoscale count of 20.Reduce your max \
              autoscale seat count.";
    assert_eq!(limit(base().plan(PlanType::Teams2019).seats(10), Some(20)), Err(("B4", b4.into())));
    // No payment method is needed for a cap.
    assert_eq!(limit(base().stripe_customer(false), Some(120)), Ok(()));
}

#[test]
fn secrets_manager_rules() {
    let sm = || base().secrets_manager(20, 60).sm_members(10).machine_accounts_used(55);
    let to = |o: Organization, f: fn(&mut SmTarget)| {
        let org = org(o);
        let shown = org.row.shown;
        let mut target = SmTarget {
            seats: shown.sm_seats,
            limit: shown.sm_limit,
            accounts: shown.service_accounts,
            account_limit: shown.service_account_limit,
        };
        f(&mut target);
        rules::secrets_manager(&org.row, org.usage(), target).map_err(|r| r.rule)
    };
    assert_eq!(to(base(), |_| {}), Err("S1"));
    assert_eq!(to(sm().stripe_customer(false), |_| {}), Err("S2"), "even if nothing changes");
    assert_eq!(to(sm(), |_| {}), Ok(()));
    assert_eq!(to(base().secrets_manager(None, 50), |t| t.seats = Some(5)), Err("S3"));
    assert_eq!(to(sm().sm_limit(30), |t| t.seats = Some(31)), Err("S5"));
    assert_eq!(to(sm(), |t| t.seats = Some(9)), Err("S8"));
    assert_eq!(to(sm(), |t| t.seats = Some(101)), Err("S9"));
    assert_eq!(to(base().secrets_manager(5, None), |t| t.accounts = Some(5)), Err("S10"));
    assert_eq!(to(sm().service_account_limit(70), |t| t.accounts = Some(71)), Err("S12"));
    assert_eq!(to(sm(), |t| t.accounts = Some(49)), Err("S13"));
    assert_eq!(to(sm(), |t| t.accounts = Some(54)), Err("S15"));
    assert_eq!(to(sm(), |t| t.limit = Some(19)), Err("S16"));
    assert_eq!(to(sm(), |t| t.account_limit = Some(59)), Err("S19"));
    assert_eq!(to(sm(), |t| (t.limit, t.account_limit) = (Some(20), Some(60))), Ok(()));
}
