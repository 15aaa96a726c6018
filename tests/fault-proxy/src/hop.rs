//! Carries requests from the operator to a server. A request, once read, runs in a task of its own: nothing here stops
//! because its client has hung up.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::acting::{Numbered, closed, whole};
use crate::hidden::{Lines, without};
use crate::state::{State, Watches, buys};
use crate::weaker::unversioned;
use crate::{Deed, Hop, Identity, Leases, Part, Upstream};

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;
pub(crate) type Answer = Response<Body>;

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
pub(crate) struct Line {
    hop: Hop,
    pub(crate) state: Arc<State>,
    upstream: Upstream,
    server: Arc<Mutex<Option<SendRequest<Full<Bytes>>>>>,
    /// The connection ends with a reset.
    pub(crate) reset: Arc<AtomicBool>,
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, line: Line) {
    let _ = stream.set_nodelay(true);
    let mut handshake = line.state.handshake.subscribe();
    if line.hop == Hop::Vendor {
        let mut taken = None;
        line.state.handshake.send_if_modified(|longest| {
            taken = longest.take();
            false
        });
        if let Some(longest) = taken {
            line.hand(Deed::Stop).await;
            line.other_purchase(longest).await;
            line.hand(Deed::Continue).await;
        }
    }
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let vendor = line.hop == Hop::Vendor;
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
    let told_to_end = async {
        if !vendor || handshake.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        _ = &mut connection => {}
        () = told_to_end => return,
    }
    if reset.load(Ordering::SeqCst) {
        // Closing with a zero linger sends RST instead of FIN.
        let _ = connection.into_parts().io.into_inner().get_ref().0.set_zero_linger();
    }
}

impl Line {
    async fn exchange(self, request: Request<Full<Bytes>>, body: &[u8]) -> io::Result<Answer> {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let watch = request.uri().query().is_some_and(|query| query.contains("watch="));
        if self.hop == Hop::Apiserver && path.starts_with("/apis/coordination.k8s.io/") {
            return self.lease(request).await;
        }
        let named = path.contains("/licenseseats/") || path.contains("/secrets/");
        if self.hop == Hop::Apiserver && (watch || !named) {
            return if watch { self.watch(request).await } else { self.list(request, &path).await };
        }
        if method == "GET" && path.contains("/licenseseats/") {
            self.state.pass_begins().await;
        }
        let Some((number, action)) = self.state.number(self.hop, &method, &path, body) else {
            return self.pass(request).await;
        };
        let blind = self.hop == Hop::Apiserver && self.state.lacks(Part::CompareAndSwap);
        let request = if blind { unversioned(request, body) } else { request };
        let purchase = buys(self.hop, &method, &path);
        if purchase {
            self.hand(Deed::Purchase).await;
            self.state.purchases.send_modify(|purchases| *purchases += 1);
        }
        let exchange = Numbered { line: self, number, purchase };
        let outage = if purchase { exchange.line.state.outage() } else { None };
        match (action, outage) {
            (Some(action), _) => exchange.act(action, request).await,
            (None, Some(outage)) => Ok(exchange.unavailable(outage)),
            (None, None) => exchange.carry_out(request).await.map(|done| exchange.answer(done)),
        }
    }

    /// Whether a request of this method reads something of the vendor.
    pub(crate) fn reads_vendor(&self, method: &Method) -> bool {
        self.hop == Hop::Vendor && method == Method::GET
    }

    pub(crate) async fn hand(&self, deed: Deed) {
        (self.state.hand)(deed).await;
    }

    /// Waits until another purchase arrives, but no longer than this.
    pub(crate) fn other_purchase(&self, longest: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut purchases = self.state.purchases.subscribe();
        purchases.mark_unchanged();
        async move {
            let _ = tokio::time::timeout(longest, purchases.changed()).await;
        }
    }

    /// Waits until another purchase arrives, or until what is held back may go.
    pub(crate) fn overtaken(&self) -> impl Future<Output = ()> + Send + use<> {
        let (mut purchases, mut let_go) = (self.state.purchases.subscribe(), self.state.let_go.subscribe());
        purchases.mark_unchanged();
        let another = async move {
            let _ = purchases.changed().await;
        };
        let told = async move {
            let _ = let_go.wait_for(|go| *go).await;
        };
        async move {
            tokio::select! {
                () = another => {}
                () = told => {}
            }
        }
    }

    /// The same with a connection of its own to the server.
    pub(crate) fn apart(&self) -> Self {
        Self { server: Arc::default(), ..self.clone() }
    }

    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> io::Result<Response<Incoming>> {
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

    /// The object that this list or watch leaves out.
    fn hidden(&self, path: &str) -> Option<String> {
        let hidden = self.state.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        hidden.clone().filter(|_| path.ends_with("/licenseseats"))
    }

    /// A list, or what else names no object.
    async fn list(&self, request: Request<Full<Bytes>>, path: &str) -> io::Result<Answer> {
        let Some(name) = self.hidden(path) else { return self.pass(request).await };
        let (mut head, body) = self.send(request).await?.into_parts();
        let (bytes, held) = without(body.collect().await.map_err(io::Error::other)?.to_bytes(), &name);
        self.state.left_out.fetch_add(usize::from(held), Ordering::SeqCst);
        head.headers.remove(TRANSFER_ENCODING);
        head.headers.insert(CONTENT_LENGTH, bytes.len().into());
        Ok(Response::from_parts(head, Full::new(bytes).map_err(|never| match never {}).boxed_unsync()))
    }

    async fn lease(&self, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let fate = *self.state.leases.borrow();
        if fate != Leases::Pass {
            self.state.leases_lost.fetch_add(1, Ordering::SeqCst);
        }
        match fate {
            Leases::Pass => self.pass(request).await,
            Leases::Refused(status) => {
                let reason = if status == 403 { "Forbidden" } else { "ServiceUnavailable" };
                let body = format!(
                    r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"injected","reason":"{reason}","code":{status}}}"#
                );
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                Ok(whole(status, &[("content-type", "application/json")], body.into()))
            }
            Leases::Unanswered => {
                let _ = self.state.leases.subscribe().wait_for(|fate| *fate != Leases::Unanswered).await;
                Err(closed())
            }
        }
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
            self.state.watches_broken.fetch_add(1, Ordering::SeqCst);
            let expired = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}"#;
            return Ok(whole(StatusCode::GONE, &[("content-type", "application/json")], expired.into()));
        }
        let mut told = self.state.watches.subscribe();
        told.mark_unchanged();
        let hidden = self.hidden(request.uri().path());
        let (head, body) = self.send(request).await?.into_parts();
        let (mut lines, counting) = (Lines::default(), Arc::clone(&self.state));
        let frames = body.into_data_stream().map(move |chunk| {
            let chunk = chunk.map_err(io::Error::other)?;
            let Some(name) = &hidden else { return Ok(Frame::data(chunk)) };
            let (told, left_out) = lines.take(&chunk, name);
            counting.left_out.fetch_add(left_out, Ordering::SeqCst);
            Ok(Frame::data(told))
        });
        let until = async move {
            if told.wait_for(|watches| *watches == Watches::Gone).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // Frozen: the stream is not polled any more, but stays open.
        let state = Arc::clone(&self.state);
        let frames = frames.take_until(Box::pin(until));
        let frames = stream::unfold((Box::pin(frames), state), async |(mut frames, state)| {
            let next = frames.next().await;
            let frozen = *state.watches.borrow() == Watches::Frozen;
            if frozen {
                state.watches_broken.fetch_add(usize::from(next.is_some()), Ordering::SeqCst);
                std::future::pending::<()>().await;
            }
            next.map(|frame| (frame, (frames, state)))
        });
        let frames: Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>> = Box::pin(frames);
        Ok(Response::from_parts(head, StreamBody::new(frames).boxed_unsync()))
    }
}
