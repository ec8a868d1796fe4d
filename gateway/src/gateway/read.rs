//! Reading a resource: from the target that lists it, or from the first of those that may have it and does not say that it is
//! not there. Keeps nothing of what it learns.

use causeway_core::{
    canonical::{Repeat, Request, Response},
    catalog::{Because, Reader},
    wire,
};
use tokio::time::timeout;

use super::{
    CallError, Gateway,
    paths::{Served, Way},
};
use crate::{
    calls,
    inbound::Caller,
    targets::{Fault, Reply, TargetError},
};

impl Gateway {
    /// Carries out a `resources/read`.
    pub(super) async fn read(&self, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let uri = request.param("uri").ok_or(CallError::NoUri)?.into_owned();
        calls::note(|call| call.names(&uri));
        let readers = self.view().catalog.readers(&uri);
        let Served { reply, path } = match &readers[..] {
            // Its own words say best what is wrong.
            [only] => self.read_from(only, caller, request).await?,
            readers => self.look_for(&uri, readers, caller, request).await?,
        };
        Ok(Served { reply: reply.map_last(Response::of_resource), path })
    }

    async fn look_for(
        &self,
        uri: &str,
        readers: &[Reader],
        caller: &Caller,
        request: Request,
    ) -> Result<Served, CallError> {
        // What a client brings is for the target that asked for it. The others must not see it, so all are asked without it
        // to find out which one that is.
        let bare = request.without_input();
        let (mut failed, mut denied) = (None, false);
        for (at, reader) in readers.iter().enumerate() {
            let asked = self.ask(reader, caller, bare.as_ref().unwrap_or(&request).clone());
            // A target that is asked on suspicion must not keep the others from being asked.
            let outcome = match reader.because == Because::Guess && at + 1 < readers.len() {
                true => timeout(self.patience, asked).await.unwrap_or_else(|_| Err(self.silent(reader))),
                false => asked.await,
            };
            match outcome {
                Ok(Served { reply: Reply::Whole(answer), .. }) if is_not_found(&answer) => {
                    denied |= reader.because == Because::Template;
                }
                Ok(served) if bare.is_none() => return Ok(served),
                Ok(_) => return self.read_from(reader, caller, request).await,
                Err(CallError::Target(error)) => {
                    tracing::debug!(target.name = %error.target, "{error}; the next target is asked for the resource");
                    failed.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        // Whoever has a template for it knows; without one, it may be with a target that could not be asked.
        match failed.filter(|_| !denied) {
            Some(error) => Err(CallError::Target(error)),
            None => Err(CallError::NoResource(uri.to_owned())),
        }
    }

    async fn ask(&self, reader: &Reader, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let Served { reply, path } = self.read_from(reader, caller, request).await?;
        Ok(Served { reply: reply.begun().await?, path })
    }

    /// Reads from a target, or from where what it has is too.
    async fn read_from(&self, reader: &Reader, caller: &Caller, request: Request) -> Result<Served, CallError> {
        let ways = self.ways(&reader.targets);
        let ask =
            |way: Way<'_>, request| async move { Ok(way.target.call(&caller.key, request, &[], way.full).await?) };
        self.serve(caller, ways, Repeat::Safe, request, ask).await
    }

    fn silent(&self, reader: &Reader) -> CallError {
        let target = reader.targets[0].clone();
        CallError::Target(TargetError { target, fault: Fault::Silent(self.patience) })
    }
}

/// Whether an answer to `resources/read` says that there is no such resource. Legacy servers say so with many codes: that of
/// MCP 2025-11-25, that of a bad parameter (TypeScript SDK), none at all (0, Python SDK), or that of a method that they do
/// not know.
fn is_not_found(answer: &Response) -> bool {
    matches!(answer.error_code(), Some(wire::RESOURCE_NOT_FOUND | wire::INVALID_PARAMS | wire::METHOD_NOT_FOUND | 0))
}
