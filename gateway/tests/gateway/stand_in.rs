//! A directory to deploy from, with two Python servers, an issuer that gives real tokens, and a stand-in for Terraform that records
//! what it is told and can be stopped anywhere. Asserts nothing.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use causeway::{
    identity_provider::{self, IdentityProvider, Pool, PoolClient},
    secret::Secret,
};
use causeway_oidc::clock::Clock;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Map, Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use crate::{command::Ended, sample::CAUSEWAY};

pub(crate) const GATEWAY: &str = "my-gateway";
/// Of the gateway's client.
pub(crate) const SECRET: &str = "hunter2-of-the-client";
/// Of the test user.
pub(crate) const PASSWORD: &str = "Hunter3-of-the-user";
/// Of a server that runs already.
pub(crate) const JOINED: &str = "hunter4-of-the-orders";

/// The directory; it goes with this.
pub(crate) struct StandIn {
    base: tempfile::TempDir,
}

impl StandIn {
    /// Everything that a deployment of [`Self::arguments`] needs.
    pub(crate) async fn new() -> Self {
        let it = Self { base: tempfile::tempdir().unwrap() };
        for server in ["calculator", "hello"] {
            it.write(&format!("{server}/server.py"), "mcp.run(transport='streamable-http', host='0.0.0.0')\n");
            it.write(&format!("{server}/requirements.txt"), "mcp\n");
        }
        it.write("calculator/.env", "TOKEN=hunter5-of-the-server\n");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/stand_in.sh");
        fs::create_dir(it.path("bin")).unwrap();
        fs::copy(script, it.program()).unwrap();
        it.write("told/version", "1.15.5");
        let url = "https://my-gateway-a1b2c3d4e5.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp";
        it.give(json!({
            "gateway_url": url,
            "gateway_id": "my-gateway-a1b2c3d4e5",
            "gateway_arn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:gateway/my-gateway-a1b2c3d4e5",
            "commands": {"configure_vscode": format!("causeway client vscode --url {url} --name {GATEWAY} --auth token-prompt")},
            "user_pool_id": "us-east-1_Example",
            "client_id": "client",
            "client_secret": SECRET,
            "token_endpoint": issuer().await,
            "scope": "my-gateway-id/invoke",
            "runtimes": {"my-calculator": {"arn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my_calculator-a1b2c3d4e5"}},
        }));
        it
    }

    /// What Terraform gives from now on.
    pub(crate) fn give(&self, outputs: Value) {
        let outputs = outputs.as_object().unwrap().iter();
        let wrapped: Map<String, Value> =
            outputs.map(|(name, value)| (name.clone(), json!({"value": value, "sensitive": false}))).collect();
        self.write("told/outputs.json", &Value::Object(wrapped).to_string());
    }

    /// Two servers, without a question.
    pub(crate) fn arguments() -> Vec<String> {
        let server = |name: &str| {
            let (entrypoint, requirements) = (format!("{name}/server.py"), format!("{name}/requirements.txt"));
            json!({"name": format!("my-{name}"), "entrypoint": entrypoint, "requirements_file": requirements})
        };
        let configs = json!([server("calculator"), server("hello")]).to_string();
        let arguments = ["deploy", "--gateway-name", GATEWAY, "--runtime-configs", &configs, "--yes"];
        arguments.map(str::to_owned).to_vec()
    }

    /// Runs `causeway` here.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.start(arguments)).await
    }

    pub(crate) async fn deploy(&self) -> Ended {
        ended(self.start_deploy()).await
    }

    /// With `more` arguments.
    pub(crate) async fn deploy_with(&self, more: &[&str]) -> Ended {
        let arguments = Self::arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.run(&arguments).await
    }

    /// With `more` arguments, and not without a question.
    pub(crate) async fn deploy_asking(&self, more: &[&str]) -> Ended {
        let arguments = Self::arguments();
        let arguments = arguments.iter().map(String::as_str).filter(|argument| *argument != "--yes");
        self.run(&arguments.chain(more.iter().copied()).collect::<Vec<_>>()).await
    }

    pub(crate) fn start_deploy(&self) -> Child {
        let arguments = Self::arguments();
        self.start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Not started yet: for who changes its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CAUSEWAY);
        command.args(arguments).current_dir(self.base.path()).env_clear().kill_on_drop(true);
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        command
            .env("PATH", path)
            .env("HOME", self.base.path())
            .env("STAND_IN", self.path("told"))
            .env("COGNITO_PASSWORD", PASSWORD);
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("ORDERS_SECRET", JOINED);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Puts a program of this name beside Terraform.
    pub(crate) fn program_of(&self, name: &str, script: &str) {
        let name = format!("bin/{name}");
        self.write(&name, script);
        fs::set_permissions(self.path(&name), fs::metadata(self.program()).unwrap().permissions()).unwrap();
    }

    /// Lets the stand-in wait at the next `command` for a signal.
    pub(crate) fn stop_at(&self, command: &str) {
        self.write(&format!("told/stop-at-{command}"), "");
    }

    pub(crate) fn fail_at(&self, command: &str) {
        self.write(&format!("told/fail-at-{command}"), "");
    }

    /// Where it would fail or end early, it crashes.
    pub(crate) fn crash(&self) {
        self.write("told/crash", "");
    }

    /// Waits until it stands there; its process.
    pub(crate) async fn stopped_at(&self, command: &str) -> Pid {
        let path = self.path(&format!("told/stopped-at-{command}"));
        while !path.exists() {
            tokio::task::yield_now().await;
        }
        let process = fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        fs::remove_file(path).unwrap();
        Pid::from_raw(process)
    }

    /// Puts a script around Terraform that starts it as a child and waits.
    pub(crate) fn wrap(&self) {
        let inner = self.path("bin/inner");
        fs::rename(self.program(), &inner).unwrap();
        self.write("bin/terraform", "#!/bin/sh\n\"${0%/*}/inner\" \"$@\"\nexit $?\n");
        fs::set_permissions(self.program(), fs::metadata(inner).unwrap().permissions()).unwrap();
    }

    /// The commands that it was given, and forgets them.
    pub(crate) fn calls(&self) -> Vec<String> {
        let path = self.path("told/calls");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        calls.lines().map(str::to_owned).collect()
    }

    /// Their names alone.
    pub(crate) fn commands(&self) -> Vec<String> {
        let name = |call: String| call.split(" -").next().unwrap().replace(&self.path("").display().to_string(), "");
        self.calls().into_iter().map(name).map(|call| call.split(" /").next().unwrap().to_owned()).collect()
    }

    /// The environment of its last `command`.
    pub(crate) fn environment(&self, command: &str) -> String {
        self.read(&format!("told/environment-{command}"))
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.path("bin/terraform")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    /// Where the deployment is kept.
    pub(crate) fn home(&self, name: &str) -> String {
        format!(".causeway/{GATEWAY}/{name}")
    }

    /// The step that is remembered.
    pub(crate) fn step(&self) -> String {
        self.json(&self.home("state.json"))["step"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn credentials() -> String {
    format!(".agentcore-credentials-{GATEWAY}.json")
}

/// What comes of a process.
pub(crate) async fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    let process = child.id().expect("it was not waited for yet").try_into().unwrap();
    kill(Pid::from_raw(process), signal).unwrap();
}

/// Gives its token endpoint.
async fn issuer() -> String {
    let client = PoolClient {
        id: "client".into(),
        secret: Secret::new(SECRET),
        scopes: vec!["my-gateway-id/invoke".into()],
        extra_claims: Map::new(),
    };
    let pool = Pool { id: "pool".into(), clients: vec![client], public_clients: vec![], users: vec![] };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = identity_provider::base_url(listener.local_addr().unwrap());
    let router = IdentityProvider::new(vec![pool], Clock::system()).router(base.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    identity_provider::token_url(&base, "pool").into()
}
