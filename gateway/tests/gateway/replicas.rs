//! Replicas for tests: gateways over the same targets that have the same keys and know of each other only by what they seal. In this
//! process, or as processes of their own that a test can kill. Asserts nothing.

use std::process::Stdio;

use causeway::{
    config::{Config, SecretSource, Target, Transport},
    secret::Secret,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    bridge_talk::{Era, everything},
    caller::Caller,
    harness::Gateway,
    issuer::Issuer,
    sample::CAUSEWAY,
};

pub(crate) const KEY: &str = "the key of all replicas of a test: 32 bytes and more";

/// Two replicas in this process.
pub(crate) struct Pair {
    pub(crate) one: Gateway,
    pub(crate) other: Gateway,
}

impl Pair {
    pub(crate) async fn start(targets: impl Into<Vec<Target>>) -> Self {
        Self::start_with(targets, |_| ()).await
    }

    /// Both with the same changes to their configuration.
    pub(crate) async fn start_with(targets: impl Into<Vec<Target>>, change: impl Fn(&mut Config)) -> Self {
        let (issuer, targets) = (Issuer::start().await, targets.into());
        let start = async |issuer: Issuer| {
            let gateway = Gateway::launch(issuer, targets.clone(), |config| {
                config.sessions.keys = vec![SecretSource::Here(Secret::new(KEY))];
                change(config);
            });
            let gateway = gateway.await;
            gateway.ready().await;
            gateway
        };
        Self { one: start(issuer.clone()).await, other: start(issuer).await }
    }

    /// A client of alice's that can do everything, at the one and at the other. A legacy one has a session, which lives in the one.
    pub(crate) async fn alice(&self, era: Era) -> (Caller, Caller) {
        let alice = self.one.caller("alice").declaring(everything());
        let alice = match era {
            Era::Legacy => alice.in_session().await,
            Era::Modern => alice.modern(),
        };
        (alice.clone(), alice.through(&self.other.url))
    }
}

/// A replica that is a process of its own, which anyone on this machine may call.
pub(crate) struct Process {
    pub(crate) url: String,
    child: Child,
    _directory: tempfile::TempDir,
}

impl Process {
    /// Before these targets, each a name and a URL, once it listens; `more` is the rest of its config.toml.
    pub(crate) async fn start(targets: &[(&str, &str)], more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        let targets =
            targets.iter().map(|(name, url)| format!("[[targets]]\nname = \"{name}\"\nhttp.endpoint = \"{url}\"\n"));
        let text = format!(
            "authorizer = \"none\"\ngateway.listen = \"127.0.0.1:0\"\nsessions.key_env = [\"KEY\"]\nstate.snapshot = false\n{more}\n{}",
            targets.collect::<String>()
        );
        std::fs::write(&path, text).unwrap();
        let mut command = Command::new(CAUSEWAY);
        command.args(["serve", "--config", path.to_str().unwrap()]).env_clear().env("KEY", KEY);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("it listens before it ends");
            if let Some((_, url)) = line.split_once("listening on ") {
                break url.split(['"', ' ']).next().unwrap().to_owned();
            }
        };
        // Read on: it must never wait for a reader of its log.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let process = Self { url, child, _directory: directory };
        let ready = async || Caller::new(&process.url).get("/readyz").await.status == 200;
        while !ready().await {
            tokio::task::yield_now().await;
        }
        process
    }

    /// A client of it.
    pub(crate) fn caller(&self) -> Caller {
        Caller::new(&self.url).declaring(everything())
    }

    /// It is gone at once, with everything that it does.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The URL of a target over HTTP.
pub(crate) fn url_of(target: &Target) -> String {
    match &target.transport {
        Transport::Http(http) => http.endpoint.to_string(),
        Transport::Stdio(_) => panic!("it has none"),
    }
}
