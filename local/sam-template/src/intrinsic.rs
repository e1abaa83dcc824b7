//! The intrinsic functions of CloudFormation, as far as their values can be known without AWS.
//!
//! Source: CloudFormation user guide, "Intrinsic function reference". Only what is read is resolved, so an
//! intrinsic that only AWS can resolve does no harm where the plane does not look.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use super::{
    Problem, TemplateError,
    error::{misplaced, unsupported, wrong_type},
    parameters::Parameters,
    yaml::{Content, Node, short},
};

/// How deep intrinsics may call one another.
const DEEPEST: usize = 100;

/// What the names in a template stand for.
pub(super) struct Scope<'t> {
    pub(super) parameters: Parameters<'t>,
    pub(super) root: &'t Node,
    /// The conditions that have been evaluated.
    pub(super) truths: RefCell<BTreeMap<String, bool>>,
    /// The buckets and conditions that are being evaluated.
    trail: RefCell<Vec<String>>,
    depth: Cell<usize>,
}

impl<'t> Scope<'t> {
    pub(super) fn new(
        root: &'t Node,
        given: &'t BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        for section in [
            "Globals",
            "Parameters",
            "Mappings",
            "Rules",
            "Conditions",
            "Resources",
        ] {
            match root.member(section) {
                Some(node) if !matches!(node.content, Content::Map(_) | Content::Nothing) => {
                    return Err(wrong_type(node, section, "a map"));
                }
                _ => {}
            }
        }
        Ok(Self {
            parameters: Parameters::new(root, given)?,
            root,
            truths: RefCell::default(),
            trail: RefCell::default(),
            depth: Cell::new(0),
        })
    }

    /// The value of a node: no intrinsic itself, though its items and members may be.
    pub(super) fn resolve(&self, node: &Node) -> Result<Node, TemplateError> {
        let Content::Call(name, argument) = &node.content else {
            return Ok(node.clone());
        };
        if self.depth.get() == DEEPEST {
            return Err(Problem::TooDeep.at(node.line));
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.call(node.line, name, argument);
        self.depth.set(self.depth.get() - 1);
        value
    }

    /// The text that a node resolves to; `name` names it in an error.
    pub(super) fn text(&self, node: &Node, name: &str) -> Result<String, TemplateError> {
        let value = self.resolve(node)?;
        match value.content {
            Content::Text(text) => Ok(text),
            _ => Err(wrong_type(&value, name, "a text")),
        }
    }

    /// The texts of a list; items that resolve to nothing are left out.
    pub(super) fn texts(&self, node: &Node, name: &str) -> Result<Vec<String>, TemplateError> {
        let mut texts = Vec::new();
        for item in self.items(node, name)?.iter() {
            let item = self.resolve(item)?;
            match item.content {
                Content::Nothing => {}
                Content::Text(text) => texts.push(text),
                _ => return Err(wrong_type(&item, &format!("an item of {name}"), "a text")),
            }
        }
        Ok(texts)
    }

    /// Runs `evaluate`, and refuses to while it already runs for the same name.
    pub(super) fn once<T>(
        &self,
        line: usize,
        name: &str,
        evaluate: impl FnOnce() -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        let circle = self.trail.borrow().iter().any(|entry| entry == name);
        if circle {
            let name = name.to_owned();
            return Err(Problem::Circle { name }.at(line));
        }
        self.trail.borrow_mut().push(name.to_owned());
        let value = evaluate();
        self.trail.borrow_mut().pop();
        value
    }

    fn items(&self, node: &Node, name: &str) -> Result<Rc<[Node]>, TemplateError> {
        let value = self.resolve(node)?;
        match value.content {
            Content::List(items) => Ok(items),
            _ => Err(wrong_type(&value, name, "a list")),
        }
    }

    fn call(&self, line: usize, name: &str, argument: &Node) -> Result<Node, TemplateError> {
        match name {
            "Ref" => self.reference(line, &self.argument_text(line, name, argument)?),
            "Fn::GetAtt" => self.get_att(line, argument),
            "Fn::Sub" => self.sub(line, argument),
            "Fn::Join" => self.join(line, argument),
            "Fn::Split" => self.split(line, argument),
            "Fn::Select" => self.select(line, argument),
            "Fn::FindInMap" => self.find_in_map(line, argument),
            "Fn::If" => {
                let [condition, yes, no] = arguments(line, name, argument)?;
                let condition = self.argument_text(line, name, condition)?;
                self.resolve(if self.condition(line, &condition)? {
                    yes
                } else {
                    no
                })
            }
            "Condition" | "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {
                Err(misplaced(line, name, "a place under Conditions or in !If"))
            }
            _ => Err(unsupported(line, short(name))),
        }
    }

    /// An argument that CloudFormation wants written out.
    pub(super) fn argument_text(
        &self,
        line: usize,
        intrinsic: &str,
        argument: &Node,
    ) -> Result<String, TemplateError> {
        let text = argument.as_text().map(str::to_owned);
        text.ok_or_else(|| misplaced(line, intrinsic, "a name that is written out"))
    }

    pub(super) fn reference(&self, line: usize, name: &str) -> Result<Node, TemplateError> {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return match pseudo {
                "NoValue" => Ok(Node::nothing(line)),
                "Region" => Ok(Node::text(line, super::REGION)),
                "AccountId" => Ok(Node::text(line, super::ACCOUNT)),
                "Partition" => Ok(Node::text(line, "aws")),
                "StackName" => Ok(Node::text(line, "quotelake-local")),
                "URLSuffix" => Ok(Node::text(line, "amazonaws.com")),
                _ => Err(unsupported(line, format!("!Ref {name}"))),
            };
        }
        match self.parameters.value(line, name)? {
            Some(value) => Ok(value),
            None => Ok(Node::text(line, self.local_name(line, name)?)),
        }
    }

    fn get_att(&self, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let path = match &argument.content {
            Content::List(_) => self.texts(argument, "!GetAtt")?.join("."),
            _ => self.argument_text(line, "Fn::GetAtt", argument)?,
        };
        let (resource, attribute) = path
            .split_once('.')
            .ok_or_else(|| misplaced(line, "Fn::GetAtt", "a resource and an attribute"))?;
        Ok(Node::text(line, self.attribute(line, resource, attribute)?))
    }

    fn join(&self, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let [delimiter, items] = arguments(line, "Fn::Join", argument)?;
        let delimiter = self.argument_text(line, "Fn::Join", delimiter)?;
        Ok(Node::text(
            line,
            self.texts(items, "!Join")?.join(&delimiter),
        ))
    }

    fn split(&self, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let [delimiter, text] = arguments(line, "Fn::Split", argument)?;
        let delimiter = self.argument_text(line, "Fn::Split", delimiter)?;
        if delimiter.is_empty() {
            return Err(misplaced(
                line,
                "Fn::Split",
                "a delimiter that is not empty",
            ));
        }
        let text = self.text(text, "the text of !Split")?;
        let parts = text.split(&delimiter).map(|part| Node::text(line, part));
        Ok(Node::list(line, parts))
    }

    fn select(&self, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let [index, items] = arguments(line, "Fn::Select", argument)?;
        let index = self.text(index, "the index of !Select")?;
        let items = self.items(items, "the second argument of !Select")?;
        let item = index.parse().ok().and_then(|index: usize| items.get(index));
        let item = item.ok_or_else(|| {
            let problem = Problem::OutOfRange {
                name: "the index of !Select".to_owned(),
                value: index,
                range: format!("a number below {}, the length of the list", items.len()),
            };
            problem.at(line)
        })?;
        self.resolve(item)
    }

    fn find_in_map(&self, line: usize, argument: &Node) -> Result<Node, TemplateError> {
        let keys: &[Node; 3] = arguments(line, "Fn::FindInMap", argument)?;
        let mut found = self.root.member("Mappings");
        let mut path = Vec::new();
        for key in keys {
            path.push(self.text(key, "a key of !FindInMap")?);
            found = found
                .zip(path.last())
                .and_then(|(map, key)| map.member(key));
        }
        let undeclared = || {
            let name = path.join(".");
            Problem::Undeclared {
                kind: "entry of Mappings",
                name,
            }
            .at(line)
        };
        self.resolve(found.ok_or_else(undeclared)?)
    }
}

/// The arguments of an intrinsic that takes a list of `N`.
pub(super) fn arguments<'n, const N: usize>(
    line: usize,
    intrinsic: &str,
    argument: &'n Node,
) -> Result<&'n [Node; N], TemplateError> {
    let list = match &argument.content {
        Content::List(items) => items.as_ref().try_into().ok(),
        _ => None,
    };
    list.ok_or_else(|| {
        let expected = match N {
            1 => "a list of one argument",
            2 => "a list of two arguments",
            _ => "a list of three arguments",
        };
        misplaced(line, intrinsic, expected)
    })
}
