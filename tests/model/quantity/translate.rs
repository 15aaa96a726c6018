//! The model's small values as the values of the code, and back.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use seatkeeper::api::{Change, Intent, SeatsStep, Step, Trigger};
use seatkeeper::plan::{Numbers, WaitFor};

use super::judge::wish;
use super::{Key, Kind, Mark};
use crate::apiserver::Phase;
use crate::bridge::{ACCOUNT, UID, trigger};
use crate::case::{id, id_word};
use crate::world::FIRST_GENERATION;

pub fn intent(mark: Mark) -> Intent {
    Intent {
        id: id_word(mark.id),
        object_uid: UID.to_owned(),
        generation: i64::from(FIRST_GENERATION),
        wish: Some(wish().to_owned()),
        account: ACCOUNT.to_owned(),
        step: step(mark),
        used: Some(1),
        attempt: i32::from(mark.attempt),
        reason: trigger(mark.external),
        refused: None,
        phase: mark.phase.into(),
        time: Time(Timestamp::UNIX_EPOCH),
    }
}

fn step(mark: Mark) -> Step {
    let (from, to) = (i32::from(mark.from), i32::from(mark.to));
    Step::Seats(SeatsStep { from, to, limit_from: None, limit_to: None })
}

pub fn mark(intent: &Intent) -> Mark {
    Mark {
        id: id(&intent.id),
        from: small(intent.base().seats),
        to: small(intent.target().seats),
        attempt: small(intent.attempt),
        external: intent.reason == Trigger::ExternalChange,
        phase: intent.phase.into(),
    }
}

pub fn change(mark: Mark) -> Change {
    Change {
        id: id_word(mark.id),
        account: ACCOUNT.to_owned(),
        step: step(mark),
        generation: i64::from(FIRST_GENERATION),
        wish: Some(wish().to_owned()),
        attempt: i32::from(mark.attempt),
        reason: trigger(mark.external),
        time: Time(Timestamp::UNIX_EPOCH),
    }
}

pub fn made(change: &Change) -> Mark {
    Mark {
        id: id(&change.id),
        from: small(change.base().seats),
        to: small(change.target().seats),
        attempt: small(change.attempt),
        external: change.reason == Trigger::ExternalChange,
        phase: Phase::Open,
    }
}

pub fn wait(key: Key) -> WaitFor {
    let id = id_word(key.id);
    match key.kind {
        Kind::Open => WaitFor::Request(id),
        Kind::Answered => WaitFor::LateEffects(id),
        Kind::Reverted => WaitFor::TakenBack(id),
    }
}

pub fn key(wait: &WaitFor) -> Key {
    match wait {
        WaitFor::Request(word) => Key { kind: Kind::Open, id: id(word) },
        WaitFor::LateEffects(word) => Key { kind: Kind::Answered, id: id(word) },
        WaitFor::TakenBack(word) => Key { kind: Kind::Reverted, id: id(word) },
        other => panic!("a wait that the model does not know: {other:?}"),
    }
}

pub fn numbers(seats: i8) -> Numbers {
    Numbers { seats: i32::from(seats), limit: None }
}

fn small<T: TryFrom<i32>>(n: i32) -> T {
    T::try_from(n).ok().expect("a number of the model")
}
