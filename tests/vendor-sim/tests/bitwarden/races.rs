//! What can be lost, late or doubled (docs/vendors/bitwarden.md, "Late and lost effects").

use crate::{Bench, FAILED, LONG, UPDATED, example};
use std::time::Duration;

use vendor_sim::{Actor, Bitwarden, Fault, FaultKind, Step, Webhook};

#[tokio::test]
async fn overlapping_retry_buys_twice() {
    let bench = Bench::new(example().limit(None)).await;
    let (one, two) = bench.overlap(Fault::on_put, 150, || bench.put_seats(150)).await;
    assert_eq!((one.0, two.0), (200, 200));
    assert_eq!(bench.seats(), (Some(200), Some(200)));
}

#[tokio::test]
async fn autoscaling_during_a_put_is_lost_from_the_row() {
    let bench = Bench::new(example().limit(None).members(100)).await;
    let pause = bench.bw.inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: LONG }));
    let script = async {
        assert!(bench.bw.wait_fired(pause, 1).await);
        assert_eq!(bench.seats(), (Some(100), Some(110)), "billed first");
        assert!(bench.bw.join(&bench.key.id, 20));
        assert_eq!(bench.seats().0, Some(120));
        bench.bw.release(pause);
    };
    assert_eq!(tokio::join!(bench.put_seats(110), script).0.0, 200);
    let view = bench.bw.organization(&bench.key.id);
    assert_eq!((view.seats, view.occupied, view.billed.seats), (Some(110), 120, Some(120)));
    let ledger = bench.bw.ledger(&bench.key.id);
    let steps: Vec<_> = ledger.iter().map(|e| (e.who, e.step, e.after.seats, e.billed_after.seats)).collect();
    assert_eq!(
        steps,
        [
            (Actor::OrganizationPut, Step::Billed, Some(100), Some(110)),
            (Actor::Autoscale, Step::Both, Some(120), Some(120)),
            (Actor::OrganizationPut, Step::Row, Some(110), Some(120)),
        ]
    );
}

#[tokio::test]
async fn webhook_puts_the_old_row_back_and_repeating_heals() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.webhook = Webhook::restoring());
    assert_eq!(bench.put_seats(110).await, (200, UPDATED.to_owned()));
    assert_eq!(bench.seats(), (Some(110), Some(110)));
    bench.bw.release_webhooks();
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(100), Some(110)), "old row, new bill");
    assert_eq!(bench.bw.ledger(&bench.key.id).last().unwrap().who, Actor::Webhook);
    assert_eq!(bench.put_seats(110).await.0, 200);
    assert!(bench.bw.settle().await, "an equal quantity is skipped: no webhook");
    assert_eq!(bench.seats(), (Some(110), Some(110)));
}

#[tokio::test]
async fn failures_before_between_and_after() {
    let bench = Bench::new(example()).await;
    let failed = (500, FAILED.to_owned());
    let move_both = r#"{"passwordManager":{"seats":110,"maxAutoScaleSeats":130}}"#;
    let limit = || bench.bw.organization(&bench.key.id).limit;

    bench.bw.inject(Fault::on_put(FaultKind::FailBeforeBilling));
    assert_eq!(bench.put(move_both).await, failed);
    assert_eq!((bench.seats(), limit()), ((Some(100), Some(100)), Some(120)));

    let id = bench.bw.inject(Fault::on_put(FaultKind::FailAfterBilling));
    assert_eq!(bench.put(move_both).await, failed);
    assert_eq!((bench.seats(), bench.bw.fired(id)), ((Some(100), Some(110)), 1), "500, unchanged, billed");

    bench.bw.inject(Fault::on_put(FaultKind::Half));
    assert_eq!(bench.put(move_both).await, failed);
    assert_eq!((bench.seats(), limit()), ((Some(110), Some(110)), Some(120)));

    bench.bw.inject(Fault::on_put(FaultKind::NoEffect));
    assert_eq!(bench.put(move_both).await, (200, UPDATED.to_owned()));
    assert_eq!(limit(), Some(120));
    assert_eq!(bench.put(move_both).await, (200, UPDATED.to_owned()));
    assert_eq!(limit(), Some(130));
}

#[tokio::test]
async fn dropped_request_may_have_been_applied() {
    let bench = Bench::new(example()).await;
    bench.bw.inject(Fault::on_put(FaultKind::Drop { apply: false }));
    bench.put_request(r#"{"passwordManager":{"seats":110}}"#).send().await.unwrap_err();
    assert_eq!(bench.seats().0, Some(100));
    bench.bw.inject(Fault::on_put(FaultKind::Drop { apply: true }));
    bench.put_request(r#"{"passwordManager":{"seats":110}}"#).send().await.unwrap_err();
    assert_eq!(bench.seats().0, Some(110));
    let records: Vec<_> = bench.bw.requests().into_iter().filter(|r| r.method == "PUT").collect();
    let seen: Vec<_> = records.iter().map(|r| (r.status, r.executed, r.client_gone)).collect();
    assert_eq!(seen, [(None, None, false), (None, Some(200), false)]);
    assert_eq!(bench.bw.puts(&bench.key.id), 2);
}

#[tokio::test]
async fn late_application_and_a_client_that_hangs_up() {
    let bench = Bench::new(example()).await;
    let late = bench.bw.inject(Fault::on_put(FaultKind::ApplyLate { after_ms: LONG }));
    bench.put_request(r#"{"passwordManager":{"seats":110}}"#).send().await.unwrap_err();
    assert_eq!(bench.seats(), (Some(100), Some(100)));
    bench.bw.release(late);
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(110), Some(110)));
    assert!(bench.bw.ledger(&bench.key.id).iter().all(|e| e.who == Actor::LateFinisher));

    let pause = bench.bw.inject(Fault::on_put(FaultKind::PauseBeforeRow { ms: LONG }));
    let put = bench.put_request(r#"{"passwordManager":{"seats":115}}"#).send();
    tokio::select! {
        _ = put => unreachable!("it is paused"),
        fired = bench.bw.wait_fired(pause, 1) => assert!(fired),
    }
    // The vendor sees the connection close, and goes on regardless.
    assert!(bench.bw.wait_for(Duration::from_secs(9), |b| b.count(|r| r.client_gone) == 1).await);
    bench.bw.release(pause);
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(115), Some(115)));
    let last = bench.bw.ledger(&bench.key.id).pop().unwrap();
    assert_eq!((last.who, last.step), (Actor::LateFinisher, Step::Row));
}

#[tokio::test]
async fn default_webhook_changes_nothing_but_undoes_request_sent_before_it_ends() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.webhook = Webhook::default());
    assert_eq!(bench.put_seats(110).await, (200, UPDATED.to_owned()));
    assert!(bench.bw.settle().await);
    let ledger = bench.bw.ledger(&bench.key.id);
    assert!(ledger.iter().all(|entry| entry.who == Actor::OrganizationPut), "{ledger:?}");

    // A webhook of the first request holds its row until the second is made.
    bench.bw.switch(|s| s.webhook = Webhook { hold_write: true, ..Webhook::default() });
    assert_eq!(bench.put_seats(112).await.0, 200);
    let holds = |b: &Bitwarden| b.webhooks_holding(&bench.key.id) == 1;
    assert!(bench.bw.wait_for(Duration::from_secs(20), holds).await);
    assert_eq!(bench.put_seats(114).await.0, 200);
    bench.bw.release_webhooks();
    assert!(bench.bw.settle().await);
    let undone = bench.bw.ledger(&bench.key.id).iter().any(|e| e.who == Actor::Webhook && e.after.seats == Some(112));
    assert!(undone, "{:?}", bench.bw.ledger(&bench.key.id));
}

#[tokio::test]
async fn seats_set_by_test_are_not_undone_by_webhook_that_changes_nothing() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.webhook = Webhook { hold_write: true, ..Webhook::default() });
    assert_eq!(bench.put_seats(110).await.0, 200);
    let holds = |b: &Bitwarden| b.webhooks_holding(&bench.key.id) == 1;
    assert!(bench.bw.wait_for(Duration::from_secs(20), holds).await);
    bench.bw.set_seats(&bench.key.id, 115).unwrap();
    bench.bw.release_webhooks();
    assert!(bench.bw.settle().await);
    assert_eq!(bench.seats(), (Some(115), Some(115)));
}

#[tokio::test]
async fn webhook_of_web_vault_change_undoes_request_sent_before_it_ends() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.webhook = Webhook { hold_write: true, ..Webhook::default() });
    bench.bw.set_seats(&bench.key.id, 112).unwrap();
    assert_eq!(bench.bw.webhooks_holding(&bench.key.id), 1);
    bench.bw.switch(|s| s.webhook = Webhook::silent());
    assert_eq!(bench.put_seats(114).await.0, 200);
    bench.bw.release_webhooks();
    assert!(bench.bw.settle().await);
    let ledger = bench.bw.ledger(&bench.key.id);
    let last = ledger.last().map(|entry| (entry.who, entry.request, entry.after.seats, entry.billed_after.seats));
    assert_eq!(last, Some((Actor::Webhook, None, Some(112), Some(114))), "{ledger:?}");
}

#[tokio::test]
async fn change_that_bills_nothing_has_no_webhook() {
    let bench = Bench::new(example()).await;
    bench.bw.switch(|s| s.webhook = Webhook { hold_write: true, ..Webhook::default() });
    bench.bw.set_limit(&bench.key.id, Some(500)).unwrap();
    assert_eq!(bench.bw.webhooks_holding(&bench.key.id), 0);
}
