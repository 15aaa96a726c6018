//! The faults now injected: which of them hit a request, their counts and their pauses.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use super::{Fault, FaultView};

#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) id: u64,
    pub(crate) fault: Fault,
    seen: AtomicU64,
    taken: AtomicU64,
    fired: AtomicU64,
    released: watch::Sender<bool>,
}

impl Active {
    pub(crate) fn fire(&self) {
        self.fired.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn fired(&self) -> u64 {
        self.fired.load(Ordering::SeqCst)
    }

    /// Waits so long, or until released.
    pub(crate) async fn pause(&self, ms: u64) {
        let mut released = self.released.subscribe();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => {}
            _ = released.wait_for(|r| *r) => {}
        }
    }

    /// Counts this request, and says whether it is to be hit.
    fn take(&self) -> bool {
        if self.seen.fetch_add(1, Ordering::SeqCst) < self.fault.skip {
            return false;
        }
        let taken = self.taken.fetch_add(1, Ordering::SeqCst);
        self.fault.times.is_none_or(|times| taken < times)
    }

    fn spent(&self) -> bool {
        self.fault.times.is_some_and(|times| self.taken.load(Ordering::SeqCst) >= times)
    }
}

/// All faults, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    list: Mutex<(u64, Vec<Arc<Active>>)>,
}

/// The faults that hit one request.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    pub(crate) wire: Option<Arc<Active>>,
    pub(crate) inner: Vec<Arc<Active>>,
}

impl Registry {
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.0 += 1;
        let id = list.0;
        list.1.push(Arc::new(Active {
            id,
            fault,
            seen: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            fired: AtomicU64::new(0),
            released: watch::Sender::new(false),
        }));
        id
    }

    pub(crate) fn get(&self, id: u64) -> Option<Arc<Active>> {
        self.all().into_iter().find(|f| f.id == id)
    }

    fn all(&self) -> Vec<Arc<Active>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    pub(crate) fn views(&self) -> Vec<FaultView> {
        let view = |f: &Arc<Active>| FaultView {
            id: f.id,
            seen: f.seen.load(Ordering::SeqCst),
            fired: f.fired(),
            fault: f.fault.clone(),
        };
        self.all().iter().map(view).collect()
    }

    /// Ends the pauses of a fault, those under way and those to come.
    pub(crate) fn release(&self, id: u64) -> bool {
        self.get(id).map(|f| f.released.send_replace(true)).is_some()
    }

    /// Removes faults; requests already hit go on with theirs.
    pub(crate) fn remove(&self, id: Option<u64>) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).1.retain(|f| id.is_some_and(|id| id != f.id));
    }

    pub(crate) fn select(&self, method: &str, path: &str, organization: Option<&str>, agent: &str) -> Selected {
        let mut selected = Selected::default();
        for fault in self.all() {
            if !fault.fault.matches(method, path, organization, agent) {
                continue;
            }
            if fault.fault.kind.inner() {
                if fault.take() {
                    selected.inner.push(fault);
                }
            } else if selected.wire.is_none() {
                if fault.take() {
                    selected.wire = Some(fault);
                }
            } else if !fault.spent() && fault.seen.load(Ordering::SeqCst) < fault.fault.skip {
                // Hit by an older fault, but it still counts as one this fault lets pass.
                fault.seen.fetch_add(1, Ordering::SeqCst);
            }
        }
        selected
    }
}
