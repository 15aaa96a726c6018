//! Each row of docs/errors.md, played: what the vendor answers, and the very sentence that people read.

use std::fmt::Write as _;
use std::fs;

use seatkeeper::vendors::{RefusalText, refusals, symptoms};
use seatkeeper_support::workspace_root;

mod refused;
mod symptoms;

/// Links to headings of docs/vendors/bitwarden.md, by the anchors that Markdown gives them.
fn facts(headings: &[impl AsRef<str>]) -> String {
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect::<String>()
    };
    let links = headings
        .iter()
        .map(AsRef::as_ref)
        .map(|heading| format!("[{heading}](vendors/bitwarden.md#{})", anchor(heading)));
    links.collect::<Vec<_>>().join(", ")
}

/// The document. The tables are the code's own.
fn document() -> String {
    let mut text = "<!-- Made from the code. Refresh with: make generate -->\n# What Bitwarden answers, and what it means\n\n\
        This page is about Bitwarden alone; for Immuta see [immuta.md](immuta.md#a-key-is-added-once). Vendor text never gets \
        into status, events or logs; these sentences do. `<host>` is the API's. The last column names what the client \
        knows of the vendor: see [vendors/bitwarden.md](vendors/bitwarden.md).\n\n## Reading, and keys\n\n\
        The reasons `Rejected`, `InsufficientRole` and `VendorUnreachable` are those of the condition `CredentialsValid`. Beside \
        `Rejected` and `InsufficientRole`, `Ready` says `CredentialsInvalid`, or goes on with another key that works. Beside \
        `VendorUnreachable`, `Ready` keeps its reason, and says `ObservationStale` once the numbers are older than three intervals. The \
        reasons `UnsupportedByVendor` and `SpecInvalid` are those of `Ready`. Before `UnsupportedByVendor`, Seatkeeper tries five \
        times, and `Ready` says `ObservationStale`. Numbers, dates and the words in parentheses are examples.\n\n\
        | Bitwarden | Reason | STATUS | What it says | Tried again | Facts |\n|---|---|---|---|---|---|\n"
        .to_owned();
    for row in symptoms() {
        let fault = row.fault("<host>");
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} | {} | {} |",
            row.seen,
            fault.reason,
            fault.summary,
            fault.message,
            row.retry(),
            facts(row.headings)
        );
    }
    text.push_str(
        "\nThe personal key of a member who is not an owner shows exact use and no seats. Beside the organization key, \
         `CredentialsValid` says `InsufficientRole`, and the rest goes on. Alone, with `organizationId`, the key is accepted \
         (`CredentialsValid` is True), and `Ready` says `UnsupportedByVendor`: use the key of an owner, or add the organization \
         key as `credentialsSecretRef`.\n",
    );
    text.push_str(
        "\n## Changes refused by the owner API\n\nWith an owner's key alone, Bitwarden says why it refuses. `Ready` is then False with \
         reason `VendorRejected`, and the message says, for example, \"Bitwarden refused the change to 105 seats with limit 105, because ...\". It is sent again when \
         the wish or a Secret changes, when fewer seats are in use, when the vendor shows other seats or another limit, or when \
         a person asks.\n\n| Bitwarden's text (or how it begins) | because ... |\n|---|---|\n",
    );
    for RefusalText { theirs, ours, after_seats } in refusals() {
        let only =
            if after_seats { " (a change of the limit alone; with seats, the outcome is read back first)" } else { "" };
        let _ = writeln!(text, "| {} | {ours}{only} |", theirs.trim());
    }
    text.push_str(
        "\n## Changes refused by the organization API\n\nBitwarden answers `500` to every refused change of the organization key, without a reason. So \
         Seatkeeper checks each rule that it can see before it sends anything, and the message of `Ready` has the sentence: seats in use, limit below seats, Secrets \
         Manager above Password Manager, totals above 32 767, and, where an owner's key is there too, a plan with a fixed number of seats, a custom plan, no \
         subscription, a canceled one, or a provider that manages the organization. If Bitwarden still refuses a change, Seatkeeper sends it once \
         more after the settle time, and then reports `VendorRejected`.\n",
    );
    text
}

#[test]
fn errors_document_matches_code() {
    let path = workspace_root().join("docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, document()).expect("docs/errors.md");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == document(), "docs/errors.md is not what the code says; refresh it with: make generate");
}

/// The document as it is stored.
fn stored() -> String {
    fs::read_to_string(workspace_root().join("docs/errors.md")).expect("docs/errors.md")
}

/// The cells of the table that begins so.
fn table(page: &str, begins: &str) -> Vec<Vec<String>> {
    let start = page.find(begins).expect("the table");
    let rows = page[start..].lines().skip(2).take_while(|line| line.starts_with("| "));
    rows.map(|line| line.trim_matches(['|', ' ']).split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}
