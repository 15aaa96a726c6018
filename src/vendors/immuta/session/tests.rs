//! Where a tenant is, how the field of a license key is spelled, and what refuses the API key.

use super::*;
use crate::vendors::client_certificate_and_headers::Access;
use crate::vendors::dispatch::overheard::{Sent, all_that_leaves};
use crate::vendors::http::tests::{answer, http};

fn session(server: &str) -> Arc<ImmutaSession> {
    let api_key = SecretString::from("k");
    let key = ApiKey { api_key, server: server.parse().unwrap(), access: Access::default() };
    Immuta::new().session(&http(), key).ok().unwrap()
}

#[test]
fn tenants_of_one_host_are_distinguished_by_their_paths() {
    for (server, place) in [
        ("https://immuta.test", "immuta.test"),
        ("https://immuta.test/acme/", "immuta.test/acme"),
        ("https://immuta.test:8443/other", "immuta.test:8443/other"),
    ] {
        assert_eq!(session(server).place(), place);
    }
}

#[test]
fn field_is_spelled_as_the_record_asks_and_else_as_was_learned_last() {
    let (session, key) = (session("https://immuta.test"), SecretString::from("key"));
    let [field, lower] = [Uncertain::Field, Uncertain::LowerField].map(Uncertain::words);
    // Each of these is refused because of the field, and what is learned is the other spelling.
    let refusal = |_: &_| (400, r#"{"statusCode":400,"message":"\"licenseKey\" is not allowed"}"#.to_owned());
    let in_lower_case = |heard: Option<&str>| {
        let (sent, outcome) = all_that_leaves(refusal, session.add(&key, heard, &|| Ok(())));
        assert!(matches!(outcome, Outcome::Uncertain(Uncertain::Field | Uncertain::LowerField)), "{outcome:?}");
        sent[0].carries("licensekey")
    };
    let heard = [None, None, Some(field.as_str()), None, Some(lower.as_str())];
    assert_eq!(heard.map(in_lower_case), [false, true, true, false, false]);
}

#[test]
fn answer_401_refuses_the_key_whatever_its_body_is() {
    for body in ["", "Unauthorized", "<html>Log in</html>", r#"{"statusCode":401,"message":"Unauthorized"}"#] {
        assert_eq!(refusal(&answer(401, body.as_bytes())), ImmutaError::ApiKeyRefused, "{body}");
    }
}

#[test]
fn exchange_without_a_token_is_reported_by_what_came_instead() {
    let exchange = |answer: fn(&Sent) -> (u16, String)| {
        let session = session("https://immuta.test");
        let request = session.request(Method::GET, session.url("admin/license"));
        all_that_leaves(answer, session.signed(Way::Token, request, None)).1.err()
    };
    let refused = Some(ImmutaError::ApiKeyRefused);
    assert_eq!(exchange(|_| (400, r#"{"statusCode":400}"#.into())), refused);
    assert_eq!(exchange(|_| (401, r#"{"statusCode":401}"#.into())), refused);
    assert_eq!(exchange(|_| (200, "<html>Log in</html>".into())), Some(ImmutaError::LoginPage));
    assert_eq!(exchange(|_| (302, String::new())), Some(ImmutaError::LoginPage));
    assert_eq!(exchange(|_| (500, r#"{"token":"t"}"#.into())), Some(VendorError::Status(500).into()));
    assert_eq!(exchange(|_| (200, r#"{"token":"t"}"#.into())), None);
}
