//! The little HTTP that loopback needs: one request, one answer, connection closed. HTTP/1.0 is never chunked.

use crate::words::debug_text;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer over plain HTTP.
#[derive(Debug, Clone)]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The body; bytes that are not UTF-8 are replaced.
    pub body: String,
}

/// GET over plain HTTP, at most 10 s.
///
/// # Errors
/// When the address does not answer, or not in HTTP.
///
/// # Panics
/// When a probe answers with Rust's `Debug`: people read it.
pub async fn http_get(address: SocketAddr, path: &str) -> io::Result<HttpReply> {
    let reply = exchange(address, &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")).await?;
    let probe = ["/livez", "/readyz"].contains(&path);
    assert!(!probe || debug_text(&reply.body).is_none(), "{path} has Rust's Debug text: {}", reply.body);
    Ok(reply)
}

/// As [`http_get`], from a client that asks for a content type.
///
/// # Errors
/// When it cannot be reached, does not answer within 10 seconds, or the answer is not HTTP.
pub async fn http_get_as(address: SocketAddr, path: &str, accept: &str) -> io::Result<HttpReply> {
    exchange(address, &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n")).await
}

pub(crate) async fn post_json(address: SocketAddr, path: &str, body: &str) -> io::Result<HttpReply> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    exchange(address, &format!("{head}Content-Length: {length}\r\n\r\n{body}")).await
}

async fn exchange(address: SocketAddr, request: &str) -> io::Result<HttpReply> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::Error::other("the answer is not HTTP"))
    };
    timeout(Duration::from_secs(10), exchange).await?
}

fn parse(answer: &str) -> Option<HttpReply> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(HttpReply { status, body: body.to_owned() })
}
