//! How a person names a server, and where a login may end.

use causeway::{
    address::{Address, GatewayName, runtime_of},
    parsers::login_end,
};

use crate::input;

/// A place where logins may end, in a line, and then what somebody named.
///
/// A name is read as it is written; shown, it holds no password and nothing of a query; a login ends on this machine or at the one
/// place that is listed, to the letter.
pub fn check(data: &[u8]) {
    let Some(([listed], text)) = input::texts(data) else { return };
    match text.parse::<Address>() {
        Ok(address) => {
            let shown = address.to_string();
            assert_eq!(
                shown.parse::<Address>().map(|it| it.to_string()).ok(),
                Some(shown.clone()),
                "what is shown is another"
            );
            if let Address::Url(url) = &address {
                assert!(matches!(url.scheme(), "http" | "https") && url.has_host());
                assert!(!shown.contains(['?', '#']), "{shown} shows a query");
                assert!(url::Url::parse(&shown).is_ok_and(|url| url.password().is_none() && url.username().is_empty()));
                let _ = (Address::named_by_aws(url), runtime_of(url));
            }
        }
        Err(why) => drop(why.to_string()),
    }
    if let Ok(name) = text.parse::<GatewayName>() {
        assert!(!name.id.is_empty());
    }
    let Some(end) = login_end(text, &[listed.to_owned()]) else { return };
    let is_here = |host: &str| matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    let here = end.scheme() == "http" && end.host_str().is_some_and(is_here);
    assert!(here || text == listed, "a login ends at {text:?}");
    assert!(end.username().is_empty() && end.password().is_none() && end.fragment().is_none());
    assert!(!text.contains(['\r', '\n', '\\', ' ']), "{text:?} is more than a place");
}
