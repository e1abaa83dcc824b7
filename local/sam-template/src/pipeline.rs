//! The functions and buckets that a template describes.

use std::{collections::BTreeMap, time::Duration};

use super::{
    EventInvokeConfig, Function, KafkaEvent, Pipeline, Problem, TemplateError,
    event::{self, Event},
    function_arn, function_url,
    intrinsic::Scope,
    resource::{BUCKET, FUNCTION, MAPPING},
    rule,
    section::Section,
    yaml::{Content, Node},
};

/// The longest that a function may take: 14 minutes where Kafka triggers it, else 15.
/// Source: AWS Lambda developer guide, "Configuring Amazon MSK event sources".
const LONGEST_SECONDS: u64 = 900;
const LONGEST_SECONDS_WITH_KAFKA: u64 = 840;

/// Reads the pipeline.
pub(super) fn pipeline(
    root: &Node,
    given: &BTreeMap<String, String>,
) -> Result<Pipeline, TemplateError> {
    let scope = Scope::new(root, given)?;
    let template = Section::open(&scope, "the template".to_owned(), root)?;
    rule::check(&scope, &template)?;
    let resources = template
        .section("Resources")?
        .ok_or_else(|| template.missing("Resources"))?;
    let globals = root
        .member("Globals")
        .and_then(|globals| globals.member("Function"));
    let mut pipeline = Pipeline::default();
    let mut mappings = Vec::new();
    for (id, node) in resources.members() {
        check_id("the logical id", id, node.line)?;
        let resource = Section::open(&scope, id.clone(), node)?;
        if !scope.exists(node)? {
            continue;
        }
        match resource
            .text("Type")?
            .ok_or_else(|| resource.missing("Type"))?
            .as_str()
        {
            FUNCTION => pipeline
                .functions
                .push(function(&scope, &resource, globals)?),
            MAPPING => mappings.push((resource.line(), event::mapping(id, &resource)?)),
            BUCKET => pipeline.buckets.push(scope.bucket_name(id, node)?),
            _ => {}
        }
    }
    for (line, (function, trigger)) in mappings {
        attach(&mut pipeline, line, function, trigger)?;
    }
    Ok(pipeline)
}

/// Refuses an id that CloudFormation would not take: files and keys are named by it.
fn check_id(what: &str, id: &str, line: usize) -> Result<(), TemplateError> {
    if (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let problem = Problem::OutOfRange {
        name: what.to_owned(),
        value: id.to_owned(),
        range: "1 to 255 letters of A to Z, a to z and digits".to_owned(),
    };
    Err(problem.at(line))
}

/// Gives a mapping's trigger to the function that it names or whose ARN it has.
fn attach(
    pipeline: &mut Pipeline,
    line: usize,
    name: String,
    trigger: KafkaEvent,
) -> Result<(), TemplateError> {
    let mut functions = pipeline.functions.iter_mut();
    let function = functions
        .find(|function| function.name == name || function_arn(&function.name) == name)
        .ok_or_else(|| {
            let kind = "function";
            Problem::Undeclared { kind, name }.at(line)
        })?;
    if function.timeout > Duration::from_secs(LONGEST_SECONDS_WITH_KAFKA) {
        let problem = Problem::OutOfRange {
            name: format!("{}.Properties.Timeout", function.name),
            value: function.timeout.as_secs().to_string(),
            range: format!("at most {LONGEST_SECONDS_WITH_KAFKA} with a Kafka trigger"),
        };
        return Err(problem.at(line));
    }
    function.kafka.push(trigger);
    Ok(())
}

fn function(
    scope: &Scope<'_>,
    resource: &Section<'_, '_>,
    globals: Option<&Node>,
) -> Result<Function, TemplateError> {
    let none = Node {
        line: resource.line(),
        content: Content::Map([].into()),
    };
    let merged = merge(globals, &resource.get("Properties")?.unwrap_or(none));
    let name = resource.path();
    let properties = Section::open(scope, format!("{name}.Properties"), &merged)?;

    let (mut schedules, mut kafka) = (Vec::new(), Vec::new());
    if let Some(events) = properties.section("Events")? {
        for (event, node) in events.members() {
            check_id(&format!("the name of an event of {name}"), event, node.line)?;
            let section = Section::open(scope, format!("{name}.Events.{event}"), node)?;
            match event::read(name, event, &section)? {
                Event::Schedule(event) => schedules.push(event),
                Event::Kafka(event) => kafka.push(event),
            }
        }
    }
    let longest = if kafka.is_empty() {
        LONGEST_SECONDS
    } else {
        LONGEST_SECONDS_WITH_KAFKA
    };
    Ok(Function {
        name: name.to_owned(),
        binary: binary(resource)?,
        timeout: Duration::from_secs(properties.number("Timeout", 1..=longest, 3)?),
        memory_mb: properties.number("MemorySize", 128..=10_240, 128)?,
        reserved_concurrency: reserved_concurrency(&properties)?,
        event_invoke: event_invoke(&properties)?,
        environment: environment(&properties)?,
        schedules,
        kafka,
        url: function_url::read(&properties)?,
    })
}

fn reserved_concurrency(properties: &Section<'_, '_>) -> Result<Option<u32>, TemplateError> {
    const KEY: &str = "ReservedConcurrentExecutions";
    match properties.get(KEY)? {
        None => Ok(None),
        Some(_) => properties.number(KEY, 0..=1_000_000, 0).map(Some),
    }
}

/// Source of the ranges: Lambda's API reference, `PutFunctionEventInvokeConfig`.
fn event_invoke(properties: &Section<'_, '_>) -> Result<EventInvokeConfig, TemplateError> {
    let default = EventInvokeConfig::default();
    let Some(config) = properties.section("EventInvokeConfig")? else {
        return Ok(default);
    };
    let age = default.event_age.as_secs();
    let age = config.number("MaximumEventAgeInSeconds", 60..=age, age)?;
    Ok(EventInvokeConfig {
        retries: config.number("MaximumRetryAttempts", 0..=2, default.retries)?,
        event_age: Duration::from_secs(age),
    })
}

/// What SAM's `Globals` make of a property: maps are merged, lists joined, all else is overridden.
fn merge(global: Option<&Node>, own: &Node) -> Node {
    let Some(global) = global else {
        return own.clone();
    };
    let content = match (&global.content, &own.content) {
        (Content::Map(global), Content::Map(own_members)) => {
            let mut members: Vec<(String, Node)> = own_members
                .iter()
                .map(|(key, value)| {
                    let global = global.iter().find(|(name, _)| name == key);
                    (key.clone(), merge(global.map(|(_, value)| value), value))
                })
                .collect();
            let absent = |(key, _): &&(String, Node)| own.member(key).is_none();
            members.extend(global.iter().filter(absent).cloned());
            Content::Map(members.into())
        }
        (Content::List(global), Content::List(own)) => {
            Content::List(global.iter().chain(own.iter()).cloned().collect())
        }
        (_, own) => own.clone(),
    };
    Node {
        line: own.line,
        content,
    }
}

fn binary(resource: &Section<'_, '_>) -> Result<String, TemplateError> {
    let properties = match resource.section("Metadata")? {
        Some(metadata) => metadata.section("BuildProperties")?,
        None => None,
    };
    let missing = || resource.missing("Metadata.BuildProperties.Binary");
    let properties = properties.ok_or_else(missing)?;
    let binary = properties.text("Binary")?.ok_or_else(missing)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !binary.is_empty() && binary.bytes().all(allowed) {
        return Ok(binary);
    }
    let range = "the name of a Cargo binary: letters, digits, - and _".to_owned();
    Err(properties.out_of_range("Binary", &binary, range))
}

fn environment(properties: &Section<'_, '_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let variables = match properties.section("Environment")? {
        Some(environment) => environment.section("Variables")?,
        None => None,
    };
    let Some(variables) = variables else {
        return Ok(BTreeMap::new());
    };
    let mut environment = BTreeMap::new();
    for (name, _) in variables.members() {
        if let Some(value) = variables.text(name)? {
            environment.insert(name.clone(), value);
        }
    }
    Ok(environment)
}
