"""What is of this platform: its account, its region, its buckets, and the names it gives."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from gates.assembly import ACCOUNT, Assembly
from gates.iam.roles import text
from solvent.naming import PORTFOLIOS, Names

# `<template/logical id>`: how gates.iam.roles.text writes a reference.
MARKER = re.compile(r"<[^<>/]+\.template\.json/[^<>]+>")
BOOTSTRAP = re.compile(rf"cdk-[a-z0-9]+-assets-{ACCOUNT}-(?P<region>[a-z0-9-]+)")


def strings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text inside lists and objects, with the keys that lead to it (places in lists left out)."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, (*path, str(key)))


class Platform:
    """One assembly's own things."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly, self.region = assembly, assembly.region
        names = Names(assembly.environment)
        self.prefix = names.prefix
        # CloudFormation begins the names that it makes up with the stack's.
        self.beginnings = (names.prefix, names.stack(""))

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Reference (`<template/logical id>`) -> type of the resource."""
        return {f"<{where}>": str(resource["Type"]) for where, resource in self._assembly.everything()}

    @cached_property
    def buckets(self) -> set[str]:
        """The buckets that the templates make under a name of solvent.naming."""
        form = re.compile(rf"{self.prefix}-[a-z-]+-{ACCOUNT}-{self.region}")
        made = self._assembly.of("AWS::S3::Bucket").items()
        names = {str(text(self._assembly, where, bucket.get("BucketName"))) for where, bucket in made}
        return {name for name in names if form.fullmatch(name)}

    @cached_property
    def names(self) -> set[str]:
        """Every name with the platform's prefix that a resource has, and those that SageMaker's endpoints get."""
        made = {
            value
            for where, resource in self._assembly.everything()
            for path, value in strings(text(self._assembly, where, resource.get("Properties", {})))
            if len(path) <= 2 and path[-1].endswith("Name") and value.startswith(self.prefix)
        }
        return made | {self.prefix} | {Names(self._assembly.environment).endpoint(p) for p in PORTFOLIOS}

    def is_bucket(self, name: str) -> bool:
        """Whether a bucket's name, or the reference to it, is the platform's or CDK's for the assets of this region."""
        bootstrap = BOOTSTRAP.fullmatch(name)
        own_assets = bool(bootstrap and bootstrap["region"] == self.region)
        return own_assets or name in self.buckets or self.kinds.get(name) == "AWS::S3::Bucket"
