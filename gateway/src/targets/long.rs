//! A long answer that is passed on while it comes: nobody here holds it whole.

use std::{fmt, pin::Pin, time::Duration};

use bytes::Bytes;
use causeway_core::{
    canonical::{BadRest, Coming, Response},
    name::TargetName,
    wire::Envelope,
};
use futures::{Stream, StreamExt, stream};
use tokio::time::{Instant, timeout};

use super::{Fault, TargetError, reply::Bounds};

/// Of an answer, in bytes, after which it is long: one that is shorter is there sooner than anybody would begin to pass it on.
pub(super) const LONG: usize = 256 * 1024;

/// What is still to come, in pieces.
pub(super) type Rest = Pin<Box<dyn Stream<Item = Result<Bytes, Fault>> + Send>>;

/// An answer that has begun to come.
pub struct Long {
    target: TargetName,
    coming: Coming,
    rest: Rest,
    bounds: Option<Bounds>,
    /// The target may take so long yet. Time that the client takes does not count.
    left: Duration,
}

/// A part of an answer as the client gets it.
#[derive(Debug)]
pub enum Piece {
    Part(Bytes),
    /// That was all. Whether it is a tool's error.
    End {
        is_tool_error: bool,
    },
}

impl Long {
    pub(super) fn new(target: TargetName, coming: Coming, rest: Rest) -> Self {
        Self { target, coming, rest, bounds: None, left: Duration::MAX }
    }

    /// The same within `bounds`. What computes it has done so: a client that takes its time keeps nobody else out.
    pub(super) fn bounded(self, mut bounds: Bounds) -> Self {
        let left = bounds.deadline.saturating_duration_since(Instant::now());
        bounds.has_begun();
        Self { bounds: Some(bounds), left, ..self }
    }

    /// The answer under the id (JSON text) of the client's request. After a fault, or its end, nothing comes.
    pub fn pieces(self, id: &str) -> impl Stream<Item = Result<Piece, TargetError>> + Send + use<> {
        let begun = stream::iter(self.coming.begun_for_client(id)).map(|part| Ok(Piece::Part(part)));
        let rest = stream::unfold(Some(self), |long| async move {
            let mut long = long?;
            match long.next().await {
                Ok(part @ Piece::Part(_)) => Some((Ok(part), Some(long))),
                end => Some((end, None)),
            }
        });
        begun.chain(rest)
    }

    /// The same once it is there whole.
    ///
    /// # Errors
    /// What is still to come does not, or is no answer.
    pub async fn whole(self) -> Result<Response, TargetError> {
        let (target, era, id) = (self.target.clone(), self.coming.era(), self.coming.id().to_owned());
        let mut pieces = std::pin::pin!(self.pieces(&id));
        let mut whole = Vec::new();
        while let Some(piece) = pieces.next().await {
            match piece? {
                Piece::Part(part) => whole.extend_from_slice(&part),
                Piece::End { .. } => break,
            }
        }
        let garbage = |why: &dyn fmt::Display| TargetError { target, fault: Fault::Garbage(why.to_string()) };
        match Envelope::parse(whole.into()) {
            Ok(envelope) => Response::new(envelope, era).map_err(|why| garbage(&why)),
            Err(why) => Err(garbage(&why)),
        }
    }

    async fn next(&mut self) -> Result<Piece, TargetError> {
        let piece = self.read().await;
        if let Some(attempt) = self.bounds.as_mut().and_then(|bounds| bounds.attempt.as_mut()) {
            match &piece {
                Ok(Piece::Part(_)) => (),
                Ok(Piece::End { .. }) => attempt.answered(),
                Err(fault) => attempt.failed(fault.kind()),
            }
        }
        piece.map_err(|fault| TargetError { target: self.target.clone(), fault })
    }

    async fn read(&mut self) -> Result<Piece, Fault> {
        let begun = Instant::now();
        let part = timeout(self.left, self.rest.next()).await.map_err(|_| self.silent())?;
        self.left = self.left.saturating_sub(begun.elapsed());
        match part.transpose()? {
            Some(part) => {
                self.coming.follow(&part)?;
                Ok(Piece::Part(part))
            }
            None => Ok(Piece::End { is_tool_error: self.coming.end()? }),
        }
    }

    fn silent(&self) -> Fault {
        Fault::Silent(self.bounds.as_ref().map_or(self.left, |bounds| bounds.limit))
    }
}

impl From<BadRest> for Fault {
    fn from(why: BadRest) -> Self {
        match why {
            BadRest::BrokenOff => Self::BrokenOff(why.to_string()),
            why => Self::Garbage(why.to_string()),
        }
    }
}

impl fmt::Debug for Long {
    /// Without what it holds, which is the caller's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Long({} of {} bytes and more)", self.target, self.coming.begun().len())
    }
}
