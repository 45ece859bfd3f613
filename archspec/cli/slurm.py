"""`archspec train --slurm`: a file that starts a run on a SLURM cluster, and restarts it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from archspec.cli.files import targets_in, write
from archspec.cli.lines import say
from archspec.codegen import environment
from archspec.diagnostics import ArchspecError
from archspec.language import Spec


def write_batch(spec: Spec, folder: Path, command: Sequence[str], processes: int | None) -> None:
    """Write the file next to the run's script, unless there is a different one."""
    text = batch(spec, command, processes or 1)
    (target,) = targets_in(folder, {f"{spec.name}.sbatch": text})
    place = target.path.as_posix()
    if target.before is not None and not target.is_current:
        hint = "edit it, or remove it to generate it again"
        raise ArchspecError(f"{place} exists with different lines", hint)
    if not target.is_current:
        write([target])
    say(f"submit it from this directory: sbatch {shlex.quote(place)}")


def batch(spec: Spec, command: Sequence[str], processes: int) -> str:
    """The text of the file, for this command of the training script."""
    return (
        environment()
        .get_template("train.sbatch.jinja")
        .render(
            name=spec.name,
            gpus=processes,
            imports=bool(spec.library.imports()),
            python=shlex.quote(sys.executable),
            command=shlex.join(command),
        )
    )
