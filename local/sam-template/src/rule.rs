//! Rules: combinations of parameters that a template refuses.
//!
//! Source: CloudFormation user guide, "CloudFormation template Rules syntax".

use super::{
    Problem, TemplateError,
    error::wrong_type,
    intrinsic::Scope,
    section::Section,
    yaml::{Content, Node},
};

/// Holds the parameters against every rule.
pub(super) fn check(scope: &Scope<'_>, template: &Section<'_, '_>) -> Result<(), TemplateError> {
    let Some(rules) = template.section("Rules")? else {
        return Ok(());
    };
    for (name, node) in rules.members() {
        let rule = Section::open(scope, format!("Rules.{name}"), node)?;
        // Read as it is written, because a condition is no value.
        let applies = match node.member("RuleCondition") {
            Some(condition) => scope.truth(condition, &rule.path_of("RuleCondition"))?,
            None => true,
        };
        if applies {
            check_assertions(scope, name, &rule, node)?;
        }
    }
    Ok(())
}

fn check_assertions(
    scope: &Scope<'_>,
    name: &str,
    rule: &Section<'_, '_>,
    node: &Node,
) -> Result<(), TemplateError> {
    let assertions = node
        .member("Assertions")
        .ok_or_else(|| rule.missing("Assertions"))?;
    let path = rule.path_of("Assertions");
    let Content::List(items) = &assertions.content else {
        return Err(wrong_type(assertions, &path, "a list"));
    };
    for item in items.iter() {
        let assertion = Section::open(scope, path.clone(), item)?;
        let assert = item
            .member("Assert")
            .ok_or_else(|| assertion.missing("Assert"))?;
        if !scope.truth(assert, &assertion.path_of("Assert"))? {
            let description = assertion.text("AssertDescription")?;
            let problem = Problem::Refused {
                rule: name.to_owned(),
                description: description.unwrap_or_else(|| "correct the parameters".to_owned()),
            };
            return Err(problem.at(assert.line));
        }
    }
    Ok(())
}
