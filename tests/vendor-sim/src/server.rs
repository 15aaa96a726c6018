//! The two listeners. A request, once read, runs in a task of its own: Bitwarden does not stop when the client hangs
//! up (docs/vendors/bitwarden.md, "How long a request can run"), and neither do we.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Router, body::Body, http::Uri};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::bitwarden::{Bitwarden, context::Client};

/// What a port serves: everything under `/api` and `/identity`, or one of the two as the root
/// ("Addresses of a deployment").
#[derive(Clone, Copy, Debug)]
pub(crate) enum Serves {
    Everything,
    Api,
    Identity,
}

impl Serves {
    /// The path as it is on the port that serves everything.
    fn place(self, uri: &Uri) -> Option<Uri> {
        let prefix = match self {
            Self::Everything => return None,
            Self::Api => "/api",
            Self::Identity => "/identity",
        };
        Uri::try_from(format!("{prefix}{}", uri.path_and_query()?)).ok()
    }
}

/// Dropping it stops the listeners and closes the connections.
#[derive(Debug)]
pub(crate) struct Running(watch::Sender<bool>);

impl Default for Running {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

/// Resolves when the [`Running`] is gone.
async fn stopped(mut stop: watch::Receiver<bool>) {
    while stop.changed().await.is_ok() {}
}

pub(crate) async fn serve_tls(
    listen: SocketAddr,
    config: Arc<ServerConfig>,
    bitwarden: Bitwarden,
    serves: Serves,
    running: &Running,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let acceptor = TlsAcceptor::from(config);
    let stop = running.0.subscribe();
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopped(stop.clone()) => return,
            };
            if let Ok((stream, peer)) = accepted {
                let (acceptor, bitwarden, stop) = (acceptor.clone(), bitwarden.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = connection(stream, peer.ip(), acceptor, bitwarden, serves) => {}
                        () = stopped(stop) => {}
                    }
                });
            }
        }
    });
    Ok(address)
}

async fn connection(stream: TcpStream, peer: IpAddr, acceptor: TlsAcceptor, bitwarden: Bitwarden, serves: Serves) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let reset = Arc::new(AtomicBool::new(false));
    let service = {
        let reset = Arc::clone(&reset);
        service_fn(move |mut request: hyper::Request<Incoming>| {
            if let Some(uri) = serves.place(request.uri()) {
                *request.uri_mut() = uri;
            }
            Box::pin(serve(bitwarden.clone(), peer, request, Arc::clone(&reset)))
        })
    };
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = (&mut connection).await;
    if reset.load(Ordering::SeqCst) {
        // Closing with a zero linger sends RST instead of FIN.
        let _ = connection.into_parts().io.into_inner().get_ref().0.set_zero_linger();
    }
}

/// Tells the handler that its client is gone, unless the answer was handed over.
struct Waiting {
    client: Arc<Client>,
    bitwarden: Bitwarden,
    answered: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            self.client.hang_up(&self.bitwarden);
        }
    }
}

async fn serve(
    bitwarden: Bitwarden,
    peer: IpAddr,
    request: hyper::Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> io::Result<axum::http::Response<Body>> {
    let client = Arc::new(Client::default());
    let mut waiting = Waiting { client: Arc::clone(&client), bitwarden: bitwarden.clone(), answered: false };
    let reply = tokio::spawn(bitwarden.exchange(peer, request.map(Body::new), client)).await;
    waiting.answered = true;
    reply.map_err(io::Error::other)?.into_response(&reset)
}

pub(crate) async fn serve_control(listen: SocketAddr, router: Router, running: &Running) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let stop = running.0.subscribe();
    tokio::spawn(async move {
        tokio::select! {
            _ = async { axum::serve(listener, router).await } => {}
            () = stopped(stop) => {}
        }
    });
    Ok(address)
}
