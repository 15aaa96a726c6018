//! No byte of a Secret leaves for a place that its owner did not name. What the simulated vendors really received decides,
//! not what the status says. The whole product of references and Secrets is played in `src/vendors/secret_destinations.rs`.

use std::collections::BTreeMap;

use kube::Api;
use kube::api::{Patch, PatchParams};
use seatkeeper::api::{LICENSE_KEY_TYPE, LicenseSeats, SECRET_TYPE};
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::immuta::{Endpoint, LicenseKey, Tenant};
use vendor_sim::{Fault, FaultKind, Options, Simulator};

use crate::world::{FAST, PATIENCE, World, condition, object_in, organization, said, strict_post};

/// A world whose operator may also talk to another vendor: the Immuta tenant of somebody who may create LicenseSeats here,
/// and may not read Secrets.
struct Elsewhere {
    w: World,
    /// Where nothing of the Secrets of `w` may arrive.
    there: Simulator,
}

impl Elsewhere {
    /// The other tenant's API key is in Secret `theirs`.
    async fn new(name: &str) -> Self {
        let there = Simulator::start(Options::hurried()).await.expect("simulator");
        let allowed = format!("--allowed-host={}", there.host());
        let flags: Vec<&str> = FAST.iter().copied().chain([allowed.as_str()]).collect();
        let w = World::with(name, organization(), &flags).await;
        let api_key = there.immuta().add_tenant(Tenant::new("theirs").users(10)).api_key;
        w.secret("theirs", json!({ "apiKey": api_key, "server": there.url(), "ca.crt": there.ca_pem() })).await;
        Self { w, there }
    }

    /// Declares the other tenant with these keys of Secrets as license keys.
    async fn declare(&self, name: &str, keys: &[(&str, &str)]) {
        let keys: Vec<Value> =
            keys.iter().map(|(name, key)| json!({ "secretKeyRef": { "name": name, "key": key } })).collect();
        self.w.declare(name, immuta("theirs", &json!(keys))).await;
    }

    /// CAs that vouch for either place: no certificate keeps anything from going to the wrong one.
    fn both_cas(&self) -> String {
        format!("{}{}", self.there.ca_pem(), self.w.vendor.ca_pem())
    }

    fn look_out_for(&self, text: &str) {
        self.there.look_out_for(text);
        self.w.vendor.look_out_for(text);
    }

    /// How many requests carried a text, elsewhere and in `w`.
    fn received(&self, text: &str) -> (usize, usize) {
        (self.there.received(text), self.w.vendor.received(text))
    }

    async fn until_polled_there(&self, times: usize) {
        let polls = || self.there.immuta().calls(Endpoint::List);
        let before = polls();
        wait_for(format!("{times} polls"), PATIENCE, async || (polls() >= before + times).then_some(())).await;
    }
}

fn immuta(credentials: &str, keys: &Value) -> Value {
    let immuta = json!({ "credentialsSecretRef": { "name": credentials }, "licenseKeys": keys });
    json!({ "vendor": { "bitwarden": null, "immuta": immuta }, "limit": null, "seats": null })
}

#[tokio::test(flavor = "multi_thread")]
async fn bitwarden_credential_named_as_license_key_is_never_sent() {
    needs_control_plane!();
    let e = Elsewhere::new("places-credential").await;
    let secret = &e.w.key.client_secret;
    e.there.look_out_for(secret);
    e.declare("leak", &[("key", "clientSecret")]).await;
    let told =
        |status: &_| said(status, "Ready").starts_with("False/") && !said(status, "Ready").contains("Progressing");
    let status = e.w.until("leak", "something to be told", told).await;
    assert_eq!(e.there.received(secret), 0, "{status:?}");
    assert_eq!((e.there.immuta().posts(), e.there.immuta().ledger()), (0, vec![]));
    assert_eq!(said(&status, "Ready"), "False/SecretNotPermitted");
    assert_eq!(
        said(&status, "CredentialsValid"),
        "True/Authenticated",
        "the credential of the object itself is accepted"
    );
    // Nobody is led to make a license key of it.
    let message = &condition(&status, "Ready").expect("Ready").message;
    assert!(message.contains("never a license key") && !message.contains("kubectl"), "{message}");
}

/// Secrets that lend the other tenant no license key: type, data beside a canary under `key`, `key`, and what is told.
#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
fn no_license_keys(e: &Elsewhere) -> Vec<(&'static str, &'static str, Value, &'static str, &'static str)> {
    let (here, there) = (e.w.vendor.url(), e.there.url());
    let id = "organization.6f1c8a52-0000-4000-8000-00000000000a";
    let person = "user.6f1c8a52-0000-4000-8000-00000000000b";
    vec![
        ("opaque", "Opaque", json!({ "server": there }), "licenseKey", "has type Opaque"),
        ("tls", "example.org/tls", json!({ "tls.crt": "c" }), "tls.key", "has type example.org/tls"),
        (
            "organization",
            SECRET_TYPE,
            json!({ "clientId": id, "server": there }),
            "clientSecret",
            "belongs to a credential of Bitwarden",
        ),
        (
            "person",
            SECRET_TYPE,
            json!({ "clientId": person, "server": there }),
            "clientSecret",
            "belongs to a credential of Bitwarden",
        ),
        ("immuta", SECRET_TYPE, json!({ "server": there }), "apiKey", "belongs to a credential of Immuta"),
        ("old", SECRET_TYPE, json!({ "server": there }), "licenseKey", "has type seatkeeper.dev/credentials"),
        ("for-here", LICENSE_KEY_TYPE, json!({ "server": here }), "licenseKey", "names another server than"),
        (
            "for-a-path",
            LICENSE_KEY_TYPE,
            json!({ "server": format!("{there}/other") }),
            "licenseKey",
            "names another server than",
        ),
        ("for-nobody", LICENSE_KEY_TYPE, json!({}), "licenseKey", "key server of Secret for-nobody is missing"),
        (
            "in-the-clear",
            LICENSE_KEY_TYPE,
            json!({ "server": there.replace("https", "http") }),
            "licenseKey",
            "is not https",
        ),
        (
            "other-ca",
            LICENSE_KEY_TYPE,
            json!({ "server": there, "ca.crt": e.w.vendor.ca_pem() }),
            "licenseKey",
            "another CA",
        ),
        (
            "beside",
            LICENSE_KEY_TYPE,
            json!({ "server": there, "apiKey": "k" }),
            "licenseKey",
            "Secret beside holds apiKey",
        ),
        (
            "beside-token",
            LICENSE_KEY_TYPE,
            json!({ "server": there, "token": "t" }),
            "licenseKey",
            "Secret beside-token holds token",
        ),
        (
            "beside-password",
            LICENSE_KEY_TYPE,
            json!({ "server": there, "password": "p" }),
            "licenseKey",
            "Secret beside-password holds password",
        ),
        ("login", LICENSE_KEY_TYPE, json!({ "server": there }), "password", "Secret login holds password"),
        ("bearer", LICENSE_KEY_TYPE, json!({ "server": there }), "token", "Secret bearer holds token"),
        (
            "old-login",
            "Opaque",
            json!({ "server": there }),
            "password",
            "password belongs to a credential and is never",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_receives_only_its_own_secret_of_all_named_as_license_keys() {
    needs_control_plane!();
    let e = Elsewhere::new("places-keys").await;
    let (rows, mut canaries, mut entries) = (no_license_keys(&e), BTreeMap::new(), Vec::new());
    for (name, kind, data, key, _) in &rows {
        let canary = format!("canary{}", name.replace('-', ""));
        e.look_out_for(&canary);
        let mut data = data.clone();
        data[key] = json!(canary);
        e.w.secret_of_type(name, kind, data).await;
        canaries.insert(*name, canary);
        entries.push((*name, *key));
    }
    let own = e.there.immuta().issue(LicenseKey::seats(40));
    e.look_out_for(&own);
    let data = json!({ "licenseKey": own, "server": format!("{}/", e.there.url().to_uppercase()), "ca.crt": e.there.ca_pem() });
    e.w.secret_of_type("own", LICENSE_KEY_TYPE, data).await;
    e.declare("keys", &entries.iter().copied().chain([("own", "licenseKey")]).collect::<Vec<_>>()).await;
    let told = |message: &str| rows.iter().all(|(.., words)| message.contains(words));
    let all = |status: &_| {
        said(status, "Ready") == "False/SecretNotPermitted" && told(&condition(status, "Ready").unwrap().message)
    };
    let status = e.w.until("keys", "every Secret to be told", |status| all(status) && status.seats == Some(40)).await;
    e.until_polled_there(3).await;
    for (name, canary) in &canaries {
        assert_eq!(e.received(canary), (0, 0), "Secret {name} was received");
        let told = serde_json::to_string(&status).expect("JSON");
        assert!(!told.contains(canary.as_str()), "Secret {name} is told");
    }
    assert_eq!((e.received(&own), e.there.immuta().posts()), ((1, 0), 1));
    // Of a value that may not be sent there is no fingerprint either, by which it could be guessed.
    let keys = &status.license.as_ref().expect("a license").keys;
    assert_eq!(keys.iter().filter(|key| key.fingerprint.is_some()).count(), 1, "{keys:?}");
}

/// Secrets that are no credentials of Bitwarden, and why.
const NO_BITWARDEN_CREDENTIALS: [(&str, &str); 4] = [
    ("immuta", "Secret immuta holds apiKey, which belongs to a credential of Immuta"),
    ("both", "Secret both holds apiKey, which belongs to a credential of Immuta"),
    ("license-key", "Secret license-key has type seatkeeper.dev/license-key: it is for license keys"),
    ("opaque-bitwarden", "Secret opaque-bitwarden has type Opaque"),
];

/// Likewise of Immuta.
const NO_IMMUTA_CREDENTIALS: [(&str, &str); 4] = [
    ("bitwarden", "Secret bitwarden holds clientId, which belongs to a credential of Bitwarden"),
    ("both", "Secret both holds clientId"),
    ("license-key", "it is for license keys"),
    ("opaque-immuta", "has type Opaque"),
];

#[tokio::test(flavor = "multi_thread")]
async fn vendor_receives_only_its_own_secrets_of_all_named_as_credentials() {
    needs_control_plane!();
    let e = Elsewhere::new("places-credentials").await;
    let there = e.there.url();
    let id = "organization.6f1c8a52-0000-4000-8000-00000000000a";
    let bitwarden =
        json!({ "clientId": id, "clientSecret": "canarybitwarden", "server": there, "ca.crt": e.there.ca_pem() });
    let immuta_key = json!({ "apiKey": "canaryimmuta", "server": there, "ca.crt": e.there.ca_pem() });
    let mut both = bitwarden.clone();
    both["apiKey"] = json!("canaryboth");
    let key = json!({ "apiKey": "canarykey", "clientId": id, "clientSecret": "canarykey", "server": there });
    for (name, kind, data) in [
        ("bitwarden", SECRET_TYPE, &bitwarden),
        ("immuta", SECRET_TYPE, &immuta_key),
        ("both", SECRET_TYPE, &both),
        ("license-key", LICENSE_KEY_TYPE, &key),
        ("opaque-bitwarden", "Opaque", &bitwarden),
        ("opaque-immuta", "Opaque", &immuta_key),
    ] {
        e.w.secret_of_type(name, kind, data.clone()).await;
    }
    let of_bitwarden = |reference: &str, name: &str| {
        let mut spec = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": null } } });
        spec["vendor"]["bitwarden"][reference] = json!({ "name": name });
        spec
    };
    let canaries = ["canarybitwarden", "canaryimmuta", "canaryboth", "canarykey"];
    canaries.iter().for_each(|canary| e.look_out_for(canary));
    let refused = async |name: String, spec: Value, words: &str| {
        e.w.declare(&name, spec).await;
        let status = e.w.until_reason(&name, "CredentialsValid", "SecretNotPermitted").await;
        let message = &condition(&status, "Ready").expect("Ready").message;
        assert!(message.contains(words), "{name}: {message}");
    };
    for (secret, words) in NO_BITWARDEN_CREDENTIALS {
        for (name, reference) in [("c", "credentialsSecretRef"), ("o", "ownerCredentialsSecretRef")] {
            refused(format!("{name}-{secret}"), of_bitwarden(reference, secret), words).await;
        }
    }
    for (secret, words) in NO_IMMUTA_CREDENTIALS {
        refused(format!("i-{secret}"), immuta(secret, &json!([])), words).await;
    }
    for canary in canaries {
        assert_eq!(e.received(canary), (0, 0), "{canary}");
    }
    // The same Secrets at the references that their owners meant.
    e.w.declare("right-bitwarden", of_bitwarden("credentialsSecretRef", "bitwarden")).await;
    e.w.declare("right-immuta", immuta("immuta", &json!([]))).await;
    e.w.until_reason("right-bitwarden", "CredentialsValid", "Rejected").await;
    e.w.until_reason("right-immuta", "CredentialsValid", "Rejected").await;
    assert!(e.received("canarybitwarden").0 > 0 && e.received("canaryimmuta").0 > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_of_other_namespace_is_never_read() {
    needs_control_plane!();
    let w = World::over_all_namespaces("places-namespace", organization(), FAST).await;
    let other = w.plane.namespace("places-other").await;
    let immuta_key = json!({ "apiKey": "canary", "server": w.vendor.url(), "ca.crt": w.vendor.ca_pem() });
    w.secret("admin", immuta_key.clone()).await;
    w.license_keys("own", json!({ "licenseKey": "canary" })).await;
    w.vendor.look_out_for("canary");
    w.vendor.look_out_for(&w.key.client_secret);
    let client = w.plane.admin();
    let elsewhere: Api<LicenseSeats> = Api::namespaced(client.clone(), &other);
    let entry = json!([{ "secretKeyRef": { "name": "own", "key": "licenseKey" } }]);
    for (name, spec) in [("seats", json!({})), ("keys", immuta("admin", &entry))] {
        let request = strict_post(&other, &object_in(&other, name, spec));
        let _: LicenseSeats = client.request(request).await.expect("the object is admitted");
        let told = async || {
            let status = elsewhere.get(name).await.expect("the object").status.unwrap_or_default();
            (said(&status, "CredentialsValid") == "False/SecretNotFound").then_some(())
        };
        wait_for("no Secret to be found", PATIENCE, told).await;
    }
    let read = w.audit().verb("get").resource("secrets");
    assert!(read.is_empty(), "{:?}", read.events());
    assert_eq!((w.vendor.received("canary"), w.vendor.received(&w.key.client_secret)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_replaced_during_pass_is_used_whole_or_not_at_all() {
    needs_control_plane!();
    let e = Elsewhere::new("places-replaced").await;
    let (first, second) = (e.there.immuta().issue(LicenseKey::seats(40)), "canarysecond");
    e.look_out_for(&first);
    e.look_out_for(second);
    e.w.secret_of_type("own", LICENSE_KEY_TYPE, json!({ "licenseKey": first, "server": e.there.url() })).await;
    // The first reading publishes the plan; in the second pass the key is sent.
    let slow = Fault::always(FaultKind::Delay { before_ms: 2500, after_ms: 0 }).method("GET").path("/admin/license");
    let slow = e.there.immuta().inject(slow.skip(3).times(1));
    e.declare("replaced", &[("own", "licenseKey")]).await;
    assert!(e.there.immuta().wait_fired(slow, 1).await);
    e.w.secret_of_type("own", LICENSE_KEY_TYPE, json!({ "licenseKey": second, "server": e.w.vendor.url() })).await;
    assert!(e.there.immuta().release(slow));
    let status = e.w.until_reason("replaced", "Ready", "SecretNotPermitted").await;
    assert!(condition(&status, "Ready").expect("Ready").message.contains("names another server than"));
    e.until_polled_there(3).await;
    assert_eq!(e.received(second), (0, 0), "with the old server and the new key");
    assert_eq!((e.received(&first), e.there.immuta().additions_of(&first)), ((1, 0), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_of_tenant_is_not_followed_with_license_key_or_credential() {
    needs_control_plane!();
    let e = Elsewhere::new("places-redirect").await;
    let key = e.there.immuta().issue(LicenseKey::seats(40));
    e.look_out_for(&key);
    e.look_out_for("canaryapikey");
    e.there.immuta().add_tenant(Tenant::new("theirs").users(10).api_key("canaryapikey"));
    e.w.secret("theirs", json!({ "apiKey": "canaryapikey", "server": e.there.url(), "ca.crt": e.both_cas() })).await;
    e.w.secret_of_type("own", LICENSE_KEY_TYPE, json!({ "licenseKey": key, "server": e.there.url() })).await;
    let redirect = |status: u16| FaultKind::Answer {
        status,
        headers: [("location".to_owned(), format!("{}/admin/license", e.w.vendor.url()))].into(),
        body: String::new(),
        apply: false,
    };
    e.there.immuta().inject(Fault::on_license_add(redirect(307)).times(1));
    e.there.immuta().inject(Fault::on_license_add(redirect(308)).for_ever());
    e.declare("redirected", &[("own", "licenseKey")]).await;
    // A redirect proves nothing, so the key is sent there once more.
    e.w.until_reason("redirected", "Ready", "NeedsReview").await;
    e.until_polled_there(3).await;
    assert_eq!((e.w.vendor.received(&key), e.w.vendor.received("canaryapikey")), (0, 0));
    assert!(e.there.received("canaryapikey") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_status_sends_no_secret_elsewhere() {
    needs_control_plane!();
    let e = Elsewhere::new("places-status").await;
    let here = e.w.vendor.immuta();
    let api_key = here.add_tenant(Tenant::new("ours").users(10)).api_key;
    let key = here.issue(LicenseKey::seats(40));
    for text in [&api_key, &key, &e.w.key.client_secret] {
        e.look_out_for(text);
    }
    e.w.secret("ours", json!({ "apiKey": api_key, "server": e.w.vendor.url(), "ca.crt": e.both_cas() })).await;
    e.w.license_keys("own", json!({ "licenseKey": key })).await;
    let mut credentials = e.w.credentials(&e.w.key);
    credentials["ca.crt"] = json!(e.both_cas());
    e.w.secret("key", credentials).await;
    let entry = json!([{ "secretKeyRef": { "name": "own", "key": "licenseKey" } }]);
    let mut suspended = immuta("ours", &entry);
    suspended["suspend"] = json!(true);
    e.w.declare("keys", suspended).await;
    e.w.declare("seats", json!({ "suspend": true })).await;
    let step = json!({
        "action": "Add", "secretKeyRef": { "name": "key", "key": "clientSecret" }, "fingerprint": "0123456789abcdef",
    });
    let place = format!("{}/acme", e.there.host());
    let account = |vendor: &str| json!({ "vendor": vendor, "host": e.there.host(), "id": "acme" });
    let intent = |step: Value| {
        json!({
            "id": "forged", "objectUid": "u", "generation": 1, "account": place, "from": 1, "to": 2, "attempt": 1,
            "licenseKey": step, "reason": "SpecDiffers", "phase": "Open", "time": "2026-01-01T00:00:00Z",
        })
    };
    let api: Api<LicenseSeats> = e.w.seats();
    for (name, vendor, step) in [("keys", "immuta", step), ("seats", "bitwarden", Value::Null)] {
        e.w.until_reason(name, "ChangePending", "Suspended").await;
        let status = json!({ "status": { "account": account(vendor), "intent": intent(step) } });
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.expect("edit the status");
        e.w.edit(name, json!({ "suspend": false })).await;
    }
    // The forged intents are waited for, and then everything goes where the Secrets say.
    e.w.until_in_sync("seats", 150).await;
    e.w.until("keys", "the key in sync", |status| said(status, "Ready") == "True/InSync" && status.seats == Some(40))
        .await;
    for text in [&api_key, &key, &e.w.key.client_secret] {
        assert_eq!(e.there.received(text), 0);
        assert!(e.w.vendor.received(text) > 0);
    }
    assert_eq!((here.additions_of(&key), e.there.immuta().calls(Endpoint::List)), (1, 0));
}
