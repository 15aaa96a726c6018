//! Records an intent before its request is sent: a compare-and-swap of the status on the version that was read, and the whole
//! intent must be stored. Used by `act`.

use super::Error;
use super::stored_object::StoredObject;
use crate::api::{Intent, LicenseSeatsStatus};
use crate::vendors::Journal;

/// Records intents in the status of an object.
pub(super) struct StatusJournal<'a> {
    pub stored: &'a mut StoredObject,
    /// The status with the intent.
    pub status: &'a LicenseSeatsStatus,
    /// The status as it was read.
    pub before: &'a LicenseSeatsStatus,
}

impl Journal for StatusJournal<'_> {
    type Error = Error;

    async fn record(&mut self, _: &Intent) -> Result<Option<Intent>, Error> {
        write_intent(self.stored, self.status, self.before).await?;
        Ok(self.stored.status().ok().and_then(|status| status.intent))
    }
}

/// Compare-and-swap, and the whole intent must be stored, each field of it (docs/never-buys-twice.md, "Record"). After an
/// unknown answer the object is read again: only the writer of the stored intent proceeds.
async fn write_intent(
    stored: &mut StoredObject,
    status: &LicenseSeatsStatus,
    before: &LicenseSeatsStatus,
) -> Result<(), Error> {
    let intent = status.intent.as_ref();
    debug_assert_ne!(status.intent, before.intent);
    let error = match stored.write(status).await {
        Ok(_) if stored.has_intent(intent) => return Ok(()),
        Ok(_) => Error::NotStored(vec!["status.intent".into()]),
        Err(error) => error,
    };
    match error {
        Error::Conflict => Err(error),
        Error::NotStored(_) => {
            // Nothing is sent. A part of an intent must not count later as a request that may be running.
            if let Err(why) = stored.write(before).await {
                tracing::debug!(%why, "a part of an intent stays recorded");
            }
            Err(error)
        }
        error => match stored.again().await? {
            Some(again) if again.has_intent(intent) => {
                *stored = again;
                Ok(())
            }
            _ => Err(error),
        },
    }
}
