//! The parameters of a template: what was given for them, their defaults, and what their declarations allow.

use std::collections::BTreeMap;

use regex::Regex;

use super::{
    Problem, TemplateError,
    error::unsupported,
    yaml::{Content, Node},
};

/// Reads `NAME=VALUE`, a parameter as a command line gives it.
///
/// # Errors
/// A sentence that names the text.
pub fn name_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("'{text}' is not NAME=VALUE"))
}

pub(super) struct Parameters<'t> {
    declared: Option<&'t Node>,
    given: &'t BTreeMap<String, String>,
}

impl<'t> Parameters<'t> {
    /// Checks what was given; a default is checked when it is used.
    pub(super) fn new(
        root: &'t Node,
        given: &'t BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let declared = root.member("Parameters");
        let members = declared.map_or(&[][..], Node::members);
        for (name, value) in given {
            match declared.and_then(|declared| declared.member(name)) {
                Some(declaration) => check(name, declaration, value)?,
                None => {
                    let problem = Problem::UnknownParameter {
                        name: name.clone(),
                        known: members.iter().map(|(name, _)| name.clone()).collect(),
                    };
                    return Err(problem.at(declared.map_or(1, |node| node.line)));
                }
            }
        }
        Ok(Self { declared, given })
    }

    /// The value of a parameter for a reference at `line`, or `None` if there is no such parameter.
    pub(super) fn value(&self, line: usize, name: &str) -> Result<Option<Node>, TemplateError> {
        let Some(declaration) = self.declared.and_then(|declared| declared.member(name)) else {
            return Ok(None);
        };
        let kind = kind(declaration);
        let value = match (self.given.get(name), declaration.member("Default")) {
            (Some(given), _) => given.clone(),
            // Its default is the name of a value in the Systems Manager, not the value.
            (None, Some(_)) if kind.starts_with("AWS::SSM::") => {
                return Err(unsupported(line, format!("!Ref {name}")));
            }
            (None, Some(default)) => {
                let default = default.as_text().unwrap_or_default();
                check(name, declaration, default)?;
                default.to_owned()
            }
            (None, None) => {
                let name = name.to_owned();
                return Err(Problem::NoValue { name }.at(line));
            }
        };
        Ok(Some(if is_list(kind) {
            Node::list(
                line,
                value.split(',').map(|item| Node::text(line, item.trim())),
            )
        } else {
            Node::text(line, value)
        }))
    }
}

fn kind(declaration: &Node) -> &str {
    declaration
        .member("Type")
        .and_then(Node::as_text)
        .unwrap_or("String")
}

fn is_list(kind: &str) -> bool {
    kind.contains("CommaDelimitedList") || kind.contains("List<")
}

/// Holds a value against the declaration.
fn check(name: &str, declaration: &Node, value: &str) -> Result<(), TemplateError> {
    let Some(allowed) = violated(declaration, value) else {
        return Ok(());
    };
    let secret = declaration
        .member("NoEcho")
        .and_then(Node::as_text)
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let problem = Problem::NotAllowed {
        name: name.to_owned(),
        value: (!secret).then(|| value.to_owned()),
        allowed,
    };
    Err(problem.at(declaration.line))
}

/// What the value must be and is not.
fn violated(declaration: &Node, value: &str) -> Option<String> {
    let kind = kind(declaration);
    let bound = |key: &str| -> Option<f64> { declaration.member(key)?.as_text()?.parse().ok() };
    if kind == "Number" {
        let Some(number) = value
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
        else {
            return Some("a number".to_owned());
        };
        if let Some(least) = bound("MinValue").filter(|least| number < *least) {
            return Some(format!("at least {least}"));
        }
        if let Some(greatest) = bound("MaxValue").filter(|greatest| number > *greatest) {
            return Some(format!("at most {greatest}"));
        }
    }
    let whole = |key: &str| -> Option<usize> { declaration.member(key)?.as_text()?.parse().ok() };
    let length = value.chars().count();
    if let Some(least) = whole("MinLength").filter(|least| length < *least) {
        return Some(format!("at least {least} characters long"));
    }
    if let Some(greatest) = whole("MaxLength").filter(|greatest| length > *greatest) {
        return Some(format!("at most {greatest} characters long"));
    }
    if let Some(pattern) = declaration.member("AllowedPattern").and_then(Node::as_text)
        && !matches(pattern, value)
    {
        let described = declaration
            .member("ConstraintDescription")
            .and_then(Node::as_text);
        let described = described.map(|text| text.trim_end_matches('.').to_owned());
        return Some(described.unwrap_or_else(|| format!("a match of {pattern}")));
    }
    let Content::List(allowed) = &declaration.member("AllowedValues")?.content else {
        return None;
    };
    let allowed: Vec<&str> = allowed.iter().filter_map(Node::as_text).collect();
    let mut values: Vec<&str> = vec![value];
    if is_list(kind) {
        values = value.split(',').map(str::trim).collect();
    }
    let all_allowed = values.iter().all(|value| allowed.contains(value));
    (!all_allowed).then(|| format!("one of {}", allowed.join(", ")))
}

/// Whether all of `value` matches. CloudFormation's patterns are Java's; one that this engine can't read is
/// left to it.
fn matches(pattern: &str, value: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$")).map_or(true, |pattern| pattern.is_match(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_a_name_and_a_value() {
        let given = ("A".to_owned(), "b=c".to_owned());
        assert_eq!(name_and_value("A=b=c"), Ok(given));
        for wrong in ["A", "=b"] {
            let said = format!("'{wrong}' is not NAME=VALUE");
            assert_eq!(name_and_value(wrong), Err(said));
        }
    }
}
