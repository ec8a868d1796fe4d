//! How a person names a server: its URL, the ARN of an AgentCore Runtime, or the ARN or id of an AgentCore Gateway; and where
//! that is. Calls no server.

use std::{fmt, str::FromStr};

use causeway_aws::{
    arn::{Arn, ArnError},
    call::{Aws, CallError, label},
    endpoint::{BadEndpoint, Service, gateway_url, is_region, region_of_host},
    identity::NoRegion,
};
use causeway_oidc::fetch;
use http::Method;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

/// The endpoint of a Runtime that is asked where none is named.
const QUALIFIER: &str = "DEFAULT";

/// A server as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Of its MCP endpoint.
    Url(Url),
    /// `arn:aws:bedrock-agentcore:region:account:runtime/id`, perhaps with an endpoint of it.
    Runtime {
        arn: Box<Arn>,
        endpoint: Option<String>,
    },
    Gateway(Box<GatewayName>),
}

/// An AgentCore Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayName {
    /// As AWS made it: the gateway's name and ten characters more.
    pub id: String,
    /// What it was named by, if that was its ARN.
    pub arn: Option<Arn>,
    /// Where it is, if its name says so.
    pub region: Option<String>,
}

/// Where a server is, and what is known of whom it lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub url: Url,
    /// AgentCore Runtime hosts it.
    pub runtime: bool,
    /// For what region a signature is made, where its name says so.
    pub region: Option<String>,
    /// Whom an AgentCore Gateway lets in, where AWS shows it.
    pub admits: Option<Admits>,
}

/// Whom an AgentCore Gateway lets in, by its `authorizerType`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admits {
    Anyone,
    /// Who shows a token of its issuer.
    Tokens,
    /// Whose requests are signed by an AWS principal.
    Signatures,
    /// A type that AWS added later. Nothing is guessed: a signature shows who made it.
    Unknown(String),
}

/// A text names no server.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BadAddress {
    #[error(
        "`{0}` names no server: give its URL (`https://…/mcp`), the ARN of an AgentCore Runtime, or the ARN or id of an \
         AgentCore Gateway"
    )]
    Unknown(String),
    #[error("`{0}` is neither the id of a gateway, such as `tools-a1b2c3d4e5`, nor its ARN or URL")]
    NoGateway(String),
    #[error(transparent)]
    Arn(#[from] ArnError),
    #[error("`{0}` is no ARN of an AgentCore Gateway; expected `arn:aws:bedrock-agentcore:region:account:gateway/id`")]
    OtherArn(Arn),
    #[error(
        "`{0}` is no ARN of a server; expected `arn:aws:bedrock-agentcore:region:account:runtime/id` or `…:gateway/id`"
    )]
    NoServer(Arn),
    #[error("`{0}` has no scheme: write `http://{0}` or `https://{0}`")]
    Scheme(String),
}

/// Where a server is cannot be said.
#[derive(Debug, thiserror::Error)]
pub enum Unlocated {
    #[error("{0}; or say which region with `--region`")]
    Region(NoRegion),
    #[error(transparent)]
    Endpoint(#[from] BadEndpoint),
    #[error(transparent)]
    Aws(#[from] CallError),
    #[error("the gateway `{0}` has no URL yet; wait until its status is READY")]
    NotReady(String),
    #[error("no host name can be made of the gateway `{0}` and its region")]
    NoHost(String),
}

/// Its words are in ours, so it is no source of it that would be said once more.
impl From<NoRegion> for Unlocated {
    fn from(why: NoRegion) -> Self {
        Self::Region(why)
    }
}

/// What is of use here of the answer of `GetGateway`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LiveGateway {
    gateway_url: Option<String>,
    authorizer_type: Option<String>,
}

impl Address {
    /// Where it is. `qualifier` is the endpoint or version of a Runtime, if one is asked for. Of a gateway AWS is asked; who may
    /// not ask gets the URL that AWS gives all of them.
    ///
    /// # Errors
    /// [`Unlocated`].
    pub async fn locate(&self, aws: &Aws, qualifier: Option<&str>) -> Result<Located, Unlocated> {
        match self {
            Self::Url(url) => {
                let region = url.host_str().and_then(region_of_host).map(str::to_owned);
                Ok(Located { url: url.clone(), runtime: runtime_of(url).is_some(), region, admits: None })
            }
            Self::Runtime { arn, endpoint } => {
                let qualifier = qualifier.or(endpoint.as_deref()).unwrap_or(QUALIFIER);
                let url = aws.endpoints().runtime(arn, qualifier)?;
                Ok(Located { url, runtime: true, region: Some(arn.region.clone()), admits: None })
            }
            Self::Gateway(name) => name.locate(aws).await,
        }
    }

    /// What AWS calls the server at `url`, where its URL says so.
    pub fn named_by_aws(url: &Url) -> Option<Self> {
        let runtime = runtime_of(url).map(|(arn, endpoint)| Self::Runtime { arn: Box::new(arn), endpoint });
        runtime.or_else(|| GatewayName::of_url(url).map(|name| Self::Gateway(Box::new(name))))
    }

    /// Whether AWS serves it, so that a signature is what is most likely wanted.
    pub fn is_at_aws(&self) -> bool {
        match self {
            Self::Url(url) => {
                url.host_str().is_some_and(|host| region_of_host(host).is_some() && host.contains("bedrock-agentcore"))
            }
            Self::Runtime { .. } | Self::Gateway(_) => true,
        }
    }
}

impl Admits {
    /// Source: `AuthorizerType` of botocore's model of bedrock-agentcore-control.
    pub fn of(authorizer_type: &str) -> Self {
        match authorizer_type {
            "NONE" => Self::Anyone,
            "CUSTOM_JWT" => Self::Tokens,
            "AWS_IAM" | "AUTHENTICATE_ONLY" => Self::Signatures,
            other => Self::Unknown(other.into()),
        }
    }
}

/// The ARN and the qualifier in the invocations URL of a Runtime, wherever that is: AWS's own host, a private one, a double.
///
/// Source: AgentCore's API model (`InvokeAgentRuntime`): `https://bedrock-agentcore.{region}.amazonaws.com/runtimes/{ARN,
/// percent-encoded}/invocations?qualifier=DEFAULT`.
pub fn runtime_of(url: &Url) -> Option<(Arn, Option<String>)> {
    let segments: Vec<&str> = url.path_segments()?.collect();
    let [.., "runtimes", encoded, "invocations"] = segments[..] else { return None };
    let arn: Arn = percent_decode_str(encoded).decode_utf8().ok()?.parse().ok()?;
    let qualifier = url.query_pairs().find(|(name, _)| name == "qualifier").map(|(_, value)| value.into_owned());
    (arn.service == "bedrock-agentcore" && arn.resource_of("runtime").is_some()).then_some((arn, qualifier))
}

impl GatewayName {
    async fn locate(&self, aws: &Aws) -> Result<Located, Unlocated> {
        let region = match &self.region {
            Some(region) => region.clone(),
            None => aws.identity().region().await?,
        };
        let path = format!("/gateways/{}/", label(&self.id));
        let api = aws.api(Service::BEDROCK_AGENTCORE_CONTROL, Some(&region));
        let asked: Result<LiveGateway, CallError> = api.rest("GetGateway", Method::GET, &path, None::<&()>).await;
        let (url, admits) = match asked {
            Ok(live) => {
                (live.gateway_url.and_then(|url| url.parse().ok()), live.authorizer_type.as_deref().map(Admits::of))
            }
            Err(CallError::Credentials(_)) => (gateway_url(&self.id, &region), None),
            Err(CallError::Refused(why)) if why.code.starts_with("AccessDenied") => {
                (gateway_url(&self.id, &region), None)
            }
            Err(error) => return Err(error.into()),
        };
        let url = url.ok_or_else(|| Unlocated::NotReady(self.id.clone()))?;
        Ok(Located { url, runtime: false, region: Some(region), admits })
    }

    /// From the URL at which AgentCore serves it.
    fn of_url(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        let (id, rest) = host.split_once('.')?;
        let region = region_of_host(host)?.to_owned();
        let fits = rest.starts_with("gateway.bedrock-agentcore.") && is_id(id);
        fits.then(|| Self { id: id.into(), arn: None, region: Some(region) })
    }

    fn of_arn(arn: Arn) -> Result<Self, BadAddress> {
        match arn.resource_of("gateway") {
            Some(id) if arn.service == "bedrock-agentcore" && arn.region().is_some_and(is_region) => {
                Ok(Self { id: id.into(), region: arn.region().map(Into::into), arn: Some(arn) })
            }
            _ => Err(BadAddress::OtherArn(arn)),
        }
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text.starts_with("arn:") {
            return Self::of_arn(text.parse()?);
        }
        if is_id(text) {
            return Ok(Self::Gateway(Box::new(GatewayName { id: text.into(), arn: None, region: None })));
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Self::Url(url)),
            _ if !text.contains("://") && (text.contains('/') || text.contains(':')) => {
                Err(BadAddress::Scheme(text.into()))
            }
            _ => Err(BadAddress::Unknown(text.into())),
        }
    }
}

impl Address {
    fn of_arn(arn: Arn) -> Result<Self, BadAddress> {
        let known = arn.service == "bedrock-agentcore" && arn.region().is_some_and(is_region);
        if known && arn.resource_of("gateway").is_some() {
            return GatewayName::of_arn(arn).map(|name| Self::Gateway(Box::new(name)));
        }
        match arn.resource_of("runtime").map(|resource| resource.split('/').collect::<Vec<_>>()).as_deref() {
            Some([_]) if known && !arn.account.is_empty() => Ok(Self::Runtime { arn: Box::new(arn), endpoint: None }),
            Some([id, "runtime-endpoint", endpoint]) if known && !arn.account.is_empty() => {
                let (resource, endpoint) = (format!("runtime/{id}"), Some((*endpoint).to_owned()));
                Ok(Self::Runtime { arn: Box::new(Arn { resource, ..arn }), endpoint })
            }
            _ => Err(BadAddress::NoServer(arn)),
        }
    }
}

impl fmt::Display for Address {
    /// As it was named, without a password or a query, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(&fetch::shown(url)),
            Self::Runtime { arn, endpoint: None } => write!(f, "{arn}"),
            Self::Runtime { arn, endpoint: Some(endpoint) } => write!(f, "{arn}/runtime-endpoint/{endpoint}"),
            Self::Gateway(name) => match &name.arn {
                Some(arn) => write!(f, "{arn}"),
                None => f.write_str(&name.id),
            },
        }
    }
}

impl FromStr for GatewayName {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text.starts_with("https://") {
            let name = Url::parse(text).ok().and_then(|url| Self::of_url(&url));
            return name.ok_or_else(|| BadAddress::NoGateway(text.into()));
        }
        if !text.starts_with("arn:") {
            return match is_id(text) {
                true => Ok(Self { id: text.into(), arn: None, region: None }),
                false => Err(BadAddress::NoGateway(text.into())),
            };
        }
        Self::of_arn(text.parse()?)
    }
}

/// Whether AWS makes ids so: a name and ten characters.
fn is_id(text: &str) -> bool {
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let named = text.rsplit_once('-').filter(|(name, end)| !name.is_empty() && end.len() == 10 && letters(end));
    named.is_some_and(|(name, _)| name.split('-').all(|part| !part.is_empty() && letters(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_named_by_its_id_or_its_arn() {
        let arn = "arn:aws:bedrock-agentcore:eu-west-1:123456789012:gateway/tools-a1b2c3d4e5";
        let name: GatewayName = arn.parse().unwrap();
        assert_eq!((name.id.as_str(), name.arn.unwrap().region()), ("tools-a1b2c3d4e5", Some("eu-west-1")));
        let id = |region: Option<&str>| {
            let (id, region) = ("tools-a1b2c3d4e5".into(), region.map(Into::into));
            GatewayName { id, arn: None, region }
        };
        assert_eq!("tools-a1b2c3d4e5".parse::<GatewayName>().unwrap(), id(None));
        let url = "https://tools-a1b2c3d4e5.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp";
        assert_eq!(url.parse::<GatewayName>().unwrap(), id(Some("us-east-1")));
    }

    #[test]
    fn other_texts_name_no_gateway() {
        let refused = |text: &str| text.parse::<GatewayName>().unwrap_err().to_string();
        assert!(refused("tools").contains("`tools` is neither the id"));
        assert!(refused("https://tools.example.com/mcp").contains("nor its ARN or URL"));
        insta::assert_snapshot!(refused("../x"), @"`../x` is neither the id of a gateway, such as `tools-a1b2c3d4e5`, nor its ARN or URL");
        insta::assert_snapshot!(refused("arn:aws:s3:::bucket"), @"`arn:aws:s3:::bucket` is no ARN of an AgentCore Gateway; expected `arn:aws:bedrock-agentcore:region:account:gateway/id`");
        insta::assert_snapshot!(refused("arn:aws"), @"`arn:aws` is no ARN: the service is missing; expected `arn:partition:service:region:account:resource`");
    }

    #[test]
    fn a_server_is_named_in_several_ways() {
        let check = |text: &str, shown: &str, at_aws: bool| {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.is_at_aws()), (shown, at_aws), "{text}");
        };
        check("http://127.0.0.1:8000/mcp", "http://127.0.0.1:8000/mcp", false);
        check("https://user:pass@tools.example.com/mcp?key=1", "https://tools.example.com/mcp", false);
        let gateway = "https://tools-a1b2c3d4e5.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp";
        check(gateway, gateway, true);
        check("tools-a1b2c3d4e5", "tools-a1b2c3d4e5", true);
        let runtime = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/my_server-a1b2c3d4e5";
        check(runtime, runtime, true);
        let endpoint = format!("{runtime}/runtime-endpoint/prod");
        check(&endpoint, &endpoint, true);
        let Address::Runtime { arn, .. } = endpoint.parse().unwrap() else { panic!("it is a Runtime") };
        assert_eq!(arn.to_string(), runtime);
    }

    #[test]
    fn other_texts_name_no_server() {
        let refused = |text: &str| text.parse::<Address>().unwrap_err().to_string();
        insta::assert_snapshot!(refused("localhost:8000/mcp"), @"`localhost:8000/mcp` has no scheme: write `http://localhost:8000/mcp` or `https://localhost:8000/mcp`");
        insta::assert_snapshot!(refused("calculator"), @"`calculator` names no server: give its URL (`https://…/mcp`), the ARN of an AgentCore Runtime, or the ARN or id of an AgentCore Gateway");
        insta::assert_snapshot!(refused("arn:aws:lambda:us-east-1:123456789012:function:f"), @"`arn:aws:lambda:us-east-1:123456789012:function:f` is no ARN of a server; expected `arn:aws:bedrock-agentcore:region:account:runtime/id` or `…:gateway/id`");
        assert!(refused("ftp://x/mcp").contains("names no server"));
    }

    #[test]
    fn of_a_kind_of_authorizer_that_is_not_known_nothing_is_guessed() {
        let check = |kind: &str, admits: Admits| assert_eq!(Admits::of(kind), admits, "{kind}");
        check("NONE", Admits::Anyone);
        check("CUSTOM_JWT", Admits::Tokens);
        check("AWS_IAM", Admits::Signatures);
        check("AUTHENTICATE_ONLY", Admits::Signatures);
        check("CUSTOM_LAMBDA", Admits::Unknown("CUSTOM_LAMBDA".into()));
    }

    #[test]
    fn the_url_of_a_runtime_is_known_as_one() {
        let named = |text: &str| Address::named_by_aws(&text.parse().unwrap()).map(|address| address.to_string());
        let arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/tools-a1b2c3d4e5";
        let path = "runtimes/arn%3Aaws%3Abedrock-agentcore%3Aus-east-1%3A123456789012%3Aruntime%2Ftools-a1b2c3d4e5/invocations";
        let public = format!("https://bedrock-agentcore.us-east-1.amazonaws.com/{path}");
        assert_eq!(named(&public).as_deref(), Some(arn));
        let endpoint = named(&format!("{public}?qualifier=prod"));
        assert_eq!(endpoint, Some(format!("{arn}/runtime-endpoint/prod")));
        assert_eq!(named(&format!("http://127.0.0.1:4566/{path}")).as_deref(), Some(arn));
        let gateway = "https://tools-a1b2c3d4e5.gateway.bedrock-agentcore.us-east-1.amazonaws.com/mcp";
        assert_eq!(named(gateway).as_deref(), Some("tools-a1b2c3d4e5"));
        let others = ["https://tools.example.com/mcp", "https://tools.example.com/runtimes/x/invocations"];
        assert_eq!(others.map(named), [None, None]);
    }
}
