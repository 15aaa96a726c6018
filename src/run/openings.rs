//! `seatkeeper openings`: when the windows of LicenseSeats open next, for a person who asks before an object is applied or after. It
//! reads a file or standard input, and asks neither a cluster nor a vendor. Called by `main`.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::api::{CronWindow, LicenseSeatsSpec, go_duration, parse_duration};
use crate::calendar::{Around, Opening, Schedule};
use crate::clock;
use crate::domain::{CronRule, Desired, Renewal};
use crate::vendors;

/// How many openings of each window are shown.
const SHOWN: usize = 5;

/// Settings of `seatkeeper openings`.
#[derive(Debug, clap::Args)]
pub struct Openings {
    /// A file with LicenseSeats as YAML or JSON, such as what `kubectl get -o yaml` prints [default: standard input]
    file: Option<PathBuf>,
}

/// The openings of each window of each object, as lines.
///
/// # Errors
/// One sentence for each object that is refused, or why nothing could be read.
pub fn openings(args: &Openings) -> Result<String, String> {
    let text = match &args.file {
        Some(file) => fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?,
        None => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| format!("standard input: {error}"))?;
            text
        }
    };
    told(&text, clock::now())
}

fn told(text: &str, now: Timestamp) -> Result<String, String> {
    let objects = objects(text)?;
    if objects.is_empty() {
        return Err("no LicenseSeats was given: name a file with one, or pipe one in".into());
    }
    let (told, refused): (Vec<_>, Vec<_>) =
        objects.iter().map(|object| of_object(object, now)).partition(Result::is_ok);
    let words = |all: Vec<Result<String, String>>| -> String {
        all.into_iter().map(|one| one.unwrap_or_else(|refused| refused)).collect()
    };
    if refused.is_empty() { Ok(words(told)) } else { Err(words(refused).trim_end().to_owned()) }
}

/// The LicenseSeats of some documents, also those of a list.
fn objects(text: &str) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let mut document = Value::deserialize(document).map_err(|error| format!("this is no YAML: {error}"))?;
        match document.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => objects.extend(items),
            _ => objects.push(document),
        }
    }
    objects.retain(|object| object["kind"] == "LicenseSeats");
    Ok(objects)
}

fn of_object(object: &Value, now: Timestamp) -> Result<String, String> {
    let name = object["metadata"]["name"].as_str().unwrap_or("an object without a name");
    let refused = |why: String| format!("{name}: {why}\n");
    let spec = LicenseSeatsSpec::deserialize(&object["spec"]).map_err(|error| refused(format!("spec: {error}")))?;
    let (pool, _) = vendors::target(&spec.vendor).map_err(|fault| refused(fault.0))?;
    let desired = Desired::parse(&spec, pool, Duration::ZERO).map_err(|fault| refused(fault.0))?;
    let mut lines = Vec::new();
    for rule in &desired.adjustment.crons {
        lines.extend(by_the_calendar(rule, now).map_err(&refused)?);
    }
    let end = object["status"]["license"]["periodEnd"].as_str().and_then(|end| end.parse().ok());
    for renewal in &desired.adjustment.renewals {
        lines.extend(before_the_renewal(renewal, end));
    }
    if lines.is_empty() {
        lines.push("  no change waits for a window".into());
    }
    Ok(format!("{name}\n{}\n", lines.join("\n")))
}

fn by_the_calendar(rule: &CronRule, now: Timestamp) -> Result<Vec<String>, String> {
    let CronRule { path, name, cron: CronWindow { schedule, time_zone, duration } } = rule;
    let length = parse_duration(duration).map_err(|error| format!("{path}.duration {error}"))?;
    let parsed = Schedule::parse(schedule, time_zone, length).map_err(|fault| fault.at(path))?;
    let line = |opening: Opening| format!("    {} to {}", parsed.local(opening.opens), parsed.local(opening.closes));
    let Around { begun, .. } = parsed.around(now);
    let open = begun.filter(|begun| now < begun.closes).map(|begun| format!("{}, open now", line(begun)));
    let head = format!("  window {name}: {schedule}, {time_zone}, for {duration}");
    Ok([head].into_iter().chain(open).chain(parsed.openings(now).take(SHOWN).map(line)).collect())
}

/// Only the next end of a period is known, and only with an owner's key.
fn before_the_renewal(renewal: &Renewal, end: Option<Timestamp>) -> Vec<String> {
    let Renewal { name, opens, closes } = renewal;
    let before = |length: &Duration| end?.checked_sub(SignedDuration::try_from(*length).ok()?).ok();
    let shown = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let (from, to) = (go_duration(*opens), go_duration(*closes));
    let head = format!("  window {name}: from {from} to {to} before the end of the period");
    let next = match before(opens).zip(before(closes)) {
        Some((opens, closes)) => format!("    {} to {}", shown(opens), shown(closes)),
        None => "    the status of the object has the end of the period, where the vendor shows it: pipe in the output of kubectl get -o \
                 yaml"
            .into(),
    };
    vec![head, next]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn object(windows: &str, status: &str) -> String {
        format!(
            "kind: LicenseSeats\nmetadata: {{name: acme}}\nspec:\n  vendor: {{bitwarden: {{credentialsSecretRef: {{name: a}}}}}}\n  \
             adjustment:\n    increase: {{mode: InWindow}}\n    windows: [{windows}]\nstatus: {status}\n"
        )
    }

    #[test]
    fn openings_shows_next_five_of_each_window_in_its_zone_and_one_open_now() {
        let monthly = "{name: month-start, cron: {schedule: 0 6 1 * *, timeZone: Europe/Berlin, duration: 4h}}";
        let told = told(&object(monthly, "{}"), at("2027-01-01T05:30:00Z")).unwrap();
        let expected = "acme
  window month-start: 0 6 1 * *, Europe/Berlin, for 4h
    2027-01-01 06:00 CET to 2027-01-01 10:00 CET, open now
    2027-02-01 06:00 CET to 2027-02-01 10:00 CET
    2027-03-01 06:00 CET to 2027-03-01 10:00 CET
    2027-04-01 06:00 CEST to 2027-04-01 10:00 CEST
    2027-05-01 06:00 CEST to 2027-05-01 10:00 CEST
    2027-06-01 06:00 CEST to 2027-06-01 10:00 CEST
";
        assert_eq!(told, expected);
    }

    #[test]
    fn renewal_window_is_shown_where_status_has_end_of_period() {
        let renewal = "{name: renewal, beforeRenewal: {opens: 48h, closes: 2h}}";
        let told = |status: &str| told(&object(renewal, status), at("2027-01-01T05:30:00Z")).unwrap();
        let known = told("{license: {state: Active, periodEnd: '2027-03-10T00:00:00Z'}}");
        assert!(known.contains("\n    2027-03-08 00:00 UTC to 2027-03-09 22:00 UTC\n"), "{known}");
        assert!(told("{}").contains("pipe in the output of kubectl get -o yaml"), "{}", told("{}"));
    }

    #[test]
    fn objects_of_list_are_shown_and_other_kinds_skipped() {
        let list = "kind: List\nitems:\n- {kind: Secret}\n- kind: LicenseSeats\n  metadata: {name: plain}\n  spec: {vendor: {bitwarden: \
                    {credentialsSecretRef: {name: a}}}}\n";
        assert_eq!(told(list, Timestamp::UNIX_EPOCH).unwrap(), "plain\n  no change waits for a window\n");
        for other in ["kind: Secret", "words", "", "items: {}"] {
            let refused = told(other, Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(refused.starts_with("no LicenseSeats was given"), "{other}: {refused}");
        }
    }

    #[test]
    fn object_that_the_operator_would_refuse_is_refused_by_field() {
        let window = "{name: a, cron: {schedule: 61 6 1 * *, timeZone: UTC, duration: 4h}}";
        let refused = told(&object(window, "{}"), Timestamp::UNIX_EPOCH).unwrap_err();
        let expected = "acme: spec.adjustment.windows[0].cron.schedule has \"61\" as minute";
        assert!(refused.starts_with(expected), "{refused}");
        let refused = told(&object("", "{}"), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(refused.contains("spec.adjustment.increase.mode is InWindow and it has no window"), "{refused}");
    }
}
