//! `causeway deploy`: servers as AgentCore Runtimes behind one AgentCore Gateway, made by the user's own Terraform after a plan and a
//! question. It goes on where a run before was interrupted, and leaves what a client needs in one file.

mod connection;
mod root;
mod served;
pub(in crate::cli) mod steps;
mod untaken;

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context as Digest, SHA256};
use causeway_aws::{endpoint::is_region, identity::Settings};
use clap::{Args, Subcommand};

use self::{
    connection::Connection,
    steps::{Consent, PlaceArgs, Run, now},
};
use super::{
    configured::ConfigArgs,
    regions,
    screen::{notice, out, out_line, tell},
};
use crate::{
    config::{
        Deployment, Environment, Over, SecretSource,
        deploy::{Authorization, Source, check_description, check_gateway_name},
    },
    deploy::{
        CredentialsFile, Root, Signals, State, Step, Terraform, TestUser, Workspace,
        package::package,
        roots::NotCarried,
        runtime_configs::{self, mistakes},
        state::hex,
        terraform::{Done, Program},
        variables::{self, Variables},
        workspace::{Lock, write_private},
    },
    peer,
    secret::Secret,
};

/// What is deployed, and how.
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "EXAMPLES:
  The targets of ./config.toml that have a table `deploy`, with a plan and a question:
    causeway deploy

  Two Python servers, without a config.toml:
    causeway deploy --gateway-name my-gateway --runtime-configs '[
      {\"name\": \"my-calculator\", \"entrypoint\": \"calculator/server.py\", \"requirements_file\": \"calculator/requirements.txt\"},
      {\"name\": \"my-hello\", \"entrypoint\": \"hello/server.py\", \"requirements_file\": \"hello/requirements.txt\"}]'

  What would be done, and nothing else:
    causeway deploy --plan-only

EXIT STATUS: 0 if everything is deployed, 1 if something failed or the answer was not yes, 2 for wrong arguments, 64 for mistakes in
what is to be deployed, 130 after Ctrl-C. The same command goes on where it was."
)]
pub struct DeployArgs {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    config: ConfigArgs,
    /// In place of a configuration file: the servers as a JSON array, each with name, entrypoint and requirements_file, and, if need
    /// be, description, auto_create_execution_role, auto_create_ecr and the other members of [targets.deploy]; relative paths start at
    /// --directory
    #[arg(long, value_name = "JSON")]
    runtime_configs: Option<String>,
    /// The gateway's name, which the names of everything else are made of; default: deploy.gateway_name of the file
    #[arg(long, value_name = "NAME")]
    gateway_name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    gateway_description: Option<String>,
    /// The AWS region; default: that of the file, else us-east-1
    #[arg(long)]
    region: Option<String>,
    #[command(flatten)]
    consent: Consent,
    /// Print the connection information as one JSON object, for machines, secrets left out
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// In place of an AgentCore Gateway, this gateway itself.
#[derive(Clone, Debug, Subcommand)]
pub enum Other {
    /// On ECS Fargate behind a load balancer, as replicas that keep no state between them
    #[command(after_help = "EXAMPLES:
  With the settings in a file of Terraform's form, and ./config.toml:
    causeway deploy self-hosted --name tools --var-file prod.tfvars --config config.toml

  It is looked at with `causeway status`, and removed with `causeway destroy --gateway-name tools`.")]
    SelfHosted(Box<root::RootArgs>),
    /// As a Lambda function behind API Gateway and Cognito
    #[command(after_help = "EXAMPLES:
  With the settings in a file of Terraform's form, and ./config.toml, in which ${public_url}, ${discovery_url}, ${client_id} and
  ${scope} stand for what is known only once it is made:
    causeway deploy lambda --name tools --var-file dev.tfvars --config config.toml

  It is looked at with `causeway status`, and removed with `causeway destroy --gateway-name tools`.")]
    Lambda(Box<root::RootArgs>),
}

/// What Terraform will read, written.
struct Prepared {
    digest: String,
    environment: Vec<(String, Secret)>,
    files: Vec<String>,
}

/// Deploys.
///
/// # Errors
/// Mistakes of what is to be deployed, before anything else; why it is not deployed. What was made stays, and the same command goes
/// on.
pub async fn run(args: &DeployArgs) -> anyhow::Result<()> {
    match &args.other {
        None => {}
        Some(Other::SelfHosted(args)) => return root::run(Root::SelfHosted, args).await,
        Some(Other::Lambda(args)) => return root::run(Root::Lambda, args).await,
    }
    let environment = Environment::process();
    let deployment = args.deployment(&environment)?;
    args.consent.possible()?;
    if let Some(doubt) = regions::doubted("the deployment", &deployment.region) {
        tell!("{}", notice("warning", &doubt.to_string()));
    }
    let program = Program::find(args.place.terraform.as_deref(), Root::Agentcore.needs()).await?;
    let workspace = Workspace::new(&args.place.directory, &deployment.gateway_name);
    let lock = workspace.lock()?;
    let before = State::load(&workspace)?;
    steps::same_place(&workspace, before.as_ref(), Root::Agentcore, &deployment.region)?;
    let path = CredentialsFile::path(workspace.base(), workspace.gateway());
    if CredentialsFile::is_for_git(&path).await {
        let what = "holds secrets, and git would take it into the repository here";
        let todo = format!("put the line `{}` into .gitignore", CredentialsFile::IGNORED);
        tell!("{}", notice("warning", &format!("`{}` {what}; {todo}", connection::shown(&path))));
    }
    let credentials = CredentialsFile::load(&path)?;
    let user = match deployment.authorizer {
        Authorization::Jwt => Some(TestUser::find(workspace.base(), &environment, credentials.user())?),
        Authorization::Iam => None,
    };
    let mut run = args.prepared(&deployment, (workspace, lock, before), program, user.as_ref()).await?;
    // A user who was not in the file yet may have another password since.
    if args.consent.plan_only || !run.is_applied(&deployment) || credentials.user() != user {
        run.initialize().await?;
        let planned = run.plan(&[]).await?;
        if args.consent.plan_only {
            Run::only_planned();
            return Ok(());
        }
        if planned == Done::Changes {
            run.ask(&args.consent, &format!("Make these changes at AWS, in {}?", deployment.region)).await?;
            if let Some(user) = &user {
                // Before there is a user with this password.
                credentials.clone().with_user(user).save(&path)?;
            }
        }
        run.apply(planned, Step::Applying).await?;
        run.reach(Step::Applied)?;
    }
    let made = Connection::made(
        &run.terraform,
        &run.workspace,
        &run.state.region,
        (&credentials, user.as_ref()),
        &environment,
    );
    let connection = steps::unless_interrupted(&mut run.signals, made).await?;
    run.state.outputs = Some(connection.outputs.clone());
    run.reach(Step::Finished)?;
    match args.json {
        true => out_line(&connection.json().to_string()),
        false => out(&connection.text()),
    }
}

impl DeployArgs {
    /// What is to be deployed; everything wrong with it at once.
    fn deployment(&self, environment: &Environment) -> anyhow::Result<Deployment> {
        let over = Over {
            gateway_name: self.gateway_name.clone(),
            gateway_description: self.gateway_description.clone(),
            region: self.region.clone(),
        };
        let mut wrong = Vec::new();
        if let Some(Err(why)) = over.gateway_name.as_deref().map(check_gateway_name) {
            wrong.push(format!("`--gateway-name {}` {why}", over.gateway_name.as_deref().unwrap_or_default()));
        }
        if let Some(region) = over.region.as_deref().filter(|region| !is_region(region)) {
            wrong.push(format!("`--region {region}` is no region; write it like `us-east-1`"));
        }
        if let Some(Err(why)) = over.gateway_description.as_deref().map(check_description) {
            wrong.push(format!("`--gateway-description` {why}"));
        }
        let (mut untaken, mut authorizer) = (Vec::new(), Authorization::Jwt);
        let deployment = match &self.runtime_configs {
            Some(text) => {
                let directory = std::path::absolute(&self.place.directory)?;
                runtime_configs::deployment(text, &over, &directory)
            }
            None => {
                let draft = self.config.draft(environment)?;
                untaken = untaken::of(&draft.file);
                authorizer =
                    draft.file.deploy.as_ref().map(|section| section.value.authorization()).unwrap_or_default();
                draft.deployment(environment, &over)
            }
        };
        if authorizer == Authorization::Jwt {
            wrong.extend(TestUser::wrong(&self.place.directory, environment));
        }
        match (deployment, mistakes("options", wrong)) {
            (Ok(deployment), None) => {
                untaken.iter().for_each(|what| tell!("{}", notice("warning", what)));
                Ok(deployment)
            }
            (Err(mistakes), None) | (Ok(_), Some(mistakes)) => Err(mistakes.into()),
            (Err(mistakes), Some(options)) => {
                Err(crate::config::Mistakes { mistakes: [options.mistakes, mistakes.mistakes].concat(), ..mistakes }
                    .into())
            }
        }
    }

    /// Writes all that Terraform reads, and says where a run before has ended.
    async fn prepared(
        &self,
        deployment: &Deployment,
        (workspace, lock, before): (Workspace, Lock, Option<State>),
        program: Program,
        user: Option<&TestUser>,
    ) -> anyhow::Result<Run> {
        let root = Root::Agentcore;
        let mut state = State::begin(before.as_ref(), &workspace, &deployment.region, root);
        let secrets = target_secrets(deployment, &self.place).await?;
        let prepared = prepare(deployment, &workspace, &mut state, user, &secrets, &program)?;
        let same = before.as_ref().is_some_and(|before| before.digest == prepared.digest);
        if let Some(before) = &before {
            steps::resumed(before, same);
        }
        state.files = prepared.files;
        if !same {
            state.digest = prepared.digest;
            state.reach(Step::Prepared, &workspace, now())?;
        }
        let directory = workspace.terraform().join(root.directory());
        let mut environment = prepared.environment;
        environment.extend(self.place.environment());
        environment.extend(variables::account(&state));
        let colour = console::colors_enabled_stderr();
        let terraform = Terraform { program, directory, environment, colour, lock };
        Ok(Run { workspace, state, same, terraform, signals: Signals::listen()? })
    }
}

/// The secrets of joined targets' clients; AWS is asked for those that it keeps.
async fn target_secrets(deployment: &Deployment, place: &PlaceArgs) -> anyhow::Result<BTreeMap<String, Secret>> {
    let mut secrets = BTreeMap::new();
    for target in &deployment.targets {
        let Some(client) = &target.client else { continue };
        let secret = match &client.client_secret {
            SecretSource::Here(secret) => secret.clone(),
            SecretSource::File(path) => crate::stored::read(path)?,
            SecretSource::Aws { reference, json_key } => {
                let settings =
                    Settings { profile: place.profile.clone(), region: Some(deployment.region.clone()), role: None };
                let aws = peer::aws(settings, &Environment::process())?;
                Secret::new(reference.read(&aws, json_key.as_deref()).await?.expose())
            }
        };
        secrets.insert(target.name.to_string(), secret);
    }
    Ok(secrets)
}

fn prepare(
    deployment: &Deployment,
    workspace: &Workspace,
    state: &mut State,
    user: Option<&TestUser>,
    secrets: &BTreeMap<String, Secret>,
    program: &Program,
) -> anyhow::Result<Prepared> {
    let mut digest = Digest::new(&SHA256);
    digest.update(format!("{} {}\n", program.path.display(), program.version).as_bytes());
    for server in &deployment.servers {
        let Source::Python { entrypoint, requirements } = &server.source else { continue };
        let packaged = package(entrypoint, requirements, &workspace.source(&server.name))?;
        for doubt in packaged.doubts {
            tell!("{}", notice("warning", &format!("runtime `{}`: {doubt}", server.name)));
        }
        digest.update(packaged.digest.as_bytes());
    }
    let root = state.root;
    if !root.is_carried() {
        return Err(NotCarried.into());
    }
    let terraform = workspace.terraform();
    let files = root.write(&terraform, &state.files)?;
    let (mut environment, mut version) = (Vec::new(), None);
    environment.extend(user.map(variables::password));
    if !secrets.is_empty() {
        let variable = variables::target_secrets(secrets);
        state.secrets = state.secrets.next(variable.1.expose());
        version = Some(state.secrets.version);
        environment.push(variable);
    }
    let text = Variables::of(deployment, workspace, user, version).text();
    write_private(&terraform.join(root.directory()).join(variables::FILE), &text)?;
    root.digest(&terraform, &mut digest)?;
    Ok(Prepared { digest: hex(digest.finish().as_ref()), environment, files })
}
