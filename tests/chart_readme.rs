//! The tables of values in the READMEs of the charts are what `values.yaml` says. Part of `shape`.

use std::{env, fs};

use seatkeeper_support::{ChartValue, chart_values};

use super::root;

const HEAD: &str = "| Value | Default | Meaning |\n|---|---|---|\n";

/// The comment as one cell. Lines that are indented are a list of flags, each with its default.
fn meaning(comment: &[String]) -> String {
    let mut cell = String::new();
    for line in comment {
        match line.strip_prefix("  ") {
            Some(line) => {
                let (flag, rest) = line.split_once("  ").unwrap_or((line, ""));
                cell += &format!("<br>`{flag}` {}", rest.trim());
            }
            None if cell.is_empty() => cell += line,
            None => cell += &format!(" {line}"),
        }
    }
    cell.replace('|', "\\|")
}

fn row(value: &ChartValue) -> String {
    let default = value.default.as_ref().map_or_else(String::new, |default| format!("`{default}`"));
    format!("| `{}` | {} | {} |\n", value.name(), default.replace('|', "\\|"), meaning(&value.comment))
}

#[test]
fn readme_of_each_chart_has_the_table_of_its_values() {
    for chart in ["seatkeeper", "seatkeeper-crds"] {
        let folder = root().join("charts").join(chart);
        let values = fs::read_to_string(folder.join("values.yaml")).unwrap();
        let rows: String = chart_values(&values).iter().map(row).collect();
        let made = format!("{HEAD}{rows}");
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let start = readme.find(HEAD).unwrap_or_else(|| panic!("charts/{chart}/README.md has no table of values"));
        let length = readme[start..].find("\n\n").map_or(readme.len() - start, |end| end + 1);
        let stored = &readme[start..start + length];
        if env::var_os("UPDATE_DOCS").is_some() {
            fs::write(folder.join("README.md"), readme.replace(stored, &made)).unwrap();
            continue;
        }
        assert!(
            stored == made,
            "charts/{chart}/README.md is not what values.yaml says; refresh it with: make generate"
        );
    }
}

#[test]
fn cell_has_the_whole_comment_and_each_flag_on_a_line_of_its_own() {
    let comment = ["One", "two:", "  a-flag: 30s   what it | does"].map(str::to_owned);
    assert_eq!(meaning(&comment), "One two:<br>`a-flag: 30s` what it \\| does");
}
