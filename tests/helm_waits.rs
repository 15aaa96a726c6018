//! `helm install --wait` and `helm upgrade --wait` of a chart with LicenseSeats in it: Helm goes on where an object waits on purpose, and
//! fails at once, by the object's name, where only a person can go on.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use seatkeeper_support::{Output, needs_control_plane, scratch_dir};
use serde_json::{Value, json};

use crate::tenants::Tenant;
use crate::windows::{far, opening_at};
use crate::world::{World, organization, said, world};

/// How long Helm would wait.
const TIMEOUT: Duration = Duration::from_secs(120);

/// One LicenseSeats for each entry of the value `seats`.
const TEMPLATE: &str = "{{- range $name, $spec := .Values.seats }}
apiVersion: seatkeeper.dev/v1alpha1
kind: LicenseSeats
metadata: {name: {{ $name }}}
spec: {{ toJson $spec }}
---
{{- end }}
";

fn chart() -> PathBuf {
    let chart = scratch_dir("seats");
    fs::create_dir(chart.join("templates")).expect("a folder");
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: seats\nversion: 1.0.0\n").expect("a file");
    fs::write(chart.join("templates/seats.yaml"), TEMPLATE).expect("a file");
    chart
}

/// Seats of an organization of this tenant, which has 100.
fn seats(tenant: &Tenant<'_>, more: &Value) -> Value {
    let mut spec = json!({
        "vendor": { "bitwarden": { "credentialsSecretRef": { "name": tenant.name } } },
        "seats": 110, "limit": { "mode": "Pinned" }, "interval": "1s",
    });
    crate::world::merge(&mut spec, more.clone());
    json!({ tenant.name.as_str(): spec })
}

/// Installs or upgrades the release, and says how long Helm took.
async fn deploy(w: &World, chart: &str, seats: &[&Value]) -> (Output, Duration) {
    let mut all = json!({});
    for one in seats {
        crate::world::merge(&mut all, (*one).clone());
    }
    let values = scratch_dir("values").join("values.json");
    fs::write(&values, json!({ "seats": all }).to_string()).expect("a file of values");
    let (values, timeout) = (values.display().to_string(), format!("--timeout={}s", TIMEOUT.as_secs()));
    let upgrade = ["upgrade", "--install", "seats", chart, "--wait", &timeout, "--namespace", &w.namespace];
    let started = Instant::now();
    let output = w.plane.helm(&[&upgrade[..], &["--values", &values]].concat()).await;
    (output, started.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_goes_on_over_a_window_and_fails_at_once_over_a_guard_rail() {
    needs_control_plane!();
    let (w, chart) = (world("helm-waits").await, chart().display().to_string());
    let (waiting, held) = (w.tenant("waiting", organization()).await, w.tenant("held", organization()).await);
    let window = seats(&waiting, &json!({ "adjustment": opening_at(far()) }));
    let (installed, _) = deploy(&w, &chart, &[&window]).await;
    installed.ok();
    assert_eq!(said(&waiting.status().await, "ChangePending"), "True/AwaitingWindow", "Helm has waited for that");

    let rail = seats(&held, &json!({ "guardrails": { "maxIncrease": 5 } }));
    let (refused, took) = deploy(&w, &chart, &[&window, &rail]).await;
    let told = refused.refused();
    let not_ready = |name: &str| format!("resource LicenseSeats/{}/{name} not ready", w.namespace);
    assert!(told.contains(&format!("{}. status: Failed", not_ready("held"))), "{told}");
    assert!(told.contains("guardrails.maxIncrease"), "what to do: {told}");
    assert!(!told.contains(&not_ready("waiting")), "{told}");
    assert!(took < TIMEOUT / 2, "{took:?}: {told}");

    // The twin: nothing else stood against it.
    let rail = seats(&held, &json!({ "guardrails": { "maxIncrease": 10 } }));
    let (upgraded, _) = deploy(&w, &chart, &[&window, &rail]).await;
    upgraded.ok();
    assert_eq!((held.organization().seats, held.puts(), waiting.puts()), (Some(110), 1, 0));
}
