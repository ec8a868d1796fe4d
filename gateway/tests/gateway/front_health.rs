//! Alive and ready: what a load balancer or an orchestrator sees, before and after every target was asked for its list.

use std::time::Duration;

use causeway_core::catalog::Kind;
use causeway_servers::Sample;
use tokio::net::TcpSocket;

use crate::{
    command::run,
    controlled_target::ControlledTarget,
    harness::{Gateway, http_target},
    issuer::Issuer,
    sample::Server,
};

#[tokio::test]
async fn it_lives_from_the_start_whatever_others_do() {
    let target = ControlledTarget::that_holds_its_list().await;
    let issuer = Issuer::start().await;
    issuer.set_down(true);
    let gateway = Gateway::launch(issuer, [target.target("lab")], |_| ()).await;
    let answer = gateway.anonymous().get("/healthz").await;
    insta::assert_snapshot!(answer.whole(), @r#"
    200
    content-type: application/json

    {"status":"ok"}
    "#);
}

#[tokio::test]
async fn it_is_ready_once_every_target_was_asked() {
    let calculator = Server::start(Sample::Calculator).await;
    let slow = ControlledTarget::that_holds_its_list().await;
    let targets = [slow.target("slow"), calculator.target()];
    let gateway = Gateway::launch(Issuer::start().await, targets, |_| ()).await;
    let at_once = gateway.anonymous().get("/readyz").await;
    assert_eq!(at_once.status, 503, "{at_once:?}");
    gateway.target_where("calculator", |target| target.count(Kind::Tools) == Some(2)).await;
    let before = gateway.anonymous().get("/readyz").await;
    insta::assert_snapshot!(before.whole(), @r#"
    503
    content-type: application/json

    {"ready":false,"targets":[{"name":"slow","state":"pending","tools":null,"prompts":null,"resources":null,"templates":null},{"name":"calculator","state":"listed","tools":2,"prompts":0,"resources":0,"templates":0}]}
    "#);
    assert_eq!(gateway.caller("alice").tools().await.len(), 2, "what is there is offered already");
    slow.let_list();
    gateway.ready().await;
    let after = gateway.anonymous().get("/readyz").await;
    insta::assert_snapshot!(after.whole(), @r#"
    200
    content-type: application/json

    {"ready":true,"targets":[{"name":"slow","state":"listed","tools":4,"prompts":0,"resources":0,"templates":0},{"name":"calculator","state":"listed","tools":2,"prompts":0,"resources":0,"templates":0}]}
    "#);
    assert_eq!(gateway.caller("alice").tools().await.len(), 6);
}

#[tokio::test]
async fn a_target_that_cannot_be_listed_does_not_keep_it_from_being_ready() {
    let calculator = Server::start(Sample::Calculator).await;
    let hanging = ControlledTarget::that_holds_its_list().await;
    // Bound, so that nobody else gets the port, and not listening.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone = closed.local_addr().unwrap();
    let targets = [hanging.target("hanging"), http_target("gone", &format!("http://{gone}/mcp")), calculator.target()];
    let quickly = Duration::from_millis(300);
    let gateway = Gateway::start_with(targets, |config| config.limits.discovery = quickly).await;
    // On a busy machine its first listing may have taken too long as well.
    gateway.target_where("calculator", |target| target.count(Kind::Tools) == Some(2)).await;
    let answer = gateway.anonymous().get("/readyz").await;
    insta::assert_snapshot!(answer.whole(), @r#"
    200
    content-type: application/json

    {"ready":true,"targets":[{"name":"hanging","state":"failed","tools":null,"prompts":0,"resources":0,"templates":0,"error":"timeout"},{"name":"gone","state":"failed","tools":null,"prompts":null,"resources":null,"templates":null,"error":"unreachable"},{"name":"calculator","state":"listed","tools":2,"prompts":0,"resources":0,"templates":0}]}
    "#);
    assert_eq!(gateway.caller("alice").tools().await.len(), 2);
}

/// What the health check of a container runs.
#[tokio::test]
async fn the_program_asks_for_itself() {
    let target = ControlledTarget::that_holds_its_list().await;
    let gateway = Gateway::launch(Issuer::start().await, [target.target("slow")], |_| ()).await;
    let well = run(&["health", &format!("{}/healthz", gateway.origin)]).await;
    assert_eq!((well.code, well.stdout.as_str(), well.stderr.as_str()), (Some(0), "", ""));
    let ready = format!("{}/readyz", gateway.origin);
    let unready = run(&["health", &ready]).await;
    assert_eq!(unready.code, Some(1));
    assert_eq!(unready.stderr, format!("error: {ready} answers HTTP 503 Service Unavailable\n"));
    // Bound and closed again: nobody listens there.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/healthz", gone.local_addr().unwrap());
    let dead = run(&["health", &url]).await;
    assert_eq!(dead.code, Some(1));
    assert!(dead.stderr.starts_with(&format!("error: nothing answers at {url}: ")), "{dead:?}");
}
