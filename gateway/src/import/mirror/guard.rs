//! What stands before the live gateway's tools and has no place in config.toml: without it more is let in here than there.
//! Finds it; whether that is allowed, `mirror` decides. The authorizer's own rules are found in `authorizer`, those of
//! the resource policy in `policy`.

use super::{
    super::{
        gap::Gap,
        live::{Interceptor, Live, PolicyEngine},
    },
    policy,
};

/// The guards that are missing here.
pub(super) fn lost(live: &Live) -> Vec<Gap> {
    let gateway = &live.gateway;
    let engine = gateway.policy_engine_configuration.iter().filter(|engine| decides(engine)).map(|engine| {
        let what = format!("The policy engine `{}` decides there ({})", engine.arn, engine.mode);
        Gap::of_gateway(what, "callers see and call here what its policies forbid there")
    });
    let interceptors = gateway.interceptor_configurations.iter().flatten().filter(|it| sees_requests(it)).map(|it| {
        let what = format!("A Lambda function intercepts there ({})", points(it));
        Gap::of_gateway(what, "nobody looks at messages here: what it refuses or changes goes through as it is")
    });
    let firewall = gateway.more.get("webAclArn").filter(|arn| !arn.is_null()).map(|_| {
        Gap::of_gateway("A firewall (AWS WAF) stands before it there", "requests that it blocks come in here")
    });
    engine.chain(interceptors).chain(firewall).chain(policy::lost(live)).collect()
}

/// Whether it forbids anything. A mode that is not known may.
pub(super) fn decides(engine: &PolicyEngine) -> bool {
    engine.mode != "LOG_ONLY"
}

/// Whether it can refuse a request: unless it sees answers alone.
pub(super) fn sees_requests(interceptor: &Interceptor) -> bool {
    let points = interceptor.interception_points.as_deref().unwrap_or_default();
    points.is_empty() || points.iter().any(|point| point != "RESPONSE")
}

/// Where it looks at messages, in words.
pub(super) fn points(interceptor: &Interceptor) -> String {
    interceptor.interception_points.as_deref().unwrap_or_default().join(" and ")
}
