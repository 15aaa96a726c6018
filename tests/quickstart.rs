//! The quickstart as people meet it: what it shows, that each command it prints does what it says, and that it leaves
//! nothing behind however it ends.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use clap::Parser as _;
use seatkeeper_quickstart::{Quickstart, run};
use seatkeeper_support::{Process, needs_control_plane, scratch_dir, send_signal, wait_for};

use crate::examples;
use crate::world::binary;

/// A start takes 6 s on an idle machine; the other tests run beside it.
const PATIENCE: Duration = Duration::from_secs(180);

/// A command that shows the effect of another, and a part of its answer.
type Effect = Option<(&'static str, &'static str)>;

/// Each command that is printed, in order: a part of it, a part of its answer, and what it comes to.
#[rustfmt::skip]
const COMMANDS: &[(&str, &str, Effect)] = &[
    ("/join", r#"{"accepted":true}"#, Some(("kubectl get licenseseats", "shortage: 3 free, threshold 5"))),
    ("/join", r#"{"accepted":false}"#, None),
    ("--replicas=160", "scaled", Some(("kubectl get licenseseats", "160       160     147    13     True    in sync"))),
    ("--replicas=5000", "spec.seats is above spec.guardrails.maxSeats", None),
    ("/seats", "", Some(("kubectl get events", "148 seats with limit 160 -> 160 seats with limit 160"))),
    ("describe", "Bitwarden was changed from outside", None),
    ("patch secret bitwarden-eu", "patched", Some(("kubectl get licenseseats acme-eu", "40        40      28     12     True    in sync"))),
    ("patch secret bitwarden-org", "patched", None),
    ("wait", "condition met", None),
    ("jsonpath", "the key was rotated", None),
    ("patch secret bitwarden-org", "patched", Some(("kubectl get licenseseats acme-bitwarden", "in sync"))),
    ("users/join", r#"{"joined":4}"#, Some(("kubectl get licenseseats acme-immuta", "shortage: 1 free, threshold 3"))),
    ("scale licenseseats acme-immuta", "scaled", Some(("kubectl get licenseseats acme-immuta", "10 seats short: supply a key"))),
    ("patch licenseseats acme-immuta", "patched", Some(("kubectl get licenseseats acme-immuta", "30        30      19     11     True    in sync"))),
    ("wait licenseseats acme-monthly", "condition met", Some(("kubectl get licenseseats acme-monthly", "105       105     92     13     True    in sync"))),
    ("/join", r#"{"accepted":true}"#, Some(("kubectl get licenseseats acme-sized", "120       120     104    16     True    in sync"))),
    ("get licenseseats acme-approval", "seatapproval.seatkeeper.dev/yes created", Some(("kubectl get licenseseats acme-approval", "130       130     92     38     True    in sync"))),
    ("/ledger", "\"billedAfter\":{\"seats\":150\t\"step\":\"billed\",\"who\":\"organizationPut\"", None),
    ("/sim", "rotate-key", None),
    ("explain", "How many seats should be purchased", None),
];

/// The program itself, when a test below starts this binary again: `cargo test` offers no other way to a program that
/// is surely built from the same sources.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the program that the other tests start"]
async fn program() {
    let Ok(args) = env::var("QUICKSTART") else { return };
    let args = ["quickstart", binary()].into_iter().chain(args.split(' '));
    run(&Quickstart::parse_from(args)).await.expect("a quickstart");
}

/// A quickstart in a process group of its own, as a shell starts it, with a folder of its own for everything.
struct Played {
    process: Process,
    temporary: PathBuf,
}

impl Played {
    fn start(state: &str, more: &str) -> Self {
        let temporary = scratch_dir("quickstart");
        let mut command = Command::new(env::current_exe().expect("the path of this test"));
        command
            .args(["--exact", "quickstart::program", "--ignored", "--nocapture"])
            .env("QUICKSTART", format!("--state-dir={state} {more}").trim_end())
            .env("TMPDIR", &temporary);
        let process = Process::spawn("quickstart", &command);
        Self { process, temporary }
    }

    async fn until_it_says(&self, text: &str) {
        wait_for(format!("{text:?}"), PATIENCE, async || {
            let log = self.process.log();
            assert!(log.contains(text) || self.process.try_exit().is_none(), "it ended:\n{log}");
            log.contains(text).then_some(())
        })
        .await;
    }

    /// Its end, and the end of everything that it started, which has inherited its TMPDIR.
    async fn leaves_nothing(&self) {
        let exit = self.process.wait_exit(PATIENCE).await;
        assert!(exit.is_some(), "it does not end:\n{}", self.process.log_tail(20));
        wait_for("nothing to be left", PATIENCE, async || {
            let files = fs::read_dir(&self.temporary).expect("its folder").count();
            (files == 0 && self.processes() == 0).then_some(())
        })
        .await;
    }

    fn processes(&self) -> usize {
        let mine = format!("TMPDIR={}", self.temporary.display());
        let all = fs::read_dir("/proc").expect("Linux");
        // Processes end while we look: what cannot be read any more is gone.
        let environments = all.filter_map(|entry| fs::read(entry.ok()?.path().join("environ")).ok());
        environments.filter(|bytes| bytes.split(|byte| *byte == 0).any(|entry| entry == mine.as_bytes())).count()
    }
}

/// The rows of the last table that was shown, by their words.
fn last_table(log: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = log.lines().collect();
    let header = lines.iter().rposition(|line| line.starts_with("NAME ")).expect("a table");
    let rows = lines[header + 1..].iter().take_while(|line| !line.is_empty());
    // Not the age.
    rows.map(|row| row.split_whitespace().rev().skip(1).collect::<Vec<_>>())
        .map(|row| row.into_iter().rev().collect())
        .collect()
}

/// How wide a terminal is at least, where people look at all namespaces.
const WIDTH: usize = 120;

/// How wide a table is for the sake of this row: up to its STATUS, and its AGE behind that.
fn width(row: &str) -> usize {
    let (before, age) = row.trim_end().rsplit_once(' ').expect("an AGE");
    before.trim_end().chars().count() + "   ".len() + age.chars().count()
}

/// The table of all namespaces is narrower than a terminal, and so would be each table of the log with that column.
fn assert_fits_a_terminal(log: &str, everywhere: &str) {
    let rows = everywhere.lines().count();
    assert!(everywhere.starts_with("NAMESPACE ") && rows > examples::names().len(), "{everywhere}");
    let column = "NAMESPACE   ".len();
    let (mut table, mut wide) = (false, Vec::new());
    for line in log.lines() {
        table = line.starts_with("NAME ") || table && !line.is_empty();
        wide.extend(Some(line).filter(|line| table && column + width(line) >= WIDTH));
    }
    wide.extend(everywhere.lines().filter(|line| width(line) >= WIDTH));
    assert_eq!(wide, Vec::<&str>::new(), "rows that make the table {WIDTH} characters wide or more");
}

/// Each example has its row, and what is bought first waits.
fn assert_shows_each_example(log: &str) {
    let table = last_table(log);
    for row in [
        "acme-bitwarden 150 150 92 58 True in sync",
        "acme-eu 40 False key refused by the vendor",
        "acme-immuta 20 20 15 5 True in sync",
        "acme-immuta-renewed 40 80 31 49 True in sync",
        "acme-immuta-watched 20 15 5 True observed",
        "acme-labs 80 95 90 5 True observed; spec: 80",
    ] {
        assert!(table.iter().any(|words| words.join(" ") == row), "{row}\n{log}");
    }
    for name in examples::names() {
        assert!(table.iter().any(|words| words[0] == name), "{name} is not shown\n{log}");
    }
    assert!(log.contains("+50 seats, limit 150: suspended"), "{log}");
    assert!(log.contains("+5 seats at "), "a change waits for its window\n{log}");
}

/// A PATH whose first kubectl works for nobody: whoever finds another one has it from the exports. A fresh machine has none.
fn path_with_a_useless_kubectl() -> OsString {
    let folder = scratch_dir("kubectl");
    let useless = folder.join("kubectl");
    fs::write(&useless, "#!/bin/sh\necho this is not the kubectl that was built >&2\nexit 1\n").expect("a script");
    fs::set_permissions(&useless, fs::Permissions::from_mode(0o755)).expect("an executable");
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(folder).chain(env::split_paths(&path))).expect("parts of a PATH")
}

/// Runs a command in a shell of somebody who has copied the exports and nothing else.
fn bash(exports: &str, command: &str) -> String {
    let script = format!("{exports}\n{command} 2>&1");
    let output = Command::new("bash").args(["-c", &script]).env("PATH", path_with_a_useless_kubectl()).output();
    String::from_utf8_lossy(&output.expect("bash").stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn quickstart_keeps_its_promises_and_each_printed_command_works() {
    needs_control_plane!();
    let state = scratch_dir("state").display().to_string();
    let played = Played::start(&state, "");
    played.until_it_says("everything runs").await;
    let log = played.process.log();

    assert_shows_each_example(&log);

    let args = |more: &str| Quickstart::parse_from(["quickstart", binary(), &format!("--state-dir={state}"), more]);
    let second = run(&args("--once")).await.expect_err("only one at a time").to_string();
    assert!(second.contains("one runs already in this checkout"), "{second}");

    let printed = log.lines().filter_map(|line| line.strip_prefix("    "));
    let (exports, commands): (Vec<&str>, Vec<&str>) = printed.partition(|line| line.starts_with("export "));
    assert!(exports[0].contains("KUBECONFIG=") && exports[0].contains(" PATH="), "in one line: {exports:?}");
    let exports = exports.join("\n");
    assert_fits_a_terminal(&log, &bash(&exports, "kubectl get licenseseats -A"));
    assert_eq!(commands.len(), COMMANDS.len(), "COMMANDS says what each one shows\n{log}");
    for (command, (part, answer, effect)) in commands.iter().zip(COMMANDS) {
        assert!(command.contains(part), "{command} instead of {part}");
        let said = bash(&exports, command);
        assert!(said.contains(answer), "{command}\n{said}");
        if let Some((look, shows)) = effect {
            let what = format!("{shows:?} after {command}");
            wait_for(what, PATIENCE, async || bash(&exports, look).contains(shows).then_some(())).await;
        }
    }

    run(&args("--down")).await.expect("it is ended");
    played.leaves_nothing().await;
    assert!(played.process.try_exit().is_some_and(|exit| exit.success()));
    assert!(!Path::new(&state).exists(), "its folder is left");
    run(&args("--down")).await.expect("nothing to end is fine");
    assert!(!Path::new(&state).exists(), "a folder is made for nothing");
    fs::create_dir(&state).expect("a folder");
    for name in ["kubeconfig", "pid"] {
        fs::write(Path::new(&state).join(name), "of one that was killed").expect("a file");
    }
    run(&args("--down")).await.expect("nothing to end is fine");
    assert!(!Path::new(&state).exists(), "what one that was killed could not remove is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn quickstart_leaves_nothing_when_interrupted_or_killed_and_restarts() {
    needs_control_plane!();
    let state = scratch_dir("state").display().to_string();
    for (signal, whole_group) in [("INT", true), ("KILL", false)] {
        let played = Played::start(&state, "");
        played.until_it_says("starting the operator").await;
        assert!(played.processes() > 3, "itself, its guardian, etcd, kube-apiserver");
        let group = if whole_group { "-" } else { "" };
        send_signal(signal, &format!("{group}{}", played.process.pid()));
        played.leaves_nothing().await;
    }
    let again = Played::start(&state, "--once");
    again.leaves_nothing().await;
    assert!(again.process.log().contains("What to try"), "{}", again.process.log());
}
