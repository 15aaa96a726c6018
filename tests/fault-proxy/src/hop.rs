//! Carries requests from the operator to a server, and does to one of them what was planned. A request, once read,
//! runs in a task of its own: nothing here stops because its client has hung up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::state::{State, Watches};
use crate::{Action, Deed, Hop, Identity, Place, Upstream};

type Body = UnsyncBoxBody<Bytes, io::Error>;
type Answer = Response<Body>;

/// Accepts until it is dropped.
pub(crate) async fn serve(listener: TcpListener, identity: Identity, upstream: Upstream, hop: Hop, state: Arc<State>) {
    let acceptor = TlsAcceptor::from(identity.config);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let reset = Arc::new(AtomicBool::new(false));
                let line = Line { hop, state: Arc::clone(&state), upstream: upstream.clone(), server: Arc::default(), reset };
                connections.spawn(connection(stream, acceptor.clone(), line));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection of the operator, and the one to the server that belongs to it.
#[derive(Clone)]
struct Line {
    hop: Hop,
    state: Arc<State>,
    upstream: Upstream,
    server: Arc<Mutex<Option<SendRequest<Full<Bytes>>>>>,
    reset: Arc<AtomicBool>,
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, line: Line) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let reset = Arc::clone(&line.reset);
    let service = service_fn(move |request: Request<Incoming>| {
        let line = line.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let request = Request::from_parts(head, Full::new(bytes.clone()));
            tokio::spawn(async move { line.exchange(request, &bytes).await }).await.map_err(io::Error::other)?
        })
    });
    let mut connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = (&mut connection).await;
    if reset.load(Ordering::SeqCst) {
        // Closing with a zero linger sends RST instead of FIN.
        let _ = connection.into_parts().io.into_inner().get_ref().0.set_zero_linger();
    }
}

impl Line {
    async fn exchange(self, request: Request<Full<Bytes>>, body: &[u8]) -> io::Result<Answer> {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let watch = request.uri().query().is_some_and(|query| query.contains("watch="));
        let named = path.contains("/licenseseats/") || path.contains("/secrets/");
        if self.hop == Hop::Apiserver && !(named && !watch) {
            return if watch { self.watch(request).await } else { self.pass(request).await };
        }
        if method == "GET" && path.contains("/licenseseats/") {
            self.state.pass_begins().await;
        }
        let Some((number, action)) = self.state.number(self.hop, &method, &path, body) else {
            return self.pass(request).await;
        };
        let purchase = self.hop == Hop::Vendor && method == "PUT";
        if purchase {
            self.hand(Deed::Purchase).await;
            self.state.purchases.send_modify(|purchases| *purchases += 1);
        }
        let exchange = Numbered { line: self, number, purchase };
        match action {
            None => exchange.carry_out(request).await.map(|done| exchange.answer(done)),
            Some(action) => exchange.act(action, request).await,
        }
    }

    async fn hand(&self, deed: Deed) {
        (self.state.hand)(deed).await;
    }

    /// Waits until another purchase arrives, but no longer than this.
    fn other_purchase(&self, longest: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut purchases = self.state.purchases.subscribe();
        purchases.mark_unchanged();
        async move {
            let _ = tokio::time::timeout(longest, purchases.changed()).await;
        }
    }

    async fn send(&self, mut request: Request<Full<Bytes>>) -> io::Result<Response<Incoming>> {
        // The operator speaks origin form already; only the connection is ours.
        request.headers_mut().remove(TRANSFER_ENCODING);
        let mut server = self.server.lock().await;
        let kept = match server.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        *server = Some(sender);
        Ok(response)
    }

    async fn connect(&self) -> io::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.upstream.address).await?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::clone(&self.upstream.config));
        let stream = connector.connect(self.upstream.name.clone(), stream).await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn pass(&self, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        Ok(self.send(request).await?.map(|body| body.map_err(io::Error::other).boxed_unsync()))
    }

    /// A watch ends or falls silent when it is told to.
    async fn watch(&self, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let once = self.state.watches.send_if_modified(|watches| {
            let gone = *watches == Watches::Gone;
            if gone {
                *watches = Watches::Pass;
            }
            gone
        });
        if once {
            let expired = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}"#;
            return Ok(whole(StatusCode::GONE, &[("content-type", "application/json")], expired.into()));
        }
        let mut told = self.state.watches.subscribe();
        told.mark_unchanged();
        let (head, body) = self.send(request).await?.into_parts();
        let frames = body.into_data_stream().map(|chunk| chunk.map(Frame::data).map_err(io::Error::other));
        let until = async move {
            if told.wait_for(|watches| *watches == Watches::Gone).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // Frozen: the stream is not polled any more, but stays open.
        let frozen = self.state.watches.subscribe();
        let frames = frames.take_until(Box::pin(until));
        let frames = stream::unfold((Box::pin(frames), frozen), async |(mut frames, frozen)| {
            let next = frames.next().await;
            if *frozen.borrow() == Watches::Frozen {
                std::future::pending::<()>().await;
            }
            next.map(|frame| (frame, (frames, frozen)))
        });
        let frames: Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>> = Box::pin(frames);
        Ok(Response::from_parts(head, StreamBody::new(frames).boxed_unsync()))
    }
}

/// A request with a number.
struct Numbered {
    line: Line,
    number: usize,
    purchase: bool,
}

type Done = Response<Bytes>;

impl Numbered {
    async fn carry_out(&self, request: Request<Full<Bytes>>) -> io::Result<Done> {
        let (head, body) = self.line.send(request).await?.into_parts();
        let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
        self.line.state.executed(self.number, head.status.as_u16());
        Ok(Response::from_parts(head, bytes))
    }

    fn answer(&self, done: Done) -> Answer {
        self.line.state.answered(self.number, done.status().as_u16());
        done.map(|bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
    }

    async fn act(self, action: Action, request: Request<Full<Bytes>>) -> io::Result<Answer> {
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
            Action::Truncate => self.carry_out(request).await.map(half),
            Action::Reset => {
                self.line.reset.store(true, Ordering::SeqCst);
                self.carry_out(request).await.map(half)
            }
            Action::WatchGone => self.tell_watches(Watches::Gone, request).await,
            Action::WatchFrozen => self.tell_watches(Watches::Frozen, request).await,
        }
    }

    async fn kill(self, place: Place, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        match place {
            Place::Before => {
                self.line.hand(Deed::Kill).await;
                Err(closed())
            }
            Place::Underway => {
                let line = self.line.clone();
                let killed = async {
                    // Once the server has begun; it does not stop because its client is gone.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    line.hand(Deed::Kill).await;
                    line.hand(Deed::DeleteLease).await;
                };
                let _ = tokio::join!(self.carry_out(request), killed);
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

fn closed() -> io::Error {
    io::Error::other("the proxy closes the connection")
}

fn whole(status: StatusCode, headers: &[(&str, &str)], body: Bytes) -> Answer {
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
