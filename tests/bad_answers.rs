//! Bad answers to readings, as faults of the simulated vendor.

use vendor_sim::{Fault, FaultKind};

/// Part of every body a fault makes.
pub const MARKER: &str = "zz-words-of-the-vendor-zz";
pub const SIGN_IN: &str = "Please sign in";

#[derive(Clone, Copy, Debug)]
pub enum On {
    Token,
    Subscription,
    Members,
    /// The owner API's row of an organization.
    Organization,
    /// The owner API's exact use.
    Usage,
    /// The owner API's subscription, with the bill.
    Details,
}

impl On {
    /// For one organization: [`crate::tenants::Tenant::inject`] puts its id in the place of `{id}`.
    pub fn fault(self, kind: FaultKind) -> Fault {
        let read = |kind| Fault::once(kind).method("GET");
        match self {
            Self::Token => Fault::on_token(kind),
            Self::Subscription => Fault::on_get(kind),
            Self::Members => read(kind).path("/public/members"),
            Self::Organization => read(kind).whole_path("/api/organizations/{id}"),
            Self::Usage => read(kind).path("/billing/vnext/metadata"),
            Self::Details => read(kind).whole_path("/api/organizations/{id}/subscription"),
        }
    }
}

pub fn answer(status: u16, body: &str) -> FaultKind {
    let (headers, apply) = (Default::default(), false);
    let body = body.replace("MARKER", MARKER);
    FaultKind::Answer { status, headers, body, apply }
}

pub fn throttled(retry_after: &str) -> FaultKind {
    FaultKind::Answer {
        status: 429,
        headers: [("retry-after".to_owned(), retry_after.to_owned())].into(),
        body: format!(r#"{{"message":"{MARKER}"}}"#),
        apply: false,
    }
}

/// What goes wrong on the wire or in between, whatever was asked.
fn anywhere() -> Vec<(&'static str, FaultKind)> {
    use FaultKind as K;
    vec![
        ("404", answer(404, "MARKER")),
        ("415", answer(415, "MARKER")),
        ("500", answer(500, r#"{"message":"MARKER"}"#)),
        ("502 HTML", answer(502, "<html>MARKER</html>")),
        ("200 HTML", K::Html),
        ("redirect", answer(302, "MARKER")),
        ("truncated", K::Truncate),
        ("mistyped", answer(200, r#"{"data":"MARKER","access_token":1,"passwordManager":{"seats":"MARKER"}}"#)),
        ("null", answer(200, "null")),
        ("nothing", answer(200, "")),
        ("empty object", answer(200, "{}")),
        ("empty list", answer(200, "[]")),
        ("50 MB", K::HugeBody { bytes: 50_000_000 }),
        ("header flood", K::HeaderFlood { count: 5000 }),
        ("a byte a second", K::Drip { bytes_per_second: 1 }),
        ("reset", K::Reset),
        ("drop", K::Drop { apply: false }),
    ]
}

pub type Case = (String, On, FaultKind);

fn at(on: On) -> impl Iterator<Item = Case> {
    let named = anywhere().into_iter();
    named.map(move |(name, kind)| (format!("{on:?} {name}"), on, kind))
}

pub fn token_cases() -> Vec<Case> {
    let token = |name: &str, token: &str, lifetime: &str| {
        let body = format!(r#"{{"access_token":{token},"expires_in":{lifetime},"token_type":"MARKER"}}"#);
        (format!("token {name}"), On::Token, answer(200, &body))
    };
    let bad = [
        token("without life", "\"a\"", "0"),
        token("with negative life", "\"a\"", "-1"),
        token("with 1e99 seconds", "\"a\"", "1e99"),
        token("empty", "\"\"", "3600"),
        token("with a line break", r#""a\r\nx: MARKER""#, "3600"),
    ];
    at(On::Token).chain(bad).collect()
}

/// What is no number of seats, whoever says it.
const NUMBERS: [&str; 8] = ["-1", "-2147483649", "3000000000", "1e99", "1.5", "\"100\"", "[100]", "true"];

/// Of the readings of an owner's key alone.
pub fn owner_reading_cases() -> Vec<Case> {
    let numbers = NUMBERS.into_iter().enumerate().flat_map(|(i, number)| {
        let row = |seats: &str, limit: &str| {
            let rest = r#""object":"organization","plan":null,"smSeats":null,"x":"MARKER""#;
            answer(200, &format!(r#"{{"seats":{seats},"maxAutoscaleSeats":{limit},{rest}}}"#))
        };
        let used = format!(r#"{{"organizationOccupiedSeats":{number},"x":"MARKER"}}"#);
        [
            (format!("organization seats {i}"), On::Organization, row(number, "100")),
            (format!("organization limit {i}"), On::Organization, row("100", number)),
            (format!("use {i}"), On::Usage, answer(200, &used)),
        ]
    });
    let bad = [
        (
            "organization without seats".into(),
            On::Organization,
            answer(200, r#"{"object":"organization","x":"MARKER"}"#),
        ),
        ("organization by position".into(), On::Organization, answer(200, r#"[100,100,null,null]"#)),
        ("use of nobody".into(), On::Usage, answer(200, r#"{"organizationOccupiedSeats":0,"x":"MARKER"}"#)),
        ("use by position".into(), On::Usage, answer(200, r#"[80,false]"#)),
        ("details without seats".into(), On::Details, answer(200, r#"{"subscription":null,"x":"MARKER"}"#)),
        ("details by position".into(), On::Details, answer(200, r#"{"seats":100,"subscription":["MARKER"]}"#)),
    ];
    let anywhere = [On::Organization, On::Usage, On::Details].into_iter().flat_map(at);
    anywhere.chain(numbers).chain(bad).collect()
}

pub fn reading_cases() -> Vec<Case> {
    let numbers = NUMBERS.into_iter().enumerate().flat_map(|(i, number)| {
        let body = |seats: &str, limit: &str| {
            let (rest, other) = (r#""x":"MARKER""#, r#""secretsManager":{"seats":null}"#);
            format!(r#"{{"passwordManager":{{"seats":{seats},"maxAutoScaleSeats":{limit},{rest}}},{other}}}"#)
        };
        [
            (format!("seats {i}"), On::Subscription, answer(200, &body(number, "100"))),
            (format!("limit {i}"), On::Subscription, answer(200, &body("100", number))),
        ]
    });
    let members = |name: &str, body: &str| (format!("members {name}"), On::Members, answer(200, body));
    let bad = [
        members("without status", r#"{"data":[{"id":"MARKER"}]}"#),
        members("cut off", r#"{"data":[{"id":"MARKER","status":2}"#),
        ("numbers by position".into(), On::Subscription, answer(200, r#"[[100,100],null]"#)),
        (
            "seats by position".into(),
            On::Subscription,
            answer(200, r#"{"passwordManager":[100,100],"secretsManager":null,"x":"MARKER"}"#),
        ),
        members("by position", r#"{"data":[["MARKER",2,null]]}"#),
        ("400 of a proxy".into(), On::Subscription, answer(400, "<html>MARKER</html>")),
    ];
    at(On::Subscription).chain(at(On::Members)).chain(numbers).chain(bad).collect()
}

/// Each closes the host for everybody, so they are not played side by side.
/// The same at the readings of an owner's key.
pub fn owner_throttled_cases() -> Vec<Case> {
    let of_owner = |on| match on {
        On::Subscription => On::Organization,
        On::Members => On::Usage,
        on => on,
    };
    throttled_cases().into_iter().map(|(what, on, kind)| (what, of_owner(on), kind)).collect()
}

pub fn throttled_cases() -> Vec<Case> {
    vec![
        ("throttled by the edge".into(), On::Subscription, FaultKind::EdgeThrottle),
        ("throttled for a word".into(), On::Members, throttled("soon MARKER")),
        ("token throttled by the edge".into(), On::Token, FaultKind::EdgeThrottle),
        ("token throttled for a time".into(), On::Token, throttled("1")),
    ]
}
