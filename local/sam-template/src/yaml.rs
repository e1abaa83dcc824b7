//! YAML as a tree of texts, lists, maps and intrinsic calls, each with its line.
//!
//! Scalars keep the characters that were written (`0123`, `1.10`), since CloudFormation takes nearly all of
//! them as texts. `!Sub x` and `{Fn::Sub: x}` become the same call.

use std::rc::Rc;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, Tag, YamlData};

use super::{Problem, TemplateError};

/// How deep values may be nested.
const DEEPEST: usize = 64;

/// How many columns of indentation and block indicators a line may begin with. Each may open one level or
/// two, and the YAML library would overflow the stack on some ten thousand.
const WIDEST_INDENTATION: usize = 256;

/// A value and where it is.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The line, from 1: of the key if it is a member of a map.
    pub(super) line: usize,
    /// The value.
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Null, or `AWS::NoValue`.
    Nothing,
    Text(String),
    List(Rc<[Node]>),
    Map(Rc<[(String, Node)]>),
    /// An intrinsic by its long name, such as `Ref` or `Fn::Sub`, and its argument.
    Call(String, Rc<Node>),
}

impl Node {
    pub(super) fn text(line: usize, text: impl Into<String>) -> Self {
        Self {
            line,
            content: Content::Text(text.into()),
        }
    }

    pub(super) fn nothing(line: usize) -> Self {
        Self {
            line,
            content: Content::Nothing,
        }
    }

    pub(super) fn list(line: usize, items: impl IntoIterator<Item = Node>) -> Self {
        Self {
            line,
            content: Content::List(items.into_iter().collect()),
        }
    }

    /// The members of a map; none if it is none.
    pub(super) fn members(&self) -> &[(String, Node)] {
        match &self.content {
            Content::Map(members) => members,
            _ => &[],
        }
    }

    /// The member `key` of a map as it is written.
    pub(super) fn member(&self, key: &str) -> Option<&Node> {
        self.members()
            .iter()
            .find_map(|(name, node)| (name == key).then_some(node))
    }

    /// The text, if it is one as it is written.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, as a noun phrase.
    pub(super) fn kind(&self) -> String {
        match &self.content {
            Content::Nothing => "nothing".to_owned(),
            Content::Text(text) => format!("the text '{text}'"),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a map".to_owned(),
            Content::Call(name, _) => short(name),
        }
    }
}

/// The short form of an intrinsic's name, such as `!Sub`.
pub(super) fn short(name: &str) -> String {
    format!("!{}", name.strip_prefix("Fn::").unwrap_or(name))
}

/// Reads one YAML document.
pub(super) fn load(text: &str) -> Result<Node, TemplateError> {
    let indicator = |character: &char| " -?:".contains(*character);
    let wide = |line: &str| line.chars().take_while(indicator).count() > WIDEST_INDENTATION;
    if let Some(index) = text.lines().position(wide) {
        return Err(Problem::TooDeep.at(index + 1));
    }
    let documents = MarkedYaml::load_from_str(text)
        .map_err(|error| syntax(error.info()).at(error.marker().line().max(1)))?;
    match documents.as_slice() {
        [document] => {
            let source: Vec<char> = text.chars().collect();
            Reader { source: &source }.node(document, 1)
        }
        [] => Err(syntax("there is nothing in it").at(1)),
        [_, second, ..] => Err(syntax("there is a second document").at(second.span.start.line())),
    }
}

fn syntax(reason: &str) -> Problem {
    Problem::Syntax {
        reason: reason.to_owned(),
    }
}

struct Reader<'t> {
    /// The text by characters, which is what the library counts in.
    source: &'t [char],
}

impl Reader<'_> {
    fn node(&self, yaml: &MarkedYaml, depth: usize) -> Result<Node, TemplateError> {
        let line = yaml.span.start.line().max(1);
        if depth > DEEPEST {
            return Err(Problem::TooDeep.at(line));
        }
        let content = match &yaml.data {
            YamlData::Value(scalar) => self.scalar(yaml, scalar)?,
            YamlData::Sequence(items) => {
                let items: Result<Vec<Node>, _> = items
                    .iter()
                    .map(|item| self.node(item, depth + 1))
                    .collect();
                Content::List(items?.into())
            }
            YamlData::Mapping(members) => {
                let members: Result<Vec<_>, _> = members
                    .iter()
                    .map(|(key, value)| self.member(key, value, depth + 1))
                    .collect();
                map_or_call(members?)
            }
            YamlData::Tagged(tag, inner) => {
                // The library gives a tagged scalar no place of its own.
                let inner = MarkedYaml {
                    span: yaml.span,
                    data: inner.data.clone(),
                };
                tagged(tag, self.node(&inner, depth + 1)?)
            }
            YamlData::BadValue | YamlData::Alias(_) | YamlData::Representation(..) => {
                return Err(syntax("a value does not fit its tag or anchor").at(line));
            }
        };
        Ok(Node { line, content })
    }

    fn member(
        &self,
        key: &MarkedYaml,
        value: &MarkedYaml,
        depth: usize,
    ) -> Result<(String, Node), TemplateError> {
        let key = self.node(key, depth)?;
        let mut value = self.node(value, depth)?;
        value.line = key.line;
        match key.content {
            Content::Text(name) => Ok((name, value)),
            _ => Err(syntax("a key is not a text").at(key.line)),
        }
    }

    fn scalar(&self, yaml: &MarkedYaml, scalar: &Scalar) -> Result<Content, TemplateError> {
        match scalar {
            Scalar::Null => Ok(Content::Nothing),
            Scalar::String(text) => Ok(Content::Text(text.clone().into_owned())),
            Scalar::Boolean(_) | Scalar::Integer(_) | Scalar::FloatingPoint(_) => {
                let place = yaml.span.start.index()..yaml.span.end.index();
                let written: String = self.source.get(place).unwrap_or_default().iter().collect();
                // A tag or an anchor may come before it, and the place of an alias holds only the alias.
                let written = written.split_whitespace().last().unwrap_or_default();
                if Scalar::parse_from_cow(written.into()) == *scalar {
                    Ok(Content::Text(written.to_owned()))
                } else {
                    let line = yaml.span.start.line().max(1);
                    Err(syntax("an alias of a number does not keep its digits").at(line))
                }
            }
        }
    }
}

fn map_or_call(members: Vec<(String, Node)>) -> Content {
    match members.as_slice() {
        [(name, argument)] if is_intrinsic(name, argument) => {
            Content::Call(name.clone(), Rc::new(argument.clone()))
        }
        _ => Content::Map(members.into()),
    }
}

fn is_intrinsic(name: &str, argument: &Node) -> bool {
    // A policy has a map under `Condition`.
    name == "Ref" || name.starts_with("Fn::") || name == "Condition" && argument.as_text().is_some()
}

fn tagged(tag: &Tag, argument: Node) -> Content {
    let name = match tag.suffix.as_str() {
        "Ref" | "Condition" => tag.suffix.clone(),
        suffix => format!("Fn::{suffix}"),
    };
    Content::Call(name, Rc::new(argument))
}
