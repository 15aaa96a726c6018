//! The headers that every client of the vendor sends (docs/vendors/bitwarden.md, "Headers that every client sends"),
//! and what the edge in front of the cloud does with one that does not ("The edge in front of the cloud"). What a
//! request lacks is noted in its record, and a test that has such a request fails.

use axum::http::{HeaderName, StatusCode, header};

use super::user_login::{device_type, version};
use crate::http::{Answer, Request};

/// What the vendor's clients call themselves.
const NAMES: &[&str] = &["web", "browser", "desktop", "mobile", "cli", "connector", "send"];

/// How programs name themselves that do not name themselves: by their HTTP library.
const LIBRARIES: &[&str] = &["python", "curl", "go-http-client", "okhttp", "axios", "node", "java", "reqwest", "hyper"];

const TOKEN: &str = "/identity/connect/token";

/// Whether such a path is the vendor's, so that the headers are asked for.
fn owns(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/identity/")
}

fn value<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    request.header(HeaderName::from_static(name)).map(str::trim).filter(|value| !value.is_empty())
}

fn names_itself(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    !LIBRARIES.iter().any(|library| agent.starts_with(library))
}

/// The client headers that a request lacks, or has with a value that no client sends.
pub(crate) fn lacking(request: &Request) -> Vec<&'static str> {
    if !owns(&request.path) {
        return Vec::new();
    }
    let there: [(&str, bool); 6] = [
        ("User-Agent", value(request, "user-agent").is_some_and(names_itself)),
        ("Bitwarden-Client-Name", value(request, "bitwarden-client-name").is_some_and(|name| NAMES.contains(&name))),
        ("Bitwarden-Client-Version", value(request, "bitwarden-client-version").is_some_and(|v| version(v).is_some())),
        ("Device-Type", value(request, "device-type").is_some_and(|kind| device_type(kind).is_some())),
        ("Accept", value(request, "accept").is_some_and(|accept| accept.starts_with("application/json"))),
        (
            "Authorization",
            request.path == TOKEN || is_anonymous(&request.path) || request.headers.contains_key(header::AUTHORIZATION),
        ),
    ];
    there.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
}

/// Probes that need no key ("Addresses of a deployment").
fn is_anonymous(path: &str) -> bool {
    ["/api/alive", "/api/config", "/api/plans"].contains(&path)
}

/// What the edge answers to a request, if it turns it away: it looks at the names of programs alone. The server behind it asks
/// for the version where a user logs in, and for nothing else.
pub(crate) fn turned_away(request: &Request) -> Option<Answer> {
    let lacks = lacking(request);
    let no_agent = lacks.contains(&"User-Agent");
    if !no_agent && !lacks.contains(&"Bitwarden-Client-Name") {
        return None;
    }
    let at_login = no_agent && request.path == TOKEN;
    Some(Answer::empty(if at_login { StatusCode::BAD_REQUEST } else { StatusCode::TOO_MANY_REQUESTS }))
}
