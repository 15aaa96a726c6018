//! The command line of Seatkeeper.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use seatkeeper::run::{Check, Openings, Run, check, openings, version};

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
    /// Check the rights of this ServiceAccount, the CRD, and whether the operator is ready. It touches no vendor
    Check(Check),
    /// Show the next five openings of each window of LicenseSeats in a file. It asks no cluster and no vendor
    Openings(Openings),
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
        Command::Check(args) => match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => match tell(&runtime.block_on(check(&args))) {
                Ok(code) => code,
                Err(error) => fail(&error),
            },
            Err(error) => fail(&error),
        },
        Command::Openings(args) => match openings(&args) {
            Ok(lines) => print(&lines),
            Err(why) => fail(&why),
        },
        Command::Crd => match seatkeeper::api::crds_yaml() {
            Ok(yaml) => print(&yaml),
            Err(error) => fail(&error),
        },
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// One line for each finding.
fn tell(findings: &[Result<String, String>]) -> std::io::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for finding in findings {
        match finding {
            Ok(sentence) => writeln!(out, "ok: {sentence}")?,
            Err(sentence) => writeln!(out, "FAILED: {sentence}")?,
        }
    }
    Ok(if findings.iter().all(Result::is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "seatkeeper: {error}");
    ExitCode::FAILURE
}
