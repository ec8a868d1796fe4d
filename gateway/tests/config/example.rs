//! The annotated config.toml at the repository's root: that it works, that what it says of defaults is true, and that it shows
//! every setting. And that the JSON Schema beside it is the current one.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use causeway::{
    cli,
    config::{
        ApiKeyLocation, Authorizer, ClientDocuments, Credential, Dev, EraChoice, Login, SecretSource, SessionMode,
        TokenEndpoint, Transport, schema::schema,
    },
};

use causeway_core::catalog::Kind;

use super::{EXAMPLE, environment, everything_set, full_environment, resolve};

/// The same with one of the two authorizers alone, since a file takes one, and a login only where it leads to tokens.
fn everything_set_with(authorizer: &str) -> String {
    let other = |line: &str| match line.contains("[authorizer.") {
        true => !line.contains(&format!("[authorizer.{authorizer}")),
        false => ["[login]", "[lambda]"].contains(&line) && authorizer != "custom_jwt",
    };
    let mut taken = true;
    let mut kept = |line: &&str| {
        taken = if line.starts_with('[') { !other(line) } else { taken };
        taken
    };
    everything_set().lines().filter(|line| kept(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_loads() {
    let config = resolve(EXAMPLE, &environment()).unwrap();
    assert_eq!(config.gateway.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.sessions.mode, SessionMode::Optional);
    let Authorizer::CustomJwt(jwt) = &config.authorizer else { panic!("the example checks tokens") };
    assert_eq!(jwt.rules.allowed_clients, ["causeway-client"]);
    assert_eq!(jwt.rules.allowed_scopes, ["causeway/invoke"]);
    assert_eq!(jwt.clock_skew, Duration::from_secs(30));
    let names: Vec<_> = config.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["calculator", "hello", "cloudwatch-insights"]);
    let secrets = ["calculator's", "hello's", "insights'"];
    for (target, secret) in config.targets.iter().zip(secrets) {
        let Credential::ClientCredentials(client) = &target.credential else { panic!("a token for each target") };
        assert_eq!(client.client_secret.here().unwrap().expose(), secret);
        assert_eq!(client.scopes, [format!("{}/invoke", target.name)]);
        assert_eq!(target.dev, Some(Dev::Sample(target.name.to_string())));
    }
}

#[test]
fn what_the_example_says_of_defaults_is_true() {
    let bare = "authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"https://a.example.com/mcp\"\n";
    let bare = resolve(bare, &environment()).unwrap();
    let full = resolve(&everything_set_with("custom_jwt"), &full_environment()).unwrap();
    assert_eq!(format!("{:?}", full.limits), format!("{:?}", bare.limits));
    assert_eq!(full.failover, bare.failover);
    assert_eq!(full.sessions.mode, bare.sessions.mode);
    assert_eq!(full.sessions.timeout, bare.sessions.timeout);
    assert_eq!(full.gateway.name, bare.gateway.name);
    assert_eq!(full.gateway.listen, bare.gateway.listen);
    assert_eq!(full.gateway.streaming, bare.gateway.streaming);
    assert_eq!(bare.limits.first_byte, bare.limits.call);
}

#[test]
fn every_setting_of_the_example_works() {
    let config = resolve(&everything_set_with("custom_jwt"), &full_environment()).unwrap();
    assert!(config.gateway.debug_errors);
    assert_eq!(config.gateway.public_url.unwrap().as_str(), "https://gateway.example.com/mcp");
    assert_eq!(config.gateway.allowed_origins[0].as_str(), "https://inspector.example.com/");
    assert_eq!(config.sessions.keys.len(), 3);
    let Authorizer::CustomJwt(jwt) = &config.authorizer else { panic!("the example checks tokens") };
    assert_eq!(jwt.rules.custom_claims.len(), 3);
    let Some(Login::Proxy(login)) = &config.login else { panic!("people log in by the gateway") };
    assert_eq!((login.client_id.as_str(), login.scopes.len()), ("causeway-client", 2));
    assert_eq!((login.redirect_uris.len(), login.client_documents), (3, ClientDocuments::Public));
    assert!(login.token_endpoint.is_some());
    let [_, _, _, orders, weather, maps, kept, parcels, reports, hosted, repository, tickets, agentcore] =
        &config.targets[..]
    else {
        panic!("thirteen targets")
    };
    let Credential::ClientCredentials(client) = &orders.credential else { panic!("a token for `orders`") };
    assert!(matches!(client.token_endpoint, TokenEndpoint::Discovery(_)));
    assert!(matches!(&orders.dev, Some(Dev::Command { path, .. }) if path == "/mcp"));
    let Credential::ApiKey(key) = &weather.credential else { panic!("a key for `weather`") };
    assert_eq!(key.location, ApiKeyLocation::Header("x-api-key".parse().unwrap()));
    let Credential::ApiKey(key) = &maps.credential else { panic!("a key for `maps`") };
    assert_eq!(key.location, ApiKeyLocation::QueryParameter("api_key".into()));
    let Credential::ClientCredentials(client) = &kept.credential else { panic!("a token for `stock`") };
    assert!(matches!(&client.client_secret, SecretSource::Aws { json_key: Some(key), .. } if key == "client_secret"));
    let Credential::ApiKey(key) = &parcels.credential else { panic!("a key for `parcels`") };
    assert!(matches!(&key.key, SecretSource::Aws { json_key: Some(key), .. } if key == "key"));
    let Credential::Sigv4(sigv4) = &reports.credential else { panic!("a signature for `reports`") };
    assert_eq!((sigv4.service.as_str(), sigv4.region.as_deref()), ("lambda", Some("us-east-1")));
    let role = sigv4.identity.role.as_ref().unwrap();
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/causeway");
    assert_eq!(role.external_id.as_deref(), Some("causeway-of-example"));
    let Transport::Http(http) = &hosted.transport else { panic!("`orders-on-runtime` is by ARN") };
    assert!(http.runtime);
    let Credential::Sigv4(sigv4) = &hosted.credential else { panic!("a signature for `orders-on-runtime`") };
    assert_eq!(sigv4.region.as_deref(), Some("us-east-1"));
    assert_eq!(sigv4.identity, config.aws.identity, "as `[aws]` says");
    let Transport::Stdio(stdio) = &repository.transport else { panic!("`repository` is a child") };
    assert_eq!(stdio.command[0], "uvx");
    assert_eq!(stdio.env.keys().collect::<Vec<_>>(), ["GIT_TOKEN", "LOG_LEVEL"]);
    assert_eq!(stdio.era, EraChoice::Auto);
    let Transport::Http(tickets) = &tickets.transport else { panic!("`tickets` is reached by URL") };
    assert_eq!(tickets.endpoint.as_str(), "https://tickets.us-east-1.example.com/mcp");
    assert_eq!(tickets.further.len(), 1);
    let [arithmetic] = &config.toolsets[..] else { panic!("one toolset") };
    assert_eq!((arithmetic.name.as_str(), arithmetic.audience.server.as_str()), ("arithmetic", "arithmetic"));
    assert!(
        matches!(&arithmetic.authorizer, Some(Authorizer::CustomJwt(jwt)) if jwt.rules.allowed_clients == ["arithmetic-client"])
    );
    assert!(arithmetic.shown.shows(Kind::Tools, "calculator___add_numbers"));
    assert!(!arithmetic.shown.shows(Kind::Tools, "calculator___multiply_numbers"));
    assert!(arithmetic.shown.shows(Kind::Prompts, "any"));
    assert_eq!(config.clients.audience.profiles.len(), 3);
    assert_eq!(config.targets[0].edits.tools.rename["add_numbers"], "add");
    assert_eq!(agentcore.kind.standby().iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["calculator", "hello"]);
}

#[test]
fn the_other_authorizer_of_the_example_works() {
    let config = resolve(&everything_set_with("aws_iam"), &full_environment()).unwrap();
    let Authorizer::AwsIam(iam) = &config.authorizer else { panic!("the example checks signatures") };
    assert_eq!((iam.region.as_str(), iam.service.as_str()), ("us-east-1", "bedrock-agentcore"));
    assert_eq!(iam.clock_skew, Duration::from_secs(300));
    let ids: Vec<_> = iam.access_keys.iter().map(|key| key.access_key_id.as_str()).collect();
    assert_eq!(ids, ["AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", "AKIAIEXAMPLEOFCAROL7"]);
    let identity = iam.caller_identity.as_ref().unwrap();
    assert_eq!(identity.endpoint.as_str(), "https://sts.us-east-1.amazonaws.com/");
}

/// The names of all settings, by the schema.
fn settings(schema: &serde_json::Value, names: &mut BTreeSet<String>) {
    if let Some(properties) = schema.get("properties").and_then(|it| it.as_object()) {
        names.extend(properties.keys().cloned());
    }
    match schema {
        serde_json::Value::Object(members) => members.values().for_each(|member| settings(member, names)),
        serde_json::Value::Array(entries) => entries.iter().for_each(|entry| settings(entry, names)),
        _ => {}
    }
}

#[test]
fn every_setting_is_in_the_example() {
    let mut names = BTreeSet::new();
    settings(&schema(), &mut names);
    assert!(names.len() > 50, "the schema has lost its settings: {names:?}");
    let example = everything_set();
    let words: BTreeSet<&str> = example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split(['.', ' ', '[', ']', '=']))
        .collect();
    let absent: Vec<_> = names.iter().filter(|name| !words.contains(name.as_str())).collect();
    assert!(absent.is_empty(), "config.toml does not show {absent:?}");
}

#[test]
fn the_schema_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.schema.json");
    assert!(
        fs::read_to_string(path).unwrap() == cli::schema::text(),
        "config.schema.json is not what the types say; write it with `causeway schema > config.schema.json`"
    );
}
