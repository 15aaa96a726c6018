//! Turns an answer into bytes on the wire, whole or broken as a fault demands.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderName, HeaderValue, Response, header},
};
use http_body::Frame;
use tokio::sync::mpsc;

use crate::http::Answer;

/// What the client gets.
#[derive(Debug)]
pub(crate) enum Reply {
    Whole(Answer),
    Truncated(Answer),
    Reset(Answer),
    Drip(Answer, u64),
    Huge(u64),
    Flood(Answer, u32),
    /// The connection closes without a byte.
    Dropped,
}

impl Reply {
    /// The status the client sees, if any.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(a) | Self::Truncated(a) | Self::Reset(a) | Self::Drip(a, _) | Self::Flood(a, _) => {
                Some(a.status.as_u16())
            }
            Self::Huge(_) => Some(200),
            Self::Dropped => None,
        }
    }

    /// An error makes hyper close the connection.
    pub(crate) fn into_response(self, reset: &Arc<AtomicBool>) -> io::Result<Response<Body>> {
        match self {
            Self::Whole(answer) => Ok(response(&answer, Body::from(answer.body.clone()))),
            Self::Flood(mut answer, count) => {
                for n in 0..count {
                    if let Ok(name) = HeaderName::try_from(format!("x-flood-{n}")) {
                        answer.headers.insert(name, HeaderValue::from_static("0123456789abcdef0123456789abcdef"));
                    }
                }
                Ok(response(&answer, Body::from(answer.body.clone())))
            }
            Self::Truncated(answer) => Ok(partial(&answer, None)),
            Self::Reset(answer) => Ok(partial(&answer, Some(Arc::clone(reset)))),
            Self::Drip(answer, speed) => {
                let (send, body) = channel();
                let bytes = answer.body.clone();
                tokio::spawn(async move {
                    for byte in bytes {
                        if send.send(Ok(Bytes::from(vec![byte]))).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(Duration::from_secs(1) / u32::try_from(speed.max(1)).unwrap_or(u32::MAX))
                            .await;
                    }
                });
                Ok(response(&answer, body))
            }
            Self::Huge(size) => {
                let (send, body) = channel();
                tokio::spawn(async move {
                    let chunk = Bytes::from(vec![b' '; 64 * 1024]);
                    let mut left = size;
                    let _ = send.send(Ok(Bytes::from_static(b"{"))).await;
                    while left > 0 {
                        let n = left.min(chunk.len() as u64);
                        if send.send(Ok(chunk.slice(..usize::try_from(n).unwrap_or(0)))).await.is_err() {
                            return;
                        }
                        left -= n;
                    }
                    let _ = send.send(Ok(Bytes::from_static(b"}"))).await;
                });
                let answer = Answer::json_bytes(axum::http::StatusCode::OK, Bytes::new());
                Ok(response(&answer, body))
            }
            Self::Dropped => Err(io::Error::other("dropped on purpose")),
        }
    }
}

fn response(answer: &Answer, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers.clone();
    response
}

/// Half of the body under the full Content-Length, then the end, or an error with `reset`.
fn partial(answer: &Answer, reset: Option<Arc<AtomicBool>>) -> Response<Body> {
    let (send, body) = channel();
    let length = answer.body.len().max(2);
    let half = answer.body.slice(..answer.body.len() / 2);
    tokio::spawn(async move {
        let _ = send.send(Ok(half)).await;
        // Gives hyper the chance to put the first half on the wire; otherwise not even the head might leave.
        tokio::time::sleep(Duration::from_millis(30)).await;
        if let Some(reset) = reset {
            reset.store(true, Ordering::SeqCst);
            let _ = send.send(Err(io::Error::other("reset on purpose"))).await;
        }
    });
    let mut response = response(answer, body);
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A body fed by a task.
struct Channel(mpsc::Receiver<io::Result<Bytes>>);

fn channel() -> (mpsc::Sender<io::Result<Bytes>>, Body) {
    let (send, receive) = mpsc::channel(1);
    (send, Body::new(Channel(receive)))
}

impl HttpBody for Channel {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }
}
