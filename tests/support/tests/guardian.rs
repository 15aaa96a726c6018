//! Nothing stays behind: not after a drop, and not after SIGKILL.

use seatkeeper_support::{Process, process_alive, scratch_dir, wait_for};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};

/// A shell with a child of its own, whose pid it prints: the whole group must go.
const GROUP: &str = "sleep 600 & echo $!; wait";

const SOON: Duration = Duration::from_secs(20);

/// Starts a process group through the harness, says where everything is, and waits to be killed.
#[test]
#[ignore = "the test process that the next test kills"]
fn leave_behind() {
    let Some(answer) = env::var_os("LEAVE_BEHIND") else {
        return;
    };
    let dir = scratch_dir("left behind");
    let child = Process::spawn("sleeper", Command::new("sh").args(["-c", GROUP]));
    while !child.log().ends_with('\n') {
        thread::yield_now();
    }
    let partial = Path::new(&answer).with_extension("partial");
    fs::write(&partial, format!("{} {} {}", child.pid(), child.log().trim(), dir.display())).expect("an answer");
    fs::rename(partial, answer).expect("a whole answer");
    loop {
        thread::park();
    }
}

#[tokio::test]
async fn killed_test_process_leaves_no_child_and_no_directory() {
    let answer = scratch_dir("answer").join("answer");
    let mut command = Command::new(env::current_exe().expect("the path of this test"));
    command.args(["--exact", "leave_behind", "--ignored"]).env("LEAVE_BEHIND", &answer);
    let helper = Process::spawn("helper", &command);
    let answer = wait_for("the helper's answer", SOON, async || {
        assert!(helper.try_exit().is_none(), "{}", helper.log_tail(20));
        fs::read_to_string(&answer).ok()
    })
    .await;
    let mut words = answer.splitn(3, ' ');
    let mut word = || words.next().expect("three words");
    let (shell, sleep, dir) = (word(), word(), word());
    let (shell, sleep): (u32, u32) = (shell.parse().expect("a pid"), sleep.parse().expect("a pid"));
    assert!(process_alive(shell) && process_alive(sleep) && Path::new(dir).is_dir());

    helper.signal("KILL");
    wait_for("the helper's children to be gone", SOON, async || {
        (!process_alive(shell) && !process_alive(sleep)).then_some(())
    })
    .await;
    let scratch = Path::new(dir).parent().expect("the scratch directory");
    wait_for("its scratch directory to be gone", SOON, async || (!scratch.exists()).then_some(())).await;
}

#[tokio::test]
async fn dropped_process_is_gone_with_its_whole_group() {
    let process = Process::spawn("sleeper", Command::new("sh").args(["-c", GROUP]));
    let child = wait_for("its child's pid", SOON, async || process.log().trim().parse().ok()).await;
    let leader = process.pid();
    assert!(process_alive(leader) && process_alive(child));
    assert!(process.rss_kib().is_some_and(|kib| kib > 0));
    drop(process);
    assert!(!process_alive(leader));
    wait_for("its child to be gone", SOON, async || (!process_alive(child)).then_some(())).await;
}

#[tokio::test]
async fn signals_arrive_and_the_exit_status_is_kept() {
    let process = Process::spawn(
        "polite",
        Command::new("sh").args(["-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done"]),
    );
    wait_for("the trap", SOON, async || process.log().contains("up").then_some(())).await;
    assert!(process.wait_exit(Duration::ZERO).await.is_none());
    process.signal("TERM");
    let status = process.wait_exit(SOON).await.expect("it ends on TERM");
    assert_eq!(status.code(), Some(7));
    assert_eq!(process.try_exit(), Some(status));
    process.signal("TERM"); // no longer anybody's
}

#[tokio::test]
async fn missing_program_is_reported() {
    let process = Process::spawn("missing", &Command::new("/nonexistent/program"));
    let status = process.wait_exit(SOON).await.expect("it ends");
    assert_eq!(status.code(), Some(127));
    assert!(process.log().contains("/nonexistent/program"), "{}", process.log());
}

#[tokio::test]
#[should_panic(expected = "waited 50ms for a miracle")]
async fn waiting_ends_with_a_sentence_even_when_the_question_hangs() {
    wait_for("a miracle", Duration::from_millis(50), async || std::future::pending::<Option<()>>().await).await;
}
