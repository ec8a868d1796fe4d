//! One connection of a client: HTTP/1.1, kept alive, opened again when the other side has closed it.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use bytes::Bytes;
use causeway_core::era::headers;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Where something is reached, and what is shown there.
#[derive(Clone, Debug)]
pub struct Entrance {
    pub address: SocketAddr,
    pub path: String,
    /// A bearer token.
    pub token: Option<String>,
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    path: http::Uri,
    /// Sent with each request.
    headers: HeaderMap,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(entrance: &Entrance) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(entrance.address).await;
        let stream = stream.with_context(|| format!("no connection to {}", entrance.address))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its errors come out of the requests.
        tokio::spawn(async move { drop(connection.await) });
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(&entrance.address.to_string())?);
        if let Some(token) = &entrance.token {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&["Bearer ", token].concat())?);
        }
        Ok(Self { sender, path: entrance.path.parse()?, headers })
    }

    /// Whether the other side still reads.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends `headers` with each request too, from now on.
    pub fn show(&mut self, headers: &HeaderMap) {
        self.headers.extend(headers.clone());
    }

    /// Opens a legacy session, and shows it with each request from now on.
    ///
    /// # Errors
    /// The other side opens none.
    pub async fn initialize(&mut self) -> anyhow::Result<()> {
        let request = crate::form::Request::initialize();
        let body = request.body(crate::form::Mark::new(0, 0));
        let response = self.send(Method::POST, &request.headers, body).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        ensure!(head.status == StatusCode::OK, "`initialize`: {} {}", head.status, shown(&body));
        if let Some(session) = head.headers.get(headers::SESSION) {
            self.headers.insert(headers::SESSION, session.clone());
        }
        let initialized = Bytes::from_static(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        let response = self.send(Method::POST, &request.headers, initialized).await?;
        let status = response.status();
        response.collect().await?;
        ensure!(status.is_success(), "`notifications/initialized`: {status}");
        Ok(())
    }

    /// Sends a request and reads the head of its answer.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn send(
        &mut self,
        method: Method,
        headers: &HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<Response<Incoming>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.path.clone();
        let map = request.headers_mut();
        map.reserve(headers.len() + self.headers.len());
        map.extend(headers.iter().chain(&self.headers).map(|(name, value)| (name.clone(), value.clone())));
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }
}

/// The beginning of a body, for messages about it.
pub(super) fn shown(body: &[u8]) -> String {
    const MOST: usize = 300;
    let text = String::from_utf8_lossy(&body[..body.len().min(MOST)]).into_owned();
    if body.len() > MOST { format!("`{text}`... of {} bytes", body.len()) } else { format!("`{text}`") }
}
