//! `make quickstart` starts this program.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use seatkeeper_quickstart::{Quickstart, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Quickstart::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing to do when stderr is gone.
            let _ = writeln!(std::io::stderr(), "quickstart: {failure}");
            ExitCode::FAILURE
        }
    }
}
