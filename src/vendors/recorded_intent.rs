//! "No request without a recorded intent", as a type: a vendor takes nothing else, and there is one way to get it.

use std::future::Future;

use crate::api::{Account, Intent};

/// Where intents are recorded before their requests leave.
pub trait Journal {
    /// Why nothing could be recorded.
    type Error;

    /// Records an intent, and returns what is stored of it, as read from where it is stored.
    ///
    /// # Errors
    /// When it is not certain that the intent is stored.
    fn record(&mut self, intent: &Intent) -> impl Future<Output = Result<Option<Intent>, Self::Error>> + Send;
}

/// Why there is no recorded intent.
#[derive(Debug, PartialEq, Eq)]
pub enum NotRecorded<E> {
    /// Recording failed.
    Failed(E),
    /// Something else is stored than was to be recorded.
    Differs,
}

/// An intent that is stored. It lets one request leave: it is used up by that, and cannot be copied.
///
/// It is made by recording, and by nothing else:
///
/// ```compile_fail,E0451
/// # fn f(intent: seatkeeper::api::Intent) {
/// let recorded = seatkeeper::vendors::Recorded { intent };
/// # }
/// ```
///
/// It cannot be copied:
///
/// ```compile_fail,E0599
/// # fn f(recorded: seatkeeper::vendors::Recorded) {
/// let again = recorded.clone();
/// # }
/// ```
///
/// A vendor takes no intent that is not recorded:
///
/// ```compile_fail,E0308
/// # use seatkeeper::{api::Intent, vendors::VendorAccount};
/// # async fn f(account: &dyn VendorAccount, intent: Intent) {
/// account.write(intent, &|| Ok(())).await;
/// # }
/// ```
///
/// And it takes a recorded one once:
///
/// ```compile_fail,E0382
/// # use seatkeeper::vendors::{Recorded, VendorAccount};
/// # async fn f(account: &dyn VendorAccount, recorded: Recorded) {
/// account.write(recorded, &|| Ok(())).await;
/// account.write(recorded, &|| Ok(())).await;
/// # }
/// ```
///
/// Once is well:
///
/// ```no_run
/// # use seatkeeper::vendors::{Recorded, VendorAccount};
/// # async fn f(account: &dyn VendorAccount, recorded: Recorded) {
/// account.write(recorded, &|| Ok(())).await;
/// # }
/// ```
#[derive(Debug)]
pub struct Recorded {
    intent: Intent,
}

impl Recorded {
    /// Records an intent. What is stored must be the whole intent, as it is written.
    ///
    /// # Errors
    /// [`NotRecorded`]: nothing may be sent.
    pub async fn by<J: Journal>(journal: &mut J, intent: &Intent) -> Result<Self, NotRecorded<J::Error>> {
        let stored = journal.record(intent).await.map_err(NotRecorded::Failed)?;
        // As it is written: a moment is stored in whole seconds.
        let written = |intent: &Intent| serde_json::to_value(intent).ok();
        match stored {
            Some(stored) if written(&stored).is_some() && written(&stored) == written(intent) => {
                Ok(Self { intent: intent.clone() })
            }
            _ => Err(NotRecorded::Differs),
        }
    }

    /// Gives the intent out for the one request to the account that it is about.
    ///
    /// # Errors
    /// When it is about another account; the sentence says so.
    pub(super) fn spend(self, account: &Account) -> Result<Intent, &'static str> {
        if account.key().as_deref() == Some(self.intent.account.as_str()) {
            Ok(self.intent)
        } else {
            Err("the intent is about another account")
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::convert::Infallible;

    use futures::FutureExt;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::api::{IntentPhase, SeatsStep, Step, Trigger};

    /// Stores what this makes of an intent.
    struct Stores(fn(Intent) -> Option<Intent>);

    impl Journal for Stores {
        type Error = Infallible;

        async fn record(&mut self, intent: &Intent) -> Result<Option<Intent>, Infallible> {
            Ok((self.0)(intent.clone()))
        }
    }

    /// An intent as if it were recorded.
    pub(in crate::vendors) fn recorded(intent: &Intent) -> Recorded {
        Recorded::by(&mut Stores(Some), intent).now_or_never().unwrap().unwrap()
    }

    fn intent() -> Intent {
        Intent {
            id: "i".into(),
            object_uid: "uid".into(),
            generation: 1,
            wish: None,
            account: "api.test/one".into(),
            step: Step::Seats(SeatsStep { from: 5, to: 6, limit_from: Some(5), limit_to: Some(6) }),
            used: None,
            attempt: 1,
            reason: Trigger::SpecDiffers,
            phase: IntentPhase::Open,
            refused: None,
            answered: 0,
            next_try: None,
            look: None,
            window: None,
            approval: None,
            time: Time("2026-11-22T12:00:00.123456789Z".parse().unwrap()),
        }
    }

    #[test]
    fn intent_that_is_stored_in_part_or_not_at_all_is_not_recorded() {
        let stored: [fn(Intent) -> Option<Intent>; 4] = [
            |_| None,
            |intent| Some(Intent { id: "another".into(), ..intent }),
            |intent| Some(Intent { phase: IntentPhase::Answered, ..intent }),
            |intent| {
                let step = Step::Seats(SeatsStep { from: 5, to: 6, limit_from: Some(5), limit_to: None });
                Some(Intent { step, ..intent })
            },
        ];
        for stores in stored {
            let result = Recorded::by(&mut Stores(stores), &intent()).now_or_never().unwrap();
            assert!(matches!(result, Err(NotRecorded::Differs)), "{result:?}");
        }
        let whole_seconds = |intent: Intent| serde_json::from_value(serde_json::to_value(intent).unwrap()).ok();
        assert!(Recorded::by(&mut Stores(whole_seconds), &intent()).now_or_never().unwrap().is_ok());
    }

    #[test]
    fn recorded_intent_is_given_out_for_its_own_account_alone() {
        let account = |id: &str| Account { vendor: "v".into(), host: Some("api.test".into()), id: Some(id.into()) };
        assert!(recorded(&intent()).spend(&account("one")).is_ok());
        for other in [account("two"), Account { id: None, ..account("one") }] {
            assert!(recorded(&intent()).spend(&other).is_err(), "{other:?}");
        }
    }
}
