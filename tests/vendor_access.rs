//! The ways to a vendor: what the owner of a Secret says of his own host, and what the installer says for all.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{Operator, needs_control_plane};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use vendor_sim::{Certificate, Options, Organization, Simulator};

use crate::world::{FAST, PATIENCE, World, binary, condition, organization, world};

/// A vendor of its own, with an organization there, and an operator that may talk to it.
struct Elsewhere {
    w: World,
    vendor: Simulator,
    data: Value,
    operator: Operator,
}

impl Elsewhere {
    async fn new(name: &str, options: Options) -> Self {
        let w = world(name).await;
        assert!(w.operator.stop().await.success());
        let vendor = Simulator::start(options).await.expect("a simulator");
        let key =
            vendor.bitwarden().add_organization(Organization::enterprise("Acme").seats(100).limit(100).members(80));
        let data = json!({
            "clientId": key.client_id, "clientSecret": key.client_secret, "server": vendor.url(), "ca.crt": vendor.ca_pem(),
        });
        let allowed = format!("--allowed-host={}", vendor.host());
        let flags = [FAST, &[allowed.as_str()]].concat();
        let operator = Operator::start(&w.plane, binary(), &w.namespace, &flags).await;
        Self { w, vendor, data, operator }
    }

    async fn declare(&self, more: Value) {
        let mut data = self.data.clone();
        for (key, value) in more.as_object().into_iter().flatten() {
            data[key] = value.clone();
        }
        data.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        self.w.secret("key", data).await;
        self.w.declare("acme", json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ca_certificate_shown_by_server_is_trusted_only_if_secret_contains_it() {
    needs_control_plane!();
    let e = Elsewhere::new("pinned", Options { certificate: Certificate::OfCa, ..Options::hurried() }).await;
    e.declare(json!({})).await;
    e.w.until_in_sync("acme", 150).await;
    // The very same, and not only one that it might have signed.
    let other =
        Simulator::start(Options { certificate: Certificate::OfCa, ..Options::hurried() }).await.expect("another");
    let mut data = e.data.clone();
    data["ca.crt"] = json!(other.ca_pem());
    e.w.secret("key", data).await;
    until_summary(&e.w, "certificate of a CA at a server").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pinned_certificate_that_has_another_name_is_not_trusted() {
    needs_control_plane!();
    let anywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let options = Options { certificate: Certificate::OfCa, listen: anywhere, ..Options::hurried() };
    let e = Elsewhere::new("pinned-name", options).await;
    let elsewhere = |text: String| text.replace("localhost", "127.0.0.2");
    let allowed = format!("--allowed-host={}", elsewhere(e.vendor.host()));
    let flags = [FAST, &[allowed.as_str(), "--lease-name=names"]].concat();
    drop(e.operator);
    let _operator = Operator::start(&e.w.plane, binary(), &e.w.namespace, &flags).await;
    let mut data = e.data.clone();
    data["server"] = json!(elsewhere(e.vendor.url()));
    e.w.secret("key", data).await;
    e.w.declare("acme", json!({})).await;
    until_summary(&e.w, "certificate for other names").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_that_wants_a_client_certificate_gets_the_one_of_the_secret() {
    needs_control_plane!();
    let e = Elsewhere::new("mutual", Options { client_certificates: true, ..Options::hurried() }).await;
    let (certificate, key) = e.vendor.client_pem();
    e.declare(json!({})).await;
    let status = until_summary(&e.w, "a client certificate is wanted").await;
    assert!(message(&status).contains("tls.crt and tls.key"), "{}", message(&status));
    let with = |certificate: &str, key: &str| {
        let mut data = e.data.clone();
        (data["tls.crt"], data["tls.key"]) = (json!(certificate), json!(key));
        data
    };
    let (other, _) = Simulator::start(Options::hurried()).await.expect("another").client_pem();
    for (data, says) in [
        (with(&certificate, "no key"), "tls.key is no private key"),
        (with("no certificate", &key), "tls.crt is no client certificate"),
        (with(&other, &key), "tls.crt is no client certificate that fits tls.key"),
    ] {
        e.w.secret("key", data).await;
        e.w.until("acme", says, |status| message(status).contains(says)).await;
    }
    e.w.secret("key", with(&certificate, &key)).await;
    e.w.until_in_sync("acme", 150).await;
    let mut public = with(&certificate, &key);
    drop(public.as_object_mut().expect("an object").remove("ca.crt"));
    e.w.secret("key", public).await;
    // Without ca.crt the public CAs vouch.
    until_summary(&e.w, "certificate not trusted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_proxy_headers_go_only_to_hosts_of_their_secret() {
    needs_control_plane!();
    let w = world("headers").await;
    let (t, other) = (w.tenant("one", organization()).await, w.tenant("other", organization()).await);
    let mut data = w.credentials(&t.key);
    data["header.CF-Access-Client-Secret"] = json!("let-me-in-0123456789");
    w.secret("one", data).await;
    t.declare(json!({})).await;
    other.declare(json!({})).await;
    w.until_in_sync("one", 150).await;
    w.until_in_sync("other", 150).await;
    let requests = w.bitwarden().requests();
    let of = |id: &str| requests.iter().filter(|r| r.organization.as_deref() == Some(id)).collect::<Vec<_>>();
    let has = |r: &&vendor_sim::RequestRecord| {
        r.headers.get("cf-access-client-secret").is_some_and(|v| v == "let-me-in-0123456789")
    };
    assert!(of(&t.key.id).len() > 3 && of(&t.key.id).iter().all(has), "each request, that for a token too");
    assert!(of(&other.key.id).iter().all(|r| !has(r)));
    let mut wrong = w.credentials(&t.key);
    wrong["header.Authorization"] = json!("let-me-in-0123456789");
    w.secret("one", wrong).await;
    let status = w.until_reason("one", "CredentialsValid", "KeyInvalid").await;
    assert!(
        message(&status).contains("header.Authorization is a header that Seatkeeper sets itself"),
        "{}",
        message(&status)
    );
    assert!(!w.operator.log().contains("let-me-in") && !format!("{status:?}").contains("let-me-in"));
}

async fn until_summary(w: &World, summary: &str) -> LicenseSeatsStatus {
    w.until("acme", summary, |status| status.summary.as_deref() == Some(summary)).await
}

fn message(status: &LicenseSeatsStatus) -> String {
    condition(status, "Ready").map(|ready| ready.message.clone()).unwrap_or_default()
}

/// A proxy that tunnels for who has its credentials and may, and notes where to.
struct TestProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TestProxy {
    /// `credentials`: as the header has them; `None`: for anybody.
    async fn start(credentials: Option<&'static str>) -> Self {
        Self::asking(Door::Opens(credentials)).await
    }

    async fn asking(door: Door) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let (address, asked) = (listener.local_addr().expect("an address"), Arc::<Mutex<Vec<String>>>::default());
        let notes = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, door, Arc::clone(&notes)));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// Whom a proxy lets through.
#[derive(Clone, Copy)]
enum Door {
    /// Who has these credentials; `None`: anybody.
    Opens(Option<&'static str>),
    /// Nobody: it answers 403.
    Closed,
}

async fn tunnel(stream: TcpStream, door: Door, asked: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let credentials = if let Door::Opens(credentials) = door { credentials } else { None };
    let (mut target, mut authorized) = (String::new(), credentials.is_none());
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if let Some(rest) = line.strip_prefix("CONNECT ") {
            target = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        let header = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
        authorized |= header.is_some_and(|(_, value)| Some(value.trim()) == credentials);
        if line.trim().is_empty() {
            break;
        }
    }
    asked.lock().expect("no panic").push(target.clone());
    if !authorized {
        let refusal =
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
        return stream.write_all(refusal).await;
    }
    if matches!(door, Door::Closed) {
        return stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    }
    let mut onward = TcpStream::connect(&target).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut onward).await.map(drop)
}

/// `seat:secret-of-proxy`, as `Proxy-Authorization` has it.
const AUTHORIZED: &str = "Basic c2VhdDpzZWNyZXQtb2YtcHJveHk=";
const CREDENTIALS: (&str, &str) = ("SEATKEEPER_VENDOR_PROXY_CREDENTIALS", "seat:secret-of-proxy");

#[tokio::test(flavor = "multi_thread")]
async fn installer_proxy_carries_only_vendor_requests_with_hidden_credentials() {
    needs_control_plane!();
    let w = world("proxy").await;
    assert!(w.operator.stop().await.success());
    let proxy = TestProxy::start(Some(AUTHORIZED)).await;
    let flag = format!("--vendor-proxy=http://{}", proxy.address);
    let flags = [FAST, &[flag.as_str()]].concat();
    let operator = w.another_operator(&flags).await;
    w.declare("acme", json!({})).await;
    let said = message(&until_summary(&w, "Bitwarden unreachable").await);
    let named = format!("the proxy of --vendor-proxy ({}) wants other credentials (407)", proxy.address);
    assert!(said.contains(&named), "{said}");
    assert_eq!(w.puts(), 0);
    assert!(operator.stop().await.success());
    let operator = w.another_operator_in(&[CREDENTIALS], &flags).await;
    w.until_in_sync("acme", 150).await;
    let vendor = w.vendor.host();
    assert!(
        proxy.asked().iter().all(|target| *target == vendor),
        "the apiserver is reached without it: {:?}",
        proxy.asked()
    );
    assert!(!operator.log().contains("secret-of-proxy"));
    assert!(operator.stop().await.success());
    let (before, except) = (proxy.asked().len(), "--vendor-no-proxy=localhost");
    let _operator = w.another_operator_in(&[CREDENTIALS], &[&flags[..], &[except]].concat()).await;
    w.edit("acme", json!({ "seats": 160 })).await;
    w.until_in_sync("acme", 160).await;
    assert_eq!(proxy.asked().len(), before, "not for the hosts that need none");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_that_forbids_a_host_or_is_not_there_is_named_to_each_object() {
    needs_control_plane!();
    let w = world("proxy-refuses").await;
    assert!(w.operator.stop().await.success());
    let forbids = TestProxy::asking(Door::Closed).await.address;
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let closed = nobody.local_addr().expect("an address");
    drop(nobody);
    w.declare("acme", json!({ "managementPolicy": "Observe" })).await;
    w.declare("again", json!({ "managementPolicy": "Observe", "limit": null })).await;
    for (address, says, fix) in [
        (forbids, "makes no connection to this host", "allow the host and its port there"),
        (closed, "takes no connection", "check that it runs"),
    ] {
        let flag = format!("--vendor-proxy=http://{address}");
        let operator = w.another_operator_in(&[CREDENTIALS], &[FAST, &[flag.as_str()]].concat()).await;
        let named = format!("the proxy of --vendor-proxy ({address}) {says}");
        // Each of them, whether it asked itself or the host was left alone because of what the other met.
        for name in ["acme", "again"] {
            let status = w.until(name, named.as_str(), |status| message(status).contains(&named)).await;
            assert!(message(&status).contains(fix), "{}", message(&status));
            assert_eq!(status.summary.as_deref(), Some("Bitwarden unreachable"));
            assert!(!format!("{status:?}").contains("secret-of-proxy"));
        }
        assert!(!operator.log().contains("secret-of-proxy"));
        assert!(operator.stop().await.success());
    }
    assert_eq!(w.puts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn installer_ca_bundle_applies_where_secret_has_no_ca() {
    needs_control_plane!();
    let e = Elsewhere::new("bundle-none", Options::hurried()).await;
    e.declare(json!({ "ca.crt": null })).await;
    until_summary(&e.w, "certificate not trusted").await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, e.vendor.ca_pem()).expect("a file");
    let (allowed, bundle) =
        (format!("--allowed-host={}", e.vendor.host()), format!("--vendor-ca-bundle={}", file.display()));
    drop(e.operator);
    let _operator = Operator::start(&e.w.plane, binary(), &e.w.namespace, &[FAST, &[&allowed, &bundle]].concat()).await;
    e.w.until_in_sync("acme", 150).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_vendor_route_is_refused_at_start_by_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        format!("--vendor-ca-bundle={}", file.display())
    };
    let empty = bundle("empty", "");
    let no_pem = bundle("no-pem", "MIIB certificate of our proxy");
    let no_certificate = bundle("no-certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (flags, environment, says) in [
        (
            vec!["--vendor-proxy=proxy.test:3128"],
            vec![],
            "--vendor-proxy must be a URL such as http://proxy.example.org:3128",
        ),
        (vec!["--vendor-proxy=http://a:hidden@proxy.test"], vec![], "--vendor-proxy must not hold credentials"),
        (
            vec!["--vendor-proxy=http://proxy.test", "--vendor-no-proxy=a.test:8443"],
            vec![],
            "--vendor-no-proxy names \"a.test:8443\", which would match no vendor",
        ),
        (vec!["--vendor-no-proxy=a.test"], vec![], "mean nothing without --vendor-proxy"),
        (
            vec!["--vendor-proxy=http://proxy.test"],
            vec![(CREDENTIALS.0, "hidden")],
            "SEATKEEPER_VENDOR_PROXY_CREDENTIALS must be user:password",
        ),
        (vec!["--vendor-ca-bundle=/nowhere/ca.pem"], vec![], "--vendor-ca-bundle /nowhere/ca.pem cannot be read"),
        (vec![empty.as_str()], vec![], "holds no certificate that can be used"),
        (vec![no_pem.as_str()], vec![], "it must be CA certificates in PEM form (-----BEGIN CERTIFICATE-----)"),
        (vec![no_certificate.as_str()], vec![], "holds no certificate that can be used"),
    ] {
        let output = tokio::process::Command::new(binary()).arg("run").args(&flags).envs(environment).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends").expect("it runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(says) && !told.contains("hidden"), "{flags:?}: {told}");
    }
}
