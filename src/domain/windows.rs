//! Windows: which stretch of time is open, whether a change may still be made in it, and when the next one opens. Pure
//! arithmetic over openings that are handed in; where they come from is `calendar`'s matter.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::adjustment::Direction;
use super::approval::{Consent, consent};
use super::ladder::Move;
use super::{Numbers, Situation, keys};
use crate::api::{AdjustmentMode, Intent, NextWindow, PassedWindow, Plan, Step, Trigger, WindowUse};

/// This long before an opening, an object that waits for it is read and gets ready: it signs in, so that the vendor's
/// limits of sign-ins delay nothing when the window opens.
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

/// What a decision must know of windows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calendar<'a> {
    /// Openings of the windows by the calendar: of each the last that began, and the next ones.
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

/// What windows say to a change.
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
    /// The opening in which it may be made; `None`: that is not known.
    pub(super) next: Option<Opening>,
    /// When the window opened that it has missed, if it has.
    pub(super) missed: Option<Timestamp>,
    /// Why no earlier one will do.
    pub(super) why: Why,
    /// No limit is declared, and the vendor may buy by itself meanwhile.
    pub(super) vendor_buys: bool,
}

/// Why a change waits for another window than one would think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// None is open.
    Closed,
    /// The one that is open has seen its changes.
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

/// What the windows say to a change.
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

/// Whether a change raises something, and whether it lowers the seats. A limit alone may fall: that costs nothing.
pub(super) fn directions(step: &Step) -> (bool, bool) {
    match step {
        Step::AddKey(_) => (true, false),
        Step::RemoveKey(_) => (false, true),
        Step::Seats(_) => {
            let (from, to) = (step.base(), step.target());
            (to.seats > from.seats || is_higher(to.limit, from.limit), to.seats < from.seats)
        }
    }
}

/// Whether a limit lets the vendor buy more than another.
pub(super) fn is_higher(limit: Option<i32>, than: Option<i32>) -> bool {
    than.is_some_and(|than| limit.is_none_or(|limit| limit > than))
}

/// Whether a change goes the same way as an earlier one, and not further.
pub(super) fn covers(earlier: &Step, change: &Step) -> bool {
    match (earlier, change) {
        (Step::AddKey(one), Step::AddKey(other)) => one.fingerprint == other.fingerprint,
        (Step::RemoveKey(one), Step::RemoveKey(other)) => (one.id, &one.uuid) == (other.id, &other.uuid),
        (Step::Seats(_), Step::Seats(_)) => {
            let (before, to): (Numbers, Numbers) = (earlier.target(), change.target());
            let (up, down) = directions(change);
            let (was_up, was_down) = directions(earlier);
            let rises = !up
                || (was_up && to.seats <= before.seats.max(change.base().seats) && !is_higher(to.limit, before.limit));
            rises && (!down || (was_down && to.seats >= before.seats))
        }
        _ => false,
    }
}

/// The protocol's first repeat of a request, or of a change that was taken back, is the same change: it passed already.
pub(super) fn is_first_repeat(s: &Situation<'_>, change: &Move) -> bool {
    let open = s.intent.map(|intent| &intent.step);
    let earlier = open.or(s.history.first().map(|last| &last.step));
    change.attempt == 2 && earlier.is_some_and(|earlier| covers(earlier, &change.step))
}

/// A wanted increase while too few seats are free. Where the use is not known, nothing is urgent.
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
    let passed = open.zip(merged).filter(|(_, stretch)| has_room(s, *stretch)).map(|(open, stretch)| PassedWindow {
        name: open.name.clone(),
        opened_at: Time(stretch.opens),
        closes_at: Time(stretch.closes),
    });
    if let Some(passed) = passed.or_else(|| late(s, change, direction)) {
        return Passage::Through(passed);
    }
    let ahead = own.iter().filter(|one| one.opens > s.now && has_room(s, self::merged(&all, one)));
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

/// A license key is paid for already: it waits for no window where seats would be short before the next one opens.
fn needs_key(s: &Situation<'_>, change: &Move, next: Option<&Opening>) -> bool {
    let at = next.map_or(s.now, |next| next.opens);
    matches!(change.step, Step::AddKey(_)) && s.seen.keys().is_some_and(|ring| keys::is_short_at(s, ring, at))
}

/// All openings: those of the calendar, and those before the renewal that the vendor shows.
fn openings(s: &Situation<'_>) -> Vec<Opening> {
    let end = s.seen.license.as_ref().and_then(|license| license.period_end.as_ref()).map(|end| end.0);
    let before = |time: Timestamp, length: Duration| time.checked_sub(SignedDuration::try_from(length).ok()?).ok();
    let renewals = s.desired.adjustment.renewals.iter().filter_map(|renewal| {
        let (opens, closes) = (before(end?, renewal.opens)?, before(end?, renewal.closes)?);
        let local = opens.strftime("%Y-%m-%d %H:%M UTC").to_string();
        Some(Opening { name: renewal.name.clone(), opens, closes, local })
    });
    s.calendar.openings.iter().cloned().chain(renewals).collect()
}

/// The stretch to which an opening belongs: what overlaps it, and what overlaps that.
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

/// The stretch in which recorded changes were requested.
fn stretch_of(used: &WindowUse) -> Stretch {
    Stretch { opens: used.opened_at.0, closes: used.closes_at.0 }
}

/// Whether a stretch may still see a change.
fn has_room(s: &Situation<'_>, stretch: Stretch) -> bool {
    let used = s.calendar.used.filter(|used| stretch_of(used).overlaps(stretch));
    used.map_or(0, |used| used.changes) < s.desired.adjustment.most_changes()
}

/// The recorded window of a waiting change that now asks for no more.
fn waited_for<'a>(s: &Situation<'a>, change: &Move) -> Option<&'a NextWindow> {
    // A refused request leaves the window recorded, and no plan but the published one.
    let shown = s.approvals.shown.map(|plan| &plan.step);
    let waited = s.calendar.planned.map(|plan| &plan.step).or(shown)?;
    s.calendar.waits.filter(|_| covers(waited, &change.step))
}

/// Whether a change that missed its window may still leave, unless the spec was edited since or a person held it.
fn late(s: &Situation<'_>, change: &Move, direction: &Direction) -> Option<PassedWindow> {
    let has_right = |window: &&NextWindow| s.calendar.current && !window.held && direction.has(&window.name);
    let window = waited_for(s, change).filter(has_right)?;
    let (opens, closes) = (window.opens_at.0, window.closes_at.0);
    let deadline = closes.checked_add(SignedDuration::try_from(s.desired.adjustment.deadline).ok()?).ok()?;
    let in_time = closes <= s.now && s.now < deadline && has_room(s, Stretch { opens, closes });
    in_time.then(|| PassedWindow { name: window.name.clone(), opened_at: Time(opens), closes_at: Time(closes) })
}

/// Opening time of the window that a change has missed. The edit that ends its hold does not end this.
fn missed(s: &Situation<'_>, change: &Move) -> Option<Timestamp> {
    let window = waited_for(s, change).filter(|window| s.calendar.current || window.held)?;
    if window.closes_at.0 <= s.now { Some(window.opens_at.0) } else { window.missed.as_ref().map(|time| time.0) }
}

/// The window that is recorded for a change that waits: the next one, or the one that is open while something else holds it.
/// `held`: only a person ends that.
pub(super) fn recorded(passage: &Passage, held: bool) -> Option<NextWindow> {
    match passage {
        Passage::Waits(Awaited { next, missed, .. }) => next.as_ref().map(|next| NextWindow {
            name: next.name.clone(),
            opens_at: Time(next.opens),
            closes_at: Time(next.closes),
            missed: missed.map(Time),
            held,
        }),
        Passage::Through(PassedWindow { name, opened_at, closes_at }) => Some(NextWindow {
            name: name.clone(),
            opens_at: opened_at.clone(),
            closes_at: closes_at.clone(),
            missed: None,
            held,
        }),
        Passage::Free | Passage::Urgent | Passage::Never(_) => None,
    }
}

/// The record of the windows' use from now on. A stretch that became longer meanwhile, by an edit or by another window, is
/// still the same.
pub(super) fn used(s: &Situation<'_>) -> Option<WindowUse> {
    let mut used = s.calendar.used?.clone();
    let all = openings(s);
    if let Some(open) = all.iter().find(|opening| opening.has(s.now)) {
        let stretch = merged(&all, open);
        if stretch.overlaps(stretch_of(&used)) {
            used.closes_at = Time(used.closes_at.0.max(stretch.closes));
        }
    }
    Some(used)
}

/// The use with one more request.
pub(super) fn counted(used: Option<&WindowUse>, passed: &PassedWindow) -> WindowUse {
    let stretch = Stretch { opens: passed.opened_at.0, closes: passed.closes_at.0 };
    match used.filter(|used| stretch_of(used).overlaps(stretch)) {
        Some(used) => WindowUse {
            opened_at: used.opened_at.clone(),
            closes_at: Time(used.closes_at.0.max(stretch.closes)),
            changes: used.changes.saturating_add(1),
        },
        None => WindowUse { opened_at: passed.opened_at.clone(), closes_at: passed.closes_at.clone(), changes: 1 },
    }
}

/// The use without a request that did not leave, or that the vendor turned away for its key or its rate limit.
pub(super) fn uncounted(used: Option<WindowUse>, intent: &Intent) -> Option<WindowUse> {
    let mut used = used?;
    if intent.window.is_some() {
        used.changes = used.changes.saturating_sub(1);
    }
    (used.changes > 0).then_some(used)
}
