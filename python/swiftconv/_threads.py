"""How many threads calls use."""

from __future__ import annotations

import operator
from types import TracebackType
from typing import Any

from . import _native


def get_num_threads() -> int:
    """
    Number of threads that a call may use unless it says otherwise with ``threads=``.

    Returns
    -------
    int
        What `set_num_threads` set; before that the value of ``SWIFTCONV_NUM_THREADS``, else of ``OMP_NUM_THREADS``,
        else the number of CPUs that the process may run on.

    Examples
    --------
    >>> import swiftconv
    >>> swiftconv.get_num_threads() >= 1
    True
    """
    return _native.get_num_threads()


def set_num_threads(n: int | None) -> int:
    """
    Set the number of threads for all calls of the process. Results do not depend on it.

    Parameters
    ----------
    n : int or None
        At least 1; None restores the default.

    Returns
    -------
    int
        The old number.

    Raises
    ------
    TypeError
        `n` is not an integer.
    ValueError
        `n` is less than 1.
    OverflowError
        `n` passes 32 bits.

    Examples
    --------
    >>> import swiftconv
    >>> old = swiftconv.set_num_threads(2)
    >>> swiftconv.set_num_threads(old)
    2
    """
    return _native.set_num_threads(0 if n is None else _checked(n))


def _checked(n: Any) -> int:
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"n={n!r}: expected an integer of at least 1") from None
    if count < 1:
        raise ValueError(f"n={n!r}: expected an integer of at least 1")
    return count


class threads:
    """
    Context manager: the number of threads inside a ``with`` block, the old number after it.

    The number belongs to the process, not to the Python thread that enters.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError, ValueError, OverflowError
        As `set_num_threads` does.

    Examples
    --------
    >>> import swiftconv
    >>> with swiftconv.threads(1):
    ...     swiftconv.get_num_threads()
    1
    """

    def __init__(self, n: int) -> None:
        self._count = _checked(n)
        self._old: list[int] = []

    def __enter__(self) -> threads:
        self._old.append(_native.set_num_threads(self._count))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _native.set_num_threads(self._old.pop())


def register_with_threadpoolctl() -> None:
    """Let ``threadpoolctl.threadpool_limits`` and ``threadpool_info`` know the core, where threadpoolctl is there."""
    try:
        from threadpoolctl import LibController, register  # type: ignore[import-untyped,unused-ignore]
    except ImportError:  # absent, or older than 3.2
        return

    class SwiftConvController(LibController):  # type: ignore[misc]
        user_api = "swiftconv"
        internal_api = "swiftconv"
        filename_prefixes = ("libswiftconv",)
        check_symbols = ("sc_get_num_threads", "sc_set_num_threads")

        def get_num_threads(self) -> int:
            return self.dynlib.sc_get_num_threads()

        def set_num_threads(self, num_threads: int) -> int:
            return self.dynlib.sc_set_num_threads(num_threads)

        def get_version(self) -> str:
            from . import __version__

            return __version__

        def set_additional_attributes(self) -> None:
            self.architecture = _native.isa()

    register(SwiftConvController)
