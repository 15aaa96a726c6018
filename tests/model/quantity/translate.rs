//! The model's small values as the values of the code, and back.

use std::sync::OnceLock;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use seatkeeper::api::{Change, Intent, SeatsStep, Step, Trigger};
use seatkeeper::domain::{Numbers, WaitFor};

use super::judge::{FOLLOWS, activation, wish};
use super::{Key, Kind, Mark, WANTED};
use crate::apiserver::Phase;
use crate::bridge::{ACCOUNT, UID, trigger};
use crate::case::{id, id_word};
use crate::world::FIRST_GENERATION;

pub fn intent(mark: Mark) -> Intent {
    Intent {
        id: id_word(mark.id),
        object_uid: UID.to_owned(),
        generation: i64::from(FIRST_GENERATION),
        wish: Some(wish(mark.wish).to_owned()),
        account: ACCOUNT.to_owned(),
        step: step(mark),
        used: mark.used.map(i32::from),
        attempt: i32::from(mark.attempt),
        answered: i32::from(mark.answered),
        reason: trigger(mark.external),
        refused: None,
        // How long the pause is makes no difference to what is safe.
        next_try: None,
        look: look(mark.looks),
        window: None,
        approval: None,
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
        answered: small(intent.answered),
        wish: wished(intent.wish.as_deref()),
        looks: looked(intent.look.as_deref()),
        used: intent.used.map(small),
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
        wish: Some(wish(mark.wish).to_owned()),
        attempt: i32::from(mark.attempt),
        reason: trigger(mark.external),
        window: None,
        approval: None,
        time: Time(Timestamp::UNIX_EPOCH),
    }
}

pub fn made(change: &Change) -> Mark {
    Mark {
        id: id(&change.id),
        from: small(change.base().seats),
        to: small(change.target().seats),
        attempt: small(change.attempt),
        answered: 0,
        wish: wished(change.wish.as_deref()),
        looks: 0,
        used: None,
        external: change.reason == Trigger::ExternalChange,
        phase: Phase::Open,
    }
}

/// How the code calls the wait of an object that becomes active.
static ACTIVATION: OnceLock<String> = OnceLock::new();

pub fn wait(key: Key) -> WaitFor {
    let id = id_word(key.id);
    match key.kind {
        Kind::Activation => WaitFor::Activation(ACTIVATION.get_or_init(activation).clone()),
        Kind::Open => WaitFor::Request(id),
        Kind::Answered => WaitFor::LateEffects(id),
        Kind::Reverted => WaitFor::TakenBack(id),
    }
}

/// `attempt`: of the intent or change with this id.
pub fn key(wait: &WaitFor, attempt: impl Fn(u8) -> u8) -> Key {
    let (kind, word) = match wait {
        WaitFor::Activation(word) => {
            let known = ACTIVATION.get_or_init(|| word.clone());
            assert_eq!(known, word, "the model has one object, cluster and account");
            return Key { kind: Kind::Activation, id: 0, attempt: 1 };
        }
        WaitFor::Request(word) => (Kind::Open, word),
        WaitFor::LateEffects(word) => (Kind::Answered, word),
        WaitFor::TakenBack(word) => (Kind::Reverted, word),
        other => panic!("a wait that the model does not know: {other:?}"),
    };
    Key { kind, id: id(word), attempt: attempt(id(word)) }
}

/// The value of the annotation after so many looks.
pub fn look(looks: u8) -> Option<String> {
    (looks > 0).then(|| format!("look {looks}"))
}

fn looked(look: Option<&str>) -> u8 {
    look.and_then(|look| look.strip_prefix("look ")).map_or(0, |looks| looks.parse().expect("a look of the model"))
}

fn wished(of: Option<&str>) -> i8 {
    (FOLLOWS..=WANTED).find(|seats| Some(wish(*seats)) == of).expect("a wish of the model")
}

pub fn numbers(seats: i8) -> Numbers {
    Numbers { seats: i32::from(seats), limit: None }
}

pub fn small<T: TryFrom<i32>>(n: i32) -> T {
    T::try_from(n).ok().expect("a number of the model")
}
