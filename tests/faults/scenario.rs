//! What happens at the vendor while a request goes wrong. Each scenario has a fault-free run of its own.

use std::time::Duration;

use serde_json::{Value, json};
use vendor_sim::{Bitwarden, Fault, FaultKind, Organization, Webhook};

use crate::happenings::{APPROVAL_DELETED, JOINED};
use crate::selection::{APPROVED, IN_WINDOW, SIZED};

/// What the scenario does when a purchase arrives and before it is forwarded, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtPurchase {
    Nothing,
    /// Somebody sets so many seats in the web vault.
    ThirdParty(i32),
    /// All tokens become worthless.
    ExpireTokens,
    /// The next readings fail: whatever becomes of the purchase, it is not read back at once.
    FailReadings,
}

/// One story.
#[derive(Clone)]
pub struct Scenario {
    pub name: &'static str,
    pub organization: fn() -> Organization,
    /// Declared and in sync before anything is counted.
    pub before: Option<Value>,
    /// Declared, or edited to.
    pub spec: Value,
    /// What the vendor will do.
    pub vendor: fn(&Bitwarden),
    pub at_purchase: AtPurchase,
    /// Seats and limit in the end.
    pub goal: (i32, i32),
    /// What the spec may be edited to meanwhile, and the end then.
    pub edit: (Value, (i32, i32)),
    /// At no time fewer or more, neither shown nor billed.
    pub between: (i32, i32),
    /// How often the operator may change what is billed.
    pub billings: usize,
    /// The story itself takes up the one repeat, so one more failure is a refusal.
    pub uses_the_repeat: bool,
    /// The key is an owner's personal one: changes are differences, through the owner API.
    pub by_owner: bool,
}

impl Scenario {
    /// What the story is about, if it is about one thing that happens at each request, and nothing else does.
    pub fn about(&self) -> Option<&'static str> {
        match self.name {
            APPROVED => Some(APPROVAL_DELETED),
            SIZED => Some(JOINED),
            _ => None,
        }
    }

    /// Somebody else may set the seats to those of `edit` at any moment, and it ends as ever. The other stories have a third
    /// party of their own, or take one for the vendor's growth.
    pub fn takes_others(&self) -> bool {
        ["first-purchase", "second-purchase", "owner-purchase"].contains(&self.name)
    }
}

/// How long a purchase may run at the vendor after its client has given up.
pub const LATE: Duration = Duration::from_millis(2000);

fn up_to(seats: i32) -> Value {
    json!({ "seats": seats, "limit": { "mode": "UpTo", "seats": 300 } })
}

fn roomy() -> Organization {
    Organization::enterprise("Acme").seats(100).limit(300).members(80)
}

fn pinned() -> Organization {
    Organization::enterprise("Acme").seats(100).limit(100).members(80)
}

/// An account with two pools: the change of one is by a difference. Only for what lacks a part, or has it in its place.
pub fn of_two_pools() -> Scenario {
    let organization = || roomy().secrets_manager(25, 50).sm_limit(25).sm_members(5);
    let owner = scenarios().into_iter().find(|scenario| scenario.name == "owner-purchase").expect("it is there");
    Scenario { name: "owner-two-pools", organization, ..owner }
}

/// What is declared of the other one.
pub fn of_the_other_pool() -> Value {
    json!({ "product": "SecretsManager", "seats": 30, "limit": { "mode": "Pinned" } })
}

/// All of them.
#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
pub fn scenarios() -> Vec<Scenario> {
    let first = Scenario {
        name: "first-purchase",
        organization: roomy,
        before: None,
        spec: up_to(150),
        vendor: |_| {},
        at_purchase: AtPurchase::Nothing,
        goal: (150, 300),
        edit: (json!({ "seats": 130 }), (130, 300)),
        between: (100, 150),
        billings: 1,
        uses_the_repeat: false,
        by_owner: false,
    };
    let owner = Scenario { name: "owner-purchase", by_owner: true, ..first.clone() };
    vec![
        owner.clone(),
        Scenario {
            name: "owner-seats-and-limit",
            organization: pinned,
            spec: json!({ "seats": 150, "limit": { "mode": "Pinned" } }),
            goal: (150, 150),
            edit: (json!({ "seats": 130 }), (130, 130)),
            ..owner.clone()
        },
        Scenario {
            name: "owner-decrease",
            before: Some(up_to(100)),
            spec: up_to(90),
            goal: (90, 300),
            edit: (json!({ "seats": 95 }), (95, 300)),
            between: (90, 100),
            ..owner.clone()
        },
        Scenario {
            name: "owner-webhook-restores",
            vendor: |vendor| {
                let webhook = Webhook { before_write_ms: 200, hold_write: false, ..Webhook::restoring() };
                vendor.switch(|switches| switches.webhook = webhook);
            },
            uses_the_repeat: true,
            ..owner.clone()
        },
        Scenario {
            name: "owner-fails-after-billing",
            vendor: |vendor| {
                vendor.inject(Fault::on_owner_write(FaultKind::FailAfterBilling));
            },
            uses_the_repeat: true,
            ..owner.clone()
        },
        Scenario {
            name: "owner-finishes-late",
            vendor: |vendor| {
                let ms = u64::try_from(LATE.as_millis()).unwrap_or_default();
                vendor.inject(Fault::on_owner_write(FaultKind::PauseBetweenReads { ms }));
            },
            ..owner
        },
        first.clone(),
        Scenario {
            name: "second-purchase",
            before: Some(up_to(120)),
            spec: up_to(150),
            billings: 1,
            between: (120, 150),
            ..first.clone()
        },
        Scenario {
            name: "decrease",
            before: Some(up_to(100)),
            spec: up_to(90),
            goal: (90, 300),
            edit: (json!({ "seats": 95 }), (95, 300)),
            between: (90, 100),
            ..first.clone()
        },
        Scenario {
            name: "limit-only",
            organization: pinned,
            spec: up_to(100),
            goal: (100, 300),
            edit: (json!({ "limit": { "mode": "UpTo", "seats": 250 } }), (100, 250)),
            between: (100, 100),
            billings: 0,
            ..first.clone()
        },
        Scenario {
            name: "seats-and-limit",
            organization: pinned,
            spec: json!({ "seats": 150, "limit": { "mode": "Pinned" } }),
            goal: (150, 150),
            edit: (json!({ "seats": 130 }), (130, 130)),
            ..first.clone()
        },
        Scenario { name: "token-expires", at_purchase: AtPurchase::ExpireTokens, ..first.clone() },
        Scenario { name: "read-back-fails", at_purchase: AtPurchase::FailReadings, ..first.clone() },
        Scenario {
            name: "outage",
            // Reads are fine, and nothing comes of two requests in a row.
            vendor: |vendor| {
                let unavailable =
                    FaultKind::Answer { status: 503, headers: [].into(), body: String::new(), apply: false };
                vendor.inject(Fault::on_put(unavailable).times(2));
            },
            ..first.clone()
        },
        Scenario { name: "third-party", at_purchase: AtPurchase::ThirdParty(120), ..first.clone() },
        Scenario {
            name: "webhook-restores",
            vendor: |vendor| {
                let webhook = Webhook { before_write_ms: 200, hold_write: false, ..Webhook::restoring() };
                vendor.switch(|switches| switches.webhook = webhook);
            },
            uses_the_repeat: true,
            ..first.clone()
        },
        Scenario {
            name: "fails-after-billing",
            vendor: |vendor| {
                vendor.inject(Fault::on_put(FaultKind::FailAfterBilling));
            },
            uses_the_repeat: true,
            ..first.clone()
        },
        Scenario {
            name: "finishes-late",
            // Between its two reads the vendor turns the total into a difference: whoever repeats meanwhile adds up.
            vendor: |vendor| {
                let ms = u64::try_from(LATE.as_millis()).unwrap_or_default();
                vendor.inject(Fault::on_put(FaultKind::PauseBetweenReads { ms }));
            },
            ..first.clone()
        },
        Scenario {
            name: IN_WINDOW,
            spec: json!({ "seats": 150, "limit": { "mode": "UpTo", "seats": 300 }, IN_WINDOW: true }),
            ..first.clone()
        },
        Scenario {
            name: APPROVED,
            spec: json!({
                "seats": 150, "limit": { "mode": "UpTo", "seats": 300 }, "approval": { "increaseAbove": 10 },
            }),
            ..first.clone()
        },
        Scenario {
            name: SIZED,
            organization: pinned,
            spec: json!({ "limit": { "mode": "Pinned" }, "sizing": { "headroom": { "seats": 70 } } }),
            goal: (150, 150),
            // The end with one person more.
            edit: (json!({}), (151, 151)),
            between: (100, 151),
            ..first
        },
    ]
}
