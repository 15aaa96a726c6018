//! The simulator as a program, for trying things by hand and for tests in other processes.

use std::{
    error::Error,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Parser;
use serde_json::json;
use vendor_sim::{
    Options, Organization, OrganizationKey, RateLimits, Simulator, Switches, control,
    immuta::{LicenseKey, Tenant},
};

/// A faithful simulator of the Bitwarden cloud (Identity, the organization API and the owner API) and of an Immuta tenant (license
/// keys), over HTTPS with a CA of its own.
///
/// Nothing it does costs money. It starts with one Enterprise organization unless --seed says otherwise, and with one
/// Immuta tenant of 31 users that has a key for 40 seats and was issued another for 25.
#[derive(Debug, Parser)]
#[command(version, after_long_help = control::help())]
struct Arguments {
    /// Where the vendor's HTTPS listens (port 0: any free port).
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the control API listens (plain HTTP; keep it on loopback).
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Directory for ca.crt (the certificate to trust) and endpoints.json (addresses and keys).
    #[arg(long, value_name = "DIR", default_value = ".")]
    state_dir: PathBuf,
    /// One more name or address for the server certificate, e.g. a Service name; may be repeated.
    #[arg(long, value_name = "NAME")]
    server_name: Vec<String>,
    /// Limit requests as the vendor does (10 tokens a minute, 60 writes a minute, ...) instead of 100 times as generously.
    #[arg(long)]
    rate_limits: bool,
    /// Cache client records for so long, as the vendor may do; 0: a rotated key counts at once.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    key_cache: u64,
    /// Ask for the headers that every client of the vendor sends, as its edge does. Without it, curl may be used.
    #[arg(long)]
    client_headers: bool,
    /// JSON file with an array of organizations, as POST /sim/organizations takes them.
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let organizations: Vec<Organization> = match &arguments.seed {
        Some(file) => serde_json::from_slice(&std::fs::read(file)?)?,
        None => vec![Organization::enterprise("Example Corp").limit(120).members(80)],
    };
    if let Some(wrong) = organizations.iter().find(|o| !o.has_usable_id()) {
        return Err(format!("{}: the id is not a GUID", wrong.name).into());
    }
    let rate_limits = if arguments.rate_limits { RateLimits::vendor() } else { RateLimits::default() };
    let options = Options {
        listen: arguments.listen,
        control: arguments.control,
        server_names: arguments.server_name,
        switches: Switches {
            rate_limits,
            key_cache_seconds: arguments.key_cache,
            client_headers: arguments.client_headers,
            ..Switches::default()
        },
        ..Options::default()
    };
    let simulator = Simulator::start(options).await?;
    let keys: Vec<OrganizationKey> =
        organizations.into_iter().map(|o| simulator.bitwarden().add_organization(o)).collect();

    let immuta = simulator.immuta();
    let tenant = immuta.add_tenant(Tenant::new("Example Corp").users(31));
    immuta.add_by_hand(&immuta.issue(LicenseKey::seats(40))).map_err(|problem| problem.message)?;
    let license_key = immuta.issue(LicenseKey::seats(25).soft_seats(5));

    let immuta = (tenant.api_key, license_key);
    write_endpoints(&arguments.state_dir, &simulator, &keys, &immuta)?;
    print_commands(&arguments.state_dir, &simulator, &keys, &immuta)?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Writes the CA and `endpoints.json`, with which others find the simulator.
fn write_endpoints(
    folder: &Path,
    simulator: &Simulator,
    keys: &[OrganizationKey],
    immuta: &(String, String),
) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let ca = folder.join("ca.crt");
    std::fs::write(&ca, simulator.ca_pem())?;
    let endpoints = json!({
        "url": simulator.url(), "apiUrl": simulator.api_url(), "identityUrl": simulator.identity_url(),
        "address": simulator.address(), "controlUrl": simulator.control_url(), "caFile": ca,
        "organizations": keys, "immuta": { "apiKey": immuta.0, "licenseKey": immuta.1 },
    });
    // Written last and whole: whoever waits for this file finds everything ready.
    let (draft, file) = (folder.join(".endpoints.json"), folder.join("endpoints.json"));
    std::fs::write(&draft, serde_json::to_vec_pretty(&endpoints)?)?;
    std::fs::rename(&draft, &file)?;

    Ok(())
}

/// Prints where everything is, and commands to try.
fn print_commands(
    folder: &Path,
    simulator: &Simulator,
    keys: &[OrganizationKey],
    immuta: &(String, String),
) -> std::io::Result<()> {
    let (ca, file) = (folder.join("ca.crt"), folder.join("endpoints.json"));
    let (url, control, ca) = (simulator.url(), simulator.control_url(), ca.display());
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "Vendor simulator     {url}\nControl API          {control}/sim\nEndpoints            {}\n",
        file.display()
    )?;
    for OrganizationKey { id, client_id, client_secret } in keys.iter().take(1) {
        writeln!(out, "Try it:")?;
        writeln!(
            out,
            "  TOKEN=$(curl -s --cacert {ca} {url}/identity/connect/token -d grant_type=client_credentials \
             -d scope=api.organization -d client_id={client_id} -d client_secret={client_secret} \
             | sed 's/.*access_token\":\"//; s/\".*//')"
        )?;
        writeln!(
            out,
            "  curl -s --cacert {ca} -H \"Authorization: Bearer $TOKEN\" {url}/api/public/organization/subscription"
        )?;
        writeln!(
            out,
            "  curl -s --cacert {ca} -H \"Authorization: Bearer $TOKEN\" -X PUT -H 'Content-Type: application/json' \
             -d '{{\"passwordManager\":{{\"seats\":110}}}}' {url}/api/public/organization/subscription"
        )?;
        writeln!(out, "  curl -s {control}/sim/organizations/{id}")?;
        writeln!(out, "  curl -s {control}/sim/organizations/{id}/ledger")?;
        writeln!(
            out,
            "  curl -s {control}/sim/organizations/{id}/user-key -H 'Content-Type: application/json' \
             -d '{{\"role\":\"owner\"}}'"
        )?;
        writeln!(out, "  curl -s {control}/sim            # everything else you can do")?;
    }
    let (api_key, license_key) = immuta;
    writeln!(out, "\nImmuta (license keys are from POST /sim/immuta/keys; this one is not added yet):")?;
    writeln!(out, "  curl -s --cacert {ca} -H 'Authorization: {api_key}' {url}/admin/license/licenseStatus")?;
    writeln!(
        out,
        "  curl -s --cacert {ca} -H 'Authorization: {api_key}' -H 'Content-Type: application/json' \
         -d '{{\"licenseKey\":\"{license_key}\"}}' {url}/admin/license"
    )?;
    writeln!(out, "  curl -s {control}/sim/immuta/users/join -H 'Content-Type: application/json' -d '{{\"n\":5}}'")?;
    writeln!(out, "  curl -s {control}/sim/immuta/ledger")?;
    out.flush()?;
    Ok(())
}
