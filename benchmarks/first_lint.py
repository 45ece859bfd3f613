"""A first lint in an empty folder, recorded as a terminal session: it takes under a minute.

Builds the wheel, makes an empty virtual environment, and types COMMANDS in a terminal, with nothing
cached. pip finds the wheel as it would find the published one, and its dependencies where it is
configured to look. Prints the session with the seconds since `pip install`; `-o FILE` also writes
it as an asciicast (version 2), which asciinema plays. Exit code 1: a command failed, or a minute
was not enough.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from archspec import __version__

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    f"python -m pip install -qq archspec-nn=={__version__}",
    "archspec init",
    "archspec lint",
    "archspec build",
    "archspec explain bottleneck",
)
FIRST_LINT = COMMANDS.index("archspec lint")
LIMIT = 60.0  # seconds until the first lint has ended
COLUMNS, LINES = 90, 30


def made(*command: str | Path) -> None:
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)


def typed(command: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """What a command prints in a terminal, as it comes; raises `SystemExit` if it fails."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command],
        **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
        cwd=folder,
        env=environment,
    )
    os.close(theirs)
    try:
        while data := os.read(ours, 4096):
            yield data.decode(errors="replace")
    except OSError:  # so a terminal ends on Linux
        pass
    os.close(ours)
    if process.wait():
        raise SystemExit(f"`{command}` failed: exit code {process.returncode}")


def session(folder: Path, environment: dict[str, str]) -> Iterator[tuple[float, str]]:
    """Seconds since the start, and what appeared then."""
    start = time.monotonic()
    for command in COMMANDS:
        yield time.monotonic() - start, f"$ {command}\r\n"
        for text in typed(command, folder, environment):
            yield time.monotonic() - start, text
        seconds = time.monotonic() - start
        if command == COMMANDS[FIRST_LINT] and seconds > LIMIT:
            raise SystemExit(f"the first lint took {seconds:.1f} s, more than {LIMIT:.0f}")
        yield seconds, f"# {seconds:.1f} s since `pip install`\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write an asciicast")
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        made("-m", "build", "--wheel", "--no-isolation", "-o", place / "dist", ROOT)
        made("-m", "venv", place / "venv")
        (folder := place / "empty").mkdir()
        environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"} | {
            "PATH": f"{place / 'venv' / 'bin'}:{os.environ['PATH']}",
            "PIP_FIND_LINKS": str(place / "dist"),
            "PIP_NO_CACHE_DIR": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "COLUMNS": str(COLUMNS),
        }
        events = []
        for seconds, text in session(folder, environment):
            events.append([round(seconds, 3), "o", text])
            print(text.replace("\r\n", "\n"), end="", flush=True)
    if output:
        header = {"version": 2, "width": COLUMNS, "height": LINES}
        output.write_text("\n".join(map(json.dumps, [header, *events])) + "\n", "utf-8")


if __name__ == "__main__":
    main()
