"""Curves of training runs: `log.csv` in, a picture out.

log     the content of a run's `log.csv`, or what is wrong with it
curves  the picture, by matplotlib
"""

from __future__ import annotations

from archspec.plot.curves import FORMATS, draw
from archspec.plot.log import Log, PlotError, log_file, read_log, read_logs

__all__ = ["FORMATS", "Log", "PlotError", "draw", "log_file", "read_log", "read_logs"]
