//! Resolves what the gateway shows a target. Asks no issuer.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, header};

use super::{
    super::{
        ApiKey, ApiKeyLocation, Aws, ClientAuthentication, ClientCredentials, Credential, SecretSource, TokenEndpoint,
        file::target as file, located::Located,
    },
    Resolver,
};
use crate::secret::Secret;

const CLIENT_CREDENTIALS: &str = "credential.client_credentials";
const API_KEY: &str = "credential.api_key";
const SIGV4: &str = "credential.sigv4";

/// Parameters of a token request that other keys stand for, or that would put a secret into the file.
const RESERVED: [&str; 7] =
    ["grant_type", "client_id", "client_secret", "scope", "client_assertion", "client_assertion_type", "refresh_token"];

/// Headers that carry the message itself: a key there would break it.
const OWN_HEADERS: [HeaderName; 8] = [
    header::ACCEPT,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl Resolver<'_> {
    /// What `member` says to show. `region` is the one that the target itself names.
    pub(super) fn credential(
        &mut self,
        member: Option<&Located<file::Credential>>,
        aws: &Aws,
        region: Option<&str>,
    ) -> Option<Credential> {
        let Some(Located { value: credential, at }) = member else {
            return Some(Credential::None);
        };
        let client = credential.client_credentials.as_ref().map(|client| self.client_credentials(client));
        let key = credential.api_key.as_ref().map(|key| self.api_key(key));
        let sigv4 = credential.sigv4.as_ref().map(|sigv4| self.sigv4(sigv4, aws, region));
        let shown = [
            (CLIENT_CREDENTIALS, client.map(|client| client.map(Credential::ClientCredentials))),
            (API_KEY, key.map(|key| key.map(Credential::ApiKey))),
            (SIGV4, sigv4.map(|sigv4| sigv4.map(Credential::Sigv4))),
        ];
        let mut shown: Vec<_> = shown.into_iter().filter_map(|(name, shown)| Some((name, shown?))).collect();
        if let [_, others @ ..] = &shown[..]
            && !others.is_empty()
        {
            let names: Vec<_> = shown.iter().map(|(name, _)| format!("`{name}`")).collect();
            let (both, out) = match names.len() {
                2 => ("both", "one of them"),
                _ => ("all", "all but one"),
            };
            self.findings.report(at, format!("{} are {both} there; leave {out} out", names.join(" and ")));
            return None;
        }
        if shown.is_empty() && !self.findings.took_any(at) {
            let message = "`credential` does not say what to show; write `[targets.credential.client_credentials]`, \
                           `[targets.credential.api_key]` or `[targets.credential.sigv4]`, or leave it out";
            self.findings.report(at, message);
        }
        shown.pop()?.1
    }

    fn client_credentials(&mut self, client: &Located<file::ClientCredentials>) -> Option<ClientCredentials> {
        let token_endpoint = self.token_endpoint(client);
        let (at, client) = (&client.at, &client.value);
        let name = format!("{CLIENT_CREDENTIALS}.client_id");
        let client_id = self.required(at, &name, &client.client_id, "\"…\"");
        self.filled(&name, &client.client_id);
        let name = format!("{CLIENT_CREDENTIALS}.client_secret");
        let kept = (&client.client_secret_arn, &client.client_secret_json_key);
        let secret = self.secret_source(at, &name, (&client.client_secret_env, &client.client_secret_file), kept);
        let scopes = self.scopes(&format!("{CLIENT_CREDENTIALS}.scopes"), &client.scopes);
        let custom_parameters = self.custom_parameters(&client.custom_parameters);
        Some(ClientCredentials {
            token_endpoint: token_endpoint?,
            client_id: client_id?.value.clone(),
            client_secret: secret?,
            scopes,
            client_authentication: match client.client_authentication.as_ref().map(|it| it.value) {
                None | Some(file::ClientAuthentication::Basic) => ClientAuthentication::Basic,
                Some(file::ClientAuthentication::Post) => ClientAuthentication::Post,
            },
            custom_parameters,
        })
    }

    fn token_endpoint(&mut self, client: &Located<file::ClientCredentials>) -> Option<TokenEndpoint> {
        let name = |key: &str| format!("{CLIENT_CREDENTIALS}.{key}");
        match (&client.value.token_endpoint, &client.value.discovery_url) {
            (Some(url), None) => {
                let example = "https://example.auth.us-east-1.amazoncognito.com/oauth2/token";
                self.url(&name("token_endpoint"), url, example).map(TokenEndpoint::Url)
            }
            (None, Some(url)) => self.discovery_url(&name("discovery_url"), url).map(TokenEndpoint::Discovery),
            (Some(_), Some(url)) => {
                let message =
                    "`token_endpoint` and `discovery_url` both say where tokens come from; leave one of them out";
                self.findings.report(&url.at, message);
                None
            }
            (None, None) => {
                let message = format!(
                    "`{}` is missing; write `token_endpoint = \"https://…/oauth2/token\"` or `discovery_url = \
                     \"https://…/.well-known/openid-configuration\"`",
                    name("token_endpoint")
                );
                self.missing(&client.at, &["token_endpoint", "discovery_url"], message);
                None
            }
        }
    }

    fn custom_parameters(&mut self, parameters: &super::super::file::Map<String>) -> BTreeMap<String, String> {
        for (name, value) in parameters.iter().filter(|(name, _)| RESERVED.contains(&name.as_str())) {
            let message = format!(
                "`{CLIENT_CREDENTIALS}.custom_parameters` must not hold `{name}`, which the gateway sends itself; write \
                 `client_id`, `client_secret_env` and `scopes` beside it"
            );
            self.findings.report(&value.at, message);
        }
        parameters.iter().map(|(name, value)| (name.clone(), value.value.clone())).collect()
    }

    fn api_key(&mut self, api_key: &Located<file::ApiKey>) -> Option<ApiKey> {
        let (at, api_key) = (&api_key.at, &api_key.value);
        let name = self.required(at, &format!("{API_KEY}.parameter_name"), &api_key.parameter_name, "\"X-Api-Key\"");
        let kept = (&api_key.key_arn, &api_key.key_json_key);
        let key = self.secret_source(at, &format!("{API_KEY}.key"), (&api_key.key_env, &api_key.key_file), kept);
        let location = match api_key.location.as_ref().map(|it| it.value) {
            None | Some(file::KeyLocation::Header) => {
                name.and_then(|name| self.key_header(name, api_key, key.as_ref().and_then(SecretSource::here)))
            }
            Some(file::KeyLocation::QueryParameter) => {
                self.filled(&format!("{API_KEY}.parameter_name"), &api_key.parameter_name);
                name.map(|name| ApiKeyLocation::QueryParameter(name.value.clone()))
            }
        };
        let prefix = api_key.prefix.as_ref().map(|prefix| prefix.value.clone()).unwrap_or_default();
        Some(ApiKey { key: key?, location: location?, prefix })
    }

    fn key_header(
        &mut self,
        name: &Located<String>,
        api_key: &file::ApiKey,
        key: Option<&Secret>,
    ) -> Option<ApiKeyLocation> {
        let header = HeaderName::try_from(&name.value).ok();
        let Some(header) = header.filter(|header| !is_own(header)) else {
            let message = format!(
                "`{API_KEY}.parameter_name` is no header that can carry a key; write one such as `X-Api-Key` or \
                 `Authorization`"
            );
            self.findings.report(&name.at, message);
            return None;
        };
        let prefix = api_key.prefix.as_ref();
        if prefix.is_some_and(|prefix| HeaderValue::from_str(&prefix.value).is_err()) {
            let message = format!("`{API_KEY}.prefix` cannot stand in a header; write a text such as `Bearer `");
            self.findings.report(&prefix.map_or(0..0, |prefix| prefix.at.clone()), message);
        }
        let at = api_key.key_env.as_ref().map(|it| &it.at).or(api_key.key_file.as_ref().map(|it| &it.at));
        if let (Some(key), Some(at)) = (key, at)
            && HeaderValue::from_str(key.expose()).is_err()
        {
            let message = format!(
                "the key of `{API_KEY}` has letters that cannot stand in a header, for example a line end; store the key \
                 alone"
            );
            self.findings.report(at, message);
        }
        Some(ApiKeyLocation::Header(header))
    }
}

/// Whether the gateway sets this header itself.
fn is_own(header: &HeaderName) -> bool {
    OWN_HEADERS.contains(header) || header.as_str().starts_with("mcp-")
}
