//! The address at which other replicas reach this one: the one that was given, that of the task on Amazon ECS, or that of the
//! listener. Reaches nobody but ECS.

use std::{net::SocketAddr, time::Duration};

use serde::Deserialize;
use url::Url;

use crate::config::ReplicaUrl;

/// ECS answers from the same machine.
const PATIENCE: Duration = Duration::from_secs(1);

/// What ECS says of a container.
///
/// Source: Amazon ECS Developer Guide, "Amazon ECS task metadata endpoint version 4 for tasks on Fargate".
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    networks: Vec<Network>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(rename = "IPv4Addresses", default)]
    v4: Vec<std::net::Ipv4Addr>,
}

/// Where others reach the replica that listens at `local`; `None` where that cannot be told.
pub(crate) async fn own_address(given: &ReplicaUrl, local: SocketAddr, http: &reqwest::Client) -> Option<String> {
    let ecs = match given {
        ReplicaUrl::Off => return None,
        ReplicaUrl::Given(url) => return Some(url.origin().ascii_serialization()),
        ReplicaUrl::Found { ecs } => ecs.as_ref(),
    };
    if let Some(url) = ecs {
        match of_task(url, http).await {
            Ok(Some(ip)) => return Some(format!("http://{}", SocketAddr::from((ip, local.port())))),
            Ok(None) => tracing::warn!("ECS gives this task no address: set `state.replica_url`"),
            Err(error) => {
                tracing::warn!(%error, "ECS does not say which address this task has: set `state.replica_url`")
            }
        }
    }
    (!local.ip().is_unspecified()).then(|| format!("http://{local}"))
}

async fn of_task(url: &Url, http: &reqwest::Client) -> Result<Option<std::net::Ipv4Addr>, reqwest::Error> {
    let answer = http.get(url.clone()).timeout(PATIENCE).send().await?.error_for_status()?;
    let bytes = answer.bytes().await?;
    let container: Option<Container> = serde_json::from_slice(&bytes).ok();
    Ok(container.and_then(|container| container.networks.into_iter().flat_map(|network| network.v4).next()))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn found(ecs: Option<Url>, local: &str) -> Option<String> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        own_address(&ReplicaUrl::Found { ecs }, local.parse().unwrap(), &http).await
    }

    #[tokio::test]
    async fn an_address_is_given_or_the_listeners() {
        let given = ReplicaUrl::Given("http://replica-1:8080/".parse().unwrap());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let own = |given| own_address(given, "0.0.0.0:8080".parse().unwrap(), &http);
        assert_eq!(own(&given).await.as_deref(), Some("http://replica-1:8080"));
        assert_eq!(own(&ReplicaUrl::Off).await, None);
        assert_eq!(found(None, "127.0.0.1:9").await.as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(found(None, "[::1]:9").await.as_deref(), Some("http://[::1]:9"));
        assert_eq!(found(None, "0.0.0.0:8080").await, None, "that is no address of anybody");
    }

    #[tokio::test]
    async fn a_task_of_ecs_has_its_own() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/v4/id", listener.local_addr().unwrap()).parse().unwrap();
        let serving = tokio::spawn(async move {
            // As the guide has it, shortened.
            const BODY: &str = r#"{"DockerId":"x","Networks":[{"NetworkMode":"awsvpc","IPv4Addresses":["10.0.2.106"],"AttachmentIndex":0}]}"#;
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        assert_eq!(found(Some(url), "0.0.0.0:8080").await.as_deref(), Some("http://10.0.2.106:8080"));
        serving.await.unwrap();
    }
}
