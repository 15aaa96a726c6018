//! The model's small values as the values of the code, and back.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use seatkeeper::api::{
    Change, Intent, KeyAsked, KeyOrigin, KeyRecord, KeyState, KeyStep, KeysOf, License, LicenseState, SecretKeyRef,
    Step, Trigger,
};
use seatkeeper::domain::{self, KeyRing, WaitFor, WantedKey};

use super::judge::{wish, wish_of};
use super::outside::Listing;
use super::tenant::{ROWS, Seen, bit};
use super::{Answer, Key, Known, Made, Mark, Origin, Row, Rows, Says, State, Task, Wait};
use crate::bridge::{ACCOUNT, UID, trigger};
use crate::case::{id, id_word};
use crate::world::FIRST_GENERATION;

/// What the record says of a request of which no answer was heard.
const NO_ANSWER: &str = "no answer";

/// How many seats each row has.
const SEATS: i32 = 10;

pub fn reference(key: Key) -> SecretKeyRef {
    let name = if key == Key::A { "a" } else { "b" };
    SecretKeyRef { name: name.to_owned(), key: "licenseKey".to_owned() }
}

fn print(key: Key) -> String {
    domain::fingerprint(UID, reference(key).name.as_bytes())
}

fn key_of(print: Option<&str>) -> Key {
    Key::ALL.into_iter().find(|key| Some(self::print(*key).as_str()) == print).expect("a key of the model")
}

pub fn row(row: Row) -> domain::Row {
    let (id, uuid) = (i64::from(row), uuid(row));
    domain::Row {
        id,
        uuid,
        seats: Some(SEATS),
        expires: None,
        hard: None,
        invalidated: false,
        odd: None,
        features: Some(vec![]),
    }
}

fn uuid(row: Row) -> String {
    format!("u{row}")
}

fn numbers(rows: Rows) -> impl Iterator<Item = Row> {
    (0..ROWS).filter_map(|row| Row::try_from(row).ok()).filter(move |row| rows & bit(*row) != 0)
}

pub fn ring(seen: Seen, listing: Listing) -> KeyRing {
    let wanted = |key: &Key| WantedKey { reference: reference(*key), adopt: None, fingerprint: Ok(print(*key)) };
    KeyRing {
        seats: i32::from(seen.seats) * SEATS,
        rows: numbers(seen.rows).map(row).collect(),
        wanted: listing.keys().iter().map(wanted).collect(),
        can_add_user: Some(true),
        ..KeyRing::default()
    }
}

fn step(mark: Mark) -> Step {
    let from = i32::from(mark.from) * SEATS;
    let plain = KeyStep {
        from,
        to: from,
        secret_key_ref: Some(reference(mark.key)),
        fingerprint: Some(print(mark.key)),
        present: vec![],
        id: None,
        uuid: None,
        unexplained: None,
        heard: vec![],
    };
    match mark.task {
        Task::Add { present, named } => Step::AddKey(KeyStep {
            present: numbers(present).map(i64::from).collect(),
            id: named.map(i64::from),
            uuid: named.map(uuid),
            unexplained: Some(i32::from(mark.unexplained) * SEATS),
            heard: heard(mark),
            ..plain
        }),
        Task::Remove(row) => {
            Step::RemoveKey(KeyStep { to: from - SEATS, id: Some(i64::from(row)), uuid: Some(uuid(row)), ..plain })
        }
    }
}

/// What was heard of the requests of an addition.
fn heard(mark: Mark) -> Vec<String> {
    let words = |says: Says| uncertain(says).words();
    let first = mark.first.map(words);
    if mark.attempt == 1 {
        return first.into_iter().collect();
    }
    let first = first.unwrap_or_else(|| NO_ANSWER.to_owned());
    std::iter::once(first).chain(mark.refused.map(words)).collect()
}

pub fn intent(mark: Mark) -> Intent {
    Intent {
        id: id_word(mark.id),
        object_uid: UID.to_owned(),
        generation: i64::from(FIRST_GENERATION),
        wish: Some(wish(mark.wish)),
        account: ACCOUNT.to_owned(),
        step: step(mark),
        used: Some(1),
        attempt: i32::from(mark.attempt),
        reason: trigger(mark.external),
        answered: 0,
        next_try: None,
        look: None,
        window: None,
        approval: None,
        refused: mark.refused.map(|says| uncertain(says).words()),
        phase: mark.phase.into(),
        time: Time(Timestamp::UNIX_EPOCH),
    }
}

pub fn mark(intent: &Intent) -> Mark {
    let named = |key: &KeyStep| key.id.map(small);
    let (key, task) = match &intent.step {
        Step::AddKey(key) => {
            let present = key.present.iter().map(|id| bit(small(*id))).sum();
            (key, Task::Add { present, named: named(key) })
        }
        Step::RemoveKey(key) => (key, Task::Remove(named(key).expect("the number of a row"))),
        Step::Seats(_) => panic!("an intent about a number of seats"),
    };
    Mark {
        id: id(&intent.id),
        task,
        key: key_of(key.fingerprint.as_deref()),
        attempt: small(intent.attempt.into()),
        external: intent.reason == Trigger::ExternalChange,
        phase: intent.phase.into(),
        from: small((key.from / SEATS).into()),
        unexplained: small((key.unexplained.unwrap_or_default() / SEATS).into()),
        wish: wish_of(intent.wish.as_deref()),
        refused: intent.refused.as_deref().map(says),
        first: key_step(intent).heard.first().filter(|words| *words != NO_ANSWER).map(|words| says(words)),
    }
}

fn key_step(intent: &Intent) -> &KeyStep {
    intent.step.key().expect("an intent about a key")
}

fn says(words: &str) -> Says {
    let said = |says: &Says| uncertain(*says).words() == words;
    [Says::Present, Says::PerhapsPresent, Says::Other].into_iter().find(said).expect("a refusal of the model")
}

fn uncertain(says: Says) -> domain::Uncertain {
    match says {
        Says::Present => domain::Uncertain::Present,
        Says::PerhapsPresent => domain::Uncertain::PerhapsPresent,
        Says::Other => domain::Uncertain::Status(422),
    }
}

/// The history: the newest change, of which only the id matters, and then the corrections.
pub fn history(made: Made) -> Vec<Change> {
    let change = |id: String, wish: Option<Listing>| Change {
        id,
        account: ACCOUNT.to_owned(),
        step: Step::AddKey(KeyStep {
            from: 0,
            to: 0,
            secret_key_ref: None,
            fingerprint: None,
            present: vec![],
            id: None,
            uuid: None,
            unexplained: None,
            heard: vec![],
        }),
        generation: i64::from(FIRST_GENERATION),
        wish: wish.map(self::wish),
        attempt: 1,
        reason: trigger(wish.is_some()),
        window: None,
        approval: None,
        time: Time(Timestamp::UNIX_EPOCH),
    };
    let corrections = Listing::ALL.into_iter().flat_map(|listing| {
        (0..made.corrections[listing.place()]).map(move |n| (format!("{listing:?}{n}"), Some(listing)))
    });
    let newest = made.last.map(|last| (id_word(last), None));
    newest.into_iter().chain(corrections).map(|(id, wish)| change(id, wish)).collect()
}

/// After this many corrections for one wish nothing is decided otherwise.
const MOST_CORRECTIONS: u8 = 3;

pub fn license(made: Made, foreign: Rows) -> License {
    let keys = Key::ALL.into_iter().filter_map(|key| made.keys[key.place()].map(|known| record(key, known)));
    let foreign = numbers(foreign).map(|number| KeyRecord {
        secret_key_ref: None,
        fingerprint: None,
        ..record(Key::A, Known { row: Some(number), origin: None, state: State::Active })
    });
    let foreign = foreign.map(|record| KeyRecord { origin: Some(KeyOrigin::Foreign), ..record });
    License {
        keys: keys.chain(foreign).collect(),
        keys_of: Some(KeysOf { object_uid: UID.to_owned(), account: ACCOUNT.to_owned() }),
        ..License::of(LicenseState::Active)
    }
}

fn record(key: Key, known: Known) -> KeyRecord {
    KeyRecord {
        secret_key_ref: Some(reference(key)),
        fingerprint: Some(print(key)),
        id: known.row.map(i64::from),
        uuid: known.row.map(uuid),
        origin: known.origin.map(|origin| match origin {
            Origin::Added => KeyOrigin::Added,
            Origin::Found => KeyOrigin::Found,
        }),
        state: match known.state {
            State::Active => KeyState::Active,
            State::Missing => KeyState::Missing,
            State::Rejected => KeyState::Rejected,
            State::Unproven => KeyState::Unproven,
            State::AlreadyPresent => KeyState::AlreadyPresent,
            State::Removed => KeyState::Removed,
        },
        seats: known.row.map(|_| SEATS),
        expires_at: None,
        hard_expiration: None,
        features: vec![],
        // Nobody answers the question, so it needs no name.
        asked: (known.state == State::Unproven).then(|| KeyAsked { id: String::new(), heard: vec![] }),
    }
}

pub fn made(history: &[Change], license: Option<&License>) -> Made {
    let mut made = Made { last: history.first().map(|change| id(&change.id)), ..Made::default() };
    for change in history.iter().filter(|change| change.reason == Trigger::ExternalChange) {
        let count = &mut made.corrections[wish_of(change.wish.as_deref()).place()];
        *count = MOST_CORRECTIONS.min(*count + 1);
    }
    for record in license.map_or(&[][..], |license| &license.keys) {
        if let Some((key, known)) = known(record) {
            assert!(made.keys[key.place()].replace(known).is_none(), "one record for each key");
        }
    }
    made
}

/// Not those that are made anew with each reading: of foreign rows, and of keys that are to be added.
fn known(record: &KeyRecord) -> Option<(Key, Known)> {
    let state = match record.state {
        KeyState::Active => State::Active,
        KeyState::Missing => State::Missing,
        KeyState::Rejected => State::Rejected,
        KeyState::Unproven => State::Unproven,
        KeyState::AlreadyPresent => State::AlreadyPresent,
        KeyState::Removed => State::Removed,
        KeyState::Pending => return None,
        other => panic!("a state that the model does not know: {other:?}"),
    };
    let origin = match record.origin {
        Some(KeyOrigin::Foreign) => return None,
        Some(KeyOrigin::Added) => Some(Origin::Added),
        Some(KeyOrigin::Found) => Some(Origin::Found),
        Some(KeyOrigin::Adopted) => panic!("the model's spec adopts nothing"),
        None => None,
    };
    Some((key_of(record.fingerprint.as_deref()), Known { row: record.id.map(small), origin, state }))
}

/// The code's hashes of readings, with the reading of each. A clock waits only for what a decision has named.
fn sights() -> &'static Mutex<HashMap<String, Seen>> {
    static SIGHTS: OnceLock<Mutex<HashMap<String, Seen>>> = OnceLock::new();
    SIGHTS.get_or_init(Mutex::default)
}

/// The reading of a hash: the present one, unless the hash was met before. A clock that is kept names an earlier one.
fn learn(seen: Seen, sight: &str) -> Seen {
    *sights().lock().unwrap().entry(sight.to_owned()).or_insert(seen)
}

/// What the code waits for, now that it has judged this reading.
pub fn key(wait: &WaitFor, seen: Seen) -> Wait {
    match wait {
        WaitFor::Request(word) => Wait::Request(id(word)),
        WaitFor::LateEffects(word) => Wait::LateEffects(id(word)),
        WaitFor::SecondReading { of, sight } => match &**of {
            WaitFor::Request(word) => Wait::Second { id: id(word), late: false, sight: learn(seen, sight) },
            WaitFor::LateEffects(word) => Wait::Second { id: id(word), late: true, sight: learn(seen, sight) },
            other => panic!("a second reading after {other:?}"),
        },
        WaitFor::Missing(sight) => Wait::Missing(learn(seen, sight)),
        other @ (WaitFor::TakenBack(_) | WaitFor::Activation(_)) => panic!("a wait that keys do not know: {other:?}"),
    }
}

pub fn wait(key: Wait) -> WaitFor {
    let sight = |seen: Seen| {
        let sights = sights().lock().unwrap();
        let mut known = sights.iter().filter(|(_, of)| **of == seen).map(|(sight, _)| sight.clone());
        known.next().expect("a reading that was judged")
    };
    match key {
        Wait::Request(id) => WaitFor::Request(id_word(id)),
        Wait::LateEffects(id) => WaitFor::LateEffects(id_word(id)),
        Wait::Second { id, late, sight: seen } => {
            let of = wait(if late { Wait::LateEffects(id) } else { Wait::Request(id) });
            WaitFor::SecondReading { of: Box::new(of), sight: sight(seen) }
        }
        Wait::Missing(seen) => WaitFor::Missing(sight(seen)),
    }
}

fn small<T: TryFrom<i64>>(n: i64) -> T {
    T::try_from(n).ok().expect("a number of the model")
}

/// The answer, as the client of the vendor tells it.
pub fn outcome(answer: Answer) -> domain::Outcome {
    use domain::{Outcome, Refusal};
    match answer {
        Answer::Named(number) => Outcome::Added(Box::new(row(number))),
        Answer::Accepted => Outcome::Accepted,
        Answer::Opaque => Outcome::Answered,
        Answer::None => Outcome::Unanswered,
        Answer::Throttled => Outcome::Refused(Refusal::Throttled(None)),
        Answer::Uncertain(says) => Outcome::Uncertain(uncertain(says)),
        Answer::NotSent => Outcome::NotSent("the send deadline has passed"),
    }
}
