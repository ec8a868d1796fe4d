//! config.toml as it was written, read but not resolved: a command may change it before it is. Looks up no secret and checks
//! no meaning.

use std::path::Path;

use super::{
    Config, Deployment, Mistakes, Over, Written,
    environment::Environment,
    file::File,
    findings::{Findings, Lines},
    resolve, shape,
};

/// The content of one config.toml, with the mistakes that its shape has.
#[derive(Debug)]
pub struct Draft {
    /// What could be understood. A change here is what [`Draft::resolve`] works on.
    pub file: File,
    written: Written,
    findings: Findings,
}

impl Draft {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is no TOML. Unknown keys and wrong types are no error yet: [`Draft::resolve`] reports them
    /// together with everything else.
    pub fn read(path: &Path) -> Result<Self, Mistakes> {
        Self::parse(path, &Self::text(path)?)
    }

    /// The text of the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(path: &Path) -> Result<String, Mistakes> {
        std::fs::read_to_string(path).map_err(|why| {
            Mistakes::of_file(path, format!("cannot be read: {why}; give the path of a config.toml that is there"))
        })
    }

    /// Takes `text` for the content of the file at `path`, which messages name and relative paths start from.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Mistakes> {
        let mut findings = Findings::new(Lines::of(text));
        match shape::read(text, &mut findings) {
            Ok(file) => Ok(Self { file, written: Written::new(path, text), findings }),
            Err(shape::Unusable) => Err(findings.into_mistakes(path)),
        }
    }

    /// Where relative paths in it start.
    pub fn directory(&self) -> &Path {
        self.written.path.parent().unwrap_or(Path::new(""))
    }

    /// Looks up every reference and checks every value.
    ///
    /// # Errors
    /// Every mistake of the file: of its shape, of its values, of what they refer to.
    pub fn resolve(self, environment: &Environment) -> Result<Config, Mistakes> {
        let directory = self.directory().to_owned();
        let mut findings = self.findings;
        match resolve::config(&self.file, &directory, environment, &mut findings) {
            Some(config) if findings.is_empty() => Ok(Config { written: self.written, ..config }),
            _ => Err(findings.into_mistakes(&self.written.path)),
        }
    }

    /// Looks up what `causeway deploy` needs and no more: what only serving needs may be missing. `over` is said beside the file.
    ///
    /// # Errors
    /// Every mistake of shape, and of what is deployed.
    pub fn deployment(self, environment: &Environment, over: &Over) -> Result<Deployment, Mistakes> {
        // Paths are handed on to programs that start elsewhere.
        let directory = std::path::absolute(&self.written.path).ok().and_then(|path| Some(path.parent()?.to_owned()));
        let mut findings = self.findings;
        match resolve::deployment(&self.file, &directory.unwrap_or_default(), environment, &mut findings, over) {
            Some(deployment) if findings.is_empty() => Ok(deployment),
            None if findings.is_empty() => Err(Mistakes::of_file(
                &self.written.path,
                "nothing says what the gateway is called; write `deploy.gateway_name = \"my-gateway\"`, or give `--gateway-name`".into(),
            )),
            _ => Err(findings.into_mistakes(&self.written.path)),
        }
    }
}
