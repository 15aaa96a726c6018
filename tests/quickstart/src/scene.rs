//! What is played: the simulated organizations, and `examples/` as applied to them. No I/O but reading the examples.
//!
//! The examples are made for Bitwarden's clouds. Three things are changed here, and nothing else: the region goes (the
//! Secrets name the simulator), the interval gets short, and what spends money first waits (`suspend`).

use std::fs;
use std::path::Path;

use seatkeeper_support::workspace_root;
use serde::Deserialize as _;
use serde_json::{Value, json};
use vendor_sim::{Organization, OrganizationKey, Simulator};

use crate::Failure;

/// The object that goes from 100 to 150 seats.
pub(crate) const MANAGED: &str = "acme-bitwarden";
/// How often the simulator is read, so that nobody waits.
const INTERVAL: &str = "3s";
/// What the Secret of the refused object holds instead of the key's secret.
const REFUSED_SECRET: &str = "rotated-away-last-week";

/// An organization and the Secret that the examples name for it.
pub(crate) struct Part {
    pub(crate) secret: &'static str,
    pub(crate) key: OrganizationKey,
    /// Its Secret does not hold the right clientSecret.
    refused: bool,
}

/// The three organizations, put into the simulator.
pub(crate) fn organizations(simulator: &Simulator) -> Vec<Part> {
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
    let part = |secret, organization, refused| Part {
        secret,
        key: simulator.bitwarden().add_organization(organization),
        refused,
    };
    vec![part("bitwarden-org", acme, false), part("bitwarden-eu", eu, true), part("bitwarden-labs", labs, false)]
}

/// The Secrets and the LicenseSeats, as one list for `kubectl apply`.
pub(crate) fn manifests(simulator: &Simulator, parts: &[Part]) -> Result<String, Failure> {
    let (secrets, objects): (Vec<_>, Vec<_>) =
        examples()?.into_iter().partition(|object| object["kind"].as_str() == Some("Secret"));
    let template = secrets.first().ok_or_else(|| Failure("examples/ has no Secret".to_owned()))?;
    let mut items: Vec<Value> = parts.iter().map(|part| part.fill(template, simulator)).collect();
    for mut object in objects {
        adapt(&mut object, parts)?;
        items.push(object);
    }
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string())
}

impl Part {
    /// The example Secret with the values of this organization.
    fn fill(&self, template: &Value, simulator: &Simulator) -> Value {
        let mut secret = template.clone();
        let client_secret = if self.refused { REFUSED_SECRET } else { self.key.client_secret.as_str() };
        secret["metadata"]["name"] = json!(self.secret);
        secret["stringData"] = json!({
            "clientId": self.key.client_id,
            "clientSecret": client_secret,
            "server": simulator.url(),
            "ca.crt": simulator.ca_pem(),
        });
        secret
    }
}

fn adapt(object: &mut Value, parts: &[Part]) -> Result<(), Failure> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let spec = &mut object["spec"];
    spec["interval"] = json!(INTERVAL);
    if name == MANAGED {
        spec["suspend"] = json!(true);
    }
    let bitwarden = &mut spec["vendor"]["bitwarden"];
    let secret = bitwarden["credentialsSecretRef"]["name"].as_str().unwrap_or_default();
    if !parts.iter().any(|part| part.secret == secret) {
        return Err(Failure(format!(
            "examples/ has {name} with Secret {secret:?}, for which tests/quickstart/src/scene.rs has no organization"
        )));
    }
    if let Some(bitwarden) = bitwarden.as_object_mut() {
        bitwarden.remove("region");
    }
    Ok(())
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
