//! A target that says that its list changed is listed again; clients hear of it only if the list differs.

use serde_json::{Value, json};

use crate::{
    bridge_talk::{Era, able},
    fake_target::{FakeTarget, Speaks, event, written},
    harness::{Gateway, http_target},
};

#[tokio::test]
async fn the_same_list_again_is_no_news() {
    let fake = FakeTarget::start(Speaks::Sessions);
    fake.describe(r#""capabilities":{"tools":{"listChanged":true}}"#);
    let (news, opened) = futures::channel::mpsc::unbounded();
    fake.on("GET", move |_| {
        let (stream, response) = written();
        news.unbounded_send(stream).unwrap();
        async { response }
    });
    let gateway = Gateway::start([http_target("t", &fake.endpoint())]).await;
    let mut stream = able(&gateway, Era::Legacy).await.listen().await;
    let mut streams = std::pin::pin!(opened);
    let target = futures::StreamExt::next(&mut streams).await.unwrap();
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    for round in 0..2 {
        let before = fake.asked("tools/list").len();
        target.unbounded_send(event(None, changed)).unwrap();
        fake.until_asked(|asked| asked.method == "tools/list" && asked.earlier >= before).await;
        assert_eq!(fake.asked("tools/call").len(), 0, "round {round}");
    }
    fake.offer(r#"[{"name":"echo","inputSchema":{"type":"object"}},{"name":"new","inputSchema":{"type":"object"}}]"#);
    target.unbounded_send(event(None, changed)).unwrap();
    assert_eq!(stream.next().await, serde_json::from_str::<Value>(changed).unwrap());
    gateway.ask_to_stop();
    assert_eq!(stream.rest().await, [json!(null); 0], "it came once");
}
