//! The pages that a new user follows: install, declare, look, buy, confirm.

use std::fs;

use seatkeeper_support::{ControlPlane, Plane, SYSTEM_NAMESPACE, needs_control_plane};
use serde_json::{Value, json};
use vendor_sim::immuta::LicenseKey;
use vendor_sim::{Fault, FaultKind};

use super::page::Page;
use super::until_rolled_out;
use crate::cluster::Kubelet;
use crate::immuta::acme;
use crate::world::{FAST, World, condition, organization, world};

/// The spec of the operator's pods.
async fn deployment(cp: &ControlPlane) -> Value {
    let got = cp.kubectl_in(SYSTEM_NAMESPACE, &["get", "deployment", "seatkeeper", "-o", "json"], "").await.ok();
    serde_json::from_str::<Value>(&got).expect("JSON")["spec"].take()
}

/// The ID that the message of `Ready` asks a person for.
async fn asked_id(w: &World, name: &str, reason: &str) -> String {
    let status = w.until_reason(name, "Ready", reason).await;
    let message = &condition(&status, "Ready").expect("Ready").message;
    let (_, id) = message.split_once("seatkeeper.dev/confirm=").expect("what to annotate");
    id.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// Installs and tests a release as the README has it. Its operator ends with the kubelet.
async fn install(page: &Page, cp: &ControlPlane) {
    let _controllers = cp.start_controllers();
    let kubelet = Kubelet::start(cp).await;
    let scenes = async {
        page.follow_together(cp, &["IMAGE=", "helm install seatkeeper"], "true").await.ok();
        until_rolled_out(cp, SYSTEM_NAMESPACE, "seatkeeper").await;
        // A kubelet serves the log, and a test stands in for the kubelet.
        page.follow_but(cp, "helm test seatkeeper", &[(" --logs", "")]).await.ok();
    };
    tokio::select! {
        () = scenes => {}
        () = kubelet.run() => {}
    }
    let image = &deployment(cp).await["template"]["spec"]["containers"][0]["image"];
    assert_eq!(*image, "registry.example.com/seatkeeper:dev");
}

/// Allows the host of a tenant, and sets what the README shows of everyday settings.
async fn upgrade(page: &Page, cp: &ControlPlane) {
    let upgrade = "helm upgrade seatkeeper charts/seatkeeper --namespace seatkeeper-system --reuse-values --set";
    page.follow(cp, &format!("{upgrade} 'vendors.allowedHosts")).await.ok();
    page.follow(cp, &format!("{upgrade} replicas=2")).await.ok();
    let spec = deployment(cp).await;
    let args = spec["template"]["spec"]["containers"][0]["args"].to_string();
    for flag in ["--allowed-host=immuta.example.org", "--min-interval=1m", "--log-format=text"] {
        assert!(args.contains(flag), "{flag}: {args}");
    }
    assert_eq!(spec["replicas"], 2);
    cp.kubectl_in(SYSTEM_NAMESPACE, &["get", "service", "seatkeeper"], "").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn readme_installs_looks_before_it_buys_and_confirms() {
    needs_control_plane!();
    let (page, cp) = (Page::open("README.md"), ControlPlane::start().await);
    install(&page, &cp).await;
    upgrade(&page, &cp).await;
    page.follow(&cp, "kubectl create namespace it").await.ok();
    let w = World::on(Plane::Own(Box::new(cp)), "it".to_owned(), String::new(), organization(), FAST).await;
    for explained in ["kubectl explain licenseseats.spec", "kubectl explain licenseseats.status"] {
        assert!(page.follow(&w.plane, explained).await.ok().contains("FIELDS:"), "{explained}");
    }
    let own = [("organization.ID", w.key.client_id.as_str()), ("SECRET", w.key.client_secret.as_str())];
    page.follow_but(&w.plane, "kubectl -n it create secret generic bitwarden-org", &own).await.ok();
    page.follow(&w.plane, "kubectl patch --local -f examples/bitwarden.yaml").await.ok();
    declare(&page, &w).await;
    confirm(&page, &w).await;
    page.close();
}

/// Looks at what would be bought, buys it, and has the vendor read at once.
async fn declare(page: &Page, w: &World) {
    // The simulated vendor is none of Bitwarden's clouds.
    let server = json!({ "stringData": { "server": w.vendor.url(), "ca.crt": w.vendor.ca_pem() } }).to_string();
    w.plane.kubectl_in("it", &["patch", "secret", "bitwarden-org", "--type=merge", "-p", &server], "").await.ok();
    edit(page, "      region: US\n", "");
    page.follow(&w.plane, "kubectl -n it apply -f acme.yaml").await.ok();
    let suspended = |status: &seatkeeper::api::LicenseSeatsStatus| {
        status.summary.as_ref().is_some_and(|told| told.starts_with("+50 seats") && told.ends_with(": suspended"))
    };
    w.until("acme-bitwarden", "what would be bought", suspended).await;
    assert!(page.follow(&w.plane, "kubectl -n it get licenseseats").await.ok().contains("+50 seats"));
    assert_eq!(w.puts(), 0);
    edit(page, "suspend: true", "suspend: false");
    page.follow(&w.plane, "kubectl -n it apply -f acme.yaml").await.ok();
    w.until_in_sync("acme-bitwarden", 150).await;
    assert_eq!(w.puts(), 1);
    let annotate = "kubectl -n it annotate licenseseats acme-bitwarden --overwrite seatkeeper.dev/";
    page.follow(&w.plane, &format!("{annotate}reconcile-requested-at")).await.ok();
    w.until("acme-bitwarden", "the reading", |status| status.last_handled_reconcile_at.is_some()).await;
}

/// A new object over the same account asks before it lowers seats.
async fn confirm(page: &Page, w: &World) {
    w.seats().delete("acme-bitwarden", &Default::default()).await.expect("delete");
    edit(page, "seats: 150", "seats: 120");
    page.follow(&w.plane, "kubectl -n it apply -f acme.yaml").await.ok();
    let id = asked_id(w, "acme-bitwarden", "FirstSight").await;
    let annotate = "kubectl -n it annotate licenseseats acme-bitwarden --overwrite seatkeeper.dev/confirm";
    page.follow(&w.plane, annotate).await.ok();
    let compared = page.follow(&w.plane, "kubectl -n it get licenseseats acme-bitwarden -o").await.ok();
    let (annotated, message) = compared.split_once('\n').expect("two lines");
    assert!(annotated == "ID" && message.contains(&id), "{compared}");
    assert_eq!(w.puts(), 1, "another ID does nothing");
    page.follow_but(&w.plane, annotate, &[("=ID", format!("={id}").as_str())]).await.ok();
    w.until_in_sync("acme-bitwarden", 120).await;
}

fn edit(page: &Page, from: &str, to: &str) {
    let path = page.folder.join("acme.yaml");
    let text = fs::read_to_string(&path).expect("the copy");
    assert!(text.contains(from), "{from:?} is not in: {text}");
    fs::write(path, text.replacen(from, to, 1)).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn immuta_page_prints_the_commands_that_move_a_license_key() {
    needs_control_plane!();
    let (page, a) = (Page::open("docs/immuta.md"), acme("page-immuta").await);
    let text = a.tenant.issue(LicenseKey::seats(40));
    a.w.secret("old", json!({ "licenseKey": text })).await;
    a.declare(&["old"], json!({})).await;
    a.until_ready("False/SecretNotPermitted").await;
    let replaced = [("NAMESPACE", a.w.namespace.as_str()), ("NAME", "acme")];
    let message = page.follow_but(&a.w.plane, "kubectl -n NAMESPACE get licenseseats NAME", &replaced).await.ok();
    assert!(message.contains("(umask") && !message.contains(&text), "{message}");
    page.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn page_of_reviews_compares_the_id_and_confirms_it() {
    needs_control_plane!();
    let (page, w) = (Page::open("docs/never-buys-twice.md"), world("page-review").await);
    let lost = w.bitwarden().inject(Fault::on_put(FaultKind::Drop { apply: false }));
    w.declare("acme", json!({})).await;
    assert!(w.bitwarden().wait_fired(lost, 1).await);
    w.bitwarden().set_seats(&w.key.id, 120).expect("the vendor allows it");
    let id = asked_id(&w, "acme", "NeedsReview").await;
    let of = [("NAMESPACE", w.namespace.as_str()), ("NAME", "acme")];
    let compared = page.follow_but(&w.plane, "kubectl -n NAMESPACE get licenseseats NAME", &of).await.ok();
    assert!(compared.starts_with('\n') && compared.contains(&id), "nothing is annotated yet: {compared}");
    let given = format!("={id}");
    let confirm = [of[0], of[1], ("=ID", given.as_str())];
    page.follow_but(&w.plane, "kubectl -n NAMESPACE annotate licenseseats NAME", &confirm).await.ok();
    w.until_in_sync("acme", 150).await;
    page.close();
}
