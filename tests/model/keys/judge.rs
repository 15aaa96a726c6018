//! The bridge to the code under test: the model's state in, the decision of `seatkeeper::domain` out. Nothing is decided here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use seatkeeper::api::{LicenseKeyEntry, LicenseSeatsStatus, RecordOf};
use seatkeeper::domain::{
    self, Decision, Desired, Elapsed, Goal, Model, Outcome, Refusal, Situation, Snapshot, Timing, Usage,
};

use super::outside::{Listing, Outside};
use super::tenant::{Seen, bit};
use super::translate::{history, intent, key, license, made, mark, outcome, reference, ring, row, wait};
use super::{Answer, Keys, Mark, Row, Task, Wait};
use crate::apiserver::{Phase, Record as AnyRecord};
use crate::bridge::{self, desired, judgment, plan_word, situation};
use crate::case::{self, Doubted, Waits, hours, id_word};
use crate::replica::Clock as AnyClock;
use crate::variants::{FaultSwitch, Variant as AnyVariant};

type Variant = AnyVariant<Keys>;
type Record = AnyRecord<Keys>;
type Clock = AnyClock<Keys>;
type Judgment = case::Judgment<Keys>;

type Asked = (Option<FaultSwitch>, Record, Option<Clock>, Seen, Outside);

thread_local! {
    /// `decide` is pure, so each question is asked once.
    static KNOWN: RefCell<HashMap<Asked, Judgment>> = RefCell::default();
}

/// Asks the real `decide`, and takes what it has found out into the record with the real `after_decision`.
pub fn judge(variant: &Variant, record: Record, clock: Option<Clock>, seen: Seen, outside: Outside) -> Judgment {
    let asked = (variant.fault_switch, record, clock, seen, outside);
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&asked).copied()) {
        return known;
    }
    let judgment = judged(variant, record, clock, seen, outside);
    KNOWN.with_borrow_mut(|known| known.insert(asked, judgment));
    judgment
}

fn judged(variant: &Variant, record: Record, clock: Option<Clock>, seen: Seen, outside: Outside) -> Judgment {
    let seen =
        if variant.fault_switch == Some(FaultSwitch::MissingIsGone) { seen.without_hidden_seats() } else { seen };
    let status = status_of(record, 0);
    let elapsed = elapsed(variant, record, clock);
    let mut decision = decide(&status, record.published, elapsed.as_ref(), seen, outside);
    if variant.fault_switch == Some(FaultSwitch::NoSecondReading)
        && let Some(doubt) = &decision.doubt
        && !key(&doubt.wait, seen).is_long()
    {
        let elapsed = Elapsed { wait: doubt.wait.clone(), since: hours(1), settled: None };
        decision = decide(&status, record.published, Some(&elapsed), seen, outside);
    }
    let status = domain::after_decision(status, &decision).status;
    // What was read after the settle time is in what is waited for; nothing else asks for it where keys decide.
    let doubt =
        decision.doubt.as_ref().map(|doubt| Doubted { wait: key(&doubt.wait, seen), settled: false, kept: false });
    judgment(variant, &decision, mark, made(&status.history, status.license.as_ref()), doubt)
}

fn decide(
    status: &LicenseSeatsStatus,
    published: Option<u64>,
    elapsed: Option<&Elapsed>,
    seen: Seen,
    outside: Outside,
) -> Decision {
    let published = plan_word(published);
    let mut desired = Desired { suspended: outside.suspended, ..fixed()[outside.listing.place()].clone() };
    desired.guardrails.max_seats = outside.bounded.then_some(i32::MAX);
    let timing = Timing { answered: hours(1), unanswered: hours(1), pause: hours(1), secret_recheck: Duration::ZERO };
    let usage = outside.used.map_or(Usage::NotReported, |used| Usage::Exact(used.into()));
    let seen = Snapshot { usage, ..snapshot(seen, outside.listing) };
    // The object has seen the account in sync: first sight, which waits for a person, is not played.
    let known = RecordOf { uid: bridge::UID.into(), account: seen.account_key(), first_wish: None };
    domain::decide(&Situation {
        generation: i64::from(outside.generation),
        published: published.as_deref(),
        elapsed,
        record: Some(&known),
        ..situation(&desired, &seen, status, timing)
    })
}

/// Asks the real `after_request` what an answer and the reading after it prove.
pub fn after(
    variant: &Variant,
    mark_: Mark,
    answer: Answer,
    read_back: Option<Seen>,
    (seen, before): (Seen, Record),
) -> Record {
    let outcome = match (answer, variant.fault_switch) {
        (Answer::Opaque | Answer::None | Answer::Accepted, Some(FaultSwitch::NewRowIsProof)) => {
            only_new(mark_, read_back).map_or(Outcome::Answered, |row| Outcome::Added(Box::new(self::row(row))))
        }
        (Answer::Opaque | Answer::None, Some(FaultSwitch::ErrorCloses)) => Outcome::NotSent("taken for nothing"),
        (Answer::Uncertain(_), Some(FaultSwitch::RefusalIsProof)) => Outcome::Refused(Refusal::Throttled(None)),
        _ => outcome(answer),
    };
    let owned = before.made.keys.into_iter().flatten().filter_map(|known| known.row).map(bit).fold(0, |a, b| a | b);
    let status = status_of(Record { intent: Some(mark_), ..before }, seen.rows & !owned);
    let intent = intent(mark_);
    // The list of keys says nothing about a request that was sent.
    let read_back = read_back.map(|seen| snapshot(seen, mark_.wish));
    let now = Timestamp::UNIX_EPOCH;
    recorded(&domain::after_request(status, &intent, &outcome, read_back.as_ref(), now).status, None)
}

/// Asks the real `over_another_write` what is written over the write of somebody else.
pub fn over(stored: Record, ours: Option<u8>, record: Record) -> Option<Record> {
    let ours = ours.map(id_word);
    let written = domain::over_another_write(status_of(stored, 0), ours.as_deref(), &status_of(record, 0));
    written.map(|status| recorded(&status, stored.published))
}

fn recorded(status: &LicenseSeatsStatus, published: Option<u64>) -> Record {
    let made = made(&status.history, status.license.as_ref());
    Record { published, intent: status.intent.as_ref().map(mark), made }
}

/// The only row that is new since an addition was decided.
fn only_new(mark: Mark, read_back: Option<Seen>) -> Option<Row> {
    let Task::Add { present, .. } = mark.task else { return None };
    let new = read_back?.rows & !present;
    (new.count_ones() == 1).then(|| Row::try_from(new.trailing_zeros()).expect("a number of the model"))
}

fn status_of(record: Record, foreign: super::Rows) -> LicenseSeatsStatus {
    LicenseSeatsStatus {
        intent: record.intent.map(intent),
        history: history(record.made),
        license: Some(license(record.made, foreign)),
        ..LicenseSeatsStatus::default()
    }
}

/// What this process remembers of the doubt; a weakened world lies about the time that has passed.
fn elapsed(variant: &Variant, record: Record, clock: Option<Clock>) -> Option<Elapsed> {
    let remembered = clock.map(|clock| (clock.key, clock.elapses));
    let lie = match (variant.fault_switch, record.intent) {
        (Some(FaultSwitch::NoWaitBeforeJudging), Some(intent)) => Some(match intent.phase {
            Phase::Answered => Wait::LateEffects(intent.id),
            _ => Wait::Request(intent.id),
        }),
        _ => None,
    };
    // Two readings must agree all the same.
    let second = remembered.filter(|(key, _)| !key.is_long());
    let (key, elapses) = second.or(lie.map(|lie| (lie, 1))).or(remembered)?;
    Some(Elapsed { wait: wait(key), since: hours(elapses), settled: None })
}

/// What the model's spec asks for, as the code names it.
pub fn wish(listing: Listing) -> String {
    fixed()[listing.place()].wish()
}

pub fn wish_of(word: Option<&str>) -> Listing {
    let is = |listing: &Listing| Some(wish(*listing).as_str()) == word;
    Listing::ALL.into_iter().find(is).expect("a wish of the model")
}

fn fixed() -> &'static [Desired; 3] {
    static FIXED: OnceLock<[Desired; 3]> = OnceLock::new();
    FIXED.get_or_init(|| {
        Listing::ALL.map(|listing| {
            let entry = |key: &super::Key| LicenseKeyEntry { secret_key_ref: reference(*key), adopt: None };
            desired(Goal::Keys { keys: listing.keys().iter().map(entry).collect(), prune: true })
        })
    })
}

fn snapshot(seen: Seen, listing: Listing) -> Snapshot {
    bridge::snapshot(Usage::Exact(1), Model::Keys(ring(seen, listing)))
}
