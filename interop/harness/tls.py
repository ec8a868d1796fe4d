"""TLS in front of a server on loopback, with a certificate authority of its own: what is served over http, served over https.
Reads nothing of what passes."""

import ipaddress
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


class Authority:
    """Who makes certificates for loopback. Programs that are given `environment` trust it, and nobody else."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "interop authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        built = self._builder(self._name, self._key).add_extension(constraints, critical=True)
        self._ca = self._written("ca.pem", built.sign(self._key, hashes.SHA256()))

    @property
    def environment(self) -> dict[str, str]:
        return {"SSL_CERT_FILE": str(self._ca)}

    def context(self) -> ssl.SSLContext:
        """What a server of 127.0.0.1 needs."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        built = self._builder(name, key).add_extension(address, critical=False).add_extension(usage, critical=False)
        chain = self._written("server.pem", built.sign(self._key, hashes.SHA256()), key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        return builder.serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + DAY)

    def _written(self, file: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | None = None) -> Path:
        path = self._directory / file
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        if key:
            pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            pem += key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)
        path.write_bytes(pem)
        return path

    @contextmanager
    def front(self, url: str) -> Iterator[str]:
        """Serves over https what is at `url`; gives the URL there, with the same path."""
        there = urlsplit(url)
        listener = socket.create_server(("127.0.0.1", 0))
        context = self.context()
        accepting = threading.Thread(target=accept, args=(listener, context, (there.hostname, there.port)), daemon=True)
        accepting.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}{there.path}"
        finally:
            # Closing alone would not wake the thread that accepts.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            accepting.join()


@contextmanager
def authority() -> Iterator[Authority]:
    """A new one."""
    directory = Path(tempfile.mkdtemp())
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, directory)
        yield Authority(directory)


def accept(listener: socket.socket, context: ssl.SSLContext, there: tuple[str, int]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=relay, args=(client, context, there), daemon=True).start()


def relay(client: socket.socket, context: ssl.SSLContext, there: tuple[str, int]) -> None:
    try:
        with context.wrap_socket(client, server_side=True) as outer, socket.create_connection(there) as inner:
            back = threading.Thread(target=pump, args=(inner, outer), daemon=True)
            back.start()
            pump(outer, inner)
            back.join()
    except OSError:
        # One of the two has gone, which both ends notice themselves.
        pass


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
