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
def conv_plain(recipe: tuple[Any, ...], input: Any, weight: Any, bias: Any, out: Any, threads: Any, /) -> Any: ...
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
def patches_shape(
    shape: tuple[int, ...],
    axes: _Ints,
    window: tuple[int, ...],
    stride: _Ints,
    dilation: _Ints,
    padding_low: _Ints,
    padding_high: _Ints,
    names: tuple[bytes, ...],
    /,
) -> tuple[int, ...]: ...
def patches_gather(
    x: np.ndarray,
    patches: np.ndarray,
    x_code: int,
    patches_code: int,
    byteswapped: int,
    threads: int,
    axes: _Ints,
    window: tuple[int, ...],
    stride: _Ints,
    dilation: _Ints,
    padding_low: _Ints,
    padding_high: _Ints,
    boundary: int,
    fill: bytes | None,
    fresh: int,
    /,
) -> None: ...
def patches_scatter(
    patches: np.ndarray,
    x: np.ndarray,
    patches_code: int,
    x_code: int,
    byteswapped: int,
    threads: int,
    axes: _Ints,
    window: tuple[int, ...],
    stride: _Ints,
    dilation: _Ints,
    padding_low: _Ints,
    padding_high: _Ints,
    reduction: int,
    weights: bytes | None,
    /,
) -> None: ...
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

_Factor = tuple[np.ndarray, int | None, bool, tuple[int, ...]]  # array, code, whether byte-swapped, strides
_Window = tuple[int, int, int, int, tuple[int, ...]]  # factor, extent, stride, padding, steps

def einsum_function(
    function: _F, docstring: bytes, recipes: dict[str, bytes], numpy_einsum: Callable[..., Any], /
) -> _F: ...
def contract(
    extents: tuple[int, ...],
    output_count: int,
    factors: tuple[_Factor, ...],
    out: _Factor,
    windows: tuple[_Window, ...],
    result_code: int,
    boundary: int,
    method: int,
    threads: int,
    /,
) -> None: ...
def contract_explain(
    extents: tuple[int, ...],
    output_count: int,
    factors: tuple[_Factor, ...],
    out: _Factor | None,
    windows: tuple[_Window, ...],
    result_code: int,
    boundary: int,
    method: int,
    threads: int,
    /,
) -> dict[str, Any]: ...

_Axes = tuple[tuple[int, ...], ...]  # samples, outputs, taps, step, dilation, padding: of every axis each

def slide_axes(
    operation: int,
    a_shape: tuple[int, ...],
    v_shape: tuple[int, ...],
    mode: int,
    boundary: int,
    stride: tuple[int, ...] | None,
    dilation: tuple[int, ...] | None,
    /,
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]: ...
def matrix_count(
    axes: _Axes, boundary: int, by_columns: bool, groups: int, filters: int, channels: int, threads: int, /
) -> tuple[int, int, int, int]: ...
def matrix_dense(
    axes: _Axes,
    boundary: int,
    by_columns: bool,
    groups: int,
    filters: int,
    channels: int,
    threads: int,
    kernel: np.ndarray,
    code: int | None,
    out: np.ndarray,
    /,
) -> None: ...
def matrix_compressed(
    axes: _Axes,
    boundary: int,
    by_columns: bool,
    groups: int,
    filters: int,
    channels: int,
    threads: int,
    kernel: np.ndarray,
    code: int | None,
    pointers: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    index_code: int | None,
    lines: np.ndarray | None,
    /,
) -> None: ...
def matrix_blocks(
    axes: _Axes,
    boundary: int,
    by_columns: bool,
    groups: int,
    filters: int,
    channels: int,
    threads: int,
    kernel: np.ndarray,
    code: int | None,
    pointers: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    index_code: int | None,
    /,
) -> None: ...

class ConvolutionPlan:
    def __new__(
        cls,
        parts: tuple[Any, ...],
        recipe: tuple[Any, ...] | None,
        options: tuple[Any, ...] | None,
        weight: np.ndarray,
        weight_code: int | None,
        bias: np.ndarray | None,
        result_code: int | None,
        threads: int,
        takes_any_dtype: bool,
        /,
    ) -> Any: ...
    _parts: Any
    def __call__(self, input: Any, out: Any = None) -> np.ndarray: ...
    def _run(
        self, a: np.ndarray, a_code: int, out: np.ndarray, out_code: int, byteswapped: int, options: tuple[Any, ...], /
    ) -> None: ...
    def _pack(
        self, a: np.ndarray, a_code: int, out: np.ndarray, out_code: int, byteswapped: int, options: tuple[Any, ...], /
    ) -> None: ...
    def _packed_bytes(self) -> int: ...

# 0, or the order of a leading minor that is zero.
def toeplitz_solve(
    column: np.ndarray, row: np.ndarray, b: np.ndarray, x: np.ndarray, code: int, threads: int, /
) -> int: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int, /) -> int: ...
def isa() -> str: ...
def cpu_isa() -> str: ...
def core_path() -> str: ...
