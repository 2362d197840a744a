"""What is trained: fully connected and convolutional networks, one output and several; interpolation, the gauge, paths."""

from .convolutional import ConvolutionalNetwork, train_cnn
from .fully_connected import train
from .gauge import Gauge, gauge
from .interpolation import Interpolation, interpolate
from .path import beta_max, path
from .spike_free import train_spike_free, train_whitened

__all__ = [
    "ConvolutionalNetwork",
    "Gauge",
    "Interpolation",
    "beta_max",
    "gauge",
    "interpolate",
    "path",
    "train",
    "train_cnn",
    "train_spike_free",
    "train_whitened",
]
