//! Names of tools made short and plain enough for clients: the same name becomes the same short name always, whatever else there
//! is. Knows no clients.

use aws_lc_rs::digest;

use super::{DELIMITER, budget::is_plain};

/// Names that clients take: plain characters, and no more than this many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// At least [`Fit::LEAST`].
    pub most: usize,
}

/// The characters of the digest at the end of a short name: 40 bits of it.
const DIGEST: usize = 8;
/// A target's name is cut only where less than this would be left of its tool's.
const LEAST_TOOL: usize = 5;
/// Base32 in lower case (RFC 4648, section 6).
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Fit {
    /// With less than this, a short name says nothing any more.
    pub const LEAST: usize = 24;

    /// Whether `name` can stay as it is.
    pub fn takes(self, name: &str) -> bool {
        name.chars().all(is_plain) && name.len() <= self.most
    }

    /// The stricter of the two.
    pub fn and(self, other: Self) -> Self {
        Self { most: self.most.min(other.most) }
    }

    /// `name` as it is where that can stay; else, of `target___tool`, the target and as many words of the tool as there is room for,
    /// and a digest of the whole name behind them: `logs___query_cloudwatch_3kq5zt7a`. Characters that are not plain become `_`.
    pub fn shorten(self, name: &str) -> String {
        if self.takes(name) {
            return name.to_owned();
        }
        let digest = digest_of(name);
        let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let room = self.most.max(Self::LEAST) - DIGEST - 1;
        let kept = match plain.split_once(DELIMITER) {
            Some((target, tool)) if !target.is_empty() => {
                let room = room - DELIMITER.len();
                let target = match target.len() + tool.len().min(LEAST_TOOL) <= room {
                    true => target,
                    false => cut(target, room - tool.len().min(room / 3)),
                };
                let tool = cut(tool, room - target.len());
                [target, DELIMITER, tool].concat()
            }
            _ => cut(&plain, room).to_owned(),
        };
        // What ends in the delimiter keeps it.
        let between = if kept.ends_with('_') { "" } else { "_" };
        [&kept, between, &digest].concat()
    }
}

/// As much of `text` (plain characters) as fits in `most`: up to the end of a word, unless that would lose half of it.
fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let bytes = text.as_bytes();
    let is_border = |at: usize| {
        let (before, after) = (bytes[at - 1], bytes[at]);
        !before.is_ascii_alphanumeric()
            || !after.is_ascii_alphanumeric()
            || (before.is_ascii_lowercase() && after.is_ascii_uppercase())
    };
    let at_word = (most / 2 + 1..=most).rev().find(|at| is_border(*at)).unwrap_or(most);
    text[..at_word].trim_end_matches(['_', '-'])
}

/// The first 40 bits of the SHA-256 of `name`.
fn digest_of(name: &str) -> String {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    let number = digest.as_ref().iter().take(5).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let letter = |at: usize| char::from(BASE32[(number >> (5 * (DIGEST - 1 - at)) & 31) as usize]);
    (0..DIGEST).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn check(most: usize, name: &str, expected: &str) {
        assert_eq!(Fit { most }.shorten(name), expected);
        assert!(expected.len() <= most);
    }

    /// The digests were made with another program: base32 in lower case of the first five bytes of `sha256sum`.
    #[test]
    fn words_go_and_the_target_stays() {
        check(49, "calculator___add_numbers", "calculator___add_numbers");
        check(
            49,
            "cloudwatch-insights___query_cloudwatch_insights_of_all_accounts",
            "cloudwatch-insights___query_cloudwatch_3kyjjffm",
        );
        check(36, "cloudwatch-insights___list_log_groups", "cloudwatch-insights___list_pgnobhr6");
        check(36, "cloudwatch-insights___query_cloudwatch_insights", "cloudwatch-insights___query_auvdulqg");
        check(35, "cloudwatch-insights___query_cloudwatch_insights", "cloudwatch___query_cloudwa_auvdulqg");
        check(49, "catalog.get-entity", "catalog_get-entity_ds7o5rlq");
        check(30, "listAllTheThingsOfTheWorldThatThereAreInIt", "listAllTheThingsOfThe_u5wjoanj");
        check(49, &"x".repeat(300), &["x".repeat(40).as_str(), "_bvhczkpj"].concat());
        check(49, &["t___", &"x".repeat(80)].concat(), &["t___", &"x".repeat(36), "_chm6clon"].concat());
        check(49, &["t___", &"_".repeat(60)].concat(), "t___c2fkpm74");
        check(49, "t___ééééé", "t________jolq4miy");
    }

    #[test]
    fn a_long_target_leaves_room_for_words_of_its_tool() {
        let name = ["a".repeat(100).as_str(), "___short"].concat();
        check(49, &name, &["a".repeat(32).as_str(), "___short_bd2lgmkb"].concat());
    }

    /// Names as they come about: of targets and of any tools, or of anything at all.
    fn names() -> impl Strategy<Value = String> {
        let target = "([0-9a-zA-Z]-?){1,100}";
        prop_oneof![
            (target, "[a-zA-Z_./-]{0,80}").prop_map(|(target, tool)| [&target, DELIMITER, &tool].concat()),
            ("[a-c]{1,3}", "(get|list|put)(_(all|one|two|three)){0,20}")
                .prop_map(|(target, tool)| [&target, DELIMITER, &tool].concat()),
            "\\PC{0,90}",
        ]
    }

    proptest! {
        #[test]
        fn a_short_name_fits_and_is_one_for_good(name in names(), most in Fit::LEAST..70) {
            let fit = Fit { most };
            let short = fit.shorten(&name);
            prop_assert!(fit.takes(&short), "{}", short);
            prop_assert_eq!(&fit.shorten(&short), &short, "short names stay");
            prop_assert_eq!(fit.shorten(&name), short, "again the same");
        }

        #[test]
        fn different_names_stay_different(names in proptest::collection::hash_set(names(), 0..60), most in Fit::LEAST..70) {
            let short: HashSet<String> = names.iter().map(|name| Fit { most }.shorten(name)).collect();
            prop_assert_eq!(short.len(), names.len());
        }

        /// Clients group tools by what stands before the delimiter, and people find them by it.
        #[test]
        fn the_target_stays_where_there_is_room(target in "([0-9a-zA-Z]-?){1,12}", tool in "[a-z_]{0,90}") {
            let name = [&target, DELIMITER, &tool].concat();
            let beginning = [&target, DELIMITER].concat();
            let short = Fit { most: 49 }.shorten(&name);
            prop_assert!(short.starts_with(&beginning), "{}", short);
        }
    }
}
