//! The messages about seats that follow from the use.

use super::Size;
use crate::api::{AdjustmentMode, SizeBound, SizingStatus};
use crate::domain::condition::reason;
use crate::domain::keys::Lack;
use crate::domain::{Desired, Direction, Situation};

impl Desired {
    /// The bound that stops the seats from following the use, in a few words. A lower bound needs no word.
    pub(in crate::domain) fn clamp_in_short(&self) -> Option<String> {
        let Some(Size::Follows { record, asked, bound, .. }) = &self.size else { return None };
        let (which, bound) = (record.clamped_by?, (*bound)?);
        let (rail, number) = match which {
            SizeBound::MinSeats => return None,
            SizeBound::MaxSeats | SizeBound::MaxIncrease => {
                let upper = self.upper_bound(which, bound)?;
                (upper.short, upper.max)
            }
            SizeBound::MaxDecrease => ("maxDecrease", self.guardrails.max_decrease?),
            SizeBound::Vendor => ("most", bound),
        };
        Some(format!("use asks {asked}, {rail} {number}"))
    }

    /// The same as a sentence.
    pub(in crate::domain) fn clamp_words(&self) -> Option<String> {
        let Some(Size::Follows { asked, bound, record, .. }) = &self.size else { return None };
        let (which, bound) = (record.clamped_by?, (*bound)?);
        let (vendor, bounded) = (self.pool.vendor.name, format!("the use asks for {asked} seats"));
        let upper = self.upper_bound(which, bound);
        Some(match which {
            SizeBound::MinSeats => return None,
            SizeBound::MaxSeats => {
                let upper = upper?;
                format!("{bounded}, above {}: {}, or free seats", upper.name, upper.raise)
            }
            SizeBound::Vendor => format!("{bounded}, and {vendor} keeps {bound} at most"),
            SizeBound::MaxIncrease => {
                let upper = upper?;
                let more = i64::from(self.most_of(*asked)) - i64::from(bound) + i64::from(upper.max);
                let windows = self.windows(&self.adjustment.increase, (more, ""), upper.max).unwrap_or_default();
                format!("{bounded}, and one change goes up to {bound} ({}){windows}", upper.name)
            }
            SizeBound::MaxDecrease => {
                let max = self.guardrails.max_decrease?;
                let fewer = i64::from(bound) + i64::from(max)
                    - i64::from(self.guardrails.min_seats.unwrap_or(*asked).max(*asked));
                let windows = self.windows(&self.adjustment.decrease, (fewer, " fewer"), max).unwrap_or_default();
                format!("{bounded}, and one change goes down to {bound} (spec.guardrails.maxDecrease {max}){windows}")
            }
        })
    }

    /// The asked seats within their bounds.
    fn most_of(&self, asked: i32) -> i32 {
        let bounds = [self.guardrails.max_seats, self.ceilings.max_seats, Some(self.pool.most_seats)];
        bounds.into_iter().flatten().fold(asked, i32::min)
    }

    /// How many windows a change of this many seats takes.
    fn windows(&self, direction: &Direction, (seats, word): (i64, &str), step: i32) -> Option<String> {
        let each = i64::from(step) * i64::from(self.adjustment.most_changes());
        let windows = seats.checked_add(each - 1)?.checked_div(each)?;
        let waits = direction.mode == AdjustmentMode::InWindow && windows > 1;
        waits.then(|| format!("; {seats}{word} wanted: {windows} windows of {each}"))
    }

    /// The sentence of `Ready` about the size.
    pub(in crate::domain) fn size_words(&self) -> Option<String> {
        let Some(Size::Follows { record, lowers, lower_bound, .. }) = &self.size else { return None };
        let SizingStatus { used, wanted, .. } = record;
        let kept = if *lower_bound {
            let way = self.pool.every_use.map_or_else(String::new, |way| format!(": use {way}"));
            Some(format!(
                "these credentials show {used} in use, which ask for {wanted} seats; more may be in use, so Seatkeeper gives none \
                 back{way}"
            ))
        } else {
            lowers.map(|time| {
                format!(
                    "{used} in use ask for {wanted} seats; more were in use within spec.sizing.decreaseAfter, or that use is not \
                     known. Seatkeeper goes below {} seats on {} at the earliest",
                    self.seats.unwrap_or(*wanted),
                    time.strftime("%Y-%m-%d %H:%MZ")
                )
            })
        };
        let words: Vec<String> = self.clamp_words().into_iter().chain(kept).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// The sentence about what is missing if the use is not known.
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
        arrives: false,
    })
}
