//! Statuses as the version before `step` wrote them (commit 0464eb0), one fixture for each kind of change and phase.

use std::path::Path;

use super::keys::{keys, row};
use super::*;

fn fixtures() -> Vec<(String, LicenseSeatsStatus)> {
    // Two packages compile this file.
    let mut folders =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|path| path.join("tests/fixtures/statuses"));
    let folder = folders.find(|path| path.is_dir()).unwrap();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let status = serde_json::from_str(&std::fs::read_to_string(&path).unwrap());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, status.unwrap_or_else(|why| panic!("{}: {why}", path.display())))
    };
    files.map(read).collect()
}

/// What is decided over such a status by a process that has just started, while the vendor shows what was there before.
fn decided(status: &LicenseSeatsStatus) -> Decision {
    let intent = status.intent.clone();
    match intent.as_ref().map(|intent| &intent.step) {
        Some(Step::Seats(_)) => story().with(|s| (s.intent, s.history) = (intent, status.history.clone())).decided(),
        _ => {
            let story = keys().lists(&["a"]).shows(&[row(7, 15), row(8, 25)]);
            story.with(|s| (s.intent, s.history) = (intent, status.history.clone())).decide()
        }
    }
}

#[test]
fn intent_of_the_former_version_stays_open_in_every_phase() {
    let all = fixtures();
    assert_eq!(all.len(), 15);
    for (name, status) in all {
        let intent = status.intent.clone().unwrap();
        assert!(name.ends_with(&format!("{:?}", intent.phase)), "{name}: {:?}", intent.phase);
        let kind = match &intent.step {
            Step::Seats(_) => "seats",
            Step::AddKey(_) => "add-key",
            Step::RemoveKey(_) => "remove-key",
        };
        assert!(name.starts_with(kind), "{name} is read as {kind}");
        let account = status.account.as_ref().and_then(Account::key);
        assert_eq!(account.as_deref(), Some(intent.account.as_str()), "{name}: the account");
        let decision = decided(&status);
        let kept = decision.intent.as_ref().map(|kept| (kept.id.as_str(), &kept.step, kept.phase));
        assert_eq!(kept, Some(("i1", &intent.step, intent.phase)), "{name}: {:?}", decision.verdict);
        let expected = match intent.phase {
            IntentPhase::Rejected if kind == "seats" => Verdict::Rejected,
            IntentPhase::NeedsReview => Verdict::NeedsReview,
            IntentPhase::Rejected => {
                assert!(matches!(decision.verdict, Verdict::Lacking(_)), "{name}: {:?}", decision.verdict);
                continue;
            }
            _ => Verdict::Doubt,
        };
        assert_eq!(decision.verdict, expected, "{name}");
    }
}

#[test]
fn record_of_the_former_version_is_written_as_a_step_and_read_the_same() {
    for (name, status) in fixtures() {
        let written = serde_json::to_value(&status).unwrap();
        let again: LicenseSeatsStatus = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(again, status, "{name}");
        for record in [&written["intent"], &written["history"][0]] {
            let former =
                ["from", "to", "limitFrom", "limitTo", "licenseKey"].map(|member| record.get(member).is_some());
            assert_eq!((record["step"].is_object(), former), (true, [false; 5]), "{name}: {record}");
        }
    }
}

#[test]
fn record_without_step_is_unreadable_and_not_absent() {
    let (_, status) = fixtures().into_iter().find(|(name, _)| name == "seats-Open").unwrap();
    for member in ["seats", "intent", "history"] {
        let mut written = serde_json::to_value(&status).unwrap();
        match member {
            "seats" => written["intent"]["step"]["seats"] = serde_json::Value::Null,
            "intent" => drop(written["intent"].as_object_mut().unwrap().remove("step")),
            _ => drop(written["history"][0].as_object_mut().unwrap().remove("step")),
        }
        let read = serde_json::from_value::<LicenseSeatsStatus>(written);
        assert!(read.is_err(), "{member}: {read:?}");
    }
}
