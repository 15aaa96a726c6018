//! The bridge to the code under test: the model's state in, `seatkeeper::plan`'s decision out. Nothing is decided here.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use seatkeeper::api::{Account, Guardrails, LicenseSeatsStatus, ManagementPolicy, Thresholds};
use seatkeeper::plan::{
    self, Bound, Desired, Differences, Elapsed, Goal, LimitGoal, Model, Outcome, Pool, Refusal, Rules, Situation,
    Snapshot, Timing, Usage, Verdict,
};

use super::translate::{change, intent, key, made, mark, numbers, wait};
use super::{Answer, BOUGHT, Key, Kind, Mark, Outside, Quantity, WANTED};
use crate::apiserver::{Phase, Record as AnyRecord};
use crate::case::{self, ACME, Said, hours};
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
    let ask = |published: Option<&str>| {
        plan::decide(&Situation {
            uid: "uid",
            generation: i64::from(outside.generation),
            confirmed: None,
            desired: &desired,
            seen: &snapshot,
            intent: status.intent.as_ref(),
            history: &status.history,
            license: None,
            published,
            elapsed: elapsed.as_ref(),
            satisfied: false,
            obstacle: None,
            others: &[],
            timing: Timing {
                answered: hours(ANSWERED),
                unanswered: hours(UNANSWERED),
                // Any two readings may agree, however close: the pause only makes that less likely.
                pause: Duration::ZERO,
                secret_recheck: Duration::ZERO,
            },
            writer: "writer",
            now: Timestamp::UNIX_EPOCH,
        })
    };
    let mut published = record.published.map(|id| format!("{id:012x}"));
    if published.is_some() && variant.weakness == Some(Weakness::AnyBase) {
        published = ask(None).plan.map(|plan| plan.id);
    }
    let mut decision = ask(published.as_deref());
    let _ = plan::remember(&mut status, decision.applied.take());
    let verdict = match &decision.verdict {
        Verdict::InSync => Said::InSync,
        Verdict::Publish => Said::Publish,
        Verdict::Change(intent) => Said::Change(mark(intent)),
        Verdict::Doubt => Said::Doubt,
        Verdict::Rejected => Said::Rejected,
        Verdict::NeedsReview => Said::NeedsReview,
        Verdict::Held(_) => Said::Held,
        _ => Said::Other,
    };
    let forgets = variant.weakness == Some(Weakness::ForgetsFirst) && verdict == Said::Held;
    let kept = decision.intent.as_ref().filter(|_| !forgets);
    let plan = decision.plan.filter(|_| !matches!(verdict, Said::Change(_)));
    Judgement {
        verdict,
        record: Record {
            published: plan.map(|plan| u64::from_str_radix(&plan.id, 16).expect("a plan id in hexadecimal")),
            intent: kept.map(mark),
            made: status.history.first().map(made),
        },
        doubt: decision.doubt.map(|doubt| (key(&doubt.wait), doubt.settled)),
    }
}

/// Asks the real `after_write` what an answer and the reading after it prove.
pub fn after(variant: &Variant, mark_: Mark, answer: Answer, read_back: Option<i8>, before: Record) -> Record {
    let outcome = match answer {
        Answer::Accepted => Outcome::Accepted,
        _ if variant.weakness == Some(Weakness::ErrorCloses) => Outcome::NotSent("taken for nothing"),
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
        let desired = Desired {
            pool: Pool { vendor: &ACME, name: "Seats", secrets: vec!["key".to_owned()], goal: Goal::Quantity },
            seats: Some(i32::from(WANTED)),
            limit: LimitGoal::Keep,
            guardrails: Guardrails::default(),
            policy: ManagementPolicy::Manage,
            suspended: false,
            thresholds: Thresholds::default(),
            expiry: Vec::new(),
            interval: Duration::from_secs(600),
        };
        let snapshot = Snapshot {
            account: Account { vendor: "acme".to_owned(), host: Some("host".to_owned()), id: Some("org".to_owned()) },
            usage: Usage::AtLeast(1),
            model: Model::Uncounted(String::new()),
            rules: Rules::default(),
            billed: None,
            capabilities: Vec::new(),
            license: None,
            concern: None,
        };
        (desired, snapshot)
    })
}
