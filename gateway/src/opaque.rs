//! Texts that tell nobody anything: those that nobody can guess, and digests in the place of what is long or not to be shown. All are
//! Base64 for URLs without padding (RFC 4648, section 5), which headers, URLs, keys and names of files take as it is.

use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A text that nobody has seen or can guess, made of so many random `BYTES`.
pub(crate) fn random_text<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).expect("the system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The SHA-256 of `bytes`: 43 characters.
pub(crate) fn digest_of(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, bytes.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verifier and its challenge from RFC 7636, appendix B.
    #[test]
    fn a_digest_is_that_of_pkce() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(digest_of(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn no_random_text_comes_twice() {
        let [one, other] = [random_text::<16>(), random_text::<16>()];
        assert_ne!(one, other);
        assert_eq!((one.len(), random_text::<32>().len()), (22, 43));
    }
}
