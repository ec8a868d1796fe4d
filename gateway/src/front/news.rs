//! News for one client outside of its calls: lists that changed, resources that were updated. Writes no messages to clients.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use causeway_core::{
    canonical::Client,
    catalog::{Kind, PerKind},
    name::PathName,
    wire::Envelope,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    discovery::View,
    front::Front,
    gateway::{Gateway, Lasting},
    inbound::Caller,
    targets::{Fault, Target, TargetError, Wanted},
};

/// News that one client has not taken yet; a target that sends more waits.
const QUEUE: usize = 64;
/// Resources and tasks that one client may listen to at once.
pub(super) const MOST: usize = 1000;
/// A target that has not begun to report by then may begin later: the client does not wait for it any longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between tries to listen to a target: doubled from the first to the last.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Which lists changed since it was last asked.
#[derive(Debug)]
pub(super) struct Changes {
    lasting: Lasting,
    view: watch::Receiver<Arc<View>>,
    seen: PerKind<u64>,
}

/// What a client wants reports on.
#[derive(Clone, Debug, Default)]
pub(super) struct Interest {
    /// URIs.
    pub(super) resources: Vec<String>,
    /// By the names that the client knows.
    pub(super) tasks: Vec<String>,
}

/// Targets that report on resources and tasks to one client: what they say, and what sees to it that they do, if anything is wanted of
/// them. Dropped, they do so no more.
#[derive(Debug)]
pub(super) struct Reports(Option<(mpsc::Receiver<Envelope>, AbortOnDropHandle<()>)>);

/// Who reports to one client by now.
struct Reporting {
    listener: Listener,
    interest: Interest,
    news: mpsc::Sender<Envelope>,
    following: Vec<Following>,
}

/// A target that reports.
struct Following {
    target: Arc<Target>,
    wanted: Wanted,
    _task: AbortOnDropHandle<()>,
}

/// How a target begins to report on what is its own of an interest.
type Beginning = (Interest, oneshot::Receiver<Result<(), TargetError>>);

/// For whom targets report.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) lasting: Lasting,
    pub(super) caller: Arc<Caller>,
    pub(super) client: Client,
}

impl Changes {
    /// From what `front` shows now.
    pub(super) fn new(front: &Front) -> Self {
        let view = front.gateway.views();
        let seen = digests(&view.borrow());
        Self { lasting: front.lasting.clone(), view, seen }
    }

    /// Waits until lists have changed, and says which: methods of notifications, each once. `None` once the endpoint is there no
    /// more.
    pub(super) async fn next(&mut self) -> Option<Vec<&'static str>> {
        loop {
            tokio::select! {
                // An error means that another configuration takes the place of this one.
                Ok(()) = self.view.changed() => (),
                gateway = self.lasting.changed() => self.view = gateway?.views(),
            }
            let now = digests(&self.view.borrow_and_update());
            let changed = Kind::ALL.into_iter().filter(|kind| now[*kind] != self.seen[*kind]);
            let mut methods: Vec<_> = changed.map(list_changed).collect();
            // Resources and their templates share one.
            methods.dedup();
            self.seen = now;
            if !methods.is_empty() {
                return Some(methods);
            }
        }
    }
}

fn digests(view: &View) -> PerKind<u64> {
    PerKind::of(|kind| view.catalog.list(kind).digest())
}

/// The notification that says that a list of `kind` has changed.
pub(super) fn list_changed(kind: Kind) -> &'static str {
    match kind {
        Kind::Tools => "notifications/tools/list_changed",
        Kind::Prompts => "notifications/prompts/list_changed",
        Kind::Resources | Kind::Templates => "notifications/resources/list_changed",
    }
}

impl Reports {
    /// Has the targets of what is wanted report on it, and says of what they do or are still being asked.
    pub(super) async fn on(listener: &Listener, interest: Interest) -> (Self, Interest) {
        let (reports, beginnings) = Self::begin(listener, interest);
        let begun =
            beginnings.into_iter().map(async |(interest, beginning)| match timeout(PATIENCE, beginning).await {
                Ok(Ok(Err(error))) => {
                    tracing::debug!(target.name = %error.target, "{error}");
                    Interest::default()
                }
                Ok(Ok(Ok(())) | Err(_)) | Err(_) => interest,
            });
        let mut honoured = Interest::default();
        for interest in futures::future::join_all(begun).await {
            honoured.resources.extend(interest.resources);
            honoured.tasks.extend(interest.tasks);
        }
        (reports, honoured)
    }

    /// The same for one resource, with the reason why not.
    pub(super) async fn on_one(listener: &Listener, uri: String) -> Result<Self, TargetError> {
        let (reports, beginnings) = Self::begin(listener, Interest { resources: vec![uri], ..Interest::default() });
        for (_, beginning) in beginnings {
            if let Ok(Ok(begun)) = timeout(PATIENCE, beginning).await {
                begun?;
            }
        }
        Ok(reports)
    }

    fn begin(listener: &Listener, interest: Interest) -> (Self, Vec<Beginning>) {
        // Most clients want to hear of lists alone.
        if interest.resources.is_empty() && interest.tasks.is_empty() {
            return (Self(None), Vec::new());
        }
        let (news, incoming) = mpsc::channel(QUEUE);
        let mut reporting = Reporting { listener: listener.clone(), interest, news, following: Vec::new() };
        let beginnings = reporting.arrange(&listener.lasting.now());
        (Self(Some((incoming, AbortOnDropHandle::new(tokio::spawn(reporting.keep()))))), beginnings)
    }

    /// The next notification; never, where nobody reports.
    pub(super) async fn next(&mut self) -> Envelope {
        let Some((incoming, _)) = &mut self.0 else { return std::future::pending().await };
        match incoming.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }
}

impl Reporting {
    /// Sees to it that who has what is wanted reports on it, whatever the configuration. Ends with the endpoint.
    async fn keep(mut self) {
        while let Some(gateway) = self.listener.lasting.changed().await {
            self.arrange(&gateway);
        }
    }

    /// Has those report who have what is wanted by now, and the others no more.
    fn arrange(&mut self, gateway: &Gateway) -> Vec<Beginning> {
        let mut before = std::mem::take(&mut self.following);
        let mut beginnings = Vec::new();
        for (target, interest, wanted) in by_target(gateway, &self.listener.caller, &self.interest) {
            let reports = |it: &Following| it.target.shares_reach(&target) && it.wanted == wanted;
            if let Some(at) = before.iter().position(reports) {
                self.following.push(before.swap_remove(at));
                continue;
            }
            let (begun, beginning) = oneshot::channel();
            let (listener, news) = (self.listener.clone(), self.news.clone());
            let task = tokio::spawn(follow(Arc::clone(&target), listener, wanted.clone(), news, begun));
            self.following.push(Following { target, wanted, _task: AbortOnDropHandle::new(task) });
            beginnings.push((interest, beginning));
        }
        beginnings
    }
}

/// The targets that have these resources and tasks, each with what is its own, as the client names it and as the target does.
/// What nobody may have is left out.
fn by_target(gateway: &Gateway, caller: &Caller, interest: &Interest) -> Vec<(Arc<Target>, Interest, Wanted)> {
    let mut all: BTreeMap<PathName, (Arc<Target>, Interest, Wanted)> = BTreeMap::new();
    let mut of = |target: Arc<Target>, note: &mut dyn FnMut(&mut Interest, &mut Wanted)| {
        let entry = all.entry(target.path().clone());
        let (_, interest, wanted) = entry.or_insert_with(|| (target, Interest::default(), Wanted::default()));
        note(interest, wanted);
    };
    for uri in &interest.resources {
        let Some(target) = gateway.holder(uri) else { continue };
        of(target, &mut |interest, wanted| {
            interest.resources.push(uri.clone());
            wanted.resources.push(uri.clone());
        });
    }
    for name in &interest.tasks {
        let Some((target, id)) = gateway.task_named(caller, name) else { continue };
        of(target, &mut |interest, wanted| {
            interest.tasks.push(name.clone());
            wanted.tasks.push(id.clone());
        });
    }
    all.into_values().collect()
}

/// Listens to `target`, again and again, until it refuses.
async fn follow(
    target: Arc<Target>,
    listener: Listener,
    wanted: Wanted,
    news: mpsc::Sender<Envelope>,
    begun: oneshot::Sender<Result<(), TargetError>>,
) {
    let mut begun = Some(begun);
    let mut pause = BACK_OFF.0;
    loop {
        match target.listen(&listener.caller.key, &listener.client, wanted.clone()).await {
            Ok(mut heard) => {
                begun.take().map(|begun| begun.send(Ok(())));
                pause = BACK_OFF.0;
                while let Some(message) = heard.next().await {
                    let message = listener.lasting.now().with_task_name(&listener.caller, target.path(), message);
                    if news.send(message).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                let refused = matches!(error.fault, Fault::NoStream | Fault::Refused(_));
                begun.take().map(|begun| begun.send(Err(error)));
                if refused {
                    return;
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(BACK_OFF.1);
    }
}
