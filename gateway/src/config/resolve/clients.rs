//! Resolves which clients people use, and whether names can be made to fit them at all.

use std::ops::Range;

use causeway_core::name::{Audience, Fit, Profile};

use super::{
    super::{
        Clients,
        file::{self, clients::Client},
        located::{Located, Member},
    },
    Resolver,
};

impl Resolver<'_> {
    pub(super) fn clients(&mut self, section: Option<&Located<file::Clients>>, gateway: &str) -> Clients {
        let default = file::Clients::default();
        let clients = section.map_or(&default, |section| &section.value);
        self.each_client_once("clients.used", &clients.used);
        let audience = self.audience((&clients.used, &clients.server_name), (gateway, None));
        let shorten = clients.shorten_names.as_ref().filter(|shorten| shorten.value);
        Clients { audience, shorten: shorten.is_some() }
    }

    /// What fits nobody in particular cannot be shortened to.
    pub(super) fn shortening(&mut self, file: &file::File, clients: &Clients) {
        let shorten = file.clients.as_ref().and_then(|clients| clients.value.shorten_names.as_ref());
        if let Some(shorten) = shorten.filter(|_| clients.shorten && clients.audience.profiles.is_empty()) {
            let message = "`clients.shorten_names` has no effect without `clients.used`, by which it is known what fits; write \
                           `used = [\"vscode\", \"claude-code\"]` in `[clients]`";
            self.findings.report(&shorten.at, message);
        }
    }

    /// Who uses an endpoint that is called `name`, which stands at `at`, where nothing else is said.
    pub(super) fn audience(
        &mut self,
        (used, server_name): (&[Located<Client>], &Member<String>),
        (name, at): (&str, Option<&Range<usize>>),
    ) -> Audience {
        let server = self.filled("clients.server_name", server_name).unwrap_or(name).to_owned();
        let said_at = server_name.as_ref().map(|member| &member.at).or(at);
        let profiles: Vec<Profile> = used.iter().map(|client| client.value.into()).collect();
        for (client, profile) in used.iter().zip(&profiles) {
            let room = profile.room(&server);
            if room < Fit::LEAST {
                let message = format!(
                    "{profile} puts `{}` before the name of each tool and leaves it {room} characters, of which a name needs {}; write a \
                     shorter `clients.server_name` here, and the same in the client",
                    profile.prefix(&server),
                    Fit::LEAST
                );
                self.findings.report(said_at.unwrap_or(&client.at), message);
            }
        }
        Audience { server, profiles }
    }

    /// A client that is named twice was probably meant to be another.
    pub(super) fn each_client_once(&mut self, name: &str, used: &[Located<Client>]) {
        for (at, client) in used.iter().enumerate() {
            if used[..at].iter().any(|before| before.value == client.value) {
                let message = format!("`{name}` holds `{}` twice; leave one out", Profile::from(client.value).name());
                self.findings.report(&client.at, message);
            }
        }
    }
}
