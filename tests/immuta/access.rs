//! Who calls: both ways in, keys and tokens that die, rights that are missing, pages that are not answers.

use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::immuta::{Endpoint, Exchange, Needs, Permission};
use vendor_sim::{Fault, FaultKind};

use super::{Acme, acme, answer, tenant};
use crate::proxied::CLOCK;
use crate::tenants::fast_but;
use crate::world::{FAST, PATIENCE, condition, said};

const FAILURE: &str =
    r#"{"statusCode":500,"error":"Internal Server Error","message":"An internal server error occurred"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn raw_key_needs_no_exchange() {
    needs_control_plane!();
    let a = acme("immuta-raw").await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    // A failure of the tenant does not show that it refuses the key.
    let failure = a.tenant.inject(Fault::on_license_list(answer(500, FAILURE, false)));
    a.until_polled(2).await;
    assert_eq!((a.tenant.fired(failure), a.tenant.exchanges()), (1, 0));
    assert_eq!(a.tenant.secrets_in_urls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_raw_key_is_exchanged_once_for_token_that_is_reused() {
    needs_control_plane!();
    for (name, exchange, missing) in [
        ("immuta-token", Exchange::Any, 401),
        ("immuta-token-body", Exchange::BodyOnly, 500),
        ("immuta-token-header", Exchange::HeaderOnly, 401),
    ] {
        let a = Acme::with(name, tenant(), |switches| {
            (switches.raw_key, switches.raw_token) = (false, false);
            (switches.exchange, switches.missing_credentials_status) = (exchange, missing);
        })
        .await;
        a.key("one", 40).await;
        a.declare(&["one"], json!({})).await;
        a.until_ready("True/InSync").await;
        a.until_polled(2).await;
        assert_eq!(a.tenant.exchanges(), if exchange == Exchange::HeaderOnly { 2 } else { 1 });
        a.tenant.expire_tokens();
        a.until_polled(2).await;
        assert_eq!(said(&a.w.status("acme").await, "Ready"), "True/InSync");
        assert_eq!(a.tenant.posts(), 1);
        if missing == 500 {
            a.proves(&["missingCredentialsStatus"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_reused_until_refused_though_wall_clock_is_hours_off() {
    needs_control_plane!();
    for (name, seconds) in [("immuta-clock-ahead", "7200"), ("immuta-clock-behind", "-7200")] {
        let mut a = Acme::with(name, tenant(), |switches| switches.raw_key = false).await;
        assert!(a.w.operator.stop().await.success());
        a.w.operator = a.w.another_operator_in(&[(CLOCK, seconds)], FAST).await;
        a.key("one", 40).await;
        a.declare(&["one"], json!({})).await;
        a.until_ready("True/InSync").await;
        a.until_polled(2).await;
        assert_eq!(a.tenant.exchanges(), 1, "{name}");
        a.tenant.expire_tokens();
        a.until_polled(2).await;
        assert_eq!((a.tenant.exchanges(), a.tenant.posts()), (2, 1), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_dies_between_read_and_write_is_replaced_and_key_sent_once() {
    needs_control_plane!();
    let a = Acme::with("immuta-dies", tenant(), |switches| {
        (switches.raw_key, switches.token_calls) = (false, Some(3));
    })
    .await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    assert_eq!(a.tenant.additions_of(&key), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_without_end_that_fails_three_times_with_500_is_exchanged_anew() {
    needs_control_plane!();
    let a = Acme::with("immuta-dead-token", tenant(), |switches| {
        (switches.raw_key, switches.exchange_shows_expiration, switches.dead_token_status) = (false, false, 500);
    })
    .await;
    a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    a.until_ready("True/InSync").await;
    let failure = a.tenant.inject(Fault::on_license_list(answer(500, FAILURE, false)));
    a.until_polled(2).await;
    assert_eq!(
        (a.tenant.fired(failure), a.tenant.exchanges()),
        (1, 1),
        "one failure does not show that the token is dead"
    );
    a.tenant.expire_tokens();
    let exchanged = async || (a.tenant.exchanges() == 2).then_some(());
    wait_for("another exchange", PATIENCE, exchanged).await;
    a.until_polled(2).await;
    a.until_ready("True/InSync").await;
    assert_eq!((a.tenant.exchanges(), a.tenant.posts()), (2, 1));
    a.proves(&["deadTokenStatus"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_key_is_reported_and_new_one_noticed() {
    needs_control_plane!();
    for (name, raw_key, exchange, worked) in [
        ("immuta-revoked", true, Exchange::Any, false),
        ("immuta-token-revoked", false, Exchange::Any, true),
        ("immuta-raw-unknown", true, Exchange::Unsupported, false),
        ("immuta-raw-revoked", true, Exchange::Unsupported, true),
    ] {
        let a = Acme::with(name, tenant(), |s| (s.raw_key, s.exchange) = (raw_key, exchange)).await;
        a.declare(&[], json!({})).await;
        a.until("a reading", |status| status.seats.is_some()).await;
        if worked {
            assert!(a.tenant.revoke_api_key(&a.api_key));
        } else {
            a.w.secret("admin", a.admin("no-such-key")).await;
        }
        let status = a.w.until_reason("acme", "CredentialsValid", "Rejected").await;
        let message = &condition(&status, "CredentialsValid").unwrap().message;
        assert!(message.contains("refuses the API key"), "{name}: {message}");
        let key = a.tenant.add_api_key(&[Permission::ApplicationAdmin]);
        a.w.secret("admin", a.admin(&key)).await;
        a.w.until_reason("acme", "CredentialsValid", "Authenticated").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exchange_answering_400_refuses_the_key_and_one_that_fails_does_not() {
    needs_control_plane!();
    for (name, status, reason) in
        [("immuta-exchange-400", 400, "Rejected"), ("immuta-exchange-500", 500, "VendorUnreachable")]
    {
        let a = Acme::with(name, tenant(), |switches| switches.raw_key = false).await;
        a.declare(&[], json!({})).await;
        a.until("a reading", |status| status.seats.is_some()).await;
        let body = format!(r#"{{"statusCode":{status},"message":"The key cannot be exchanged"}}"#);
        let fault = a.tenant.inject(Fault::on_exchange(answer(status, &body, false)).for_ever());
        a.tenant.expire_tokens();
        a.w.until_reason("acme", "CredentialsValid", reason).await;
        let metrics = a.w.operator.metrics().await;
        let mut refusals = metrics.lines().filter(|line| line.contains(r#"outcome="key_refused""#));
        assert_eq!(refusals.any(|line| !line.ends_with(" 0")), status == 400, "{name}\n{metrics}");
        a.tenant.clear_fault(fault);
        a.w.until_reason("acme", "CredentialsValid", "Authenticated").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_without_the_api_is_named_and_no_key_is_accused() {
    needs_control_plane!();
    let a = acme("immuta-no-api").await;
    let body = r#"{"statusCode":404,"error":"Not Found","message":"Not Found"}"#;
    let missing = a.tenant.inject(Fault::always(answer(404, body, false)).path("/admin/license"));
    a.declare(&[], json!({})).await;
    let status = a.w.until_reason("acme", "CredentialsValid", "VendorUnreachable").await;
    let message = &condition(&status, "CredentialsValid").unwrap().message;
    assert!(message.contains("has no such API (404)"), "{message}");
    a.tenant.clear_fault(missing);
    a.w.until_reason("acme", "CredentialsValid", "Authenticated").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permission_is_named() {
    needs_control_plane!();
    let a = acme("immuta-rights").await;
    a.tenant.inject(Fault::always(FaultKind::Answer {
        status: 403,
        headers: [].into(),
        body: r#"{"statusCode":403,"message":"Forbidden"}"#.into(),
        apply: false,
    }));
    a.declare(&[], json!({})).await;
    let status = a.w.until_reason("acme", "CredentialsValid", "InsufficientRole").await;
    assert!(condition(&status, "CredentialsValid").unwrap().message.contains("APPLICATION_ADMIN"));
    a.tenant.clear_faults();
    let reader = a.tenant.add_api_key(&[]);
    a.key("one", 40).await;
    a.w.secret("admin", a.admin(&reader)).await;
    a.list(&["one"]).await;
    let status = a.w.until_reason("acme", "CredentialsValid", "InsufficientRole").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("403"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_that_needs_both_permissions_gets_key_once_api_key_has_both() {
    needs_control_plane!();
    let a = Acme::with("immuta-both-rights", tenant(), |s| s.add_needs = Needs::Both).await;
    let half = a.tenant.add_api_key(&[Permission::ApplicationAdmin]);
    a.w.secret("admin", a.admin(&half)).await;
    let key = a.key("one", 40).await;
    a.declare(&["one"], json!({})).await;
    let status = a.w.until_reason("acme", "CredentialsValid", "InsufficientRole").await;
    assert!(condition(&status, "Ready").unwrap().message.contains("403"));
    a.proves(&["addNeeds"]);
    assert_eq!(a.tenant.additions_of(&key), 0);
    let whole = a.tenant.add_api_key(&[Permission::ApplicationAdmin, Permission::UserAdmin]);
    a.w.secret("admin", a.admin(&whole)).await;
    a.until_ready("True/InSync").await;
    assert_eq!(a.tenant.additions_of(&key), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_that_answers_403_accuses_no_permission_and_is_tried_again_soon() {
    needs_control_plane!();
    let a = Acme::with_flags("immuta-edge-403", &fast_but(&["--credential-probe=1h"]), tenant(), |_| {}).await;
    for body in ["error code: 1020", "<html>Access denied</html>"] {
        let fault = a.tenant.inject(Fault::always(FaultKind::Answer {
            status: 403,
            headers: [].into(),
            body: body.into(),
            apply: false,
        }));
        a.declare(&[], json!({})).await;
        let status = a.w.until_reason("acme", "CredentialsValid", "VendorUnreachable").await;
        let message = &condition(&status, "CredentialsValid").unwrap().message;
        assert!(message.contains("something in front of Immuta refuses the request"), "{message}");
        a.tenant.clear_fault(fault);
        a.w.until_reason("acme", "CredentialsValid", "Authenticated").await;
        a.w.seats().delete("acme", &Default::default()).await.expect("delete");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn login_page_is_recognized() {
    needs_control_plane!();
    let redirect = FaultKind::Answer {
        status: 302,
        headers: [("location".to_owned(), "/login".to_owned())].into(),
        body: String::new(),
        apply: false,
    };
    for (name, kind, exchange) in [
        ("immuta-page", FaultKind::Html, Exchange::LoginPage),
        ("immuta-redirect", redirect.clone(), Exchange::LoginPage),
        ("immuta-redirected", redirect, Exchange::RedirectToLogin),
    ] {
        let a = acme(name).await;
        let fault = a.tenant.inject(Fault::always(kind).path("/admin/license"));
        a.tenant.switch(|switches| switches.exchange = exchange);
        a.declare(&[], json!({})).await;
        let status = a.w.until_reason("acme", "CredentialsValid", "Rejected").await;
        let message = &condition(&status, "CredentialsValid").unwrap().message;
        assert!(message.contains("login page"), "{message}");
        a.proves(&["exchange"]);
        a.tenant.clear_fault(fault);
        a.w.until_reason("acme", "CredentialsValid", "Authenticated").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_is_not_allowed_gets_nothing() {
    needs_control_plane!();
    let a = acme("immuta-host").await;
    a.w.secret("admin", json!({ "apiKey": "key", "server": "https://immuta.example.org" })).await;
    a.declare(&[], json!({})).await;
    a.w.until_reason("acme", "CredentialsValid", "HostNotAllowed").await;
    assert_eq!(a.tenant.calls(Endpoint::List), 0);
}
