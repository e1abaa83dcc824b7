//! Conditions, the resources that they leave out, and the functions of rules.

use super::{
    Problem, TemplateError,
    error::{misplaced, unsupported, wrong_type},
    intrinsic::{Scope, arguments},
    yaml::{Content, Node},
};

impl Scope<'_> {
    /// Whether the condition `name` is true.
    pub(super) fn condition(&self, line: usize, name: &str) -> Result<bool, TemplateError> {
        if let Some(&truth) = self.truths.borrow().get(name) {
            return Ok(truth);
        }
        let declared = self
            .root
            .member("Conditions")
            .and_then(|all| all.member(name));
        let node = declared.ok_or_else(|| {
            let name = name.to_owned();
            Problem::Undeclared {
                kind: "condition",
                name,
            }
            .at(line)
        })?;
        let shown = format!("the condition {name}");
        let truth = self.once(line, &shown, || self.truth(node, &shown))?;
        self.truths.borrow_mut().insert(name.to_owned(), truth);
        Ok(truth)
    }

    pub(super) fn truth(&self, node: &Node, shown: &str) -> Result<bool, TemplateError> {
        let line = node.line;
        let Content::Call(name, argument) = &node.content else {
            let expected = "!Equals, !Not, !And, !Or or !Condition";
            return Err(wrong_type(node, shown, expected));
        };
        match name.as_str() {
            "Fn::Equals" => {
                let [left, right] = arguments(line, name, argument)?;
                let shown = "an argument of !Equals";
                Ok(self.text(left, shown)? == self.text(right, shown)?)
            }
            "Fn::Not" => {
                let [condition] = arguments(line, name, argument)?;
                Ok(!self.truth(condition, shown)?)
            }
            "Fn::And" | "Fn::Or" => {
                let Content::List(conditions) = &argument.content else {
                    return Err(misplaced(line, name, "a list of conditions"));
                };
                let decisive = name == "Fn::Or";
                for condition in conditions.iter() {
                    if self.truth(condition, shown)? == decisive {
                        return Ok(decisive);
                    }
                }
                Ok(!decisive)
            }
            "Fn::EachMemberEquals" | "Fn::Contains" => {
                let [members, text] = arguments(line, name, argument)?;
                let members = self.texts(members, "the first argument of a rule's function")?;
                let text = self.text(text, "the second argument of a rule's function")?;
                let mut equal = members.into_iter().map(|member| member == text);
                Ok(if name == "Fn::Contains" {
                    equal.any(|equal| equal)
                } else {
                    equal.all(|equal| equal)
                })
            }
            "Condition" => match argument.as_text() {
                Some(other) => self.condition(line, other),
                None => Err(misplaced(line, name, "the name of a condition")),
            },
            _ => Err(unsupported(line, node.kind())),
        }
    }

    /// The resource `name` as it is written, if it is not left out.
    pub(super) fn resource(&self, line: usize, name: &str) -> Result<&Node, TemplateError> {
        let declared = self
            .root
            .member("Resources")
            .and_then(|all| all.member(name));
        let name = name.to_owned();
        match declared {
            None => {
                let kind = "parameter or resource";
                Err(Problem::Undeclared { kind, name }.at(line))
            }
            Some(resource) if self.exists(resource)? => Ok(resource),
            Some(_) => Err(Problem::LeftOut { name }.at(line)),
        }
    }

    /// Whether a resource's condition lets it exist.
    pub(super) fn exists(&self, resource: &Node) -> Result<bool, TemplateError> {
        match resource.member("Condition").and_then(Node::as_text) {
            Some(condition) => self.condition(resource.line, condition),
            None => Ok(true),
        }
    }
}
