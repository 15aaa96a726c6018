//! The guardian: what makes sure that nothing stays behind.
//!
//! A test process can end in ways in which no destructor runs: SIGKILL, a time-out of the runner, an abort. Statics
//! (the shared control plane) are never dropped at all. So each test process keeps one small `sh` beside it, in a
//! process group of its own, which reads lines from a pipe:
//!
//! * `pid N`    a child was started (it leads process group N);
//! * `forget N` that child has ended and was reaped, so the number may belong to somebody else soon;
//! * `dir PATH` a scratch directory was made.
//!
//! Only the test process holds the writing end (Rust opens pipes close-on-exec, so no child inherits it). However the
//! test process ends, the kernel closes the pipe, the guardian reads end of file, kills what is still listed and
//! removes the directories. A parent-death signal would need `unsafe`; this needs none, and it also covers directories.
//! There is no gap between fork and `pid N` either: `Process` holds its child back until the guardian has been told.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
pids=' '
dirs=
while IFS= read -r line; do
  rest=${line#* }
  case $line in
    'pid '*) pids="$pids$rest " ;;
    'forget '*) case $pids in *" $rest "*) pids="${pids%%" $rest "*} ${pids#*" $rest "}" ;; esac ;;
    'dir '*) dirs="$dirs$rest
" ;;
  esac
done
for pid in $pids; do
  kill -s KILL -- "-$pid" "$pid" 2>/dev/null
done
set -f
IFS='
'
for dir in $dirs; do
  # A dying process may still write: try again until the directory stays away.
  for try in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$dir" 2>/dev/null && break
    sleep 0.1
  done
done
"#;

struct Guardian {
    lines: Mutex<ChildStdin>,
    /// Never waited for: it outlives this process by design.
    _sh: Child,
}

static GUARDIAN: LazyLock<Guardian> = LazyLock::new(|| {
    let mut sh = Command::new("sh")
        .args(["-c", SCRIPT, "seatkeeper-test-guardian"])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("the guardian needs sh");
    let stdin = sh.stdin.take().expect("stdin is piped");
    Guardian { lines: Mutex::new(stdin), _sh: sh }
});

fn tell(line: &str) {
    let mut lines = GUARDIAN.lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.write_all(line.as_bytes()).expect("the guardian reads until this process ends");
}

/// A child that is killed with this process, for as long as the value lives.
#[derive(Debug)]
pub(crate) struct Guarded(u32);

impl Guarded {
    /// The child must lead its own process group.
    pub(crate) fn new(pid: u32) -> Self {
        tell(&format!("pid {pid}\n"));
        Self(pid)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        tell(&format!("forget {}\n", self.0));
    }
}

static SCRATCH: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = tempfile::Builder::new().prefix("seatkeeper-test-").tempdir().expect("a temporary directory");
    tell(&format!("dir {}\n", dir.path().display()));
    dir.keep() // the guardian removes it
});

/// The directory of this test process; its children's logs lie here. It goes away with the process.
pub(crate) fn scratch() -> &'static Path {
    &SCRATCH
}

/// Removes the scratch directory now: for a program that ends in good order, whose user wants to see nothing left when
/// the prompt is back. Its children must have ended. The guardian tries again.
pub fn clear_scratch() {
    let _ = fs::remove_dir_all(scratch());
}

/// A number that no one else in this process got.
pub(crate) fn serial() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A new, empty directory that goes away with this process, whichever way that ends.
#[must_use]
pub fn scratch_dir(name: &str) -> PathBuf {
    let dir = scratch().join(format!("{name}-{}", serial()));
    fs::create_dir(&dir).expect("a new directory in the scratch directory");
    dir
}
