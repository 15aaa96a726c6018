//! Time, requests, faults and waiting. They belong to the simulator, so both vendors share them; here they are seen
//! from Immuta's side.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Immuta,
    route::{Endpoint, owns},
    switches::Switches,
};
use crate::{
    bitwarden::requests::RequestRecord,
    faults::{Fault, FaultView},
};

impl Immuta {
    /// The simulator's time.
    pub fn now(&self) -> Timestamp {
        self.front.now()
    }

    /// Moves the simulator's clock: keys and tokens expire.
    pub fn advance(&self, by: Duration) {
        self.front.advance(by);
    }

    /// The switches now.
    pub fn switches(&self) -> Switches {
        self.state().switches.clone()
    }

    /// Changes switches.
    pub fn switch(&self, f: impl FnOnce(&mut Switches)) {
        f(&mut self.state().switches);
        self.front.touch();
    }

    /// Every request to an Immuta address so far, without Authorization and body.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.front.requests().into_iter().filter(|r| owns(&r.path)).collect()
    }

    /// How many of them match.
    pub fn count(&self, f: impl Fn(&RequestRecord) -> bool) -> usize {
        self.front.count(|r| owns(&r.path) && f(r))
    }

    /// Requests to one endpoint, answered or not.
    pub fn calls(&self, endpoint: Endpoint) -> usize {
        self.count(|r| Endpoint::of(&r.method, &r.path, true) == Some(endpoint))
    }

    /// Attempts to add a key.
    pub fn posts(&self) -> usize {
        self.calls(Endpoint::Add)
    }

    /// Attempts to delete a row.
    pub fn deletes(&self) -> usize {
        self.calls(Endpoint::Delete)
    }

    /// Attempts to exchange an API key for a token.
    pub fn exchanges(&self) -> usize {
        self.calls(Endpoint::Exchange)
    }

    /// Requests that had a license key, an API key or a token in their URL.
    pub fn secrets_in_urls(&self) -> usize {
        self.state().secrets_in_urls
    }

    /// Adds a fault; returns its number.
    pub fn inject(&self, fault: Fault) -> u64 {
        self.front.inject(fault)
    }

    /// All faults with their counts.
    pub fn faults(&self) -> Vec<FaultView> {
        self.front.faults()
    }

    /// How often a fault fired (0 for an unknown one).
    pub fn fired(&self, fault: u64) -> u64 {
        self.front.fired(fault)
    }

    /// Ends the pauses of a fault. False if there is no such fault.
    pub fn release(&self, fault: u64) -> bool {
        self.front.release(fault)
    }

    /// Removes one fault.
    pub fn clear_fault(&self, fault: u64) {
        self.front.clear_fault(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.front.clear_faults();
    }

    /// Waits until something is true of the vendor; false after `limit`. Woken by changes, not by polling.
    pub async fn wait_for(&self, limit: Duration, f: impl Fn(&Self) -> bool) -> bool {
        self.front.wait_for(limit, |_| f(self)).await
    }

    /// Waits until a fault has fired `times`: for a pause that means a request is inside it now.
    pub async fn wait_fired(&self, fault: u64, times: u64) -> bool {
        self.front.wait_fired(fault, times).await
    }

    /// Waits until nothing is under way: late requests have landed.
    pub async fn settle(&self) -> bool {
        self.front.settle().await
    }
}
