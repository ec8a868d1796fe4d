//! `causeway destroy`: removes what `causeway deploy` has made, after a plan and a question, and then what is kept of it on this
//! machine. Goes on where a run before was interrupted.

use std::fs;

use anyhow::bail;
use clap::Args;

use super::{
    Usage,
    deploy::steps::{Consent, PlaceArgs, Run},
    screen::{notice, out_line, tell},
};
use crate::{
    config::Environment,
    deploy::{
        CredentialsFile, Signals, State, Step, Terraform, TestUser, Workspace,
        terraform::{Done, Program},
        variables,
    },
};

/// What is destroyed.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES:
  With a plan and a question:
    causeway destroy --gateway-name my-gateway

  Without a question, and the credentials file too:
    causeway destroy --gateway-name my-gateway --confirm --credentials

EXIT STATUS: 0 if nothing is left, 1 if something failed or the answer was not yes, 2 for wrong arguments, 130 after Ctrl-C. The same
command goes on where it was.")]
pub struct DestroyArgs {
    /// The gateway
    #[arg(long, value_name = "NAME")]
    gateway_name: String,
    /// Remove the credentials file as well
    #[arg(long)]
    credentials: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Destroys.
///
/// # Errors
/// Why something is left. The same command goes on.
pub async fn run(args: &DestroyArgs) -> anyhow::Result<()> {
    let workspace = known(args)?;
    args.consent.possible()?;
    let lock = workspace.lock()?;
    let Some(state) = State::load(&workspace)? else { bail!(unknown(args)) };
    let path = CredentialsFile::path(workspace.base(), workspace.gateway());
    if state.made {
        let program = Program::find(args.place.terraform.as_deref(), state.root.needs()).await?;
        let directory = workspace.terraform().join(state.root.directory());
        // The root wants values that were there when it was applied; for removing, any do.
        let user = CredentialsFile::load(&path)?.user();
        let user = TestUser::find(workspace.base(), &Environment::process(), user)?;
        let mut environment = vec![variables::password(&user), variables::no_secrets(&directory)];
        environment.extend(args.place.environment());
        let colour = console::colors_enabled_stderr();
        let terraform = Terraform { program, directory, environment, colour, lock };
        let mut run = Run { workspace: workspace.clone(), state, same: true, terraform, signals: Signals::listen()? };
        if !remove(args, &mut run).await? {
            return Ok(());
        }
    } else {
        tell!("{}", notice("note", "nothing of it was made at AWS"));
        if args.consent.plan_only {
            return Ok(());
        }
    }
    workspace.remove()?;
    forget(args, &path)?;
    out_line(&format!("`{}` is destroyed", args.gateway_name))
}

/// Whether everything at AWS is gone.
async fn remove(args: &DestroyArgs, run: &mut Run) -> anyhow::Result<bool> {
    if run.state.step == Step::Destroying {
        let what = "Terraform did not end what it began: the plan shows what is left";
        tell!("{}", notice("note", &format!("going on, where an earlier `causeway destroy` has ended: {what}")));
    }
    run.initialize().await?;
    let planned = run.plan(&["-destroy"]).await?;
    if args.consent.plan_only {
        run.drop_plan();
        return Ok(false);
    }
    if planned == Done::Changes {
        let region = &run.state.region;
        let question = format!("Remove all of this at AWS, in {region}? It cannot be undone.");
        run.ask(&args.consent, &question).await?;
    }
    run.apply(planned, Step::Destroying).await?;
    Ok(true)
}

/// The gateway's workspace, if anything was deployed from here.
fn known(args: &DestroyArgs) -> anyhow::Result<Workspace> {
    let workspace = Workspace::new(&args.place.directory, &args.gateway_name);
    match workspace.exists() {
        true => Ok(workspace),
        false => bail!(unknown(args)),
    }
}

fn unknown(args: &DestroyArgs) -> Usage {
    let all = Workspace::all(&args.place.directory);
    let names: Vec<&str> = all.iter().map(Workspace::gateway).collect();
    let there = match names.is_empty() {
        true => "nothing was; name the directory with `--directory PATH`".into(),
        false => format!("`{}` was", names.join("`, `")),
    };
    Usage(format!("no gateway `{}` was deployed from this directory; {there}", args.gateway_name))
}

fn forget(args: &DestroyArgs, path: &std::path::Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    if args.credentials {
        return Ok(fs::remove_file(path)?);
    }
    let name = path.display();
    tell!(
        "{}",
        notice(
            "note",
            &format!("the credentials file is still there, and of no more use: `{name}`; remove it with `rm {name}`")
        )
    );
    Ok(())
}
