//! The endpoints over all configurations: for who listens at one of them longer than a configuration lasts.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::watch;

use crate::{
    gateway::{Gateway, Lasting},
    http::Endpoint,
};

/// What the gateway's own endpoint goes by: no toolset has this name.
pub(super) const OWN: &str = "";

/// The endpoints that there are, each with its gateway of the moment.
#[derive(Debug, Default)]
pub(super) struct Lines(HashMap<String, watch::Sender<Arc<Gateway>>>);

impl Lines {
    /// The endpoint of this name. One that is new begins with `gateway`; at one that is there, nobody hears of it before
    /// [`Self::go_on`].
    pub(super) fn of(&mut self, name: &str, gateway: &Arc<Gateway>) -> Lasting {
        match self.0.get(name) {
            Some(line) => Lasting::of(line),
            None => {
                let (line, lasting) = Lasting::new(Arc::clone(gateway));
                self.0.insert(name.to_owned(), line);
                lasting
            }
        }
    }

    /// Tells who listens that this is how the endpoints are from now on. Those that are not among them end.
    pub(super) fn go_on(&mut self, own: &Endpoint, toolsets: &HashMap<String, Endpoint>) {
        self.0.retain(|name, line| {
            let endpoint = if name == OWN { Some(own) } else { toolsets.get(name) };
            if let Some(endpoint) = endpoint {
                line.send_replace(Arc::clone(&endpoint.front.gateway));
            }
            endpoint.is_some()
        });
    }
}
