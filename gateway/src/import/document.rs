//! Writing TOML that a person likes to read: tables and settings in a chosen order with comments between them. Whatever a
//! value or a comment holds, it stays one. Knows no settings.

use std::time::Duration;

use toml::Value;

/// Where lines of comments are broken.
const WIDTH: usize = 120;
const SECONDS_OF_A_DAY: u64 = 86_400;

/// A part of a config.toml.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block(String);

impl Block {
    /// Lines that are for people alone, broken between words.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        self.prose("# ", "# ", text)
    }

    /// A comment that is one item of a list.
    pub fn item(&mut self, text: &str) -> &mut Self {
        self.prose("# - ", "#   ", text)
    }

    /// `[name]`.
    pub fn table(&mut self, name: &str) -> &mut Self {
        self.line(&format!("[{name}]"))
    }

    /// `[[name]]`.
    pub fn array_table(&mut self, name: &str) -> &mut Self {
        self.line(&format!("[[{name}]]"))
    }

    /// `key = value`.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.line(&format!("{key} = {}", value.into()))
    }

    /// `#[[name]]`: a table to take the `#` away from.
    pub fn comment_array_table(&mut self, name: &str) -> &mut Self {
        self.line(&format!("#[[{name}]]"))
    }

    /// `#key = value`: a setting to take the `#` away from.
    pub fn comment_setting(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        let mut setting = Self::default();
        setting.set(key, value);
        self.append(&setting.commented_out())
    }

    /// `key = value` if there is one.
    pub fn set_some(&mut self, key: &str, value: Option<impl Into<Value>>) -> &mut Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// `key = [texts]` if there are any.
    pub fn set_list(&mut self, key: &str, texts: Option<&Vec<String>>) -> &mut Self {
        self.set_some(key, texts.filter(|texts| !texts.is_empty()).cloned())
    }

    /// An empty line.
    pub fn gap(&mut self) -> &mut Self {
        self.line("")
    }

    /// What another block holds.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// The same as comments: settings with nothing after the `#`, so that a person can take it away again.
    pub fn commented_out(&self) -> Self {
        let lines = self.0.lines().map(|line| match line.is_empty() || line.starts_with('#') {
            true => format!("{line}\n"),
            false => format!("#{line}\n"),
        });
        Self(lines.collect())
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, with a line end at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn line(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self.0.push('\n');
        self
    }

    fn prose(&mut self, first: &str, next: &str, text: &str) -> &mut Self {
        let mut prefix = first;
        let text = if text.is_empty() { "\n" } else { text };
        for paragraph in text.lines() {
            for line in wrapped(&printable(paragraph), WIDTH - next.len()) {
                self.line(format!("{prefix}{line}").trim_end());
                prefix = next;
            }
        }
        self
    }
}

/// What may not stand in a comment, made visible.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Lines of at most `width` characters; a word that is longer has one for itself.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always one");
        match line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width {
            true if line.is_empty() => line.push_str(word),
            true => *line = format!("{line} {word}"),
            false => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A time since the Unix epoch as people and RFC 3339 write it, in UTC and to the second.
pub fn utc(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, rest) = (seconds / SECONDS_OF_A_DAY, seconds % SECONDS_OF_A_DAY);
    // Days are counted from 1 March of year 0, so that a leap day is the last of its year: an era of 400 years has 146097.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + u64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_reads_as_it_was_written() {
        let mut inner = Block::default();
        inner.table("a.b").set("text", "two\nlines").set("number", 7).set_list("none", None).gap();
        let mut block = Block::default();
        block.comment_setting("text", "a\n[b]\nc = 1");
        assert_eq!(block.as_str(), "#text = \"\"\"\n#a\n#[b]\n#c = 1\"\"\"\n");
        let mut block = Block::default();
        block
            .comment("Short.\nA second line.")
            .item(&"words ".repeat(30))
            .gap()
            .append(&inner.commented_out())
            .append(&inner);
        insta::assert_snapshot!(block.as_str(), @r#"
        # Short.
        # A second line.
        # - words words words words words words words words words words words words words words words words words words words
        #   words words words words words words words words words words words

        #[a.b]
        #text = """
        #two
        #lines"""
        #number = 7

        [a.b]
        text = """
        two
        lines"""
        number = 7
        "#);
    }

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(Duration::from_secs(seconds)), text);
        }
    }

    /// Any characters, those with a meaning in TOML often: proptest's own texts have no line breaks.
    fn text() -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            '\n', '\r', '#', '"', '\'', '\\', '[', ']', '=', ' ', '\t', '\u{0}', '\u{7f}', 'a',
        ]);
        prop::collection::vec(prop_oneof![2 => special, 1 => any::<char>()], 0..24).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn any_text_stays_a_value(text in text(), texts in prop::collection::vec(text(), 1..4)) {
            let mut block = Block::default();
            block.set("text", text.as_str()).set_list("texts", Some(&texts));
            let read: toml::Table = block.as_str().parse().unwrap();
            let texts = texts.into_iter().map(Value::String).collect();
            prop_assert_eq!(read, toml::Table::from_iter([("text".into(), Value::String(text)), ("texts".into(), Value::Array(texts))]));
        }

        #[test]
        fn any_text_stays_a_comment(text in text(), value in text()) {
            let mut setting = Block::default();
            setting.table("table").set("text", value.as_str());
            let mut block = Block::default();
            block.comment(&text).item(&text).append(&setting.commented_out());
            block.comment_array_table("tables").comment_setting("text", value.as_str()).comment_setting("texts", vec![value]);
            prop_assert!(block.as_str().parse::<toml::Table>().unwrap().is_empty());
        }
    }
}
