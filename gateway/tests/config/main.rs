//! Configuration as a user meets it: what a config.toml becomes, and what comes of one that is not good.

mod bad_files;
mod example;
mod login;

use std::{fs, path::Path, time::Duration};

use causeway::{
    cli,
    config::{Config, Credential, Draft, Environment, ReplicaUrl, TokenEndpoint, Transport, environment::Reference},
    secret::Secret,
};
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../config.toml");

/// Values that must never be in a message.
const SECRETS: [&str; 3] = ["hunter2", "a-key-of-32-bytes-or-more-for-sealing", "first line\nsecond line"];

fn environment() -> Environment {
    Environment::of([
        ("SECRET", SECRETS[0]),
        ("KEY", SECRETS[0]),
        ("SHORT_KEY", SECRETS[0]),
        ("SESSION_KEY", SECRETS[1]),
        ("KEY_OF_TWO_LINES", SECRETS[2]),
        ("EMPTY_KEY", ""),
        ("REDIS_URL", "rediss://gateway:hunter2@redis.example.com:6379"),
        ("CALCULATOR_CLIENT_SECRET", "calculator's"),
        ("HELLO_CLIENT_SECRET", "hello's"),
        ("CLOUDWATCH_INSIGHTS_CLIENT_SECRET", "insights'"),
    ])
}

fn resolve(text: &str, environment: &Environment) -> Result<Config, String> {
    let draft = Draft::parse(Path::new("config.toml"), text).map_err(|mistakes| mistakes.to_string())?;
    draft.resolve(environment).map_err(|mistakes| mistakes.to_string())
}

/// The example with every setting that is commented out.
fn everything_set() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with([' ', ':']) => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whatever is referred to is there.
fn full_environment() -> Environment {
    environment().overlay(|reference| match reference {
        Reference::Variable(name) if ["AWS_", "OTEL_", "ECS_"].iter().any(|of| name.starts_with(of)) => None,
        Reference::Variable("CAUSEWAY_REPLICA_URL") => None,
        Reference::Variable("CAUSEWAY_REDIS_URL") => Some(Secret::new("redis://127.0.0.1:6379")),
        _ => Some(Secret::new("a-secret-that-is-long-enough-for-any-use")),
    })
}

#[test]
fn check_says_what_it_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    fs::write(&path, EXAMPLE).unwrap();
    let found = cli::check::summary(&Config::load(&path, &environment()).unwrap());
    insta::assert_snapshot!(found.replace(directory.path().to_str().unwrap(), "…"), @"…/config.toml is good: listens on 127.0.0.1:8080, serves callers with a token, targets `calculator`, `hello`, `cloudwatch-insights`");
}

#[test]
fn opentelemetrys_variables_stand_for_what_the_file_does_not_say() {
    let text = "authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n";
    let otlp = |more: &str, variables: &[(&str, &str)]| {
        let variables = variables.iter().map(|(name, value)| (*name, *value));
        resolve(&format!("{text}{more}"), &Environment::of(variables)).unwrap().telemetry.otlp
    };
    assert!(otlp("", &[]).is_none());
    let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/base/");
    let of_environment = [
        base,
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b,x=y"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=tools"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics:4318/own"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
    ];
    let found = otlp("", &of_environment).unwrap();
    assert_eq!(found.traces.unwrap().as_str(), "http://collector:4318/base/v1/traces");
    assert_eq!(found.metrics.unwrap().as_str(), "http://metrics:4318/own");
    assert_eq!((found.headers[0].0.as_str(), found.headers[0].1.to_str().unwrap()), ("api-key", "a b"));
    assert!(found.headers.iter().all(|(_, value)| value.is_sensitive()));
    assert_eq!(found.resource, [("service.name".into(), "other".into()), ("team".into(), "tools".into())]);
    assert_eq!((found.ratio, found.timeout), (0.25, Duration::from_millis(1500)));
    let said = "[telemetry]\notlp_endpoint = \"http://said:4318\"\nservice_name = \"said\"\nmetrics_seconds = 0\n";
    let found = otlp(said, &of_environment).unwrap();
    assert_eq!(found.traces.unwrap().as_str(), "http://said:4318/v1/traces");
    assert!(found.metrics.is_none());
    assert_eq!(found.resource.last(), Some(&("service.name".into(), "said".into())));
    assert!(otlp("", &[base, ("OTEL_SDK_DISABLED", "true")]).is_none());
    let found = otlp("", &[base, ("OTEL_TRACES_EXPORTER", "none")]).unwrap();
    assert!(found.traces.is_none() && found.metrics.is_some());
}

#[test]
fn replicas_know_their_addresses_from_the_file_or_the_environment() {
    let resolved = |more: &str, variables: &[(&str, &str)]| {
        let text = format!(
            "authorizer = \"none\"\nsessions.key_env = [\"SESSION_KEY\"]\n{more}\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n"
        );
        let variables = variables.iter().copied().chain([("SESSION_KEY", SECRETS[1])]);
        resolve(&text, &Environment::of(variables)).map(|config| config.replicas)
    };
    let check = |more: &str, variables: &[(&str, &str)], expected: ReplicaUrl| {
        assert_eq!(resolved(more, variables).unwrap().own, expected, "{more} {variables:?}");
    };
    let url = |url: &str| url.parse().unwrap();
    let (variable, ecs) =
        (("CAUSEWAY_REPLICA_URL", "http://10.0.0.7:8080"), ("ECS_CONTAINER_METADATA_URI_V4", "http://e/v4"));
    check("", &[], ReplicaUrl::Found { ecs: None });
    check("", &[ecs], ReplicaUrl::Found { ecs: Some(url("http://e/v4")) });
    check("", &[ecs, variable], ReplicaUrl::Given(url("http://10.0.0.7:8080")));
    check("state.replica_url = \"http://r:1\"", &[ecs, variable], ReplicaUrl::Given(url("http://r:1")));
    check("state.replica_url = \"off\"", &[ecs, variable], ReplicaUrl::Off);
    assert!(
        resolved("", &[("CAUSEWAY_REPLICA_URL", "10.0.0.7")]).unwrap_err().contains("`CAUSEWAY_REPLICA_URL` is no")
    );
    let redis = |more: &str, variables: &[(&str, &str)]| {
        Ok::<_, String>(resolved(more, variables)?.redis.map(|redis| redis.url))
    };
    assert_eq!(redis("", &[]), Ok(None));
    let (here, other) = (("CAUSEWAY_REDIS_URL", "redis://here"), ("OTHER", "rediss://other"));
    assert_eq!(redis("", &[here, other]), Ok(Some(Secret::new("redis://here"))));
    assert_eq!(redis("state.redis_url_env = \"OTHER\"", &[here, other]), Ok(Some(Secret::new("rediss://other"))));
    assert!(redis("", &[("CAUSEWAY_REDIS_URL", "http://here")]).is_err());
}

#[test]
fn state_is_kept_where_the_system_keeps_it() {
    let check = |more: &str, variables: &[(&str, &str)], expected: Option<&str>| {
        let text = format!(
            "authorizer = \"none\"\n{more}\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n"
        );
        let config = resolve(&text, &Environment::of(variables.iter().copied())).unwrap();
        let directory = config.state.snapshot.map(|snapshot| snapshot.directory);
        assert_eq!(directory.as_deref(), expected.map(Path::new), "{more} {variables:?}");
    };
    let (home, xdg, systemd) =
        (("HOME", "/home/a"), ("XDG_STATE_HOME", "/xdg"), ("STATE_DIRECTORY", "/var/lib/one:/var/lib/two"));
    check("", &[], None);
    check("", &[home], Some("/home/a/.local/state/causeway"));
    check("", &[home, xdg], Some("/xdg/causeway"));
    check("", &[home, xdg, systemd], Some("/var/lib/one"));
    // The specification has it so: a path that is not absolute is to be ignored.
    check("", &[home, ("XDG_STATE_HOME", "state")], Some("/home/a/.local/state/causeway"));
    check("state.directory = \"here\"", &[home, systemd], Some("here"));
    check("state.snapshot = false", &[home], None);
}

#[test]
fn a_runtime_is_asked_where_its_arn_says() {
    let endpoint = |more: &str, environment: &Environment| {
        let arn = "arn:aws:bedrock-agentcore:eu-west-1:123456789012:runtime/tools-a1b2c3d4e5";
        let text = format!("authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.runtime_arn = \"{arn}\"\n{more}");
        let config = resolve(&text, environment).unwrap();
        let Transport::Http(http) = &config.targets[0].transport else { panic!("by ARN") };
        http.endpoint.to_string()
    };
    let path =
        "runtimes/arn%3Aaws%3Abedrock-agentcore%3Aeu-west-1%3A123456789012%3Aruntime%2Ftools-a1b2c3d4e5/invocations";
    let public = format!("https://bedrock-agentcore.eu-west-1.amazonaws.com/{path}");
    assert_eq!(endpoint("", &environment()), format!("{public}?qualifier=DEFAULT"));
    assert_eq!(endpoint("http.qualifier = \"a b\"", &environment()), format!("{public}?qualifier=a%20b"));
    let elsewhere = Environment::of([("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE", "http://127.0.0.1:4566")]);
    assert_eq!(endpoint("", &elsewhere), format!("http://127.0.0.1:4566/{path}?qualifier=DEFAULT"));
}

#[test]
fn paths_start_at_the_directory_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    fs::create_dir(directory.path().join("secrets")).unwrap();
    fs::write(directory.path().join("secrets/key"), "hunter2\n").unwrap();
    let text = "authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"https://a.example.com/mcp\"\n\
                credential.api_key = { key_file = \"secrets/key\", parameter_name = \"X-Api-Key\" }\n\
                [[targets]]\nname = \"b\"\nstdio.command = [\"b\"]\nstdio.working_directory = \"secrets\"\n";
    fs::write(&path, text).unwrap();
    let config = Config::load(&path, &environment()).unwrap();
    let Credential::ApiKey(key) = &config.targets[0].credential else { panic!("a key") };
    assert_eq!(key.key.here().unwrap().expose(), "hunter2");
    let Transport::Stdio(stdio) = &config.targets[1].transport else { panic!("a child") };
    assert_eq!(stdio.working_directory, Some(directory.path().join("secrets")));
}

#[test]
fn a_program_can_change_a_draft_and_supply_its_secrets() {
    let mut draft = Draft::parse(Path::new("config.toml"), EXAMPLE).unwrap();
    let target = &mut draft.file.targets.as_mut().unwrap().value[0].value;
    target.http.as_mut().unwrap().value.endpoint.as_mut().unwrap().value = "http://127.0.0.1:4000/mcp".into();
    let client = target.credential.as_mut().unwrap().value.client_credentials.as_mut().unwrap();
    client.value.token_endpoint.as_mut().unwrap().value = "http://127.0.0.1:4001/oauth2/token".into();
    let generated = environment().overlay(|reference| {
        matches!(reference, Reference::Variable("CALCULATOR_CLIENT_SECRET")).then(|| Secret::new("generated"))
    });
    let config = draft.resolve(&generated).unwrap();
    let Transport::Http(http) = &config.targets[0].transport else { panic!("by URL") };
    assert_eq!(http.endpoint.as_str(), "http://127.0.0.1:4000/mcp");
    let Credential::ClientCredentials(client) = &config.targets[0].credential else { panic!("a token") };
    assert_eq!(client.client_secret.here().unwrap().expose(), "generated");
    assert!(matches!(&client.token_endpoint, TokenEndpoint::Url(url) if url.port() == Some(4001)));
}

#[test]
fn without_an_authorizer_only_this_machine_is_served_unless_forced() {
    let target = "[[targets]]\nname = \"a\"\nhttp.endpoint = \"https://a.example.com/mcp\"\n";
    let check = |gateway: &str, good: bool| {
        let text = format!("authorizer = \"none\"\n[gateway]\n{gateway}\n{target}");
        assert_eq!(resolve(&text, &environment()).is_ok(), good, "{gateway}");
    };
    check("", true);
    check("listen = \"[::1]:8080\"", true);
    check("listen = \"192.168.1.1:8080\"", false);
    check("listen = \"[::]:8080\"", false);
    check("listen = \"[::]:8080\"\nallow_unauthenticated = true", true);
    check("listen = \"[::]:8080\"\nallow_unauthenticated = false", false);
}

#[test]
fn debug_shows_no_secret() {
    let config = resolve(EXAMPLE, &environment()).unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("<redacted>"), "{shown}");
    assert!(!["calculator's", "hello's", "insights'"].iter().any(|secret| shown.contains(secret)), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing is refused without a word, whatever is missing.
    #[test]
    fn a_refusal_has_a_reason(gone in proptest::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let text = everything_set();
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        for index in gone {
            lines.remove(index.index(lines.len()));
        }
        if let Err(answer) = resolve(&lines.join("\n"), &full_environment()) {
            prop_assert!(answer.lines().count() > 1, "{}", answer);
        }
    }

    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        prop_assert!(resolve(&text, &environment()).is_err());
    }
}
