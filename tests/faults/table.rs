//! Whether docs/evidence/faults.md counts the cases that `chosen.txt` lists. Knows texts only; `tests/counted.rs` compiles it once
//! more, so that a stale page is found before anything is played.

use std::collections::BTreeMap;

/// How many cases there are of each kind and action.
pub type Counts = BTreeMap<(String, String), usize>;

/// Compares a page with the list. A case that the run of the page missed is in no row of it.
pub fn is_of(page: &str, listed: &Counts) -> Result<(), String> {
    let rows = rows(page);
    if let Some((row, run)) = rows.iter().find(|(row, run)| listed.get(*row).is_none_or(|listed| *run > listed)) {
        return Err(format!("has {run} cases of {row:?}, and tests/faults/chosen.txt {:?}", listed.get(row)));
    }
    let missed = missed(page).ok_or("does not say how many cases were missed")?;
    let (played, all) = (rows.values().sum::<usize>(), listed.values().sum::<usize>());
    if played + missed != all {
        return Err(format!("has {played} cases in its rows and {missed} missed, and tests/faults/chosen.txt {all}"));
    }
    let words = [format!("Played are {played} cases, "), format!("`faults: {played} run, ")];
    match words.iter().find(|words| !page.contains(words.as_str())) {
        Some(words) => Err(format!("must say: {words}")),
        None => Ok(()),
    }
}

/// The counts of the table.
fn rows(page: &str) -> Counts {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.filter_map(|row| {
        let mut cells = row.split(" | ");
        let (kind, action, run) = (cells.next()?, cells.next()?, cells.next()?.parse().ok()?);
        Some(((kind.to_owned(), action.to_owned()), run))
    });
    cells.collect()
}

/// Of the line with which the run ended.
fn missed(page: &str) -> Option<usize> {
    let (before, _) = page.split_once(" missed (of at most ")?;
    before.rsplit_once(' ')?.1.parse().ok()
}
