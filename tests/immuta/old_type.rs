//! License keys in Secrets of another type, as they were before license keys had one of their own: told with the commands
//! that move them. The commands are run as they are printed, with the pinned kubectl.

use std::process::Command;

use seatkeeper::api::{KeyRecord, LicenseSeatsStatus, SECRET_TYPE};
use seatkeeper_support::{needs_control_plane, scratch_dir, tool};
use serde_json::{Value, json};
use vendor_sim::immuta::LicenseKey;

use super::{Acme, acme, keys_of};
use crate::world::{condition, said};

/// The commands that a message prints, between `(umask` and the last bracket.
fn printed(message: &str) -> &str {
    let start = message.find("(umask").unwrap_or_else(|| panic!("no commands in: {message}"));
    &message[start..=message.rfind(')').expect("their end")]
}

impl Acme {
    /// Reads the message as a person does, and runs what it prints in an empty folder, which must be empty again.
    async fn run_what_ready_prints(&self) {
        let template = r#"jsonpath={.status.conditions[?(@.type=="Ready")].message}"#;
        let get = ["get", "licenseseats", "acme", "-o", template];
        let message = self.w.plane.kubectl_in(&self.w.namespace, &get, "").await.ok();
        let folder = scratch_dir("commands");
        let tools = tool("kubectl").parent().expect("a folder").display().to_string();
        let path = format!("{tools}:{}", std::env::var("PATH").unwrap_or_default());
        let output = Command::new("sh")
            .args(["-c", printed(&message)])
            .env("PATH", path)
            .env("KUBECONFIG", self.w.plane.kubeconfig_path())
            .env("KUBECACHEDIR", scratch_dir("kubectl-cache"))
            .current_dir(&folder)
            .output()
            .expect("a shell");
        assert!(output.status.success() && output.stderr.is_empty(), "{message}\n{output:?}");
        let left: Vec<_> = std::fs::read_dir(&folder).expect("the folder").collect();
        assert!(left.is_empty(), "a file with the key is left: {left:?}");
    }

    /// A license key of this Secret is added, and `prune` is on; the license key and its record.
    async fn added(&self, name: &str, key: &str) -> (String, KeyRecord) {
        let text = self.tenant.issue(LicenseKey::seats(40));
        self.w.license_keys(name, json!({ key: text })).await;
        let immuta = json!({ "licenseKeys": [entry(name, key)], "prune": true });
        self.declare(&[], json!({ "vendor": { "immuta": immuta } })).await;
        let status = self.until_ready("True/InSync").await;
        (text, record(&status))
    }

    /// The Secret is of another type now. That is told, and nothing is sent or taken away for it.
    async fn until_not_permitted(&self, words: &str) {
        let status = self.until_ready("False/SecretNotPermitted").await;
        let message = &condition(&status, "Ready").expect("Ready").message;
        assert!(message.contains(words) && message.contains("its entry counts as listed"), "{words}: {message}");
        self.until_polled(3).await;
        assert_eq!(keys_of(&self.w.status("acme").await), ["Added/Active"]);
        assert_eq!((self.tenant.posts(), self.tenant.deletes()), (1, 0));
    }

    /// All is as it was: the same row, the same record, and no request that adds or removes.
    async fn until_as_before(&self, key: &str, before: &KeyRecord) {
        self.until_ready("True/InSync").await;
        self.until_polled(3).await;
        let status = self.w.status("acme").await;
        assert_eq!(record(&status).fingerprint, before.fingerprint);
        assert_eq!((record(&status).id, record(&status).uuid), (before.id, before.uuid.clone()));
        assert_eq!((record(&status).origin, said(&status, "Ready")), (before.origin, "True/InSync".into()));
        assert_eq!((self.tenant.posts(), self.tenant.deletes(), self.tenant.additions_of(key)), (1, 0, 1));
        assert_eq!(self.tenant.ledger().len(), 1, "{:?}", self.tenant.ledger());
    }
}

fn entry(name: &str, key: &str) -> Value {
    json!({ "secretKeyRef": { "name": name, "key": key } })
}

fn record(status: &LicenseSeatsStatus) -> KeyRecord {
    status.license.as_ref().expect("a license").keys[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn printed_commands_move_old_license_key_without_prune_or_new_addition() {
    needs_control_plane!();
    let a = acme("immuta-old-type").await;
    let (key, before) = a.added("one", "licenseKey").await;
    let data = json!({ "licenseKey": format!("{key}\r\n"), "other": "something else", "server": "https://old.test" });
    let labels = json!({ "app.kubernetes.io/part-of": "acme" });
    let old = json!({
        "apiVersion": "v1", "kind": "Secret", "type": SECRET_TYPE, "stringData": data,
        "metadata": { "name": "one", "namespace": a.w.namespace, "labels": labels },
    });
    a.w.apply_secret("one", &old).await;
    a.until_not_permitted("recreate it with the same data").await;
    a.run_what_ready_prints().await;
    a.until_as_before(&key, &before).await;
    let secret = a.w.secrets().get("one").await.expect("the Secret");
    let text = |key: &str| String::from_utf8_lossy(&secret.data.as_ref().expect("data")[key].0).into_owned();
    assert_eq!(secret.type_.as_deref(), Some("seatkeeper.dev/license-key"));
    assert_eq!((text("other").as_str(), text("server")), ("something else", a.w.vendor.url()), "nothing in it is lost");
    assert_eq!(secret.metadata.labels.expect("labels")["app.kubernetes.io/part-of"], "acme");
    // Blanks around a key are none of it, wherever they come from.
    a.put("one", &format!(" {key}\n")).await;
    a.until_as_before(&key, &before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn printed_commands_copy_license_keys_beside_other_data_which_stays() {
    needs_control_plane!();
    // As the example of a renewal had it: one Secret for the API key and the license keys. What an Opaque Secret holds beside
    // is not read, so it is never deleted.
    for (name, kind) in [("immuta-beside", SECRET_TYPE), ("immuta-opaque", "Opaque")] {
        let a = acme(name).await;
        let (key, before) = a.added("all", "Key_2026").await;
        let mut data: Value = a.admin("an API key that nobody uses");
        data["Key_2026"] = json!(key);
        a.w.secret_of_type("all", kind, data).await;
        a.until_not_permitted("copy it to a Secret of its own").await;
        a.run_what_ready_prints().await;
        let there = a.w.secrets().get("all").await.expect("the credential stays");
        assert_eq!((there.type_.as_deref(), there.data.expect("data").len() > 1), (Some(kind), true));
        let copied = json!({ "vendor": { "immuta": { "licenseKeys": [entry("all-key-2026", "Key_2026")] } } });
        a.w.edit("acme", copied).await;
        a.until_as_before(&key, &before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_license_key_that_was_never_added_is_added_once_it_is_moved() {
    needs_control_plane!();
    let a = acme("immuta-old-new").await;
    let key = a.tenant.issue(LicenseKey::seats(40));
    a.w.secret("one", json!({ "licenseKey": key })).await;
    a.declare(&["one"], json!({ "vendor": { "immuta": { "prune": true } } })).await;
    let status = a.until_ready("False/SecretNotPermitted").await;
    assert_eq!((keys_of(&status), a.tenant.posts()), (vec!["/Unreadable".to_owned()], 0));
    assert_eq!(record(&status).fingerprint, None);
    a.w.until_told("SecretNotPermitted", 1).await;
    a.run_what_ready_prints().await;
    a.until_ready("True/InSync").await;
    assert_eq!((a.tenant.posts(), a.tenant.additions_of(&key)), (1, 1));
}
