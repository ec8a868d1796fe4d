//! A configuration file as its user wrote it: JSON with comments and trailing commas, edited member by member, everything else
//! byte for byte as it was. Does not know what the members mean.

mod layout;

use std::ops::Range;

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{self, ObjectPropName},
    parse_to_ast,
    tokens::{Token, TokenAndRange},
};
use serde_json::Value;

use self::layout::{Container, Layout, Splice};

/// Editors of some systems start a file with it.
const BOM: &str = "\u{feff}";

/// The text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    bom: bool,
    text: String,
}

/// Why a text is none that can be edited. Both start to count at 1.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {reason}")]
pub struct NotJsonc {
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

/// A member is not what it must be to be changed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Misshapen {
    #[error("`{0}` is no object")]
    NoObject(String),
    #[error("`{0}` is no array")]
    NoArray(String),
    #[error("`{0}` stands there twice")]
    Twin(String),
}

/// A text in a document.
#[derive(Clone, Debug)]
pub(super) struct Text {
    /// That lead to it; an element of an array adds none.
    pub(super) keys: Vec<String>,
    pub(super) value: String,
    /// The bytes between its quotation marks.
    pub(super) at: Range<usize>,
}

/// Where a path leads, as far as it leads.
struct Found<'a> {
    value: &'a ast::Value<'a>,
    /// Members of the path that there are.
    depth: usize,
    /// The member that holds the value; absent for the root.
    member: Option<(&'a ast::Object<'a>, usize)>,
}

impl Document {
    /// Takes the text of a file. One without any value counts as an empty object.
    ///
    /// # Errors
    /// Where it is no JSON, comments and trailing commas aside.
    pub fn parse(text: &str) -> Result<Self, NotJsonc> {
        let (bom, text) = match text.strip_prefix(BOM) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let parsed = parse_to_ast(text, &collect(), &rules()).map_err(|error| NotJsonc {
            line: error.line_display(),
            column: error.column_display(),
            reason: error.kind().to_string(),
        })?;
        match parsed.value {
            None | Some(ast::Value::Object(_)) => Ok(Self { bom, text: text.to_owned() }),
            Some(_) => Err(NotJsonc { line: 1, column: 1, reason: "the file holds no object".into() }),
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        [if self.bom { BOM } else { "" }, &self.text].concat()
    }

    /// Whether it is plain JSON, which every client reads.
    pub fn is_plain(&self) -> bool {
        !self.bom && serde_json::from_str::<serde::de::IgnoredAny>(&self.text).is_ok()
    }

    /// The value at `path`.
    ///
    /// # Errors
    /// A key of the path stands twice in its object: which of the two counts, each reader decides for itself.
    pub fn get(&self, path: &[&str]) -> Result<Option<Value>, Misshapen> {
        let (root, _) = self.tree();
        let Some(root) = &root else { return Ok(None) };
        let found = find(root, path)?;
        Ok((found.depth == path.len()).then(|| found.value.clone().into()))
    }

    /// Makes `value` the member at `path`, with the objects that lead to it. Says whether that changed anything.
    ///
    /// # Errors
    /// Something on the way is no object.
    pub fn set(&mut self, path: &[&str], value: &Value) -> Result<bool, Misshapen> {
        let (root, tokens) = self.tree();
        let layout = Layout::of(&self.text);
        let splices = match &root {
            None => vec![layout.whole(&nested(path, value))],
            Some(root) => {
                let found = find(root, path)?;
                let there: Value = found.value.clone().into();
                match (found.depth == path.len(), found.value) {
                    (true, _) if there == *value => return Ok(false),
                    (true, now) => vec![layout.replaced(&range(now), value)],
                    (false, ast::Value::Object(object)) => {
                        let rest = nested(&path[found.depth + 1..], value);
                        let container = Container::of_object(object, &tokens);
                        layout.added(&container, Some(path[found.depth]), &rest)
                    }
                    (false, _) => return Err(Misshapen::NoObject(path[..found.depth].join("."))),
                }
            }
        };
        self.text = layout::apply(&self.text, splices);
        Ok(true)
    }

    /// Takes the member at `path` out. Says whether it was there.
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn remove(&mut self, path: &[&str]) -> Result<bool, Misshapen> {
        let (root, tokens) = self.tree();
        let Some(root) = &root else { return Ok(false) };
        let found = find(root, path)?;
        let (Some((object, at)), true) = (found.member, found.depth == path.len()) else { return Ok(false) };
        let container = Container::of_object(object, &tokens);
        let splices = Layout::of(&self.text).removed(&container, at);
        self.text = layout::apply(&self.text, splices);
        Ok(true)
    }

    /// Adds `element` to the array at `path`, which is made where there is none, unless one like it is there.
    ///
    /// # Errors
    /// What is there is no array.
    pub fn push(&mut self, path: &[&str], element: &Value) -> Result<bool, Misshapen> {
        let (root, tokens) = self.tree();
        let found = root.as_ref().map(|root| find(root, path)).transpose()?;
        let Some(found) = found.filter(|found| found.depth == path.len()) else {
            return self.set(path, &Value::Array(vec![element.clone()]));
        };
        let ast::Value::Array(array) = found.value else { return Err(Misshapen::NoArray(path.join("."))) };
        if array.elements.iter().any(|known| Value::from(known.clone()) == *element) {
            return Ok(false);
        }
        let container = Container::of_array(array, &tokens);
        let splices = Layout::of(&self.text).added(&container, None, element);
        self.text = layout::apply(&self.text, splices);
        Ok(true)
    }

    /// Takes the first element like `element` out of the array at `path`. Says whether it was there.
    ///
    /// # Errors
    /// As [`Document::get`].
    pub fn pull(&mut self, path: &[&str], element: &Value) -> Result<bool, Misshapen> {
        let (root, tokens) = self.tree();
        let Some(root) = &root else { return Ok(false) };
        let found = find(root, path)?;
        let (ast::Value::Array(array), true) = (found.value, found.depth == path.len()) else { return Ok(false) };
        let at = array.elements.iter().position(|known| Value::from(known.clone()) == *element);
        let Some(at) = at else { return Ok(false) };
        let container = Container::of_array(array, &tokens);
        let splices = Layout::of(&self.text).removed(&container, at);
        self.text = layout::apply(&self.text, splices);
        Ok(true)
    }

    /// Each text that stands in it as a value.
    pub(super) fn texts(&self) -> Vec<Text> {
        let (root, _) = self.tree();
        let mut texts = Vec::new();
        if let Some(root) = &root {
            walk(root, &mut Vec::new(), &mut texts);
        }
        texts
    }

    /// The text behind a BOM, with these bytes of it replaced, for eyes only.
    pub(super) fn with_replaced(&self, replaced: Vec<(Range<usize>, String)>) -> String {
        let splices = replaced.into_iter().map(|(range, text)| Splice { range, text }).collect();
        layout::apply(&self.text, splices)
    }

    fn tree(&self) -> (Option<ast::Value<'_>>, Vec<TokenAndRange<'_>>) {
        let parsed =
            parse_to_ast(&self.text, &collect(), &rules()).expect("edits keep it what it was when it was read");
        (parsed.value, parsed.tokens.unwrap_or_default())
    }
}

impl Container {
    fn of_object(object: &ast::Object<'_>, tokens: &[TokenAndRange<'_>]) -> Self {
        let items = object.properties.iter().map(|member| member.range.start..member.range.end).collect();
        Self::new(object.range.start..object.range.end, items, tokens)
    }

    fn of_array(array: &ast::Array<'_>, tokens: &[TokenAndRange<'_>]) -> Self {
        Self::new(array.range.start..array.range.end, array.elements.iter().map(range).collect(), tokens)
    }

    fn new(range: Range<usize>, items: Vec<Range<usize>>, tokens: &[TokenAndRange<'_>]) -> Self {
        let comma = |item: &Range<usize>| {
            let next = tokens.partition_point(|token| token.range.start < item.end);
            tokens.get(next).filter(|token| token.token == Token::Comma).map(|token| token.range.start)
        };
        let commas = items.iter().map(comma).collect();
        Self { range, items, commas }
    }
}

/// Goes as far along `path` as it leads.
fn find<'a>(root: &'a ast::Value<'a>, path: &[&str]) -> Result<Found<'a>, Misshapen> {
    let mut found = Found { value: root, depth: 0, member: None };
    for key in path {
        let ast::Value::Object(object) = found.value else { break };
        let mut named = (0..object.properties.len()).filter(|at| name(&object.properties[*at].name) == *key);
        let Some(at) = named.next() else { break };
        if named.next().is_some() {
            return Err(Misshapen::Twin(path[..=found.depth].join(".")));
        }
        let depth = found.depth + 1;
        found = Found { value: &object.properties[at].value, depth, member: Some((object, at)) };
    }
    Ok(found)
}

fn walk(value: &ast::Value<'_>, keys: &mut Vec<String>, texts: &mut Vec<Text>) {
    match value {
        ast::Value::StringLit(text) => {
            let at = text.range.start + 1..text.range.end - 1;
            texts.push(Text { keys: keys.clone(), value: text.value.to_string(), at });
        }
        ast::Value::Object(object) => {
            for member in &object.properties {
                keys.push(name(&member.name).to_owned());
                walk(&member.value, keys, texts);
                keys.pop();
            }
        }
        ast::Value::Array(array) => array.elements.iter().for_each(|element| walk(element, keys, texts)),
        ast::Value::NumberLit(_) | ast::Value::BooleanLit(_) | ast::Value::NullKeyword(_) => (),
    }
}

fn name<'a>(name: &'a ObjectPropName<'_>) -> &'a str {
    match name {
        ObjectPropName::String(text) => &text.value,
        ObjectPropName::Word(word) => word.value,
    }
}

fn range(value: &ast::Value<'_>) -> Range<usize> {
    let range = match value {
        ast::Value::StringLit(it) => it.range,
        ast::Value::NumberLit(it) => it.range,
        ast::Value::BooleanLit(it) => it.range,
        ast::Value::Object(it) => it.range,
        ast::Value::Array(it) => it.range,
        ast::Value::NullKeyword(it) => it.range,
    };
    range.start..range.end
}

/// Objects around `value`, one a key.
fn nested(path: &[&str], value: &Value) -> Value {
    path.iter()
        .rev()
        .fold(value.clone(), |value, key| Value::Object([((*key).to_owned(), value)].into_iter().collect()))
}

fn collect() -> CollectOptions {
    CollectOptions { tokens: true, ..CollectOptions::default() }
}

/// What VS Code's own reader takes, and nothing of JSON5.
fn rules() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

#[cfg(test)]
mod tests;
