//! An object that has no record of the account lowers no seats and removes no license key: what it finds may be what a person bought,
//! or what a lost record would have explained.

use super::{Hold, HoldKind, Wanted};
use crate::api::{CONFIRM, RecordOf, Step};
use crate::domain::Situation;
use crate::domain::approval::{self, Consent};
use crate::domain::protocol::digest;

impl Situation<'_> {
    /// The record as this decision leaves it; `in_sync`: the account shows what is wanted.
    pub(in crate::domain) fn record_of(&self, in_sync: bool) -> RecordOf {
        let (uid, account) = (self.uid.to_owned(), self.seen.account_key());
        RecordOf { uid, account, first_wish: self.first_wish().filter(|_| !in_sync) }
    }

    /// Whether nothing was decided about this object and account before.
    pub(in crate::domain) fn is_first_look(&self) -> bool {
        let account = self.seen.account_key();
        self.record.is_none_or(|record| record.uid != self.uid || record.account != account)
    }

    /// The seats or license keys with which the object first saw the account, if no person has agreed to them since. An edit of the
    /// limit alone agrees to no fewer seats, and neither does an account in sync whose seats beyond those of the spec are in use.
    fn first_wish(&self) -> Option<String> {
        let (account, wish) = (self.seen.account_key(), self.desired.wish_of_seats());
        match self.record.filter(|record| record.uid == self.uid && record.account == account) {
            Some(record) => {
                let first = record.first_wish.as_ref()?;
                // Former versions recorded the wish with its limit.
                (*first == wish || *first == self.desired.wish()).then_some(wish)
            }
            None => Some(wish),
        }
    }
}

/// What a person agrees to: this object, this account, this wish, these numbers or this row. Not a change of the use
/// meanwhile, nor an edit of anything else.
fn consent(s: &Situation<'_>, step: &Step) -> String {
    let mut words = vec![s.uid.to_owned(), s.seen.account_key(), s.desired.wish()];
    words.push(step.base().seats.to_string());
    match step {
        Step::Seats(_) => words.push(step.target().seats.to_string()),
        Step::AddKey(key) | Step::RemoveKey(key) => {
            words.push(key.id.unwrap_or_default().to_string());
            words.push(key.uuid.clone().unwrap_or_default());
        }
    }
    digest(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    let (now, target) = (wanted.now.seats, wanted.target.seats);
    let removes = matches!(wanted.change.step, Step::RemoveKey(_));
    let lowers = removes || target < now;
    let consent = consent(s, &wanted.change.step);
    let approved = matches!(approval::consent(s, wanted.change), Consent::Approved { of_plan: true, .. });
    if !lowers || s.first_wish().is_none() || s.confirms(&consent) || approved {
        return vec![];
    }
    let what = if removes {
        "it would remove a license key".to_owned()
    } else {
        format!("{target} seats are fewer than {now}")
    };
    let field = match &s.desired.sizing {
        _ if removes => s.desired.pool.vendor.keys_field,
        Some(_) => "spec.sizing.headroom",
        None => "spec.seats",
    };
    let message = format!(
        "{what}, and this object has no record of the account: it is new, was restored, or took these seats over. Seatkeeper \
         lowers no seats and removes no license key for it until a person agrees: edit {field} to what you want, or annotate the object \
         with {CONFIRM}={consent}"
    );
    vec![Hold::of(HoldKind::FirstSight, message)]
}
