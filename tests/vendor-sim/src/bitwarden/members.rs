//! `/public/members` (docs/vendors/bitwarden.md, "Members"): the unpaged list, and the calls that take or free seats.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    autoscale,
    context::Context,
    ledger::{Actor, Step},
    member::{Member, MemberStatus},
    refusal::{LastRefusal, Refusal},
    route::{model_error, organization_api_error},
    state::Org,
    switches::Switches,
};
use crate::http::Answer;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Model<'a> {
    object: &'static str,
    id: String,
    user_id: Option<String>,
    name: Option<&'a str>,
    email: &'a str,
    two_factor_enabled: bool,
    status: i8,
    r#type: u8,
    external_id: Option<&'a str>,
    permissions: Option<Permissions>,
    collections: [(); 0],
    reset_password_enrolled: bool,
    sso_external_id: Option<()>,
}

/// Only custom roles show them; here they have none ("Members").
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Permissions {
    access_event_logs: bool,
    manage_groups: bool,
    manage_policies: bool,
    manage_users: bool,
}

impl<'a> Model<'a> {
    fn new(member: &'a Member) -> Self {
        let known = member.joined();
        Self {
            object: "member",
            id: member.id.to_string(),
            user_id: known.then(|| member.user_id.to_string()),
            name: known.then_some(&member.name),
            email: &member.email,
            two_factor_enabled: known,
            status: member.status.number(),
            r#type: member.kind,
            external_id: member.external_id.as_deref(),
            permissions: (member.kind == 4).then(Permissions::default),
            collections: [],
            reset_password_enrolled: false,
            sso_external_id: None,
        }
    }
}

fn empty(status: StatusCode) -> Answer {
    Answer::empty(status)
}

/// All members in one answer.
pub(crate) fn list(context: &Context, org: Uuid) -> Answer {
    let bytes = context.sim.with_org(org, |o| {
        if o.members_json.is_none() {
            let data = o.members.iter().map(Model::new).collect();
            o.members_json = serde_json::to_vec(&List { object: "list", data }).ok().map(Into::into);
        }
        o.members_json.clone().unwrap_or_default()
    });
    let none = r#"{"object":"list","data":[]}"#;
    Answer::json_bytes(StatusCode::OK, bytes.unwrap_or_else(|| none.into()))
}

pub(crate) fn one(context: &Context, org: Uuid, id: Uuid) -> Answer {
    let answer =
        |o: &mut Org| o.members.iter().find(|m| m.id == id).map(|m| Answer::json(StatusCode::OK, &Model::new(m)));
    context.sim.with_org(org, answer).flatten().unwrap_or_else(|| empty(StatusCode::NOT_FOUND))
}

/// Raises seats in the row for `n` more members if need be. Billing follows later, by the job
/// ("What is billed and when").
fn make_room(context: &Context, o: &mut Org, n: i32, switches: &Switches) -> Result<(), Box<Answer>> {
    match autoscale::seats_for(o, n, switches.self_hosted) {
        Ok(None) => Ok(()),
        Ok(Some(to)) => {
            let raise = |o: &mut Org| autoscale::raise(o, to, None);
            o.commit(context.sim.now(), Actor::Autoscale, Step::Row, Some(context.number), raise);
            Ok(())
        }
        Err(refusal) => Err(Box::new(refuse(context, o, refusal))),
    }
}

fn refuse(context: &Context, o: &mut Org, refusal: Refusal) -> Answer {
    let answer = organization_api_error(&refusal.text);
    o.last_refusal = Some(LastRefusal { at: context.sim.now(), request: Some(context.number), refusal });
    answer
}

/// Invites one member.
pub(crate) fn invite(context: &Context, org: Uuid, body: &[u8], switches: &Switches) -> Answer {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else {
        return model_error("", "A non-empty request body is required.");
    };
    let text = |name: &str| {
        let field = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        field.and_then(|(_, value)| value.as_str()).map(str::to_owned)
    };
    let Some(email) = text("email").filter(|e| !e.trim().is_empty()) else {
        return model_error("Email", "The Email field is required.");
    };
    let kind = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case("type")).and_then(|(_, v)| v.as_u64());
    let outcome = context.sim.with_org(org, |o| {
        if o.members.iter().any(|m| m.email.eq_ignore_ascii_case(&email)) {
            return Err(Box::new(refuse(context, o, Refusal::new("invite", "This user has already been invited."))));
        }
        make_room(context, o, 1, switches)?;
        let member = o.add_member(MemberStatus::Invited);
        member.email.clone_from(&email);
        member.kind = u8::try_from(kind.unwrap_or(2)).unwrap_or(2);
        member.external_id = text("externalId");
        Ok(Answer::json(StatusCode::OK, &Model::new(member)))
    });
    outcome.map_or_else(|| empty(StatusCode::NOT_FOUND), |r| r.unwrap_or_else(|answer| *answer))
}

/// Changes one member; 404 with an empty body if unknown.
fn change(context: &Context, org: Uuid, id: Uuid, f: impl FnOnce(&mut Org, usize) -> Answer) -> Answer {
    let answer = context.sim.with_org(org, |o| {
        let index = o.members.iter().position(|m| m.id == id)?;
        o.members_json = None;
        Some(f(o, index))
    });
    answer.flatten().unwrap_or_else(|| empty(StatusCode::NOT_FOUND))
}

/// Frees the seat, never lowers the number of seats.
pub(crate) fn delete(context: &Context, org: Uuid, id: Uuid) -> Answer {
    change(context, org, id, |o, index| {
        o.members.remove(index);
        empty(StatusCode::OK)
    })
}

/// Frees the seat.
pub(crate) fn revoke(context: &Context, org: Uuid, id: Uuid) -> Answer {
    change(context, org, id, |o, index| {
        if o.members[index].status == MemberStatus::Revoked {
            return organization_api_error("Already revoked.");
        }
        o.members[index].revoke();
        empty(StatusCode::OK)
    })
}

/// Takes a seat, and may autoscale.
pub(crate) fn restore(context: &Context, org: Uuid, id: Uuid, switches: &Switches) -> Answer {
    change(context, org, id, |o, index| {
        if o.members[index].status != MemberStatus::Revoked {
            return organization_api_error("Already active.");
        }
        if o.members[index].before_revoke.occupies()
            && let Err(answer) = make_room(context, o, 1, switches)
        {
            return *answer;
        }
        o.members[index].status = o.members[index].before_revoke;
        empty(StatusCode::OK)
    })
}
