//! Seatkeeper to play with: a real control plane, a simulated Bitwarden and the operator, with `examples/` applied.
//!
//! `folder_lock` makes sure that only one quickstart runs in a checkout, and ends one that runs elsewhere. `scene` knows the
//! simulated organizations, `tenants` the Immuta tenants, and `scene` turns the files of `examples/` into what is applied. `stage` starts the parts and shows
//! the table. `guide` is the text that people are left with.
//!
//! It is a library so that the tests of the root package can run it with the operator that they have just built.

mod folder_lock;
mod guide;
mod scene;
mod stage;
mod tenants;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use folder_lock::FolderLock;
use seatkeeper_support::{clear_scratch, workspace_root};
use stage::Stage;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A control plane, a simulated Bitwarden and the operator, with examples/ applied, until Ctrl-C.
#[derive(Debug, clap::Parser)]
#[command(name = "quickstart")]
pub struct Quickstart {
    /// The operator to run [default: seatkeeper, beside this program]
    operator: Option<PathBuf>,
    /// End as soon as everything was shown
    #[arg(long)]
    once: bool,
    /// End a quickstart that runs in this checkout
    #[arg(long)]
    down: bool,
    /// Where the kubeconfig and the process id are kept [default: .quickstart in the checkout]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

/// Why there is no quickstart; a sentence for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    fn from_io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}

/// Runs until everything was shown (`--once`), or until SIGINT, SIGTERM or SIGHUP; then nothing is left.
///
/// # Errors
/// When a part does not start or does not do what it should.
///
/// # Panics
/// When the control plane does not start: the harness of the tests reports trouble so.
pub async fn run(args: &Quickstart) -> Result<(), Failure> {
    let dir = args.state_dir.clone();
    let dir = dir.unwrap_or_else(|| workspace_root().join(".quickstart"));
    if args.down {
        return folder_lock::end(&dir).await;
    }
    let operator = args.operator()?;
    let lock = FolderLock::take(&dir)?;
    // Before the first child starts: from here on a signal ends in good order.
    let mut stop = Stop::new().map_err(Failure::from_io("signals"))?;
    let started = Instant::now();
    let show = async {
        let stage = Stage::up(&operator, &lock).await?;
        stage.perform(&lock).await?;
        Ok::<_, Failure>(stage)
    };
    let result = tokio::select! {
        stage = show => match stage {
            Ok(stage) => {
                if !args.once {
                    say(&format!("everything runs, after {} s. Ctrl-C ends it and leaves nothing behind", started.elapsed().as_secs()));
                    stop.wait().await;
                }
                say("ending ...");
                stage.down().await;
                Ok(())
            }
            Err(failure) => Err(failure),
        },
        // Whatever has been started is killed as it is dropped.
        () = stop.wait() => {
            say("ending before everything was up ...");
            Ok(())
        }
    };
    clear_scratch();
    result
}

impl Quickstart {
    fn operator(&self) -> Result<PathBuf, Failure> {
        let beside = || {
            let program = std::env::current_exe().map_err(Failure::from_io("the path of this program"))?;
            Ok(program.with_file_name("seatkeeper"))
        };
        let path = self.operator.clone().map_or_else(beside, Ok)?;
        if path.is_file() {
            return Ok(path);
        }
        Err(Failure(format!("{} does not exist: run `cargo build`", path.display())))
    }
}

/// The ways in which people and systems end a program.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// A line of progress, so that nobody thinks it hangs. Nothing to do when stderr is gone.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "quickstart: {line}");
}

/// What the quickstart is run for. Nothing to do when stdout is gone.
fn show(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
