//! Lists the Terraform roots and modules of the repository, which the program carries, so that `causeway deploy` needs no checkout.
//! Tests, examples and documents stay out.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// What belongs to a root or a module. Not `json`: that is what a developer's own variables and plans are written in.
const ENDINGS: [&str; 4] = ["tf", "tofu", "tftpl", "yml"];

fn main() -> io::Result<()> {
    // Not `env!`: this script may have been compiled for another checkout, where they share what cargo builds.
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).expect("cargo says where the package is");
    let terraform = package.join("../terraform");
    println!("cargo::rerun-if-changed={}", terraform.display());
    let mut files = Vec::new();
    // Who builds without them, as an image may, cannot deploy, and is told so then.
    if terraform.is_dir() {
        collect(&terraform, &mut files)?;
    }
    files.sort();
    let entries = files.iter().map(|file| {
        let name = file.strip_prefix(&terraform).expect("it was found below it").to_str().expect("our names are text");
        format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string())
    });
    let list = format!("&[\n{}]\n", entries.collect::<String>());
    let out = env::var_os("OUT_DIR").map(PathBuf::from).expect("cargo says where to write");
    fs::write(out.join("terraform.rs"), list)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = !name.starts_with('.');
        if path.is_dir() {
            if ours && name != "tests" && name != "examples" {
                collect(&path, files)?;
            }
        } else if ours && ENDINGS.iter().any(|ending| path.extension().is_some_and(|found| found == *ending)) {
            files.push(path);
        }
    }
    Ok(())
}
