//! Reads the CRD of the cluster before the first watch, and from then on. Reports its faults in `/readyz`, and informs the
//! controller, which sends nothing if the CRD is older than the operator.

use std::convert::Infallible;
use std::time::Duration;

use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, StatusCode};
use kube::Client;
use kube::client::Body;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::api::lacking;
use crate::controller::{Context, CrdState, plain};
use crate::server::Waiting;

/// How often to read it while something is missing, and the shortest time between two readings.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How often to read it while it is complete. A hint of a change is a reason to read it at once.
const CHECK: Duration = Duration::from_secs(15);

/// The longest time for one reading.
const LOOK: Duration = Duration::from_secs(10);

const GROUP_VERSION: &str = "seatkeeper.dev/v1alpha1";
const OPENAPI: &str = "/openapi/v3/apis/seatkeeper.dev/v1alpha1";

/// Reads the CRD as long as the operator runs. The last finding counts while the apiserver does not answer.
pub(super) async fn keep_looking(client: &Client, context: &Context, waiting: &watch::Sender<Waiting>) -> Infallible {
    let mut schema = Schema::default();
    loop {
        let trouble = match look_in_time(client, &mut schema).await {
            Ok(state) => {
                let trouble = state.trouble();
                context.crd_is(state);
                say(waiting, trouble.clone());
                trouble
            }
            Err(trouble) => {
                if context.crd_is_missing() {
                    say(waiting, Some(trouble.clone()));
                }
                Some(trouble)
            }
        };
        sleep(LOOK_AGAIN).await;
        if trouble.is_none() {
            tokio::select! {
                () = context.crd_doubted() => {}
                () = sleep(CHECK - LOOK_AGAIN) => {}
            }
        }
    }
}

/// Reads and reports the CRD once.
pub(super) async fn look_once(client: &Client) -> Result<CrdState, String> {
    look_in_time(client, &mut Schema::default()).await
}

async fn look_in_time(client: &Client, schema: &mut Schema) -> Result<CrdState, String> {
    let slow = || Err(format!("waiting for the apiserver: no answer within {} s", LOOK.as_secs()));
    timeout(LOOK, look(client, schema)).await.unwrap_or_else(|_| slow())
}

fn say(waiting: &watch::Sender<Waiting>, trouble: Option<String>) {
    if waiting.borrow().crd == trouble {
        return;
    }
    match &trouble {
        Some(trouble) => tracing::warn!("{trouble}"),
        None => tracing::info!("the CRD has every field of this operator"),
    }
    waiting.send_modify(|waiting| waiting.crd = trouble);
}

/// The schema that was read last, and what it lacks.
#[derive(Default)]
struct Schema {
    etag: Option<HeaderValue>,
    lacking: Vec<String>,
}

/// Reads the CRD once. Discovery and the schema need no rights of our own: `system:discovery` gives them to every
/// ServiceAccount.
async fn look(client: &Client, schema: &mut Schema) -> Result<CrdState, String> {
    let resources = match client.list_api_group_resources(GROUP_VERSION).await {
        Ok(list) => list.resources,
        // A group that is not served is answered in plain text, so only the status code counts.
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(CrdState::Missing),
        Err(error) => return Err(unanswered(&error)),
    };
    let served = |name: &str| resources.iter().any(|resource| resource.name == name);
    if !served("licenseseats") {
        return Ok(CrdState::Missing);
    }
    read_schema(client, schema).await?;
    let mut lacking = schema.lacking.clone();
    if !served("licenseseats/status") {
        lacking.push("subresources.status".into());
    }
    Ok(if lacking.is_empty() { CrdState::Current } else { CrdState::Older(lacking) })
}

/// Whether the apiserver serves `SeatApproval`, of an API group that it serves.
pub(super) async fn serves_approvals(client: &Client) -> Result<bool, String> {
    let list = client.list_api_group_resources(GROUP_VERSION).await.map_err(|error| unanswered(&error))?;
    Ok(list.resources.iter().any(|resource| resource.name == "seatapprovals"))
}

/// Reads the schema, if it is not the one that was read last.
async fn read_schema(client: &Client, schema: &mut Schema) -> Result<(), String> {
    let mut request = Request::get(OPENAPI).header(ACCEPT, "application/json");
    if let Some(etag) = &schema.etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let request = request.body(Body::empty()).map_err(|error| unread(&error.to_string()))?;
    let response = client.send(request).await.map_err(|error| unanswered(&error))?;
    let (status, etag) = (response.status(), response.headers().get(ETAG).cloned());
    if status == StatusCode::NOT_MODIFIED && schema.etag.is_some() {
        return Ok(());
    }
    if status != StatusCode::OK {
        return Err(unread(&format!("the answer is {status}")));
    }
    let bytes = response.into_body().collect_bytes().await.map_err(|error| unanswered(&error))?;
    let document = serde_json::from_slice(&bytes).map_err(|_| unread("the answer is not JSON"))?;
    let lacking = lacking(&document).ok_or_else(|| unread("the answer does not describe LicenseSeats"))?;
    *schema = Schema { etag, lacking };
    Ok(())
}

fn unanswered(error: &kube::Error) -> String {
    format!("waiting for the apiserver: {}", plain(error))
}

fn unread(why: &str) -> String {
    format!(
        "waiting for the schema of the CRD licenseseats.seatkeeper.dev at {OPENAPI}: {why}. Every ServiceAccount may read it \
         by the ClusterRole system:discovery"
    )
}
