//! What a reference to a resource stands for on this machine.

use super::{
    Problem, TemplateError,
    error::unsupported,
    function_arn,
    intrinsic::Scope,
    yaml::{Content, Node},
};

/// The type of a bucket.
pub(super) const BUCKET: &str = "AWS::S3::Bucket";
/// The type of a function that the plane runs.
pub(super) const FUNCTION: &str = "AWS::Serverless::Function";
/// The type of a trigger that stands beside its function.
pub(super) const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

impl Scope<'_> {
    /// What `!Ref` gives for a resource: a bucket's name, or a function's logical id.
    pub(super) fn local_name(&self, line: usize, id: &str) -> Result<String, TemplateError> {
        let resource = self.resource(line, id)?;
        match resource.member("Type").and_then(Node::as_text) {
            Some(BUCKET) => self.bucket_name(id, resource),
            Some(FUNCTION) => Ok(id.to_owned()),
            _ => Err(unsupported(line, format!("!Ref {id}"))),
        }
    }

    /// What `!GetAtt` gives.
    pub(super) fn attribute(
        &self,
        line: usize,
        id: &str,
        attribute: &str,
    ) -> Result<String, TemplateError> {
        let resource = self.resource(line, id)?;
        match (resource.member("Type").and_then(Node::as_text), attribute) {
            (Some(BUCKET), "Arn") => {
                let name = self.bucket_name(id, resource)?;
                Ok(format!("arn:aws:s3:::{name}"))
            }
            (Some(FUNCTION), "Arn") => Ok(function_arn(id)),
            _ => Err(unsupported(line, format!("!GetAtt {id}.{attribute}"))),
        }
    }

    /// The name of a bucket: its `BucketName`, else its logical id in kebab case.
    pub(super) fn bucket_name(&self, id: &str, bucket: &Node) -> Result<String, TemplateError> {
        let shown = format!("{id}.BucketName");
        let given = match bucket.member("Properties") {
            Some(properties) => match self.resolve(properties)?.member("BucketName") {
                Some(name) => self.once(name.line, &shown, || self.resolve(name))?,
                None => Node::nothing(bucket.line),
            },
            None => Node::nothing(bucket.line),
        };
        let name = match given.content {
            Content::Nothing => kebab(id),
            _ => self.text(&given, &shown)?,
        };
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        let ends_well = !name.starts_with(['.', '-']) && !name.ends_with(['.', '-']);
        if (3..=63).contains(&name.len()) && name.bytes().all(allowed) && ends_well {
            return Ok(name);
        }
        let problem = Problem::OutOfRange {
            name: shown,
            value: name,
            range: "3 to 63 lower-case letters, digits, dots and hyphens, a letter or digit at both ends"
                .to_owned(),
        };
        Err(problem.at(given.line))
    }
}

/// `BronzeBucket` as `bronze-bucket`, `S3Logs` as `s3-logs`, `MSKData` as `msk-data`.
fn kebab(id: &str) -> String {
    let characters: Vec<char> = id.chars().collect();
    let mut name = String::new();
    for (index, character) in characters.iter().enumerate() {
        let after_a_word = index > 0 && !characters[index - 1].is_uppercase();
        let before_a_word = index > 0
            && characters
                .get(index + 1)
                .is_some_and(char::is_ascii_lowercase);
        if character.is_uppercase() && (after_a_word || before_a_word) {
            name.push('-');
        }
        name.extend(character.to_lowercase());
    }
    name
}
