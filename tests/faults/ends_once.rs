//! The test of the judge: an operator that ended by itself must be seen although the request that was to be broken never came.
//! Called by `main` after the cases, and told from a missed case in all three kinds of stories.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use fault_proxy::{Action, Target};
use seatkeeper_support::scratch_dir;

use crate::actions::{BINARY, Crew, crew};
use crate::case::{Case, play};
use crate::flaw::Flaw;
use crate::ground::Ground;
use crate::scenario::scenarios;
use crate::selection::WEAKENED;
use crate::{keys, two};

/// What happens in these cases.
pub const ENDS_ONCE: &str = "the first process ends by itself";

/// An operator whose first process ends at once, and whose next ones are as shipped.
pub fn ends_once() -> PathBuf {
    let program = scratch_dir("ends-once").join("seatkeeper");
    let script = format!("#!/bin/sh\nmkdir \"$0.ended\" 2>/dev/null && exit 3\nexec '{BINARY}' \"$@\"\n");
    fs::write(&program, script).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
    program
}

/// At a request that no story has.
pub fn never() -> (Target, Action) {
    (Target::purchase(9), Action::DropAnswer)
}

async fn with_one_installation(ground: &Arc<Ground>) -> Result<(), Flaw> {
    let scenario = scenarios().into_iter().find(|scenario| scenario.name == "first-purchase").expect("it is there");
    let crew = Crew { binary: ends_once(), ..crew(1) };
    let case = Case { fault: Some(never()), ..Case::apart(scenario, WEAKENED, ENDS_ONCE.into(), crew) };
    play(ground, &case, None).await.map(|_| ()).map_err(|broken| broken.flaw)
}

/// Says whether the end of the first process was seen each time.
pub async fn is_seen(ground: &Arc<Ground>) -> bool {
    let (one, two, keys) =
        tokio::join!(with_one_installation(ground), two::ending_once(ground), keys::ending_once(ground));
    let is_seen = |(stories, result): &(&str, Result<(), Flaw>)| {
        let seen = matches!(result, Err(Flaw::Wrong(why)) if why.contains("ended by itself"));
        println!("{}: {stories}: {ENDS_ONCE}: {result:?}", if seen { "caught" } else { "NOT CAUGHT" });
        seen
    };
    let each = [("one installation", one), ("two installations", two), ("license keys", keys)];
    each.iter().filter(|each| is_seen(each)).count() == each.len()
}
