//! What a config.toml says that `causeway deploy` does not take to AWS, because an AgentCore Gateway has no place for it or is made
//! otherwise: each as a warning. Mistakes are others' business.

use crate::config::{
    deploy::Authorization,
    file::{
        File,
        authorizer::Authorizer,
        deploy::Deploy,
        target::{Http, Target},
    },
};

/// One sentence for each.
pub(super) fn of(file: &File) -> Vec<String> {
    let section = file.deploy.as_ref().map(|section| &section.value);
    let is_left_out = |target: &Target| {
        let names = section.into_iter().flat_map(|section| &section.leave_out);
        names.map(|name| &name.value).any(|name| Some(name) == target.name.as_ref().map(|name| &name.value))
    };
    let taken = section.map(Deploy::authorization).unwrap_or_default();
    let mut said: Vec<String> = authorizer(file, taken).into_iter().collect();
    if file.login.is_some() {
        said.push("`[login]` is not taken to AWS: who logs in there does so at the user pool of the gateway".into());
    }
    let toolsets = file.toolsets.iter().flat_map(|toolsets| &toolsets.value);
    let toolsets: Vec<&str> =
        toolsets.filter_map(|toolset| toolset.value.name.as_ref()).map(|name| &*name.value).collect();
    if !toolsets.is_empty() {
        let names = toolsets.join("`, `");
        said.push(format!(
            "`[[toolsets]]` (`{names}`) is not taken to AWS: the gateway there has one endpoint for all"
        ));
    }
    for target in file.targets.iter().flat_map(|targets| &targets.value) {
        said.extend(standby(&target.value));
        if !is_left_out(&target.value) {
            said.extend(chosen(&target.value));
            said.extend(further(&target.value));
        }
    }
    said
}

fn authorizer(file: &File, taken: Authorization) -> Option<String> {
    let name = match file.authorizer.as_ref()?.value {
        Authorizer::None => return None,
        Authorizer::CustomJwt(_) => "authorizer.custom_jwt",
        Authorizer::AwsIam(_) => "authorizer.aws_iam",
    };
    let instead = match taken {
        Authorization::Jwt => {
            "the gateway there gets a Cognito user pool of its own, and takes nothing that callers show here"
        }
        Authorization::Iam => "the gateway there takes signatures of AWS, from whom IAM lets call it",
    };
    Some(format!("`[{name}]` is not taken to AWS: {instead}"))
}

/// Filters, renames and texts.
fn chosen(target: &Target) -> Option<String> {
    let tables = [
        ("tools", target.tools.is_some()),
        ("prompts", target.prompts.is_some()),
        ("resources", target.resources.is_some()),
    ];
    let tables: Vec<&str> = tables.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect();
    let names = (!tables.is_empty()).then(|| tables.join("`, `"))?;
    let are = if tables.len() == 1 { "is" } else { "are" };
    let instead = "the gateway there shows all that the target has, under its own names";
    Some(format!("target `{}`: `{names}` {are} not taken to AWS: {instead}", name(target)))
}

/// Of one that is joined. One that is deployed is reached where it is deployed.
fn further(target: &Target) -> Option<String> {
    let Http { endpoints, .. } = &target.http.as_ref().filter(|_| target.deploy.is_none())?.value;
    let many = endpoints.as_ref()?.value.len().checked_sub(1).filter(|many| *many > 0)?;
    let others = if many == 1 { "the other is not".into() } else { format!("the other {many} are not") };
    Some(format!("target `{}`: the first of `http.endpoints` is taken to AWS, and {others}", name(target)))
}

fn standby(target: &Target) -> Option<String> {
    let none = "the gateway there has targets, and nothing that stands by for them";
    (!target.standby.is_empty()).then(|| format!("target `{}`: `standby` is not taken to AWS: {none}", name(target)))
}

fn name(target: &Target) -> &str {
    target.name.as_ref().map_or("", |name| &name.value)
}
