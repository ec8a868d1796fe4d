//! Who logs in to `causeway dev`, and as which client: one person whose name and passwords the environment may choose, and one client
//! without a secret, with the gateway's callback registered as an operator registers it at Cognito.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{
    config::{ClientDocuments, CustomJwt, Environment, Login, LoginProxy, Proxies, environment::Reference},
    identity_provider::{PoolClient, PublicClient, User},
    login::Here,
    secret::Secret,
};

/// Where the file names no client for people.
const CLIENT: &str = "development-login";
const USER: &str = "developer";
const PASSWORD: &str = "Development-1";
const TEMPORARY_PASSWORD: &str = "Temporary-1";

/// The person who can log in.
#[derive(Clone, Debug)]
pub(super) struct Developer {
    pub(super) user: User,
    /// Whether the password is the one that stands in this file.
    pub(super) has_default_password: bool,
}

/// The person that COGNITO_USERNAME, COGNITO_PASSWORD and COGNITO_TEMP_PASSWORD name.
pub(super) fn developer(environment: &Environment) -> Developer {
    let set = |name: &str| environment.look_up(Reference::Variable(name)).ok();
    let password = set("COGNITO_PASSWORD");
    let has_default_password = password.is_none();
    let user = User {
        name: set("COGNITO_USERNAME").map_or(USER.into(), |name| name.expose().to_owned()),
        password: password.unwrap_or_else(|| Secret::new(PASSWORD)),
        temporary_password: set("COGNITO_TEMP_PASSWORD").unwrap_or_else(|| Secret::new(TEMPORARY_PASSWORD)),
    };
    Developer { user, has_default_password }
}

/// Turns login on in `config`, whose callers come with the tokens of `jwt`, and gives the client that people log in with. `like` has
/// what tokens need to be let in.
pub(super) fn let_log_in(
    (login, proxies): (&mut Option<Login>, &Proxies),
    jwt: &mut CustomJwt,
    like: &PoolClient,
    gateway: SocketAddr,
) -> PublicClient {
    // As where the file does not say.
    let client_documents = if proxies.stand_before_https() { ClientDocuments::Off } else { ClientDocuments::Public };
    let mut proxy = match login.take() {
        Some(Login::Proxy(proxy)) => proxy,
        // What is started here has neither metadata nor registration to point at.
        Some(Login::PassThrough) | None => Box::new(LoginProxy {
            client_id: CLIENT.into(),
            scopes: jwt.rules.allowed_scopes.clone(),
            redirect_uris: Vec::new(),
            client_documents,
            authorization_endpoint: None,
            token_endpoint: None,
            revocation_endpoint: None,
        }),
    };
    (proxy.authorization_endpoint, proxy.token_endpoint, proxy.revocation_endpoint) = (None, None, None);
    let clients = &mut jwt.rules.allowed_clients;
    if !clients.is_empty() && !clients.contains(&proxy.client_id) {
        clients.push(proxy.client_id.clone());
    }
    let client = PublicClient {
        id: proxy.client_id.clone(),
        callback_urls: callbacks(gateway),
        scopes: proxy.scopes.clone(),
        extra_claims: like.extra_claims.clone(),
    };
    *login = Some(Login::Proxy(proxy));
    client
}

/// By whatever name this machine is called.
fn callbacks(gateway: SocketAddr) -> Vec<String> {
    let at = |ip: IpAddr| SocketAddr::new(ip, gateway.port()).to_string();
    let hosts = [
        at(Ipv4Addr::LOCALHOST.into()),
        at(Ipv6Addr::LOCALHOST.into()),
        at(gateway.ip()),
        format!("localhost:{}", gateway.port()),
    ];
    hosts.iter().map(|host| Here::new(format!("http://{host}")).callback()).collect()
}
