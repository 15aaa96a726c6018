//! The general rule, over every reference of the spec and every kind of Secret: no byte of a Secret leaves for a place
//! that its owner did not name, or for another use than the one that its owner allowed. What leaves is observed where
//! requests leave; what an owner allowed is stated here a second time, apart from the code that decides it.

mod owned;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use owned::{Bitwarden, CLOUDS, Immuta, LicenseKeys, Owned, SERVERS, owned};
use serde_json::{Value, json};

use super::dispatch::overheard::{Sent, all_that_leaves};
use super::http::Http;
use super::http::tests::{PEM, http, unused};
use super::recorded_intent::tests::recorded;
use super::*;
use crate::api::{Intent, IntentPhase, KeyStep, LicenseSeatsSpec, PLACE_KEYS, SeatsStep, Step, Trigger};
use crate::domain::{Desired, SpecFault, reason};

/// Answers that let everything be asked and sent. A token is the secret that it was issued for, so that it is observed too.
fn vendor(sent: &Sent) -> (u16, String) {
    let body = String::from_utf8_lossy(&sent.bytes).into_owned();
    let secret = body.split("client_secret=").nth(1).and_then(|rest| rest.split('&').next());
    let answer = match (sent.method.as_str(), sent.url.path()) {
        ("POST", path) if path.ends_with("/connect/token") => json!({ "access_token": secret, "expires_in": 3600 }),
        ("GET", path) if path.ends_with("/subscription") => {
            json!({ "passwordManager": { "seats": 5, "maxAutoScaleSeats": 5 } })
        }
        ("GET", "/admin/license/licenseStatus") => {
            json!({ "activeUserCount": 1, "licenseSeats": 5, "canAddUser": true })
        }
        ("GET", "/admin/license") => json!([]),
        _ => return (403, "{}".into()),
    };
    (200, answer.to_string())
}

fn vendors() -> Vendors {
    let allowed = AllowedHosts::new(["tenant.test", "vault.test", "api.test", "identity.test"]).unwrap();
    // Trust in the public CAs takes its time to set up.
    static HTTP: LazyLock<Http> = LazyLock::new(http);
    let bitwarden = BitwardenSettings { account_recheck: Duration::from_secs(1), client_version: "2026.1.0".into() };
    Vendors::with(unused(&HTTP), bitwarden, allowed)
}

fn intent(step: Step) -> Intent {
    Intent {
        id: "i".into(),
        object_uid: "uid".into(),
        generation: 1,
        wish: None,
        account: "a".into(),
        step,
        used: None,
        attempt: 1,
        reason: Trigger::SpecDiffers,
        phase: IntentPhase::Open,
        refused: None,
        answered: 0,
        next_try: None,
        look: None,
        window: None,
        approval: None,
        time: Time(jiff::Timestamp::UNIX_EPOCH),
    }
}

/// Reads the account and makes every change of it. Why license keys of the spec cannot be used.
async fn use_up(account: &dyn VendorAccount) -> Vec<Fault> {
    let read = account.read(Urgency::Asked).await;
    let send_guard = || Ok(());
    let place = account.account().key().unwrap_or_default();
    let about = |step| Intent { account: place.clone(), ..intent(step) };
    let more = SeatsStep { from: 5, to: 6, limit_from: Some(5), limit_to: Some(6) };
    account.write(recorded(&about(Step::Seats(more))), &send_guard).await;
    let ring = read.ok().and_then(|snapshot| snapshot.keys().cloned());
    let wanted = ring.map(|ring| ring.wanted).unwrap_or_default();
    let (usable, faults) = wanted.into_iter().map(|key| key.fingerprint).partition::<Vec<_>, _>(Result::is_ok);
    for fingerprint in usable.into_iter().flatten() {
        let step = KeyStep {
            from: 5,
            to: 5,
            secret_key_ref: None,
            fingerprint: Some(fingerprint),
            present: vec![],
            id: None,
            uuid: None,
            unexplained: None,
            heard: vec![],
        };
        account.write(recorded(&about(Step::AddKey(step))), &send_guard).await;
    }
    faults.into_iter().filter_map(Result::err).collect()
}

/// Reads a spec the way that the controller does.
fn read(spec: &LicenseSeatsSpec) -> Result<(Pool, Target), SpecFault> {
    let (pool, target) = target(&spec.vendor)?;
    Desired::parse(spec, pool.clone(), Duration::ZERO)?;
    Ok((pool, target))
}

/// One object: its spec goes the whole way that the controller takes it. Returns what leaves, and what is reported.
fn played(all: &[Owned], spec: &Value) -> (Vec<Sent>, Vec<Fault>) {
    let spec = serde_json::from_value(spec.clone()).unwrap();
    let (pool, target) = match read(&spec) {
        Ok(read) => read,
        Err(why) => return (vec![], vec![Fault::spec(why.to_string())]),
    };
    let secret = |name: &str| all.iter().find(|owned| owned.name == name).unwrap().secret();
    let secrets: Vec<_> = pool.secrets.iter().map(|name| Ok(secret(name))).collect();
    let keys: Vec<_> = pool.key_secrets().into_iter().map(|name| (name.to_owned(), Ok(secret(name)))).collect();
    let account = match vendors().open((&pool, &target), &secrets, &keys, (&Key::default(), "uid")) {
        Ok(account) => account,
        Err(fault) => return (vec![], vec![fault]),
    };
    all_that_leaves(vendor, use_up(account.as_ref()))
}

/// Plays an object and holds the rule: each value that leaves may go where it goes; which ones do, by Secret and key.
fn left(all: &[Owned], spec: &Value) -> (BTreeSet<(&'static str, String)>, Vec<Fault>) {
    let (sent, faults) = played(all, spec);
    let mut left = BTreeSet::new();
    for (owned, (key, value)) in all.iter().flat_map(|owned| owned.data().map(move |data| (owned, data))) {
        if SERVERS.contains(&key.as_str()) {
            continue;
        }
        for request in sent.iter().filter(|request| request.carries(&value)) {
            let place = format!("{} {}", request.method, request.url);
            assert!(owned.names(&key, request), "{key} of Secret {} leaves for {place} under {spec}", owned.name);
            left.insert((owned.name, key.clone()));
        }
        for fault in &faults {
            let told = format!("{} {}", fault.message, fault.summary);
            assert!(!told.contains(&value), "{key} of Secret {} is told: {told}", owned.name);
        }
    }
    (left, faults)
}

fn bitwarden(first: Option<&str>, second: Option<&str>, region: Option<&str>) -> Value {
    let mut spec = json!({ "vendor": { "bitwarden": {} } });
    let bitwarden = &mut spec["vendor"]["bitwarden"];
    for (reference, name) in [("credentialsSecretRef", first), ("ownerCredentialsSecretRef", second)] {
        if let Some(name) = name {
            bitwarden[reference] = json!({ "name": name });
        }
    }
    if let Some(region) = region {
        bitwarden["region"] = json!(region);
    }
    spec
}

#[test]
fn bitwarden_object_sends_no_secret_to_host_that_its_owner_did_not_name() {
    let all = owned();
    let each = || all.iter().map(Some).chain([None]);
    let pairs = each().flat_map(|first| each().map(move |second| (first, second)));
    let (mut leaving, mut beside_nothing) = (0, 0);
    for (first, second) in pairs.filter(|(first, second)| first.is_some() || second.is_some()) {
        for region in [None, Some("US"), Some("EU"), Some("Gov")] {
            let spec = bitwarden(first.map(|owned| owned.name), second.map(|owned| owned.name), region);
            let (left, _) = left(&all, &spec);
            // Those that are of use at this place. The other of two may be of none beside an organization key.
            let given: Vec<&Owned> = first.into_iter().chain(second).collect();
            let usable = |owned: &&&Owned| match owned.allowed {
                Bitwarden(servers, _) => (servers == CLOUDS) == region.is_some(),
                _ => false,
            };
            let used: Vec<&Owned> = given.iter().filter(usable).copied().collect();
            let places: BTreeSet<_> = used.iter().map(|owned| owned.place()).collect();
            let kinds: BTreeSet<_> = used.iter().map(|owned| owned.is_a_person()).collect();
            let together = places.len() == 1 && kinds.len() == used.len();
            let fits = together && (used.len() == given.len() || kinds.contains(&false));
            let expected: BTreeSet<_> = used
                .iter()
                .flat_map(|owned| ["clientId"].iter().chain(owned.keys).map(|key| (owned.name, (*key).to_owned())))
                .collect();
            assert_eq!(left, if fits { expected } else { BTreeSet::new() }, "{spec}");
            leaving += usize::from(fits);
            beside_nothing += usize::from(fits && used.len() < given.len());
        }
    }
    // Alone at either reference, or as a pair in either order: at servers of their own, and in each of three clouds.
    assert_eq!(leaving - beside_nothing, (4 * 2 + 4) + (2 * 2 + 2) * 3, "a rule over nothing");
    // An organization key at either reference beside each Secret that is of no use there: three at servers of their own, of
    // four that are of use; and one in each cloud, of two.
    assert_eq!(beside_nothing, 2 * 3 * (all.len() - 4) + 2 * (all.len() - 2) * 3, "a rule over nothing");
}

#[test]
fn immuta_object_sends_no_secret_to_host_that_its_owner_did_not_name() {
    let all = owned();
    let (mut leaving, mut reasons) = (0, BTreeMap::<&str, usize>::new());
    for (credential, keys) in all.iter().flat_map(|credential| all.iter().map(move |keys| (credential, keys))) {
        let named: Vec<String> =
            keys.data().map(|(key, _)| key).chain(PLACE_KEYS.map(str::to_owned)).chain(["none".into()]).collect();
        for key in named {
            let entry = json!({ "secretKeyRef": { "name": keys.name, "key": key } });
            let spec = json!({ "vendor": { "immuta": {
                "credentialsSecretRef": { "name": credential.name }, "licenseKeys": [entry],
            } } });
            let (left, faults) = left(&all, &spec);
            let (mut expected, mut sends) = (BTreeSet::new(), false);
            if let (Immuta(server), false) = (credential.allowed, PLACE_KEYS.contains(&key.as_str())) {
                let of_access = |key: &&&str| **key == "apiKey" || key.starts_with("header.");
                expected
                    .extend(credential.keys.iter().filter(of_access).map(|key| (credential.name, (*key).to_owned())));
                sends = keys.allowed == LicenseKeys(server) && keys.keys.contains(&key.as_str());
                if sends {
                    expected.insert((keys.name, key.clone()));
                }
            }
            leaving += usize::from(sends);
            assert_eq!(left, expected, "{spec}");
            assert_eq!(faults.is_empty(), sends, "{spec}: {faults:?}");
            for fault in faults {
                *reasons.entry(fault.reason).or_default() += 1;
            }
        }
    }
    // Four credentials of the tenant with three keys for it, and one of another with its own.
    assert_eq!(leaving, 4 * 3 + 1, "a rule over nothing");
    let expected = [reason::HOST_NOT_ALLOWED, reason::KEY_INVALID, reason::KEY_MISSING, reason::SECRET_NOT_PERMITTED];
    assert!(expected.iter().all(|reason| reasons.contains_key(reason)), "{reasons:?}");
}

/// What leaves when a second object opens an account with these Secrets after a first one has used its own, in one process.
fn second((pool, target): &(Pool, Target), first: &Secret, second: &Secret) -> Vec<Sent> {
    let vendors = vendors();
    let open = |secret: &Secret| {
        vendors
            .open((pool, target), &[Ok(secret.clone())], &[], (&Key::default(), "uid"))
            .unwrap_or_else(|fault| panic!("{fault}"))
    };
    let first = open(first);
    assert!(!all_that_leaves(vendor, use_up(first.as_ref())).0.is_empty());
    let second = open(second);
    all_that_leaves(vendor, use_up(second.as_ref())).0
}

fn changed(secret: &Secret, key: &str, value: &str) -> Secret {
    let mut secret = secret.clone();
    secret.data.as_mut().unwrap().insert(key.into(), ByteString(value.as_bytes().to_vec()));
    secret
}

fn logs_in(sent: &[Sent]) -> bool {
    sent.iter().any(|sent| sent.url.path().ends_with("/connect/token"))
}

#[test]
fn object_with_other_certificate_or_header_shares_no_session_in_use() {
    let own = owned().iter().find(|owned| owned.name == "own").unwrap().secret();
    let by_bitwarden = read(&serde_json::from_value(bitwarden(Some("own"), None, None)).unwrap()).unwrap();
    let client = || {
        let started = vendor_sim::Simulator::start(vendor_sim::Options::default());
        tokio::runtime::Runtime::new().unwrap().block_on(started).unwrap().client_pem()
    };
    let certified =
        |(certificate, key): (String, String)| changed(&changed(&own, "tls.crt", &certificate), "tls.key", &key);
    let headed = |value: &str| changed(&own, "header.X-Access", value);
    let of_owners = [(certified(client()), certified(client())), (headed("hidden"), headed("another"))];
    for (theirs, other) in &of_owners {
        assert!(!logs_in(&second(&by_bitwarden, theirs, theirs)), "the same way in shares its token");
        assert!(logs_in(&second(&by_bitwarden, theirs, other)), "another way in and the same token");
        assert!(logs_in(&second(&by_bitwarden, theirs, &own)), "no way in and the token of one that has it");
    }
    assert!(logs_in(&second(&by_bitwarden, &own, &of_owners[0].0)), "a client certificate and the token without one");
}

#[test]
fn object_with_any_other_secret_shares_no_session_in_use() {
    let all = owned();
    let get = |name: &str| all.iter().find(|owned| owned.name == name).unwrap().secret();
    let pool = |spec: Value| read(&serde_json::from_value(spec).unwrap()).unwrap();

    let (own, by_bitwarden) = (get("own"), pool(bitwarden(Some("own"), None, None)));
    assert!(!logs_in(&second(&by_bitwarden, &own, &own)), "the same key shares its token");
    for (key, value) in [
        ("clientSecret", "another"),
        ("clientId", "organization.1c2a5a8e-3d55-4a4e-9a15-5d2f4c7f1e11"),
        ("server", "https://tenant.test"),
        ("ca.crt", PEM),
        ("header.X-Access", "another"),
    ] {
        let sent = second(&by_bitwarden, &own, &changed(&own, key, value));
        assert!(logs_in(&sent), "another {key} and the same token");
        let secret = all.iter().find(|owned| owned.name == "own").unwrap().value("clientSecret");
        assert!(key != "clientSecret" || !sent.iter().any(|sent| sent.carries(&secret)), "with another owner's token");
    }

    let spec = json!({ "vendor": { "immuta": { "credentialsSecretRef": { "name": "immuta" } } } });
    let (immuta, by_immuta) = (get("immuta"), pool(spec));
    for (key, value) in [("apiKey", "another"), ("server", "https://vault.test")] {
        let changed = changed(&immuta, key, value);
        let (theirs, server) =
            (&immuta.data.as_ref().unwrap()["apiKey"].0, &changed.data.as_ref().unwrap()["server"].0);
        for sent in second(&by_immuta, &immuta, &changed) {
            assert!(sent.url.as_str().as_bytes().starts_with(server), "{} with another {key}", sent.url);
            assert!(key != "apiKey" || !sent.carries(str::from_utf8(theirs).unwrap()), "with another owner's API key");
        }
    }
    let theirs = changed(&immuta, "header.X-Access", "hidden");
    for other in [&immuta, &changed(&immuta, "header.X-Access", "another")] {
        let sent = second(&by_immuta, &theirs, other);
        assert!(!sent.is_empty() && !sent.iter().any(|sent| sent.carries("hidden")), "with another owner's header");
    }
}
