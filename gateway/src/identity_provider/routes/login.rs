//! How people log in: the authorization endpoint, the login page, and the way back to the client with a code.
//!
//! Source: RFC 6749 section 4.1; RFC 7636 section 4.3; the Cognito developer guide, pages "The redirect and authorization
//! endpoint" and "The managed login sign-in endpoint".

use std::{collections::HashMap, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{COOKIE, LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use url::{Url, form_urlencoded};

use super::{
    super::{
        PublicClient,
        grants::{Code, Person},
        page::{self, Hint},
        pool::{PoolState, granted},
        users::Attempt,
    },
    Served,
};

/// Cognito's.
const CODE: Duration = Duration::from_secs(5 * 60);
/// Cognito's: so long nobody who has logged in is asked again.
const SESSION: Duration = Duration::from_secs(3600);
/// For a new password to be chosen; Cognito's.
const CHALLENGE: Duration = Duration::from_secs(3 * 60);
const COOKIE_NAME: &str = "cognito";

/// What is answered in place of what was asked for.
type Instead = Box<Response>;

/// A request that may be answered with a login.
struct Request<'a> {
    client: &'a PublicClient,
    redirect_uri: Url,
    state: Option<String>,
    scope: String,
    challenge: Option<String>,
}

/// Sends whoever is logged in back at once, and everyone else to the login page.
pub(super) async fn authorize(
    State(served): State<Served>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let pool = served.pool(&id)?;
    let query = query.unwrap_or_default();
    Ok(match Request::read(pool, &query) {
        Err(refused) => *refused,
        Ok(request) => match logged_in(pool, &headers, served.now()) {
            Some(person) => request.granted(pool, person, served.now()),
            None => redirect(&format!("../login?{query}")),
        },
    })
}

pub(super) async fn page(
    State(served): State<Served>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, StatusCode> {
    let request = Request::read(served.pool(&id)?, &query.unwrap_or_default());
    Ok(request.map_or_else(|refused| *refused, |_| page::login(Hint::None)))
}

pub(super) async fn submit(
    State(served): State<Served>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let pool = served.pool(&id)?;
    let now = served.now();
    let query = query.unwrap_or_default();
    let request = match Request::read(pool, &query) {
        Ok(request) => request,
        Err(refused) => return Ok(*refused),
    };
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let person = match form.contains_key("new_password") {
        true => choose(pool, field("session"), field("new_password"), now),
        false => attempt(pool, field("username"), field("password"), now),
    };
    Ok(person.map_or_else(|again| *again, |person| request.granted(pool, person, now)))
}

/// The person, or the page to see next.
fn attempt(pool: &PoolState, name: &str, password: &str, now: Duration) -> Result<Person, Instead> {
    match pool.users.attempt(name, password, now) {
        Attempt::In(person) => Ok(person),
        Attempt::Wrong => Err(page::login(Hint::Wrong).into()),
        Attempt::NewPassword(name) => {
            Err(page::new_password(&pool.grants.challenged.put(now, CHALLENGE, name), Hint::None).into())
        }
    }
}

fn choose(pool: &PoolState, session: &str, password: &str, now: Duration) -> Result<Person, Instead> {
    let Some(name) = pool.grants.challenged.take(now, session) else {
        return Err(page::login(Hint::TooLate).into());
    };
    pool.users
        .choose(&name, password, now)
        .map_err(|_| page::new_password(&pool.grants.challenged.put(now, CHALLENGE, name), Hint::Weak).into())
}

fn logged_in(pool: &PoolState, headers: &HeaderMap, now: Duration) -> Option<Person> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, session) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
    pool.grants.sessions.look(now, session)
}

impl<'a> Request<'a> {
    /// The request of this query, or what is answered instead: nobody is sent to a place that the client did not register.
    fn read(pool: &'a PoolState, query: &str) -> Result<Self, Instead> {
        let given: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let text = |name: &str| given.get(name).map_or("", String::as_str);
        let client =
            pool.public_client(text("client_id")).ok_or_else(|| Instead::new(page::error("unauthorized_client")))?;
        let registered = client.callback_urls.iter().find(|url| *url == text("redirect_uri"));
        let redirect_uri = registered.and_then(|url| Url::parse(url).ok());
        let redirect_uri = redirect_uri.ok_or_else(|| Instead::new(page::error("redirect_mismatch")))?;
        let state = given.get("state").cloned();
        let refuse = |error: &str| Instead::new(back(&redirect_uri, &[("error", error)], state.as_deref()));
        let challenge = given.get("code_challenge").cloned();
        match (text("response_type"), &challenge, text("code_challenge_method")) {
            _ if given.contains_key("resource") => return Err(refuse("invalid_request")),
            ("code", None, "") | ("code", Some(_), "S256") => {}
            ("code", _, _) => return Err(refuse("invalid_request")),
            _ => return Err(refuse("unsupported_response_type")),
        }
        let scope = granted(&client.scopes, given.get("scope").map(String::as_str));
        let scope = scope.map_err(|_| refuse("invalid_scope"))?;
        Ok(Self { client, redirect_uri, state, scope, challenge })
    }

    /// Back to the client with a code; the browser is known from now on.
    fn granted(self, pool: &PoolState, person: Person, now: Duration) -> Response {
        let session = pool.grants.sessions.put(now, SESSION, person.clone());
        let code = Code {
            client_id: self.client.id.clone(),
            redirect_uri: self.redirect_uri.to_string(),
            challenge: self.challenge,
            scope: self.scope,
            person,
        };
        let code = pool.grants.codes.put(now, CODE, code);
        let mut response = back(&self.redirect_uri, &[("code", &code)], self.state.as_deref());
        let cookie = format!("{COOKIE_NAME}={session}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}", SESSION.as_secs());
        response.headers_mut().insert(SET_COOKIE, cookie.parse().expect("a random name makes a header"));
        response
    }
}

fn back(redirect_uri: &Url, pairs: &[(&str, &str)], state: Option<&str>) -> Response {
    let mut url = redirect_uri.clone();
    url.query_pairs_mut().extend_pairs(pairs).extend_pairs(state.map(|state| ("state", state)));
    redirect(url.as_str())
}

fn redirect(to: &str) -> Response {
    (StatusCode::FOUND, [(LOCATION, to)]).into_response()
}
