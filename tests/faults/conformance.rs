//! The controller makes the passes of the model, and no others. The model (tests/model) asks the shipped code for each
//! judgment, and has a copy of what the controller does around it: the order of the steps of a pass. `tests/model/passes.txt`
//! lists each pass that the model can make. Here each is provoked on the shipped binary, and what the proxy saw is compared. The
//! passes of every other case of this run, where one replica had one object, must be in that list too.
//!
//! `FAULT_KIND=conformance` plays only this, and with `FAULT_CASE` only the pass of that line.

mod observed;
mod provoked;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fault_proxy::{Proxy, Record};
use futures::{FutureExt, StreamExt, stream};
use serde_json::json;

use crate::actions::{Crew, crew, short_but};
use crate::case::writes;
use crate::flaw::{Flaw, Processes};
use crate::ground::Ground;
use crate::keys::stage::Stage;
use crate::pass_step::{Heard, PassStep, Stored, line};
use crate::replays::Replays;
use crate::rig::{Account, PATIENCE, Rig};
use crate::scenario::{Scenario, scenarios};
use crate::selection::{CONFORMANCE, Choice};
use observed::Steps;
use provoked::{RENEWAL, Way, ways};

/// Width of the column that says with which kinds of seats the model makes a pass.
const KINDS: usize = 11;

/// What stands before the reason why a pass is only in the model.
const ONLY: &str = "  # only in the model: ";

/// The passes that the model can make.
pub struct Language {
    passes: BTreeMap<Steps, Listed>,
    /// Passes of other cases that are none of these.
    unknown: Mutex<Vec<String>>,
}

struct Listed {
    /// With seats that are a number.
    of_seats: bool,
    /// With license keys.
    of_keys: bool,
    /// The controller is not brought to it, for the reason that is given.
    only: bool,
}

impl Listed {
    /// Whether it is played with these seats. Bitwarden either gives no reason or refuses before any effect, so what the model
    /// knows of any other refusal is played with license keys.
    fn is_played(&self, pass: &[PassStep], keys: bool) -> bool {
        let uncertain = pass.contains(&PassStep::Sent(Heard::Uncertain));
        !self.only && if keys { self.of_keys || uncertain } else { self.of_seats && !uncertain }
    }
}

impl Language {
    pub fn listed() -> Result<Self, String> {
        let path = seatkeeper_support::workspace_root().join("tests/model/passes.txt");
        let text = std::fs::read_to_string(path).map_err(|why| format!("tests/model/passes.txt: {why}"))?;
        let known: BTreeMap<String, PassStep> = PassStep::all().into_iter().map(|s| (s.to_string(), s)).collect();
        let parse = |text: &str| {
            let (kinds, rest) = text.split_at_checked(KINDS)?;
            let (steps, only) = rest.split_once(ONLY).map_or((rest, false), |(steps, _)| (steps, true));
            let [of_seats, of_keys] = ["seats", "keys"].map(|kind| kinds.split(' ').any(|word| word == kind));
            let steps = steps.split(", ").map(|step| known.get(step).copied()).collect::<Option<Steps>>()?;
            Some((steps, Listed { of_seats, of_keys, only }))
        };
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let passes = lines.map(|line| parse(line).ok_or_else(|| format!("tests/model/passes.txt: what is {line:?}?")));
        Ok(Self { passes: passes.collect::<Result<_, _>>()?, unknown: Mutex::default() })
    }

    /// The passes of the model that these requests may be, for each pass; those that are none of the model's are told.
    fn read(&self, records: &[Record]) -> (Vec<Vec<Steps>>, Vec<String>) {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for pass in observed::passes(records) {
            let rows: Vec<_> = pass.rows.iter().filter(|row| self.passes.contains_key(*row)).cloned().collect();
            if rows.is_empty() && !pass.rows.iter().any(|row| self.is_overtaken(row)) {
                let may_be: BTreeSet<String> = pass.rows.iter().map(|row| line(row)).collect();
                let may_be = may_be.into_iter().collect::<Vec<_>>().join("\n    ");
                unknown.push(format!(
                    "the pass that begins with request {} is none of the model:\n    {may_be}",
                    pass.first
                ));
            }
            known.push(rows);
        }
        (known, unknown)
    }

    /// Whether it is a pass of the model up to its last write, which another write overtook. That may come at any moment: the model
    /// has it where it matters for what is written, and not in every case that has other writers.
    fn is_overtaken(&self, row: &[PassStep]) -> bool {
        let Some((PassStep::Status(Stored::Nothing), before)) = row.split_last() else { return false };
        let stores =
            |known: &Steps| matches!(known.split_last(), Some((PassStep::Status(_), steps)) if steps == before);
        self.passes.keys().any(stores)
    }

    /// Looks at the passes of a case that is about something else.
    pub fn look(&self, case: &str, records: &[Record]) {
        let (_, unknown) = self.read(records);
        let mut all = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(unknown.into_iter().map(|why| format!("{case}: {why}\n{}", shown(records))));
    }

    /// Whether all those passes were passes of the model.
    pub fn knows_all(&self) -> bool {
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.iter().for_each(|why| println!("conformance: {why}"));
        unknown.is_empty()
    }
}

fn shown(records: &[Record]) -> String {
    records.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// So many passes without a write: longer than the settle times are.
const STILL: usize = 7;

/// Waits until all that was to go wrong did, and nothing is written any more.
async fn still(proxy: &Proxy) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    let (mut written, mut since) = (0, 0);
    loop {
        let records = proxy.records();
        let passes = observed::passes(&records).len();
        if writes(&records) != written || proxy.unspent() > 0 {
            (written, since) = (writes(&records), passes);
        } else if passes >= since + STILL {
            return Ok(());
        }
        if Instant::now() > deadline {
            let unspent = proxy.unspent();
            return Err(format!("it does not come to rest, or a request that was to go wrong never comes ({unspent})"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A pass of the model, and a way to it.
#[derive(Clone)]
struct Wanted {
    pass: Steps,
    way: Way,
    keys: bool,
}

impl Wanted {
    /// What goes wrong decides which pass it is. One that sends nothing depends on the passes before it, and needs only be
    /// seen on some way.
    fn is_told_by_requests(&self) -> bool {
        !matches!(self.pass[..], [_, _, PassStep::Status(_)])
    }

    fn name(&self) -> String {
        let by = if self.way.by.is_empty() { String::new() } else { format!(" ({})", self.way.by) };
        format!("{}: {}{by}", if self.keys { "keys" } else { "seats" }, line(&self.pass))
    }
}

/// What the controller did when a pass of the model was provoked.
struct Seen {
    wanted: Wanted,
    /// For each pass, those of the model that it may be.
    known: Vec<Vec<Steps>>,
    wrong: Vec<Flaw>,
    records: Vec<Record>,
}

impl Seen {
    fn is_played(&self) -> bool {
        self.known.iter().flatten().any(|pass| *pass == self.wanted.pass)
    }

    /// The passes that were played without a doubt, whichever was wanted.
    fn played(&self) -> impl Iterator<Item = &Steps> {
        let sure = self.known.iter().filter(|rows| rows.len() == 1).map(|rows| &rows[0]);
        sure.chain(self.is_played().then_some(&self.wanted.pass))
    }

    /// Whether it may be played once more: nothing is wrong but that it did not come to rest, or that the moment for it was missed.
    fn is_allowed_again(&self, replays: &Replays) -> bool {
        match &self.wrong[..] {
            [] => !self.is_as_wanted() && replays.allow_pass(&Flaw::Missed(String::new())),
            flaws => matches!(flaws, [flaw] if replays.allow_pass(flaw)),
        }
    }

    fn is_as_wanted(&self) -> bool {
        self.wrong.is_empty() && (self.is_played() || !self.wanted.is_told_by_requests())
    }

    /// Whether this was as it must be; says what was not.
    fn is_fine(&self) -> bool {
        let (name, records) = (self.wanted.name(), shown(&self.records));
        for why in &self.wrong {
            println!("conformance: {name}: {why}\n{records}");
        }
        if !self.is_as_wanted() && self.wrong.is_empty() {
            let rows = |rows: &Vec<Steps>| rows.iter().map(|row| line(row)).collect::<Vec<_>>().join("\n      or ");
            let made = self.known.iter().map(rows).collect::<Vec<_>>().join("\n    ");
            println!("conformance: not played: {name}\n{records}\n  these were:\n    {made}");
        }
        self.is_as_wanted()
    }
}

/// Provokes a pass; what the proxy saw, how the operator fared, and whether that came to rest.
async fn provoke(ground: &Arc<Ground>, wanted: &Wanted) -> (Vec<Record>, Processes, Result<(), String>) {
    let _permit = ground.stage.acquire().await.expect("the stage is never closed");
    let way = &wanted.way;
    if wanted.keys {
        let stage = Stage::new(ground, crew(1)).await;
        let renewal = way.story == RENEWAL;
        if renewal {
            stage.proxy.arm(None);
            stage.declare(&["old"]).await;
            still(&stage.proxy).await.expect("the first key is added");
        }
        stage.proxy.arm_all(way.faults.clone());
        if renewal {
            stage.list(&["new"]).await
        } else {
            stage.declare(&["new"]).await
        }
        let rest = still(&stage.proxy).await;
        return (stage.proxy.records(), stage.processes(), rest);
    }
    let story = scenarios().into_iter().find(|scenario| scenario.name == way.story).expect("it is there");
    let scenario = Scenario { edit: (json!({ "seats": way.edit }), (way.edit, story.edit.1.1)), ..story };
    let crew = Crew { replicas: vec![short_but(way.flags)], ..crew(1) };
    let rig = Rig::at(ground, &scenario, crew, Account::new(&scenario, CONFORMANCE).await).await;
    rig.remember(&scenario.spec, false).await;
    rig.proxy.arm_all(way.faults.clone());
    rig.objects.declare("acme", &scenario.spec).await;
    let rest = still(&rig.proxy).await;
    (rig.proxy.records(), rig.processes(), rest)
}

async fn play(ground: &Arc<Ground>, language: &Language, wanted: Wanted) -> Seen {
    let Ok((records, processes, rest)) = AssertUnwindSafe(Box::pin(provoke(ground, &wanted))).catch_unwind().await
    else {
        let wrong = vec![Flaw::Stage("the stage failed; see above".into())];
        return Seen { wanted, known: Vec::new(), wrong, records: Vec::new() };
    };
    let (known, unknown) = language.read(&records);
    let fared = processes.flaw().map(str::to_owned);
    let mut wrong: Vec<Flaw> = unknown.into_iter().chain(fared).map(Flaw::Wrong).collect();
    wrong.extend(rest.err().map(Flaw::Restless));
    Seen { wanted, known, wrong, records }
}

/// Plays each, and those once more, alone, that did not come to rest beside so many others, as long as `replays` allows it.
async fn play_all(
    ground: &Arc<Ground>,
    language: &Language,
    (wanted, at_once): (Vec<Wanted>, usize),
    replays: &Replays,
) -> Vec<Seen> {
    let playing = stream::iter(wanted).map(|wanted| play(ground, language, wanted)).buffer_unordered(at_once);
    let (mut playing, mut seen, mut late) = (Box::pin(playing), Vec::new(), Vec::new());
    while let Some(played) = playing.next().await {
        if played.is_allowed_again(replays) {
            println!("conformance: to be played once more, alone: {}", played.wanted.name());
            late.push(played.wanted);
        } else {
            seen.push(played);
        }
    }
    drop(playing);
    for wanted in late {
        seen.push(play(ground, language, wanted).await);
    }
    seen
}

/// Provokes each pass of the model that is asked for; whether the controller made them all, and no other.
pub async fn is_shown(ground: &Arc<Ground>, language: &Language, choice: &Choice, replays: &Replays) -> bool {
    let asked = |pass: &Steps| choice.wants(&line(pass));
    let demanded: Vec<&Steps> =
        language.passes.iter().filter(|(pass, listed)| !listed.only && asked(pass)).map(|(pass, _)| pass).collect();
    let each = |keys| {
        let played = language.passes.iter().filter(move |(pass, listed)| asked(pass) && listed.is_played(pass, keys));
        let ways = played.flat_map(move |(pass, _)| ways(pass, keys).into_iter().map(move |way| (pass, way)));
        ways.map(move |(pass, way)| Wanted { pass: pass.clone(), way, keys })
    };
    let wanted: Vec<Wanted> = each(false).chain(each(true)).collect();
    let seen = play_all(ground, language, (wanted, choice.at_once), replays).await;
    let fine = seen.iter().filter(|seen| !seen.is_fine()).count() == 0;
    let played: BTreeSet<&Steps> = seen.iter().flat_map(Seen::played).collect();
    let missing: Vec<&&Steps> = demanded.iter().filter(|pass| !played.contains(**pass)).collect();
    for pass in &missing {
        println!("conformance: NOT PLAYED, and no reason is given in tests/model/passes.rs: {}", line(pass));
    }
    println!(
        "conformance: {} passes of the model, {} played on the controller ({} ways), {} only in the model (each with its reason)",
        language.passes.len(),
        played.len(),
        seen.len(),
        language.passes.values().filter(|listed| listed.only).count(),
    );
    fine && missing.is_empty() && !demanded.is_empty()
}
