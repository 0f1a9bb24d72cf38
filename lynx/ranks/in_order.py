"""Work on many items by all ranks, whose results come together as one rank's would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from lynx.ranks.place import here

Item = TypeVar("Item")
Done = TypeVar("Done")


def in_order(items: Sequence[Item], work: Callable[[Item], Done]) -> Iterator[tuple[Item, Done]]:
    """Each item with what `work` made of it, in the order of the items, on the first rank.

    The ranks take the items in turn, one each. On the others nothing comes out, but the iterator
    must be run to its end all the same. What is made of the results does not depend on the number
    of ranks, in any bit, because it sees them one after the other as a single process does.
    """
    ranks = here()
    for start in range(0, len(items), ranks.count):
        turn = items[start : start + ranks.count]
        own = work(turn[ranks.index]) if ranks.index < len(turn) else None
        # At the end of the items there may be fewer of them than ranks.
        for item, done in zip(turn, ranks.gather_first(own), strict=False):
            assert done is not None
            yield item, done
