//! `--runtime-configs`: the servers to deploy as a JSON array, in the form of the AgentCore Runtime and Gateway MCP toolkit. Everything
//! that is wrong with it is said at once, with the runtime that it concerns.

use std::path::{Path, PathBuf};

use causeway_core::nearest::hint;
use serde_json::Value;

use crate::config::{
    Mistake, Mistakes, Over,
    deploy::{self, Authorization, Deployment, Entry, Look, Server},
};

/// What messages name in place of a file.
pub const OPTION: &str = "--runtime-configs";

const MEMBERS: [&str; 18] = [
    "name",
    "description",
    "entrypoint",
    "requirements_file",
    "source_directory",
    "image_uri",
    "environment",
    "log_groups",
    "runtime_config",
    "auto_create_execution_role",
    "execution_role_arn",
    "auto_create_ecr",
    "ecr_repository",
    "authorization",
    "subnet_ids",
    "security_group_ids",
    "idle_timeout_seconds",
    "max_lifetime_seconds",
];

/// The deployment that `text` and the options beside it describe; relative paths start at `directory`.
///
/// # Errors
/// Every mistake.
pub fn deployment(text: &str, over: &Over, directory: &Path) -> Result<Deployment, Mistakes> {
    let mut wrong = Vec::new();
    if over.gateway_name.is_none() {
        wrong.push("`--gateway-name` is missing; write `--gateway-name my-gateway`".to_owned());
    }
    let servers = servers(text, directory, &mut wrong);
    if let Some(gateway) = &over.gateway_name {
        let apart = servers.iter().map(|server| (server, deploy::check_apart(gateway, &server.name)));
        wrong.extend(apart.filter_map(|(server, apart)| Some(format!("runtime `{}`: {}", server.name, apart.err()?))));
    }
    let mistakes = mistakes(OPTION, wrong);
    match (&over.gateway_name, mistakes) {
        (Some(gateway_name), None) => Ok(Deployment {
            gateway_name: gateway_name.clone(),
            gateway_description: over.gateway_description.clone().unwrap_or_default(),
            region: over.region.clone().unwrap_or_else(|| deploy::REGION.into()),
            tags: Default::default(),
            authorizer: Authorization::Jwt,
            servers,
            targets: Vec::new(),
        }),
        (_, mistakes) => Err(mistakes.unwrap_or_else(|| unreachable!("a missing name is a mistake"))),
    }
}

/// What is wrong with an option, in the form of what is wrong with a file; none if nothing is.
pub fn mistakes(place: &str, messages: Vec<String>) -> Option<Mistakes> {
    let of = |message| Mistake { line: None, subject: None, message };
    let mistakes: Vec<_> = messages.into_iter().map(of).collect();
    (!mistakes.is_empty()).then(|| Mistakes { path: PathBuf::from(place), mistakes })
}

fn servers(text: &str, directory: &Path, wrong: &mut Vec<String>) -> Vec<Server> {
    let entries = match serde_json::from_str(text) {
        Ok(Value::Array(entries)) => entries,
        Ok(_) => {
            wrong.push("is no JSON array; write `[{\"name\": \"my-runtime\", …}]`".into());
            return Vec::new();
        }
        // Not the text itself, which may hold anything.
        Err(why) => {
            wrong.push(format!(
                "is no JSON (line {}, column {}); put it into single quotes, so that the shell leaves it as it is",
                why.line(),
                why.column()
            ));
            return Vec::new();
        }
    };
    if entries.is_empty() {
        wrong.push("is empty; describe at least one runtime".into());
    }
    let mut servers = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let name = entry["name"].as_str().map_or_else(|| format!("number {}", number + 1), |name| format!("`{name}`"));
        match server(entry, directory) {
            Ok(server) => servers.push(server),
            Err(messages) => wrong.extend(messages.into_iter().map(|message| format!("runtime {name}: {message}"))),
        }
    }
    let names: Vec<&str> = entries.iter().map(|entry| entry["name"].as_str().unwrap_or_default()).collect();
    for (twin, first) in deploy::twins(names.iter().copied()) {
        if !names[twin].is_empty() {
            wrong.push(format!(
                "runtime `{}`: number {} has the same name, `{}`, once its dashes are underscores; rename one",
                names[twin],
                first + 1,
                names[first]
            ));
        }
    }
    servers
}

fn server(entry: &Value, directory: &Path) -> Result<Server, Vec<String>> {
    let Value::Object(object) = entry else {
        return Err(vec!["is no JSON object; write `{\"name\": \"my-runtime\", …}`".into()]);
    };
    let unknown = object.keys().filter(|key| !MEMBERS.contains(&key.as_str()));
    let mut wrong: Vec<String> =
        unknown.map(|key| format!("unknown member `{key}`{}", hint(key, MEMBERS.into_iter()))).collect();
    let mut known = object.clone();
    known.retain(|key, _| MEMBERS.contains(&key.as_str()));
    // One of the wrong type would hide the others.
    let misfits: Vec<String> = known.iter().filter_map(|(key, value)| misfit(key, value)).collect();
    known.retain(|key, value| misfit(key, value).is_none());
    let entry: Entry = serde_json::from_value(Value::Object(known)).unwrap_or_default();
    let took = |member: &str| misfits.iter().any(|message| message.contains(&format!("`{member}`")));
    match entry.server(Look { directory, files: true, prefix: "" }) {
        Ok(server) if wrong.is_empty() && misfits.is_empty() => return Ok(server),
        Ok(_) => {}
        Err(found) => wrong.extend(
            found
                .into_iter()
                .filter(|one| !took(one.member) && (!one.member.is_empty() || misfits.is_empty()))
                .map(|it| it.message),
        ),
    }
    wrong.extend(misfits);
    Err(wrong)
}

/// What a member of the wrong type should be.
fn misfit(key: &str, value: &Value) -> Option<String> {
    let one = Value::Object([(key.to_owned(), value.clone())].into_iter().collect());
    let why = serde_json::from_value::<Entry>(one).err()?.to_string();
    let wants = why.split("expected ").nth(1).unwrap_or_default();
    let wants = match (key, wants) {
        // Where one of its values is wrong, the error is that value's.
        ("environment" | "runtime_config", _) => "a JSON object of texts",
        ("log_groups" | "subnet_ids" | "security_group_ids", _) => "a list of texts",
        (_, "path string" | "a string") => "a text",
        (_, "a boolean") => "`true` or `false`",
        (_, "u64") => "a whole number",
        (_, wants) if wants.starts_with('`') => wants,
        _ => "something else",
    };
    Some(format!("`{key}` takes {wants}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn over() -> Over {
        Over { gateway_name: Some("my-gateway".into()), ..Over::default() }
    }

    fn refused(text: &str) -> String {
        deployment(text, &over(), Path::new("/nowhere")).unwrap_err().to_string()
    }

    #[test]
    fn the_toolkits_own_form_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("server.py"), "").unwrap();
        fs::write(directory.path().join("requirements.txt"), "").unwrap();
        let text = r#"[{"name": "my-calculator-runtime", "description": "Calculator MCP Server", "entrypoint": "server.py",
            "requirements_file": "requirements.txt", "auto_create_execution_role": true, "auto_create_ecr": true}]"#;
        let deployment = deployment(text, &over(), directory.path()).unwrap();
        assert_eq!((deployment.region.as_str(), deployment.servers.len()), ("us-east-1", 1));
        assert_eq!(deployment.servers[0].description, "Calculator MCP Server");
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        insta::assert_snapshot!(refused(
            r#"[{"name": "a-b", "entrypoint": "server.js", "requirements_file": "/nowhere/requirements.txt", "desciption": "x"},
                {"name": "A-B", "entrypoint": 7, "requirements_file": "../requirements.txt", "environment": {"X": 1}, "log_groups": [1]},
                {"entrypoint": "/nowhere/server.py"}, 7]"#
        ), @r#"
        --runtime-configs: runtime `a-b`: unknown member `desciption`; did you mean `description`?
        --runtime-configs: runtime `a-b`: `entrypoint` must end in `.py`; name the file that does
        --runtime-configs: runtime `a-b`: `requirements_file` names `/nowhere/requirements.txt`, which is not there
        --runtime-configs: runtime `A-B`: `requirements_file` holds `..`, which could lead anywhere; write it in full, or from the directory where it starts
        --runtime-configs: runtime `A-B`: `entrypoint` takes a text
        --runtime-configs: runtime `A-B`: `environment` takes a JSON object of texts
        --runtime-configs: runtime `A-B`: `log_groups` takes a list of texts
        --runtime-configs: runtime number 3: `name` is missing; write `my-calculator`, for example
        --runtime-configs: runtime number 3: `entrypoint` names `/nowhere/server.py`, which is not there
        --runtime-configs: runtime number 3: `requirements_file` is missing; name the `.txt` file with what the server needs from PyPI
        --runtime-configs: runtime number 4: is no JSON object; write `{"name": "my-runtime", …}`
        --runtime-configs: runtime `A-B`: number 1 has the same name, `a-b`, once its dashes are underscores; rename one
        12 mistakes
        "#);
    }

    #[test]
    fn what_is_no_list_is_said_without_repeating_it() {
        insta::assert_snapshot!(refused("{hunter2"), @"
        --runtime-configs: is no JSON (line 1, column 2); put it into single quotes, so that the shell leaves it as it is
        1 mistake
        ");
        insta::assert_snapshot!(refused("{}"), @r#"
        --runtime-configs: is no JSON array; write `[{"name": "my-runtime", …}]`
        1 mistake
        "#);
        assert!(refused("[]").contains("is empty"));
        let twin = r#"[{"name": "my-gateway", "image_uri": "public.ecr.aws/a/b:1"}]"#;
        assert!(refused(twin).contains("the same names as what is made for the gateway"));
    }
}
