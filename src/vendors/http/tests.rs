//! Clients by CA, and answers of any bytes.

use proptest::prelude::*;

use super::super::operation::OK;
use super::*;
use crate::fuzz_inputs::{FuzzInput, harmed};

pub fn http() -> Http {
    let second = Duration::from_secs(1);
    let settings =
        HttpSettings { connect_timeout: second, read_timeout: second, write_timeout: second, credential_probe: second };
    Http::new(settings, Route::default(), RequestMetrics::default()).unwrap()
}

/// The same connections, as if nothing had been asked through them.
pub fn unused(http: &Http) -> Http {
    let (settings, public) = (http.settings.clone(), Arc::clone(&http.public));
    Http {
        settings,
        route: Route::default(),
        requests: RequestMetrics::default(),
        shared: Arc::new(SharedLimiter::new()),
        public,
        private: Mutex::default(),
    }
}

pub fn answer(status: u16, body: &[u8]) -> Answer {
    let status = StatusCode::from_u16(status).unwrap();
    Answer { status, retry_after: None, challenges: false, body: body.to_vec() }
}

/// The same answer with `WWW-Authenticate: Bearer`.
pub fn challenging(answer: Answer) -> Answer {
    Answer { challenges: true, ..answer }
}

/// The same answer, which asks for this pause.
pub fn pausing(answer: Answer, pause: Duration) -> Answer {
    Answer { retry_after: Some(pause), ..answer }
}

fn with_ca(pem: &str) -> Access {
    Access { ca: Some(pem.as_bytes().to_vec()), ..Access::default() }
}

/// An error that came of foreign bytes says nothing of them, wherever it is shown.
pub fn assert_ours<E: Failure + std::fmt::Debug + std::fmt::Display>(error: &E) {
    let fault = error.fault("host.test");
    for text in [error.to_string(), format!("{error:?}"), fault.message, fault.summary] {
        assert!(!text.contains(crate::fuzz_inputs::MARKER) && !text.contains(char::is_control), "{text:?}");
    }
}

pub const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBmDCCAT2gAwIBAgIUFNrDghtkc+P/99WnPYJNkpr96WUwCgYIKoZIzj0EAwIw
IDEeMBwGA1UEAwwVU2VhdGtlZXBlciB1bml0IHRlc3RzMCAXDTI2MTEyNTAxNTQz
M1oYDzIxMjYxMTAxMDE1NDMzWjAgMR4wHAYDVQQDDBVTZWF0a2VlcGVyIHVuaXQg
dGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR+qI/aiWhfBJj/9sAZLuAG
pFyXkgTUsx1IitpQjo1WSbCBb9Xr+grKLWnzeT7vvm0pDPKJ1F3O+UfH1/ZdKqbo
o1MwUTAdBgNVHQ4EFgQUWks1ax6jluR0EqXiUtcu2vGVEWMwHwYDVR0jBBgwFoAU
Wks1ax6jluR0EqXiUtcu2vGVEWMwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNJADBGAiEA2etJXe9Mq11aCqsrIrPdAR9THtiOYSuE/d9exu3nRnoCIQD0hEiA
4CL10W3MKVOFKs9igzQs57r1KdFPryOQ6guExQ==
-----END CERTIFICATE-----
";

#[test]
fn ca_bundle_is_trusted_whole_or_refused() {
    let http = http();
    let trusted = |pem: &str| http.client(&with_ca(pem)).is_ok();
    let as_key = PEM.replace("CERTIFICATE", "PRIVATE KEY");
    for pem in [PEM, &PEM.repeat(2), &PEM.replace('\n', "\r\n"), &format!("{as_key}{PEM}"), &format!("# our CA\n{PEM}")]
    {
        assert!(trusted(pem), "{pem}");
    }
    let broken = PEM.replace("MIIBmDCC", "MIIBmDCD");
    for pem in ["", "MIIBmDCC", &as_key, &broken, &format!("{PEM}{broken}"), PEM.trim_end().trim_end_matches('-')] {
        assert!(!trusted(pem), "{pem}");
    }
}

#[test]
fn repeatedly_rewritten_ca_leaks_no_clients() {
    let http = http();
    let used = http.client(&with_ca(PEM)).ok().unwrap();
    for version in 0..20 {
        assert!(http.client(&with_ca(&format!("{PEM}# {version}\n"))).is_ok());
    }
    let kept = || http.private.lock().unwrap().len();
    assert!(kept() <= 2, "{} clients", kept());
    assert!(http.client(&with_ca("no certificate")).is_err());
    drop(used);
}

fn asked_at(value: &[u8], date: Option<&str>) -> Option<Duration> {
    let value = reqwest::header::HeaderValue::from_bytes(value).ok()?;
    let answer = http::Response::builder().header(RETRY_AFTER, value);
    let answer = date
        .map(|date| date.parse().unwrap())
        .into_iter()
        .fold(answer, |answer, date: reqwest::header::HeaderValue| answer.header(DATE, date));
    retry_after(&answer.body("").ok()?.into())
}

fn asked(value: &[u8]) -> Option<Duration> {
    asked_at(value, None)
}

#[test]
fn pause_is_a_number_of_seconds_and_at_most_an_hour() {
    for (value, seconds) in [("0", 1), (" 7 ", 8), ("999999999", 3600), ("18446744073709551615", 3600)] {
        assert_eq!(asked(value.as_bytes()), Some(Duration::from_secs(seconds)), "{value}");
    }
    for value in ["", "-1", "1.5", "1e3", "tomorrow", "2026-10-21T07:28:00Z", "18446744073709551616"] {
        assert_eq!(asked(value.as_bytes()), None, "{value}");
    }
}

#[test]
fn pause_until_date_counts_from_date_of_answer() {
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    for (value, seconds) in [
        ("Wed, 21 Oct 2026 07:28:30 GMT", 31),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 1),
        ("Tue, 20 Oct 2026 07:28:00 GMT", 1),
        ("Thu, 22 Oct 2026 07:28:00 GMT", 3600),
    ] {
        assert_eq!(asked_at(value.as_bytes(), Some(date)), Some(Duration::from_secs(seconds)), "{value}");
    }
    // Without one, or with nonsense, from the clock of this process.
    for date in [None, Some("today")] {
        assert_eq!(asked_at(b"Wed, 21 Oct 2076 07:28:00 GMT", date), Some(LONGEST_PAUSE));
        assert_eq!(asked_at(b"Thu, 21 Oct 1976 07:28:00 GMT", date), Some(Duration::from_secs(1)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ca_bundle_of_any_bytes_makes_client_trust_at_least_one_certificate(
        before in any::<Vec<u8>>(), FuzzInput(pem) in prop_oneof![harmed(PEM.as_bytes()), harmed(b"no certificate"), harmed(b"")],
    ) {
        thread_local!(static HTTP: Http = http());
        let pem = [before, pem].concat();
        if HTTP.with(|http| http.client(&Access { ca: Some(pem.clone()), ..Access::default() }).is_ok()) {
            let begins = pem.windows(27).filter(|window| *window == b"-----BEGIN CERTIFICATE-----").count();
            prop_assert!(begins > 0, "{}", pem.escape_ascii());
        }
    }

    #[test]
    fn pause_is_between_a_second_and_an_hour_for_any_request(value in proptest::collection::vec(any::<u8>(), 0..30)) {
        let pause = asked(&value);
        prop_assert!(pause.is_none_or(|pause| pause >= Duration::from_secs(1) && pause <= LONGEST_PAUSE));
    }
}

#[test]
fn counter_of_every_operation_and_outcome_is_at_0_before_a_request() {
    let metrics = RequestMetrics::default();
    for operations in OPERATIONS {
        let vendor = operations.vendor;
        let labels: Vec<_> = operations.labels().collect();
        assert!(operations.all.iter().all(|listed| labels.iter().any(|(operation, _)| *operation == listed.label)));
        for (operation, outcome) in labels {
            let counted =
                metrics.counted.get(&RequestLabels { vendor, operation, outcome }).map(|counter| counter.get());
            assert_eq!(counted, Some(0), "{vendor} {operation} {outcome}");
        }
    }
    metrics.count("bitwarden", OPERATIONS[0].all[0], "throttled");
    let operation = OPERATIONS[0].all[0].label;
    let labels = RequestLabels { vendor: "bitwarden", operation, outcome: "throttled" };
    assert_eq!(metrics.counted.get(&labels).map(|counter| counter.get()), Some(1));
}

#[test]
#[should_panic(expected = "is to be counted from 0 on")]
fn operation_that_no_vendor_lists_is_not_counted_unnoticed() {
    RequestMetrics::default().count("bitwarden", Operation::reads("get_all"), OK);
}

#[test]
#[should_panic(expected = "is to be counted from 0 on")]
fn outcome_that_no_vendor_lists_is_not_counted_unnoticed() {
    RequestMetrics::default().count("bitwarden", OPERATIONS[0].all[0], "another");
}
