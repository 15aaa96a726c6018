//! Windows: which one is open, whether a change may be made in it or is urgent, when the next one opens, and the gate of a change
//! that waits. Pure arithmetic over openings that `calendar` computes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::adjustment::Direction;
use super::approval::{Consent, consent};
use super::change_direction::directions;
use super::gates::{Hold, HoldKind, Wake, Wanted};
use super::wanted_change::Move;
use super::{LimitGoal, Model, Situation, keys};
use crate::api::{AdjustmentMode, NextWindow, PassedWindow, Plan, Step, Trigger, WindowUse};

mod before_renewal;
mod changes_per_window;
mod missed_window;

use changes_per_window::has_room;
pub(super) use changes_per_window::{counted, is_first_repeat, kept_place, uncounted, used};
use missed_window::{late, missed, waited_for};

/// This long before an opening, Seatkeeper reads an object that waits for it and signs in, so that the vendor's limits of sign-ins
/// delay nothing when the window opens.
pub const BEFORE_OPENING: Duration = Duration::from_secs(900);

/// One stretch in which a window is open. It opens inclusive and closes exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The window's name.
    pub name: String,
    /// When it opens.
    pub opens: Timestamp,
    /// When it closes.
    pub closes: Timestamp,
    /// When it opens, as people of its zone write it: `2026-12-01 06:00 CET`.
    pub local: String,
}

/// The facts about windows for a decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calendar<'a> {
    /// Openings of the windows by the calendar: for each window the last one that began, and the next ones.
    pub openings: &'a [Opening],
    /// The recorded use of windows.
    pub used: Option<&'a WindowUse>,
    /// The recorded window for which a change waits.
    pub waits: Option<&'a NextWindow>,
    /// The recorded plan.
    pub planned: Option<&'a Plan>,
    /// The record was made for this generation of the spec.
    pub current: bool,
}

/// The verdict of the windows on a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// No window is needed.
    Free,
    /// It is urgent.
    Urgent,
    /// This window lets it pass.
    Through(PassedWindow),
    /// It waits.
    Waits(Awaited),
    /// Its direction is switched off: `increase` or `decrease`.
    Never(&'static str),
}

/// A change that waits for a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The opening in which it may be made; `None`: not known.
    pub(super) next: Option<Opening>,
    /// The opening of the window that it missed, if it missed one.
    pub(super) missed: Option<Timestamp>,
    /// Why no earlier opening is possible.
    pub(super) why: Why,
    /// No limit is declared, and the vendor may buy by itself meanwhile.
    pub(super) vendor_buys: bool,
}

/// Why a change waits for a later window than expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// None is open.
    Closed,
    /// The open window has no room for another change.
    Spent,
    /// The vendor shows no end of the period.
    NoRenewal,
}

/// A stretch of time: windows that overlap are one.
#[derive(Clone, Copy)]
struct Stretch {
    opens: Timestamp,
    closes: Timestamp,
}

impl Stretch {
    fn overlaps(self, other: Self) -> bool {
        self.opens < other.closes && other.opens < self.closes
    }
}

impl Opening {
    fn stretch(&self) -> Stretch {
        Stretch { opens: self.opens, closes: self.closes }
    }

    fn has(&self, time: Timestamp) -> bool {
        self.opens <= time && time < self.closes
    }
}

/// The verdict of the windows on a change.
pub(super) fn passage(s: &Situation<'_>, change: &Move) -> Passage {
    let rules = &s.desired.adjustment;
    let (up, down) = directions(&change.step);
    let mut passage = Passage::Free;
    let applied = matches!(consent(s, change), Consent::Approved { now: true, .. });
    if is_first_repeat(s, change) {
        return passage;
    }
    for (name, direction, moves) in [("increase", &rules.increase, up), ("decrease", &rules.decrease, down)] {
        match direction.mode {
            AdjustmentMode::Never if moves => return Passage::Never(name),
            AdjustmentMode::InWindow if moves && !applied => match through(s, change, direction) {
                Passage::Waits(_) if name == "increase" && is_urgent(s, change) => passage = Passage::Urgent,
                waits @ Passage::Waits(_) => return waits,
                passed => passage = passed,
            },
            _ => {}
        }
    }
    passage
}

/// A wanted increase while too few seats are free. If the use is not known, no increase is urgent.
fn is_urgent(s: &Situation<'_>, change: &Move) -> bool {
    let (from, to) = (change.step.base().seats, change.step.target().seats);
    let few = |(below, used): (i32, i32)| i64::from(from) - i64::from(used) < i64::from(below);
    let wished = change.reason != Trigger::ExternalChange && change.step.key().is_none() && to > from;
    wished && s.desired.adjustment.urgent_below.zip(s.seen.usage.count()).is_some_and(few)
}

/// Whether the windows of one direction let the change pass.
fn through(s: &Situation<'_>, change: &Move, direction: &Direction) -> Passage {
    let all = openings(s);
    let own: Vec<&Opening> = all.iter().filter(|opening| direction.has(&opening.name)).collect();
    let open = own.iter().find(|opening| opening.has(s.now));
    let merged = open.map(|open| merged(&all, open));
    let passed = open.zip(merged).filter(|(_, stretch)| has_room(s, change, *stretch)).map(|(open, stretch)| {
        PassedWindow { name: open.name.clone(), opened_at: Time(stretch.opens), closes_at: Time(stretch.closes) }
    });
    if let Some(passed) = passed.or_else(|| late(s, change, direction)) {
        return Passage::Through(passed);
    }
    let ahead = own.iter().filter(|one| one.opens > s.now && has_room(s, change, self::merged(&all, one)));
    let next = ahead.min_by_key(|one| one.opens).map(|one| (*one).clone());
    if needs_key(s, change, next.as_ref()) {
        return Passage::Free;
    }
    let why = match () {
        () if open.is_some() => Why::Spent,
        () if own.is_empty() => Why::NoRenewal,
        () => Why::Closed,
    };
    Passage::Waits(Awaited { next, missed: missed(s, change), why, vendor_buys: false })
}

/// A license key is paid for already: it waits for no window if seats would be short before the next one opens.
fn needs_key(s: &Situation<'_>, change: &Move, next: Option<&Opening>) -> bool {
    let at = next.map_or(s.now, |next| next.opens);
    matches!(change.step, Step::AddKey(_)) && s.seen.keys().is_some_and(|ring| keys::is_short_at(s, ring, at))
}

/// All openings: those of the calendar, and those before the renewal that the vendor shows.
fn openings(s: &Situation<'_>) -> Vec<Opening> {
    s.calendar.openings.iter().cloned().chain(before_renewal::openings(s)).collect()
}

/// The stretch of an opening: it includes each opening that overlaps another one of the stretch.
fn merged(all: &[Opening], opening: &Opening) -> Stretch {
    let mut stretch = opening.stretch();
    loop {
        let mut wider = stretch;
        for other in all.iter().map(Opening::stretch).filter(|other| other.overlaps(stretch)) {
            wider = Stretch { opens: wider.opens.min(other.opens), closes: wider.closes.max(other.closes) };
        }
        if (wider.opens, wider.closes) == (stretch.opens, stretch.closes) {
            return stretch;
        }
        stretch = wider;
    }
}

/// The recorded window for a change that waits: the next one, or the open one while something else holds the change.
/// `held`: only a person ends that.
pub(super) fn recorded(s: &Situation<'_>, change: &Move, held: bool) -> Option<NextWindow> {
    match passage(s, change) {
        Passage::Free if is_first_repeat(s, change) => kept(s, held),
        Passage::Waits(Awaited { next: None, why: Why::NoRenewal, .. }) => {
            kept(s, held).filter(|_| waited_for(s, change).is_some())
        }
        Passage::Waits(Awaited { next: None, .. }) => None,
        Passage::Waits(Awaited { next: Some(next), missed, .. }) => Some(NextWindow {
            name: next.name.clone(),
            opens_at: Time(next.opens),
            closes_at: Time(next.closes),
            missed: missed.map(Time),
            held,
        }),
        Passage::Through(PassedWindow { name, opened_at, closes_at }) => {
            Some(NextWindow { name, opens_at: opened_at, closes_at, missed: None, held })
        }
        Passage::Free | Passage::Urgent | Passage::Never(_) => None,
    }
}

/// The recorded window of a change without new findings. If a person holds the change through its window, that is
/// recorded.
pub(super) fn kept(s: &Situation<'_>, held: bool) -> Option<NextWindow> {
    let window = s.calendar.waits?.clone();
    Some(NextWindow { held: window.held || (held && s.now < window.closes_at.0), ..window })
}

/// A change waits for its window, or its direction is switched off. A wait is no failure.
pub(super) fn gate(s: &Situation<'_>, wanted: &Wanted<'_>) -> Vec<Hold> {
    match passage(s, wanted.change) {
        Passage::Free | Passage::Urgent | Passage::Through(_) => vec![],
        Passage::Never(direction) => {
            let message = format!(
                "spec.adjustment.{direction}.mode is Never: Seatkeeper shows the change and does not make it. To have it made, use \
                 mode Immediate or InWindow{}",
                buys_meanwhile(s, wanted)
            );
            vec![Hold::of(HoldKind::NeverMade(direction), message)]
        }
        Passage::Waits(waits) => {
            let awaited = Awaited { vendor_buys: may_buy_meanwhile(s, wanted), ..waits };
            let wake = awaited.next.as_ref().map_or(Wake::OnEdit, |next| Wake::At(look_at(s.now, next.opens)));
            let message = format!("{}{}", sentence(s, &awaited), buys_meanwhile(s, wanted));
            vec![Hold { kind: HoldKind::Window(Box::new(awaited)), message, wake }]
        }
    }
}

/// When to check a change that waits for an opening: shortly before it, and then when it comes.
fn look_at(now: Timestamp, opens: Timestamp) -> Timestamp {
    let before = SignedDuration::try_from(BEFORE_OPENING).ok().and_then(|before| opens.checked_sub(before).ok());
    before.filter(|before| *before > now).unwrap_or(opens)
}

fn sentence(s: &Situation<'_>, awaited: &Awaited) -> String {
    let Awaited { next, missed, why, vendor_buys: _ } = awaited;
    let vendor = s.desired.pool.vendor.name;
    let missed = missed.map_or_else(String::new, |opened| {
        format!("it missed the window that opened at {}, and may no longer leave; ", opened.strftime("%Y-%m-%d %H:%MZ"))
    });
    let most = s.desired.adjustment.most_changes();
    let why = match why {
        Why::Closed => String::new(),
        Why::Spent => format!("the window has seen {most} of {most} changes (spec.adjustment.maxChangesPerWindow); "),
        Why::NoRenewal => {
            return format!(
                "{missed}{vendor} does not show the end of the period to these credentials, so no window before the renewal opens: use \
                 credentials that show it, or a window with cron"
            );
        }
    };
    let Some(next) = next else {
        return format!("{missed}{why}no next opening is known: check the windows of spec.adjustment");
    };
    // If keys are the license, the record has the end from the keys.
    let license = s.seen.license.as_ref().or(s.license.filter(|_| s.seen.keys().is_some()));
    let ends = license.and_then(|license| license.expires_at.as_ref());
    let ends = ends.filter(|end| end.0 < next.opens).map_or_else(String::new, |end| {
        format!(". The license at {vendor} ends on {}, before that: renew it", end.0.strftime("%Y-%m-%d"))
    });
    format!("{missed}{why}it waits for window {}, which opens at {}{ends}", next.name, next.local)
}

/// The vendor's possible purchases while an increase waits.
fn buys_meanwhile(s: &Situation<'_>, wanted: &Wanted<'_>) -> String {
    if may_buy_meanwhile(s, wanted) {
        let vendor = s.desired.pool.vendor.name;
        format!(". {vendor} may buy seats by itself meanwhile: declare spec.limit, with mode Pinned to prevent that")
    } else {
        String::new()
    }
}

/// Whether the spec declares no limit, and the limit at the vendor allows purchases.
fn may_buy_meanwhile(s: &Situation<'_>, wanted: &Wanted<'_>) -> bool {
    let room = wanted.now.limit.is_none_or(|limit| limit > wanted.now.seats);
    let sets = matches!(s.seen.model, Model::Quantity(_));
    s.desired.limit == LimitGoal::Keep && sets && wanted.target.seats > wanted.now.seats && room
}
