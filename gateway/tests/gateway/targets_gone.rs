//! A connection that its target has closed when the gateway uses it again: what may be carried out twice is sent once more on a
//! connection of its own, what may not is not.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    harness::Gateway,
    raw_target::{DONE, Does, RawTarget, result},
    targets_client::{Client, Speaks},
};

#[tokio::test]
async fn a_call_that_only_reads_is_sent_once_more() {
    let lab = RawTarget::start(|called| match called.before {
        0 => Does::Writes(result(called, DONE)),
        _ => Does::Closes,
    })
    .await;
    let gateway = Gateway::start([lab.target()]).await;
    let client = Client::new(&gateway, Speaks::Modern).await;
    client.call("t___look", "{}").await.ok();
    let calls = lab.calls("look");
    let before: Vec<_> = calls.iter().map(|called| called.before > 0).collect();
    assert_eq!(before, [true, false], "on the connection of the lists, and then on one of its own");
    assert_eq!(client.call("t___act", "{}").await.fault(), "broken_off", "what it does, nobody knows");
    client.call("t___act", "{}").await.ok();
    let before: Vec<_> = lab.calls("act").iter().map(|called| called.before).collect();
    assert_eq!(before, [1, 0]);
}

/// A server that breaks on what it is asked would break again.
#[tokio::test]
async fn nothing_is_sent_again_if_its_connection_was_new_or_its_answer_had_begun() {
    let begun = AtomicUsize::new(0);
    let lab = RawTarget::start(move |called| match begun.fetch_add(1, Ordering::Relaxed) {
        // Of a connection that was in use before.
        0 => Does::Writes(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"jsonrpc".into(),
        ),
        1 => Does::Closes,
        _ => Does::Writes(result(called, DONE)),
    })
    .await;
    let gateway = Gateway::start_with([lab.target()], |config| {
        config.limits.call = std::time::Duration::from_secs(1);
        config.limits.first_byte = std::time::Duration::from_secs(1);
    })
    .await;
    let client = Client::new(&gateway, Speaks::Modern).await;
    assert_eq!(client.call("t___look", "{}").await.fault(), "timeout", "the answer had begun");
    assert_eq!(lab.calls("look").len(), 1);
    assert_eq!(client.call("t___look", "{}").await.fault(), "broken_off", "the connection was new");
    let calls = lab.calls("look");
    assert_eq!((calls.len(), calls[1].before), (2, 0));
    client.call("t___look", "{}").await.ok();
}
