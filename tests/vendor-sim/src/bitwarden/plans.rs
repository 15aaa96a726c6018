//! The vendor's plans and what each allows (docs/vendors/bitwarden.md, "Plans"): numbers of the server's own test
//! doubles.

use serde::{Deserialize, Serialize};

/// A plan, by its current name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlanType {
    /// 0.
    Free,
    /// 22.
    Families,
    /// 1.
    Families2019,
    /// 21.
    TeamsStarter,
    /// 17.
    TeamsMonthly,
    /// 18.
    TeamsAnnually,
    /// 3.
    Teams2019,
    /// 13.
    Teams2023,
    /// 19.
    EnterpriseMonthly,
    /// 20.
    #[default]
    EnterpriseAnnually,
    /// 5.
    Enterprise2019,
    /// 15.
    Enterprise2023,
    /// 6: the pricing service does not know it.
    Custom,
}

/// What a plan allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) base_seats: i32,
    pub(crate) max_seats: Option<i32>,
    /// Both `add seats` and `autoscale` come from one property in the vendor's plan source.
    pub(crate) scales: bool,
    pub(crate) storage: bool,
    pub(crate) base_storage: i32,
    pub(crate) sm: Option<SmLimits>,
    pub(crate) free: bool,
}

/// The Secrets Manager side of a plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmLimits {
    pub(crate) base_seats: i32,
    pub(crate) max_seats: Option<i32>,
    pub(crate) base_accounts: i32,
    pub(crate) max_accounts: Option<i32>,
    pub(crate) scales: bool,
}

impl PlanType {
    /// The vendor's number ("Plans").
    pub fn number(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::Families2019 => 1,
            Self::Teams2019 => 3,
            Self::Enterprise2019 => 5,
            Self::Custom => 6,
            Self::Teams2023 => 13,
            Self::Enterprise2023 => 15,
            Self::TeamsMonthly => 17,
            Self::TeamsAnnually => 18,
            Self::EnterpriseMonthly => 19,
            Self::EnterpriseAnnually => 20,
            Self::TeamsStarter => 21,
            Self::Families => 22,
        }
    }

    /// Whether organization keys work with it.
    pub fn has_api(self) -> bool {
        !matches!(self, Self::Free | Self::Families | Self::Families2019)
    }

    /// None when the pricing service does not know the plan.
    pub(crate) fn limits(self) -> Option<Limits> {
        let sm = |base_accounts| {
            Some(SmLimits { base_seats: 0, max_seats: None, base_accounts, max_accounts: None, scales: true })
        };
        let scaling = Limits {
            base_seats: 0,
            max_seats: None,
            scales: true,
            storage: true,
            base_storage: 1,
            sm: sm(50),
            free: false,
        };
        let packaged = |n| Limits { base_seats: n, max_seats: Some(n), scales: false, sm: None, ..scaling };
        Some(match self {
            Self::Free => Limits {
                storage: false,
                free: true,
                sm: Some(SmLimits {
                    base_seats: 2,
                    max_seats: Some(2),
                    base_accounts: 3,
                    max_accounts: Some(3),
                    scales: false,
                }),
                ..packaged(2)
            },
            Self::Families => packaged(6),
            Self::Families2019 => packaged(5),
            Self::TeamsStarter => Limits { sm: sm(20), ..packaged(10) },
            Self::TeamsMonthly => Limits { sm: sm(20), ..scaling },
            // Reports its included seats as its maximum, which blocks larger caps (B4) but not more seats.
            Self::Teams2019 => Limits { base_seats: 5, max_seats: Some(5), ..scaling },
            Self::Enterprise2019 | Self::Enterprise2023 => Limits { sm: sm(200), ..scaling },
            Self::TeamsAnnually | Self::Teams2023 | Self::EnterpriseMonthly | Self::EnterpriseAnnually => scaling,
            Self::Custom => return None,
        })
    }

    pub(crate) fn base_seats(self) -> i32 {
        self.limits().map_or(0, |l| l.base_seats)
    }

    pub(crate) fn base_storage(self) -> i32 {
        self.limits().map_or(0, |l| l.base_storage)
    }

    pub(crate) fn base_accounts(self) -> i32 {
        self.limits().and_then(|l| l.sm).map_or(0, |s| s.base_accounts)
    }

    pub(crate) fn base_sm_seats(self) -> i32 {
        self.limits().and_then(|l| l.sm).map_or(0, |s| s.base_seats)
    }
}
