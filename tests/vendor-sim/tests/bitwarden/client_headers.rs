//! What becomes of a request without the headers that every client of the vendor sends (docs/vendors/bitwarden.md,
//! "Headers that every client sends" and "The edge in front of the cloud").

use std::panic::{AssertUnwindSafe, catch_unwind};

use reqwest::RequestBuilder;

use crate::{Bench, SUBSCRIPTION, example};

const ALL: [(&str, &str); 5] = [
    ("User-Agent", "seatkeeper/1"),
    ("Bitwarden-Client-Name", "cli"),
    ("Bitwarden-Client-Version", "2026.8.0"),
    ("Device-Type", "25"),
    ("Accept", "application/json"),
];

async fn strict() -> Bench {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.client_headers = true);
    bench
}

/// The status of a reading with all headers but these, and what is noted of it.
async fn without(bench: &Bench, missing: &str) -> (u16, Vec<&'static str>) {
    let there = ALL.iter().filter(|(name, _)| *name != missing);
    let with = |request: RequestBuilder, (name, value): &(&str, &str)| request.header(*name, *value);
    let answer = there.fold(bench.request("GET", SUBSCRIPTION), with).send().await.unwrap();
    (answer.status().as_u16(), bench.bw.requests().last().unwrap().lacks.clone())
}

#[tokio::test]
async fn unnamed_client_is_rejected_at_edge_and_each_missing_header_is_noted() {
    let bench = strict().await;
    assert_eq!(without(&bench, "").await, (200, vec![]));
    for (missing, status) in
        [("User-Agent", 429), ("Bitwarden-Client-Name", 429), ("Bitwarden-Client-Version", 200), ("Device-Type", 200)]
    {
        assert_eq!(without(&bench, missing).await, (status, vec![missing]));
    }
    // Of the token endpoint another answer is known.
    assert_eq!(bench.token_request(&[]).await.status(), 400);
    // A server of somebody's own has no edge in front.
    bench.bw.switch(|s| s.self_hosted = true);
    assert_ne!(without(&bench, "User-Agent").await.0, 429);
    bench.bw.switch(|s| s.client_headers = false);
}

#[tokio::test]
async fn client_refusal_has_no_retry_after() {
    let bench = strict().await;
    let answer = bench.request("GET", SUBSCRIPTION).header("User-Agent", "python-requests/2").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (429, None));
    assert_eq!(answer.text().await.unwrap(), "");
    bench.bw.switch(|s| s.client_headers = false);
}

#[tokio::test]
async fn simulator_that_has_seen_a_request_without_a_header_panics_at_its_end() {
    let bench = strict().await;
    without(&bench, "Device-Type").await;
    assert!(catch_unwind(AssertUnwindSafe(|| drop(bench.sim))).is_err());
    let bench = strict().await;
    without(&bench, "").await;
    assert!(catch_unwind(AssertUnwindSafe(|| drop(bench.sim))).is_ok());
}
