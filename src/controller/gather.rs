//! Step 1: reads everything a decision rests on, in the protocol's order: the object (quorum), its Secret, the vendor.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};

use super::memory::{Entry, Hold, Key};
use super::store::{Stored, bounded};
use super::{Context, Error};
use crate::api::{Account, LicenseSeatsStatus};
use crate::plan::{Desired, Fault, Remedy, Snapshot, reason};
use crate::vendors::{AnyAccount, VendorAccount};

/// What a pass works on.
pub(super) struct Gathered {
    pub stored: Stored,
    pub found: Found,
}

/// How far the look got.
pub(super) enum Found {
    /// The status is not one this version can read: then nothing but words is written to it, and nothing is sent.
    Unreadable(Fault),
    /// Not to the vendor's numbers.
    Failed {
        status: LicenseSeatsStatus,
        desired: Option<Desired>,
        account: Option<Account>,
        fault: Fault,
    },
    /// All the way.
    Seen {
        status: LicenseSeatsStatus,
        desired: Desired,
        account: AnyAccount,
        snapshot: Snapshot,
        /// Version of the Secret that opened the account.
        secret_version: Option<String>,
    },
}

/// Gathers. `None`: the object is gone, on its way, or another one by the same name (which the watch will announce).
pub(super) async fn gather(
    context: &Context,
    key: &Key,
    uid: &str,
    entry: &mut Entry,
) -> Result<Option<Gathered>, Error> {
    let Some(stored) = Stored::read(&context.client, key).await? else {
        return Ok(None);
    };
    let metadata = stored.metadata();
    if metadata.deletion_timestamp.is_some() || metadata.uid.as_deref() != Some(uid) {
        return Ok(None);
    }
    let found = match stored.status() {
        Ok(status) => look(context, key, &stored, status, entry).await?,
        Err(why) => Found::Unreadable(Fault::spec(format!(
            "{why}; it may have been written by another version of the operator"
        ))),
    };
    Ok(Some(Gathered { stored, found }))
}

async fn look(
    context: &Context,
    key: &Key,
    stored: &Stored,
    status: LicenseSeatsStatus,
    entry: &mut Entry,
) -> Result<Found, Error> {
    let desired = match checked(context, stored) {
        Ok(desired) => desired,
        Err(fault) => {
            return Ok(Found::Failed {
                status,
                desired: None,
                account: None,
                fault,
            });
        }
    };
    let unknown = Account {
        vendor: desired.pool.vendor().to_owned(),
        host: None,
        id: None,
    };
    let failed = |status, desired, account, fault| {
        Ok(Found::Failed {
            status,
            desired: Some(desired),
            account: Some(account),
            fault,
        })
    };

    let secret = match read_secret(context, key, desired.pool.secret()).await? {
        Ok(secret) => secret,
        Err(fault) => return failed(status, desired, unknown, fault),
    };
    let version = secret.resource_version();
    if let Some(hold) = entry
        .hold
        .as_ref()
        .filter(|hold| hold.secret_version == version && Instant::now() < hold.until)
    {
        // Same Secret, same answer: the vendor is not asked.
        return failed(status, desired, hold.account.clone(), hold.fault.clone());
    }
    entry.hold = None;
    let opened = match context.vendors.open(&desired.pool, &secret) {
        Ok(opened) => opened,
        Err(fault) => return failed(status, desired, unknown, fault),
    };
    match opened.read().await {
        Ok(snapshot) => {
            entry.last_read = Some(Instant::now());
            Ok(Found::Seen {
                status,
                desired,
                account: opened,
                snapshot,
                secret_version: version,
            })
        }
        Err(error) => {
            let account = opened.account();
            let fault = error.fault(desired.pool.vendor_name(), account.host.as_deref().unwrap_or_default());
            entry.hold = hold(context, entry, &fault, &account, version);
            failed(status, desired, account, fault)
        }
    }
}

fn checked(context: &Context, stored: &Stored) -> Result<Desired, Fault> {
    let spec = stored.spec().map_err(Fault::spec)?;
    Desired::parse(&spec, context.settings.min_interval).map_err(|fault| Fault::spec(fault.to_string()))
}

/// The Secret by name: `get` is the only verb the operator has on Secrets.
async fn read_secret(context: &Context, (namespace, _): &Key, name: &str) -> Result<Result<Secret, Fault>, Error> {
    let api: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    let fault = |reason, summary: &str, message| Ok(Err(Fault::credentials(reason, summary, message)));
    match bounded(api.get_opt(name)).await {
        Ok(Some(secret)) => Ok(Ok(secret)),
        Ok(None) => fault(
            reason::SECRET_NOT_FOUND,
            "Secret not found",
            format!("Secret {name} is not in namespace {namespace}: create it with type seatkeeper.dev/credentials"),
        ),
        Err(Error::Apiserver(kube::Error::Api(status))) if status.is_forbidden() => fault(
            reason::SECRET_NOT_PERMITTED,
            "Secret may not be read",
            format!(
                "the operator may not get Secret {name} in namespace {namespace}: its Role must allow get on secrets"
            ),
        ),
        Err(error) => Err(error),
    }
}

/// Whether and how long to leave the vendor alone while the Secret stays as it is.
pub(super) fn hold(
    context: &Context,
    entry: &Entry,
    fault: &Fault,
    account: &Account,
    secret_version: Option<String>,
) -> Option<Hold> {
    let wait = match fault.remedy {
        Remedy::Credentials => context.settings.credential_probe,
        Remedy::Time { after: Some(after), .. } => after,
        Remedy::Time {
            secret_may_help: true, ..
        } => super::memory::backoff(entry.failures + 1, Duration::from_secs(300)),
        Remedy::Spec | Remedy::Unsupported | Remedy::Time { .. } => return None,
    };
    Some(Hold {
        fault: fault.clone(),
        account: account.clone(),
        secret_version,
        until: Instant::now() + wait,
    })
}
