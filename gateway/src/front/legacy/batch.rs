//! Batches: several messages in one body, as MCP 2025-03-26 alone has them.
//!
//! Source: MCP 2025-03-26, basic, "Batching"; JSON-RPC 2.0, section 6.

use axum::response::Response;
use bytes::Bytes;
use causeway_core::{
    era::{self, Era},
    wire::Envelope,
};
use futures::future::join_all;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;

use super::session::{self, Belongs, Session};

use crate::{
    calls::{self, Unaudited},
    error::Refused,
    front::{Front, Post, accepted, face, message, params},
};

/// Messages of one batch: each costs more than its bytes.
const MOST: usize = 100;

/// Answers a batch: one array with an answer for each request in it, in the order of the requests.
pub(in crate::front) async fn answer(front: &Front, post: &Post) -> Response {
    calls::note(|call| call.is_for("batch"));
    let session = match session::read(front, &Method::POST, post, "null").await {
        Ok(Belongs::Here(session)) => session,
        Ok(Belongs::Elsewhere(answer)) => return answer,
        Err(refused) => return face(refused.face(Era::Legacy, "null")),
    };
    let messages = match accept(post, session.as_ref()) {
        Ok(messages) => messages,
        Err(refused) => return face(refused.face(Era::Legacy, "null")),
    };
    // Answers of a batch go back together, as JSON: a stream for each has no place in it.
    let mut headers = post.headers.clone();
    headers.remove(header::ACCEPT);
    let answers = join_all(messages.into_iter().map(|body| answer_one(front, post, &headers, body))).await;
    let answers: Vec<Bytes> = answers.into_iter().filter(|answer| !answer.is_empty()).collect();
    match answers.is_empty() {
        true => accepted(),
        false => message(StatusCode::OK, [&b"["[..], &answers.join(&b","[..]), b"]"].concat()),
    }
}

fn accept(post: &Post, session: Option<&Session>) -> Result<Vec<Bytes>, Refused> {
    let version = session::client(session, &post.headers)?.version;
    if version != era::BATCHES {
        return Err(Refused::Batch(version.to_owned()));
    }
    let messages = Envelope::parse_batch(&post.body)?;
    match messages.len() {
        ..=MOST => Ok(messages),
        count => Err(Refused::LargeBatch { count, most: MOST }),
    }
}

/// The answer to one message of a batch; empty for what gets none.
async fn answer_one(front: &Front, post: &Post, headers: &HeaderMap, body: Bytes) -> Bytes {
    let response = calls::watch_part(answer_message(front, post, headers, body)).await;
    let response = response.unwrap_or_else(|Unaudited| face(Refused::Unaudited.face(Era::Legacy, "null")));
    // These bodies are in memory: reading them cannot fail.
    response.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

async fn answer_message(front: &Front, post: &Post, headers: &HeaderMap, body: Bytes) -> Response {
    calls::note(|call| call.took(&body));
    // Of a session that lives elsewhere there is nobody: the batch as a whole would be there.
    let (caller, headers, body_of_one) = (post.caller.clone(), headers.clone(), body.clone());
    let one = Post { caller, headers, body: body_of_one, in_pieces: false, passed_on: true };
    match Envelope::parse(body) {
        Ok(envelope) if envelope.method() == "initialize" => {
            let refused = Refused::Params("`initialize` must not be part of a batch".into());
            face(refused.face(Era::Legacy, envelope.id().unwrap_or("null")))
        }
        Ok(envelope) => {
            calls::note(|call| call.holds(&envelope));
            let params = params(&envelope);
            super::answer(front, &one, envelope, params).await
        }
        Err(error) => face(Refused::from(error).face(Era::Legacy, "null")),
    }
}
