"""The ways to correlate a batch of images with one filter that the Python world offers, behind one signature.

A peer is a function `prepare(images, window, threads)` that returns the call to be timed: it takes nothing and returns
the `valid` correlation as a NumPy array. What can be done once for a filter may be done in `prepare`. A peer returns
None for a case it does not support, and raises ImportError where its library is not installed.
"""

import numpy as np

PEERS = {}


def peer(name):
    def register(prepare):
        PEERS[name] = prepare
        return prepare

    return register


def _taps(images, window):
    """The slice of the images under each element of the window, with that element."""
    rows, columns = (n - k + 1 for n, k in zip(images.shape[1:], window.shape))
    for (i, j), weight in np.ndenumerate(window):
        yield images[:, i : i + rows, j : j + columns], weight


@peer("swiftconv")
def swiftconv(images, window, threads):
    import swiftconv

    swiftconv.set_num_threads(threads)
    return lambda: swiftconv.correlate(images, window)


@peer("numpy loop")
def numpy_loop(images, window, threads):
    def run():
        total = 0
        for piece, weight in _taps(images, window):
            total += piece * weight
        return total

    return run


@peer("as_strided + einsum")
def as_strided_einsum(images, window, threads):
    shape = tuple(n - k + 1 for n, k in zip(images.shape[1:], window.shape))

    def run():
        view = np.lib.stride_tricks.as_strided(
            images, (len(images), *shape, *window.shape), images.strides + images.strides[1:]
        )
        return np.einsum("bijkl,kl->bij", view, window)

    return run


@peer("sliding_window_view + einsum")
def sliding_window_einsum(images, window, threads):
    def run():
        view = np.lib.stride_tricks.sliding_window_view(images, window.shape, axis=(1, 2))
        return np.einsum("bijkl,kl->bij", view, window, optimize=True)

    return run


@peer("sliding_window_view + tensordot")
def sliding_window_tensordot(images, window, threads):
    def run():
        view = np.lib.stride_tricks.sliding_window_view(images, window.shape, axis=(1, 2))
        return np.tensordot(view, window, axes=2)

    return run


@peer("scipy.signal loop")
def scipy_signal_loop(images, window, threads):
    from scipy import signal

    return lambda: np.stack([signal.correlate2d(image, window, mode="valid") for image in images])


@peer("scipy.ndimage")
def scipy_ndimage(images, window, threads):
    from scipy import ndimage

    # ndimage keeps the images' size; the valid part lies around the window's centre.
    inner = tuple(slice(k // 2, n - (k - 1) // 2) for n, k in zip(images.shape[1:], window.shape))
    return lambda: ndimage.correlate(images, window[None])[(slice(None), *inner)]


@peer("opencv")
def opencv(images, window, threads):
    import cv2

    if images.dtype not in (np.float32, np.float64):
        return None
    cv2.setNumThreads(threads)
    inner = tuple(slice(k // 2, n - (k - 1) // 2) for n, k in zip(images.shape[1:], window.shape))
    return lambda: np.stack([cv2.filter2D(np.ascontiguousarray(image), -1, window)[inner] for image in images])


@peer("numba")
def numba(images, window, threads):
    import numba

    if "numba" not in _COMPILED:
        _COMPILED["numba"] = _numba_kernel(numba)
    numba.set_num_threads(threads)
    return lambda: _COMPILED["numba"](images, window)


_COMPILED = {}


def _numba_kernel(numba):
    @numba.njit(parallel=True, fastmath=True)
    def correlate(images, window):
        count, height, width = images.shape
        rows, columns = height - window.shape[0] + 1, width - window.shape[1] + 1
        out = np.zeros((count, rows, columns), images.dtype)
        for b in numba.prange(count):
            for i in range(rows):
                for k in range(window.shape[0]):
                    for m in range(window.shape[1]):
                        for j in range(columns):
                            out[b, i, j] += images[b, i + k, j + m] * window[k, m]
        return out

    return correlate


@peer("torch")
def torch(images, window, threads):
    import torch

    if images.dtype not in (np.float32, np.float64):
        return None
    torch.set_num_threads(threads)

    def run():
        result = torch.nn.functional.conv2d(torch.from_numpy(images)[:, None], torch.from_numpy(window)[None, None])
        return result[:, 0].numpy()

    return run


@peer("onnxruntime")
def onnxruntime(images, window, threads):
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    if images.dtype != np.float32:
        return None
    # The batch as channels of one image, each with its own copy of the filter: several times faster there than a batch
    # of one-channel images.
    count = len(images)
    source = np.ascontiguousarray(images)
    result = np.empty((count, *(n - k + 1 for n, k in zip(images.shape[1:], window.shape))), np.float32)
    filters = np.ascontiguousarray(np.broadcast_to(window, (count, 1, *window.shape)))
    ends = [
        helper.make_tensor_value_info(x, TensorProto.FLOAT, (1, *y.shape)) for x, y in (("x", source), ("y", result))
    ]
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=window.shape, group=count)
    graph = helper.make_graph([node], "correlate", ends[:1], ends[1:], [numpy_helper.from_array(filters, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not slow the others
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    # Input and output bound once: without that its arena grows over the first calls, which then take seconds.
    binding = session.io_binding()
    binding.bind_cpu_input("x", source[None])
    binding.bind_output("y", "cpu", 0, np.float32, (1, *result.shape), result.ctypes.data)

    def run():
        if source is not images:
            np.copyto(source, images)
        session.run_with_iobinding(binding)
        return result

    return run
