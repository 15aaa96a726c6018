//! The pure core: what is wanted, what is seen, and so what is to be done.
//!
//! No async, no kube client, no HTTP and no clock in here: `now` and every elapsed time are arguments. Called by
//! `controller`, whose act step is the only code that carries out a [`Decision`].

mod condition;
mod decision;
mod desired;
mod failed;
mod fault;
mod guardrails;
mod intent;
mod keys;
mod lease;
mod license;
mod notice;
mod numbers;
mod outcome;
mod pool;
mod report;
mod shortage;
mod summary;
mod wish;

pub use condition::{in_sync_before, keep_ready, kind, reason};
pub use decision::{Decision, Doubt, Situation, Verdict, decide};
pub use desired::{Desired, LONGEST_INTERVAL, LimitGoal, SpecFault};
pub use fault::{Fault, Remedy};
pub use guardrails::Block;
pub use intent::{Elapsed, Timing, intent_id};
pub use keys::{AfterKeyWrite, Lack, Row, Tenant, WantedKey, after_key_write, fingerprint};
pub use lease::{LONGEST_LEASE, LeaseSeen, LeaseStep, lease_step};
pub use notice::{Notice, adoptions, remember};
pub use numbers::{Bound, Numbers, Snapshot, Support, Usage};
pub use outcome::{Outcome, Refusal, after_write};
pub use pool::Pool;
pub use report::{Finding, Report, report};
pub use wish::satisfaction;

#[cfg(test)]
mod tests;
