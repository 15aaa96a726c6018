//! When changes may be made: per direction at once, in windows, or never. Doc comments are the manual of `kubectl explain`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When changes may be made.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new(
    "!has(self.increase) || self.increase.mode != 'InWindow' || (has(self.windows) && self.windows.size() > 0)")
    .message("spec.adjustment.increase.mode is InWindow and spec.adjustment.windows is empty: add a window, or use mode Immediate")
    .field_path(".increase"))]
#[x_kube(validation = Rule::new(
    "!has(self.decrease) || self.decrease.mode != 'InWindow' || (has(self.windows) && self.windows.size() > 0)")
    .message("spec.adjustment.decrease.mode is InWindow and spec.adjustment.windows is empty: add a window, or use mode Immediate")
    .field_path(".decrease"))]
#[x_kube(validation = Rule::new(
    "!has(self.windows) || self.windows.all(window, (has(self.increase) && self.increase.mode == 'InWindow' && (!has(self.increase.windows) || window.name in self.increase.windows)) || (has(self.decrease) && self.decrease.mode == 'InWindow' && (!has(self.decrease.windows) || window.name in self.decrease.windows)))")
    .message("spec.adjustment.windows has a window that no direction uses: set increase.mode or decrease.mode to InWindow and name it there, or remove it")
    .field_path(".windows"))]
#[x_kube(validation = Rule::new(
    "!has(self.increase) || !has(self.increase.windows) || !has(self.windows) || self.increase.windows.all(name, self.windows.exists(window, window.name == name))")
    .message("spec.adjustment.increase.windows names a window that spec.adjustment.windows does not have: add it, or correct the name")
    .field_path(".increase"))]
#[x_kube(validation = Rule::new(
    "!has(self.decrease) || !has(self.decrease.windows) || !has(self.windows) || self.decrease.windows.all(name, self.windows.exists(window, window.name == name))")
    .message("spec.adjustment.decrease.windows names a window that spec.adjustment.windows does not have: add it, or correct the name")
    .field_path(".decrease"))]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// When seats may be bought, a limit raised or removed, or a license key added. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increase: Option<Increase>,

    /// When seats may be given back, or a license key removed. Absent: at once. A limit alone may always fall: that costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decrease: Option<Decrease>,

    /// The windows: stretches of time in which changes that wait may be made, at most 10. Those that overlap are one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub windows: Vec<Window>,

    /// How many changes one window may see; 1 when absent. Urgent ones do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_changes_per_window: Option<i32>,

    /// How long after the end of its window a change may still be made, if an outage, a rate limit or an absent
    /// operator kept it from the window: a Go-style duration of 0s to 168h. Absent means 0s: the change waits for the
    /// next window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new(
        "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) <= duration('168h')")
        .message("spec.adjustment.startingDeadline must be a duration between 0s and 168h: whole numbers with units, largest first, such as 24h"))]
    pub starting_deadline: Option<String>,
}

/// When seats may be bought.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!has(self.windows) || self.mode == 'InWindow'")
    .message("spec.adjustment.increase.windows goes with mode InWindow alone: set mode to InWindow, or remove windows")
    .field_path(".windows"))]
#[x_kube(validation = Rule::new("!has(self.urgentBelowFreeSeats) || self.mode == 'InWindow'")
    .message("spec.adjustment.increase.urgentBelowFreeSeats goes with mode InWindow alone: set mode to InWindow, or remove urgentBelowFreeSeats")
    .field_path(".urgentBelowFreeSeats"))]
#[serde(rename_all = "camelCase")]
pub struct Increase {
    /// `Immediate`: at once. `InWindow`: in a window. `Never`: the wanted change is shown and not made.
    pub mode: AdjustmentMode,

    /// Names of the windows that count, at most 10. Absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 63)))]
    pub windows: Option<Vec<String>>,

    /// With fewer free seats than this, a wanted increase does not wait for its window; at least 1. Absent: it always waits.
    /// It asks for no seats by itself: it makes the change that `seats` asks for, whole and now. Where the use is a lower bound
    /// (`status.usedIsLowerBound`) it acts late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = i32::MAX))]
    pub urgent_below_free_seats: Option<i32>,
}

/// When seats may be given back.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("!has(self.windows) || self.mode == 'InWindow'")
    .message("spec.adjustment.decrease.windows goes with mode InWindow alone: set mode to InWindow, or remove windows")
    .field_path(".windows"))]
#[serde(rename_all = "camelCase")]
pub struct Decrease {
    /// `Immediate`: at once. `InWindow`: in a window. `Never`: the wanted change is shown and not made.
    pub mode: AdjustmentMode,

    /// Names of the windows that count, at most 10. Absent: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 63)))]
    pub windows: Option<Vec<String>>,
}

/// When changes of one direction may be made: `Immediate`, `InWindow` or `Never`.
#[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdjustmentMode {
    /// At once.
    #[default]
    Immediate,
    /// In a window.
    InWindow,
    /// The wanted change is shown and not made.
    Never,
}

/// A stretch of time that comes again: by the calendar, or before each renewal.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("has(self.cron) != has(self.beforeRenewal)")
    .message("each of spec.adjustment.windows needs exactly one of cron and beforeRenewal: add one, or remove one"))]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Its name, unique in the list: lower-case letters, digits and `-`, at most 63 characters.
    #[schemars(length(min = 1, max = 63))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("the name of a window has lower-case letters, digits and -, such as month-start"))]
    pub name: String,

    /// By the calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<CronWindow>,

    /// Before the end of the period that the vendor shows, when the subscription renews. Bitwarden shows it to an owner's key alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_renewal: Option<BeforeRenewal>,
}

/// A window by the calendar.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CronWindow {
    /// When it opens: five cron fields (minute, hour, day of month, month, day of week) such as `0 6 1W * *`, at most 100 characters.
    /// `L` is the last day, `1W` the weekday nearest to the 1st (holidays are not known), `MON#1` the first Monday, names are English.
    #[schemars(length(min = 1, max = 100))]
    #[x_kube(validation = Rule::new("self.matches('^[-0-9A-Za-z*,/#]+( +[-0-9A-Za-z*,/#]+){4}$')")
        .message("the schedule of a window needs exactly five cron fields of letters, digits and * , - / #, such as 0 6 1W * *: without seconds, nickname or time zone"))]
    #[x_kube(validation = Rule::new(
        "!self.matches('^([^ ]*[^0-9 ])?0*([6-9][0-9]|[1-9][0-9]{2,})') && !self.matches('^[^ ]+ +([^ ]*[^0-9 ])?0*(2[4-9]|[3-9][0-9]|[1-9][0-9]{2,})')")
        .message("the schedule of a window has minutes from 0 to 59 in its first field and hours from 0 to 23 in its second"))]
    #[x_kube(validation = Rule::new("!self.matches('^([^ ]+ +){2}([^ *]|[*][^ ])[^ ]* +[^ ]+ +([^ *]|[*][^ ])')")
        .message("the schedule of a window restricts the day of month and the day of week, and cron opens on either: write * as one of them, and MON#1 for the first Monday"))]
    #[x_kube(validation = Rule::new(
        "self.matches('(?i)^([^ ]+ +){3}([-0-9*,/]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)+ +([-0-9*,/#L]|SUN|MON|TUE|WED|THU|FRI|SAT)+$') || !self.matches('^[-0-9A-Za-z*,/#]+( +[-0-9A-Za-z*,/#]+){4}$')")
        .message("the schedule of a window names months as JAN to DEC and weekdays as SUN to SAT, or as numbers"))]
    pub schedule: String,

    /// The IANA name of the time zone of `schedule`, such as `Europe/Berlin` or `UTC`. A name that the operator's time zone database
    /// lacks is `SpecInvalid`. A time that the clock skips opens at the first
    /// moment after it; one that comes twice opens at the first.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[-A-Za-z0-9_+/]+$')")
        .message("the time zone of a window has the form of an IANA name, such as Europe/Berlin or UTC"))]
    pub time_zone: String,

    /// How long it stays open: a Go-style duration of 1h to 168h, and not longer than until its next opening.
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new(
        "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('1h') && duration(self) <= duration('168h')")
        .message("the duration of a window must be between 1h and 168h: whole numbers with units, largest first, such as 4h"))]
    pub duration: String,
}

/// A window before the end of the period that the vendor shows, in UTC.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(validation = Rule::new("duration(self.opens) > duration(self.closes)")
    .message("beforeRenewal.opens must be longer before the renewal than closes, such as opens 48h and closes 2h"))]
#[serde(rename_all = "camelCase")]
pub struct BeforeRenewal {
    /// How long before the period's end it opens: a Go-style duration of at most 2160h, such as `48h`.
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new(
        "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) <= duration('2160h')")
        .message("beforeRenewal.opens must be a duration of at most 2160h: whole numbers with units, largest first, such as 48h"))]
    pub opens: String,

    /// How long before the period's end it closes, so that a change has time to settle: a Go-style duration, at least `1h`.
    #[schemars(length(max = 20))]
    #[x_kube(validation = Rule::new(
        "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('1h') && duration(self) <= duration('2160h')")
        .message("beforeRenewal.closes must be a duration of 1h or more: whole numbers with units, largest first, such as 2h"))]
    pub closes: String,
}

/// The changes that were made because a window is open. It is counted by time, so that another name, schedule or zone gives no
/// second change. Do not edit it.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowUse {
    /// When the stretch opened in which they were requested.
    pub opened_at: Time,

    /// When it closes, as far as it is known. A window that opens before that belongs to the same stretch.
    pub closes_at: Time,

    /// How many were requested.
    pub changes: i32,
}

/// The window in which a change that waits may be made.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextWindow {
    /// Its name in `spec.adjustment.windows`.
    pub name: String,

    /// When it opens, or opened.
    pub opens_at: Time,

    /// When it closes.
    pub closes_at: Time,

    /// When the window opened that the change has missed, if it missed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Time>,

    /// Something that only a person ends holds the change too. Such a change has no right to leave after the end of the window.
    #[serde(default, skip_serializing_if = "is_false")]
    pub held: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// The window that let a request pass.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassedWindow {
    /// Its name in `spec.adjustment.windows`.
    pub name: String,

    /// When the stretch opened to which it belongs.
    pub opened_at: Time,

    /// When that stretch closes.
    pub closes_at: Time,
}
