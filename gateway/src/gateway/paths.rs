//! The ways to serve one request, best first, and going on from one to the next where that can do no harm. The only place that
//! knows of going on: a target in several places and a gateway that others stand by for are the same here.
//!
//! A request goes on while nothing of its answer has reached the client, and then only if it was surely not carried out, or
//! may be carried out twice. What began on a path stays there: questions, tasks, and retries that bring input.

mod state;

use std::{collections::VecDeque, sync::Arc};

use causeway_core::{
    canonical::{Logs, Repeat, Request},
    catalog::{Path, Route},
    name::{PathName, TargetName},
    wire::json,
};
use futures::{StreamExt, stream};
use tokio::time::timeout;

use super::{CallError, Gateway};
use crate::{
    inbound::Caller,
    targets::{Admission, Event, Fault, Full, PathState, Reply, Sent, Target, TargetError, Trial},
};

/// A reply, and where it comes from.
#[derive(Debug)]
pub struct Served {
    pub reply: Reply,
    /// The path that it came by; absent where there is never another.
    pub path: Option<PathName>,
}

/// One way to serve a request: where it is sent, and what that place is to be asked for.
#[derive(Clone, Debug)]
pub(super) struct Way<'a> {
    pub(super) target: Arc<Target>,
    /// Of the route, where one leads there.
    pub(super) path: Option<&'a Path>,
    /// What a call does there while there is no place for it.
    pub(super) full: Full,
}

/// The ways that are left for one request.
struct Left<'a> {
    /// Best first.
    ahead: VecDeque<Way<'a>>,
    /// Those that work and had no place: the first is waited for.
    full: VecDeque<Way<'a>>,
    has_waited: bool,
    /// Those that are not up: better than nothing.
    behind: VecDeque<Way<'a>>,
}

impl Gateway {
    /// The places of the targets that `there` leads to, in order.
    pub(super) fn ways<'a, 'b>(&self, there: impl IntoIterator<Item = &'b TargetName>) -> Vec<Way<'a>> {
        there.into_iter().flat_map(|target| self.ways_to(target, None)).collect()
    }

    /// The ways of a route, each with its path there.
    pub(super) fn ways_of<'a>(&self, route: &'a Route) -> Vec<Way<'a>> {
        route.paths.iter().flat_map(|path| self.ways_to(&path.target, Some(path))).collect()
    }

    fn ways_to<'a>(&self, target: &TargetName, path: Option<&'a Path>) -> impl Iterator<Item = Way<'a>> {
        let places = self.targets.get(target).into_iter().flatten();
        places.map(move |target| Way { target: Arc::clone(target), path, full: Full::Wait })
    }

    /// All paths to what a target offers, best first: its places, then those of who stands by for it.
    pub fn paths(&self, target: &TargetName) -> Vec<Arc<Target>> {
        let standby = self.targets.get(target).and_then(|places| places.first()).map(|first| first.kind().standby());
        let all = [target].into_iter().chain(standby.unwrap_or_default());
        self.ways(all).into_iter().map(|way| way.target).collect()
    }

    /// Has `request` served by `ask`, which asks one place, on the first of `ways` that can.
    ///
    /// # Errors
    /// What the last way that was tried failed with.
    pub(super) async fn serve<'a, F>(
        &self,
        caller: &Caller,
        ways: Vec<Way<'a>>,
        repeat: Repeat,
        request: Request,
        ask: impl Fn(Way<'a>, Request) -> F,
    ) -> Result<Served, CallError>
    where
        F: Future<Output = Result<Reply, CallError>>,
    {
        // What begins on one of several paths goes on there.
        let owner = ways.iter().any(|way| way.target.has_others()).then(|| state::owner(caller, &request)).flatten();
        let (ways, mut request) = match &owner {
            Some(owner) => self.settled(owner, ways, request)?,
            None => (ways, request),
        };
        request.repeat = repeat;
        let logs = request.client.logs;
        let mut request = Some(request);
        let mut left = Left { ahead: ways.into(), full: VecDeque::new(), has_waited: false, behind: VecDeque::new() };
        let mut failed = None;
        while let Some((way, trial)) = left.next(repeat) {
            // Copied only where it may be needed again: it can be large.
            let sent = if left.is_empty() { request.take() } else { request.clone() };
            let sent = sent.expect("it is taken for the last way alone");
            let watched = (repeat == Repeat::Safe && !left.is_empty()).then(|| way.watched(&sent));
            let outcome = match watched {
                // In a box: most targets have one path, and their calls need no room for this.
                Some(watched) => {
                    Box::pin(self.attempt(&way.target, &watched, ask(way.clone(), sent), &left, logs)).await
                }
                None => ask(way.clone(), sent).await,
            };
            match outcome {
                Ok(reply) => {
                    // A trial lasts until the answer is there.
                    let reply = match trial {
                        Some(trial) => reply.holding(trial),
                        None => reply,
                    };
                    return Ok(self.served(owner, &way.target, reply));
                }
                Err(CallError::Target(error)) if is_full(&error) && way.full == Full::Refuse && !left.has_waited => {
                    way.target.health().pass_on();
                    left.full.push_back(way);
                    failed = Some(CallError::Target(error));
                }
                Err(CallError::Target(error)) if !left.is_empty() && goes_on(&error, repeat) => {
                    way.target.health().pass_on();
                    tracing::warn!(path = %way.target.path(), kind = error.fault.kind(), "{error}; the next path is asked");
                    failed = Some(CallError::Target(error));
                }
                Err(error) => return Err(error),
            }
        }
        Err(failed.expect("there is a way to every target, and the last one returns"))
    }

    /// A reply with the path that it came by, which is also in the `requestState` of one that asks for input.
    fn served(&self, owner: Option<String>, target: &Target, reply: Reply) -> Served {
        if !target.has_others() {
            return Served { reply, path: None };
        }
        let path = target.path().clone();
        let reply = match owner {
            Some(owner) => self.with_states(owner, path.to_string(), reply),
            None => reply,
        };
        Served { reply, path: Some(path) }
    }

    /// What comes of asking `target` for what can be asked of those that are `left` too: a reply that has begun, or why there is
    /// none. What begins is not taken back, so nothing begins that the client would not see.
    async fn attempt(
        &self,
        target: &Target,
        watched: &Sent,
        asked: impl Future<Output = Result<Reply, CallError>>,
        left: &Left<'_>,
        logs: Logs,
    ) -> Result<Reply, CallError> {
        let begun = async { Ok(begun(asked.await?, logs).await?) };
        // A path that is down is no reason to give up one that is slow.
        if !left.has_one_up() {
            return begun.await;
        }
        let most = self.first_byte;
        timeout(most, begun).await.unwrap_or_else(|_| Err(CallError::Target(target.fell_silent(watched, most))))
    }
}

impl Way<'_> {
    /// Of `request` there, for who gives it up.
    fn watched(&self, request: &Request) -> Sent {
        let named = matches!(&*request.method, "tools/call" | "prompts/get");
        let name = self.path.filter(|_| named).map(|path| json(&&*path.name));
        self.target.health().sent(&request.method, name.as_deref())
    }
}

impl<'a> Left<'a> {
    fn next(&mut self, repeat: Repeat) -> Option<(Way<'a>, Option<Trial>)> {
        while let Some(way) = self.ahead.pop_front() {
            // A request that fails where it may not be repeated is lost, so it is the last to try a path.
            let harmless = repeat == Repeat::Safe && !self.is_empty();
            match way.target.health().admits(harmless) {
                Admission::Up => return Some((self.impatient(way), None)),
                Admission::Trial(trial) => return Some((self.impatient(way), Some(trial))),
                Admission::InNeed => self.behind.push_back(way),
            }
        }
        if let Some(way) = self.full.pop_front() {
            // For one of them: those after it would be waited for as long again.
            let full = if self.has_waited { Full::Refuse } else { Full::Wait };
            self.has_waited = true;
            return Some((Way { full, ..way }, None));
        }
        let at = self.behind.iter().position(|way| !way.target.health().is_down()).unwrap_or_default();
        self.behind.remove(at).map(|way| (way, None))
    }

    /// Whoever has no place is not waited for while there are others to be asked.
    fn impatient(&self, way: Way<'a>) -> Way<'a> {
        let full = if self.is_empty() { Full::Wait } else { Full::Refuse };
        Way { full, ..way }
    }

    fn is_empty(&self) -> bool {
        self.ahead.is_empty() && self.full.is_empty() && self.behind.is_empty()
    }

    fn has_one_up(&self) -> bool {
        self.ahead.iter().any(|way| way.target.health().state() == PathState::Up)
    }
}

fn is_full(error: &TargetError) -> bool {
    matches!(error.fault, Fault::Busy(_))
}

/// Whether a request that failed so may be sent to another place.
fn goes_on(error: &TargetError, repeat: Repeat) -> bool {
    let fault = &error.fault;
    fault.surely_not_carried_out() || (repeat == Repeat::Safe && fault.may_be_better_elsewhere())
}

/// The same reply once there is a message in it that goes to the client.
async fn begun(reply: Reply, logs: Logs) -> Result<Reply, TargetError> {
    let mut events = match reply {
        Reply::Whole(answer) => return Ok(Reply::Whole(answer)),
        Reply::Stream(events) => events,
    };
    loop {
        match events.next().await {
            Some(Ok(Event::Notification(message))) if !logs.allow(&message) => (),
            Some(Ok(Event::Last(answer))) => return Ok(Reply::Whole(answer)),
            Some(Err(error)) => return Err(error),
            first => return Ok(Reply::Stream(Box::pin(stream::iter(first).chain(events)))),
        }
    }
}
