//! A 403 to a change is the key's missing role only where a fresh token shows the same: the token may have been of former rights, or
//! something in front of Bitwarden may have answered.

use super::error::BitwardenError;
use super::session::BitwardenSession;

impl BitwardenSession {
    /// Whether a fresh token shows that the key may not read the subscription either. Without a fresh token nothing is shown.
    pub(super) async fn lacks_role(&self, number: u64) -> bool {
        self.tokens.replace(number, self.connection.settings.credential_probe).await
            && self.subscription().await.is_err_and(|error| error == BitwardenError::Forbidden)
    }
}
