//! A secret that must be nowhere but in its Secret and in requests to its vendor.

use seatkeeper_support::{Operator, needs_control_plane, wait_for};
use serde_json::json;
use vendor_sim::{Fault, FaultKind};

use crate::secrets::everything_told;
use crate::stored_objects::stain;
use crate::world::{FAST, PATIENCE, World, binary, organization};

const CANARY: &str = "canaryJ7pQ2xVn5LrT9wKd3HsZ8fBy";
const WRONG: &str = "wrongbirdM4cXo6GeU1aYt0RiSq2Nk";
/// How every token begins, the vendor's and the apiserver's.
const TOKEN: &str = "eyJhbGci";

/// Logs everything there is to log, not just what an operator should see.
async fn loud(name: &str, format: &str) -> World {
    let mut w = World::with(name, organization().client_secret(CANARY), FAST).await;
    raise_the_voice_of(&mut w, format).await;
    w
}

/// Starts the operator anew, as loud as it can be, with its log in this format.
pub async fn raise_the_voice_of(w: &mut World, format: &str) {
    w.operator.stop().await;
    let kubeconfig = w.plane.operator_kubeconfig().await;
    let allowed = format!("--allowed-host={}", w.vendor.host());
    let format = format!("--log-format={format}");
    let args: Vec<&str> = FAST.iter().copied().chain([allowed.as_str(), format.as_str()]).collect();
    let trace = [("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")];
    w.operator = Operator::start_in(&trace, &kubeconfig, binary(), &w.namespace, &args);
    w.operator.wait_ready().await;
}

async fn hold_silence(w: &World) {
    let log = w.operator.log();
    let loud = log.contains(" TRACE ") || log.contains(r#""level":"TRACE""#);
    assert!(loud, "the log is not as loud as it should be");
    hold_silence_of(w).await;
}

async fn hold_silence_of(w: &World) {
    let told = everything_told(w).await;
    for secret in [CANARY, WRONG] {
        // As it is, as the apiserver delivers it (base64), and as a form carries it.
        let encoded = base64(secret);
        for text in [secret, encoded.trim_end_matches(['=']), &secret[3..20]] {
            let found = told.find(text).map(|at| &told[at.saturating_sub(200)..at]);
            assert!(found.is_none(), "told after: {found:?}");
        }
    }
    assert!(!w.operator.log().contains("secrets/key"), "the log names a Secret");
    let found = told.find(TOKEN).map(|at| &told[at.saturating_sub(200)..at]);
    assert!(found.is_none(), "a token was told after: {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_and_its_tokens_appear_nowhere() {
    needs_control_plane!();
    sing("canary", "text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_and_its_tokens_appear_nowhere_in_json() {
    needs_control_plane!();
    sing("canary-json", "json").await;
}

async fn sing(name: &str, format: &str) {
    let w = loud(name, format).await;
    assert_eq!(w.key.client_secret, CANARY);
    // A vendor that repeats what it was sent, at every door.
    let echo = |status| FaultKind::Answer {
        status,
        headers: [("x-echo".to_owned(), CANARY.to_owned())].into(),
        body: format!(r#"{{"message":"{CANARY} is not a key","error":"{CANARY}"}}"#),
        apply: false,
    };
    w.bitwarden().inject(Fault::on_token(echo(500)).times(1));
    w.bitwarden().inject(Fault::on_token(echo(400)).skip(2).times(1));
    w.bitwarden().inject(Fault::on_get(echo(200)).times(1));
    w.bitwarden().inject(Fault::on_get(echo(403)).times(2));
    w.bitwarden().inject(Fault::on_put(echo(500)).times(1));
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    hold_silence(&w).await;

    let mut wrong = w.credentials(&w.key);
    wrong["clientSecret"] = json!(WRONG);
    w.secret("key", wrong.clone()).await;
    w.until_reason("acme", "CredentialsValid", "Rejected").await;
    for (key, reason) in [("clientId", "KeyInvalid"), ("server", "KeyInvalid"), ("ca.crt", "KeyInvalid")] {
        let mut misplaced = w.credentials(&w.key);
        misplaced[key] = json!(CANARY);
        w.secret("key", misplaced).await;
        let what = format!("{key} in the message");
        w.until("acme", what, |s| s.summary.as_deref() == Some(&format!("Secret: {key} is not usable"))).await;
        w.until_reason("acme", "CredentialsValid", reason).await;
    }
    hold_silence(&w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_readable_only_by_kubernetes_is_used_and_appears_nowhere() {
    needs_control_plane!();
    let mut w = World::with("canary-9999", organization().client_secret(CANARY), FAST).await;
    stain(&w, "secret", "v1", "key").await;
    // As people run it, and as loud as somebody might ask the Kubernetes client to be.
    for (name, log) in [("quiet", "info"), ("loud", "info,kube_client::client=trace,[HTTP]=trace")] {
        w.operator.stop().await;
        let kubeconfig = w.plane.operator_kubeconfig().await;
        let allowed = format!("--allowed-host={}", w.vendor.host());
        let args: Vec<&str> = FAST.iter().copied().chain([allowed.as_str()]).collect();
        w.operator = Operator::start_in(&[("RUST_LOG", log)], &kubeconfig, binary(), &w.namespace, &args);
        w.operator.wait_ready().await;
        w.declare(name, json!({ "managementPolicy": "Observe", "limit": null })).await;
        let told = async || w.operator.log().contains(name).then_some(());
        wait_for("a pass to be logged", PATIENCE, told).await;
        assert!(!everything_told(&w).await.contains(&base64(CANARY)), "{log}: {}", w.operator.log_tail(20));
        w.until_reason(name, "Ready", "Observed").await;
        assert!(!w.operator.log().contains("secrets/key"), "{log}: the log names a Secret");
    }
    hold_silence_of(&w).await;
}

pub fn base64(text: &str) -> String {
    let secret = k8s_openapi::ByteString(text.as_bytes().to_vec());
    let quoted = serde_json::to_string(&secret).expect("JSON");
    quoted.trim_matches('"').to_owned()
}
