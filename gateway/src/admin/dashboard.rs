//! The dashboard: what the gateway is, what its targets offer and what happens, as pages for a browser. Made here as HTML, so that
//! they work without a script; the script only adds what moves. Nothing on them is loaded from elsewhere, and everything that a
//! target or a caller says is text.

mod calls;
mod catalog;
mod client_files;
mod entry;
mod json_view;
mod overview;
mod page;
mod session;
mod settings;
mod sign_in;
mod time;
mod try_tool;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use maud::html;
use url::form_urlencoded;

use self::page::{Page, Tab};
pub(super) use self::{
    session::Session,
    sign_in::{ask_to_sign_in, is_open},
};
use super::{Admin, HEALTH_PATH, METRICS_PATH, Visitor};

/// What every page is made from.
type Context = (State<Arc<Admin>>, Extension<Visitor>);

/// The names and values of a form or a query, in their order.
#[derive(Default)]
struct Fields(Vec<(String, String)>);

pub(super) fn router() -> Router<Arc<Admin>> {
    Router::new()
        .route("/", get(overview::page))
        .route("/catalog", get(catalog::page))
        .route("/tools/{*name}", get(try_tool::page).post(try_tool::answer))
        .route("/calls", get(calls::page))
        .route("/calls/live", get(calls::live))
        .route("/clients", get(client_files::page))
        .route("/config", get(settings::page))
        .route("/sign-in", get(sign_in::page).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route(
            "/dashboard.css",
            get(|| async { file("text/css; charset=utf-8", include_str!("dashboard/dashboard.css")) }),
        )
        .route(
            "/dashboard.js",
            get(|| async { file("text/javascript; charset=utf-8", include_str!("dashboard/dashboard.js")) }),
        )
}

/// Whether a path of the admin port is for people.
pub(super) fn is_page(path: &str) -> bool {
    ![METRICS_PATH, HEALTH_PATH, "/readyz", "/calls/live"].contains(&path)
}

/// Says that there is no such page.
pub(super) async fn lost((State(admin), Extension(visitor)): Context) -> Response {
    let page = Page { title: "Not found", tab: Tab::None, admin: &admin, visitor: Some(&visitor) };
    page.response(
        StatusCode::NOT_FOUND,
        &html! { h1 { "There is no such page" } p { a href="/" { "Go to the overview" } } },
    )
}

/// Says that a page of somebody else cannot do anything here.
pub(super) fn stranger() -> Response {
    page::plain(
        StatusCode::FORBIDDEN,
        "this request came from a page that is not the dashboard's own, so it was not carried out: open the dashboard itself and \
         do it there",
    )
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let mut response = page::plain(StatusCode::OK, text);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

impl Fields {
    /// Of a query or a body.
    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of `name`; empty where there is none.
    fn one<'a>(&'a self, name: &str) -> &'a str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}
