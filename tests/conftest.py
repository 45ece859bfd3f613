"""Settings of the whole test run."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Generator
from itertools import count
from pathlib import Path

import pytest

from archspec.language.load import shipped
from support.linting import Project

#: One thread a process, before torch is imported: workers share the cores, sums keep their order.
os.environ["OMP_NUM_THREADS"] = "1"

#: What is compiled is kept, for the workers of the next run and the commands that tests start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


#: Modules and results that are kept are millions of objects, and no garbage. The networks that
#: tests drop are cycles, so a full collection follows every ten million objects.
gc.set_threshold(200_000, 10, 5)


def settle(phase: str, info: dict[str, int]) -> None:
    """What outlives a full collection is mostly kept to the end; later ones leave it out."""
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


gc.callbacks.append(settle)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-spec", action="store_true", help="do not sample built-in specs")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "sampled(argument, names, of=ALL): only these specs, or ALL with --every-spec"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for mark in metafunc.definition.iter_markers("sampled"):
        (argument, names), how = mark.args, dict(mark.kwargs)
        every = how.pop("of")
        assert {*names} <= {*every}
        metafunc.parametrize(argument, every if metafunc.config.option.every_spec else names, **how)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of built-in specs first, spec by spec, so that they share what is worked out of it."""
    place = {name: number for number, name in enumerate(shipped())}

    def of_spec(item: pytest.Item) -> int:
        call = getattr(item, "callspec", None)
        values = call.params.values() if call else ()
        names = (value.stem if isinstance(value, Path) else value for value in values)
        places = (place.get(name) for name in names if isinstance(name, str))
        return next((number for number in places if number is not None), len(place))

    items.sort(key=of_spec)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Without garbage collection, because imports leave no garbage."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


STATM = Path("/proc/self/statm")
#: In pages: from 1.2 GB on, memory is freed after each test, which leaves 800 MB for the next one.
#: Where that leaves 100 MB more, what was frozen is collected, too, which takes seconds.
MOST, MORE = 300_000, 25_000
TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)
_kept = MOST


def pages() -> int:
    """The memory of this process, where Linux says it."""
    return int(STATM.read_text("ascii").split()[1]) if STATM.exists() else 0


def free() -> None:
    """Large networks leave cycles, which a collection frees, and memory that glibc keeps."""
    gc.collect()
    TRIM(0)


def pytest_runtest_logfinish() -> None:
    """Frozen objects can be cycles of networks that tests have dropped since."""
    global _kept
    if not TRIM or pages() < _kept:
        return
    free()
    if pages() > _kept + MORE:
        gc.unfreeze()
        free()
        _kept = max(pages(), MOST)


FOLDERS = count()


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """An empty folder. Pytest's own fixture lists all earlier folders for each new one."""
    name = request.function.__name__[:30]
    return tmp_path_factory.mktemp(f"{name}_{next(FOLDERS)}", numbered=False)


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Project:
    """An empty project, which is also the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Project(tmp_path, capsys)
