//! Whose an X.509 certificate is and when it ends: as much of its DER as that takes. Verifies nothing, which the TLS stack has
//! done before.
//!
//! Source: RFC 5280, sections 4.1 and 4.1.2.5; X.690.

use std::time::Duration;

/// What is of interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// The common name, or `(unnamed)`.
    pub(super) subject: String,
    /// `notAfter`, since the Unix epoch.
    pub(super) ends: Duration,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// 2.5.4.3
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];

/// None if it is formed otherwise.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (body, _) = expect(certificate, SEQUENCE)?;
    let rest = expect(body, VERSION).map_or(body, |(_, rest)| rest);
    let (_, _, rest) = element(rest)?; // serialNumber
    let (_, rest) = expect(rest, SEQUENCE)?; // signature
    let (_, rest) = expect(rest, SEQUENCE)?; // issuer
    let (validity, rest) = expect(rest, SEQUENCE)?;
    let (subject, _) = expect(rest, SEQUENCE)?;
    let (_, _, after) = element(validity)?;
    let (tag, time, _) = element(after)?;
    Some(Certificate { subject: common_name(subject).unwrap_or_else(|| "(unnamed)".into()), ends: instant(tag, time)? })
}

/// Tag, content and what follows of the first element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn expect(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// Of a `Name`: sets of pairs of an object identifier and a text.
fn common_name(mut name: &[u8]) -> Option<String> {
    while let Some((set, rest)) = expect(name, SET) {
        let (pair, _) = expect(set, SEQUENCE)?;
        if let Some(text) = pair.strip_prefix(&COMMON_NAME) {
            let (_, text, _) = element(text)?;
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        name = rest;
    }
    None
}

/// `YYMMDDHHMMSSZ`, or the same with a whole year.
fn instant(tag: u8, text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: u64 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let number = |at: usize| rest.get(at..at + 2)?.parse::<u64>().ok();
    let (month, day) = (number(0)?, number(2)?);
    if rest.len() != 10 || year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + number(4)? * 3600 + number(6)? * 60 + number(8)?;
    Some(Duration::from_secs(seconds))
}

/// From 1970-01-01 to this day of the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> u64 {
    // A year that begins in March ends with the day that some years lack.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = |year: u64| year * 365 + year / 4 - year / 100 + year / 400;
    before(year) + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    /// Of `tools.example.com`, made with OpenSSL 3 (P-256).
    const DER: &str = "MIIBsjCCAVegAwIBAgIUGQ1YJJbPvrXp+1aw3Ab0epTKEwQwCgYIKoZIzj0EAwIwLjEQMA4GA1UECgwHRXhhbXBsZTEaMBgGA1UEAwwRdG9vbHMuZXhhbXBsZS5jb20wHhcNMjYxMTIxMTc1MTUyWhcNMjcxMTIxMTc1MTUyWjAuMRAwDgYDVQQKDAdFeGFtcGxlMRowGAYDVQQDDBF0b29scy5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOW9XCW0BE+RD6RKvZ7D3fnhYHqfWMguDx3FIN2mcWYuRhmh15iaTawc0hAjZFvCE0V77xyLMsF7MViNEofPnFyjUzBRMB0GA1UdDgQWBBTKADA78mSQduzuT/nAc9xUY3tHMTAfBgNVHSMEGDAWgBTKADA78mSQduzuT/nAc9xUY3tHMTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDSodc68GT68tGBftlCK2IL7LKY3ETpogCSdouAmaTYkAIhAPfALSJ41E9G+ZRYZCGyVuFKTk6+CQUOxJOtkxg8XZTI";

    #[test]
    fn a_certificate_says_whose_it_is_and_when_it_ends() {
        let der = STANDARD.decode(DER).unwrap();
        let expected = Certificate { subject: "tools.example.com".into(), ends: Duration::from_secs(1826819512) };
        assert_eq!(read(&der), Some(expected));
        for cut in 0..der.len() {
            // No length is believed.
            assert!(read(&der[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |tag, text: &str, seconds| assert_eq!(instant(tag, text.as_bytes()), seconds, "{text}");
        let at = |seconds| Some(Duration::from_secs(seconds));
        check(UTC_TIME, "700101000000Z", at(0));
        check(UTC_TIME, "000229123456Z", at(951_827_696));
        check(UTC_TIME, "491231235959Z", at(2_524_607_999));
        check(GENERALIZED_TIME, "20500101000000Z", at(2_524_608_000));
        check(GENERALIZED_TIME, "99991231235959Z", at(253_402_300_799));
        check(UTC_TIME, "261301000000Z", None);
        check(UTC_TIME, "2601010000Z", None);
        check(UTC_TIME, "260101000000+0100", None);
        check(0x02, "700101000000Z", None);
    }
}
