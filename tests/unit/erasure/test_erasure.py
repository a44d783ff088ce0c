"""Nothing of an erased person is left, everything of everybody else is, and the proof says so."""

import contextlib
import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lakehouse import BUCKETS

from solvent import naming
from solvent.erasure import ErasureError


def test_nothing_of_the_person_is_left_and_all_of_the_others(bank: Any) -> None:
    bank.refresh()
    assert {"lending.loans", "marts.loan_payments"} <= set(bank.leftovers()), "in tables, and in what is made of them"
    assert len(bank.leftovers()) > 20, "the person must be in many places, or the test shows nothing"
    before = bank.others()
    proof = bank.erase(bank.ask())
    assert bank.leftovers() == []
    after = bank.others()
    retained = after.pop("ops.retained_decisions")
    del before["ops.retained_decisions"]
    assert after == before
    assert len(retained) == len(bank.loans)
    assert proof["warehouse"]["lending.loans"] == len(bank.loans)
    assert proof["zones"]["cleaned"]["rows"] > len(bank.loans)
    assert proof["verification"]["found"] == 0
    assert proof["verification"]["zones"]["raw"]["objects"] > 4


def test_versions_that_were_overwritten_or_deleted_are_gone_too(bank: Any) -> None:
    key = naming.table_prefix("lending", "customers", bank.job.run_id) + "part-00000.parquet"
    now = bank.s3.get_object(Bucket=BUCKETS["cleaned"], Key=key)["Body"].read()
    bank.s3.put_object(Bucket=BUCKETS["cleaned"], Key=key, Body=now)
    gone = "lending/2020-01-01-000000000000/customer_profile.csv"
    bank.put("landing", gone, f"customer_id,full_name\n{bank.customer},X\n")
    bank.s3.delete_object(Bucket=BUCKETS["landing"], Key=gone)
    proof = bank.erase(bank.ask())
    assert bank.leftovers() == []
    versions = bank.s3.list_object_versions(Bucket=BUCKETS["cleaned"], Prefix=key)
    assert len(versions["Versions"]) == 1
    left = bank.s3.list_object_versions(Bucket=BUCKETS["landing"], Prefix=gone)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")
    (of_it,) = [o for o in proof["zones"]["landing"]["objects"] if o["key"] == gone]
    assert (of_it["done"], of_it["versions_removed"]) == ("deleted", 2)


def test_more_versions_than_one_page_holds(bank: Any) -> None:
    for number in range(1003):
        bank.put("artifacts", "runs/lending/y/ingest.json", json.dumps({"n": number, "worst": bank.loans[0]}))
    proof = bank.erase(bank.ask())
    assert bank.leftovers() == []
    (of_it,) = [o for o in proof["zones"]["artifacts"]["objects"] if o["key"] == "runs/lending/y/ingest.json"]
    assert of_it["versions_removed"] == 1003


def test_a_second_erasure_finds_nothing_and_changes_nothing(bank: Any) -> None:
    bank.erase(bank.ask())
    before = {k: v for k, v in bank.versions().items() if not k[1].startswith("erasures/")}
    proof = bank.erase(bank.ask())
    assert {k: v for k, v in bank.versions().items() if not k[1].startswith("erasures/")} == before
    assert sum(z["rows"] + z["versions_removed"] for z in proof["zones"].values()) == 0
    assert set(proof["warehouse"].values()) == {0}


def test_an_id_that_nobody_has_bars_nobody(bank: Any) -> None:
    proof = bank.erase(bank.ask("C999998"))
    assert proof["known"] is False
    listed = bank.s3.list_objects_v2(Bucket=BUCKETS["artifacts"], Prefix=naming.SUPPRESSED)
    assert listed["KeyCount"] == 0


def test_a_dry_run_counts_and_leaves_everything(bank: Any) -> None:
    before = bank.versions()
    report = bank.erase(bank.ask(dry_run=True))
    after = bank.versions()
    (new,) = set(after) - set(before)
    assert new[1] == naming.proof_key(report["erasure_id"])
    assert before.items() <= after.items()
    assert report["keys"]["loan_application"] == len(bank.loans) + 1, "the one in quarantine is theirs, too"
    assert report["warehouse"]["lending.loans"] == len(bank.loans)
    assert not any(mark in json.dumps(report) for mark in bank.marks)


def test_the_proof_holds_no_personal_data_and_says_who_when_and_what(bank: Any) -> None:
    proof = bank.erase(bank.ask())
    stored = json.loads(bank.lake.objects("artifacts")[naming.proof_key(proof["erasure_id"])])
    assert stored == proof
    assert not any(mark in json.dumps(proof) for mark in bank.marks)
    assert proof["requested_by"].endswith("user/officer")
    assert proof["reason"] == "asked for it"
    assert len(proof["subject"]["sha256"]) == 64
    for zone in ("landing", "raw", "cleaned", "training", "quarantine", "artifacts"):
        assert proof["zones"][zone]["objects"], zone
        assert all(o["sha256_before"] != o["sha256_after"] for o in proof["zones"][zone]["objects"])


def test_decisions_stay_under_a_pseudonym_until_their_time_has_come(bank: Any) -> None:
    bank.erase(bank.ask())
    rows = bank.redshift.rows("SELECT pseudonym, decided_on, keep_until, decision FROM ops.retained_decisions")
    assert len(rows) == len(bank.loans) == len({row[0] for row in rows})
    assert all(str(row[2]) == "2033-06-30" for row in rows)
    bank.redshift.run("UPDATE ops.retained_decisions SET keep_until = '2026-01-01'")
    bank.erase(bank.ask(bank_other(bank)))
    assert all(
        str(row[0]) == "2033-06-30" for row in bank.redshift.rows("SELECT keep_until FROM ops.retained_decisions")
    )


def bank_other(bank: Any) -> str:
    rows = bank.lake.table(bank.job, "cleaned", "customers").to_pylist()
    return str(next(r["customer_id"] for r in rows if r["customer_id"] != bank.customer))


class Killed(Exception):
    """The process ends here."""


class Mortal:
    """An S3 client whose n-th call of one operation does not happen, or happens and is not answered."""

    def __init__(self, s3: Any, operation: str, nth: int, *, done: bool) -> None:
        self._s3, self._operation, self._left, self._done = s3, operation, nth, done

    def __getattr__(self, name: str) -> Any:
        there = getattr(self._s3, name)
        if name != self._operation:
            return there

        def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                if self._done:
                    with contextlib.suppress(ClientError):
                        there(*args, **kwargs)
                raise Killed(name)
            return there(*args, **kwargs)

        return call


OPERATIONS = ("get_object", "get_paginator", "put_object", "upload_file", "delete_objects")


def test_killed_at_any_call_and_started_again_it_completes(bank: Any) -> None:
    """One lake, killed at the first, second... call of each kind, before and after it took effect."""
    erasure_id, died = bank.ask(), []
    for nth, operation, done in itertools.product((1, 2, 4), OPERATIONS, (False, True)):
        with contextlib.suppress(Killed):
            bank.erase(erasure_id, Mortal(bank.s3, operation, nth, done=done))
            break
        died.append(operation)
    proof = bank.erase(erasure_id)
    assert set(died) == set(OPERATIONS)
    assert len(died) > 20, died
    assert bank.leftovers() == []
    assert proof["warehouse"]["lending.loans"] == len(bank.loans)
    assert proof["decisions"]["retained"] == len(bank.loans)
    assert proof["zones"]["cleaned"]["rewritten"] == 4
    left = bank.s3.list_object_versions(Bucket=BUCKETS["artifacts"], Prefix="erasures/work/")
    assert "Versions" not in left


def test_what_arrives_meanwhile_is_said_and_the_next_start_takes_it(bank: Any) -> None:
    erasure_id, real = bank.ask(), bank.s3.upload_file
    late = {"n": 0}

    class Late:
        def __getattr__(self, name: str) -> Any:
            return getattr(bank.s3, name)

        def upload_file(self, *args: Any, **kwargs: Any) -> Any:
            late["n"] += 1
            bank.put("landing", "lending/2026-07-31-aaaaaaaaaaaa/notes.csv", f"a,b\n1,{bank.customer}\n")
            return real(*args, **kwargs)

    with pytest.raises(ErasureError, match="arrived meanwhile"):
        bank.erase(erasure_id, Late())
    bank.erase(erasure_id)
    assert bank.leftovers() == []


def test_an_erasure_that_was_never_asked_for_is_refused(bank: Any) -> None:
    with pytest.raises(ErasureError, match="There is no erasure"):
        bank.erase("2026-01-01-0123456789ab")
