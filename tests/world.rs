//! The world a test lives in: a namespace of its own, a vendor of its own, an operator that watches just that namespace.
//! Only where an operator must see all namespaces it has a control plane of its own.

use std::fmt::Display;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use seatkeeper::api::{LICENSE_KEY_TYPE, LicenseSeats, LicenseSeatsStatus, SECRET_TYPE};
use seatkeeper_support::{
    Audit, AuditEvent, AuditMark, OPERATOR_USER, Operator, Plane, debug_text, operator_binary, wait_for,
};
use serde_json::{Value, json};
use vendor_sim::{BillingPath, Bitwarden, Options, Organization, OrganizationKey, OrganizationView, Simulator};

/// The operator under test: as built with the tests, unless `SEATKEEPER_BINARY` names another.
pub fn binary() -> &'static str {
    operator_binary(env!("CARGO_BIN_EXE_seatkeeper"))
}

/// Times that let a test see a settle time pass; everything else is as shipped.
pub const FAST: &[&str] = &[
    "--min-interval=1s",
    "--settle-answered=2s",
    "--settle-unanswered=5s",
    "--settle-pause=1s",
    "--send-deadline=2s",
    "--write-timeout=2s",
    "--read-timeout=3s",
    "--secret-recheck=1s",
    "--credential-probe=2s",
    "--account-recheck=1s",
    "--lease-duration=6s",
    "--lease-renew-deadline=5s",
];

/// How long a test waits for what should happen. Generous: only a failure waits that long.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct World {
    pub plane: Plane,
    pub namespace: String,
    /// The operator's `--namespace`; empty for all.
    watched: String,
    pub vendor: Simulator,
    pub operator: Operator,
    pub key: OrganizationKey,
    client: Client,
    mark: AuditMark,
}

/// A world with one organization (100 seats, limit 100, 80 members), its credentials in Secret `key`, and an operator.
pub async fn world(name: &str) -> World {
    World::with(name, organization(), FAST).await
}

/// 100 seats, limit 100, 80 members.
pub fn organization() -> Organization {
    Organization::enterprise("Acme").seats(100).limit(100).members(80)
}

/// Half of the worlds go each billing path of the vendor, and a world of the same name always the same one.
fn with_path(name: &str, organization: Organization) -> Organization {
    let path = organization.billing_path.unwrap_or_else(|| BillingPath::of_name(name));
    organization.billing_path(path)
}

impl World {
    pub async fn with(name: &str, organization: Organization, args: &[&str]) -> Self {
        Self::on_plane(Plane::shared().await, name, organization, args).await
    }

    /// Like [`with`](Self::with), on this control plane.
    pub async fn on_plane(plane: Plane, name: &str, organization: Organization, args: &[&str]) -> Self {
        let namespace = plane.namespace(name).await;
        Self::on(plane, namespace.clone(), namespace, with_path(name, organization), args).await
    }

    /// Like [`with`](Self::with), but the operator watches all namespaces.
    pub async fn over_all_namespaces(name: &str, organization: Organization, args: &[&str]) -> Self {
        let plane = Plane::own().await;
        let namespace = plane.namespace(name).await;
        Self::on(plane, namespace, String::new(), with_path(name, organization), args).await
    }

    /// In a namespace of a control plane, with an operator that watches these, comma-separated; empty for all.
    pub async fn on(
        plane: Plane,
        namespace: String,
        watched: String,
        organization: Organization,
        args: &[&str],
    ) -> Self {
        let vendor = Simulator::start(Options::hurried()).await.expect("simulator");
        let key = vendor.bitwarden().add_organization(organization);
        let (client, mark) = (plane.admin(), plane.audit_mark());
        let operator = start(&plane, &vendor, &watched, &[], args).await;
        let world = Self { plane, namespace, watched, vendor, operator, key, client, mark };
        world.secret("key", world.credentials(&world.key)).await;
        world.operator.wait_ready().await;
        world
    }

    /// One more operator for the same namespace, beside the one there is.
    pub async fn another_operator(&self, flags: &[&str]) -> Operator {
        self.another_operator_in(&[], flags).await
    }

    /// Like [`another_operator`](Self::another_operator), with further environment variables.
    pub async fn another_operator_in(&self, environment: &[(&str, &str)], flags: &[&str]) -> Operator {
        start(&self.plane, &self.vendor, &self.watched, environment, flags).await
    }

    /// Another installation: an operator of another namespace that reaches the same vendor.
    pub async fn another_installation(&self, namespace: &str) -> Operator {
        self.another_installation_with(namespace, FAST).await
    }

    /// Like [`another_installation`](Self::another_installation), with these flags.
    pub async fn another_installation_with(&self, namespace: &str, flags: &[&str]) -> Operator {
        start(&self.plane, &self.vendor, namespace, &[], flags).await
    }

    /// What a complete Secret holds for a key.
    pub fn credentials(&self, key: &OrganizationKey) -> Value {
        json!({
            "clientId": key.client_id,
            "clientSecret": key.client_secret,
            "server": self.vendor.url(),
            "ca.crt": self.vendor.ca_pem(),
        })
    }

    pub fn bitwarden(&self) -> Bitwarden {
        self.vendor.bitwarden()
    }

    /// The organization at the vendor.
    pub fn organization(&self) -> OrganizationView {
        self.bitwarden().organization(&self.key.id)
    }

    pub fn seats(&self) -> Api<LicenseSeats> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates or replaces a credentials Secret.
    pub async fn secret(&self, name: &str, data: Value) {
        self.secret_of_type(name, SECRET_TYPE, data).await;
    }

    /// Creates or replaces a Secret with license keys for the tenant behind the vendor's address.
    pub async fn license_keys(&self, name: &str, mut data: Value) {
        merge(&mut data, json!({ "server": self.vendor.url() }));
        self.secret_of_type(name, LICENSE_KEY_TYPE, data).await;
    }

    pub async fn secret_of_type(&self, name: &str, kind: &str, data: Value) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": kind, "stringData": data,
            "metadata": { "name": name, "namespace": self.namespace },
        });
        self.apply_secret(name, &secret).await;
    }

    pub async fn apply_secret(&self, name: &str, secret: &Value) {
        let secrets = self.secrets();
        let _ = secrets.delete(name, &Default::default()).await;
        let secret: Secret = serde_json::from_value(secret.clone()).expect("a Secret");
        secrets.create(&PostParams::default(), &secret).await.expect("create the Secret");
    }

    /// Creates an object; the spec is a change to `seats: 150, limit: Pinned` with Secret `key`.
    pub async fn declare(&self, name: &str, spec: Value) -> LicenseSeats {
        self.try_declare(name, spec).await.expect("the object is admitted")
    }

    pub async fn try_declare(&self, name: &str, spec: Value) -> kube::Result<LicenseSeats> {
        let object = object_in(&self.namespace, name, spec);
        self.client.request(strict_post(&self.namespace, &object)).await
    }

    /// Merge-patches the spec.
    pub async fn edit(&self, name: &str, spec: Value) -> LicenseSeats {
        self.try_edit(name, spec).await.expect("the edit is admitted")
    }

    pub async fn try_edit(&self, name: &str, spec: Value) -> kube::Result<LicenseSeats> {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.seats().patch(name, &PatchParams::default(), &patch).await
    }

    pub async fn annotate(&self, name: &str, key: &str, value: &str) {
        let patch = Patch::Merge(json!({ "metadata": { "annotations": { key: value } } }));
        self.seats().patch(name, &PatchParams::default(), &patch).await.expect("annotate");
    }

    pub async fn status(&self, name: &str) -> LicenseSeatsStatus {
        let status = self.seats().get(name).await.expect("the object").status.unwrap_or_default();
        let messages = status.conditions.iter().map(|condition| &condition.message).chain(&status.summary);
        let debug: Vec<_> = messages.filter(|message| debug_text(message).is_some()).collect();
        assert!(debug.is_empty(), "{name} says it in Rust's Debug text: {debug:?}");
        status
    }

    /// Waits until the status is as described, and returns it.
    pub async fn until(
        &self,
        name: &str,
        what: impl Display,
        is: impl Fn(&LicenseSeatsStatus) -> bool,
    ) -> LicenseSeatsStatus {
        let last = std::cell::RefCell::new(LicenseSeatsStatus::default());
        let seen = async || {
            let status = self.status(name).await;
            last.replace(status.clone());
            is(&status).then_some(status)
        };
        match tokio::time::timeout(PATIENCE, wait_for(&what, PATIENCE * 2, seen)).await {
            Ok(status) => status,
            Err(_) => panic!(
                "waited {PATIENCE:?} for {what}, which did not happen; last status:\n{}\noperator:\n{}",
                serde_json::to_string_pretty(&*last.borrow()).unwrap_or_default(),
                self.operator.log_tail(40)
            ),
        }
    }

    /// Waits for a condition with this reason.
    pub async fn until_reason(&self, name: &str, kind: &str, reason: &str) -> LicenseSeatsStatus {
        self.until(name, format!("{kind} with reason {reason}"), |status| {
            condition(status, kind).is_some_and(|condition| condition.reason == reason)
        })
        .await
    }

    /// Waits until the vendor is as declared and the status says so.
    pub async fn until_in_sync(&self, name: &str, seats: i32) -> LicenseSeatsStatus {
        self.until(name, format!("{seats} seats in sync"), |status| {
            status.seats == Some(seats) && condition(status, "Ready").is_some_and(|ready| ready.reason == "InSync")
        })
        .await
    }

    /// Waits until so many further polls of the vendor have been answered.
    pub async fn until_polled(&self, times: usize) {
        let polls = || self.count_requests("GET", "/public/organization/subscription");
        let before = polls();
        wait_for(format!("{times} polls"), PATIENCE * 2, async || (polls() >= before + times).then_some(())).await;
    }

    /// Requests the vendor has seen.
    pub fn count_requests(&self, method: &str, path: &str) -> usize {
        let requests = self.bitwarden().requests();
        requests.iter().filter(|request| request.method == method && request.path.contains(path)).count()
    }

    /// Requests that buy.
    pub fn puts(&self) -> usize {
        self.count_requests("PUT", "/public/organization/subscription")
    }

    /// What the operator asked of the apiserver in this namespace.
    pub fn audit(&self) -> Audit {
        self.plane.audit_since(self.mark).user(OPERATOR_USER).namespace(&self.namespace)
    }

    /// What the operator wrote anywhere since then, but for its Lease.
    pub fn wrote_since(&self, mark: AuditMark) -> Audit {
        let reads = |event: &AuditEvent| matches!(event.verb.as_str(), "get" | "list" | "watch");
        let lease = |event: &AuditEvent| event.resource == "leases" && event.verb == "update";
        self.plane.audit_since(mark).user(OPERATOR_USER).only(|event| !reads(event) && !lease(event))
    }

    /// Requests to the vendors that are no readings, and ask for no token.
    pub fn vendor_writes(&self) -> usize {
        self.bitwarden().count(|request| request.method != "GET" && !request.path.ends_with("/connect/token"))
    }

    /// Waits until so many events with this reason were published; they follow the status.
    pub async fn until_told(&self, reason: &str, times: usize) -> Vec<(String, String)> {
        let told = async || {
            let events = self.events().await;
            let count = events.iter().filter(|(told, _)| told == reason).count();
            (count >= times).then_some(events)
        };
        wait_for(format!("{times} events {reason}"), PATIENCE, told).await
    }

    pub async fn events(&self) -> Vec<(String, String)> {
        let events = self.whole_events().await.into_iter();
        events.map(|e| (e.reason.unwrap_or_default(), e.note.unwrap_or_default())).collect()
    }

    /// Dates a condition of the status back, as if it had been so for so much longer.
    pub async fn date_back(&self, name: &str, kind: &str, by: SignedDuration) {
        loop {
            let mut object = self.seats().get(name).await.expect("the object");
            let status = object.status.as_mut().expect("a status");
            let condition =
                status.conditions.iter_mut().find(|condition| condition.type_ == kind).expect("the condition");
            condition.last_transition_time.0 -= by;
            match self.seats().replace_status(name, &PostParams::default(), &object).await {
                Err(kube::Error::Api(answer)) if answer.is_conflict() => {}
                replaced => break drop(replaced.expect("the status is edited")),
            }
        }
    }

    /// Events with all their fields.
    pub async fn whole_events(&self) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        events.list(&Default::default()).await.expect("events").items
    }
}

async fn start(
    plane: &Plane,
    vendor: &Simulator,
    namespace: &str,
    environment: &[(&str, &str)],
    flags: &[&str],
) -> Operator {
    let bare = |url: String| url.trim_start_matches("https://").to_owned();
    let hosts = [vendor.host(), bare(vendor.api_url()), bare(vendor.identity_url())];
    let allowed = format!("--allowed-host={}", hosts.join(","));
    let args: Vec<&str> = flags.iter().copied().chain([allowed.as_str()]).collect();
    Operator::start_in(environment, &plane.operator_kubeconfig().await, binary(), namespace, &args)
}

pub fn condition<'a>(status: &'a LicenseSeatsStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.type_ == kind)
}

/// `Ready=True/InSync` for a condition that is there, empty for one that is not.
pub fn said(status: &LicenseSeatsStatus, kind: &str) -> String {
    condition(status, kind).map_or_else(String::new, |c| format!("{}/{}", c.status, c.reason))
}

pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match value {
                    // As in a merge patch: null takes away. A literal null is written as "<null>".
                    Value::Null => drop(into.remove(&key)),
                    Value::String(text) if text == "<null>" => drop(into.insert(key, Value::Null)),
                    value => merge(into.entry(key).or_insert(json!({})), value),
                }
            }
        }
        (into, from) => *into = from,
    }
}

/// An object as [`World::declare`] makes it. Null takes a field away, `"<null>"` writes a null.
pub fn object_in(namespace: &str, name: &str, spec: Value) -> Value {
    let mut whole = json!({
        "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "key" } } },
        "seats": 150,
        "limit": { "mode": "Pinned" },
        "interval": "1s",
    });
    merge(&mut whole, spec);
    json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats", "spec": whole,
        "metadata": { "name": name, "namespace": namespace },
    })
}

/// Creates an object from raw JSON, for the typed form could not carry what must be refused.
pub fn strict_post(namespace: &str, object: &Value) -> http::Request<Vec<u8>> {
    let uri = format!("/apis/seatkeeper.dev/v1alpha1/namespaces/{namespace}/licenseseats?fieldValidation=Strict");
    let body = serde_json::to_vec(object).expect("JSON");
    http::Request::post(uri).header("content-type", "application/json").body(body).expect("a request")
}
