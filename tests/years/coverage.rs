//! What was met in all years. Nothing of it may be missing, or the run proves too little.

use pure::domain::kind;

use crate::judge::Request;
use crate::table::{Odd, stretch_at};
use crate::year::Life;

/// Zones whose summer is in the other half of the year.
const SOUTHERN: [&str; 5] =
    ["America/Santiago", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Auckland", "Pacific/Chatham"];

/// Zones that have no whole hours from UTC.
const PARTS_OF_AN_HOUR: [&str; 6] =
    ["America/St_Johns", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Chatham"];

macro_rules! counted {
    ($($name:ident)*) => {
        /// What was met.
        #[derive(Debug, Default)]
        pub struct Coverage {
            $(pub $name: usize,)*
        }

        impl Coverage {
            /// What was met in other years, too.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counted! {
    in_gap
    in_gap_at_midnight
    in_overlap
    northern
    southern
    half_hour_zone
    away_at_an_opening
    first_second
    first_second_after
    urgent
    missed
    merged
    limit_only
    zone_edited
    zone_edited_in_a_used_window
    renamed_in_a_used_window
    late
    late_for_the_other_product
    two_products
    repeats
    clock_set
    second_of_a_window
    held_in_a_used_window
}

impl Coverage {
    /// Whether everything was met.
    pub fn is_whole(&self) -> bool {
        !format!("{self:?}, ").contains(": 0,")
    }

    /// What a pass of an object has done, which had made so many requests before. `edits`: how often its wish was edited since its
    /// last change.
    pub fn note(&mut self, life: &mut Life<'_>, before: usize, edits: &mut usize) {
        let missed = |condition: &&k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
            condition.type_ == kind::CHANGE_PENDING && condition.reason == "WindowMissed"
        };
        self.missed += life.status.conditions.iter().filter(missed).count();
        let (earlier, new) = life.requests.split_at(before);
        for request in new {
            let moves = request.raises || request.lowers;
            self.limit_only += usize::from(!moves);
            self.urgent += usize::from(request.urgent);
            self.repeats += usize::from(request.attempt == 2);
            if !moves || request.attempt > 1 {
                continue;
            }
            self.merged += usize::from(*edits > 1);
            *edits = 0;
            let kept = life.kept_by_other.take();
            match stretch_at(&request.rule.windows, request.at).filter(|_| !request.urgent) {
                Some(stretch) => {
                    self.two_products += usize::from(kept == Some(stretch));
                    self.in_window(request, earlier, stretch);
                }
                None if !request.urgent => {
                    self.late += 1;
                    self.late_for_the_other_product += usize::from(kept.is_some());
                }
                None => {}
            }
        }
    }

    fn in_window(&mut self, request: &Request<'_>, earlier: &[Request<'_>], (opens, closes): (i64, i64)) {
        for window in &request.rule.windows {
            let odd = window.row.odd.iter().filter(|(at, _)| (opens..closes).contains(at));
            for (_, odd) in odd {
                match odd {
                    Odd::Gap => {
                        self.in_gap += 1;
                        self.in_gap_at_midnight += usize::from(window.row.schedule.starts_with("0 0 "));
                    }
                    Odd::Overlap => self.in_overlap += 1,
                }
            }
        }
        if let [window] = request.rule.windows[..] {
            self.half_hour_zone += usize::from(PARTS_OF_AN_HOUR.contains(&window.row.zone));
            match SOUTHERN.contains(&window.row.zone) {
                true => self.southern += 1,
                false if window.row.zone != "UTC" => self.northern += 1,
                false => {}
            }
        }
        self.first_second += usize::from(request.at == opens);
        self.second_of_a_window += usize::from(earlier.iter().any(|one| (opens..closes).contains(&one.at)));
    }
}
