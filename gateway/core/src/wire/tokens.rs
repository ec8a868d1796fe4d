//! The tokens of a JSON text, one after another, as they are written: for who goes through all of it once, however deep it is, and
//! changes nothing that is to stay.

use super::scan;

/// What is left of a JSON text.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    rest: &'a str,
}

/// The tokens of `json`: brackets, commas and colons, texts with their quotes, numbers and words. It must be one JSON text: of what is
/// none, nothing is promised but an end.
pub fn tokens(json: &str) -> Tokens<'_> {
    Tokens { rest: json }
}

impl<'a> Tokens<'a> {
    /// Passes over what is left of the value that begins with `first`.
    pub fn skip_value(&mut self, first: &str) {
        let mut open = usize::from(matches!(first, "{" | "["));
        while open > 0 {
            match self.next() {
                Some("{" | "[") => open += 1,
                Some("}" | "]") => open -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_ascii_start();
        let end = match text.as_bytes().first()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => scan::past_text(text.as_bytes(), 0).unwrap_or(text.len()),
            _ => {
                let is_over = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
                text.bytes().position(|byte| is_over(&byte)).unwrap_or(text.len())
            }
        };
        let (token, rest) = text.split_at(end);
        self.rest = rest;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_as_they_are_written() {
        let json = " {\"a\\\"\" : [1e400,-0 , true,null\n], \"\u{e4},]\":{\t}} ";
        let all: Vec<&str> = tokens(json).collect();
        let written = [
            "{",
            "\"a\\\"\"",
            ":",
            "[",
            "1e400",
            ",",
            "-0",
            ",",
            "true",
            ",",
            "null",
            "]",
            ",",
            "\"\u{e4},]\"",
            ":",
            "{",
            "}",
            "}",
        ];
        assert_eq!(all, written);
    }

    #[test]
    fn a_value_is_passed_over_however_deep_it_is() {
        for value in ["1", "\"]\"", "[]", "{\"a\":[{}, \"}\"]}", &["[".repeat(100_000), "]".repeat(100_000)].concat()] {
            let json = format!("{value} , 2");
            let mut tokens = tokens(&json);
            let first = tokens.next().unwrap();
            tokens.skip_value(first);
            assert_eq!(tokens.collect::<Vec<_>>(), [",", "2"]);
        }
    }

    #[test]
    fn what_is_no_json_ends_all_the_same() {
        for text in ["", "\"", "{\"a", "\u{a0}", "]]]", "nul\u{0}", "\"\\"] {
            assert!(tokens(text).count() <= text.len(), "{text}");
            tokens(text).skip_value("[");
        }
    }
}
