//! Secrets as people really make them: what is wrong is named by key with its fix, nothing is bought meanwhile, and
//! mending the Secret is enough.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use seatkeeper_support::{needs_control_plane, wait_for};
use serde_json::{Value, json};
use vendor_sim::OrganizationKey;

use crate::admission::{rows, yaml};
use crate::canary::base64;
use crate::tenants::Tenant;
use crate::world::{FAST, PATIENCE, World, condition, merge, organization, said, world};

/// As [`FAST`], but refused credentials are not tried again by themselves while a test lasts.
pub fn patient() -> Vec<&'static str> {
    let kept = FAST.iter().copied().filter(|arg| !arg.starts_with("--credential-probe"));
    kept.chain(["--credential-probe=1h"]).collect()
}

/// Secrets that cannot be used: the vendor is never asked. Name; what is wrong with it, as a change to a good Secret with
/// server `$server` and secret `$secret`; reason of `CredentialsValid`; the key; the fix.
const UNUSABLE: &str = "
other-type | type: Opaque | SecretNotPermitted | Secret other-type has type Opaque | again with type: seatkeeper.dev/credentials
no-id | stringData: {clientId: null} | KeyMissing | key clientId of Secret no-id is missing | patch secret no-id -p
no-secret | stringData: {clientSecret: null} | KeyMissing | key clientSecret of Secret no-secret is missing | patch secret no-secret -p
empty | stringData: {clientSecret: ''} | KeyMissing | key clientSecret of Secret empty is empty | patch secret empty -p
blank | stringData: {clientId: \" \\t\\r\\n\"} | KeyMissing | key clientId of Secret blank is empty | patch secret blank -p
not-text | {stringData: {clientSecret: null}, data: {clientSecret: //79/A==}} | KeyInvalid | clientSecret is not UTF-8 | store the text
two-lines | stringData: {clientSecret: \"$secret\\nand\"} | KeyInvalid | clientSecret contains control | again as one line of text
quoted | stringData: {clientSecret: \"'$secret'\"} | KeyInvalid | clientSecret is in quotation marks | store it without them
double | stringData: {clientSecret: '\"$secret\"'} | KeyInvalid | clientSecret is in quotation marks | store it without them
quoted-id | stringData: {clientId: \"'$id'\"} | KeyInvalid | clientId is in quotation marks | store it without them
twice | stringData: {clientSecret: $base64} | KeyInvalid | clientSecret is base64 of a text | encode it once
template | stringData: {clientSecret: '{{ .Values.secret }}'} | KeyInvalid | clientSecret is a template | render it
shell | stringData: {clientSecret: '${SECRET}'} | KeyInvalid | clientSecret is a template | render it
example | stringData: {clientSecret: replace-me} | KeyInvalid | clientSecret is a placeholder | store the value itself
readme | stringData: {clientSecret: SECRET} | KeyInvalid | clientSecret is a placeholder | store the value itself
readme-id | stringData: {clientId: organization.ID} | KeyInvalid | clientId is not an API key | with a GUID behind it
marked | stringData: {clientSecret: \"\\ufeff$secret\"} | KeyInvalid | clientSecret begins with a byte order mark | without one
bare-id | stringData: {clientId: 6f1c8a52-3f4e-4c7a-9a55-000000000001} | KeyInvalid | clientId is not | organization. or user. with a GUID behind it
swapped | stringData: {clientId: $secret} | KeyInvalid | clientId is not an API key | organization. or user. with a GUID behind it
http | stringData: {server: http://vault.example.org} | KeyInvalid | server is not https | write it as https://host
no-url | stringData: {server: vault.example.org} | KeyInvalid | server is not a URL | write it as https://host
host | stringData: {server: https://vault.example.org} | HostNotAllowed | vault.example.org | --allowed-host=vault.example.org (Helm:
port | stringData: {server: https://localhost} | HostNotAllowed | names the host localhost | --allowed-host=localhost
query | stringData: {server: $server/?to=elsewhere} | KeyInvalid | server carries more than | write it as https://host
userinfo | stringData: {server: https://admin:$secret@vault.example.org} | KeyInvalid | server carries more than | write it as https://host
half-pair | stringData: {server: null, apiUrl: $server} | KeyInvalid | apiUrl needs identityUrl | give both, or server alone
other-half | stringData: {server: null, identityUrl: $server} | KeyInvalid | identityUrl needs apiUrl | give both, or server alone
both-forms | stringData: {apiUrl: $server, identityUrl: $server} | KeyInvalid | server is set beside apiUrl | keep one of the two
nowhere | stringData: {server: null} | KeyMissing | spec.vendor.bitwarden.region | add the key server to the Secret
garbage-ca | stringData: {ca.crt: $secret} | KeyInvalid | ca.crt holds no certificate | -----BEGIN CERTIFICATE-----
hollow-ca | stringData: {ca.crt: \"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\"} | KeyInvalid | ca.crt holds no | in PEM form
";

/// Secrets that look right and that the vendor refuses.
const REFUSED: &str = "
wrong | stringData: {clientSecret: notthesecretofthisorganization} | Rejected | key was rotated | Put the current key into the Secret
unknown | stringData: {clientId: organization.6f1c8a52-3f4e-4c7a-9a55-000000000009} | Rejected | another region | Put the current key
endless | stringData: {clientSecret: $secret$secret$secret$secret} | Rejected | status 400 | check clientId and clientSecret
";

/// One line of a table at work: an object, its wrong Secret, and an organization of their own.
struct Case {
    name: &'static str,
    cells: Vec<&'static str>,
    key: OrganizationKey,
}

impl Case {
    async fn declare(w: &World, cells: Vec<&'static str>) -> Self {
        let key = w.bitwarden().add_organization(organization());
        let name = cells[0];
        let change = cells[1].replace("$server", &w.vendor.url()).replace("$secret", &key.client_secret);
        let change = change.replace("$id", &key.client_id).replace("$base64", &base64(&key.client_secret));
        let mut secret = right(w, name, &key);
        merge(&mut secret, yaml(&change));
        w.apply_secret(name, &secret).await;
        w.declare(name, with_secret(name)).await;
        Self { name, cells, key }
    }

    /// Waits until it is told: what is wrong, by key, and how to mend it, in both conditions.
    async fn until_told(&self, w: &World) {
        let status = w.until_reason(self.name, "CredentialsValid", self.cells[2]).await;
        assert_eq!(said(&status, "Ready"), "False/CredentialsInvalid", "{}", self.name);
        assert_eq!(said(&status, "CredentialsValid"), format!("False/{}", self.cells[2]), "{}", self.name);
        // A value that is not there yet may be on its way.
        let (kind, reason) =
            if self.cells[2] == "KeyMissing" { ("Reconciling", "Progressing") } else { ("Stalled", self.cells[2]) };
        assert_eq!(said(&status, kind), format!("True/{reason}"), "{}", self.name);
        for kind in ["Ready", "CredentialsValid"] {
            let message = &condition(&status, kind).expect(kind).message;
            for words in &self.cells[3..] {
                assert!(message.contains(words), "{}: {words:?} is not in: {message}", self.name);
            }
        }
        assert_eq!(status.seats, None, "{}: a number that nobody has read", self.name);
        assert_eq!(w.bitwarden().puts(&self.key.id), 0, "{}", self.name);
    }

    /// Waits until the purchase is made that the Secret stood in the way of.
    async fn until_healed(&self, w: &World) {
        let status = w.until_in_sync(self.name, 150).await;
        assert_eq!((status.observed_generation, said(&status, "Stalled")), (1, String::new()), "{}", self.name);
        assert_eq!(w.bitwarden().puts(&self.key.id), 1, "{}", self.name);
    }
}

/// A whole Secret for a key, as it should be.
pub fn right(w: &World, name: &str, key: &OrganizationKey) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": seatkeeper::api::SECRET_TYPE,
        "metadata": { "name": name, "namespace": w.namespace }, "stringData": w.credentials(key),
    })
}

/// A spec that uses the Secret of this name.
pub fn with_secret(name: &str) -> Value {
    json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": name } } } })
}

/// Declares every line of a table, waits until each is told, lets the test look, and mends the Secrets and nothing else.
async fn through(w: &World, table: &'static str, look: impl AsyncFnOnce(&[Case])) {
    let mut cases = Vec::new();
    for cells in rows(table) {
        cases.push(Case::declare(w, cells).await);
    }
    for case in &cases {
        case.until_told(w).await;
    }
    look(&cases).await;
    for case in &cases {
        w.apply_secret(case.name, &right(w, case.name, &case.key)).await;
    }
    for case in &cases {
        case.until_healed(w).await;
    }
    let told = everything_told(w).await;
    let leaks = |case: &&Case| told.contains(&case.key.client_secret);
    let leaked: Vec<_> = cases.iter().filter(leaks).map(|case| case.name).collect();
    assert!(leaked.is_empty(), "a secret was told: {leaked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_secret_is_reported_by_key_unused_and_mended_alone() {
    needs_control_plane!();
    let w = World::with("unusable", organization(), &patient()).await;
    w.needs_many_tokens();
    through(&w, UNUSABLE, async |_| {
        assert_eq!(w.bitwarden().requests().len(), 0, "{:?}", w.bitwarden().requests());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_key_is_tried_once_until_its_secret_changes() {
    needs_control_plane!();
    let w = World::with("refused", organization(), &patient()).await;
    w.needs_many_tokens();
    through(&w, REFUSED, async |cases| {
        let before = w.bitwarden().requests().len();
        for case in cases {
            until_rechecked(&w, case.name, 2).await;
        }
        let requests = w.bitwarden().requests();
        assert_eq!((before, requests.len()), (cases.len(), cases.len()), "{requests:?}");
    })
    .await;
}

/// Waits until the operator has looked at a Secret so many times more.
pub async fn until_rechecked(w: &World, secret: &str, times: usize) {
    let looked = || w.audit().verb("get").resource("secrets").name(secret).len();
    let before = looked();
    wait_for(format!("{times} looks at Secret {secret}"), PATIENCE, async || {
        (looked() >= before + times).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_made_after_the_object_is_found() {
    needs_control_plane!();
    let w = world("later").await;
    w.secrets().delete("key", &Default::default()).await.unwrap();
    w.declare("acme", json!({})).await;
    let status = w.until_reason("acme", "CredentialsValid", "SecretNotFound").await;
    let message = &condition(&status, "Ready").unwrap().message;
    assert!(message.contains(&format!("Secret key is not in namespace {}", w.namespace)), "{message}");
    assert!(message.contains("create it with type seatkeeper.dev/credentials"), "{message}");
    // The normal course of a GitOps start: work goes on, nobody is called.
    assert_eq!((said(&status, "Reconciling"), said(&status, "Stalled")), ("True/Progressing".into(), String::new()));
    w.secret("key", w.credentials(&w.key)).await;
    w.until_in_sync("acme", 150).await;
    assert_eq!(w.puts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_that_is_missing_or_half_filled_for_two_minutes_needs_a_person() {
    needs_control_plane!();
    let w = world("two-minutes").await;
    let (missing, half) = (w.tenant("missing", organization()).await, w.tenant("half", organization()).await);
    w.secrets().delete("missing", &Default::default()).await.expect("delete");
    let mut data = w.credentials(&half.key);
    data["clientSecret"] = json!("");
    w.secret("half", data).await;
    for (t, reason) in [(&missing, "SecretNotFound"), (&half, "KeyMissing")] {
        t.declare(json!({})).await;
        let status = t.until_said("CredentialsValid", &format!("False/{reason}")).await;
        assert_eq!(said(&status, "Reconciling"), "True/Progressing", "{}", t.name);
        assert_eq!(said(&status, "Stalled"), "", "{}", t.name);
        w.date_back(&t.name, "CredentialsValid", SignedDuration::from_mins(2)).await;
        let status = t.until_said("Stalled", &format!("True/{reason}")).await;
        assert_eq!(said(&status, "Reconciling"), "", "{}", t.name);
    }
    for t in [&missing, &half] {
        w.secret(&t.name, w.credentials(&t.key)).await;
        let status = t.until_in_sync(150).await;
        assert_eq!(said(&status, "Stalled"), "", "{}", t.name);
    }
}

/// When each Secret of the namespace was asked for, in seconds.
fn looks_at_secrets(w: &World) -> BTreeMap<String, Vec<f64>> {
    let mut looks: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for event in w.audit().verb("get").resource("secrets").events() {
        let received: Timestamp = event.received.parse().expect("a time");
        looks.entry(event.name.clone()).or_default().push(received.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64());
    }
    looks
}

/// As the README has it of `--secret-recheck`, which is a second here: after twelve reads, a twelfth as often.
#[tokio::test(flavor = "multi_thread")]
async fn missing_secret_is_read_less_often_after_twelve_readings() {
    needs_control_plane!();
    const OBJECTS: usize = 50;
    let w = world("fifty").await;
    for number in 0..OBJECTS {
        let name = format!("missing-{number:02}");
        w.declare(&name, with_secret(&name)).await;
    }
    let pauses = |looks: &[f64]| looks.windows(2).map(|two| two[1] - two[0]).collect::<Vec<f64>>();
    // 12 s, a twentieth longer or shorter.
    let rare = |pause: &f64| *pause > 11.0;
    wait_for("two long pauses before each Secret is looked at", PATIENCE * 2, async || {
        let looks = looks_at_secrets(&w);
        let rests = |looks: &Vec<f64>| pauses(looks).iter().copied().filter(|pause| rare(pause)).count() >= 2;
        (looks.len() == OBJECTS && looks.values().all(rests)).then_some(())
    })
    .await;
    let looks = looks_at_secrets(&w);
    for (name, looks) in &looks {
        let pauses = pauses(looks);
        assert!(pauses.iter().all(|pause| *pause > 0.9), "{name}: {pauses:?}");
        assert!(pauses.iter().filter(|pause| !rare(pause)).count() <= 13, "{name}: {pauses:?}");
        assert!(pauses.iter().skip(13).all(rare), "{name}: {pauses:?}");
    }
    // An object and its Secret are read each time, and nothing else.
    let (all, secrets) = (w.audit().verb("get").len(), looks.values().map(Vec::len).sum::<usize>());
    assert!(all <= 2 * secrets + OBJECTS, "{all} requests for {secrets} looks");
    assert_eq!(w.bitwarden().requests().len(), 0, "the vendor is not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_changed_after_plan_is_read_again_before_change_is_sent() {
    needs_control_plane!();
    let w = world("between").await;
    let (rotated, deleted) = (w.tenant("rotated", organization()).await, w.tenant("deleted", organization()).await);
    let other = w.tenant("other", organization()).await;
    for t in [&rotated, &deleted] {
        // Nothing is polled between plan and change.
        t.declare(json!({ "suspend": true, "interval": "1h" })).await;
        t.until("a plan", |status| status.plan.is_some() && said(status, "Ready") == "True/Suspended").await;
    }
    w.secret("rotated", w.credentials(&other.key)).await;
    w.secrets().delete("deleted", &Default::default()).await.expect("delete");
    for t in [&rotated, &deleted] {
        w.edit(&t.name, json!({ "suspend": null })).await;
    }
    let status = rotated.until_in_sync(150).await;
    assert_eq!(status.account.and_then(|account| account.id), Some(other.key.id.clone()));
    deleted.until_said("CredentialsValid", "False/SecretNotFound").await;
    assert_eq!([&rotated, &deleted, &other].map(Tenant::puts), [0, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn blanks_and_newlines_around_a_value_do_no_harm() {
    needs_control_plane!();
    let w = world("trim").await;
    let around = |text: &str| format!(" \t{text}\r\n");
    let padded = json!({
        "clientId": around(&w.key.client_id), "clientSecret": around(&w.key.client_secret),
        "server": around(&w.vendor.url()), "ca.crt": around(&w.vendor.ca_pem()),
    });
    w.secret("key", padded).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
}

/// Everything the operator told anybody: objects, events, log, metrics.
pub async fn everything_told(w: &World) -> String {
    let objects = w.seats().list(&Default::default()).await.expect("objects").items;
    let objects = serde_json::to_string(&objects).expect("JSON");
    let (events, metrics) = (w.events().await, w.operator.metrics().await);
    format!("{objects}\n{events:?}\n{metrics}\n{}", w.operator.log())
}
