//! Lists all objects at the start of a term, because each may have an open change. It makes a list of its own: the watch may have
//! become silent while another replica led, and the scan would miss an object that the watch does not know.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Api;
use kube::api::ListParams;

use super::object_metadata::ObjectMetadata;
use super::stored_object::bounded;
use super::{Context, Error};

const PAGE: u32 = 500;
const AGAIN: Duration = Duration::from_secs(1);

/// Lists all objects at the start of a term, until that succeeds or this replica no longer leads. Nothing is sent before.
pub(super) async fn count(context: &Context, term: u64) {
    let mut told = String::new();
    while context.leadership.is_current() {
        match list(context).await {
            Ok(uids) => return context.pools.inherit(term, uids),
            Err(error) if context.apiserver.tells(&error) => {
                let error = error.to_string();
                if error != told {
                    tracing::warn!(
                        error,
                        "the initial scan cannot list LicenseSeats, so nothing is sent yet; Seatkeeper tries again each second"
                    );
                    told = error;
                }
            }
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Lists the objects again if the scan waits for an object that the watch does not know: it may be gone.
pub(super) async fn recount(context: &Context) {
    let Some(term) = context.pools.waits_for_unknown() else { return };
    if context.leadership.is_current()
        && let Ok(uids) = list(context).await
    {
        context.pools.keep(term, &uids);
    }
}

/// The uids of all objects, by a quorum list.
async fn list(context: &Context) -> Result<BTreeSet<String>, Error> {
    let mut uids = BTreeSet::new();
    for scope in context.scopes() {
        let api: Api<ObjectMetadata> = context.api(&scope);
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let list = bounded(api.list(&page)).await?;
            uids.extend(list.items.into_iter().filter_map(|object| object.metadata.uid));
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => break,
            }
        }
    }
    Ok(uids)
}
