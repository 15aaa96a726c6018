//! The billing webhook of section 22.1: it reads the whole row and later writes it back, whatever happened between.
//!
//! Only requests emit it. What a test does to the vendor by hand is over with its webhook when the call returns, and those
//! harmless ones that hold the row just then have written it before: so no test has to wait for them.

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
            let at = sim.now();
            sim.with_org(org, |o| {
                if let Some(row) = o.handlers.give_back(held) {
                    o.commit(at, Actor::Webhook, Step::Row, Some(number), |o| o.row = row);
                }
            });
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
    fn take(&mut self, row: Row) -> u64 {
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
