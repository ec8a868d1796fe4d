//! What is known of each client: where its file is, what its entries look like, what it can do by itself. Data, each fact with
//! its source; the deeds are elsewhere.

use causeway_core::name::Profile;
use clap::{ValueEnum, builder::PossibleValue};

use super::place::UserFile;

/// Whom an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    Of(Profile),
    /// Any other that reads an object `mcpServers`.
    Any,
}

/// How an entry refers to a variable of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `${NAME}`
    Plain,
    /// `${env:NAME}`
    Env,
}

/// What is known of one client's file.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// As people call it.
    pub title: &'static str,
    /// The user's own file; none where there is none to be known.
    pub user: Option<UserFile>,
    /// The file of a project, from its root.
    pub project: Option<&'static str>,
    /// The member of the file that holds the servers.
    pub servers: &'static str,
    /// `type` of an entry over HTTP, and of one over standard streams; absent where the client wants none.
    pub types: (Option<&'static str>, Option<&'static str>),
    /// How a header refers to the environment; none where it cannot.
    pub variable: Option<Variable>,
    /// It asks for a token and keeps it, if the file declares an input.
    pub prompts: bool,
    /// It reads comments and trailing commas; else a file with any is lost on it.
    pub comments: bool,
    /// An entry has a member `timeout`, in milliseconds.
    pub timeout: bool,
    /// An entry says which tools the client may use; `["*"]` are all.
    pub tools: bool,
    /// The file may describe an agent, whose own list `tools` must name the server.
    pub agents: bool,
    /// How to log in at the gateway, once the entry is there.
    pub login: &'static str,
    /// What to know where an entry refers to a variable.
    pub of_variables: Option<&'static str>,
    /// What to know of the user's own file.
    pub of_user_file: Option<&'static str>,
}

/// Files, `servers`, `type`, `headers`, `inputs` with `${input:…}`: <https://code.visualstudio.com/docs/copilot/reference/mcp-configuration>.
/// The user's directory: `src/vs/platform/environment/node/userDataPath.ts` of microsoft/vscode. `${env:…}`: supported, says
/// microsoft/vscode#245237; not in headers of 1.137, says the open microsoft/vscode#336232. JSONC: the same reference page, whose
/// examples have comments.
const VSCODE: Facts = Facts {
    title: "VS Code",
    user: Some(UserFile::VsCode("mcp.json")),
    project: Some(".vscode/mcp.json"),
    servers: "servers",
    types: (Some("http"), Some("stdio")),
    variable: Some(Variable::Env),
    prompts: true,
    comments: true,
    timeout: false,
    tools: false,
    agents: false,
    login: "run `MCP: List Servers` in VS Code, choose the server and start it: VS Code opens the browser",
    of_variables: Some(
        "if VS Code sends the reference in place of the token (microsoft/vscode#336232), use `--auth token-prompt`",
    ),
    of_user_file: None,
};

/// `mcp.json` and agent files, `url`, `headers`, `timeout`, strict JSON, headers passed on as they are: `mcpUtils.ts` and
/// `mcpManager.ts` in `server/aws-lsp-codewhisperer/src/language-server/agenticChat/tools/mcp` of aws/language-servers (the IDE), and
/// <https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/mcp-ide.html>. `type: "http"`, and `${env:…}` in headers:
/// `crates/chat-cli/src/mcp_client/client.rs` of aws/amazon-q-developer-cli. Both read `mcp.json`, which is why it is the default: a
/// `default.json` made anew would be an agent without its built-in tools. As only one of the two knows references in headers, a
/// token from the environment goes by the bridge.
const AMAZON_Q: Facts = Facts {
    title: "Amazon Q Developer",
    user: Some(UserFile::Home(".aws/amazonq/mcp.json")),
    project: Some(".amazonq/mcp.json"),
    servers: "mcpServers",
    types: (Some("http"), None),
    variable: None,
    prompts: false,
    comments: false,
    timeout: true,
    tools: false,
    agents: true,
    login: "in the IDE, open the tools panel of the chat and save the server: the browser opens; on the command line, `/mcp` \
            shows the address to open",
    of_variables: None,
    of_user_file: None,
};

/// Files, `url`, `headers`, `${NAME}`: <https://kiro.dev/docs/mcp/configuration> and <https://kiro.dev/docs/cli/mcp/configuration>. That it
/// asks before it gives a variable away: <https://docs.firecrawl.dev/quickstarts/kiro>. Agents' `tools`: as Amazon Q's, from which the
/// command line comes. Comments: not verified, so taken for unread. `timeout`: documented for the command line only.
const KIRO: Facts = Facts {
    title: "Kiro",
    user: Some(UserFile::Home(".kiro/settings/mcp.json")),
    project: Some(".kiro/settings/mcp.json"),
    servers: "mcpServers",
    types: (None, None),
    variable: Some(Variable::Plain),
    prompts: false,
    comments: false,
    timeout: true,
    tools: false,
    agents: true,
    login: "save the file: Kiro connects anew and opens the browser",
    of_variables: Some(
        "Kiro asks before it reads a variable for a server: approve it (setting `Mcp Approved Env Vars`)",
    ),
    of_user_file: None,
};

/// `.mcp.json`, `~/.claude.json`, `type`, `headers`, `${NAME}`: <https://code.claude.com/docs/en/mcp>. Seen with Claude Code 2.1.197:
/// `CLAUDE_CONFIG_DIR` moves the user's file, `${NAME}` is replaced in headers and `${env:NAME}` is not, a file with comments is refused as
/// no valid JSON.
const CLAUDE_CODE: Facts = Facts {
    title: "Claude Code",
    user: Some(UserFile::Moved { variable: "CLAUDE_CONFIG_DIR", directory: "", file: ".claude.json" }),
    project: Some(".mcp.json"),
    servers: "mcpServers",
    types: (Some("http"), Some("stdio")),
    variable: Some(Variable::Plain),
    prompts: false,
    comments: false,
    timeout: false,
    tools: false,
    agents: false,
    login: "type `/mcp` in Claude Code, choose the server, then `Authenticate`",
    of_variables: None,
    of_user_file: Some("have no Claude Code running while `.claude.json` is written: it writes that file too"),
};

/// Files, `url`, `headers`, `${env:NAME}`, OAuth: <https://cursor.com/docs/mcp>. Comments: not verified, so taken for unread.
const CURSOR: Facts = Facts {
    title: "Cursor",
    user: Some(UserFile::Home(".cursor/mcp.json")),
    project: Some(".cursor/mcp.json"),
    servers: "mcpServers",
    types: (None, None),
    variable: Some(Variable::Env),
    prompts: false,
    comments: false,
    timeout: false,
    tools: false,
    agents: false,
    login: "open Cursor's settings, `Tools & MCP`, and follow `Needs login`",
    of_variables: None,
    of_user_file: None,
};

/// Files, `type`, `headers`, `tools`: <https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers>. Seen with
/// GitHub Copilot CLI 1.0.102: `COPILOT_HOME` moves the user's file, `mcp add` writes `local` for standard streams and `timeout` in
/// milliseconds, `${NAME}` is replaced in headers and `${env:NAME}` is not, comments and trailing commas are read.
const COPILOT_CLI: Facts = Facts {
    title: "GitHub Copilot CLI",
    user: Some(UserFile::Moved { variable: "COPILOT_HOME", directory: ".copilot", file: "mcp-config.json" }),
    project: Some(".mcp.json"),
    servers: "mcpServers",
    types: (Some("http"), Some("local")),
    variable: Some(Variable::Plain),
    prompts: false,
    comments: true,
    timeout: true,
    tools: true,
    agents: false,
    login: "start `copilot`: it opens the browser when it connects; `/mcp show` says how far it is",
    of_variables: None,
    of_user_file: None,
};

/// What most clients read. How they refer to variables differs, so a token goes by the bridge.
const ANY: Facts = Facts {
    title: "any client",
    user: None,
    project: None,
    servers: "mcpServers",
    types: (Some("http"), Some("stdio")),
    variable: None,
    prompts: false,
    comments: false,
    timeout: false,
    tools: false,
    agents: false,
    login: "see your client's manual; most open the browser when they connect",
    of_variables: None,
    of_user_file: None,
};

impl Client {
    pub const VSCODE: Self = Self::Of(Profile::VsCode);
    pub const AMAZON_Q: Self = Self::Of(Profile::AmazonQ);
    pub const KIRO: Self = Self::Of(Profile::Kiro);
    pub const CLAUDE_CODE: Self = Self::Of(Profile::ClaudeCode);
    pub const CURSOR: Self = Self::Of(Profile::Cursor);
    pub const COPILOT_CLI: Self = Self::Of(Profile::CopilotCli);
    const ALL: [Self; 7] =
        [Self::VSCODE, Self::AMAZON_Q, Self::KIRO, Self::CLAUDE_CODE, Self::CURSOR, Self::COPILOT_CLI, Self::Any];

    /// What is known of its file.
    pub fn facts(self) -> &'static Facts {
        match self {
            Self::Of(Profile::VsCode) => &VSCODE,
            Self::Of(Profile::AmazonQ) => &AMAZON_Q,
            Self::Of(Profile::Kiro) => &KIRO,
            Self::Of(Profile::ClaudeCode) => &CLAUDE_CODE,
            Self::Of(Profile::Cursor) => &CURSOR,
            Self::Of(Profile::CopilotCli) => &COPILOT_CLI,
            Self::Any => &ANY,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Of(profile) => profile.name(),
            Self::Any => "json",
        }
    }
}

impl ValueEnum for Client {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.facts().title))
    }
}

impl Variable {
    /// The reference to the variable `name`.
    pub fn to(self, name: &str) -> String {
        match self {
            Self::Plain => format!("${{{name}}}"),
            Self::Env => format!("${{env:{name}}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_of_the_names_has_a_file() {
        for profile in Profile::ALL {
            assert!(Client::ALL.contains(&Client::Of(profile)), "{}", profile.name());
        }
    }
}
