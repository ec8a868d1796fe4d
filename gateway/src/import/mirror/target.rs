//! One target as config.toml has it, or why it cannot have it.

use serde_json::Value;

use super::{
    super::{
        document::Block,
        gap::Gap,
        live::{Live, McpServer, Metadata, Target},
        runtime::Runtime,
    },
    Part, Wish, credential,
    gateway::members,
};

/// The header by which AgentCore's users keep a client in one session of a Runtime. Causeway does so by itself.
const SESSION_HEADER: &str = "mcp-session-id";
/// Members of `GetGatewayTarget` that make no difference to callers.
const OF_NO_CONSEQUENCE: [&str; 11] = [
    "gatewayArn",
    "createdAt",
    "updatedAt",
    "statusReasons",
    "lastSynchronizedAt",
    "privateEndpointManagedResources",
    "authorizationData",
    "protocolType",
    "targetType",
    "listingMode",
    "resourcePriority",
];

/// Writes a target. What stands in the way leaves it out, as a comment with the reason.
pub(super) fn part(live: &Live, target: &Target, wish: Wish) -> Part {
    let mut block = Block::default();
    block.array_table("targets");
    if let Some(description) = &target.description {
        block.comment(description);
    }
    if let Some(status) = target.status.as_deref().filter(|status| *status != "READY") {
        block.comment(&format!("AgentCore's status of it was {status}."));
    }
    block.set("name", target.name.as_str());
    let mut gaps = Vec::new();
    let written = write(live, target, wish, &mut block, &mut gaps);
    let left_out = written.is_err();
    if let Err(reason) = written {
        gaps = vec![*reason];
    }
    Part { name: target.name.clone(), block, gaps, left_out }
}

fn write(live: &Live, target: &Target, wish: Wish, block: &mut Block, gaps: &mut Vec<Gap>) -> Result<(), Box<Gap>> {
    let server = mcp_server(target, wish)?;
    let runtime = Runtime::of(&server.endpoint);
    match &runtime {
        Some(runtime) => {
            block.set("http.runtime_arn", runtime.arn.to_string());
            block.set_some("http.qualifier", runtime.qualifier.clone());
        }
        None => _ = block.set("http.endpoint", server.endpoint.as_str()),
    }
    block.set_some("resource_priority", server.resource_priority.map(u32::from));
    if server.listing_mode.as_deref() == Some("DYNAMIC") {
        block.comment(
            "There each list request goes to the server; here it is listed when it says that its lists changed and every \
             `limits.refresh_seconds`.",
        );
    }
    let credential = credential::block(live, target, wish, gaps)?;
    block.append(&credential);
    gaps.extend(differences(target, &server, wish));
    Ok(())
}

/// What is said of a target that is an MCP server.
fn mcp_server(target: &Target, wish: Wish) -> Result<McpServer, Box<Gap>> {
    let gap = |what: &str, consequence: &str| Box::new(Gap::of_target(&target.name, what, consequence));
    let missing = &wish.here("its tools are not served here; give them an MCP server of their own to have them");
    let Some((protocol, kind, settings)) = target.kind() else {
        return Err(gap("nothing is said about what it is", missing));
    };
    match (protocol, kind) {
        ("mcp", "mcpServer") => McpServer::deserialize_from(settings)
            .map_err(|why| gap(&format!("what is said of its server cannot be understood ({why})"), missing)),
        ("mcp", "lambda") => Err(gap("it is a Lambda function", missing)),
        ("mcp", "openApiSchema") => Err(gap("it is an HTTP API with an OpenAPI description", missing)),
        ("mcp", "smithyModel") => Err(gap("it is a service with a Smithy model", missing)),
        ("mcp", "apiGateway") => Err(gap("it is a REST API of API Gateway", missing)),
        ("mcp", "connector") => Err(gap("it is a connector of AWS", missing)),
        ("http" | "inference", _) => {
            let what = format!("it is of the kind `{protocol}.{kind}`, which is no part of the gateway's `/mcp`");
            Err(gap(&what, &format!("clients reach it at the live gateway's `/{}/` only", target.name)))
        }
        _ => Err(gap(&format!("it is of the kind `{protocol}.{kind}`, which this version does not know"), missing)),
    }
}

/// What is different of a target that is mirrored.
fn differences(target: &Target, server: &McpServer, wish: Wish) -> Vec<Gap> {
    let gap = |what: &str, consequence: &str| Gap::of_target(&target.name, what, wish.here(consequence));
    let mut gaps = Vec::new();
    if let count @ 2.. = target.credentials().len() {
        gaps.push(gap(&format!("it is shown {count} credentials there"), "it is shown the first of them alone here"));
    }
    if server.mcp_tool_schema.as_ref().is_some_and(|schema| !schema.is_null()) {
        gaps.push(gap("its tools are a fixed list there", "they are what the server itself lists here"));
    }
    if let Some(metadata) = &target.metadata_configuration {
        let passed = passed(metadata);
        if !passed.is_empty() {
            let what = format!("{} pass between clients and it there", passed.join(", "));
            // Neither to it nor to the live gateway before it.
            gaps.push(Gap::of_target(&target.name, what, "no headers and query parameters do here"));
        }
    }
    gaps.extend(members(&target.more).chain(members(&server.more)).filter_map(|name| match name {
        "privateEndpoint" => {
            Some(gap("it is reached through a private endpoint there", "this machine must reach its address itself"))
        }
        "certificateConfigurations" => {
            Some(gap("it has a certificate of a private authority", "install that authority on this machine"))
        }
        name if OF_NO_CONSEQUENCE.contains(&name) => None,
        name => {
            let what = format!("it has `{name}` there, which this version does not know");
            Some(Gap::of_target(&target.name, what, "look up what it does"))
        }
    }));
    gaps
}

/// The headers and query parameters that are let through, but for the one that Causeway keeps itself.
fn passed(metadata: &Metadata) -> Vec<String> {
    let headers =
        [&metadata.allowed_request_headers, &metadata.allowed_response_headers].into_iter().flatten().flatten();
    let headers = headers.filter(|name| !name.eq_ignore_ascii_case(SESSION_HEADER)).map(|name| format!("`{name}`"));
    let parameters = metadata.allowed_query_parameters.iter().flatten().map(|name| format!("`?{name}=`"));
    let mut passed: Vec<String> = headers.chain(parameters).collect();
    passed.sort();
    passed.dedup();
    passed
}

impl McpServer {
    fn deserialize_from(settings: &Value) -> serde_json::Result<Self> {
        serde_json::from_value(settings.clone())
    }
}
