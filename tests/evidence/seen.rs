//! Which guards were taken away and missed by their tests: a line for each in `seen.txt`, with the mark of what was played. A guard
//! that is written anew has another mark, and has to be played again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::guard::Guard;

/// The marks, and the file that keeps them.
pub struct Marks {
    file: PathBuf,
    seen: BTreeSet<String>,
}

impl Marks {
    /// Those that are kept; none if there is no such file.
    pub fn kept(root: &Path) -> Self {
        let file = root.join("tests/evidence/seen.txt");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let seen = text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
        Self { file, seen }
    }

    /// Whether its test was seen to fail without it.
    pub fn have(&self, guard: &Guard) -> bool {
        self.seen.contains(&guard.mark())
    }

    /// Keeps what was seen now. What is not in the list any more goes.
    pub fn keep(&mut self, guard: &Guard, red: bool, list: &[Guard]) -> std::io::Result<()> {
        if red {
            self.seen.insert(guard.mark());
        } else {
            self.seen.remove(&guard.mark());
        }
        let line = |guard: &Guard| format!("{} {} ({})\n", guard.mark(), guard.promise, guard.file);
        let lines: String = list.iter().filter(|guard| self.have(guard)).map(line).collect();
        std::fs::write(&self.file, lines)
    }
}
