//! `causeway destroy`: removes what `causeway deploy` has made, after a plan and a question, and then what is kept of it on this
//! machine. Goes on where a run before was interrupted.

use std::fs;

use anyhow::bail;
use clap::Args;

use super::{
    deploy::steps::{self, Consent, PlaceArgs, Run},
    screen::{notice, out_line, tell},
};
use crate::{
    clients::quoted,
    deploy::{
        CredentialsFile, Signals, State, Step, Terraform, TestUser,
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
    let workspace = steps::known(&args.place.directory, &args.gateway_name)?;
    args.consent.possible()?;
    let lock = workspace.lock()?;
    let Some(state) = State::load(&workspace)? else {
        bail!("`{}` was just destroyed by another run", args.gateway_name)
    };
    let path = CredentialsFile::path(workspace.base(), workspace.gateway());
    if state.made {
        let program = Program::find(args.place.terraform.as_deref(), state.root.needs()).await?;
        let directory = workspace.terraform().join(state.root.directory());
        // The root wants values that were there when it was applied; for removing, any do.
        let user = CredentialsFile::load(&path).ok().and_then(|file| file.user()).unwrap_or_else(TestUser::of_nobody);
        variables::no_sources(&directory, &workspace)?;
        let mut environment = vec![variables::password(&user), variables::no_secrets(&directory)];
        environment.extend(args.place.environment());
        environment.extend(variables::account(&state));
        let colour = console::colors_enabled_stderr();
        let terraform = Terraform { program, directory, environment, colour, lock };
        let mut run = Run { workspace: workspace.clone(), state, same: true, terraform, signals: Signals::listen()? };
        if !remove(args, &mut run).await? {
            return Ok(());
        }
        // Before `run` lets others in.
        workspace.remove()?;
    } else {
        tell!("{}", notice("note", "nothing of it was made at AWS"));
        if args.consent.plan_only {
            return Ok(());
        }
        workspace.remove()?;
    }
    forget(args, &path)?;
    out_line(&format!("`{}` is destroyed", args.gateway_name))
}

/// Whether everything at AWS is gone.
async fn remove(args: &DestroyArgs, run: &mut Run) -> anyhow::Result<bool> {
    let goes_on = run.state.step == Step::Destroying;
    if goes_on {
        let what = "Terraform did not end what it began: the plan shows what is left";
        tell!("{}", notice("note", &format!("going on, where an earlier `causeway destroy` has ended: {what}")));
    }
    run.initialize().await?;
    // A file of variables may say another by now, or be gone.
    let region = format!("-var=region={}", run.state.region);
    let planned = run.plan(&["-destroy", &region]).await?;
    if args.consent.plan_only {
        Run::only_planned();
        return Ok(false);
    }
    if planned == Done::Well && !goes_on {
        bail!(
            "Terraform finds nothing of `{}` at AWS, as with credentials of another account: ask with those that it was deployed with; \
             if all of it is gone already, forget it with `rm -r {}`",
            args.gateway_name,
            quoted(&run.workspace.home().display().to_string())
        );
    }
    if planned == Done::Changes {
        let region = &run.state.region;
        let question = format!("Remove all of this at AWS, in {region}? It cannot be undone.");
        run.ask(&args.consent, &question).await?;
    }
    run.apply(planned, Step::Destroying).await?;
    Ok(true)
}

fn forget(args: &DestroyArgs, path: &std::path::Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    if args.credentials {
        return Ok(fs::remove_file(path)?);
    }
    let name = path.display();
    let quoted = quoted(&name.to_string());
    tell!(
        "{}",
        notice(
            "note",
            &format!("the credentials file is still there, and of no more use: `{name}`; remove it with `rm {quoted}`")
        )
    );
    Ok(())
}
