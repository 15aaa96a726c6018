//! How many passes may use one vendor host at a time, so that a host that hangs delays only its own objects.
//!
//! A pass keeps its permit while it waits for a vendor. A host may have as many permits as remain free: one host that hangs gets
//! half of them, two get a third each, and one permit remains for the next host as long as there are more permits than hosts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::queue::Queue;

/// The permits in use at each host. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct HostPermits {
    permits: usize,
    in_use: Arc<Mutex<HashMap<String, usize>>>,
    /// The queue in which objects wait for a permit.
    queue: Arc<Queue>,
}

/// A pass at a host, until this value is dropped.
pub(super) struct HostPermit {
    hosts: HostPermits,
    host: String,
}

impl HostPermits {
    /// Permits for this many passes at the same time.
    pub fn new(permits: usize, queue: Arc<Queue>) -> Self {
        Self { permits, in_use: Arc::default(), queue }
    }

    /// Puts objects that wait for a permit back into the queue, as many as there are permits.
    pub fn release(&self) {
        self.queue.release(|host| !self.is_full(host));
    }

    /// A permit for one more pass at a host, if one is free.
    pub fn acquire(&self, host: &str) -> Option<HostPermit> {
        let mut in_use = self.lock();
        if self.full(&in_use, host) {
            return None;
        }
        *in_use.entry(host.to_owned()).or_default() += 1;
        Some(HostPermit { hosts: self.clone(), host: host.to_owned() })
    }

    /// Whether the host has no permit left.
    pub fn is_full(&self, host: &str) -> bool {
        self.full(&self.lock(), host)
    }

    fn full(&self, in_use: &HashMap<String, usize>, host: &str) -> bool {
        let free = self.permits.saturating_sub(in_use.values().sum());
        in_use.get(host).copied().unwrap_or_default() >= free
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HostPermit {
    fn drop(&mut self) {
        {
            let mut in_use = self.hosts.lock();
            if let Some(there) = in_use.get_mut(&self.host) {
                *there -= 1;
            }
            in_use.retain(|_, there| *there > 0);
        }
        self.hosts.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes all the permits of a host.
    fn crowd(hosts: &HostPermits, host: &str) -> Vec<HostPermit> {
        std::iter::from_fn(|| hosts.acquire(host)).collect()
    }

    #[test]
    fn hosts_that_hang_leave_room_for_the_next() {
        let hosts = HostPermits::new(32, Arc::default());
        let first = crowd(&hosts, "a");
        let (second, third) = (crowd(&hosts, "b"), crowd(&hosts, "c"));
        assert_eq!((first.len(), second.len(), third.len()), (16, 8, 4));
        assert!(hosts.is_full("a") && !hosts.is_full("d"));
        drop(first);
        assert_eq!(crowd(&hosts, "b").len(), 6, "what one leaves is there for the others");
        assert!(hosts.acquire("a").is_some());
    }

    #[test]
    fn with_one_place_every_host_gets_it_in_turn() {
        let hosts = HostPermits::new(1, Arc::default());
        for host in ["a", "b", "a"] {
            let permit = hosts.acquire(host);
            assert!(permit.is_some() && hosts.acquire("a").is_none() && hosts.acquire("b").is_none());
        }
    }
}
