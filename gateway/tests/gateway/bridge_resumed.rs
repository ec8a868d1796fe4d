//! A legacy target whose reply breaks off, or that closes it to be asked again: what it has yet to say is asked for after the
//! last event that came, so that nothing is lost and nothing comes twice. And one that asks on the stream of its session.

use std::sync::{Arc, Mutex};

use causeway::config::Transport;
use futures::channel::mpsc::UnboundedSender;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    bridge_talk::{ERAS, Era, able, answer_to, ask},
    fake_target::{self, Asked, FakeTarget, Speaks, event, progress_token, success, typed, written},
    harness::{Gateway, http_target},
    targets_client::{self, Client},
};

const QUESTION: &str = r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"mode":"form","message":"?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}}"#;

/// A legacy target whose replies a test scripts in pieces: the first is the answer to the call, the others are for who comes
/// back with the id of the last event before them, once a question that stood last has its answer. `{id}` and `{token}` stand for those of
/// the call.
struct InPieces {
    fake: FakeTarget,
    gateway: Gateway,
}

impl InPieces {
    async fn start(pieces: &'static [&'static [(&'static str, &'static str)]]) -> Self {
        let fake = FakeTarget::start(Speaks::Sessions);
        let call: Arc<Mutex<Option<Asked>>> = Arc::default();
        let text = move |call: &Asked, at: usize| {
            let token = progress_token(&call.params).unwrap_or_default();
            let events = pieces[at].iter().map(|(id, message)| {
                let message = message.replace("{id}", &call.id).replace("{token}", &token);
                event(Some(id), &message)
            });
            ["retry: 1\n\n".to_owned()].into_iter().chain(events).collect::<String>()
        };
        let begun = Arc::clone(&call);
        fake.on("tools/call", move |asked| {
            let body = text(&asked, 0);
            *begun.lock().unwrap() = Some(asked);
            async { typed(200, "text/event-stream", body) }
        });
        let answered = Arc::new(watch::Sender::new(false));
        let told = answered.subscribe();
        fake.on("", move |_| {
            answered.send_replace(true);
            async { fake_target::status(202) }
        });
        fake.on("GET", move |asked| {
            let last = asked.headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
            let ends = |piece: &&[(&str, &str)]| Some(piece.last().unwrap().0) == last.as_deref();
            let at = pieces.iter().position(ends);
            let body = at.map(|at| text(call.lock().unwrap().as_ref().unwrap(), at + 1));
            let waits = at.is_some_and(|at| pieces[at].last().unwrap().1 == QUESTION);
            let mut told = told.clone();
            async move {
                if waits {
                    told.wait_for(|answered| *answered).await.unwrap();
                }
                match body {
                    Some(body) => typed(200, "text/event-stream", body),
                    None => fake_target::status(405),
                }
            }
        });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        Self { fake, gateway }
    }

    /// Calls it; the steps of progress that came, and the answer's text.
    async fn call(&self, era: Era) -> (Vec<Value>, Value) {
        let alice = able(&self.gateway, era).await;
        let talk = ask(&alice, "tools/call", json!({"name": "t___echo", "_meta": {"progressToken": "p"}})).await;
        let steps = talk.notes.iter().map(|note| {
            assert_eq!(note["params"]["progressToken"], "p");
            note["params"]["progress"].clone()
        });
        (steps.collect(), talk.result()["content"][0]["text"].clone())
    }

    /// The ids of events with which the gateway came back.
    fn came_back_after(&self) -> Vec<String> {
        let back = self.fake.asked("GET");
        let ids = back.iter().filter_map(|asked| asked.headers.get("last-event-id"));
        ids.map(|id| id.to_str().unwrap().to_owned()).collect()
    }
}

const ONE: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":{token},"progress":1}}"#;
const TWO: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":{token},"progress":2}}"#;
const DONE: &str = r#"{"jsonrpc":"2.0","id":{id},"result":{"content":[{"type":"text","text":"done"}]}}"#;

#[tokio::test]
async fn the_rest_of_a_reply_comes_on_another_stream() {
    for era in ERAS {
        let target = InPieces::start(&[&[("1", ONE)], &[("2", TWO)], &[("3", DONE)]]).await;
        assert_eq!(target.call(era).await, (vec![json!(1), json!(2)], json!("done")), "{era:?}");
        assert_eq!(target.came_back_after(), ["1", "2"], "{era:?}");
        assert_eq!(target.fake.asked("tools/call").len(), 1, "the call was not repeated");
    }
}

#[tokio::test]
async fn the_last_event_may_come_again_and_counts_once() {
    for era in ERAS {
        let target = InPieces::start(&[&[("1", ONE)], &[("1", ONE), ("2", TWO)], &[("2", TWO), ("3", DONE)]]).await;
        assert_eq!(target.call(era).await, (vec![json!(1), json!(2)], json!("done")), "{era:?}");
        assert_eq!(target.came_back_after(), ["1", "2"], "{era:?}");
    }
}

/// The first event holds nothing but its id: the server closes the stream at once and works on (SEP-1699).
#[tokio::test]
async fn a_reply_may_begin_with_an_event_without_a_message() {
    for era in ERAS {
        let target = InPieces::start(&[&[("0", "")], &[("1", ONE), ("2", DONE)]]).await;
        assert_eq!(target.call(era).await, (vec![json!(1)], json!("done")), "{era:?}");
        assert_eq!(target.came_back_after(), ["0"], "{era:?}");
    }
}

#[tokio::test]
async fn a_question_before_the_end_of_a_stream_is_asked_once() {
    for era in ERAS {
        let target = InPieces::start(&[&[("1", QUESTION)], &[("1", QUESTION), ("2", TWO), ("3", DONE)]]).await;
        let alice = able(&target.gateway, era).await;
        let talk = ask(&alice, "tools/call", json!({"name": "t___echo", "_meta": {"progressToken": "p"}})).await;
        assert_eq!(talk.result()["content"][0]["text"], "done", "{era:?}");
        assert_eq!(talk.asked.len(), 1, "{era:?} {:?}", talk.asked);
    }
}

/// The call was sent, and what keeps the gateway from the rest of its reply says nothing else.
#[tokio::test]
async fn a_reply_that_cannot_be_resumed_may_have_been_carried_out() {
    let cut = || typed(200, "text/event-stream", ["retry: 1\n\n", &event(Some("1"), "")].concat());
    for refusal in [401, 404, 503] {
        for runtime in [false, true] {
            let fake = FakeTarget::start(Speaks::Sessions);
            fake.on("tools/call", move |_| async move { cut() });
            fake.on("GET", move |asked| async move {
                fake_target::status(if asked.headers.contains_key("last-event-id") { refusal } else { 405 })
            });
            let mut target = http_target("t", &fake.endpoint());
            if let Transport::Http(http) = &mut target.transport {
                http.runtime = runtime;
            }
            let gateway = Gateway::start([target]).await;
            let client = Client::new(&gateway, targets_client::Speaks::Modern).await;
            let got = client.call("t___echo", "{}").await;
            assert_eq!(got.fault(), "broken_off", "{refusal} {runtime}");
            assert!(got.answer.contains("may or may not have been carried out"), "{}", got.answer);
            assert_eq!(fake.asked("tools/call").len(), 1);
            // AgentCore Runtime takes nothing but POST.
            assert!(!runtime || fake.asked("GET").is_empty(), "{refusal}");
        }
    }
}

/// The streams that are open, by their sessions.
type Streams = Arc<Mutex<Vec<(String, UnboundedSender<String>)>>>;

/// A legacy target that asks on the stream of its session while it works on a call, and then answers.
struct Beside {
    fake: FakeTarget,
    gateway: Gateway,
}

impl Beside {
    /// `events`: it answers the call with events, else with one JSON message, both once it was answered itself.
    async fn start(events: bool) -> Self {
        let fake = FakeTarget::start(Speaks::Sessions);
        let streams = Streams::default();
        let opened = Arc::clone(&streams);
        fake.on("GET", move |asked| {
            let (stream, response) = written();
            opened.lock().unwrap().push((session(&asked), stream));
            async { response }
        });
        let (answered, told) = tokio::sync::watch::channel(0);
        fake.on("", move |asked| {
            assert!(asked.body.contains(r#""id":"q""#), "{}", asked.body);
            answered.send_modify(|count| *count += 1);
            async { fake_target::status(202) }
        });
        fake.on("tools/call", move |asked| {
            let (own, streams, mut told) = (session(&asked), Arc::clone(&streams), told.clone());
            async move {
                let before = *told.borrow_and_update();
                let streams = streams.lock().unwrap().clone();
                let stream = streams.iter().find(|(session, _)| *session == own).expect("the gateway listens");
                let token = progress_token(&asked.params);
                for message in
                    token.map(|token| ONE.replace("{token}", &token)).into_iter().chain([QUESTION.to_owned()])
                {
                    stream.1.unbounded_send(event(None, &message)).unwrap();
                }
                let answer = success(&asked.id, r#"{"content":[{"type":"text","text":"told"}]}"#);
                let waited = async move {
                    told.wait_for(|count| *count > before).await.unwrap();
                    answer
                };
                match events {
                    true => fake_target::event_stream(futures::stream::once(async { Ok(waited.await) })),
                    false => fake_target::json(200, waited.await),
                }
            }
        });
        let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
        Self { fake, gateway }
    }
}

fn session(asked: &Asked) -> String {
    asked.headers["mcp-session-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_question_on_the_stream_of_the_session_is_about_the_call_that_runs() {
    for events in [true, false] {
        for era in ERAS {
            let beside = Beside::start(events).await;
            let alice = able(&beside.gateway, era).await;
            let talk = ask(&alice, "tools/call", json!({"name": "t___echo", "_meta": {"progressToken": "p"}})).await;
            assert_eq!(talk.result()["content"][0]["text"], "told", "{era:?} {events}");
            assert_eq!(talk.asked[0].0, "elicitation/create", "{era:?} {events}");
            assert_eq!(talk.notes[0]["params"]["progressToken"], "p", "{era:?} {events}");
            let answer: Value = serde_json::from_str(&beside.fake.asked("")[0].body).unwrap();
            let question: Value = serde_json::from_str(QUESTION).unwrap();
            assert_eq!(answer["result"], answer_to(&question), "{era:?} {events}");
            assert_eq!(beside.fake.asked("tools/call").len(), 1, "the call was not repeated");
        }
    }
}
