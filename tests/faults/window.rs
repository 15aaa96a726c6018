//! A change that needs a window: one that opened half an hour before the object is declared, and closes half an hour after
//! that. It closes while a request is under way where the next process's clock is an hour ahead; an hour behind, it is not open yet.

use fault_proxy::Record;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::case::{Case, End};
use crate::happenings::EDITED;
use crate::rig::Rig;
use crate::selection::{APPROVED, IN_WINDOW};

const LENGTH: SignedDuration = SignedDuration::from_hours(1);

/// What a spec says of it when it is declared.
pub fn adjustment() -> Value {
    let opened = Timestamp::now().checked_sub(LENGTH / 2).expect("a time");
    let schedule = opened.strftime("%-M %-H * * *").to_string();
    json!({
        "increase": { "mode": "InWindow" },
        "decrease": { "mode": "InWindow" },
        "windows": [{ "name": "now", "cron": { "schedule": schedule, "timeZone": "UTC", "duration": "1h" } }],
    })
}

/// When the window of a spec opened last: its schedule names minute and hour.
fn opened(adjustment: &Value) -> Option<Timestamp> {
    let schedule = adjustment["windows"][0]["cron"]["schedule"].as_str()?;
    let mut fields = schedule.split(' ').map(|field| field.parse::<i8>().ok());
    let (minute, hour) = (fields.next()??, fields.next()??);
    let now = Timestamp::now();
    let today = now.to_zoned(TimeZone::UTC).date().to_datetime(Time::new(hour, minute, 0, 0).ok()?);
    let today = today.to_zoned(TimeZone::UTC).ok()?.timestamp();
    if today > now { today.checked_sub(SignedDuration::from_hours(24)).ok() } else { Some(today) }
}

/// What broke the promises of the window: a request outside it, or a change that waits although it need not.
pub async fn broken(rig: &Rig, case: &Case, end: End, records: &[Record]) -> Option<String> {
    if case.scenario.name != IN_WINDOW {
        return (end == End::Deferred && case.scenario.name != APPROVED)
            .then(|| "waits for a window, and there is none".to_owned());
    }
    let object = rig.objects.seats().get("acme").await.ok()?;
    let spec = serde_json::to_value(object.spec).ok()?;
    let Some(opens) = opened(&spec["adjustment"]) else { return Some(format!("no window in {spec}")) };
    let outside = |time: &Timestamp| *time < opens || time.duration_since(opens) >= LENGTH;
    if let Some(time) = first_attempts(records).find(outside) {
        return Some(format!("a request was recorded at {time}, outside the window that opened at {opens}"));
    }
    let organization = rig.bitwarden().organization(&rig.key().id);
    let is = (organization.seats, organization.billed.seats);
    let (none, made) = ((Some(100), Some(100)), (Some(case.scenario.goal.0), Some(case.scenario.goal.0)));
    let closed = case.crew.clocks.iter().any(|shift| shift != "0") && is == none;
    let spent = case.happening() == Some(EDITED) && is == made;
    (end == End::Deferred && !closed && !spent)
        .then(|| format!("waits for the next window, which nothing asks for; shown and billed are {is:?}"))
}

/// When those requests were recorded, by the clock of the operator, that repeat no other.
fn first_attempts(records: &[Record]) -> impl Iterator<Item = Timestamp> {
    let intents = records.iter().filter(|record| record.opens && record.executed == Some(200)).filter_map(|record| {
        let patch: Value = serde_json::from_str(&record.patch).ok()?;
        Some(patch["status"]["intent"].clone())
    });
    intents.filter(|intent| intent["attempt"] == 1).filter_map(|intent| intent["time"].as_str()?.parse().ok())
}
