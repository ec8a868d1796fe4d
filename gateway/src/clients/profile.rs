//! What is known of each client: where its file is, what its entries look like, what it can do by itself. Data, each fact with
//! its source; the deeds are elsewhere.

use clap::ValueEnum;

use super::place::UserFile;

/// A program that uses MCP servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Client {
    /// Visual Studio Code with GitHub Copilot
    Vscode,
    /// Amazon Q Developer, in IDEs and on the command line
    AmazonQ,
    /// Kiro, the IDE and the command line
    Kiro,
    /// Claude Code
    ClaudeCode,
    /// Cursor
    Cursor,
    /// GitHub Copilot on the command line
    CopilotCli,
    /// Any other that reads an object `mcpServers`
    Json,
}

/// How an entry refers to a variable of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `${NAME}`
    Plain,
    /// `${env:NAME}`
    Env,
}

/// What is known of one client.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
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
    /// What else to know.
    pub notes: &'static [&'static str],
}

/// Files, `servers`, `type`, `headers`, `inputs` with `${input:…}`: <https://code.visualstudio.com/docs/copilot/reference/mcp-configuration>.
/// The user's directory: `src/vs/platform/environment/node/userDataPath.ts` of microsoft/vscode. `${env:…}`: supported, says
/// microsoft/vscode#245237; not in headers of 1.137, says the open microsoft/vscode#336232. JSONC: the same reference page, whose
/// examples have comments.
const VSCODE: Profile = Profile {
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
    notes: &[],
};

/// `mcp.json` and agent files, `url`, `headers`, `timeout`, strict JSON, headers passed on as they are: `mcpUtils.ts` and
/// `mcpManager.ts` in `server/aws-lsp-codewhisperer/src/language-server/agenticChat/tools/mcp` of aws/language-servers (the IDE), and
/// <https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/mcp-ide.html>. `type: "http"`, and `${env:…}` in headers:
/// `crates/chat-cli/src/mcp_client/client.rs` of aws/amazon-q-developer-cli. Both read `mcp.json`, which is why it is the default: a
/// `default.json` made anew would be an agent without its built-in tools. As only one of the two knows references in headers, a
/// token from the environment goes by the bridge.
const AMAZON_Q: Profile = Profile {
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
    notes: &[],
};

/// Files, `url`, `headers`, `${NAME}`: <https://kiro.dev/docs/mcp/configuration> and <https://kiro.dev/docs/cli/mcp/configuration>. That it
/// asks before it gives a variable away: <https://docs.firecrawl.dev/quickstarts/kiro>. Agents' `tools`: as Amazon Q's, from which the
/// command line comes. Comments: not verified, so taken for unread. `timeout`: documented for the command line only.
const KIRO: Profile = Profile {
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
    notes: &["Kiro asks before it reads a variable for a server: approve it (setting `Mcp Approved Env Vars`)"],
};

/// `.mcp.json`, `~/.claude.json`, `type`, `headers`, `${NAME}`: <https://code.claude.com/docs/en/mcp>. Seen with Claude Code 2.1.197:
/// `CLAUDE_CONFIG_DIR` moves the user's file, `${NAME}` is replaced in headers and `${env:NAME}` is not, a file with comments is refused as
/// no valid JSON.
const CLAUDE_CODE: Profile = Profile {
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
    notes: &["close Claude Code before you write into its `.claude.json`: it writes that file too"],
};

/// Files, `url`, `headers`, `${env:NAME}`, OAuth: <https://cursor.com/docs/mcp>. Comments: not verified, so taken for unread.
const CURSOR: Profile = Profile {
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
    notes: &[],
};

/// Files, `type`, `headers`, `tools`: <https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers>. Seen with
/// GitHub Copilot CLI 1.0.102: `COPILOT_HOME` moves the user's file, `mcp add` writes `local` for standard streams and `timeout` in
/// milliseconds, `${NAME}` is replaced in headers and `${env:NAME}` is not, comments and trailing commas are read.
const COPILOT_CLI: Profile = Profile {
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
    notes: &[],
};

/// What most clients read. How they refer to variables differs, so a token goes by the bridge.
const JSON: Profile = Profile {
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
    notes: &[],
};

impl Client {
    /// What is known of it.
    pub fn profile(self) -> &'static Profile {
        match self {
            Self::Vscode => &VSCODE,
            Self::AmazonQ => &AMAZON_Q,
            Self::Kiro => &KIRO,
            Self::ClaudeCode => &CLAUDE_CODE,
            Self::Cursor => &CURSOR,
            Self::CopilotCli => &COPILOT_CLI,
            Self::Json => &JSON,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vscode => "vscode",
            Self::AmazonQ => "amazon-q",
            Self::Kiro => "kiro",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::CopilotCli => "copilot-cli",
            Self::Json => "json",
        }
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
    fn the_names_are_those_of_the_command_line() {
        for client in Client::value_variants() {
            assert_eq!(client.to_possible_value().unwrap().get_name(), client.name());
        }
    }
}
