//! The bridge to the code under test: the model's state in, `seatkeeper::plan`'s decision out. Nothing is decided here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use seatkeeper::api::{LicenseSeatsStatus, RecordOf};
use seatkeeper::plan::{
    self, Bound, Desired, Differences, Elapsed, Goal, Model, Outcome, Refusal, Situation, Snapshot, Timing, Uncertain,
    Usage,
};

use super::translate::{change, intent, key, made, mark, numbers, wait};
use super::{Answer, BOUGHT, Key, Kind, Mark, Outside, Quantity, WANTED};
use crate::apiserver::{Phase, Record as AnyRecord};
use crate::bridge::{desired, judgement, plan_word, situation, snapshot};
use crate::case::{self, hours};
use crate::replica::Clock as AnyClock;
use crate::variants::{Variant as AnyVariant, Weakness};

type Variant = AnyVariant<Quantity>;
type Record = AnyRecord<Quantity>;
type Clock = AnyClock<Quantity>;
type Judgement = case::Judgement<Quantity>;

/// The model's hours. In each of them, every webhook handler ends that ran when it began: two after the answer, so that
/// a handler that began beside a running one is over too. Without an answer, the first is for the request itself.
pub const ANSWERED: u8 = 2;
pub const UNANSWERED: u8 = 3;

type Asked = (Option<Weakness>, bool, Record, Option<Clock>, i8, Outside);

thread_local! {
    /// `decide` is pure, so each question is asked once.
    static KNOWN: RefCell<HashMap<Asked, Judgement>> = RefCell::default();
}

/// Asks the real `decide`, and takes a change now seen to be made into the record with the real `remember`.
pub fn judge(variant: &Variant, record: Record, clock: Option<Clock>, seen: i8, outside: Outside) -> Judgement {
    let asked = (variant.weakness, variant.relative, record, clock, seen, outside);
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&asked).copied()) {
        return known;
    }
    let judgement = decide(variant, record, clock, seen, outside);
    KNOWN.with_borrow_mut(|known| known.insert(asked, judgement));
    judgement
}

fn decide(variant: &Variant, record: Record, clock: Option<Clock>, seen: i8, outside: Outside) -> Judgement {
    let (desired, mut snapshot) = fixed().clone();
    let desired = Desired { suspended: outside.suspended, ..desired };
    snapshot.model = Model::Quantity(numbers(seen));
    if variant.relative {
        snapshot.rules.support.differences = Differences::Always;
    }
    if outside.bounded {
        snapshot.rules.at_most.push(Bound { seats: i32::from(BOUGHT), because: "of another pool".into(), pool: None });
    }
    let forget = variant.weakness == Some(Weakness::RepeatsRepeats);
    let told = record.made.map(|made| if forget { Mark { attempt: 1, ..made } } else { made });
    let mut status = LicenseSeatsStatus {
        intent: record.intent.map(intent),
        history: told.map(change).into_iter().collect(),
        ..LicenseSeatsStatus::default()
    };
    let elapsed = elapsed(variant, record, clock);
    let timing = Timing {
        answered: hours(ANSWERED),
        unanswered: hours(UNANSWERED),
        // Any two readings may agree, however close: the pause only makes that less likely.
        pause: Duration::ZERO,
        secret_recheck: Duration::ZERO,
    };
    let known = RecordOf { uid: crate::bridge::UID.into(), account: snapshot.account_key(), first_wish: None };
    let ask = |published: Option<&str>| {
        plan::decide(&Situation {
            generation: i64::from(outside.generation),
            published,
            elapsed: elapsed.as_ref(),
            record: Some(&known),
            ..situation(&desired, &snapshot, &status, timing)
        })
    };
    let mut published = plan_word(record.published);
    if published.is_some() && variant.weakness == Some(Weakness::AnyBase) {
        published = ask(None).plan.map(|plan| plan.id);
    }
    let mut decision = ask(published.as_deref());
    let _ = plan::remember(&mut status, decision.applied.take());
    let doubt = decision.doubt.as_ref().map(|doubt| (key(&doubt.wait), doubt.settled));
    judgement(variant, &decision, mark, status.history.first().map(made), doubt)
}

/// Asks the real `after_write` what an answer and the reading after it prove.
pub fn after(variant: &Variant, mark_: Mark, answer: Answer, read_back: Option<i8>, before: Record) -> Record {
    let outcome = match answer {
        Answer::Accepted => Outcome::Accepted,
        _ if variant.weakness == Some(Weakness::ErrorCloses) => Outcome::NotSent("taken for nothing"),
        Answer::Uncertain if variant.weakness == Some(Weakness::RefusalIsProof) => {
            Outcome::Refused(Refusal::Throttled(None))
        }
        Answer::Uncertain => Outcome::Uncertain(Uncertain::Status(400)),
        Answer::Opaque => Outcome::Answered,
        Answer::None => Outcome::Unanswered,
        Answer::Refused => Outcome::Refused(Refusal::Throttled(None)),
        Answer::NotSent => Outcome::NotSent("the send deadline has passed"),
    };
    let after = plan::after_write(&intent(mark_), &outcome, read_back.map(numbers), Timestamp::UNIX_EPOCH);
    let mut status =
        LicenseSeatsStatus { history: before.made.map(change).into_iter().collect(), ..LicenseSeatsStatus::default() };
    let _ = plan::remember(&mut status, after.applied);
    Record { published: None, intent: after.intent.as_ref().map(mark), made: status.history.first().map(made) }
}

/// What this process remembers of the doubt; a weakened world lies about the time that has passed.
fn elapsed(variant: &Variant, record: Record, clock: Option<Clock>) -> Option<Elapsed> {
    let lie = match (variant.weakness, record.intent, record.made) {
        (Some(Weakness::NoWaitBeforeJudging), Some(intent), _) => {
            let kind = match intent.phase {
                Phase::Answered => Kind::Answered,
                _ => Kind::Open,
            };
            Some(Key { kind, id: intent.id })
        }
        (Some(Weakness::NoWaitBeforeRepeating), None, Some(made)) => Some(Key { kind: Kind::Reverted, id: made.id }),
        _ => None,
    };
    let key = lie.or(clock.map(|clock| clock.key))?;
    let clock = clock.filter(|clock| clock.key == key);
    let struck = if lie.is_some() { UNANSWERED } else { clock?.struck };
    Some(Elapsed {
        wait: wait(key),
        since: hours(struck),
        settled: clock.and_then(|clock| clock.settled).map(|seats| (numbers(seats), Duration::ZERO)),
    })
}

/// What the model's spec asks for.
pub fn wish() -> &'static str {
    static WISH: OnceLock<String> = OnceLock::new();
    WISH.get_or_init(|| fixed().0.wish())
}

fn fixed() -> &'static (Desired, Snapshot) {
    static FIXED: OnceLock<(Desired, Snapshot)> = OnceLock::new();
    FIXED.get_or_init(|| {
        let desired = Desired { seats: Some(i32::from(WANTED)), ..desired(Goal::Quantity) };
        let snapshot = snapshot(Usage::AtLeast(1), Model::Uncounted(String::new()));
        (desired, snapshot)
    })
}
