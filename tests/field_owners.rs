//! Who owns a field under server-side apply, as Flux, Helm and Argo CD use it: what becomes of the seats when a manifest leaves them out.
//! `docs/gitops.md` says it.

use serde_json::{Value, json};

use crate::admission::{Desk, desk};
use crate::followed_pages::page::text;
use crate::world::object_in;
use seatkeeper_support::{Output, needs_control_plane};

/// Flux, as the apiserver knows it.
const FLUX: [&str; 2] = ["--field-manager=kustomize-controller", "--force-conflicts"];

impl Desk {
    /// Applies an object on the server's side, with these options.
    async fn apply(&self, object: &Value, options: &[&str]) -> Output {
        let apply = [&["apply", "--server-side", "-f", "-"], options].concat();
        self.plane.kubectl_in(&self.namespace, &apply, &object.to_string()).await
    }

    /// A commit that Flux applies: the spec is a change to that of [`object_in`].
    async fn commit(&self, spec: Value) {
        self.apply(&object_in(&self.namespace, "acme", spec), &FLUX).await.ok();
    }

    async fn scale_to(&self, seats: i32) {
        let scale = ["scale", "licenseseats/acme", &format!("--replicas={seats}")];
        self.plane.kubectl_in(&self.namespace, &scale, "").await.ok();
    }

    async fn seats_of_acme(&self) -> Option<i32> {
        self.seats().get("acme").await.expect("the object").spec.seats
    }
}

/// The options of kubectl with which the page gives the seats another owner.
fn options_of_page() -> Vec<String> {
    let page = text("docs/gitops.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let before = "apply an object with the same name and `spec.seats` alone, with `";
    let options =
        page.split_once(before).and_then(|(_, rest)| rest.split_once('`')).expect("the options of the page").0;
    options.split(' ').map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commit_that_takes_seats_out_keeps_them_only_with_another_owner() {
    needs_control_plane!();
    let d = desk("seats-owner").await;
    let without_seats = || d.commit(json!({ "seats": null }));
    d.commit(json!({})).await;
    d.scale_to(150).await;
    without_seats().await;
    assert_eq!(d.seats_of_acme().await, None, "kubectl scale to the number that is there made another owner");
    d.scale_to(160).await;
    without_seats().await;
    assert_eq!(d.seats_of_acme().await, Some(160), "the seats belong to kubectl scale");

    // As the page says it: the seats get another owner first.
    d.seats().delete("acme", &Default::default()).await.expect("the object goes");
    d.commit(json!({})).await;
    let alone = json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "LicenseSeats", "metadata": { "name": "acme" },
        "spec": { "seats": 150 },
    });
    let options = options_of_page();
    let options: Vec<&str> = options.iter().map(String::as_str).filter(|option| *option != "--server-side").collect();
    d.apply(&alone, &options).await.ok();
    without_seats().await;
    assert_eq!(d.seats_of_acme().await, Some(150));
    d.scale_to(170).await;
    without_seats().await;
    assert_eq!(d.seats_of_acme().await, Some(170));
}

#[tokio::test(flavor = "multi_thread")]
async fn explicit_null_is_refused_by_server_side_apply_alone() {
    needs_control_plane!();
    let d = desk("null-applied").await;
    let page = text("docs/gitops.md");
    let refusal = page.split('`').find(|quoted| quoted.starts_with("spec.limit in body")).expect("a quoted refusal");
    let null = object_in(&d.namespace, "acme", json!({ "limit": "<null>" }));
    for options in [&["--field-manager=helm"][..], &FLUX, &["--field-manager=argocd-controller"]] {
        let refused = d.apply(&null, options).await.refused();
        assert!(refused.contains(refusal), "{options:?}: {refused}");
    }
    // By the client's side it is an absent field, and deletes the value that is there.
    let apply = async |spec: Value| {
        let object = object_in(&d.namespace, "acme", spec).to_string();
        d.plane.kubectl_in(&d.namespace, &["apply", "-f", "-"], &object).await.ok();
        d.seats().get("acme").await.expect("the object").spec.limit
    };
    assert_eq!(apply(json!({ "limit": "<null>" })).await, None);
    assert!(apply(json!({})).await.is_some());
    assert_eq!(apply(json!({ "limit": "<null>" })).await, None);
}
