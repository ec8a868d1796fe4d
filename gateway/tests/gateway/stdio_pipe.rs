//! `causeway stdio` as the program that a client starts: its two streams, how it ends, what it says when there is nothing behind
//! it. What goes over it is with the other kinds of targets, in the files called `bridge_…`.

use std::{process::Stdio, time::Duration};

use causeway_servers::Sample;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpSocket,
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{
    fake_target::{FakeTarget, Speaks, hang, json as answer, status, success},
    harness::Gateway,
    sample::{CAUSEWAY, Server, child},
};

/// Nothing here takes so long.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program, and a client's ends of its streams.
struct Pipe {
    program: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Pipe {
    fn start(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(CAUSEWAY);
        command
            .arg("stdio")
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("CAUSEWAY_CONFIG")
            .env_remove("CAUSEWAY_CONFIG_TOML")
            .kill_on_drop(true);
        command.envs(env.iter().copied());
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = streams.spawn().unwrap();
        let (to, from) = (program.stdin.take().unwrap(), program.stdout.take().unwrap());
        Self { program, to, from: BufReader::new(from).lines() }
    }

    fn to(url: &str) -> Self {
        Self::start(&["--url", url, "--auth", "none"], &[])
    }

    async fn line(&mut self, line: &str) {
        self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn send(&mut self, id: u32, method: &str, params: Value) {
        self.line(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()).await;
    }

    async fn hear(&mut self) -> Value {
        let line = timeout(DEADLINE, self.from.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line.expect("the program runs")).expect("standard output carries the protocol alone")
    }

    /// The answer to a request; messages before it are passed over.
    async fn ask(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.send(id, method, params).await;
        loop {
            let message = self.hear().await;
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    async fn initialize(&mut self) -> Value {
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let answer = self.ask(0, "initialize", params).await;
        self.line(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        answer
    }

    /// Closes its standard input, or sends a signal, and gives the exit status with the rest of its standard error.
    async fn end(mut self, signal: Option<Signal>) -> (Option<i32>, String) {
        let pid = self.program.id().unwrap().try_into().unwrap();
        match signal {
            Some(signal) => kill(Pid::from_raw(pid), signal).unwrap(),
            None => drop(self.to),
        }
        let mut errors = String::new();
        self.program.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
        (timeout(DEADLINE, self.program.wait()).await.unwrap().unwrap().code(), errors)
    }
}

/// `_meta` of a modern request.
fn modern() -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}})
}

#[tokio::test]
async fn the_server_behind_is_what_the_client_sees() {
    let server = Server::start(Sample::Calculator).await;
    let mut pipe = Pipe::to(&server.url);
    let told = pipe.initialize().await["result"].take();
    assert_eq!(told["serverInfo"]["name"], "calculator");
    assert!(told["instructions"].as_str().unwrap().starts_with("Adds and multiplies"), "no heading of ours: {told}");
    let discovered = pipe.ask(1, "server/discover", json!({"_meta": modern()})).await["result"].take();
    assert_eq!(discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "calculator");
    assert_eq!(discovered["instructions"], told["instructions"]);
    let listed = pipe.ask(2, "tools/list", json!({})).await["result"]["tools"].take();
    assert_eq!(listed[0]["name"], "add_numbers", "names stay as they are");
    for (id, meta) in [(3, json!({})), (4, modern())] {
        let params = json!({"name": "add_numbers", "arguments": {"a": 2, "b": 3}, "_meta": meta});
        assert_eq!(pipe.ask(id, "tools/call", params).await["result"]["structuredContent"]["result"], 5);
    }
    assert_eq!(pipe.end(None).await, (Some(0), String::new()));
    server.stop().await;
}

#[tokio::test]
async fn a_token_lets_the_client_in() {
    let gateway = Gateway::start([child(Sample::Hello)]).await;
    let token = gateway.issuer.token("alice");
    let with_token = ["--url", &gateway.url, "--auth", "bearer", "--token-env", "A_TOKEN"];
    let mut pipe = Pipe::start(&with_token, &[("A_TOKEN", &token)]);
    pipe.initialize().await;
    let called = pipe.ask(1, "tools/call", json!({"name": "hello___greet_user", "arguments": {"name": "Alice"}})).await;
    assert_eq!(called["result"]["content"][0]["text"], "Hello, Alice! Nice to meet you.");
    let (code, errors) = pipe.end(None).await;
    assert_eq!(code, Some(0));
    assert!(!errors.contains(&token));
    let mut refused = Pipe::start(&with_token, &[("A_TOKEN", "eyJhbGciOiJub25lIn0.e30.")]);
    let why = refused.initialize().await["error"].take();
    assert_eq!(why["code"], -32603, "{why}");
    assert!(why["message"].as_str().unwrap().contains("401"), "{why}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_in_a_file_is_read_again_once_it_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "one\n").unwrap();
    let fake = FakeTarget::start(Speaks::Modern);
    let mut pipe = Pipe::start(&["--url", &fake.endpoint(), "--token-file", path.to_str().unwrap()], &[]);
    pipe.initialize().await;
    // From now on the first one has ended.
    fake.on("tools/call", |asked| async move {
        match asked.headers.get("authorization").is_some_and(|shown| shown == "Bearer two") {
            true => answer(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#)),
            false => status(401),
        }
    });
    let refused = pipe.ask(1, "tools/call", json!({"name": "echo", "arguments": {}})).await;
    assert!(refused.to_string().contains("401"), "{refused}");
    std::fs::write(&path, "two\n").unwrap();
    let called = pipe.ask(2, "tools/call", json!({"name": "echo", "arguments": {}})).await;
    assert_eq!(called["result"]["content"], json!([]), "{called}");
    assert_eq!(pipe.end(None).await.0, Some(0));
}

#[tokio::test]
async fn a_batch_that_takes_its_time_holds_nothing_up() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.offer(r#"[{"name":"wait","inputSchema":{"type":"object"}}]"#);
    fake.on("tools/call", |_| hang());
    let mut pipe = Pipe::to(&fake.endpoint());
    let old = json!({"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    pipe.ask(0, "initialize", old).await;
    pipe.line(r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{}}}]"#).await;
    fake.until_asked(|asked| asked.method == "tools/call").await;
    assert_eq!(pipe.ask(2, "ping", json!({})).await["result"], json!({}));
    assert_eq!(pipe.end(None).await.0, Some(0));
}

#[tokio::test]
async fn nobody_there_is_said_in_the_answer_and_may_change() {
    // Nobody listens, and the port is nobody else's.
    let port = TcpSocket::new_v4().unwrap();
    port.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/mcp", port.local_addr().unwrap());
    let mut pipe = Pipe::to(&url);
    for modern_one in [false, true] {
        let answer = match modern_one {
            false => pipe.initialize().await,
            true => pipe.ask(1, "server/discover", json!({"_meta": modern()})).await,
        };
        let why = answer["error"]["message"].as_str().unwrap();
        assert!(why.starts_with(&format!("`{url}` could not be reached")) && why.contains("check the URL"), "{why}");
    }
    assert_eq!(pipe.ask(2, "tools/list", json!({})).await["result"]["tools"], json!([]), "it still speaks");
    assert_eq!(pipe.end(None).await.0, Some(0));
}

#[tokio::test]
async fn lines_that_are_no_messages_are_answered_and_the_next_are_read() {
    let server = Server::start(Sample::Hello).await;
    let mut pipe = Pipe::to(&server.url);
    pipe.initialize().await;
    pipe.line("hello").await;
    assert_eq!(pipe.hear().await["error"]["code"], -32700);
    pipe.line("{\"jsonrpc\":\"2.0\"}").await;
    assert_eq!(pipe.hear().await["error"]["code"], -32600);
    pipe.line("").await;
    pipe.line("  ").await;
    let long = "x".repeat(6_000_001);
    pipe.line(&long).await;
    let refused = pipe.hear().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&Value::Null, &json!(-32600)), "{refused}");
    assert_eq!(pipe.ask(7, "no/such/method", json!({})).await["error"]["code"], -32601);
    assert_eq!(pipe.ask(8, "ping", json!({})).await["result"], json!({}));
    let unsupported = json!({"_meta": {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}});
    assert_eq!(pipe.ask(9, "server/discover", unsupported).await["error"]["code"], -32022);
}

#[tokio::test]
async fn a_call_is_cancelled_in_either_era() {
    for meta in [json!({}), modern()] {
        let fake = FakeTarget::start(Speaks::Modern);
        fake.offer(r#"[{"name":"wait","inputSchema":{"type":"object"}}]"#);
        fake.on("tools/call", |_| hang());
        let mut pipe = Pipe::to(&fake.endpoint());
        pipe.initialize().await;
        pipe.send(5, "tools/call", json!({"name": "wait", "arguments": {}, "_meta": meta})).await;
        let call = fake.until_asked(|asked| asked.method == "tools/call").await;
        pipe.line(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#).await;
        timeout(DEADLINE, fake.until_dropped(&call.id)).await.unwrap();
        assert_eq!(pipe.ask(6, "ping", json!({})).await["result"], json!({}), "and no answer to the call before it");
    }
}

#[tokio::test]
async fn it_ends_with_its_client_and_on_signals_also_in_the_middle_of_a_call() {
    for end in [None, Some(Signal::SIGTERM), Some(Signal::SIGINT)] {
        let fake = FakeTarget::start(Speaks::Modern);
        fake.offer(r#"[{"name":"wait","inputSchema":{"type":"object"}}]"#);
        fake.on("tools/call", |_| hang());
        let mut pipe = Pipe::to(&fake.endpoint());
        pipe.initialize().await;
        pipe.send(5, "tools/call", json!({"name": "wait", "arguments": {}})).await;
        let call = fake.until_asked(|asked| asked.method == "tools/call").await;
        assert_eq!(pipe.end(end).await.0, Some(0), "{end:?}");
        timeout(DEADLINE, fake.until_dropped(&call.id)).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_asked_before_the_end_of_the_input_is_answered() {
    let fake = FakeTarget::start(Speaks::Modern);
    fake.offer(r#"[{"name":"echo","inputSchema":{"type":"object"}}]"#);
    fake.on("tools/call", |asked| async move {
        answer(200, success(&asked.id, r#"{"resultType":"complete","content":[]}"#))
    });
    let mut pipe = Pipe::to(&fake.endpoint());
    pipe.send(1, "tools/call", json!({"name": "echo", "arguments": {}, "_meta": modern()})).await;
    drop(pipe.to);
    let line = timeout(DEADLINE, pipe.from.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(line, r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}"#);
    assert!(timeout(DEADLINE, pipe.from.next_line()).await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn a_whole_configuration_over_standard_streams() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    let sample = |name| {
        format!(
            "[[targets]]\nname = \"{name}\"\nstdio.command = [\"{CAUSEWAY}\", \"sample\", \"{name}\", \"--stdio\"]\n"
        )
    };
    let toolset = "[[toolsets]]\nname = \"sums\"\ntools.include = [\"calculator___add*\"]\n";
    let text = format!(
        "authorizer.custom_jwt.discovery_url = \"http://127.0.0.1:1/.well-known/openid-configuration\"\n\
         authorizer.custom_jwt.allowed_clients = [\"a\"]\n\
         gateway.name = \"team\"\ngateway.enable_response_streaming = false\n{toolset}{}{}",
        sample("calculator"),
        sample("hello")
    );
    std::fs::write(&path, text).unwrap();
    let mut pipe = Pipe::start(&["--config", path.to_str().unwrap()], &[]);
    assert_eq!(pipe.initialize().await["result"]["serverInfo"]["name"], "team");
    let listed = pipe.ask(1, "tools/list", json!({})).await["result"]["tools"].take();
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["calculator___add_numbers", "calculator___multiply_numbers", "hello___greet_user"],
        "complete at once"
    );
    let pid = pipe.program.id().unwrap();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    assert_eq!(pipe.end(None).await.0, Some(0));
    for child in children.split_whitespace() {
        assert!(!std::path::Path::new(&format!("/proc/{child}")).exists(), "child {child} is an orphan");
    }
    let mut part = Pipe::start(&["--config", path.to_str().unwrap(), "--toolset", "sums"], &[]);
    assert_eq!(part.initialize().await["result"]["serverInfo"]["name"], "sums");
    let listed = part.ask(1, "tools/list", json!({})).await["result"]["tools"].take();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &json!("calculator___add_numbers")));
    let none = Pipe::start(&["--config", path.to_str().unwrap(), "--toolset", "none"], &[]);
    let (code, errors) = none.end(None).await;
    assert_eq!(code, Some(1));
    assert!(errors.contains("there is no toolset `none`"), "{errors}");
}

#[tokio::test]
async fn calls_are_in_the_audit_log_which_needs_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, log) = (directory.path().join("config.toml"), directory.path().join("audit.jsonl"));
    let target = format!(
        "[[targets]]\nname = \"hello\"\nstdio.command = [\"{CAUSEWAY}\", \"sample\", \"hello\", \"--stdio\"]\n"
    );
    let config = |audit: &str| format!("authorizer = \"none\"\n[audit]\n{audit}\n{target}");
    std::fs::write(&path, config(&format!("file = \"{}\"", log.display()))).unwrap();
    let mut pipe = Pipe::start(&["--config", path.to_str().unwrap()], &[]);
    pipe.initialize().await;
    pipe.ask(1, "tools/call", json!({"name": "hello___greet_user", "arguments": {"name": "Alice"}})).await;
    assert_eq!(pipe.end(None).await.0, Some(0));
    let lines = std::fs::read_to_string(&log).unwrap();
    assert!(lines.lines().any(|line| line.contains("hello___greet_user") && line.contains("stdio")), "{lines}");
    std::fs::write(&path, config("file = \"-\"")).unwrap();
    let (code, errors) = Pipe::start(&["--config", path.to_str().unwrap()], &[]).end(None).await;
    assert_eq!(code, Some(1));
    assert!(errors.contains("set `audit.file`"), "{errors}");
}
