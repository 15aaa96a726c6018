//! The billing webhook of section 22.1: it reads the whole row and later writes it back, whatever happened between.

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
        let row = if switch.before_read_ms == 0 { context.read(org).ok() } else { None };
        let (sim, switch, number) = (context.sim.clone(), switch.clone(), context.number);
        let (mut ended, mut released, busy) = (context.ended(), sim.shared.webhooks.subscribe(), sim.busy());
        released.mark_unchanged();
        tokio::spawn(async move {
            let _busy = busy;
            let Some(row) = read(&sim, org, row, &switch).await else {
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
            sim.with_org(org, |o| o.commit(at, Actor::Webhook, Step::Row, Some(number), |o| o.row = row));
        });
    }
}

async fn read(sim: &Bitwarden, org: Uuid, row: Option<Row>, switch: &Webhook) -> Option<Row> {
    if row.is_some() {
        return row;
    }
    tokio::time::sleep(Duration::from_millis(switch.before_read_ms)).await;
    sim.with_org(org, |o| o.row.clone())
}
