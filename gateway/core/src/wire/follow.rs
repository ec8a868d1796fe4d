//! Reads a JSON-RPC answer while it comes, piece by piece, and keeps nothing of it but where some of its members stand. What it takes
//! is JSON, as far as it has come.

use std::{ops::Range, str};

use super::{BadEnvelope, scan::at_special};

/// Objects and arrays in each other beyond this are refused: each costs a byte for as long as it is open.
const DEEPEST: usize = 1 << 20;
/// Bytes of a key that may be one of those that are looked for: each of its letters may be written as an escape.
const LONGEST_KEY: usize = 6 * "resultType".len();

/// A member that is looked for: those of the answer, and behind them those of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    Jsonrpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    ResultType,
    IsError,
}

/// An answer that is coming.
#[derive(Debug, Default)]
pub struct Follower {
    /// Bytes that have come.
    at: usize,
    state: State,
    /// What the next byte is in, outermost first: whether each is an object.
    within: Vec<bool>,
    /// What has come of the key that is being read, where it may be one that is looked for.
    key: Vec<u8>,
    /// The member that is being read, of the answer and of its result.
    outer: Option<Member>,
    inner: Option<Member>,
    /// Where members stand; without an end those that are still coming.
    found: [Option<(usize, Option<usize>)>; 8],
    has_twin: bool,
    is_error: bool,
    /// The beginning of a character whose end is still to come.
    cut: Vec<u8>,
}

/// What may come next.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// The answer itself.
    #[default]
    Start,
    Value,
    /// Or the end of the array.
    FirstValue,
    Key,
    /// Or the end of the object.
    FirstKey,
    Colon,
    /// A comma, or the end of what it is in.
    After,
    /// More of a text, or of a key.
    Text {
        is_key: bool,
        escape: Escape,
    },
    Number(Number),
    /// Of `true`, `false` or `null`, so many bytes have come.
    Word(&'static [u8], usize),
    /// Nothing but space.
    Over,
}

#[derive(Clone, Copy, Debug)]
enum Escape {
    No,
    /// What is escaped.
    Begun,
    /// So many hexadecimal digits.
    Digits(u8),
}

/// What was the last of a number.
#[derive(Clone, Copy, Debug)]
enum Number {
    Minus,
    Zero,
    Digit,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

impl Member {
    const OF_ANSWER: [(Self, &str); 6] = [
        (Self::Jsonrpc, "jsonrpc"),
        (Self::Id, "id"),
        (Self::Method, "method"),
        (Self::Params, "params"),
        (Self::Result, "result"),
        (Self::Error, "error"),
    ];
    const OF_RESULT: [(Self, &str); 2] = [(Self::ResultType, "resultType"), (Self::IsError, "isError")];

    /// That of `members` which has this key, as it is written between its quotes.
    fn named(members: &[(Self, &str)], key: &[u8]) -> Option<Self> {
        let key = str::from_utf8(key).ok()?;
        let written = ["\"", key, "\""].concat();
        let key = super::text(&written)?;
        members.iter().find(|(_, name)| *name == key).map(|(member, _)| *member)
    }
}

impl Number {
    /// With one more byte; `None` where that is none of the number.
    fn with(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Digit, b'0'..=b'9') => Self::Digit,
            (Self::Zero | Self::Digit, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Digit | Self::Fraction, b'e' | b'E') => Self::E,
            (Self::E, b'+' | b'-') => Self::Sign,
            (Self::E | Self::Sign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
            _ => return None,
        })
    }

    fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Digit | Self::Fraction | Self::Exponent)
    }
}

impl Follower {
    /// Reads what has come.
    ///
    /// # Errors
    /// No JSON object begins so.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BadEnvelope> {
        self.check_characters(bytes)?;
        let begun = self.at;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            self.at = begun + at;
            at = match self.state {
                State::Text { is_key, escape: Escape::No } => {
                    let end = at_special(bytes, at);
                    self.note_key(is_key, &bytes[at..end]);
                    self.at = begun + end;
                    if let Some(special) = bytes.get(end) {
                        self.in_text(is_key, Escape::No, *special)?;
                    }
                    end + 1
                }
                State::Text { is_key, escape } => {
                    self.in_text(is_key, escape, byte)?;
                    at + 1
                }
                State::Number(number) => match number.with(byte) {
                    Some(number) => {
                        self.state = State::Number(number);
                        at + 1
                    }
                    // The byte is what comes after it.
                    None if number.may_end() => {
                        self.end(self.at);
                        at
                    }
                    None => return Err(self.bad("a number breaks off")),
                },
                State::Word(word, read) => {
                    self.in_word(word, read, byte)?;
                    at + 1
                }
                _ if matches!(byte, b' ' | b'\n' | b'\t' | b'\r') => at + 1,
                _ => {
                    self.token(byte)?;
                    at + 1
                }
            };
        }
        self.at = begun + bytes.len();
        Ok(())
    }

    /// Bytes that have come.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Whether it has come whole.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Where the value of a member stands, if it has come.
    pub fn found(&self, member: Member) -> Option<Range<usize>> {
        let (start, end) = self.found[member as usize]?;
        Some(start..end?)
    }

    /// Whether a member has come, or begun to come.
    pub fn has(&self, member: Member) -> bool {
        self.found[member as usize].is_some()
    }

    /// Whether a member of the answer came twice.
    pub fn has_twin(&self) -> bool {
        self.has_twin
    }

    /// Whether it is amid a result that is an object.
    pub fn is_in_result(&self) -> bool {
        self.outer == Some(Member::Result) && self.within.get(1) == Some(&true)
    }

    /// Whether the result says of itself that it is an error.
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    fn bad(&self, why: &str) -> BadEnvelope {
        BadEnvelope::NotJson(format!("{why} at byte {}", self.at))
    }

    /// JSON is UTF-8 (RFC 8259, section 8.1).
    fn check_characters(&mut self, mut bytes: &[u8]) -> Result<(), BadEnvelope> {
        while let (false, Some((first, rest))) = (self.cut.is_empty(), bytes.split_first()) {
            self.cut.push(*first);
            bytes = rest;
            match str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_none() => (),
                Err(_) => return Err(self.bad("no UTF-8 stands")),
            }
        }
        match str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() => {
                self.cut.extend_from_slice(&bytes[error.valid_up_to()..]);
                Ok(())
            }
            Err(_) => Err(self.bad("no UTF-8 stands")),
        }
    }

    /// A byte that is no space, outside of texts, numbers and words.
    fn token(&mut self, byte: u8) -> Result<(), BadEnvelope> {
        let is_in_object = self.within.last() == Some(&true);
        match (self.state, byte) {
            (State::Start, b'{') | (State::Value | State::FirstValue, _) if byte != b']' => self.begin(byte),
            (State::FirstValue, b']') | (State::FirstKey, b'}') => self.close(),
            (State::Key | State::FirstKey, b'"') => {
                self.key.clear();
                self.state = State::Text { is_key: true, escape: Escape::No };
                Ok(())
            }
            (State::Colon, b':') => {
                self.state = State::Value;
                Ok(())
            }
            (State::After, b',') => {
                self.state = if is_in_object { State::Key } else { State::Value };
                Ok(())
            }
            (State::After, b'}') if is_in_object => self.close(),
            (State::After, b']') if !is_in_object => self.close(),
            _ => Err(self.bad("something else is expected")),
        }
    }

    /// The first byte of a value.
    fn begin(&mut self, byte: u8) -> Result<(), BadEnvelope> {
        // A `null` in the place of these says that they are not there.
        let may_be_absent = |member| byte == b'n' && matches!(member, Member::Error | Member::Method);
        if let Some(member) = self.member().filter(|member| !may_be_absent(*member)) {
            let found = &mut self.found[member as usize];
            self.has_twin |= found.is_some() && self.within.len() == 1;
            *found = Some((self.at, None));
        }
        self.state = match byte {
            b'{' | b'[' => {
                if self.within.len() >= DEEPEST {
                    return Err(self.bad("objects and arrays are nested too deeply"));
                }
                self.within.push(byte == b'{');
                if byte == b'{' { State::FirstKey } else { State::FirstValue }
            }
            b'"' => State::Text { is_key: false, escape: Escape::No },
            b'-' => State::Number(Number::Minus),
            b'0' => State::Number(Number::Zero),
            b'1'..=b'9' => State::Number(Number::Digit),
            b't' => State::Word(b"true", 1),
            b'f' => State::Word(b"false", 1),
            b'n' => State::Word(b"null", 1),
            _ => return Err(self.bad("a value is expected")),
        };
        Ok(())
    }

    fn close(&mut self) -> Result<(), BadEnvelope> {
        self.within.pop();
        self.end(self.at + 1);
        Ok(())
    }

    /// A value ends at `end`.
    fn end(&mut self, end: usize) {
        if let Some(member) = self.member()
            && let Some((_, is_coming)) = &mut self.found[member as usize]
        {
            *is_coming = Some(end);
        }
        match self.within.len() {
            1 => self.outer = None,
            2 => self.inner = None,
            _ => (),
        }
        self.state = if self.within.is_empty() { State::Over } else { State::After };
    }

    /// The member whose value is being read, if it is one that is looked for.
    fn member(&self) -> Option<Member> {
        match self.within.len() {
            1 => self.outer,
            2 => self.inner,
            _ => None,
        }
    }

    /// A byte of a text that is not just one of its letters.
    fn in_text(&mut self, is_key: bool, escape: Escape, byte: u8) -> Result<(), BadEnvelope> {
        let escape = match (escape, byte) {
            (Escape::No, b'"') => {
                match is_key {
                    true => self.end_key(),
                    false => self.end(self.at + 1),
                }
                return Ok(());
            }
            (Escape::No, b'\\') => Escape::Begun,
            (Escape::No, _) => return Err(self.bad("a control character stands in a text")),
            (Escape::Begun, b'u') => Escape::Digits(4),
            (Escape::Begun, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Escape::No,
            (Escape::Digits(1), digit) if digit.is_ascii_hexdigit() => Escape::No,
            (Escape::Digits(left), digit) if digit.is_ascii_hexdigit() => Escape::Digits(left - 1),
            (Escape::Begun | Escape::Digits(_), _) => return Err(self.bad("there is no such escape")),
        };
        self.note_key(is_key, &[byte]);
        self.state = State::Text { is_key, escape };
        Ok(())
    }

    fn note_key(&mut self, is_key: bool, part: &[u8]) {
        let is_looked_for = self.within.len() == 1 || self.is_in_result() && self.within.len() == 2;
        // One byte more shows that it is none of them.
        if is_key && is_looked_for && self.key.len() <= LONGEST_KEY {
            let most = part.len().min(LONGEST_KEY + 1);
            self.key.extend_from_slice(&part[..most]);
        }
    }

    fn end_key(&mut self) {
        match self.within.len() {
            1 => self.outer = Member::named(&Member::OF_ANSWER, &self.key),
            2 if self.is_in_result() => self.inner = Member::named(&Member::OF_RESULT, &self.key),
            _ => (),
        }
        self.state = State::Colon;
    }

    fn in_word(&mut self, word: &'static [u8], read: usize, byte: u8) -> Result<(), BadEnvelope> {
        if word[read] != byte {
            return Err(self.bad("there is no such word"));
        }
        if read + 1 < word.len() {
            self.state = State::Word(word, read + 1);
            return Ok(());
        }
        if self.member() == Some(Member::IsError) {
            self.is_error = word == b"true";
        }
        self.end(self.at + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(pieces: &[&[u8]]) -> Result<Follower, BadEnvelope> {
        let mut follower = Follower::default();
        pieces.iter().try_for_each(|piece| follower.push(piece))?;
        Ok(follower)
    }

    #[test]
    fn members_stand_where_they_are_wherever_it_is_cut() {
        let text = concat!(
            r#" {"x":{"id":0,"result":{"isError":true}},"jsonrpc":"2.0" ,"\u0069d": -1.5e+7,"result":{"a":[{"isError":true},"#,
            r#""é€𝄞\uD834\"",null],"isErr\u006fr" : true,"resultType":"complete"},"y":[]} "#
        );
        for size in 1..text.len() {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let follower = followed(&pieces).unwrap();
            assert!(follower.is_over() && follower.is_error() && !follower.has_twin(), "{size}");
            let at = |member| follower.found(member).map(|at| &text[at]);
            assert_eq!(at(Member::Jsonrpc), Some(r#""2.0""#));
            assert_eq!(at(Member::Id), Some("-1.5e+7"));
            assert_eq!(at(Member::ResultType), Some(r#""complete""#));
            assert_eq!(at(Member::IsError), Some("true"));
            assert!(at(Member::Result).unwrap().ends_with("plete\"}"));
            assert_eq!((at(Member::Method), at(Member::Error)), (None, None));
        }
    }

    #[test]
    fn what_is_still_coming_is_not_over() {
        let check = |text: &str, is_in_result| {
            let follower = followed(&[text.as_bytes()]).unwrap();
            assert_eq!((follower.is_over(), follower.is_in_result()), (false, is_in_result), "{text}");
        };
        check("", false);
        check(r#"{"id":1,"result":"#, false);
        check(r#"{"id":1,"result":{"#, true);
        check(r#"{"id":1,"result":{"a":[{"b"#, true);
        check(r#"{"id":1,"result":["#, false);
        check(r#"{"id":1,"result":{}"#, false);
        check(r#"{"result":{},"x":{"#, false);
        let twins = followed(&[br#"{"result":{},"result":{"isError":null,"isError":false}}"#]).unwrap();
        assert!(twins.has_twin() && twins.is_over() && !twins.is_error());
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_shows() {
        let check = |text: &[u8], why: &str| {
            let refused = followed(&[text]).unwrap_err().to_string();
            assert_eq!(refused, format!("the body is no JSON: {why}"), "{}", String::from_utf8_lossy(text));
            let pieces: Vec<&[u8]> = text.chunks(1).collect();
            assert!(followed(&pieces).is_err());
        };
        check(b"[]", "something else is expected at byte 0");
        check(br#"{"a":1,}"#, "something else is expected at byte 7");
        check(br#"{"a":[1,]}"#, "something else is expected at byte 8");
        check(br#"{"a":1} 2"#, "something else is expected at byte 8");
        check(br#"{"a":01}"#, "something else is expected at byte 6");
        check(br#"{"a":1.}"#, "a number breaks off at byte 7");
        check(br#"{"a":nul}"#, "there is no such word at byte 8");
        check(br#"{"a":x}"#, "a value is expected at byte 5");
        check(b"{\"a\":\"\t\"}", "a control character stands in a text at byte 6");
        check(br#"{"a":"\x"}"#, "there is no such escape at byte 7");
        check(b"{\"a\":\"\xff\"}", "no UTF-8 stands at byte 0");
        let deep = [r#"{"a":"#, &"[".repeat(DEEPEST)].concat();
        let refused = followed(&[deep.as_bytes()]).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("the body is no JSON: objects and arrays are nested too deeply at byte {}", deep.len() - 1)
        );
    }
}
