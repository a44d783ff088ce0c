"""A home that another version of the embedded AWS wrote is refused before anything starts, and says what helps."""

from pathlib import Path

import pytest

from embedded_aws import lifecycle


@pytest.mark.parametrize("marker", [None, "1", "99"])
def test_what_another_version_stored_is_refused_and_left_alone(tmp_path: Path, marker: str | None) -> None:
    (tmp_path / "redshift").mkdir()
    if marker:
        (tmp_path / "format").write_text(marker)
    with pytest.raises(lifecycle.LifecycleError, match="solvent up --reset"):
        lifecycle.up(tmp_path)
    assert (tmp_path / "redshift").exists()
    assert not (tmp_path / lifecycle.LOG).exists()


def test_an_empty_home_is_marked_and_a_reset_one_is_empty(tmp_path: Path) -> None:
    lifecycle._require_format(tmp_path / "new")
    assert (tmp_path / "new" / "format").read_text() == lifecycle.FORMAT
    lifecycle._require_format(tmp_path / "new")
    (tmp_path / "old" / "state").mkdir(parents=True)
    lifecycle._forget(tmp_path / "old")
    lifecycle._require_format(tmp_path / "old")
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["format"]
