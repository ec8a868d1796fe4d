//! What clients take of the names that a server gives its tools: how long they may be together with what the client puts before
//! them, which characters, how many tools. Data with its sources, not code; it shortens nothing (`short.rs` does).

use std::fmt;

use super::Fit;

/// A client that people use a gateway with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    VsCode,
    CopilotCli,
    ClaudeCode,
    Cursor,
    AmazonQ,
    Kiro,
}

/// What a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Characters of a tool's name together with [`Profile::prefix`].
    pub characters: usize,
    /// What comes of a longer one.
    pub beyond: &'static str,
    /// Characters other than letters, digits, `_` and `-` that the client replaces by itself before a model sees them. Models
    /// refuse them (`^[a-zA-Z0-9_-]{1,128}$`, github/copilot-cli#1879), though MCP allows `.`.
    pub mends: Mends,
    /// Most tools of all its servers together, and what becomes of more; none is known for some.
    pub tools: Option<(usize, &'static str)>,
    /// It leaves out a tool that has no description.
    pub wants_description: bool,
}

/// Which characters a client replaces by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mends {
    /// It is not known to replace any.
    Nothing,
    /// `.`
    Dots,
    Everything,
}

/// Who uses an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// The name by which the clients know it: what stands before the tools' names is made of it.
    pub server: String,
    pub profiles: Vec<Profile>,
}

impl Profile {
    pub const ALL: [Self; 6] =
        [Self::VsCode, Self::CopilotCli, Self::ClaudeCode, Self::Cursor, Self::AmazonQ, Self::Kiro];

    /// As config.toml and the command line name it: `claude-code`.
    pub fn name(self) -> &'static str {
        match self {
            Self::VsCode => "vscode",
            Self::CopilotCli => "copilot-cli",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::AmazonQ => "amazon-q",
            Self::Kiro => "kiro",
        }
    }

    /// The profile of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// What the client puts before the names of tools of a server that it knows as `server`.
    ///
    /// - VS Code: `mcp_server_`, in lower case and at most 18 characters long (microsoft/vscode, `mcpTypes.ts`, `McpToolName`, and
    ///   `mcpService.ts`, `McpPrefixGenerator`; newer versions take the title or name that the server gives itself).
    /// - Copilot CLI: `server-` (microsoft/mcp#842: `AzureMCP-AllTools-azmcp_…`).
    /// - Claude Code: `mcp__server__` (anthropics/claude-code#19882: `mcp__awslabs_billing-…__` of `awslabs.billing-…`).
    /// - Cursor: it adds the lengths of both names and nothing between them (ComposioHQ/composio#2788).
    /// - Amazon Q Developer: `server___` (Amazon-Q-Developer/language-servers#1451; aws/amazon-q-developer-cli, `tool_manager.rs`,
    ///   takes all but letters, digits and `_` out of the server's name). Newer versions of its CLI count the tool's name alone.
    /// - Kiro: `mcp_server_` in its IDE, nothing in its CLI (kirodotdev/Kiro#7656); of the two, the longer.
    pub fn prefix(self, server: &str) -> String {
        let replaced = |is_kept: fn(char) -> bool| -> String {
            server.chars().map(|c| if is_kept(c) { c } else { '_' }).collect()
        };
        match self {
            Self::VsCode => {
                let lower = server.to_lowercase();
                let kept = lower.chars().map(|c| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' });
                ["mcp_", &kept.take(13).collect::<String>(), "_"].concat()
            }
            Self::CopilotCli => [server, "-"].concat(),
            Self::ClaudeCode => ["mcp__", &replaced(|c| c.is_ascii_alphanumeric() || "_-".contains(c)), "__"].concat(),
            Self::Cursor => server.to_owned(),
            Self::AmazonQ => {
                let kept = server.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_');
                [&kept.collect::<String>(), "___"].concat()
            }
            Self::Kiro => ["mcp_", &replaced(|c| c.is_ascii_alphanumeric()), "_"].concat(),
        }
    }

    /// What the client takes.
    ///
    /// - VS Code: 64 (`McpToolName.MaxLength`), cut there; 128 tools (microsoft/vscode-copilot-release#11653), of which newer
    ///   versions choose some for each turn by themselves.
    /// - Copilot CLI: 64 where Amazon Bedrock serves the model (microsoft/mcp#842), as OpenAI's models want too; that it has a
    ///   ceiling of tools is not verified (the same report has more than 150).
    /// - Claude Code: 64 (anthropics/claude-code#19882, mims-harvard/ToolUniverse#65: 64 is fine and 65 is not). The model's API takes
    ///   128 for a tool that is declared, but 64 where one is referred to (anthropics/claude-code#16425).
    /// - Cursor: less than 60 (ComposioHQ/composio#2788: 60 "exceeds 60"); 80 tools, and 40 before September 2025
    ///   (Snowflake-Labs/mcp#77).
    /// - Amazon Q Developer: 64, and a description (awslabs/mcp#570, #643; aws/amazon-q-developer-cli, `tool_manager.rs`). A ceiling of
    ///   tools is not known.
    /// - Kiro: 64 (kirodotdev/Kiro#7684); it advises against more than 50 tools (kirodotdev/Kiro#2984).
    pub fn budget(self) -> Budget {
        let refused = "the whole conversation fails";
        let missing = "it leaves the tool out";
        let plain =
            Budget { characters: 64, beyond: refused, mends: Mends::Nothing, tools: None, wants_description: false };
        match self {
            Self::VsCode => Budget {
                beyond: "it cuts the rest off, and two that begin alike become one",
                mends: Mends::Dots,
                tools: Some((128, "a request with more fails")),
                ..plain
            },
            Self::CopilotCli | Self::ClaudeCode => plain,
            Self::Cursor => Budget {
                characters: 59,
                beyond: missing,
                tools: Some((80, "it warns of more, and older versions leave them out")),
                ..plain
            },
            Self::AmazonQ => Budget { beyond: missing, mends: Mends::Everything, wants_description: true, ..plain },
            Self::Kiro => Budget { tools: Some((50, "it advises against more")), ..plain },
        }
    }

    /// How long a tool's name may be for it.
    pub fn room(self, server: &str) -> usize {
        self.budget().characters.saturating_sub(self.prefix(server).chars().count())
    }

    /// Characters of `name` that no model takes and that this client passes on.
    pub fn refused(self, name: &str) -> impl Iterator<Item = char> {
        let mends = self.budget().mends;
        name.chars().filter(move |c| match mends {
            Mends::Nothing => !is_plain(*c),
            Mends::Dots => !is_plain(*c) && *c != '.',
            Mends::Everything => false,
        })
    }
}

/// A character that every client and every model takes.
pub(super) fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

impl fmt::Display for Profile {
    /// As its makers call it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VsCode => "VS Code",
            Self::CopilotCli => "Copilot CLI",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::AmazonQ => "Amazon Q Developer",
            Self::Kiro => "Kiro",
        })
    }
}

impl Audience {
    /// Names that all of these clients take; `None` where there are none of them.
    pub fn fit(&self) -> Option<Fit> {
        let most = self.profiles.iter().map(|profile| profile.room(&self.server)).min()?;
        Some(Fit { most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_put_before_a_name() {
        let check = |profile: Profile, server: &str, prefix: &str, room: usize| {
            assert_eq!((profile.prefix(server).as_str(), profile.room(server)), (prefix, room), "{profile} {server}");
        };
        check(Profile::VsCode, "causeway", "mcp_causeway_", 51);
        check(Profile::VsCode, "io.github.Upstash/context7", "mcp_io_github_ups_", 46);
        check(Profile::CopilotCli, "AzureMCP-AllTools", "AzureMCP-AllTools-", 46);
        check(Profile::ClaudeCode, "causeway", "mcp__causeway__", 49);
        check(Profile::ClaudeCode, "awslabs.core-mcp-server", "mcp__awslabs_core-mcp-server__", 34);
        check(Profile::Cursor, "g", "g", 58);
        check(Profile::AmazonQ, "@awslabs.cdk-mcp-server", "awslabscdkmcpserver___", 42);
        check(Profile::Kiro, "grafana-lab", "mcp_grafana_lab_", 48);
        check(Profile::ClaudeCode, &"s".repeat(60), &format!("mcp__{}__", "s".repeat(60)), 0);
    }

    /// Names and outcomes that users of these clients reported.
    #[test]
    fn reported_names_are_judged_as_their_clients_did() {
        let fits = |profile: Profile, server: &str, tool: &str| tool.len() <= profile.room(server);
        assert!(!fits(Profile::Cursor, "g", "GOOGLESHEETS_SPREADSHEETS_VALUES_BATCH_CLEAR_BY_DATA_FILTER"));
        assert!(fits(Profile::Cursor, "posthog", &"t".repeat(52)));
        assert!(!fits(Profile::Cursor, "posthog", "warehouse-saved-queries-revert-materialization-create"));
        assert!(!fits(Profile::AmazonQ, "awslabsaws_bedrock_data_automation_mcp_server", "getprojectdetails"));
        assert!(!fits(Profile::AmazonQ, "awslabsgit_repo_research_mcp_server", "search_repositories_on_github"));
        assert!(fits(Profile::ClaudeCode, "tooluniverse", &"t".repeat(45)));
        assert!(!fits(Profile::ClaudeCode, "tooluniverse", &"t".repeat(46)));
        assert!(!fits(Profile::CopilotCli, "AzureMCP-AllTools", "azmcp_managedlustre_filesystem_subnetsize_validate"));
    }

    #[test]
    fn characters_that_a_client_passes_on_and_no_model_takes() {
        let refused = |profile: Profile, name: &str| profile.refused(name).collect::<String>();
        assert_eq!(refused(Profile::CopilotCli, "catalog.get/x y_-9"), "./ ");
        assert_eq!(refused(Profile::VsCode, "catalog.get/x"), "/");
        assert_eq!(refused(Profile::AmazonQ, "catalog.get/x"), "");
    }

    #[test]
    fn the_tightest_client_sets_the_length() {
        let audience = |profiles: &[Profile]| Audience { server: "causeway".into(), profiles: profiles.into() };
        assert_eq!(audience(&[Profile::VsCode, Profile::ClaudeCode]).fit(), Some(Fit { most: 49 }));
        assert_eq!(audience(&[]).fit(), None);
        for profile in Profile::ALL {
            assert_eq!(Profile::of_name(profile.name()), Some(profile));
        }
    }
}
