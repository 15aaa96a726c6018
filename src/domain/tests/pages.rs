//! The tables of `docs/policies.md`, which tests walk row by row: what a row shows as STATUS is what an object says then. And the
//! messages that pages quote as blocks.

pub(super) const POLICIES: &str = include_str!("../../../docs/policies.md");
pub(super) const WHO_MAY_SPEND: &str = include_str!("../../../docs/who-may-spend.md");

/// The quoted block of a page that begins so, as one line.
pub(super) fn block(page: &str, begins: &str) -> String {
    let quotes = page.lines().map(|line| line.trim_start().strip_prefix("> "));
    let block = quotes.skip_while(|line| !line.is_some_and(|line| line.starts_with(begins))).map_while(|line| line);
    block.collect::<Vec<_>>().join(" ")
}

/// A table, from its first row to its last.
pub(super) struct Table {
    rows: std::vec::IntoIter<Vec<&'static str>>,
    shown: Vec<&'static str>,
}

/// The first table with times under a heading.
pub(super) fn table(heading: &str) -> Table {
    let (_, section) = POLICIES.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().skip_while(|line| !line.starts_with("| Time |")).skip(2);
    let rows: Vec<Vec<&str>> = lines
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 2, "docs/policies.md has no table under {heading}");
    Table { rows: rows.into_iter(), shown: vec![] }
}

impl Table {
    /// The next row has this time, tells this of it, and shows this in its columns of STATUS. Returns what it tells.
    pub(super) fn row<const COLUMNS: usize>(&mut self, time: &str, tells: &str, says: [&str; COLUMNS]) -> &'static str {
        let row = self.rows.next().unwrap_or_else(|| panic!("no row for {time}, {tells}"));
        assert_eq!(row[0], time, "{row:?}");
        assert!(row[1].contains(tells), "{tells:?} is not in {row:?}");
        let of_before = std::mem::take(&mut self.shown);
        let cells = row[2..].iter().enumerate();
        self.shown = cells.map(|(nth, cell)| if *cell == "the same" { of_before[nth] } else { quoted(cell) }).collect();
        assert_eq!(self.shown, says, "what the page shows, and what is said: {row:?}");
        row[1]
    }

    /// There is no further row.
    pub(super) fn ends(mut self) {
        assert_eq!(self.rows.next(), None);
    }
}

/// The first text in backticks.
pub(super) fn quoted(cell: &'static str) -> &'static str {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("nothing is quoted in {cell:?}"))
}
