//! The end: what runs may finish, nothing new begins, and no child process is left behind.

use std::{fs, path::Path};

use causeway_servers::Sample;
use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    controlled_target::ControlledTarget,
    harness::{Gateway, stdio_target},
    sample::CAUSEWAY,
};

#[tokio::test]
async fn a_call_under_way_is_answered_and_no_other_is_taken() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = gateway.caller("alice");
    let call = tokio::spawn(async move { alice.call("lab___wait", json!({})).await });
    lab.arrival().await;
    gateway.ask_to_stop();
    let address = gateway.origin.trim_start_matches("http://").to_owned();
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    lab.release();
    assert_eq!(call.await.unwrap()["content"][0]["text"], "waited");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_under_way_is_ended_by_its_answer() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = gateway.caller("alice");
    let call = tokio::spawn(async move { alice.try_call("lab___watch", json!({})).await });
    lab.arrival().await;
    gateway.ask_to_stop();
    lab.release();
    let events = call.await.unwrap().events();
    assert_eq!(events[0]["method"], "notifications/progress");
    assert_eq!(events[1]["result"]["content"][0]["text"], "waited");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn clients_that_stay_connected_do_not_hold_up_the_end() {
    let lab = ControlledTarget::start().await;
    let gateway = Gateway::start([lab.target("lab")]).await;
    let alice = gateway.caller("alice");
    let (legacy, modern) = (alice.rmcp().await, alice.clone().modern().rmcp().await);
    let kept_alive = alice.tools().await;
    gateway.stop().await.unwrap();
    drop((legacy, modern, kept_alive));
}

#[tokio::test]
async fn child_processes_end_with_the_gateway() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    // The shell becomes the server, so that the id it wrote is the server's.
    let script = format!("echo $$ > '{}'; exec '{CAUSEWAY}' sample {} --stdio", file.display(), Sample::Hello);
    let gateway = Gateway::start([stdio_target("hello", &["sh", "-c", &script])]).await;
    gateway.caller("alice").call("hello___greet_user", json!({"name": "Alice"})).await;
    let child = pid(&file);
    assert_eq!(kill(child, None), Ok(()), "it runs");
    gateway.stop().await.unwrap();
    assert_eq!(kill(child, None), Err(Errno::ESRCH), "it is gone");
}

fn pid(file: &Path) -> Pid {
    Pid::from_raw(fs::read_to_string(file).unwrap().trim().parse().unwrap())
}
