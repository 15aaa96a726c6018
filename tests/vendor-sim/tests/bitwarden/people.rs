//! Users with keys of their own, as clients of the owner API.

use reqwest::Response;
use serde_json::{Value, json};
use vendor_sim::{Role, UserKey};

use crate::Bench;

pub(crate) const CLIENT_VERSION: &str = "Bitwarden-Client-Version";
const DEVICE: &str = "3b0f9d06-3a39-4f8e-bb1c-7f8d3c1f9a55";

/// A user with a token.
pub(crate) struct Person<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) key: UserKey,
    pub(crate) token: String,
}

/// A complete token form; fields given here replace those of the same name, empty ones go.
pub(crate) fn form<'a>(key: &'a UserKey, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("scope", "api"),
        ("client_id", key.client_id.as_str()),
        ("client_secret", key.client_secret.as_str()),
        ("deviceType", "25"),
        ("deviceIdentifier", DEVICE),
        ("deviceName", "operator"),
    ];
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        if !value.is_empty() {
            form.push((name, value));
        }
    }
    form
}

impl Bench {
    pub(crate) async fn ask_token(&self, version: Option<&str>, form: &[(&str, &str)]) -> Response {
        let request = self.client.post(format!("{}/identity/connect/token", self.sim.url())).form(form);
        version.into_iter().fold(request, |r, v| r.header(CLIENT_VERSION, v)).send().await.unwrap()
    }

    /// Somebody with this role in the bench's organization.
    pub(crate) async fn person(&self, role: Role) -> Person<'_> {
        let key = self.bw.add_user_key(&self.key.id, role);
        let mut person = Person { bench: self, key, token: String::new() };
        person.login().await;
        person
    }

    pub(crate) async fn owner(&self) -> Person<'_> {
        self.person(Role::Owner).await
    }
}

impl Person<'_> {
    pub(crate) async fn login(&mut self) {
        let answer = self.bench.ask_token(Some("2026.8.0"), &form(&self.key, &[])).await;
        let body: Value = answer.json().await.unwrap();
        self.token = body["access_token"].as_str().unwrap().to_owned();
    }

    /// Any path; the text as it came.
    pub(crate) async fn raw(&self, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
        let url = format!("{}/api{path}", self.bench.sim.url());
        let request = self.bench.client.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_owned()),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    fn own(&self, action: &str) -> String {
        format!("/organizations/{}{action}", self.bench.key.id)
    }

    /// A read of the bench's organization; Null for an empty body.
    pub(crate) async fn get(&self, action: &str) -> (u16, Value) {
        let (status, text) = self.raw("GET", &self.own(action), None).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A write to it.
    pub(crate) async fn post(&self, action: &str, body: Value) -> (u16, Value) {
        let (status, text) = self.raw("POST", &self.own(action), Some(&body.to_string())).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A write that must be refused: status and words.
    pub(crate) async fn refused(&self, action: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.post(action, body).await;
        assert_eq!(answer["object"], "error", "{answer}");
        (status, answer["message"].as_str().unwrap().to_owned())
    }
}

/// The error object of the owner API.
pub(crate) fn owner_api_error(message: &str) -> Value {
    json!({
        "object": "error", "message": message, "validationErrors": null, "exceptionMessage": null,
        "exceptionStackTrace": null, "innerExceptionMessage": null,
    })
}

/// The same for a model error.
pub(crate) fn model_error(property: &str, text: &str) -> Value {
    let mut error = owner_api_error("The model state is invalid.");
    error["validationErrors"] = json!({ property: [text] });
    error
}
