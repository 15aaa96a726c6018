//! Who may spend: the chart's roles for people. People are played by impersonation, with the roles as the chart renders them. No
//! request that is judged is an administrator's.

use std::time::Duration;

use http::Method;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use seatkeeper_support::{ControlPlane, needs_control_plane, wait_for};
use serde_json::{Value, json};

use crate::admission::{Desk, desk};
use crate::world::object_in;

/// The apiserver takes a moment to learn of a new binding.
const PATIENCE: Duration = Duration::from_secs(90);

/// A person without any right but those that he is given in one namespace.
pub struct Person<'a> {
    pub plane: &'a ControlPlane,
    pub namespace: &'a str,
    pub name: String,
}

impl Person<'_> {
    /// What a request of this person is answered: `ok`, or the apiserver's message.
    pub async fn asks(&self, method: Method, path: &str, body: &Value) -> String {
        let kind = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .header("impersonate-user", &self.name)
            .body(if body.is_null() { Vec::new() } else { serde_json::to_vec(body).expect("JSON") })
            .expect("a request");
        match self.plane.admin().request_text(request).await {
            Ok(_) => "ok".into(),
            Err(kube::Error::Api(status)) => status.message,
            Err(error) => error.to_string(),
        }
    }

    /// Binds a ClusterRole in the namespace.
    pub async fn gets(&self, role: &str) {
        self.bind("ClusterRole", role).await;
    }

    /// Makes a Role with these rules in the namespace, and binds it.
    pub async fn gets_rules(&self, rules: &Value) {
        let role = json!({ "metadata": { "name": self.name }, "rules": rules });
        make(self, "Role", role).await;
        self.bind("Role", &self.name).await;
    }

    async fn bind(&self, kind: &str, role: &str) {
        let binding = json!({
            "metadata": { "name": format!("{}-{role}", self.name) },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.name }],
        });
        make(self, "RoleBinding", binding).await;
    }
}

async fn make(person: &Person<'_>, kind: &str, object: Value) {
    let kind = GroupVersionKind::gvk("rbac.authorization.k8s.io", "v1", kind);
    let api: Api<DynamicObject> =
        Api::namespaced_with(person.plane.admin(), person.namespace, &ApiResource::from_gvk(&kind));
    let mut object = object;
    object["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
    object["kind"] = json!(kind.kind);
    let object = serde_json::from_value(object).expect("an object");
    api.create(&PostParams::default(), &object).await.expect("the administrator may");
}

/// One request, and the rule that it takes.
struct Action {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    method: Method,
    path: String,
    body: Value,
}

impl Action {
    fn name(&self) -> String {
        format!("{} {}", self.verb, self.resource)
    }

    fn rule(&self) -> Value {
        json!({ "apiGroups": [self.group], "resources": [self.resource], "verbs": [self.verb] })
    }
}

/// Everything that could be tried with LicenseSeats `acme`, SeatApproval `given` and Secret `key`. Nothing is stored.
async fn actions(desk: &Desk) -> Vec<Action> {
    let acme = desk.seats().get("acme").await.expect("acme");
    let acme = serde_json::to_value(acme).expect("JSON");
    let scale = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "spec": { "replicas": 151 },
        "metadata": { "name": "acme", "namespace": desk.namespace },
    });
    let (seats, approvals) = ("licenseseats", "seatapprovals");
    let (object, patch) = (object_in(&desk.namespace, "other", json!({})), json!({ "spec": { "seats": 151 } }));
    let note = json!({ "metadata": { "annotations": { "note": "new" } } });
    let (get, delete) = (Method::GET, Method::DELETE);
    let of = |verb, resource, method: &Method, name: &str, body: &Value| Action {
        verb,
        group: "seatkeeper.dev",
        resource,
        method: method.clone(),
        path: format!("/apis/seatkeeper.dev/v1alpha1/namespaces/{}/{name}?dryRun=All", desk.namespace),
        body: body.clone(),
    };
    let secret = format!("/api/v1/namespaces/{}/secrets/key", desk.namespace);
    let all = [
        of("get", seats, &get, "licenseseats/acme", &Value::Null),
        of("list", seats, &get, seats, &Value::Null),
        of("create", seats, &Method::POST, seats, &object),
        of("update", seats, &Method::PUT, "licenseseats/acme", &acme),
        of("patch", seats, &Method::PATCH, "licenseseats/acme", &patch),
        of("delete", seats, &delete, "licenseseats/acme", &Value::Null),
        of("deletecollection", seats, &delete, seats, &Value::Null),
        of("get", "licenseseats/scale", &get, "licenseseats/acme/scale", &Value::Null),
        of("update", "licenseseats/scale", &Method::PUT, "licenseseats/acme/scale", &scale),
        of(
            "patch",
            "licenseseats/scale",
            &Method::PATCH,
            "licenseseats/acme/scale",
            &json!({ "spec": { "replicas": 151 } }),
        ),
        of("get", "licenseseats/status", &get, "licenseseats/acme/status", &Value::Null),
        of("patch", "licenseseats/status", &Method::PATCH, "licenseseats/acme/status", &note),
        of("get", approvals, &get, "seatapprovals/given", &Value::Null),
        of("list", approvals, &get, approvals, &Value::Null),
        of("create", approvals, &Method::POST, approvals, &approval("another")),
        of("patch", approvals, &Method::PATCH, "seatapprovals/given", &note),
        of("delete", approvals, &delete, "seatapprovals/given", &Value::Null),
        Action { verb: "get", group: "", resource: "secrets", method: get.clone(), path: secret, body: Value::Null },
    ];
    all.into()
}

fn approval(name: &str) -> Value {
    json!({
        "apiVersion": "seatkeeper.dev/v1alpha1", "kind": "SeatApproval", "metadata": { "name": name },
        "spec": { "licenseSeatsRef": { "name": "acme" }, "decision": "Approved", "planId": "1-abc" },
    })
}

/// A namespace with the objects of [`actions`].
async fn furnished(name: &str) -> Desk {
    let desk = desk(name).await;
    desk.create("acme", json!({})).await.expect("acme");
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "key" } });
    for object in [approval("given"), secret] {
        desk.plane.kubectl_in(&desk.namespace, &["create", "-f", "-"], &object.to_string()).await.ok();
    }
    desk
}

const READ: [&str; 2] = ["get licenseseats", "list licenseseats"];
const READ_APPROVALS: [&str; 2] = ["get seatapprovals", "list seatapprovals"];
const SCALE: [&str; 3] = ["get licenseseats/scale", "update licenseseats/scale", "patch licenseseats/scale"];
const EDIT: [&str; 4] = ["create licenseseats", "update licenseseats", "patch licenseseats", "delete licenseseats"];

#[tokio::test(flavor = "multi_thread")]
async fn chart_role_has_exactly_its_rights() {
    needs_control_plane!();
    let desk = furnished("rights").await;
    let actions = actions(&desk).await;
    let roles: [(&str, Vec<&str>); 4] = [
        ("view", [&READ[..], &READ_APPROVALS].concat()),
        ("editor", [&READ[..], &READ_APPROVALS, &EDIT, &SCALE].concat()),
        ("scaler", [&READ[..], &SCALE].concat()),
        ("approver", [&READ[..], &["create seatapprovals"]].concat()),
    ];
    for (role, may) in roles {
        let person =
            Person { plane: desk.plane, namespace: &desk.namespace, name: format!("{}-{role}", desk.namespace) };
        for action in &actions {
            let answer = person.asks(action.method.clone(), &action.path, &action.body).await;
            assert!(answer.contains("is forbidden"), "a stranger, {}: {answer}", action.name());
        }
        let role = format!("seatkeeper-{role}");
        person.gets(&role).await;
        until_allowed(&person, &actions[0]).await;
        let rules = rules_of(desk.plane, &role).await;
        for (number, action) in actions.iter().enumerate() {
            let answer = person.asks(action.method.clone(), &action.path, &action.body).await;
            if may.contains(&action.name().as_str()) {
                assert_eq!(answer, "ok", "{role}, {}", action.name());
                continue;
            }
            assert!(answer.contains("is forbidden"), "{role}, {}: {answer}", action.name());
            // The same rules and one more: nothing else stood against it.
            let twin =
                Person { plane: desk.plane, namespace: &desk.namespace, name: format!("{}-{number}", person.name) };
            let mut more = rules.clone();
            more.push(action.rule());
            twin.gets_rules(&json!(more)).await;
            until_allowed(&twin, action).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_take_the_rights_of_the_group_of_which_they_are_asked() {
    needs_control_plane!();
    let desk = desk("events").await;
    let list = |group: &'static str, api: &str| Action {
        verb: "list",
        group,
        resource: "events",
        method: Method::GET,
        path: format!("{api}/namespaces/{}/events", desk.namespace),
        body: Value::Null,
    };
    let [core, newer] = [list("", "/api/v1"), list("events.k8s.io", "/apis/events.k8s.io/v1")];
    for (number, action, other) in [(1, &core, &newer), (2, &newer, &core)] {
        let name = format!("{}-{number}", desk.namespace);
        let person = Person { plane: desk.plane, namespace: &desk.namespace, name };
        let verbs = ["get", "list", "watch"];
        person.gets_rules(&json!([{ "apiGroups": [action.group], "resources": ["events"], "verbs": verbs }])).await;
        until_allowed(&person, action).await;
        let answer = person.asks(other.method.clone(), &other.path, &other.body).await;
        assert!(answer.contains("is forbidden"), "{}: {answer}", action.group);
        for command in [&["get", "events"][..], &["events"][..]] {
            let command = [command, &["--as", person.name.as_str()][..]].concat();
            let asked = desk.plane.kubectl_in(&desk.namespace, &command, "").await;
            assert_eq!(asked.success(), action.group.is_empty(), "{command:?}, {}: {}", action.group, asked.stderr);
        }
    }
}

async fn until_allowed(person: &Person<'_>, action: &Action) {
    let answer = async || {
        let answer = person.asks(action.method.clone(), &action.path, &action.body).await;
        (!answer.contains("is forbidden")).then_some(answer)
    };
    let answer = wait_for(format!("{} by {}", action.name(), person.name), PATIENCE, answer).await;
    assert_eq!(answer, "ok", "{} by {}", action.name(), person.name);
}

async fn cluster_role(plane: &ControlPlane, name: &str) -> Value {
    let path = format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}");
    serde_json::from_str(&plane.kubectl(&["get", "--raw", &path]).await.ok()).expect("JSON")
}

async fn rules_of(plane: &ControlPlane, role: &str) -> Vec<Value> {
    cluster_role(plane, role).await["rules"].as_array().expect("rules").clone()
}

/// The roles that the chart renders with these values.
async fn rendered(plane: &ControlPlane, values: &[(&str, &str)]) -> Vec<Value> {
    let manifests = plane.render_chart(values).await.expect("good values");
    let documents = serde_yaml::Deserializer::from_str(&manifests);
    let objects = documents.map(|one| <Value as serde::Deserialize>::deserialize(one).expect("YAML"));
    objects.filter(|object| object["kind"].as_str().is_some_and(|kind| kind.ends_with("Role"))).collect()
}

/// Which of the chart's roles Kubernetes adds to its own role of this name.
async fn added_to(plane: &ControlPlane, own: &str, roles: &[Value]) -> Vec<String> {
    let own = cluster_role(plane, own).await;
    let selectors = own["aggregationRule"]["clusterRoleSelectors"].as_array().expect("selectors").clone();
    let selected = |role: &&Value| {
        selectors.iter().any(|selector| {
            let labels = selector["matchLabels"].as_object().expect("labels");
            labels.iter().all(|(label, value)| role["metadata"]["labels"][label] == *value)
        })
    };
    roles.iter().filter(selected).map(|role| role["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kubernetes_roles_gain_reading_and_gain_spending_only_if_installer_asks() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    let (view, editor) = (vec!["seatkeeper-view"], vec!["seatkeeper-editor"]);
    let none: Vec<&str> = vec![];
    for (aggregate, edits) in [("false", &none), ("true", &editor)] {
        let roles = rendered(plane, &[("rbac.aggregateToEdit", aggregate)]).await;
        assert_eq!(added_to(plane, "view", &roles).await, view, "{aggregate}");
        for own in ["edit", "admin"] {
            assert_eq!(added_to(plane, own, &roles).await, *edits, "{own}, {aggregate}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_of_the_chart_has_a_star_and_roles_for_people_can_be_left_out() {
    needs_control_plane!();
    let plane = ControlPlane::shared().await;
    let roles = rendered(plane, &[("rbac.aggregateToEdit", "true")]).await;
    assert_eq!(roles.len(), 6, "four for people, the operator's, and that of the Lease");
    for role in &roles {
        assert!(!role["rules"].to_string().contains('*'), "{role}");
    }
    let left: Vec<Value> = rendered(plane, &[("rbac.userRoles", "false")]).await;
    let names: Vec<&str> = left.iter().map(|role| role["metadata"]["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["seatkeeper", "seatkeeper-lease"]);
}
