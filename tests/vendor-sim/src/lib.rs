//! Faithful simulators of the vendors Seatkeeper talks to, for tests and for trying things by hand.
//!
//! A [`Simulator`] is one HTTPS port (and two more that serve the API and Identity alone) with a certificate authority of its own ([`tls`]) and, on a second port that the
//! operator never learns, a plain-HTTP control API ([`control`]). Tests in the same process use the [`Bitwarden`]
//! and [`Immuta`] handles instead, which can do the same and more. The path decides which of them a request is for.
//!
//! A request travels like this: [`server`] accepts it and hands it to a task of its own, because Bitwarden does not
//! stop when a client hangs up; [`faults`] decides what goes wrong with it, on the wire or inside; [`bitwarden`] is the
//! vendor: who may call, the rules, the billing, the row, and an append-only ledger of what is shown and what is billed;
//! [`immuta`] is another one, with license keys instead of a number.
//!
//! The vendors are played as docs/vendors/bitwarden.md and docs/vendors/immuta.md describe them; comments quote their
//! headings.

use std::{io, net::SocketAddr, sync::Arc};

pub mod bitwarden;
pub mod clock;
pub mod control;
pub mod faults;
pub(crate) mod http;
pub mod immuta;
pub(crate) mod server;
pub mod tls;
pub(crate) mod wire;

pub use bitwarden::{
    Bitwarden,
    ledger::{Actor, Billed, LedgerEntry, Shown, Step},
    member::MemberStatus,
    organization::{Organization, Provider, SubscriptionStatus},
    plans::PlanType,
    rate_limit::{RateLimits, RateRule, Service},
    refusal::{LastRefusal, Refusal},
    requests::RequestRecord,
    switches::{BillingPath, Switches, Webhook},
    terms::{License, PriceMigration, Terms},
    users::{Account, Device, Membership, Role, UserKey, UserView},
    view::{OrganizationKey, OrganizationView},
};
pub use faults::{Fault, FaultKind, FaultView};
pub use immuta::Immuta;
pub use tls::Certificate;

/// How to start a [`Simulator`]. The default: free loopback ports, and the vendor as [`Switches`] has it by default.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the vendor's HTTPS listens.
    pub listen: SocketAddr,
    /// Where the control API listens (plain HTTP).
    pub control: SocketAddr,
    /// More names or addresses for the server certificate, besides localhost, 127.0.0.1 and ::1.
    pub server_names: Vec<String>,
    /// What is wrong with the server certificate.
    pub certificate: Certificate,
    /// Whether clients need a certificate too, as behind some gateways. None has one.
    pub client_certificates: bool,
    /// The vendor's behavior at the start; changeable later.
    pub switches: Switches,
}

impl Default for Options {
    fn default() -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            listen: any,
            control: any,
            server_names: Vec::new(),
            certificate: Certificate::default(),
            client_certificates: false,
            switches: Switches::default(),
        }
    }
}

impl Options {
    /// The default for an operator that is told to count seconds instead of minutes ([`Switches::hurried`]).
    pub fn hurried() -> Self {
        Self { switches: Switches::hurried(), ..Self::default() }
    }
}

/// A running simulator. Dropping it closes its ports and connections; what the vendor has begun still runs to its end.
///
/// # Panics
/// When it is dropped after a request that no client of the vendor sends ([`Switches::client_headers`]).
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    api: SocketAddr,
    identity: SocketAddr,
    control: SocketAddr,
    ca_pem: String,
    client_pem: (String, String),
    bitwarden: Bitwarden,
    _running: server::Running,
}

impl Drop for Simulator {
    #[expect(clippy::panic, reason = "a test must not pass with requests that the vendor may turn away")]
    fn drop(&mut self) {
        if std::thread::panicking() || !self.bitwarden.switches().client_headers {
            return;
        }
        if let Some(r) = self.bitwarden.requests().into_iter().find(|r| !r.lacks.is_empty()) {
            panic!("request {} to the vendor, {} {}, lacks {:?}", r.number, r.method, r.path, r.lacks);
        }
    }
}

impl Simulator {
    /// Starts both listeners on the current tokio runtime.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (kind, clients) = (options.certificate, options.client_certificates);
        let identity = tls::Identity::new(&options.server_names, kind, clients).map_err(io::Error::other)?;
        let bitwarden = Bitwarden::new(options.switches);
        let running = server::Running::default();
        let tls = Arc::new(identity.config);
        let serve = |at, serves| server::serve_tls(at, Arc::clone(&tls), bitwarden.clone(), serves, &running);
        let address = serve(options.listen, server::Serves::Everything).await?;
        let any_port = SocketAddr::new(options.listen.ip(), 0);
        let api = serve(any_port, server::Serves::Api).await?;
        let identity_port = serve(any_port, server::Serves::Identity).await?;
        bitwarden.apart(api.port(), identity_port.port());
        let control = server::serve_control(options.control, control::router(bitwarden.clone()), &running).await?;
        Ok(Self {
            address,
            api,
            identity: identity_port,
            control,
            ca_pem: identity.ca_pem,
            client_pem: identity.client_pem,
            bitwarden,
            _running: running,
        })
    }

    /// Base URL of the vendor: `https://localhost:PORT`. Identity is under `/identity`, the API under `/api`.
    pub fn url(&self) -> String {
        format!("https://{}", self.host())
    }

    /// Base URL of the API alone, as in the cloud: `https://localhost:PORT`, without `/api`.
    pub fn api_url(&self) -> String {
        format!("https://localhost:{}", self.api.port())
    }

    /// Base URL of Identity alone: `https://localhost:PORT`, without `/identity`.
    pub fn identity_url(&self) -> String {
        format!("https://localhost:{}", self.identity.port())
    }

    /// `localhost:PORT`.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Address the vendor listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client's certificate and its key, PEM, with which a listener that wants one lets in.
    pub fn client_pem(&self) -> (String, String) {
        self.client_pem.clone()
    }

    /// The certificate a client must trust, PEM.
    pub fn ca_pem(&self) -> String {
        self.ca_pem.clone()
    }

    /// Base URL of the control API: `http://127.0.0.1:PORT`.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// Looks for this text in every request from now on. Letters and digits alone arrive the same in JSON and in a form.
    pub fn look_out_for(&self, text: &str) {
        self.bitwarden.look_out_for(text);
    }

    /// How many requests, to either vendor, carried the text since it is looked for.
    ///
    /// # Panics
    /// When nobody looks for it: the answer would always be 0.
    #[expect(clippy::panic, reason = "a mistake in the test")]
    pub fn received(&self, text: &str) -> usize {
        let found = self.bitwarden.received(text);
        found.unwrap_or_else(|| panic!("look out for a text before asking whether it was received"))
    }

    /// Bitwarden itself: state, faults, ledger.
    pub fn bitwarden(&self) -> Bitwarden {
        self.bitwarden.clone()
    }

    /// Immuta itself. It has no tenant until one is added; its URL is [`Simulator::url`].
    pub fn immuta(&self) -> Immuta {
        Immuta::new(self.bitwarden.clone())
    }
}
