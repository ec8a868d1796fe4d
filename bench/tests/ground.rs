//! The benchmark measures what it says: its upstream answers in every form, its clients find what is wrong, its figures count.

use std::{path::PathBuf, sync::atomic::Ordering, time::Duration};

use causeway_bench::{
    candidate::{Candidate, Kind},
    form::{Form, Size, Speaks},
    ground::{Ground, Programs, path},
    load::{self, Ask, Entrance, Expected, Pace, Work},
};

async fn ground() -> Ground {
    let nothing = Programs { causeway: PathBuf::new(), nginx: PathBuf::new(), peers: None };
    Ground::prepare(nothing, 0, 0).await.expect("the ground for candidates")
}

async fn direct() -> (Ground, Candidate) {
    let ground = ground().await;
    let direct = Candidate::start(Kind::Direct, &ground).await.expect("what answers directly");
    (ground, direct)
}

#[tokio::test]
async fn every_form_is_answered_in_every_size() {
    let (_ground, direct) = direct().await;
    let pace = Pace { clients: 3, warm: Duration::ZERO, length: Duration::from_millis(1) };
    for (form, size) in Form::ALL.iter().flat_map(|form| Size::ALL.map(|size| (*form, size))) {
        let work = direct.call(form, size).unwrap();
        let (came, ..) = load::run(&work, pace, || ()).await.unwrap();
        assert_eq!((came.failures, came.failure.as_deref()), (0, None), "{}", form.name());
        assert_eq!(came.calls, came.latencies.len() as u64);
        let body = load::body(&work).await.unwrap();
        assert!(body.len() > size.filling() && body.len() < size.filling() + 400, "{} bytes", body.len());
    }
}

#[tokio::test]
async fn what_is_not_the_answer_is_a_failure() {
    let (ground, direct) = direct().await;
    let form = Form::ALL[0];
    let right = direct.call(form, Size::Small).unwrap();
    let expecting = |expected| Work { expected, ..right.clone() };
    let at = |path: String, token: Option<String>| Work {
        entrance: Entrance { address: ground.upstream.address(), path, token },
        ..right.clone()
    };
    let token = Some(ground.issuer.caller_token());
    for (wrong, why) in [
        (expecting(Expected::Result { size: Size::Medium, verbatim: None }), "something else"),
        (expecting(Expected::Result { size: Size::Small, verbatim: Some(Speaks::Session) }), "not what the tool gave"),
        (expecting(Expected::Tools(4)), "no tools"),
        (at(path(form, true), None), "401"),
        (at(path(form, true), token), "401"),
        (at("/nowhere".to_owned(), None), "404"),
    ] {
        let error = format!("{:#}", load::once(&wrong).await.unwrap_err());
        assert!(error.contains(why), "{error}");
        let pace = Pace { clients: 2, warm: Duration::ZERO, length: Duration::from_millis(1) };
        let (came, ..) = load::run(&wrong, pace, || ()).await.unwrap();
        assert_eq!(came.calls, 0);
        assert!(came.failures > 0 && came.failure.unwrap().contains(why));
    }
    load::once(&right).await.unwrap();
}

#[tokio::test]
async fn a_session_is_asked_for() {
    let ground = ground().await;
    let form = Form::ALL.into_iter().find(|form| form.speaks == Speaks::Session).unwrap();
    let entrance = Entrance { address: ground.upstream.address(), path: path(form, false), token: None };
    let list = causeway_bench::candidate::list(entrance, form.speaks, 4);
    load::once(&list).await.unwrap();
    let Ask::Message(_, request) = list.ask else { panic!("it is a message") };
    let without = Work { ask: Ask::Message(Speaks::Stateless, request), ..list };
    assert!(format!("{:#}", load::once(&without).await.unwrap_err()).contains("404"));
}

#[tokio::test]
async fn a_result_in_halves_waits_in_its_middle() {
    let (ground, direct) = direct().await;
    for form in Form::ALL {
        let work = direct.halves(form).unwrap();
        let (came, answered) = load::watched(&work).await.unwrap();
        let half = Size::Large.filling() / 2;
        while came.load(Ordering::Relaxed) < half {
            tokio::task::yield_now().await;
        }
        assert!(!answered.is_finished());
        assert!(came.load(Ordering::Relaxed) < Size::Large.filling(), "the second half is not written yet");
        ground.upstream.go_on();
        answered.await.unwrap().unwrap();
    }
}
