"""The open DuckDB files of all namespaces: `<home>/redshift/<namespace id>/<database>.duckdb`."""

import contextlib
import shutil
import threading
from pathlib import Path
from typing import Any

from embedded_aws import service
from embedded_aws.redshift.endpoints import SageMakerEndpoints
from embedded_aws.redshift.engine import Database, Roles
from embedded_aws.redshift.errors import SqlError
from embedded_aws.redshift.storage import S3Storage, Storage
from embedded_aws.redshift.stream_records import StoredRecords


def _storage(role: str) -> Storage:
    return S3Storage(service.client("s3", role, "RedshiftIamRoleSession"))


class Databases:
    """Opens each database once, at its first statement."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Database] = {}
        self._lock = threading.Lock()

    def folder(self, namespace_id: str) -> Path:
        return service.home() / "redshift" / namespace_id

    def get(self, namespace: dict[str, Any], name: str) -> Database:
        """The database of a namespace. Raises SqlError, as a connection would fail."""
        if name != namespace["dbName"]:
            raise SqlError(f'FATAL: database "{name}" does not exist')
        key = (namespace["namespaceId"], name)
        with self._lock:
            if key not in self._open:
                path = self.folder(key[0]) / f"{name}.duckdb"
                self._open[key] = Database(
                    path,
                    storage=_storage,
                    roles=lambda: _roles(namespace),
                    endpoints=SageMakerEndpoints,
                    streams=StoredRecords(),
                    superuser=namespace["adminUsername"],
                )
            return self._open[key]

    def close(self, namespace_id: str) -> None:
        """Close the databases of one namespace."""
        with self._lock:
            for key in [key for key in self._open if key[0] == namespace_id]:
                self._open.pop(key).close()

    def close_all(self, *, delete: bool = False) -> None:
        """Close everything, at the end of the process or (with the files) at a reset."""
        with self._lock:
            for database in self._open.values():
                with contextlib.suppress(Exception):
                    database.close()
            self._open.clear()
            if delete:
                shutil.rmtree(service.home() / "redshift", ignore_errors=True)


def _roles(namespace: dict[str, Any]) -> Roles:
    roles = tuple(namespace.get("iamRoles", ()))
    return Roles(namespace.get("defaultIamRoleArn"), roles)


databases = Databases()
