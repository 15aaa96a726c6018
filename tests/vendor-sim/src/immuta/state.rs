//! What the tenant remembers, and the two changes that cost or save money: a key is added, a row is deleted.
//! Requests ([`super::license`]) and people in the UI ([`super::handle`]) go through the same code.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    auth::{ApiKey, Token},
    choices::{Duplicate, ReAdd, SecondDelete, UuidFrom},
    key::Issued,
    ledger::{Action, Actor, LedgerEntry},
    problem::Problem,
    row::Row,
    switches::Switches,
    tenant::User,
};
use crate::bitwarden::state::random_id;

/// Everything about the tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) switches: Switches,
    /// None: there is no Immuta at this host.
    pub(crate) tenant: Option<String>,
    pub(crate) api_keys: Vec<ApiKey>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) users: Vec<User>,
    pub(crate) users_ever: u64,
    /// The vendor's registry, by number minus one.
    pub(crate) keys: Vec<Issued>,
    pub(crate) rows: Vec<Row>,
    /// Highest id handed out.
    pub(crate) last_id: i64,
    pub(crate) ledger: Vec<LedgerEntry>,
    /// Switches that took effect.
    pub(crate) effects: BTreeSet<String>,
    /// Requests that had a secret in their URL.
    pub(crate) secrets_in_urls: usize,
}

/// Who changes something, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub(crate) who: Actor,
    pub(crate) request: Option<u64>,
    pub(crate) at: Timestamp,
}

/// What adding a key comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// A new row for the key of this number.
    New(u64),
    /// The soft-deleted row of this id lives again.
    Revive(i64, u64),
    /// The row of this id is the answer; nothing changes.
    Same(i64, u64),
}

impl State {
    pub(crate) fn issued(&self, text: &str) -> Option<&Issued> {
        self.keys.iter().find(|k| k.text == text)
    }

    /// The key a row was made from. Rows are only made from issued keys, and those stay.
    pub(crate) fn key_of(&self, row: &Row) -> Option<&Issued> {
        self.keys.iter().find(|k| k.number == row.key)
    }

    #[expect(clippy::too_many_arguments, reason = "what a line of the ledger is made of")]
    fn write(&mut self, by: By, action: Action, key: Option<u64>, row: Option<&Row>, effect: bool) {
        let seats = self.keys.iter().find(|k| Some(k.number) == key).map(|k| k.terms.seats);
        self.ledger.push(LedgerEntry {
            sequence: self.ledger.len() as u64 + 1,
            at: by.at,
            who: by.who,
            action,
            request: by.request,
            key,
            id: row.map(|r| r.id),
            uuid: row.map(|r| r.uuid.clone()),
            seats,
            effect,
        });
    }

    /// What adding this text would come to; a refusal is entered in the ledger.
    pub(crate) fn judge(&mut self, text: &str, by: By) -> Result<Verdict, Problem> {
        let verdict = self.verdict(text, by.at);
        if verdict.is_err() {
            let key = self.issued(text).map(|k| k.number);
            self.write(by, Action::Add, key, None, false);
        }
        verdict
    }

    fn verdict(&self, text: &str, now: Timestamp) -> Result<Verdict, Problem> {
        let invalid = |why: &str| Problem::new(self.switches.invalid_key_status, why);
        let ours = |key: &&Issued| key.terms.tenant.is_none() || key.terms.tenant == self.tenant;
        let key = self.issued(text).filter(ours).ok_or_else(|| invalid("The license is not valid"))?;
        if key.expired(now) && !self.switches.expired_key_accepted {
            return Err(invalid("The license has expired"));
        }
        let mut rows = self.rows.iter().rev().filter(|r| r.key == key.number);
        if let Some(row) = rows.clone().find(|r| !r.deleted) {
            return match self.switches.duplicate {
                Duplicate::SameRow => Ok(Verdict::Same(row.id, key.number)),
                Duplicate::SecondRow => Ok(Verdict::New(key.number)),
                _ => Err(self.already_there()),
            };
        }
        match (rows.next(), self.switches.re_add) {
            (Some(row), ReAdd::Revives) => Ok(Verdict::Revive(row.id, key.number)),
            (Some(_), ReAdd::Refused) => Err(self.already_there()),
            _ => Ok(Verdict::New(key.number)),
        }
    }

    fn already_there(&self) -> Problem {
        let text = "The license already exists";
        match self.switches.duplicate {
            Duplicate::Unique => {
                let field = self.switches.post_field.names()[0].to_owned();
                Problem { validation: Some(("unique", field)), ..Problem::new(422, text) }
            }
            Duplicate::BadRequest => Problem::new(400, text),
            Duplicate::Conflict | Duplicate::SameRow | Duplicate::SecondRow => Problem::new(409, text),
        }
    }

    fn new_row(&self, number: u64, now: Timestamp) -> Row {
        // After a reset of the ids, those of rows still there are skipped.
        let id = (self.last_id + 1..).find(|id| self.rows.iter().all(|r| r.id != *id)).unwrap_or(i64::MAX);
        let inside = self.keys.iter().find(|k| k.number == number).map(|k| k.uuid);
        let uuid = inside.filter(|_| self.switches.uuid_from == UuidFrom::Key).unwrap_or_else(random_id);
        let uuid = if self.switches.odd_uuids { format!("lic~{}", uuid.simple()) } else { uuid.to_string() };
        Row { id, uuid, key: number, added_at: now, updated_at: now, invalidated: false, deleted: false }
    }

    /// Carries a verdict out. Without `effect` it only looks as if.
    pub(crate) fn add(&mut self, verdict: Verdict, by: By, effect: bool) -> Row {
        let (found, number) = match verdict {
            Verdict::New(number) => (None, number),
            Verdict::Revive(id, number) | Verdict::Same(id, number) => {
                (self.rows.iter().position(|r| r.id == id), number)
            }
        };
        let (row, action, effect) = match (verdict, found) {
            (Verdict::Same(..), Some(index)) => (self.rows[index].clone(), Action::Add, false),
            (_, Some(index)) => {
                let row = Row { deleted: false, updated_at: by.at, ..self.rows[index].clone() };
                if effect {
                    self.rows[index] = row.clone();
                }
                (row, Action::Revive, effect)
            }
            (_, None) => {
                let row = self.new_row(number, by.at);
                if effect {
                    self.last_id = row.id;
                    self.rows.push(row.clone());
                }
                (row, Action::Add, effect)
            }
        };
        self.write(by, action, Some(number), Some(&row), effect);
        row
    }

    /// Deletes as DELETE does: the row as it is afterwards, and whether it is gone for good.
    pub(crate) fn delete(&mut self, id: i64, by: By, effect: bool) -> Result<(Row, bool), Problem> {
        let second = self.switches.second_delete;
        let gone = |row: &&mut Row| !(row.deleted && second == SecondDelete::NotFound);
        let Some(row) = self.rows.iter_mut().find(|r| r.id == id).filter(gone) else {
            let met = self.rows.iter().find(|r| r.id == id).cloned();
            self.write(by, Action::Delete, met.as_ref().map(|r| r.key), met.as_ref(), false);
            return Err(Problem::not_found("License not found"));
        };
        let again = row.deleted && second == SecondDelete::Again;
        let hard = if row.deleted { second == SecondDelete::Purges } else { self.switches.first_delete_purges };
        let after = Row { deleted: true, updated_at: if again { row.updated_at } else { by.at }, ..row.clone() };
        if effect {
            *row = after.clone();
            self.rows.retain(|r| !(hard && r.id == id));
        }
        let action = if hard { Action::Purge } else { Action::Delete };
        self.write(by, action, Some(after.key), Some(&after), effect && !again);
        Ok((after, hard))
    }

    /// The key of this row is no longer honored. False: no such row.
    pub(crate) fn invalidate(&mut self, id: i64, by: By) -> bool {
        let Some(row) = self.rows.iter_mut().find(|r| r.id == id) else {
            return false;
        };
        let effect = !row.invalidated;
        (row.invalidated, row.updated_at) = (true, by.at);
        let row = row.clone();
        self.write(by, Action::Invalidate, Some(row.key), Some(&row), effect);
        true
    }

    /// All rows are gone and ids start again.
    pub(crate) fn rebuild(&mut self, by: By) {
        for row in std::mem::take(&mut self.rows) {
            self.write(by, Action::Lose, Some(row.key), Some(&row), true);
        }
        self.last_id = 0;
    }
}
