//! Everything that can be done to a request, by kind.

use std::path::PathBuf;
use std::time::Duration;

use fault_proxy::{Action, Hop, Moment, Outage, Part, Place, Record, Target};

use crate::case::{Case, at, named};
use crate::happenings::{self, BY_SOMEBODY, EVERYWHERE};
use crate::scenario::Scenario;
use crate::selection::{CONTROL_PLANE, IN_WINDOW, Name, Request};

/// How the operators are run.
#[derive(Clone, Debug)]
pub struct Crew {
    pub binary: PathBuf,
    /// Flags of each replica.
    pub replicas: Vec<Vec<&'static str>>,
    pub environment: Vec<(&'static str, &'static str)>,
    /// By how many seconds the wall clock of each process that is started is off, in turn; or the file that says so.
    pub clocks: Vec<String>,
    /// The part of the protocol that is taken away from them on the way to the apiserver.
    pub lacks: Option<Part>,
}

/// The operator as the tests build it.
pub const BINARY: &str = env!("CARGO_BIN_EXE_seatkeeper");

/// Times that let a test see them pass; everything else is as shipped. A write time-out, what is applied late and the
/// send deadline together stay well below the settle time, as they do with the times as shipped.
pub const SHORT: &[&str] = &[
    "--min-interval=1s",
    "--settle-answered=1s",
    "--settle-unanswered=4s",
    "--settle-pause=1s",
    "--send-deadline=1s",
    "--write-timeout=1s",
    "--read-timeout=1s",
    "--secret-recheck=1s",
    "--credential-probe=2s",
    "--lease-duration=3s",
    "--lease-renew-deadline=2s",
    "--lease-retry=1s",
];

/// Longer than lease and settle times together.
pub const LONG: Duration = Duration::from_secs(10);

/// Past the client's time-out, and well within the settle time.
pub const PAST_TIMEOUT: Duration = Duration::from_millis(1400);

/// Longer than the operator waits for its apiserver.
const UNBEARABLE: Duration = Duration::from_secs(11);

/// The other replica needs no longer to take the Lease and to buy.
pub const WHILE_BOTH_LEAD: Duration = Duration::from_millis(2500);

const PLACES: [Place; 3] = [Place::Before, Place::Withheld, Place::Answered];

pub fn crew(replicas: usize) -> Crew {
    Crew {
        binary: BINARY.into(),
        replicas: vec![SHORT.to_vec(); replicas],
        environment: vec![("RUST_LOG", "info")],
        clocks: Vec::new(),
        lacks: None,
    }
}

/// One replica, whose Lease, readings and sends bear a busy machine. `settle`: how long it waits for a purchase without an answer.
pub fn patient(settle: &'static str) -> Crew {
    let bearing = [
        settle,
        "--send-deadline=5s",
        "--write-timeout=3s",
        "--read-timeout=5s",
        "--lease-duration=15s",
        "--lease-renew-deadline=10s",
    ];
    Crew { replicas: vec![short_but(&bearing)], ..crew(1) }
}

pub const TWO_LEADERS: &str = "Lease deleted, two leaders";
pub const UNTIL_OTHER: &str = "stopped after the answer until the other buys";

pub const IN_HANDSHAKE: &str = "stopped while connecting to buy until the other buys";

/// The first replica looks at its Lease so seldom that it does not notice for a while that it is gone.
pub fn two_leaders() -> Crew {
    let slow = short_but(&["--lease-duration=8s", "--lease-renew-deadline=7s", "--lease-retry=4s"]);
    Crew { replicas: vec![slow, SHORT.to_vec()], ..crew(2) }
}

/// The operator makes an hour of it, and a person does not want to wait that long.
pub const TOO_LONG: &str = "429 after 10^9 s, a look asked for";

/// Every purchase is refused for longer than settle times and the first pauses come to.
pub const HOUR_OF_503: &str = "503 with Retry-After to every write, for an hour";

/// Where the story has a request before, the pauses are longer from the beginning.
fn hour(scenario: &Scenario) -> Outage {
    let least = if scenario.uses_the_repeat { 2 } else { 3 };
    Outage { long: Duration::from_secs(16), least, retry_after: "2" }
}

/// [`SHORT`] with some flags replaced.
pub fn short_but(flags: &[&'static str]) -> Vec<&'static str> {
    let name = |flag: &str| flag.split('=').next().map(str::to_owned);
    let kept = SHORT.iter().filter(|short| flags.iter().all(|flag| name(flag) != name(short)));
    kept.chain(flags).copied().collect()
}

pub fn answer(status: u16, headers: &[(&'static str, &'static str)], body: impl Into<String>, apply: bool) -> Action {
    Action::Answer { status, headers: headers.to_vec(), body: body.into(), apply }
}

pub const JSON: (&str, &str) = ("content-type", "application/json");
pub const OPAQUE: &str = r#"{"message":"An error occurred while updating the subscription."}"#;
const HTML: &str = "<!doctype html><title>Bad gateway</title>";

const SOMETHING_ELSE: &str = r#"{"kind":"LicenseSeats","apiVersion":"seatkeeper.dev/v1alpha1","metadata":{}}"#;

fn on_the_wire() -> Vec<(String, Action)> {
    vec![
        ("request dropped".into(), Action::DropRequest),
        ("answer dropped".into(), Action::DropAnswer),
        ("answer late".into(), Action::Delay(PAST_TIMEOUT)),
        ("applied late".into(), Action::ApplyLate(PAST_TIMEOUT)),
        ("answer truncated".into(), Action::Truncate),
        ("answer reset".into(), Action::Reset),
    ]
}

pub fn vendor_answers() -> Vec<(String, Action)> {
    let padded = format!(r#"{{"passwordManager":null,"padding":"{}"}}"#, "x".repeat(8 << 20));
    let mut all = on_the_wire();
    for (name, action) in [
        ("500 after applying", answer(500, &[JSON], OPAQUE, true)),
        ("500 before applying", answer(500, &[JSON], OPAQUE, false)),
        ("502 after applying", answer(502, &[], HTML, true)),
        ("502 before applying", answer(502, &[], HTML, false)),
        ("503 before applying", answer(503, &[], "", false)),
        ("504 after applying", answer(504, &[], "", true)),
        ("302 after applying", answer(302, &[("location", "/login")], "", true)),
        ("404 page after applying", answer(404, &[("content-type", "text/html")], HTML, true)),
        ("404 page before applying", answer(404, &[("content-type", "text/html")], HTML, false)),
        ("405 empty before applying", answer(405, &[], "", false)),
        ("200 empty after applying", answer(200, &[], "", true)),
        ("429", answer(429, &[], "", false)),
        ("429 after 0 s", answer(429, &[("retry-after", "0")], "", false)),
        ("429 after 1 s", answer(429, &[("retry-after", "1")], "", false)),
        (TOO_LONG, answer(429, &[("retry-after", "1000000000")], "", false)),
        ("429 until a date", answer(429, &[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], "", false)),
        ("200 HTML", answer(200, &[("content-type", "text/html")], HTML, false)),
        ("200 null, applied", answer(200, &[JSON], "null", true)),
        ("200 mistyped", answer(200, &[JSON], r#"{"passwordManager":{"seats":"many"},"message":7}"#, false)),
        ("200 negative", answer(200, &[JSON], r#"{"passwordManager":{"seats":-5,"maxAutoScaleSeats":-1}}"#, false)),
        ("200 huge", answer(200, &[JSON], padded, false)),
    ] {
        all.push((name.to_owned(), action));
    }
    all
}

pub fn apiserver_answers() -> Vec<(String, Action)> {
    let status = |code: u16, reason: &str| {
        format!(
            r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"injected","reason":"{reason}","code":{code}}}"#
        )
    };
    let fail = |code, reason, apply| answer(code, &[JSON], status(code, reason), apply);
    let mut all: Vec<(String, Action)> = Vec::new();
    for (name, action) in [
        ("409", fail(409, "Conflict", false)),
        ("429", answer(429, &[JSON, ("retry-after", "1")], status(429, "TooManyRequests"), false)),
        ("500", fail(500, "InternalError", false)),
        ("503", fail(503, "ServiceUnavailable", false)),
        ("504 but applied", fail(504, "Timeout", true)),
        ("403", fail(403, "Forbidden", false)),
        ("200 of something else", answer(200, &[JSON], SOMETHING_ELSE, false)),
        ("200 of something else, applied", answer(200, &[JSON], SOMETHING_ELSE, true)),
        ("200 mistyped", answer(200, &[JSON], r#"{"kind":7,"metadata":["acme"],"status":"in sync"}"#, false)),
        ("reset but applied", Action::Reset),
        ("request dropped", Action::DropRequest),
        ("answer dropped", Action::DropAnswer),
        ("answer later than anybody waits", Action::Delay(UNBEARABLE)),
        ("applied late", Action::ApplyLate(PAST_TIMEOUT)),
        ("watch ends with 410", Action::WatchGone),
        ("watch frozen", Action::WatchFrozen),
    ] {
        all.push((name.to_owned(), action));
    }
    all
}

/// Every case of a scenario, by the requests of its reference.
#[expect(clippy::too_many_lines, reason = "a table: its length is the number of its rows")]
pub fn cases(scenario: &Scenario, reference: &[Record]) -> Vec<Case> {
    let mut all = Vec::new();
    for (record, request) in reference.iter().zip(Request::of(reference)) {
        let target = Target::of(reference, record.number);
        let mut add = |kind, crew: Crew, action: String, what| {
            let name = Name { kind, scenario: scenario.name, request: Some(request), action };
            all.push(Case { scenario: scenario.clone(), fault: Some((target.clone(), what)), name, crew });
        };
        if let Some(what) = scenario.about() {
            for moment in [Moment::Before, Moment::After] {
                add("elsewhere", crew(1), format!("{what} {}", at(moment)), Action::Meanwhile(moment, what));
            }
            continue;
        }
        for place in PLACES {
            add("crash", crew(1), format!("killed {}", named(place)), Action::Kill(place));
            add("pause", crew(1), format!("stopped {}", named(place)), Action::Pause(place, LONG));
            add("split-brain", crew(2), format!("stopped {}, two replicas", named(place)), Action::Pause(place, LONG));
            let action = format!("clocks two hours apart, stopped {}", named(place));
            // By neither of these clocks the window would be open.
            if scenario.name != IN_WINDOW {
                add("clock", off(crew(2), &["3600", "-3600"]), action, Action::Pause(place, LONG));
            }
            // After the last write the next process has nothing to write, so nothing would show its clock.
            let shown = record.number < reference.len() || place == Place::Before;
            for (words, clocks) in
                [("ahead", &["0", "3600"]), ("behind", &["0", "-3600"])].into_iter().filter(|_| shown)
            {
                let action = format!("killed {}, the next one's clock an hour {words}", named(place));
                add("clock", off(crew(1), clocks), action, Action::Kill(place));
            }
        }
        add("split-brain", two_leaders(), TWO_LEADERS.into(), Action::LoseLease(WHILE_BOTH_LEAD));
        // A vendor that refuses at its door does not come to pause.
        if record.is_purchase() && !matches!(record.executed, Some(401 | 503)) {
            add("crash", crew(1), format!("killed {}", named(Place::Underway)), Action::Kill(Place::Underway));
        }
        if record.is_purchase() && !["outage", IN_WINDOW].contains(&scenario.name) {
            // The story with an outage of its own would last for longer than anybody waits, and the third attempt is another
            // change of its window.
            add("answer", crew(1), HOUR_OF_503.into(), Action::Outage(hour(scenario)));
        }
        if record.intent {
            add("split-brain", crew(2), UNTIL_OTHER.into(), Action::PauseUntilPurchase(LONG));
            add("split-brain", crew(2), IN_HANDSHAKE.into(), Action::PauseInHandshake(LONG));
        }
        for moment in [Moment::Before, Moment::After] {
            for what in EVERYWHERE {
                add("elsewhere", crew(1), format!("{what} {}", at(moment)), Action::Meanwhile(moment, what));
            }
            if scenario.takes_others() && !(scenario.by_owner && is_between_readings(reference, record, moment)) {
                add(
                    "elsewhere",
                    crew(1),
                    format!("{BY_SOMEBODY} {}", at(moment)),
                    Action::Meanwhile(moment, BY_SOMEBODY),
                );
            }
            for what in happenings::CONTROL_PLANE {
                add(CONTROL_PLANE, crew(1), format!("{what} {}", at(moment)), Action::Meanwhile(moment, what));
            }
        }
        let (kind, answers) = match record.hop {
            Hop::Vendor => ("answer", vendor_answers()),
            Hop::Apiserver => ("apiserver", apiserver_answers()),
        };
        for (name, action) in answers {
            add(kind, crew(1), name, action);
        }
    }
    all
}

fn off(crew: Crew, clocks: &[&str]) -> Crew {
    Crew { clocks: clocks.iter().map(ToString::to_string).collect(), ..crew }
}

/// The moment between the last reading and the vendor's own, which a difference cannot be protected in
/// (docs/never-buys-twice.md).
fn is_between_readings(reference: &[Record], record: &Record, moment: Moment) -> bool {
    let next = reference.get(record.number);
    match moment {
        Moment::Before => record.is_purchase(),
        Moment::After => next.is_some_and(Record::is_purchase),
    }
}
