//! Every setting of config.toml, section by section, with what the file says of it or what holds without it: for people to read.
//! Made from the schema, so that no setting can be missing. Shows no secret: the file holds references, and what could hold one all
//! the same is left out.

mod value;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::Table;

use super::schema::schema;

/// config.toml as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub path: PathBuf,
    pub table: Table,
}

/// One section, or one part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// As it is called in the file: `gateway`, `targets.orders.http`.
    pub path: String,
    pub about: String,
    /// Whether the file says anything of it.
    pub is_written: bool,
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    pub about: String,
    pub value: Shown,
}

/// What a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As the file says.
    Written(String),
    /// As it is without a word in the file.
    Default(String),
}

/// Where a chapter is in the file, and what the file says there.
struct Place<'a> {
    path: String,
    value: Option<&'a toml::Value>,
}

impl Written {
    /// `text`, which is TOML, as the content of the file at `path`.
    pub fn new(path: &Path, text: &str) -> Self {
        Self { path: path.into(), table: text.parse().unwrap_or_default() }
    }

    /// All of it, in the order of the schema.
    pub fn outline(&self) -> Vec<Chapter> {
        let root = schema();
        let mut chapters = Vec::new();
        for (key, part) in properties(&root) {
            chapter(&root, part, &Place { path: key.clone(), value: self.table.get(key) }, &mut chapters);
        }
        chapters
    }
}

/// Adds what stands at `place`, and the parts of it.
fn chapter(root: &Value, schema: &Value, place: &Place<'_>, chapters: &mut Vec<Chapter>) {
    let schema = resolved(root, schema);
    if let Some(items) = schema.get("items") {
        let elements = place.value.and_then(toml::Value::as_array).into_iter().flatten();
        for (at, element) in elements.enumerate() {
            let name = element.get("name").and_then(toml::Value::as_str);
            let name = name.map_or_else(|| (at + 1).to_string(), ToOwned::to_owned);
            let place = Place { path: format!("{}.{name}", place.path), value: Some(element) };
            chapter(root, items, &place, chapters);
        }
        return;
    }
    let members = members(root, schema, place.value);
    let own = chapters.len();
    let about = said(schema).0;
    chapters.push(Chapter { path: place.path.clone(), about, is_written: place.value.is_some(), settings: Vec::new() });
    if let Some(text) = place.value.and_then(toml::Value::as_str) {
        let value = Shown::Written(text.to_owned());
        chapters[own].settings.push(Setting { key: place.path.clone(), about: String::new(), value });
    }
    for (key, part) in members {
        let value = place.value.and_then(|table| table.get(&key));
        if !has_parts(root, &part) {
            chapters[own].settings.extend(setting(root, &key, &part, value));
        } else if value.is_some() {
            chapter(root, &part, &Place { path: format!("{}.{key}", place.path), value }, chapters);
        }
    }
    // A table that only holds other tables says nothing itself.
    if chapters[own].settings.is_empty() && chapters.len() > own + 1 {
        chapters.remove(own);
    }
}

/// What may stand in a table; of one that is one of several, what may stand in the one that the file has.
fn members(root: &Value, schema: &Value, value: Option<&toml::Value>) -> Map<String, Value> {
    let own = properties(schema);
    if !own.is_empty() {
        return own.clone();
    }
    let chosen = |one: &&Value| properties(one).keys().any(|key| value.is_some_and(|value| value.get(key).is_some()));
    let alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    alternatives.map(|one| resolved(root, one)).find(chosen).map(|one| properties(one).clone()).unwrap_or_default()
}

/// Whether it is a table, or a list of tables.
fn has_parts(root: &Value, schema: &Value) -> bool {
    let schema = resolved(root, schema);
    let table = |schema: &Value| !properties(resolved(root, schema)).is_empty();
    table(schema) || schema.get("items").is_some_and(table)
}

/// One setting; none where the file does not say it and nothing is said to hold instead: it is an alternative to another.
fn setting(root: &Value, key: &str, schema: &Value, value: Option<&toml::Value>) -> Option<Setting> {
    let (about, default) = said(schema);
    let value = match value {
        Some(value) => Shown::Written(value::shown(key, value)),
        None => Shown::Default(default.or_else(|| said(resolved(root, schema)).1)?),
    };
    Some(Setting { key: key.to_owned(), about, value })
}

/// What the schema says of a setting, and apart from it what holds without it.
fn said(schema: &Value) -> (String, Option<String>) {
    let text = schema["description"].as_str().unwrap_or_default();
    let (about, default) = match text.rsplit_once("Default: ") {
        Some((about, default)) => (about, Some(default.trim_end_matches('.').replace('`', ""))),
        None => (text, None),
    };
    (about.trim().to_owned(), default)
}

fn properties(schema: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    schema["properties"].as_object().unwrap_or(&NONE)
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        authorizer.custom_jwt = { discovery_url = "https://a.example/.well-known/openid-configuration", allowed_clients = ["b"] }
        [gateway]
        name = "tools"
        [telemetry]
        otlp_headers_env = { authorization = "OTLP_TOKEN" }
        [sessions]
        key_env = ["SEAL"]
        [[targets]]
        name = "orders"
        http.endpoint = "https://user:hunter2@a.example/mcp?key=hunter3"
        credential.client_credentials = { token_endpoint = "https://a.example/t", client_id = "c", client_secret_env = "ORDERS" }
        [[targets]]
        name = "files"
        stdio = { command = ["files", "--token", "hunter4", "--api-key=hunter5", "/srv"], env = { LEVEL = "hunter6" } }
        [[targets]]
        name = "remote"
        stdio.command = ["npx", "mcp-remote", "https://a.example/mcp", "--header", "X-Api-Key: hunter7", "-e", "API_TOKEN=hunter8", "--url=https://u:hunter9@b.example/"]
        [[targets]]
        name = "shell"
        stdio.command = ["sh", "-c", "exec files --token hunter10 /srv", "-H", "X: Bearer hunter11", "--token", "hunter12", "API_KEY=hunter13 exec files"]
    "#;

    fn outline() -> Vec<Chapter> {
        Written::new(Path::new("config.toml"), FILE).outline()
    }

    fn shown(chapter: &str, key: &str) -> Shown {
        let chapters = outline();
        let found = chapters.iter().find(|it| it.path == chapter).unwrap_or_else(|| panic!("no `{chapter}`"));
        found.settings.iter().find(|it| it.key == key).unwrap_or_else(|| panic!("no `{key}`")).value.clone()
    }

    #[test]
    fn what_is_written_is_told_from_what_holds_without() {
        let check = |chapter, key, expected| assert_eq!(shown(chapter, key), expected, "{chapter} {key}");
        let (written, default) = (|it: &str| Shown::Written(it.into()), |it: &str| Shown::Default(it.into()));
        check("gateway", "name", written("tools"));
        check("gateway", "public_url", default("what the client connected to"));
        check("limits", "connect_seconds", default("5"));
        check("sessions", "key_env", written("variable SEAL"));
        check("authorizer.custom_jwt", "allowed_clients", written("b"));
        check("authorizer.custom_jwt", "token_use", default("access"));
        check("telemetry", "otlp_headers_env", written("authorization = variable OTLP_TOKEN"));
        check("targets.orders", "name", written("orders"));
        check("targets.orders.credential.client_credentials", "client_secret_env", written("variable ORDERS"));
    }

    #[test]
    fn an_alternative_that_was_not_chosen_is_left_out() {
        let chapters = outline();
        let http = chapters.iter().find(|it| it.path == "targets.orders.http").unwrap();
        let keys: Vec<&str> = http.settings.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["endpoint", "qualifier", "era", "sessions"]);
    }

    #[test]
    fn what_could_be_secret_is_not_shown() {
        let text = format!("{:?}", outline());
        assert!(!text.contains("hunter"), "{text}");
        assert_eq!(
            shown("targets.files.stdio", "command"),
            Shown::Written("files --token *** --api-key=*** /srv".into())
        );
        assert_eq!(shown("targets.files.stdio", "env"), Shown::Written("LEVEL = ***".into()));
        assert_eq!(
            shown("targets.remote.stdio", "command"),
            Shown::Written(
                "npx mcp-remote https://a.example/mcp --header X-Api-Key:*** -e API_TOKEN=*** --url=https://b.example/"
                    .into()
            )
        );
    }
}
