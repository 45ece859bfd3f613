"""Plain data as YAML text that our reader reads back as the same."""

from __future__ import annotations

from typing import Any

import yaml

from archspec.source.scalars import reads_as_text


def dumped(data: Any, flow: bool | None, width: int) -> str:
    """Data as YAML; with `flow=None` the lists and maps of scalars in it are in brackets."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, default_flow_style=flow, width=width, sort_keys=False
    )
    return text


class _Dumper(yaml.SafeDumper):
    """PyYAML's writer, which quotes what YAML 1.1 would misread; and what 1.2 would."""

    def ignore_aliases(self, data: Any) -> bool:
        """Values that are one object are written out, since specs have no anchors."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if reads_as_text(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)
