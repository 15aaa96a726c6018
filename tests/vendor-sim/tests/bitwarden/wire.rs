//! Faults on the wire, and the rate limiter (docs/vendors/bitwarden.md, "Rate limits").

use std::time::Duration;

use crate::{Bench, SUBSCRIPTION, example};
use vendor_sim::{Fault, FaultKind, RateLimits};

#[tokio::test]
async fn broken_answers() {
    let bench = Bench::new(example()).await;
    let get = async |kind: FaultKind| {
        bench.bw.inject(Fault::on_get(kind));
        bench.request("GET", SUBSCRIPTION).send().await
    };
    for kind in [FaultKind::Truncate, FaultKind::Reset] {
        let answer = get(kind.clone()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.is_err(), "{kind:?}");
    }
    let answer = get(FaultKind::Drip { bytes_per_second: 5000 }).await.unwrap();
    assert!(answer.text().await.unwrap().contains("passwordManager"));
    let answer = get(FaultKind::HugeBody { bytes: 3_000_000 }).await.unwrap();
    assert_eq!(answer.text().await.unwrap().len(), 3_000_002);
    let answer = get(FaultKind::Html).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    let answer = get(FaultKind::Body { text: r#"{"passwordManager":{"seats":-1}}"#.into() }).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), r#"{"passwordManager":{"seats":-1}}"#);
    let answer = get(FaultKind::EdgeThrottle).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (429, None));
    assert_eq!(answer.text().await.unwrap(), "");
    let answer = get(FaultKind::EdgeForbidden).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (403, "error code: 1020"));
    let answer = get(FaultKind::HeaderFlood { count: 50 }).await.unwrap();
    assert!(answer.headers().len() > 50);
    assert_eq!(bench.get().await.0, 200, "all faults were for one request");
    assert!(bench.bw.faults().iter().all(|f| f.fired == 1));
}

#[tokio::test]
async fn answers_with_and_without_applying_and_skips() {
    let bench = Bench::new(example()).await;
    let gateway = |apply| FaultKind::Answer {
        status: 502,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: "<h1>Bad Gateway</h1>".into(),
        apply,
    };
    bench.bw.inject(Fault::on_put(gateway(false)).skip(1).organization(&bench.key.id));
    assert_eq!(bench.put_seats(101).await.0, 200);
    assert_eq!(bench.put_seats(102).await.0, 502);
    assert_eq!(bench.seats().0, Some(101));
    let id = bench.bw.inject(Fault::on_put(gateway(true)).for_ever());
    assert_eq!(bench.put_seats(103).await.0, 502);
    assert_eq!(bench.put_seats(104).await.0, 502);
    assert_eq!((bench.seats().0, bench.bw.fired(id)), (Some(104), 2));
    bench.bw.clear_faults();
    assert_eq!(bench.put_seats(105).await.0, 200);
}

#[tokio::test]
async fn rate_limiter_counts_per_verb_and_path() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.rate_limits = RateLimits::only("GET", "/public/organization/subscription", 2, 60));
    for remaining in ["1", "0"] {
        let answer = bench.request("GET", SUBSCRIPTION).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-rate-limit-limit"], "1m");
        assert_eq!(answer.headers()["x-rate-limit-remaining"], remaining);
        let reset = answer.headers()["x-rate-limit-reset"].to_str().unwrap().to_owned();
        assert_eq!((reset.len(), reset.ends_with('Z')), ("2026-08-20T12:01:00.0000000Z".len(), true), "{reset}");
    }
    let answer = bench.request("GET", SUBSCRIPTION).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    assert!(answer.headers().get("x-rate-limit-limit").is_none());
    let body = concat!(
        r#"{"object":"error","message":"Slow down! Too many requests. Try again in 1m.","validationErrors":null,"#,
        r#""exceptionMessage":null,"exceptionStackTrace":null,"innerExceptionMessage":null}"#
    );
    assert_eq!(answer.text().await.unwrap(), body);
    assert_eq!(bench.put_seats(110).await.0, 200, "another verb");
    bench.bw.advance(Duration::from_secs(60));
    assert_eq!(bench.get().await.0, 200);
}

#[tokio::test]
async fn vendors_own_limits_allow_ten_tokens_a_minute() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.rate_limits = RateLimits::vendor());
    // One was taken for the bench.
    for n in 0..9 {
        assert_eq!(bench.token_request(&[]).await.status(), 400, "{n}");
        bench.bw.advance(Duration::from_secs(2));
    }
    let refused = bench.token_request(&[]).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.text().await.unwrap().contains("Try again in 1m."));
}
