//! `spec.adjustment`: a change waits for its window, or its direction is switched off. Waiting is not failure.

use jiff::{SignedDuration, Timestamp};

use super::{Hold, HoldKind, Wake, Wanted};
use crate::domain::windows::{Awaited, BEFORE_OPENING, Passage, Why, passage};
use crate::domain::{LimitGoal, Model, Situation};

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
        format!(
            "it missed the window that opened at {}, and may not leave after its end any more; ",
            opened.strftime("%Y-%m-%d %H:%MZ")
        )
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
    // Where keys are the license, its end is recorded from them.
    let license = s.seen.license.as_ref().or(s.license.filter(|_| s.seen.keys().is_some()));
    let ends = license.and_then(|license| license.expires_at.as_ref());
    let ends = ends.filter(|end| end.0 < next.opens).map_or_else(String::new, |end| {
        format!(". The license at {vendor} ends on {}, before that: renew it", end.0.strftime("%Y-%m-%d"))
    });
    format!("{missed}{why}it waits for window {}, which opens at {}{ends}", next.name, next.local)
}

/// What the vendor may do by itself while an increase waits.
fn buys_meanwhile(s: &Situation<'_>, wanted: &Wanted<'_>) -> String {
    if may_buy_meanwhile(s, wanted) {
        let vendor = s.desired.pool.vendor.name;
        format!(". {vendor} may buy seats by itself meanwhile: declare spec.limit, with mode Pinned to prevent that")
    } else {
        String::new()
    }
}

/// Whether no limit is declared, and the one that the vendor shows lets it buy.
fn may_buy_meanwhile(s: &Situation<'_>, wanted: &Wanted<'_>) -> bool {
    let room = wanted.now.limit.is_none_or(|limit| limit > wanted.now.seats);
    let sets = matches!(s.seen.model, Model::Quantity(_));
    s.desired.limit == LimitGoal::Keep && sets && wanted.target.seats > wanted.now.seats && room
}
