//! What is said of a Secret that lends no license key, and that the commands in it do what they say whatever is in them.

use std::process::Command;

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use secrecy::ExposeSecret;

use super::*;
use crate::api::{LICENSE_KEY_TYPE, SECRET_TYPE};

const VALUE: &str = "QTheLicenseKeyZ";

fn secret(kind: &str, data: &[(&str, &str)]) -> Secret {
    let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString((*value).into())));
    let metadata =
        ObjectMeta { name: Some("immuta-2027".into()), namespace: Some("it".into()), ..ObjectMeta::default() };
    Secret { metadata, type_: Some(kind.into()), data: Some(data.collect()), ..Secret::default() }
}

fn read(secret: &Secret, key: &str, server: &str, ca: Option<&[u8]>) -> Result<SecretString, Fault> {
    license_key(secret, key, &Place { server: &Url::parse(server).unwrap(), ca })
}

fn refused(secret: &Secret, key: &str, server: &str) -> Fault {
    let Err(fault) = read(secret, key, server, None) else { panic!("it may be sent") };
    for text in [&fault.message, &fault.summary] {
        assert!(!text.contains(VALUE) && !text.contains(char::is_control), "{text}");
    }
    fault
}

#[test]
fn obstacle_to_sending_license_key_is_reported_with_its_fix() {
    let key = ("licenseKey", VALUE);
    let server = |server| ("server", server);
    let right = server("https://tenant.test/base");
    let (missing, kept) = (reason::KEY_MISSING, reason::SECRET_NOT_PERMITTED);
    for (kind, data, reason, words) in [
        (LICENSE_KEY_TYPE, vec![key], missing, "kubectl -n it patch secret immuta-2027 -p '{\"stringData\""),
        (LICENSE_KEY_TYPE, vec![key, server(VALUE)], reason::KEY_INVALID, "write it as https://host"),
        (LICENSE_KEY_TYPE, vec![key, server("http://tenant.test")], reason::KEY_INVALID, "is not https"),
        (
            LICENSE_KEY_TYPE,
            vec![key, server("https://QTheLicenseKeyZ.test")],
            kept,
            "names another server than tenant.test/base,",
        ),
        (
            LICENSE_KEY_TYPE,
            vec![key, right, ("apiKey", "k")],
            kept,
            "holds apiKey, which belongs to a credential of Immuta",
        ),
        (
            LICENSE_KEY_TYPE,
            vec![key, right, ("password", "p")],
            kept,
            "holds password, which belongs to a credential. A credential is never sent as a license key",
        ),
        (LICENSE_KEY_TYPE, vec![right], missing, "key licenseKey of Secret immuta-2027"),
        (SECRET_TYPE, vec![key], kept, "recreate it with the same data: (umask 077 && kubectl -n it"),
        ("Opaque", vec![key], kept, "copy it to a Secret of its own"),
        ("Opaque", vec![key, ("apiKey", "k")], kept, "copy it to a Secret of its own"),
        (SECRET_TYPE, vec![key, ("apiKey", "k")], kept, "copy it to a Secret of its own"),
        ("kubernetes.io/tls", vec![key], kept, "name Secret immuta-2027-licensekey in secretKeyRef"),
    ] {
        let fault = refused(&secret(kind, &data), "licenseKey", "https://tenant.test/base/");
        assert_eq!(fault.reason, reason, "{}", fault.message);
        assert!(fault.message.contains(words), "{words:?} is not in: {}", fault.message);
    }
}

#[test]
fn no_person_is_led_to_give_a_credential_away() {
    for kind in [SECRET_TYPE, "Opaque", "kubernetes.io/tls"] {
        for key in ["clientSecret", "clientId", "apiKey", "token", "password"] {
            let fault = refused(&secret(kind, &[(key, VALUE)]), key, "https://tenant.test");
            assert!(!fault.message.contains("kubectl") && fault.message.contains("never a license key"), "{fault}");
        }
    }
    // What another program may need is not deleted, and neither is a credential.
    for (kind, more) in [
        (SECRET_TYPE, "clientSecret"),
        (SECRET_TYPE, "apiKey"),
        (SECRET_TYPE, "token"),
        ("Opaque", "token"),
        ("Opaque", "database"),
        ("kubernetes.io/tls", "tls.key"),
    ] {
        let fault =
            refused(&secret(kind, &[("licenseKey", VALUE), (more, VALUE)]), "licenseKey", "https://tenant.test");
        assert!(!fault.message.contains("delete") && !fault.message.contains(more), "{fault}");
    }
}

#[test]
fn license_key_with_pinned_ca_is_sent_only_if_that_ca_verifies_tenant() {
    let data = [("licenseKey", VALUE), ("server", "https://tenant.test")];
    let pinned = secret(LICENSE_KEY_TYPE, &[data[0], data[1], ("ca.crt", "one\r\nCA\n")]);
    let may = |secret: &Secret, ca: Option<&str>| {
        let read = read(secret, "licenseKey", "https://tenant.test", ca.map(str::as_bytes));
        read.map(|key| key.expose_secret().to_owned()).map_err(|fault| fault.reason)
    };
    assert_eq!(may(&pinned, Some("one\nCA")), Ok(VALUE.to_owned()));
    for other in [None, Some("another CA"), Some("one CA and more")] {
        assert_eq!(may(&pinned, other), Err(reason::SECRET_NOT_PERMITTED), "{other:?}");
    }
    let trusting = secret(LICENSE_KEY_TYPE, &data);
    assert_eq!(may(&trusting, Some("another CA")), Ok(VALUE.to_owned()));
    assert_eq!(may(&trusting, None), Ok(VALUE.to_owned()));
}

/// The arguments of each kubectl that a shell would run for a message, which is all that it may do.
fn kubectls(message: &str) -> Vec<Vec<String>> {
    let (start, end) = (message.find("(umask").unwrap(), message.rfind(')').unwrap());
    let dir = std::env::temp_dir().join(format!("seatkeeper-license-key-{}", fastrand::u64(..)));
    std::fs::create_dir(&dir).unwrap();
    let script = format!("kubectl() {{ for a; do printf '%s\\n' \"$a\"; done; echo; }}; {}", &message[start..=end]);
    // What goes into a file or a pipe is seen too.
    let script = script.replace(" && rm ", " && cat ").replace("| kubectl", "; kubectl");
    let output = Command::new("sh").args(["-c", &script]).current_dir(&dir).output().unwrap();
    let files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|file| file.unwrap().file_name()).collect();
    std::fs::remove_dir_all(&dir).unwrap();
    assert!(output.status.success() && output.stderr.is_empty() && files.len() == 1, "{message}: {output:?} {files:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().split("\n\n").map(|words| words.lines().map(str::to_owned).collect()).collect()
}

#[test]
fn server_named_by_credential_is_one_shell_word() {
    for server in [
        "https://tenant.test",
        "https://tenant.test:8443/a/b",
        "https://tenant.test/';echo${IFS}gone;touch${IFS}x;'",
        "https://tenant.test/$(touch${IFS}x)`touch${IFS}y`&&touch${IFS}z;#",
        "https://tenant.test/\"}},{'\\''",
    ] {
        let url = Url::parse(server).unwrap();
        let recreated = refused(&secret(SECRET_TYPE, &[("licenseKey", VALUE)]), "licenseKey", server);
        let commands = kubectls(&recreated.message);
        let patch = commands.iter().flatten().find(|word| word.starts_with('{')).unwrap();
        let patch: serde_json::Value = serde_json::from_str(patch).unwrap();
        let named = patch["stringData"]["server"].as_str().unwrap();
        assert!(same_place(&Url::parse(named).unwrap(), &url), "{named}");
        let copied = refused(&secret("example.org/key", &[("a_Key", VALUE)]), "a_Key", server);
        let commands = kubectls(&copied.message);
        let named = commands.iter().flatten().find_map(|word| word.strip_prefix("--from-literal=server=")).unwrap();
        assert!(same_place(&Url::parse(named).unwrap(), &url), "{named}");
        assert!(commands.iter().flatten().any(|word| word == "immuta-2027-a-key"), "{commands:?}");
    }
}
