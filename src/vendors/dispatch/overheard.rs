//! Only in tests: hears every request in the place of its vendor, at the one point where requests leave, and answers it.

use std::cell::RefCell;

use reqwest::{Request, Response, Url};

/// A request that would have left.
pub(in crate::vendors) struct Sent {
    pub method: String,
    pub url: Url,
    /// Address, headers and body.
    pub bytes: Vec<u8>,
}

impl Sent {
    fn of(request: &Request) -> Self {
        let headers = request.headers().iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]);
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let parts: Vec<&[u8]> = [request.url().as_str().as_bytes()].into_iter().chain(headers).chain([body]).collect();
        Self { method: request.method().to_string(), url: request.url().clone(), bytes: parts.join(&b'\n') }
    }

    pub fn carries(&self, text: &str) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

type Answer = fn(&Sent) -> (u16, String);

thread_local!(static LISTENER: RefCell<Option<(Answer, Vec<Sent>)>> = const { RefCell::new(None) });

/// Runs something on this thread while nothing leaves. Returns what would have left, and the result.
pub(in crate::vendors) fn all_that_leaves<T>(answer: Answer, run: impl Future<Output = T>) -> (Vec<Sent>, T) {
    LISTENER.set(Some((answer, Vec::new())));
    let result = tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(run);
    (LISTENER.take().map(|(_, sent)| sent).unwrap_or_default(), result)
}

/// The answer to a request, if a test listens.
pub(super) fn instead(request: &Request) -> Option<Response> {
    LISTENER.with_borrow_mut(|listener| {
        let (answer, all) = listener.as_mut()?;
        let sent = Sent::of(request);
        let (status, body) = answer(&sent);
        all.push(sent);
        Some(http::Response::builder().status(status).body(body).expect("an answer").into())
    })
}
