//! The product in a few lines: look the tool up, check the call, pass it on. Knows no HTTP and no eras.

use std::{collections::HashMap, sync::Arc};

use causeway_core::{canonical::Request, catalog::UnknownTool, name::TargetName};
use tokio::sync::watch;

use crate::{
    discovery::View,
    inbound::Caller,
    targets::{Reply, Target, TargetError},
};

/// All targets behind one front.
#[derive(Debug)]
pub struct Gateway {
    targets: HashMap<TargetName, Arc<Target>>,
    view: watch::Receiver<Arc<View>>,
}

/// Why a call has no reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// `params` without a text `name`.
    #[error("`params.name` must be the name of a tool")]
    Nameless,
    #[error(transparent)]
    Unknown(#[from] UnknownTool),
    /// A retry whose call does not wait for it.
    #[error(
        "`requestState` is unknown or has expired: send the call anew, without `requestState` and `inputResponses`"
    )]
    UnknownState,
    #[error("{0} calls wait for input already (`limits.parked_calls`): retry in a moment")]
    TooManyParked(usize),
    /// The target asks for input in a way that this client has no means to answer.
    #[error("the call needs input (`{method}`) that this client cannot give: {why}")]
    CannotAsk { method: String, why: &'static str },
    #[error("the target asked for input {0} times and still has not enough")]
    TooManyRounds(usize),
    /// The client answered a question of the target with an error.
    #[error("the client answered `{method}` with an error: {error}")]
    Declined { method: String, error: String },
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl Gateway {
    /// A gateway over `targets`, routing by the newest view.
    pub fn new(targets: &[Arc<Target>], view: watch::Receiver<Arc<View>>) -> Self {
        let targets = targets.iter().map(|target| (target.name().clone(), Arc::clone(target))).collect();
        Self { targets, view }
    }

    /// What is known of all targets now.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// Lets go of what targets keep only for the client session `session`.
    pub fn end_session(&self, session: &str) {
        self.targets.values().for_each(|target| target.end_session(session));
    }

    /// Carries out a `tools/call`.
    pub async fn call(self: Arc<Self>, caller: Arc<Caller>, request: Request) -> Result<Reply, CallError> {
        let name = request.param("name").ok_or(CallError::Nameless)?;
        let view = self.view();
        let route = view.catalog.route(&name)?;
        let target = &self.targets[&route.target];
        Ok(target.call(&caller.id, request, &route.name).await?)
    }
}
