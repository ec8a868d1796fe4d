//! Resolves which clients people use, and whether names can be made to fit them at all.

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
        let audience = self.audience("clients", (&clients.used, &clients.server_name), gateway);
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

    /// Who uses an endpoint that is called `name` where nothing else is said. `table` is where it is said.
    pub(super) fn audience(
        &mut self,
        table: &str,
        (used, server_name): (&[Located<Client>], &Member<String>),
        name: &str,
    ) -> Audience {
        let server = self.filled(&format!("{table}.server_name"), server_name).unwrap_or(name).to_owned();
        let mut profiles: Vec<Profile> = Vec::new();
        for client in used {
            let profile = Profile::from(client.value);
            if profiles.contains(&profile) {
                let message = format!("`{table}.used` holds `{}` twice; leave one out", profile.name());
                self.findings.report(&client.at, message);
            }
            let room = profile.room(&server);
            if room < Fit::LEAST {
                let message = format!(
                    "{profile} puts `{}` before the name of each tool and leaves it {room} characters, of which a name needs {}; write a \
                     shorter `server_name` here and in the client",
                    profile.prefix(&server),
                    Fit::LEAST
                );
                self.findings.report(&client.at, message);
            }
            profiles.push(profile);
        }
        Audience { server, profiles }
    }
}
