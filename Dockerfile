# syntax=docker/dockerfile:1
# One image a program, each with nothing in it but that program and the certificates of public authorities:
#
#   docker build --target gateway -t causeway .
#   docker buildx build --platform linux/amd64,linux/arm64 --target calculator -t calculator .
#
# targets: gateway (the default), calculator, hello, cloudwatch-insights. AgentCore Runtime takes arm64.

ARG RUST_VERSION=1.95.0

# Compiles the programs. Programs that are there already, below DIR/programs, take its place with `--build-context build=DIR`.
# Runs on the machine's own architecture and compiles for the other one, which is many times faster than to emulate it.
FROM --platform=$BUILDPLATFORM docker.io/library/rust:${RUST_VERSION}-slim-bookworm AS build
ARG TARGETARCH
ARG PROFILE=dist
# A compiler and an emulator for the other architecture, where it is the other one.
# hadolint ignore=DL3008,SC2086
RUN case "$(dpkg --print-architecture):${TARGETARCH}" in \
      amd64:arm64) other="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static" ;; \
      arm64:amd64) other="gcc-x86-64-linux-gnu libc6-dev-amd64-cross qemu-user-static" ;; \
    esac \
 && apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev ${other} \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Linked statically, so that the image needs no C library; paths of this machine are left out. With the profile `dist` the programs are
# optimised by a run of them, and no two builds are alike; with any other, the same source makes the same program anywhere.
ENV RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo" \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,id=target-${TARGETARCH},target=/src/target \
    case "${TARGETARCH}" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) echo "no image for ${TARGETARCH}"; exit 1 ;; esac \
 && target=${machine}-unknown-linux-gnu built=target/${machine}-unknown-linux-gnu/${PROFILE} \
 && rustup target add "${target}" \
 && case "${PROFILE}" in dist) build=bench/pgo ;; *) build="cargo build --locked --profile ${PROFILE}" ;; esac \
 && ${build} --target "${target}" --no-default-features --bins \
      --package causeway --package causeway-servers --features causeway/lambda \
 && install -D --target-directory /programs \
      "${built}/causeway" "${built}/calculator" "${built}/hello" "${built}/cloudwatch-insights" \
      /etc/ssl/certs/ca-certificates.crt

# For whoever wants the programs without an image: `docker build --target all-programs --output type=local,dest=built .`
FROM scratch AS all-programs
COPY --from=build --chmod=0755 /programs/ /

FROM scratch AS base
COPY --from=build --chmod=0444 /programs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# Nobody in particular. It owns nothing and writes nothing: run it with a read-only root.
USER 65532:65532
LABEL org.opencontainers.image.licenses="Apache-2.0" org.opencontainers.image.vendor="Causeway"

# MCP servers as AgentCore Runtime wants them: every interface, port 8000, /mcp.
FROM base AS server
ENV DOCKER_CONTAINER=1
EXPOSE 8000

FROM server AS calculator
COPY --from=build --chmod=0555 /programs/calculator /calculator
HEALTHCHECK --interval=10s --timeout=5s CMD ["/calculator", "--check-health"]
ENTRYPOINT ["/calculator"]

FROM server AS hello
COPY --from=build --chmod=0555 /programs/hello /hello
HEALTHCHECK --interval=10s --timeout=5s CMD ["/hello", "--check-health"]
ENTRYPOINT ["/hello"]

FROM server AS cloudwatch-insights
COPY --from=build --chmod=0555 /programs/cloudwatch-insights /cloudwatch-insights
HEALTHCHECK --interval=10s --timeout=5s CMD ["/cloudwatch-insights", "--check-health"]
ENTRYPOINT ["/cloudwatch-insights"]

# The gateway. It reads /etc/causeway/config.toml, where `gateway.listen` must be "0.0.0.0:8080" to be reached from outside.
FROM base AS gateway
COPY --from=build --chmod=0555 /programs/causeway /causeway
WORKDIR /etc/causeway
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s CMD ["/causeway", "health"]
ENTRYPOINT ["/causeway"]
CMD ["serve"]
