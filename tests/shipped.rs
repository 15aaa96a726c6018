//! What only tests need is in an operator that is built for tests, and in no other. `make test` plays this, and some more
//! subjects, once more with the release binary (`SEATKEEPER_BINARY`).

use jiff::{SignedDuration, Timestamp};
use seatkeeper_support::{is_other_binary, needs_control_plane, only_for_tests};
use serde_json::json;

use crate::world::{FAST, binary, world};

/// Another binary than the one that is built with the tests is meant to be shipped.
fn for_tests() -> bool {
    cfg!(debug_assertions) && !is_other_binary()
}

#[test]
fn binary_holds_test_only_code_only_if_built_for_tests() {
    let found = only_for_tests(binary());
    let expected: &[&str] = if for_tests() { &["SEATKEEPER_TEST_CLOCK_SHIFT"] } else { &[] };
    assert_eq!(found, expected, "{}", binary());
}

#[tokio::test(flavor = "multi_thread")]
async fn process_clock_can_be_skewed_only_if_built_for_tests() {
    needs_control_plane!();
    let mut w = world("shipped-clock").await;
    w.operator.stop().await;
    w.operator = w.another_operator_in(&[("SEATKEEPER_TEST_CLOCK_SHIFT", "-7200")], FAST).await;
    w.operator.wait_ready().await;
    w.declare("acme", json!({})).await;
    let status = w.until_in_sync("acme", 150).await;
    let behind = Timestamp::now().duration_since(status.history[0].time.0);
    assert_eq!(behind > SignedDuration::from_hours(1), for_tests(), "the change was recorded {behind} ago");
}
