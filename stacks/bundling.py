"""What runs in AWS, packed the same way every time: the same sources give the same bytes, hence no needless deploy.

Everything is staged under `build/` by content (`<name>-<hash>`), so two synths may run at once. Nothing here looks at a
clock, a user or the order of a directory.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
# What the job `extract` needs and Glue has not.
DRIVERS = ("sqlalchemy", "typing-extensions", "pg8000", "scramp", "asn1crypto", "python-dateutil", "six", "pymysql")
# Of the package, what only an operator's laptop needs.
LAPTOP_ONLY = ("cli", "datasets", "client.py", "deployment.py", "lineage.py", "quarantine.py", "target.py")
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)

Tree = dict[str, bytes]  # relative path -> content


@dataclass(frozen=True)
class Artifacts:
    """Paths of the staged code, ready to become CDK assets, and the version of all of it."""

    code_version: str
    glue_script: Path
    glue_libraries: Path
    training_source: Path
    warehouse: str

    def glue_job(self, name: str) -> Path:
        """The script `glue_jobs/<name>.py`."""
        return self.glue_script.with_name(f"{name}.py")

    @property
    def database_drivers(self) -> Path:
        """SQLAlchemy and the drivers in pure Python, for Glue's `--extra-py-files` (decision 0013)."""
        return _stage_file("database-drivers", ".zip", zipped(_installed(DRIVERS)))

    def function(self, name: str) -> Path:
        """The directory that is the deployment package of `lambdas/<name>`."""
        return _stage_directory(f"lambda-{name}", {**_package(), **read(ROOT / "lambdas" / name)})


@cache
def build() -> Artifacts:
    """Stage everything; cached, because every stack asks."""
    package = _package()
    glue_script = read(ROOT / "glue_jobs")
    training = {**package, **{Path(name).name: body for name, body in read(ROOT / "sagemaker").items()}}
    return Artifacts(
        code_version=digest({**package, **_below("glue", glue_script), **_below("sagemaker", training)})[:12],
        glue_script=_stage_directory("glue-script", glue_script) / "etl.py",
        glue_libraries=_stage_file("glue-libraries", ".zip", zipped(package)),
        training_source=_stage_file("training-source", ".tar.gz", _tar_gz(training)),
        warehouse=digest(_warehouse())[:16],
    )


@cache
def _package() -> Tree:
    """The `solvent` package as it is shipped: with contracts, specifications and SQL compiled into it."""
    source = ROOT / "src" / "solvent"
    tree = {f"solvent/{name}": body for name, body in read(source).items() if name.split("/")[0] not in LAPTOP_ONLY}
    tree.update(_compiled())
    for folder in ("warehouse", "marts"):
        tree.update(_below(f"solvent/_sql/{folder}", read(ROOT / "sql" / folder)))
    return tree


def _warehouse() -> Tree:
    """What the function `migrate` makes in the warehouse: it is called again when any of it changes."""
    from solvent import contracts
    from solvent.warehouse import marts, merging

    made = {f"marts/{mart.name}": mart.checksum for mart in marts.read()}
    made["procedures"] = "\n".join(merging.procedures(contracts.load()))
    return {**read(ROOT / "sql" / "warehouse"), **{name: text.encode() for name, text in made.items()}}


def _compiled() -> Tree:
    """JSON and SQL that the code at run time reads in place of the checkout's YAML and templates."""
    from solvent import contracts, specification
    from solvent.etl import build as etl_sql
    from solvent.extraction import definition

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        (target / "_compiled").mkdir()
        contracts.compile(target / "_compiled" / "contracts.json")
        specification.compile(target / "_compiled" / "specifications.json")
        definition.compile(target / "_compiled" / "extractions.json")
        etl_sql.build(target / "_sql")
        return _below("solvent", read(target))


def read(folder: Path) -> Tree:
    """Every file below a folder, but for caches; an absent folder is empty."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _installed(distributions: tuple[str, ...]) -> Tree:
    """The Python files of installed packages, pinned by requirements.txt; what is compiled for this machine stays out.

    SQLAlchemy runs without its compiled parts, on the same code in Python.
    """
    tree: Tree = {}
    for name in distributions:
        for file in metadata.distribution(name).files or ():
            kept = file.suffix in (".py", ".pyi", ".typed") or file.name == "METADATA"
            if kept and not file.as_posix().startswith(".."):
                tree[file.as_posix()] = Path(str(file.locate())).read_bytes()
    return tree


def _below(folder: str, tree: Mapping[str, bytes]) -> Tree:
    return {f"{folder}/{name}": body for name, body in tree.items()}


def digest(tree: Mapping[str, bytes]) -> str:
    """SHA-256 of names and contents, in hexadecimal."""
    lines = [[name, hashlib.sha256(tree[name]).hexdigest()] for name in sorted(tree)]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def _stage_directory(name: str, tree: Mapping[str, bytes]) -> Path:
    target = BUILD / f"{name}-{digest(tree)[:16]}"
    if not target.exists():
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=_build_folder()))
        for relative, body in tree.items():
            path = scratch / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        for path in [scratch, *scratch.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask is
        _publish(scratch, target)
    return target


def _stage_file(name: str, suffix: str, body: bytes) -> Path:
    return publish_file(BUILD / f"{name}-{hashlib.sha256(body).hexdigest()[:16]}{suffix}", body)


def publish_file(target: Path, body: bytes) -> Path:
    """`target`, below build/, with this content; whoever looks at it meanwhile sees nothing or the whole."""
    if not target.exists():
        handle, scratch = tempfile.mkstemp(prefix=f".{target.stem}-", dir=_build_folder())
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(scratch).chmod(0o644)
        _publish(Path(scratch), target)
    return target


def _publish(scratch: Path, target: Path) -> None:
    """Move into place; another synth may have been faster with the very same content."""
    try:
        scratch.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(scratch, ignore_errors=True)


def _build_folder() -> Path:
    BUILD.mkdir(exist_ok=True)
    return BUILD


def zipped(tree: Mapping[str, bytes], level: int | None = None) -> bytes:
    """A .zip of a tree, the same bytes for the same tree. `level`: 1 is fast, 9 is small."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name in sorted(tree):
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, tree[name], compresslevel=level)
    return buffer.getvalue()


def _tar_gz(tree: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(tree):
            entry = tarfile.TarInfo(name)
            entry.size = len(tree[name])
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(tree[name]))
    return buffer.getvalue()
