//! Gathers, the first step of a pass: reads the facts for a decision, in the protocol's order: the object
//! (quorum), its Secret, the vendor (docs/never-buys-twice.md, "Read").

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use super::approvals::read_approvals;
use super::object_metadata::ObjectMetadata;
use super::object_state::{CredentialPause, Key, ObjectState, jitter};
use super::pass_urgency::urgency;
use super::pass_values::{End, Failed, Gathered, Opened, Pass, Queue, RateLimited, Reading, Seen};
use super::read_secret::read_secret;
use super::stored_object::StoredObject;
use super::wanted_ownership::{Sight, changes_in, ownership};
use super::{Context, Error};
use crate::api::{Account, LICENSE_KEY_TYPE, LicenseSeatsSpec, LicenseSeatsStatus, SECRET_TYPE};
use crate::domain::{self, Desired, Fault, Remedy, Snapshot, SpecFault, reason};
use crate::vendors::{self, ReadError, Target, VendorAccount};

/// How long an object waits at most for a permit of its vendor host before it is read again.
const CROWDED: Duration = Duration::from_secs(30);

/// Gathers the facts for a decision. `None`: the object is gone, or another object has its name (which the watch will announce).
pub(super) async fn gather<'a>(
    context: &'a Context,
    object: &'a ObjectMetadata,
    key: &'a Key,
    state: &'a mut ObjectState,
) -> Result<Option<(Pass<'a>, Gathered)>, Error> {
    state.turned_away = None;
    state.has_news |= context.approvals.take_news(key);
    let Some(stored) = StoredObject::read(&context.client, key).await? else {
        return Ok(None);
    };
    if stored.metadata().uid != object.metadata.uid {
        return Ok(None);
    }
    // Set anew once the pass is recorded.
    let left = state.left.take().filter(|left| left.term == state.term);
    if left.is_some_and(|left| left.differs(stored.record())) {
        (state.foreign, state.redone) = (true, Some(Instant::now()));
    }
    let mut pass = Pass::over(context, object, key, stored, state);
    let read = Box::pin(read(&mut pass)).await?;
    if !waits(&read) {
        context.vendors.leave_queues(key);
        pass.state.waited(Instant::now());
    }
    Ok(Some((pass, read)))
}

/// Whether the object may still wait for a turn, to be read or to be changed.
fn waits(read: &Gathered) -> bool {
    match read {
        Gathered::Seen(_) | Gathered::End(End::RateLimited(_)) => true,
        Gathered::End(End::Failed(failed)) => failed.back.is_some(),
        Gathered::End(_) => false,
    }
}

async fn read(pass: &mut Pass<'_>) -> Result<Gathered, Error> {
    // This counts even if the object and the rest of its record are unusable.
    pass.note_last_changes(&changes_in(pass.stored.record()), pass.context.settings.timing.unanswered);
    if pass.stored.metadata().deletion_timestamp.is_some() {
        pass.note(None, Sight::Record);
        pass.context.pools.answered(pass.key);
        return Ok(Gathered::End(End::Leaving));
    }
    let recorded = match pass.context.crd.outdated() {
        Some(fault) => Err(fault),
        None => pass
            .stored
            .status()
            .map_err(|why| Fault::spec(format!("{why}; it may have been written by another version of the operator"))),
    };
    match recorded {
        Ok(status) => {
            let status = match &pass.state.proof {
                Some(proof) => proof.restore(status, pass.state.term),
                None => status,
            };
            // This comes before it is noted, so that an object that waits for its pool reports the same before and after a restart
            // of the operator.
            if status.observed_generation == pass.requested.generation {
                pass.context.pools.set_stuck(pass.key, domain::stands_still(&status));
            }
            let read = look(pass, status).await;
            // An object that waits for its turn is read soon. No pass waits for a vendor that does not answer, or refuses.
            if !matches!(read, Ok(Gathered::Seen(_) | Gathered::End(End::RateLimited(_)))) {
                pass.context.pools.answered(pass.key);
            }
            read
        }
        Err(fault) => {
            note_without_record(pass).await;
            pass.state.unkept = pass.state.unkept.saturating_add(1);
            Ok(Gathered::End(End::NoRecord(fault)))
        }
    }
}

impl Pass<'_> {
    /// Measures how long the reading waited for its turn, once that has come.
    fn measure_wait(&mut self, read: &Result<Snapshot, ReadError>, asked: Instant) {
        if !matches!(read, Err(ReadError::RateLimited { .. }))
            && let Some(waited) = self.state.waited(asked)
        {
            self.context.metrics.turn_took(waited);
        }
    }

    /// Notes the findings about the object, and returns the object that owns its pool before it.
    fn note(&self, desired: Option<&Desired>, sight: Sight<'_>) -> Option<Key> {
        self.context.pools.note(self.key, &self.requested.uid, ownership(&self.stored, desired, sight), self.state.term)
    }
}

/// An object without a record that can be used keeps its pool, and its open change blocks its account.
async fn note_without_record(pass: &Pass<'_>) {
    let desired = checked(pass).ok();
    let opened = match &desired {
        Some((desired, target)) => open(pass, (desired, target)).await.ok().and_then(Result::ok),
        None => None,
    };
    let account = opened.map(|(opened, _)| opened.account());
    let sight = account.as_ref().map_or(Sight::Record, Sight::Secrets);
    pass.note(desired.as_ref().map(|(desired, _)| desired), sight);
    // The vendor is not asked.
    pass.context.pools.answered(pass.key);
}

/// Goes from a usable record to the account: the Secret, and the owner of the pool.
async fn look(pass: &mut Pass<'_>, status: LicenseSeatsStatus) -> Result<Gathered, Error> {
    let (desired, target) = match checked(pass) {
        Ok(checked) => checked,
        Err(fault) => {
            pass.note(None, Sight::Record);
            let status = domain::unchecked(status, pass.stored.active_cluster(), Context::now());
            return Ok(failed(status, None, None, fault));
        }
    };
    let (account, versions) = match open(pass, (&desired, &target)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(fault)) => {
            pass.note(Some(&desired), Sight::Record);
            let account = Account { vendor: desired.pool.vendor.key.to_owned(), host: None, id: None };
            return Ok(failed(status, Some(desired), Some(account), fault));
        }
        Err(error) => {
            // If the apiserver cannot return a Secret, the other objects must not wait for this one.
            pass.note(Some(&desired), Sight::Record);
            return Err(error);
        }
    };
    let known = account.account();
    if let Some(owner) = pass.note(Some(&desired), Sight::Secrets(&known)) {
        let fault = conflict(pass.key, &owner, &desired);
        return Ok(failed(status, Some(desired), Some(known), fault));
    }
    let same = |credential_pause: &&CredentialPause| {
        credential_pause.secret_version == versions.credentials && Instant::now() < credential_pause.until
    };
    if let Some(credential_pause) = pass.state.credential_pause.as_ref().filter(same) {
        // Same Secret, same answer: the vendor is not asked.
        let fault = credential_pause.fault.clone();
        return Ok(failed(status, Some(desired), Some(known), fault));
    }
    pass.state.credential_pause = None;
    if let Some(left) = pass.state.watches_only(versions.all.as_deref(), Instant::now()) {
        // Same Secrets, same fault: the vendor is not asked.
        pass.context.metrics.pass("waiting");
        let recheck = pass.state.secret_recheck(pass.context.settings.timing.secret_recheck, Instant::now());
        return Ok(Gathered::End(End::Quiet(left.min(recheck))));
    }
    ask(pass, (status, desired), (account, versions)).await
}

/// Goes from the account to the vendor's numbers.
async fn ask(
    pass: &mut Pass<'_>,
    (status, desired): (LicenseSeatsStatus, Desired),
    (account, Versions { credentials: secret_version, all }): Versioned,
) -> Result<Gathered, Error> {
    let (context, known) = (pass.context, account.account());
    let host = known.host.clone().unwrap_or_default();
    let Some(permit) = context.host_permits.acquire(&host) else {
        pass.state.turned_away = Some((host, Instant::now()));
        let waits = RateLimited { status, desired, after: jitter(CROWDED), why: Queue::Host };
        return Ok(Gathered::End(End::RateLimited(Box::new(waits))));
    };
    if pass.state.asks_with(secret_version.as_deref()) {
        // Its waits with the former Secrets are obsolete.
        context.vendors.leave_queues(pass.key);
    }
    let asked = Instant::now();
    let read = account.read(urgency(&pass.requested, &status, pass.state)).await;
    pass.measure_wait(&read, asked);
    match read {
        Ok(snapshot) => {
            pass.approvals = read_approvals(context, pass.key, &desired, &status).await?;
            pass.state.read(Instant::now(), Context::now());
            pass.state.secret.clone_from(&secret_version);
            pass.state.read_with = all;
            // This comes before any reservation: only now the owner of the pool is known, and proven by the vendor.
            let owner = pass.note(Some(&desired), Sight::Reading(&snapshot));
            if let Some(owner) = owner {
                let fault = conflict(pass.key, &owner, &desired);
                return Ok(failed(status, Some(desired), Some(snapshot.account), fault));
            }
            let opened = Opened { account, secret_version, permit };
            let reading = Reading { snapshot, asked };
            Ok(Gathered::Seen(Box::new(Seen { status, desired, reading, opened })))
        }
        Err(ReadError::RateLimited { after }) => {
            pass.state.rate_limit(after, Instant::now());
            let waits = RateLimited { status, desired, after, why: Queue::RateLimiter };
            Ok(Gathered::End(End::RateLimited(Box::new(waits))))
        }
        Err(ReadError::Closed { after, fault }) => {
            pass.state.not_read(Instant::now());
            let end = Failed { status, desired: Some(desired), account: Some(known), fault, back: Some(after) };
            Ok(Gathered::End(End::Failed(Box::new(end))))
        }
        Err(ReadError::Failed(fault)) => {
            pass.state.not_read(Instant::now());
            pass.state.failed(&fault);
            pass.state.credential_pause = credential_pause(context, pass.state, &fault, secret_version);
            Ok(failed(status, Some(desired), Some(known), fault))
        }
    }
}

fn failed(status: LicenseSeatsStatus, desired: Option<Desired>, account: Option<Account>, fault: Fault) -> Gathered {
    Gathered::End(End::Failed(Box::new(Failed { status, desired, account, fault, back: None })))
}

/// An account, and the versions of its Secrets.
type Versioned = (Box<dyn VendorAccount>, Versions);

/// Versions of Secrets.
struct Versions {
    /// The versions of the Secrets that opened the account.
    credentials: Option<String>,
    /// The versions of these Secrets and of the Secrets with license keys.
    all: Option<String>,
}

/// Opens the account with its Secrets, and sends nothing.
async fn open(pass: &Pass<'_>, (desired, target): (&Desired, &Target)) -> Result<Result<Versioned, Fault>, Error> {
    let Pass { context, key, requested, .. } = pass;
    let mut secrets = Vec::new();
    let mut keys = Vec::new();
    for name in &desired.pool.secrets {
        secrets.push(read_secret(context, key, name, SECRET_TYPE).await?);
    }
    for name in desired.pool.key_secrets() {
        keys.push((name.to_owned(), read_secret(context, key, name, LICENSE_KEY_TYPE).await?));
    }
    // An unreadable Secret differs from every version.
    let version =
        |secret: &Result<Secret, Fault>| secret.as_ref().map_or(Some("-".into()), ResourceExt::resource_version);
    let joined = |versions: Option<Vec<String>>| versions.map(|versions| versions.join(" "));
    let credentials = joined(secrets.iter().map(version).collect());
    let of_keys = joined(keys.iter().map(|(_, secret)| version(secret)).collect());
    let all = credentials.as_ref().zip(of_keys).map(|(credentials, keys)| format!("{credentials} {keys}"));
    Ok(context
        .vendors
        .open((&desired.pool, target), &secrets, &keys, (*key, &requested.uid))
        .map(|opened| (opened, Versions { credentials, all })))
}

/// The message names no owner in another namespace: readers here may not know it.
fn conflict((namespace, _): &Key, owner: &Key, desired: &Desired) -> Fault {
    let (other, find) = if owner.0 == *namespace {
        (format!("LicenseSeats {}", owner.1), "")
    } else {
        let find = ". An administrator of the cluster finds it with kubectl get licenseseats -A -o wide";
        ("a LicenseSeats in another namespace".into(), find)
    };
    let message = format!(
        "{other} is older and owns {} of the same account, so Seatkeeper sends nothing for this one. Delete one of the two, or point \
         one at another account{find}",
        desired.pool.name
    );
    Fault { remedy: Remedy::Owner, reason: reason::CONFLICT, summary: "owned by another object".into(), message }
}

fn checked(pass: &Pass<'_>) -> Result<(Desired, Target), Fault> {
    let spec: LicenseSeatsSpec = pass.stored.spec().map_err(Fault::spec)?;
    let parse = || {
        let (pool, target) = vendors::target(&spec.vendor)?;
        let settings = &pass.context.settings;
        let desired = Desired::parse(&spec, pool, settings.min_interval)?.under(settings.ceilings);
        let desired = desired.seen_from(settings.cluster_name.as_deref())?;
        pass.context.schedules.check(&desired.adjustment)?;
        Ok((desired, target))
    };
    parse().map_err(|fault: SpecFault| Fault::spec(fault.to_string()))
}

/// Whether and how long to send the vendor nothing while the Secret stays unchanged.
pub(super) fn credential_pause(
    context: &Context,
    state: &ObjectState,
    fault: &Fault,
    secret_version: Option<String>,
) -> Option<CredentialPause> {
    let wait = match fault.remedy {
        Remedy::Credentials => context.settings.credential_probe,
        Remedy::Time { after: Some(after), .. } => after,
        Remedy::Server { .. } | Remedy::Time { secret_may_help: true, .. } => {
            super::object_state::backoff(state.failures, Duration::from_secs(300))
        }
        Remedy::Spec | Remedy::Owner | Remedy::Cluster | Remedy::Unsupported | Remedy::Time { .. } => return None,
    };
    Some(CredentialPause { fault: fault.clone(), secret_version, until: Instant::now() + wait })
}
