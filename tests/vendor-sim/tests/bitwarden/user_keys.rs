//! Personal API keys (docs/vendors/bitwarden.md, from "The personal key" to "Refused tokens").

use serde_json::{Value, json};
use std::time::Duration;
use vendor_sim::{MemberStatus, Role};

use crate::{Bench, example, people::form};

async fn refused(bench: &Bench, version: Option<&str>, form: &[(&str, &str)]) -> Value {
    let answer = bench.ask_token(version, form).await;
    assert_eq!(answer.status(), 400, "{form:?}");
    assert_eq!(answer.headers()["cache-control"], "no-store, no-cache, max-age=0");
    answer.json().await.unwrap()
}

const NEW: Option<&str> = Some("2026.8.0");

#[tokio::test]
async fn user_key_gets_a_token_and_secrets_beside_it() {
    let bench = Bench::new(example()).await;
    let key = bench.bw.add_user_key(&bench.key.id, Role::Owner);
    assert_eq!(bench.bw.organization(&bench.key.id).members, 80, "the owner there was got the key");
    for changes in [vec![], vec![("scope", "")], vec![("deviceType", "LinuxCLI")]] {
        let answer: Value = bench.ask_token(NEW, &form(&key, &changes)).await.json().await.unwrap();
        assert_eq!(
            (&answer["scope"], &answer["token_type"], &answer["expires_in"]),
            (&json!("api"), &json!("Bearer"), &json!(3600))
        );
        assert!(answer["Key"].as_str().unwrap().starts_with("2."));
        assert!(answer["PrivateKey"].is_string() && answer["Kdf"] == 0);
    }
    let organization: Value = bench
        .token_request(&[
            ("grant_type", "client_credentials"),
            ("client_id", &bench.key.client_id),
            ("client_secret", &bench.key.client_secret),
        ])
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(organization.as_object().unwrap().len(), 4, "organization keys get the four fields only");
}

#[tokio::test]
async fn user_key_without_a_usable_client_version_is_refused() {
    let bench = Bench::new(example()).await;
    let key = bench.bw.add_user_key(&bench.key.id, Role::User);
    let text = "No client version header found, required to prevent encryption errors. Please confirm your client is \
                supplying the header: \"Bitwarden-Client-Version\"";
    let expected = json!({
        "error": "version_header_missing", "error_description": text,
        "ErrorModel": { "Object": "error", "Message": text },
    });
    for version in [None, Some(""), Some("2026"), Some("v2026.8.0"), Some("2026.8.0-rc1")] {
        assert_eq!(refused(&bench, version, &form(&key, &[])).await, expected, "{version:?}");
    }
    let everything_wrong = form(&key, &[("deviceType", ""), ("deviceName", "")]);
    assert_eq!(refused(&bench, None, &everything_wrong).await, expected, "the header comes before the device");
    assert_eq!(bench.bw.device_mails(&key.user_id), 0);

    assert_eq!(bench.ask_token(Some("2025.10"), &form(&key, &[])).await.status(), 200);
    bench.bw.change_account(&key.user_id, |a| a.v2_encryption = true);
    let text = "Please update your app to continue using Bitwarden";
    let old = json!({
        "error": "invalid_client_version", "error_description": text,
        "ErrorModel": { "Object": "error", "Message": text },
    });
    assert_eq!(refused(&bench, Some("2025.10.9"), &form(&key, &[])).await, old);
    assert_eq!(bench.ask_token(Some("2025.11.0"), &form(&key, &[])).await.status(), 200);
}

#[tokio::test]
async fn device_fields_are_required_and_bounded() {
    let bench = Bench::new(example()).await;
    let key = bench.bw.add_user_key(&bench.key.id, Role::User);
    let expected = json!({
        "error": "device_error", "error_description": "No device information provided",
        "ErrorModel": { "Object": "error", "Message": "no device information provided" },
    });
    let (long, fits) = ("x".repeat(51), "x".repeat(50));
    for change in [
        ("deviceType", ""),
        ("deviceType", "linuxcli"),
        ("deviceType", "256"),
        ("deviceName", ""),
        ("deviceName", "  "),
        ("deviceIdentifier", ""),
        ("deviceIdentifier", &long),
        ("deviceName", &long),
    ] {
        assert_eq!(refused(&bench, NEW, &form(&key, &[change])).await, expected, "{change:?}");
    }
    let answer = bench.ask_token(NEW, &form(&key, &[("deviceName", &fits), ("deviceIdentifier", &fits)])).await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn every_new_device_identifier_is_a_mail_to_the_user() {
    let bench = Bench::new(example()).await;
    let key = bench.bw.add_user_key(&bench.key.id, Role::Owner);
    for _ in 0..3 {
        assert_eq!(bench.ask_token(NEW, &form(&key, &[])).await.status(), 200);
    }
    assert_eq!((bench.bw.device_mails(&key.user_id), bench.bw.devices(&key.user_id).len()), (1, 1));
    bench.ask_token(NEW, &form(&key, &[("deviceIdentifier", "another")])).await;
    assert_eq!(bench.bw.device_mails(&key.user_id), 2);
    // A new account is spared, until it is ten minutes old.
    bench.bw.change_account(&key.user_id, |a| a.created = bench.bw.now());
    bench.ask_token(NEW, &form(&key, &[("deviceIdentifier", "third")])).await;
    assert_eq!((bench.bw.device_mails(&key.user_id), bench.bw.devices(&key.user_id).len()), (2, 3));
    bench.bw.advance(Duration::from_secs(601));
    bench.ask_token(NEW, &form(&key, &[("deviceIdentifier", "fourth")])).await;
    let device = bench.bw.devices(&key.user_id).pop().unwrap();
    assert_eq!((device.identifier.as_str(), device.name.as_str(), device.kind), ("fourth", "operator", 25));
    assert_eq!(bench.bw.device_mails(&key.user_id), 3);
}

#[tokio::test]
async fn client_is_judged_before_its_version_and_device() {
    let bench = Bench::new(example()).await;
    let key = bench.bw.add_user_key(&bench.key.id, Role::Owner);
    let nobody = "user.6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11";
    for (change, error) in [
        (("client_id", nobody), "invalid_client"),
        (("client_id", "user."), "invalid_client"),
        (("client_secret", "wrong"), "invalid_client"),
        (("client_secret", ""), "invalid_client"),
        (("grant_type", ""), "unsupported_grant_type"),
        (("grant_type", "password"), "unauthorized_client"),
        (("scope", "api offline_access"), "invalid_scope"),
        (("scope", "api.organization"), "invalid_scope"),
    ] {
        assert_eq!(refused(&bench, None, &form(&key, &[change])).await, json!({ "error": error }), "{change:?}");
    }
    bench.bw.change_account(&key.user_id, |a| a.legacy_encryption = true);
    let legacy = refused(&bench, NEW, &form(&key, &[])).await;
    assert_eq!((&legacy["error"], legacy.get("error_description")), (&json!("invalid_grant"), None));
    let text = legacy["ErrorModel"]["Message"].as_str().unwrap();
    assert!(text.starts_with("Legacy encryption without a userkey is no longer supported."), "{text}");

    let rotated = bench.bw.rotate_user_key(&key.user_id);
    bench.bw.change_account(&key.user_id, |a| a.legacy_encryption = false);
    assert_eq!(refused(&bench, NEW, &form(&key, &[])).await, json!({ "error": "invalid_client" }));
    assert_eq!(bench.ask_token(NEW, &form(&rotated, &[])).await.status(), 200);
    bench.bw.remove_user(&key.user_id);
    assert_eq!(refused(&bench, NEW, &form(&rotated, &[])).await, json!({ "error": "invalid_client" }));
}

#[tokio::test]
async fn roles_are_frozen_into_the_token() {
    let bench = Bench::new(example()).await;
    let mut person = bench.owner().await;
    let (bw, user, org) = (&bench.bw, person.key.user_id.clone(), bench.key.id.as_str());
    let status = async |person: &crate::people::Person<'_>| person.get("").await.0;
    assert_eq!(status(&person).await, 200);
    bw.set_role(&user, org, Role::Admin);
    assert_eq!(status(&person).await, 200, "the old token still says owner");
    person.login().await;
    assert_eq!(status(&person).await, 404);
    bw.set_role(&user, org, Role::Owner);
    assert_eq!(status(&person).await, 404, "and the new one still says admin");
    person.login().await;
    assert_eq!(status(&person).await, 200);
    bw.set_member_status(&user, org, MemberStatus::Accepted);
    person.login().await;
    assert_eq!(status(&person).await, 404, "an owner who is not confirmed");
    bw.set_member_status(&user, org, MemberStatus::Confirmed);
    person.login().await;
    bw.remove_from_organization(&user, org);
    assert_eq!(status(&person).await, 200);
    person.login().await;
    assert_eq!(status(&person).await, 404);
}

#[tokio::test]
async fn user_may_have_different_roles_in_different_organizations() {
    let bench = Bench::new(example()).await;
    let other = bench.bw.add_organization(example());
    let mut person = bench.owner().await;
    bench.bw.set_role(&person.key.user_id, &other.id, Role::User);
    person.login().await;
    assert_eq!(person.get("").await.0, 200);
    let elsewhere = person.raw("GET", &format!("/organizations/{}", other.id), None).await;
    assert_eq!(elsewhere.0, 404);
    let usage = format!("/organizations/{}/billing/vnext/metadata", other.id);
    assert_eq!(person.raw("GET", &usage, None).await.0, 200, "any member may ask for usage");
    let (_, list) = person.raw("GET", "/organizations", None).await;
    let list: Value = serde_json::from_str(&list).unwrap();
    let mut types: Vec<_> = list["data"].as_array().unwrap().iter().map(|o| o["type"].as_u64()).collect();
    types.sort_unstable();
    assert_eq!(types, [Some(0), Some(2)]);
    assert_eq!(bench.bw.find_user(&person.key.client_id).unwrap().memberships.len(), 2);
}

#[tokio::test]
async fn disabled_organization_refuses_its_own_key_but_not_its_owners() {
    let bench = Bench::new(example()).await;
    bench.bw.set_enabled(&bench.key.id, false);
    let own = [
        ("grant_type", "client_credentials"),
        ("client_id", &bench.key.client_id),
        ("client_secret", &bench.key.client_secret),
    ];
    assert_eq!(refused(&bench, None, &own).await, json!({ "error": "invalid_client" }));
    let owner = bench.owner().await;
    assert_eq!(owner.get("").await.0, 200);
    let (_, list) = owner.raw("GET", "/organizations", None).await;
    assert!(list.contains(r#""enabled":false"#), "{list}");
}

#[tokio::test]
async fn each_api_takes_its_own_kind_of_key() {
    let bench = Bench::new(example()).await;
    let owner = bench.owner().await;
    let of_owner = format!("/api/organizations/{}/subscription", bench.key.id);
    let with_organization_key = bench.request("GET", &of_owner).send().await.unwrap();
    assert_eq!(
        (with_organization_key.status().as_u16(), with_organization_key.text().await.unwrap().as_str()),
        (403, "")
    );
    assert_eq!(owner.raw("GET", "/public/organization/subscription", None).await, (403, String::new()));
    assert_eq!(owner.raw("GET", "/public/members", None).await, (403, String::new()));
    let none = bench.client.get(format!("{}{of_owner}", bench.sim.url())).send().await.unwrap();
    assert_eq!((none.status().as_u16(), &none.headers()["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    bench.bw.expire_tokens();
    assert_eq!(owner.get("/subscription").await, (401, Value::Null));
    let shown = serde_json::to_string(&bench.bw.requests()).unwrap();
    assert!(!shown.contains(&owner.key.client_secret) && !shown.contains("eyJ"), "secrets are not kept");
}

#[tokio::test]
async fn cached_clients_keep_secret_and_roles_for_five_minutes() {
    let bench = Bench::new(example()).await;
    let mut person = bench.owner().await;
    bench.bw.switch(|s| s.key_cache_seconds = 300);
    person.login().await;
    bench.bw.set_role(&person.key.user_id, &bench.key.id, Role::Admin);
    bench.bw.rotate_user_key(&person.key.user_id);
    person.login().await;
    assert_eq!(person.get("").await.0, 200, "old secret, old role");
    bench.bw.advance(Duration::from_secs(301));
    assert_eq!(bench.ask_token(NEW, &form(&person.key, &[])).await.status(), 400);
    person.key = bench.bw.user_key(&person.key.user_id);
    person.login().await;
    assert_eq!(person.get("").await.0, 404);
}

#[tokio::test]
async fn failures_after_the_secret_are_slow_on_purpose() {
    let bench = Bench::new(example()).await;
    let key = bench.bw.add_user_key(&bench.key.id, Role::Owner);
    bench.bw.switch(|s| s.token_failure_delay_ms = 3_600_000);
    assert_eq!(bench.ask_token(NEW, &form(&key, &[])).await.status(), 200, "only failures");
    assert_eq!(bench.ask_token(None, &form(&key, &[("client_secret", "x")])).await.status(), 400, "only later ones");
    let arrived = bench.bw.requests().len() + 1;
    let clock = async {
        assert!(bench.bw.wait_for(Duration::from_secs(20), |b| b.requests().len() == arrived).await);
        assert_eq!(bench.get().await.0, 200);
        assert_eq!(bench.bw.requests()[arrived - 1].executed, None, "it waits for the vendor's clock");
        bench.bw.advance(Duration::from_secs(3600));
    };
    let form = form(&key, &[]);
    let (answer, ()) = tokio::join!(bench.ask_token(None, &form), clock);
    assert_eq!(answer.status(), 400);
}
