//! nginx: one process, `proxy_pass` with connections to the upstream that are kept, no access log.

use std::{fs, net::SocketAddr, path::PathBuf};

use super::{Candidate, Kind, at_paths};
use crate::{
    ground::{Ground, free_port},
    process::{Process, Program},
};

/// Where it serves files, below its directory.
const FILES: &str = "files";

pub(super) fn start(ground: &Ground) -> anyhow::Result<Candidate> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let directory = directory(ground);
    fs::create_dir_all(directory.join(FILES))?;
    let file = directory.join("nginx.conf");
    fs::write(&file, configuration(&directory.display().to_string(), address, ground.upstream.address()))?;
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let program = ground.programs.nginx.display().to_string();
    let (prefix, file) = (directory.display().to_string(), file.display().to_string());
    let program = Program {
        name: "nginx".to_owned(),
        command: words(&[&program, "-p", &prefix, "-c", &file, "-e", "stderr"]),
        environment: Vec::new(),
    };
    let process = Process::start(&program, ground.proxy_cpu, ground.directory())?;
    Ok(Candidate { kind: Kind::Nginx, process: Some(process), ways: at_paths(ground, address) })
}

/// Writes a file that it serves from now on; its path there.
pub(super) fn file(ground: &Ground, name: &str, bytes: &[u8]) -> anyhow::Result<String> {
    fs::write(directory(ground).join(FILES).join(name), bytes)?;
    Ok(format!("/{FILES}/{name}"))
}

fn directory(ground: &Ground) -> PathBuf {
    ground.directory().join("nginx")
}

/// One process that does all, so that all that it uses is counted, and that ends with the run. Connections are never closed for
/// their number of requests, results are never written to files. The rest is as nginx has it by default, or Debian.
fn configuration(directory: &str, address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  default_type application/octet-stream;
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  upstream measured {{
    server {upstream};
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
  }}
  server {{
    listen {address};
    location / {{
      proxy_pass http://measured;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_max_temp_file_size 0;
    }}
    location /{FILES}/ {{ root {directory}; }}
  }}
}}
"
    )
}
