//! URI templates: whether a client may have made a URI by expanding one. Expands nothing, and looks for no values.
//!
//! Matching never backtracks: it carries the set of all places up to which the template may have come, so its time is the
//! length of the template times that of the URI.
//!
//! Source: RFC 6570, levels 1 to 4.

/// Bytes of a URI; a longer one matches nothing.
const MOST: usize = 16 * 1024;

/// A template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    parts: Vec<Part>,
}

/// Why a text is no URI template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no URI template (RFC 6570)")]
pub struct BadTemplate(pub String);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Vec<Token>),
    Expression { operator: Operator, variables: Vec<Variable> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    name: Vec<Token>,
    /// `*`: a list or a table in pieces.
    explode: bool,
    /// `:n`: so many characters at most.
    most: usize,
}

/// What stands first in an expression (RFC 6570, appendix A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Simple,
    Reserved,
    Fragment,
    Label,
    Segment,
    Parameter,
    Query,
    Continuation,
}

/// A byte as a URI holds it: as it is, or as a triplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Plain(u8),
    Encoded(u8),
}

/// The places in a URI, counted in tokens, that the template may have come to.
type Reached = Vec<bool>;

impl UriTemplate {
    /// Reads a template.
    pub fn parse(template: &str) -> Result<Self, BadTemplate> {
        let bad = || BadTemplate(template.to_owned());
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once('{') {
            let (expression, after) = after.split_once('}').ok_or_else(bad)?;
            parts.push(literal_part(literal).ok_or_else(bad)?);
            parts.push(expression_part(expression).ok_or_else(bad)?);
            rest = after;
        }
        parts.push(literal_part(rest).ok_or_else(bad)?);
        Ok(Self { parts })
    }

    /// Whether `uri` may be an expansion of this template: with texts or lists for its variables, any of them left out.
    pub fn matches(&self, uri: &str) -> bool {
        if uri.len() > MOST {
            return false;
        }
        let uri = tokens(uri);
        let mut reached = vec![false; uri.len() + 1];
        reached[0] = true;
        for part in &self.parts {
            reached = match part {
                Part::Literal(literal) => after_literal(&uri, &reached, literal),
                Part::Expression { operator, variables } => after_expression(&uri, &reached, *operator, variables),
            };
        }
        reached[uri.len()]
    }

    /// How much of it is fixed: of two templates that match, the one with more says more about the URI.
    pub fn fixed(&self) -> usize {
        let fixed = |part: &Part| match part {
            Part::Literal(literal) => literal.len(),
            Part::Expression { .. } => 0,
        };
        self.parts.iter().map(fixed).sum()
    }
}

fn literal_part(literal: &str) -> Option<Part> {
    (!literal.contains('}')).then(|| Part::Literal(tokens(literal)))
}

fn expression_part(expression: &str) -> Option<Part> {
    let first = expression.bytes().next()?;
    let operator = match first {
        b'+' => Operator::Reserved,
        b'#' => Operator::Fragment,
        b'.' => Operator::Label,
        b'/' => Operator::Segment,
        b';' => Operator::Parameter,
        b'?' => Operator::Query,
        b'&' => Operator::Continuation,
        // RFC 6570 keeps these for later.
        b'=' | b',' | b'!' | b'@' | b'|' => return None,
        _ => Operator::Simple,
    };
    let list = if operator == Operator::Simple { expression } else { &expression[1..] };
    let variables: Option<Vec<Variable>> = list.split(',').map(variable).collect();
    Some(Part::Expression { operator, variables: variables? })
}

fn variable(text: &str) -> Option<Variable> {
    let (name, explode) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
    let (name, most) = match name.split_once(':') {
        // An exploded value has no prefix.
        Some(_) if explode => return None,
        Some((name, most)) => (name, most.parse().ok().filter(|most| (1..10_000).contains(most))?),
        None => (name, usize::MAX),
    };
    // More than RFC 6570 allows: servers call their variables what they like.
    let is_name = !name.is_empty() && !name.contains(['{', ':', '*', '+', '#', '/', ';', '?', '&', '=', ' ']);
    is_name.then(|| Variable { name: tokens(name), explode, most })
}

impl Operator {
    /// What stands before the first value.
    fn first(self) -> Option<u8> {
        match self {
            Self::Simple | Self::Reserved => None,
            Self::Fragment => Some(b'#'),
            Self::Label => Some(b'.'),
            Self::Segment => Some(b'/'),
            Self::Parameter => Some(b';'),
            Self::Query => Some(b'?'),
            Self::Continuation => Some(b'&'),
        }
    }

    /// What stands between two values.
    fn separator(self) -> u8 {
        match self {
            Self::Simple | Self::Reserved | Self::Fragment => b',',
            Self::Label => b'.',
            Self::Segment => b'/',
            Self::Parameter => b';',
            Self::Query | Self::Continuation => b'&',
        }
    }

    /// Whether a value stands behind its variable's name.
    fn is_named(self) -> bool {
        matches!(self, Self::Parameter | Self::Query | Self::Continuation)
    }

    /// Whether a value may hold this. A comma stands between the entries of a list.
    fn allows(self, token: Token) -> bool {
        match token {
            Token::Encoded(_) | Token::Plain(b',') => true,
            Token::Plain(byte) if is_unreserved(byte) => true,
            Token::Plain(byte) => matches!(self, Self::Reserved | Self::Fragment) && is_reserved(byte),
        }
    }
}

/// The bytes of a URI, or of a literal of a template. What no URI can hold counts as encoded, for clients that forget to.
fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let triplet = (byte == b'%').then(|| digit(at + 1).zip(digit(at + 2))).flatten();
        at += if triplet.is_some() { 3 } else { 1 };
        tokens.push(match triplet {
            Some((high, low)) => Token::Encoded(u8::try_from(high * 16 + low).expect("two hexadecimal digits")),
            None if is_unreserved(byte) || is_reserved(byte) => Token::Plain(byte),
            None => Token::Encoded(byte),
        });
    }
    tokens
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=".contains(&byte)
}

fn after_literal(uri: &[Token], reached: &Reached, literal: &[Token]) -> Reached {
    let mut after = vec![false; reached.len()];
    for at in (0..reached.len()).filter(|at| reached[*at]) {
        if uri[at..].starts_with(literal) {
            after[at + literal.len()] = true;
        }
    }
    after
}

/// The places after a run of allowed tokens, so many characters at most; an empty run too.
fn after_run(uri: &[Token], reached: &Reached, most: usize, allows: impl Fn(Token) -> bool) -> Reached {
    let mut after = vec![false; reached.len()];
    // Characters since the last place from which the run may have begun.
    let mut run: Option<usize> = None;
    for at in 0..reached.len() {
        if reached[at] {
            run = Some(0);
        }
        after[at] = run.is_some();
        run = match (run, uri.get(at)) {
            (Some(length), Some(token)) if allows(*token) => {
                // The bytes after the first of a character of UTF-8 are no characters of their own.
                let inside = matches!(token, Token::Encoded(0x80..=0xbf));
                Some(length + usize::from(!inside)).filter(|length| *length <= most)
            }
            _ => None,
        };
    }
    after
}

fn after_expression(uri: &[Token], reached: &Reached, operator: Operator, variables: &[Variable]) -> Reached {
    let first = operator.first().map(Token::Plain);
    let separator = [Token::Plain(operator.separator())];
    // Apart, because the first value that is there begins otherwise than the others.
    let before_any = after_literal(uri, reached, first.as_slice());
    let mut after_some = vec![false; reached.len()];
    for variable in variables {
        let begin = union(&before_any, &after_literal(uri, &after_some, &separator));
        after_some = union(&after_some, &after_value(uri, &begin, operator, variable));
    }
    union(reached, &after_some)
}

fn after_value(uri: &[Token], begin: &Reached, operator: Operator, variable: &Variable) -> Reached {
    let separator = operator.separator();
    if variable.explode {
        // The keys of a table stand in it as well.
        let allows =
            |token| operator.allows(token) || matches!(token, Token::Plain(byte) if byte == separator || byte == b'=');
        return after_run(uri, begin, usize::MAX, allows);
    }
    let allows = |token| operator.allows(token);
    if !operator.is_named() {
        return after_run(uri, begin, variable.most, allows);
    }
    let named = after_literal(uri, begin, &variable.name);
    let filled = after_run(uri, &after_literal(uri, &named, &[Token::Plain(b'=')]), variable.most, allows);
    match operator {
        // An empty value has no `=` here.
        Operator::Parameter => union(&named, &filled),
        _ => filled,
    }
}

fn union(one: &Reached, other: &Reached) -> Reached {
    one.iter().zip(other).map(|(one, other)| *one || *other).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(template: &str, uri: &str, expected: bool) {
        let template = UriTemplate::parse(template).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(template.matches(uri), expected, "{template:?} {uri}");
    }

    /// Expansions that RFC 6570 gives in sections 1.2 and 3.2.
    #[test]
    fn the_examples_of_the_rfc() {
        for (template, expansions) in [
            ("{var}", &["value"][..]),
            ("{hello}", &["Hello%20World%21"]),
            ("{+hello}", &["Hello%20World!"]),
            ("{+path}/here", &["/foo/bar/here"]),
            ("here?ref={+path}", &["here?ref=/foo/bar"]),
            ("X{#var}", &["X#value", "X"]),
            ("X{#hello}", &["X#Hello%20World!"]),
            ("map?{x,y}", &["map?1024,768", "map?1024", "map?"]),
            ("{+x,hello,y}", &["1024,Hello%20World!,768"]),
            ("{+path,x}/here", &["/foo/bar,1024/here"]),
            ("{#path,x}/here", &["#/foo/bar,1024/here"]),
            ("X{.x,y}", &["X.1024.768", "X.1024", "X"]),
            ("{/var,x}/here", &["/value/1024/here", "/value/here", "/here"]),
            ("{;x,y}", &[";x=1024;y=768", ";y=768", ""]),
            ("{;x,y,empty}", &[";x=1024;y=768;empty"]),
            ("{?x,y}", &["?x=1024&y=768", "?y=768", "?x=1024", ""]),
            ("{?x,y,empty}", &["?x=1024&y=768&empty="]),
            ("?fixed=yes{&x}", &["?fixed=yes&x=1024", "?fixed=yes"]),
            ("{&x,y,empty}", &["&x=1024&y=768&empty="]),
            ("{var:3}", &["val"]),
            ("{list}", &["red,green,blue"]),
            ("{list*}", &["red,green,blue"]),
            ("{keys*}", &["semi=%3B,dot=.,comma=%2C"]),
            ("{+path:6}/here", &["/foo/b/here"]),
            ("X{.list*}", &["X.red.green.blue"]),
            ("{/var:1,var}", &["/v/value"]),
            ("{/list*,path:4}", &["/red/green/blue/%2Ffoo"]),
            ("{;list*}", &[";list=red;list=green;list=blue"]),
            ("{?list*}", &["?list=red&list=green&list=blue"]),
            ("{?keys*}", &["?semi=%3B&dot=.&comma=%2C"]),
            ("{&keys*}", &["&semi=%3B&dot=.&comma=%2C"]),
        ] {
            expansions.iter().for_each(|uri| check(template, uri, true));
        }
    }

    #[test]
    fn what_no_expansion_gives_does_not_match() {
        for (template, uris) in [
            ("file:///{path}", &["file:///a/b", "file:///a?b", "file:///a:b", "http:///a", "file://"][..]),
            ("test://{id}/data", &["test://1/2/data", "test://1/date", "test://1/data/", "est://1/data"]),
            ("{?x,y}", &["?y=1&x=2", "?x", "?z=1", "x=1", "?x=1&y=2&x=3", "?x=1/2"]),
            ("a{&x}", &["a?x=1"]),
            ("{;x}", &[";xy", ";y"]),
            ("{var:3}", &["valu"]),
            ("{+x:3}", &["%C3%A9aaa"]),
            ("X{.x}", &["X/1", "Xy"]),
            ("fixed", &["fixed2", "fixe", ""]),
        ] {
            uris.iter().for_each(|uri| check(template, uri, false));
        }
    }

    #[test]
    fn letters_that_no_uri_holds_count_as_encoded() {
        check("note://{title}", "note://ein schöner Tag", true);
        check("note://ö/{title}", "note://%c3%b6/x", true);
        check("note://ö/{title}", "note://ö/x", true);
        check("{a:1}", "é", true);
        check("{a}", "50%", true);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["{", "a}", "{}", "{=a}", "{|a}", "{a:0}", "{a:10000}", "{a:x}", "{a:3*}", "{a,}", "{{a}}", "{+}"] {
            assert_eq!(UriTemplate::parse(text), Err(BadTemplate(text.into())));
        }
    }

    #[test]
    fn a_hostile_pair_is_matched_in_no_time() {
        let template = UriTemplate::parse(&"{+a}{+b}x".repeat(200)).unwrap();
        assert!(!template.matches(&"x".repeat(199)));
        assert!(template.matches(&"x".repeat(4000)));
        assert!(!UriTemplate::parse("{a}").unwrap().matches(&"x".repeat(MOST + 1)));
    }

    /// `text` as RFC 6570, section 3.2.1 puts it into an expansion.
    fn encoded(text: &str, reserved: bool) -> String {
        let as_it_is = |byte: &u8| is_unreserved(*byte) || (reserved && is_reserved(*byte));
        let byte = |byte: u8| if as_it_is(&byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect()
    }

    /// The expansion of one expression by the algorithm of RFC 6570, section 3.2.1; a variable without a value is undefined.
    fn expanded(operator: &str, values: &[(String, Option<String>)]) -> String {
        let (first, separator, named, if_empty, reserved) = match operator {
            "+" => ("", ",", false, "", true),
            "#" => ("#", ",", false, "", true),
            "." => (".", ".", false, "", false),
            "/" => ("/", "/", false, "", false),
            ";" => (";", ";", true, "", false),
            "?" => ("?", "&", true, "=", false),
            "&" => ("&", "&", true, "=", false),
            _ => ("", ",", false, "", false),
        };
        let there = values.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let items: Vec<String> = there
            .map(|(name, value)| match (named, value.is_empty()) {
                (false, _) => encoded(value, reserved),
                (true, true) => format!("{name}{if_empty}"),
                (true, false) => format!("{name}={}", encoded(value, reserved)),
            })
            .collect();
        if items.is_empty() { String::new() } else { [first, &items.join(separator)].concat() }
    }

    proptest! {
        /// What a client makes of a template is found again.
        #[test]
        fn an_expansion_matches(
            literals in proptest::collection::vec("[a-z:/é]{0,5}", 4),
            expressions in proptest::collection::vec(
                ("[+#./;?&]?", proptest::collection::vec(("[a-z]{1,3}", proptest::option::of(".{0,6}")), 1..4)),
                0..4,
            ),
        ) {
            let (mut template, mut uri) = (String::new(), String::new());
            for (literal, (operator, values)) in literals.iter().zip(&expressions) {
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                template.push_str(&format!("{literal}{{{operator}{}}}", names.join(",")));
                uri.push_str(&encoded(literal, true));
                uri.push_str(&expanded(operator, values));
            }
            prop_assert!(UriTemplate::parse(&template).unwrap().matches(&uri), "{} {}", template, uri);
        }

        #[test]
        fn any_text_is_read_or_refused(template in ".{0,30}", uri in ".{0,30}") {
            if let Ok(template) = UriTemplate::parse(&template) {
                template.matches(&uri);
            }
        }
    }
}
