"""The oracle for einsum: every operand gathered to an array with an axis for each index, multiplied, summed.

Axes are evaluated by Python, with indices as arrays; no line and no formula is swiftconv's. Extents are given.
"""

import re
from functools import reduce

import numpy as np
from reference import BFLOAT16, source_index

AXIS = re.compile(r"\(([^)]*)\)|([A-Za-z])")


def contract(subscripts, *operands, extents, low=(), boundary="fill", dtype=None):
    """`extents` of every letter; `low`: the padding before axes, from (operand, axis) to a number."""
    inputs, output = subscripts.replace(" ", "").split("->")
    letters = sorted(extents, key=lambda letter: (letter not in output, output.find(letter)))
    shape = [extents[letter] for letter in letters]
    grid = dict(zip(letters, np.indices(shape, sparse=True)))
    dtype = np.result_type(*operands) if dtype is None else np.dtype(dtype)
    result, dtype = dtype, np.dtype(np.float32) if dtype in (np.float16, BFLOAT16) else dtype
    factors = []
    for place, (part, operand) in enumerate(zip(inputs.split(","), map(np.asarray, operands))):
        axes = [sums or letter for sums, letter in AXIS.findall(part)]
        assert len(axes) == operand.ndim
        inside, positions = np.ones(shape, bool), []
        for axis, (text, extent) in enumerate(zip(axes, operand.shape)):
            position = eval(text, {}, grid) - dict(low).get((place, axis), 0)
            read = np.vectorize(lambda p, n=extent: source_index(int(p), n, boundary), otypes=[int])(position)
            inside = inside & (read >= 0)
            positions.append(np.maximum(read, 0))
        gathered = operand[tuple(positions)] if axes else operand
        factors.append(np.where(inside, gathered.astype(dtype), np.zeros((), dtype)))
    product = reduce(np.multiply, factors)
    summed = tuple(range(len(output), len(letters)))
    if dtype.kind == "b":
        return product.any(axis=summed)
    return product.sum(axis=summed, dtype=dtype).astype(result)


def numpy_einsum(subscripts, *operands, **options):
    """NumPy's, which knows no bfloat16."""
    if BFLOAT16 is not None and any(operand.dtype == BFLOAT16 for operand in operands):
        wide = [operand.astype(np.float32) for operand in operands]
        return np.einsum(subscripts, *wide, **options).astype(BFLOAT16)
    return np.einsum(subscripts, *operands, **options)
