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

fn wish(standby: bool, allow_more_callers: bool) -> Wish {
    Wish { standby, allow_more_callers, now: NOW }
}

/// With whatever it lets in.
fn imported(description: Value, standby: bool) -> Mirror {
    mirror(&live(description), wish(standby, true)).expect("there is something to serve")
}

/// Why it is not written unless more callers are allowed.
fn refused(description: Value, standby: bool) -> String {
    mirror(&live(description), wish(standby, false)).expect_err("more would be let in").to_string()
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
    let gaps = mirror.more_callers.iter().chain(&mirror.gaps);
    let said: Vec<String> = gaps.clone().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
    let flat = |text: &str| text.replace("\n#", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    for gap in gaps {
        assert!(flat(&mirror.config).contains(&flat(&gap.reason())), "the file does not say: {gap}");
    }
}

#[test]
fn an_open_gateway() {
    let mirror = imported(described("open"), false);
    insta::assert_snapshot!(mirror.config);
    assert!(mirror.gaps.is_empty() && mirror.more_callers.is_empty());
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
fn with_standby_the_live_gateway_sees_one_caller() {
    let alone = imported(described("open"), true);
    let said: Vec<String> = alone.gaps.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @"With `--standby` the live gateway sees one caller, this gateway, whoever calls here; its policies, interceptors, rate limits and logs cannot tell callers apart, and whatever it keeps for a caller, such as a token that a user agreed to, all share");
    assert!(alone.config.contains("# - With `--standby` the live gateway sees one caller"), "{}", alone.config);
    let mirror = imported(described("everything"), true);
    let said: Vec<String> = mirror.more_callers.iter().chain(&mirror.gaps).map(ToString::to_string).collect();
    insta::assert_snapshot!("standby_says_what_is_different", said.join("\n"));
    let head = &mirror.config[..mirror.config.find("[gateway]").unwrap()];
    insta::assert_snapshot!("the_head_with_standby", head);
    assert!(!mirror.config.contains("# Not here") && mirror.config.contains("# Does not stand by"));
}

#[test]
fn users_are_not_made_one_unasked() {
    let user = |kind: &str, grant: Option<&str>| {
        let provider =
            grant.map(|grant| json!({"oauthCredentialProvider": {"providerArn": "arn:p", "grantType": grant}}));
        json!({"credentialProviderType": kind, "credentialProvider": provider})
    };
    for credential in [
        user("OAUTH", Some("AUTHORIZATION_CODE")),
        user("OAUTH", Some("TOKEN_EXCHANGE")),
        user("CALLER_IAM_CREDENTIALS", None),
        user("JWT_PASSTHROUGH", None),
        user("TELEPATHY", None),
    ] {
        let mut description = described("open");
        let mut other = description["targets"][0].clone();
        other["name"] = json!("mail");
        // Wherever it stands.
        other["credentialProviderConfigurations"] = json!([user("API_KEY", None), credential]);
        description["targets"].as_array_mut().unwrap().push(other);
        let refused = refused(description.clone(), true);
        assert!(refused.contains("target `mail`: it is shown") && refused.contains("are one user to it"), "{refused}");
        assert_eq!(mirror(&live(description.clone()), wish(false, false)).unwrap().mirrored, 1, "it is left out");
        let allowed = imported(description, true);
        assert!(allowed.config.starts_with("# ATTENTION") && allowed.more_callers.len() == 1, "{}", allowed.config);
    }
    for own in [user("OAUTH", Some("CLIENT_CREDENTIALS")), user("OAUTH", None), user("API_KEY", None)] {
        let mut description = described("open");
        description["targets"][0]["credentialProviderConfigurations"] = json!([own]);
        assert!(mirror(&live(description), wish(true, false)).unwrap().more_callers.is_empty());
    }
}

#[test]
fn a_second_credential_is_not_passed_over() {
    let mut description = guarded();
    let targets = description["targets"].as_array_mut().unwrap();
    let second = targets[2]["credentialProviderConfigurations"][0].clone();
    targets[0]["credentialProviderConfigurations"].as_array_mut().unwrap().push(second);
    let mirror = imported(description, false);
    let said: Vec<String> = mirror.gaps.iter().map(ToString::to_string).collect();
    let expected = "target `calculator`: it is shown 2 credentials there; it is shown the first of them alone here";
    assert!(said.iter().any(|gap| gap == expected), "{said:#?}");
}

#[test]
fn a_live_gateway_stands_alone_where_nothing_can_be_mirrored() {
    let mut description = described("everything");
    let targets = description["targets"].as_array_mut().unwrap();
    targets.retain(|target| target["name"] == "function");
    let refused = mirror(&live(description.clone()), wish(false, true)).unwrap_err().to_string();
    assert!(
        refused.contains("target `function`: it is a Lambda function") && refused.contains("--standby"),
        "{refused}"
    );
    assert_eq!(names(&read(&imported(description, true)).unwrap()), ["Shop"]);
}

/// One with rules for callers and nothing else that keeps anybody out.
fn guarded() -> Value {
    let mut description = described("everything");
    description.as_object_mut().expect("it is an object").remove("resourcePolicy");
    let gateway = description["gateway"].as_object_mut().expect("it is an object");
    gateway.retain(|name, _| !matches!(name.as_str(), "interceptorConfigurations" | "policyEngineConfiguration"));
    description
}

/// With this member of AWS's description the import is refused, unless more is let in by name.
fn check_guard(place: &str, name: &str, rule: Value, said: &str) {
    let mut description = guarded();
    description.pointer_mut(place).expect("it is described")[name] = rule;
    let refused = refused(description.clone(), false);
    assert!(refused.contains(said) && refused.contains("--allow-more-callers"), "{name}: {refused}");
    let allowed = imported(description, false);
    assert_eq!(allowed.more_callers.len(), 1, "{name}");
    assert!(allowed.config.starts_with("# ATTENTION: more is let in here"), "{}", allowed.config);
    assert!(!allowed.config.contains("the same callers"), "{}", allowed.config);
    read(&allowed).expect("the rest is as it was");
}

#[test]
fn more_callers_are_not_let_in_unasked() {
    assert!(mirror(&live(guarded()), wish(false, false)).unwrap().more_callers.is_empty());
    insta::assert_snapshot!(refused(described("everything"), false), @r"
    more would be let in here than at the live gateway; `--allow-more-callers` writes the config all the same and says so in it
      The policy engine `arn:aws:bedrock-agentcore:us-east-1:123456789012:policy-engine/shop-0123456789` decides there (ENFORCE); callers see and call here what its policies forbid there
      A Lambda function intercepts there (REQUEST); nobody looks at messages here: what it refuses or changes goes through as it is
      A resource policy says there who may call, and from where; it is not asked here: whom it keeps out may be let in
    ");
    let web_acl = json!("arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b");
    check_guard("/gateway", "webAclArn", web_acl, "A firewall (AWS WAF)");
    for mode in ["ENFORCE", "DENY_ALL"] {
        let engine = json!({"arn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:policy-engine/p", "mode": mode});
        check_guard("/gateway", "policyEngineConfiguration", engine, &format!("decides there ({mode})"));
    }
    for points in [&["REQUEST"][..], &["RESPONSE", "REQUEST"], &["CONNECT"]] {
        let lambda = json!({"arn": "arn:aws:lambda:us-east-1:123456789012:function:tools"});
        let interceptors = json!([{"interceptor": {"lambda": lambda}, "interceptionPoints": points}]);
        check_guard("/gateway", "interceptorConfigurations", interceptors, &format!("({})", points.join(" and ")));
    }
    check_guard("", "resourcePolicy", json!({"text": "{}"}), "A resource policy says there who may call");
    check_guard("", "resourcePolicy", json!({"unreadable": "not yours"}), "could not be read (not yours)");
}

#[test]
fn rules_for_tokens_that_cannot_be_said_are_not_dropped_unasked() {
    let authorizer = "/gateway/authorizerConfiguration";
    check_guard(authorizer, "quantumAuthorizer", json!({}), "`authorizerConfiguration.quantumAuthorizer`");
    let jwt = format!("{authorizer}/customJWTAuthorizer");
    let workloads = json!({"workloadIdentities": ["a"]});
    check_guard(&jwt, "allowedWorkloadConfiguration", workloads, "Only some workloads are let in");
    check_guard(&jwt, "quantumShield", json!(9), "`authorizerConfiguration.customJWTAuthorizer.quantumShield`");
    let claim = format!("{jwt}/customClaims/0");
    check_guard(&claim, "negated", json!(true), "The claim `department`");
    check_guard(&claim, "inboundTokenClaimValueType", json!("NUMBER"), "`EQUALS` for a `NUMBER`");
    let matched = format!("{claim}/authorizingClaimMatchValue");
    check_guard(&matched, "ignoreCase", json!(false), "`ignoreCase`");
    check_guard(&matched, "claimMatchOperator", json!("STARTS_WITH"), "`STARTS_WITH` for a `STRING`");
    let value = format!("{matched}/claimMatchValue");
    check_guard(&value, "matchValuePattern", json!("^s"), "`matchValuePattern`");
    check_guard(&value, "matchValueStringList", json!(["sales"]), "`EQUALS` for a `STRING`");
}

#[test]
fn what_keeps_nobody_out_is_no_reason_to_refuse() {
    let mut description = guarded();
    let points = json!([{"interceptor": {}, "interceptionPoints": ["RESPONSE"]}]);
    description["gateway"]["interceptorConfigurations"] = points;
    description["gateway"]["policyEngineConfiguration"] = json!({"arn": "arn:engine", "mode": "LOG_ONLY"});
    description["gateway"]["webAclArn"] = Value::Null;
    description["gateway"]["authorizerConfiguration"]["customJWTAuthorizer"]["allowedWorkloadConfiguration"] =
        Value::Null;
    let mirror = mirror(&live(description), wish(false, false)).unwrap();
    let said: Vec<String> = mirror.gaps.iter().filter(|gap| gap.target.is_none()).map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    Clients are told other scopes there than tokens are checked for; here they are told those of the tokens
    Tools are searched there (SEMANTIC) with `x_amz_bedrock_agentcore_search`; that tool is not offered here
    A Lambda function intercepts there (RESPONSE); nobody looks at answers here: what it hides or changes is shown as it is
    The policy engine `arn:engine` logs there what it would decide; nothing is logged about that here
    Rate limits hold there (`by-tool` by toolName); nobody is slowed down here
    Of requests there, 4 rules change where they go or how (routeToTarget); every name leads to its own target here
    ");
    assert!(mirror.more_callers.is_empty());
}

#[test]
fn an_unknown_authorizer_is_never_imported() {
    let mut description = described("open");
    description["gateway"]["authorizerType"] = json!("AUTHENTICATE_ONLY");
    let refused = mirror(&live(description), wish(false, true)).unwrap_err().to_string();
    insta::assert_snapshot!(refused, @"the gateway's authorizer is `AUTHENTICATE_ONLY`, which this version does not know: whoever is refused there might be let in here");
}

#[test]
fn what_is_not_known_is_said() {
    let mut description = described("open");
    description["gateway"]["quantumShield"] = json!({"level": 9});
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
    target `time`: it has `teleport` there, which this version does not know; look up what it does
    target `time`: it has `flavour` there, which this version does not know; look up what it does
    target `other`: it is of the kind `mcp.telepathy`, which this version does not know; its tools are not served here; give them an MCP server of their own to have them
    ");
}

#[test]
fn a_resource_policy_that_only_allows_adds_callers_who_sign() {
    let account = json!({"AWS": "arn:aws:iam::210987654321:root"});
    let statement = json!({"Effect": "Allow", "Principal": account, "Action": "bedrock-agentcore:InvokeGateway"});
    let policy = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let mut description = described("signed");
    description["resourcePolicy"] = json!({"text": policy});
    let mirror = imported(description, false);
    assert!(mirror.more_callers.is_empty());
    assert!(mirror.gaps.iter().any(|gap| gap.what == "A resource policy lets in more callers there than IAM does"));
    let mut description = described("open");
    description["resourcePolicy"] = json!({"text": policy});
    assert!(refused(description, false).contains("A resource policy says there who may call, and from where"));
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
