//! Publishes the events of an object.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource, ResourceExt};

use super::Error;
use super::apiserver_outage::Apiserver;
use super::object_metadata::ObjectMetadata;
use crate::domain::Notice;

/// The longest wait for the apiserver to take an event.
const LONGEST: Duration = Duration::from_secs(5);

/// Publishes events.
pub(super) struct Events {
    recorder: Recorder,
    apiserver: Arc<Apiserver>,
}

impl Events {
    /// `process`: its name, which begins with the pod's.
    pub fn new(client: Client, process: &str, apiserver: Arc<Apiserver>) -> Self {
        let instance = process.split('_').next().map(str::to_owned);
        let recorder = Recorder::new(client, Reporter { controller: "seatkeeper".into(), instance });
        Self { recorder, apiserver }
    }

    /// Publishes notices as events, in their order. A failure is only logged: the status has the same text.
    pub async fn publish(&self, object: &ObjectMetadata, notices: Vec<Notice>) {
        let reference = object.object_ref(&());
        for notice in notices {
            let event = Event {
                type_: if notice.warning { EventType::Warning } else { EventType::Normal },
                reason: notice.reason.into(),
                note: Some(notice.note.chars().take(1000).collect()),
                action: notice.action,
                secondary: None,
            };
            match tokio::time::timeout(LONGEST, self.recorder.publish(&event, &reference)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.failed(object, &Error::of(error)),
                Err(_) => self.failed(object, &Error::Slow(LONGEST)),
            }
        }
    }

    fn failed(&self, object: &ObjectMetadata, error: &Error) {
        if self.apiserver.tells(error) {
            tracing::warn!(object = %object.name_any(), %error, "event not published");
        }
    }
}
