"""Runs jobs in the order of their dependencies."""

import heapq
from collections import defaultdict, deque


class CycleError(Exception):
    """Jobs wait for each other."""


class Job:
    def __init__(self, name, action, needs=None):
        if needs is None:
            needs = []
        self.name = name
        self.action = action
        self.needs = needs

    def require(self, name):
        if name not in self.needs:
            self.needs.append(name)


def order_of(jobs):
    """Return the names of jobs so that each stands behind those it needs."""
    waiting = {job.name: set(job.needs) for job in jobs}
    needed_by = defaultdict(list)
    for name, needs in waiting.items():
        for need in needs:
            needed_by[need].append(name)
    ready = deque(name for name, needs in waiting.items() if not needs)
    order = []
    while ready:
        name = ready.popleft()
        order.append(name)
        for other in needed_by[name]:
            waiting[other].remove(name)
            if not waiting[other]:
                ready.append(other)
    if len(order) < len(waiting):
        raise CycleError("some jobs wait for each other")
    return order


def run_all(jobs, report):
    by_name = {job.name: job for job in jobs}
    failed = set()
    for name in order_of(jobs):
        job = by_name[name]
        if any(need in failed for need in job.needs):
            failed.add(name)
            continue
        try:
            job.action()
        except Exception as error:
            report(name, error)
            failed.add(name)
    return [name for name in by_name if name not in failed]


def reachable(graph, start):
    seen = {start}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for neighbour in graph.get(node, ()):
            if neighbour not in seen:
                seen.add(neighbour)
                queue.append(neighbour)
    return seen


def shortest(graph, start, goal):
    """Return the length of the shortest way, or None when there is none."""
    best = {start: 0}
    heap = [(0, start)]
    while heap:
        distance, node = heapq.heappop(heap)
        if node == goal:
            return distance
        if distance > best[node]:
            continue
        for neighbour, length in graph.get(node, ()):
            total = distance + length
            if neighbour not in best or total < best[neighbour]:
                best[neighbour] = total
                heapq.heappush(heap, (total, neighbour))
    return None


def bind(names, press):
    """Return one callback a name, for the buttons of a form."""
    callbacks = {}
    for name in names:
        callbacks[name] = lambda name=name: press(name)
    return callbacks


def delayed(tasks, later):
    for task in tasks:
        later(lambda task=task: task.run())


class Agenda:
    def __init__(self):
        self._heap = []
        self._count = 0

    def add(self, when, action, priority=None):
        priority = 5 if priority is None else priority
        # The count keeps the order of equal ones, and actions from being compared.
        heapq.heappush(self._heap, (when, priority, self._count, action))
        self._count += 1

    def due(self, now):
        actions = []
        while self._heap and self._heap[0][0] <= now:
            actions.append(heapq.heappop(self._heap)[-1])
        return actions

    def batch(self, now, action, items=None):
        items = items if items is not None else self.due(now)
        return [action(item) for item in items]
