//! A conversation with one server as its client. Passes on what is said and decides nothing about it.

use std::{sync::Arc, time::Duration};

use bytestring::ByteString;
use causeway_core::{
    canonical::{Client as Identity, Logs, Repeat, Request},
    catalog::{Entry, Kind},
    era::{self, Era, params::HeaderParams},
    wire::Object,
};
use causeway_oidc::clock::Clock;

use super::{Peer, Trouble};
use crate::{
    app::App,
    config::Environment,
    targets::{About, Full, Heard, Question, Reply, Target, TargetError},
};

/// The caller as which all of one conversation goes, so that a legacy server sees one session.
const CALLER: &str = "cli";

/// A client of one server. Connects when it is first used; [`Client::stop`] says good-bye.
#[derive(Debug)]
pub struct Client {
    peer: Peer,
    target: Arc<Target>,
    identity: Identity,
}

/// How a conversation goes.
#[derive(Clone, Debug)]
pub struct Manner {
    /// What a call has from its beginning to its end, and a listing.
    pub patience: Duration,
    /// A person can be asked what a tool wants to know.
    pub may_be_asked: bool,
    pub logs: Logs,
}

impl Client {
    /// A client of `peer`; connects to nothing yet.
    ///
    /// # Errors
    /// Proxies of the environment that cannot be used; a system that trusts no certificates.
    pub fn open(peer: &Peer, manner: &Manner, environment: &Environment) -> anyhow::Result<Self> {
        let mut config = peer.config(environment)?;
        let patience = manner.patience;
        config.limits.call = patience;
        config.limits.first_byte = patience;
        config.limits.discovery = patience;
        config.limits.connect = config.limits.connect.min(patience);
        let app = App::build(config, Clock::system())?;
        let target = app.targets().first().map(Arc::clone).expect("the configuration has one target");
        let capabilities = match manner.may_be_asked {
            true => r#"{"elicitation":{"form":{},"url":{}}}"#,
            false => "{}",
        };
        let identity = Identity {
            version: era::LEGACY,
            info: Some(format!(r#"{{"name":"causeway","version":"{}"}}"#, env!("CARGO_PKG_VERSION")).into()),
            capabilities: capabilities.into(),
            logs: manner.logs,
            session: None,
            aside: None,
        };
        Ok(Self { peer: peer.clone(), target, identity })
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn about(&self) -> Result<About, Trouble> {
        self.target.about().await.map_err(|error| self.trouble(error))
    }

    /// Its whole list of one kind; empty where it does not know how to list that.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn list(&self, kind: Kind) -> Result<Vec<Entry>, Trouble> {
        let pages = self.target.list_for(CALLER, &self.identity, kind).await.map_err(|error| self.trouble(error))?;
        Ok(pages.into_iter().flat_map(|page| page.entries).collect())
    }

    /// A request with these parameters (JSON text). `schema` is the input schema of the tool that it calls, JSON text: some
    /// arguments are repeated in headers.
    pub fn request(&self, method: &'static str, params: Object, schema: Option<&str>) -> Request {
        Request {
            id: ByteString::from_static("1"),
            method: ByteString::from_static(method),
            params,
            era: Era::Legacy,
            client: self.identity.clone(),
            param_headers: Vec::new(),
            header_params: schema.and_then(|schema| HeaderParams::of_schema(schema).ok()).unwrap_or_default(),
            // What a tool does, nobody here knows.
            repeat: Repeat::Never,
            in_pieces: false,
        }
    }

    /// Sends it.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        self.target.call(CALLER, request, &[], Full::Wait).await.map_err(|error| self.trouble(error))
    }

    /// As long as what is given back lives, what a legacy server says to a call outside of its reply is heard as well.
    pub async fn attend(&self) -> Option<Heard> {
        self.target.attend(CALLER, &self.identity).await
    }

    /// Gives the server an answer (JSON text) to what it asked in between.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn answer(&self, question: Question, result: &str) -> Result<(), Trouble> {
        question.answer(result).await.map_err(|fault| Trouble::new(&self.peer, fault))
    }

    /// Ends the conversation.
    pub async fn stop(&self) {
        self.target.stop().await;
    }

    /// A failure of the target in words for whoever named it.
    pub fn trouble(&self, error: TargetError) -> Trouble {
        Trouble::new(&self.peer, error.fault)
    }
}
