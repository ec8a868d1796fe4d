//! Settings that a process has for its life: where it listens, where its log, its spans and its audit log go, where its state is, and
//! what it shares with other replicas.
//! A file that changes them is judged and used as if it did not, so that nothing is allowed for an address that the process is not
//! at.

use std::net::SocketAddr;

use crate::config::{
    Audit, Config, Draft, Environment, Mistakes, ReplicaUrl, Replicas, State, Telemetry,
    file::{self, File, state::NO_REPLICAS},
    located::Located,
};

/// What the process has, from the configuration that it was started with.
#[derive(Clone, Debug)]
pub struct Held {
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    audit: Option<Audit>,
    telemetry: Telemetry,
    state: State,
    replicas: Replicas,
}

impl Held {
    /// Of a process that was started with `config`.
    pub fn of(config: &Config) -> Self {
        Self {
            listen: config.gateway.listen,
            admin: config.admin.map(|admin| admin.listen),
            audit: config.audit.clone(),
            telemetry: config.telemetry.clone(),
            state: config.state.clone(),
            replicas: config.replicas.clone(),
        }
    }

    /// What `read` gives, resolved: first as it is written, then as this process can have it. Beside that the names of what it cannot
    /// have before its next start.
    ///
    /// # Errors
    /// Every mistake of the file, also those that it has only where this process is.
    pub fn resolve(
        &self,
        read: impl Fn() -> Result<Draft, Mistakes>,
        environment: &Environment,
    ) -> Result<(Config, Vec<&'static str>), Mistakes> {
        let written = read()?.resolve(environment)?;
        let later = self.differing(&written);
        if later.is_empty() {
            return Ok((written, later));
        }
        let mut here = read()?;
        self.put_into(&mut here.file);
        let config = here.resolve(environment)?;
        let (audit, telemetry, state) = (self.audit.clone(), self.telemetry.clone(), self.state.clone());
        Ok((Config { audit, telemetry, state, replicas: self.replicas.clone(), ..config }, later))
    }

    /// What of `config` the process has otherwise.
    fn differing(&self, config: &Config) -> Vec<&'static str> {
        let admin = config.admin.map(|admin| admin.listen);
        let admin = match (self.admin, admin) {
            (Some(held), Some(wanted)) if held != wanted => Some("admin.listen"),
            (held, wanted) if held != wanted => Some("admin"),
            _ => None,
        };
        let redis = |replicas: &Replicas| replicas.redis.as_ref().map(|redis| redis.url.clone());
        let differs = |differs: bool, name| differs.then_some(name);
        let all = [
            differs(self.listen != config.gateway.listen, "gateway.listen"),
            admin,
            differs(self.audit != config.audit, "audit"),
            differs(self.telemetry != config.telemetry, "telemetry"),
            differs(self.state != config.state, "state"),
            differs(self.replicas.own != config.replicas.own, "state.replica_url"),
            differs(redis(&self.replicas) != redis(&config.replicas), "state.redis_url_env"),
        ];
        all.into_iter().flatten().collect()
    }

    /// What decides who may call is what stands at the addresses where the process is; what replicas share needs keys for as long as it
    /// is shared.
    fn put_into(&self, file: &mut File) {
        let gateway = file.gateway.get_or_insert_with(|| file::Gateway::default().into());
        let at = gateway.at.clone();
        gateway.value.listen = Some(Located { value: self.listen.to_string(), at });
        match self.admin {
            None => file.admin = None,
            Some(listen) => {
                let admin = file.admin.get_or_insert_with(|| file::Admin::default().into());
                let at = admin.at.clone();
                admin.value.listen = Some(Located { value: listen.to_string(), at });
            }
        }
        let state = file.state.get_or_insert_with(|| file::State::default().into());
        let at = state.at.clone();
        let located = |value| Located { value, at: at.clone() };
        state.value.replica_url = match &self.replicas.own {
            ReplicaUrl::Off => Some(located(NO_REPLICAS.to_owned())),
            ReplicaUrl::Given(url) => Some(located(url.to_string())),
            ReplicaUrl::Found { .. } => None,
        };
        state.value.redis_url_env = self.replicas.redis.as_ref().map(|redis| located(redis.variable.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const KEY: &str = "[sessions]\nkey_env = [\"KEY\"]\n";

    fn text(state: &str, rest: &str) -> String {
        let target = "[[targets]]\nname = \"t\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n";
        format!("authorizer = \"none\"\n[state]\n{state}\n{rest}{target}")
    }

    /// What a process that was started with one configuration makes of another.
    fn taken(first: &str, then: &str) -> Result<(Config, Vec<&'static str>), Mistakes> {
        let environment = Environment::of([
            ("KEY", "a key of 32 bytes and some more of them"),
            ("REDIS", "redis://127.0.0.1:6379"),
            ("SAME", "redis://127.0.0.1:6379"),
            ("OTHER", "redis://127.0.0.1:6380"),
            ("HOME", "/home/somebody"),
        ]);
        let read = |text: &str| Draft::parse(Path::new("config.toml"), text);
        let held = Held::of(&read(first).unwrap().resolve(&environment).unwrap());
        held.resolve(|| read(then), &environment)
    }

    #[test]
    fn what_replicas_share_stays_for_the_life_of_the_process() {
        let first = text("replica_url = \"http://10.0.0.7:8080\"\nredis_url_env = \"REDIS\"", KEY);
        let (started, _) = taken(&first, &first).unwrap();
        for (then, named) in [
            (text("replica_url = \"http://10.0.0.7:8080\"\nredis_url_env = \"SAME\"", KEY), &[][..]),
            (text("replica_url = \"off\"\nredis_url_env = \"REDIS\"", KEY), &["state.replica_url"]),
            (text("replica_url = \"http://10.0.0.7:8080\"\nredis_url_env = \"OTHER\"", KEY), &["state.redis_url_env"]),
            (text("", KEY), &["state.replica_url", "state.redis_url_env"]),
        ] {
            let (config, later) = taken(&first, &then).unwrap();
            assert_eq!(later, named, "{then}");
            let url = |config: &Config| config.replicas.redis.as_ref().map(|redis| redis.url.clone());
            assert_eq!((&config.replicas.own, url(&config)), (&started.replicas.own, url(&started)), "{then}");
        }
        let (config, later) = taken(&text("", KEY), &first).unwrap();
        assert_eq!(later, ["state.replica_url", "state.redis_url_env"]);
        assert_eq!(config.replicas, Replicas::default());
    }

    #[test]
    fn keys_cannot_go_before_what_needs_them() {
        let first = text("replica_url = \"http://10.0.0.7:8080\"\nredis_url_env = \"REDIS\"", KEY);
        // By itself the file is good: at the next start nothing is shared.
        taken(&text("", ""), &text("", "")).unwrap();
        let mistakes = taken(&first, &text("", "")).unwrap_err().to_string();
        for named in ["`state.replica_url` needs `sessions.key_env`", "`state.redis_url_env` needs `sessions.key_env`"]
        {
            assert!(mistakes.contains(named), "{mistakes}");
        }
    }
}
