//! Waiting for conditions, and the one way to leave control-plane tests out.
//!
//! Tests never sleep for a guessed time: they say what they wait for, and how long that may take at worst.

use std::env;
use std::fmt::Display;
use std::io::Write as _;
use std::panic::Location;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The first pause between two looks, and the longest: what is quick is seen at once, and hundreds of long waits side by
/// side are not most of what the machine does.
const POLL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// Calls `condition` again and again, ever less often, until it answers `Some`, and returns that.
///
/// # Panics
/// With `what`, the time and the caller's line when `limit` has passed. A call that hangs is cut off there too. By the last words
/// `tests/runner/once-more.sh` knows a test that only waited in vain.
#[track_caller]
pub fn wait_for<T, F>(what: impl Display, limit: Duration, mut condition: F) -> impl Future<Output = T>
where
    F: AsyncFnMut() -> Option<T>,
{
    let caller = Location::caller();
    async move {
        let deadline = Instant::now() + limit;
        let found = timeout_at(deadline, async {
            let (mut pause, longest) = POLL;
            loop {
                if let Some(value) = condition().await {
                    return value;
                }
                sleep(pause).await;
                pause = pause.mul_f64(1.25).min(longest);
            }
        });
        match found.await {
            Ok(value) => value,
            Err(_) => panic!("{caller}: waited {limit:?} for {what}, which did not happen"),
        }
    }
}

/// The first line of every test that needs a control plane: ends it where [`skip_control_plane`] says so.
#[macro_export]
macro_rules! needs_control_plane {
    () => {
        if $crate::skip_control_plane() {
            return;
        }
    };
}

/// Whether `SKIP_CONTROL_PLANE` is set.
pub(crate) fn skipping() -> bool {
    set("SKIP_CONTROL_PLANE")
}

fn set(name: &str) -> bool {
    env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// Whether tests that need a control plane are to be left out: `SKIP_CONTROL_PLANE=1`, for a machine without Go.
///
/// It says so on the real standard error, past the test runner's capture: a skipped test must not look like a pass.
///
/// # Panics
/// In CI, where leaving them out would be a hole nobody sees.
#[must_use]
pub fn skip_control_plane() -> bool {
    if !skipping() {
        return false;
    }
    assert!(
        !set("CI"),
        "SKIP_CONTROL_PLANE is set in CI: the control-plane tests are the proof and always run there; unset it and run `make control-plane`"
    );
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    // Past the capture of the test runner, hence not eprintln. Nothing to do when stderr is gone.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: SKIP_CONTROL_PLANE is set, nothing was proved here");
    true
}
