//! Each row of docs/errors.md, played: what the vendor answers, and the very sentence that people read.

use std::fmt::Write as _;
use std::fs;

use futures::future::join_all;
use seatkeeper::vendors::{RefusalText, Symptom, refusals, symptoms};
use seatkeeper_support::{needs_control_plane, workspace_root};
use serde_json::json;
use vendor_sim::{Fault, FaultKind, Role};

use crate::bad_answers::{answer, throttled};
use crate::tenants::{Tenant, fast_but};
use crate::world::{World, condition, organization, world};

/// The document. The tables are the code's own.
fn document() -> String {
    let mut text = "<!-- Made from the code. Refresh with: make generate -->\n# What Bitwarden answers, and what it means\n\n\
        Vendor text never gets into status, events or logs; these sentences do. `<host>` is the API's. Sections are those of the \
        vendor reference that the client is built from.\n\n## Reading, and keys\n\n\
        | Bitwarden | Reason | STATUS | What it says | Tried again | Section |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for row in symptoms() {
        let fault = row.fault("<host>");
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} | {} | {} |",
            row.seen,
            fault.reason,
            fault.summary,
            fault.message,
            row.retry(),
            row.section
        );
    }
    text.push_str(
        "\n## Changes refused by the private API\n\nWith an owner's key alone, Bitwarden says why it refuses. `Ready` is then False with \
         reason `VendorRejected`, and the message says \"Bitwarden refused the change, because ...\". It is sent again when \
         the wish or a Secret changes, when fewer seats are in use, or when a person asks.\n\n| Bitwarden's text (or how it begins) | because ... |\n|---|---|\n",
    );
    for RefusalText { theirs, ours, after_seats } in refusals() {
        let only =
            if after_seats { " (a change of the limit alone; with seats, the outcome is read back first)" } else { "" };
        let _ = writeln!(text, "| {} | {ours}{only} |", theirs.trim());
    }
    text.push_str(
        "\n## Changes refused by the public API\n\nThe organization key gets `500` for every refusal, without a word. So each rule that can be \
         seen is checked before anything is sent, and the sentence is in the message of `Ready`: seats in use, limit below seats, Secrets \
         Manager above Password Manager, totals above 32 767, and, where an owner's key is there too, a plan with a fixed number of seats, no \
         subscription, a cancelled one, or a provider that manages the organization. What is refused all the same is sent once more after \
         the settle time, and then told as `VendorRejected`.\n",
    );
    text
}

#[test]
fn the_document_is_what_the_code_says() {
    let path = workspace_root().join("docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, document()).expect("docs/errors.md");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == document(), "docs/errors.md is not what the code says; refresh it with: make generate");
}

/// Makes the vendor answer as the row says, for ever. `None`: what that takes is another world; see [`elsewhere`].
async fn provoke(t: &Tenant<'_>, row: &Symptom) -> Option<Fault> {
    let on = |kind| Some(Fault::always(kind).organization(&t.key.id));
    let token = |code: &str| on(answer(400, &format!(r#"{{"error":"{code}"}}"#))).map(|f| f.path("/connect/token"));
    let public = |kind| on(kind).map(|f| f.path("/public/"));
    match row.id {
        "invalid-client" => token("invalid_client"),
        "client-version" => token("version_header_missing"),
        "token-refused" => token("invalid_scope"),
        "unauthorized" => public(answer(401, "")),
        "forbidden" => public(answer(403, "")),
        "not-found" => public(answer(404, "")),
        "throttled" => public(throttled("37")),
        "edge" => public(FaultKind::EdgeThrottle),
        "server-error" => public(answer(503, "")),
        "unreadable" => public(FaultKind::HugeBody { bytes: 1_000_000 }),
        _ => None,
    }
}

/// The rows that need a person's key, a server that is not there, or another certificate: also declares the object.
async fn elsewhere(w: &World, t: &Tenant<'_>, row: &Symptom) {
    let alone = |more| t.alone(more);
    match row.id {
        "not-owner" => {
            let person = t.person(Role::Owner).await;
            let path = format!("/organizations/{}/billing", t.key.id);
            w.bitwarden().inject(Fault::always(answer(404, r#"{"message":"Resource not found."}"#)).path(path));
            drop(person);
        }
        "not-member" => {
            let person = t.person(Role::Owner).await;
            w.bitwarden().remove_from_organization(&person.user_id, &t.key.id);
            let id = json!({ "vendor": { "bitwarden": { "organizationId": t.key.id } } });
            w.declare(&t.name, alone(id)).await;
            return;
        }
        "no-organization" => drop(t.person(Role::User).await),
        "several-organizations" => {
            let person = t.person(Role::Owner).await;
            let other = w.bitwarden().add_organization(organization());
            w.bitwarden().set_role(&person.user_id, &other.id, Role::Owner);
        }
        "no-answer" => {
            let mut data = w.credentials(&t.key);
            data["server"] = json!("https://localhost:1");
            w.secret(&t.name, data).await;
            t.declare(json!({})).await;
            return;
        }
        "certificate" => {
            let mut data = w.credentials(&t.key);
            data.as_object_mut().expect("an object").remove("ca.crt");
            w.secret(&t.name, data).await;
            t.declare(json!({})).await;
            return;
        }
        other => panic!("{other} has no test: say here how the vendor is made to answer so"),
    }
    w.declare(&t.name, alone(json!({}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_symptom_is_told_with_its_sentence() {
    needs_control_plane!();
    let flags = fast_but(&["--allowed-host=localhost:1"]);
    let shared = World::with("errors", organization(), &flags).await;
    shared.needs_many_tokens();
    join_all(symptoms().into_iter().map(async |row| {
        // A throttle closes the host for everybody.
        let own = match row.id {
            "throttled" | "edge" => Some(World::with(row.id, organization(), &flags).await),
            _ => None,
        };
        let w = own.as_ref().unwrap_or(&shared);
        let t = w.tenant(row.id, organization()).await;
        match provoke(&t, &row).await {
            Some(fault) => {
                w.bitwarden().inject(fault);
                t.declare(json!({})).await;
            }
            None => elsewhere(w, &t, &row).await,
        }
        let host = if row.id == "no-answer" { "localhost:1".to_owned() } else { w.vendor.host() };
        let fault = row.fault(&host);
        let status = t.until(row.seen, |status| status.conditions.iter().any(|c| c.message == fault.message)).await;
        let said = status.conditions.iter().any(|c| c.message == fault.message && c.reason == fault.reason);
        assert!(said, "{}: not with reason {}: {:?}", row.id, fault.reason, status.conditions);
        assert_eq!(status.summary, Some(fault.summary), "{}", row.id);
        assert_eq!(w.bitwarden().writes(&t.key.id), 0, "{}", row.id);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_the_private_api_is_told_in_our_words() {
    needs_control_plane!();
    let w = world("refused").await;
    w.needs_many_tokens();
    join_all(refusals().into_iter().enumerate().map(async |(i, row)| {
        let t = w.tenant(&format!("refused {i}"), organization()).await;
        t.person(Role::Owner).await;
        let text = json!({ "object": "error", "message": format!("{}17 of them.", row.theirs) });
        let exact = json!({ "object": "error", "message": row.theirs });
        // What a text is, and not only how it begins, ends with a full stop or has no space to go on after.
        let body = if row.theirs.ends_with(' ') { text } else { exact };
        let refused = Fault::on_private_write(answer(400, &body.to_string()));
        w.bitwarden().inject(refused.organization(&t.key.id));
        // Rules on the limit are proof only where seats do not change.
        let spec = if row.after_seats {
            json!({ "seats": 100, "limit": { "mode": "UpTo", "seats": 120 } })
        } else {
            json!({})
        };
        w.declare(&t.name, t.alone(spec)).await;
        let status = t.until_said("Ready", "False/VendorRejected").await;
        let message = &condition(&status, "Ready").expect("Ready").message;
        assert!(message.contains(&format!("because {}", row.ours)), "{}: {message}", row.theirs);
        assert!(!message.contains(row.theirs), "{message}");
        assert_eq!(w.bitwarden().ledger(&t.key.id).len(), 0, "{}", row.theirs);
    }))
    .await;
}
