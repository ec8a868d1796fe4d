//! One request to a target, for a call of a client: how long it took, and how it ended. It may outlast its call, where that waits for
//! its client, and end in the one that goes on with it.

use std::{borrow::Cow, sync::Arc, time::Duration};

use causeway_core::{
    canonical::Request,
    name::{PathName, TargetName},
};
use tokio::time::Instant;

use super::{
    open::{Lead, OpenCall, current},
    spans::{self, Tried},
    trace::Own,
};

/// What became of one whose answer nobody waited for.
const CANCELLED: &str = "cancelled";

/// One request to a target. Its drop is its end.
#[derive(Debug)]
pub(crate) struct Attempt {
    call: Arc<OpenCall>,
    lead: Arc<Lead>,
    method: Cow<'static, str>,
    /// With the state of the trace; absent where nothing is exported.
    own: Option<(Own, Option<Arc<str>>)>,
    transport: &'static str,
    /// What went wrong, in a word, as long as it was not answered.
    fault: Option<&'static str>,
    started: Instant,
    /// What went before, its calls know.
    noted: Instant,
    /// How long it took until its answer began to come, where that is passed on as it comes: the rest depends on the client too.
    until_begun: Option<Duration>,
}

/// Begins an attempt at a target for the call that is being worked on here. `path` where the target has several; `tool`, as
/// JSON text, where one of it is called.
pub(crate) fn attempt(
    target: &TargetName,
    path: Option<&PathName>,
    tool: Option<&str>,
    transport: &'static str,
) -> Option<Attempt> {
    let call = current()?;
    let (lead, own, method) = (call.leads_to(target, path, tool), call.attempted(), call.method());
    let started = Instant::now();
    Some(Attempt {
        call,
        lead,
        method,
        own,
        transport,
        fault: Some(CANCELLED),
        started,
        noted: started,
        until_begun: None,
    })
}

impl Attempt {
    /// Puts into `request` where it stands in a trace, for the target.
    pub(crate) fn put_into(&self, request: &mut Request) {
        let outgoing = self.call.outgoing();
        if !outgoing.in_meta && !outgoing.texts.is_empty() {
            request.set_meta(outgoing.texts.iter().map(|(name, text)| (*name, &**text)));
        }
    }

    /// It failed so, in a word.
    pub(crate) fn failed(&mut self, fault: &'static str) {
        self.fault = Some(fault);
    }

    /// Its answer is there.
    pub(crate) fn answered(&mut self) {
        self.fault = None;
    }

    /// Its answer begins to come, and is passed on so.
    pub(crate) fn begun(&mut self) {
        self.call.executed(self.noted);
        self.until_begun = Some(self.started.elapsed());
    }

    /// The target asks something before it goes on, and the call may end with that.
    pub(crate) fn asked_back(&mut self) {
        self.call.executed(self.noted);
        self.noted = Instant::now();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let took = self.until_begun.unwrap_or_else(|| self.started.elapsed());
        self.lead.series.executed(took);
        if self.until_begun.is_none() {
            current().as_ref().unwrap_or(&self.call).executed(self.noted);
        }
        let recorded = self.own.take().filter(|(own, _)| own.sampled).zip(self.call.tracer());
        let Some(((own, state), tracer)) = recorded else { return };
        let tried = Tried {
            method: &self.method,
            lead: &self.lead,
            transport: self.transport,
            request_id: self.call.request_id(),
            fault: self.fault,
        };
        let start = self.call.time_of(self.started);
        tracer.record(spans::of_attempt(&own, state, &tried, start, took));
    }
}
