//! The QUIC carrier's framing (`gateway/PROTOCOL.md` §8): `u32` length, JSON head, body.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use http::{Method, uri::PathAndQuery};
use quinn::{ReadError, ReadExactError, RecvStream, SendStream, WriteError};
use serde::{Deserialize, Serialize};

use crate::{Request, Response};

/// A stream did not hold what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The bytes are wrong: the other side's fault.
    #[error("{0}")]
    Malformed(&'static str),
    /// The body is larger than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// The stream or its connection ended.
    #[error(transparent)]
    Broken(#[from] ReadError),
}

impl From<ReadExactError> for FrameError {
    fn from(error: ReadExactError) -> Self {
        match error {
            ReadExactError::FinishedEarly(_) => Self::Malformed("the stream ends before its length"),
            ReadExactError::ReadError(error) => Self::Broken(error),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct RequestHead<'a> {
    #[serde(rename = "methode", borrow)]
    method: Cow<'a, str>,
    #[serde(rename = "pad", borrow)]
    target: Cow<'a, str>,
    #[serde(rename = "type", borrow, default, skip_serializing_if = "Option::is_none")]
    content_type: Option<Cow<'a, str>>,
    #[serde(rename = "lengte")]
    length: u64,
}

#[derive(Serialize, Deserialize)]
struct ResponseHead<'a> {
    status: u16,
    #[serde(rename = "type", borrow, default, skip_serializing_if = "Option::is_none")]
    content_type: Option<Cow<'a, str>>,
    #[serde(rename = "lengte")]
    length: u64,
    #[serde(rename = "later", default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

/// Length and head of a request; its body follows as it is.
pub(crate) fn request_head(request: &Request) -> Bytes {
    encode(&RequestHead {
        method: request.method.as_str().into(),
        target: request.target().into(),
        content_type: request.content_type.as_deref().map(Cow::Borrowed),
        length: request.body.len() as u64,
    })
}

/// Length and head of an answer; its body follows as it is.
pub(crate) fn response_head(response: &Response) -> Bytes {
    encode(&ResponseHead {
        status: response.status,
        content_type: response.content_type.as_deref().map(Cow::Borrowed),
        length: response.body.len() as u64,
        retry_after: response.retry_after,
    })
}

fn encode(head: &impl Serialize) -> Bytes {
    // Room for the length, filled in once it is known.
    let mut bytes = vec![0; 4];
    // Strings and numbers always have a JSON form, and a Vec takes every byte.
    let written = serde_json::to_writer(&mut bytes, head);
    debug_assert!(written.is_ok());
    let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes.into()
}

/// A request without its body, and how long that is.
pub(crate) fn parse_request(head: &[u8]) -> Result<(Request, u64), FrameError> {
    let head: RequestHead<'_> = serde_json::from_slice(head)
        .map_err(|_| FrameError::Malformed("the head is not the JSON it should be"))?;
    let method = Method::from_bytes(head.method.as_bytes())
        .map_err(|_| FrameError::Malformed("\"methode\" is not an HTTP method"))?;
    let target: PathAndQuery =
        head.target.parse().map_err(|_| FrameError::Malformed("\"pad\" is not a path"))?;
    if !target.path().starts_with('/') {
        return Err(FrameError::Malformed("\"pad\" does not start with a slash"));
    }
    let request = Request {
        method,
        path: target.path().to_owned(),
        query: target.query().map(str::to_owned),
        content_type: head.content_type.map(Cow::into_owned),
        body: Bytes::new(),
    };
    Ok((request, head.length))
}

/// An answer without its body, and how long that is.
pub(crate) fn parse_response(head: &[u8]) -> Result<(Response, u64), FrameError> {
    let head: ResponseHead<'_> = serde_json::from_slice(head)
        .map_err(|_| FrameError::Malformed("the head is not the JSON it should be"))?;
    let response = Response {
        status: head.status,
        content_type: head.content_type.map(Cow::into_owned),
        retry_after: head.retry_after,
        body: Bytes::new(),
    };
    Ok((response, head.length))
}

/// Reads a head of at most `limit` bytes.
pub(crate) async fn read_head(stream: &mut RecvStream, limit: u32) -> Result<Vec<u8>, FrameError> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length);
    if length > limit {
        return Err(FrameError::Malformed("the head is too long"));
    }
    let mut head = vec![0; length as usize];
    stream.read_exact(&mut head).await?;
    Ok(head)
}

/// Pieces taken from a stream at a time, each with what one datagram held of it.
const PIECES: usize = 16;

/// Reads a body of exactly `length` bytes, after which the stream must end.
pub(crate) async fn read_body(stream: &mut RecvStream, length: usize) -> Result<Bytes, FrameError> {
    let mut body = BytesMut::with_capacity(length);
    let mut pieces = [const { Bytes::new() }; PIECES];
    while let Some(count) = stream.read_chunks(&mut pieces).await? {
        for piece in pieces.iter_mut().take(count).map(std::mem::take) {
            if body.len() + piece.len() > length {
                return Err(FrameError::Malformed("the stream goes on after its length"));
            }
            body.extend_from_slice(&piece);
        }
    }
    if body.len() < length {
        return Err(FrameError::Malformed("the stream ends before its length"));
    }
    Ok(body.freeze())
}

/// Writes a head and a body, and ends the stream.
pub(crate) async fn write(stream: &mut SendStream, head: Bytes, body: Bytes) -> Result<(), WriteError> {
    stream.write_all_chunks(&mut [head, body]).await?;
    // Fails only when ended before.
    let _ = stream.finish();
    Ok(())
}

#[cfg(test)]
mod tests;
