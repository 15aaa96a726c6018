//! The one list of answers to changes that prove something: each vendor has its rows in its folder, the document shows all.

/// A row of the list, as the document shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The vendor as people write it.
    pub vendor: &'static str,
    /// The statuses.
    pub statuses: Vec<u16>,
    /// What else the answer must be like.
    pub shape: &'static str,
    /// What follows, as a sentence.
    pub proves: &'static str,
}

/// All rows, in the order of the document.
pub fn proofs() -> Vec<Proof> {
    [super::bitwarden::proofs(), super::immuta::proofs()].concat()
}
