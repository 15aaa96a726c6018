//! Every state that an object can be in, as an object with its status: what GitOps tools judge. `gitops/argocd` has them, and
//! `gitops/test` asks Argo CD's script, Flux's expressions and kstatus about each. Refreshed by `make generate`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

type States = BTreeMap<String, LicenseSeatsStatus>;

/// An object that has had this status once: what is carried over is there.
fn over(old: &LicenseSeatsStatus, finding: &Finding<'_>) -> LicenseSeatsStatus {
    report(old, 3, finding, now()).status
}

fn in_sync() -> LicenseSeatsStatus {
    let story = story().shows(150, Some(150));
    let decision = story.follow();
    over(
        &LicenseSeatsStatus::default(),
        &Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision },
    )
}

/// What is said of a finding at first, and after two minutes where that is something else.
fn insert(states: &mut States, name: &str, finding: &Finding<'_>) {
    let first = over(&LicenseSeatsStatus::default(), finding);
    let later = report(&first, 3, finding, now() + SignedDuration::from_mins(2)).status;
    if later.conditions != first.conditions {
        states.insert(format!("{name}-2-minutes"), later);
    }
    states.insert(name.to_owned(), first);
}

/// What is said of each verdict and of each hold. The plan is the one of a change from 100 to 150.
fn decisions(states: &mut States) {
    for (name, verdict) in samples::verdicts() {
        let has_intent = matches!(verdict, Verdict::NeedsReview | Verdict::Rejected | Verdict::Doubt);
        let phase = if verdict == Verdict::Rejected { IntentPhase::Rejected } else { IntentPhase::NeedsReview };
        let wants = !matches!(verdict, Verdict::InSync | Verdict::Observed(_));
        let story = if wants { story() } else { story().shows(150, Some(150)) };
        let intent = has_intent.then(|| story_intent(phase));
        let mut decision = story.follow();
        if let (Verdict::Held(_), Some(plan)) = (&verdict, decision.plan.as_mut()) {
            plan.blocked_by = samples::blocks(&verdict);
        }
        let decision = Decision { verdict, intent, ..decision };
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        insert(states, name, &finding);
    }
    let ended = story().shows(150, Some(150)).with(|s| s.seen.license = Some(License::of(LicenseState::Expired)));
    let decision = ended.follow();
    let finding = Finding::Decided { desired: &ended.desired, seen: &ended.seen, decision: &decision };
    states.insert("license-expired".into(), over(&LicenseSeatsStatus::default(), &finding));
    let full = story().shows(150, Some(150)).uses(Usage::Exact(150));
    let decision = full.follow();
    let finding = Finding::Decided { desired: &full.desired, seen: &full.seen, decision: &decision };
    states.insert("in-sync-exhausted".into(), over(&LicenseSeatsStatus::default(), &finding));
    // A key that shows the use fails beside one that works, for a time: a person is called once it lasts.
    let unread = story().with(|s| s.seen.concern = Some(fails_for_a_time()));
    let decision = Decision { verdict: samples::held(HoldKind::KeyUnread), ..unread.follow() };
    let finding = Finding::Decided { desired: &unread.desired, seen: &unread.seen, decision: &decision };
    insert(states, "held-key-unread", &finding);
}

fn fails_for_a_time() -> Fault {
    Fault {
        remedy: Remedy::Time { after: None, secret_may_help: false },
        reason: reason::VENDOR_UNREACHABLE,
        summary: "unreachable".into(),
        message: "it does not answer".into(),
    }
}

fn story_intent(phase: IntentPhase) -> Intent {
    story().open(phase, SETTLED).intent.unwrap()
}

/// What is said of each fault, over an object that was never read, or that was in sync.
fn faults(states: &mut States) {
    let time = || Remedy::Time { after: None, secret_may_help: false };
    let all = [
        ("spec-invalid", Remedy::Spec, reason::SPEC_INVALID),
        ("conflict-older-object", Remedy::Owner, reason::CONFLICT),
        ("crd-outdated", Remedy::Cluster, reason::CRD_OUTDATED),
        ("status-not-stored", Remedy::Cluster, reason::STATUS_NOT_STORED),
        ("unsupported-account", Remedy::Unsupported, reason::UNSUPPORTED_BY_VENDOR),
        ("server-starting", Remedy::Server { lasts: false }, reason::VENDOR_UNREACHABLE),
        ("server-lacks-a-path", Remedy::Server { lasts: true }, reason::UNSUPPORTED_BY_VENDOR),
        ("secret-not-found", Remedy::Credentials, reason::SECRET_NOT_FOUND),
        ("secret-half-filled", Remedy::Credentials, reason::KEY_MISSING),
        ("secret-not-permitted", Remedy::Credentials, reason::SECRET_NOT_PERMITTED),
        ("key-invalid", Remedy::Credentials, reason::KEY_INVALID),
        ("key-rejected", Remedy::Credentials, reason::REJECTED),
        ("role-insufficient", Remedy::Credentials, reason::INSUFFICIENT_ROLE),
        ("host-not-allowed", Remedy::Credentials, reason::HOST_NOT_ALLOWED),
        ("vendor-unreachable", time(), reason::VENDOR_UNREACHABLE),
    ];
    for (name, remedy, reason) in all {
        let fault = Fault { remedy, reason, summary: "cannot be read".into(), message: "what to do".into() };
        let finding = Finding::Failed { fault: &fault, desired: None, account: None, stale: true };
        insert(states, name, &finding);
    }
    // A hiccup after a good reading says nothing; one that lasts does.
    let fault = fails_for_a_time();
    let failed = |stale| Finding::Failed { fault: &fault, desired: None, account: None, stale };
    states.insert("in-sync-hiccup".into(), over(&in_sync(), &failed(false)));
    states.insert("in-sync-stale".into(), over(&in_sync(), &failed(true)));
}

fn states() -> BTreeMap<String, serde_json::Value> {
    let mut states = States::new();
    decisions(&mut states);
    faults(&mut states);
    let object = |name: &str, generation: i64, status: serde_json::Value| {
        serde_json::json!({
            "apiVersion": "seatkeeper.dev/v1alpha1",
            "kind": "LicenseSeats",
            "metadata": {"name": "acme", "namespace": "it", "uid": format!("uid-of-{name}"), "generation": generation},
            "spec": {
                "vendor": {ACME.key: {"credentialsSecretRef": {"name": "key"}}},
                "seats": 150,
                "suspend": name == "held-suspended",
            },
            "status": status,
        })
    };
    let json = |status: &LicenseSeatsStatus| serde_json::to_value(status).unwrap();
    let mut all: BTreeMap<_, _> =
        states.iter().map(|(name, status)| (name.clone(), object(name, 3, json(status)))).collect();
    // What no pass has written: the CRD's default, and an edit that none has seen.
    all.insert("new".into(), object("new", 1, serde_json::json!({"observedGeneration": -1})));
    all.insert("edited".into(), object("edited", 4, json(&in_sync())));
    all
}

fn folder() -> PathBuf {
    // Two packages compile this file.
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|path| path.join("gitops"));
    folders.find(|path| path.is_dir()).unwrap().join("argocd/seatkeeper.dev/LicenseSeats/testdata")
}

#[test]
fn states_that_gitops_is_tested_with_are_those_that_objects_have() {
    let (folder, mut made) = (folder(), BTreeMap::new());
    for (name, object) in states() {
        made.insert(format!("{name}.yaml"), serde_yaml::to_string(&object).unwrap());
    }
    assert!(made.len() > 50, "only {} states", made.len());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        made.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
    }
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let stored: BTreeMap<_, _> = files.map(|path| (name(&path), std::fs::read_to_string(path).unwrap())).collect();
    let differ: Vec<_> =
        made.iter().filter(|(name, text)| stored.get(*name) != Some(text)).map(|(name, _)| name).collect();
    let gone: Vec<_> = stored.keys().filter(|name| !made.contains_key(*name)).collect();
    assert!(differ.is_empty() && gone.is_empty(), "{differ:?} and {gone:?}: refresh them with: make generate");
}

#[test]
fn states_have_every_reason_of_ready() {
    let said: std::collections::BTreeSet<String> = states()
        .values()
        .filter_map(|object| {
            let conditions = object["status"]["conditions"].as_array()?;
            let ready = conditions.iter().find(|condition| condition["type"] == kind::READY)?;
            Some(format!("{}/{}", ready["status"].as_str()?, ready["reason"].as_str()?))
        })
        .collect();
    for entry in CONDITIONS.iter().filter(|entry| entry.kind == kind::READY) {
        for reason in entry.reasons {
            let row = format!("{}/{reason}", entry.status());
            assert!(said.contains(&row), "no state is Ready={row}: add it to samples.rs or to faults");
        }
    }
}

#[test]
fn status_column_of_each_state_leaves_room_in_a_table_of_all_namespaces() {
    // 120 columns less those of a namespace of 8 characters, a name of 14, numbers of 5 digits and an age.
    const ROOM: usize = 36;
    let narrow = |name: &str, column: &str| assert!(column.chars().count() <= ROOM, "{name}: {column}");
    for (name, object) in states() {
        narrow(&name, object["status"]["summary"].as_str().unwrap_or_default());
    }
    // Each verdict beside everything that may be wrong at the same time.
    let worst = story().shows(150, Some(150)).uses(Usage::Exact(150)).with(|s| {
        s.seen.license = Some(License::of(LicenseState::PastDue));
        (s.seen.billed, s.desired.ceilings.max_seats) = (Some(160), Some(140));
        s.desired.thresholds.free_seats = Some(5);
    });
    for (name, verdict) in samples::verdicts() {
        let decision = Decision { verdict, ..worst.follow() };
        let finding = Finding::Decided { desired: &worst.desired, seen: &worst.seen, decision: &decision };
        narrow(name, &over(&LicenseSeatsStatus::default(), &finding).summary.unwrap_or_default());
    }
}

#[test]
fn status_column_of_one_long_phrase_leaves_the_limit_out_and_then_is_cut() {
    let cluster = format!("standby for {}", "a".repeat(63));
    for (phrase, column) in [
        ("+50 seats, limit 150: blocked by guard rail", "+50 seats: blocked by guard rail"),
        ("+50 seats, no limit: other pool is not read yet", "+50 seats: other pool is not read y…"),
        ("+50 seats, limit 150 at 2026-12-01 06:00 CET", "+50 seats at 2026-12-01 06:00 CET"),
        ("+50 seats, limit 150: no window known", "+50 seats: no window known"),
        ("+50 seats, limit 150: suspended", "+50 seats, limit 150: suspended"),
        (&cluster, "standby for aaaaaaaaaaaaaaaaaaaaaaa…"),
    ] {
        assert_eq!(status_column::column(&[phrase.to_owned()]), column);
    }
    let two = ["standby for a-cluster-with-quite-a-long-name", "spec: 150"].map(str::to_owned);
    assert_eq!(status_column::column(&two), "standby for a-cluster-with-quite-a-…");
}
