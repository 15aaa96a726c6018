//! Takes a part of the purchase protocol away from an operator that has all of it, between it and the apiserver or the vendor.

use std::collections::HashMap;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Request, Response};
use serde_json::Value;

/// A part that can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A status is written over whatever is stored: the version that was read does not arrive.
    CompareAndSwap,
    /// Whoever reads an object does not see the intent that is stored.
    StoredIntent,
    /// Once an intent is stored, each reading of the vendor shows what the last one before it showed.
    FreshNumbers,
}

/// What the vendor showed, by path, until an intent was stored.
#[derive(Debug, Default)]
pub(crate) struct OldNumbers(HashMap<String, Bytes>);

impl OldNumbers {
    /// A reading of the vendor as the operator gets it; `intent`: whether one is stored.
    pub(crate) fn instead(&mut self, path: &str, intent: bool, answer: Response<Bytes>) -> Response<Bytes> {
        if !answer.status().is_success() {
            return answer;
        }
        if !intent {
            self.0.insert(path.to_owned(), answer.body().clone());
            return answer;
        }
        let Some(old) = self.0.get(path).cloned() else { return answer };
        let (mut head, _) = answer.into_parts();
        measure(&mut head.headers, &old);
        Response::from_parts(head, old)
    }
}

/// Reads one object.
pub(crate) fn reads_object(method: &Method, path: &str) -> bool {
    method == Method::GET && path.contains("/licenseseats/")
}

/// A write of a status without the version that was read; any other request as it is.
pub(crate) fn unversioned(request: Request<Full<Bytes>>, body: &[u8]) -> Request<Full<Bytes>> {
    let is_write = request.method() == Method::PATCH && request.uri().path().ends_with("/status");
    let patch = serde_json::from_slice::<Value>(body).ok().filter(|_| is_write);
    let blind = patch.and_then(|mut patch| {
        patch.as_object_mut()?.remove("metadata")?;
        Some(Bytes::from(patch.to_string()))
    });
    let Some(bytes) = blind else { return request };
    let (mut head, _) = request.into_parts();
    measure(&mut head.headers, &bytes);
    Request::from_parts(head, Full::new(bytes))
}

/// An object without the intent of its status; any other answer as it is.
pub(crate) fn without_intent(answer: Response<Bytes>) -> Response<Bytes> {
    let (mut head, bytes) = answer.into_parts();
    let parsed = serde_json::from_slice::<Value>(&bytes).ok();
    let forgotten = parsed.and_then(|mut object| {
        object.get_mut("status")?.as_object_mut()?.remove("intent")?;
        Some(Bytes::from(object.to_string()))
    });
    let bytes = forgotten.unwrap_or(bytes);
    measure(&mut head.headers, &bytes);
    Response::from_parts(head, bytes)
}

fn measure(headers: &mut HeaderMap, bytes: &Bytes) {
    headers.remove(TRANSFER_ENCODING);
    headers.insert(CONTENT_LENGTH, bytes.len().into());
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;

    async fn sent(method: Method, path: &str, body: &Value) -> Value {
        let text = body.to_string();
        let request = Request::builder().method(method).uri(path).body(Full::new(Bytes::from(text.clone()))).unwrap();
        let (head, body) = unversioned(request, text.as_bytes()).into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let length = head.headers.get(CONTENT_LENGTH).map(|length| length.to_str().unwrap().to_owned());
        assert!(length.is_none_or(|length| length == bytes.len().to_string()));
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn version_is_taken_from_the_write_of_a_status_and_from_nothing_else() {
        let status = json!({ "intent": null });
        let patch = json!({ "metadata": { "resourceVersion": "7" }, "status": status });
        let path = "/apis/seatkeeper.dev/v1/namespaces/it/licenseseats/acme";
        let blind = sent(Method::PATCH, &format!("{path}/status"), &patch).await;
        assert_eq!(blind, json!({ "status": status }));
        assert_eq!(sent(Method::PATCH, path, &patch).await, patch);
        assert_eq!(sent(Method::PUT, &format!("{path}/status"), &patch).await, patch);
    }

    #[test]
    fn reading_after_intent_is_replaced_by_last_reading_before_it() {
        let mut numbers = OldNumbers::default();
        let mut read = |path: &str, intent, body: &'static str| {
            let answer = numbers.instead(path, intent, Response::new(Bytes::from_static(body.as_bytes())));
            String::from_utf8(answer.into_body().to_vec()).unwrap()
        };
        assert_eq!(read("/organizations/1", false, "90"), "90");
        assert_eq!(read("/organizations/1", false, "100"), "100");
        assert_eq!(read("/organizations/1", true, "130"), "100");
        assert_eq!(read("/organizations/2", true, "130"), "130", "it was never read before");
        let mut failed = Response::new(Bytes::new());
        *failed.status_mut() = hyper::StatusCode::BAD_GATEWAY;
        assert_eq!(numbers.instead("/organizations/1", true, failed).status(), hyper::StatusCode::BAD_GATEWAY);
    }

    #[test]
    fn intent_is_taken_from_the_status_and_nothing_else_is() {
        let read = |object: &Value| {
            let answer = without_intent(Response::new(Bytes::from(object.to_string())));
            assert_eq!(answer.headers()[CONTENT_LENGTH], answer.body().len().to_string());
            serde_json::from_slice::<Value>(answer.body()).unwrap()
        };
        let (without, failure) =
            (json!({ "status": { "seats": 100 } }), json!({ "kind": "Status", "status": "Failure" }));
        assert_eq!(read(&json!({ "status": { "intent": { "id": "i" }, "seats": 100 } })), without);
        assert_eq!((read(&without), read(&failure)), (without.clone(), failure.clone()));
    }
}
