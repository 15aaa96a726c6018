//! What is wrong with a case, and which of several flaws it is called by. Knows nothing of the stage; `tests/verdicts.rs`
//! compiles it once more, to test it.

use std::fmt;

/// What must not be.
#[derive(Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The ledger's oracle, the worst of all.
    BoughtTwice(String),
    /// More purchases had an effect than decisions allow, or one came while another was carried out.
    SentTooOften(String),
    /// It did not come to rest in time. Beside so many others that may be the machine's fault.
    Restless(String),
    /// A step of the stage failed.
    Stage(String),
    /// What was to be broken never came, or nobody noticed: the case says nothing about its row.
    Missed(String),
    /// Any other oracle.
    Wrong(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::BoughtTwice(why)
        | Self::SentTooOften(why)
        | Self::Restless(why)
        | Self::Stage(why)
        | Self::Missed(why)
        | Self::Wrong(why)) = self;
        f.write_str(why)
    }
}

/// A flaw, and what led to it.
#[derive(Debug)]
pub struct Broken {
    pub flaw: Flaw,
    pub story: String,
}

/// How the operator's processes fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Processes {
    pub panicked: bool,
    /// Those that ended although nobody killed them.
    pub ended_alone: usize,
}

impl Processes {
    /// From what they logged.
    pub fn of(log: &str, ended_alone: usize) -> Self {
        Self { panicked: log.contains("panicked"), ended_alone }
    }

    /// Of this installation and another one.
    pub fn and(self, other: Self) -> Self {
        let ended_alone = self.ended_alone + other.ended_alone;
        Self { panicked: self.panicked || other.panicked, ended_alone }
    }

    /// What no case may leave behind.
    pub fn flaw(self) -> Option<&'static str> {
        match self {
            Self { panicked: true, .. } => Some("an operator panicked"),
            Self { ended_alone: 1.., .. } => Some("an operator ended by itself"),
            Self { .. } => None,
        }
    }
}

/// The ledger and the end of a case that has none of the worst flaws, which are asked for in this order: harm; an operator that
/// panicked or ended by itself; no rest. Only a case without any of them was missed where its fault never hit.
pub fn worst_first<L, E>(
    harm: Result<L, Flaw>,
    processes: Processes,
    ended: Result<E, String>,
    hit: bool,
) -> Result<(L, E), Flaw> {
    let ledger = harm?;
    if let Some(why) = processes.flaw() {
        return Err(Flaw::Wrong(why.into()));
    }
    let end = ended.map_err(Flaw::Restless)?;
    if !hit {
        return Err(Flaw::Missed("the request never came".into()));
    }
    Ok((ledger, end))
}
