//! The program as an installation meets it: its environment, its commands, its log, and these tests without a control
//! plane.

use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use seatkeeper_support::{Operator, Process, needs_control_plane, workspace_root};
use serde_json::{Value, json};

use crate::tenants::fast_but;
use crate::world::{FAST, PATIENCE, World, binary, organization, world};

#[test]
fn crd_command_prints_repository_files_byte_for_byte() {
    let printed = Command::new(binary()).arg("crd").output().expect("the binary");
    assert!(printed.status.success() && printed.stderr.is_empty(), "{printed:?}");
    let read = |name: &str| {
        fs::read_to_string(workspace_root().join(format!("crds/{name}.seatkeeper.dev.yaml"))).expect("a CRD")
    };
    let stored = [read("licenseseats"), read("seatapprovals")].join("---\n");
    assert!(
        printed.stdout == stored.as_bytes(),
        "crds/ is not what `seatkeeper crd` prints; refresh it with: make generate"
    );
}

#[test]
fn version_names_release_of_time_zones() {
    let printed = Command::new(binary()).arg("--version").output().expect("the binary");
    let (version, zones) = (env!("CARGO_PKG_VERSION"), seatkeeper::calendar::database_version());
    assert_eq!(
        String::from_utf8_lossy(&printed.stdout),
        format!("seatkeeper {version} (time zones: tzdata {zones})\n")
    );
}

#[test]
fn openings_command_shows_next_five_of_example_and_refuses_unreadable() {
    let asked = |file: &str| {
        Command::new(binary()).args(["openings", file]).current_dir(workspace_root()).output().expect("the binary")
    };
    let shown = asked("examples/bitwarden-monthly.yaml");
    let lines = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success() && shown.stderr.is_empty(), "{shown:?}");
    assert!(lines.starts_with("acme-monthly\n  window month-start: 0 6 1W * *, Europe/Berlin, for 4h\n"), "{lines}");
    let coming = lines.lines().skip(2).filter(|line| !line.ends_with("open now"));
    assert_eq!(coming.filter(|line| line.contains(" 06:00 CE")).count(), 5, "{lines}");
    let refused = asked("examples/none.yaml");
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.starts_with("seatkeeper: examples/none.yaml: "), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flag_can_come_from_the_environment_instead() {
    needs_control_plane!();
    let mut w = world("environment").await;
    w.operator.stop().await;
    let own = [format!("--allowed-host={}", w.vendor.host()), format!("--namespace={}", w.namespace)];
    let flags = FAST.iter().copied().chain(own.iter().map(String::as_str));
    let variable = |flag: &str| {
        let (name, value) = flag.trim_start_matches('-').split_once('=').expect("a flag with a value");
        (format!("SEATKEEPER_{}", name.replace('-', "_").to_uppercase()), value.to_owned())
    };
    let variables: Vec<(String, String)> = flags.map(variable).collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
    let kubeconfig = w.plane.operator_kubeconfig().await;
    w.operator = Operator::start_in(&variables, &kubeconfig, binary(), "", &[]);
    w.operator.wait_ready().await;
    w.declare("acme", json!({})).await;
    let status = w.until_in_sync("acme", 150).await;
    let interval = status.effective.map(|effective| effective.interval);
    assert_eq!(interval.as_deref(), Some("1s"), "the shortest interval as shipped is 30s");
}

/// Every line of the log, as JSON.
fn lines(log: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    log.lines().map(parse).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn json_log_format_makes_every_line_object_from_start_to_end() {
    needs_control_plane!();
    let w = World::with("json-log", organization(), &fast_but(&["--log-format=json"])).await;
    w.declare("acme", json!({})).await;
    w.until_in_sync("acme", 150).await;
    w.operator.stop().await;
    let told = lines(&w.operator.log());
    assert!(told.len() > 3, "{told:?}");
    for line in &told {
        for field in ["timestamp", "level", "message", "target"] {
            assert!(line[field].is_string(), "no {field}: {line}");
        }
    }
    let refused = Operator::start(&w.plane, binary(), "", &["--log-format=json", "--write-timeout=31m"]).await;
    assert!(refused.wait_exit(PATIENCE).await.is_some_and(|exit| !exit.success()));
    let told = lines(&refused.log());
    assert!(told.iter().any(|line| line.to_string().contains("--write-timeout")), "{told:?}");
}

/// Runs two tests of this binary in a process of its own: one that needs a control plane, and one that does not.
async fn rerun(environment: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env::current_exe().expect("the path of this test"));
    command.args(["--exact", "purchase::declared_seats_and_limit_are_bought_in_one_reported_request"]);
    command.args(["docs::readme_lists_every_flag_with_its_default"]);
    command.env_remove("CI").envs(environment.iter().copied());
    let process = Process::spawn("rerun", &command);
    let status = process.wait_exit(Duration::from_secs(60)).await.expect("it ends");
    (status.success(), process.log())
}

#[tokio::test]
async fn tests_without_control_plane_report_skips_and_others_run() {
    let (passed, log) = rerun(&[("SKIP_CONTROL_PLANE", "1")]).await;
    assert!(passed && log.contains("2 passed"), "{log}");
    assert!(log.contains("SKIPPED purchase::declared_seats") && log.matches("SKIPPED").count() == 1, "{log}");
    let (passed, log) = rerun(&[("SKIP_CONTROL_PLANE", "1"), ("CI", "true")]).await;
    assert!(!passed && log.contains("SKIP_CONTROL_PLANE is set in CI") && log.contains("1 passed; 1 failed"), "{log}");
}
