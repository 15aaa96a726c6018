//! Which cases are played. A pull request plays those that `chosen.txt` lists; variables ask for others, and one that asks
//! for nothing that exists is an error. Knows the names of cases only; `tests/shape.rs` compiles it once more, to test it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fault_proxy::{Hop, Record};
use seatkeeper::api::parse_duration;

/// The kind of those that need a control plane of their own.
pub const CONTROL_PLANE: &str = "control plane";

/// The kind of those with license keys.
pub const LICENSE_KEYS: &str = "license keys";

/// The story with a window.
pub const IN_WINDOW: &str = "in-window";

/// The story with a change that an approval allows.
pub const APPROVED: &str = "approved";

/// The story in which the seats follow the use.
pub const SIZED: &str = "sized";

/// At this request a window closes: the next process looks at it when it is over.
pub const CLOSES: &str = "killed before forwarding, the next one's clock an hour ahead";

/// The kind of those with two installations.
pub const TWO_INSTALLATIONS: &str = "two installations";

/// The kind of those in which a part of the purchase protocol is missing. No list has them.
pub const WEAKENED: &str = "weakened";

/// The kind of those in which a pass of the model is provoked. No list has them.
pub const CONFORMANCE: &str = "conformance";

/// Every kind, and how many of it a new list has: more than a run must have, for a case may be missed.
const KINDS: [(&str, usize); 10] = [
    ("crash", 94),
    ("answer", 105),
    ("apiserver", 64),
    ("split-brain", 39),
    ("pause", 10),
    ("elsewhere", 46),
    ("clock", 32),
    (CONTROL_PLANE, 16),
    (LICENSE_KEYS, 90),
    (TWO_INSTALLATIONS, 20),
];

/// A listed request may come later in the list than in this run, where it waited for one poll less: by so many at most.
const SLACK: usize = 10;

/// Cases that each list has: those that decide a branch of the oracles which few others come to.
const ALWAYS: [&str; 10] = [
    "owner-fails-after-billing/purchase-2/500 before applying",
    "third-party/purchase-1/request dropped",
    "third-party/purchase-1/503 before applying",
    "first-purchase/purchase-1/seats changed by a third party before the answer",
    "second-purchase/purchase-1/seats changed by a third party before the answer",
    "decrease/intent-1/object deleted and created again before forwarding",
    "owner-decrease/intent-1/object deleted, later created again before forwarding",
    "fails-after-billing/purchase-2/500 before applying",
    "first-purchase/purchase-1/503 with Retry-After to every write, for an hour",
    "owner-purchase/purchase-1/503 with Retry-After to every write, for an hour",
];

const AGAIN: &str = "UPDATE_CHOSEN=1 cargo test --test faults";

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Object,
    Secret,
    Status,
    Intent,
    Token,
    Reading,
    Purchase,
}

impl Class {
    const ALL: [(&'static str, Self); 7] = [
        ("object", Self::Object),
        ("secret", Self::Secret),
        ("status", Self::Status),
        ("intent", Self::Intent),
        ("token", Self::Token),
        ("reading", Self::Reading),
        ("purchase", Self::Purchase),
    ];

    fn of(record: &Record) -> Self {
        match record.hop {
            _ if record.is_purchase() => Self::Purchase,
            Hop::Apiserver if record.intent => Self::Intent,
            Hop::Apiserver if record.is_record() => Self::Status,
            Hop::Apiserver if record.path.contains("/secrets/") => Self::Secret,
            Hop::Apiserver => Self::Object,
            Hop::Vendor if record.method == "POST" => Self::Token,
            Hop::Vendor => Self::Reading,
        }
    }
}

/// A request of a reference: the first, second ... of its class. Unlike a plain number it stays the same when a request of
/// another class comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    class: Class,
    nth: usize,
}

impl Request {
    /// Those of a reference, in its order.
    pub fn of(records: &[Record]) -> Vec<Self> {
        let mut seen: HashMap<Class, usize> = HashMap::new();
        let mut number = |class| {
            let nth = seen.entry(class).or_default();
            *nth += 1;
            Self { class, nth: *nth }
        };
        records.iter().map(|record| number(Class::of(record))).collect()
    }

    /// It buys, or is the record of that.
    fn is_sharp(self) -> bool {
        [Class::Intent, Class::Purchase].contains(&self.class)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Class::ALL.iter().find(|(_, class)| *class == self.class).map_or("?", |(name, _)| name);
        write!(f, "{name}-{}", self.nth)
    }
}

impl FromStr for Request {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, nth) = text.split_once('-').ok_or(())?;
        let (_, class) = Class::ALL.into_iter().find(|(known, _)| *known == name).ok_or(())?;
        Ok(Self { class, nth: nth.parse().map_err(|_| ())? })
    }
}

/// The name of a case: `scenario/request/action`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub kind: &'static str,
    pub scenario: &'static str,
    /// `None`: nothing goes wrong.
    pub request: Option<Request>,
    /// With the kind, a row of the table.
    pub action: String,
}

impl Name {
    /// What a case plays, each of which a list has: its kind, its scenario of that kind, and its action: at a purchase, at the
    /// record of one, and with an owner's key; a window that closes, an approval that is deleted and a person who joins at each
    /// request; and a few cases by name.
    pub fn branches(&self) -> Vec<String> {
        let Self { kind, scenario, request, action } = self;
        let at = match request.map(|request| request.class) {
            Some(Class::Purchase) => Some("a purchase"),
            Some(Class::Intent) => Some("a record"),
            _ => None,
        };
        let by_owner = scenario.starts_with("owner-").then(|| format!("{kind}: {action}, with an owner's key"));
        let always = [format!("kind {kind}"), format!("{kind}: {action}"), format!("{kind}: scenario {scenario}")];
        let sharp = at.map(|at| format!("{kind}: {action} at {at}"));
        let by_name = Some(self.to_string()).filter(|name| ALWAYS.contains(&name.as_str()));
        let closes = request.filter(|_| *scenario == IN_WINDOW && action == CLOSES);
        let closes = closes.map(|request| format!("{kind}: the window closes at {request}"));
        let each = request.filter(|_| [APPROVED, SIZED].contains(scenario));
        let each = each.map(|request| format!("{kind}: {action} at {request}"));
        always.into_iter().chain(closes).chain(each).chain(sharp).chain(by_owner).chain(by_name).collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Some(request) => write!(f, "{}/{request}/{}", self.scenario, self.action),
            None => write!(f, "{}/{}", self.scenario, self.action),
        }
    }
}

/// Random cases for some time.
#[derive(Debug)]
pub struct Torture {
    pub seed: u64,
    pub duration: Duration,
}

/// What the variables ask for.
#[derive(Debug, Default)]
pub struct Choice {
    case: Option<String>,
    kind: Option<String>,
    /// The first, second ... of so many parts of all cases.
    shard: Option<(usize, usize)>,
    /// How often each case is played.
    pub times: usize,
    /// Cases that act at the same time.
    pub at_once: usize,
    pub torture: Option<Torture>,
}

impl Choice {
    /// The variables that choose, as they were given.
    fn words(&self) -> String {
        let shard = self.shard.map(|(nth, of)| format!("{nth}/{of}"));
        let given = [("CASE", self.case.clone()), ("KIND", self.kind.clone()), ("SHARD", shard)];
        let words = given.into_iter().filter_map(|(name, value)| value.map(|value| format!("FAULT_{name}={value}")));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Reads the variables; says which of them means nothing.
    pub fn asked(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let kind = variable("FAULT_KIND");
        let known = || KINDS.iter().map(|(kind, _)| *kind).chain([WEAKENED, CONFORMANCE]);
        if let Some(kind) = kind.as_deref().filter(|kind| known().all(|known| known != *kind)) {
            let known = known().collect::<Vec<_>>().join(", ");
            return Err(format!("FAULT_KIND={kind:?} is no kind of faults. There are: {known}"));
        }
        let shard = variable("FAULT_SHARD").map(|text| {
            let numbers = text.split_once('/').map(|(nth, of)| (nth.parse::<usize>(), of.parse::<usize>()));
            match numbers {
                Some((Ok(nth), Ok(of))) if (1..=of).contains(&nth) => Ok((nth, of)),
                _ => Err(format!("FAULT_SHARD={text:?} is no part of all cases. An example: FAULT_SHARD=2/24")),
            }
        });
        let count = |name: &str, otherwise| match variable(name).map(|text| (text.parse(), text)) {
            None => Ok(otherwise),
            Some((Ok(count), _)) if count > 0 => Ok(count),
            Some((_, text)) => Err(format!("{name}={text:?} is not a number of one or more. An example: {name}=20")),
        };
        let (times, at_once) = (count("FAULT_TIMES", 1)?, count("FAULT_PARALLEL", 32)?);
        let torture = Torture::asked(&variable)?;
        Ok(Self { case: variable("FAULT_CASE"), kind, shard: shard.transpose()?, times, at_once, torture })
    }

    /// A pull request's run, of which more is promised than of any other.
    pub fn is_whole(&self) -> bool {
        self.is_of_the_list() && self.kind.is_none()
    }

    /// Nothing is to be played but what lacks a part of the protocol.
    pub fn is_of_the_weakened(&self) -> bool {
        self.kind.as_deref() == Some(WEAKENED)
    }

    /// Nothing is to be played but the passes of the model.
    pub fn is_of_conformance(&self) -> bool {
        self.kind.as_deref() == Some(CONFORMANCE)
    }

    /// Whether this pass of the model is asked for.
    pub fn wants(&self, pass: &str) -> bool {
        self.case.as_deref().is_none_or(|wanted| is_like(pass, wanted))
    }

    fn is_of_the_list(&self) -> bool {
        self.case.is_none() && self.shard.is_none() && self.torture.is_none()
    }

    /// A case is asked for, to be looked at closely.
    pub fn is_of_a_case(&self) -> bool {
        self.case.is_some()
    }

    /// The cases to play, of all that there are; `chosen`: the text of the list.
    pub fn pick(&self, all: &[Name], chosen: &str) -> Result<Vec<Name>, String> {
        let mut picked = if self.is_of_the_list() { listed(all, chosen)? } else { all.to_vec() };
        if let Some(kind) = &self.kind {
            picked.retain(|name| name.kind == kind);
        }
        if let Some(wanted) = &self.case {
            picked.retain(|name| is_like(&name.to_string(), wanted));
        }
        if let Some((nth, of)) = self.shard {
            let mut place = 0..;
            picked.retain(|_| place.next().is_some_and(|place| place % of == nth - 1));
        }
        if let Some(torture) = &self.torture {
            fastrand::Rng::with_seed(torture.seed).shuffle(&mut picked);
        }
        if picked.is_empty() {
            let example = all.first().map(ToString::to_string).unwrap_or_default();
            return Err(format!(
                "no case is what the variables ask for ({}). An example: FAULT_CASE={example:?}; `*` stands for any part of a name",
                self.words()
            ));
        }
        Ok(std::iter::repeat_n(picked, self.times).flatten().collect())
    }
}

/// `*` stands for anything; there may be one.
fn is_like(name: &str, wanted: &str) -> bool {
    match wanted.split_once('*') {
        None => name == wanted,
        Some((start, end)) => name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
    }
}

impl Torture {
    fn asked(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let (seed, duration) = (variable("SEED"), variable("DURATION"));
        if seed.is_none() && duration.is_none() {
            return Ok(None);
        }
        let seed = seed.map_or_else(
            || Ok(fastrand::u64(..)),
            |text| text.parse().map_err(|_| format!("SEED={text:?} is not a number. An example: SEED=7")),
        );
        let duration = duration.map_or(Ok(Duration::from_secs(600)), |text| {
            parse_duration(&text).map_err(|_| format!("DURATION={text:?} is not a time. An example: DURATION=10m"))
        });
        Ok(Some(Self { seed: seed?, duration: duration? }))
    }
}

/// The cases of the list. One whose request is not there is another of the same class, the last before it.
fn listed(all: &[Name], chosen: &str) -> Result<Vec<Name>, String> {
    let mut by_place: HashMap<(&str, &str, Class), BTreeMap<usize, &Name>> = HashMap::new();
    for name in all {
        if let Some(Request { class, nth }) = name.request {
            by_place.entry((name.scenario, &name.action, class)).or_default().insert(nth, name);
        }
    }
    let find = |line: &str| {
        let (scenario, rest) = line.split_once('/')?;
        let (request, action) = rest.split_once('/')?;
        let Request { class, nth } = request.parse().ok()?;
        let (found, name) = by_place.get(&(scenario, action, class))?.range(..=nth).next_back()?;
        (nth - found <= SLACK).then(|| (*name).clone())
    };
    let lines = || chosen.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let unknown: Vec<&str> = lines().filter(|line| find(line).is_none()).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join("\n  ");
        return Err(format!("tests/faults/chosen.txt lists what does not exist:\n  {unknown}\nWrite it anew: {AGAIN}"));
    }
    let picked: Vec<Name> = lines().filter_map(find).collect();
    let missing = missing(all, &picked);
    if !missing.is_empty() {
        let missing = missing.join("\n  ");
        return Err(format!("tests/faults/chosen.txt leaves out:\n  {missing}\nWrite it anew: {AGAIN}"));
    }
    Ok(picked)
}

/// Of what exists, the branches of which no case is picked.
fn missing(all: &[Name], picked: &[Name]) -> Vec<String> {
    unshown(all, &picked.iter().flat_map(Name::branches).collect())
}

/// The branches of these names that are not among those that were shown.
pub fn unshown(names: &[Name], shown: &BTreeSet<String>) -> Vec<String> {
    let branches: BTreeSet<String> = names.iter().flat_map(Name::branches).collect();
    branches.difference(shown).cloned().collect()
}

/// A new list: of each kind every scenario and every action, at a purchase, at the record of one and with an owner's key, and then
/// mostly those at a purchase or at the record of one.
/// The same cases give the same list.
pub fn new_list(all: &[Name]) -> String {
    let mut text = format!(
        "# The faults that a pull request plays, by kind: scenario/request/action. Every kind, every scenario under it and every\n\
         # action of it is here: at a purchase, at the record of one, and with an owner's key; and then mostly what happens at a\n\
         # purchase or at the record of one. The nightly workflow plays all that there are. Written by: {AGAIN}\n"
    );
    for (kind, most) in KINDS {
        let of_kind: Vec<Name> = all.iter().filter(|name| name.kind == kind).cloned().collect();
        let mut chosen = if kind == LICENSE_KEYS { purchases_and_news(of_kind) } else { thinned(of_kind, most) };
        chosen.sort();
        text.push_str(&format!(
            "\n# {kind}: {} of {}\n",
            chosen.len(),
            all.iter().filter(|name| name.kind == kind).count()
        ));
        chosen.iter().for_each(|name| text.push_str(&format!("{name}\n")));
    }
    text
}

/// Everything at the requests that add or remove a key, and of the rest what shows something new.
fn purchases_and_news(names: Vec<Name>) -> Vec<Name> {
    let is_purchase = |name: &Name| name.request.is_some_and(|request| request.class == Class::Purchase);
    let (purchases, rest): (Vec<Name>, Vec<Name>) = names.into_iter().partition(is_purchase);
    let mut branches: BTreeSet<String> = purchases.iter().flat_map(Name::branches).collect();
    let rest = rest.into_iter().filter(|name| is_new(&mut branches, name));
    purchases.into_iter().chain(rest).collect()
}

/// Whether a case shows something new, which then is known.
fn is_new(known: &mut BTreeSet<String>, name: &Name) -> bool {
    let before = known.len();
    known.extend(name.branches());
    known.len() > before
}

/// So many: each branch at least once, and then two thirds of them at a purchase or at the record of one.
fn thinned(names: Vec<Name>, most: usize) -> Vec<Name> {
    let mut chance = fastrand::Rng::with_seed(1);
    let (mut first, mut rest): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.request.is_some_and(Request::is_sharp));
    chance.shuffle(&mut first);
    chance.shuffle(&mut rest);
    let mut branches = BTreeSet::new();
    let mut new = |name: &Name| is_new(&mut branches, name);
    // Those that show something new come before the others, in each half.
    let mut by_news = |half: Vec<Name>| half.into_iter().partition::<Vec<_>, _>(&mut new);
    let ((mut chosen, first), (news, rest)) = (by_news(first), by_news(rest));
    chosen.extend(news);
    let more = most.saturating_sub(chosen.len());
    let dull = rest.len().min(more / 3).max(more.saturating_sub(first.len())).min(rest.len());
    chosen.extend(first.into_iter().take(more - dull).chain(rest.into_iter().take(dull)));
    chosen
}
