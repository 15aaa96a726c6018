//! One case: a scenario, the number of a request, and what happens to it. Played, then judged.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fault_proxy::{Action, Hop, Moment, Place, Proxy, Record, Target};
use seatkeeper::api::LicenseSeatsStatus;

use crate::actions::{Crew, TOO_LONG};
use crate::branch::Branch;
pub use crate::doubt::End;
use crate::flaw::{Broken, Flaw};
use crate::ground::Ground;
use crate::happenings::{ETCD_RESTORED, RIVAL, deed};
use crate::judge::judge;
use crate::rig::{PATIENCE, Rig};
use crate::scenario::Scenario;
use crate::selection::Name;

/// So many polls without a write are rest: the next case may take the stage.
pub const REST: usize = 3;

/// So many polls without a write are silence.
pub const SILENCE: usize = 20;

/// How often a person asks for a look where the vendor wants to be left alone.
const ASKING: Duration = Duration::from_secs(2);

/// The longest wait for the rest of an operator that lacks a part.
const PATIENCE_WITHOUT_A_PART: Duration = Duration::from_secs(90);

/// A request and what happens to it.
#[derive(Clone, Debug)]
pub struct Case {
    pub scenario: Scenario,
    /// `None`: the reference.
    pub fault: Option<(Target, Action)>,
    pub name: Name,
    pub crew: Crew,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl Case {
    /// A scenario in which nothing goes wrong, or what is not one of the cases to choose from.
    pub fn apart(scenario: Scenario, kind: &'static str, action: String, crew: Crew) -> Self {
        let name = Name { kind, scenario: scenario.name, request: None, action };
        Self { scenario, fault: None, name, crew }
    }

    /// The longest wait for its rest. An operator that lacks a part may never rest, and is tried again.
    fn patience(&self) -> Duration {
        if self.crew.lacks.is_some() { PATIENCE_WITHOUT_A_PART } else { PATIENCE }
    }

    /// Its requests are those of one replica about one object.
    pub fn is_of_one_replica(&self) -> bool {
        self.crew.replicas.len() == 1 && self.happening() != Some(RIVAL)
    }

    /// What happens elsewhere.
    pub fn happening(&self) -> Option<&'static str> {
        match self.fault {
            Some((_, Action::Meanwhile(_, what))) => Some(deed(what).0),
            _ => None,
        }
    }
}

/// What was seen.
pub struct Played {
    pub end: End,
    /// Branches of the oracle that decided something here.
    pub decided: Vec<Branch>,
    pub records: Vec<Record>,
    pub log: String,
}

/// How much was written, to compare with the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub purchases: usize,
    pub statuses: usize,
}

impl Written {
    pub fn of(records: &[Record]) -> Self {
        let purchases = records.iter().filter(|record| record.is_purchase()).count();
        let statuses = records.iter().filter(|r| r.is_record() && r.executed == Some(200)).count();
        Self { purchases, statuses }
    }
}

/// The end that a status tells.
pub fn ended(status: &LicenseSeatsStatus) -> Option<End> {
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready")?;
    match ready.reason.as_str() {
        "InSync" if status.intent.is_none() => Some(End::InSync),
        "VendorRejected" => Some(End::Rejected),
        "NeedsReview" => Some(End::NeedsReview),
        "FirstSight" => Some(End::Held),
        "Conflict" => Some(End::Contested),
        "ChangeDeferred" if status.intent.is_none() => Some(End::Deferred),
        // A bill that contradicts the seats keeps a difference from being sent, until a person corrects one of the two.
        "NumbersInDoubt" if status.billed.is_some() => Some(End::Held),
        _ => None,
    }
}

pub fn writes(records: &[Record]) -> usize {
    records.iter().filter(|record| record.is_purchase() || record.is_record()).count()
}

/// Reads the seats; once in each reading: the subscription of the organization API, or the organization as its owner sees it.
pub fn reads(record: &Record) -> bool {
    let last_is_id = |path: &str| path.rsplit('/').next().is_some_and(|last| last.len() == 36);
    let once = |path: &str| path.ends_with("/public/organization/subscription") || last_is_id(path);
    record.hop == Hop::Vendor && record.method == "GET" && once(&record.path)
}

pub fn polls(records: &[Record]) -> usize {
    records.iter().filter(|record| reads(record)).count()
}

/// Plays a case to its end and judges it; `reference`: how much that wrote.
pub async fn play(ground: &Arc<Ground>, case: &Case, reference: Option<Written>) -> Result<Played, Broken> {
    play_beside(ground, case, reference, async |_: &Rig, _| std::future::pending().await).await
}

/// As [`play`], with something that goes on beside it from the first numbered request on. It is told how long the ledger was
/// then, and says when there is nothing more to wait for.
pub async fn play_beside(
    ground: &Arc<Ground>,
    case: &Case,
    reference: Option<Written>,
    beside: impl AsyncFn(&Rig, usize) -> String,
) -> Result<Played, Broken> {
    let permit = ground.stage.acquire().await.expect("the stage is never closed");
    let rig = Rig::new(ground, case).await;
    let result = match act(&rig, case).await {
        Err(why) => Err(rig.processes().flaw().map_or(Flaw::Restless(why), |worse| Flaw::Wrong(worse.into()))),
        Ok(before) => {
            let end = async {
                silent(&rig, case, case.patience(), REST).await?;
                drop(permit);
                silent(&rig, case, case.patience(), SILENCE).await
            };
            let ended = tokio::select! {
                biased;
                why = beside(&rig, before) => Err(why),
                end = end => end,
            };
            judge(&rig, case, ended, before, reference).await
        }
    };
    result.map_err(|flaw| {
        let records: Vec<String> = rig.proxy.records().iter().map(ToString::to_string).collect();
        let log = rig.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(40)..].join("\n");
        let ledger: Vec<String> = rig
            .bitwarden()
            .ledger(&rig.key().id)
            .iter()
            .map(|e| {
                let (shown, billed) = (e.after.seats, e.billed_after.seats);
                format!("{:?} {:?} shown {shown:?} billed {billed:?} request {:?}", e.who, e.step, e.request)
            })
            .collect();
        let story = format!("{}\nledger:\n{}\nlog:\n{tail}", records.join("\n"), ledger.join("\n"));
        Broken { flaw, story }
    })
}

/// Begins; says how long the ledger was before anything was counted.
async fn act(rig: &Rig, case: &Case) -> Result<usize, String> {
    let scenario = &case.scenario;
    let (rival, etcd) = (case.happening() == Some(RIVAL), case.happening() == Some(ETCD_RESTORED));
    let mut held = true;
    if let Some(before) = &scenario.before {
        rig.objects.declare("acme", before).await;
        let nothing = Case { fault: None, ..case.clone() };
        silent(rig, &nothing, PATIENCE, 0).await.map_err(|why| format!("before anything was broken: {why}"))?;
        rig.proxy.hold().await;
    } else if rival || etcd {
        rig.declare_held(&scenario.spec).await;
    } else {
        held = false;
    }
    if rival {
        rig.until_older().await;
    }
    rig.remember(&scenario.spec, false).await;
    (scenario.vendor)(rig.bitwarden());
    let before = rig.bitwarden().ledger(&rig.key().id).len();
    rig.proxy.arm(case.fault.clone());
    match (&scenario.before, held) {
        (Some(_), _) => rig.objects.edit(&scenario.spec).await,
        (None, true) => {}
        (None, false) => rig.objects.declare("acme", &scenario.spec).await,
    }
    if etcd {
        rig.remember(&scenario.spec, true).await;
    }
    if held {
        rig.proxy.release();
    }
    Ok(before)
}

/// How much was written, and whether the fault had taken effect.
pub type Writes = (usize, bool);

/// Waits until the status tells an end and so many polls go by without any write; a write in between begins anew, and so does
/// the fault when it takes effect. While nothing is written the status is not read either: it is the same, and a hundred cases that
/// read theirs five times a second would be most of what the apiserver does.
async fn silent(rig: &Rig, case: &Case, patience: Duration, wanted: usize) -> Result<End, String> {
    let (deadline, mut asked) = (Instant::now() + patience, Instant::now());
    let mut since: Option<(End, Writes, usize)> = None;
    loop {
        let (records, hit) = (rig.proxy.records(), case.fault.is_none() || rig.proxy.fired());
        let (written, polled) = ((writes(&records), hit), polls(&records));
        // Whoever has been silent for so long does not send any more what was to be broken.
        let wanted = if hit { wanted } else { SILENCE };
        match since {
            Some((end, before, first)) if before == written => {
                if polled >= first + wanted {
                    // Somebody else's writes are not among the records.
                    if end_of(rig, case).await == Some(end) {
                        return Ok(end);
                    }
                    since = None;
                }
            }
            _ => since = end_of(rig, case).await.map(|end| (end, written, polled)),
        }
        if since.is_none() && case.name.action == TOO_LONG && asked.elapsed() > ASKING {
            rig.objects.ask().await;
            asked = Instant::now();
        }
        if Instant::now() > deadline {
            let status = serde_json::to_string(&rig.status("acme").await).unwrap_or_default();
            return Err(format!("neither in sync nor told nor silent after {patience:?}; status: {status}"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The end that the status tells.
async fn end_of(rig: &Rig, case: &Case) -> Option<End> {
    if case.happening() == Some(RIVAL) && rig.proxy.fired() && !is_conflict(rig.status("rival").await.as_ref()) {
        return None;
    }
    rig.status("acme").await.as_ref().and_then(ended)
}

/// Whether it says that another object has its pool.
pub fn is_conflict(status: Option<&LicenseSeatsStatus>) -> bool {
    let mut conditions = status.into_iter().flat_map(|status| &status.conditions);
    conditions.any(|condition| condition.type_ == "Ready" && condition.reason == "Conflict")
}

/// Why a watch that was broken says nothing.
pub const UNSEEN_BY_WATCHES: &str = "no watch was told to begin anew, and none had anything to say";

/// The watches were to be broken, and it reached none of them.
pub fn unseen_by_watches(proxy: &Proxy, action: &Action) -> bool {
    matches!(action, Action::WatchGone | Action::WatchFrozen) && proxy.watches_broken() == 0
}

/// For the table.
pub fn named(place: Place) -> &'static str {
    match place {
        Place::Before => "before forwarding",
        Place::Underway => "while it runs, Lease deleted",
        Place::Withheld => "after forwarding, answer withheld",
        Place::Answered => "after the answer",
    }
}

/// For the table.
pub fn at(moment: Moment) -> &'static str {
    match moment {
        Moment::Before => "before forwarding",
        Moment::After => "before the answer",
    }
}
