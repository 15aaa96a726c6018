//! Step 1: reads everything a decision rests on, in the protocol's order: the object (quorum), its Secret, the vendor.

use std::time::{Duration, Instant};

use kube::ResourceExt;

use super::claim::claim;
use super::hosts::Visit;
use super::memory::{Entry, Hold, Key, Trigger, jitter};
use super::secret::read_secret;
use super::store::Stored;
use super::urgency::urgency;
use super::{Context, Error};
use crate::api::{Account, LICENSE_KEY_TYPE, LicenseSeatsSpec, LicenseSeatsStatus, SECRET_TYPE};
use crate::plan::{Desired, Fault, Remedy, Snapshot, SpecFault, reason};
use crate::vendors::{self, ReadError, Target, VendorAccount};

/// What a pass works on.
pub(super) struct Gathered {
    pub stored: Stored,
    pub found: Found,
}

/// How far the look got.
pub(super) enum Found {
    /// The object is on its way out, and somebody's finalizer holds it back. Nothing is done for it any more.
    Leaving,
    /// The record cannot be read by this version, or cannot be kept: then nothing but words is written, and nothing is sent.
    NoRecord(Fault),
    /// Not to the vendor's numbers.
    Failed { status: LicenseSeatsStatus, desired: Option<Desired>, account: Option<Account>, fault: Fault },
    /// Its turn to be read comes after this long. Nothing was sent.
    Paced { status: LicenseSeatsStatus, desired: Desired, after: Duration, why: Queue },
    /// All the way.
    Seen {
        status: LicenseSeatsStatus,
        desired: Desired,
        account: Box<dyn VendorAccount>,
        snapshot: Box<Snapshot>,
        /// Versions of the Secrets that opened the account.
        secret_version: Option<String>,
        /// Its place among the passes that are with this host.
        visit: Visit,
    },
}

/// How long an object waits at most for a place with its vendor host before it is read again.
const CROWDED: Duration = Duration::from_secs(30);

/// Why an object's turn has not come.
pub(super) enum Queue {
    /// The vendor takes only so many requests.
    Pace,
    /// As many passes as may are with this host already.
    Host,
}

/// Gathers. `None`: the object is gone, or another one by the same name (which the watch will announce).
pub(super) async fn gather(
    context: &Context,
    key: &Key,
    uid: &str,
    entry: &mut Entry,
) -> Result<Option<Gathered>, Error> {
    entry.turned_away = None;
    let Some(stored) = Stored::read(&context.client, key).await? else {
        return Ok(None);
    };
    let metadata = stored.metadata();
    if metadata.uid.as_deref() != Some(uid) {
        return Ok(None);
    }
    if metadata.deletion_timestamp.is_some() {
        context.pools.note(key, uid, claim(&stored, None, None), entry.term);
        return Ok(Some(Gathered { stored, found: Found::Leaving }));
    }
    let recorded = match context.crd.outdated() {
        Some(fault) => Err(fault),
        None => stored
            .status()
            .map_err(|why| Fault::spec(format!("{why}; it may have been written by another version of the operator"))),
    };
    let found = match recorded {
        Ok(status) => look(context, key, &stored, status, entry).await?,
        Err(fault) => {
            note_without_record(context, key, &stored, entry.term).await;
            entry.unkept = entry.unkept.saturating_add(1);
            Found::NoRecord(fault)
        }
    };
    Ok(Some(Gathered { stored, found }))
}

/// An object without a record that can be used keeps its pool, and its open change bars its account.
async fn note_without_record(context: &Context, key: &Key, stored: &Stored, term: u64) {
    let uid = stored.metadata().uid.as_deref().unwrap_or_default();
    let desired = checked(context, stored).ok();
    let opened = match &desired {
        Some((desired, target)) => open(context, key, uid, (desired, target)).await.ok().and_then(Result::ok),
        None => None,
    };
    let account = opened.map(|(opened, _)| opened.account());
    context.pools.note(key, uid, claim(stored, desired.as_ref().map(|(desired, _)| desired), account.as_ref()), term);
}

async fn look(
    context: &Context,
    key: &Key,
    stored: &Stored,
    status: LicenseSeatsStatus,
    entry: &mut Entry,
) -> Result<Found, Error> {
    let (uid, term) = (stored.metadata().uid.as_deref().unwrap_or_default(), entry.term);
    let note = |desired: Option<&Desired>, account: Option<&Account>| {
        context.pools.note(key, uid, claim(stored, desired, account), term)
    };
    let (desired, target) = match checked(context, stored) {
        Ok(checked) => checked,
        Err(fault) => {
            note(None, None);
            return Ok(Found::Failed { status, desired: None, account: None, fault });
        }
    };
    let known = match open(context, key, uid, (&desired, &target)).await {
        Ok(Ok((opened, version))) => Ok((opened.account(), opened, version)),
        Ok(Err(fault)) => Err(fault),
        Err(error) => {
            // A Secret that the apiserver cannot give must not keep all others waiting for this object.
            note(Some(&desired), None);
            return Err(error);
        }
    };
    let owner = note(Some(&desired), known.as_ref().ok().map(|(account, ..)| account));
    let (account, opened, secret_version) = match known {
        Ok(known) => known,
        Err(fault) => {
            let account = Some(Account { vendor: desired.pool.vendor.key.to_owned(), host: None, id: None });
            return Ok(Found::Failed { status, desired: Some(desired), account, fault });
        }
    };
    let failed = |fault, status, desired| {
        Ok(Found::Failed { status, desired: Some(desired), account: Some(account.clone()), fault })
    };
    if let Some(owner) = owner {
        return failed(conflict(key, &owner, &desired), status, desired);
    }
    if let Some(hold) =
        entry.hold.as_ref().filter(|hold| hold.secret_version == secret_version && Instant::now() < hold.until)
    {
        // Same Secret, same answer: the vendor is not asked.
        return failed(hold.fault.clone(), status, desired);
    }
    entry.hold = None;
    let host = account.host.clone().unwrap_or_default();
    let Some(visit) = context.hosts.visit(&host) else {
        entry.turned_away = Some((host, Instant::now()));
        return Ok(Found::Paced { status, desired, after: jitter(CROWDED), why: Queue::Host });
    };
    match opened.read(urgency(&Trigger::of(stored.metadata()), &status, entry)).await {
        Ok(snapshot) => {
            entry.read(Instant::now());
            entry.asked = false;
            Ok(Found::Seen { status, desired, account: opened, snapshot: Box::new(snapshot), secret_version, visit })
        }
        Err(ReadError::Paced { after }) => {
            entry.pace(after, Instant::now());
            Ok(Found::Paced { status, desired, after, why: Queue::Pace })
        }
        Err(ReadError::Failed(fault)) => {
            entry.asked = false;
            entry.failures = entry.failures.saturating_add(1);
            entry.hold = hold(context, entry, &fault, secret_version);
            failed(fault, status, desired)
        }
    }
}

/// Opens the account with its Secrets; sends nothing. Also says which versions of the Secrets were used.
async fn open(
    context: &Context,
    key: &Key,
    uid: &str,
    (desired, target): (&Desired, &Target),
) -> Result<Result<(Box<dyn VendorAccount>, Option<String>), Fault>, Error> {
    let mut secrets = Vec::new();
    let mut keys = Vec::new();
    for name in &desired.pool.secrets {
        match read_secret(context, key, name, SECRET_TYPE).await? {
            Ok(secret) => secrets.push(secret),
            Err(fault) => return Ok(Err(fault)),
        }
    }
    for name in desired.pool.key_secrets() {
        keys.push((name.to_owned(), read_secret(context, key, name, LICENSE_KEY_TYPE).await?));
    }
    let versions = secrets.iter().map(ResourceExt::resource_version).collect::<Option<Vec<_>>>();
    let version = versions.map(|versions| versions.join(" "));
    Ok(context.vendors.open((&desired.pool, target), &secrets, &keys, uid).map(|opened| (opened, version)))
}

/// The name of an owner in another namespace is not for everybody's eyes.
fn conflict((namespace, _): &Key, owner: &Key, desired: &Desired) -> Fault {
    let other = if owner.0 == *namespace {
        format!("LicenseSeats {}", owner.1)
    } else {
        "a LicenseSeats in another namespace".into()
    };
    let message = format!(
        "{other} is older and has the same {} of the same account: delete one of the two, or point one elsewhere. Nothing is \
         sent for this one meanwhile",
        desired.pool.name
    );
    Fault { remedy: Remedy::Owner, reason: reason::CONFLICT, summary: "another object has this pool".into(), message }
}

fn checked(context: &Context, stored: &Stored) -> Result<(Desired, Target), Fault> {
    let spec: LicenseSeatsSpec = stored.spec().map_err(Fault::spec)?;
    let parse = || {
        let (pool, target) = vendors::target(&spec.vendor)?;
        Desired::parse(&spec, pool, context.settings.min_interval).map(|desired| (desired, target))
    };
    parse().map_err(|fault: SpecFault| Fault::spec(fault.to_string()))
}

/// Whether and how long to leave the vendor alone while the Secret stays as it is.
pub(super) fn hold(context: &Context, entry: &Entry, fault: &Fault, secret_version: Option<String>) -> Option<Hold> {
    let wait = match fault.remedy {
        Remedy::Credentials => context.settings.credential_probe,
        Remedy::Time { after: Some(after), .. } => after,
        Remedy::Time { secret_may_help: true, .. } => super::memory::backoff(entry.failures, Duration::from_secs(300)),
        Remedy::Spec | Remedy::Owner | Remedy::Cluster | Remedy::Unsupported | Remedy::Time { .. } => return None,
    };
    Some(Hold { fault: fault.clone(), secret_version, until: Instant::now() + wait })
}
