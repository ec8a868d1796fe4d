//! What a target is shown, as config.toml has it: secrets by the ARN under which AgentCore keeps them, never their values.

use super::{
    super::{
        document::Block,
        gap::Gap,
        live::{
            ApiKeyProvider, ApiKeyUse, CredentialConfiguration, IamUse, Live, Oauth2Provider, OauthClient, OauthUse,
            Provider, Target,
        },
    },
    Wish,
};

/// The member of the JSON in which AgentCore keeps an API key that it was given. Seen in use, not documented.
const MANAGED_KEY: &str = "api_key_value";
/// Without it a target that wants to be let in is of no use.
const SHUT_OUT: &str = "its tools are not served here";
const OWN_ALONE: &str = "its tools are not served here, where it could only be shown a credential of the gateway's own; give it \
                         one to have them";

/// The tables of a target's credential; nothing for a target without.
///
/// # Errors
/// Why the target cannot be mirrored.
pub(super) fn block(live: &Live, target: &Target, wish: Wish, gaps: &mut Vec<Gap>) -> Result<Block, Box<Gap>> {
    let Some(configuration) = target.credential() else { return Ok(Block::default()) };
    let gap = |what: &str, consequence: &str| Box::new(Gap::of_target(&target.name, what, wish.here(consequence)));
    if let Some(what) = of_users(target) {
        return Err(gap(&what, OWN_ALONE));
    }
    let provider = configuration.credential_provider.as_ref();
    let oauth = provider.and_then(|it| it.oauth_credential_provider.as_ref());
    let key = provider.and_then(|it| it.api_key_credential_provider.as_ref());
    let iam = provider.and_then(|it| it.iam_credential_provider.as_ref());
    let shut_out = |what: String| gap(&what, SHUT_OUT);
    match (configuration.credential_provider_type.as_str(), oauth, key, iam) {
        ("GATEWAY_IAM_ROLE", _, _, Some(iam)) => Ok(sigv4(live, iam)),
        ("OAUTH", Some(used), ..) => match lookup(live, configuration) {
            Ok(Provider::Oauth2(provider)) => {
                gaps.extend(private_issuer(provider).then(|| {
                    let what = "its issuer is reached through a private endpoint there";
                    *gap(what, "this machine must reach the issuer itself")
                }));
                client_credentials(used, provider).map_err(shut_out)
            }
            Ok(_) => Err(gap("its credential provider is none for OAuth", SHUT_OUT)),
            Err(why) => Err(shut_out(why)),
        },
        ("API_KEY", _, Some(used), _) => match lookup(live, configuration) {
            Ok(Provider::ApiKey(provider)) => Ok(api_key(used, provider)),
            Ok(_) => Err(gap("its credential provider is none for API keys", SHUT_OUT)),
            Err(why) => Err(shut_out(why)),
        },
        (other, ..) => Err(gap(&format!("nothing is said about its credential of the kind `{other}`"), SHUT_OUT)),
    }
}

/// What a target is shown there that is, or may be, of the user who calls; `None` if all is the gateway's own.
pub(super) fn of_users(target: &Target) -> Option<String> {
    target.credentials().iter().find_map(|configuration| {
        let oauth = configuration.credential_provider.as_ref().and_then(|it| it.oauth_credential_provider.as_ref());
        let grant = oauth.and_then(|used| used.grant_type.as_deref());
        match (configuration.credential_provider_type.as_str(), grant) {
            ("GATEWAY_IAM_ROLE" | "API_KEY", _) | ("OAUTH", None | Some("CLIENT_CREDENTIALS")) => None,
            ("OAUTH", Some(grant)) => Some(format!("it is shown a token of each user there (grant `{grant}`)")),
            ("CALLER_IAM_CREDENTIALS" | "JWT_PASSTHROUGH", _) => {
                Some("it is shown the caller's own credentials there".into())
            }
            (other, _) => Some(format!("it is shown credentials of the kind `{other}` there")),
        }
    })
}

/// The provider that a credential refers to.
fn lookup<'a>(live: &'a Live, configuration: &CredentialConfiguration) -> Result<&'a Provider, String> {
    let arn = configuration.provider_arn().unwrap_or_default();
    match live.providers.get(arn) {
        Some(Provider::Unreadable(why)) => Err(format!("its credential provider `{arn}` could not be read ({why})")),
        Some(provider) => Ok(provider),
        None => Err(format!("its credential provider `{arn}` was not read")),
    }
}

fn sigv4(live: &Live, iam: &IamUse) -> Block {
    let mut block = Block::default();
    block.gap();
    if let Some(role) = &live.gateway.role_arn {
        block.comment(&format!(
            "There requests are signed as `{role}`. Here they are signed with the AWS credentials of this process, which need \
             the same permissions; or let it assume that role with `role_arn`, if the role trusts it."
        ));
    }
    block.table("targets.credential.sigv4").set("service", iam.service.as_str());
    block.set("region", iam.region.as_deref().unwrap_or(live.region()));
    block
}

/// # Errors
/// What is missing, or cannot be said.
fn client_credentials(used: &OauthUse, provider: &Oauth2Provider) -> Result<Block, String> {
    let mut block = Block::default();
    block.gap().comment(&format!("From the credential provider `{}`.", provider.name)).append(&client(provider)?);
    block.set_list("scopes", used.scopes.as_ref());
    if let Some(parameters) = &used.custom_parameters {
        let parameters = parameters.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        block.set("custom_parameters", toml::Value::Table(parameters.collect()));
    }
    Ok(block)
}

/// Whether the issuer is reached in a way that nobody but AWS has.
fn private_issuer(provider: &Oauth2Provider) -> bool {
    let mut clients = provider.oauth2_provider_config_output.values();
    clients.any(|client| client.private_endpoint.as_ref().is_some_and(|it| !it.is_null()))
}

/// The client that a provider fetches tokens with.
///
/// # Errors
/// What is missing, or cannot be said.
fn client(provider: &Oauth2Provider) -> Result<Block, String> {
    let client = provider.oauth2_provider_config_output.values().next();
    let client = client.ok_or("nothing is said about the client that fetches its tokens")?;
    let (Some(client_id), Some(secret)) = (&client.client_id, &provider.client_secret_arn) else {
        return Err("its credential provider has no client id or no secret".into());
    };
    let mut block = Block::default();
    block.table("targets.credential.client_credentials");
    let discovery = &client.oauth_discovery;
    match (&discovery.discovery_url, &discovery.authorization_server_metadata) {
        (Some(url), _) => block.set("discovery_url", url.as_str()),
        (None, Some(server)) => block.set("token_endpoint", server.token_endpoint.as_str()),
        (None, None) => return Err("nothing says where its tokens come from".into()),
    };
    block.set("client_id", client_id.as_str()).set("client_secret_arn", secret.secret_arn.as_str());
    match (&provider.client_secret_json_key, provider.client_secret_source.as_deref()) {
        (Some(key), _) => _ = block.set("client_secret_json_key", key.as_str()),
        (None, Some("MANAGED")) => {
            block.comment("AWS does not say in which form AgentCore keeps secrets that it was given: if it is JSON, by its member.");
            block.comment_setting("client_secret_json_key", "client_secret");
        }
        (None, _) => (),
    }
    if in_form(client)? {
        block.set("client_authentication", "post");
    }
    Ok(block)
}

/// Whether a client proves itself in the form; by the header otherwise.
///
/// # Errors
/// The way that is neither.
fn in_form(client: &OauthClient) -> Result<bool, String> {
    let server = client.oauth_discovery.authorization_server_metadata.as_ref();
    let methods = server.and_then(|server| server.token_endpoint_auth_methods.as_deref());
    match client.client_authentication_method.as_deref() {
        None => Ok(methods.is_some_and(|methods| methods == ["client_secret_post"])),
        Some("CLIENT_SECRET_BASIC") => Ok(false),
        Some("CLIENT_SECRET_POST") => Ok(true),
        Some(other) => Err(format!("its client proves itself by `{other}` there")),
    }
}

fn api_key(used: &ApiKeyUse, provider: &ApiKeyProvider) -> Block {
    let mut block = Block::default();
    block.gap().comment(&format!("From the credential provider `{}`.", provider.name));
    block.table("targets.credential.api_key").set("key_arn", provider.api_key_secret_arn.secret_arn.as_str());
    match (&provider.api_key_secret_json_key, provider.api_key_secret_source.as_deref()) {
        (Some(key), _) => _ = block.set("key_json_key", key.as_str()),
        (None, Some("MANAGED")) => {
            block.comment(
                "In this form AgentCore keeps keys that it was given; leave it out if the secret is the key alone.",
            );
            block.set("key_json_key", MANAGED_KEY);
        }
        (None, _) => (),
    }
    match used.credential_location.as_deref() {
        Some("QUERY_PARAMETER") => _ = block.set("location", "query_parameter"),
        _ => _ = block.set("location", "header"),
    }
    block.set("parameter_name", used.credential_parameter_name.as_deref().unwrap_or("Authorization"));
    // AgentCore puts a space between, whether or not the prefix ends with one: two of them some servers refuse.
    let prefix = used.credential_prefix.as_deref().map(|prefix| format!("{} ", prefix.trim_end()));
    block.set_some("prefix", prefix);
    block
}
