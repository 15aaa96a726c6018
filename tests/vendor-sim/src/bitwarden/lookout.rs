//! Looks for given texts in everything that arrives: request line, headers, and body. So a test proves where a secret
//! went, and where it did not. Found texts are counted and nothing of the request is kept.

use std::collections::BTreeMap;

use super::{Bitwarden, lock};
use crate::http::Request;

/// The texts, each with the number of requests that carried it.
#[derive(Debug, Default)]
pub(crate) struct Lookout(BTreeMap<String, usize>);

impl Lookout {
    pub(crate) fn see(&mut self, request: &Request) {
        let uri = request.uri.to_string();
        let headers = request.headers.iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]);
        let parts: Vec<&[u8]> = headers.chain([uri.as_bytes(), &request.body]).collect();
        for (text, requests) in &mut self.0 {
            *requests += usize::from(parts.iter().any(|part| contains(part, text.as_bytes())));
        }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    !text.is_empty() && bytes.windows(text.len()).any(|window| window == text)
}

impl Bitwarden {
    pub(crate) fn look_out_for(&self, text: &str) {
        lock(&self.shared.lookout).0.entry(text.to_owned()).or_default();
    }

    pub(crate) fn received(&self, text: &str) -> Option<usize> {
        lock(&self.shared.lookout).0.get(text).copied()
    }
}
