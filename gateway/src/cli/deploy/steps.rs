//! The steps that deploying and destroying have in common: who may be asked, Terraform's commands in their order, and what is remembered
//! after each. Knows nothing of what is deployed.

use std::{
    fs,
    future::Future,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use causeway_oidc::clock::Clock;
use clap::Args;

use crate::{
    cli::{
        Interrupted, Usage,
        screen::{notice, say, tell},
    },
    config::{Deployment, deploy::Source},
    deploy::{
        Root, Signals, State, Step, Terraform, Workspace,
        terraform::{Done, TerraformError},
    },
    secret::Secret,
};

/// Variables that AWS's library for Go, which Terraform is made with, takes before AWS_PROFILE.
const BEFORE_PROFILE: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// Where a deployment is kept, and with what Terraform works.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct PlaceArgs {
    /// The directory that holds .causeway and the credentials file
    #[arg(long, value_name = "PATH", default_value = ".", hide_default_value = true)]
    pub(in crate::cli) directory: PathBuf,
    /// The Terraform or OpenTofu to run; default: `terraform`, else `tofu`
    #[arg(long, value_name = "PATH", env = "CAUSEWAY_TERRAFORM")]
    pub(in crate::cli) terraform: Option<PathBuf>,
    /// The AWS profile; default: the default chain of AWS's own tools
    #[arg(long)]
    pub(in crate::cli) profile: Option<String>,
}

/// Whether somebody is asked.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct Consent {
    /// Do not ask: change at AWS what the plan says
    #[arg(long, visible_alias = "confirm")]
    pub(in crate::cli) yes: bool,
    /// Show the plan and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub(in crate::cli) plan_only: bool,
}

/// A run in a workspace that nobody else has. A plan that it leaves goes with it, since it may hold secrets.
pub(in crate::cli) struct Run {
    pub(in crate::cli) workspace: Workspace,
    pub(in crate::cli) state: State,
    /// Everything is as it was at the last run.
    pub(in crate::cli) same: bool,
    pub(in crate::cli) terraform: Terraform,
    pub(in crate::cli) signals: Signals,
}

impl PlaceArgs {
    /// For Terraform: the profile that was named, and nothing that would count more, which an empty variable does not.
    pub(in crate::cli) fn environment(&self) -> Vec<(String, Secret)> {
        let Some(profile) = &self.profile else { return Vec::new() };
        let others = BEFORE_PROFILE.iter().map(|name| ((*name).to_owned(), Secret::new("")));
        others.chain([("AWS_PROFILE".to_owned(), Secret::new(&**profile))]).collect()
    }
}

impl Consent {
    /// Before anything is written: a question that nobody can answer is none.
    pub(in crate::cli) fn possible(&self) -> anyhow::Result<()> {
        match self.yes || self.plan_only || io::stdin().is_terminal() {
            true => Ok(()),
            false => bail!(Usage(
                "nobody can be asked, because standard input is no terminal; change without a question with `--yes`, or only look \
                 with `--plan-only`"
                    .into()
            )),
        }
    }
}

impl Run {
    /// Whether only the credentials file is missing. What a directory with a Dockerfile holds is not compared.
    pub(in crate::cli) fn is_applied(&self, deployment: &Deployment) -> bool {
        let compared = |source: &Source| !matches!(source, Source::Directory(_));
        self.same
            && self.state.step == Step::Applied
            && deployment.servers.iter().all(|server| compared(&server.source))
    }

    pub(in crate::cli) async fn initialize(&mut self) -> anyhow::Result<()> {
        let is_done = self.terraform.directory.join(".terraform").is_dir();
        if self.same && is_done && self.state.step >= Step::Initialized {
            return Ok(());
        }
        self.terraform(&["init", "-input=false"]).await.map_err(nothing_changed)?;
        self.raise(Step::Initialized)
    }

    /// Shows what would be done.
    pub(in crate::cli) async fn plan(&mut self, more: &[&str]) -> anyhow::Result<Done> {
        let plan = std::path::absolute(self.workspace.plan())?;
        let out = format!("-out={}", plan.display());
        let files = super::root::var_files(&self.state);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        // Of what is said twice, Terraform takes the last.
        let arguments = [&["plan", "-input=false", "-detailed-exitcode", &out], &files[..], more].concat();
        let planned = self.terraform(&arguments).await.map_err(nothing_changed)?;
        self.raise(Step::Planned)?;
        Ok(planned)
    }

    /// Where the plan would make it, which a file of variables or the environment may say too: remembered from now on.
    pub(in crate::cli) async fn planned_region(&mut self, before: Option<&State>) -> anyhow::Result<()> {
        let plan = std::path::absolute(self.workspace.plan())?;
        let region = tokio::select! {
            region = self.terraform.planned(&plan, "region") => region,
            () = self.signals.next() => Err(TerraformError::Interrupted),
        };
        let Some(region) = region.map_err(nothing_changed)? else { return Ok(()) };
        same_place(&self.workspace, before, self.state.root, &region)?;
        if region != self.state.region {
            self.state.region = region;
            self.reach(self.state.step)?;
        }
        Ok(())
    }

    /// After a plan that was all that was wanted.
    pub(in crate::cli) fn only_planned() {
        tell!("{}", notice("note", "nothing was changed; the same command without `--plan-only` asks and does it"));
    }

    fn drop_plan(&self) {
        let _ = fs::remove_file(self.workspace.plan());
    }

    /// Goes on only after a `yes`.
    pub(in crate::cli) async fn ask(&mut self, consent: &Consent, question: &str) -> anyhow::Result<()> {
        if consent.yes {
            return Ok(());
        }
        say(&format!("\n{question} Only `yes` is taken: "));
        let answer = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        });
        let answer = tokio::select! {
            answer = answer => answer?.context("the terminal cannot be used"),
            () = self.signals.next() => {
                say("\n");
                Err(Interrupted.into())
            }
        };
        match answer {
            Ok(answer) if answer.trim() == "yes" => Ok(()),
            Ok(_) => bail!("nothing was changed, because the answer was not `yes`"),
            Err(error) => Err(error),
        }
    }

    /// Does what was planned; `step` is what is remembered meanwhile.
    pub(in crate::cli) async fn apply(&mut self, planned: Done, step: Step) -> anyhow::Result<()> {
        if planned == Done::Changes {
            self.state.made = true;
            self.reach(step)?;
        }
        let plan = std::path::absolute(self.workspace.plan())?;
        // Without changes there may be new outputs.
        let applied = self.terraform(&["apply", "-input=false", &plan.display().to_string()]).await;
        self.drop_plan();
        applied.map(|_| ()).map_err(|error| self.not_all_done(error))
    }

    fn not_all_done(&self, error: TerraformError) -> anyhow::Error {
        if matches!(error, TerraformError::CutShort { .. }) {
            let lost = format!(
                "{error}, so it may not know of what it was making at that moment; if AWS says later that something exists already, \
                 remove that there, or let Terraform know of it with `terraform import` in `{}`",
                self.terraform.directory.display()
            );
            tell!("{}", notice("warning", &lost));
        }
        if error.is_interruption() {
            tell!("{}", notice("note", "what Terraform has done stays; the same command goes on"));
            return Interrupted.into();
        }
        anyhow::Error::new(error).context(
            "not everything was done, and what was done stays; mend what Terraform says, and give the same command again",
        )
    }

    pub(in crate::cli) fn reach(&mut self, step: Step) -> anyhow::Result<()> {
        Ok(self.state.reach(step, &self.workspace, now())?)
    }

    /// What was done before is not less far because it is looked at again.
    fn raise(&mut self, step: Step) -> anyhow::Result<()> {
        match self.state.step < step {
            true => self.reach(step),
            false => Ok(()),
        }
    }

    async fn terraform(&mut self, arguments: &[&str]) -> Result<Done, TerraformError> {
        let hint = || {
            tell!(
                "\n{}",
                notice(
                    "note",
                    "Terraform ends what it has begun; a second Ctrl-C would cut it short and may lose what it has made"
                )
            );
        };
        self.terraform.run(arguments, &mut self.signals, hint).await
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.drop_plan();
    }
}

/// What `work` gives, unless a signal comes first.
pub(in crate::cli) async fn unless_interrupted<T>(
    signals: &mut Signals,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        done = work => done,
        () = signals.next() => {
            tell!("{}", notice("note", "everything is made; the same command goes on"));
            Err(Interrupted.into())
        }
    }
}

/// The deployment of this name, of which something is known here.
///
/// # Errors
/// There is none.
pub(in crate::cli) fn known(directory: &Path, gateway: &str) -> Result<Workspace, Usage> {
    let all = Workspace::all(directory);
    let names: Vec<&str> = all.iter().map(Workspace::gateway).collect();
    let there = match names.is_empty() {
        true => "nothing was; name the directory with `--directory PATH`".into(),
        false => format!("`{}` was", names.join("`, `")),
    };
    let unknown = format!("no gateway `{gateway}` was deployed from `{}`; {there}", directory.display());
    all.into_iter().find(|workspace| workspace.gateway() == gateway).ok_or(Usage(unknown))
}

fn nothing_changed(error: TerraformError) -> anyhow::Error {
    if error.is_interruption() {
        tell!("{}", notice("note", "nothing was changed at AWS by this run; the same command goes on"));
        return Interrupted.into();
    }
    anyhow::Error::new(error).context("nothing was changed at AWS by this run")
}

/// Says where the run before has ended, if it was not at its end.
pub(in crate::cli) fn resumed(before: &State, same: bool) {
    let what = match (before.step, same) {
        (Step::Finished, _) => return,
        (Step::Applied, true) => "everything is made, and only its credentials file is missing",
        (Step::Applied, false) => "it was deployed, and something is different now",
        (Step::Applying, _) => {
            "Terraform did not end what it began: what it made is there, and the plan shows what is left"
        }
        (Step::Destroying, _) => "an earlier `causeway destroy` did not end: the plan shows what is to be made anew",
        (Step::Prepared, _) => "it had not initialized Terraform",
        (Step::Initialized, true) => "Terraform is initialized",
        (Step::Planned, true) => "there was a plan, which is made anew",
        (Step::Initialized | Step::Planned, false) => "something is different now, and it begins anew",
    };
    let gateway = &before.gateway;
    tell!("{}", notice("note", &format!("going on with `{gateway}`, where an earlier run has ended: {what}")));
}

/// Another region would make everything anew and forget what is in the first; another root would remove it.
pub(in crate::cli) fn same_place(
    workspace: &Workspace,
    before: Option<&State>,
    root: Root,
    region: &str,
) -> anyhow::Result<()> {
    let destroy = format!("causeway destroy {}", workspace.options());
    match before {
        Some(before) if before.root != root => bail!(Usage(format!(
            "`{}` is the name of another kind of deployment, of `terraform/{}`: destroy that first with `{destroy}`, or take another \
             name",
            before.gateway,
            before.root.directory()
        ))),
        Some(before) if before.made && before.region != region => bail!(Usage(format!(
            "`{}` is deployed in `{}`, not in `{region}`: destroy it there first with `{destroy}`, or take another name",
            before.gateway, before.region
        ))),
        _ => Ok(()),
    }
}

/// Seconds since 1970.
pub(in crate::cli) fn now() -> u64 {
    Clock::system().now().as_secs()
}
