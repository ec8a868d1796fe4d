//! A fake target that offers what a test says, of all four kinds, and answers for it as servers of its era do. Asserts
//! nothing.

use causeway::config::Target;
use causeway_core::{
    catalog::Kind,
    wire::{ObjectEdit, json},
};

use crate::{
    fake_target::{self, Asked, FakeTarget, Speaks, success},
    harness::http_target,
};

/// Both eras, for tests of both.
pub(crate) const ERAS: [Speaks; 2] = [Speaks::Modern, Speaks::Sessions];

/// One of them: dropped, it is gone.
pub(crate) struct Offering {
    pub(crate) fake: FakeTarget,
    name: &'static str,
    speaks: Speaks,
}

impl Offering {
    /// A target that declares and lists these JSON arrays, and answers `prompts/get`, `resources/read` and
    /// `completion/complete` with `of`, its own name, and `asked`, the parameters that reached it. It has the resources that
    /// it lists and all whose URI begins with `<name>:`.
    pub(crate) fn start(name: &'static str, speaks: Speaks, lists: &[(Kind, &'static str)]) -> Self {
        let offering = Self { fake: FakeTarget::start(speaks), name, speaks };
        let mut declared: Vec<String> =
            lists.iter().map(|(kind, _)| format!(r#""{}":{{}}"#, kind.capability())).collect();
        declared.dedup();
        offering.fake.describe(&format!(r#""capabilities":{{{}}}"#, declared.join(",")));
        for (kind, list) in lists {
            offering.list(*kind, list);
        }
        for method in ["prompts/get", "completion/complete"] {
            offering.fake.on(method, move |asked| async move { echo(&asked, name, speaks) });
        }
        let listed = lists.iter().find(|(kind, _)| *kind == Kind::Resources).map_or("", |(_, list)| list);
        offering.fake.on("resources/read", move |asked| async move {
            let uri: String = ObjectEdit::parse(&asked.params).unwrap().get("uri").map(read).unwrap_or_default();
            match listed.contains(&json(&uri)) || uri.starts_with(&format!("{name}:")) {
                true => echo(&asked, name, speaks),
                false => not_found(&asked, speaks, &uri),
            }
        });
        offering
    }

    /// From now on it lists this JSON array.
    pub(crate) fn list(&self, kind: Kind, list: &'static str) {
        self.list_with(kind, list, "");
    }

    /// The same with further members in the result, each with a comma before it.
    pub(crate) fn list_with(&self, kind: Kind, list: &'static str, members: &'static str) {
        let speaks = self.speaks;
        self.fake.on(kind.method(), move |asked| async move {
            answer(&asked, speaks, &format!(r#""{}":{list}{members}"#, kind.member()))
        });
    }

    /// It as a target of its name.
    pub(crate) fn target(&self) -> Target {
        http_target(self.name, &self.fake.endpoint())
    }

    /// It with a priority for its resources.
    pub(crate) fn of_priority(&self, resource_priority: u16) -> Target {
        Target { resource_priority, ..self.target() }
    }
}

type Response = axum::http::Response<axum::body::Body>;

fn read(text: &str) -> String {
    serde_json::from_str(text).unwrap()
}

/// A result with these members.
fn answer(asked: &Asked, speaks: Speaks, members: &str) -> Response {
    let result_type = if speaks == Speaks::Modern { r#""resultType":"complete","# } else { "" };
    fake_target::json(200, success(&asked.id, &format!("{{{result_type}{members}}}")))
}

fn echo(asked: &Asked, name: &str, speaks: Speaks) -> Response {
    answer(asked, speaks, &format!(r#""of":"{name}","asked":{}"#, asked.params))
}

fn not_found(asked: &Asked, speaks: Speaks, uri: &str) -> Response {
    let code = if speaks == Speaks::Modern { -32602 } else { -32002 };
    let error = format!(r#"{{"code":{code},"message":"its own words","data":{{"uri":{},"own":1}}}}"#, json(&uri));
    fake_target::json(200, format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, asked.id))
}
