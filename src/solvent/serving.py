"""From a request's bytes to an answer's bytes, for the endpoint and the batch transform. Standard library only."""

import json
import random
import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from solvent import tables
from solvent.model_folder import Model
from solvent.scoring import InvalidApplicant, quoted

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
PARQUET = "application/x-parquet"
LARGEST_BODY = 6 * 1024 * 1024
MOST_APPLICANTS = 10_000
Found = TypeVar("Found")
_INSTANCES = {"instances"}
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


class InvalidRequest(ValueError):
    """A request that cannot be answered. `status_code` is a 4xx; `field` names the culprit where there is one."""

    def __init__(self, status_code: int, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.field = field

    def to_dict(self) -> dict[str, Any]:
        answer = {"error": str(self)}
        return {**answer, "field": self.field} if self.field else answer


def respond(
    model: Model, body: str | bytes, *, content_type: str | None, accept: str | None, model_version: str
) -> tuple[str, str]:
    """The answer to one request, and its content type.

    JSON: one object -> one answer; a list, or {"instances": [...]} -> a list of answers. JSON lines -> JSON lines, in
    order; so does Parquet, and CSV with a header where the caller accepts JSON lines. CSV else -> CSV, for Redshift's
    CREATE MODEL: see `_csv`. An applicant is {<entity>?, "as_of"?, "reasons"?, <feature>: value...}, or has its
    features below "features". "reasons" (true, false) asks for reasons or does without them; unasked, answers in JSON
    lines (the batch's form) have them always, JSON where the model explains at no cost. Answers as JSON carry the id of
    their request; lines do not, so that a batch answers the same twice.
    Raises InvalidRequest: nothing is answered unless every applicant of the request is sound.
    """
    if len(body) > LARGEST_BODY:
        raise InvalidRequest(413, f"The request is larger than {LARGEST_BODY} bytes; send fewer applicants at a time.")
    given, wanted = _forms(content_type, accept)
    if wanted == JSON:
        return _json(model, _decode(body), model_version), JSON
    if wanted == CSV:
        return _csv(model, _decode(body)), CSV
    if given == JSON_LINES:
        lines = [(f"line {n}: ", line) for n, line in enumerate(_decode(body).split("\n"), 1) if line.strip()]
        applicants = [(where, _parse(line, where)) for where, line in lines]
    elif given == CSV:
        applicants = _of_table(lambda: list(tables.with_header(_decode(body), model.numeric)))
    else:
        applicants = _of_table(lambda: tables.parquet(body.encode() if isinstance(body, str) else bytes(body)))
    answers = _answers(model, applicants, f'"model_version": {quoted(model_version)}', explained=True)
    return "".join([f"{answer}\n" for answer in answers]), JSON_LINES


@lru_cache(maxsize=64)
def _forms(content_type: str | None, accept: str | None) -> tuple[str, str]:
    """The content types of a request and of its answer. Raises InvalidRequest."""
    kind = (content_type or JSON).partition(";")[0].strip().lower()
    if kind in (PARQUET, JSON_LINES, "application/x-jsonlines", "application/jsonlines+json"):
        return PARQUET if kind == PARQUET else JSON_LINES, JSON_LINES
    if kind == CSV:
        return CSV, JSON_LINES if accept and "jsonlines" in accept else CSV
    if kind != JSON:
        raise InvalidRequest(
            415, f"Content type {kind[:100]!r} is not served; send {JSON}, {JSON_LINES}, {CSV} or {PARQUET}."
        )
    if accept and not any(part in accept for part in ("json", "*/*", "application/*")):
        raise InvalidRequest(406, f"The answer comes as {JSON}, not as {accept[:100]!r}.")
    return JSON, JSON


def _json(model: Model, text: str, model_version: str) -> str:
    identity = f'"model_version": {quoted(model_version)}, "request_id": "{random.getrandbits(64):016x}"'  # noqa: S311 (no secret)
    request = _parse(text)
    if isinstance(request, dict) and request.keys() == _INSTANCES:
        request = request["instances"]
        if not isinstance(request, list):
            raise InvalidRequest(422, "instances: must be a list of applicants", "instances")
    if not isinstance(request, list):
        return _answers(model, [("", request)], identity, explained=model.explains_freely)[0]
    if not request or len(request) > MOST_APPLICANTS:
        raise InvalidRequest(422, f"A list holds 1 to {MOST_APPLICANTS} applicants, this one has {len(request)}.")
    many = [(f"applicant {n}: ", one) for n, one in enumerate(request)]
    return f"[{', '.join(_answers(model, many, identity, explained=model.explains_freely))}]"


def _of_table(read: Callable[[], Found]) -> Found:
    try:
        return read()
    except (tables.UnreadableTable, InvalidApplicant) as error:
        raise InvalidRequest(error.status_code, str(error), error.field) from error


def _csv(model: Model, text: str) -> str:
    """One probability a line, for one applicant a line: the values of `model.inputs` in that order, no header.

    An empty field is a value not known. The caller reads numbers, nothing else.
    """
    prepared = []
    lines = _of_table(lambda: tables.lines(text))
    for number, cells in enumerate(lines, 1):
        if len(cells) != len(model.inputs):
            raise InvalidRequest(
                422, f"line {number}: has {len(cells)} fields; this model takes {len(model.inputs)}, in the order "
                f"{', '.join(model.inputs)}."
            )  # fmt: skip
        try:
            given = zip(model.inputs, cells, strict=True)
            prepared.append(model.prepare({name: tables.typed(name, cell, model.numeric) for name, cell in given}))
        except InvalidApplicant as error:
            raise InvalidRequest(error.status_code, f"line {number}: {error}", error.field) from error
    return "".join(f"{probability!r}\n" for probability in model.probabilities(prepared)) if prepared else ""


def _answers(model: Model, requests: Sequence[tuple[str, Any]], identity: str, *, explained: bool) -> list[str]:
    """An answer for each (where it stands, request), all scored at once. `identity` ends each: JSON without braces."""
    keys, prepared, wanted = [], [], []
    where = ""
    try:
        for where, request in requests:
            if not isinstance(request, dict):
                raise InvalidRequest(422, f"{where}An applicant is a JSON object.")
            key, features, reasons = _split(request, model.entity)
            keys.append(key)
            prepared.append(model.prepare(features))
            wanted.append(explained if reasons is None else reasons)
        where = ""
        scores = model.scores(prepared, reasons=wanted)
    except InvalidApplicant as error:
        raise InvalidRequest(error.status_code, f"{where}{error}", error.field) from error
    return [f"{{{key}{score.members()}, {identity}}}" for key, score in zip(keys, scores, strict=True)]


def _split(applicant: dict[str, Any], entity: str) -> tuple[str, dict[str, Any], bool | None]:
    """The identifying keys, checked, as JSON; the features; and whether reasons are wanted (None: not said).

    What is no feature is taken out of `applicant`.
    """
    keys = ""
    for name, check in ((entity, _identifier), ("as_of", _date)):
        if name in applicant:
            keys += f'{quoted(name)}: "{check(name, applicant.pop(name))}", '  # neither value has a quote in it
    wanted = applicant.pop("reasons", None)
    if wanted is not None and type(wanted) is not bool:
        raise InvalidApplicant("reasons", "must be true or false, or be left out")
    if isinstance(applicant.get("features"), dict):
        features = applicant.pop("features")
        if applicant:
            raise InvalidApplicant(next(iter(applicant)), 'stands beside "features"; put it inside or leave it out')
        return keys, features, wanted
    return keys, applicant, wanted


def _identifier(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise InvalidApplicant(name, "must be 1 to 64 letters, digits, - or _")
    return value


def _date(name: str, value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise InvalidApplicant(name, "must be a date, YYYY-MM-DD")


def _decode(body: str | bytes) -> str:
    try:
        return body if isinstance(body, str) else str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(400, f"The request is not UTF-8 text (byte {error.start}).") from error


def _parse(text: str, where: str = "") -> Any:
    try:
        return _DECODER.decode(text)
    except InvalidRequest:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(400, f"{where}The request is not JSON: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise InvalidRequest(400, f"The request is not JSON: {name} is not a JSON number; send null for a value not known.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)[:100]
        raise InvalidRequest(422, f"{twice}: is given twice", twice)
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
