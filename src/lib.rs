//! Seatkeeper keeps the paid seats of vendor accounts where `LicenseSeats` resources declare them.
//!
//! Data flows one way, and a module imports only from those to its left (a test reads the sources and holds that):
//!
//! ```text
//! api ──► calendar ──► domain, registry ──► clock ──► vendors ──► metrics ──► controller ──► server, telemetry, run (and main)
//! types   pure         pure                 time      HTTPS       counters    kube I/O       wiring
//! ```
//!
//! * [`api`]: the resource as Rust types with its admission rules, the CRD made from them, and what a cluster's CRD lacks of it.
//! * [`calendar`]: turns a cron window of the spec into openings, with zones that are compiled in. Pure too.
//! * [`domain`]: decides. Pure functions of what is wanted, what is seen, what was recorded and what time has passed. The
//!   purchase protocol's judgment of open changes is here.
//! * [`registry`]: says which object owns a pool, and what other objects have against a change of an account. Pure too.
//! * [`vendors`]: talks to Bitwarden and others and says what it saw in `domain`'s words.
//! * `controller`: gathers, lets `domain` decide, acts, records. The only code that writes to a vendor is its `act`, the
//!   only code that writes to the apiserver is its `record` (and the intent that `act` records before it sends).
//! * [`run`]: flags, probes, signals.

pub mod api;
pub mod calendar;
mod clock;
mod controller;
pub mod domain;
mod metrics;
pub mod registry;
pub mod run;
mod server;
pub mod telemetry;
pub mod vendors;

#[cfg(test)]
mod fuzz_inputs;
