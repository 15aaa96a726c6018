//! What admission refuses. Nobody's operator watches these namespaces: the apiserver alone answers, and every refusal
//! names the field and says what would be accepted.

use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use seatkeeper::api::LicenseSeats;
use seatkeeper_support::{ControlPlane, needs_control_plane};
use serde_json::{Value, json};

use crate::world::{object_in, strict_post};

/// A namespace without an operator.
pub struct Desk {
    pub plane: &'static ControlPlane,
    pub namespace: String,
    client: Client,
}

pub async fn desk(name: &str) -> Desk {
    let plane = ControlPlane::shared().await;
    let (namespace, client) = (plane.namespace(name).await, plane.admin());
    Desk { plane, namespace, client }
}

impl Desk {
    /// Creates an object, with the fields of [`object_in`] changed.
    pub async fn create(&self, name: &str, spec: Value) -> kube::Result<LicenseSeats> {
        let object = object_in(&self.namespace, name, spec);
        self.client.request(strict_post(&self.namespace, &object)).await
    }

    pub fn seats(&self) -> Api<LicenseSeats> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn patch(&self, name: &str, spec: Value) -> kube::Result<LicenseSeats> {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.seats().patch(name, &PatchParams::default(), &patch).await
    }

    async fn scale(&self, name: &str, replicas: i32) -> kube::Result<kube::core::subresource::Scale> {
        let patch = Patch::Merge(json!({ "spec": { "replicas": replicas } }));
        self.seats().patch_scale(name, &PatchParams::default(), &patch).await
    }
}

/// A spec as people write it: YAML.
pub fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The apiserver's message.
fn refusal<T>(result: kube::Result<T>) -> String {
    match result {
        Err(kube::Error::Api(status)) => status.message,
        Err(error) => error.to_string(),
        Ok(_) => "admitted".to_owned(),
    }
}

/// Holds that each message names the field and the fix; tells of all that do not, at once.
#[derive(Default)]
struct Held(Vec<String>);

impl Held {
    fn hold(&mut self, what: &str, message: &str, field: &str, fix: &str) {
        if !message.contains(field) || !message.contains(fix) {
            self.0.push(format!("{what}: {field:?} or {fix:?} is not in: {message}"));
        }
    }

    #[track_caller]
    fn done(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// A change to a good spec (null takes a field away, `<null>` writes a null), the field, and the fix.
const REFUSED: &str = r#"
# Whose seats.
vendor: null | spec.vendor | Required value
vendor: {bitwarden: null} | spec.vendor | must name exactly one vendor: bitwarden
vendor: {github: {}} | spec.vendor.github | unknown field
vendor: {immuta: {credentialsSecretRef: {name: a}}} | spec.vendor | must name exactly one vendor: bitwarden or immuta
vendor: {immuta: {}} | spec.vendor.immuta.credentialsSecretRef | Required value
vendor: {bitwarden: {credentialsSecretRef: null}} | spec.vendor.bitwarden | needs a key: credentialsSecretRef (organization API key), ownerCredentialsSecretRef
vendor: {bitwarden: {ownerCredentialsSecretRef: {name: ''}}} | spec.vendor.bitwarden.ownerCredentialsSecretRef | should be at least 1 chars long
vendor: {bitwarden: {ownerCredentialsSecretRef: {name: a}, organizationId: acme}} | spec.vendor.bitwarden.organizationId | must be a GUID in lower case
thresholds: {expiry: [30d]} | spec.thresholds.expiry | such as 720h
thresholds: {expiry: ['']} | spec.thresholds.expiry | such as 720h
thresholds: {expiry: [720h, 0s]} | spec.thresholds.expiry must hold durations above 0s | such as 720h
thresholds: {expiry: [0h0m]} | spec.thresholds.expiry must hold durations above 0s | such as 720h
thresholds: {expiry: [1h, 2h, 3h, 4h, 5h, 6h]} | spec.thresholds.expiry | must have at most 5 items
vendor: {bitwarden: {credentialsSecretRef: {name: null}}} | spec.vendor.bitwarden.credentialsSecretRef | name: Required value
vendor: {bitwarden: {credentialsSecretRef: {name: ''}}} | spec.vendor.bitwarden.credentialsSecretRef | should be at least 1 chars long
vendor: {bitwarden: {credentialsSecretRef: {name: ../x}}} | spec.vendor.bitwarden.credentialsSecretRef | must be the name of a Secret: lower-case
vendor: {bitwarden: {credentialsSecretRef: {name: 'x?y'}}} | spec.vendor.bitwarden.credentialsSecretRef | such as bitwarden-org
vendor: {bitwarden: {credentialsSecretRef: {namespace: other}}} | spec.vendor.bitwarden.credentialsSecretRef | unknown field
vendor: {bitwarden: {region: us}} | spec.vendor.bitwarden.region | "US", "EU", "Gov"
vendor: {bitwarden: {product: Families}} | spec.vendor.bitwarden.product | "PasswordManager", "SecretsManager"
# When.
adjustment: {increase: {mode: InWindow}} | spec.adjustment.increase.mode is InWindow and spec.adjustment.windows is empty | add a window, or use mode Immediate
adjustment: {decrease: {mode: InWindow}} | spec.adjustment.decrease.mode is InWindow and spec.adjustment.windows is empty | add a window, or use mode Immediate
adjustment: {windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | spec.adjustment.windows has a window that no direction uses | set increase.mode or decrease.mode to InWindow and name it there
adjustment: {increase: {mode: InWindow, windows: [a]}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: b, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | spec.adjustment.windows has a window that no direction uses | name it there, or remove it
adjustment: {increase: {mode: InWindow, windows: [b]}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | spec.adjustment.increase.windows names a window | add it, or correct the name
adjustment: {decrease: {mode: InWindow, windows: [b]}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | spec.adjustment.decrease.windows names a window | add it, or correct the name
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | spec.adjustment.windows[1] | Duplicate value
adjustment: {increase: {mode: InWindow}, windows: [{name: w0, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w1, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w2, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w3, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w4, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w5, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w6, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w7, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w8, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w9, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}, {name: w10, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | spec.adjustment.windows | must have at most 10 items
adjustment: {increase: {mode: InWindow}, windows: [{name: a}]} | spec.adjustment.windows[0] | needs exactly one of cron and beforeRenewal
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}, beforeRenewal: {opens: 48h, closes: 2h}}]} | spec.adjustment.windows[0] | needs exactly one of cron and beforeRenewal
adjustment: {increase: {mode: InWindow}, windows: [{name: A B, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | spec.adjustment.windows[0].name | such as month-start
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 0s}}]} | duration | must be between 1h and 168h
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 1s}}]} | duration | must be between 1h and 168h
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 200h}}]} | duration | must be between 1h and 168h
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, duration: 4h}}]} | timeZone | Required value
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 *, timeZone: UTC, duration: 4h}}]} | cron.schedule | such as 0 6 1W * *
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | cron.schedule | such as 0 6 1W * *
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: '@monthly', timeZone: UTC, duration: 4h}}]} | cron.schedule | such as 0 6 1W * *
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 'TZ=UTC 6 1 * *', timeZone: UTC, duration: 4h}}]} | cron.schedule | such as 0 6 1W * *
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: '0 6 ? * MON', timeZone: UTC, duration: 4h}}]} | cron.schedule | such as 0 6 1W * *
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: '0 6 1 * +MON', timeZone: UTC, duration: 4h}}]} | cron.schedule | such as 0 6 1W * *
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: ' 0 6 1 * *', timeZone: UTC, duration: 4h}}]} | cron.schedule | such as 0 6 1W * *
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 61 6 1 * *, timeZone: UTC, duration: 4h}}]} | cron.schedule | minutes from 0 to 59 in its first field and hours from 0 to 23
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 24 1 * *, timeZone: UTC, duration: 4h}}]} | cron.schedule | minutes from 0 to 59 in its first field and hours from 0 to 23
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: '*/75 6 1 * *', timeZone: UTC, duration: 4h}}]} | cron.schedule | minutes from 0 to 59 in its first field and hours from 0 to 23
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1-7 * MON, timeZone: UTC, duration: 4h}}]} | restricts the day of month and the day of week | MON#1 for the first Monday
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: '0 6 */2 * 1', timeZone: UTC, duration: 4h}}]} | restricts the day of month and the day of week | MON#1 for the first Monday
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 Mai *, timeZone: UTC, duration: 4h}}]} | cron.schedule | JAN to DEC and weekdays as SUN to SAT
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 * * DIE, timeZone: UTC, duration: 4h}}]} | cron.schedule | JAN to DEC and weekdays as SUN to SAT
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: 'Europe Berlin', duration: 4h}}]} | cron.timeZone | such as Europe/Berlin or UTC
adjustment: {increase: {mode: InWindow}, windows: [{name: a, beforeRenewal: {opens: 2h, closes: 48h}}]} | beforeRenewal | such as opens 48h and closes 2h
adjustment: {increase: {mode: Sometimes}} | spec.adjustment.increase.mode | "Immediate", "InWindow", "Never"
adjustment: {increase: {mode: Never, windows: [a]}} | spec.adjustment.increase.windows | goes with mode InWindow alone
adjustment: {increase: {mode: Immediate, urgentBelowFreeSeats: 1}} | urgentBelowFreeSeats | goes with mode InWindow alone
adjustment: {increase: {mode: InWindow, urgentBelowFreeSeats: 0}, windows: [{name: a, cron: {schedule: 0 6 1 * *, timeZone: UTC, duration: 4h}}]} | urgentBelowFreeSeats | greater than or equal to 1
adjustment: {increase: {mode: InWindow}, windows: [{name: a, beforeRenewal: {opens: 2161h, closes: 2h}}]} | beforeRenewal.opens must be a duration of at most 2160h | such as 48h
adjustment: {increase: {mode: InWindow}, windows: [{name: a, beforeRenewal: {opens: 48h, closes: 59m}}]} | beforeRenewal.closes must be a duration of 1h or more | such as 2h
adjustment: {increase: {mode: InWindow}, windows: [{name: a, cron: {schedule: '0 6 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1 * *', timeZone: UTC, duration: 4h}}]} | schedule | may not be more than 100
adjustment: {maxChangesPerWindow: 0} | spec.adjustment.maxChangesPerWindow | greater than or equal to 1
adjustment: {maxChangesPerWindow: 101} | spec.adjustment.maxChangesPerWindow | less than or equal to 100
adjustment: {startingDeadline: 1 day} | spec.adjustment.startingDeadline | such as 24h
adjustment: {startingDeadline: 169h} | spec.adjustment.startingDeadline | between 0s and 168h
# Who agrees.
approval: {} | spec.approval | set increaseAbove, decreaseAbove, or both
approval: {increaseAbove: -1} | spec.approval.increaseAbove | greater than or equal to 0
approval: {decreaseAbove: -1} | spec.approval.decreaseAbove | greater than or equal to 0
approval: {above: 10} | spec.approval.above | unknown field
# How many seats.
seats: -5 | spec.seats | should be greater than or equal to 1
seats: 0 | spec.seats | should be greater than or equal to 1
seats: 32768 | spec.seats is above 32767 | wrap around in Bitwarden's database; lower seats
seats: 3000000000 | spec.seats | should be less than or equal to 2147483647
seats: '150' | spec.seats | must be of type integer
seats: 1.5 | spec.seats | must be of type integer
seat: 5 | spec.seat | unknown field
# Up to which limit.
limit: {mode: UpTo, seats: 149} | spec.limit.seats is below spec.seats | raise limit.seats
limit: {mode: UpTo} | spec.limit.mode UpTo needs spec.limit.seats | add limit.seats, or use mode Pinned
limit: {mode: Pinned, seats: 170} | spec.limit.seats goes with mode UpTo alone | use mode UpTo, or remove limit.seats
limit: {mode: Unlimited, seats: 170} | spec.limit.seats goes with mode UpTo alone | use mode UpTo, or remove limit.seats
limit: {mode: null, seats: 170} | spec.limit.mode | Required value
limit: {mode: Fixed} | spec.limit.mode | "Pinned", "UpTo", "Unlimited"
limit: {mode: UpTo, seats: 32768} | spec.limit.seats is above 32767 | wrap around in Bitwarden's database; lower limit.seats
# Within which bounds.
guardrails: {minSeats: 160, maxSeats: 140} | spec.guardrails.minSeats is above | swap them, or correct one
guardrails: {maxSeats: 149} | spec.seats is above spec.guardrails.maxSeats | lower seats, or raise maxSeats
guardrails: {minSeats: 151} | spec.seats is below spec.guardrails.minSeats | raise seats, or lower minSeats
{limit: {mode: UpTo, seats: 201}, guardrails: {maxSeats: 200}} | spec.limit.seats is above spec.guardrails.maxSeats | lower limit.seats, or raise maxSeats
{limit: {mode: Unlimited}, guardrails: {maxSeats: 200}} | spec.limit.mode Unlimited and spec.guardrails.maxSeats exclude each other | use mode UpTo or Pinned, or remove maxSeats
guardrails: {minSeats: 0} | spec.guardrails.minSeats | should be greater than or equal to 1
guardrails: {maxIncrease: 0} | spec.guardrails.maxIncrease | should be greater than or equal to 1
guardrails: {maxDecrease: -1} | spec.guardrails.maxDecrease | should be greater than or equal to 1
{vendor: {bitwarden: null, immuta: {credentialsSecretRef: {name: a}}}, guardrails: {maxSeats: 200}} | spec.guardrails.maxSeats cannot be kept at Immuta | remove maxSeats
{vendor: {bitwarden: null, immuta: {credentialsSecretRef: {name: a}}}, guardrails: {maxIncrease: 5}} | spec.guardrails.maxIncrease cannot be kept at Immuta | remove maxIncrease
{vendor: {bitwarden: null, immuta: {credentialsSecretRef: {name: a}}}, limit: {mode: Pinned}} | spec.limit is for vendors that buy by themselves | remove limit
guardrails: {max: 5} | spec.guardrails.max | unknown field
# By the use.
{seats: null, sizing: {}} | spec.sizing.headroom | Required value
{seats: null, sizing: {headroom: {}}} | spec.sizing.headroom is empty | set seats, percent, or both
{seats: null, sizing: {headroom: {percent: 1001}}} | spec.sizing.headroom.percent | should be less than or equal to 1000
{seats: null, sizing: {headroom: {percent: -1}}} | spec.sizing.headroom.percent | should be greater than or equal to 0
{seats: null, sizing: {headroom: {seats: -1}}} | spec.sizing.headroom.seats | should be greater than or equal to 0
{seats: null, sizing: {headroom: {seats: 5}, step: 0}} | spec.sizing.step | should be greater than or equal to 1
{seats: null, sizing: {headroom: {seats: 5}, step: 32768}} | spec.sizing.step | should be less than or equal to 32767
{seats: null, sizing: {headroom: {seats: 5}, decreaseAfter: 59m}} | spec.sizing.decreaseAfter must be a duration between 1h and 2160h | such as 336h
{seats: null, sizing: {headroom: {seats: 5}, decreaseAfter: 2161h}} | spec.sizing.decreaseAfter must be a duration between 1h and 2160h | such as 336h
{seats: null, sizing: {headroom: {seats: 5}, decreaseAfter: 2 weeks}} | spec.sizing.decreaseAfter must be a duration between 1h and 2160h | whole numbers with units
{seats: null, sizing: {headroom: {seats: 5}, decreaseAfter: ''}} | spec.sizing.decreaseAfter must be a duration between 1h and 2160h | whole numbers with units
{seats: null, sizing: {headroom: {seats: 5}, decreaseAfter: 0000000000000000000336h}} | spec.sizing.decreaseAfter | may not be more than 20
{seats: null, sizing: {headroom: {seats: 5, atLeast: 3}}} | spec.sizing.headroom.atLeast | unknown field
{seats: null, sizing: {headroom: {seats: 5}, increaseAfter: 1h}} | spec.sizing.increaseAfter | unknown field
sizing: {headroom: {seats: 5}} | spec.seats and spec.sizing exclude each other | remove seats (kubectl scale writes it), or remove sizing
{seats: null, limit: {mode: UpTo, seats: 200}, sizing: {headroom: {seats: 5}}} | spec.sizing goes with limit mode Pinned alone | use mode Pinned, or remove sizing
{seats: null, limit: {mode: Unlimited}, sizing: {headroom: {seats: 5}}} | spec.sizing goes with limit mode Pinned alone | use mode Pinned, or remove sizing
{vendor: {bitwarden: null, immuta: {credentialsSecretRef: {name: a}}}, seats: null, limit: null, sizing: {headroom: {seats: 5}}} | spec.sizing is for seats that are set as a number | remove sizing, and declare seats to be warned
{seats: null, sizing: {headroom: {seats: 5}}, adjustment: {increase: {mode: InWindow, urgentBelowFreeSeats: 6}, windows: [{name: w, cron: {schedule: '0 6 1 * *', timeZone: UTC, duration: 4h}}]}} | spec.adjustment.increase.urgentBelowFreeSeats is above spec.sizing.headroom.seats | lower it, or raise the headroom
# When, and whether at all.
interval: 0s | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: 10 minutes | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: '' | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: 25h | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: 1.5h | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: 500ms | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: 5m1h | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: -5m | spec.interval must be a duration between 1s and 24h | whole numbers with units, largest first, such as 90s, 10m or 1h30m
interval: 600 | spec.interval | must be of type string
interval: 000000000000000000010m | spec.interval | may not be more than 20
suspend: 'yes' | spec.suspend | must be of type boolean
# Which cluster changes the account.
activeCluster: Prod-EU | spec.activeCluster must be the --cluster-name of an operator, or none | lower-case letters, digits and dashes
activeCluster: prod.eu | spec.activeCluster must be the --cluster-name of an operator, or none | such as prod-eu
activeCluster: -prod | spec.activeCluster must be the --cluster-name of an operator, or none | a letter or a digit at each end
activeCluster: prod- | spec.activeCluster must be the --cluster-name of an operator, or none | a letter or a digit at each end
activeCluster: '' | spec.activeCluster must be the --cluster-name of an operator, or none | 1 to 63
activeCluster: a234567890123456789012345678901234567890123456789012345678901234 | spec.activeCluster | may not be more than 63
activeCluster: 7 | spec.activeCluster | must be of type string
managementPolicy: Ignore | spec.managementPolicy | "Manage", "Observe"
driftPolicy: Fix | spec.driftPolicy | "Correct", "Report"
thresholds: {freePercent: 101} | spec.thresholds.freePercent | should be less than or equal to 100
thresholds: {freeSeats: -1} | spec.thresholds.freeSeats | should be greater than or equal to 0
# A null where something must be given is no way around it.
vendor: <null> | spec.vendor | Required value
vendor: {bitwarden: <null>} | spec.vendor | must name exactly one vendor: bitwarden
vendor: {bitwarden: {credentialsSecretRef: <null>}} | spec.vendor.bitwarden | needs a key
vendor: {bitwarden: {credentialsSecretRef: {name: <null>}}} | spec.vendor.bitwarden.credentialsSecretRef | name: Required value
limit: {mode: <null>} | spec.limit.mode | Required value
"#;

/// The lines of a table, split into cells.
pub fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split(" | ").map(str::trim).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn contradictory_spec_is_refused_by_field_with_fix() {
    needs_control_plane!();
    let d = desk("refused").await;
    let mut held = Held::default();
    for row in rows(REFUSED) {
        held.hold(row[0], &refusal(d.create("x", yaml(row[0])).await), row[1], row[2]);
    }
    held.done();
    assert_eq!(d.seats().list(&Default::default()).await.unwrap().items.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_that_makes_sense_is_admitted() {
    needs_control_plane!();
    let d = desk("admitted").await;
    let shapes = [
        "{seats: null, limit: null, interval: null}",
        "{}",
        "seats: 1",
        "seats: 32767",
        "limit: {mode: UpTo, seats: 32767}",
        "guardrails: {maxSeats: 40000}",
        "limit: {mode: UpTo, seats: 150}",
        "limit: {mode: Unlimited}",
        "{limit: {mode: Unlimited}, guardrails: {minSeats: 100}}",
        "{seats: null, limit: {mode: UpTo, seats: 5}}",
        "guardrails: {}",
        "guardrails: {minSeats: 150, maxSeats: 150}",
        "guardrails: {maxIncrease: 1, maxDecrease: 1}",
        "{seats: null, guardrails: {minSeats: 100, maxSeats: 200}}",
        "{managementPolicy: Observe, suspend: true}",
        "activeCluster: none",
        "activeCluster: prod-eu",
        "activeCluster: a",
        "activeCluster: a23456789012345678901234567890123456789012345678901234567890123",
        "thresholds: {}",
        "thresholds: {freeSeats: 0, freePercent: 100}",
        "interval: 1s",
        "interval: 1h30m",
        "interval: 24h",
        "interval: 86400s",
        "vendor: {bitwarden: {region: US}}",
        "vendor: {bitwarden: {region: EU}}",
        "vendor: {bitwarden: {region: Gov}}",
        "vendor: {bitwarden: {product: PasswordManager}}",
        "vendor: {bitwarden: {product: SecretsManager}}",
        "vendor: {bitwarden: {product: MachineAccounts}}",
        "vendor: {bitwarden: {credentialsSecretRef: {name: 1.a-b.c2}}}",
        "vendor: {bitwarden: {ownerCredentialsSecretRef: {name: owner}}}",
        "vendor: {bitwarden: {credentialsSecretRef: {name: a}, ownerCredentialsSecretRef: {name: b}}}",
        "vendor: {bitwarden: {ownerCredentialsSecretRef: {name: b}, organizationId: 6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11}}",
        "thresholds: {expiry: [720h, 1h30m, 90s]}",
        "{seats: null, sizing: {headroom: {seats: 0}}}",
        "{seats: null, limit: null, sizing: {headroom: {percent: 1000}, step: 32767, decreaseAfter: 1h}}",
        "{seats: null, sizing: {headroom: {seats: 5, percent: 0}, decreaseAfter: 2160h}}",
        "{seats: null, sizing: {headroom: {seats: 5}}, guardrails: {minSeats: 100, maxSeats: 200, maxIncrease: 20, maxDecrease: 10}}",
        "{seats: null, sizing: {headroom: {seats: 5}}, adjustment: {increase: {mode: InWindow, urgentBelowFreeSeats: 5}, windows: [{name: w, cron: {schedule: \"0 6 1 * *\", timeZone: UTC, duration: 4h}}]}}",
    ];
    for (number, shape) in shapes.into_iter().enumerate() {
        let admitted = d.create(&format!("n{number}"), yaml(shape)).await;
        assert!(admitted.is_ok(), "{shape}: {admitted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_and_zone_that_operator_reads_are_admitted() {
    needs_control_plane!();
    let d = desk("schedules").await;
    let windows = [
        "{schedule: 59 23 1W * *, timeZone: UTC, duration: 4h}",
        "{schedule: '*/59 0-23 * jan-MAR,12 MON#1', timeZone: Etc/GMT+1, duration: 1h}",
        "{schedule: '05  006  LW  *  *', timeZone: America/Port-au-Prince, duration: 4h}",
        "{schedule: '0 6 * * FRI#L,5L', timeZone: America/Argentina/Buenos_Aires, duration: 4h}",
    ];
    for (number, cron) in windows.into_iter().enumerate() {
        let shape = format!("{{adjustment: {{increase: {{mode: InWindow}}, windows: [{{name: a, cron: {cron}}}]}}}}");
        let admitted = d.create(&format!("n{number}"), yaml(&shape)).await;
        assert!(admitted.is_ok(), "{shape}: {admitted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explicit_null_is_an_absent_field() {
    needs_control_plane!();
    let d = desk("null").await;
    let all = "{vendor: {bitwarden: {product: <null>, region: <null>}}, seats: <null>, limit: <null>, guardrails: <null>, \
               managementPolicy: <null>, suspend: <null>, thresholds: <null>, interval: <null>}";
    let stored = d.create("all", yaml(all)).await.expect("nulls are admitted");
    let spec = serde_json::to_value(&stored.spec).unwrap();
    let expected = json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": "key" } } } });
    assert_eq!(spec, expected);
    let deep = "{limit: {seats: <null>}, guardrails: {minSeats: <null>, maxSeats: <null>}, \
                thresholds: {freeSeats: <null>, freePercent: <null>}}";
    let stored = d.create("deep", yaml(deep)).await.expect("nulls further down are admitted");
    assert_eq!(stored.spec.guardrails, Some(Default::default()));
    assert_eq!(stored.spec.thresholds, Some(Default::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn vendor_and_product_of_object_are_immutable() {
    needs_control_plane!();
    let d = desk("fixed").await;
    d.create("acme", json!({})).await.unwrap();
    let another = "create another LicenseSeats";
    let product = "spec.vendor.bitwarden.product cannot change";
    let mut held = Held::default();
    for (change, field) in [
        ("vendor: {bitwarden: null}", "spec.vendor cannot change to another vendor"),
        ("vendor: {bitwarden: {product: SecretsManager}}", product),
        ("vendor: {bitwarden: {product: MachineAccounts}}", product),
    ] {
        held.hold(change, &refusal(d.patch("acme", yaml(change)).await), field, another);
    }
    held.done();
    // The same thing said or left unsaid is no change; Secret and region may be corrected.
    for change in [
        "vendor: {bitwarden: {product: PasswordManager}}",
        "vendor: {bitwarden: {product: null}}",
        "vendor: {bitwarden: {region: EU}}",
        "vendor: {bitwarden: {credentialsSecretRef: {name: other}}}",
    ] {
        let patched = d.patch("acme", yaml(change)).await;
        assert!(patched.is_ok(), "{change}: {patched:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_writes_the_seats_and_keeps_to_the_same_rules() {
    needs_control_plane!();
    let d = desk("scale").await;
    let rails = "guardrails: {minSeats: 100, maxSeats: 200}";
    d.create("acme", yaml(rails)).await.unwrap();
    d.create("upto", yaml("limit: {mode: UpTo, seats: 160}")).await.unwrap();
    d.create("sized", yaml("{seats: null, sizing: {headroom: {seats: 5}}}")).await.unwrap();
    let mut held = Held::default();
    for (name, replicas, field, fix) in [
        ("acme", 201, "spec.seats is above spec.guardrails.maxSeats", "raise maxSeats"),
        ("acme", 99, "spec.seats is below spec.guardrails.minSeats", "lower minSeats"),
        ("acme", 0, "spec.seats", "should be greater than or equal to 1"),
        ("upto", 161, "spec.limit.seats is below spec.seats", "raise limit.seats"),
        ("upto", 40_000, "spec.seats is above 32767", "lower seats"),
        ("sized", 120, "spec.seats and spec.sizing exclude each other", "kubectl scale writes it"),
    ] {
        held.hold("/scale", &refusal(d.scale(name, replicas).await), field, fix);
        let args = ["scale", &format!("seats/{name}"), &format!("--replicas={replicas}")];
        let kubectl = d.plane.kubectl_in(&d.namespace, &args, "").await;
        held.hold("kubectl scale", &kubectl.refused(), field, fix);
    }
    held.done();

    let scaled = d.scale("acme", 175).await.expect("175 is within the guard rails");
    assert_eq!(scaled.spec.unwrap().replicas, Some(175));
    let kubectl = ["scale", "seats/acme", "--replicas=180"];
    d.plane.kubectl_in(&d.namespace, &kubectl, "").await.ok();
    assert_eq!(d.seats().get("acme").await.unwrap().spec.seats, Some(180));

    // What is bought is the replica count that people and autoscalers read.
    let bought = Patch::Merge(json!({ "status": { "seats": 179 } }));
    let patched = d.seats().patch_status("acme", &PatchParams::default(), &bought).await;
    patched.expect("the status is written");
    let read = d.seats().get_scale("acme").await.unwrap();
    let status = read.status.unwrap();
    assert_eq!((read.spec.unwrap().replicas, status.replicas), (Some(180), 179));
    // An autoscaler rejects a scale without a selector.
    assert_eq!(status.selector.as_deref(), Some("seatkeeper.dev/pods=none"));
}
