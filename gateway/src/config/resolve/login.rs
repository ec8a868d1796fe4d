//! Resolves how people log in. Asks no issuer.

use std::ops::Range;

use causeway_core::authorizer::{Authorizer as Rules, TokenUse};
use url::Url;

use super::{
    super::{
        Authorizer, Gateway, Login, LoginProxy, Proxies,
        file::login as file,
        is_loopback, is_loopback_redirect,
        located::{Located, Member},
    },
    Resolver,
};

/// Schemes that no login ends at: they lead to scripts, files or the network in the clear.
const NEVER: [&str; 11] =
    ["http", "ws", "wss", "ftp", "javascript", "vbscript", "data", "blob", "file", "filesystem", "about"];

impl Resolver<'_> {
    /// `Some(None)`: nobody logs in by this gateway.
    pub(super) fn login(
        &mut self,
        section: Option<&Located<file::Login>>,
        gateway: Option<&Gateway>,
        authorizer: Option<&Authorizer>,
    ) -> Option<Option<Login>> {
        let Some(Located { value: login, at }) = section else { return Some(None) };
        let rules = match authorizer {
            Some(Authorizer::CustomJwt(jwt)) => Some(&jwt.rules),
            Some(Authorizer::None | Authorizer::AwsIam(_)) => {
                let message = "`[login]` leads to access tokens, which only `[authorizer.custom_jwt]` takes; write that table, or \
                               leave `[login]` out";
                self.findings.report(at, message);
                None
            }
            // Reported where it is read.
            None => None,
        };
        if rules.is_some_and(|rules| rules.token_use == TokenUse::Id) {
            let message = "`[login]` leads to access tokens, which `authorizer.custom_jwt.token_use = \"id\"` refuses; leave one of \
                           the two out";
            self.findings.report(at, message);
        }
        match login.mode.as_ref().map(|mode| mode.value) {
            None | Some(file::Mode::Proxy) => {
                self.reachable(at, gateway);
                self.proxy(at, login, gateway, rules).map(|proxy| Some(Login::Proxy(Box::new(proxy))))
            }
            Some(file::Mode::PassThrough) => {
                self.nothing_to_set(login);
                Some(Some(Login::PassThrough))
            }
        }
    }

    fn proxy(
        &mut self,
        at: &Range<usize>,
        login: &file::Login,
        gateway: Option<&Gateway>,
        rules: Option<&Rules>,
    ) -> Option<LoginProxy> {
        let client_id = self.required(at, "login.client_id", &login.client_id, "\"3n4b5urk1ft4fl3mg5e62d9ado\"");
        self.filled("login.client_id", &login.client_id);
        if let (Some(client_id), Some(rules)) = (client_id, rules) {
            self.is_allowed(client_id, rules);
        }
        let scopes = self.login_scopes(login, rules);
        let redirect_uris: Vec<_> = login.redirect_uris.iter().map(|uri| self.redirect_uri(uri)).collect();
        let client_documents = self.client_documents(&login.client_documents, gateway);
        let mut endpoint = |name: &str, member: &Member<String>| {
            let example = "https://example.auth.us-east-1.amazoncognito.com/oauth2/…";
            member.as_ref().map(|url| self.url(&format!("login.{name}"), url, example))
        };
        let authorization_endpoint = endpoint("authorization_endpoint", &login.authorization_endpoint);
        let token_endpoint = endpoint("token_endpoint", &login.token_endpoint);
        let revocation_endpoint = endpoint("revocation_endpoint", &login.revocation_endpoint);
        let whole = |endpoint: Option<Option<Url>>| endpoint.map_or(Some(None), |url| url.map(Some));
        Some(LoginProxy {
            client_id: client_id?.value.clone(),
            scopes,
            redirect_uris: redirect_uris.into_iter().collect::<Option<_>>()?,
            client_documents,
            authorization_endpoint: whole(authorization_endpoint)?,
            token_endpoint: whole(token_endpoint)?,
            revocation_endpoint: whole(revocation_endpoint)?,
        })
    }

    /// The tokens of the login must be let in.
    fn is_allowed(&mut self, client_id: &Located<String>, rules: &Rules) {
        if !rules.allowed_clients.is_empty() && !rules.allowed_clients.contains(&client_id.value) {
            let message = "tokens of the client that `login.client_id` names would be refused; add it to \
                           `authorizer.custom_jwt.allowed_clients`";
            self.findings.report(&client_id.at, message);
        }
    }

    fn login_scopes(&mut self, login: &file::Login, rules: Option<&Rules>) -> Vec<String> {
        let scopes = self.scopes("login.scopes", &login.scopes);
        let allowed = rules.map_or(&[][..], |rules| &rules.allowed_scopes);
        if let Some(first) = login.scopes.first() {
            if !allowed.is_empty() && !scopes.iter().any(|scope| allowed.contains(scope)) {
                let message = "tokens with the scopes of `login.scopes` alone would be refused; add one of \
                               `authorizer.custom_jwt.allowed_scopes`, or leave `scopes` out to ask for those";
                self.findings.report(&first.at, message);
            }
            return scopes;
        }
        allowed.to_vec()
    }

    fn redirect_uri(&mut self, member: &Located<String>) -> Option<String> {
        let wrong = match Url::parse(&member.value) {
            Ok(url) if is_loopback_redirect(&url) => {
                "need not name this machine: programs on the user's machine may always log in; leave it out"
            }
            Ok(url) if NEVER.contains(&url.scheme()) => {
                "takes `https` and the schemes of programs; write it like `https://claude.ai/api/mcp/auth_callback`"
            }
            Ok(url) if url.fragment().is_some() => "holds a `#` part, which a redirect must not have; leave that out",
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "holds a user or a password; write it without"
            }
            Ok(_) if member.value.bytes().all(|byte| byte.is_ascii_graphic()) => return Some(member.value.clone()),
            _ => "takes whole URLs; write it like `https://claude.ai/api/mcp/auth_callback`",
        };
        self.findings.report(&member.at, format!("`login.redirect_uris` {wrong}"));
        None
    }

    fn client_documents(
        &mut self,
        member: &Member<file::ClientDocuments>,
        gateway: Option<&Gateway>,
    ) -> file::ClientDocuments {
        let Some(member) = member else {
            // Documents are never read through a proxy: where there is one, clients had better register.
            let behind = Proxies::new(self.environment).is_ok_and(|proxies| proxies.stand_before_https());
            return if behind { file::ClientDocuments::Off } else { file::ClientDocuments::Public };
        };
        let here = gateway.is_none_or(|gateway| gateway.listen.ip().is_loopback());
        if member.value == file::ClientDocuments::Local && !here {
            let message = "`login.client_documents = \"local\"` lets strangers make the gateway read addresses of its own network; \
                           listen on loopback, or write `\"public\"` or `\"off\"`";
            self.findings.report(&member.at, message);
        }
        member.value
    }

    /// What clients are told to open must not follow from a header that anyone can send, and a code must not travel in the clear.
    fn reachable(&mut self, at: &Range<usize>, gateway: Option<&Gateway>) {
        let Some(gateway) = gateway else { return };
        match &gateway.public_url {
            None if !gateway.listen.ip().is_loopback() => {
                let message = "`[login]` needs `gateway.public_url` where other machines call: clients are sent there, and the issuer \
                               sends people back there; write `public_url = \"https://…/mcp\"` below `[gateway]`";
                self.findings.report(at, message);
            }
            Some(url) if url.scheme() != "https" && !is_loopback(url) => {
                let message =
                    "`[login]` needs a `gateway.public_url` that begins with `https://`: codes and tokens pass there";
                self.findings.report(at, message);
            }
            _ => {}
        }
    }

    fn nothing_to_set(&mut self, login: &file::Login) {
        let at = |member: &Member<String>| member.as_ref().map(|member| member.at.clone());
        let set = [
            ("client_id", at(&login.client_id)),
            ("scopes", login.scopes.first().map(|scope| scope.at.clone())),
            ("redirect_uris", login.redirect_uris.first().map(|uri| uri.at.clone())),
            ("client_documents", login.client_documents.as_ref().map(|member| member.at.clone())),
            ("authorization_endpoint", at(&login.authorization_endpoint)),
            ("token_endpoint", at(&login.token_endpoint)),
            ("revocation_endpoint", at(&login.revocation_endpoint)),
        ];
        for (name, at) in set.into_iter().filter_map(|(name, at)| Some((name, at?))) {
            let message =
                format!("`login.{name}` has no effect with `mode = \"pass_through\"`; leave one of the two out");
            self.findings.report(&at, message);
        }
    }
}
