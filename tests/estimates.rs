//! What a change would cost, as the vendor tells an owner's key while the change waits.

use std::collections::BTreeMap;

use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::needs_control_plane;
use serde_json::{Value, json};
use vendor_sim::{Fault, FaultKind, Role};

use crate::tenants::Tenant;
use crate::windows::{far, opening_at};
use crate::world::{World, organization, said, world};

const PREVIEW: &str = "/billing/preview-invoice/";

/// Previews that were asked for.
fn asked(w: &World) -> usize {
    w.bitwarden().count(|r| r.path.contains(PREVIEW))
}

/// A fault of each preview.
fn on_preview(kind: FaultKind) -> Fault {
    Fault::once(kind).method("PUT").path(PREVIEW).for_ever()
}

fn waits_for_months_start(seats: i32) -> Value {
    json!({ "seats": seats, "adjustment": opening_at(far()) })
}

async fn with_owner(w: &World) -> Tenant<'_> {
    let t = w.tenant("priced", organization()).await;
    t.person(Role::Owner).await;
    t
}

async fn until_waits(w: &World, seats: i32) -> LicenseSeatsStatus {
    w.until("priced", "waits for its window", |status| {
        let to = status.plan.as_ref().is_some_and(|plan| plan.step.target().seats == seats);
        to && said(status, "ChangePending") == "True/AwaitingWindow"
    })
    .await
}

/// The estimate's total, tax included, and the tax.
fn estimate(status: &LicenseSeatsStatus) -> Option<(String, String)> {
    let estimate = status.plan.as_ref()?.estimate.as_ref()?;
    Some((estimate.total.clone(), estimate.tax.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_change_shows_time_and_price_and_asks_price_once_per_seat_count() {
    needs_control_plane!();
    let w = world("estimate").await;
    let t = with_owner(&w).await;
    w.declare("priced", t.both(waits_for_months_start(150))).await;
    let status = until_waits(&w, 150).await;
    assert_eq!(estimate(&status), Some(("10800.00".into(), "0.00".into())));
    let (plan, next) = (status.plan.expect("a plan"), status.next_window.expect("the next window"));
    assert_eq!(plan.not_before, Some(next.opens_at));
    w.until_polled(1).await;
    let written = w.seats().get("priced").await.expect("priced").metadata.resource_version;
    w.until_polled(3).await;
    assert_eq!(w.seats().get("priced").await.expect("priced").metadata.resource_version, written, "no write at rest");
    assert_eq!(asked(&w), 1);
    w.edit("priced", json!({ "seats": 160 })).await;
    let status = until_waits(&w, 160).await;
    assert_eq!(estimate(&status), Some(("11520.00".into(), "0.00".into())));
    assert_eq!((asked(&w), t.organization().seats), (2, Some(100)), "a preview changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn price_that_cannot_be_had_is_asked_once_and_left_out() {
    needs_control_plane!();
    for (name, kind) in [
        (
            "estimate-fails",
            FaultKind::Answer { status: 500, headers: BTreeMap::new(), body: "{}".into(), apply: false },
        ),
        ("estimate-odd", FaultKind::Body { text: r#"{"total":-1,"tax":"none"}"#.into() }),
    ] {
        let w = world(name).await;
        let t = with_owner(&w).await;
        w.bitwarden().inject(on_preview(kind));
        w.declare("priced", t.both(waits_for_months_start(150))).await;
        let status = until_waits(&w, 150).await;
        assert_eq!((estimate(&status), said(&status, "Ready").as_str()), (None, "True/ChangeDeferred"), "{name}");
        w.until_polled(3).await;
        assert_eq!(asked(&w), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn organization_key_alone_asks_for_no_price() {
    needs_control_plane!();
    let w = world("estimate-key").await;
    w.declare("acme", waits_for_months_start(150)).await;
    let status = w.until_reason("acme", "ChangePending", "AwaitingWindow").await;
    w.until_polled(2).await;
    assert_eq!((estimate(&status), asked(&w)), (None, 0));
    assert!(status.plan.is_some_and(|plan| plan.not_before.is_some()));
}
