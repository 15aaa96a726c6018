//! What the operator knows of an object and its account when it decides: what the simulated years and those of the three users
//! have in common.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use pure::api::{Account, CronWindow, LicenseSeatsSpec, LicenseSeatsStatus, Product, parse_duration};
use pure::calendar::{self, Schedule};
use pure::domain::{
    ActivePast, Approvals, Calendar, ChangeTimes, Desired, Goal, Model, Numbers, Opening, Pool, Rules, Situation,
    Snapshot, Timing, Usage, VendorWords,
};

use crate::account::ACCOUNT;

pub const TIMING: Timing = Timing {
    answered: Duration::from_secs(300),
    unanswered: Duration::from_secs(1800),
    pause: Duration::from_secs(10),
    secret_recheck: Duration::from_secs(60),
};

const BITWARDEN: VendorWords =
    VendorWords { key: "bitwarden", name: "Bitwarden", account: "organization", keys_field: "", full: "" };

/// The pool of a product, as its object names it.
pub fn pool(product: Product) -> Pool {
    let name = match product {
        Product::PasswordManager => "PasswordManager",
        Product::SecretsManager => "SecretsManager",
        Product::MachineAccounts => "MachineAccounts",
    };
    let (vendor, frees, goal) = (&BITWARDEN, ("remove or revoke", "members"), Goal::Quantity);
    Pool { vendor, name, secrets: Vec::new(), most_seats: 32767, frees, every_use: None, goal }
}

/// The checked spec.
pub fn desired(spec: &LicenseSeatsSpec) -> Desired {
    let product = spec.vendor.bitwarden.as_ref().and_then(|bitwarden| bitwarden.product).unwrap_or_default();
    Desired::parse(spec, pool(product), Duration::ZERO).expect("a spec that can be")
}

/// Windows by the calendar with their names.
pub type Schedules = Vec<(String, Arc<Schedule>)>;

/// What was parsed, by schedule, zone and duration.
type Parsed = HashMap<(String, String, String), Arc<Schedule>>;

/// The windows of a spec. As in the operator, a schedule is parsed once, for that costs milliseconds.
pub fn schedules(adjustment: &ChangeTimes) -> Schedules {
    static PARSED: LazyLock<Mutex<Parsed>> = LazyLock::new(Mutex::default);
    let kept = || PARSED.lock().expect("no thread fails while it has this lock");
    let parse = |CronWindow { schedule, time_zone, duration }: &CronWindow| {
        let texts = (schedule.clone(), time_zone.clone(), duration.clone());
        if let Some(parsed) = kept().get(&texts) {
            return Arc::clone(parsed);
        }
        let length = parse_duration(duration).expect("a duration");
        let parsed = Arc::new(Schedule::parse(schedule, time_zone, length).expect("a window that can be"));
        kept().insert(texts, Arc::clone(&parsed));
        parsed
    };
    adjustment.crons.iter().map(|rule| (rule.name.clone(), parse(&rule.cron))).collect()
}

/// Their openings next to a moment.
pub fn openings(schedules: &Schedules, now: Timestamp) -> Vec<Opening> {
    let named = |name: &str, (calendar::Opening { opens, closes }, local)| Opening {
        name: name.to_owned(),
        opens,
        closes,
        local,
    };
    schedules.iter().flat_map(|(name, one)| one.near(now).map(|near| named(name, near))).collect()
}

/// A reading of the account.
pub fn snapshot(used: i32, numbers: Numbers, rules: Rules) -> Snapshot {
    let (host, id) = ACCOUNT.split_once('/').expect("host and id");
    Snapshot {
        account: Account { vendor: "bitwarden".into(), host: Some(host.into()), id: Some(id.into()) },
        usage: Usage::Exact(used),
        model: Model::Quantity(numbers),
        rules,
        billed: None,
        billed_is_old: false,
        capabilities: Vec::new(),
        license: None,
        concern: None,
    }
}

/// An object: its checked spec with its generation, and its record.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    pub desired: &'a Desired,
    pub generation: i64,
    pub status: &'a LicenseSeatsStatus,
}

/// A situation in which no clock runs and nothing else stands against a change.
pub fn situation<'a>(object: Object<'a>, seen: &'a Snapshot, openings: &'a [Opening], now: Timestamp) -> Situation<'a> {
    let Object { desired, generation, status } = object;
    Situation {
        uid: "uid",
        generation,
        confirmed: None,
        look: None,
        rotated: false,
        desired,
        seen,
        intent: status.intent.as_ref(),
        may_bill: status.may_bill.as_ref(),
        history: &status.history,
        license: None,
        published: status.plan.as_ref().and_then(|plan| plan.basis.as_deref()),
        elapsed: None,
        record: None,
        satisfied: false,
        obstacle: None,
        others: &[],
        stuck: &[],
        calendar: Calendar {
            openings,
            used: status.window.as_ref(),
            waits: status.next_window.as_ref(),
            planned: status.plan.as_ref(),
            current: status.observed_generation == generation,
        },
        approvals: Approvals::default(),
        activity: ActivePast::default(),
        timing: TIMING,
        writer: "writer",
        now,
    }
}
