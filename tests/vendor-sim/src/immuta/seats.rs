//! `licenseStatus` and `usage`: how many seats there are, how many users take one, and whether one more may
//! (docs/vendors/immuta.md, "The license status", "The usage report" and "Several keys").

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    choices::{CanAddUser, ExpiredSeats},
    problem::Problem,
    state::State,
    tenant::{User, UserType},
};

/// Sums over the keys that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) seats: i64,
    pub(crate) soft: i64,
}

impl State {
    pub(crate) fn totals(&self, now: Timestamp) -> Totals {
        let switches = &self.switches;
        let mut totals = Totals::default();
        for row in &self.rows {
            let Some(key) = self.key_of(row) else {
                continue;
            };
            let lapsed = key.expired(now)
                && match switches.expired_seats {
                    ExpiredSeats::CountUnlessHard => key.terms.hard_expiration,
                    ExpiredSeats::Count => false,
                    ExpiredSeats::Gone => true,
                };
            let counts = !lapsed
                && (!row.deleted || switches.deleted_seats_count)
                && (!row.invalidated || switches.invalidated_seats_count);
            if counts {
                totals.seats += key.terms.seats;
                totals.soft += key.terms.soft_seats;
            }
        }
        totals
    }

    /// Users that take a seat.
    pub(crate) fn active_users(&self) -> i64 {
        let counted = self.users.iter().filter(|u| u.active || self.switches.inactive_users_count).count();
        i64::try_from(counted).unwrap_or(i64::MAX)
    }

    pub(crate) fn can_add_user(&self, now: Timestamp) -> bool {
        let totals = self.totals(now);
        match self.switches.can_add_user {
            CanAddUser::WithinSoftSeats => self.active_users() < totals.seats + totals.soft,
            CanAddUser::WithinSeats => self.active_users() < totals.seats,
            CanAddUser::Always => true,
            CanAddUser::Never => false,
        }
    }

    /// `GET /admin/license/licenseStatus`.
    pub(crate) fn status(&self, now: Timestamp) -> Value {
        let totals = self.totals(now);
        let with_soft = |soft: bool| totals.seats + if soft { totals.soft } else { 0 };
        let mut status = json!({
            "activeUserCount": self.active_users(),
            "licenseSeats": with_soft(self.switches.license_seats_include_soft),
            "canAddUser": self.can_add_user(now),
            "hardSeats": with_soft(self.switches.hard_seats_include_soft),
        });
        if self.switches.extra_fields {
            status["seatPool"] = json!({ "burst": 3 });
        }
        status
    }

    /// One more account of this kind.
    pub(crate) fn add_user(&mut self, kind: UserType, active: bool) {
        self.users_ever += 1;
        self.users.push(User { number: self.users_ever, kind, active });
    }

    /// `GET /admin/license/usage`.
    pub(crate) fn usage(&mut self, query: &str) -> Result<Value, Problem> {
        let (mut offset, mut size) = (0, 10);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "offset" => &mut offset,
                "size" => &mut size,
                _ => return Err(Problem::new(400, format!("\"{name}\" is not allowed"))),
            };
            *place = value.parse().map_err(|_| Problem::new(400, format!("\"{name}\" must be a number")))?;
        }
        let size = self.switches.usage_max_size.map_or(size, |max| size.min(max));
        let users: Vec<Value> = self.users.iter().skip(offset).take(size).map(User::shown).collect();
        let answer = json!({ "summary": self.summary(), "users": users });
        if self.switches.usage_moves && !self.users.is_empty() {
            self.users.rotate_right(1);
        }
        Ok(answer)
    }

    /// Over all users, whatever the page.
    fn summary(&self) -> Value {
        let consumers = || self.users.iter().filter(|u| u.kind == UserType::DataConsumer);
        let total = consumers().count();
        let active = consumers().filter(|u| u.active).count();
        let inactive = if self.switches.usage_does_not_add_up { total } else { total - active };
        let counts = json!({ "totalCount": total, "activeCount": active, "inactiveCount": inactive });
        let counts = if self.switches.data_consumers_as_array { json!([counts]) } else { counts };
        let mut summary =
            json!({ "dataConsumers": counts, "policyOwners": { "totalCount": self.users.len() - total } });
        if self.switches.extra_fields {
            summary["auditors"] = json!({ "totalCount": 1 });
        }
        summary
    }
}

impl User {
    fn shown(&self) -> Value {
        let name = format!("user{}", self.number);
        let kind = match self.kind {
            UserType::DataConsumer => "dataConsumer",
            UserType::PolicyOwner => "policyOwner",
        };
        let mut user = json!({
            "userType": kind,
            "name": format!("User {}", self.number),
            "email": format!("{name}@example.org"),
            "userid": format!("{name}@example.org"),
            "iamid": "bim",
        });
        if self.kind == UserType::DataConsumer {
            user["active"] = json!(self.active);
        }
        user
    }
}
