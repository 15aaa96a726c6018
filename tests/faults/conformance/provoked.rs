//! How a pass of the model comes about on the real controller: what must go wrong at which request, so that the same comes of
//! each step. It is a pass of the first change of an object, or of the repeat of that.

use std::time::Duration;

use fault_proxy::{Action, Moment, Place, Target};

use crate::actions::{JSON, OPAQUE, PAST_TIMEOUT, answer};
use crate::happenings::{BY_SOMEBODY, EDITED, LABELED, STATUS_RESTORED, TOLD_TO_END};
use crate::pass_step::{Heard, Left, OnRecord, PassStep, Stored};

pub type Faults = Vec<(Target, Action)>;

/// The story that a pass is provoked in, unless it needs another one.
const STORY: &str = "first-purchase";

/// The story of license keys in which one is added and another removed.
pub const RENEWAL: &str = "immuta-delete";

/// Nothing else keeps a request back for so long.
const PATIENT: &[&str] = &["--send-deadline=8s", "--settle-unanswered=12s"];

/// Longer than a Lease is valid, and within that deadline.
const PAST_LEASE: Duration = Duration::from_secs(5);

/// One way to a pass.
#[derive(Clone)]
pub struct Way {
    /// What makes the difference, where there are several ways.
    pub by: &'static str,
    pub story: &'static str,
    /// What the spec is edited to, if it is.
    pub edit: i32,
    pub faults: Faults,
    pub flags: &'static [&'static str],
}

impl Way {
    fn of(faults: Faults) -> Self {
        Self { by: "", story: STORY, edit: 130, faults, flags: &[] }
    }

    fn by(self, by: &'static str) -> Self {
        Self { by, ..self }
    }

    /// Whether it can be gone with license keys: nothing of the account and of the spec is changed on it.
    fn is_for_keys(&self) -> bool {
        let known = |action: &Action| match action {
            Action::Meanwhile(_, what) => [LABELED, STATUS_RESTORED].contains(what),
            _ => true,
        };
        self.flags.is_empty() && self.faults.iter().all(|(_, action)| known(action))
    }
}

/// Each way that is known to a pass, with seats that are a number or with license keys. None: there is no way.
pub fn ways(pass: &[PassStep], keys: bool) -> Vec<Way> {
    let two_steps = pass.contains(&PassStep::Intent(true)) && pass.last() == Some(&NEXT_STEP);
    if two_steps {
        // A key is added, and another one is to be removed next.
        return if keys { vec![Way { story: RENEWAL, ..Way::of(Faults::new()) }] } else { Vec::new() };
    }
    let mut ways = of_seats(pass);
    ways.retain(|way| !keys || way.is_for_keys());
    ways
}

/// A change is made, and the next one is planned in the same pass.
const NEXT_STEP: PassStep = PassStep::Status(Stored::Whole(Left { intent: OnRecord::Closed, plan: true, made: true }));

fn of_seats(pass: &[PassStep]) -> Vec<Way> {
    let kill = |target| (target, Action::Kill(Place::Before));
    let first = Way::of(faults(pass));
    match pass {
        // The plan is gone because the wish is: nothing is to be changed any more.
        [_, _, PassStep::Status(Stored::Whole(Left { intent: OnRecord::None, plan: false, .. }))] => {
            vec![Way { edit: 100, ..Way::of(vec![edited_after(Target::first_status())]) }]
        }
        [_, PassStep::Vendor(true), PassStep::Cut] => {
            vec![first.by("before a status"), Way::of(vec![kill(Target::intent(1))]).by("before the intent")]
        }
        [.., PassStep::Intent(false)] => {
            let refused = |by, status| Way::of(vec![(Target::intent(1), answer(status, &[], "", false))]).by(by);
            let lost = Way::of(vec![(Target::intent(1), Action::DropRequest)]).by("never arrives");
            vec![first.by("another write"), refused("403", 403), refused("500", 500), lost]
        }
        [.., PassStep::HeldBack, PassStep::Status(Stored::Whole(Left { intent: OnRecord::Closed, .. }))] => {
            let at_intent = |by, action| Way { flags: PATIENT, ..Way::of(vec![(Target::intent(1), action)]).by(by) };
            let stopped = at_intent("the Lease is lost", Action::Pause(Place::Answered, PAST_LEASE));
            let told = at_intent("told to end", Action::Meanwhile(Moment::After, TOLD_TO_END));
            vec![first.by("too late"), stopped, told]
        }
        [.., PassStep::Sent(Heard::Nothing), PassStep::ReadBack(true), PassStep::Status(Stored::Whole(_))] => {
            let made = pass.iter().any(|step| makes(*step));
            let at_purchase = |by, action| Way::of(vec![(Target::purchase(1), action)]).by(by);
            let page = at_purchase("something in between answers", answer(503, &[], "", made));
            let given_up = at_purchase("not waited for any longer", Action::Delay(PAST_TIMEOUT));
            let late = at_purchase("it arrives late", Action::ApplyLate(PAST_TIMEOUT));
            vec![first.by("lost"), page, if made { given_up } else { late }]
        }
        [_, PassStep::Vendor(true), PassStep::Status(stored)] => vec![Way::of(judged(*stored))],
        _ => vec![first],
    }
}

fn edited_after(target: Target) -> (Target, Action) {
    (target, Action::Meanwhile(Moment::After, EDITED))
}

/// A pass that sends nothing, and judges what came of a change whose answer was lost.
fn judged(stored: Stored) -> Faults {
    let (Stored::Whole(left) | Stored::Merged(left)) = stored else {
        return vec![(Target::first_status(), another_write())];
    };
    if left.intent == OnRecord::None {
        return Faults::new();
    }
    let over = matches!(stored, Stored::Merged(_));
    // Whoever hears of an error at least knows that the request is over.
    let done = if left.intent == OnRecord::Closed { answer(500, &[JSON], OPAQUE, true) } else { Action::DropAnswer };
    let mut faults = vec![(Target::purchase(1), if left.made { done } else { Action::DropRequest })];
    if left.made {
        faults.push((Target::reading_after_purchase(1), answer(500, &[], "", false)));
    }
    if left.intent == OnRecord::Closed && (left.plan || !left.made) {
        faults.push(edited_after(Target::status_after_intent(1, 1)));
    }
    if over && left.intent == OnRecord::Closed {
        faults.push((Target::first_closing(), another_write()));
    } else if over {
        faults.push((Target::status_after_intent(1, 2), another_write()));
    }
    faults
}

fn another_write() -> Action {
    Action::Meanwhile(Moment::Before, LABELED)
}

fn makes(step: PassStep) -> bool {
    matches!(step, PassStep::Status(Stored::Whole(left) | Stored::Merged(left)) if left.made)
}

/// What must go wrong. Empty: nothing, or nothing that the first change would show.
fn faults(pass: &[PassStep]) -> Faults {
    let facts = Facts::of(pass);
    let mut faults = Faults::new();
    if facts.attempt > 1 {
        faults.push((Target::purchase(1), Action::DropRequest));
    }
    for (nth, step) in pass.iter().enumerate() {
        let cut = pass.get(nth + 1) == Some(&PassStep::Cut);
        faults.extend(facts.fault(*step, cut));
        faults.extend(if cut { facts.killed(*step) } else { None });
    }
    faults
}

/// What is true of a whole pass.
struct Facts {
    /// The change is made, and seen to be.
    made: bool,
    opens: bool,
    /// It is accepted, and another number is shown.
    disputed: bool,
    /// Which attempt it is: one of which nothing was sent leaves on record what was there before it.
    attempt: usize,
}

impl Facts {
    fn of(pass: &[PassStep]) -> Self {
        let left = match pass.last() {
            Some(PassStep::Status(Stored::Whole(left) | Stored::Merged(left))) => Some(*left),
            _ => None,
        };
        let has = |step| pass.contains(&step);
        let stays = left.is_some_and(|left| left.intent == OnRecord::Stays);
        let unsent = has(PassStep::HeldBack) || has(PassStep::Sent(Heard::Refused));
        Self {
            made: left.is_some_and(|left| left.made),
            opens: pass.iter().any(|step| matches!(step, PassStep::Intent(_))),
            disputed: has(PassStep::Sent(Heard::Accepted)) && has(PassStep::ReadBack(true)) && stays,
            attempt: if unsent && stays { 2 } else { 1 },
        }
    }

    /// What goes wrong with this very step.
    fn fault(&self, step: PassStep, cut: bool) -> Option<(Target, Action)> {
        let attempt = self.attempt;
        let (purchase, status) = (Target::purchase(attempt), Target::status_after_intent(attempt, 1));
        let intent = if attempt > 1 { Target::intent_after_purchase() } else { Target::intent(1) };
        match step {
            PassStep::Vendor(false) => Some((Target::first_reading(), answer(500, &[], "", false))),
            PassStep::Intent(false) => Some((intent, another_write())),
            PassStep::HeldBack => Some((intent, Action::Delay(PAST_TIMEOUT))),
            PassStep::Sent(Heard::Opaque) => Some((purchase, answer(500, &[JSON], OPAQUE, self.made))),
            PassStep::Sent(Heard::Uncertain) => Some((purchase, answer(400, &[JSON], UNCERTAIN, self.made))),
            PassStep::Sent(Heard::Refused) => Some((purchase, answer(429, &[], "", false))),
            PassStep::Sent(Heard::Nothing) if cut => None,
            PassStep::Sent(Heard::Nothing) if self.made => Some((purchase, Action::DropAnswer)),
            PassStep::Sent(Heard::Nothing) => Some((purchase, Action::DropRequest)),
            PassStep::ReadBack(false) => Some((Target::reading_after_purchase(1), answer(500, &[], "", false))),
            PassStep::ReadBack(true) if self.disputed => {
                let somebody = Action::Meanwhile(Moment::Before, BY_SOMEBODY);
                Some((Target::reading_after_purchase(1), somebody))
            }
            PassStep::Status(Stored::Merged(_)) => Some((status, another_write())),
            PassStep::Status(Stored::Nothing) if self.opens => {
                Some((status, Action::Meanwhile(Moment::Before, STATUS_RESTORED)))
            }
            _ => None,
        }
    }

    /// The operator dies after this step.
    fn killed(&self, step: PassStep) -> Option<(Target, Action)> {
        let before = |target| Some((target, Action::Kill(Place::Before)));
        match step {
            PassStep::Object => before(Target::first_reading()),
            PassStep::Vendor(_) => before(Target::first_status()),
            PassStep::Intent(_) => Some((Target::intent(1), Action::Kill(Place::Withheld))),
            PassStep::Sent(Heard::Nothing) => Some((Target::purchase(1), Action::Kill(Place::Withheld))),
            PassStep::Sent(Heard::Refused) | PassStep::HeldBack | PassStep::ReadBack(_) => {
                before(Target::status_after_intent(1, 1))
            }
            PassStep::Sent(_) => before(Target::reading_after_purchase(1)),
            PassStep::Status(_) | PassStep::Cut => None,
        }
    }
}

/// A refusal of Immuta that may come after an effect.
const UNCERTAIN: &str = r#"{"statusCode":400,"error":"Bad Request","message":"injected"}"#;
