//! `causeway serve` while its files change: by a new file in the place of the old one, by a link that leads elsewhere, in pieces, for
//! the worse.

use std::{fs, io::Write, os::unix::fs::symlink, path::Path};

use http::Method;
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    serving::{Serve, offering, target, text},
};

#[tokio::test]
async fn a_new_file_in_the_place_of_the_old_one_takes_effect() {
    let (a, b) = (offering("a"), offering("b"));
    let one = target("a", &a.fake.endpoint());
    let mut serve = Serve::of(&text(&one)).await;
    serve.write(&text(&[one.clone(), target("b", &b.fake.endpoint())].concat()));
    serve.generation(2).await;
    assert_eq!(serve.tools().await, ["a___x", "b___x"]);
    let told = serve.told("a new configuration is in effect").await;
    assert_eq!(told, ": new target `b`");
    // Written over in place, too.
    fs::write(serve.file(), text(&one)).unwrap();
    serve.generation(3).await;
    assert_eq!(serve.tools().await, ["a___x"]);
    let metrics = serve.metrics().await;
    for line in ["causeway_config_generation 3", r#"causeway_config_reloads_total{outcome="applied"} 2"#] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

/// As Kubernetes shows a ConfigMap: the file is a link into a directory that is a link itself, and that one is turned.
#[tokio::test]
async fn a_link_that_leads_elsewhere_takes_effect() {
    let (a, b) = (offering("a"), offering("b"));
    let put = |directory: &Path, version: &str, text: &str| {
        fs::create_dir(directory.join(version)).unwrap();
        fs::write(directory.join(version).join("config.toml"), text).unwrap();
        symlink(version, directory.join("..data_tmp")).unwrap();
        fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
    };
    let serve = Serve::start(|directory| {
        put(directory, "..1", &text(&target("a", &a.fake.endpoint())));
        symlink("..data/config.toml", directory.join("config.toml")).unwrap();
        directory.join("config.toml")
    })
    .await;
    for (version, offering, generation) in [("..2", &b, 2), ("..3", &a, 3)] {
        let name = if generation == 2 { "b" } else { "a" };
        put(serve.directory.path(), version, &text(&target(name, &offering.fake.endpoint())));
        serve.generation(generation).await;
        assert_eq!(serve.tools().await, [format!("{name}___x")]);
    }
}

/// Whoever writes it writes the half of it that would be good alone, and goes on.
#[tokio::test]
async fn a_file_that_is_written_in_pieces_is_taken_whole() {
    let (a, b) = (offering("a"), offering("b"));
    let serve = Serve::of(&text(&target("a", &a.fake.endpoint()))).await;
    let mut file = fs::File::create(serve.file()).unwrap();
    for piece in [text(&target("b", &b.fake.endpoint())), target("a", &a.fake.endpoint())] {
        file.write_all(piece.as_bytes()).unwrap();
    }
    drop(file);
    serve.generation(2).await;
    assert_eq!(serve.tools().await, ["b___x", "a___x"]);
}

#[tokio::test]
async fn a_bad_file_is_said_with_its_places_and_the_old_one_serves_on() {
    let a = offering("a");
    let good = text(&target("a", &a.fake.endpoint()));
    let mut serve = Serve::of(&good).await;
    serve.write(&good.replace("name = \"a\"", "name = \"not_good\"\ncolour = 1"));
    let name = serve.line("config.toml:5: target `not_good`: `not_good` is no target name").await;
    assert!(name.contains("ERROR"), "{name}");
    serve.line("config.toml:6: target `not_good`: unknown key `colour`").await;
    serve.line("the one before stays in effect").await;
    let standing = serve.until(|standing| standing["lastReload"]["outcome"] == "refused").await;
    assert!(standing["error"].as_str().unwrap().contains("config.toml:5: "), "{standing}");
    assert_eq!((serve.until_listed().await, &standing["generation"]), (vec!["a___x".to_owned()], &json!(1)));
    let metrics = serve.metrics().await;
    for line in [r#"causeway_config_reloads_total{outcome="refused"} 1"#, "causeway_config_refused 1"] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    // For clients there is nothing of it to see.
    let ready = Caller::new(&serve.url.replace("/mcp", "/readyz")).send(Method::GET, "").await;
    assert!(ready.status == 200 && ready.json().get("config").is_none());
    // The file is gone, and back as it was at the start.
    fs::remove_file(serve.file()).unwrap();
    serve.line("cannot be read").await;
    serve.write(&good);
    let standing = serve.until(|standing| standing["lastReload"]["outcome"] == "unchanged").await;
    assert_eq!((&standing["error"], &standing["generation"]), (&Value::Null, &json!(1)));
}

/// What a secret file holds is seen by the server that is shown it.
#[tokio::test]
async fn sighup_has_secrets_read_anew() {
    let a = offering("a");
    let write_key = |directory: &Path, key: &str| fs::write(directory.join("key"), key).unwrap();
    let credential =
        "[targets.credential.api_key]\nkey_file = \"key\"\nlocation = \"header\"\nparameter_name = \"x-api-key\"\n";
    let serve = Serve::start(|directory| {
        write_key(directory, "first");
        let file = directory.join("config.toml");
        fs::write(&file, text(&[target("a", &a.fake.endpoint()), credential.to_owned()].concat())).unwrap();
        file
    })
    .await;
    let shown = async || {
        a.fake.forget();
        Caller::new(&serve.url).call("a___x", json!({})).await;
        a.fake.asked("tools/call")[0].headers["x-api-key"].to_str().unwrap().to_owned()
    };
    assert_eq!(shown().await, "first");
    serve.hang_up();
    serve.until(|standing| standing["lastReload"]["outcome"] == "unchanged").await;
    write_key(serve.directory.path(), "second");
    serve.hang_up();
    serve.generation(2).await;
    assert_eq!(shown().await, "second");
}

#[tokio::test]
async fn what_cannot_change_is_said_by_name_and_the_rest_takes_effect() {
    let (a, b) = (offering("a"), offering("b"));
    let mut serve = Serve::of(&text(&target("a", &a.fake.endpoint()))).await;
    let other = text(&target("b", &b.fake.endpoint())).replace("127.0.0.1:0", "127.0.0.1:1");
    serve.write(&other);
    let standing = serve.generation(2).await;
    assert_eq!(standing["atNextStart"], json!(["gateway.listen", "admin.listen"]));
    let said = serve.line("takes effect at the next start").await;
    assert!(said.contains("`gateway.listen`, `admin.listen`"), "{said}");
    assert_eq!(serve.tools().await, ["b___x"]);
}

/// By itself the new file is good: it would listen on loopback. But the process listens for all until it is started again.
#[tokio::test]
async fn nobody_is_let_in_for_an_address_that_the_process_is_not_at() {
    let a = offering("a");
    let (rest, key) = (target("a", &a.fake.endpoint()), "a-key-of-32-bytes-or-more-for-it-all");
    let iam = format!(
        "gateway.listen = \"0.0.0.0:0\"\ngateway.public_url = \"http://gateway.example/mcp\"\nadmin.listen = \"127.0.0.1:0\"\n[authorizer.aws_iam]\nregion = \"us-east-1\"\n[[authorizer.aws_iam.access_keys]]\naccess_key_id = \"AKIAIOSFODNN7EXAMPLE\"\nsecret_access_key_file = \"key\"\nprincipal = \"arn:aws:iam::123456789012:user/alice\"\n{rest}"
    );
    let mut serve = Serve::start(|directory| {
        fs::write(directory.join("key"), key).unwrap();
        let file = directory.join("config.toml");
        fs::write(&file, iam).unwrap();
        file
    })
    .await;
    serve.write(&text(&rest));
    serve.line("would let anyone call who reaches `0.0.0.0:0`").await;
    let standing = serve.until(|standing| standing["lastReload"]["outcome"] == "refused").await;
    assert_eq!(standing["generation"], 1);
    let url = serve.url.replace("0.0.0.0", "127.0.0.1");
    assert_ne!(Caller::new(&url).request("tools/list", json!({})).await.status, 200);
}
