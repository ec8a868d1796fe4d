//! Resolves the section `[admin]`: an address, and who is let in there.

use std::net::SocketAddr;

use super::{
    super::{
        Admin, Authorizer,
        file::{self, File, admin::MetricsFor},
        located::Member,
    },
    Resolver,
};

impl Resolver<'_> {
    /// `Some(None)` where there is to be no admin port.
    pub(super) fn admin(&mut self, file: &File, authorizer: Option<&Authorizer>) -> Option<Option<Admin>> {
        let Some(section) = &file.admin else { return Some(None) };
        let admin = &section.value;
        let listen = self.admin_address(&admin.listen)?;
        let allowed = admin.allow_unauthenticated.as_ref().is_some_and(|allow| allow.value);
        match (authorizer, &admin.allow_unauthenticated) {
            (Some(Authorizer::None), _) if !allowed && !listen.ip().is_loopback() => {
                let message = format!(
                    "`admin.listen = \"{listen}\"` would show everyone who reaches it how this gateway is set up, because there \
                     is no authorizer; listen on `127.0.0.1:{}`, write `[authorizer.custom_jwt]`, or insist with \
                     `admin.allow_unauthenticated = true`",
                    listen.port()
                );
                self.findings.report(&admin.listen.as_ref().map_or(0..0, |listen| listen.at.clone()), message);
            }
            (Some(Authorizer::CustomJwt(_) | Authorizer::AwsIam(_)), Some(allow)) if allowed => {
                let message = "`admin.allow_unauthenticated = true` has no effect beside an authorizer; leave it out";
                self.findings.report(&allow.at, message);
            }
            _ => {}
        }
        let open_metrics = admin.metrics.as_ref().is_some_and(|metrics| metrics.value == MetricsFor::Anyone);
        let try_tools = admin.try_tools.as_ref().map_or(listen.ip().is_loopback(), |wanted| wanted.value);
        Some(Some(Admin { listen, open_metrics, try_tools }))
    }

    fn admin_address(&mut self, member: &Member<String>) -> Option<SocketAddr> {
        let Some(listen) = member else {
            return Some(file::admin::LISTEN.parse().expect("the default is an address"));
        };
        let parsed = listen.value.parse();
        if parsed.is_err() {
            let message =
                "`admin.listen` takes an IP address and a port; write `127.0.0.1:8081` for this machine alone";
            self.findings.report(&listen.at, message);
        }
        parsed.ok()
    }
}
