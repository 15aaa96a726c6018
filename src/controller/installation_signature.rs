//! The signature of the installation that writes the status of an object. A second installation is noticed by it.

/// Per-object state of the signature.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signature {
    /// The term of leadership in which ours was last seen or written.
    term: u64,
    /// Whether its replacement by another one was reported.
    told: bool,
}

/// The action for the stored signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    /// Write ours.
    Ours,
    /// Leave it.
    AsItIs,
    /// Another signature replaced ours while we lead: report it, and write ours once more, so that the other installation sees it too.
    Another,
}

impl Signature {
    /// Compares the stored signature. The returned state counts only after the status was written: an unwritten status has no
    /// signature of ours, so another one in it proves no other installation.
    pub fn look(self, found: Option<&str>, own: &str, term: u64) -> (Signed, Self) {
        if found == Some(own) {
            return (Signed::AsItIs, Self { term, ..self });
        }
        if self.term != term || found.is_none() {
            return (Signed::Ours, Self { term, ..self });
        }
        if self.told { (Signed::AsItIs, self) } else { (Signed::Another, Self { told: true, ..self }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Signature {
        /// Compares the signature, and writes the status.
        fn written(&mut self, found: Option<&str>, own: &str, term: u64) -> Signed {
            let (signed, next) = self.look(found, own, term);
            *self = next;
            signed
        }
    }

    #[test]
    fn unsigned_status_names_no_other_installation_by_its_old_signature() {
        let mut two = Signature::default();
        assert_eq!(two.look(Some("a/x"), "b/x", 7).0, Signed::Ours, "and the write fails");
        assert_eq!(two.written(Some("a/x"), "b/x", 7), Signed::Ours);
        assert_eq!(two.look(Some("a/x"), "b/x", 7).0, Signed::Another, "it came in the place of ours");
    }

    #[test]
    fn successor_installation_is_silent_and_parallel_ones_notice_then_rest() {
        let (mut one, mut two) = (Signature::default(), Signature::default());
        assert_eq!(one.written(None, "a/x", 1), Signed::Ours);
        assert_eq!(one.written(Some("a/x"), "a/x", 1), Signed::AsItIs);
        assert_eq!(two.written(Some("a/x"), "b/x", 7), Signed::Ours, "the other one may be gone");
        assert_eq!(one.written(Some("b/x"), "a/x", 1), Signed::Another);
        assert_eq!(two.written(Some("a/x"), "b/x", 7), Signed::Another);
        assert_eq!(one.written(Some("b/x"), "a/x", 1), Signed::AsItIs);
        assert_eq!(two.written(Some("b/x"), "b/x", 7), Signed::AsItIs);
    }

    #[test]
    fn replica_of_same_installation_is_no_other_seatkeeper() {
        let mut follower = Signature::default();
        assert_eq!(follower.written(Some("a/x"), "a/x", 2), Signed::AsItIs);
        // It led before, another installation worked meanwhile, and it leads again.
        assert_eq!(follower.written(Some("b/x"), "a/x", 3), Signed::Ours);
        // A status that was wiped is signed anew.
        assert_eq!(follower.written(None, "a/x", 3), Signed::Ours);
    }
}
