//! What is played: the simulated organizations, and `examples/` as applied to them. No I/O but reading the examples.
//!
//! The examples are made for Bitwarden's clouds. Four things are changed here, and nothing else: the region goes (the
//! Secrets name the simulator), the interval gets short, what spends money first waits (`suspend`), and windows by the calendar
//! open hours later, until the stage lets one open within a minute.

use std::fs;
use std::path::Path;

use seatkeeper_support::workspace_root;
use serde::Deserialize as _;
use serde_json::{Value, json};
use vendor_sim::{License, Organization, OrganizationKey, Role, Simulator, UserKey};

use crate::Failure;
use crate::tenants::{self, Filled};

/// The object that goes from 100 to 150 seats.
pub(crate) const MANAGED: &str = "acme-bitwarden";
/// The object that waits for its window.
pub(crate) const MONTHLY: &str = "acme-monthly";
/// A credential of Bitwarden in `examples/`.
const ORGANIZATION_KEY: &str = "bitwarden-org";
/// How often the simulator is read, so that nobody waits.
const INTERVAL: &str = "3s";
/// What the Secret of the refused object holds instead of the key's secret.
const REFUSED_SECRET: &str = "rotated-away-last-week";

/// A key and the Secret that the examples name for it.
pub(crate) struct Part {
    pub(crate) secret: &'static str,
    /// The organization, as the simulator's control API names it.
    pub(crate) id: String,
    client_id: String,
    pub(crate) client_secret: String,
    /// Its Secret does not hold the right clientSecret.
    refused: bool,
    server: String,
    ca: String,
}

impl Part {
    fn of(simulator: &Simulator, secret: &'static str, organization: Organization) -> Self {
        let OrganizationKey { id, client_id, client_secret } = simulator.bitwarden().add_organization(organization);
        let (server, ca) = (simulator.url(), simulator.ca_pem());
        Self { secret, id, client_id, client_secret, refused: false, server, ca }
    }

    /// The personal key of the organization's owner.
    fn owner(&self, simulator: &Simulator, secret: &'static str) -> Self {
        let UserKey { client_id, client_secret, .. } = simulator.bitwarden().add_user_key(&self.id, Role::Owner);
        let (id, server, ca) = (self.id.clone(), self.server.clone(), self.ca.clone());
        Self { secret, id, client_id, client_secret, refused: false, server, ca }
    }
}

/// All organizations, put into the cloud and into the self-hosted server.
#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
pub(crate) fn organizations(cloud: &Simulator, self_hosted: &Simulator) -> Vec<Part> {
    // Ids and secrets that can be read and compared; they are worth nothing outside of this process.
    let acme = Organization::enterprise("Acme")
        .id("6f1c8a52-0000-4000-8000-000000000001")
        .client_secret("acme-organization-key")
        .seats(100)
        .limit(120)
        .members(92)
        .secrets_manager(25, 60)
        .sm_limit(25)
        .service_account_limit(60);
    let eu = Organization::enterprise("Acme Europe")
        .id("6f1c8a52-0000-4000-8000-000000000002")
        .client_secret("acme-eu-organization-key")
        .seats(30)
        .members(28);
    let labs = Organization::enterprise("Acme Labs")
        .id("6f1c8a52-0000-4000-8000-000000000003")
        .client_secret("acme-labs-organization-key")
        .seats(95)
        .limit(110)
        .members(90);
    let owned = Organization::enterprise("Acme Families")
        .id("6f1c8a52-0000-4000-8000-000000000004")
        .client_secret("acme-owned-organization-key")
        .seats(50)
        .limit(50)
        .members(41)
        .sponsored_families(4);
    let now = jiff::Timestamp::now();
    let in_days = |days: i64| now + jiff::SignedDuration::from_hours(24 * days);
    let license = License { expires: in_days(80), expires_without_grace_period: in_days(20) };
    let growing = Organization::enterprise("Acme Growing")
        .id("6f1c8a52-0000-4000-8000-000000000005")
        .client_secret("acme-growing-organization-key")
        .seats(100)
        .limit(120)
        .members(92);
    let renewing = Organization::enterprise("Acme Renewing")
        .id("6f1c8a52-0000-4000-8000-000000000006")
        .client_secret("acme-renewing-organization-key")
        .seats(90)
        .limit(90)
        .members(80);
    let sized = Organization::enterprise("Acme Sized")
        .id("6f1c8a52-0000-4000-8000-000000000007")
        .client_secret("acme-sized-organization-key")
        .seats(110)
        .limit(110)
        .members(92);
    let sized = Part::of(cloud, "bitwarden-sized", sized);
    let approved = Organization::enterprise("Acme Budget")
        .id("6f1c8a52-0000-4000-8000-000000000009")
        .client_secret("acme-budget-organization-key")
        .seats(100)
        .limit(100)
        .members(92);
    let two_clusters = Organization::enterprise("Acme Two Clusters")
        .id("6f1c8a52-0000-4000-8000-000000000008")
        .client_secret("acme-two-clusters-organization-key")
        .seats(50)
        .limit(50)
        .members(48);
    let renewing = Part::of(cloud, "", renewing);
    let own = Organization::enterprise("Acme Lab").seats(40).members(38).license(license);
    let owned = Part::of(cloud, "bitwarden-owned", owned);
    let own = Part::of(self_hosted, "", own);
    vec![
        Part::of(cloud, "bitwarden-org", acme),
        Part { refused: true, ..Part::of(cloud, "bitwarden-eu", eu) },
        Part::of(cloud, "bitwarden-labs", labs),
        owned.owner(cloud, "bitwarden-owner"),
        owned,
        Part::of(cloud, "bitwarden-growing", growing),
        renewing.owner(cloud, "bitwarden-renewing"),
        sized.owner(cloud, "bitwarden-sized-owner"),
        sized,
        Part::of(cloud, "bitwarden-approval", approved),
        Part::of(cloud, "bitwarden-two-clusters", two_clusters),
        own.owner(self_hosted, "bitwarden-self-hosted"),
    ]
}

/// The Secrets and the LicenseSeats, as one list for `kubectl apply`.
pub(crate) fn manifests(parts: &[Part], immuta: &[Filled]) -> Result<String, Failure> {
    let (secrets, objects): (Vec<_>, Vec<_>) =
        examples()?.into_iter().partition(|object| object["kind"].as_str() == Some("Secret"));
    let like = |name: &str| {
        let found = secrets.iter().find(|secret| secret["metadata"]["name"] == name);
        found.ok_or_else(|| Failure(format!("examples/ has no Secret {name}")))
    };
    let mut items = Vec::new();
    for part in parts {
        items.push(part.fill(like(ORGANIZATION_KEY)?));
    }
    for Filled { name, like: example, data } in immuta {
        items.push(filled(like(example)?, name, data.clone()));
    }
    for mut object in objects {
        adapt(&mut object, parts, immuta)?;
        items.push(object);
    }
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string())
}

impl Part {
    /// The example Secret with the values of this organization.
    fn fill(&self, template: &Value) -> Value {
        let client_secret = if self.refused { REFUSED_SECRET } else { self.client_secret.as_str() };
        let data = json!({
            "clientId": self.client_id,
            "clientSecret": client_secret,
            "server": self.server,
            "ca.crt": self.ca,
        });
        filled(template, self.secret, data)
    }
}

fn filled(template: &Value, name: &str, data: Value) -> Value {
    let mut secret = template.clone();
    secret["metadata"]["name"] = json!(name);
    secret["stringData"] = data;
    secret
}

fn adapt(object: &mut Value, parts: &[Part], immuta: &[Filled]) -> Result<(), Failure> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if object["kind"] == "SeatApproval" {
        return Ok(());
    }
    let spec = &mut object["spec"];
    spec["interval"] = json!(INTERVAL);
    // An index into a value that may change would add what is missing, as null.
    for window in spec.pointer_mut("/adjustment/windows").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(cron) = window.get_mut("cron") {
            *cron = opens_at(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(6));
        }
    }
    if name == MANAGED {
        spec["suspend"] = json!(true);
    }
    if let Some(missing) = tenants::missing(&spec["vendor"]["immuta"], immuta) {
        return Err(Failure(format!(
            "examples/ has {name} with Secret {missing}, which tests/quickstart/src/tenants.rs does not make"
        )));
    }
    let Some(bitwarden) = spec["vendor"].get_mut("bitwarden") else { return Ok(()) };
    for reference in ["credentialsSecretRef", "ownerCredentialsSecretRef"] {
        let secret = bitwarden[reference]["name"].as_str();
        if secret.is_some_and(|secret| !parts.iter().any(|part| part.secret == secret)) {
            return Err(Failure(format!(
                "examples/ has {name} with Secret {secret:?}, for which tests/quickstart/src/scene.rs has no organization"
            )));
        }
    }
    if let Some(bitwarden) = bitwarden.as_object_mut() {
        bitwarden.remove("region");
    }
    Ok(())
}

/// A window that opens daily at the minute of this time.
pub(crate) fn opens_at(time: jiff::Timestamp) -> Value {
    let schedule = time.strftime("%-M %-H * * *").to_string();
    json!({ "schedule": schedule, "timeZone": "UTC", "duration": "1h" })
}

/// All objects of all files, by file name.
fn examples() -> Result<Vec<Value>, Failure> {
    let dir = workspace_root().join("examples");
    let listed = fs::read_dir(&dir).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut files: Vec<_> = listed.map_err(Failure::from_io(dir.display()))?;
    files.sort();
    let parsed = files.iter().map(|file| parse(file));
    Ok(parsed.collect::<Result<Vec<_>, _>>()?.concat())
}

fn parse(file: &Path) -> Result<Vec<Value>, Failure> {
    let text = fs::read_to_string(file).map_err(Failure::from_io(file.display()))?;
    let documents = serde_yaml::Deserializer::from_str(&text);
    let objects = documents.map(Value::deserialize).collect::<Result<_, _>>();
    objects.map_err(|error| Failure(format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted(mut object: Value) -> Value {
        adapt(&mut object, &[], &[]).unwrap();
        object["spec"].take()
    }

    #[test]
    fn object_without_windows_is_applied_without_the_field() {
        let spec = adapted(json!({ "spec": { "vendor": {} } }));
        assert_eq!(spec, json!({ "vendor": {}, "interval": INTERVAL }));
    }

    #[test]
    fn quickstart_opens_calendar_window_hours_later_and_keeps_renewal_window() {
        let renewal = json!({ "name": "renewal", "beforeRenewal": { "opens": "48h" } });
        let month_start = json!({ "name": "month-start", "cron": { "schedule": "0 6 1W * *" } });
        let adjustment = json!({ "windows": [renewal, month_start] });
        let spec = adapted(json!({ "spec": { "vendor": {}, "adjustment": adjustment } }));
        let windows = &spec["adjustment"]["windows"];
        assert_eq!(windows[0], renewal);
        assert_eq!(windows[1]["cron"]["duration"], "1h");
    }
}
