//! What `causeway import` writes about gateways as AWS describes them: the descriptions in `import/*.json` were made by
//! interop/aws/record_gateways.py through AWS's own client and judged by AWS's own model. Asks nobody.

use std::{fs, path::Path, time::Duration};

use causeway::{
    config::{Authorizer, Config, Credential, Draft, Environment, Mistakes, SecretSource},
    import::{Live, Mirror, Wish, mirror},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2026-11-21T10:00:00Z.
const NOW: Duration = Duration::from_secs(1_795_255_200);

fn described(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(format!("{name}.json"));
    let text = fs::read_to_string(path).expect("each gateway has its description");
    serde_json::from_str(&text).expect("it is JSON")
}

fn live(description: Value) -> Live {
    serde_json::from_value(description).expect("AWS describes gateways so")
}

fn imported(description: Value, standby: bool) -> Mirror {
    mirror(&live(description), Wish { standby, now: NOW }).expect("there is something to serve")
}

/// What the program makes of a written file, with the variables set that import said.
fn read(mirror: &Mirror) -> Result<Config, Mistakes> {
    let variables = mirror.variables.iter().map(|name| (name.clone(), "hunter2"));
    Draft::parse(Path::new("config.toml"), &mirror.config)?.resolve(&Environment::of(variables))
}

fn names(config: &Config) -> Vec<&str> {
    config.targets.iter().map(|target| target.name.as_str()).collect()
}

#[test]
fn a_gateway_with_everything() {
    let mirror = imported(described("everything"), false);
    insta::assert_snapshot!(mirror.config);
    let config = read(&mirror).unwrap();
    assert_eq!(names(&config), ["calculator", "hello", "weather", "maps", "logs", "time", "inside", "fixed"]);
    assert_eq!((mirror.mirrored, mirror.targets), (8, 18));
    assert!(!mirror.config.contains("hunter2"));
}

#[test]
fn what_is_different_is_said() {
    let mirror = imported(described("everything"), false);
    let said: Vec<String> = mirror.gaps.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
    let flat = |text: &str| text.replace("\n#", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for gap in &mirror.gaps {
        assert!(flat(&mirror.config).contains(&flat(&gap.reason())), "the file does not say: {gap}");
    }
}

#[test]
fn an_open_gateway() {
    let mirror = imported(described("open"), false);
    insta::assert_snapshot!(mirror.config);
    assert!(mirror.gaps.is_empty());
    assert_eq!(names(&read(&mirror).unwrap()), ["time"]);
}

#[test]
fn a_gateway_for_callers_that_sign() {
    let mirror = imported(described("signed"), false);
    insta::assert_snapshot!(mirror.config);
    let Authorizer::AwsIam(authorizer) = read(&mirror).unwrap().authorizer else { panic!("another authorizer") };
    let identity = authorizer.caller_identity.unwrap();
    assert_eq!(identity.allowed_principals.len(), 1, "one that nobody is");
}

#[test]
fn a_gateway_with_everything_is_read_back() {
    for standby in [false, true] {
        let mirror = imported(described("everything"), standby);
        let config = read(&mirror).unwrap_or_else(|mistakes| panic!("{mistakes}\n{}", mirror.config));
        let has = |of: fn(&Credential) -> bool| config.targets.iter().any(|target| of(&target.credential));
        assert!(has(|credential| matches!(credential, Credential::Sigv4(_))));
        let kept = |source: &SecretSource| matches!(source, SecretSource::Aws { .. });
        let clients = config.targets.iter().filter_map(|target| match &target.credential {
            Credential::ClientCredentials(client) => Some(&client.client_secret),
            Credential::ApiKey(key) => Some(&key.key),
            Credential::None | Credential::Sigv4(_) => None,
        });
        assert!(clients.clone().count() >= 2 && clients.clone().any(kept));
    }
}

#[test]
fn a_live_gateway_with_others_standing_by() {
    let mirror = imported(described("everything"), true);
    let first = mirror.config.find("# The live gateway").unwrap();
    let second = mirror.config[first..].find("Adds.").unwrap();
    insta::assert_snapshot!(&mirror.config[first..first + second]);
    assert_eq!(mirror.variables, ["SHOP_CLIENT_SECRET"]);
    assert_eq!(names(&read(&mirror).unwrap())[..2], ["Shop", "calculator"]);
    let alone = imported(described("open"), true);
    assert_eq!(names(&read(&alone).unwrap()), ["time-gateway", "time"], "it has a name that no target has");
}

#[test]
fn a_live_gateway_stands_alone_where_nothing_can_be_mirrored() {
    let mut description = described("everything");
    let targets = description["targets"].as_array_mut().unwrap();
    targets.retain(|target| target["name"] == "function");
    let refused = mirror(&live(description.clone()), Wish { standby: false, now: NOW }).unwrap_err().to_string();
    assert!(
        refused.contains("target `function`: it is a Lambda function") && refused.contains("--standby"),
        "{refused}"
    );
    assert_eq!(names(&read(&imported(description, true)).unwrap()), ["Shop"]);
}

#[test]
fn more_callers_are_never_let_in() {
    let refused = |description| mirror(&live(description), Wish { standby: false, now: NOW }).unwrap_err().to_string();
    let mut description = described("everything");
    let claims = &mut description["gateway"]["authorizerConfiguration"]["customJWTAuthorizer"]["customClaims"];
    claims[0]["authorizingClaimMatchValue"]["claimMatchOperator"] = json!("STARTS_WITH");
    insta::assert_snapshot!(refused(description), @"the gateway's authorizer compares the claim `department` by `STARTS_WITH`, which config.toml cannot say: without that rule more callers would be let in here");
    let mut description = described("open");
    description["gateway"]["authorizerType"] = json!("AUTHENTICATE_ONLY");
    insta::assert_snapshot!(refused(description), @"the gateway's authorizer is `AUTHENTICATE_ONLY`, which this version does not know: whoever is refused there might be let in here");
}

#[test]
fn what_is_not_known_is_said() {
    let mut description = described("open");
    description["gateway"]["quantumShield"] = json!({"level": 9});
    description["gateway"]["webAclArn"] = json!("arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b");
    description["gateway"]["description"] = Value::Null;
    description["targets"][0]["teleport"] = json!(true);
    description["targets"][0]["targetConfiguration"]["mcp"]["mcpServer"]["flavour"] = json!("mint");
    let mut other = description["targets"][0].clone();
    other["targetConfiguration"] = json!({"mcp": {"telepathy": {}}});
    other["name"] = json!("other");
    description["targets"].as_array_mut().unwrap().push(other);
    let said: Vec<String> = imported(description, false).gaps.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @"
    It has `quantumShield` there, which this version does not know; look up what it does
    A firewall (AWS WAF) stands before it there; requests that it blocks come in here
    target `time`: it has `teleport` there, which this version does not know; look up what it does
    target `time`: it has `flavour` there, which this version does not know; look up what it does
    target `other`: it is of the kind `mcp.telepathy`, which this version does not know; its tools are missing here; give them an MCP server of their own to have them
    ");
}

#[test]
fn a_provider_that_is_not_shown_costs_its_targets_only() {
    let mut description = described("everything");
    let providers = description["providers"].as_object_mut().unwrap();
    let (arn, _) = providers.iter().find(|(arn, _)| arn.ends_with("/hello")).unwrap();
    let arn = arn.clone();
    providers.insert(arn, json!({"unreadable": "AccessDeniedException"}));
    let mirror = imported(description, false);
    assert_eq!(mirror.mirrored, 7);
    assert!(mirror.gaps.iter().any(|gap| gap.what.ends_with("could not be read (AccessDeniedException)")));
}

#[test]
fn names_that_differ_in_case_alone_are_one_too_many() {
    let mut description = described("open");
    let mut other = description["targets"][0].clone();
    other["name"] = json!("TIME");
    description["targets"].as_array_mut().unwrap().push(other);
    let mirror = imported(description, false);
    assert_eq!((mirror.mirrored, names(&read(&mirror).unwrap())), (1, vec!["time"]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_words_of_aws_are_read_back(
        name in "([0-9a-zA-Z]-?){1,48}",
        target in "([0-9a-zA-Z]-?){1,100}",
        words in prop::collection::vec(any::<String>().prop_filter("AWS wants a letter", |text| !text.is_empty()), 4),
    ) {
        let mut description = described("open");
        description["gateway"]["name"] = json!(name);
        description["gateway"]["description"] = json!(words[0]);
        description["gateway"]["status"] = json!(words[3]);
        description["gateway"]["protocolConfiguration"] = json!({"mcp": {"instructions": words[1]}});
        description["targets"][0]["name"] = json!(target);
        description["targets"][0]["description"] = json!(words[2]);
        for standby in [false, true] {
            let mirror = imported(description.clone(), standby);
            let config = read(&mirror).unwrap();
            prop_assert_eq!(config.gateway.instructions.as_ref(), Some(&words[1]));
            prop_assert_eq!(&config.gateway.name, &name);
            prop_assert_eq!(config.targets.last().unwrap().name.as_str(), target.as_str());
        }
    }
}
