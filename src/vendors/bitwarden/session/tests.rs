//! Who drops a token that was refused, and what is forgotten with it.

use super::*;
use crate::vendors::http::{HttpSettings, RequestCounter};

fn session() -> Session {
    let time = Duration::from_secs(900);
    let settings = HttpSettings {
        connect_timeout: time,
        read_timeout: time,
        write_timeout: time,
        credential_probe: time,
        account_recheck: time,
        bitwarden_client_version: "2026.1.0".into(),
    };
    let server = Url::parse("https://vault.test").unwrap();
    let key = ApiKey {
        of: KeyOf::User,
        client_id: "user.1".into(),
        client_secret: SecretString::from("s"),
        api: server.clone(),
        identity: server,
        ca: None,
    };
    let http = Http::new(settings, RequestCounter::default()).unwrap();
    let session = Session::shared(&Sessions::default(), &http, key);
    Arc::into_inner(session.ok().unwrap()).unwrap()
}

async fn holds(session: &Session, number: u64) {
    let renew = Instant::now() + Duration::from_secs(3600);
    *session.token.lock().await = Some(Token { value: SecretString::from("t"), number, renew });
}

fn renewals_left(session: &Session) -> usize {
    (0..100).filter(|_| session.refusals().renew(Duration::ZERO, Instant::now())).count()
}

#[tokio::test]
async fn objects_that_saw_the_same_token_refused_drop_it_once() {
    let session = session();
    holds(&session, 5).await;
    for _ in 0..3 {
        assert!(session.replace(5, Duration::ZERO).await);
    }
    holds(&session, 6).await;
    assert!(session.replace(5, Duration::ZERO).await, "there is a newer one");
    assert_eq!(session.token.lock().await.as_ref().map(|token| Instant::now() < token.renew), Some(true));
    assert_eq!(renewals_left(&session), 10);
}

#[tokio::test]
async fn what_is_asked_seldom_is_forgotten_once_for_each_new_token_and_never_without_one() {
    let session = session();
    let known = |session: &Session| session.known.lock().unwrap().is_empty();
    let learn = || session.known.lock().unwrap().learn();
    holds(&session, 1).await;
    learn();
    assert!(session.look_anew(1).await && known(&session));
    holds(&session, 2).await;
    learn();
    assert!(session.look_anew(1).await && !known(&session), "it was asked again with the new token");
    assert!(!session.look_anew(2).await && !known(&session), "a token that new says nothing newer");
    renewals_left(&session);
    assert!(!session.replace(2, Duration::ZERO).await && !known(&session), "no token is left");
}
