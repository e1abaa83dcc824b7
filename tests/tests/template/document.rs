//! The template as JSON: `!Sub x` is `{"Fn::Sub": "x"}`, as in CloudFormation's own long form.

use pipeline_tests::plane::workspace;
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};

pub(super) struct Template(Value);

impl Template {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string(workspace().join("template.yaml")).unwrap();
        let [document] = &MarkedYaml::load_from_str(&text).unwrap()[..] else {
            panic!("one document");
        };
        Self(json(document))
    }

    pub(super) fn section(&self, name: &str) -> &Map<String, Value> {
        self.0[name].as_object().unwrap()
    }

    /// The resources of a type, by logical id.
    pub(super) fn resources<'t>(&'t self, kind: &str) -> Vec<(&'t str, &'t Value)> {
        let found: Vec<_> = self
            .section("Resources")
            .iter()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(id, resource)| (id.as_str(), resource))
            .collect();
        assert!(!found.is_empty(), "{kind}");
        found
    }

    /// What all functions have.
    pub(super) fn globals(&self) -> &Value {
        &self.0["Globals"]["Function"]
    }

    /// Every IAM statement of every policy.
    pub(super) fn statements(&self) -> Vec<&Value> {
        let mut found = Vec::new();
        visit(&self.0, &mut |value| {
            if value.get("Effect").is_some() {
                found.push(value);
            }
        });
        found
    }
}

/// Calls `each` for a value and for every value in it.
pub(super) fn visit<'v>(value: &'v Value, each: &mut impl FnMut(&'v Value)) {
    each(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, each)),
        Value::Object(members) => members.values().for_each(|member| visit(member, each)),
        _ => {}
    }
}

/// Every text in a value, those of intrinsics too.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    visit(value, &mut |value| found.extend(value.as_str()));
    found
}

fn json(yaml: &MarkedYaml) -> Value {
    match &yaml.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(truth)) => (*truth).into(),
        YamlData::Value(Scalar::Integer(number)) => (*number).into(),
        YamlData::Value(Scalar::FloatingPoint(number)) => number.into_inner().into(),
        YamlData::Value(Scalar::String(text)) => text.as_ref().into(),
        YamlData::Sequence(items) => items.iter().map(json).collect(),
        YamlData::Mapping(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (json(key).as_str().unwrap().to_owned(), json(value)));
            Value::Object(members.collect())
        }
        YamlData::Tagged(tag, inner) => {
            let name = match tag.suffix.as_str() {
                "Ref" | "Condition" => tag.suffix.clone(),
                suffix => format!("Fn::{suffix}"),
            };
            let inner = MarkedYaml {
                span: yaml.span,
                data: inner.data.clone(),
            };
            Value::Object(Map::from_iter([(name, json(&inner))]))
        }
        other => panic!("{other:?}"),
    }
}
