//! Objects are taken in order of arrival; after a start, that is the order of their ages.

use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::RequestRecord;

use crate::tenants::fast_but;
use crate::world::{PATIENCE, World, organization};

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_read_in_the_order_of_their_ages_after_a_start() {
    needs_control_plane!();
    let one_pass = fast_but(&["--concurrency=1", "--min-interval=1h"]);
    let mut w = World::with("arrival", organization(), &one_pass).await;
    w.needs_many_tokens();
    assert!(w.operator.stop().await.success());
    let mut aged = Vec::new();
    for n in 0..30 {
        let tenant = w.tenant(&format!("tenant {n:02}"), organization()).await;
        tenant.declare(json!({ "managementPolicy": "Observe" })).await;
        let metadata = w.seats().get(&tenant.name).await.unwrap().metadata;
        aged.push(((metadata.creation_timestamp.unwrap().0, metadata.uid.unwrap()), tenant.key.id.clone()));
    }
    aged.sort();
    let ids: Vec<String> = aged.into_iter().map(|(_, id)| id).collect();
    w.start_operator(&one_pass).await;
    let is_read = |r: &RequestRecord| r.method == "GET" && r.path.ends_with("/subscription");
    let read = || {
        let mut order: Vec<String> = Vec::new();
        for id in w.bitwarden().requests().into_iter().filter(is_read).filter_map(|r| r.organization) {
            if !order.contains(&id) {
                order.push(id);
            }
        }
        order
    };
    wait_for("each object to be read", PATIENCE, async || (read().len() >= ids.len()).then_some(())).await;
    assert_eq!(read(), ids);
}
