//! Settings that AWS keeps: the text of a secret of Secrets Manager or of a parameter of Parameter Store, decrypted. Reads
//! it once; what is in it, `content` reads.

use causeway_aws::{
    Aws, CallError,
    secret::{Cause, Reference, SecretText},
};

use super::sources::Origin;

pub(super) const SECRET_ID: &str = "RUNTIME_CONFIG_SECRET_ID";
pub(super) const PARAMETER_NAME: &str = "RUNTIME_CONFIG_SSM_PARAMETER_NAME";

/// The kind of a stored text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Secret,
    Parameter,
}

/// A text that is named and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{origin}, which `{variable}` names, cannot be read: {cause}; {next_step}")]
pub(crate) struct Unread {
    origin: Origin,
    variable: &'static str,
    cause: Box<Cause>,
    next_step: String,
}

impl Kept {
    pub(super) const ALL: [Self; 2] = [Self::Secret, Self::Parameter];

    /// The setting that names it.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::Secret => SECRET_ID,
            Self::Parameter => PARAMETER_NAME,
        }
    }

    /// The one with this ARN or name, as a source.
    pub(super) fn origin(self, id: &str) -> Origin {
        match self {
            Self::Secret => Origin::Secret(id.to_owned()),
            Self::Parameter => Origin::Parameter(id.to_owned()),
        }
    }

    /// Reads the one with this ARN or name.
    pub(super) async fn read(self, id: &str, aws: &Aws) -> Result<SecretText, Unread> {
        let reference = match self {
            Self::Secret => Reference::secret(id),
            Self::Parameter => Reference::parameter(id),
        };
        reference.read(aws, None).await.map_err(|error| Unread {
            origin: self.origin(id),
            variable: self.variable(),
            next_step: self.next_step(&error.cause),
            cause: Box::new(error.cause),
        })
    }

    fn action(self) -> &'static str {
        match self {
            Self::Secret => "secretsmanager:GetSecretValue",
            Self::Parameter => "ssm:GetParameter",
        }
    }

    fn next_step(self, cause: &Cause) -> String {
        let code = match cause {
            Cause::Call(CallError::Refused(refusal)) => refusal.code.as_str(),
            Cause::Call(_) => "",
            _ => return "write a JSON object or lines `NAME=value` into it".to_owned(),
        };
        match code {
            "ResourceNotFoundException" | "ParameterNotFound" | "ParameterVersionNotFound" => {
                "check its name and the server's AWS region and account".to_owned()
            }
            "AccessDeniedException" | "AccessDenied" => {
                format!("allow the server `{}` on it, and `kms:Decrypt` on its key if that is your own", self.action())
            }
            _ => format!("or leave `{}` out and set what it holds otherwise", self.variable()),
        }
    }
}
