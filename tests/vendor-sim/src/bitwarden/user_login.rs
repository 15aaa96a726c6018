//! What a personal API key must pass after its secret (docs/vendors/bitwarden.md, "The personal key" and
//! "Refusals of the token endpoint"), in the vendor's order: client version, device, encryption. Called by the token
//! endpoint.

use axum::http::HeaderName;

use super::{
    Bitwarden,
    identity::{Failure, Form},
    lock,
    users::{Account, Device},
};
use crate::http::Request;

const NO_VERSION: &str = "No client version header found, required to prevent encryption errors. Please confirm your \
                          client is supplying the header: \"Bitwarden-Client-Version\"";
const OLD_VERSION: &str = "Please update your app to continue using Bitwarden";
const LEGACY: &str = "Legacy encryption without a userkey is no longer supported.";

/// Accounts on V2 encryption want at least this client.
const V2_CLIENT: Version = [2025, 11, 0, -1];

/// A .NET version: missing parts are -1 and sort first.
pub(crate) type Version = [i64; 4];

/// At least two parts of digits, at most four; each a 32-bit number.
pub(crate) fn version(text: &str) -> Option<Version> {
    let mut version = [-1; 4];
    let parts: Vec<&str> = text.split('.').collect();
    if !(2..=4).contains(&parts.len()) {
        return None;
    }
    for (place, part) in version.iter_mut().zip(parts) {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *place = i64::from(part.parse::<i32>().ok()?);
    }
    Some(version)
}

/// A number, or the exact name.
pub(crate) fn device_type(text: &str) -> Option<u8> {
    const NAMES: [&str; 27] = [
        "Android",
        "iOS",
        "ChromeExtension",
        "FirefoxExtension",
        "OperaExtension",
        "EdgeExtension",
        "WindowsDesktop",
        "MacOsDesktop",
        "LinuxDesktop",
        "ChromeBrowser",
        "FirefoxBrowser",
        "OperaBrowser",
        "EdgeBrowser",
        "IEBrowser",
        "UnknownBrowser",
        "AndroidAmazon",
        "UWP",
        "SafariBrowser",
        "VivaldiBrowser",
        "VivaldiExtension",
        "SafariExtension",
        "SDK",
        "Server",
        "WindowsCLI",
        "MacOsCLI",
        "LinuxCLI",
        "DuckDuckGoBrowser",
    ];
    let named = || NAMES.iter().position(|name| *name == text).and_then(|n| u8::try_from(n).ok());
    text.trim().parse().ok().or_else(named)
}

/// Both texts have 50 characters at most; the source does not say with which answer ("The personal key"). Here it is
/// the device error, so that a client that is too long notices.
fn device(form: &Form) -> Option<Device> {
    let short = |text: &Option<String>| text.clone().filter(|t| t.chars().count() <= 50);
    Some(Device {
        identifier: short(&form.device_identifier)?,
        name: short(&form.device_name)?,
        kind: device_type(form.device_type.as_deref()?)?,
    })
}

fn check_version(request: &Request, account: &Account) -> Result<(), Failure> {
    let header = request.header(HeaderName::from_static("bitwarden-client-version"));
    let Some(version) = header.and_then(version) else {
        return Err(Failure::described("version_header_missing", Some(NO_VERSION), NO_VERSION));
    };
    if account.v2_encryption && version < V2_CLIENT {
        return Err(Failure::described("invalid_client_version", Some(OLD_VERSION), OLD_VERSION));
    }
    Ok(())
}

impl Bitwarden {
    /// Logs a user in whose secret was right; notes the device. Answers the material that a token answer carries.
    pub(crate) fn log_in(&self, user: uuid::Uuid, request: &Request, form: &Form) -> Result<String, Failure> {
        let now = self.now();
        let mut users = lock(&self.shared.users);
        let user = users.get_mut(&user).ok_or(Failure::plain("invalid_client"))?;
        check_version(request, &user.account)?;
        let device = device(form).ok_or(Failure::described(
            "device_error",
            Some("No device information provided"),
            "no device information provided",
        ))?;
        user.seen_on(device, now);
        if user.account.legacy_encryption {
            return Err(Failure::described("invalid_grant", None, LEGACY));
        }
        user.logins += 1;
        Ok(user.vault_key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dotnet_versions() {
        for (text, expected) in [
            ("2026.8.0", Some([2026, 8, 0, -1])),
            ("2026.8", Some([2026, 8, -1, -1])),
            ("1.2.3.4", Some([1, 2, 3, 4])),
            ("2026", None),
            ("v2026.8.0", None),
            ("2026.8.0-rc1", None),
            ("2026..1", None),
            ("1.2.3.4.5", None),
            ("2026.99999999999", None),
            ("", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
        assert!(version("2025.11").unwrap() < V2_CLIENT && version("2025.11.0").unwrap() >= V2_CLIENT);
    }

    #[test]
    fn device_types_are_numbers_or_exact_names() {
        for (text, expected) in [
            ("25", Some(25)),
            ("LinuxCLI", Some(25)),
            ("linuxcli", None),
            ("SDK", Some(21)),
            ("256", None),
            ("x", None),
        ] {
            assert_eq!(device_type(text), expected, "{text}");
        }
    }
}
