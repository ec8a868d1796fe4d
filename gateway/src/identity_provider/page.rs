//! The pages that people see: a login form, a form for a new password, an error. Plain HTML without a script.

use axum::{
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

/// What a form says above its fields.
#[derive(Clone, Copy)]
pub(super) enum Hint {
    None,
    Wrong,
    Weak,
    TooLate,
}

/// Asks for name and password. The form goes to the address of the page.
pub(super) fn login(hint: Hint) -> Response {
    let fields = r#"<label>User name <input name="username" autocomplete="username" autofocus required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button name="action" value="login">Log in</button>"#;
    form("Log in", hint, fields)
}

/// Asks for a new password of whoever holds `session`, which is made of letters, digits, `-` and `_`.
pub(super) fn new_password(session: &str, hint: Hint) -> Response {
    let fields = format!(
        r#"<input type="hidden" name="session" value="{session}">
<p>Your password is a temporary one. Choose your own: 8 characters or more, with capital and small letters, digits and signs.</p>
<label>New password <input name="new_password" type="password" autocomplete="new-password" autofocus required></label>
<button name="action" value="choose">Set the password</button>"#
    );
    form("Choose a password", hint, &fields)
}

/// Says that the request is not good; nobody is sent anywhere with it. `code` is one of this program's own.
pub(super) fn error(code: &str) -> Response {
    page(StatusCode::BAD_REQUEST, "Error", &format!("<p>The request cannot be answered: <code>{code}</code></p>"))
}

fn form(title: &str, hint: Hint, fields: &str) -> Response {
    let hint = match hint {
        Hint::None => "",
        Hint::Wrong => "<p role=\"alert\">Incorrect username or password.</p>",
        Hint::Weak => "<p role=\"alert\">The password does not have all that is asked for.</p>",
        Hint::TooLate => "<p role=\"alert\">That took too long. Log in once more.</p>",
    };
    page(StatusCode::OK, title, &format!("{hint}<form method=\"post\">{fields}</form>"))
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let style = "body{font:16px system-ui,sans-serif;max-width:22rem;margin:12vh auto;padding:0 1rem}\
                 label,input,button{display:block;width:100%;box-sizing:border-box;margin:.5rem 0;font:inherit;padding:.3rem 0}";
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>{style}</style>\
         <h1>{title}</h1><p>Development identity provider</p>{body}</html>"
    );
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response()
}
