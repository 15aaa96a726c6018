//! What a client gets from a request that a wire fault hits: executed or not, late, cut, slow, or not the vendor at all.

use std::sync::Arc;

use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, StatusCode, header},
};

use super::{Bitwarden, context::Context};
use crate::{
    faults::{FaultKind, registry::Active},
    http::{Answer, Request},
    wire::Reply,
};

impl Bitwarden {
    /// The way of a request hit by a wire fault.
    #[expect(clippy::too_many_lines, reason = "one match: an arm for each fault")]
    pub(crate) async fn broken(&self, context: Context, request: Request, fault: &Arc<Active>) -> Reply {
        match &fault.fault.kind {
            FaultKind::Answer { status, headers, body, apply } => {
                if *apply {
                    self.execute(&context, &request).await;
                }
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut answer = Answer::empty(status);
                answer.body = Bytes::from(body.clone());
                for (name, value) in headers {
                    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                        answer.headers.insert(name, value);
                    }
                }
                Reply::Whole(answer)
            }
            FaultKind::Delay { before_ms, after_ms } => {
                fault.pause(*before_ms).await;
                let answer = self.execute(&context, &request).await;
                fault.pause(*after_ms).await;
                Reply::Whole(answer)
            }
            FaultKind::Drop { apply } => {
                if *apply {
                    self.execute(&context, &request).await;
                }
                Reply::Dropped
            }
            FaultKind::ApplyLate { after_ms } => {
                let (sim, fault, ms, busy) = (self.clone(), Arc::clone(fault), *after_ms, self.busy());
                tokio::spawn(async move {
                    let _busy = busy;
                    fault.pause(ms).await;
                    sim.execute(&context.late(), &request).await;
                });
                Reply::Dropped
            }
            FaultKind::Truncate => Reply::Truncated(self.execute(&context, &request).await),
            FaultKind::Reset => Reply::Reset(self.execute(&context, &request).await),
            FaultKind::Drip { bytes_per_second } => {
                Reply::Drip(self.execute(&context, &request).await, *bytes_per_second)
            }
            FaultKind::HugeBody { bytes } => Reply::Huge(*bytes),
            FaultKind::HeaderFlood { count } => Reply::Flood(self.execute(&context, &request).await, *count),
            FaultKind::Html => {
                let mut answer = Answer::empty(StatusCode::OK).with(header::CONTENT_TYPE, "text/html; charset=utf-8");
                answer.body = Bytes::from_static(b"<!doctype html><title>Sign in</title><p>Please sign in.</p>");
                Reply::Whole(answer)
            }
            FaultKind::Body { text } => Reply::Whole(Answer::json_bytes(StatusCode::OK, text.clone())),
            FaultKind::EdgeThrottle => Reply::Whole(Answer::empty(StatusCode::TOO_MANY_REQUESTS)),
            FaultKind::EdgeForbidden => {
                let mut answer = Answer::empty(StatusCode::FORBIDDEN).with(header::CONTENT_TYPE, "text/plain");
                answer.body = Bytes::from_static(b"error code: 1020");
                Reply::Whole(answer)
            }
            // Inner kinds never get here: the context carries them.
            _ => Reply::Whole(self.execute(&context, &request).await),
        }
    }
}
