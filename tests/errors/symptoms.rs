//! Each symptom of docs/errors.md, played by each of its causes. `symptoms.yaml` has the sentences, which people keep by hand.

use std::collections::BTreeSet;
use std::fs;

use futures::future::join_all;
use seatkeeper_support::{needs_control_plane, workspace_root};
use serde::Deserialize;
use serde_json::{Value, json};
use vendor_sim::{Certificate, Fault, FaultKind, MemberStatus, Options, Role, Simulator, UserKey};

use super::{facts, stored, table};
use crate::bad_answers::{answer, throttled};
use crate::tenants::{Tenant, fast_but};
use crate::world::{World, organization};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Symptom {
    seen: String,
    reason: String,
    status: String,
    says: String,
    again: String,
    /// Headings of docs/vendors/bitwarden.md.
    facts: Vec<String>,
    causes: Vec<Cause>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cause {
    /// Names what [`bring_about`] does.
    cause: String,
    /// The person's key beside an organization key: the rest goes on, so STATUS is another.
    #[serde(default)]
    beside: bool,
}

fn file() -> Vec<Symptom> {
    let text = fs::read_to_string(workspace_root().join("tests/errors/symptoms.yaml")).expect("symptoms.yaml");
    serde_yaml::from_str(&text).expect("symptoms.yaml")
}

#[test]
fn symptoms_of_the_document_are_those_that_are_played() {
    let kept: Vec<Vec<String>> = file()
        .into_iter()
        .map(|row| {
            assert!(!row.causes.is_empty(), "{}: a symptom without a cause", row.seen);
            vec![row.seen, format!("`{}`", row.reason), row.status, row.says, row.again, facts(&row.facts)]
        })
        .collect();
    assert_eq!(table(&stored(), "| Bitwarden | Reason"), kept);
    let rows = file();
    let causes: Vec<&str> = rows.iter().flat_map(|row| &row.causes).map(|cause| cause.cause.as_str()).collect();
    assert_eq!(causes.iter().collect::<BTreeSet<_>>().len(), causes.len(), "a cause has one symptom");
}

/// The state of the vendor, or what it answers for ever, and the object that meets it.
async fn bring_about(w: &World, t: &Tenant<'_>, cause: &str) {
    if of_the_organization_key(w, t, cause) {
        t.declare(json!({})).await;
    } else if let Some(spec) = of_a_personal_key(w, t, cause).await {
        w.declare(&t.name, spec).await;
    } else {
        on_the_way(w, t, cause).await;
        t.declare(json!({})).await;
    }
}

/// Causes that meet an organization key.
fn of_the_organization_key(w: &World, t: &Tenant<'_>, cause: &str) -> bool {
    let (vendor, id) = (w.bitwarden(), t.key.id.as_str());
    let on = |kind, path: &str| {
        t.inject(Fault::always(kind).path(path));
    };
    let (token, public) = ("/connect/token", "/public/");
    match cause {
        "the key was rotated" => drop(vendor.rotate_key(id)),
        "the organization is disabled" => vendor.set_enabled(id, false),
        "the organization was deleted" => vendor.delete_organization(id),
        "the plan has no API access" => vendor.set_plan(id, vendor_sim::PlanType::Families),
        "the answer invalid_scope" => on(answer(400, r#"{"error":"invalid_scope"}"#), token),
        "the answer 401" => on(answer(401, ""), public),
        "the answer 403" => on(answer(403, ""), public),
        "the answer 404 for a token" => on(answer(404, ""), token),
        "the answer 404" => on(answer(404, ""), public),
        "the answer 429 with Retry-After" => on(throttled("37"), public),
        "the answer 429 of the edge" => on(FaultKind::EdgeThrottle, public),
        "the answer 503" => on(answer(503, ""), public),
        "the answer 302" => on(answer(302, ""), public),
        "the answer 403 of an edge, a page" => on(FaultKind::EdgeForbidden, public),
        "a body of a megabyte" => on(FaultKind::HugeBody { bytes: 1_000_000 }, public),
        _ => return false,
    }
    true
}

/// Causes that meet a personal key: the spec.
#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
async fn of_a_personal_key(w: &World, t: &Tenant<'_>, cause: &str) -> Option<Value> {
    let (vendor, id) = (w.bitwarden(), t.key.id.as_str());
    let named = || json!({ "vendor": { "bitwarden": { "organizationId": id } } });
    let person = async |role| t.person(role).await;
    let owner = async |change: &dyn Fn(&UserKey)| {
        let key = t.person(Role::Owner).await;
        change(&key);
        t.alone(json!({}))
    };
    Some(match cause {
        "the personal key was rotated" => owner(&|key| drop(vendor.rotate_user_key(&key.user_id))).await,
        "the account was deleted" => owner(&|key| vendor.remove_user(&key.user_id)).await,
        "the account has legacy encryption" => {
            owner(&|key| vendor.change_account(&key.user_id, |account| account.legacy_encryption = true)).await
        }
        "the account has V2 encryption and the client is old" => {
            owner(&|key| vendor.change_account(&key.user_id, |account| account.v2_encryption = true)).await
        }
        "the person is an admin" => {
            person(Role::Admin).await;
            t.both(json!({}))
        }
        "the person left the organization" => {
            let key = person(Role::Owner).await;
            vendor.remove_from_organization(&key.user_id, id);
            t.alone(named())
        }
        "the membership is not confirmed" => {
            let key = person(Role::Owner).await;
            vendor.set_member_status(&key.user_id, id, MemberStatus::Accepted);
            t.alone(named())
        }
        "the named organization was deleted" => {
            owner(&|_| vendor.delete_organization(id)).await;
            t.alone(named())
        }
        "the person is a user" => {
            person(Role::User).await;
            t.alone(json!({}))
        }
        "the answer 404 for billing" => {
            t.inject(Fault::always(answer(404, "")).path("/billing/"));
            owner(&|_| ()).await
        }
        "the owner's organization was deleted" => owner(&|_| vendor.delete_organization(id)).await,
        "the person owns two organizations" => {
            let other = vendor.add_organization(organization());
            owner(&|key| vendor.set_role(&key.user_id, &other.id, Role::Owner)).await
        }
        "Stripe does not know the subscription" => owner(&|_| vendor.set_stripe(id, true, true, None)).await,
        "Stripe does not know it, beside an organization key" => {
            owner(&|_| vendor.set_stripe(id, true, true, None)).await;
            t.both(json!({}))
        }
        _ => return None,
    })
}

/// Causes between the operator and the vendor.
async fn on_the_way(w: &World, t: &Tenant<'_>, cause: &str) {
    let mut data = w.credentials(&t.key);
    match cause {
        "nobody listens" => data["server"] = json!("https://localhost:1"),
        "the client secret has over 100 characters" => data["clientSecret"] = json!("x".repeat(101)),
        "the Secret has no CA" => drop(data.as_object_mut().expect("an object").remove("ca.crt")),
        other => panic!("{other}: nobody has said how it comes about"),
    }
    w.secret(&t.name, data).await;
}

/// Servers of their own, by the cause that they are.
async fn servers() -> Vec<(&'static str, Simulator)> {
    let of = |certificate| Options { certificate, ..Options::hurried() };
    let options = [
        ("a server whose certificate has expired", of(Certificate::Expired)),
        ("a server whose certificate is not valid yet", of(Certificate::NotYetValid)),
        ("a server whose certificate has another name", of(Certificate::OtherName)),
        ("a server with the certificate of a CA", of(Certificate::OfOtherCa)),
        ("a gateway that wants a client certificate", Options { client_certificates: true, ..Options::hurried() }),
    ];
    join_all(options.map(async |(cause, options)| (cause, Simulator::start(options).await.expect("a simulator")))).await
}

/// Plays a cause until its sentence is told.
async fn play(w: &World, row: &Symptom, cause: &Cause, server: Option<&Simulator>) {
    let t = w.tenant(&cause.cause, organization()).await;
    match server {
        Some(server) => {
            let mut data = w.credentials(&t.key);
            (data["server"], data["ca.crt"]) = (json!(server.url()), json!(server.ca_pem()));
            w.secret(&t.name, data).await;
            t.declare(json!({})).await;
        }
        None => bring_about(w, &t, &cause.cause).await,
    }
    let host = match server {
        Some(server) => server.host(),
        None if cause.cause == "nobody listens" => "localhost:1".to_owned(),
        None => w.vendor.host(),
    };
    let says = row.says.replace("<host>", &host);
    let says = if cause.beside { format!("(ownerCredentialsSecretRef): {says}") } else { says };
    let told = t
        .until(&says, |status| {
            let told = |c: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
                c.message.ends_with(&says) && c.reason == row.reason
            };
            status.conditions.iter().any(told)
        })
        .await;
    if !cause.beside {
        assert_eq!(told.summary.as_ref(), Some(&row.status), "{}", cause.cause);
        assert_eq!(w.bitwarden().writes(&t.key.id), 0, "{}", cause.cause);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn symptom_cause_reports_its_documented_message() {
    needs_control_plane!();
    let servers = servers().await;
    let allowed: Vec<String> = servers.iter().map(|(_, server)| format!("--allowed-host={}", server.host())).collect();
    let mut flags = fast_but(&["--allowed-host=localhost:1"]);
    flags.extend(allowed.iter().map(String::as_str));
    let old = fast_but(&["--bitwarden-client-version=2025.1.0"]);
    let shared = World::with("errors", organization(), &flags).await;
    shared.needs_many_tokens();
    let rows = file();
    let causes = rows.iter().flat_map(|row| row.causes.iter().map(move |cause| (row, cause)));
    join_all(causes.map(async |(row, cause)| {
        // A throttle closes the host for everybody.
        let flags = match cause.cause.as_str() {
            cause if cause.contains("429") => Some(&flags),
            cause if cause.contains("the client is old") => Some(&old),
            _ => None,
        };
        match flags {
            Some(flags) => play(&World::with("errors-alone", organization(), flags).await, row, cause, None).await,
            None => {
                let server = servers.iter().find(|(known, _)| *known == cause.cause).map(|(_, server)| server);
                play(&shared, row, cause, server).await;
            }
        }
    }))
    .await;
}
