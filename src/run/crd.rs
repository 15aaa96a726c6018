//! Waits for what must be there before anything can be watched.

use std::time::Duration;

use kube::Client;
use tokio::sync::watch;

use crate::server::Waiting;

/// How often to look for an apiserver or a CRD that is not there yet.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How long one such look may take.
const LOOK: Duration = Duration::from_secs(10);

/// Waits for the apiserver and the CRD, saying what is missing. Discovery needs no rights of our own.
pub(super) async fn wait_for_crd(client: &Client, waiting: &watch::Sender<Waiting>) {
    loop {
        let looked = tokio::time::timeout(LOOK, client.list_api_group_resources("seatkeeper.dev/v1alpha1")).await;
        let missing = match looked {
            Ok(Ok(list)) if list.resources.iter().any(|resource| resource.name == "licenseseats") => {
                let next = Some("waiting for the first list of LicenseSeats".into());
                return waiting.send_modify(|waiting| waiting.start = next);
            }
            Ok(Ok(_)) => missing_crd(),
            // A group that nobody serves is answered in plain text, so only the code tells.
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => missing_crd(),
            Ok(Err(kube::Error::Api(status))) => {
                format!("waiting for the apiserver: {} ({})", status.message, status.code)
            }
            Ok(Err(error)) => format!("waiting for the apiserver: {error}"),
            Err(_) => format!("waiting for the apiserver: no answer within {} s", LOOK.as_secs()),
        };
        let news = waiting.borrow().start.as_ref() != Some(&missing);
        if news {
            tracing::warn!("{missing}");
            waiting.send_modify(|waiting| waiting.start = Some(missing));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn missing_crd() -> String {
    "waiting for the CRD licenseseats.seatkeeper.dev: install it with `seatkeeper crd | kubectl apply --server-side -f -`".into()
}
