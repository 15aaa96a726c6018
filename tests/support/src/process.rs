//! Child processes of a test: own process group, output in a file, killed and reaped with their owner.
//!
//! Built on `std`, not on tokio's processes: a child of the shared control plane outlives the runtime of the test that
//! started it.

use crate::guardian::{self, Guarded};
use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Waits for a line before it becomes the program, so that the guardian knows the process before it does anything;
/// if the test dies in between, the line never comes.
const HELD_BACK: &str = r#"read -r go && exec "$@" </dev/null"#;

/// A running child. Dropping it kills its whole process group and reaps it.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: u32,
    log: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    child: Child,
    exited: Option<ExitStatus>,
    guarded: Option<Guarded>,
}

impl Process {
    /// Starts `command` (its program, arguments, directory and environment changes are used; not `env_clear`, not its
    /// redirections). `name` is for logs and messages.
    ///
    /// # Panics
    /// When it cannot be started. A program that does not exist exits with 127 and says so in its log.
    #[must_use]
    pub fn spawn(name: &str, command: &Command) -> Self {
        let log = guardian::scratch().join(format!("{name}-{}.log", guardian::serial()));
        let output = File::options().create(true).append(true).open(&log).expect("a log file");
        let mut held = Command::new("sh");
        held.args(["-c", HELD_BACK, name]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => held.env(key, value),
                None => held.env_remove(key),
            };
        }
        if let Some(dir) = command.get_current_dir() {
            held.current_dir(dir);
        }
        let mut child = held
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle of the log"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let pid = child.id();
        let guarded = Guarded::new(pid);
        let mut stdin = child.stdin.take().expect("stdin is piped");
        stdin.write_all(b"go\n").unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let state = State { child, exited: None, guarded: Some(guarded) };
        Self { name: name.to_owned(), pid, log, state: Mutex::new(state) }
    }

    /// The process id, which is also the id of its group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The file that takes its output; it goes away with this process.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it has written to stdout and stderr so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The last `lines` lines of its output, under a heading with its name: for failure messages.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        let tail = all[all.len().saturating_sub(lines)..].join("\n");
        format!("--- last lines of {} (pid {}) ---\n{tail}\n---", self.name, self.pid)
    }

    /// Sends `TERM`, `KILL`, `STOP`, `CONT`, ... to the process itself. No-op once it has ended.
    pub fn signal(&self, signal: &str) {
        let state = self.state();
        if state.exited.is_none() {
            send_signal(signal, &self.pid.to_string());
        }
    }

    /// Its exit status, or `None` while it runs.
    #[must_use]
    pub fn try_exit(&self) -> Option<ExitStatus> {
        let mut state = self.state();
        if state.exited.is_none() {
            state.exited = state.child.try_wait().expect("one's own child can be waited for");
            if state.exited.is_some() {
                // What it started and left alone in its group ends with it.
                send_signal("KILL", &format!("-{}", self.pid));
                state.guarded = None;
            }
        }
        state.exited
    }

    /// Waits for its end, at most `limit`.
    pub async fn wait_exit(&self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.try_exit() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Resident memory now, in KiB; `None` once it has ended, or where there is no /proc.
    #[must_use]
    pub fn rss_kib(&self) -> Option<u64> {
        self.proc_status("VmRSS:")
    }

    /// The highest resident memory so far, in KiB.
    #[must_use]
    pub fn peak_rss_kib(&self) -> Option<u64> {
        self.proc_status("VmHWM:")
    }

    fn proc_status(&self, field: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.split_whitespace().next()?.parse().ok()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail(40));
        }
        if self.try_exit().is_none() {
            send_signal("KILL", &format!("-{}", self.pid));
            let mut state = self.state();
            // Reaped before it is forgotten: until then its number cannot belong to anybody else.
            let _ = state.child.wait();
            state.guarded = None;
        }
    }
}

/// Sends a signal (`TERM`, ...) to a process, or to a group when the number is negative. `kill` as a builtin of `sh`: no
/// `unsafe`, no package needed. A target that is gone already is fine.
///
/// # Panics
/// When there is no `sh`.
pub fn send_signal(signal: &str, target: &str) {
    let status = Command::new("sh")
        .args(["-c", r#"kill -s "$1" -- "$2""#, "kill", signal, target])
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok(), "sh could not be started to send {signal} to {target}");
}

/// Whether a process runs; a zombie does not.
#[must_use]
pub fn process_alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")) else {
        return false;
    };
    // "pid (name) S ...": the name may hold anything, so look behind the last parenthesis.
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Below those that Linux gives to outgoing connections: a server that is started again finds its port free.
const PORTS: std::ops::Range<u32> = 10_000..32_768;

/// How many ports this process has tried.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// Free loopback ports, all different. They are free now, not reserved.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let most = PORTS.end - PORTS.start;
    // Each process begins elsewhere, and goes on from there.
    let candidate = || {
        let step = TRIED.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + (std::process::id().wrapping_mul(7919).wrapping_add(step)) % most;
        TcpListener::bind((Ipv4Addr::LOCALHOST, u16::try_from(port).ok()?)).ok()
    };
    let listeners = [(); N].map(|()| (0..most).find_map(|_| candidate()).expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("a bound address").port())
}

/// A loopback port that is free now.
#[must_use]
pub fn free_port() -> u16 {
    let [port] = free_ports();
    port
}
