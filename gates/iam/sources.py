"""Which AWS operations a program calls, read from its sources without running them.

Starting at the entry, functions are followed by name through imports; a method by its name in every class that was
reached. That finds too much rather than too little, and too much would show as a permission that is missing.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name
from botocore.model import ServiceModel

PACKAGE = "solvent"


class UnreadableCall(Exception):
    """The name of an operation is put together at run time: it can be read from no source."""


# Operations that several services have, and the only one of them on which our code calls them: by name alone a program
# that uses another of them as well (a table's lock, a job's state) would seem to need theirs, too.
ONE_SERVICE = dict.fromkeys(("execute_statement", "batch_execute_statement", "cancel_statement"), "redshift-data")
# What boto3 offers beside the operations themselves, as the operations that it calls.
HELPERS = {
    ("s3", "upload_file"): ("PutObject", "AbortMultipartUpload"),
    ("s3", "upload_fileobj"): ("PutObject", "AbortMultipartUpload"),
    ("s3", "download_file"): ("GetObject",),
    ("s3", "download_fileobj"): ("GetObject",),
    ("s3", "copy"): ("GetObject", "PutObject", "AbortMultipartUpload"),
    ("dynamodb", "batch_writer"): ("BatchWriteItem",),
}


@dataclass
class _Module:
    """A parsed file: its top-level definitions, and what its names mean."""

    tree: ast.Module
    functions: dict[str, ast.AST] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # name -> (module, attribute)


@dataclass
class _Reached:
    bodies: list[tuple[str, ast.AST]] = field(default_factory=list)  # (module, function or module)
    seen: set[tuple[str, str]] = field(default_factory=set)
    classes: set[tuple[str, str]] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


class Program:
    """One entry and the package that it imports. `folders`: where modules are looked for, the entry's own first."""

    def __init__(self, entry: Path, *folders: Path) -> None:
        self._entry, self._folders = entry, (entry.parent, *folders)
        self._modules: dict[str, _Module | None] = {}
        self.texts: set[str] = set()  # every constant text that was met on the way

    def operations(self) -> set[tuple[str, str]]:
        """(boto3's service, operation) of every call that the entry can reach. Raises UnreadableCall."""
        reached = _Reached(texts=self.texts)
        self._reach(reached, self._entry.stem, "")
        for name, definition in self._known(self._entry.stem).functions.items():
            if isinstance(definition, ast.FunctionDef):
                self._reach(reached, self._entry.stem, name)
        return self._found(reached)

    def operations_of(self, class_name: str, service: str) -> set[tuple[str, str]]:
        """What all public methods of a class of the entry call on a client of `service`."""
        reached = _Reached(services={service}, classes={(self._entry.stem, class_name)})
        methods = self._known(self._entry.stem).classes[class_name].body
        reached.attributes |= {m.name for m in methods if isinstance(m, ast.FunctionDef)}
        return self._found(reached)

    def _found(self, reached: _Reached) -> set[tuple[str, str]]:
        done = 0
        while True:
            while done < len(reached.bodies):
                self._look(reached, *reached.bodies[done])
                done += 1
            before = len(reached.bodies)
            for module, name in sorted(reached.classes):
                self._reach_methods(reached, module, name)
            if before == len(reached.bodies):
                break
        names = reached.attributes | reached.words
        return {found for service in reached.services for found in _operations(service, names)}

    def _reach_methods(self, reached: _Reached, module: str, name: str) -> None:
        for method in self._known(module).classes[name].body:
            if isinstance(method, ast.FunctionDef) and (
                method.name in reached.attributes or method.name.startswith("__")
            ):
                self._add(reached, module, f"{name}.{method.name}", method)

    def _reach(self, reached: _Reached, module: str, name: str) -> None:
        """Note a module (empty name), or one definition of it."""
        known = self._module(module)
        if known is None:
            return
        self._add(reached, module, "", known.tree)
        if name in known.functions:
            self._add(reached, module, name, known.functions[name])
        elif name in known.classes:
            if (module, name) not in reached.classes:
                reached.classes.add((module, name))
                for base in known.classes[name].bases:
                    self._look(reached, module, base)
        elif name in known.imports:
            self._reach_import(reached, *known.imports[name])

    def _reach_import(self, reached: _Reached, module: str, attribute: str | None) -> None:
        if attribute is not None and self._module(f"{module}.{attribute}") is not None:
            self._reach(reached, f"{module}.{attribute}", "")
        else:
            self._reach(reached, module, attribute or "")

    @staticmethod
    def _add(reached: _Reached, module: str, name: str, body: ast.AST) -> None:
        if (module, name) not in reached.seen:
            reached.seen.add((module, name))
            reached.bodies.append((module, body))

    def _look(self, reached: _Reached, module: str, body: ast.AST) -> None:
        known = self._known(module)
        local = {**known.imports, **_imports(body, module)} if not isinstance(body, ast.Module) else known.imports
        for node in _executed(body):
            if isinstance(node, ast.Name):
                if node.id in local:
                    self._reach_import(reached, *local[node.id])
                else:
                    self._reach(reached, module, node.id)
            elif isinstance(node, ast.Attribute):
                owner = self._imported_module(local, node.value)
                if owner is None:
                    reached.attributes.add(node.attr)
                else:
                    self._reach(reached, owner, node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                reached.texts.add(node.value)
            elif isinstance(node, ast.Call):
                self._look_at_call(reached, node)

    def _imported_module(self, local: dict[str, tuple[str, str | None]], value: ast.expr) -> str | None:
        """The module of ours that an expression is, None for any other value."""
        if not isinstance(value, ast.Name) or value.id not in local:
            return None
        module, attribute = local[value.id]
        name = f"{module}.{attribute}" if attribute else module
        return name if self._module(name) is not None else None

    @staticmethod
    def _look_at_call(reached: _Reached, call: ast.Call) -> None:
        constants = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("client", "resource"):
            if not constants:
                raise UnreadableCall(f"line {call.lineno}: the service of a client is not written out")
            reached.services.add(constants[0])
        elif isinstance(call.func, ast.Name) and call.func.id == "getattr" and isinstance(call.args[1], ast.JoinedStr):
            raise UnreadableCall(f"line {call.lineno}: getattr with a name put together; write the operation out")
        reached.words.update(constants)

    def _known(self, module: str) -> _Module:
        found = self._module(module)
        assert found is not None, f"{module} was reached but is not there"
        return found

    def _module(self, name: str) -> _Module | None:
        """A module of ours; None for all others, which call AWS only through what we see."""
        if name not in self._modules:
            relative = Path(*name.split("."))
            candidates = [
                folder / path
                for folder in self._folders
                for path in (relative.with_suffix(".py"), relative / "__init__.py")
            ]
            path = next((c for c in candidates if c.is_file()), None)
            self._modules[name] = _parse(path, name) if path else None
        return self._modules[name]


def _parse(path: Path, name: str) -> _Module:
    tree = ast.parse(path.read_text(), str(path))
    module = _Module(tree, imports=_imports(tree, name))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            module.functions[node.name] = node
        elif isinstance(node, ast.ClassDef):
            module.classes[node.name] = node
        elif isinstance(node, ast.Assign):  # a name for something: what it is made of is run with the module
            module.functions.update({t.id: node for t in node.targets if isinstance(t, ast.Name)})
    return module


def _imports(body: ast.AST, module: str) -> dict[str, tuple[str, str | None]]:
    found: dict[str, tuple[str, str | None]] = {}
    for node in _executed(body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0],
                    None,
                )
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise UnreadableCall(f"{module}: relative imports are not followed")
            for alias in node.names:
                found[alias.asname or alias.name] = (str(node.module), alias.name)
    return found


def _executed(body: ast.AST) -> Iterator[ast.AST]:
    """What runs when a body runs: of a module not its functions and classes, of a function also its inner ones."""
    todo = list(ast.iter_child_nodes(body)) if not isinstance(body, ast.expr) else [body]
    while todo:
        node = todo.pop()
        if isinstance(body, ast.Module) and isinstance(node, ast.FunctionDef | ast.ClassDef):
            todo += node.decorator_list
            continue
        if _is_type_checking(node):
            continue
        yield node
        annotations = {id(getattr(node, "annotation", None)), id(getattr(node, "returns", None))}
        todo += [child for child in ast.iter_child_nodes(node) if id(child) not in annotations]


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _operations(service: str, names: set[str]) -> Iterator[tuple[str, str]]:
    """The operations of a service among names of attributes and constants: plain, as paginator, waiter or helper."""
    operations, waiters = _service(service)
    for name in names:
        if ONE_SERVICE.get(name, service) != service:
            continue
        if name in operations:
            yield service, operations[name]
        if name in waiters:
            yield service, waiters[name]
        for operation in HELPERS.get((service, name), ()):
            yield service, operation


@cache
def model(service: str) -> ServiceModel:
    """botocore's description of a service, by boto3's name for it."""
    return botocore.session.get_session().get_service_model(service)


@cache
def _service(service: str) -> tuple[dict[str, str], dict[str, str]]:
    session = botocore.session.get_session()
    operations = {xform_name(name): name for name in model(service).operation_names}
    try:
        described = session.get_waiter_model(service)
    except botocore.exceptions.UnknownServiceError:
        return operations, {}
    waiters = {xform_name(name): described.get_waiter(name).operation for name in described.waiter_names}
    return operations, waiters
