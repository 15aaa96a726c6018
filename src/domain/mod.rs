//! The pure core: what is wanted, what is seen, and so what is to be done.
//!
//! No async, no kube client, no HTTP and no clock in here: `now` and every elapsed time are arguments. Called by
//! `controller`, whose act step is the only code that carries out a [`Decision`].

mod adjustment;
mod approval;
mod ceilings;
mod change_direction;
mod change_history;
mod checked_spec;
mod condition;
mod condition_table;
mod confirm_annotation;
mod decision;
mod decision_conditions;
mod delayed_reading_message;
mod doubt_clock;
mod drift;
mod edited_wish;
mod events;
mod fault;
mod fault_conditions;
mod gates;
mod keys;
mod last_observed_at;
mod lease;
mod license_validity;
mod may_bill;
mod numbers;
mod other_objects;
mod outcome;
mod over_another_write;
mod plan;
mod pool;
mod protocol;
mod quantity;
mod ready_message;
mod ready_reason;
mod reconciling_and_stalled;
mod record_additions;
mod report;
mod retry_pause;
mod seat_limit;
mod send_delay;
mod settle_time;
mod shortage;
mod sizing;
mod standby;
mod status_column;
mod two_readings;
mod wanted_change;
mod windows;

pub use adjustment::{ChangeTimes, CronRule, Direction, Renewal};
pub use approval::{Approval, Approvals, agreed_for, fault_of};
pub use ceilings::Ceilings;
pub use change_history::remember;
pub use checked_spec::{Desired, LONGEST_INTERVAL, SpecFault};
pub use condition::{StandsStill, in_sync_before, keep_ready, kind, reason, stands_still, tells_fault};
pub use condition_table::{CONDITIONS, Entry};
pub use decision::{Decision, Doubt, Situation, Verdict, decide};
pub use delayed_reading_message::{RATE_LIMITED, is_rate_limited, says_turn, shown};
pub use doubt_clock::DoubtClock;
pub use edited_wish::satisfaction;
pub use events::{Notice, adoptions, another_installation, event};
pub use fault::{Fault, Remedy};
pub use fault_conditions::awaits_secret;
pub use gates::{Hold, HoldKind, Wake};
pub use keys::{AfterKeyWrite, KeyRing, Lack, Row, WantedKey, after_key_write, fingerprint};
pub use lease::{LONGEST_LEASE, LeaseSeen, LeaseStep, lease_step};
pub use numbers::{Bound, Differences, Model, Numbers, Rules, Snapshot, Support, Usage};
pub use other_objects::{Obstacle, Peer, Stuck};
pub use outcome::{Outcome, Refusal, Uncertain, after_write};
pub use over_another_write::over_another_write;
pub use pool::{Goal, Pool, VendorWords};
pub(crate) use protocol::digest;
pub use protocol::{Elapsed, WaitFor, intent_id};
pub use record_additions::{Learned, after_decision, after_request, before_request};
pub use report::{Finding, Report, report};
pub use seat_limit::LimitGoal;
pub use settle_time::Timing;
pub use sizing::{Size, Sizing};
pub use standby::{ActivePast, Standby, Standing, edits_unseen, is_cluster_name, unchecked};
pub use windows::{Awaited, BEFORE_OPENING, Calendar, Opening};

#[cfg(test)]
mod tests;
