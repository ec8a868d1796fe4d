//! Runs of `causeway deploy` that end before their end, by a signal, by `kill -9`, by a fault, and the run after them. And two at once.

use nix::sys::signal::{Signal, kill};
use serde_json::json;
use tokio::net::TcpListener;

use crate::stand_in::{StandIn, credentials, ended, signal};

#[tokio::test]
async fn what_is_interrupted_goes_on_where_it_was() {
    let cases = [
        ("init", "prepared", "it had not initialized Terraform", &["init", "plan", "apply", "output"][..]),
        ("plan", "initialized", "Terraform is initialized", &["plan", "apply", "output"]),
        ("apply", "applying", "Terraform did not end what it began", &["plan", "apply", "output"]),
    ];
    for (command, step, note, left) in cases {
        let here = StandIn::new().await;
        here.stop_at(command);
        let run = here.start_deploy();
        here.stopped_at(command).await;
        signal(&run, Signal::SIGINT);
        let first = ended(run).await;
        assert_eq!((first.code, here.step().as_str()), (Some(130), step), "{command}: {first:?}");
        let calls = here.commands();
        assert_eq!(
            calls.last().unwrap(),
            &format!("interrupted {command}"),
            "Terraform got it once, and ended by itself"
        );
        assert!(first.stderr.contains("a second Ctrl-C"), "{first:?}");
        let second = here.deploy().await;
        assert_eq!((second.code, here.step().as_str()), (Some(0), "finished"), "{command}: {second:?}");
        assert!(second.stderr.contains(note), "{command}: {second:?}");
        assert_eq!(here.commands(), left, "{command}");
    }
}

#[tokio::test]
async fn a_signal_reaches_a_terraform_that_a_script_has_started() {
    let here = StandIn::new().await;
    here.wrap();
    here.stop_at("apply");
    let run = here.start_deploy();
    here.stopped_at("apply").await;
    signal(&run, Signal::SIGINT);
    assert_eq!(ended(run).await.code, Some(130));
    assert_eq!(here.commands().last().unwrap(), "interrupted apply");
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_not_waited_for_after_a_signal() {
    let here = StandIn::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/token", silent.local_addr().unwrap());
    here.give(json!({"client_id": "client", "client_secret": "hunter2", "token_endpoint": endpoint}));
    let run = here.start_deploy();
    let _asked = silent.accept().await.unwrap();
    signal(&run, Signal::SIGINT);
    let ended = ended(run).await;
    assert_eq!((ended.code, here.step().as_str()), (Some(130), "applied"), "{ended:?}");
    assert_eq!(here.json(&credentials())["client_secret"], "hunter2", "what is made may be used");
}

#[tokio::test]
async fn another_password_is_told_to_terraform_before_it_is_written_down() {
    let here = StandIn::new().await;
    here.fail_at("output");
    here.deploy().await;
    here.calls();
    let mut file = here.json(&credentials());
    file["test_user"]["password"] = json!("Hunter5-of-before");
    here.write(&credentials(), &file.to_string());
    here.deploy().await;
    assert_eq!(here.commands(), ["plan", "apply", "output"]);
}

#[tokio::test]
async fn what_terraform_has_made_is_not_forgotten_with_the_state_file() {
    let here = StandIn::new().await;
    here.deploy().await;
    std::fs::remove_file(here.path(&here.home("state.json"))).unwrap();
    assert_eq!(here.deploy_asking(&["--plan-only"]).await.code, Some(0));
    assert_eq!(here.json(&here.home("state.json"))["made"], true);
}

#[tokio::test]
async fn what_was_killed_keeps_others_out_until_terraform_has_ended() {
    let here = StandIn::new().await;
    here.stop_at("apply");
    let mut run = here.start_deploy();
    let terraform = here.stopped_at("apply").await;
    let busy = here.deploy().await;
    assert_eq!(busy.code, Some(1));
    let process = format!("(process {})", run.id().unwrap());
    assert!(busy.stderr.contains("is being worked on by another run") && busy.stderr.contains(&process), "{busy:?}");
    signal(&run, Signal::SIGKILL);
    // Terraform has its outputs still, so that they do not end.
    assert_eq!(run.wait().await.unwrap().code(), None);
    assert!(here.deploy().await.stderr.contains("is being worked on"), "Terraform goes on without us");
    kill(terraform, Signal::SIGINT).unwrap();
    let mut after = here.deploy().await;
    while after.stderr.contains("is being worked on") {
        after = here.deploy().await;
    }
    assert_eq!((after.code, here.step().as_str()), (Some(0), "finished"), "{after:?}");
    assert!(after.stderr.contains("Terraform did not end what it began"), "{after:?}");
}

#[tokio::test]
async fn a_fault_is_said_and_the_same_command_goes_on() {
    for (command, step, said) in [
        ("init", "prepared", "nothing was changed at AWS by this run"),
        ("plan", "initialized", "nothing was changed at AWS by this run"),
        ("apply", "applying", "what was done stays"),
    ] {
        let here = StandIn::new().await;
        here.fail_at(command);
        let first = here.deploy().await;
        assert_eq!((first.code, here.step().as_str()), (Some(1), step), "{first:?}");
        assert!(first.stderr.contains("the stand-in was told to fail") && first.stderr.contains(said), "{first:?}");
        assert!(!here.path(&here.home("plan")).exists());
        assert_eq!(here.deploy().await.code, Some(0));
    }
}

#[tokio::test]
async fn what_a_crash_of_terraform_may_have_lost_is_said() {
    let here = StandIn::new().await;
    here.crash();
    here.fail_at("apply");
    let crashed = here.deploy().await;
    assert_eq!((crashed.code, here.step().as_str()), (Some(1), "applying"), "{crashed:?}");
    assert!(crashed.stderr.contains("did not end by itself (signal: 6"), "{crashed:?}");
    assert!(crashed.stderr.contains("terraform import"), "{crashed:?}");
    for (command, lost) in [("plan", false), ("apply", true)] {
        here.crash();
        here.stop_at(command);
        let run = here.start_deploy();
        here.stopped_at(command).await;
        signal(&run, Signal::SIGINT);
        let interrupted = ended(run).await;
        assert_eq!(interrupted.code, Some(130), "{interrupted:?}");
        assert_eq!(interrupted.stderr.contains("terraform import"), lost, "{command}: {interrupted:?}");
    }
    assert_eq!(here.deploy().await.code, Some(0));
}

#[tokio::test]
async fn what_is_made_is_not_made_again_for_its_credentials_file() {
    let here = StandIn::new().await;
    here.fail_at("output");
    assert_eq!((here.deploy().await.code, here.step().as_str()), (Some(1), "applied"));
    here.calls();
    let second = here.deploy().await;
    assert!(second.stderr.contains("only its credentials file is missing"), "{second:?}");
    assert_eq!(here.commands(), ["output"]);
    assert!(here.path(&credentials()).exists());
}

#[tokio::test]
async fn what_has_changed_is_planned_anew_and_what_has_not_changes_nothing() {
    let here = StandIn::new().await;
    here.deploy().await;
    here.calls();
    here.write("told/no-changes", "");
    assert_eq!(here.deploy().await.code, Some(0));
    assert_eq!(here.commands(), ["plan", "apply", "output"]);
    std::fs::remove_file(here.path("told/no-changes")).unwrap();
    here.write("calculator/server.py", "mcp.run(transport='streamable-http', host='0.0.0.0', port=8000)\n");
    let changed = here.deploy().await;
    assert_eq!((changed.code, here.step().as_str()), (Some(0), "finished"), "{changed:?}");
    assert_eq!(here.commands(), ["init", "plan", "apply", "output"]);
    assert!(here.read(&here.home("sources/my-calculator/server/server.py")).contains("port=8000"));
}
