//! What every kind of bad config.toml is answered with: one file in `bad/` each. No answer shows a secret.

use std::{fs, path::Path};

use causeway::config::{Config, Draft};

use super::{SECRETS, environment, resolve};

/// What the file `bad/<name>.toml` is answered with.
fn mistakes(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/bad").join(format!("{name}.toml"));
    let text = fs::read_to_string(path).expect("each case has its file");
    let answer = resolve(&text, &environment()).expect_err("each case is a bad file");
    for secret in SECRETS.iter().flat_map(|secret| secret.lines()) {
        assert!(!answer.contains(secret), "a secret is in the answer: {answer}");
    }
    answer
}

macro_rules! bad {
    ($test:ident, $file:literal, @$answer:literal) => {
        #[test]
        fn $test() {
            insta::assert_snapshot!(mistakes($file), @$answer);
        }
    };
}

bad!(unknown_keys, "unknown-keys", @r#"
    config.toml:3: unknown key `lsten` in `gateway`; did you mean `listen`?
    config.toml:4: unknown key `colour` in `gateway`; it takes `name`, `listen`, `public_url`, `allowed_origins`, `instructions`, `names`, `list_page`, `exception_level`, `enable_response_streaming` or `allow_unauthenticated`
    config.toml:6: unknown key `session`; did you mean `sessions`?
    config.toml:10: unknown key `call_secs` in `limits`; did you mean `call_seconds`?
    config.toml:13: unknown key `discovery_uri` in `authorizer.custom_jwt`; did you mean `discovery_url`?
    config.toml:14: unknown key `allowed_client` in `authorizer.custom_jwt`; did you mean `allowed_clients`?
    config.toml:18: target `calculator`: unknown key `endpont` in `http`; did you mean `endpoint`?
    config.toml:19: target `calculator`: unknown key `description`; it takes `name`, `kind`, `standby`, `http`, `stdio`, `resource_priority`, `tools`, `prompts`, `resources`, `credential`, `dev` or `deploy`
    config.toml:23: target `hello`: unknown key `url`; did you mean `http.endpoint`?
    config.toml:24: target `hello`: unknown key `oauth` in `credential`; it takes `client_credentials`, `api_key` or `sigv4`
    config.toml:27: target number 3: unknown key `nam`; did you mean `name`?
    config.toml:28: target number 3: unknown key `command`; did you mean `stdio.command`?
    config.toml:30: target number 4: `name` is missing; write `name = "my-target"`
    config.toml:32: target number 4: unknown key `shell` in `stdio`; it takes `command`, `env`, `env_from`, `working_directory` or `era`
    14 mistakes
"#);

bad!(bad_lists, "bad-lists", @r#"
    config.toml:4: `gateway.names` takes `prefixed` or `plain`; write one of them
    config.toml:5: `gateway.list_page` takes 1 to 1000000 entries, not 0; leave it out for one page
    config.toml:10: target `hello`: `resource_priority` takes 0 to 1000, not 1001; leave it out for the default, 1000
    config.toml:15: target `orders`: `resource_priority` takes a whole number, 0 or more, not a negative number; leave out the sign
    config.toml:20: target `weather`: `resource_priority` takes a whole number, not a text; write it without quotes
    5 mistakes
"#);

bad!(bad_selections, "bad-selections", @r#"
    config.toml:6: target `orders`: `tools.include` is empty, which would leave nothing; write `exclude = ["*"]` if that is meant, or leave it out for everything
    config.toml:7: target `orders`: a pattern of `tools.exclude` is empty and matches nothing; write `"*"` for everything
    config.toml:7: target `orders`: `tools.exclude` holds `drop_*` twice; leave one out
    config.toml:8: target `orders`: `tools.rename` names `drop_all`, which `tools.include` and `tools.exclude` leave out; take it out here, or let it through there
    config.toml:8: target `orders`: `tools.rename` gives `find_order` and `get` the same name; rename one of them to something else
    config.toml:8: target `orders`: `tools.rename` gives `list_orders` a name that clients refuse; write at most 128 letters, digits, `_` and `-`
    config.toml:9: target `orders`: `tools.title` of `get` is empty; write a text or leave it out
    config.toml:10: target `orders`: `tools.describe` names `drop_all`, which `tools.include` and `tools.exclude` leave out; take it out here, or let it through there
    config.toml:11: target `orders`: unknown key `hide` in `tools`; it takes `include`, `exclude`, `rename`, `title` or `describe`
    config.toml:12: target `orders`: `prompts` takes a table, not a text; write `include = ["get_*"]` in it
    config.toml:15: target `orders`: `resources.include` takes a list, not a text; put the value in brackets
    config.toml:16: target `orders`: unknown key `rename` in `resources`; it takes `include` or `exclude`
    12 mistakes
"#);

bad!(bad_state, "bad-state", @"
    config.toml:4: `state.directory` is empty; write a path, or `snapshot = false` to keep nothing
    config.toml:5: `state.snapshot` takes `true` or `false`, not a text; write it without quotes
    config.toml:6: `state.snapshot_max_age_seconds` takes 1 to 31536000, not 0; leave it out for the default, 604800
    config.toml:7: unknown key `max_age` in `state`; it takes `directory`, `snapshot`, `snapshot_max_age_seconds`, `replica_url` or `redis_url_env`
    4 mistakes
");

bad!(state_of_nothing, "state-of-nothing", @"
    config.toml:5: `state.snapshot_max_age_seconds` has no effect with `snapshot = false`; leave one of the two out
    1 mistake
");

bad!(bad_replicas, "bad-replicas", @"
    config.toml:4: the address of a replica has no path: write `http://10.0.0.7:8080`, which is the replica itself and no proxy in front of it
    config.toml:4: `state.replica_url` needs `sessions.key_env` or `sessions.key_arn`, the same keys in all replicas: what one seals, the others must open
    config.toml:5: the variable `KEY` holds no URL of a Redis; set it like `rediss://user:password@redis.example.com:6379`
    config.toml:5: `state.redis_url_env` needs `sessions.key_env` or `sessions.key_arn`, the same keys in all replicas: what one seals, the others must open
    config.toml:7: `rate_limits.calls` is missing; write `calls = 600`
    config.toml:8: `rate_limits.seconds` takes 1 to 86400, not 0; leave it out for the default, 60
    config.toml:11: `rate_limits.calls` takes 0 to 1000000, not 2000000
    config.toml:12: `rate_limits[1].per` takes `caller`, `client` or `everyone`, not `callers`; did you mean `caller`?
    config.toml:13: `rate_limits.tools` is empty, which would limit nothing; leave it out for all calls
    config.toml:17: `rate_limits.tools` holds `a*` twice; leave one out
    config.toml:17: a pattern of `rate_limits.tools` is empty and matches nothing; write `\"*\"` for everything
    11 mistakes
");

bad!(rate_limits_as_table, "rate-limits-as-table", @"
    config.toml:3: `rate_limits` takes a list, not a table; write `[[rate_limits]]`
    1 mistake
");

bad!(replicas_without_keys, "replicas-without-keys", @"
    config.toml:4: `state.replica_url` needs `sessions.key_env` or `sessions.key_arn`, the same keys in all replicas: what one seals, the others must open
    config.toml:5: `state.redis_url_env` needs `sessions.key_env` or `sessions.key_arn`, the same keys in all replicas: what one seals, the others must open
    2 mistakes
");

bad!(bad_clients, "bad-clients", @"
    config.toml:4: `clients.used[1]` takes `vscode`, `copilot-cli`, `claude-code`, `cursor`, `amazon-q` or `kiro`, not `claude_code`; did you mean `claude-code`?
    config.toml:4: `clients.used` holds `vscode` twice; leave one out
    config.toml:5: Cursor puts `a-very-long-name-for-a-server-of-tools` before the name of each tool and leaves it 21 characters, of which a name needs 24; write a shorter `clients.server_name` here, and the same in the client
    config.toml:6: `clients.shorten_names` takes `true` or `false`, not a text; write it without quotes
    4 mistakes
");

bad!(shorten_for_nobody, "shorten-for-nobody", @r#"
    config.toml:4: `clients.server_name` is empty; write a text
    config.toml:5: `clients.shorten_names` has no effect without `clients.used`, by which it is known what fits; write `used = ["vscode", "claude-code"]` in `[clients]`
    2 mistakes
"#);

bad!(bad_toolsets, "bad-toolsets", @r#"
    config.toml:15: toolset `read_only`: `read_only` is no name of a toolset: use letters and digits with single hyphens between them, as it is the last part of its URL, for example `read-only`
    config.toml:16: toolset `read_only`: a pattern of `tools.exclude` is empty and matches nothing; write `"*"` for everything
    config.toml:18: toolset `people`: the toolset shows nothing; write `tools.include = ["my-target___*"]`, `prompts` or `resources`
    config.toml:22: toolset number 3: `name` is missing; write `name = "my-toolset"`
    config.toml:24: toolset number 3: `description` is empty; write a text
    config.toml:27: toolset `People`: the toolset on line 19 has the same name; rename this one
    config.toml:29: toolset `People`: unknown key `targets`; it takes `name`, `description`, `tools`, `prompts`, `resources`, `authorizer`, `instructions` or `clients`
    config.toml:30: toolset `People`: `clients.used` holds `cursor` twice; leave one out
    config.toml:33: toolset `a-toolset-with-a-name-that-is-much-too-long`: Cursor puts `a-toolset-with-a-name-that-is-much-too-long` before the name of each tool and leaves it 16 characters, of which a name needs 24; write a shorter `clients.server_name` here, and the same in the client
    config.toml:34: toolset `a-toolset-with-a-name-that-is-much-too-long`: `prompts.include` is empty, which would leave nothing; write `exclude = ["*"]` if that is meant, or leave it out for everything
    config.toml:40: toolset `signed`: `authorizer.aws_iam.access_keys` needs `gateway.public_url` where other machines call, so that a request that was signed for another host is not taken; write `public_url = "https://…/mcp"`
    config.toml:48: toolset `tokens`: `authorizer.custom_jwt` has no rule, so that any token of the issuer would do; write at least one of `allowed_clients`, `allowed_audience`, `allowed_scopes` and `custom_claims`
    12 mistakes
"#);

bad!(toolset_exposed, "toolset-exposed", @r#"
    config.toml:15: toolset `open`: `authorizer = "none"` would let anyone call who reaches `0.0.0.0:8080`; write `listen = "127.0.0.1:8080"`, configure `[authorizer.custom_jwt]` or `[authorizer.aws_iam]`, or insist with `gateway.allow_unauthenticated = true`
    1 mistake
"#);

bad!(misplaced_keys, "misplaced-keys", @r#"
    config.toml:3: unknown key `authorizer` in `gateway`; it belongs above the first table of the file
    config.toml:13: target `calculator`: unknown key `dev` in `credential.client_credentials`; it belongs directly below `[[targets]]`, above the tables in it
    config.toml:21: target `hello`: unknown key `http` in `credential.api_key`; it belongs directly below `[[targets]]`, above the tables in it
    3 mistakes
"#);

bad!(wrong_types, "wrong-types", @r#"
    config.toml:1: `targets` takes a list, not a table; write `[[targets]]`
    config.toml:2: `authorizer` takes a text or a table, not a whole number; write what the annotated config.toml has there
    config.toml:5: `gateway.name` takes a text, not a list; write one text in quotes
    config.toml:6: `gateway.listen` takes a text, not a whole number; put it in quotes
    config.toml:7: `gateway.enable_response_streaming` takes `true` or `false`, not a text; write it without quotes
    config.toml:8: `gateway.list_page` takes a number of entries or `target`, not a number with a fraction; write `100`, `"target"`, or leave it out for one page
    config.toml:11: `sessions.key_env` takes a list, not a text; put the value in brackets
    config.toml:14: `limits.call_seconds` takes a whole number, not a text; write it without quotes
    config.toml:15: `limits.request_bytes` takes a whole number, 0 or more, not a negative number; leave out the sign
    config.toml:16: `limits.response_bytes` takes a whole number, not a number with a fraction; write digits only
    config.toml:17: `limits.connect_seconds` takes a whole number, not a truth value; write digits only
    11 mistakes
"#);

bad!(wrong_types_in_targets, "wrong-types-in-targets", @r#"
    config.toml:4: target number 1: `name` takes a text, not a whole number; put it in quotes
    config.toml:5: target number 1: `http` takes a table, not a text; write `http.endpoint = "https://…/mcp"`
    config.toml:9: target `hello`: `http.endpoint` takes a text, not a table; write one text in quotes
    config.toml:10: target `hello`: `http.era` takes a text or a table, not a whole number; write what the annotated config.toml has there
    config.toml:11: target `hello`: `credential` takes a table, not a text; write `[targets.credential.client_credentials]` or `[targets.credential.api_key]`
    config.toml:12: target `hello`: `dev` takes a table, not a list; write `dev.sample = "calculator"`
    config.toml:16: target `local`: `stdio.command[1]` takes a text, not a whole number; put it in quotes
    config.toml:16: target `local`: `stdio.command[2]` takes a text, not a truth value; put it in quotes
    config.toml:17: target `local`: `stdio.env.PORT` takes a text, not a whole number; put it in quotes
    9 mistakes
"#);

bad!(closed_choices, "closed-choices", @r#"
    config.toml:2: `gateway.exception_level` takes `debug`; write that or leave it out
    config.toml:3: `gateway.list_page` takes `a number` or `target`, not `targets`; did you mean `target`?
    config.toml:4: `gateway.names` takes `prefixed` or `plain`; write one of them
    config.toml:7: `sessions.mode` takes `optional`, `required` or `off`; write one of them
    config.toml:12: `authorizer.custom_jwt.token_use` takes `access`, `id` or `any`, not `acces`; did you mean `access`?
    config.toml:17: target `calculator`: `http.era` takes `auto`, `modern` or `legacy`; write one of them
    config.toml:18: target `calculator`: `dev.sample` takes `calculator`, `hello` or `cloudwatch-insights`, not `calculater`; did you mean `calculator`?
    config.toml:24: target `hello`: `credential.client_credentials` and `credential.api_key` are both there; leave one of them out
    config.toml:28: target `hello`: `credential.client_credentials.client_authentication` takes `basic` or `post`; write one of them
    config.toml:37: target `weather`: `credential` takes a table, not a text; write `[targets.credential.client_credentials]` or `[targets.credential.api_key]`
    10 mistakes
"#);

bad!(an_authorizer_without_its_table, "authorizer-without-table", @r#"
    config.toml:1: `custom_jwt` needs settings of its own; write a table `[authorizer.custom_jwt]` for them
    1 mistake
"#);

bad!(an_unknown_authorizer, "unknown-authorizer", @r#"
    config.toml:1: unknown key `authenticate_only` in `authorizer`; it takes `none`, `custom_jwt` or `aws_iam`
    1 mistake
"#);

bad!(a_login_that_leads_nowhere, "login", @r#"
    config.toml:9: `[login]` needs `gateway.public_url` where other machines call: clients are sent there, and the issuer sends people back there; write `public_url = "https://…/mcp"` below `[gateway]`
    config.toml:10: tokens of the client that `login.client_id` names would be refused; add it to `authorizer.custom_jwt.allowed_clients`
    config.toml:11: tokens with the scopes of `login.scopes` alone would be refused; add one of `authorizer.custom_jwt.allowed_scopes`, or leave `scopes` out to ask for those
    config.toml:12: `login.client_documents = "local"` lets strangers make the gateway read addresses of its own network; listen on loopback, or write `"public"` or `"off"`
    config.toml:13: `login.token_endpoint` is no URL (relative URL without a base); write it like `https://example.auth.us-east-1.amazoncognito.com/oauth2/…`
    config.toml:15: `login.redirect_uris` need not name this machine: programs on the user's machine may always log in; leave it out
    config.toml:16: `login.redirect_uris` takes `https` and the schemes of programs; write it like `https://claude.ai/api/mcp/auth_callback`
    config.toml:17: `login.redirect_uris` takes `https` and the schemes of programs; write it like `https://claude.ai/api/mcp/auth_callback`
    config.toml:18: `login.redirect_uris` holds a `#` part, which a redirect must not have; leave that out
    config.toml:19: `login.redirect_uris` holds a user or a password; write it without
    config.toml:20: `login.redirect_uris` takes whole URLs; write it like `https://claude.ai/api/mcp/auth_callback`
    11 mistakes
"#);

bad!(a_login_without_a_client, "login-without-client", @r#"
    config.toml:9: `[login]` leads to access tokens, which `authorizer.custom_jwt.token_use = "id"` refuses; leave one of the two out
    config.toml:9: `[login]` needs a `gateway.public_url` that begins with `https://`: codes and tokens pass there
    config.toml:9: `login.client_id` is missing; write `client_id = "3n4b5urk1ft4fl3mg5e62d9ado"`
    config.toml:10: `login.mode` takes `proxy` or `pass_through`, not `prox`; did you mean `proxy`?
    4 mistakes
"#);

bad!(a_login_that_nobody_needs, "login-pass-through", @r#"
    config.toml:3: `[login]` leads to access tokens, which only `[authorizer.custom_jwt]` takes; write that table, or leave `[login]` out
    config.toml:5: `login.client_id` has no effect with `mode = "pass_through"`; leave one of the two out
    config.toml:6: `login.redirect_uris` has no effect with `mode = "pass_through"`; leave one of the two out
    3 mistakes
"#);

bad!(literal_secrets, "literal-secrets", @r#"
    config.toml:4: `key` in `sessions` would put a secret into this file; write `key_env` and the name of a variable of the gateway's environment
    config.toml:13: target `hello`: `client_secret` in `credential.client_credentials` would put a secret into this file; write `client_secret_env` and the name of a variable of the gateway's environment, or `client_secret_file = "path"`
    config.toml:14: target `hello`: `credential.client_credentials.custom_parameters` must not hold `client_secret`, which the gateway sends itself; write `client_id`, `client_secret_env` and `scopes` beside it
    config.toml:18: target `weather`: `http.endpoint` holds a user or a password, which do not belong into this file; write it like `https://tools.example.com/mcp`
    config.toml:19: target `weather`: `key` in `credential.api_key` would put a secret into this file; write `key_env` and the name of a variable of the gateway's environment, or `key_file = "path"`
    config.toml:24: target `maps`: `credential.api_key.key_env` takes the name of a variable of the gateway's environment, and the variable that stands there is not set; write a name such as `CALCULATOR_CLIENT_SECRET`, never the value itself, or write `key_file = "path"`
    config.toml:31: target `places`: `credential.client_credentials.token_endpoint` holds a `#` part, which no server sees; write it like `https://example.auth.us-east-1.amazoncognito.com/oauth2/token`
    config.toml:33: target `places`: `secret` in `credential.client_credentials` would put a secret into this file; write `client_secret_env` and the name of a variable of the gateway's environment, or `client_secret_file = "path"`
    8 mistakes
"#);

bad!(missing_secrets, "missing-secrets", @r#"
    config.toml:4: variable `UNSET_SESSION_KEY` of `sessions.key_env` is not set; set `UNSET_SESSION_KEY` where the gateway starts
    config.toml:4: the session key that `sessions.key_env` names is shorter than 32 bytes; make one with `openssl rand -base64 32`
    config.toml:13: target `hello`: variable `UNSET_CLIENT_SECRET` of `credential.client_credentials.client_secret_env` is not set; set `UNSET_CLIENT_SECRET` where the gateway starts, or write `client_secret_file = "path"`
    config.toml:22: target `orders`: the file that `credential.client_credentials.client_secret_file` names cannot be read: No such file or directory (os error 2); write the secret, and nothing else, into a file that the gateway may read
    config.toml:27: target `weather`: variable `EMPTY_KEY` of `credential.api_key.key_env` is empty; set `EMPTY_KEY` where the gateway starts, or write `key_file = "path"`
    config.toml:32: target `maps`: the key of `credential.api_key` has letters that cannot stand in a header, for example a line end; store the key alone
    config.toml:37: target `local`: variable `UNSET_TOKEN` of `stdio.env_from` is not set; set `UNSET_TOKEN` where the gateway starts
    7 mistakes
"#);

bad!(missing_members, "missing-members", @r#"
    config.toml:1: `authorizer.custom_jwt.discovery_url` is missing; write `discovery_url = "https://…/.well-known/openid-configuration"`
    config.toml:3: `authorizer.custom_jwt.custom_claims.name` is missing; write `name = "department"`
    config.toml:5: target number 1: `name` is missing; write `name = "my-target"`
    config.toml:5: target number 1: nothing says where the target is; write `http.endpoint = "https://…/mcp"` for a server that runs, or `stdio.command = ["program", "argument"]` for one to start
    config.toml:9: target `empty-http`: `http.endpoint` is missing; write `endpoint = "https://tools.example.com/mcp"`, or `runtime_arn = "arn:…"` for a server that AgentCore Runtime hosts
    config.toml:13: target `empty-stdio`: `stdio.command` is missing; write `command = ["program", "argument"]`
    config.toml:14: target `empty-stdio`: `dev` does not say what to start; write `dev.sample = "calculator"` or `dev.command = ["program"]`
    config.toml:14: target `empty-stdio`: `dev` is for `http` targets: `causeway dev` starts `stdio.command` as it is; leave `dev` out
    config.toml:19: target `empty-client`: `dev` does not say what to start; write `dev.sample = "calculator"` or `dev.command = ["program"]`
    config.toml:20: target `empty-client`: `credential.client_credentials.token_endpoint` is missing; write `token_endpoint = "https://…/oauth2/token"` or `discovery_url = "https://…/.well-known/openid-configuration"`
    config.toml:20: target `empty-client`: `credential.client_credentials.client_id` is missing; write `client_id = "…"`
    config.toml:20: target `empty-client`: `credential.client_credentials.client_secret_env` is missing; write `client_secret_env = "NAME"` with a variable of the gateway's environment, `client_secret_file = "path"` or `client_secret_arn = "arn:…"`
    config.toml:25: target `empty-key`: `credential.api_key.parameter_name` is missing; write `parameter_name = "X-Api-Key"`
    config.toml:25: target `empty-key`: `credential.api_key.key_env` is missing; write `key_env = "NAME"` with a variable of the gateway's environment, `key_file = "path"` or `key_arn = "arn:…"`
    config.toml:30: target `empty-credential`: `credential` does not say what to show; write `[targets.credential.client_credentials]`, `[targets.credential.api_key]` or `[targets.credential.sigv4]`, or leave it out
    15 mistakes
"#);

bad!(an_empty_file, "empty", @r#"
    config.toml: `authorizer` is missing; write a table `[authorizer.custom_jwt]` or `[authorizer.aws_iam]` that says who may call, or `authorizer = "none"` above the first table to serve this machine without tokens
    config.toml: there is no target; write at least one table `[[targets]]` with `name = "my-target"` and `http.endpoint = "https://…/mcp"`
    2 mistakes
"#);

bad!(an_authorizer_without_a_rule, "no-rule", @r#"
    config.toml:1: `authorizer.custom_jwt` has no rule, so that any token of the issuer would do; write at least one of `allowed_clients`, `allowed_audience`, `allowed_scopes` and `custom_claims`
    1 mistake
"#);

bad!(bad_rules, "bad-rules", @r#"
    config.toml:2: `gateway.allow_unauthenticated = true` has no effect beside an authorizer; leave it out
    config.toml:5: `authorizer.custom_jwt.discovery_url` must name a discovery document, `…/.well-known/openid-configuration` or `…/.well-known/oauth-authorization-server`; write it like `https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE/.well-known/openid-configuration`
    config.toml:6: an entry of `authorizer.custom_jwt.allowed_clients` is empty; write a text or leave it out
    config.toml:7: an entry of `authorizer.custom_jwt.allowed_scopes` is not one scope: a scope has no spaces, quotes or backslashes; write a list such as `["tools/read", "tools/invoke"]`
    config.toml:8: `authorizer.custom_jwt.clock_skew_seconds` takes 0 to 600, not 3600; leave it out for the default, 30
    config.toml:10: a custom claim takes exactly one of `equals`, `contains` and `contains_any`; write one, such as `equals = "engineering"`
    config.toml:17: `contains_any` of a custom claim has no text; write at least one
    7 mistakes
"#);

bad!(bad_values, "bad-values", @r#"
    config.toml:2: `gateway.name` is empty; write a text
    config.toml:3: `gateway.listen` takes an IP address and a port; write `127.0.0.1:9000` for this machine alone or `0.0.0.0:9000` for all
    config.toml:4: `gateway.public_url` must end in `/mcp`, for example `https://gateway.example.com/mcp`
    config.toml:8: `sessions.timeout_seconds` takes 1 to 86400, not 0; leave it out for the default, 3600
    config.toml:9: `sessions.key_env` has no effect with `mode = "off"`; leave one of the two out
    config.toml:12: `limits.request_bytes` takes 1 to 1073741824, not 0; leave it out for the default, 6000000
    config.toml:13: `limits.response_bytes` takes 1 to 1073741824, not 99999999999; leave it out for the default, 67108864
    config.toml:14: `limits.connect_seconds` takes 1 to 86400, not 0; leave it out for the default, 5
    config.toml:15: `limits.first_byte_seconds` is longer than a whole call may take; write at most 60 or raise `limits.call_seconds`
    config.toml:17: `limits.catalog_pages` takes 1 to 1000000, not 0; leave it out for the default, 1000
    config.toml:18: `limits.header_bytes` takes 8192 to 1048576, not 100; leave it out for the default, 65536
    config.toml:19: `limits.idle_seconds` takes 1 to 86400, not 0; leave it out for the default, 75
    config.toml:20: `limits.stalled_seconds` takes 1 to 86400, not 0; leave it out for the default, 30
    config.toml:21: `limits.drain_seconds` takes 1 to 86400, not 100000; leave it out for the default, 30
    config.toml:22: `limits.catalog_entries` takes 1 to 10000000, not 0; leave it out for the default, 100000
    config.toml:23: `limits.catalog_bytes` takes 1 to 1073741824, not 0; leave it out for the default, 67108864
    config.toml:24: `limits.target_queue` takes 0 to 1000000, not 1000001; leave it out for the default, 256
    config.toml:25: `limits.queue_seconds` takes 1 to 86400, not 0; leave it out for the default, 10
    18 mistakes
"#);

bad!(bad_targets, "bad-targets", @r#"
    config.toml:4: target `my_server.v2`: `my_server.v2` is no target name: use letters and digits with single hyphens between them, at most 100 of each (AgentCore's pattern `([0-9a-zA-Z][-]?){1,100}`), for example `my-server-v2`
    config.toml:5: target `my_server.v2`: `http.endpoint` is no URL (relative URL without a base); write it like `https://tools.example.com/mcp`
    config.toml:9: target `hello`: `http.endpoint` is no `https` or `http` URL; write it like `https://tools.example.com/mcp`
    config.toml:11: target `hello`: `dev.path` has no effect beside `dev.sample`; leave it out
    config.toml:11: target `hello`: `dev.path` must start with `/`; write `/mcp`
    config.toml:14: target `Hello`: the target on line 8 has the same name; rename this one, for example to `Hello-2`
    config.toml:15: target `Hello`: `http.endpoint` holds a `#` part, which no server sees; write it like `https://tools.example.com/mcp`
    config.toml:17: target `Hello`: `dev.sample` and `dev.command` both say what to start; leave one of them out
    config.toml:22: target `both`: `http` and `stdio` both say where the target is; leave one of them out
    config.toml:22: target `both`: `stdio.command` names no program; write `["program", "argument"]`
    config.toml:26: target `local`: `stdio.command` names no program; write `["program", "argument"]`
    config.toml:27: target `local`: a variable of `stdio` has a name or a value that no process can be given; write a name without `=`
    config.toml:28: target `local`: a variable stands in `stdio.env` and in `stdio.env_from`; leave one of them out
    config.toml:29: target `local`: `credential` is for `http` targets: there is nobody to show it to over standard streams; pass the secret with `stdio.env_from = { NAME = "NAME" }`
    config.toml:30: target `local`: `dev` is for `http` targets: `causeway dev` starts `stdio.command` as it is; leave `dev` out
    15 mistakes
"#);

bad!(bad_places, "bad-places", @r#"
    config.toml:4: `failover.failures` takes 1 to 1000000, not 0; leave it out for the default, 3
    config.toml:6: `failover.longest_cool_down_seconds` is shorter than the first; write at least 10 or lower `failover.cool_down_seconds`
    config.toml:11: target `far`: `http.endpoints` is no URL (relative URL without a base); write it like `https://tools.example.com/mcp`
    config.toml:11: target `far`: `http.endpoints` holds one URL twice; leave one of them out
    config.toml:12: target `far`: `standby` names `nearby`, which is no target of this file; give the name of one
    config.toml:12: target `far`: a target cannot stand by for itself; leave it out
    config.toml:12: target `far`: `standby` names `near` twice; leave one out
    config.toml:12: target `far`: `standby` names `further`, which others stand by for in turn; name all of them here, best first
    config.toml:17: target `near`: `http.endpoint` and `http.endpoints` both say where the target is; leave one of them out
    config.toml:17: target `near`: `http.endpoints` is empty; write `["https://tools.example.com/mcp"]`
    config.toml:18: target `near`: `standby` is for gateways, whose names others can serve: write `kind = "agentcore-gateway"`; a server that is in several places has `http.endpoints = ["https://…/mcp", "https://…/mcp"]`
    config.toml:28: target `farther`: `kind` takes `mcp-server` or `agentcore-gateway`; write one of them
    config.toml:29: target `farther`: `http.endpoint` is missing; write `endpoint = "https://tools.example.com/mcp"`, or `runtime_arn = "arn:…"` for a server that AgentCore Runtime hosts
    13 mistakes
"#);

bad!(bad_credentials, "bad-credentials", @r#"
    config.toml:8: target `hello`: `credential.client_credentials.token_endpoint` is no URL (relative URL without a base); write it like `https://example.auth.us-east-1.amazoncognito.com/oauth2/token`
    config.toml:9: target `hello`: `credential.client_credentials.client_id` is empty; write a text
    config.toml:11: target `hello`: `client_secret_env` and `client_secret_file` both say where the secret is; leave one of them out
    config.toml:12: target `hello`: an entry of `credential.client_credentials.scopes` is not one scope: a scope has no spaces, quotes or backslashes; write a list such as `["tools/read", "tools/invoke"]`
    config.toml:13: target `hello`: `credential.client_credentials.custom_parameters` must not hold `scope`, which the gateway sends itself; write `client_id`, `client_secret_env` and `scopes` beside it
    config.toml:21: target `orders`: `token_endpoint` and `discovery_url` both say where tokens come from; leave one of them out
    config.toml:28: target `weather`: `credential.api_key.parameter_name` is no header that can carry a key; write one such as `X-Api-Key` or `Authorization`
    config.toml:33: target `maps`: `credential.api_key.parameter_name` is no header that can carry a key; write one such as `X-Api-Key` or `Authorization`
    config.toml:38: target `places`: `credential.api_key.parameter_name` is empty; write a text
    config.toml:43: target `roads`: `credential.api_key.prefix` cannot stand in a header; write a text such as `Bearer `
    10 mistakes
"#);

bad!(bad_aws, "bad-aws", @r#"
    config.toml:4: `aws.region` is no AWS region; write one such as `us-east-1`
    config.toml:5: `aws.profile` is empty; write a text
    config.toml:11: target `hello`: `credential.sigv4.service` is no signing name; write one such as `bedrock-agentcore` or `lambda`
    config.toml:12: target `hello`: `credential.sigv4.region` is no AWS region; write one such as `us-east-1`
    config.toml:13: target `hello`: `credential.sigv4.role_arn` names no role; write it like `arn:aws:iam::123456789012:role/gateway`
    config.toml:14: target `hello`: `credential.sigv4.session_name` takes 2 to 64 letters, digits and `_+=,.@-`; write one such as `causeway`
    config.toml:19: target `orders`: `credential.sigv4.external_id` has no effect without `role_arn`; leave it out
    config.toml:19: target `orders`: `credential.sigv4` signs requests that others could see and send again: write `https` in `http.endpoint`; `http` is for this machine alone
    config.toml:24: target `weather`: `credential.sigv4.role_arn` names no role: `gateway` is no ARN: it does not start with `arn:`; write it like `arn:aws:iam::123456789012:role/gateway`
    config.toml:28: target `maps`: unknown key `sigv4`; did you mean `credential.sigv4`?
    config.toml:34: target `roads`: `credential.api_key` and `credential.sigv4` are both there; leave one of them out
    config.toml:38: target `docks`: `http.runtime_arn` names no AgentCore Runtime; write it like `arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/tools-a1b2c3d4e5`
    config.toml:42: target `yards`: `http.endpoint` and `http.runtime_arn` both say where the target is; leave one of them out
    config.toml:47: target `ships`: `http.qualifier` has no effect without `http.runtime_arn`; leave it out
    config.toml:51: target `boats`: unknown key `runtime_arn`; did you mean `http.runtime_arn`?
    config.toml:54: `sessions.key_arn`: `arn:aws:s3:::keys/session` is no ARN of a secret: expected `arn:aws:secretsmanager:region:account:secret:name` or `arn:aws:ssm:region:account:parameter/name`
    config.toml:64: target `stock`: `client_secret_env` and `client_secret_arn` both say where the secret is; leave one of them out
    config.toml:64: target `stock`: `credential.client_credentials.client_secret_arn` takes the ARN of a secret; write it like `arn:aws:secretsmanager:us-east-1:123456789012:secret:tools-AbCdEf`
    config.toml:69: target `parcels`: `credential.api_key.key_json_key` has no effect without `key_arn`; leave it out
    config.toml:74: target `letters`: `credential.api_key.key_json_key` is empty; write a text
    config.toml:74: target `letters`: `credential.api_key.key_arn`: `arn:aws:ssm::123456789012:parameter/letters` has no region: take the whole ARN
    config.toml:79: target `stamps`: `credential.api_key.key_env` is missing; write `key_env = "NAME"` with a variable of the gateway's environment, `key_file = "path"` or `key_arn = "arn:…"`
    22 mistakes
"#);

bad!(an_open_door, "exposed", @r#"
    config.toml:1: `authorizer = "none"` would let anyone call who reaches `0.0.0.0:8080`; write `listen = "127.0.0.1:8080"`, configure `[authorizer.custom_jwt]` or `[authorizer.aws_iam]`, or insist with `gateway.allow_unauthenticated = true`
    1 mistake
"#);

bad!(no_toml, "no-toml", @r#"
    config.toml:2: is no TOML here: invalid float; texts stand in quotes, and https://toml.io shows the rest
    1 mistake
"#);

bad!(aws_iam, "aws-iam", @r#"
    config.toml:2: `authorizer.aws_iam.region` is no AWS region; write one such as `us-east-1`
    config.toml:3: `authorizer.aws_iam.clock_skew_seconds` takes 0 to 900, not 3600; leave it out for the default, 300
    config.toml:7: `authorizer.aws_iam.access_keys.secret_access_key_env` takes the name of a variable of the gateway's environment, and the variable that stands there is not set; write a name such as `CALCULATOR_CLIENT_SECRET`, never the value itself, or write `secret_access_key_file = "path"`
    config.toml:8: `authorizer.aws_iam.access_keys.principal` takes an ARN of IAM; write it like `arn:aws:iam::123456789012:role/developers`
    config.toml:10: `authorizer.aws_iam.access_keys.secret_access_key_env` is missing; write `secret_access_key_env = "NAME"` with a variable of the gateway's environment, `secret_access_key_file = "path"` or `secret_access_key_arn = "arn:…"`
    config.toml:11: `authorizer.aws_iam.access_keys` has the access key a second time; leave one of them out
    config.toml:12: `authorizer.aws_iam.access_keys.principal` takes an ARN of IAM; write it like `arn:aws:iam::123456789012:role/developers`
    config.toml:15: `authorizer.aws_iam.caller_identity.gateway_id` takes letters, digits and signs without spaces; write it like `tools.example.com`
    config.toml:17: `authorizer.aws_iam.caller_identity.allowed_principals` takes ARNs of IAM or STS, with a `*` at the end alone; write it like `arn:aws:iam::123456789012:role/developers`
    config.toml:18: `authorizer.aws_iam.caller_identity.allowed_principals` takes a role whole, without a `*`; write its whole ARN, or one of sessions such as `arn:aws:sts::123456789012:assumed-role/dev*`
    10 mistakes
"#);

bad!(aws_iam_that_others_could_use, "aws-iam-exposed", @r#"
    config.toml:4: `authorizer.aws_iam.access_keys` needs `gateway.public_url` where other machines call, so that a request that was signed for another host is not taken; write `public_url = "https://…/mcp"`
    config.toml:15: `authorizer.aws_iam.caller_identity.endpoint` must begin with `https://`, since who answers there says who calls
    2 mistakes
"#);

bad!(aws_iam_that_lets_nobody_in, "aws-iam-nobody", @r#"
    config.toml:1: `authorizer.aws_iam` lets nobody in; write at least one `[[authorizer.aws_iam.access_keys]]` or a `[authorizer.aws_iam.caller_identity]`
    1 mistake
"#);

bad!(duplicate_keys, "duplicate-keys", @r#"
    config.toml:2: is no TOML here: duplicate key; texts stand in quotes, and https://toml.io shows the rest
    1 mistake
"#);

bad!(bad_watching, "bad-watching", @r#"
config.toml:4: `admin.listen = "0.0.0.0:8081"` would show everyone who reaches it how this gateway is set up, because there is no authorizer; listen on `127.0.0.1:8081`, write `[authorizer.custom_jwt]`, or insist with `admin.allow_unauthenticated = true`
config.toml:5: `admin.metrics` takes `authorized` or `anyone`; write one of them
config.toml:8: `telemetry.log_level` takes `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,causeway::targets=debug`; write one of them
config.toml:9: `telemetry.log_format` takes `auto`, `text` or `json`; write one of them
config.toml:10: `telemetry.otlp_endpoint` is no `https` or `http` URL; write it like `http://127.0.0.1:4318`
config.toml:11: `telemetry.otlp_headers_env` names a header, or a variable with a value, that cannot be sent; write names such as `authorization`
config.toml:12: `telemetry.trace_ratio` takes 0 to 1; write `0.1` for one trace in ten
config.toml:14: `audit.file` is missing; write `file = "audit.jsonl"`, or `"-"` for standard output
config.toml:15: `audit.redact_patterns` takes regular expressions, and this is none; write one such as `'^[0-9]{16}$'` in single quotes
config.toml:16: `audit.redact_pointers` takes JSON pointers, which begin with `/`; write one such as `/customer/iban`, or put a name into `redact_names`
10 mistakes
"#);

#[test]
fn every_bad_file_is_a_case() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/bad");
    for entry in fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(include_str!("bad_files.rs").contains(&format!("\"{name}\"")), "no case for `{name}.toml`");
    }
}

#[test]
fn a_file_that_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    let answer = Config::load(&path, &environment()).unwrap_err().to_string();
    insta::assert_snapshot!(answer.replace(directory.path().to_str().unwrap(), "…"), @r#"
    …/config.toml: cannot be read: No such file or directory (os error 2); give the path of a config.toml that is there
    1 mistake
"#);
}

#[test]
fn a_file_of_nothing_but_mistakes_is_given_up() {
    let text: String = (0..200).map(|number| format!("setting-{number} = 1\n")).collect();
    let answer = resolve(&text, &environment()).unwrap_err();
    let end: Vec<&str> = answer.lines().skip(100).collect();
    insta::assert_snapshot!(end.join("\n"), @r#"
    config.toml: cannot be read further; correct the mistakes so far and check again
    101 mistakes
"#);
}

#[test]
fn a_path_in_a_message_is_as_it_was_given() {
    let draft = Draft::parse(Path::new("/etc/causeway/config.toml"), "colour = 1\r\n\r\nauthorizer = 1\r\n").unwrap();
    insta::assert_snapshot!(draft.resolve(&environment()).unwrap_err(), @r#"
    /etc/causeway/config.toml:1: unknown key `colour`; it takes `gateway`, `sessions`, `limits`, `rate_limits`, `failover`, `admin`, `audit`, `telemetry`, `state`, `lambda`, `aws`, `authorizer`, `login`, `clients`, `targets`, `toolsets` or `deploy`
    /etc/causeway/config.toml:3: `authorizer` takes a text or a table, not a whole number; write what the annotated config.toml has there
    /etc/causeway/config.toml: there is no target; write at least one table `[[targets]]` with `name = "my-target"` and `http.endpoint = "https://…/mcp"`
    3 mistakes
    "#);
}
