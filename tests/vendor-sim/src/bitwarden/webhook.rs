//! The billing webhook reads the whole row and later writes it back, whatever happened between
//! (docs/vendors/bitwarden.md, "The billing webhook").
//!
//! Requests emit it, and so does what bills without one: a change in the web vault, members who join, the billing job. When
//! somebody changes the row by hand, the harmless ones that hold it just then have written it before.

use std::time::Duration;

use uuid::Uuid;

use super::{
    Bitwarden,
    context::Context,
    ledger::{Actor, Step},
    lock,
    state::Row,
    switches::Webhook,
};

/// Called right after Stripe changed.
pub(crate) fn emit(context: &Context, org: Uuid) {
    let switch = lock(&context.sim.shared.switches).webhook.clone();
    if !switch.enabled {
        return;
    }
    for _ in 0..switch.events {
        // Without a delay the read happens here and now, so that it surely sees the row before the API's write.
        let at_once = switch.before_read_ms == 0 && !switch.reads_after_request;
        let row = if at_once { context.read(org).ok() } else { None };
        let (sim, switch, number) = (context.sim.clone(), switch.clone(), context.number);
        let (mut ended, mut released, busy) = (context.ended(), sim.shared.webhooks.subscribe(), sim.busy());
        released.mark_unchanged();
        tokio::spawn(async move {
            let _busy = busy;
            if switch.reads_after_request {
                while ended.changed().await.is_ok() {}
            }
            let Some(held) = read(&sim, org, row, &switch).await else {
                return;
            };
            if switch.after_request {
                while ended.changed().await.is_ok() {}
            }
            if switch.hold_write {
                let _ = released.changed().await;
            }
            tokio::time::sleep(Duration::from_millis(switch.before_write_ms)).await;
            write_back(&sim, org, held, Some(number));
        });
    }
}

/// What one webhook holds of the row.
enum Held {
    /// Its own copy.
    Row(Box<Row>),
    /// A copy that [`Handlers`] know of, by its number.
    Known(u64),
}

/// Called after something else than a request has changed Stripe, with the copy of the row that the webhook took: it has read
/// what was written, as by default.
pub(crate) fn emit_by_hand(sim: &Bitwarden, org: Uuid, copy: u64) {
    let switch = lock(&sim.shared.switches).webhook.clone();
    let (sim, busy, mut released) = (sim.clone(), sim.busy(), sim.shared.webhooks.subscribe());
    released.mark_unchanged();
    tokio::spawn(async move {
        let _busy = busy;
        if switch.hold_write && switch.reads_after_request {
            let _ = released.changed().await;
        }
        tokio::time::sleep(Duration::from_millis(switch.before_write_ms)).await;
        write_back(&sim, org, Held::Known(copy), None);
    });
}

fn write_back(sim: &Bitwarden, org: Uuid, held: Held, request: Option<u64>) {
    let at = sim.now();
    sim.with_org(org, |o| {
        if let Some(row) = o.handlers.give_back(held) {
            o.commit(at, Actor::Webhook, Step::Row, request, |o| o.row = row);
        }
    });
}

async fn read(sim: &Bitwarden, org: Uuid, row: Option<Row>, switch: &Webhook) -> Option<Held> {
    if let Some(row) = row {
        return Some(Held::Row(Box::new(row)));
    }
    tokio::time::sleep(Duration::from_millis(switch.before_read_ms)).await;
    sim.with_org(org, |o| match switch.reads_after_request {
        true => Held::Known(o.handlers.take(o.row.clone())),
        false => Held::Row(Box::new(o.row.clone())),
    })
}

/// The webhooks of one organization that hold its row and were meant to be harmless.
#[derive(Debug, Default)]
pub(crate) struct Handlers {
    next: u64,
    holding: Vec<(u64, Row)>,
}

impl Handlers {
    pub(crate) fn take(&mut self, row: Row) -> u64 {
        self.next += 1;
        self.holding.push((self.next, row));
        self.next
    }

    /// What it writes; `None`: it has written already.
    fn give_back(&mut self, held: Held) -> Option<Row> {
        match held {
            Held::Row(row) => Some(*row),
            Held::Known(number) => {
                let at = self.holding.iter().position(|(holding, _)| *holding == number)?;
                Some(self.holding.remove(at).1)
            }
        }
    }

    pub(crate) fn holding(&self) -> usize {
        self.holding.len()
    }

    /// Somebody changes the row by hand: whoever holds it as it was until now has written it just before.
    pub(crate) fn done_with(&mut self, row: &Row) {
        self.holding.retain(|(_, held)| held != row);
    }
}
