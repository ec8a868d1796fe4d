//! One target behind two paths, arranged in each of the two ways that there are, and a count of what each server carried out.
//! Asserts nothing.

use std::{collections::HashMap, time::Duration};

use axum::{body::Body, http::Response};
use causeway::config::{Config, Failover, Target, TargetKind, Transport};
use causeway_core::wire::ObjectEdit;
use serde_json::Value;
use tokio::sync::watch;

use crate::{
    fake_target::{Asked, FakeTarget, Speaks, json, success},
    harness::{Gateway, http_target},
    targets_client::{Client, Got},
};

/// How the two belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arranged {
    /// `http.endpoints` of one target.
    Places,
    /// A gateway, and a target that stands by for it.
    Standby,
}

/// How often each call, by the number in its arguments, was carried out, whoever did it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(watch::Sender<HashMap<u64, usize>>);

/// A gateway and the two servers. Both know the tool `act`, which says nothing about itself, and `look`, which only reads. The
/// second works; what the first does, a test says.
pub(crate) struct Pair {
    pub(crate) first: FakeTarget,
    pub(crate) second: FakeTarget,
    pub(crate) gateway: Gateway,
    pub(crate) runs: Runs,
    arranged: Arranged,
}

pub(crate) const BOTH: [Arranged; 2] = [Arranged::Places, Arranged::Standby];

/// Longer than any test.
pub(crate) const NEVER: Duration = Duration::from_secs(10_000);

/// Judges no path, whatever it does.
pub(crate) const PATIENT: Failover =
    Failover { failures: 1000, first_byte: NEVER, cool_down: NEVER, longest_cool_down: NEVER };

impl Pair {
    /// Both servers speak as `speaks` and were listed once.
    pub(crate) async fn start(arranged: Arranged, speaks: Speaks, failover: Failover) -> Self {
        Self::start_with(arranged, speaks, failover, |_, _| (), |_| ()).await
    }

    /// The same with changes to the servers before the gateway starts, and to the configuration.
    pub(crate) async fn start_with(
        arranged: Arranged,
        speaks: Speaks,
        failover: Failover,
        prepare: impl FnOnce(&mut FakeTarget, &mut FakeTarget),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let (mut first, mut second) = (FakeTarget::start(speaks), FakeTarget::start(speaks));
        let runs = Runs::default();
        for (fake, prefix) in [(&first, arranged.prefix_of_first()), (&second, "")] {
            fake.offer(&tools(prefix));
            let runs = runs.clone();
            fake.on("tools/call", move |asked| {
                let runs = runs.clone();
                async move { runs.carried_out(&asked) }
            });
        }
        prepare(&mut first, &mut second);
        let targets = arranged.targets(&first.endpoint(), &second.endpoint());
        let gateway = Gateway::start_with(targets, |config| {
            config.failover = failover;
            change(config);
        })
        .await;
        Self { first, second, gateway, runs, arranged }
    }

    /// From now on `script` answers calls at the first server.
    pub(crate) fn first_does<F>(&self, script: impl Fn(Runs, Asked) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let runs = self.runs.clone();
        self.first.on("tools/call", move |asked| script(runs.clone(), asked));
    }

    /// From now on the first server works.
    pub(crate) fn first_works(&self) {
        self.first_does(|runs, asked| async move { runs.carried_out(&asked) });
    }

    /// What clients call the first path and the second.
    pub(crate) fn paths(&self) -> [&'static str; 2] {
        match self.arranged {
            Arranged::Places => ["t/1", "t/2"],
            Arranged::Standby => ["far", "t"],
        }
    }

    /// What `/readyz` says of the two paths: state, requests served, requests passed on.
    pub(crate) async fn states(&self) -> [(String, u64, u64); 2] {
        let ready = self.gateway.anonymous().get("/readyz").await.json();
        let state = |at: usize| {
            let path = &ready["targets"][0]["paths"][at];
            assert_eq!(path["name"], self.paths()[at], "{ready}");
            let count = |key: &str| path[key].as_u64().unwrap();
            (path["state"].as_str().unwrap().to_owned(), count("served"), count("passedOn"))
        };
        [state(0), state(1)]
    }
}

impl Arranged {
    fn prefix_of_first(self) -> &'static str {
        match self {
            Self::Places => "",
            Self::Standby => "t___",
        }
    }

    /// The configuration of servers at these endpoints.
    pub(crate) fn targets(self, first: &str, second: &str) -> Vec<Target> {
        match self {
            Self::Places => {
                let mut target = http_target("t", first);
                let Transport::Http(http) = &mut target.transport else { panic!("it is behind a URL") };
                http.further.push(second.parse().unwrap());
                vec![target]
            }
            Self::Standby => {
                let kind = TargetKind::Gateway { standby: vec!["t".parse().unwrap()] };
                vec![Target { kind, ..http_target("far", first) }, http_target("t", second)]
            }
        }
    }
}

/// Puts the servers behind AgentCore Runtime.
pub(crate) fn hosted(config: &mut Config) {
    for target in &mut config.targets {
        let Transport::Http(http) = &mut target.transport else { panic!("it is behind a URL") };
        http.runtime = true;
    }
}

fn tools(prefix: &str) -> String {
    let act = format!(r#"{{"name":"{prefix}act","inputSchema":{{"type":"object"}}}}"#);
    let look =
        format!(r#"{{"name":"{prefix}look","inputSchema":{{"type":"object"}},"annotations":{{"readOnlyHint":true}}}}"#);
    format!("[{act},{look}]")
}

impl Runs {
    /// Takes note that a call is carried out.
    pub(crate) fn note(&self, asked: &Asked) {
        let number = number(asked);
        self.0.send_modify(|runs| *runs.entry(number).or_default() += 1);
    }

    /// Carries a call out: what a good server answers.
    pub(crate) fn carried_out(&self, asked: &Asked) -> Response<Body> {
        self.note(asked);
        json(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#))
    }

    /// How often the call of this number was carried out.
    pub(crate) fn of(&self, number: u64) -> usize {
        self.0.borrow().get(&number).copied().unwrap_or_default()
    }

    /// Waits until so many calls more were carried out.
    pub(crate) async fn until_more(&self, more: usize) {
        let mut runs = self.0.subscribe();
        let before = runs.borrow().len();
        runs.wait_for(|now| now.len() >= before + more).await.expect("the sender is in `self`");
    }
}

/// The number of a call.
fn number(asked: &Asked) -> u64 {
    let params = ObjectEdit::parse(&asked.params).unwrap();
    let arguments: Value = serde_json::from_str(params.get("arguments").unwrap()).unwrap();
    arguments["n"].as_u64().unwrap()
}

/// Calls `t___<tool>` under a number, asking for progress.
pub(crate) async fn call(client: &Client, tool: &str, number: u64) -> Got {
    let params =
        format!(r#"{{"name":"t___{tool}","arguments":{{"n":{number}}},"_meta":{{"progressToken":"p{number}"}}}}"#);
    client.ask("tools/call", &params).await
}
