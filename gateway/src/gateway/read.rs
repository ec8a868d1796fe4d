//! Reading a resource: from the target that lists it, or from the first of those that may have it and does not say that it is
//! not there. Keeps nothing of what it learns.

use causeway_core::{
    canonical::{Request, Response},
    catalog::{Because, Reader},
    wire,
};
use tokio::time::timeout;

use super::{CallError, Gateway};
use crate::{
    inbound::Caller,
    targets::{Fault, Reply, TargetError},
};

impl Gateway {
    /// Carries out a `resources/read`.
    pub(super) async fn read(&self, caller: &Caller, request: Request) -> Result<Reply, CallError> {
        let uri = request.param("uri").ok_or(CallError::NoUri)?;
        let readers = self.view().catalog.readers(&uri);
        let reply = match &readers[..] {
            // Its own words say best what is wrong.
            [only] => self.targets[&only.target].call(&caller.id, request, &[]).await?,
            readers => self.look_for(&uri, readers, caller, request).await?,
        };
        Ok(reply.map_last(Response::of_resource))
    }

    async fn look_for(
        &self,
        uri: &str,
        readers: &[Reader],
        caller: &Caller,
        request: Request,
    ) -> Result<Reply, CallError> {
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
                Ok(Reply::Whole(answer)) if is_not_found(&answer) => denied |= reader.because == Because::Template,
                Ok(reply) if bare.is_none() => return Ok(reply),
                Ok(_) => return Ok(self.targets[&reader.target].call(&caller.id, request, &[]).await?),
                Err(error) => {
                    tracing::debug!(target.name = %error.target, "{error}; the next target is asked for the resource");
                    failed.get_or_insert(error);
                }
            }
        }
        // Whoever has a template for it knows; without one, it may be with a target that could not be asked.
        match failed.filter(|_| !denied) {
            Some(error) => Err(CallError::Target(error)),
            None => Err(CallError::NoResource(uri.to_owned())),
        }
    }

    async fn ask(&self, reader: &Reader, caller: &Caller, request: Request) -> Result<Reply, TargetError> {
        self.targets[&reader.target].call(&caller.id, request, &[]).await?.begun().await
    }

    fn silent(&self, reader: &Reader) -> TargetError {
        TargetError { target: reader.target.clone(), fault: Fault::Silent(self.patience) }
    }
}

/// Whether an answer to `resources/read` says that there is no such resource. Legacy servers say so with many codes: that of
/// MCP 2025-11-25, that of a bad parameter (TypeScript SDK), none at all (0, Python SDK), or that of a method that they do
/// not know.
fn is_not_found(answer: &Response) -> bool {
    matches!(answer.error_code(), Some(wire::RESOURCE_NOT_FOUND | wire::INVALID_PARAMS | wire::METHOD_NOT_FOUND | 0))
}
