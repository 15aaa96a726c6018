//! What is forgotten with a token that was refused, and what waits for the pause of a host.

use super::*;
use crate::api::Product;
use crate::vendors::Urgency;
use crate::vendors::dispatch::overheard::all_that_leaves;
use crate::vendors::http::{HttpSettings, RequestMetrics};

/// With no key in use.
pub(in super::super) fn bitwarden() -> Bitwarden {
    let account_recheck = Duration::from_secs(900);
    Bitwarden::new(BitwardenSettings { account_recheck, client_version: "2026.1.0".into() })
}

fn session_at(server: &str) -> BitwardenSession {
    let time = Duration::from_secs(900);
    let settings =
        HttpSettings { connect_timeout: time, read_timeout: time, write_timeout: time, credential_probe: time };
    let server = Url::parse(server).unwrap();
    let key = ApiKey {
        of: KeyOf::User,
        client_id: "user.1".into(),
        client_secret: SecretString::from("s"),
        api: server.clone(),
        identity: server,
        access: crate::vendors::client_certificate_and_headers::Access::default(),
    };
    let http = Http::new(settings, crate::vendors::Route::default(), RequestMetrics::default()).unwrap();
    let session = bitwarden().session(&http, key);
    Arc::into_inner(session.ok().unwrap()).unwrap()
}

/// Fetches a token if none is there; its number.
async fn fetch(session: &BitwardenSession) -> u64 {
    let lifetime = Some(Duration::from_secs(3600));
    let token = async || Ok(NewToken { value: SecretString::from("t"), lifetime });
    session.tokens.get(None, |_| Ok(()), token).await.ok().unwrap().number
}

#[tokio::test]
async fn cached_answers_are_dropped_once_per_new_token_and_never_without_token() {
    let session = session_at("https://vault.test");
    let known = |session: &BitwardenSession| session.known.lock().unwrap().is_empty();
    let learn = || session.known.lock().unwrap().learn();
    assert_eq!(fetch(&session).await, 1);
    learn();
    assert!(session.look_anew(1).await && known(&session));
    assert_eq!(fetch(&session).await, 2);
    learn();
    assert!(session.look_anew(1).await && !known(&session), "it was asked again with the new token");
    assert!(!session.look_anew(2).await && !known(&session), "a token that new says nothing newer");
    let mut number = 2;
    while session.tokens.replace(number, Duration::ZERO).await {
        number = fetch(&session).await;
    }
    assert!(!session.look_anew(number).await && !known(&session), "no token is left");
}

#[test]
fn readings_and_changes_get_no_turn_while_their_host_wants_a_pause() {
    let session = session_at("https://api.bitwarden.com");
    let object = ("it".to_owned(), "acme".to_owned());
    let asker = Asker { object: &object, secret: "1", urgency: Urgency::Poll, failed: false, lasts: Duration::ZERO };
    let pool = Product::PasswordManager;
    let turns = async || {
        [
            session.turn_to_read(asker, pool).await.is_ok(),
            session.turn_to_look(None, pool, asker).is_ok(),
            session.turn_to_look(Some("id"), pool, asker).is_ok(),
            session.turn_to_set_totals(asker).is_ok(),
            session.turn_to_adjust("id", asker).is_ok(),
        ]
    };
    let told = async {
        fetch(&session).await;
        assert_eq!(turns().await, [true; 5]);
        assert!(session.subscription().await.is_err());
        turns().await
    };
    let (sent, turns) = all_that_leaves(|_| (429, String::new()), told);
    assert_eq!((sent.len(), turns), (1, [false; 5]));
}
