//! The template as JSON: `!Sub x` is `{"Fn::Sub": "x"}`, as in CloudFormation's own long form.

use std::collections::BTreeSet;

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

    /// The logical ids of the functions that run a binary.
    pub(super) fn functions_of(&self, binary: &str) -> BTreeSet<&str> {
        self.resources("AWS::Serverless::Function")
            .into_iter()
            .filter(|(_, function)| function["Metadata"]["BuildProperties"]["Binary"] == binary)
            .map(|(id, _)| id)
            .collect()
    }

    /// The topics that a function's triggers read, be they mappings or events of SAM.
    pub(super) fn topics_of(&self, function: &str) -> BTreeSet<&str> {
        let mappings = self
            .resources("AWS::Lambda::EventSourceMapping")
            .into_iter();
        let mappings = mappings
            .map(|(_, mapping)| mapping)
            .filter(|mapping| mapping["Properties"]["FunctionName"]["Ref"] == function);
        let events = &self.section("Resources")[function]["Properties"]["Events"];
        let mut topics = BTreeSet::new();
        for source in mappings.chain([events]) {
            visit(source, &mut |value| {
                topics.extend(
                    value["Topics"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str),
                );
            });
        }
        topics
    }

    /// The topic of each schedule of a function whose input is a job with one.
    pub(super) fn job_topics_of(&self, function: &str) -> BTreeSet<String> {
        let mut topics = BTreeSet::new();
        visit(
            &self.section("Resources")[function]["Properties"]["Events"],
            &mut |value| {
                let input = value.get("Input").into_iter().flat_map(texts);
                let jobs = input.filter_map(|input| serde_json::from_str::<Value>(input).ok());
                topics.extend(jobs.filter_map(|job| job["topic"].as_str().map(str::to_owned)));
            },
        );
        topics
    }

    /// What all functions have.
    pub(super) fn globals(&self) -> &Value {
        &self.0["Globals"]["Function"]
    }

    /// Every IAM statement of every policy.
    pub(super) fn statements(&self) -> Vec<&Value> {
        statements(&self.0)
    }
}

/// Every IAM statement in a value.
pub(super) fn statements(value: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    visit(value, &mut |value| {
        if value.get("Effect").is_some() {
            found.push(value);
        }
    });
    found
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
