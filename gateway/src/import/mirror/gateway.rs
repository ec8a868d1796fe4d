//! The head of the file, `[gateway]` and `[sessions]`, and what of the gateway as a whole is different.

use serde_json::Value;

use super::{
    super::{
        document::{Block, utc},
        gap::Gap,
        live::Live,
    },
    Part, Wish, guard, policy, traffic,
};

/// AgentCore's default of `sessionTimeoutInSeconds`.
const SESSION_SECONDS: u32 = 3600;
/// Members of `GetGateway` that make no difference to callers.
const OF_NO_CONSEQUENCE: [&str; 7] = [
    "createdAt",
    "updatedAt",
    "statusReasons",
    "protocolType",
    "kmsKeyArn",
    "workloadIdentityDetails",
    "wafConfiguration",
];

/// Where the file comes from, and what is different: of the gateway in full, of targets by name, as the rest stands at each.
pub(super) fn head(live: &Live, more_callers: &[Gap], gaps: &[Gap], parts: &[Part], wish: Wish) -> Block {
    let gateway = &live.gateway;
    let mut head = Block::default();
    if !more_callers.is_empty() {
        head.comment(
            "ATTENTION: more is let in here than at the live gateway, because `--allow-more-callers` said so:",
        );
        more_callers.iter().for_each(|gap| _ = head.item(&format!("{gap}.")));
        head.comment("");
    }
    let place = if wish.standby { "before" } else { "in place of" };
    let callers = if more_callers.is_empty() { "for the same callers" } else { "for more callers or calls than there" };
    head.comment(&format!(
        "Causeway {place} the AgentCore Gateway `{}`: the same names {callers}. `causeway import` wrote this file once; it is \
         yours to change. `causeway import --check` says later whether both still offer the same.",
        gateway.name
    ));
    head.comment("").item(&format!("gateway: {}", gateway.gateway_arn));
    head.item(&format!("URL: {}", gateway.gateway_url.as_deref().unwrap_or("none")));
    head.item(&format!("read: {}", utc(wish.now)));
    if let Some(status) = gateway.status.as_deref().filter(|status| *status != "READY") {
        head.item(&format!("status: {status}"));
    }
    if let Some(description) = &gateway.description {
        head.item(&format!("description: {description}"));
    }
    if let Some(versions) = live.mcp().supported_versions {
        head.item(&format!("MCP versions: {}; Causeway speaks all that it knows", versions.join(", ")));
    }
    let mut different: Vec<String> = gaps.iter().map(|gap| format!("{gap}.")).collect();
    let named = |left_out: bool| -> Vec<String> {
        let named = parts.iter().filter(|part| part.left_out == left_out && !part.gaps.is_empty());
        named.map(|part| format!("`{}`", part.name)).collect()
    };
    let left_out = if wish.standby { "do not stand by" } else { "are not here" };
    for (names, what) in [(named(true), left_out), (named(false), "are not quite the same")] {
        if !names.is_empty() {
            different.push(format!("Targets that {what}, as said where they stand: {}.", names.join(", ")));
        }
    }
    if !different.is_empty() {
        head.comment("").comment("What is different here:");
        different.iter().for_each(|item| _ = head.item(item));
    }
    head
}

/// `[gateway]` and `[sessions]`.
pub(super) fn settings(live: &Live) -> Block {
    let mcp = live.mcp();
    let mut settings = Block::default();
    settings.gap().table("gateway");
    settings.comment("Who else than this machine is to reach it, needs another address, and TLS in front of it.");
    settings.set("listen", "127.0.0.1:8080").set("name", live.gateway.name.as_str());
    settings.set_some("instructions", mcp.instructions);
    if mcp.disable_mcp_list_tools_pagination != Some(true) {
        settings.comment("The tools of one target a page, as there; some clients read the first page alone.");
        settings.set("list_page", "target");
    }
    if live.gateway.exception_level.as_deref() == Some("DEBUG") {
        settings.set("exception_level", "debug");
    }
    if mcp.streaming_configuration.and_then(|it| it.enable_response_streaming) != Some(true) {
        settings.set("enable_response_streaming", false);
    }
    settings.gap().table("sessions");
    match mcp.session_configuration {
        None => settings.set("mode", "off"),
        Some(sessions) => {
            settings.set("mode", "required");
            settings.set("timeout_seconds", sessions.session_timeout_in_seconds.unwrap_or(SESSION_SECONDS));
            settings.comment("With keys, sessions outlive the process and replicas share them.");
            settings.comment_setting("key_env", vec!["CAUSEWAY_SESSION_KEY".to_owned()])
        }
    };
    settings
}

/// What of the gateway as a whole is different, but for who may call.
pub(super) fn gaps(live: &Live, wish: Wish) -> Vec<Gap> {
    let gateway = &live.gateway;
    let mut gaps = Vec::new();
    if let Some(search) = live.mcp().search_type {
        let what = format!("Tools are searched there ({search}) with `x_amz_bedrock_agentcore_search`");
        gaps.push(Gap::of_gateway(what, wish.here("that tool is not offered here")));
    }
    let interceptors = gateway.interceptor_configurations.iter().flatten();
    gaps.extend(interceptors.filter(|it| !guard::sees_requests(it)).map(|it| {
        let what = format!("A Lambda function intercepts there ({})", guard::points(it));
        Gap::of_gateway(what, wish.here("nobody looks at answers here: what it hides or changes is shown as it is"))
    }));
    gaps.extend(gateway.policy_engine_configuration.iter().filter(|engine| !guard::decides(engine)).map(|engine| {
        let what = format!("The policy engine `{}` logs there what it would decide", engine.arn);
        Gap::of_gateway(what, wish.here("nothing is logged about that here"))
    }));
    gaps.extend(policy::different(live));
    gaps.extend(traffic::gaps(live, wish));
    gaps.extend(members(&gateway.more).filter_map(|name| of_gateway(name, wish)));
    gaps.extend(members(&live.mcp().more).map(|name| unknown(&format!("protocolConfiguration.mcp.{name}"))));
    gaps
}

fn of_gateway(name: &str, wish: Wish) -> Option<Gap> {
    let (what, consequence) = match name {
        "customTransformConfiguration" => {
            ("A Lambda function transforms there", wish.here("messages go through as they are here"))
        }
        "domainOverride" => {
            ("It has a domain of its own there", "set `gateway.public_url` to the URL that clients use".into())
        }
        // A guard.
        "webAclArn" => return None,
        name if OF_NO_CONSEQUENCE.contains(&name) => return None,
        name => return Some(unknown(name)),
    };
    Some(Gap::of_gateway(what, consequence))
}

fn unknown(name: &str) -> Gap {
    Gap::of_gateway(format!("It has `{name}` there, which this version does not know"), "look up what it does")
}

/// The names of members that are there.
pub(super) fn members(members: &serde_json::Map<String, Value>) -> impl Iterator<Item = &str> {
    members.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str())
}
