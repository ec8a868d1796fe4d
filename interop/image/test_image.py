"""The images as they are built from the Dockerfile, for each architecture: what is in them, that they run as nobody and write
nothing, that a health check and an orchestrator's signal work, that a gateway in one reaches a server in another."""

import base64
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from harness.clients import CLIENTS
from harness.container import Image
from harness.gateway import ROOT, dev, post
from harness.process import free_port, until

ARCHITECTURES = os.environ["IMAGE_ARCHITECTURES"].split()
SERVERS = {
    "calculator": {"add_numbers", "multiply_numbers"},
    "hello": {"greet_user"},
    "cloudwatch-insights": {"query_cloudwatch_insights", "list_log_groups", "get_log_fields"},
}
PROGRAMS = {"gateway": "/causeway"} | {name: f"/{name}" for name in SERVERS}
#: What a server needs to start that asks AWS, where there is none.
SAMPLES = ("--env=LOG_SOURCE=samples",)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architecture(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def images(architecture: str) -> dict[str, Image]:
    """Every target of the Dockerfile."""
    return {target: Image(target, architecture).build() for target in PROGRAMS}


@contextmanager
def served(image: Image, port: int, *options: str) -> Iterator[str]:
    """A sample server in a container, on a port of this machine's loopback; gives its URL."""
    with image.running(options=("--network=host", f"--env=LISTEN=127.0.0.1:{port}", *SAMPLES, *options)) as container:
        url = f"http://127.0.0.1:{port}"
        until(lambda: container.ended() or answers(f"{url}/healthz"), f"the container of {image.target} serves")
        assert not container.ended(), container.log()
        yield f"{url}/mcp"


def client_of(token: str) -> str:
    """The claim `client_id` of a JWT."""
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["client_id"]


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def test_an_image_holds_its_program_and_certificates_and_nothing_else(images: dict[str, Image]):
    for target, program in PROGRAMS.items():
        files = images[target].files()
        assert {name for name, of in files.items() if of.isfile()} == {program, "/etc/ssl/certs/ca-certificates.crt"}, target
        assert files[program].mode & 0o222 == 0, "nobody may change the program"


def test_an_image_says_how_it_is_run(images: dict[str, Image], architecture: str):
    for target, program in PROGRAMS.items():
        about = images[target].about()
        config = about["config"]
        assert about["architecture"] == architecture
        assert (config["User"], config["Entrypoint"]) == ("65532:65532", [program])
        assert config["Healthcheck"]["Test"][:2] == ["CMD", program]
        ports = {"8080/tcp", "8081/tcp"} if target == "gateway" else {"8000/tcp"}
        assert set(config["ExposedPorts"]) == ports
        assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_the_same_programs_make_the_same_layers(images: dict[str, Image], architecture: str):
    for target, image in images.items():
        before = image.layers()
        assert Image(target, architecture).build().layers() == before


def test_no_secret_and_no_state_is_sent_to_the_builder(tmp_path: Path):
    """A copy of the project with files that must not leave it, and a Dockerfile that takes all that it is sent."""
    sent = ["Cargo.toml", "gateway/Cargo.toml", "terraform/agentcore/main.tf"]
    kept = [".env", "gateway/.env", "servers/.env.production", "terraform.tfstate", "gateway/a.tfstate.backup", ".git/config"]
    kept += [".causeway/x/state.json", ".agentcore-credentials-x.json", "terraform/agentcore/terraform.tfstate", "target/debug/x"]
    for name in sent + kept:
        path = tmp_path / "context" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    shutil.copy(ROOT / ".dockerignore", tmp_path / "context")
    probe = tmp_path / "Dockerfile"
    probe.write_text("FROM scratch AS probe\nCOPY . /\n")
    image = Image("probe", ARCHITECTURES[0]).build(tmp_path / "context", probe)
    assert {name for name, of in image.files().items() if of.isfile()} == {f"/{name}" for name in sent}


@pytest.mark.parametrize("target", SERVERS)
def test_a_server_answers_as_agentcore_runtime_asks(images: dict[str, Image], target: str):
    with served(images[target], free_port()) as url:
        for protocol in (CLIENTS[0], CLIENTS[2]):
            assert set(protocol.run(url, None).tools) == SERVERS[target]


def test_a_server_listens_where_agentcore_runtime_looks(images: dict[str, Image]):
    """Port 8000 of every interface, in a network of its own, without being told."""
    image = images["calculator"]
    name = f"causeway-check-{os.getpid()}-{image.architecture}"
    with image.running(options=("--network=none", f"--name={name}")) as container:
        line = container.wait_for(lambda: next((line for line in container.errors if "serving" in line), None), "it served")
        assert "0.0.0.0:8000" in line


@pytest.mark.parametrize("target", PROGRAMS)
def test_the_health_check_tells_well_from_ill(images: dict[str, Image], target: str, tmp_path: Path):
    """As the engine runs it: the program once more, in the same container."""
    image, name = images[target], f"causeway-check-{os.getpid()}-{target}-{images[target].architecture}"
    options = ["--network=none", f"--name={name}", *SAMPLES]
    if target == "gateway":
        config = tmp_path / "config.toml"
        config.write_text('authorizer = "none"\n[[targets]]\nname = "gone"\nhttp.endpoint = "http://127.0.0.1:1/mcp"\n')
        options.append(f"--volume={config}:/etc/causeway/config.toml:ro")
    check = image.about()["config"]["Healthcheck"]["Test"][1:]
    if image.emulated:
        check = ["/emulator", *check]
    with image.running(options=tuple(options)) as container:

        def run(*command: str) -> int:
            ran = subprocess.run(["podman", "exec", name, *command], capture_output=True, check=False)
            return ran.returncode

        until(lambda: container.ended() or run(*check) == 0, "the health check says that it is well")
        assert not container.ended(), container.log()
        elsewhere = ["http://127.0.0.1:9/healthz"] if target == "gateway" else ["--listen", "127.0.0.1:9"]
        assert run(*check, *elsewhere) == 1


def test_a_gateway_serves_from_its_container_and_ends_when_told(images: dict[str, Image], tmp_path: Path):
    """Before a server in another container, for a caller of a real issuer: from the token to the answer."""
    with ExitStack() as stack:
        calculator = stack.enter_context(served(images["calculator"], free_port()))
        issuing = stack.enter_context(dev())
        issuer = json.loads(issuing.process.lines[0])["issuer"]
        port = free_port()
        config = tmp_path / "config.toml"
        config.write_text(
            f"""
            gateway.listen = "127.0.0.1:{port}"

            [authorizer.custom_jwt]
            discovery_url = "{issuer.rstrip("/")}/.well-known/openid-configuration"
            allowed_clients = ["{client_of(issuing.token)}"]

            [[targets]]
            name = "calculator"
            http.endpoint = "{calculator}"
            """
        )
        options = ("--network=host", f"--volume={config}:/etc/causeway/config.toml:ro", "--env=RUST_LOG=info")
        gateway = stack.enter_context(images["gateway"].running(options=options))
        endpoint = f"http://127.0.0.1:{port}"
        until(lambda: gateway.ended() or answers(f"{endpoint}/readyz"), "the gateway is ready")
        assert not gateway.ended(), gateway.log()
        assert post(f"{endpoint}/mcp").status_code == 401
        seen = CLIENTS[2].run(f"{endpoint}/mcp", issuing.token, ("calculator___add_numbers", {"a": 40, "b": 2}))
        assert seen.calls[0]["text"] == "42"
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0


@contextmanager
def name_server(name: str, address: str) -> Iterator[str]:
    """A DNS server on a loopback address of its own that knows one name; gives its address. RFC 1035."""
    own = f"127.77.{os.getpid() % 250}.53"
    answerer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answerer.bind((own, 53))
    # A datagram from here ends it: a socket that is closed while it is read stays bound.
    ended = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ended.bind((own, 0))
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\x00"

    def answer() -> None:
        while True:
            query, peer = answerer.recvfrom(512)
            if peer[1] == ended.getsockname()[1]:
                return
            question = query[12 : 12 + len(labels) + 4]
            asked_for_a = question[:-4].lower() == labels and question[-4:-2] == b"\x00\x01"
            record = b"\xc0\x0c\x00\x01\x00\x01" + struct.pack(">IH", 60, 4) + socket.inet_aton(address)
            head = query[:2] + b"\x81\x80" + b"\x00\x01" + (b"\x00\x01" if asked_for_a else b"\x00\x00") + b"\x00\x00\x00\x00"
            answerer.sendto(head + question + (record if asked_for_a else b""), peer)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield own
    finally:
        ended.sendto(b"", (own, 53))
        thread.join()
        answerer.close()
        ended.close()


def test_names_are_looked_up_without_the_libraries_of_a_system(images: dict[str, Image], tmp_path: Path):
    """A statically linked C library looks names up by itself, or not at all."""
    with served(images["hello"], port := free_port()), name_server("tools.example.test", "127.0.0.1") as server:
        resolver = tmp_path / "resolv.conf"
        resolver.write_text(f"nameserver {server}\n")
        options = ("--network=host", f"--volume={resolver}:/etc/resolv.conf:ro")
        url = f"http://tools.example.test:{port}/healthz"
        ran = subprocess.run(images["gateway"].command("health", url, options=options), capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        other = subprocess.run(
            images["gateway"].command("health", url.replace("tools", "other"), options=options), capture_output=True, text=True, check=False
        )
        assert other.returncode == 1 and "nothing answers" in other.stderr
