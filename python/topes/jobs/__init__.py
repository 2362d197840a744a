"""Long walks in shares: over any executor of `concurrent.futures`, and with checkpoints. See `docs/jobs.md`.

The face is `Arrangement.count`, `Arrangement.save_patterns` and `solid_angle_summary`, which take `executor` and
`checkpoint` or `resume`; what they write is read by `open_patterns`.
"""

from .angles import summarise_in_shares
from .count import count_in_shares
from .patterns import save_in_shares
from .reading import Patterns, open_patterns

__all__ = ["Patterns", "count_in_shares", "open_patterns", "save_in_shares", "summarise_in_shares"]
