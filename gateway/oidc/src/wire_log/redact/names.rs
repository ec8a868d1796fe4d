//! What is secret by the name that it stands under.

/// Parameters of a URL whose values are shown.
const HARMLESS: [&str; 21] = [
    "accountid",
    "action",
    "audience",
    "clientid",
    "codechallengemethod",
    "cursor",
    "granttype",
    "limit",
    "maxresults",
    "qualifier",
    "redirecturi",
    "resource",
    "responsemode",
    "responsetype",
    "scope",
    "version",
    "xamzalgorithm",
    "xamzcredential",
    "xamzdate",
    "xamzexpires",
    "xamzsignedheaders",
];

/// What is secret under these names, apart from case and what stands between their words.
const SECRET: [&str; 16] = [
    "assertion",
    "authorization",
    "clientassertion",
    "codeverifier",
    "devicecode",
    "jwt",
    "otp",
    "pin",
    "proxyauthorization",
    "pwd",
    "samlresponse",
    "samlrequest",
    "session",
    "sig",
    "signature",
    "usercode",
];
const SECRET_PARTS: [&str; 20] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "accesskey",
    "accountkey",
    "apikey",
    "authkey",
    "encryptionkey",
    "privatekey",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
    "token",
    "credential",
    "cookie",
    "signature",
    "mfacode",
    "otpcode",
];
/// Names that only sound so.
const NOT_SECRET: [&str; 11] = [
    "accesskeyid",
    "awsaccesskeyid",
    "credentialscope",
    "nexttoken",
    "progresstoken",
    "secretid",
    "secretname",
    "tokentype",
    "tokenuse",
    "xamzcredential",
    "xamzsignedheaders",
];

/// Whether the value of this parameter of a URL is shown.
pub(super) fn is_harmless(parameter: &str) -> bool {
    HARMLESS.contains(&bare(parameter).as_str())
}

/// Whether what stands under this name is secret.
pub(super) fn is_secret(name: &str) -> bool {
    let bare = bare(name);
    let harmless =
        NOT_SECRET.contains(&bare.as_str()) || bare.starts_with("tokenendpoint") || bare.starts_with("tokenur");
    !harmless && (SECRET.contains(&bare.as_str()) || SECRET_PARTS.iter().any(|part| bare.contains(part)))
}

/// A name without case and without what stands between its words.
pub(super) fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}
