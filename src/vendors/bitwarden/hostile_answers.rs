//! Whatever bytes Bitwarden, or a proxy before it, answers with: every value that is believed is possible, every other
//! one becomes an error of ours that repeats none of the bytes, and only a proof counts as one.

use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::MAX_SEATS;
use super::api_key::ApiKey;
use super::number_ranges::OrganizationRow;
use super::organization_api_fields::{Message, Subscription, TokenAnswer, TokenError};
use super::owner::{OwnerView, owned};
use super::owner_api_fields::{Details, Memberships, Metadata, Named, OwnerApiError};
use super::proofs::Asked;
use super::*;
use crate::api::SECRET_TYPE;
use crate::domain::Refusal;
use crate::fuzz_inputs::{MARKER, each_of};
use crate::vendors::AllowedHosts;
use crate::vendors::http::Answer;
use crate::vendors::http::tests::{answer, assert_ours, challenging, http, pausing};
use crate::vendors::token_cache::NewToken;

const GUID: &str = "0c2a5a8e-3d55-4a4e-9a15-5d2f4c7f1e11";
const PRODUCTS: [Product; 3] = [Product::PasswordManager, Product::SecretsManager, Product::MachineAccounts];

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    answer(200, bytes).json("no object").ok()
}

/// What the same bytes are to a reader that knows nothing of their shape. `None`: a part that is not read is odd.
fn told(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

fn assert_numbers(row: &OrganizationRow) {
    for product in PRODUCTS {
        let Ok(pool) = row.pool(product) else { continue };
        assert!(
            pool.seats.is_none_or(|n| (0..=MAX_SEATS).contains(&n)) && pool.limit.is_none_or(|n| n >= 0),
            "{row:?}"
        );
    }
}

/// Whether a result was worth checking; an error is checked to be one of ours.
fn believed<T>(result: Result<T, impl Into<BitwardenError>>) -> Option<T> {
    result.map_err(Into::into).inspect_err(assert_ours::<BitwardenError>).ok()
}

#[test]
fn token_fits_a_header_and_lasts_a_day_at_most() {
    let token =
        json!({ "access_token": "eyJhbGciOi.zz-zz", "expires_in": 3600, "token_type": "Bearer", "scope": MARKER });
    each_of(&[token], |bytes| {
        let Some(answer) = read::<TokenAnswer>(bytes) else { return false };
        if let Some(NewToken { value, lifetime }) = believed(answer.token()) {
            let (token, lifetime) = (value.expose_secret(), lifetime.unwrap());
            assert!(!token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()), "{token:?}");
            assert!((1..=24 * 3600).contains(&lifetime.as_secs()), "{lifetime:?}");
        }
        true
    });
}

#[test]
fn key_is_refused_only_by_the_one_code_of_token_endpoint() {
    let error =
        |error: &str| json!({ "error": error, "error_description": MARKER, "ErrorModel": { "Message": MARKER } });
    each_of(&[error("invalid_client"), error("invalid_client_version"), error("invalid_scope")], |bytes| {
        let Some(error) = read::<TokenError>(bytes) else { return false };
        for (person, refused) in [(false, BitwardenError::InvalidClient), (true, BitwardenError::PersonUnknown)] {
            let meaning = error.meaning(person);
            assert_ours(&meaning);
            if let Some(told) = told(bytes) {
                assert_eq!(meaning == refused, told["error"] == "invalid_client");
            }
        }
        true
    });
}

#[test]
fn seats_of_either_api_equal_the_answer_or_are_an_error() {
    let of_organization = json!({
        "passwordManager": { "seats": 100, "storage": 1, "maxAutoScaleSeats": 120 },
        "secretsManager": { "seats": 20, "maxAutoScaleSeats": null, "serviceAccounts": 50, "maxAutoScaleServiceAccounts": 60 },
    });
    each_of(std::slice::from_ref(&of_organization), |bytes| {
        let Some(row) = read::<Subscription>(bytes).map(|answer| answer.row()) else { return false };
        let Some(row) = believed(row) else { return true };
        assert_numbers(&row);
        if let Some(told) = told(bytes)
            && let Ok(pool) = row.pool(Product::PasswordManager)
        {
            assert_eq!(pool.seats.map(i64::from), told["passwordManager"]["seats"].as_i64());
        }
        true
    });
    each_of(&[json!({ "isOnSecretsManagerStandalone": true, "organizationOccupiedSeats": 80 })], |bytes| {
        let Some(used) = read::<Metadata>(bytes).map(Metadata::occupied) else { return false };
        let Some(used) = believed(used) else { return true };
        assert!(used >= 0);
        if let Some(told) = told(bytes) {
            assert_eq!(Some(i64::from(used)), told["organizationOccupiedSeats"].as_i64());
        }
        true
    });
}

#[test]
fn sole_organization_is_one_that_is_owned_and_its_id_leads_nowhere_else() {
    let member = |id: &str, role: i64, provider: Value| {
        json!({
            "object": "profileOrganization", "id": id, "name": MARKER, "key": MARKER, "enabled": true, "status": 2,
            "type": role, "providerType": provider, "providerId": provider,
        })
    };
    let other = "6f1c8a52-0d0e-4a5f-9c2b-3b7f5f0a1c11";
    let alone = json!({ "object": "list", "data": [member(GUID, 0, Value::Null)] });
    let among = json!({ "object": "list", "data": [member(other, 2, Value::Null), member(GUID, 0, Value::Null)] });
    // Other ways to write the same id.
    let odd = |id: &str| json!({ "data": [member(id, 0, Value::Null)] });
    let (plain, urn) = (odd(&GUID.replace('-', "").to_uppercase()), odd(&format!("urn:uuid:{GUID}")));
    each_of(&[alone, among, plain, urn], |bytes| {
        let Some(list) = read::<Memberships>(bytes) else { return false };
        for membership in &list.data {
            let managed = membership.provider_id.is_some() || membership.provider_type.is_some();
            let owns = Standing::of(membership) == Standing::Owner;
            assert!(!owns || (membership.role == 0 && !managed), "{membership:?}");
        }
        if let Some(id) = believed(owned(&list.data)) {
            assert!(id.len() == GUID.len() && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'), "{id}");
            let same = |m: &owner_api_fields::Membership| {
                m.role == 0 && uuid::Uuid::try_parse(&m.id) == uuid::Uuid::try_parse(&id)
            };
            assert!(list.data.iter().any(same), "{id}");
        }
        true
    });
}

#[test]
fn members_are_never_counted_above_the_list() {
    let listed = |id: &str, status: i64| json!({ "object": "member", "id": id, "name": MARKER, "status": status, "collections": [] });
    let of_organization = json!({ "object": "list", "data": [listed("a", 0), listed("b", 2), listed("c", -1)] });
    let mut of_owner = of_organization.clone();
    for member in of_owner["data"].as_array_mut().unwrap() {
        member["accessSecretsManager"] = json!(true);
    }
    each_of(&[of_organization, of_owner], |bytes| {
        let Some(counted) = believed(members::count(bytes)) else { return false };
        let seated = |member: &&Value| member["status"].as_i64().is_some_and(|status| (0..=2).contains(&status));
        if let Some(list) = told(bytes) {
            let listed = list["data"].as_array().unwrap().iter().filter(seated).count();
            assert!((0..=i32::try_from(listed).unwrap()).contains(&counted.seats), "{counted:?}");
        }
        assert!(counted.secrets_manager.is_none_or(|n| (0..=counted.seats).contains(&n)), "{counted:?}");
        true
    });
}

/// What an owner's key shows of an organization.
fn details() -> Value {
    json!({
        "object": "organizationSubscription", "id": GUID, "name": MARKER, "billingEmail": MARKER,
        "seats": 100, "maxAutoscaleSeats": 120, "smSeats": 20, "maxAutoscaleSmSeats": null, "smServiceAccounts": 50,
        "maxAutoscaleSmServiceAccounts": 60,
        "plan": {
            "name": MARKER, "passwordManager": { "baseSeats": 5, "hasAdditionalSeatsOption": true, "seatPrice": 72.0 },
            "secretsManager": { "baseSeats": 0, "hasAdditionalSeatsOption": true, "seatPrice": 144.0 },
        },
        "expiration": "2027-02-14T00:00:00Z", "expirationWithoutGracePeriod": "2027-01-15T00:00:00Z",
        "subscription": {
            "status": "past_due", "periodEndDate": "2027-01-15T00:00:00Z", "cancelledDate": null, "cancelAtEndDate": true,
            "suspensionDate": "2027-02-01T00:00:00Z",
            "items": [
                { "name": "2023-enterprise-org-seat-annually", "amount": 72.0, "quantity": 95, "productName": MARKER,
                  "sponsoredSubscriptionItem": false, "addonSubscriptionItem": false },
                { "name": "secrets-manager-enterprise-seat-annually", "amount": 144.0, "quantity": 20 },
            ],
        },
    })
}

fn seen(details: Details, product: Product, self_hosted: bool) -> Seen {
    let row = Some(details.organization.row());
    let owner = OwnerView {
        standing: Standing::Owner,
        enabled: true,
        row,
        used: Some(80),
        standalone_secrets_manager: false,
        details: Some(Arc::new(details)),
        is_old: false,
        custom_plan: false,
        lacks: None,
        self_hosted,
    };
    let account = Account { vendor: VENDOR.into(), host: Some("api.test".into()), id: Some(GUID.into()) };
    Seen {
        account,
        product,
        organization_key: true,
        self_hosted,
        row,
        members: None,
        owner: Some(owner),
        concern: None,
        fails: None,
    }
}

#[test]
fn snapshot_of_any_subscription_holds_possible_numbers_and_storable_times() {
    each_of(&[details()], |bytes| {
        let Some(details) = read::<Details>(bytes) else { return false };
        assert_numbers(&details.organization.row());
        for (product, self_hosted) in PRODUCTS.into_iter().flat_map(|product| [(product, false), (product, true)]) {
            let snapshot = seen(details.clone(), product, self_hosted).snapshot();
            assert!(!format!("{snapshot:?}").contains(MARKER), "{snapshot:?}");
            assert!(snapshot.billed.is_none_or(|billed| billed >= 0), "{snapshot:?}");
            assert!(snapshot.rules.at_least.iter().all(|bound| bound.seats >= 0), "{snapshot:?}");
            assert!(snapshot.rules.at_most.iter().all(|bound| (0..=i32::MAX).contains(&bound.seats)), "{snapshot:?}");
            assert!(snapshot.rules.at_most.iter().any(|bound| bound.seats == MAX_SEATS), "{snapshot:?}");
            if let Some(license) = snapshot.license {
                let stored = serde_json::to_value(&license).unwrap();
                for time in ["expiresAt", "periodEnd"].iter().filter_map(|time| stored.get(time)) {
                    assert_eq!(time.as_str().map(str::len), Some("2027-01-15T00:00:00Z".len()), "{time}");
                }
                assert_eq!(serde_json::from_value::<crate::api::License>(stored).unwrap().state, license.state);
            }
        }
        true
    });
}

/// A key in use, of which nothing is sent.
fn session() -> Arc<BitwardenSession> {
    let id = format!("organization.{GUID}");
    let data = [("clientId", id.as_str()), ("clientSecret", "s"), ("server", "https://vault.test")];
    let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into())));
    let secret = Secret { type_: Some(SECRET_TYPE.into()), data: Some(data.into()), ..Secret::default() };
    let key = ApiKey::from_secret(&secret, None, &AllowedHosts::new(["vault.test"]).unwrap()).unwrap();
    session::tests::bitwarden().session(&http(), key).unwrap()
}

const STATUSES: [u16; 22] =
    [200, 201, 202, 204, 301, 302, 307, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503, 504];

const ASKED: [Asked; 3] =
    [Asked::Totals, Asked::Differences { moves_seats: true }, Asked::Differences { moves_seats: false }];

#[test]
fn change_is_refused_only_by_listed_answers_and_done_only_by_our_200() {
    let session = session();
    let error = |text: &str| json!({ "message": text, "validationErrors": { "x": [MARKER] }, "object": "error" });
    let documents = [
        error("Plan has a minimum of 5 Password Manager seats."),
        error("Your plan does not allow seat autoscaling."),
        error(MARKER),
        json!({ "object": "profileOrganization", "id": GUID, "name": MARKER }),
    ];
    each_of(&documents, |bytes| {
        let (named, error) = (read::<Named>(bytes).is_some(), read::<OwnerApiError>(bytes));
        for (status, asked) in STATUSES.into_iter().flat_map(|status| ASKED.map(|asked| (status, asked))) {
            for bearer in [false, true] {
                let plain = answer(status, bytes);
                let given = if bearer { challenging(plain) } else { plain };
                let outcome = session.judged(&given, asked);
                assert!(!format!("{outcome:?}").contains(MARKER), "{outcome:?}");
                // The list (docs/vendors/bitwarden.md, "What an answer to a change proves"), written down a second
                // time.
                let text = error.as_ref().map_or("", |error| &error.message);
                let known = refusals().into_iter().any(|known| text.contains(known.theirs) && !known.after_seats);
                let one_step = asked != Asked::Differences { moves_seats: true };
                let proven = match status {
                    400 => error.is_some() && (one_step || known),
                    401 => bearer,
                    403 => bytes.is_empty() && asked == Asked::Totals,
                    429 => true,
                    _ => false,
                };
                let refused = matches!(outcome, Outcome::Refused(_));
                assert!(!refused || proven || text.trim() != text, "{status} {asked:?} proves nothing: {outcome:?}");
                assert!(refused || !proven || status == 400, "{status} {asked:?}: {outcome:?}");
                let done = if asked == Asked::Totals { error.is_some() } else { named };
                assert_eq!(outcome == Outcome::Accepted, status == 200 && done, "{status} {asked:?}");
                let ours = error.is_some() && (status == 500 || asked != Asked::Totals && (400..500).contains(&status));
                assert!(outcome != Outcome::Answered || ours, "{status} {asked:?}");
                assert!(outcome != Outcome::Unanswered || !ours, "{status} {asked:?}");
            }
        }
        named || error.is_some()
    });
}

#[test]
fn refusal_of_change_gives_the_reason_in_our_words_or_the_status() {
    let session = session();
    let why = |text: &str, asked| {
        let given = answer(400, json!({ "message": text }).to_string().as_bytes());
        match session.judged(&given, asked) {
            Outcome::Refused(Refusal::Request(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    let (limit, seats) =
        ("Your plan does not allow seat autoscaling.", "Plan has a minimum of 5 Password Manager seats.");
    let [totals, with_seats, limit_alone] = ASKED;
    assert_eq!(why(limit, limit_alone), "the plan has no auto-scaling: leave spec.limit out");
    assert_eq!(why(limit, totals), "it answers with status 400", "seats are changed before the limit is checked");
    for asked in [totals, with_seats, limit_alone] {
        assert_eq!(why(seats, asked), "the plan already includes more seats");
    }
    assert_eq!(why(MARKER, totals), "it answers with status 400");
}

#[test]
fn refused_token_is_renewed_once_and_refused_twice_in_a_row_is_the_keys() {
    let session = session();
    let refused = |session: &BitwardenSession, answer: &Answer| match session.judged(answer, Asked::Totals) {
        Outcome::Refused(Refusal::Credentials(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let own = BitwardenError::Unauthorized.fault("vault.test");
    let challenged = challenging(answer(401, b""));
    let first = refused(&session, &challenged);
    assert_eq!(first, Fault { remedy: Remedy::Time { after: None, secret_may_help: false }, ..own.clone() });
    session.write_unauthorized.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(refused(&session, &challenged), own);
    assert_ne!(first.remedy, own.remedy);
    assert_eq!(refused(&session, &answer(403, b"")), BitwardenError::Forbidden.fault("vault.test"));
}

#[test]
fn rate_limit_refusal_carries_requested_pause() {
    let session = session();
    let pause = Duration::from_secs(7);
    let given = pausing(answer(429, b""), pause);
    for asked in ASKED {
        assert_eq!(session.judged(&given, asked), Outcome::Refused(Refusal::Throttled(Some(pause))));
    }
}

#[test]
fn answer_of_proxy_in_between_proves_nothing_about_key() {
    let session = session();
    let page = b"<html>zz</html>".as_slice();
    for asked in ASKED {
        for (status, body) in [
            (302, b"".as_slice()),
            (303, page),
            (400, page),
            (401, page),
            (401, b""),
            (403, b"error code: 1020"),
            (404, page),
            (404, b""),
            (405, b""),
            (415, b""),
            (200, b""),
            (202, b""),
            (502, br#"{"message":"zz"}"#),
        ] {
            assert_eq!(session.judged(&answer(status, body), asked), Outcome::Unanswered, "{status} {asked:?}");
        }
        let challenged = session.judged(&challenging(answer(401, b"")), asked);
        assert!(matches!(challenged, Outcome::Refused(Refusal::Credentials(_))), "{challenged:?}");
    }
}

#[test]
fn list_in_the_place_of_an_object_is_refused() {
    let refuses = |value: &Value| {
        let given = answer(200, value.to_string().as_bytes());
        assert!(given.json::<Subscription>("").is_err(), "{value}");
        assert!(given.json::<Metadata>("").is_err(), "{value}");
        assert!(given.json::<Memberships>("").is_err(), "{value}");
        assert!(given.json::<TokenAnswer>("").is_err(), "{value}");
        assert!(given.json::<TokenError>("").is_err(), "{value}");
        assert!(given.json::<Message>("").is_err(), "{value}");
        assert!(given.json::<Named>("").is_err(), "{value}");
    };
    for list in [json!(["zz"]), json!([80, true]), json!(["t", 3600]), json!([[100, 120], null]), json!([[]])] {
        refuses(&list);
    }
    for (field, list) in [("passwordManager", json!([100, 120])), ("secretsManager", json!([1, 2, 3, 4]))] {
        let body = json!({ "passwordManager": { "seats": 1 }, field: list }).to_string();
        assert!(answer(200, body.as_bytes()).json::<Subscription>("").is_err(), "{body}");
    }
    let member = json!({ "data": [["0c2a5a8e", true, 2, 0, null, null]] }).to_string();
    assert!(answer(200, member.as_bytes()).json::<Memberships>("").is_err());
    assert!(members::count(br#"{"data":[["a",2,true]]}"#.as_slice()).is_err());
    for (field, list) in [("subscription", json!(["active"])), ("plan", json!([null, null]))] {
        let body = json!({ "seats": 100, field: list }).to_string();
        assert!(answer(200, body.as_bytes()).json::<Details>("").is_err(), "{field}");
    }
    let items = json!({ "seats": 100, "subscription": { "items": [["seats", 1.0, 5, false, false]] } }).to_string();
    assert!(answer(200, items.as_bytes()).json::<Details>("").is_err());
}

#[test]
fn owner_api_answers_without_seats_are_no_organization_and_null_is_none() {
    for object in
        [json!({}), json!({ "object": "error", "message": "zz" }), json!({ "subscription": null, "plan": null })]
    {
        let given = answer(200, object.to_string().as_bytes());
        assert!(given.json::<owner_api_fields::Organization>("").is_err(), "{object}");
        assert!(given.json::<Details>("").is_err(), "{object}");
    }
    let uncounted = answer(200, json!({ "seats": null }).to_string().as_bytes());
    assert!(uncounted.json::<owner_api_fields::Organization>("").is_ok());
    assert!(uncounted.json::<Details>("").is_ok());
}
