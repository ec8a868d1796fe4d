//! Long answers: a client of the target's own era gets them while they come, any other one when they are there; and what breaks in
//! their middle breaks nothing else.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use causeway::calls::CallRecord;
use causeway_core::{era, wire::sse::Decoder};
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};
use tokio::{
    sync::{Semaphore, broadcast::Receiver},
    time::timeout,
};

use crate::{
    caller::Caller,
    fake_target::{Asked, FakeTarget, Speaks, broken, event, success, typed},
    harness::{Gateway, http_target},
    stream::Stream,
};

/// What does not happen within so long does not happen: better a test that says so than one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of each of the two texts of an answer.
const TEXT: usize = 400_000;
/// So much of an answer is a good part of its first half.
const BEGUN: usize = 300_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// JSON without a length.
    Chunked,
    /// The same with the result before its id, as some servers write it.
    Backwards,
    /// JSON with its length.
    Sized,
    /// One event, in one line of data.
    Event,
    /// The same in many.
    Lines,
}

const FORMS: [Form; 5] = [Form::Chunked, Form::Backwards, Form::Sized, Form::Event, Form::Lines];
const ALL: [Speaks; 3] = [Speaks::Modern, Speaks::Sessions, Speaks::Stateless];

/// A target whose answers stop in their middle until they may go on.
struct Halting {
    fake: FakeTarget,
    rest: Arc<Semaphore>,
}

/// The result of a call, in two halves.
fn result(speaks: Speaks, is_error: bool) -> (String, String) {
    let kind = if speaks == Speaks::Modern { r#""resultType":"complete","# } else { "" };
    let line = "\u{fc}ber \\\"alles\\\" \\n";
    let text = line.repeat(TEXT / line.len());
    let first = format!("{{{kind}\n \"content\":[{{\"type\":\"text\",\"text\":\"{text}");
    (first, format!("{text}\"}}],\n\"isError\":{is_error}}}"))
}

/// The result of a call that went well, as a client reads it.
fn read(speaks: Speaks) -> Value {
    let (first, second) = result(speaks, false);
    serde_json::from_str(&[first, second].concat()).unwrap()
}

/// The answer with this result under this id (JSON text).
fn answer(form: Form, id: &str, result: &str) -> String {
    match form {
        Form::Backwards => format!(r#"{{"result":{result},"jsonrpc":"2.0","id":{id},"error":null}}"#),
        _ => success(id, result),
    }
}

impl Halting {
    /// Answers in this form; what `second` makes of the second half of its answer comes when it may go on.
    fn start(
        speaks: Speaks,
        form: Form,
        second: impl Fn(String) -> std::io::Result<String> + Send + Sync + 'static,
    ) -> Self {
        let fake = FakeTarget::start(speaks);
        let rest = Arc::new(Semaphore::new(0));
        let (second, may_go_on) = (Arc::new(second), Arc::clone(&rest));
        fake.on("tools/call", move |asked: Asked| {
            let (first, behind) = result(speaks, asked.params.contains("fail"));
            let whole = answer(form, &asked.id, &[first.as_str(), &behind].concat());
            let at = whole.find(&behind).unwrap();
            let (first, behind) = (whole[..at].to_owned(), whole[at..].to_owned());
            let (second, may_go_on) = (Arc::clone(&second), Arc::clone(&may_go_on));
            async move {
                let second = second(behind);
                let length = second.as_ref().map_or(whole.len(), |second| first.len() + second.len());
                let (kind, first, second) = match form {
                    Form::Chunked | Form::Backwards | Form::Sized => ("application/json", first, second),
                    Form::Event => (
                        "text/event-stream",
                        ["data:", &first.replace('\n', " ")].concat(),
                        second.map(|it| it.replace('\n', " ") + "\n\n"),
                    ),
                    Form::Lines => {
                        let lines = |text: String| text.replace('\n', "\r\ndata: ");
                        (
                            "text/event-stream",
                            lines(["event: message\n", &first].concat()),
                            second.map(|it| lines(it) + "\r\n\r\n"),
                        )
                    }
                };
                let waiting = async move {
                    may_go_on.acquire().await.unwrap().forget();
                    second
                };
                let mut response =
                    typed(200, kind, Body::from_stream(stream::iter([Ok(first)]).chain(waiting.into_stream())));
                if form == Form::Sized {
                    response.headers_mut().insert("content-length", length.into());
                }
                response
            }
        });
        Self { fake, rest }
    }

    fn go_on(&self) {
        self.rest.add_permits(1);
    }
}

async fn gateway(target: &Halting) -> Gateway {
    Gateway::start([http_target("t", &target.fake.endpoint())]).await
}

/// Before a target that runs one call at a time.
async fn one_at_a_time(target: &Halting) -> Gateway {
    Gateway::start_with([http_target("t", &target.fake.endpoint())], |config| config.limits.target_calls = 1).await
}

/// A client of the era of a target that speaks so.
async fn like(gateway: &Gateway, speaks: Speaks) -> Caller {
    let alice = gateway.caller("alice").under("mine");
    match speaks {
        Speaks::Modern => alice.modern(),
        Speaks::Sessions => alice.in_session().await,
        Speaks::Stateless => alice.header("mcp-protocol-version", era::LEGACY),
    }
}

fn call(argument: &str) -> Value {
    json!({"name": "t___echo", "arguments": {"text": argument}})
}

/// So much of the body, at least.
async fn begun(stream: &mut Stream) -> Vec<u8> {
    let mut begun = Vec::new();
    while begun.len() < BEGUN {
        begun.extend(stream.part().await.expect("more comes before the second half is there").unwrap());
    }
    begun
}

/// All of the body; the error with which it breaks off.
async fn ended(stream: &mut Stream, begun: Vec<u8>) -> Result<Vec<u8>, hyper::Error> {
    let mut whole = begun;
    while let Some(part) = stream.part().await {
        whole.extend(part?);
    }
    Ok(whole)
}

/// The next record of a call of a tool.
async fn record(records: &mut Receiver<Arc<CallRecord>>) -> Arc<CallRecord> {
    loop {
        let record = timeout(PATIENCE, records.recv()).await.expect("the call ends").unwrap();
        if &*record.method == "tools/call" {
            return record;
        }
    }
}

fn outcome(record: &CallRecord) -> Value {
    let json = record.json();
    json!([json["outcome"], json.get("detail")])
}

#[tokio::test]
async fn a_client_of_the_same_era_gets_them_while_they_come() {
    for (speaks, form) in ALL.into_iter().flat_map(|speaks| FORMS.map(|form| (speaks, form))) {
        let target = Halting::start(speaks, form, Ok);
        let gateway = gateway(&target).await;
        let alice = like(&gateway, speaks).await;
        let mut records = gateway.calls.follow();
        for (argument, outcome_of_it) in [("well", json!(["ok", null])), ("fail", json!(["tool_error", null]))] {
            let mut stream = alice.open("tools/call", call(argument)).await;
            assert!(stream.status == 200 && !stream.is_events());
            let begun = begun(&mut stream).await;
            target.go_on();
            let whole = String::from_utf8(ended(&mut stream, begun).await.unwrap()).unwrap();
            let (first, second) = result(speaks, argument == "fail");
            let expected = answer(form, "\"mine\"", &[first, second].concat());
            let expected = if form == Form::Event { expected.replace('\n', " ") } else { expected };
            assert!(whole == expected, "{speaks:?} {form:?}: {} bytes for {}", whole.len(), expected.len());
            let record = record(&mut records).await;
            assert_eq!(outcome(&record), outcome_of_it, "{speaks:?} {form:?}");
            assert_eq!(record.bytes_out as usize, whole.len());
        }
    }
}

#[tokio::test]
async fn a_client_of_the_other_era_gets_them_when_they_are_there() {
    for (speaks, form) in ALL.into_iter().flat_map(|speaks| FORMS.map(|form| (speaks, form))) {
        let target = Halting::start(speaks, form, Ok);
        let gateway = gateway(&target).await;
        let other = if speaks == Speaks::Modern { Speaks::Stateless } else { Speaks::Modern };
        let alice = like(&gateway, other).await;
        target.go_on();
        let answer = alice.request("tools/call", call("well")).await;
        assert!(answer.result() == read(other), "{speaks:?} {form:?}");
    }
}

/// Its client reads an event stream already, for the target said something before.
#[tokio::test]
async fn they_come_as_the_last_event_of_a_stream() {
    let target = Halting::start(Speaks::Modern, Form::Event, Ok);
    let fake = &target.fake;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#;
    let (first, second) = result(Speaks::Modern, false);
    let rest = Arc::clone(&target.rest);
    fake.on("tools/call", move |asked| {
        let whole = success(&asked.id, &[first.as_str(), &second].concat()).replace('\n', " ");
        let (before, behind) = whole.split_at(TEXT);
        let first = [&event(None, note), "data: ", before].concat();
        let (second, rest) = ([behind, "\n\n"].concat(), Arc::clone(&rest));
        async move {
            let waiting = async move {
                rest.acquire().await.unwrap().forget();
                Ok::<_, std::io::Error>(second)
            };
            typed(200, "text/event-stream", Body::from_stream(stream::iter([Ok(first)]).chain(waiting.into_stream())))
        }
    });
    let gateway = gateway(&target).await;
    let alice = like(&gateway, Speaks::Modern).await;
    let mut params = call("well");
    params["_meta"] = json!({"io.modelcontextprotocol/logLevel": "debug"});
    let mut stream = alice.open("tools/call", params).await;
    assert!(stream.is_events());
    let begun = begun(&mut stream).await;
    target.go_on();
    let whole = ended(&mut stream, begun).await.unwrap();
    let mut decoder = Decoder::new(usize::MAX);
    decoder.push(&whole).unwrap();
    let messages: Vec<Value> =
        std::iter::from_fn(|| decoder.next_event()).map(|event| serde_json::from_str(&event.data).unwrap()).collect();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0], serde_json::from_str::<Value>(note).unwrap());
    assert!(messages[1]["result"] == read(Speaks::Modern));
    assert_eq!(messages[1]["id"], "mine");
}

#[tokio::test]
async fn one_that_breaks_in_its_middle_breaks_off_for_its_client_alone() {
    let garbage = |_| Ok("\"}]}} and more".to_owned());
    let error = |_| Ok(r#""}]},"error":{"code":1,"message":"x"}}"#.to_owned());
    let short = |rest: String| Ok(rest[..rest.len() - 1].to_owned());
    let endless = |rest: String| Ok(rest.repeat(8));
    let cut = |_| broken();
    type Second = fn(String) -> std::io::Result<String>;
    let kinds: [(Second, &str); 5] =
        [(garbage, "garbage"), (error, "garbage"), (short, "broken_off"), (endless, "garbage"), (cut, "broken_off")];
    for (speaks, form) in [Speaks::Modern, Speaks::Sessions]
        .into_iter()
        .flat_map(|speaks| [Form::Chunked, Form::Event].map(|form| (speaks, form)))
    {
        for (second, kind) in kinds {
            let target = Halting::start(speaks, form, second);
            let gateway = gateway(&target).await;
            let alice = like(&gateway, speaks).await;
            let mut records = gateway.calls.follow();
            let mut stream = alice.open("tools/call", call("well")).await;
            let begun = begun(&mut stream).await;
            target.go_on();
            ended(&mut stream, begun).await.unwrap_err();
            assert_eq!(outcome(&*record(&mut records).await), json!(["target_fault", kind]), "{speaks:?} {form:?}");
            target.fake.usual("tools/call");
            assert_eq!(alice.request("tools/call", call("again")).await.status, 200);
        }
    }
}

#[tokio::test]
async fn one_that_is_longer_than_it_may_be_breaks_off() {
    for form in [Form::Chunked, Form::Sized, Form::Event] {
        let target = Halting::start(Speaks::Modern, form, Ok);
        let gateway = Gateway::start_with([http_target("t", &target.fake.endpoint())], |config| {
            config.limits.response_bytes = TEXT + TEXT / 2;
        })
        .await;
        let alice = like(&gateway, Speaks::Modern).await;
        let mut records = gateway.calls.follow();
        target.go_on();
        let mut stream = alice.open("tools/call", call("well")).await;
        match form {
            // Its length says so before anything of it comes.
            Form::Sized => assert_eq!(stream.next().await["result"]["_meta"]["causeway/error"]["kind"], "too_large"),
            _ => drop(ended(&mut stream, Vec::new()).await.unwrap_err()),
        }
        assert_eq!(outcome(&*record(&mut records).await), json!(["target_fault", "too_large"]), "{form:?}");
    }
}

/// A stream that can go on where it broke off loses nothing.
#[tokio::test]
async fn one_whose_stream_can_go_on_is_given_when_it_is_there() {
    let target = Halting::start(Speaks::Sessions, Form::Event, Ok);
    let (first, second) = result(Speaks::Sessions, false);
    let whole = Arc::new([first, second].concat().replace('\n', " "));
    let id = Arc::new(std::sync::Mutex::new(String::new()));
    let (asked_under, result_of_it) = (Arc::clone(&id), Arc::clone(&whole));
    target.fake.on("tools/call", move |asked| {
        asked_under.lock().unwrap().clone_from(&asked.id);
        let answer = event(None, &success(&asked.id, &result_of_it));
        let begun = ["retry: 1\nid: 1\ndata:\n\n", &answer[..answer.len() / 2]].concat();
        async move { typed(200, "text/event-stream", begun) }
    });
    let answer = Arc::clone(&whole);
    target.fake.on("GET", move |asked| {
        let message = success(&id.lock().unwrap(), &answer);
        async move {
            match asked.headers.get("last-event-id") {
                Some(_) => typed(200, "text/event-stream", event(Some("2"), &message)),
                None => crate::fake_target::status(405),
            }
        }
    });
    let gateway = gateway(&target).await;
    let alice = like(&gateway, Speaks::Sessions).await;
    let answer = alice.request("tools/call", call("well")).await;
    let answer = answer.message();
    assert!(answer["result"] == serde_json::from_str::<Value>(&whole).unwrap(), "{:.600}", answer.to_string());
}

#[tokio::test]
async fn a_client_that_leaves_in_its_middle_leaves_nothing_behind() {
    for (speaks, form) in ALL.into_iter().flat_map(|speaks| [Form::Chunked, Form::Event].map(|form| (speaks, form))) {
        let target = Halting::start(speaks, form, Ok);
        let gateway = gateway(&target).await;
        let alice = like(&gateway, speaks).await;
        let mut records = gateway.calls.follow();
        let mut stream = alice.open("tools/call", call("well")).await;
        begun(&mut stream).await;
        drop(stream);
        let id = target.fake.until_asked(|asked| asked.method == "tools/call").await.id;
        target.fake.until_dropped(&id).await;
        if speaks != Speaks::Modern {
            target.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
        }
        assert_eq!(outcome(&*record(&mut records).await), json!(["cancelled", null]), "{speaks:?} {form:?}");
    }
}

/// What the target does for it is done once it begins to answer.
#[tokio::test]
async fn one_that_is_being_read_takes_no_place_of_another_call() {
    let target = Halting::start(Speaks::Modern, Form::Chunked, Ok);
    let gateway = one_at_a_time(&target).await;
    let alice = like(&gateway, Speaks::Modern).await;
    let mut stream = alice.open("tools/call", call("well")).await;
    let begun = begun(&mut stream).await;
    target.fake.usual("tools/call");
    assert_eq!(alice.request("tools/call", call("short")).await.status, 200);
    target.go_on();
    ended(&mut stream, begun).await.unwrap();
}

/// More of them than calls may run in the target are held until they are there.
#[tokio::test]
async fn only_so_many_are_passed_on_at_once() {
    let target = Halting::start(Speaks::Modern, Form::Chunked, Ok);
    let gateway = one_at_a_time(&target).await;
    let alice = like(&gateway, Speaks::Modern).await;
    let mut first = alice.open("tools/call", call("well")).await;
    let begun = begun(&mut first).await;
    let held = tokio::spawn(async move { alice.request("tools/call", call("well")).await });
    target.fake.until_asked(|asked| asked.method == "tools/call" && asked.earlier == 1).await;
    target.go_on();
    target.go_on();
    let held = held.await.unwrap();
    ended(&mut first, begun).await.unwrap();
    assert!(held.result() == read(Speaks::Modern));
}

/// The client takes its word back while it reads.
#[tokio::test]
async fn one_that_is_cancelled_in_its_middle_breaks_off_and_its_target_is_told() {
    let target = Halting::start(Speaks::Sessions, Form::Chunked, Ok);
    let gateway = gateway(&target).await;
    let alice = like(&gateway, Speaks::Sessions).await;
    let mut records = gateway.calls.follow();
    let mut stream = alice.open("tools/call", call("well")).await;
    let begun = begun(&mut stream).await;
    assert_eq!(alice.notify("notifications/cancelled", json!({"requestId": "mine"})).await.status, 202);
    ended(&mut stream, begun).await.unwrap_err();
    assert_eq!(outcome(&*record(&mut records).await), json!(["cancelled", null]));
    target.fake.until_asked(|asked| asked.method == "notifications/cancelled").await;
}

/// In a batch each is a part of one answer, and what breaks is an error in it.
#[tokio::test]
async fn whoever_reads_it_whole_hears_what_is_wrong_with_it() {
    let target = Halting::start(Speaks::Stateless, Form::Chunked, |_| Ok("]".to_owned()));
    let gateway = gateway(&target).await;
    target.go_on();
    let alice = gateway.caller("alice").header("mcp-protocol-version", "2025-03-26");
    let (_, one) = alice.clone().under("mine").framed("tools/call", call("well"));
    let answer = alice.post(json!([one]).to_string()).await.json();
    assert_eq!(answer[0]["id"], "mine", "{answer}");
    assert_eq!(answer[0]["result"]["_meta"]["causeway/error"]["kind"], "garbage", "{answer}");
}

/// Where another path could have to answer in its place, nothing of an answer is given before all of it is there.
#[tokio::test]
async fn of_one_path_of_several_they_are_given_when_they_are_there() {
    let cut = Halting::start(Speaks::Modern, Form::Chunked, |_| broken());
    let whole = Halting::start(Speaks::Modern, Form::Chunked, Ok);
    let tools = r#"[{"name":"echo","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]"#;
    for target in [&cut, &whole] {
        target.fake.offer(tools);
        // The first may be asked again.
        target.rest.add_permits(10);
    }
    let mut place = http_target("t", &cut.fake.endpoint());
    let causeway::config::Transport::Http(http) = &mut place.transport else { unreachable!() };
    http.further.push(whole.fake.endpoint().parse().unwrap());
    let gateway = Gateway::start([place]).await;
    let alice = like(&gateway, Speaks::Modern).await;
    let answer = alice.request("tools/call", call("well")).await;
    assert!(answer.result() == read(Speaks::Modern), "{}", answer.status);
    assert!(!cut.fake.asked("tools/call").is_empty());
    assert_eq!(whole.fake.asked("tools/call").len(), 1);
}
