//! Publishes the events of an object.

use std::time::Duration;

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource, ResourceExt};

use super::object_metadata::ObjectMetadata;
use crate::domain::Notice;

/// The longest wait for the apiserver to take an event.
const LONGEST: Duration = Duration::from_secs(5);

/// Where events go.
pub(super) struct Events(Recorder);

impl Events {
    pub fn new(client: Client) -> Self {
        Self(Recorder::new(client, Reporter { controller: "seatkeeper".into(), instance: None }))
    }

    /// Publishes notices as events, in their order. A failure is only logged, for the status says the same.
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
            match tokio::time::timeout(LONGEST, self.0.publish(&event, &reference)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(object = %object.name_any(), %error, "event not published"),
                Err(_) => tracing::warn!(object = %object.name_any(), "event not published within 5 s"),
            }
        }
    }
}
