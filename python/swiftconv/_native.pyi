from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

_Ints = tuple[int, ...] | None
_F = TypeVar("_F", bound=Callable[..., Any])

def initialize(
    ndarray: type,
    empty: Callable[..., Any],
    dtypes: tuple[Any, ...],
    result_codes: bytes,
    modes: dict[str, int],
    boundaries: dict[str, int],
    methods: dict[str, int],
    /,
) -> None: ...
def sliding_function(operation: int, function: _F, docstring: bytes, /) -> _F: ...
def slide(
    operation: int,
    a: np.ndarray,
    v: np.ndarray,
    out: np.ndarray,
    a_code: int,
    v_code: int,
    out_code: int,
    result_code: int,
    byteswapped: int,
    mode: int,
    boundary: int,
    method: int,
    threads: int,
    axes: _Ints,
    stride: _Ints,
    dilation: _Ints,
    origin: _Ints,
    fill_integer: int,
    fill_real: float,
    fill_imaginary: float,
    /,
) -> None: ...
def slide_shape(
    operation: int,
    a_shape: tuple[int, ...],
    v_shape: tuple[int, ...],
    mode: int,
    boundary: int,
    axes: _Ints,
    stride: _Ints,
    dilation: _Ints,
    origin: _Ints,
    /,
) -> tuple[int, ...]: ...
def slide_explain(
    operation: int,
    a: np.ndarray,
    v: np.ndarray,
    out: np.ndarray | None,
    a_code: int,
    v_code: int,
    out_code: int,
    result_code: int,
    byteswapped: int,
    mode: int,
    boundary: int,
    method: int,
    threads: int,
    axes: _Ints,
    stride: _Ints,
    dilation: _Ints,
    origin: _Ints,
    fill_integer: int,
    fill_real: float,
    fill_imaginary: float,
    /,
) -> dict[str, Any]: ...
def conv_plain(recipe: tuple[Any, ...], input: Any, weight: Any, bias: Any, out: Any, /) -> Any: ...
def conv(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray | None,
    out: np.ndarray,
    a_code: int,
    b_code: int,
    bias_code: int,
    out_code: int,
    result_code: int,
    byteswapped: int,
    threads: int,
    options: tuple[Any, ...],
    /,
) -> None: ...
def conv_shape(a_shape: tuple[int, ...], b_shape: tuple[int, ...], options: tuple[Any, ...], /) -> tuple[int, ...]: ...
def conv_explain(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray | None,
    out: np.ndarray | None,
    a_code: int,
    b_code: int,
    bias_code: int,
    out_code: int,
    result_code: int,
    byteswapped: int,
    threads: int,
    options: tuple[Any, ...],
    /,
) -> dict[str, Any]: ...
def pool(
    operation: int,
    input: np.ndarray,
    out: np.ndarray,
    indices: np.ndarray | None,
    input_code: int,
    out_code: int,
    byteswapped: int,
    count_include_pad: int,
    divisor_override: int,
    norm_type: float,
    signed_powers: int,
    threads: int,
    axes: _Ints,
    kernel_size: tuple[int, ...],
    stride: _Ints,
    dilation: _Ints,
    padding_low: _Ints,
    padding_high: _Ints,
    ceil_mode: int,
    /,
) -> None: ...
def pool_shape(
    input_shape: tuple[int, ...],
    axes: _Ints,
    kernel_size: tuple[int, ...],
    stride: _Ints,
    dilation: _Ints,
    padding_low: _Ints,
    padding_high: _Ints,
    ceil_mode: int,
    /,
) -> tuple[int, ...]: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int, /) -> int: ...
def isa() -> str: ...
def cpu_isa() -> str: ...
def core_path() -> str: ...
