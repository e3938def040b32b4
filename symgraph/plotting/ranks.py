"""Layers of a layered drawing: which rank each vertex stands on, all edges pointing to a later rank.

First step of the method of K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system
structures" (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Edge: TypeAlias = tuple[int, int]


def acyclic(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """``edges`` with those that close a cycle turned round (a loop at one vertex stays as it is)."""
    successors: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        successors[source].append(target)
    order = [0] * count  # when a depth-first walk left the vertex
    state = [0] * count  # 0 not seen, 1 on the path, 2 done
    clock = 0
    for root in range(count):
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(successors[root]))]
        while path:
            vertex, rest = path[-1]
            child = next((c for c in rest if not state[c]), None)
            if child is None:
                path.pop()
                state[vertex] = 2
                order[vertex] = clock
                clock += 1
            else:
                state[child] = 1
                path.append((child, iter(successors[child])))
    return [(t, s) if order[t] > order[s] else (s, t) for s, t in edges]


def assign(count: int, edges: Sequence[Edge]) -> list[int]:
    """A rank for each vertex of an acyclic graph: edges point to later ranks, and are short in sum.

    Longest paths give a first answer; then vertices slide to the end of their slack where most of their edges are.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        if source != target:
            before[target].append(source)
            after[source].append(target)
    order = _topological(before, after)
    rank = [0] * count
    for vertex in order:
        rank[vertex] = max((rank[p] + 1 for p in before[vertex]), default=0)
    for _ in range(len(order)):
        moved = False
        for vertex in reversed(order):
            weight = len(after[vertex]) - len(before[vertex])
            if weight > 0:
                best = min(rank[s] for s in after[vertex]) - 1
            elif weight < 0:
                best = max(rank[p] for p in before[vertex]) + 1
            else:
                continue
            moved |= best != rank[vertex]
            rank[vertex] = best
        if not moved:
            break
    lowest = min(rank, default=0)
    return [r - lowest for r in rank]


def _topological(before: list[list[int]], after: list[list[int]]) -> list[int]:
    waiting = [len(b) for b in before]
    ready = [v for v, n in enumerate(waiting) if not n]
    for vertex in ready:  # grows while it is read
        for child in after[vertex]:
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    return ready
