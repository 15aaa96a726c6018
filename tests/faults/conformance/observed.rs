//! What the proxy saw of a pass, as steps. What a request was for, and what the operator made of its answer, cannot always be
//! told from outside: then a pass is any of a few rows of steps. Nothing here knows what the model allows.

use std::time::Duration;

use fault_proxy::{Hop, Record};
use serde_json::Value;

use crate::pass_step::{Heard, Left, OnRecord, PassStep, Stored};

/// A row of steps.
pub type Steps = Vec<PassStep>;

/// One pass.
pub struct Observed {
    /// Number of its first request.
    pub first: usize,
    /// What it may have been. None: no row of steps begins like that.
    pub rows: Vec<Steps>,
}

/// The passes over one object by one replica, in their order.
pub fn passes(records: &[Record]) -> Vec<Observed> {
    let starts: Vec<usize> = (0..records.len()).filter(|at| begins(records, *at)).collect();
    let ends = starts.iter().skip(1).copied().chain([records.len()]);
    let each = starts.iter().zip(ends).map(|(start, end)| &records[*start..end]);
    each.filter(|pass| pass[0].answered == Some(200) && pass[0].executed == Some(200))
        .map(|pass| Observed { first: pass[0].number, rows: rows(&pass[1..]) })
        .collect()
}

fn is_object(record: &Record) -> bool {
    record.hop == Hop::Apiserver && record.method == "GET" && record.path.contains("/licenseseats/")
}

/// A pass begins with the object, and goes on with a Secret. What is read right after a write, and followed by anything else, is
/// read again.
fn begins(records: &[Record], at: usize) -> bool {
    let after_write = at > 0 && records[at - 1].is_record();
    let secret = records.get(at + 1).is_some_and(|next| next.hop == Hop::Apiserver && next.path.contains("/secrets/"));
    is_object(&records[at]) && (secret || !after_write)
}

/// Reads a Secret, or anything of the vendor, or signs in there.
fn is_reading(record: &Record) -> bool {
    match record.hop {
        Hop::Apiserver => record.path.contains("/secrets/"),
        Hop::Vendor => !record.is_purchase(),
    }
}

fn is_whole(record: &Record) -> bool {
    record.answered == Some(200) && record.executed == Some(200)
}

/// Takes the readings from the front: whether the vendor was asked, and whether all went well.
fn take_readings(records: &mut &[Record]) -> (bool, bool) {
    let many = records.iter().take_while(|record| is_reading(record)).count();
    let (readings, rest) = records.split_at(many);
    *records = rest;
    (readings.iter().any(|record| record.hop == Hop::Vendor), readings.iter().all(is_whole))
}

fn each(first: &[PassStep], then: Vec<Steps>) -> Vec<Steps> {
    then.into_iter().map(|steps| first.iter().copied().chain(steps).collect()).collect()
}

/// What follows on the object.
fn rows(mut records: &[Record]) -> Vec<Steps> {
    let object = [PassStep::Object];
    let seen = [PassStep::Object, PassStep::Vendor(true)];
    let (asked, well) = take_readings(&mut records);
    let cut = || each(&object, vec![vec![PassStep::Cut]]);
    let unread = || if asked && !well { vec![vec![PassStep::Object, PassStep::Vendor(false)]] } else { Vec::new() };
    match records.first() {
        None if asked => [each(&seen, vec![Vec::new(), vec![PassStep::Cut]]), unread(), cut()].concat(),
        None => cut(),
        Some(record) if record.is_purchase() => each(&seen, sent(records)),
        Some(record) if opens(record) => each(&seen, intent(records)),
        Some(_) => {
            let written = status(records);
            // Words alone are said of a pass that came to nothing too.
            let nothing = if written.contains(&Vec::new()) { [unread(), cut()].concat() } else { Vec::new() };
            let decided = if asked { each(&seen, written) } else { each(&object, written) };
            [decided, nothing].concat()
        }
    }
}

/// From the intent on.
fn intent(records: &[Record]) -> Vec<Steps> {
    let Some((write, mut rest)) = records.split_first() else { return Vec::new() };
    if write.executed != Some(200) {
        // Whatever is done about it, nothing is sent.
        if rest.iter().any(Record::is_purchase) {
            return each(&[PassStep::Intent(false)], sent(rest));
        }
        let cut = if write.executed.is_none() { vec![vec![PassStep::Cut]] } else { Vec::new() };
        return [vec![vec![PassStep::Intent(false)]], cut].concat();
    }
    rest = &rest[rest.iter().take_while(|record| is_object(record)).count()..];
    let (_, well) = take_readings(&mut rest);
    let stored = [PassStep::Intent(true)];
    match rest.first() {
        None => each(&stored, vec![vec![PassStep::Cut]]),
        Some(record) if record.is_purchase() => each(&stored, sent(rest)),
        Some(_) => {
            let held = each(&[PassStep::HeldBack], status(rest));
            // Without a token the vendor refuses at its door.
            let refused = each(&[PassStep::Sent(Heard::Refused)], status(rest));
            each(&stored, [held, if well { Vec::new() } else { refused }].concat())
        }
    }
}

/// From the request on.
fn sent(records: &[Record]) -> Vec<Steps> {
    let Some((request, mut rest)) = records.split_first() else { return Vec::new() };
    let (asked, well) = take_readings(&mut rest);
    let back: &[bool] = match (asked, well) {
        (false, _) => &[],
        (true, true) => &[true],
        (true, false) => &[true, false],
    };
    let then = |rest: &[Record]| if rest.is_empty() { vec![vec![PassStep::Cut], Vec::new()] } else { status(rest) };
    let mut after: Vec<Steps> = back.iter().flat_map(|shown| each(&[PassStep::ReadBack(*shown)], then(rest))).collect();
    if !asked {
        after.extend(then(rest));
        // A host that asks to be left alone is not read.
        if request.answered == Some(503) {
            after.extend(each(&[PassStep::ReadBack(false)], then(rest)));
        }
    } else if rest.is_empty() {
        after.push(vec![PassStep::Cut]);
    }
    heard(request, records.get(1)).iter().flat_map(|heard| each(&[PassStep::Sent(*heard)], after.clone())).collect()
}

/// It took about as long as the operator waits in these runs (`--write-timeout`), or longer. Its answer may have been held back after
/// it was carried out: then the next request tells.
fn is_late(request: &Record, next: Option<&Record>) -> bool {
    let ends = [request.over, next.map(|next| next.at)];
    ends.into_iter().flatten().any(|end| end.saturating_sub(request.at) > Duration::from_millis(900))
}

/// What may have been heard. `next`: the request after it.
fn heard(request: &Record, next: Option<&Record>) -> &'static [Heard] {
    match request.answered {
        None => &[Heard::Nothing],
        Some(200..=399) => &[Heard::Accepted, Heard::Opaque, Heard::Uncertain, Heard::Nothing],
        // The operator may have stopped to wait for it.
        Some(401 | 429) if is_late(request, next) => &[Heard::Refused, Heard::Nothing],
        Some(401 | 429) => &[Heard::Refused],
        Some(400..=499) => &[Heard::Opaque, Heard::Uncertain, Heard::Nothing, Heard::Refused],
        Some(_) => &[Heard::Opaque, Heard::Uncertain, Heard::Nothing],
    }
}

/// A status to the end of the pass. A row without a step: words were written, and nothing that is part of the protocol.
fn status(records: &[Record]) -> Vec<Steps> {
    let Some((write, rest)) = records.split_first() else { return Vec::new() };
    if !write.is_record() || opens(write) {
        return Vec::new();
    }
    let again = &rest[rest.iter().take_while(|record| is_object(record)).count()..];
    let words = if is_words(write) { vec![Vec::new()] } else { Vec::new() };
    let nothing = vec![PassStep::Status(Stored::Nothing)];
    match write.executed {
        // Nothing may follow.
        Some(200) if !again.is_empty() => Vec::new(),
        Some(200) => {
            let whole = left(write).into_iter().map(|left| vec![PassStep::Status(Stored::Whole(left))]);
            words.into_iter().chain(whole).collect()
        }
        Some(409) if again.is_empty() => [words, vec![nothing]].concat(),
        Some(409) => status(again).into_iter().map(merged).collect(),
        // It is not stored, and the pass is given up.
        _ => [words, vec![nothing, vec![PassStep::Cut]]].concat(),
    }
}

/// A write after one that came too late.
fn merged(steps: Steps) -> Steps {
    let merged = |step| match step {
        PassStep::Status(Stored::Whole(left)) => PassStep::Status(Stored::Merged(left)),
        other => other,
    };
    steps.into_iter().map(merged).collect()
}

fn patch_of(record: &Record) -> Value {
    let patch: Value = serde_json::from_str(&record.patch).unwrap_or_default();
    patch["status"].clone()
}

/// It opens an intent that is about to be sent. One that another writer made is recorded too, and never sent.
fn opens(record: &Record) -> bool {
    let phase = &patch_of(record)["intent"]["phase"];
    // A patch names what changes: the intent before may have been open too.
    record.opens && (phase.is_null() || phase == "Open")
}

/// Fields of an intent that are the protocol's; the others are words for people.
const OF_THE_PROTOCOL: [&str; 5] = ["id", "attempt", "phase", "step", "answered"];

fn has(of: &Value, field: &str) -> bool {
    of.get(field).is_some()
}

/// Nothing of the protocol must be in it: it may say words alone.
fn is_words(record: &Record) -> bool {
    let status = patch_of(record);
    let intent = has(&status, "intent")
        && (status["intent"].is_null() || OF_THE_PROTOCOL.iter().any(|field| has(&status["intent"], field)));
    let plan = has(&status, "plan") && (status["plan"].is_null() || has(&status["plan"], "basis"));
    !intent && !plan && !has(&status, "history")
}

/// What a write may leave on record: what it does not name stays, whatever that is.
fn left(record: &Record) -> Vec<Left> {
    let status = patch_of(record);
    let intents = match status.get("intent") {
        Some(Value::Null) => vec![OnRecord::Closed],
        Some(_) => vec![OnRecord::Stays],
        None => vec![OnRecord::None, OnRecord::Stays],
    };
    let (plan, made) = (status["plan"]["basis"].is_string(), status["history"].is_array());
    intents.into_iter().map(|intent| Left { intent, plan, made }).collect()
}
