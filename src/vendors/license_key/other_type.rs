//! What to say of a Secret that is named for a license key and has another type: a type cannot be changed, so the message has
//! the commands that move the value. Whether that is wanted, only the owner of the Secret can say.
//!
//! No message leads a person to give a credential away: no commands for a key of a credential, and no command deletes a Secret
//! that something else may need. That is any Secret but those of our own type: what else is in the others is not read.

use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::Place;
use crate::api::{LICENSE_KEY_TYPE, SECRET_TYPE};
use crate::domain::Fault;
use crate::vendors::secret_data::{SecretData, credential_of, kind, kubectl, name, not_permitted, shown_kind};

/// The longest name of a Secret.
const LONGEST_NAME: usize = 253;

/// The fault, with what to do.
pub(super) fn fault(secret: &Secret, key: &str, to: &Place<'_>) -> Fault {
    let (name, found) = (name(secret), shown_kind(secret));
    let what = format!(
        "Secret {name} has type {found}, and a license key is sent only from a Secret of type {LICENSE_KEY_TYPE}. Nothing of the \
         Secret is sent, and nothing is pruned: its entry counts as listed"
    );
    let fix = if let Some(credential) = credential_of(key) {
        format!("{key} belongs to {credential} and is never a license key: name the Secret with the license key")
    } else if kind(secret) == SECRET_TYPE && !SecretData::is_credential(secret) {
        recreate(secret, to)
    } else {
        copy(secret, key, to)
    };
    not_permitted("Secret has another type", format!("{what}. {fix}"))
}

/// The same Secret again, with everything in it but for its type.
fn recreate(secret: &Secret, to: &Place<'_>) -> String {
    let (name, server) = (name(secret), server(to));
    let kubectl = kubectl(secret);
    let change = json!({
        "metadata": { "resourceVersion": null }, "type": LICENSE_KEY_TYPE, "stringData": { "server": server },
    });
    format!(
        "If its owner wants {server} to have its license keys, recreate it with the same data: (umask 077 && {kubectl} get \
         secret {name} -o yaml | kubectl patch --local -f - -p {} -o yaml > {name}.yaml && {kubectl} delete secret {name} && \
         {kubectl} create -f {name}.yaml && rm {name}.yaml). Set the type and server in its manifest as well",
        quoted(&change.to_string())
    )
}

/// A Secret of its own for one key. The one that is there stays.
fn copy(secret: &Secret, key: &str, to: &Place<'_>) -> String {
    let (name, server) = (name(secret), server(to));
    let (kubectl, new) = (kubectl(secret), new_name(name, key));
    format!(
        "If {key} is a license key and its owner wants {server} to have it, copy it to a Secret of its own: (umask 077 && \
         {kubectl} get secret {name} -o go-template={} > {new}.key && {kubectl} create secret generic {new} \
         --type={LICENSE_KEY_TYPE} --from-literal=server={} --from-file={key}={new}.key && rm {new}.key), and name Secret {new} in \
         secretKeyRef",
        quoted(&format!("{{{{index .data \"{key}\" | base64decode}}}}")),
        quoted(&server)
    )
}

fn server(to: &Place<'_>) -> String {
    to.server.as_str().trim_end_matches('/').to_owned()
}

/// A name for the Secret of one key, that a Secret may have.
fn new_name(name: &str, key: &str) -> String {
    let key = key.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let new: String = format!("{name}-{}", key.trim_matches('-')).chars().take(LONGEST_NAME).collect();
    new.trim_end_matches(['-', '.']).to_owned()
}

/// One word for a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
