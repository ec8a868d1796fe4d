//! A long answer that is passed on while it comes: nobody here holds it whole.

use std::{fmt, pin::Pin, time::Duration};

use bytes::Bytes;
use causeway_core::{
    canonical::{BadRest, Coming, End, Response},
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

/// An answer that has begun to come. In a box: few answers are, and all have room for one.
pub struct Long(Box<Answer>);

struct Answer {
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

/// An answer whose pieces are taken.
struct Reading {
    answer: Long,
    /// Of the client's request, JSON text.
    id: String,
    /// The end, once its last bytes were given.
    is_tool_error: Option<bool>,
}

impl Long {
    pub(super) fn new(target: TargetName, coming: Coming, rest: Rest) -> Self {
        Self(Box::new(Answer { target, coming, rest, bounds: None, left: Duration::MAX }))
    }

    /// The same within `bounds`.
    pub(super) fn bounded(mut self, bounds: Bounds) -> Self {
        self.0.left = bounds.deadline.saturating_duration_since(Instant::now());
        self.0.bounds = Some(bounds);
        self
    }

    /// The answer under the id (JSON text) of the client's request. After a fault, or its end, nothing comes.
    pub fn pieces(mut self, id: &str) -> impl Stream<Item = Result<Piece, TargetError>> + Send + use<> {
        let begun = stream::iter(self.0.coming.take_begun(id)).map(|part| Ok(Piece::Part(part)));
        let reading = Reading { answer: self, id: id.to_owned(), is_tool_error: None };
        let rest = stream::unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(part @ Piece::Part(_)) => Some((Ok(part), Some(reading))),
                end => Some((end, None)),
            }
        });
        begun.chain(rest)
    }

    /// The same once it is there whole.
    ///
    /// # Errors
    /// What is still to come does not, or is no answer.
    pub(super) async fn whole(self) -> Result<Response, Fault> {
        let (era, id) = (self.0.coming.era(), self.0.coming.id().to_owned());
        let mut pieces = std::pin::pin!(self.pieces(&id));
        let mut whole = Vec::new();
        while let Some(piece) = pieces.next().await {
            match piece.map_err(|error| error.fault)? {
                Piece::Part(part) => whole.extend_from_slice(&part),
                Piece::End { .. } => break,
            }
        }
        let envelope = Envelope::parse(whole.into()).map_err(|why| Fault::Garbage(why.to_string()))?;
        Response::new(envelope, era).map_err(|why| Fault::Garbage(why.to_string()))
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Piece, TargetError> {
        let piece = self.read().await;
        let answer = &mut *self.answer.0;
        if let Some(bounds) = &mut answer.bounds {
            match &piece {
                Ok(Piece::Part(_)) => (),
                Ok(Piece::End { .. }) => bounds.answered(),
                Err(fault) => bounds.failed(fault),
            }
        }
        piece.map_err(|fault| TargetError { target: answer.target.clone(), fault })
    }

    async fn read(&mut self) -> Result<Piece, Fault> {
        let answer = &mut *self.answer.0;
        loop {
            if let Some(is_tool_error) = self.is_tool_error {
                return Ok(Piece::End { is_tool_error });
            }
            let begun = Instant::now();
            let part = timeout(answer.left, answer.rest.next()).await;
            let limit = answer.bounds.as_ref().map_or(answer.left, |bounds| bounds.limit);
            let part = part.map_err(|_| Fault::Silent(limit))?;
            answer.left = answer.left.saturating_sub(begun.elapsed());
            let Some(mut part) = part.transpose()? else {
                let End { rest, is_tool_error } = answer.coming.end(&self.id)?;
                self.is_tool_error = Some(is_tool_error);
                return Ok(Piece::Part(rest.into()));
            };
            let passed = answer.coming.follow(&part)?;
            if passed > 0 {
                part.truncate(passed);
                return Ok(Piece::Part(part));
            }
        }
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
        write!(f, "Long({} of {} bytes and more)", self.0.target, self.0.coming.begun())
    }
}
