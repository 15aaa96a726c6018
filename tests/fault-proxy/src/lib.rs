//! Stands between an unmodified operator and both its apiserver and its vendor.
//!
//! Two TLS-terminating hops with the proxy's own CA. The requests that matter to a purchase are numbered from
//! [`Proxy::arm`] on, and one of them gets an [`Action`]; watches, lists, leases, events and discovery pass unnumbered, and
//! all leases together may be lost ([`Proxy::leases`]).
//! Read the modules in this order: `action` says what may happen, `target` to which request, `state` numbers and records,
//! `hop` carries requests, `acting` breaks one, `hidden` leaves an object out of lists, `weaker` takes parts of the protocol away,
//! `tls` makes certificates.

mod acting;
mod action;
mod hidden;
mod hop;
mod state;
mod target;
mod tls;
mod weaker;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use action::{Action, Deed, Instead, Leases, Moment, Outage, Place};
use state::State;
pub use state::{Hop, Record};
pub use target::Target;
pub use tls::{Failure, Identity, Upstream};
pub use weaker::Part;

/// Does a [`Deed`]; the request waits for it.
pub type Hand = Arc<dyn Fn(Deed) -> BoxFuture<'static, ()> + Send + Sync>;

/// A running proxy. Dropping it closes its ports and connections.
pub struct Proxy {
    apiserver: SocketAddr,
    vendor: SocketAddr,
    state: Arc<State>,
    _running: watch::Sender<bool>,
}

impl Proxy {
    /// Starts both hops on free loopback ports.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(identity: &Identity, apiserver: Upstream, vendor: Upstream, hand: Hand) -> io::Result<Self> {
        let state = Arc::new(State::new(hand));
        let running = watch::Sender::new(false);
        let listen = async |upstream, hop| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            let served = hop::serve(listener, identity.clone(), upstream, hop, Arc::clone(&state));
            let mut stop = running.subscribe();
            tokio::spawn(async move {
                tokio::select! {
                    () = served => {}
                    _ = stop.changed() => {}
                }
            });
            io::Result::Ok(address)
        };
        let apiserver = listen(apiserver, Hop::Apiserver).await?;
        let vendor = listen(vendor, Hop::Vendor).await?;
        Ok(Self { apiserver, vendor, state, _running: running })
    }

    /// For the kubeconfig.
    pub fn apiserver_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.apiserver.port())
    }

    /// For the Secret.
    pub fn vendor_url(&self) -> String {
        format!("https://{}", self.vendor_host())
    }

    /// For `--allowed-host`.
    pub fn vendor_host(&self) -> String {
        format!("localhost:{}", self.vendor.port())
    }

    /// Numbers from 1 from now on; the request that is the target gets the action.
    pub fn arm(&self, action: Option<(Target, Action)>) {
        self.state.arm(action.into_iter().collect());
    }

    /// As [`arm`](Self::arm), where several requests get an action each.
    pub fn arm_all(&self, actions: Vec<(Target, Action)>) {
        self.state.arm(actions);
    }

    /// Since when requests are numbered.
    pub fn armed(&self) -> Option<Instant> {
        self.state.armed()
    }

    /// How many of these actions were not taken yet.
    pub fn unspent(&self) -> usize {
        self.state.unspent()
    }

    /// Holds the operator at the beginning of its next pass, until [`release`](Self::release).
    pub async fn hold(&self) {
        self.state.hold().await;
    }

    /// Lets the held pass go on.
    pub fn release(&self) {
        self.state.release();
    }

    /// Lets the purchase go on that is [held back](Action::HoldBack).
    pub fn let_go(&self) {
        self.state.let_go.send_replace(true);
    }

    /// The next request gets the action whose target is [planned](Target::planned).
    pub fn hit_next(&self) {
        self.state.hit_next();
    }

    /// What becomes of requests for Leases from now on.
    pub fn leases(&self, leases: Leases) {
        self.state.leases.send_replace(leases);
    }

    /// How many requests for Leases were lost so far.
    pub fn leases_lost(&self) -> usize {
        self.state.leases_lost.load(Ordering::SeqCst)
    }

    /// Lists and watches that begin from now on leave out the object of this name. What names it goes through.
    pub fn hide(&self, name: &str) {
        *self.state.hidden.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.to_owned());
    }

    /// The operator lacks this part from now on.
    pub fn take_away(&self, part: Part) {
        *self.state.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
    }

    /// How often a list or a watch has left out the hidden object.
    pub fn left_out(&self) -> usize {
        self.state.left_out.load(Ordering::SeqCst)
    }

    /// Whether the action was taken.
    pub fn fired(&self) -> bool {
        self.hit().is_some()
    }

    /// The number of the request that got the action.
    pub fn hit(&self) -> Option<usize> {
        self.state.hit()
    }

    /// How many watches were answered with 410, or events not told by one that was frozen.
    pub fn watches_broken(&self) -> usize {
        self.state.watches_broken.load(Ordering::SeqCst)
    }

    /// Whether the operator was killed while the vendor paused within a request.
    pub fn killed_in_pause(&self) -> bool {
        self.state.killed_in_pause.load(Ordering::SeqCst)
    }

    /// The numbered requests, in their order.
    pub fn records(&self) -> Vec<Record> {
        self.state.records()
    }
}
