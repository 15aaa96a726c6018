//! What a spec asks of an account, as one hash, and whether an edit has changed that. A decision belongs to an account and a wish: after an
//! edit that leaves the wish as it is, of thresholds or the interval, it is the same decision.

use super::protocol::digest;
use super::{Desired, Goal, LimitGoal, Situation, Sizing};
use crate::api::{Change, Intent};

impl Desired {
    /// A hash of what is asked of the account: which pool, how many seats, which limit, which license keys.
    pub fn wish(&self) -> String {
        self.wish_with(match self.limit {
            LimitGoal::Keep => "keep".to_owned(),
            LimitGoal::Pinned => "pinned".to_owned(),
            LimitGoal::UpTo(seats) => format!("up to {seats}"),
            LimitGoal::Unlimited => "unlimited".to_owned(),
        })
    }

    /// The same without the limit: an edit of the limit alone leaves it.
    pub(super) fn wish_of_seats(&self) -> String {
        self.wish_with("any".to_owned())
    }

    fn wish_with(&self, limit: String) -> String {
        let seats = match (&self.sizing, self.seats) {
            // The number follows from the use: who comes and goes edits nothing.
            (Some(Sizing { seats, percent, step, decrease_after: _ }), _) => format!("sized {seats} {percent} {step}"),
            (None, Some(seats)) => seats.to_string(),
            (None, None) => "keep".to_owned(),
        };
        let mut words = vec![self.pool.name.to_owned(), seats, limit];
        if let Goal::Keys { keys, prune } = &self.pool.goal {
            words.push(prune.to_string());
            for entry in keys {
                words.push(entry.secret_key_ref.path());
                words.push(entry.adopt.as_ref().map_or_else(String::new, |row| format!("{} {}", row.id, row.uuid)));
            }
        }
        digest(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// A hash of an account and of what is asked of it: what the vendor was once seen to agree with.
pub fn satisfaction(desired: &Desired, account: &str) -> String {
    digest(&[account, &desired.wish()])
}

impl Situation<'_> {
    /// Whether a record was made for what the spec still asks. Records of former versions name no wish: for them, each edit
    /// counts.
    fn still_asks(&self, wish: Option<&str>, generation: i64) -> bool {
        wish.map_or(generation == self.generation, |wish| wish == self.desired.wish())
    }

    /// Whether a change was made for what the spec still asks.
    pub(super) fn asked_for(&self, change: &Change) -> bool {
        self.still_asks(change.wish.as_deref(), change.generation)
    }

    /// Whether the spec asks for something else since an intent was recorded.
    pub(super) fn edited_since(&self, intent: &Intent) -> bool {
        !self.still_asks(intent.wish.as_deref(), intent.generation)
    }

    /// Whether a person asked for a look since an intent was decided.
    pub(super) fn looked_since(&self, intent: &Intent) -> bool {
        self.look.is_some_and(|look| intent.look.as_deref() != Some(look))
    }

    /// The recorded intent. One of a former version, which named no wish, is of the present wish while nothing was edited.
    pub(super) fn recorded(&self) -> Option<Intent> {
        let intent = self.intent?;
        let current = intent.wish.is_none() && intent.generation == self.generation;
        Some(if current { self.asked_anew(intent) } else { intent.clone() })
    }

    /// The intent as one of what the spec asks now.
    pub(super) fn asked_anew(&self, intent: &Intent) -> Intent {
        Intent { generation: self.generation, wish: Some(self.desired.wish()), ..intent.clone() }
    }
}
