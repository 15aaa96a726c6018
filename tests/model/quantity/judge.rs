//! The bridge to the code under test: the model's state in, `seatkeeper::domain`'s decision out. Nothing is decided here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use seatkeeper::api::{
    Activity, ActivityState, AdjustmentMode, ApprovalDecision, ApprovalPolicy, LicenseSeatsRef, LicenseSeatsStatus,
    MayBill, RecordOf, SeatApprovalSpec,
};
use seatkeeper::domain::{
    self, ActivePast, Approval, Approvals, Bound, Calendar, Desired, Differences, Doubt, Elapsed, Goal, Model, Opening,
    Outcome, Refusal, Situation, Sizing, Snapshot, Timing, Uncertain, Usage, WaitFor,
};

use super::translate::{change, intent, key, look, made, mark, numbers, small, wait};
use super::{Answer, BOUGHT, Key, Kind, Made, Mark, Outside, Quantity, WANTED};
use crate::apiserver::{Phase, Record as AnyRecord};
use crate::bridge::{desired, judgment, plan_word, situation, snapshot};
use crate::case::{self, Doubted, Said, hours, id_word};
use crate::replica::Clock as AnyClock;
use crate::variants::{FaultSwitch, Variant as AnyVariant};

type Variant = AnyVariant<Quantity>;
type Record = AnyRecord<Quantity>;
type Clock = AnyClock<Quantity>;
type Judgment = case::Judgment<Quantity>;

/// The model's hours. In each of them, every webhook handler ends that ran when it began: two after the answer, so that
/// a handler that began beside a running one is over too. Without an answer, the first is for the request itself.
pub const ANSWERED: u8 = 2;
pub const UNANSWERED: u8 = 3;
/// Between two readings that must agree, however close: a pause only makes it less likely that both are wrong.
const PAUSE: Duration = Duration::from_nanos(1);
const TIMING: Timing =
    Timing { answered: hours(ANSWERED), unanswered: hours(UNANSWERED), pause: PAUSE, secret_recheck: Duration::ZERO };
/// Longer than anything is waited for.
const ALWAYS: u8 = u8::MAX;

/// All that an answer depends on: the thread of a test asks for several variants.
type Asked = (Option<FaultSwitch>, [bool; 5], Record, Option<Clock>, i8, Outside);

thread_local! {
    /// `decide` is pure, so each question is asked once.
    static KNOWN: RefCell<HashMap<Asked, Judgment>> = RefCell::default();
}

/// Asks the real `decide`, and takes what it has found out into the record with the real `after_decision`.
pub fn judge(variant: &Variant, record: Record, clock: Option<Clock>, seen: i8, outside: Outside) -> Judgment {
    let kind = [variant.relative, variant.sized, follows(variant), waits(variant), asks(variant)];
    let asked = (variant.fault_switch, kind, record, clock, seen, outside);
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&asked).copied()) {
        return known;
    }
    let judgment = decide(variant, record, clock, seen, outside);
    KNOWN.with_borrow_mut(|known| known.insert(asked, judgment));
    judgment
}

fn decide(variant: &Variant, record: Record, clock: Option<Clock>, seen: i8, outside: Outside) -> Judgment {
    let sizing = variant.sized.then_some(SIZING);
    let seats = Some(i32::from(outside.wanted));
    let desired = Desired { suspended: outside.suspended, seats, sizing, ..fixed().0.clone() };
    let desired = gated(variant, desired);
    let (openings, given) = (openings(outside), given(outside));
    let snapshot = reading(variant, seen, outside);
    let forget = variant.fault_switch == Some(FaultSwitch::RepeatsRepeats);
    let told = record.made.last.map(|made| if forget { Mark { attempt: 1, ..made } } else { made });
    let mut status = status_of(Record { made: Made { last: told, ..record.made }, ..record });
    let elapsed = elapsed(variant, record, clock);
    let known = RecordOf { uid: crate::bridge::UID.into(), account: snapshot.account_key(), first_wish: None };
    let look = look(outside.looks);
    let confirmed = outside.confirmed.map(id_word);
    let ask = |published: Option<&str>| {
        domain::decide(&Situation {
            generation: i64::from(outside.generation),
            look: look.as_deref(),
            confirmed: confirmed.as_deref(),
            published,
            may_bill: status.may_bill.as_ref(),
            elapsed: elapsed.as_ref(),
            record: Some(&known),
            activity: ActivePast { record: status.activity.as_ref(), edits_unseen: false },
            calendar: Calendar { openings: &openings, ..Calendar::default() },
            approvals: Approvals { given: &given, ..Approvals::default() },
            ..situation(&desired, &snapshot, &status, TIMING)
        })
    };
    let mut published = plan_word(record.published);
    if published.is_some() && variant.fault_switch == Some(FaultSwitch::AnyBase) {
        published = ask(None).plan.and_then(|plan| plan.basis);
    }
    let decision = ask(published.as_deref());
    status = domain::after_decision(status, &decision).status;
    let made = made_of(&status);
    let marks = [decision.intent.as_ref().map(mark), record.intent, made.last];
    let doubt = decision.doubt.as_ref().and_then(|doubt| doubted(variant, doubt, marks));
    let mut judged = judgment(variant, &decision, mark, made, doubt);
    let refused = record.intent.is_some_and(|intent| intent.phase == Phase::Rejected);
    if let Said::Change(mark) = &mut judged.verdict
        && refused
        && variant.fault_switch == Some(FaultSwitch::ForgetsRefused)
    {
        mark.attempt = 1;
    }
    assert!(!leaves_held(&judged, outside), "a first attempt leaves although its window or its approval is gone");
    judged
}

/// Whether a change that must wait for its window or its approval is sent all the same. Its repeat is the same change.
fn leaves_held(judged: &Judgment, outside: Outside) -> bool {
    let held = outside.closed || outside.unapproved;
    held && matches!(&judged.verdict, Said::Change(mark) if mark.attempt != 2)
}

/// Whether a change waits for a window.
fn waits(variant: &Variant) -> bool {
    variant.faults.windows > 0
}

/// Whether a change needs an approval.
fn asks(variant: &Variant) -> bool {
    variant.faults.approvals > 0
}

/// The spec with what it says of windows and approvals.
fn gated(variant: &Variant, mut desired: Desired) -> Desired {
    let mode = if waits(variant) { AdjustmentMode::InWindow } else { AdjustmentMode::Immediate };
    (desired.adjustment.increase.mode, desired.adjustment.decrease.mode) = (mode, mode);
    let above = asks(variant).then_some(0);
    desired.approval = ApprovalPolicy { increase_above: above, decrease_above: above };
    desired
}

/// The window, which is open, or opens in a day.
fn openings(outside: Outside) -> [Opening; 1] {
    let hour = |hour| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
    let (opens, closes) = if outside.closed { (hour(24), hour(25)) } else { (hour(-1), hour(1)) };
    [Opening { name: "window".into(), opens, closes, local: String::new() }]
}

/// The approval of all that the spec may ask for.
fn given(outside: Outside) -> Vec<Approval> {
    let spec = SeatApprovalSpec {
        license_seats_ref: LicenseSeatsRef { name: "acme".into() },
        decision: ApprovalDecision::Approved,
        plan_id: None,
        up_to: Some(WANTED.into()),
        limit_up_to: None,
        valid_until: None,
        apply_now: None,
    };
    (!outside.unapproved).then(|| Approval { name: "yes".into(), spec }).into_iter().collect()
}

/// What the vendor shows.
fn reading(variant: &Variant, seen: i8, outside: Outside) -> Snapshot {
    let mut snapshot = fixed().1.clone();
    snapshot.model = Model::Quantity(numbers(seen));
    snapshot.usage = outside.used.map_or(Usage::NotReported, |used| Usage::AtLeast(used.into()));
    if variant.relative {
        snapshot.rules.support.differences = Differences::Always;
    }
    if outside.bounded {
        snapshot.rules.at_most.push(Bound { seats: i32::from(BOUGHT), because: "of another pool".into(), pool: None });
    }
    snapshot
}

/// The clock that runs from now on; `marks`: the intents and changes that it may be of.
fn doubted(variant: &Variant, doubt: &Doubt, marks: [Option<Mark>; 3]) -> Option<Doubted<Quantity>> {
    let attempt = |id| marks.iter().flatten().find(|mark| mark.id == id).map_or(1, |mark| mark.attempt.max(1));
    let doubt =
        Doubted::<Quantity> { wait: key(&doubt.wait, attempt), settled: doubt.settled, kept: doubt.left.is_zero() };
    (follows(variant) || !doubt.kept || doubt.wait.kind == Kind::Reverted).then_some(doubt)
}

/// Whether a change may follow another one. Where nothing but the vendor itself moves its numbers, none does, and the clock of its
/// late effects decides nothing.
fn follows(variant: &Variant) -> bool {
    variant.faults.wishes > 0 || variant.faults.misreads > 0
}

/// Asks the real `after_request` what an answer and the reading after it prove.
pub fn after(variant: &Variant, mark_: Mark, answer: Answer, read_back: Option<i8>, before: Record) -> Record {
    let outcome = match answer {
        Answer::Accepted => Outcome::Accepted,
        _ if variant.fault_switch == Some(FaultSwitch::ErrorCloses) => Outcome::NotSent("taken for nothing"),
        Answer::Uncertain if variant.fault_switch == Some(FaultSwitch::RefusalIsProof) => {
            Outcome::Refused(Refusal::Throttled(None))
        }
        Answer::Uncertain => Outcome::Uncertain(Uncertain::Status(400)),
        Answer::Opaque => Outcome::Answered,
        Answer::None => Outcome::Unanswered,
        Answer::Refused => Outcome::Refused(Refusal::Throttled(None)),
        Answer::NotSent => Outcome::NotSent("the send deadline has passed"),
    };
    let open = Record { intent: Some(mark_), ..before };
    let read_back = read_back.map(|seen| Snapshot { model: Model::Quantity(numbers(seen)), ..fixed().1.clone() });
    let (intent, now) = (intent(mark_), Timestamp::UNIX_EPOCH);
    recorded(&domain::after_request(status_of(open), &intent, &outcome, read_back.as_ref(), now).status, None)
}

/// Asks the real `over_another_write` what is written over the write of somebody else.
pub fn over(stored: Record, ours: Option<u8>, record: Record) -> Option<Record> {
    let written = domain::over_another_write(status_of(stored), ours.map(id_word).as_deref(), &status_of(record));
    written.map(|status| recorded(&status, stored.published))
}

fn status_of(record: Record) -> LicenseSeatsStatus {
    LicenseSeatsStatus {
        intent: record.intent.map(intent),
        history: record.made.last.map(change).into_iter().collect(),
        may_bill: record.made.may_bill.map(may_bill),
        activity: record.made.waits.then(|| Activity {
            state: ActivityState::Activating,
            cluster: None,
            uid: crate::bridge::UID.into(),
            since: Time(Timestamp::UNIX_EPOCH),
            until: None,
        }),
        ..LicenseSeatsStatus::default()
    }
}

fn recorded(status: &LicenseSeatsStatus, published: Option<u64>) -> Record {
    Record { published, intent: status.intent.as_ref().map(mark), made: made_of(status) }
}

fn made_of(status: &LicenseSeatsStatus) -> Made {
    let may_bill = status.may_bill.as_ref().map(|may| small(may.seats));
    Made { last: status.history.first().map(made), may_bill, waits: status.activity.is_some() }
}

/// What this process remembers of the doubt; a weakened world lies about the time that has passed.
fn elapsed(variant: &Variant, record: Record, clock: Option<Clock>) -> Option<Elapsed> {
    let of = |kind, mark: Mark| Some(Key { kind, id: mark.id, attempt: mark.attempt });
    let lie = match (variant.fault_switch, record.intent, record.made.last) {
        (Some(FaultSwitch::NoWaitBeforeJudging), Some(intent), _) => {
            of(if intent.phase == Phase::Answered { Kind::Answered } else { Kind::Open }, intent)
        }
        (Some(FaultSwitch::NoWaitBeforeRepeating), None, Some(made)) => of(Kind::Reverted, made),
        (Some(FaultSwitch::NoWaitBeforeActive), None, _) if record.made.waits => {
            Some(Key { kind: Kind::Activation, id: 0, attempt: 1 })
        }
        (Some(FaultSwitch::NoWaitForLateEffects), None, Some(made))
            if clock.is_none_or(|c| c.key.kind != Kind::Reverted) =>
        {
            of(Kind::Answered, made)
        }
        _ => None,
    };
    let key = lie.or(clock.map(|clock| clock.key))?;
    let clock = clock.filter(|clock| clock.key == key);
    let elapses = match variant.fault_switch {
        _ if lie.is_some() => ALWAYS,
        Some(FaultSwitch::ConstantSettleTime) => clock?.elapses + ANSWERED * (key.attempt - 1),
        _ => clock?.elapses,
    };
    Some(Elapsed {
        wait: wait(key),
        since: hours(elapses),
        settled: clock.and_then(|clock| clock.settled).map(|seats| (numbers(seats), PAUSE)),
    })
}

fn may_bill(seats: i8) -> MayBill {
    MayBill { id: "a change".into(), account: crate::bridge::ACCOUNT.into(), seats: i32::from(seats) }
}

/// Where the wanted number follows the use, the wish is this, whatever the number is.
pub const FOLLOWS: i8 = 0;

/// What it follows the use with makes no difference to what is safe.
const SIZING: Sizing = Sizing { seats: 1, percent: 0, step: 1, decrease_after: Duration::ZERO };

/// What the model's spec asks for, where it asks for so many seats, or [`FOLLOWS`].
pub fn wish(seats: i8) -> &'static str {
    static WISHES: OnceLock<Vec<String>> = OnceLock::new();
    let sizing = |seats| (seats == i32::from(FOLLOWS)).then_some(SIZING);
    let of = |seats| Desired { seats: Some(seats), sizing: sizing(seats), ..fixed().0.clone() }.wish();
    let wishes = WISHES.get_or_init(|| (0..=i32::from(WANTED)).map(of).collect());
    &wishes[usize::try_from(seats).expect("seats of the model")]
}

/// How the code calls the wait of an object that becomes active.
pub fn activation() -> String {
    let made = Made { waits: true, ..Made::default() };
    let status = status_of(Record { made, ..Record::default() });
    let (desired, snapshot) = fixed();
    let snapshot = Snapshot { model: Model::Quantity(numbers(BOUGHT)), ..snapshot.clone() };
    let known = RecordOf { uid: crate::bridge::UID.into(), account: snapshot.account_key(), first_wish: None };
    let decision = domain::decide(&Situation {
        record: Some(&known),
        activity: ActivePast { record: status.activity.as_ref(), edits_unseen: false },
        ..situation(desired, &snapshot, &status, TIMING)
    });
    match decision.doubt.map(|doubt| doubt.wait) {
        Some(WaitFor::Activation(word)) => word,
        other => panic!("an object that becomes active waits, and not for {other:?}"),
    }
}

fn fixed() -> &'static (Desired, Snapshot) {
    static FIXED: OnceLock<(Desired, Snapshot)> = OnceLock::new();
    FIXED.get_or_init(|| {
        let desired = desired(Goal::Quantity);
        let snapshot = snapshot(Usage::AtLeast(1), Model::Uncounted(String::new()));
        (desired, snapshot)
    })
}
