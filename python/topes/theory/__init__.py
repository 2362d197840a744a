"""What can be said about a problem without solving it: its data, its stationary points."""

from .spike_free import NotSpikeFree, SpikeFree, spike_free

__all__ = ["NotSpikeFree", "SpikeFree", "spike_free"]
