//! A world whose operator reaches apiserver and vendor through the fault proxy alone, and whose wall clock may jump.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use fault_proxy::{Action, Deed, Hand, Identity, Moment, Proxy, Target, Upstream};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use seatkeeper_support::{Operator, SYSTEM_NAMESPACE, scratch_dir, wait_for};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::world::{FAST, PATIENCE, World, binary, organization};

/// Read by debug builds of the operator alone: so many seconds its wall clock is off, or a file that says so.
pub const CLOCK: &str = "SEATKEEPER_TEST_CLOCK_SHIFT";

pub struct Proxied {
    pub w: World,
    pub proxy: Proxy,
    kubeconfig: PathBuf,
    clock: PathBuf,
    held: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Proxied {
    pub async fn new(name: &str, flags: &[&str]) -> Self {
        Self::over(World::with(name, organization(), FAST).await, flags).await
    }

    /// Puts an operator behind the proxy in the place of the world's own.
    pub async fn over(w: World, flags: &[&str]) -> Self {
        assert!(w.operator.stop().await.success());
        let mut kubeconfig = read_yaml(&w.plane.operator_kubeconfig().await);
        let ca = &mut kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"];
        let trusted: ByteString = serde_json::from_value(ca.take()).expect("base64");
        let trusted = String::from_utf8(trusted.0).expect("PEM");
        let identity = Identity::new().expect("certificates");
        let apiserver = w.plane.server().trim_start_matches("https://").parse().expect("an address");
        let apiserver = Upstream::new(apiserver, "127.0.0.1", &trusted).expect("the apiserver");
        let vendor = Upstream::new(w.vendor.address(), "localhost", &w.vendor.ca_pem()).expect("the vendor");
        let (held, go_on) = (Arc::<Notify>::default(), Arc::<Notify>::default());
        let proxy = Proxy::start(&identity, apiserver, vendor, hand(&held, &go_on)).await.expect("a proxy");

        let dir = scratch_dir("proxied");
        let (path, clock) = (dir.join("kubeconfig"), dir.join("clock"));
        *ca = serde_json::to_value(ByteString(identity.ca_pem.clone().into_bytes())).expect("base64");
        kubeconfig["clusters"][0]["cluster"]["server"] = json!(proxy.apiserver_url());
        fs::write(&path, kubeconfig.to_string()).expect("a kubeconfig");
        let mut proxied = Self { w, proxy, kubeconfig: path, clock, held, go_on };
        let mut credentials = proxied.w.credentials(&proxied.w.key);
        credentials["server"] = json!(proxied.proxy.vendor_url());
        credentials["ca.crt"] = json!(identity.ca_pem);
        proxied.w.secret("key", credentials).await;
        proxied.start_operator(flags).await;
        proxied
    }

    /// Starts an operator in the place of the one that has ended.
    pub async fn start_operator(&mut self, flags: &[&str]) {
        let clock = self.clock.display().to_string();
        let allowed = format!("--allowed-host={}", self.proxy.vendor_host());
        let flags: Vec<&str> = flags.iter().copied().chain([allowed.as_str()]).collect();
        let environment = [(CLOCK, clock.as_str())];
        let namespace = &self.w.namespace;
        self.w.operator = Operator::start_in(&environment, &self.kubeconfig, binary(), namespace, &flags);
        self.w.operator.wait_ready().await;
    }

    /// The answer to the first request that records an intent will be held back; the intent is stored.
    pub fn hold_first_intent(&self) {
        self.proxy.arm(Some((Target::first_intent(), Action::Meanwhile(Moment::After, "an intent is stored"))));
    }

    /// Waits until it is held back, and says which intent is stored.
    pub async fn until_intent_held(&self, name: &str) -> String {
        let held = tokio::time::timeout(PATIENCE, self.held.notified()).await;
        assert!(held.is_ok(), "no intent is recorded\n{}", self.w.operator.log_tail(40));
        self.w.status(name).await.intent.expect("an intent is stored").id
    }

    /// Lets the operator have the answer.
    pub fn let_go(&self) {
        self.go_on.notify_one();
    }

    /// Sets the operator's wall clock wrong by so many seconds, and waits until it has recorded such a time.
    pub async fn jump(&self, seconds: i64) {
        self.set_clock(seconds);
        let wrong = async || {
            let off = self.renewed().await?.duration_since(Timestamp::now()).as_secs() - seconds;
            (off.abs() < 60).then_some(())
        };
        wait_for(format!("the Lease to be renewed with a clock {seconds} s off"), PATIENCE, wrong).await;
    }

    /// Sets the operator's wall clock wrong by so many seconds.
    pub fn set_clock(&self, seconds: i64) {
        let new = self.clock.with_extension("new");
        fs::write(&new, seconds.to_string()).expect("a writable file");
        fs::rename(&new, &self.clock).expect("a file to replace");
    }

    /// When the Lease was last renewed, by the clock of who did it.
    pub async fn renewed(&self) -> Option<Timestamp> {
        let leases: Api<Lease> = Api::namespaced(self.w.plane.admin(), SYSTEM_NAMESPACE);
        let lease = leases.get(&format!("seatkeeper-{}", self.w.namespace)).await.expect("the Lease");
        Some(lease.spec?.renew_time?.0)
    }

    /// Waits for a part of the operator's log.
    pub async fn until_logged(&self, part: &str) {
        let logged = async || self.w.operator.log().contains(part).then_some(());
        wait_for(format!("the operator to say {part:?}"), PATIENCE, logged).await;
    }

    /// Waits until so many further requests for Leases were lost.
    pub async fn until_leases_lost(&self, times: usize) {
        let before = self.proxy.leases_lost();
        let lost = async || (self.proxy.leases_lost() >= before + times).then_some(());
        wait_for(format!("{times} lost requests for the Lease"), PATIENCE, lost).await;
    }
}

/// Holds back what is told to happen until it may go on.
fn hand(held: &Arc<Notify>, go_on: &Arc<Notify>) -> Hand {
    let (held, go_on) = (Arc::clone(held), Arc::clone(go_on));
    Arc::new(move |deed| {
        let (held, go_on) = (Arc::clone(&held), Arc::clone(&go_on));
        Box::pin(async move {
            if let Deed::Happen(_) = deed {
                held.notify_one();
                go_on.notified().await;
            }
        })
    })
}

fn read_yaml(path: &std::path::Path) -> Value {
    let text = fs::read_to_string(path).expect("a kubeconfig");
    serde_yaml::from_str(&text).expect("YAML")
}
