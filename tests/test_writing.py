"""Files are written whole or not at all, and all of them or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archspec.diagnostics import UnreadableFile
from archspec.files import write_files, write_text


def test_line_ends_and_letters_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    write_text(file, "a\r\nb\n\ufeffé")
    assert file.read_bytes() == "a\r\nb\n\ufeffé".encode()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_permissions_stay(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("old")
    file.chmod(mode)
    write_text(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", mode)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_new_file_is_like_any_other_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_text(tmp_path / "new", "")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_goes_on_leading_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "a")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "a").read_text() == "new"


def test_a_link_out_of_the_project_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull request may hold `generated`, or a file in it, as a link to a place outside."""
    project = tmp_path / "project"
    (project / "inner").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    (project / "file").symlink_to("../file")
    (project / "folder").symlink_to("..")
    (project / "within").symlink_to("inner")
    monkeypatch.chdir(project)
    for name in ("file", "folder/file", str(project / "file")):
        with pytest.raises(UnreadableFile, match="is a symlink to a path outside the project"):
            write_text(Path(name), "new")
    assert not (tmp_path / "file").exists()
    write_text(Path("within/file"), "new")
    write_text(tmp_path / "file", "new")


def test_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    with pytest.raises(UnreadableFile, match=r"could not write `.*/b`: it is a directory"):
        write_files({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_no_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file or directory"):
        write_text(tmp_path / "nowhere" / "a", "new")


def test_nothing_is_left_where_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnreadableFile, match="no space left on device"):
        write_text(tmp_path / "a", "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]
