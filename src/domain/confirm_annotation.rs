//! The confirming annotation: a person's yes to one question.

use super::Situation;

impl Situation<'_> {
    /// Whether a person has confirmed the question with this id. One annotation may name several, separated by commas: an
    /// object may have several open questions.
    pub(super) fn confirms(&self, id: &str) -> bool {
        self.confirmed.is_some_and(|ids| ids.split(',').any(|one| one.trim() == id))
    }
}
