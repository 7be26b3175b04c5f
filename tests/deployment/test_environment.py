"""`make env`: secrets of one's own, written once."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deployment.environment import SECRETS, read, write

ROOT = Path(__file__).parents[2]


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_every_secret_is_another_one_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    file, other = tmp_path / ".env", tmp_path / "other"
    assert write(file) == [*SECRETS]
    write(other)

    found = [*read(file).values(), *read(other).values()]

    assert read(file).keys() == {*SECRETS}
    assert len({*found}) == len(found)
    assert min(map(len, found)) >= 32
    assert mode(file) == 0o600


def test_what_stands_there_stays_and_what_is_missing_is_added(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# my own\nTESS_PASSWORD=mine\nOPENBANK_PORT=9081")
    file.chmod(0o644)

    added = write(file)

    assert "TESS_PASSWORD" not in added
    assert {**read(file), "TESS_PASSWORD": "mine", "OPENBANK_PORT": "9081"} == read(file)
    assert {*SECRETS} <= read(file).keys()
    assert file.read_text().startswith("# my own\n")
    assert mode(file) == 0o600
    before = file.read_text()
    assert (write(file), file.read_text()) == ([], before)


def test_a_link_to_another_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match=r"\.env"):
        write(tmp_path / ".env")

    assert not (tmp_path / "elsewhere").exists()


def test_the_command_shows_names_and_no_secrets(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    said = subprocess.run(
        [sys.executable, "-m", "deployment.environment", file], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert "TESS_PASSWORD" in said
    assert not [value for value in read(file).values() if value in said]
