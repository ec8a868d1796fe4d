//! What config.toml says of the gateway toward clients: where it is, how it is called, who is let in. Looks up no secret, for a
//! client's machine has none of the gateway's.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context, bail};
use url::Url;

use super::{super::Usage, Way};
use crate::{
    clients,
    config::{
        Draft,
        file::{self, Authorizer, Toolset},
        located::{Located, Member},
    },
    http::MCP_PATH,
    peer::Address,
};

/// A gateway, as far as a client needs to know it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) auth: Way,
    url: Option<Url>,
}

impl Known {
    /// Reads the file at `path`, which need not be there if the gateway was `told`; of a `toolset`, what is its own.
    pub(super) fn read(path: &Path, told: Option<&Address>, toolset: Option<&str>) -> anyhow::Result<Self> {
        if told.is_some() || !path.exists() {
            let auth = match told {
                Some(Address::Runtime { .. } | Address::Gateway(_)) => Way::Sigv4,
                Some(Address::Url(_)) | None => Way::Login,
            };
            return Ok(Self { name: clients::server_name(toolset.unwrap_or(file::NAME)), auth, url: None });
        }
        let file = Draft::read(path)?.file;
        let gateway = file.gateway.map(|gateway| gateway.value).unwrap_or_default();
        let own = toolset.map(|name| own(file.toolsets, name, path)).transpose()?;
        let (named, authorizer) = match own {
            Some(Toolset { name, authorizer, clients, .. }) => {
                (clients.and_then(|clients| clients.value.server_name).or(name), authorizer.or(file.authorizer))
            }
            None => {
                let clients = file.clients.map(|clients| clients.value).unwrap_or_default();
                (clients.server_name.or(gateway.name), file.authorizer)
            }
        };
        let auth = match authorizer.map(|authorizer| authorizer.value) {
            Some(Authorizer::CustomJwt(_)) | None => Way::Login,
            Some(Authorizer::AwsIam(_)) => Way::Sigv4,
            Some(Authorizer::None) => Way::None,
        };
        let url = match gateway.public_url.map(|url| url.value) {
            Some(url) => Url::parse(&url).with_context(|| format!("`gateway.public_url` of `{}`", path.display()))?,
            None => local(gateway.listen.as_ref().map_or(file::LISTEN, |listen| &listen.value))?,
        };
        let name = clients::server_name(named.as_ref().map_or(file::NAME, |name| &name.value));
        Ok(Self { name, auth, url: Some(url) })
    }

    /// Where a client finds the gateway, or its `toolset`.
    pub(super) fn address(&self, told: Option<Address>, toolset: Option<&str>) -> anyhow::Result<Address> {
        let address = match (told, &self.url) {
            (Some(told), _) => told,
            (None, Some(url)) => Address::Url(url.clone()),
            (None, None) => {
                bail!(Usage("which gateway? name it with `--url`, or its config.toml with `--config`".into()))
            }
        };
        match (address, toolset) {
            (address, None) => Ok(address),
            (Address::Url(mut url), Some(toolset)) => {
                url.set_path(&format!("{}/{toolset}", url.path().trim_end_matches('/')));
                Ok(Address::Url(url))
            }
            (Address::Runtime { .. } | Address::Gateway(_), Some(_)) => {
                bail!(Usage("a gateway on AWS has no toolsets: leave `--toolset` out".into()))
            }
        }
    }
}

/// The toolset of this name.
fn own(toolsets: Member<Vec<Located<Toolset>>>, name: &str, path: &Path) -> anyhow::Result<Toolset> {
    let mut all = toolsets.into_iter().flat_map(|toolsets| toolsets.value).map(|toolset| toolset.value);
    let found = all.find(|toolset| toolset.name.as_ref().is_some_and(|own| own.value == name));
    found.ok_or_else(|| Usage(format!("`{}` has no toolset `{name}`", path.display())).into())
}

/// The URL of a gateway that listens here. One on every address is reached on this machine's own.
fn local(listen: &str) -> anyhow::Result<Url> {
    let mut address: SocketAddr = listen.parse().with_context(|| format!("`gateway.listen` is `{listen}`"))?;
    match &mut address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => v4.set_ip(std::net::Ipv4Addr::LOCALHOST),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => v6.set_ip(std::net::Ipv6Addr::LOCALHOST),
        SocketAddr::V4(_) | SocketAddr::V6(_) => (),
    }
    Ok(Url::parse(&format!("http://{address}{MCP_PATH}")).expect("an address and a path make a URL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str, toolset: Option<&str>) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        let known = Known::read(&path, None, toolset).unwrap();
        format!("{} {:?} {}", known.name, known.auth, known.address(None, toolset).unwrap())
    }

    #[test]
    fn the_gateway_of_a_config() {
        let jwt = "[authorizer.custom_jwt]\ndiscovery_url = \"https://i.example/.well-known/openid-configuration\"\n";
        assert_eq!(known(jwt, None), "causeway Login http://127.0.0.1:8080/mcp");
        let open = "authorizer = \"none\"\n[gateway]\nname = \"Team tools\"\nlisten = \"0.0.0.0:90\"\n";
        assert_eq!(known(open, None), "Team-tools None http://127.0.0.1:90/mcp");
        let toolsets = "[[toolsets]]\nname = \"logs\"\n[[toolsets]]\nname = \"sums\"\nclients.server_name = \"add\"\n\
                        authorizer.aws_iam.region = \"us-east-1\"\n";
        let with_toolsets = [open, toolsets].concat();
        assert_eq!(known(&with_toolsets, Some("logs")), "logs None http://127.0.0.1:90/mcp/logs");
        assert_eq!(known(&with_toolsets, Some("sums")), "add Sigv4 http://127.0.0.1:90/mcp/sums");
        let public =
            "[gateway]\npublic_url = \"https://g.example/a/mcp\"\n[authorizer.aws_iam]\nregion = \"us-east-1\"\n";
        assert_eq!(known(public, None), "causeway Sigv4 https://g.example/a/mcp");
    }

    #[test]
    fn a_gateway_that_nobody_named() {
        let nothing = Known::read(Path::new("nowhere.toml"), None, None).unwrap();
        let error = nothing.address(None, None).unwrap_err();
        assert_eq!(error.to_string(), "which gateway? name it with `--url`, or its config.toml with `--config`");
    }
}
