//! Leadership by a Lease: the right to act, and its end.
//!
//! Leadership is a moment on the monotonic clock, never a boolean. Without renewal it ends by itself, before another replica may
//! take the Lease, even if this process was stopped, its clock was set or its machine was suspended. Every
//! write is a compare-and-swap.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::apiserver_outage::Apiserver;
use super::stored_object::bounded;
use crate::clock::Moment;
use crate::domain::{LeaseSeen, LeaseStep, lease_step};

/// The place of the Lease, and its times.
#[derive(Clone, Debug)]
pub struct LeaseSettings {
    /// Its namespace: the operator's own.
    pub namespace: String,
    /// Its name: the same for all replicas that watch the same objects.
    pub name: String,
    /// How long it must stay unchanged before another replica may take it.
    pub duration: Duration,
    /// How long after the last renewal this replica still acts; shorter than `duration`.
    pub renew_deadline: Duration,
    /// How often to read the Lease. The leader renews it half as often, if the deadline leaves time for three more tries.
    pub retry: Duration,
}

/// When this replica last began to take or renew the Lease with success, and how often it has begun to lead.
#[derive(Clone, Copy, Debug, Default)]
struct Validity {
    renewed: Option<Moment>,
    /// How long leadership lasts from then on.
    lasts: Duration,
    term: u64,
}

impl Validity {
    fn runs(self, now: Moment) -> bool {
        self.renewed.is_some_and(|renewed| renewed.age(now) < self.lasts)
    }
}

/// Whether this replica leads now. Checked before each action.
#[derive(Clone, Debug)]
pub struct Leadership(watch::Receiver<Validity>);

impl Leadership {
    /// Whether it has not ended.
    pub fn is_current(&self) -> bool {
        self.0.borrow().runs(Moment::now())
    }

    /// Waits for a term after `known` and returns its number; `None` when there will be none.
    pub(super) async fn next_term(&mut self, known: u64) -> Option<u64> {
        self.0.wait_for(|validity| validity.term > known).await.ok().map(|validity| validity.term)
    }
}

/// Takes part in the election.
pub struct Candidate {
    api: Api<Lease>,
    settings: LeaseSettings,
    me: String,
    validity: watch::Sender<Validity>,
    apiserver: Arc<Apiserver>,
    seen: Option<(Option<String>, Instant)>,
    /// The Lease as this replica has written it last. It is written again without a reading: its version proves that it is the last one.
    written: Option<Lease>,
    last_warning: String,
}

impl Candidate {
    /// A candidate named `me`, and the value that shows whether it leads.
    pub fn new(client: Client, settings: LeaseSettings, me: String, apiserver: Arc<Apiserver>) -> (Self, Leadership) {
        let (validity, leadership) = watch::channel(Validity::default());
        let api = Api::namespaced(client, &settings.namespace);
        let (seen, written, last_warning) = (None, None, String::new());
        (Self { api, settings, me, validity, apiserver, seen, written, last_warning }, Leadership(leadership))
    }

    /// Takes part in the election until `shutdown`. Reports through `trouble` what prevents it (`None`: nothing does).
    pub async fn run(&mut self, shutdown: &CancellationToken, trouble: impl Fn(Option<String>)) {
        while !shutdown.is_cancelled() {
            let wait = match self.step().await {
                Ok(wait) => {
                    self.apiserver.answered();
                    trouble(None);
                    wait
                }
                Err(error) => {
                    let text = self.explain(&error);
                    if self.apiserver.tells(&error) && self.last_warning != text {
                        tracing::warn!("{text}");
                        self.last_warning.clone_from(&text);
                    }
                    trouble(Some(text));
                    self.settings.retry
                }
            };
            if !self.validity.borrow().runs(Moment::now()) {
                let deadline = self.settings.renew_deadline;
                self.lose(&format!("it could not renew the Lease within {} s", deadline.as_secs()));
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Gives the Lease back, so that another replica need not wait until it expires. Called when no pass acts any more.
    pub async fn release(&mut self) {
        if self.validity.borrow().renewed.is_none() {
            return;
        }
        self.lose("it stops");
        let released = async {
            let lease = bounded(self.api.get_opt(&self.settings.name)).await?;
            let ours = lease.filter(|lease| seen(lease).holder.as_deref() == Some(self.me.as_str()));
            let Some(mut lease) = ours else { return Ok(()) };
            let spec = lease.spec.get_or_insert_default();
            (spec.holder_identity, spec.lease_duration_seconds) = (Some(String::new()), Some(1));
            bounded(self.api.replace(&self.settings.name, &PostParams::default(), &lease)).await.map(drop)
        };
        match released.await {
            Ok::<(), Error>(()) => tracing::info!("lease released"),
            Err(error) => tracing::warn!(%error, "lease not released; the next replica waits until it expires"),
        }
    }

    /// Renews the Lease, or reads it and acts on it. Returns the time until the next step.
    async fn step(&mut self) -> Result<Duration, Error> {
        match self.written.take() {
            Some(lease) => self.take(Some(lease), LeaseStep::Renew).await,
            None => self.look().await,
        }
    }

    async fn look(&mut self) -> Result<Duration, Error> {
        let lease = bounded(self.api.get_opt(&self.settings.name)).await?;
        let version = lease.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
        let now = Instant::now();
        let since = match &self.seen {
            Some((known, since)) if *known == version => *since,
            _ => now,
        };
        self.seen = Some((version, since));
        let known = lease.as_ref().map(seen);
        match lease_step(known.as_ref(), &self.me, now - since, self.settings.duration) {
            LeaseStep::Follow(left) => {
                let holder = known.and_then(|known| known.holder).unwrap_or_default();
                self.lose(&format!("{holder} holds the Lease"));
                Ok(left.min(self.settings.retry))
            }
            step @ (LeaseStep::Acquire | LeaseStep::Renew) => self.take(lease, step).await,
        }
    }

    /// Writes the Lease as ours, if it is still as it was seen.
    async fn take(&mut self, lease: Option<Lease>, step: LeaseStep) -> Result<Duration, Error> {
        let started = Moment::now();
        match self.write(lease, step).await {
            Ok(written) => {
                self.leads_from(started);
                self.last_warning.clear();
                // An answer of another program proves nothing about the stored Lease.
                self.written = Some(written).filter(|lease| {
                    lease.metadata.resource_version.is_some() && seen(lease).holder.as_deref() == Some(self.me.as_str())
                });
                Ok(renewal(&self.settings))
            }
            // Another replica was faster, or the Lease is gone: read it again.
            Err(Error::Conflict) => Ok(Duration::from_millis(100).min(self.settings.retry)),
            Err(Error::Apiserver(kube::Error::Api(status))) if status.is_not_found() && step == LeaseStep::Renew => {
                Ok(Duration::ZERO)
            }
            Err(error) => Err(error),
        }
    }

    async fn write(&self, lease: Option<Lease>, step: LeaseStep) -> Result<Lease, Error> {
        let fresh = lease.is_none();
        let lease = as_ours(lease, step, &self.me, &self.settings);
        if fresh {
            bounded(self.api.create(&PostParams::default(), &lease)).await
        } else {
            bounded(self.api.replace(&self.settings.name, &PostParams::default(), &lease)).await
        }
    }

    fn leads_from(&self, since: Moment) {
        let before = *self.validity.borrow();
        // If leadership ended meanwhile, this is a new term, and the passes that were skipped in the gap run now.
        let term = if before.runs(Moment::now()) { before.term } else { before.term + 1 };
        if term != before.term {
            tracing::info!(me = %self.me, lease = %self.settings.name, term, "leading");
        }
        self.validity.send_replace(Validity { renewed: Some(since), lasts: self.settings.renew_deadline, term });
    }

    fn lose(&self, why: &str) {
        let before = *self.validity.borrow();
        if before.renewed.is_some() {
            tracing::info!(me = %self.me, lease = %self.settings.name, "not leading any more: {why}");
            self.validity.send_replace(Validity { renewed: None, ..before });
        }
    }

    fn explain(&self, error: &Error) -> String {
        let LeaseSettings { namespace, name, .. } = &self.settings;
        match error {
            Error::Apiserver(kube::Error::Api(status)) if status.is_forbidden() => format!(
                "not allowed to use Lease {name} in namespace {namespace}: the operator's Role there must allow get, create \
                 and update on leases.coordination.k8s.io"
            ),
            Error::Apiserver(kube::Error::Api(status)) if status.is_not_found() => {
                format!("namespace {namespace} for Lease {name} does not exist: create it or set --lease-namespace")
            }
            error => format!("Lease {name} in namespace {namespace} cannot be used: {error}"),
        }
    }
}

/// Interval between renewals: twice as long as a follower waits between two readings, as long as three more renewals can fail before
/// the deadline.
fn renewal(settings: &LeaseSettings) -> Duration {
    let LeaseSettings { retry, renew_deadline, .. } = *settings;
    retry.max((retry * 2).min(renew_deadline / 4))
}

fn seen(lease: &Lease) -> LeaseSeen {
    let spec = lease.spec.as_ref();
    LeaseSeen {
        holder: spec.and_then(|spec| spec.holder_identity.clone()),
        duration_seconds: spec.and_then(|spec| spec.lease_duration_seconds),
    }
}

/// The Lease with this replica as its holder.
fn as_ours(lease: Option<Lease>, step: LeaseStep, me: &str, settings: &LeaseSettings) -> Lease {
    let now = Some(MicroTime(crate::clock::now()));
    let mut lease = lease.unwrap_or_else(|| Lease {
        metadata: ObjectMeta { name: Some(settings.name.clone()), ..ObjectMeta::default() },
        spec: None,
    });
    let spec: &mut LeaseSpec = lease.spec.get_or_insert_default();
    if step == LeaseStep::Acquire {
        spec.acquire_time.clone_from(&now);
        spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(0).saturating_add(1));
    }
    spec.holder_identity = Some(me.to_owned());
    spec.lease_duration_seconds = Some(i32::try_from(settings.duration.as_secs()).unwrap_or(i32::MAX));
    spec.renew_time = now;
    lease
}

#[cfg(test)]
impl Leadership {
    /// The leadership of a replica that leads for an hour, in term 1.
    pub(super) fn of_an_hour() -> Self {
        let validity = Validity { renewed: Some(Moment::now()), lasts: Duration::from_secs(3600), term: 1 };
        Self(watch::channel(validity).1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fuzz_inputs::each_of;

    /// As shipped, with another time between two looks.
    fn settings(retry: u64) -> LeaseSettings {
        LeaseSettings {
            namespace: "ours".into(),
            name: "seatkeeper".into(),
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry: Duration::from_secs(retry),
        }
    }

    #[test]
    fn lease_is_renewed_every_two_seconds_and_in_time_for_three_more_tries() {
        for (retry, renewal) in [(1, 2_000), (2, 2_500), (3, 3_000)] {
            assert_eq!(super::renewal(&settings(retry)), Duration::from_millis(renewal), "{retry}");
        }
    }

    #[test]
    fn lease_of_other_holder_is_awaited_and_own_lease_is_written_whole() {
        let settings = settings(2);
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "seatkeeper", "namespace": "ours", "uid": "u", "resourceVersion": "7" },
            "spec": {
                "holderIdentity": "you", "leaseDurationSeconds": 15, "leaseTransitions": 3,
                "acquireTime": "2026-10-01T08:00:00.000000Z", "renewTime": "2026-10-01T08:00:10.000000Z",
            },
        });
        each_of(&[lease], |bytes| {
            let Ok(lease) = serde_json::from_slice::<Lease>(bytes) else { return false };
            let known = seen(&lease);
            let step = |unchanged_for| lease_step(Some(&known), "me", unchanged_for, settings.duration);
            if known.holder.as_deref().is_some_and(|holder| !holder.is_empty() && holder != "me") {
                assert!(matches!(step(settings.duration - Duration::from_nanos(1)), LeaseStep::Follow(_)), "{known:?}");
            }
            assert!(!matches!(step(Duration::MAX), LeaseStep::Follow(_)), "no replica waits for ever: {known:?}");
            let version = lease.metadata.resource_version.clone();
            let written = as_ours(Some(lease), LeaseStep::Acquire, "me", &settings);
            assert_eq!(written.metadata.resource_version, version, "a compare-and-swap");
            assert_eq!(seen(&written), LeaseSeen { holder: Some("me".into()), duration_seconds: Some(15) });
            let read_back: Lease = serde_json::from_value(serde_json::to_value(&written).unwrap()).unwrap();
            assert_eq!(seen(&read_back), seen(&written));
            true
        });
    }

    #[test]
    fn leadership_expires_by_faster_clock() {
        let renewed = Moment::now();
        let validity = Validity { renewed: Some(renewed), lasts: Duration::from_secs(10), term: 1 };
        for (monotonic, wall, runs) in
            [(9, 9, true), (10, 10, false), (9, -3591, true), (1, 3600, false), (10, 0, false)]
        {
            assert_eq!(validity.runs(renewed.later(monotonic, wall)), runs, "{monotonic} s and {wall} s on the wall");
        }
        assert!(!Validity::default().runs(renewed), "a replica that never had the Lease does not lead");
    }
}
