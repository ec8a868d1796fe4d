//! The commands of `causeway`: their arguments, and which file carries each out.

pub mod aws;
pub mod call;
pub mod check;
pub mod client;
pub mod completions;
pub mod configured;
pub mod deploy;
pub mod destroy;
#[cfg(feature = "dev")]
pub mod dev;
pub mod doctor;
pub mod health;
pub mod import;
#[cfg(feature = "lambda")]
mod lambda;
pub mod man;
pub mod peer;
mod regions;
mod running;
pub mod schema;
pub mod screen;
pub mod serve;
pub mod status;
pub mod stdio;
pub mod targets;
pub mod token;
pub mod tools;
mod typed;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::configured::ConfigArgs;
use self::screen::{Colour, tell};
use crate::{
    config::{Environment, Mistakes},
    telemetry,
};

/// `EX_USAGE` of sysexits.h: the config is not usable.
const BAD_CONFIG: u8 = 64;
/// The command line cannot be meant so, as clap has it.
const BAD_USAGE: u8 = 2;
/// The command did what it should, and what it compared is not the same.
const DIFFERENT: u8 = 3;
/// The tool was called and says itself that it failed.
const TOOL_FAILED: u8 = 4;
/// As a shell says of what SIGINT ended.
const INTERRUPTED: u8 = 130;
/// As a shell says of what SIGPIPE ended.
const UNREAD: u8 = 141;

/// One MCP endpoint that merges the tools of many MCP servers: a self-hosted twin of Amazon Bedrock AgentCore Gateway.
#[derive(Debug, Parser)]
#[command(name = "causeway", version)]
pub struct Cli {
    /// When output is in colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    color: Colour,
    /// Show every HTTP exchange on standard error: MCP, OAuth, AWS; what is secret is left out
    #[arg(long, global = true)]
    debug: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve what config.toml says
    Serve(ConfigArgs),
    /// Serve it for development: sample servers as children, an identity provider of its own, a token to start with
    #[cfg(feature = "dev")]
    Dev(dev::DevArgs),
    /// Serve it as an AWS Lambda function behind API Gateway: what Lambda means when it starts this program
    #[cfg(feature = "lambda")]
    Lambda(ConfigArgs),
    /// Read config.toml, look up what it refers to, report every mistake
    Check(ConfigArgs),
    /// Ask each target of config.toml what it is and what it lists
    Targets(targets::TargetsArgs),
    /// List the tools of a server
    Tools(Box<tools::ToolsArgs>),
    /// Call a tool of a server
    Call(Box<call::CallArgs>),
    /// Look at everything that config.toml, or a server, needs to work, and say what to do about what does not
    Doctor(Box<doctor::DoctorArgs>),
    /// Say whether a gateway is well: for the health checks of containers
    Health(health::HealthArgs),
    /// Write a config.toml that serves what a live AgentCore Gateway serves, or compare the two
    Import(Box<import::ImportArgs>),
    /// Make an AgentCore Gateway with your servers behind it, by Terraform, after a plan and a question
    Deploy(Box<deploy::DeployArgs>),
    /// Say what was deployed from here, and how it is at AWS
    Status(Box<status::StatusArgs>),
    /// Remove what was deployed, after a plan and a question
    Destroy(Box<destroy::DestroyArgs>),
    /// Keep credential providers and secrets at AWS
    #[command(subcommand)]
    Aws(Box<aws::AwsArgs>),
    /// Serve MCP on standard input and output, toward a server elsewhere: for clients that start their servers
    Stdio(Box<stdio::StdioArgs>),
    /// Give a client (VS Code, Amazon Q, Kiro, Claude Code, Cursor, Copilot CLI) its entry of the gateway
    Client(Box<client::ClientArgs>),
    /// Print the JSON Schema of config.toml
    Schema,
    /// Get a token that a gateway takes, and say what is in it
    #[command(subcommand)]
    Token(Box<token::TokenArgs>),
    /// Print what a shell needs to complete commands and options
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write one for each command
    Man(man::ManArgs),
    /// Run one of the sample servers
    #[cfg(feature = "dev")]
    #[command(after_help = causeway_servers::SETTINGS)]
    Sample {
        /// Which one
        name: causeway_servers::Sample,
        #[command(flatten)]
        args: Box<causeway_servers::ServeArgs>,
    },
}

impl Cli {
    /// What this process was started for. Lambda starts the program of a package without arguments.
    pub fn of_process() -> Self {
        #[cfg(feature = "lambda")]
        if std::env::args_os().len() <= 1 && lambda::is_lambda(&Environment::process()) {
            return Self::parse_from(["causeway", "lambda"]);
        }
        Self::parse()
    }
}

/// What was compared is not the same. Everything else about it has been said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Different(String);

/// The command line cannot be meant so, which only the command itself could find out. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(String);

/// A tool that was called says that it failed; what else it says has been printed.
#[derive(Debug, thiserror::Error)]
#[error("the tool `{0}` says that it failed")]
pub struct ToolFailed(String);

/// Something is wrong, and everything about it has been said.
#[derive(Debug, thiserror::Error)]
#[error("something is wrong")]
pub struct Said;

/// Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Nobody reads standard output any more.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
pub struct Unread;

/// Runs the command and says with which code the process ends: 0, 2 for [`Usage`], 3 for [`Different`], 4 for [`ToolFailed`],
/// 64 for a config with mistakes, 130 for [`Interrupted`], 141 for [`Unread`], else 1.
pub fn run(cli: Cli) -> ExitCode {
    screen::choose(cli.color, &Environment::process());
    if cli.debug {
        telemetry::wire::show();
    }
    let runtime = tokio::runtime::Runtime::new().expect("the system gives a process threads and an event queue");
    let outcome = runtime.block_on(cli.command.run());
    // Not dropped: a drop would wait for reads of standard input that may never return.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    if let Some(mistakes) = error.downcast_ref::<Mistakes>() {
        // They repeat what somebody wrote, and a configuration may come from anyone.
        tell!("{}", screen::plain(&mistakes.to_string()));
        return ExitCode::from(BAD_CONFIG);
    }
    if let Some(different) = error.downcast_ref::<Different>() {
        tell!("{different}");
        return ExitCode::from(DIFFERENT);
    }
    if error.is::<Said>() {
        return ExitCode::FAILURE;
    }
    if error.is::<Unread>() {
        return ExitCode::from(UNREAD);
    }
    tell!("{}", screen::notice("error", &format!("{error:#}")));
    match error {
        error if error.is::<Usage>() => ExitCode::from(BAD_USAGE),
        error if error.is::<ToolFailed>() => ExitCode::from(TOOL_FAILED),
        error if error.is::<Interrupted>() => ExitCode::from(INTERRUPTED),
        _ => ExitCode::FAILURE,
    }
}

impl Command {
    async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(args) => serve::run(&args).await,
            #[cfg(feature = "lambda")]
            Self::Lambda(args) => lambda::run(&args).await,
            #[cfg(feature = "dev")]
            Self::Dev(args) => dev::run(args).await,
            Self::Check(args) => check::run(&args),
            Self::Targets(args) => {
                telemetry::init("error");
                targets::run(&args).await
            }
            Self::Tools(args) => {
                telemetry::init("error");
                tools::run(&args).await
            }
            Self::Call(args) => {
                telemetry::init("error");
                call::run(&args).await
            }
            Self::Doctor(args) => {
                telemetry::init("off");
                doctor::run(&args).await
            }
            Self::Health(args) => health::run(&args).await,
            Self::Import(args) => {
                telemetry::init("error");
                import::run(&args).await
            }
            Self::Deploy(args) => {
                telemetry::init("error");
                deploy::run(&args).await
            }
            Self::Status(args) => {
                telemetry::init("error");
                status::run(&args).await
            }
            Self::Destroy(args) => {
                telemetry::init("error");
                destroy::run(&args).await
            }
            Self::Aws(args) => {
                telemetry::init("error");
                aws::run(&args).await
            }
            Self::Stdio(args) => {
                telemetry::init("warn");
                stdio::run(&args).await
            }
            Self::Client(args) => client::run(&args),
            Self::Schema => screen::out(&schema::text()),
            Self::Token(args) => {
                telemetry::init("error");
                token::run(*args).await
            }
            Self::Completions(args) => completions::run(&args),
            Self::Man(args) => man::run(&args),
            #[cfg(feature = "dev")]
            Self::Sample { name, args } => {
                telemetry::init("info");
                causeway_servers::run(name, *args).await
            }
        }
    }
}
