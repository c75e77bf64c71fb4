"""einsum: NumPy's, whole, with axes on which indices meet.

Parsing (`_subscripts`), extents (`_extents`) and paths (`_path`) look at text and shapes and keep what they find;
`_operands`, `_factors` and `_steps` at arrays; `_call` puts a call together, `_functions` is what users see.
"""
