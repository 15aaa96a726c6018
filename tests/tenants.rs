//! Many organizations in one world: many cases share one operator and run side by side.

use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::wait_for;
use serde_json::{Value, json};
use vendor_sim::{Fault, Organization, OrganizationKey, OrganizationView, RateLimits, RequestRecord};

use crate::world::{FAST, PATIENCE, World, said};

/// The flags of [`FAST`] with some of them replaced, or more of them.
pub fn fast_but(flags: &[&'static str]) -> Vec<&'static str> {
    let name = |flag: &str| flag.split('=').next().map(str::to_owned);
    let kept = FAST.iter().filter(|fast| flags.iter().all(|flag| name(flag) != name(fast)));
    kept.chain(flags).copied().collect()
}

/// One organization with its Secret and the object of the same name.
pub struct Tenant<'w> {
    pub world: &'w World,
    pub name: String,
    pub key: OrganizationKey,
}

impl World {
    /// An organization with a Secret of that name; the sentence becomes a name.
    pub async fn tenant(&self, sentence: &str, organization: Organization) -> Tenant<'_> {
        let lower = sentence.to_lowercase();
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let name = words.collect::<Vec<_>>().join("-");
        let key = self.bitwarden().add_organization(organization);
        self.secret(&name, self.credentials(&key)).await;
        Tenant { world: self, name, key }
    }

    /// For a test that needs more tokens than the cloud gives to one address, 10 a minute: the vendor has no limiter, or
    /// the operator would rightly spread them over minutes, as `request_budget` shows. Called before anything is declared.
    pub fn needs_many_tokens(&self) {
        self.bitwarden().switch(|s| s.rate_limits = RateLimits::none());
    }

    /// Annotates an object whether or not it parses.
    pub async fn annotate_raw(&self, name: &str, key: &str, value: &str) {
        let pair = format!("{key}={value}");
        let args = ["annotate", "--overwrite", "licenseseats.seatkeeper.dev", name, &pair];
        self.plane.kubectl_in(&self.namespace, &args, "").await.ok();
    }

    /// Kills the operator as a failing node would, and starts another.
    pub async fn crash_and_restart(&mut self, flags: &[&str]) {
        self.operator.signal("KILL");
        self.operator.wait_exit(PATIENCE).await.expect("a killed process ends");
        self.start_operator(flags).await;
    }

    /// Starts another operator in the place of the one that has ended.
    pub async fn start_operator(&mut self, flags: &[&str]) {
        self.operator = self.another_operator(flags).await;
        self.operator.wait_ready().await;
    }

    /// Waits until the client of a request that buys has given up waiting for its answer.
    pub async fn until_hung_up(&self, key: &OrganizationKey) {
        let gone = |r: &RequestRecord| r.method == "PUT" && r.organization.as_deref() == Some(&key.id) && r.client_gone;
        let given_up = self.bitwarden().wait_for(PATIENCE, |vendor| vendor.count(gone) > 0).await;
        assert!(given_up, "the operator waits for ever\n{}", self.operator.log_tail(40));
    }
}

impl Tenant<'_> {
    /// Declares 150 seats with the limit pinned, changed by `spec`.
    pub async fn declare(&self, mut spec: Value) {
        let secret = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": self.name } } } });
        crate::world::merge(&mut spec, secret);
        self.world.declare(&self.name, spec).await;
    }

    /// A fault for this organization alone.
    pub fn inject(&self, fault: Fault) -> u64 {
        let whole_path = fault.whole_path.as_ref().map(|path| path.replace("{id}", &self.key.id));
        let fault = Fault { whole_path, ..fault };
        self.world.bitwarden().inject(fault.organization(&self.key.id))
    }

    pub fn organization(&self) -> OrganizationView {
        self.world.bitwarden().organization(&self.key.id)
    }

    /// Requests that buy.
    pub fn puts(&self) -> usize {
        self.world.bitwarden().puts(&self.key.id)
    }

    /// Requests of either API that buy.
    pub fn writes(&self) -> usize {
        self.world.bitwarden().writes(&self.key.id)
    }

    pub async fn status(&self) -> LicenseSeatsStatus {
        self.world.status(&self.name).await
    }

    pub async fn until(&self, what: &str, is: impl Fn(&LicenseSeatsStatus) -> bool) -> LicenseSeatsStatus {
        self.world.until(&self.name, format!("{}: {what}", self.name), is).await
    }

    /// Waits for a condition as [`said`] writes it.
    pub async fn until_said(&self, kind: &str, what: &str) -> LicenseSeatsStatus {
        self.until(&format!("{kind}={what}"), |status| said(status, kind) == what).await
    }

    /// Waits until the vendor is as declared and the status says so.
    pub async fn until_in_sync(&self, seats: i32) -> LicenseSeatsStatus {
        self.until(&format!("{seats} seats in sync"), |status| {
            status.seats == Some(seats) && said(status, "Ready") == "True/InSync"
        })
        .await
    }

    /// Waits until so many further polls have been answered.
    pub async fn until_polled(&self, times: usize) {
        let polls = || {
            self.world.bitwarden().count(|r| {
                r.method == "GET"
                    && r.path.ends_with("/subscription")
                    && r.organization.as_deref() == Some(&self.key.id)
            })
        };
        let before = polls();
        wait_for(format!("{times} polls of {}", self.name), PATIENCE * 2, async || {
            (polls() >= before + times).then_some(())
        })
        .await;
    }

    /// Waits for further passes that look at the Secret, whether or not the vendor is asked.
    pub async fn until_secret_looked_at(&self, times: usize) {
        let looks = || self.world.audit().verb("get").resource("secrets").name(&self.name).len();
        let before = looks();
        wait_for(format!("{times} looks at Secret {}", self.name), PATIENCE, async || {
            (looks() >= before + times).then_some(())
        })
        .await;
    }

    /// Asks for a pass now and waits until it is done.
    pub async fn ask(&self, word: &str) -> LicenseSeatsStatus {
        let annotation = "seatkeeper.dev/reconcile-requested-at";
        self.world.annotate(&self.name, annotation, word).await;
        self.until(&format!("{word:?} handled"), |status| status.last_handled_reconcile_at.as_deref() == Some(word))
            .await
    }

    /// Waits until the next request needs another token, where tokens live for a second.
    pub async fn until_token_is_old(&self) {
        let vendor = self.world.bitwarden();
        let now = vendor.now();
        let old = async || (vendor.now().duration_since(now).as_millis() > 600).then_some(());
        wait_for("the token to be old", PATIENCE, old).await;
    }

    /// The promise: at no time were more seats shown or billed than asked for.
    pub fn assert_never_above(&self, seats: i32) {
        for entry in self.world.bitwarden().ledger(&self.key.id) {
            let most = entry.after.seats.max(entry.billed_after.seats);
            assert!(most <= Some(seats), "{}: more than {seats}: {entry:?}", self.name);
        }
    }
}
