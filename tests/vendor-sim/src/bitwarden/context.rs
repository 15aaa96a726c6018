//! What one request carries through the vendor: its number, its inner faults, and whether its client still waits.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::watch;
use uuid::Uuid;

use super::{
    Bitwarden,
    ledger::Actor,
    refusal::{FAULT, LastRefusal, Refusal},
};
use crate::faults::{FaultKind, registry::Active};

/// The other end of a request.
#[derive(Debug, Default)]
pub(crate) struct Client {
    gone: AtomicBool,
    /// The request's number, once it has one.
    number: AtomicU64,
}

impl Client {
    pub(crate) fn gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    /// The client hung up; noted at once, so that tests can wait for it.
    pub(crate) fn hang_up(&self, sim: &Bitwarden) {
        self.gone.store(true, Ordering::SeqCst);
        sim.record(self.number.load(Ordering::SeqCst), |r| r.client_gone = true);
    }

    pub(crate) fn numbered(&self, number: u64) {
        self.number.store(number, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) sim: Bitwarden,
    pub(crate) number: u64,
    inner: Vec<Arc<Active>>,
    client: Arc<Client>,
    late: bool,
    /// Of the owner API.
    by_owner: bool,
    /// Closes with the context: webhooks wait for the end of their request by it.
    alive: watch::Sender<()>,
}

impl Context {
    pub(crate) fn new(
        sim: Bitwarden,
        number: u64,
        by_owner: bool,
        inner: Vec<Arc<Active>>,
        client: Arc<Client>,
    ) -> Self {
        Self { sim, number, inner, client, late: false, by_owner, alive: watch::Sender::new(()) }
    }

    pub(crate) fn late(mut self) -> Self {
        self.late = true;
        self
    }

    pub(crate) fn ended(&self) -> watch::Receiver<()> {
        self.alive.subscribe()
    }

    /// Nobody waits for this request any more.
    pub(crate) fn client_gone_or_late(&self) -> bool {
        self.late || self.client.gone()
    }

    /// Who the ledger names for a write made now.
    pub(crate) fn actor(&self) -> Actor {
        match (self.client_gone_or_late(), self.by_owner) {
            (true, _) => Actor::LateFinisher,
            (false, true) => Actor::OwnerWrite,
            (false, false) => Actor::OrganizationPut,
        }
    }

    fn fire(&self, fault: &Active) {
        fault.fire();
        self.sim.record(self.number, |r| r.faults.push(fault.id));
    }

    /// Whether an inner fault of this kind hits here; counts it.
    pub(crate) fn hit(&self, kind: &FaultKind) -> bool {
        let found = self.inner.iter().find(|f| f.fault.kind == *kind);
        found.inspect(|f| self.fire(f)).is_some()
    }

    /// The same, as a failure.
    pub(crate) fn fail(&self, kind: &FaultKind) -> Result<(), Refusal> {
        if self.hit(kind) {
            return Err(Refusal::with_status(FAULT, 500, format!("injected: {kind:?}")));
        }
        Ok(())
    }

    /// Waits for every pause that `length` recognizes.
    pub(crate) async fn pause(&self, length: impl Fn(&FaultKind) -> Option<u64>) {
        for fault in &self.inner {
            if let Some(ms) = length(&fault.fault.kind) {
                self.fire(fault);
                fault.pause(ms).await;
            }
        }
    }

    pub(crate) fn refused(&self, org: Uuid, refusal: Refusal) {
        let last = LastRefusal { at: self.sim.now(), request: Some(self.number), refusal };
        self.sim.with_org(org, |o| o.last_refusal = Some(last));
    }
}
