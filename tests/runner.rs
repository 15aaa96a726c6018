//! The engine of `make test` (tests/runner/parts.sh), played with parts of its own. Part of `shape`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use seatkeeper_support::{Process, process_alive, scratch_dir, send_signal, wait_for};

use crate::root;

const PATIENCE: Duration = Duration::from_secs(60);

/// A script that declares parts and runs them, and the folder of its logs.
fn runner(parts: &str) -> (Command, PathBuf) {
    let folder = scratch_dir("parts");
    let script = folder.join("run.sh");
    let engine = root().join("tests/runner/parts.sh");
    let logs = folder.join("logs");
    let text = format!("set -euo pipefail\n. {}\n{parts}\nrun_parts {}\n", engine.display(), logs.display());
    fs::write(&script, text).unwrap();
    // A shell cannot trap what was ignored when it began, as INT is in what another script runs in the background.
    let mut command = Command::new("env");
    command.args(["--default-signal", "bash"]).arg(script);
    (command, logs)
}

fn played(parts: &str) -> (bool, String) {
    let output = runner(parts).0.output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a test that fails says of it, as test programs print it.
const WAITED: &str = "a.rs:1:2: waited 60s for a purchase, which did not happen";
const NEVER_FIRED: &str = "assertion failed: w.bitwarden().wait_fired(paused, 1).await";
const BOUGHT_TWICE: &str = "assertion `left == right` failed: bought twice";

/// A program of three tests, of which the first ones fail beside the others with these panics, and alone if their name says so.
fn played_once_more(failing: usize, name: &str, panics: &[&str]) -> (bool, String) {
    let program = scratch_dir("once-more").join("tests.sh");
    let panics: String =
        panics.iter().map(|said| format!("thread '{name}' (7) panicked at a.rs:1:2:\n{said}\nmore of it\n")).collect();
    let text = format!(
        "#!/usr/bin/env bash\nif [ \"$1\" = --exact ]; then [[ $2 != *always* ]]; exit; fi\n\
         for n in 1 2 3; do [ $n -gt {failing} ] && said=ok || said=FAILED; echo \"test {name}$n ... $said\"; done\n\
         [ 0 = {failing} ] && exit\nprintf '\\nfailures:\\n\\n'\n\
         for n in $(seq {failing}); do echo \"---- {name}$n stdout ----\"; cat <<'SAID'\n{panics}SAID\ndone\n\
         printf '\\nfailures:\\n    {WAITED}\\n'\nexit 101\n"
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let script = root().join("tests/runner/once-more.sh");
    let output = Command::new(script).arg("2").arg(&program).output().expect("bash");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn few_failing_tests_are_played_once_more_and_more_of_them_fail() {
    let (well, told) = played_once_more(0, "now::", &[]);
    assert!(well && !told.contains("once more"), "{told}");
    let (well, told) = played_once_more(2, "now::", &[WAITED, NEVER_FIRED]);
    assert!(well && told.contains("test now::1 ... FAILED"), "{told}");
    assert!(told.ends_with("played once more: 2 (of at most 2), failed again: 0: now::1 now::2\n"), "{told}");
    let (well, told) = played_once_more(1, "always::", &[WAITED]);
    assert!(!well && told.contains("failed again: 1: always::1"), "{told}");
    let (well, told) = played_once_more(3, "now::", &[WAITED]);
    assert!(!well && !told.contains("once more"), "{told}");
}

#[test]
fn failure_other_than_a_wait_in_vain_is_not_played_once_more() {
    for panics in [&[BOUGHT_TWICE][..], &[WAITED, BOUGHT_TWICE], &[BOUGHT_TWICE, WAITED], &[]] {
        let (well, told) = played_once_more(1, "now::", panics);
        assert!(!well && !told.contains("failed again"), "{panics:?}: {told}");
        assert!(told.ends_with("not played once more: now::1 did not only wait in vain\n"), "{panics:?}: {told}");
    }
}

/// The rows of the table: a part and its result.
fn results(told: &str) -> Vec<(String, String)> {
    let table = told.lines().skip_while(|line| !line.starts_with("part ")).skip(1);
    let row = |line: &str| {
        let (name, rest) = line.split_at_checked(20).expect("a row");
        (name.trim().to_owned(), rest.trim_start().split("  ").next().unwrap_or_default().to_owned())
    };
    let mut ended = false;
    // What follows the last row is why parts failed.
    let table = table.take_while(|line| !std::mem::replace(&mut ended, line.starts_with("all ")));
    table.map(row).collect()
}

#[test]
fn successful_parts_show_their_times_and_only_lines_marked_as_shown() {
    let (well, told) =
        played("part -s '^shown' first -- bash -c 'echo hidden; echo shown 1'\npart 'the second' first -- echo hidden");
    assert!(well && told.contains("shown 1") && !told.contains("hidden"), "{told}");
    let ok = |name: &str| (name.to_owned(), "ok".to_owned());
    assert_eq!(results(&told), [ok("first"), ok("the second"), ok("all")], "{told}");
}

#[test]
fn failed_part_shows_output_and_skips_only_its_dependents() {
    let (well, told) = played(
        "part bad -- bash -c 'echo why it failed; exit 3'\npart needs-it bad -- touch never\npart needs-that needs-it -- true\n\
         part other -- echo quiet",
    );
    assert!(!well && told.contains("bad ended with 3") && told.contains("why it failed"), "{told}");
    let row = |name: &str, result: &str| (name.to_owned(), result.to_owned());
    let expected = [
        row("bad", "failed"),
        row("needs-it", "left out"),
        row("needs-that", "left out"),
        row("other", "ok"),
        row("all", "failed"),
    ];
    assert_eq!(results(&told), expected, "{told}");
}

#[test]
fn output_ends_with_the_reasons_of_each_failed_part() {
    let (well, told) = played(
        "part bad -- bash -c 'echo NOT CAUGHT: a weakened part; seq 100; exit 1'
         part worse -- bash -c 'echo only this; exit 1'
part good -- bash -c 'echo NOT CAUGHT: not told'",
    );
    assert!(!well && told.ends_with("\nbad: NOT CAUGHT: a weakened part\nworse: only this\n"), "{told}");
}

#[test]
fn part_that_only_follows_another_runs_after_it_however_that_ended() {
    let (well, told) = played(
        "here=$(mktemp -d)\npart bad -- bash -c \"sleep 0.3; touch $here/bad; exit 3\"\npart lost bad -- true\n\
         part follows +bad +lost -- bash -c \"rm $here/bad && rmdir $here\"",
    );
    let row = |name: &str, result: &str| (name.to_owned(), result.to_owned());
    let expected = [row("bad", "failed"), row("lost", "left out"), row("follows", "ok"), row("all", "failed")];
    assert!(!well, "{told}");
    assert_eq!(results(&told), expected, "{told}");
}

#[test]
fn part_begins_when_its_last_dependency_has_ended() {
    let (well, told) = played(
        "here=$(mktemp -d)\npart a -- bash -c \"sleep 0.3; touch $here/a\"\npart b -- touch \"$here/b\"\n\
         part c a b -- bash -c \"ls $here/a $here/b && rm -r $here\"",
    );
    assert!(well, "{told}");
}

#[test]
fn parts_run_side_by_side() {
    // Each waits for the other to have begun.
    let (well, told) = played(
        "here=$(mktemp -d)\nmeet() { touch \"$here/$1\"; until [ -e \"$here/$2\" ]; do sleep 0.05; done; }\n\
         part a -- meet a b\npart b -- meet b a\npart end a b -- rm -r \"$here\"",
    );
    assert!(well, "{told}");
}

#[test]
fn part_with_undeclared_dependency_is_refused() {
    let output = runner("part a b -- true").0.output().expect("bash");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("part a needs b"), "{output:?}");
}

#[tokio::test]
async fn interrupted_run_ends_every_process_that_it_started() {
    for signal in ["INT", "TERM", "HUP"] {
        // One part ignores TERM, with a child of its own.
        let parts = "part polite -- bash -c 'echo $$; sleep 600'\n\
                     part stubborn -- bash -c 'trap \"\" TERM; echo $$; sleep 600 & echo $!; wait'";
        let (mut command, logs) = runner(parts);
        command.env("PART_TICK", "600").env("PART_GRACE", "1");
        let process = Process::spawn("runner", &command);
        let read = |name: &str| fs::read_to_string(logs.join(name)).unwrap_or_default();
        let pids = wait_for("both parts to run", PATIENCE, async || {
            let text = read("polite.log") + &read("stubborn.log");
            let pids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
            (pids.len() == 3).then_some(pids)
        })
        .await;
        send_signal(signal, &process.pid().to_string());
        let exit = process.wait_exit(PATIENCE).await.expect("it ends");
        assert_eq!(exit.code(), Some(130), "{}", process.log());
        for pid in pids {
            assert!(!process_alive(pid), "{pid} still runs after {signal}\n{}", process.log());
        }
    }
}
