"""What an explanation says of calls that the core has no part in."""

from __future__ import annotations

from typing import Any


def fields(
    algorithm: str, kernel: str, workspace: int, read: str = "direct", written: str = "direct"
) -> dict[str, Any]:
    """The fields of an explanation, by the core's names; `read` and `written` say how input and output are."""
    return {
        "algorithm": algorithm,
        "kernel": kernel,
        "isa": "none",
        "input": read,
        "output": written,
        "vector_axis": -1,
        "vector_lanes": 1,
        "tile_rows": 0,
        "tile_columns": 0,
        "block_rows": 0,
        "block_columns": 0,
        "workspace_bytes": workspace,
        "tasks": 1,
        "threads": 1,
    }
