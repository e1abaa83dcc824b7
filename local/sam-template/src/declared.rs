//! What a template says of its parameters, for its documents.

use super::{
    TemplateError,
    yaml::{self, Content, Node},
};

/// A parameter as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// `Default`; `None` if a value has to be given.
    pub default: Option<String>,
    /// What it may be, as a phrase; empty if it may be any text.
    pub allowed: String,
    /// `Description`.
    pub description: String,
}

/// The parameters of the template `text` in its order.
///
/// # Errors
/// [`TemplateError`] if it is no YAML.
pub fn declared(text: &str) -> Result<Vec<Declared>, TemplateError> {
    let root = yaml::load(text)?;
    let parameters = root.member("Parameters").map_or(&[][..], Node::members);
    let declared = parameters.iter().map(|(name, declaration)| {
        let said = |key: &str| declaration.member(key).and_then(Node::as_text);
        Declared {
            name: name.clone(),
            default: said("Default").map(str::to_owned),
            allowed: allowed(declaration),
            description: said("Description").unwrap_or_default().trim().to_owned(),
        }
    });
    Ok(declared.collect())
}

fn allowed(declaration: &Node) -> String {
    let said = |key: &str| declaration.member(key).and_then(Node::as_text);
    if let Some(Content::List(values)) = declaration.member("AllowedValues").map(|n| &n.content) {
        let values: Vec<&str> = values.iter().filter_map(Node::as_text).collect();
        return values.join(", ");
    }
    match (said("MinValue"), said("MaxValue")) {
        (Some(least), Some(most)) => return format!("{least} to {most}"),
        (Some(least), None) => return format!("{least} or more"),
        (None, Some(most)) => return format!("at most {most}"),
        (None, None) => {}
    }
    said("ConstraintDescription")
        .map(|phrase| phrase.trim().trim_end_matches('.').to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_described_by_its_declaration() {
        let text = "
Parameters:
  Size: {Type: Number, Description: How many., Default: 100, MinValue: 1, MaxValue: 10000}
  Kind: {Type: String, AllowedValues: [a, b], Default: ''}
  Arn: {Type: String, AllowedPattern: ^arn, ConstraintDescription: an ARN.}
";
        let described: Vec<_> = declared(text)
            .unwrap()
            .into_iter()
            .map(|d| (d.name, d.default, d.allowed, d.description))
            .collect();
        let row = |name: &str, default: Option<&str>, allowed: &str, description: &str| {
            (
                name.to_owned(),
                default.map(str::to_owned),
                allowed.to_owned(),
                description.to_owned(),
            )
        };
        assert_eq!(
            described,
            [
                row("Size", Some("100"), "1 to 10000", "How many."),
                row("Kind", Some(""), "a, b", ""),
                row("Arn", None, "an ARN", ""),
            ]
        );
    }
}
