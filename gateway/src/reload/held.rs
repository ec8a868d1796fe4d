//! Settings that a process has for its life: where it listens, where its log, its spans and its audit log go, where its state is.
//! A file that changes them is judged and used as if it did not, so that nothing is allowed for an address that the process is not
//! at.

use std::net::SocketAddr;

use crate::config::{
    Audit, Config, Draft, Environment, Mistakes, State, Telemetry,
    file::{self, File},
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
        Ok((Config { audit, telemetry, state, ..config }, later))
    }

    /// What of `config` the process has otherwise.
    fn differing(&self, config: &Config) -> Vec<&'static str> {
        let admin = config.admin.map(|admin| admin.listen);
        let admin = match (self.admin, admin) {
            (Some(held), Some(wanted)) if held != wanted => Some("admin.listen"),
            (held, wanted) if held != wanted => Some("admin"),
            _ => None,
        };
        let differs = |differs: bool, name| differs.then_some(name);
        let all = [
            differs(self.listen != config.gateway.listen, "gateway.listen"),
            admin,
            differs(self.audit != config.audit, "audit"),
            differs(self.telemetry != config.telemetry, "telemetry"),
            differs(self.state != config.state, "state"),
        ];
        all.into_iter().flatten().collect()
    }

    /// What decides who may call is what stands at the addresses where the process is.
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
    }
}
