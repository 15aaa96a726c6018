//! What is said of seats that follow from the use.

use super::Size;
use crate::api::{SizeBound, SizingStatus};
use crate::domain::condition::reason;
use crate::domain::keys::Lack;
use crate::domain::{Desired, Situation};

impl Desired {
    /// What keeps the seats from following the use, in a few words. That there are at least so many needs no word.
    pub(in crate::domain) fn clamp_in_short(&self) -> Option<String> {
        let Some(Size::Follows { record, asked, bound, .. }) = &self.size else { return None };
        let rails = &self.guardrails;
        let (rail, number) = match record.clamped_by? {
            SizeBound::MinSeats => return None,
            SizeBound::MaxSeats => ("maxSeats", rails.max_seats),
            SizeBound::MaxIncrease => ("maxIncrease", rails.max_increase),
            SizeBound::MaxDecrease => ("maxDecrease", rails.max_decrease),
            SizeBound::Vendor => ("most", *bound),
        };
        Some(format!("use asks {asked}, {rail} {}", number?))
    }

    /// The same as a sentence.
    pub(in crate::domain) fn clamp_words(&self) -> Option<String> {
        let Some(Size::Follows { asked, bound, record, .. }) = &self.size else { return None };
        let bound = (*bound)?;
        let vendor = self.pool.vendor.name;
        let (rails, bounded) = (&self.guardrails, format!("the use asks for {asked} seats"));
        let rail = |name: &str, number: Option<i32>| format!("spec.guardrails.{name} {}", number.unwrap_or_default());
        Some(match record.clamped_by? {
            SizeBound::MinSeats => return None,
            SizeBound::MaxSeats => {
                format!("{bounded}, above {}: raise maxSeats, or free seats", rail("maxSeats", rails.max_seats))
            }
            SizeBound::Vendor => format!("{bounded}, and {vendor} keeps {bound} at most"),
            SizeBound::MaxIncrease => {
                format!("{bounded}, and one change goes up to {bound} ({})", rail("maxIncrease", rails.max_increase))
            }
            SizeBound::MaxDecrease => {
                format!("{bounded}, and one change goes down to {bound} ({})", rail("maxDecrease", rails.max_decrease))
            }
        })
    }

    /// What `Ready` says of the size.
    pub(in crate::domain) fn size_words(&self) -> Option<String> {
        let Some(Size::Follows { record, lowers, lower_bound, .. }) = &self.size else { return None };
        let SizingStatus { used, wanted, .. } = record;
        let kept = if *lower_bound {
            let way = self.pool.every_use.map_or_else(String::new, |way| format!(": use {way}"));
            Some(format!(
                "the {used} in use that these credentials show ask for {wanted} seats, and more may be in use, so nothing is given \
                 back{way}"
            ))
        } else {
            lowers.map(|time| {
                format!(
                    "{used} in use ask for {wanted} seats, and more were in use within spec.sizing.decreaseAfter, or the use of that \
                     time is not known: seats are given back on {} at the earliest",
                    time.strftime("%Y-%m-%d %H:%MZ")
                )
            })
        };
        let words: Vec<String> = self.clamp_words().into_iter().chain(kept).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// What lacks where the use is not known.
pub(in crate::domain) fn unknown(s: &Situation<'_>) -> Option<Lack> {
    let pool = &s.desired.pool;
    let (unshown, way) = match pool.every_use {
        Some(way) => ("does not show to these credentials", format!("Use {way}, or declare spec.seats")),
        None => ("shows to no credentials", "Declare spec.seats".to_owned()),
    };
    (s.desired.size == Some(Size::Unknown)).then(|| Lack {
        reason: reason::UNSUPPORTED_BY_VENDOR,
        summary: "use not shown; sizing needs it".into(),
        message: format!(
            "spec.sizing follows the use, which {} {unshown}: nothing is changed. {way} instead of \
             spec.sizing",
            pool.vendor.name
        ),
        secret_may_help: false,
    })
}
