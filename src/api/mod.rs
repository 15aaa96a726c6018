//! The `LicenseSeats` resource: its types, its admission rules and the CRD made from them.
//!
//! These types are the only source of the CRD. Nothing here does I/O, and nothing here decides anything.

mod activity;
mod adjustment;
mod approval;
mod bounds;
mod change;
mod crd_file;
mod duration;
mod keys;
mod license;
mod missing_crd_fields;
mod sizing;
mod spec;
mod status;
mod step;

pub use activity::{Activity, ActivityState, NO_CLUSTER};
pub use adjustment::{
    Adjustment, AdjustmentMode, BeforeRenewal, CronWindow, Decrease, Increase, NextWindow, PassedWindow, Window,
    WindowUse,
};
pub use approval::{
    ApprovalDecision, ApprovalPolicy, ApprovalUsed, LicenseSeatsRef, SeatApproval, SeatApprovalSpec, ShownPlan,
};
pub use bounds::{Guardrails, Limit, LimitMode, Thresholds};
pub use change::{Change, Estimate, Intent, IntentPhase, MayBill, Plan, PlanBlock, Trigger};
pub use crd_file::{crd, crds, crds_yaml};
pub use duration::{InvalidDuration, go_duration, parse_duration};
pub use keys::{
    Immuta, KeyAsked, KeyOrigin, KeyRecord, KeyRow, KeyState, KeysOf, LicenseKeyEntry, MAX_KEYS, SecretKeyRef,
};
pub use license::{Capability, KeyCapabilities, KeyKind, License, LicenseState};
pub use missing_crd_fields::lacking;
pub use sizing::{Headroom, PastUse, SizeBound, Sizing, SizingStatus};
// Whatever a vendor has in the spec, without a list to keep.
pub use spec::*;
pub use status::{Account, Effective, LicenseSeatsStatus, RecordOf, UNOBSERVED};
pub use step::{KeyStep, SeatsStep, Step};

/// The type a Secret must have before the operator reads credentials from it. The type is immutable, so it is the
/// owner of the Secret who opts in.
pub const SECRET_TYPE: &str = "seatkeeper.dev/credentials";

/// The type a Secret must have before the operator sends a value of it as a license key. A Secret has one type, so a
/// credential is never a license key, and a license key is never a credential.
pub const LICENSE_KEY_TYPE: &str = "seatkeeper.dev/license-key";

/// The keys of a Secret of either type that say where its other values may go. Neither is a license key.
pub const PLACE_KEYS: [&str; 2] = ["server", "ca.crt"];

/// Asks for a reconcile now; the value is free (a time stamp by custom) and is copied to
/// `status.lastHandledReconcileAt` once handled.
pub const RECONCILE_REQUESTED_AT: &str = "seatkeeper.dev/reconcile-requested-at";

/// The same request as Flux spells it, so that `flux reconcile`-like tooling works. A change of either annotation is a
/// request.
pub const FLUX_REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// Decides about the intent whose id is the value: after `NeedsReview`, Seatkeeper plans anew from what the vendor shows, and
/// requests what the spec still asks; after `VendorRejected`, the change is sent anew.
pub const CONFIRM: &str = "seatkeeper.dev/confirm";

/// Says that two accounts which list the same licenses differ: the ids that the messages name, with commas between them.
pub const DIFFERS: &str = "seatkeeper.dev/differs";
