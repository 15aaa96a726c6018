//! What a status says while the vendor's rate limit delays its reading.

use super::*;

const SENTENCE: &str = ". Rate limited: Acme limits the requests per minute.";

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn in_sync() -> LicenseSeatsStatus {
    reported(&story().shows(150, Some(150))).status
}

#[test]
fn late_turn_adds_times_to_ready_message_and_changes_nothing_else() {
    for (name, verdict) in samples::verdicts() {
        let story = story().shows(150, Some(150));
        let decision = Decision { verdict, ..story.follow() };
        let finding = Finding::Decided { desired: &story.desired, seen: &story.seen, decision: &decision };
        let before = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
        let told = says_turn(&before, "Acme", Some(now()), later(90));
        let ((ready, message), (as_before, base)) = (said(&told, kind::READY), said(&before, kind::READY));
        assert_eq!(ready, as_before, "{name}");
        let words = format!(
            "{base}{SENTENCE} The numbers are from 2026-11-22 12:00:00Z. The next reading is at about 2026-11-22 \
             12:01:30Z. For earlier readings, use longer intervals or fewer credentials"
        );
        assert_eq!(message, words, "{name}");
        let mut rest = told.clone();
        rest.conditions.iter_mut().filter(|c| c.type_ == kind::READY).for_each(|c| c.message.clone_from(&base));
        assert_eq!(rest, before, "{name}");
        assert_eq!(says_turn(&told, "Acme", Some(now()), later(90)), told, "{name}: said once");
        let read = report(&told, 3, &finding, later(90));
        assert_eq!((untimed(&read.status), read.notices), (untimed(&before), vec![]), "{name}: a reading ends it");
    }
}

#[test]
fn next_wait_replaces_times_and_a_failed_reading_removes_them() {
    let before = in_sync();
    let told = says_turn(&before, "Acme", Some(now()), later(90));
    let next = said(&says_turn(&told, "Acme", None, later(300)), kind::READY).1;
    assert_eq!(next.matches(SENTENCE).count(), 1, "{next}");
    assert!(next.contains(" The numbers are from 2026-11-22 12:00:00Z or later. "), "{next}");
    assert!(next.contains("at about 2026-11-22 12:05:00Z"), "{next}");
    let remedy = Remedy::Time { after: None, secret_may_help: false };
    let fault = Fault { remedy, reason: "Cause", summary: "unreachable".into(), message: "no answer".into() };
    let failed = Finding::Failed { fault: &fault, desired: None, account: None, stale: false };
    let hiccup = report(&told, 3, &failed, later(90));
    assert_eq!((hiccup.status, hiccup.notices), (before, vec![]));
}

#[test]
fn status_without_numbers_reports_only_time_of_next_reading() {
    let message = said(&says_turn(&untimed(&in_sync()), "Acme", None, later(90)), kind::READY).1;
    assert!(message.contains(&format!("{SENTENCE} The next reading is at about")), "{message}");
}

#[test]
fn only_a_summary_of_the_rate_limit_says_that_an_object_waits() {
    let waits = LicenseSeatsStatus { summary: Some(RATE_LIMITED.into()), ..LicenseSeatsStatus::default() };
    assert!(is_rate_limited(&waits));
    assert!(!is_rate_limited(&in_sync()) && !is_rate_limited(&LicenseSeatsStatus::default()));
}

#[test]
fn closed_path_for_changes_is_added_to_ready_message_until_next_decision() {
    let waiting = story();
    let told = |old: &LicenseSeatsStatus, why: Option<&str>| {
        let due = waiting.follow();
        let decision = why.map(|why| due.clone().not_sent_yet(why.into(), Duration::from_secs(7))).unwrap_or(due);
        let finding = Finding::Decided { desired: &waiting.desired, seen: &waiting.seen, decision: &decision };
        report(old, 3, &finding, now()).status
    };
    let (why, before) = (Some("acme.test answers with status 503"), told(&LicenseSeatsStatus::default(), None));
    let (ready, base) = said(&before, kind::READY);
    let unsent = told(&before, why);
    assert_eq!(said(&unsent, kind::READY), (ready, format!("{base}. Not sent yet: acme.test answers with status 503")));
    assert_eq!(said(&unsent, kind::RECONCILING).1, said(&unsent, kind::READY).1, "it repeats the message of Ready");
    assert_eq!(told(&unsent, why), unsent, "said once");
    assert!(
        !said(&says_turn(&unsent, "Acme", None, later(90)), kind::READY).1.contains("Not sent yet"),
        "one at a time"
    );
    let fault =
        Fault { remedy: Remedy::Time { after: None, secret_may_help: false }, ..Fault::spec("no answer".into()) };
    let hiccup = Finding::Failed { fault: &fault, desired: None, account: None, stale: false };
    assert_eq!(report(&unsent, 3, &hiccup, later(90)).status, unsent, "it is still true");
    assert_eq!(told(&unsent, None), before);
}

#[test]
fn reading_while_path_for_changes_is_closed_is_recorded_with_plan_due() {
    let due = story().uses(Usage::Exact(80));
    let plan = due.follow().plan.unwrap();
    let full = due.uses(Usage::Exact(100));
    let decision = full.decided_at(plan.basis.as_deref(), now());
    assert!(matches!(decision.verdict, Verdict::Change(_)), "{decision:?}");
    let decision = decision.not_sent_yet("acme.test answers with status 503".into(), Duration::from_secs(7));
    assert_eq!(decision.wake, Some(Duration::from_secs(7)));
    let finding = Finding::Decided { desired: &full.desired, seen: &full.seen, decision: &decision };
    let status = report(&LicenseSeatsStatus::default(), 3, &finding, now()).status;
    assert_eq!((status.used, said(&status, kind::SEAT_SHORTAGE).0.as_str()), (Some(100), "True/Exhausted"));
    assert_eq!(status.intent, None, "nothing has left");
    let recorded = status.plan.unwrap();
    assert_eq!(recorded.blocked_by, []);
    assert!(matches!(full.decided_at(recorded.basis.as_deref(), now()).verdict, Verdict::Change(_)));
}
