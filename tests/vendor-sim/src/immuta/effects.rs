//! Which switches took effect. Beside each request, the tenant is asked what it would come to with one switch at its default: if
//! that is something else, the switch was what the client met. So a test proves that the behavior it is about occurred.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Immuta,
    ledger::Actor,
    license,
    route::{Endpoint, id},
    state::{By, State},
    switches::Switches,
};
use crate::http::{Answer, Request};

impl Immuta {
    /// The switches, by their names in JSON, without which a request so far would have come to something else.
    pub fn effects(&self) -> BTreeSet<String> {
        self.state().effects.clone()
    }
}

impl Switches {
    /// The names in JSON of the switches that are off their defaults.
    pub fn changed(&self) -> BTreeSet<String> {
        self.without_each().into_iter().map(|(name, _)| name).collect()
    }

    /// These switches with one of them at its default, for each that is not.
    fn without_each(&self) -> Vec<(String, Self)> {
        let as_json = |switches: &Self| serde_json::to_value(switches).unwrap_or_default();
        let (now, defaults) = (as_json(self), as_json(&Self::default()));
        let fields = defaults.as_object().into_iter().flatten();
        let differs = fields.filter(|(name, default)| now[name.as_str()] != **default);
        let without = differs.filter_map(|(name, default)| {
            let mut switches = now.clone();
            switches[name.as_str()] = default.clone();
            Some((name.clone(), serde_json::from_value(switches).ok()?))
        });
        without.collect()
    }
}

/// What a request comes to: the answer, the rows, and the order of the users.
type Effect = (StatusCode, Vec<u8>, String, Vec<u64>);

impl State {
    /// Notes which switches decide what this request comes to.
    pub(crate) fn note_effects(&mut self, request: &Request, now: Timestamp) {
        let without = self.switches.without_each();
        if without.is_empty() {
            return;
        }
        // What is random is the same in each.
        let (seed, after) = (fastrand::u64(..), fastrand::u64(..));
        let with = |switches: Switches| {
            fastrand::seed(seed);
            State { switches, ..self.clone() }.outcome(request, now)
        };
        let real = with(self.switches.clone());
        let decisive: Vec<String> =
            without.into_iter().filter(|(_, switches)| with(switches.clone()) != real).map(|(name, _)| name).collect();
        fastrand::seed(after);
        self.effects.extend(decisive);
    }

    /// Carries a request out, without the pauses that a fault may make.
    fn outcome(mut self, request: &Request, now: Timestamp) -> Effect {
        let by = By { who: Actor::Request, request: None, at: now };
        let answer = match self.admit(request, now) {
            Err(problem) => problem.answer(&self.switches, None),
            Ok(Endpoint::Add) => match license::judged(&mut self, request, by) {
                Ok(verdict) => license::carried_out(&mut self, verdict, by, true),
                Err(refusal) => *refusal,
            },
            Ok(Endpoint::Delete) => license::deleted(&mut self, id(request.uri.path()).unwrap_or_default(), by, true),
            Ok(Endpoint::Exchange) => {
                self.exchange(request, now).unwrap_or_else(|problem| problem.answer(&self.switches, None))
            }
            Ok(Endpoint::List) => self.read(&license::list(&self, now)),
            Ok(Endpoint::Status) => self.read(&self.status(now)),
            Ok(Endpoint::Usage) => match self.usage(request.uri.query().unwrap_or_default()) {
                Ok(usage) => self.read(&usage),
                Err(problem) => problem.answer(&self.switches, None),
            },
        };
        let users = self.users.iter().map(|user| user.number).collect();
        (answer.status, answer.body.to_vec(), format!("{:?}", self.rows), users)
    }

    fn read(&self, body: &Value) -> Answer {
        license::success(self.switches.read_status, body)
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Bytes,
        http::{HeaderMap, HeaderValue, Method, Uri, header},
    };

    use super::*;
    use crate::immuta::{auth::ApiKey, choices::Permission};

    fn state(switch: impl FnOnce(&mut Switches)) -> State {
        let permissions = vec![Permission::ApplicationAdmin];
        let key = ApiKey { text: "key".into(), permissions, revoked: false };
        let mut state = State { tenant: Some("acme".into()), api_keys: vec![key], ..State::default() };
        switch(&mut state.switches);
        state
    }

    fn get(path: &'static str) -> Request {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("key"))]);
        let (method, uri, body) = (Method::GET, Uri::from_static(path), Bytes::new());
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        Request { method, uri, path: path.to_ascii_lowercase(), headers, body, peer }
    }

    #[test]
    fn switch_has_effect_where_default_outcome_would_differ() {
        let status = get("/admin/license/licenseStatus");
        let list = get("/admin/license");
        let mut state = state(|s| (s.read_status, s.data_consumers_as_array) = (203, true));
        state.note_effects(&list, Timestamp::UNIX_EPOCH);
        state.note_effects(&status, Timestamp::UNIX_EPOCH);
        assert_eq!(state.effects, ["readStatus".to_owned()].into(), "nobody asked for the usage");
        state.note_effects(&get("/admin/license/usage"), Timestamp::UNIX_EPOCH);
        assert_eq!(state.effects, state.switches.changed());
    }

    #[test]
    fn random_value_is_no_effect() {
        let mut state = state(|s| s.list_newest_first = true);
        let mut exchange = get("/bim/apikey/authenticate");
        exchange.method = Method::POST;
        state.note_effects(&exchange, Timestamp::UNIX_EPOCH);
        assert_eq!((state.effects.len(), state.tokens.len()), (0, 0));
    }
}
