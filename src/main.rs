//! The command line of Seatkeeper.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use seatkeeper::run::{Run, version};

/// Keeps the paid seats of vendor accounts where LicenseSeats resources declare them.
#[derive(Parser)]
#[command(version = version(), about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator. Every flag is also read from the environment, as SEATKEEPER_ and its name
    Run(Box<Run>),
    /// Print the CustomResourceDefinition, for kubectl apply
    Crd,
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => {
            seatkeeper::telemetry::init(args.log_format);
            match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
                Ok(runtime) => {
                    let code = runtime.block_on(seatkeeper::run::run(*args));
                    // Blocking work that is still reading a vendor's answer must not hold up the exit.
                    runtime.shutdown_background();
                    code
                }
                Err(error) => fail(&error),
            }
        }
        Command::Crd => match seatkeeper::api::crds_yaml() {
            Ok(yaml) => match std::io::stdout().write_all(yaml.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&error),
            },
            Err(error) => fail(&error),
        },
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "seatkeeper: {error}");
    ExitCode::FAILURE
}
