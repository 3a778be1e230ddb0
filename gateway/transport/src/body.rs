//! Bodies over HTTP/2: taken in within a limit, given out in pieces.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the HTTP/2 layer holds of a body the other side does not read: enough for four flights of a fast line.
const PIECE: usize = 256 << 10;

/// A body could not be taken in.
#[derive(Debug)]
pub(crate) enum CollectError {
    /// Larger than the limit.
    TooLarge,
    /// It stopped half way.
    Broken(hyper::Error),
}

/// Takes in a whole body of at most `limit` bytes.
pub(crate) async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, CollectError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(CollectError::TooLarge);
    }
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(CollectError::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let rest = usize::try_from(body.size_hint().lower()).unwrap_or(limit);
    let mut whole = BytesMut::with_capacity((first.len() + rest).min(limit));
    whole.extend_from_slice(&first);
    while let Some(data) = next(&mut body).await? {
        if whole.len() + data.len() > limit {
            return Err(CollectError::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// The next piece of data; trailers mean nothing here.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, CollectError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(CollectError::Broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// How much memory bodies may take: all together, and of one partner.
#[derive(Debug, Clone)]
pub(crate) struct Buffer {
    total: Arc<Semaphore>,
    partner: Arc<Semaphore>,
    largest: usize,
}

/// Memory set aside for one body, until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _partner: OwnedSemaphorePermit,
    _total: OwnedSemaphorePermit,
}

impl Buffer {
    pub(crate) fn new(total: Arc<Semaphore>, per_partner: usize) -> Self {
        let partner = Arc::new(Semaphore::new(per_partner));
        Self { total, partner, largest: per_partner }
    }

    /// Waits for room for `size` bytes. Nothing is set aside for nothing.
    pub(crate) async fn reserve(&self, size: usize) -> Option<Place> {
        let size = u32::try_from(size.min(self.largest)).ok().filter(|size| *size > 0)?;
        // The partner's own share first: whoever waits here holds up nobody else.
        let partner = self.partner.clone().acquire_many_owned(size).await.ok()?;
        let total = self.total.clone().acquire_many_owned(size).await.ok()?;
        Some(Place { _partner: partner, _total: total })
    }
}

/// A whole body, given out in pieces, that keeps what it needs until the last one.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    rest: Bytes,
    kept: Option<T>,
}

/// Told of every piece that goes out.
pub(crate) trait Progress {
    fn made(&self);
}

impl Progress for () {
    fn made(&self) {}
}

impl<T> Outgoing<T> {
    pub(crate) fn new(body: Bytes, kept: T) -> Self {
        Self { rest: body, kept: Some(kept) }
    }
}

impl<T: Progress + Unpin> Body for Outgoing<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(kept) = &self.kept {
            kept.made();
        }
        if self.rest.is_empty() {
            self.kept = None;
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        if self.rest.is_empty() {
            self.kept = None;
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
