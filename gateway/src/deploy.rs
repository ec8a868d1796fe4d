//! What `causeway deploy` does on this machine: it packages servers, writes what Terraform reads, runs Terraform, and keeps what came of
//! it. All changes at AWS are Terraform's own. Prints nothing and asks nobody.

pub mod credentials_file;
pub mod outputs;
pub mod package;
pub mod roots;
pub mod runtime_configs;
pub mod signals;
pub mod state;
pub mod terraform;
pub mod test_user;
pub mod variables;
pub mod workspace;

pub use credentials_file::CredentialsFile;
pub use outputs::Outputs;
pub use roots::Root;
pub use signals::Signals;
pub use state::{State, Step};
pub use terraform::Terraform;
pub use test_user::TestUser;
pub use workspace::{Unwritten, Workspace};
