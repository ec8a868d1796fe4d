//! Amazon Resource Names: parses and prints them, of any partition. Does not know what a service's resources look like.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use std::{fmt, str::FromStr};

/// `arn:partition:service:region:account:resource`. Region and account may be empty, the resource may hold colons.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, ...
    pub partition: String,
    /// As in the service's host name: `secretsmanager`, `bedrock-agentcore`.
    pub service: String,
    /// Empty for a global service.
    pub region: String,
    /// Twelve digits, or empty.
    pub account: String,
    /// Everything after the account, such as `runtime/my_server-a1b2c3d4e5`.
    pub resource: String,
}

/// What a text lacks to be an ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    #[error("`{0}` is no ARN: it does not start with `arn:`")]
    Start(String),
    #[error("`{arn}` is no ARN: {part} is missing; expected `arn:partition:service:region:account:resource`")]
    Missing { arn: String, part: Part },
    #[error("`{arn}` is no ARN: {part} cannot be `{value}`")]
    Bad { arn: String, part: Part, value: String },
}

/// A part of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Partition,
    Service,
    Region,
    Account,
    Resource,
}

impl Arn {
    /// The region, if it names one.
    pub fn region(&self) -> Option<&str> {
        Some(self.region.as_str()).filter(|region| !region.is_empty())
    }

    /// The resource without its type: of `runtime/a` the `a` if `kind` is `runtime`. Some services put a colon between.
    pub fn resource_of(&self, kind: &str) -> Option<&str> {
        let id = self.resource.strip_prefix(kind)?.strip_prefix(['/', ':'])?;
        (!id.is_empty()).then_some(id)
    }
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let rest = text.strip_prefix("arn:").ok_or_else(|| ArnError::Start(text.to_owned()))?;
        let mut parts = rest.splitn(5, ':');
        let mut next = |part: Part| {
            let value = parts.next().unwrap_or_default();
            part.check(value).map_err(|fault| match fault {
                Fault::Missing => ArnError::Missing { arn: text.to_owned(), part },
                Fault::Bad => ArnError::Bad { arn: text.to_owned(), part, value: value.to_owned() },
            })?;
            Ok(value.to_owned())
        };
        let (partition, service) = (next(Part::Partition)?, next(Part::Service)?);
        let (region, account) = (next(Part::Region)?, next(Part::Account)?);
        Ok(Self { partition, service, region, account, resource: next(Part::Resource)? })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

enum Fault {
    Missing,
    Bad,
}

impl Part {
    fn check(self, value: &str) -> Result<(), Fault> {
        let word = |value: &str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let good = match self {
            // The managed policies of IAM have the account `aws`.
            Self::Region | Self::Account if value.is_empty() => true,
            _ if value.is_empty() => return Err(Fault::Missing),
            Self::Account => value == "aws" || value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Resource => !value.chars().any(|it| it.is_control() || it.is_whitespace()),
            Self::Partition | Self::Service | Self::Region => word(value),
        };
        if good { Ok(()) } else { Err(Fault::Bad) }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Partition => "the partition",
            Self::Service => "the service",
            Self::Region => "the region",
            Self::Account => "the account",
            Self::Resource => "the resource",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_printed_as_they_were() {
        for text in [
            "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/my_server-a1b2c3d4e5",
            "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:prod/key-AbCdEf",
            "arn:aws:ssm:eu-central-1:123456789012:parameter/a/b",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:s3:::bucket/key:with:colons",
        ] {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let arn: Arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a:b".parse().unwrap();
        assert_eq!(
            (arn.service.as_str(), arn.region(), arn.resource_of("secret")),
            ("secretsmanager", Some("us-east-1"), Some("a:b"))
        );
        assert_eq!((arn.resource_of("sec"), arn.resource_of("parameter")), (None, None));
        let global: Arn = "arn:aws:iam::123456789012:role/r".parse().unwrap();
        assert_eq!((global.region(), global.resource_of("role")), (None, Some("r")));
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, expected) in [
            ("my-secret", "`my-secret` is no ARN: it does not start with `arn:`"),
            (
                "arn:aws",
                "`arn:aws` is no ARN: the service is missing; expected `arn:partition:service:region:account:resource`",
            ),
            (
                "arn::ssm:::p",
                "`arn::ssm:::p` is no ARN: the partition is missing; expected `arn:partition:service:region:account:resource`",
            ),
            (
                "arn:aws:ssm:us-east-1:123456789012",
                "`arn:aws:ssm:us-east-1:123456789012` is no ARN: the resource is missing; expected `arn:partition:service:region:account:resource`",
            ),
            (
                "arn:aws:ssm:us-east-1:12345:parameter/a",
                "`arn:aws:ssm:us-east-1:12345:parameter/a` is no ARN: the account cannot be `12345`",
            ),
            (
                "arn:aws:ssm:us.east:123456789012:parameter/a",
                "`arn:aws:ssm:us.east:123456789012:parameter/a` is no ARN: the region cannot be `us.east`",
            ),
            (
                "arn:aws:ssm:::parameter/a b",
                "`arn:aws:ssm:::parameter/a b` is no ARN: the resource cannot be `parameter/a b`",
            ),
        ] {
            assert_eq!(text.parse::<Arn>().unwrap_err().to_string(), expected);
        }
    }
}
