//! Numbers in the sentences of pages that are constants of the sources, or follow from them. Part of `shape`: it reads the sources, for
//! most of these constants are private.

#[path = "faults/table.rs"]
mod table;

use std::fs;

use crate::root;
use table::Counts;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// That a page has these words, wherever its lines end.
#[track_caller]
fn assert_says(page: &str, words: &str) {
    let flowing = text(page).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains(words), "{page} must say: {words}");
}

/// What a source has between two texts, of which the first is there once.
#[track_caller]
fn between(path: &str, before: &str, after: &str) -> String {
    let text = text(path);
    let rests: Vec<&str> = text.split(before).skip(1).collect();
    let [rest] = rests[..] else { panic!("{path} has {before:?} {} times", rests.len()) };
    rest.split_once(after).unwrap_or_else(|| panic!("{path} has no {after:?} after {before:?}")).0.to_owned()
}

#[track_caller]
fn number(path: &str, before: &str, after: &str) -> usize {
    let found = between(path, before, after);
    found.replace('_', "").parse().unwrap_or_else(|_| panic!("{path}: {found:?} after {before:?} is no number"))
}

/// The default of a flag, in minutes.
#[track_caller]
fn minutes(flag: &str) -> usize {
    let variable = flag.replace('-', "_").to_uppercase();
    number("src/run/flags.rs", &format!("env = \"SEATKEEPER_{variable}\", default_value = \""), "m\"")
}

const WORDS: [&str; 13] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// As pages write it: 1 500.
fn spaced(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{} {:03}", number / 1000, number % 1000) }
}

/// How many items a list has whose items may have brackets of their own.
fn items(list: &str) -> usize {
    let mut depth = 0;
    let commas = list.chars().filter(|c| {
        depth += i32::from(matches!(c, '(' | '[')) - i32::from(matches!(c, ')' | ']'));
        *c == ',' && depth == 0
    });
    1 + commas.count()
}

#[test]
fn items_of_a_list_are_counted_without_those_inside_of_brackets() {
    assert_eq!(["a", "a(b, c), d[e, f]", "a, b, c"].map(items), [1, 2, 3]);
    assert_eq!([420, 1500, 12_034].map(spaced), ["420", "1 500", "12 034"]);
}

#[test]
fn quickstart_waits_for_the_tokens_that_the_operator_takes_in_a_minute() {
    let tokens = "pub const TOKENS: &[RateLimit] = &[RateLimit { count: 5, per: SECOND }, RateLimit { count: ";
    let tokens = WORDS[number("src/vendors/bitwarden/rate_limits.rs", tokens, ", per: MINUTE }];")];
    let keys = WORDS[text("tests/quickstart/src/scene.rs").matches("(cloud, \"bitwarden-").count()];
    let words =
        format!("Bitwarden's real cloud, {tokens} tokens a minute, and the examples have {keys} keys of that cloud.");
    assert_says("README.md", &words);
}

#[test]
fn readyz_reads_the_schema_as_often_as_the_readme_says() {
    let seconds = number("src/run/crd_check.rs", "const CHECK: Duration = Duration::from_secs(", ")");
    assert_says("README.md", &format!("may do, every {seconds} seconds and when a status was not stored"));
}

#[test]
fn passes_of_the_model_are_counted_as_the_page_says() {
    let seats = "tests/model/quantity/mod.rs";
    let alone = items(&between(seats, "    let alone = [", "];\n"));
    let two = items(&between(seats, "    alone.into_iter().chain([", "])"));
    let two_losses = "    let two_losses = |variant: Variant<Keys>| ";
    let keys = between("tests/model/keys/tests.rs", two_losses, "].map(two_losses)");
    let keys = items(keys.rsplit_once("\n    [").expect("a list").1);
    assert!(alone > 1 && two > 0 && keys > 1, "{alone} {two} {keys}");
    let page = "docs/never-buys-twice.md";
    assert_says(page, &format!("A walk through the states of {} variants finds them", WORDS[alone + two + keys]));
    let only = text("tests/model/passes.txt").matches("  # only in the model: ").count();
    assert_says(page, &format!("brings the shipped binary to all but {} of them", WORDS[only]));
}

#[test]
fn vendor_of_the_model_sends_as_many_webhooks_as_the_page_says() {
    let webhooks = WORDS[number("tests/model/quantity/vendor.rs", "const WEBHOOKS: u8 = ", ";")];
    assert_says("docs/never-buys-twice.md", &format!("sends {webhooks} webhooks per change"));
}

#[test]
fn owners_keys_have_the_part_of_the_generated_lives_that_the_page_says() {
    let one_of = number("tests/sequences.rs", "    let by_owner = seed % ", " == 1;");
    let part = ["", "All", "Half", "A third", "A quarter"][one_of];
    assert_says("docs/never-buys-twice.md", &format!("{part} of the lives have an owner's key."));
}

#[test]
fn waits_before_fault_is_reported_match_bitwarden_page() {
    let tries = WORDS[number("src/controller/object_state/between_passes.rs", "const FEW_TRIES: u32 = ", ";")];
    let seconds = number("src/controller/decide.rs", "const SAID: Duration = Duration::from_secs(", ")");
    let page = "docs/bitwarden.md";
    assert_says(page, &format!("`Stalled` after {tries} tries:"));
    assert_says(page, &format!("a new object that waits for its first turn for {seconds} seconds."));
}

#[test]
fn key_that_a_tenant_has_takes_the_settle_times_that_the_page_adds_up() {
    let (answered, unanswered) = (minutes("settle-answered"), minutes("settle-unanswered"));
    let repeated = number("src/domain/keys/new_row.rs", "[] if intent.attempt == ", " => again(intent, step)");
    let (page, requests) = ("docs/immuta.md", repeated + 1);
    assert_says(page, &format!("for {answered} minutes (`--settle-answered`), or for {unanswered} minutes if"));
    assert_says(page, &format!("a key is sent {} at most.", ["never", "once", "twice", "three times"][requests]));
    let one = answered * requests;
    assert_says(page, &format!("takes about {one} minutes, and two of them {}.", 2 * one));
}

#[test]
fn label_of_a_trigger_has_the_values_of_the_enum() {
    let variants = between("src/api/change.rs", "pub enum Trigger {", "\n}");
    let variants: Vec<&str> = variants.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
    let variants: Vec<&str> = variants.into_iter().filter(|line| !line.starts_with("///")).collect();
    assert_eq!(variants.len(), number("src/metrics/changes.rs", "const TRIGGERS: [Trigger; ", "]"), "{variants:?}");
    for variant in &variants {
        assert_eq!(between("src/api/change.rs", &format!("Self::{variant} => \""), "\""), *variant, "its word");
    }
    let values = format!("`{}`", variants.join("`, `"));
    assert_says("docs/metrics.md", &format!("| `seatkeeper_changes_by_trigger_total` | `trigger` ({values}) |"));
}

#[test]
fn readme_table_of_fields_has_the_defaults_and_bounds_of_the_sources() {
    let hours = |path: &str, before: &str| number(path, before, " * 3600)");
    let (spec, sizing) = ("src/domain/checked_spec.rs", "src/domain/sizing.rs");
    let first = hours(spec, "const DEFAULT_EXPIRY: [Duration; 2] = [Duration::from_secs(");
    let second = hours(spec, &format!("= [Duration::from_secs({first} * 3600), Duration::from_secs("));
    let after = hours(sizing, "const DECREASE_AFTER: Duration = Duration::from_secs(");
    let range = "const DECREASES: RangeInclusive<Duration> = Duration::from_secs(";
    let least = number(sizing, range, ")..=") / 3600;
    let most = hours(sizing, &format!("{range}{})..=Duration::from_secs(", least * 3600));
    let default = number(spec, "const DEFAULT_INTERVAL: Duration = Duration::from_secs(", ")") / 60;
    let shortest =
        number(spec, "const INTERVAL: RangeInclusive<Duration> = Duration::from_secs(", ")..=LONGEST_INTERVAL");
    let longest = hours(spec, "const LONGEST_INTERVAL: Duration = Duration::from_secs(");
    let late = hours("src/domain/adjustment.rs", "const WEEK: Duration = Duration::from_secs(");
    for (field, words) in [
        ("thresholds.expiry", format!("| `{first}h`, `{second}h` |")),
        ("sizing.decreaseAfter", format!("| `{after}h` |")),
        ("sizing.decreaseAfter", format!("`{least}h` to `{most}h`.")),
        ("interval", format!("| `{default}m` |")),
        ("interval", format!("`{shortest}s` to `{longest}h`.")),
        ("adjustment.startingDeadline", format!("at most `{late}h`.")),
    ] {
        let row = between("README.md", &format!("\n| `{field}` "), "\n");
        assert!(row.contains(&words), "README.md, {field} must say: {words}");
    }
}

/// The words of a list in a source, each of which is in quotes.
fn quoted_words(list: &str) -> Vec<&str> {
    list.split('"').skip(1).step_by(2).collect()
}

#[test]
fn each_outcome_of_a_pass_is_explained_on_the_page_of_metrics() {
    let outcomes = between("src/metrics.rs", "const PASSES: [&str; ", "];\n");
    let outcomes = quoted_words(&outcomes);
    assert!(outcomes.len() > 10, "{outcomes:?}");
    let said = between("docs/metrics.md", "* `seatkeeper_reconciles_total{outcome}`: ", "\n* ");
    let told: Vec<&str> = said.split('`').skip(1).step_by(2).filter(|word| *word != "Ready").collect();
    let sorted = |mut words: Vec<&str>| {
        words.sort_unstable();
        words.join(" ")
    };
    assert_eq!(sorted(told), sorted(outcomes));
}

/// A default of an alert, as the chart's values have it.
#[track_caller]
fn of_alert(alert: &str, value: &str) -> String {
    let defaults = between("charts/seatkeeper/values.yaml", &format!("\n    {alert}: {{"), "}");
    let field = defaults.split(", ").find_map(|field| field.strip_prefix(&format!("{value}: ")));
    field.unwrap_or_else(|| panic!("{alert} has no {value}: {defaults}")).to_owned()
}

#[test]
fn page_of_alerts_has_the_numbers_of_the_charts_values() {
    let word = |hours: &str| WORDS[hours.trim_end_matches('h').parse::<usize>().unwrap()];
    let (seats, percent) = (of_alert("IdleSeats", "seats"), of_alert("IdleSeats", "percent"));
    assert_eq!((of_alert("IdleSeats", "for").as_str(), of_alert("ShortUntilWindow", "hours").as_str()), ("24h", "24"));
    assert_eq!((of_alert("ChangeStuck", "for").as_str(), of_alert("ApprovalAwaited", "for").as_str()), ("1h", "1h"));
    assert_eq!(of_alert("ExternalChangeCorrected", "hours"), "1");
    assert_eq!(of_alert("VendorThrottled", "requests"), "1");
    let (days, critical) = (of_alert("LicenseExpiring", "days"), of_alert("LicenseExpiringCritical", "days"));
    for words in [
        format!(
            "For a day, at least {seats} purchased seats (`alerts.rules.IdleSeats.seats`) and at least {percent} percent"
        ),
        "of the change that would help opens in more than a day.".to_owned(),
        "For an hour the account has not been as declared".to_owned(),
        "A change has waited for a `SeatApproval` for an hour.".to_owned(),
        "Seatkeeper corrected it within the last hour".to_owned(),
        "has refused more than one request as too many in 15 minutes".to_owned(),
        format!("ends within {days} days (`warning`) or {critical} days (`critical`)"),
        format!(
            "was not read for {} hours (`alerts.rules.ObservationStale.hours`)",
            of_alert("ObservationStale", "hours")
        ),
        format!("For {} hours, the vendor has billed another number", word(&of_alert("BilledDiffers", "for"))),
    ] {
        assert_says("docs/alerts.md", &words);
    }
}

#[test]
fn pauses_and_spreads_are_as_long_as_pages_say() {
    let minutes =
        number("src/domain/windows.rs", "pub const BEFORE_OPENING: Duration = Duration::from_secs(", ")") / 60;
    assert_eq!(minutes, 15);
    assert_says("docs/policies.md", "Seatkeeper reads each of them a quarter of an hour before");
    assert_says("docs/policies.md", "in the first quarter of an hour after the window opens");
    let page = "docs/never-buys-twice.md";
    let spread = number("src/domain/send_delay.rs", "const LONGEST_SPREAD: Duration = Duration::from_secs(", ")");
    assert_says(page, &format!("a random time of up to {spread} seconds between publishing a plan and sending it"));
    let longest = number("src/domain/retry_pause.rs", "const LONGEST_PAUSE: Duration = Duration::from_hours(", ")");
    assert_says(page, &format!("doubling from `--settle-unanswered` up to {longest} hours"));
    let outage = "src/vendors/rate_limit/vendor_outage.rs";
    let first = number(outage, "const FIRST_PAUSE: Duration = Duration::from_secs(", ")");
    let longest = number(outage, "const LONGEST_PAUSE: Duration = Duration::from_secs(", ")") / 60;
    let failures = number(outage, "const FAILURES: u32 = ", ";");
    let count = WORDS[failures];
    assert_says(
        page,
        &format!(
            "If {count} connections in a row to a host fail, Seatkeeper leaves the host alone for {first} second."
        ),
    );
    assert_says(page, &format!("the next pause is twice as long, up to {longest} minutes"));
    let renewal =
        number("src/vendors/bitwarden/session.rs", "const RENEW_BEFORE: Duration = Duration::from_secs(", ")") / 60;
    assert_says(page, &format!("until its token is due for renewal, {renewal} minutes before the end of the token"));
}

#[test]
fn an_hour_of_settle_times_covers_more_repeats_than_two_days_have() {
    let (answered, unanswered) = (minutes("settle-answered"), minutes("settle-unanswered"));
    let longest =
        60 * number("src/domain/retry_pause.rs", "const LONGEST_PAUSE: Duration = Duration::from_hours(", ")");
    let covered = 60 / answered;
    let words =
        format!("wait an hour: that covers {covered} repeats, more than Seatkeeper makes of a change in two days");
    assert_says("docs/policies.md", &words);
    // A pause is never shorter than the settle time, which grows with the attempts.
    let pause =
        |attempt: usize| (unanswered << (attempt - 1).min(16)).min(longest).max(unanswered + answered * (attempt - 1));
    let ends = (1..).scan(0, |passed, attempt| {
        *passed += pause(attempt);
        Some(*passed)
    });
    let repeats = ends.take_while(|passed| *passed <= 48 * 60).count();
    assert!((1..covered).contains(&repeats), "{repeats} repeats in two days, and an hour covers {covered}");
}

/// How many requests of a kind polls and new objects may make in a minute, by docs/bitwarden.md, which `vendors::rate_limit` holds.
fn budget(of: &str) -> [usize; 2] {
    let page = text("docs/bitwarden.md");
    let row = page.lines().find_map(|line| line.strip_prefix(&format!("| {of}, of "))).expect("a row");
    let cells: Vec<usize> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
    [cells[1], cells[2]]
}

#[test]
fn scaling_page_multiplies_the_budgets_of_the_bitwarden_page() {
    let ([tokens, first], [readings, _]) = (budget("tokens"), budget("readings of a path"));
    let page = "docs/scaling.md";
    let keys = spaced(tokens * 60);
    assert_says(page, &format!("polls get {tokens} tokens a minute. That is {keys} keys."));
    assert_says(page, &format!("polls get {readings} readings a minute of each path"));
    let (ten_minutes, hour) = (spaced(readings * 10), spaced(readings * 60));
    assert_says(page, &format!("With 10 minutes that is {ten_minutes} objects, with an hour {hour}."));
    assert_says(page, &format!("{first} a minute get their first token"));
}

/// What `tests/faults/chosen.txt` lists.
fn chosen() -> Counts {
    let (list, mut kind, mut counts) = (text("tests/faults/chosen.txt"), "", Counts::new());
    for line in list.lines().filter(|line| !line.is_empty()) {
        if let Some(heading) = line.strip_prefix("# ") {
            kind = heading.split_once(": ").map_or("", |(kind, _)| kind);
        } else {
            let action = line.splitn(3, '/').nth(2).expect("scenario/request/action");
            *counts.entry((kind.to_owned(), action.to_owned())).or_default() += 1;
        }
    }
    counts
}

#[test]
fn faults_page_counts_the_cases_that_the_list_has() {
    let (page, chosen) = (text("docs/evidence/faults.md"), chosen());
    assert!(chosen.len() > 100, "only {} kinds of cases", chosen.len());
    assert_eq!(table::is_of(&page, &chosen), Ok(()), "docs/evidence/faults.md");
    let ((kind, action), run) = chosen.first_key_value().expect("a case");
    let row = |run: usize| format!("| {kind} | {action} | {run} |");
    for (there, wrong) in [
        (row(*run), row(run + 1)),
        (row(*run), row(run - 1)),
        ("Played are ".to_owned(), "Played are 1".to_owned()),
        ("`faults: ".to_owned(), "`faults: 1".to_owned()),
        (" missed (of".to_owned(), "1 missed (of".to_owned()),
    ] {
        let stale = page.replace(&there, &wrong);
        assert_ne!(stale, page, "{there}");
        assert!(table::is_of(&stale, &chosen).is_err(), "{there} for {wrong}");
    }
}
