//! Each rule of the vendor's reference, played: the simulator is brought into a state in which it refuses by itself, and the
//! user's words are compared with `refusals.yaml`, which people keep by hand.

use std::collections::BTreeSet;
use std::fs;

use futures::future::join_all;
use seatkeeper::api::LicenseSeatsStatus;
use seatkeeper_support::{needs_control_plane, wait_for, workspace_root};
use serde::Deserialize;
use serde_json::{Value, json};
use vendor_sim::{BillingPath, Fault, FaultKind, Organization, RequestRecord, Role};

use crate::tenants::{Tenant, fast_but};
use crate::world::{PATIENCE, World, condition, merge, organization, said};

/// Holds an answer for ever, so to say: it is released.
const FOR_EVER: u64 = 3_600_000;

/// Stands in sentences for how the change is asked for again, which ends each sentence of a refusal.
const AGAIN: &str = "{again}";

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusals {
    again: String,
    /// Every row of the reference.
    reference: Vec<String>,
    /// Rows that cannot occur through requests of Seatkeeper.
    cannot: Vec<Cannot>,
    /// What is told until the next reading only.
    passing: Vec<Text>,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cannot {
    rule: String,
    why: String,
    /// What is told if it occurs all the same.
    text: Option<Text>,
}

/// A text of the vendor (or how it begins), and what follows "because".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    vendor: String,
    because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Keys {
    Owner,
    Organization,
    Both,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Row of the reference.
    rule: String,
    keys: Keys,
    /// The organization, over one with 100 seats, limit 100 and 80 members.
    #[serde(default)]
    state: Value,
    /// The person's role.
    role: Option<Role>,
    /// The spec, over 150 seats with the limit pinned.
    #[serde(default)]
    wanted: Value,
    /// What the organization becomes while the first request is on its way.
    then: Option<Value>,
    /// It is as before when the answer arrives.
    #[serde(default)]
    back: bool,
    /// How all of the vendor is switched: before, or with `then` while the first request is on its way.
    #[serde(default)]
    switches: Value,
    /// The spec names the organization.
    #[serde(default)]
    named: bool,
    /// Something in the vendor fails in every request.
    breaks: Option<FaultKind>,
    /// What the vendor came to: status and text of the rule. The organization API hides it behind a 500.
    vendor: Option<String>,
    /// The status of the organization API, where it is not 500.
    organization: Option<u16>,
    /// Requests that would change something.
    sent: usize,
    ready: String,
    status: String,
    says: String,
}

pub(super) fn file() -> Refusals {
    let text = fs::read_to_string(workspace_root().join("tests/errors/refusals.yaml")).expect("refusals.yaml");
    serde_yaml::from_str(&text).expect("refusals.yaml")
}

/// An organization as described over the usual one.
fn described(over: &Value) -> Organization {
    let usual = organization().billing_path(BillingPath::Legacy);
    let mut whole = serde_json::to_value(usual).expect("JSON");
    for (name, value) in over.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    serde_json::from_value(whole).unwrap_or_else(|error| panic!("{over}: {error}"))
}

impl Line {
    fn name(&self, number: usize) -> String {
        format!("{} {:?} {number}", self.rule, self.keys).to_lowercase().replace(['.', ' '], "-")
    }

    /// Status and text of the rule.
    fn expected(&self) -> Option<(u16, &str)> {
        let (status, text) = self.vendor.as_deref()?.split_once(' ')?;
        Some((status.parse().expect("a status"), text))
    }

    fn spec(&self, t: &Tenant<'_>) -> Value {
        let mut wanted = if self.wanted.is_null() { json!({}) } else { self.wanted.clone() };
        if self.named {
            merge(&mut wanted, json!({ "vendor": { "bitwarden": { "organizationId": t.key.id } } }));
        }
        match self.keys {
            Keys::Owner => t.alone(wanted),
            Keys::Organization => wanted,
            Keys::Both => t.both(wanted),
        }
    }

    fn lowers(&self) -> bool {
        let before = match self.wanted["vendor"]["bitwarden"]["product"].as_str() {
            None => self.state["seats"].as_i64().unwrap_or(100),
            Some("SecretsManager") => self.state["smSeats"].as_i64().unwrap_or(0),
            Some(_) => self.state["serviceAccounts"].as_i64().unwrap_or(0),
        };
        self.sent > 0 && self.wanted["seats"].as_i64().is_some_and(|wanted| wanted < before)
    }

    /// How the request is held while the state changes: before it is looked at, or between the vendor's two readings.
    fn holds(&self) -> Vec<Fault> {
        let on: fn(FaultKind) -> Fault = if self.keys == Keys::Owner { Fault::on_owner_write } else { Fault::on_put };
        if self.back {
            let answer = FaultKind::Delay { before_ms: 0, after_ms: FOR_EVER };
            vec![on(FaultKind::PauseBetweenReads { ms: FOR_EVER }), on(answer)]
        } else {
            vec![on(FaultKind::Delay { before_ms: FOR_EVER, after_ms: 0 })]
        }
    }

    /// Changes the state under the first request.
    async fn change(&self, t: &Tenant<'_>, holds: &[u64], then: &Value) {
        let vendor = t.world.bitwarden();
        assert!(vendor.wait_fired(holds[0], 1).await, "{}: nothing was sent", t.name);
        if !self.switches.is_null() {
            self.switch(t.world);
        } else if then["gone"] == json!(true) {
            vendor.delete_organization(&t.key.id);
        } else {
            let mut state = if self.state.is_null() { json!({}) } else { self.state.clone() };
            for (name, value) in then.as_object().into_iter().flatten() {
                state[name] = value.clone();
            }
            vendor.remake(&t.key.id, described(&state));
        }
        vendor.release(holds[0]);
        if self.back {
            let refused = vendor.wait_for(PATIENCE, |vendor| vendor.last_refusal(&t.key.id).is_some()).await;
            assert!(refused, "{}: not refused", t.name);
            vendor.remake(&t.key.id, described(&self.state));
            vendor.release(holds[1]);
        }
    }

    fn switch(&self, w: &World) {
        w.bitwarden().switch(|switches| {
            let mut whole = serde_json::to_value(&*switches).expect("JSON");
            merge(&mut whole, self.switches.clone());
            *switches = serde_json::from_value(whole).expect("switches");
        });
    }

    async fn play(&self, w: &World, number: usize, again: &str) -> Result<(), String> {
        let t = w.tenant(&self.name(number), described(&self.state)).await;
        if self.keys != Keys::Organization {
            t.person(self.role.unwrap_or(Role::Owner)).await;
        }
        if self.then.is_none() && !self.switches.is_null() {
            self.switch(w);
        }
        if let Some(kind) = &self.breaks {
            t.inject(Fault::always(kind.clone()));
        }
        let held: Vec<u64> = self.then.iter().flat_map(|_| self.holds()).map(|fault| t.inject(fault)).collect();
        if self.keys == Keys::Organization {
            t.declare(self.spec(&t)).await;
        } else {
            w.declare(&t.name, self.spec(&t)).await;
        }
        if self.lowers() {
            w.agree(&t.name).await;
        }
        if let Some(then) = &self.then {
            self.change(&t, &held, then).await;
        }
        self.told(&t, again).await?;
        self.answered(&t)?;
        self.stays(&t, again).await
    }

    /// What is not sent is not sent the next time either, and waits for a person where nothing else can help.
    async fn stays(&self, t: &Tenant<'_>, again: &str) -> Result<(), String> {
        let held = ["False/VendorRejected", "False/UnsupportedByVendor", "False/GuardrailViolated"];
        if self.sent > 0 || !held.contains(&self.ready.as_str()) {
            return Ok(());
        }
        let status = t.ask("again").await;
        if condition(&status, "Stalled").is_none() {
            return Err(format!("{}: Stalled is wrong", t.name));
        }
        self.told(t, again).await
    }

    /// Waits until the user is told so, and looks once more.
    async fn told(&self, t: &Tenant<'_>, again: &str) -> Result<(), String> {
        let expected = [self.ready.clone(), self.status.clone(), self.says.replace(AGAIN, again)];
        let seen = async || {
            let status = t.status().await;
            (words(t, &status) == expected && t.writes() == self.sent).then_some(())
        };
        let told = wait_for("the sentence", PATIENCE * 2, seen);
        if tokio::time::timeout(PATIENCE, told).await.is_err() {
            let status = t.status().await;
            let [ready, status, says] = words(t, &status);
            let last = t.world.bitwarden().find(&t.key.id).and_then(|o| o.last_refusal).map(|last| last.refusal);
            let says = says.replace(again, AGAIN);
            return Err(format!(
                "{}\n  vendor: {last:?}\n  sent: {}\n  ready: {ready}\n  status: {status:?}\n  says: {says:?}",
                t.name,
                t.writes()
            ));
        }
        Ok(())
    }

    /// Whether the vendor came to what the line says.
    fn answered(&self, t: &Tenant<'_>) -> Result<(), String> {
        let Some((status, text)) = self.expected() else { return Ok(()) };
        let vendor = t.world.bitwarden();
        let refusal = vendor.find(&t.key.id).and_then(|o| o.last_refusal).map(|last| last.refusal);
        if let Some(refusal) = refusal
            && (refusal.rule, refusal.status, refusal.text.as_str()) != (self.rule.as_str(), status, text)
        {
            return Err(format!("{}: refused by another rule: {refusal:?}", t.name));
        }
        let on_the_wire = if self.keys == Keys::Owner { status } else { self.organization.unwrap_or(500) };
        let writes = |r: &RequestRecord| r.method != "GET" && r.organization.as_deref() == Some(&t.key.id);
        let records = vendor.requests();
        let mut answers = records
            .iter()
            .filter(|r| writes(r) && r.path.contains("subscription") && !r.path.contains("/preview-invoice/"));
        match answers.find_map(|r| r.executed) {
            Some(seen) if seen == on_the_wire => Ok(()),
            other => Err(format!("{}: the vendor answered with {other:?}", t.name)),
        }
    }
}

/// Status of `Ready` with its reason, STATUS, and the message, without what differs from run to run.
fn words(t: &Tenant<'_>, status: &LicenseSeatsStatus) -> [String; 3] {
    let message =
        condition(status, "Ready").map_or("", |ready| &ready.message).replace(&t.world.vendor.host(), "<host>");
    let message = message.replace(&format!("Secret {} (", t.name), "Secret <name> (");
    let mut parts = message.split("confirm=");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| {
        let (of, id) = part.strip_prefix("bill-").map_or(("", part), |id| ("bill-", id));
        format!("confirm={of}<id>{}", id.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
    });
    let message = rest.fold(first, |message, part| message + &part);
    [said(status, "Ready"), status.summary.clone().unwrap_or_default(), message]
}

/// Plays these lines: those of which the vendor is switched each by itself.
async fn play(name: &str, of: impl Fn(&Line) -> bool) -> World {
    let Refusals { again, lines, .. } = file();
    let flags = ["--settle-unanswered=30s", "--send-deadline=9s", "--write-timeout=20s"];
    let world = async |name: &str| {
        let w = World::with(name, organization(), &fast_but(&flags)).await;
        w.needs_many_tokens();
        w
    };
    let mine = lines.iter().enumerate().filter(|(_, line)| of(line));
    let (alone, together): (Vec<_>, Vec<_>) = mine.partition(|(_, line)| !line.switches.is_null());
    assert!(alone.len() + together.len() > 5, "only {} and {} lines", alone.len(), together.len());
    let w = world(name).await;
    let mut wrong = Vec::new();
    // As many at a time as two cores bear.
    for some in together.chunks(20) {
        let played = some.iter().map(|(number, line)| line.play(&w, *number, &again));
        wrong.extend(join_all(played).await.into_iter().filter_map(Result::err));
    }
    for some in alone.chunks(4) {
        let played = some.iter().map(async |(number, line)| {
            let w = world(&line.name(*number)).await;
            line.play(&w, *number, &again).await
        });
        wrong.extend(join_all(played).await.into_iter().filter_map(Result::err));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    w
}

#[tokio::test(flavor = "multi_thread")]
async fn password_manager_refusal_is_reported_by_state() {
    needs_control_plane!();
    let w = play("refused-u-a", |line| line.rule.starts_with(['U', 'A'])).await;
    for reason in ["VendorRejected", "UnsupportedByVendor", "GuardrailViolated"] {
        w.until_told(reason, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_limit_bill_or_account_state_is_reported_by_state() {
    needs_control_plane!();
    play("refused-b", |line| !line.rule.starts_with(['U', 'A', 'S'])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_manager_refusal_is_reported_by_state() {
    needs_control_plane!();
    play("refused-s", |line| line.rule.starts_with('S')).await;
}

/// Numbers of rules in the sources of the simulator.
fn rules_of_the_simulator() -> BTreeSet<String> {
    let folder = workspace_root().join("tests/vendor-sim/src/bitwarden");
    let sources = ["rules.rs", "context.rs", "subscription.rs"].map(|name| fs::read_to_string(folder.join(name)));
    let texts: String = sources.into_iter().map(|text| text.expect("a source")).collect();
    let number = |word: &&str| {
        word.split_at_checked(1).is_some_and(|(block, n)| "UABS".contains(block) && n.parse::<u8>().is_ok())
    };
    texts.split('"').filter(number).map(str::to_owned).collect()
}

#[test]
fn each_row_of_the_reference_has_a_line_or_the_reason_why_it_cannot_occur() {
    let Refusals { reference, cannot, lines, .. } = file();
    let of = |least: usize| lines.iter().filter(move |line| line.sent >= least).map(|line| line.rule.as_str());
    let (played, sent): (BTreeSet<&str>, BTreeSet<&str>) = (of(0).collect(), of(1).collect());
    let named: BTreeSet<&str> = cannot.iter().map(|row| row.rule.as_str()).collect();
    assert_eq!(sent.intersection(&named).collect::<Vec<_>>(), Vec::<&&str>::new(), "they occur, and cannot occur");
    let known: BTreeSet<&str> = reference.iter().map(String::as_str).collect();
    assert_eq!(played.union(&named).copied().collect::<BTreeSet<_>>(), known);
    assert!(cannot.iter().all(|row| row.why.len() > 20), "a reason is a sentence");
    let rules = rules_of_the_simulator();
    assert!(rules.len() > 35, "only {rules:?}: does this test still read the sources?");
    let unknown: Vec<_> = rules.iter().filter(|rule| !known.contains(rule.as_str())).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "the simulator has rules that no row names");
}

#[test]
fn documented_owner_api_text_was_answered_by_simulator() {
    let Refusals { cannot, passing, lines, .. } = file();
    let page = super::stored();
    let rows = super::table(&page, "| Bitwarden's text");
    assert!(rows.len() > 25, "only {} texts", rows.len());
    let because = |line: &Line| Some(line.says.split_once(", because ")?.1.strip_suffix(". {again}")?.to_owned());
    let refused = lines.iter().filter(|line| line.ready == "False/VendorRejected" && line.sent > 0);
    let mut told: Vec<(String, String)> = refused
        .filter_map(|line| Some((line.expected()?.1.to_owned(), because(line)?)))
        .chain(cannot.into_iter().filter_map(|row| row.text).chain(passing).map(|text| (text.vendor, text.because)))
        .collect();
    for row in rows {
        let (theirs, ours) = (&row[0], row[1].split(" (a change of the limit alone").next().unwrap_or_default());
        let before = told.len();
        told.retain(|(vendor, because)| !(vendor.contains(theirs.as_str()) && because == ours));
        assert!(told.len() < before, "docs/errors.md has a text that no line plays: {row:?}");
    }
    assert_eq!(told, [], "lines that docs/errors.md does not explain");
}
