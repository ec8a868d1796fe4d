//! Asks AWS as the gateway does, with the environment's settings: one JSON object a line on standard input, one answer a
//! line on standard output, in the order asked, by one identity. For the checks in `interop/aws`; it prints secrets.

use std::{
    error::Error,
    io::{self, BufRead, Write},
};

use causeway_aws::{
    Aws, Identity,
    endpoint::Endpoints,
    identity::{Role, Settings},
    secret::Reference,
};
use causeway_oidc::clock::Clock;
use serde::Deserialize;
use serde_json::{Value, json};

/// The program's one argument, as JSON.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Chosen {
    profile: Option<String>,
    region: Option<String>,
    role_arn: Option<String>,
    external_id: Option<String>,
    session_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    Region,
    /// The access key's id.
    Key,
    /// AWS refused what `key` told last: the id after reading the credentials again.
    Renewed,
    /// The value that an ARN leads to.
    Arn {
        arn: String,
        json_key: Option<String>,
    },
    /// The value of a secret of this name.
    Secret(String),
    /// The value of a parameter of this name.
    Parameter(String),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let chosen: Chosen = serde_json::from_str(&std::env::args().nth(1).unwrap_or_else(|| "{}".to_owned()))?;
    let aws = aws(chosen)?;
    for line in io::stdin().lock().lines() {
        let answer = match answer(&aws, serde_json::from_str(&line?)?).await {
            Ok(value) => json!({"value": value}),
            Err(error) => json!({"error": error.to_string()}),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own")]
fn aws(chosen: Chosen) -> Result<Aws, Box<dyn Error>> {
    let (external_id, session_name) = (chosen.external_id, chosen.session_name);
    let role = chosen.role_arn.map(|arn| Role { arn, external_id, session_name });
    let settings = Settings { profile: chosen.profile, region: chosen.region, role };
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let endpoints = Endpoints::new(|name| std::env::var(name).ok());
    Ok(Aws::new(http, Identity::new(settings, Clock::system()), endpoints, Clock::system()))
}

async fn answer(aws: &Aws, question: Question) -> Result<Value, Box<dyn Error>> {
    let identity = aws.identity();
    let read = match question {
        Question::Region => return Ok(identity.region().await?.into()),
        Question::Key => return Ok(identity.credentials().await?.value.access_key_id().into()),
        Question::Renewed => {
            let generation = identity.credentials().await?.generation;
            let newer = identity.renew(generation).await;
            let key = identity.credentials().await?.value.access_key_id().to_owned();
            return Ok(json!({"newer": newer, "key": key}));
        }
        Question::Arn { arn, json_key } => arn.parse::<Reference>()?.read(aws, json_key.as_deref()).await,
        Question::Secret(name) => Reference::secret(&name).read(aws, None).await,
        Question::Parameter(name) => Reference::parameter(&name).read(aws, None).await,
    };
    Ok(read?.expose().into())
}
