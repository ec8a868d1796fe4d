# Chores of Causeway's developers. `pip install -r .ci/requirements.txt` brings `just` and the linters.

# The program of recipes that call one: this repository's, unless the environment says which.
causeway := env("CAUSEWAY_BIN", "cargo run --release --quiet --")

# Show the recipes.
default:
    @just --list

# Everything that must be green before a change lands.
ci: test lint interop

# The README's test command: needs nothing but a Rust toolchain.
test:
    cargo test --workspace

# Formatting, clippy, documentation, dependencies, the config's schema.
lint: fmt clippy production doc deny config

fmt:
    cargo fmt --all --check

clippy:
    cargo clippy --workspace --all-targets --quiet -- -D warnings

# The build for production: without the sample servers and the development identity provider.
production:
    cargo clippy --package causeway --no-default-features --features lambda --quiet -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

deny:
    cargo-deny --all-features check --hide-inclusion-graph bans licenses sources

# Known vulnerabilities of all dependencies, by the RustSec database. Needs GitHub; with `--offline`, what was fetched before.
advisories *options:
    cargo-deny --all-features {{ options }} check --hide-inclusion-graph advisories
    cargo-deny --all-features --manifest-path fuzz/Cargo.toml {{ options }} check --hide-inclusion-graph advisories

config:
    taplo check config.toml

# Write config.schema.json anew, after a change of the configuration.
schema:
    cargo run --quiet -- schema > config.schema.json.new
    mv config.schema.json.new config.schema.json

# Very many calls while everything around the gateway fails: none may be lost, and nothing may be left behind. A million of them take
# five minutes and more; `just soak --calls 5000` takes two, most of which it waits for what ends by itself.
soak *arguments:
    cargo build --release --package causeway
    cargo build --release --package causeway-soak
    ${CARGO_TARGET_DIR:-target}/release/causeway-soak --causeway ${CARGO_TARGET_DIR:-target}/release/causeway {{ arguments }}

# Real foreign peers: MCP SDKs of other languages, Cognito and OIDC issuers. Installs what it needs below interop/.
interop *arguments:
    interop/run {{ arguments }}

# Every real client through the gateway against every real server: one line a client. `just interop` does it too.
clients *names:
    interop/clients {{ names }}

# All that is said of AWS, with ministack, moto and botocore's models on the other side.
aws *arguments:
    interop/aws/run {{ arguments }}

# What people see: logging in with a browser and with the SDKs, clients' files, the command line, the dashboard.
people *arguments:
    interop/people/run {{ arguments }}

# Two replicas behind nginx, with a Redis: killed, told to end, passed on; installs both servers from the system's packages.
replicas *arguments:
    interop/replicas/run {{ arguments }}

# Deployment, as far as it needs no AWS account: Terraform's roots, the chart, `causeway deploy`, linters.
deploy-check *arguments:
    interop/deploy/run {{ arguments }}

# Build the images for amd64 and arm64 and run them; needs root on Debian or Ubuntu, and no Docker.
image *arguments:
    interop/image/run {{ arguments }}

# Measure the gateway beside nginx and other MCP gateways, on a quiet machine, and write docs/benchmarks.md: an hour and more.
bench *arguments:
    bench/run {{ arguments }}

# Every measurement once and briefly, every answer checked: that nothing is broken, not how fast it is.
bench-smoke:
    bench/run --smoke

# What each step of a call costs for itself.
bench-steps *arguments:
    cargo bench --package causeway-bench {{ arguments }}

# A token of the client that a Secrets Manager secret describes, which is read with an AWS profile.
get-token secret profile:
    @{{ causeway }} token secret {{ secret }} --profile {{ profile }} --raw

# The tools that the gateway at a URL has for that client. The AWS profile is that of AWS_PROFILE.
test-api secret url:
    @CAUSEWAY_TOKEN="$({{ causeway }} token secret {{ secret }} --raw)" {{ causeway }} tools {{ url }}

# The program as a package for Lambda: target/lambda/function.zip. Needs a toolchain for the target; glibc is in it.
lambda-package target="aarch64-unknown-linux-gnu":
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --profile dist --package causeway --bin causeway --target {{ target }}
    mkdir -p target/lambda
    install -m 755 target/{{ target }}/dist/causeway target/lambda/bootstrap
    rm -f target/lambda/function.zip
    cd target/lambda && zip --quiet -X function.zip bootstrap

# MCP's official conformance suite, directly and through the gateway. Writes docs/conformance.md.
conformance *ways:
    interop/conformance {{ ways }}

# Search for inputs that break a parser: all of them, or one; so many inputs each. Needs a C++ compiler.
fuzz *arguments:
    fuzz/run {{ arguments }}

# Run the gateway with its sample servers and a development identity provider.
dev *arguments:
    cargo run --release -- dev {{ arguments }}
