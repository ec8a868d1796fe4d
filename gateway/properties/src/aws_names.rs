//! Names of things at AWS, and the URLs that are made of them.

use causeway_aws::{
    Arn,
    call::label,
    endpoint::{Endpoints, Service, dns_suffix, gateway_url, is_region, region_of_host},
    secret::Reference,
};

use crate::input;

/// A qualifier, a region and an id, each in a line, and then an ARN or a host.
///
/// An ARN is written as it was read; whatever stands in it, the URL that is made of it leads to AWS, by one path.
pub fn check(data: &[u8]) {
    let Some(([qualifier, region, id], text)) = input::texts(data) else { return };
    assert!(label(text).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
    if let Ok(arn) = text.parse::<Arn>() {
        assert_eq!(arn.to_string(), text);
        at_aws(Endpoints::public().runtime(&arn, qualifier).ok(), dns_suffix(&arn.region), |url| {
            assert_eq!(url.path_segments().map(|segments| segments.count()), Some(3), "{url} has another path");
            assert!(url.path().starts_with("/runtimes/") && url.path().ends_with("/invocations"), "{url}");
            assert_eq!(url.query_pairs().collect::<Vec<_>>(), [("qualifier".into(), qualifier.into())]);
        });
    }
    if let Ok(reference) = text.parse::<Reference>() {
        let _ = format!("{reference:?}");
    }
    if is_region(region) {
        at_aws(gateway_url(id, region), dns_suffix(region), |url| assert_eq!(url.path(), "/mcp"));
        at_aws(Endpoints::public().of(&Service::STS, region).ok(), dns_suffix(region), |_| ());
    }
    assert!(region_of_host(text).is_none_or(is_region));
}

/// No id and no region makes a URL of another host.
fn at_aws(url: Option<url::Url>, suffix: &str, also: impl Fn(&url::Url)) {
    let Some(url) = url else { return };
    let host = url.host_str().unwrap_or_default();
    assert!(host.strip_suffix(suffix).is_some_and(|before| before.ends_with('.')), "{url} leads elsewhere");
    assert_eq!((url.scheme(), url.username(), url.password(), url.port()), ("https", "", None, None), "{url}");
    also(&url);
}
