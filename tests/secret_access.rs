//! The chart's admission policy: whoever makes an object name a Secret must be allowed to get it. On the real apiserver, for people
//! with the chart's role of editors and rights to some Secrets.

use std::time::Duration;

use http::Method;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use seatkeeper_support::{ControlPlane, needs_control_plane, wait_for};
use serde_json::{Value, json};

use crate::who_may_spend::Person;
use crate::world::object_in;

const PATIENCE: Duration = Duration::from_secs(90);

/// As many license keys as an object may have.
const KEYS: usize = 20;

struct Office {
    plane: ControlPlane,
    namespace: String,
}

impl Office {
    async fn new() -> Self {
        let plane = ControlPlane::start().await;
        let namespace = plane.namespace("office").await;
        let watched = format!("{{{namespace}}}");
        plane.install_chart(&[("policies.secretAccess.enabled", "true"), ("watchNamespaces", &watched)]).await;
        let office = Self { plane, namespace };
        let early = office.editor("early", &[]).await;
        let refused =
            async || early.creates("early", &bitwarden("key", None)).await.contains("may not get").then_some(());
        wait_for("the policy to be in force", PATIENCE, refused).await;
        office
    }

    /// Somebody who may edit, and get these Secrets.
    async fn editor(&self, name: &str, secrets: &[String]) -> Editor<'_> {
        let rule = json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": secrets });
        self.editor_with(name, if secrets.is_empty() { json!([]) } else { json!([rule]) }).await
    }

    async fn editor_with(&self, name: &str, rules: Value) -> Editor<'_> {
        let person = Person { plane: &self.plane, namespace: &self.namespace, name: name.to_owned() };
        person.gets_rules(&rules).await;
        person.gets("seatkeeper-editor").await;
        let editor = Editor(person);
        let can = async || (!editor.reads().await.contains("is forbidden")).then_some(());
        wait_for("the rights to be known", PATIENCE, can).await;
        editor
    }

    async fn made(&self, name: &str, spec: &Value) {
        let object = object_in(&self.namespace, name, spec.clone()).to_string();
        self.plane.kubectl_in(&self.namespace, &["create", "-f", "-"], &object).await.ok();
    }
}

struct Editor<'a>(Person<'a>);

impl Editor<'_> {
    fn path(&self, rest: &str) -> String {
        format!("/apis/seatkeeper.dev/v1alpha1/namespaces/{}/licenseseats{rest}?dryRun=All", self.0.namespace)
    }

    async fn reads(&self) -> String {
        self.0.asks(Method::GET, &self.path(""), &Value::Null).await
    }

    async fn creates(&self, name: &str, spec: &Value) -> String {
        let object = object_in(self.0.namespace, name, spec.clone());
        self.0.asks(Method::POST, &self.path(""), &object).await
    }

    async fn edits(&self, name: &str, spec: &Value) -> String {
        self.0.asks(Method::PATCH, &self.path(&format!("/{name}")), &json!({ "spec": spec })).await
    }
}

fn bitwarden(key: &str, owner: Option<&str>) -> Value {
    let owner = owner.map_or(Value::Null, |name| json!({ "name": name }));
    json!({ "vendor": { "bitwarden": { "credentialsSecretRef": { "name": key }, "ownerCredentialsSecretRef": owner } } })
}

/// An Immuta object with this many license keys, each in a Secret of its own.
fn immuta(keys: usize) -> Value {
    json!({ "seats": null, "limit": null, "vendor": { "bitwarden": null, "immuta": {
        "credentialsSecretRef": { "name": "tenant" }, "licenseKeys": entries(keys),
    } } })
}

fn entries(keys: usize) -> Vec<Value> {
    (0..keys).map(|at| json!({ "secretKeyRef": { "name": format!("license-{at}"), "key": "value" } })).collect()
}

fn secrets(keys: usize) -> Vec<String> {
    (0..keys).map(|at| format!("license-{at}")).chain(["tenant".to_owned()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_secret_that_an_object_names_must_be_one_that_its_author_may_get() {
    needs_control_plane!();
    let office = Office::new().await;
    let (spec, all) = (immuta(KEYS), secrets(KEYS));
    let complete = office.editor("complete", &all).await;
    assert_eq!(complete.creates("keys", &spec).await, "ok");
    // One right less at each place, and nothing else differs.
    for (at, lacking) in all.iter().enumerate() {
        let rest: Vec<String> = all.iter().filter(|secret| *secret != lacking).cloned().collect();
        let editor = office.editor(&format!("lacks-{at}"), &rest).await;
        let refused = editor.creates("keys", &spec).await;
        let told = format!("lacks-{at} may not get Secret {lacking}, which this object names anew");
        assert!(refused.contains(&told), "{lacking}: {refused}");
    }
    let both = |owner| bitwarden("key", Some(owner));
    let of_both = office.editor("of-both", &["key".to_owned(), "owner".to_owned()]).await;
    assert_eq!(of_both.creates("both", &both("owner")).await, "ok");
    for (name, has, lacks) in [("of-one", "key", "owner"), ("of-the-other", "owner", "key")] {
        let editor = office.editor(name, &[has.to_owned()]).await;
        let refused = editor.creates("both", &both("owner")).await;
        assert!(refused.contains(&format!("{name} may not get Secret {lacks},")), "{refused}");
    }
    // Whoever may get all of them needs no name, and neither a right to list.
    let rule = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }]);
    let of_all = office.editor_with("of-all", rule).await;
    assert_eq!(of_all.creates("keys", &spec).await, "ok");
    let rule = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "watch"] }]);
    let lists = office.editor_with("lists", rule).await;
    assert!(lists.creates("keys", &spec).await.contains("lists may not get Secret tenant"));
}

#[tokio::test(flavor = "multi_thread")]
async fn edit_naming_new_secret_needs_access_to_it_alone_and_other_edits_pass() {
    needs_control_plane!();
    let office = Office::new().await;
    office.made("keys", &immuta(KEYS - 1)).await;
    office.made("seats", &bitwarden("key", None)).await;
    let editor = office.editor("editor", &[]).await;
    let keys = |keys: Vec<Value>| json!({ "vendor": { "immuta": { "licenseKeys": keys } } });
    let (one_less, mut another, mut again) = (entries(KEYS - 2), entries(KEYS - 1), entries(KEYS - 1));
    another.push(json!({ "secretKeyRef": { "name": "license-19", "key": "value" } }));
    again.push(json!({ "secretKeyRef": { "name": "license-0", "key": "other" } }));
    for (what, name, spec) in [
        ("suspended", "seats", json!({ "suspend": true })),
        ("lowered", "seats", json!({ "seats": 120 })),
        ("raised", "seats", json!({ "seats": 200 })),
        ("a key removed", "keys", keys(one_less)),
        ("another key of a Secret that is named", "keys", keys(again)),
    ] {
        assert_eq!(editor.edits(name, &spec).await, "ok", "{what}");
    }
    let scaled = json!({ "spec": { "replicas": 130 } });
    assert_eq!(editor.0.asks(Method::PATCH, &editor.path("/seats/scale"), &scaled).await, "ok");
    assert_eq!(editor.0.asks(Method::DELETE, &editor.path("/seats"), &Value::Null).await, "ok");
    let changes = [
        ("keys", keys(another), "license-19"),
        ("seats", bitwarden("new", None), "new"),
        ("seats", bitwarden("key", Some("owner")), "owner"),
    ];
    for (at, (name, spec, secret)) in changes.into_iter().enumerate() {
        let refused = editor.edits(name, &spec).await;
        assert!(refused.contains(&format!("editor may not get Secret {secret},")), "{refused}");
        // The twin may get the new one, and none of those that were named before.
        let twin = office.editor(&format!("twin-{at}"), &[secret.to_owned()]).await;
        assert_eq!(twin.edits(name, &spec).await, "ok", "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_policy_applies_in_managed_namespaces_alone() {
    needs_control_plane!();
    let mut office = Office::new().await;
    let inside = office.editor("inside", &[]).await.creates("seats", &bitwarden("key", None)).await;
    assert!(inside.contains("inside may not get Secret key,"), "{inside}");
    office.namespace = office.plane.namespace("elsewhere").await;
    assert_eq!(office.editor("outside", &[]).await.creates("seats", &bitwarden("key", None)).await, "ok");
}

/// The fields of a schema that name a Secret, however deep.
fn references(schema: &JSONSchemaProps, found: &mut Vec<String>) {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrArray::{Schema, Schemas};
    for (name, property) in schema.properties.iter().flatten() {
        if name.to_lowercase().contains("secret") {
            found.push(name.clone());
        }
        references(property, found);
    }
    match &schema.items {
        Some(Schema(items)) => references(items, found),
        Some(Schemas(each)) => each.iter().for_each(|items| references(items, found)),
        None => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secret_policy_covers_every_secret_field_and_is_off_by_default() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    let crd = seatkeeper::api::crd();
    let schema = crd.spec.versions[0].schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
    let properties = schema.expect("a schema").properties.as_ref().expect("fields");
    let mut found = Vec::new();
    references(&properties["spec"], &mut found);
    found.sort();
    let known = ["credentialsSecretRef", "credentialsSecretRef", "ownerCredentialsSecretRef", "secretKeyRef"];
    assert_eq!(found, known, "charts/seatkeeper/templates/policies.yaml must name each of them");
    let policy = plane.render_chart(&[("policies.secretAccess.enabled", "true")]).await.expect("good values");
    let of_object = |path: &str| format!("object.?spec.?vendor.?{path}");
    for path in [
        "bitwarden.?credentialsSecretRef",
        "bitwarden.?ownerCredentialsSecretRef",
        "immuta.?credentialsSecretRef",
        "immuta.?licenseKeys",
    ] {
        assert!(policy.contains(&of_object(path)), "{path}");
    }
    let absent = plane.render_chart(&[]).await.expect("good values");
    assert!(!absent.contains("kind: ValidatingAdmissionPolicy"), "{absent}");
}
