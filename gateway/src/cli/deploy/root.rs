//! The other roots, with the same steps: the gateway itself on ECS Fargate, or on Lambda. What they take is said in Terraform's own
//! variable files; the text of config.toml is one of the variables.

use std::{fs, path::PathBuf};

use aws_lc_rs::digest::{Context as Digest, SHA256};
use causeway_aws::endpoint::is_region;
use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    served,
    steps::{self, Consent, PlaceArgs, Run, now},
};
use crate::{
    cli::{
        regions,
        screen::{faint, notice, out, out_line, padded, printable, strong, tell},
    },
    config::{
        Mistakes,
        deploy::{REGION, check_gateway_name},
    },
    deploy::{
        Root, Signals, State, Step, Terraform, Unwritten, Workspace,
        roots::NotCarried,
        runtime_configs::mistakes,
        state::hex,
        terraform::{Done, Program},
        variables,
        workspace::write_private,
    },
};

/// The output with commands that are ready to paste.
const COMMANDS: &str = "commands";

/// What is deployed, and how.
#[derive(Clone, Debug, Args)]
pub struct RootArgs {
    /// What the names of all parts begin with, whatever a variable file says
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A file with variables of the root, `.tfvars` or `.tfvars.json`; may be given several times, the last one counts. The
    /// options here count more. Not for secrets
    #[arg(long = "var-file", value_name = "PATH")]
    var_files: Vec<PathBuf>,
    /// The config.toml that it serves, whose text becomes the variable config_toml; default: what a variable file says
    #[arg(short, long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// The AWS region; default: what a variable file says, else us-east-1
    #[arg(long)]
    region: Option<String>,
    #[command(flatten)]
    consent: Consent,
    /// Print what the root gives as one JSON object, for machines, secrets left out
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Deploys.
///
/// # Errors
/// As [`super::run`].
pub(super) async fn run(root: Root, args: &RootArgs) -> anyhow::Result<()> {
    let variables = args.variables(root)?;
    args.consent.possible()?;
    let program = Program::find(args.place.terraform.as_deref(), root.needs()).await?;
    let workspace = Workspace::new(&args.place.directory, &args.name);
    let lock = workspace.lock()?;
    let before = State::load(&workspace)?;
    // Until the plan says it.
    let region = args.region.as_deref().or(before.as_ref().map(|before| &*before.region)).unwrap_or(REGION);
    steps::same_place(&workspace, before.as_ref(), root, region)?;
    let mut state = State::begin(before.as_ref(), &workspace, region, root);
    let digest = args.prepare(&workspace, &mut state, &program, &variables)?;
    let same = before.as_ref().is_some_and(|before| before.digest == digest);
    before.iter().for_each(|before| steps::resumed(before, same));
    if !same {
        state.digest = digest;
        state.reach(Step::Prepared, &workspace, now())?;
    }
    let directory = workspace.terraform().join(root.directory());
    let environment = args.place.environment();
    let terraform = Terraform { program, directory, environment, colour: console::colors_enabled_stderr(), lock };
    let mut run = Run { workspace, state, same, terraform, signals: Signals::listen()? };
    run.initialize().await?;
    let planned = run.plan(&[]).await?;
    run.planned_region(before.as_ref()).await?;
    if let Some(doubt) = regions::doubted("the deployment", &run.state.region) {
        tell!("{}", notice("warning", &doubt.to_string()));
    }
    if args.consent.plan_only {
        Run::only_planned();
        return Ok(());
    }
    if planned == Done::Changes {
        let question = format!("Make these changes at AWS, in {}?", run.state.region);
        run.ask(&args.consent, &question).await?;
    }
    run.apply(planned, Step::Applying).await?;
    let outputs = async { Ok(run.terraform.outputs().await?) };
    let outputs = shown(&steps::unless_interrupted(&mut run.signals, outputs).await?);
    run.reach(Step::Finished)?;
    match args.json {
        true => out_line(&Value::Object(outputs).to_string()),
        false => out(&as_text(&args.name, &outputs)),
    }
}

impl RootArgs {
    /// What the options say, for Terraform.
    fn variables(&self, root: Root) -> Result<Value, Mistakes> {
        let mut wrong = Vec::new();
        if let Err(why) = check_gateway_name(&self.name) {
            wrong.push(format!("`--name {}` {why}", self.name));
        }
        if let Some(region) = self.region.as_deref().filter(|region| !is_region(region)) {
            wrong.push(format!("`--region {region}` is no region; write it like `us-east-1`"));
        }
        for path in &self.var_files {
            let name = path.display();
            if !name.to_string().ends_with(".tfvars") && !name.to_string().ends_with(".tfvars.json") {
                wrong.push(format!("`--var-file {name}` must end in `.tfvars` or `.tfvars.json`"));
            } else if !path.is_file() {
                wrong.push(format!("`--var-file {name}` is not there, or no file"));
            }
        }
        if let Some(mistakes) = mistakes("options", wrong) {
            return Err(mistakes);
        }
        // Nothing that nobody said here: it would count more than what a variable file says.
        let mut variables = json!({ "name": self.name });
        if let Some(region) = &self.region {
            variables["region"] = region.as_str().into();
        }
        if let Some(path) = &self.config {
            variables["config_toml"] = served::text(path, root)?.into();
        }
        Ok(variables)
    }

    /// Writes what Terraform reads; gives a digest of it.
    fn prepare(
        &self,
        workspace: &Workspace,
        state: &mut State,
        program: &Program,
        variables: &Value,
    ) -> anyhow::Result<String> {
        let root = state.root;
        if !root.is_carried() {
            return Err(NotCarried.into());
        }
        let mut digest = Digest::new(&SHA256);
        digest.update(format!("{} {}\n", program.path.display(), program.version).as_bytes());
        state.files = root.write(&workspace.terraform(), &state.files)?;
        let text = serde_json::to_string_pretty(variables)? + "\n";
        write_private(&workspace.terraform().join(root.directory()).join(variables::FILE), &text)?;
        root.digest(&workspace.terraform(), &mut digest)?;
        state.var_files.clear();
        for path in &self.var_files {
            digest.update(&fs::read(path).map_err(Unwritten::at(path, "read"))?);
            state.var_files.push(std::path::absolute(path)?);
        }
        Ok(hex(digest.finish().as_ref()))
    }
}

/// Each output's value, without those that are secret.
fn shown(outputs: &Value) -> Map<String, Value> {
    let outputs = outputs.as_object().into_iter().flatten();
    let value = |output: &Value| match output["sensitive"].as_bool() {
        Some(false) => output["value"].clone(),
        _ => "<redacted>".into(),
    };
    outputs.map(|(name, output)| (name.clone(), value(output))).filter(|(_, value)| !value.is_null()).collect()
}

fn as_text(name: &str, outputs: &Map<String, Value>) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (commands, others): (Vec<_>, Vec<_>) = outputs.iter().partition(|(name, _)| *name == COMMANDS);
    let mut lines = vec![strong(&format!("`{name}` is deployed"))];
    lines.extend(others.iter().map(|(name, value)| format!("  {}  {}", padded(name, 24), printable(&text(value)))));
    let commands: Vec<_> = commands.iter().flat_map(|(_, value)| value.as_object()).flatten().collect();
    if !commands.is_empty() {
        lines.push(strong("Next"));
    }
    for (name, command) in commands.iter().filter(|(_, command)| !command.is_null()) {
        lines.push(faint(&format!("  {}", printable(name))));
        lines.push(format!("    {}", printable(&text(command))));
    }
    lines.join("\n") + "\n"
}

/// For Terraform's `plan`, whichever root it is. Ours is the last: what was said on the command line counts more than somebody's files.
pub(in crate::cli) fn var_files(state: &State) -> Vec<String> {
    // One that has gone since is said by Terraform, if something of it is missed.
    let named = state.var_files.iter().filter(|path| path.is_file());
    let named = named.map(|path| path.display().to_string());
    let ours = (state.root != Root::Agentcore).then(|| variables::FILE.to_owned());
    named.chain(ours).map(|path| format!("-var-file={path}")).collect()
}
