"""What broke others: each one is a clean error that names the argument, or the right value. Nothing dies of it."""

import numpy as np
import pytest
from swiftconv import nn
from test_conv import W, X

HUGE = 2**62
ANY_CLEAN_ERROR = (ValueError, TypeError, OverflowError, MemoryError)
T = np.ones((4, 3, 2, 3))  # of a transposed convolution of X


def constant(shape, dtype=np.float32):
    """An array of ones of any shape that NumPy can name, in one element of memory."""
    return np.broadcast_to(np.ones((), dtype), shape)


class Sparse:
    nnz = 3

    def toarray(self):
        raise AssertionError("nobody asked for the whole of it")


@pytest.mark.parametrize("operands, options, error, words", [
    # steps and groups that divided by zero elsewhere
    ((X, W), {"stride": 0}, ValueError, ["stride[0]=0"]), ((X, W), {"stride": (1, -1)}, ValueError, ["stride[1]=-1"]),
    ((X, W), {"stride": 0, "padding": "same"}, ValueError, ["stride[0]=0"]),
    ((X, W), {"dilation": 0}, ValueError, ["dilation[0]=0"]), ((X, W), {"dilation": (1, -HUGE)}, ValueError, ["dilation[1]"]),
    ((X, W), {"groups": 0}, ValueError, ["groups=0"]), ((X, W), {"groups": -1}, ValueError, ["groups=-1"]),
    ((X, W), {"stride": 2**63}, OverflowError, ["stride"]), ((X, W), {"groups": 2**70}, OverflowError, ["groups"]),
    ((X, W), {"groups": HUGE}, ValueError, ["groups", "4"]),
    # groups that do not divide
    ((X, W), {"groups": 3}, ValueError, ["groups=3 does not divide input's 4 channels"]),
    ((X, W[:, :2]), {"groups": 2}, ValueError, ["groups=2 does not divide weight's 3 output channels"]),
    ((X, W), {"groups": 2}, ValueError, ["weight has 4 input channels", "input has 4 channels with groups=2: expected 2"]),
    # operands that disagree
    ((X, W[:, :3]), {}, ValueError, ["weight has 3 input channels, input has 4 channels with groups=1: expected 4"]),
    ((X[0, 0], W), {}, ValueError, ["input.ndim=2", "4 (NCHW)", "3 (CHW"]), ((X[None], W), {}, ValueError, ["input.ndim=5"]),
    ((X, W[0]), {}, ValueError, ["weight.ndim=3", "4 (OIHW)"]), ((X, 3.0), {}, ValueError, ["weight.ndim=0"]),
    ((3.0, W), {}, ValueError, ["input.ndim=0"]), ((X, W[None]), {}, ValueError, ["weight.ndim=5"]),
    ((X, W[None]), {"per_sample": True}, ValueError, ["weight has 1 samples: expected 2"]),
    ((X, W), {"per_sample": True}, ValueError, ["weight.ndim=4", "5 (NOIHW)"]),
    ((X, np.stack([W, W])), {"per_sample": True, "bias": np.ones((1, 3))}, ValueError, ["bias", "(1, 3)", "(2, 3)"]),
    ((X, W), {"bias": np.ones(4)}, ValueError, ["bias", "(4,)", "(3,)"]), ((X, W), {"bias": np.ones(1)}, ValueError, ["bias", "(1,)"]),
    ((X, W), {"bias": 1.0}, ValueError, ["bias", "()"]), ((X, W), {"bias": np.ones((3, 1))}, ValueError, ["bias", "(3, 1)"]),
    ((X, W), {"bias": np.ones((2, 3))}, ValueError, ["bias"]), ((X, W), {"bias": "abc"}, TypeError, ["bias"]),
    # zero in any extent but the batch's
    ((X[:, :0], W[:, :0]), {}, ValueError, ["0"]), ((X, W[:0]), {}, ValueError, ["weight has 0 output channels"]),
    ((X[:, :, :0], W), {}, ValueError, ["input has 0", "spatial axis 0"]),
    ((X[:, :, :0], W), {"padding": 5}, ValueError, ["input has 0"]),
    ((X, W[..., :0]), {}, ValueError, ["weight has 0", "spatial axis 1"]), ((X, W[..., :0]), {"padding": "same"}, ValueError, ["weight has 0"]),
    # a filter larger than what it slides over
    ((X, np.ones((3, 4, 7, 1))), {}, ValueError, ["weight of dilated extent 7 along spatial axis 0 exceeds the padded input's 6"]),
    ((X, W), {"dilation": (1, 3)}, ValueError, ["dilated extent 7 along spatial axis 1", "5"]),
    ((X, np.ones((3, 4, 9, 1))), {"padding": 1}, ValueError, ["9", "8"]),
    # padding
    ((X, W), {"padding": -1}, ValueError, ["padding=-1"]), ((X, W), {"padding": ((0, 0), (0, -2))}, ValueError, ["padding", "-2"]),
    ((X, W), {"padding": "full"}, ValueError, ["padding='full'", "'same'"]), ((X, W), {"padding": "SAME"}, ValueError, ["padding='SAME'"]),
    ((X, W), {"padding": (1, 1, 1)}, ValueError, ["padding=(1, 1, 1)", "2"]), ((X, W), {"padding": ((1, 1),)}, ValueError, ["padding"]),
    ((X, W), {"padding": ((1, 1, 1), (0, 0))}, ValueError, ["padding[0]"]), ((X, W), {"padding": ()}, ValueError, ["padding=()"]),
    ((X, W), {"padding": None}, TypeError, ["padding=None"]), ((X, W), {"padding": ((1, 1), (0, 0.5))}, TypeError, ["padding[1][1]=0.5"]),
    ((X, W), {"padding": 6, "padding_mode": "reflect"}, ValueError, ["padding of 6 along spatial axis 0", "'reflect'", "5"]),
    ((X, W), {"padding": (0, 6), "padding_mode": "circular"}, ValueError, ["padding of 6 along spatial axis 1", "'circular'", "5"]),
    ((X, W), {"padding_mode": "mirror"}, ValueError, ["padding_mode='mirror'", "'reflect'"]), ((X, W), {"padding_mode": 1}, TypeError, ["padding_mode=1"]),
    # lists of the wrong length or of the wrong things
    ((X, W), {"stride": ()}, ValueError, ["stride=()", "2"]), ((X, W), {"stride": [1] * 63}, ValueError, ["stride", "63"]),
    ((X, W), {"dilation": [None, None]}, TypeError, ["dilation[0]=None"]), ((X, W), {"stride": float("nan")}, TypeError, ["stride=nan"]),
    ((X, W), {"stride": "12"}, TypeError, ["stride='12'"]), ((X, W), {"groups": None}, TypeError, ["groups=None"]),
    ((X, W), {"threads": 0}, ValueError, ["threads=0"]), ((X, W), {"threads": 1.5}, TypeError, ["threads=1.5"]),
    ((X, W), {"method": "best"}, ValueError, ["method='best'", "'winograd'"]), ((X, W), {"per_sample": None}, TypeError, ["per_sample=None"]),
    # layouts
    ((X, W), {"layout": ""}, ValueError, ["layout=''"]), ((X, W), {"layout": "NCHHW"}, ValueError, ["NCHHW"]),
    ((X, W), {"layout": "NCL"}, ValueError, ["'NCL'", "2"]), ((X, W), {"layout": "NHW"}, ValueError, ["'NHW'", "C"]),
    ((X, W), {"layout": "NCHW,OIHX->NCHW"}, ValueError, ["'NCHW'", "'HX'"]), ((X, W), {"layout": "NCHW,OHW->NCHW"}, ValueError, ["O and I"]),
    ((X, W), {"layout": "NCHW,OIHW->CHW"}, ValueError, ["N"]), ((X, W), {"layout": "NCHW,NOIHW->NCHW"}, ValueError, ["per_sample=True"]),
    ((X, np.stack([W, W])), {"layout": "NCHW,OIHW->NCHW", "per_sample": True}, ValueError, ["per_sample=True"]),
    ((X, W), {"layout": "N2HW"}, ValueError, ["N2HW"]), ((X, W), {"layout": ("NCHW", "OIHW")}, TypeError, ["layout="]),
    ((X, W), {"layout": "CHW"}, ValueError, ["input.ndim=4", "3"]), ((X, W), {"layout": "NHWC->NCHW"}, ValueError, ["layout"]),
    # masked, sparse, and other arrays that are none
    ((np.ma.array(X), W), {}, TypeError, ["input", "mask"]), ((X, np.ma.array(W)), {}, TypeError, ["weight", "mask"]),
    ((X, W), {"bias": np.ma.ones(3)}, TypeError, ["bias", "mask"]), ((Sparse(), W), {}, TypeError, ["input", "sparse"]),
    (("images", W), {}, TypeError, ["input"]), ((None, W), {}, TypeError, ["input"]), (([[1], [2, 3]], W), {}, TypeError, ["input"]),
    # out
    ((X, W), {"out": np.zeros((2, 3, 5, 4))}, ValueError, ["out", "(2, 3, 5, 4)", "(2, 3, 5, 3)"]),
    ((X, W), {"out": np.zeros((3, 5, 3))}, ValueError, ["out"]), ((X, W), {"out": constant((2, 3, 5, 3), float)}, ValueError, ["read-only"]),
    ((X, W), {"out": np.ma.zeros((2, 3, 5, 3))}, TypeError, ["out", "mask"]), ((X, W), {"out": np.zeros((2, 3, 5, 3), "M8[s]")}, TypeError, ["out"]),
    # arithmetic that passes 2**63, memory that cannot be had
    ((X, W), {"padding": HUGE}, ANY_CLEAN_ERROR, []), ((X, W), {"padding": 2**64}, ANY_CLEAN_ERROR, []),
    ((X, W), {"padding": 2**50}, MemoryError, []), ((X, W), {"padding": HUGE, "padding_mode": "replicate"}, ANY_CLEAN_ERROR, []),
    ((X, W), {"dilation": HUGE, "padding": HUGE}, ANY_CLEAN_ERROR, []), ((X, W), {"dilation": HUGE, "padding": "same"}, ANY_CLEAN_ERROR, []),
    ((X, W), {"dilation": 2**63 - 1}, ANY_CLEAN_ERROR, []), ((X, W), {"stride": HUGE, "dilation": HUGE}, ANY_CLEAN_ERROR, []),
    ((constant((2**50, 4, 6, 5)), W), {}, MemoryError, []), ((constant((1, 4, 2**30, 2**29), np.uint8), W), {}, MemoryError, []),
    ((constant((1, 4, 2**57, 1)), W[..., :1]), {"dilation": 2**40, "padding": 2**59}, ANY_CLEAN_ERROR, []),
    ((constant((2, 2**55, 1, 1)), constant((3, 2**55, 2, 3))), {}, ValueError, []),
], ids=lambda value: str(value)[:60] if isinstance(value, dict) else "")  # fmt: skip
def test_conv(operands, options, error, words):
    with pytest.raises(error) as caught:
        nn.conv2d(*operands, **options)
    assert str(caught.value), "an exception without a message"
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize("operands, options, error, words", [
    ((X, T), {"stride": 0}, ValueError, ["stride[0]=0"]), ((X, T), {"dilation": (1, 0)}, ValueError, ["dilation[1]=0"]),
    ((X, T), {"groups": 0}, ValueError, ["groups=0"]), ((X, T), {"groups": 3}, ValueError, ["groups=3 does not divide input's 4 channels"]),
    ((X, T[:3]), {}, ValueError, ["weight has 3 input channels, input has 4 channels: expected 4"]),
    ((X, T), {"bias": np.ones(4)}, ValueError, ["bias", "(4,)", "(3,)"]), ((X, T), {"groups": 2, "bias": np.ones(3)}, ValueError, ["bias", "(6,)"]),
    ((X, T), {"output_padding": 1}, ValueError, ["output_padding[0]=1", "0"]),
    ((X, T), {"output_padding": 2, "stride": 2}, ValueError, ["output_padding[0]=2", "1"]),
    ((X, T), {"output_padding": (0, -1), "stride": 2}, ValueError, ["output_padding[1]=-1"]),
    ((X, T), {"output_padding": 1.0, "stride": 2}, TypeError, ["output_padding=1.0"]),
    ((X, T), {"padding": 4}, ValueError, ["padding"]), ((X, T), {"padding": HUGE}, ANY_CLEAN_ERROR, ["padding"]),
    ((X, T), {"padding": "same"}, ValueError, ["padding='same'"]), ((X, T), {"padding": -1}, ValueError, ["padding=-1"]),
    ((X, T), {"padding_mode": "reflect"}, TypeError, ["padding_mode"]),
    ((X[:, :0], T[:0]), {}, ValueError, ["0"]), ((X[:, :, :0], T), {}, ValueError, ["input has 0"]),
    ((X, T[:, :0]), {}, ValueError, ["weight has 0 output channels"]), ((X, T[..., :0]), {}, ValueError, ["weight has 0"]),
    ((X[0, 0], T), {}, ValueError, ["input.ndim=2"]), ((X, T[0]), {}, ValueError, ["weight.ndim=3", "4 (IOHW)"]),
    ((X, T), {"stride": HUGE}, ANY_CLEAN_ERROR, []), ((X, T), {"stride": 2**40}, MemoryError, []),
    ((X, T), {"dilation": HUGE}, ANY_CLEAN_ERROR, []), ((X, T), {"stride": 2**63}, OverflowError, ["stride"]),
    ((X, T), {"out": np.zeros((2, 3, 7, 8))}, ValueError, ["out", "(2, 3, 7, 7)"]), ((np.ma.array(X), T), {}, TypeError, ["mask"]),
    ((X, T), {"activation": "tanh"}, ValueError, ["activation='tanh'"]), ((X, T), {"layout": "NCHW,OIHX"}, ValueError, ["layout"]),
], ids=lambda value: str(value)[:60] if isinstance(value, dict) else "")  # fmt: skip
def test_conv_transpose(operands, options, error, words):
    with pytest.raises(error) as caught:
        nn.conv_transpose2d(*operands, **options)
    assert str(caught.value), "an exception without a message"
    for word in words:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize("options", [
    {"stride": 0}, {"groups": 3}, {"padding": -1}, {"bias": np.ones(5)}, {"activation": "no"}, {"method": "no"},
    {"method": "winograd"}, {"threads": 0}, {"dtype": "U3"}, {"dtype": int}, {"layout": "no"}, {"dilation": 9},
], ids=str)  # fmt: skip
def test_out_is_untouched_by_a_failing_call(options):
    out = np.full((2, 3, 5, 3), 7.0)
    try:
        nn.conv2d(X, W, out=out, **options)
    except (ValueError, TypeError):
        assert (out == 7.0).all()
    else:
        assert options == {"method": "winograd"}  # a core that has it


def test_odd_strides_of_axes_of_extent_one(rng):
    x, w = rng.standard_normal((1, 3, 1, 6)), rng.standard_normal((2, 3, 1, 3))
    expected = nn.conv2d(x, w)
    strides = (10**12 + 1, 48, -(10**10) - 3, 8)
    np.testing.assert_array_equal(nn.conv2d(np.lib.stride_tricks.as_strided(x, x.shape, strides), w), expected)


def test_windows_that_share_memory(rng):
    """A view of overlapping patches as the batch: nothing is copied, and it is right."""
    x = rng.integers(-5, 6, (3, 20, 9))
    patches = np.lib.stride_tricks.sliding_window_view(x, 6, axis=1).transpose(1, 0, 3, 2)
    w = rng.integers(-5, 6, (2, 3, 3, 3))
    np.testing.assert_array_equal(nn.conv2d(patches, w), nn.conv2d(patches.copy(), w))


def test_a_batch_of_nothing_but_one_broadcast_sample(rng):
    x = rng.integers(-5, 6, (1, 4, 6, 5))
    many = nn.conv2d(np.broadcast_to(x, (100, 4, 6, 5)), W.astype(int))
    assert (many == nn.conv2d(x, W.astype(int))).all()
