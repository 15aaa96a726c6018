//! One token for all who ask, until it is old, refused or forgotten; and none for a refused key.

use std::cell::Cell;
use std::sync::LazyLock;

use secrecy::ExposeSecret;

use super::*;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Failed {
    Shared(VendorError),
    Key,
}

impl From<VendorError> for Failed {
    fn from(error: VendorError) -> Self {
        Self::Shared(error)
    }
}

impl Failure for Failed {
    const UNAUTHORIZED: Self = Self::Key;
    const FORBIDDEN: Self = Self::Key;
    const LABELS: &'static [&'static str] = &["failed"];

    fn shared(&self) -> Option<&VendorError> {
        if let Self::Shared(error) = self { Some(error) } else { None }
    }

    fn label(&self) -> &'static str {
        "failed"
    }

    fn remedy(&self) -> Remedy {
        self.shared().map_or(Remedy::Credentials, VendorError::remedy)
    }

    fn fault(&self, _: &str) -> crate::domain::Fault {
        unreachable!("no error is put into words to find out what it means: {self:?}")
    }
}

const HOUR: Duration = Duration::from_secs(3600);

fn tokens() -> Tokens<Failed> {
    Tokens::new(Duration::from_secs(300), HOUR)
}

fn asker(secret: &str, urgency: Urgency) -> Option<Asker<'_>> {
    static OBJECT: LazyLock<Key> = LazyLock::new(Key::default);
    Some(Asker { object: &OBJECT, secret, urgency, failed: false, lasts: Duration::ZERO })
}

/// The number of the token that a pass gets, and whether it was fetched for it.
async fn get(tokens: &Tokens<Failed>, lifetime: Option<Duration>) -> (u64, bool) {
    let fetched = Cell::new(false);
    let fetch = async || {
        fetched.set(true);
        Ok(NewToken { value: SecretString::from("t"), lifetime })
    };
    let token = tokens.get(None, |_| unreachable!("no request waits for a turn"), fetch).await.ok().unwrap();
    (token.number, fetched.get())
}

/// What is answered when the key is refused, and whether it was asked.
async fn refused(tokens: &Tokens<Failed>, asker: Option<Asker<'_>>, error: Failed) -> (Failed, bool) {
    let asked = Cell::new(false);
    let fetch = async || {
        asked.set(true);
        Err(error)
    };
    (tokens.get(asker, |_| Ok(()), fetch).await.err().unwrap(), asked.get())
}

#[tokio::test]
async fn concurrent_callers_share_one_token_request() {
    let (tokens, fetched) = (tokens(), Cell::new(0));
    let get = async || {
        let fetch = async || {
            fetched.set(fetched.get() + 1);
            // The others come now.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Ok(NewToken { value: SecretString::from(format!("token {}", fetched.get())), lifetime: Some(HOUR) })
        };
        tokens.get(None, |_| Ok(()), fetch).await.ok().unwrap()
    };
    let (one, two, three) = tokio::join!(get(), get(), get());
    for token in [one, two, three] {
        assert_eq!((token.value.expose_secret(), token.number), ("token 1", 1));
    }
    assert_eq!(fetched.get(), 1);
}

#[tokio::test]
async fn expired_token_is_renewed_and_one_without_end_is_used_until_refused() {
    let tokens = tokens();
    assert_eq!(get(&tokens, Some(Duration::ZERO)).await, (1, true));
    assert_eq!(get(&tokens, Some(HOUR)).await, (2, true));
    assert_eq!(get(&tokens, None).await, (2, false));
    tokens.forget(2).await;
    assert_eq!(get(&tokens, None).await, (3, true));
    assert_eq!(get(&tokens, None).await, (3, false));
}

#[test]
fn token_is_renewed_before_it_expires_and_short_one_after_half_its_life() {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (lifetime, used) in [(60, 55), (11, 6), (10, 5), (4, 2), (0, 0)] {
        assert_eq!(used_for(minutes(lifetime), minutes(5)), minutes(used), "{lifetime} min");
    }
}

#[tokio::test]
async fn token_is_forgotten_by_its_number_and_a_newer_one_stays() {
    let tokens = tokens();
    assert_eq!(tokens.number().await, 0);
    assert_eq!(get(&tokens, Some(HOUR)).await, (1, true));
    tokens.forget(1).await;
    assert_eq!(get(&tokens, Some(HOUR)).await, (2, true));
    tokens.forget(1).await;
    assert_eq!(get(&tokens, Some(HOUR)).await, (2, false));
    assert_eq!(tokens.number().await, 2);
}

#[tokio::test]
async fn objects_that_saw_the_same_token_refused_drop_it_once() {
    let tokens = tokens();
    get(&tokens, Some(HOUR)).await;
    for _ in 0..3 {
        assert!(tokens.replace(1, Duration::ZERO).await);
    }
    assert_eq!(get(&tokens, Some(HOUR)).await, (2, true));
    assert!(tokens.replace(1, Duration::ZERO).await, "there is a newer one");
    assert_eq!(get(&tokens, Some(HOUR)).await, (2, false));
    let mut left = 0;
    while tokens.replace(get(&tokens, Some(HOUR)).await.0, Duration::ZERO).await {
        left += 1;
    }
    assert_eq!(left, 10, "in this hour");
}

#[tokio::test]
async fn refused_key_is_retried_only_for_person_or_with_another_secret() {
    let tokens = tokens();
    let (poll, person) = (asker("1", Urgency::Poll), asker("1", Urgency::Asked));
    for (asker, asked) in
        [(poll, true), (poll, false), (None, false), (person, true), (asker("2", Urgency::Poll), true), (poll, false)]
    {
        assert_eq!(refused(&tokens, asker, Failed::Key).await, (Failed::Key, asked), "{asker:?}");
    }
}

#[tokio::test]
async fn transient_error_is_no_refusal_of_key() {
    let (tokens, poll) = (tokens(), asker("1", Urgency::Poll));
    for error in [VendorError::Status(503), VendorError::NoAnswer("no connection"), VendorError::ClientCertificate] {
        let error = Failed::Shared(error);
        assert_eq!(refused(&tokens, poll, error.clone()).await, (error, true));
    }
}

#[tokio::test]
async fn caller_without_permit_requests_no_token_and_gets_retry_time() {
    let (tokens, after) = (tokens(), Duration::from_secs(7));
    let fetch = async || unreachable!("its turn has not come");
    let got = tokens.get(asker("1", Urgency::Poll), |_| Err(Wait::Turn(after)), fetch).await;
    assert_eq!(got.err(), Some(Failed::Shared(VendorError::RateLimited { after })));
    assert_eq!(get(&tokens, None).await, (1, true), "and it is no refusal");
}

#[tokio::test]
async fn token_failing_three_times_in_row_is_replaced_within_hourly_token_limit() {
    let tokens = tokens();
    let (first, _) = get(&tokens, None).await;
    assert!(!tokens.failed(first).await && !tokens.failed(first).await);
    tokens.worked();
    assert!(!tokens.failed(first).await && !tokens.failed(first).await, "they were not in a row");
    assert!(tokens.failed(first).await);
    let (second, fetched) = get(&tokens, None).await;
    assert!(fetched && second == first + 1);
    for _ in 0..10 {
        assert!(!tokens.failed(second).await, "a token that new says nothing newer");
    }
    assert_eq!(get(&tokens, None).await, (second, false));
}

#[test]
fn token_that_must_last_expires_early_by_that_time_or_at_half_its_life() {
    let (now, minutes) = (Instant::now(), |n: u64| Duration::from_secs(n * 60));
    let held = |used_for: Option<Duration>| Held {
        value: SecretString::from("t"),
        number: 1,
        renew: used_for.map(|used_for| now + used_for),
        used_for: used_for.unwrap_or_default(),
    };
    for (used_for, lasts, age, good) in [
        (Some(55), 0, 54, true),
        (Some(55), 0, 55, false),
        (Some(55), 20, 34, true),
        (Some(55), 20, 35, false),
        (Some(30), 20, 14, true),
        (Some(30), 20, 15, false),
        (None, 20, 1000, true),
    ] {
        let token = held(used_for.map(minutes));
        assert_eq!(token.lasts(now + minutes(age), minutes(lasts)), good, "{used_for:?} {lasts} {age}");
    }
    assert!(
        held(Some(minutes(1))).lasts(now, minutes(60)),
        "a new one always is, or it would be asked for again and again"
    );
}

#[tokio::test]
async fn request_needing_lasting_token_without_turn_leaves_current_to_others() {
    let (tokens, after) = (tokens(), Duration::from_secs(7));
    get(&tokens, Some(Duration::from_secs(600))).await;
    tokens.held.lock().await.as_mut().unwrap().used_for = HOUR;
    let fetch = async || unreachable!("its turn has not come");
    let lasts = asker("1", Urgency::Poll).map(|asker| Asker { lasts: HOUR, ..asker });
    let got = tokens.get(lasts, |_| Err(Wait::Turn(after)), fetch).await;
    assert_eq!(got.err(), Some(Failed::Shared(VendorError::RateLimited { after })));
    assert_eq!(get(&tokens, None).await, (1, false));
}
