//! `causeway client` as a person runs it: what it prints, what it writes, what it refuses.

use std::path::{Path, PathBuf};

use crate::command::{Ended, run_with};

const URL: &str = "https://gateway.example.com/mcp";
const CLIENTS: [(&str, &str, &str); 6] = [
    ("vscode", ".config/Code/User/mcp.json", ".vscode/mcp.json"),
    ("amazon-q", ".aws/amazonq/mcp.json", ".amazonq/mcp.json"),
    ("kiro", ".kiro/settings/mcp.json", ".kiro/settings/mcp.json"),
    ("claude-code", ".claude.json", ".mcp.json"),
    ("cursor", ".cursor/mcp.json", ".cursor/mcp.json"),
    ("copilot-cli", ".copilot/mcp-config.json", ".mcp.json"),
];

/// A home directory of nobody.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let arguments: Vec<&str> = ["client"].into_iter().chain(arguments.iter().copied()).collect();
        run_with(&arguments, &[("HOME", self.0.path().to_str().unwrap())], "").await
    }

    /// The same toward [`URL`], which must go well.
    async fn done(&self, arguments: &[&str]) -> Ended {
        let arguments: Vec<&str> = ["--url", URL].into_iter().chain(arguments.iter().copied()).collect();
        let ended = self.run(&arguments).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        ended
    }

    /// A text without the paths that change with each run.
    fn masked(&self, text: &str) -> String {
        let text = text.replace(self.0.path().to_str().unwrap(), "~").replace(crate::sample::CAUSEWAY, "/bin/causeway");
        let stamp = text.split(".bak-").nth(1).map(|rest| rest[..16].to_owned());
        stamp.map_or(text.clone(), |stamp| text.replace(&stamp, "TIME"))
    }
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn every_client_gets_its_file_in_both_scopes() {
    for (client, user, _) in CLIENTS {
        let home = Home::new();
        let shown = home.done(&[client]).await;
        assert!(!home.path(user).exists(), "{client}: nothing is written unless it is asked for");
        let written = home.done(&[client, "--write", "--yes"]).await;
        assert_eq!(read(home.path(user)), shown.stdout, "{client}: what was shown is what is written");
        assert_eq!(written.stdout, shown.stdout);
        let again = home.done(&[client, "--write", "--yes"]).await;
        assert_eq!(again.stdout, "");
        assert!(again.stderr.contains("has it so already"), "{}", again.stderr);
        home.done(&[client, "--remove", "--write", "--yes"]).await;
        assert!(!read(home.path(user)).contains(URL), "{client}");
    }
}

#[tokio::test]
async fn what_is_shown_of_a_new_file_and_of_a_changed_one() {
    let home = Home::new();
    let new = home.done(&["claude-code", "--auth", "token-env"]).await;
    insta::assert_snapshot!(new.stdout, @r#"
    {
      "mcpServers": {
        "causeway": {
          "type": "http",
          "url": "https://gateway.example.com/mcp",
          "headers": {
            "Authorization": "Bearer ${CAUSEWAY_TOKEN}"
          }
        }
      }
    }
    "#);
    insta::assert_snapshot!(home.masked(&new.stderr), @r"
    `~/.claude.json`, for Claude Code, a new file:
    nothing was written: add `--write` to have it so
    or run: claude mcp add --scope user --transport http causeway https://gateway.example.com/mcp --header 'Authorization: Bearer ${CAUSEWAY_TOKEN}'
    set the variable where Claude Code starts, for example with `causeway token`; when the token ends, set a new one and start it again
    have no Claude Code running while `.claude.json` is written: it writes that file too
    ");
    std::fs::write(
        home.path(".claude.json"),
        "{\"numStartups\":3,\"mcpServers\":{\"other\":{\"headers\":{\"Authorization\":\"Bearer hunter2\"}}}}",
    )
    .unwrap();
    let one_line = home.done(&["claude-code", "--write", "--yes"]).await;
    insta::assert_snapshot!(home.masked(&one_line.stdout), @r#"
    --- ~/.claude.json
    +++ ~/.claude.json
    @@ -1 +1 @@
    -{"numStartups":3,"mcpServers":{"other":{"headers":{"Authorization":"…"}}}}
    \ No newline at end of file
    +{"numStartups":3,"mcpServers":{"other":{"headers":{"Authorization":"…"}}, "causeway": {"type":"http","url":"https://gateway.example.com/mcp"}}}
    \ No newline at end of file
    "#);
    insta::assert_snapshot!(home.masked(&one_line.stderr), @r"
    `~/.claude.json`, for Claude Code:
    wrote `~/.claude.json`; it was as in `~/.claude.json.bak-TIME`
    take it back: mv ~/.claude.json.bak-TIME ~/.claude.json
    log in: type `/mcp` in Claude Code, choose the server, then `Authenticate`
            the gateway's issuer must register clients by itself, or config.toml needs `[login]`
    have no Claude Code running while `.claude.json` is written: it writes that file too
    ");
    assert!(read(home.path(".claude.json")).contains("hunter2"));
}

#[tokio::test]
async fn a_client_that_cannot_is_given_the_bridge() {
    let home = Home::new();
    let bridged = home.done(&["amazon-q", "--auth", "sigv4", "--", "--region", "eu-west-1"]).await;
    insta::assert_snapshot!(home.masked(&bridged.stdout), @r#"
    {
      "mcpServers": {
        "causeway": {
          "command": "/bin/causeway",
          "args": [
            "stdio",
            "--url",
            "https://gateway.example.com/mcp",
            "--auth",
            "sigv4",
            "--region",
            "eu-west-1"
          ]
        }
      }
    }
    "#);
    let shared = home.done(&["amazon-q", "--auth", "token-env", "--scope", "project", "--file", "x.json"]).await;
    assert!(shared.stdout.contains(r#""command": "causeway""#), "a project's file names no path: {}", shared.stdout);
    let bad = home.run(&["kiro", "--url", URL, "--auth", "sigv4", "--", "--regoin", "eu-west-1"]).await;
    assert_eq!(bad.code, Some(2));
    assert!(bad.stderr.contains("--regoin") && bad.stderr.contains("--region"), "{}", bad.stderr);
}

#[tokio::test]
async fn any_client_reads_standard_output() {
    let home = Home::new();
    let ended = home.done(&["json"]).await;
    insta::assert_snapshot!(ended.stdout, @r#"
    {
      "mcpServers": {
        "causeway": {
          "type": "http",
          "url": "https://gateway.example.com/mcp"
        }
      }
    }
    "#);
    let refused = home.run(&["json", "--url", URL, "--write", "--yes"]).await;
    insta::assert_snapshot!(refused.stderr, @"error: where any client has its file is not known here: name it with `--file PATH`");
    let file = home.path("any.json");
    home.done(&["json", "--file", file.to_str().unwrap(), "--write", "--yes"]).await;
    assert_eq!(read(file), ended.stdout);
}

#[tokio::test]
async fn an_entry_that_leads_elsewhere_stays() {
    let home = Home::new();
    home.done(&["cursor", "--write", "--yes"]).await;
    let other = ["cursor", "--url", "https://other.example.com/mcp", "--write", "--yes"];
    for more in [&[][..], &["--remove"]] {
        let refused = home.run(&[&other[..], more].concat()).await;
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("choose another `--name`, or replace it with `--force`"), "{}", refused.stderr);
    }
    assert_eq!(home.run(&[&other[..], &["--force"]].concat()).await.code, Some(0));
    assert!(read(home.path(".cursor/mcp.json")).contains("other.example.com"));
}

#[tokio::test]
async fn the_gateway_of_a_config_is_where_it_listens() {
    let home = Home::new();
    let config = home.path("config.toml");
    let text = "[gateway]\nname = \"Team tools\"\nlisten = \"0.0.0.0:9090\"\n[authorizer.custom_jwt]\n\
                discovery_url = \"https://issuer.example.com/.well-known/openid-configuration\"\nallowed_clients = [\"a\"]\n";
    std::fs::write(&config, text).unwrap();
    let ended = home.run(&["cursor", "--config", config.to_str().unwrap()]).await;
    insta::assert_snapshot!(ended.stdout, @r#"
    {
      "mcpServers": {
        "Team-tools": {
          "url": "http://127.0.0.1:9090/mcp"
        }
      }
    }
    "#);
    let nowhere = home.run(&["cursor", "--config", "nowhere.toml"]).await;
    insta::assert_snapshot!(nowhere.stderr, @"error: which gateway? name it with `--url`, or its config.toml with `--config`");
}

#[tokio::test]
async fn no_name_that_a_client_would_not_take() {
    let home = Home::new();
    for name in ["a b", "", "a__b", "ä"] {
        let refused = home.run(&["kiro", "--url", URL, "--name", name]).await;
        assert_eq!(refused.code, Some(2), "{name}");
        assert!(refused.stderr.contains("no name that every client takes"), "{}", refused.stderr);
    }
}
