//! `Fn::Sub`: a text with `${variables}`.

use super::{
    TemplateError,
    intrinsic::{Scope, arguments},
    yaml::{Content, Node},
};

impl Scope<'_> {
    /// The text with its variables replaced: those of the map beside it first, then parameters, resources and
    /// their attributes.
    pub(super) fn sub(&self, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let (text, variables) = match &argument.content {
            Content::List(_) => {
                let [text, variables] = arguments(line, "Fn::Sub", argument)?;
                (text, self.resolve(variables)?)
            }
            _ => (argument, Node::nothing(line)),
        };
        let text = self.argument_text(line, "Fn::Sub", text)?;
        let mut value = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            // What is never closed is no variable.
            let Some((name, behind)) = after.split_once('}') else {
                break;
            };
            value.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => value.push_str(&format!("${{{literal}}}")),
                None => value.push_str(&self.variable(line, name, &variables)?),
            }
            rest = behind;
        }
        value.push_str(rest);
        Ok(Node::text(line, value))
    }

    fn variable(&self, line: usize, name: &str, variables: &Node) -> Result<String, TemplateError> {
        let shown = format!("${{{name}}}");
        if let Some(variable) = variables.member(name) {
            return self.text(variable, &shown);
        }
        match name.split_once('.') {
            Some((resource, attribute)) => self.attribute(line, resource, attribute),
            None => self.text(&self.reference(line, name)?, &shown),
        }
    }
}
