//! Does to a numbered request what was planned for it.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode};

use crate::hop::{Answer, Line};
use crate::state::Watches;
use crate::weaker::{reads_object, without_intent};
use crate::{Action, Deed, Instead, Moment, Outage, Part, Place};

/// A request with a number.
pub(crate) struct Numbered {
    pub(crate) line: Line,
    pub(crate) number: usize,
    /// It is a purchase.
    pub(crate) purchase: bool,
}

pub(crate) type Done = Response<Bytes>;

impl Numbered {
    pub(crate) async fn carry_out(&self, request: Request<Full<Bytes>>) -> io::Result<Done> {
        let forgets = reads_object(request.method(), request.uri().path()) && self.line.state.lacks(Part::StoredIntent);
        let looks = self.line.reads_vendor(request.method()) && self.line.state.lacks(Part::FreshNumbers);
        let path = request.uri().path().to_owned();
        let (head, body) = self.line.send(request).await?.into_parts();
        let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
        self.line.state.executed(self.number, head.status.as_u16());
        let done = Response::from_parts(head, bytes);
        Ok(match (forgets, looks) {
            (true, _) => without_intent(done),
            (_, true) => self.line.state.old_numbers_instead(&path, done),
            _ => done,
        })
    }

    pub(crate) fn answer(&self, done: Done) -> Answer {
        self.line.state.answered(self.number, done.status().as_u16());
        done.map(|bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
    }

    #[expect(clippy::too_many_lines, reason = "one match: an arm for each action")]
    pub(crate) async fn act(self, action: Action, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        match action {
            Action::Kill(place) => self.kill(place, request).await,
            Action::Pause(place, long) => self.pause(place, long, request).await,
            Action::PauseUntilPurchase(longest) => {
                let done = self.carry_out(request).await?;
                self.line.hand(Deed::Stop).await;
                let bought = self.line.other_purchase(longest);
                let line = self.line.clone();
                tokio::spawn(async move {
                    bought.await;
                    line.hand(Deed::Continue).await;
                });
                Ok(self.answer(done))
            }
            Action::PauseInHandshake(longest) => {
                self.line.state.handshake.send_replace(Some(longest));
                // The operator must notice that its connections are gone before it wants to use one.
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.carry_out(request).await.map(|done| self.answer(done))
            }
            Action::LoseLease(longest) => {
                let bought = self.line.other_purchase(longest);
                self.line.hand(Deed::DeleteLease).await;
                bought.await;
                self.carry_out(request).await.map(|done| self.answer(done))
            }
            Action::DropRequest => Err(closed()),
            Action::DropAnswer => {
                self.carry_out(request).await?;
                Err(closed())
            }
            Action::Delay(late) => {
                let done = self.carry_out(request).await?;
                tokio::time::sleep(late).await;
                Ok(self.answer(done))
            }
            Action::ApplyLate(late) => {
                tokio::time::sleep(late).await;
                self.carry_out(request).await?;
                Err(closed())
            }
            Action::Answer { status, headers, body, apply } => {
                if apply {
                    self.carry_out(request).await?;
                }
                self.line.state.answered(self.number, status);
                Ok(whole(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), &headers, body.into()))
            }
            Action::AnswerBeside(instead) => {
                let apart = self.apart();
                tokio::spawn(async move { apart.carry_out(request).await });
                Ok(self.instead(instead))
            }
            Action::HoldBack(instead) => {
                let (apart, overtaken) = (self.apart(), self.line.overtaken());
                let held = async move {
                    overtaken.await;
                    apart.carry_out(request).await
                };
                if let Some(instead) = instead {
                    tokio::spawn(held);
                    return Ok(self.instead(instead));
                }
                held.await?;
                Err(closed())
            }
            Action::Outage(outage) => {
                self.line.state.begin_outage(outage);
                Ok(self.unavailable(outage))
            }
            Action::Truncate => self.carry_out(request).await.map(half),
            Action::Reset => {
                self.line.reset.store(true, Ordering::SeqCst);
                self.carry_out(request).await.map(half)
            }
            Action::WatchGone => self.tell_watches(Watches::Gone, request).await,
            Action::WatchFrozen => self.tell_watches(Watches::Frozen, request).await,
            Action::Meanwhile(Moment::Before, what) => {
                self.line.hand(Deed::Happen(what)).await;
                self.carry_out(request).await.map(|done| self.answer(done))
            }
            Action::Meanwhile(Moment::After, what) => {
                let done = self.carry_out(request).await?;
                self.line.hand(Deed::Happen(what)).await;
                Ok(self.answer(done))
            }
        }
    }

    /// The same request on a connection of its own to the server, so that those that follow do not wait for it.
    fn apart(&self) -> Self {
        Self { line: self.line.apart(), ..*self }
    }

    fn instead(&self, Instead { status, header, body }: Instead) -> Answer {
        self.line.state.answered(self.number, status);
        whole(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), &[header], body.into())
    }

    /// The answer of an outage; nothing is carried out.
    pub(crate) fn unavailable(&self, outage: Outage) -> Answer {
        self.line.state.answered(self.number, StatusCode::SERVICE_UNAVAILABLE.as_u16());
        whole(StatusCode::SERVICE_UNAVAILABLE, &[("retry-after", outage.retry_after)], Bytes::new())
    }

    async fn kill(self, place: Place, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        match place {
            Place::Before => {
                self.line.hand(Deed::Kill).await;
                Err(closed())
            }
            Place::Underway => {
                self.line.hand(Deed::PauseVendor).await;
                let mut carried_out = pin!(self.carry_out(request));
                let within = tokio::select! {
                    () = self.line.hand(Deed::AwaitPause) => true,
                    _ = &mut carried_out => false,
                };
                self.line.hand(Deed::Kill).await;
                self.line.hand(Deed::DeleteLease).await;
                self.line.state.killed_in_pause.store(within, Ordering::SeqCst);
                if within {
                    // The vendor does not stop because its client is gone.
                    carried_out.await?;
                }
                Err(closed())
            }
            Place::Withheld => {
                self.carry_out(request).await?;
                self.line.hand(Deed::Kill).await;
                Err(closed())
            }
            Place::Answered => {
                let done = self.carry_out(request).await?;
                let line = self.line.clone();
                // As soon as the answer has had time to arrive; how far the operator gets with it is the point.
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    line.hand(Deed::Kill).await;
                });
                Ok(self.answer(done))
            }
        }
    }

    async fn pause(self, place: Place, long: Duration, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let done = if place == Place::Before { None } else { Some(self.carry_out(request.clone()).await?) };
        self.line.hand(Deed::Stop).await;
        let line = self.line.clone();
        let over = async move {
            tokio::time::sleep(long).await;
            line.hand(Deed::Continue).await;
        };
        match (place, done) {
            (Place::Answered, Some(done)) => {
                // The answer lies in the stopped operator's socket.
                tokio::spawn(over);
                Ok(self.answer(done))
            }
            (Place::Before, _) => {
                over.await;
                if self.purchase { Err(closed()) } else { self.carry_out(request).await.map(|done| self.answer(done)) }
            }
            _ => {
                over.await;
                Err(closed())
            }
        }
    }

    async fn tell_watches(self, watches: Watches, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        self.line.state.watches.send_replace(watches);
        self.carry_out(request).await.map(|done| self.answer(done))
    }
}

pub(crate) fn closed() -> io::Error {
    io::Error::other("the proxy closes the connection")
}

pub(crate) fn whole(status: StatusCode, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (hyper::header::HeaderName::from_bytes(name.as_bytes()), hyper::header::HeaderValue::from_str(value))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Announces everything, says half of it and breaks off.
fn half(done: Done) -> Answer {
    let (mut head, bytes) = done.into_parts();
    head.headers.remove(TRANSFER_ENCODING);
    head.headers.insert(CONTENT_LENGTH, (bytes.len() + 1).into());
    let first = bytes.slice(..bytes.len() / 2);
    // The half must have left before the break, or nothing of the answer would.
    let rest = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(closed())
    };
    let frames = stream::iter([Ok(Frame::data(first))]).chain(stream::once(rest));
    let frames: Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>> = Box::pin(frames);
    Response::from_parts(head, StreamBody::new(frames).boxed_unsync())
}
