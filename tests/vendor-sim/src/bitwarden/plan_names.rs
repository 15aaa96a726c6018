//! How plans are called and what they cost: names, tiers and Stripe lines (docs/vendors/bitwarden.md, "Plans"). The
//! pricing service is closed, so the names are those of the server's test doubles where it has one, and the prices only
//! stand for real ones.

use super::plans::PlanType;

impl PlanType {
    /// All plans.
    pub const ALL: [Self; 13] = [
        Self::Free,
        Self::Families2019,
        Self::Teams2019,
        Self::Enterprise2019,
        Self::Custom,
        Self::Teams2023,
        Self::Enterprise2023,
        Self::TeamsMonthly,
        Self::TeamsAnnually,
        Self::EnterpriseMonthly,
        Self::EnterpriseAnnually,
        Self::TeamsStarter,
        Self::Families,
    ];

    /// `productTier`.
    pub fn tier(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::Families | Self::Families2019 => 1,
            Self::TeamsMonthly | Self::TeamsAnnually | Self::Teams2019 | Self::Teams2023 => 2,
            Self::EnterpriseMonthly
            | Self::EnterpriseAnnually
            | Self::Enterprise2019
            | Self::Enterprise2023
            | Self::Custom => 3,
            Self::TeamsStarter => 4,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Free => "Free",
            Self::Families => "Families",
            Self::Families2019 => "Families 2019",
            Self::Teams2019 => "Teams (Annually) 2019",
            Self::Teams2023 => "Teams (Annually) 2023",
            Self::TeamsMonthly => "Teams (Monthly)",
            Self::TeamsAnnually => "Teams (Annually)",
            Self::TeamsStarter => "Teams (Starter)",
            Self::Enterprise2019 => "Enterprise (Annually) 2019",
            Self::Enterprise2023 => "Enterprise (Annually) 2023",
            Self::EnterpriseMonthly => "Enterprise (Monthly)",
            Self::EnterpriseAnnually => "Enterprise (Annually)",
            Self::Custom => "Custom",
        }
    }

    pub(crate) fn annual(self) -> bool {
        !matches!(self, Self::TeamsMonthly | Self::EnterpriseMonthly | Self::TeamsStarter | Self::Free)
    }

    /// Stripe's line for additional seats.
    pub(crate) fn seat_item(self) -> &'static str {
        match self {
            Self::TeamsMonthly => "2023-teams-org-seat-monthly",
            Self::TeamsAnnually | Self::Teams2023 => "2023-teams-org-seat-annually",
            Self::Teams2019 => "teams-org-seat-annually",
            Self::EnterpriseMonthly => "2023-enterprise-seat-monthly",
            Self::Enterprise2019 => "enterprise-org-seat-annually",
            _ => "2023-enterprise-org-seat-annually",
        }
    }

    /// Stripe's line for the package, where there is one.
    pub(crate) fn package_item(self) -> Option<&'static str> {
        match self {
            Self::Families => Some("2020-families-org-annually"),
            Self::Families2019 => Some("personal-org-annually"),
            Self::TeamsStarter => Some("teams-org-starter"),
            Self::Teams2019 => Some("teams-org-annually"),
            _ => None,
        }
    }

    pub(crate) fn seat_price(self) -> f64 {
        match self.tier() {
            2 if self.annual() => 48.0,
            2 => 5.0,
            3 if self.annual() => 72.0,
            3 => 7.0,
            _ => 0.0,
        }
    }

    pub(crate) fn package_price(self) -> f64 {
        match self {
            Self::Families => 40.0,
            Self::Families2019 => 12.0,
            Self::TeamsStarter => 20.0,
            Self::Teams2019 => 60.0,
            _ => 0.0,
        }
    }
}
