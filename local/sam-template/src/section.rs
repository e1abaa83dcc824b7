//! A map of the template whose members are read by name and type.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use super::{
    Problem, TemplateError,
    error::wrong_type,
    intrinsic::Scope,
    yaml::{Content, Node},
};

/// A map, and its path for errors.
pub(super) struct Section<'s, 't> {
    scope: &'s Scope<'t>,
    path: String,
    node: Node,
}

impl<'s, 't> Section<'s, 't> {
    pub(super) fn open(
        scope: &'s Scope<'t>,
        path: String,
        node: &Node,
    ) -> Result<Self, TemplateError> {
        let line = node.line;
        let mut node = scope.resolve(node)?;
        node.line = line;
        match node.content {
            Content::Map(_) => Ok(Self { scope, path, node }),
            _ => Err(wrong_type(&node, &path, "a map")),
        }
    }

    pub(super) fn line(&self) -> usize {
        self.node.line
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a member.
    pub(super) fn path_of(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// The members as they are written.
    pub(super) fn members(&self) -> &[(String, Node)] {
        self.node.members()
    }

    /// The value of a member, unless it is absent or nothing.
    pub(super) fn get(&self, key: &str) -> Result<Option<Node>, TemplateError> {
        let Some(written) = self.node.member(key) else {
            return Ok(None);
        };
        let mut value = self.scope.resolve(written)?;
        value.line = written.line;
        Ok((!matches!(value.content, Content::Nothing)).then_some(value))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>, TemplateError> {
        let value = self.get(key)?;
        value
            .map(|value| self.scope.text(&value, &self.path_of(key)))
            .transpose()
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, TemplateError> {
        let value = self.get(key)?;
        value
            .map(|value| self.scope.texts(&value, &self.path_of(key)))
            .transpose()
    }

    pub(super) fn section(&self, key: &str) -> Result<Option<Section<'s, 't>>, TemplateError> {
        let value = self.get(key)?;
        value
            .map(|value| Section::open(self.scope, self.path_of(key), &value))
            .transpose()
    }

    /// A whole number in a range, or the default.
    pub(super) fn number<T>(
        &self,
        key: &str,
        range: RangeInclusive<T>,
        default: T,
    ) -> Result<T, TemplateError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(key)? else {
            return Ok(default);
        };
        text.parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let range = format!("a whole number from {} to {}", range.start(), range.end());
                self.out_of_range(key, &text, range)
            })
    }

    /// A truth value, or the default.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, TemplateError> {
        match self
            .text(key)?
            .map(|text| text.to_ascii_lowercase())
            .as_deref()
        {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(text) => Err(self.out_of_range(key, text, "true or false".to_owned())),
        }
    }

    /// Refuses members that the plane can't honour.
    pub(super) fn refuse(&self, keys: &[&str]) -> Result<(), TemplateError> {
        for key in keys {
            if let Some(value) = self.get(key)? {
                let name = self.path_of(key);
                return Err(Problem::UnsupportedSetting { name }.at(value.line));
            }
        }
        Ok(())
    }

    pub(super) fn missing(&self, member: &str) -> TemplateError {
        let problem = Problem::Missing {
            owner: self.path.clone(),
            member: member.to_owned(),
        };
        problem.at(self.line())
    }

    pub(super) fn out_of_range(&self, key: &str, value: &str, range: String) -> TemplateError {
        let problem = Problem::OutOfRange {
            name: self.path_of(key),
            value: value.to_owned(),
            range,
        };
        problem.at(self.line_of(key))
    }

    /// The line of a member, or of the map if it is absent.
    pub(super) fn line_of(&self, key: &str) -> usize {
        self.node.member(key).map_or(self.line(), |node| node.line)
    }
}
