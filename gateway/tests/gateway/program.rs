//! The program as a user or a script runs it: arguments, exit codes, both outputs, signals.

use std::{
    fs::DirEntry,
    path::{Path, PathBuf},
    process::Stdio,
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use crate::{
    caller::Caller,
    sample::{CAUSEWAY, STATE_HOME},
};

/// Without anything of this process's environment that could change what the program does.
fn causeway(arguments: &[&str]) -> Command {
    let mut command = Command::new(CAUSEWAY);
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .env_remove("CAUSEWAY_CONFIG")
        .env_remove("CAUSEWAY_CONFIG_TOML")
        .env_remove("STATE_DIRECTORY")
        .env("XDG_STATE_HOME", STATE_HOME)
        .kill_on_drop(true);
    command
}

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn run(arguments: &[&str]) -> Ended {
    let output = causeway(arguments).stdin(Stdio::null()).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A file with this content, and what keeps it there.
fn config(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

#[tokio::test]
async fn check_reports_every_mistake_at_once() {
    let (directory, path) = config(
        r#"
[gateway]
listen = "nowhere"
colour = "red"

[authorizer.custom_jwt]
discovery_url = "ftp://issuer.example"

[[targets]]
name = "bad_name"
http.endpoint = 7

[[targets]]
name = "orders"
http.endpoint = "https://orders.example.com/mcp"

[targets.credential.api_key]
key_env = "THIS_VARIABLE_IS_NOT_SET"
parameter_name = "X-Api-Key"
"#,
    );
    for command in ["check", "serve", "dev"] {
        let ended = run(&[command, "--config", path.to_str().unwrap()]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(64), ""), "{command}");
        let stderr = ended.stderr.replace(&format!("{}/", directory.path().display()), "");
        match command {
            "check" => insta::assert_snapshot!(stderr, @r#"
            config.toml:3: `gateway.listen` takes an IP address and a port; write `127.0.0.1:8080` for this machine alone or `0.0.0.0:8080` for all
            config.toml:4: unknown key `colour` in `gateway`; it takes `name`, `listen`, `public_url`, `allowed_origins`, `instructions`, `names`, `list_page`, `exception_level`, `enable_response_streaming` or `allow_unauthenticated`
            config.toml:6: `authorizer.custom_jwt` has no rule, so that any token of the issuer would do; write at least one of `allowed_clients`, `allowed_audience`, `allowed_scopes` and `custom_claims`
            config.toml:7: `authorizer.custom_jwt.discovery_url` is no `https` or `http` URL; write it like `https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE/.well-known/openid-configuration`
            config.toml:10: target `bad_name`: `bad_name` is no target name: use letters and digits with single hyphens between them, at most 100 of each (AgentCore's pattern `([0-9a-zA-Z][-]?){1,100}`), for example `bad-name`
            config.toml:11: target `bad_name`: `http.endpoint` takes a text, not a whole number; put it in quotes
            config.toml:18: target `orders`: variable `THIS_VARIABLE_IS_NOT_SET` of `credential.api_key.key_env` is not set; set `THIS_VARIABLE_IS_NOT_SET` where the gateway starts, or write `key_file = "path"`
            7 mistakes
            "#),
            _ => assert!(stderr.contains("config.toml:3: "), "{command}: {stderr}"),
        }
    }
}

#[tokio::test]
async fn a_config_that_is_not_there_is_a_bad_config() {
    let ended = run(&["check", "--config", "/nowhere/config.toml"]).await;
    assert_eq!(ended.code, Some(64));
    insta::assert_snapshot!(ended.stderr, @"
    /nowhere/config.toml: cannot be read: No such file or directory (os error 2); give the path of a config.toml that is there
    1 mistake
    ");
}

#[tokio::test]
async fn the_text_of_a_config_may_be_in_a_variable() {
    let good = "authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n";
    let check = async |text: &str| {
        let output = causeway(&["check"]).env("CAUSEWAY_CONFIG_TOML", text).output().await.unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, said) = check(good).await;
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(said, @"CAUSEWAY_CONFIG_TOML is good: listens on 127.0.0.1:8080, serves anyone, targets `a`");
    for command in ["check", "serve", "dev", "targets", "doctor"] {
        let mut command = causeway(&[command]);
        let output = command.env("CAUSEWAY_CONFIG_TOML", "[gateway]\ncolour = \"red\"").output().await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{command:?}: {stderr}");
        assert!(stderr.contains("CAUSEWAY_CONFIG_TOML:2: unknown key `colour`"), "{command:?}: {stderr}");
    }
}

#[tokio::test]
async fn check_says_what_a_good_config_does() {
    let (directory, path) =
        config("authorizer = \"none\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n");
    let ended = run(&["check", "--config", path.to_str().unwrap()]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let stdout = ended.stdout.replace(&format!("{}/", directory.path().display()), "");
    insta::assert_snapshot!(stdout, @"config.toml is good: listens on 127.0.0.1:8080, serves anyone, targets `a`");
}

#[tokio::test]
async fn a_taken_port_is_a_failed_start_with_a_hint() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = format!(
        "authorizer = \"none\"\n[gateway]\nlisten = \"{address}\"\n[[targets]]\nname = \"a\"\nhttp.endpoint = \"http://127.0.0.1:1/mcp\"\n"
    );
    let (_directory, path) = config(&text);
    for command in ["serve", "dev"] {
        let ended = run(&[command, "--config", path.to_str().unwrap()]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{command}");
        let last = ended.stderr.lines().last().unwrap().replace(&address, "ADDRESS");
        let (last, _) = last.split_once(" (os error").unwrap();
        match command {
            "serve" => {
                insta::assert_snapshot!(last, @"error: cannot listen on `ADDRESS`; choose another with `gateway.listen`: Address already in use")
            }
            _ => {
                insta::assert_snapshot!(last, @"error: cannot listen on `ADDRESS`; choose another with `--listen 127.0.0.1:0`: Address already in use")
            }
        }
    }
}

/// A secret that cannot be had is said once, by whom it stops.
#[tokio::test]
async fn a_secret_that_is_not_there_is_logged_once() {
    const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdEf";
    let aws = axum::Router::new()
        .fallback(|| std::future::ready((http::StatusCode::BAD_REQUEST, r#"{"__type":"ResourceNotFoundException"}"#)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, aws).await });
    let (_directory, path) = config(&format!(
        r#"
        gateway.listen = "127.0.0.1:0"
        authorizer = "none"

        [[targets]]
        name = "orders"
        http.endpoint = "http://127.0.0.1:1/mcp"

        [targets.credential.client_credentials]
        token_endpoint = "http://127.0.0.1:1/token"
        client_id = "gateway"
        client_secret_arn = "{ARN}"
        "#
    ));
    let mut serve = causeway(&["serve", "--config", path.to_str().unwrap()]);
    let given =
        [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let mut process = serve.envs(given).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut about = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let is_last = line.contains("target `orders` was not asked");
        about.extend(line.contains(ARN).then_some(line));
        if is_last {
            break;
        }
    }
    assert!(about.len() == 1 && about[0].contains("ResourceNotFoundException"), "{about:#?}");
    process.kill().await.unwrap();
}

#[tokio::test]
async fn dev_refuses_to_listen_for_other_machines() {
    let ended = run(&["dev", "--listen", "0.0.0.0:0", "--config", example().to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(ended.stderr, @"error: `causeway dev` listens on loopback only, not on `0.0.0.0:0`; use `--listen 127.0.0.1:8080`");
}

#[tokio::test]
async fn dev_keeps_to_this_machine_what_a_container_listens_on() {
    let (_directory, path) = config(
        r#"
        [gateway]
        listen = "0.0.0.0:0"
        public_url = "https://gateway.example.com/mcp"

        [admin]
        listen = "0.0.0.0:0"

        [sessions]
        key_env = ["CAUSEWAY_SESSION_KEY"]

        [authorizer.custom_jwt]
        discovery_url = "https://issuer.example.com/.well-known/openid-configuration"
        allowed_clients = ["everybody"]

        [[targets]]
        name = "calculator"
        http.endpoint = "https://calculator.example.com/mcp"
        dev.sample = "calculator"
        "#,
    );
    let mut dev = Dev::told(&["--config", path.to_str().unwrap()]).await;
    for place in ["endpoint", "admin"] {
        assert!(dev.text(place).starts_with("http://127.0.0.1:"), "{place}: {}", dev.text(place));
    }
    assert_eq!(dev.end(Signal::SIGTERM).await.0, Some(0));
}

#[tokio::test]
async fn the_schema_is_printed() {
    let ended = run(&["schema"]).await;
    let schema: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, &schema["title"]), (Some(0), &json!("Causeway config.toml")));
}

#[tokio::test]
async fn dev_serves_what_its_one_line_says_until_it_is_told_to_end() {
    let mut dev = Dev::start().await;
    let (endpoint, token) = (dev.text("endpoint"), dev.text("token"));
    let alice = Caller::new(&endpoint).header("authorization", &format!("Bearer {token}"));
    for alice in [alice.clone(), alice.clone().in_session().await, alice.modern()] {
        let tools = [
            "calculator___add_numbers",
            "calculator___multiply_numbers",
            "hello___greet_user",
            "cloudwatch-insights___get_log_fields",
            "cloudwatch-insights___list_log_groups",
            "cloudwatch-insights___query_cloudwatch_insights",
        ];
        assert_eq!(alice.tools().await, tools);
        let sum = alice.call("calculator___add_numbers", json!({"a": 40, "b": 2})).await;
        assert_eq!(sum["content"][0]["text"], "42");
        let greeting = alice.call("hello___greet_user", json!({"name": "Alice"})).await;
        assert_eq!(greeting["content"][0]["text"], "Hello, Alice! Nice to meet you.");
    }
    let refused = Caller::new(&endpoint).request("tools/list", json!({})).await;
    assert_eq!(refused.refusal(), (401, -32001));
    let targets = dev.ready["targets"].as_array().unwrap();
    let listed = targets.iter().map(|target| (target["name"].as_str().unwrap(), target["tools"].as_u64().unwrap()));
    assert_eq!(listed.collect::<Vec<_>>(), [("calculator", 2), ("hello", 1), ("cloudwatch-insights", 3)]);
    let children = dev.children();
    assert!(!cfg!(target_os = "linux") || children.len() == 3, "a process for each sample");
    let (code, rest) = dev.end(Signal::SIGTERM).await;
    assert_eq!((code, rest.as_str()), (Some(0), ""), "one line and nothing after it");
    for child in children {
        assert_eq!(kill(child, None), Err(Errno::ESRCH), "a child is left behind");
    }
}

#[tokio::test]
async fn the_servers_of_dev_demand_tokens_of_their_own() {
    let mut dev = Dev::start().await;
    let url = dev.ready["targets"][0]["url"].as_str().unwrap();
    let bare = Caller::new(url).request("tools/list", json!({})).await;
    assert_eq!(bare.status, 401);
    let bearer = format!("Bearer {}", dev.text("token"));
    let with_the_callers = async || {
        let answer = Caller::new(url).header("authorization", &bearer).request("tools/list", json!({})).await;
        answer.status.as_u16()
    };
    let mut status = with_the_callers().await;
    // On a busy machine the keys by which it judges may not have come in time.
    while status == 503 {
        status = with_the_callers().await;
    }
    assert_eq!(status, 401, "a token for the gateway opens no target");
    assert_eq!(dev.end(Signal::SIGINT).await.0, Some(0));
}

/// The issuers and the access keys of toolsets are those of this machine too.
#[tokio::test]
async fn dev_has_a_token_for_each_toolset_with_callers_of_its_own() {
    let (_directory, path) = config(
        r#"
        [authorizer.custom_jwt]
        discovery_url = "https://issuer.example.com/.well-known/openid-configuration"
        allowed_clients = ["everybody"]

        [[targets]]
        name = "calculator"
        http.endpoint = "https://calculator.example.com/mcp"
        dev.sample = "calculator"

        [[toolsets]]
        name = "sums"
        tools.include = ["*add*"]
        [toolsets.authorizer.custom_jwt]
        discovery_url = "https://other.example.com/.well-known/openid-configuration"
        allowed_clients = ["adder"]

        [[toolsets]]
        name = "same"
        tools = {}
        "#,
    );
    let mut dev = Dev::of(&path).await;
    let [sums, same] = &dev.ready["toolsets"].as_array().unwrap()[..] else { panic!("two: {}", dev.ready) };
    let of = |toolset: &Value| toolset["endpoint"].as_str().unwrap().to_owned();
    let bearer = |token: &Value| format!("Bearer {}", token.as_str().unwrap());
    let adder = Caller::new(&of(sums)).header("authorization", &bearer(&sums["token"]));
    assert_eq!(adder.tools().await, ["calculator___add_numbers"]);
    assert_eq!(adder.call("calculator___add_numbers", json!({"a": 2, "b": 40})).await["content"][0]["text"], "42");
    let everybody = Caller::new(&of(same)).header("authorization", &bearer(&dev.ready["token"]));
    assert_eq!(everybody.tools().await.len(), 2);
    assert_eq!(same.get("token"), None);
    let refused = Caller::new(&of(sums)).header("authorization", &bearer(&dev.ready["token"]));
    assert_eq!(refused.request("tools/list", json!({})).await.status, 401);
    assert_eq!(dev.end(Signal::SIGINT).await.0, Some(0));
}

/// The repository's own configuration.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.toml")
}

/// A running `causeway dev --json`.
struct Dev {
    process: Child,
    stdout: BufReader<tokio::process::ChildStdout>,
    ready: Value,
}

impl Dev {
    async fn start() -> Self {
        Self::of(&example()).await
    }

    /// Of the config.toml at `path`.
    async fn of(path: &Path) -> Self {
        Self::told(&["--listen", "127.0.0.1:0", "--config", path.to_str().unwrap()]).await
    }

    async fn told(arguments: &[&str]) -> Self {
        let arguments = [&["dev", "--json"], arguments].concat();
        let mut process = causeway(&arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { process, stdout, ready }
    }

    fn text(&self, member: &str) -> String {
        self.ready[member].as_str().unwrap().to_owned()
    }

    /// The processes that it started, where the system says.
    fn children(&self) -> Vec<Pid> {
        let id = self.process.id().expect("it was not waited for yet");
        let threads = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten();
        let of_thread = |thread: DirEntry| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let children: String = threads.map(|thread| of_thread(thread.unwrap())).collect();
        children.split_whitespace().map(|child| Pid::from_raw(child.parse().unwrap())).collect()
    }

    /// Ends it by a signal: its exit code, and what it printed after its first line.
    async fn end(&mut self, signal: Signal) -> (Option<i32>, String) {
        let id = self.process.id().expect("it was not waited for yet");
        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).await.unwrap();
        (self.process.wait().await.unwrap().code(), rest)
    }
}
