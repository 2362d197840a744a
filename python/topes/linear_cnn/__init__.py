"""Linear convolutional networks, (15)-(20): no arrangement; a nuclear norm, or an l1 norm in the Fourier basis."""

from .network import LinearConvolutionalNetwork
from .solution import LinearSolution
from .training import train_linear_cnn

__all__ = ["LinearConvolutionalNetwork", "LinearSolution", "train_linear_cnn"]
