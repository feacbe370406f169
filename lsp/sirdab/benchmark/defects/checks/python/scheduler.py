import scheduler
from scheduler import (
    Agenda,
    CycleError,
    Job,
    bind,
    delayed,
    order_of,
    reachable,
    run_all,
    shortest,
)
from support import Key, comparisons, raises


def nothing():
    pass


first, second = Job("a", nothing), Job("b", nothing)
first.require("x")
assert second.needs == [], "each has a list of its own"
first.require("x")
assert first.needs == ["x"]
given = ["y"]
assert Job("c", nothing, given).needs is given

jobs = [Job("c", nothing, ["b"]), Job("a", nothing), Job("b", nothing, ["a"]), Job("d", nothing)]
assert order_of(jobs) == ["a", "d", "b", "c"]
assert jobs[0].needs == ["b"], "the jobs are left as they are"
with raises(CycleError):
    order_of([Job("a", nothing, ["b"]), Job("b", nothing, ["a"]), Job("c", nothing)])
both = [Job("c", nothing, ["a", "b"]), Job("a", nothing), Job("b", nothing)]
assert order_of(both) == ["a", "b", "c"]

ran = []
reports = []


def job(name, needs=(), fails=False):
    def action():
        ran.append(name)
        if fails:
            raise RuntimeError(name)

    return Job(name, action, list(needs))


jobs = [job("a"), job("b", "a", fails=True), job("c", "b"), job("d", "c"), job("e", "a")]
assert run_all(jobs, lambda name, error: reports.append((name, str(error)))) == ["a", "e"]
assert ran == ["a", "b", "e"] and reports == [("b", "b")]
with raises(KeyboardInterrupt):

    def stop():
        raise KeyboardInterrupt

    run_all([Job("a", stop)], print)



def broken():
    raise RuntimeError


named = [Job(Key(number), broken) for number in range(150)]
assert comparisons(lambda: run_all(named, lambda *_: None)) < 2000, "no list is searched"

graph = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "x": ["a"]}
assert reachable(graph, "a") == {"a", "b", "c", "d"}
assert reachable({"a": ["b"], "b": ["a"]}, "a") == {"a", "b"}
keys = [Key(number) for number in range(150)]
wide = {keys[0]: keys[1:] * 2}
assert comparisons(lambda: reachable(wide, keys[0])) < 2000, "no list is searched"


class Deque(scheduler.deque):
    taken = 0

    def popleft(self):
        Deque.taken += 1
        return super().popleft()


scheduler.deque = Deque
reachable(graph, "a")
assert Deque.taken == 4, "what is in front of a queue is taken without moving the others"
order_of(both)
assert Deque.taken == 7

roads = {"a": [("b", 4), ("c", 1)], "c": [("b", 2), ("d", 9)], "b": [("d", 1)]}
assert shortest(roads, "a", "d") == 4
assert shortest(roads, "a", "a") == 0
assert shortest(roads, "d", "a") is None
assert shortest({"a": [("b", 5), ("b", 3)], "b": [("c", 1)]}, "a", "c") == 4


class Counted(dict):
    looked = 0

    def get(self, key, default=None):
        Counted.looked += 1
        return super().get(key, default)


shortest(Counted({"a": [("b", 5), ("b", 3)], "b": [("c", 9)]}), "a", "z")
assert Counted.looked == 3, "nothing is gone through twice"
Counted.looked = 0
shortest(Counted({"a": [("b", 1), ("c", 1)], "b": [("d", 1)], "c": [("d", 1)]}), "a", "z")
assert Counted.looked == 4

pressed = []
callbacks = bind(["x", "y"], pressed.append)
callbacks["x"]()
callbacks["y"]()
assert pressed == ["x", "y"]


class Task:
    def __init__(self, name):
        self.name = name

    def run(self):
        pressed.append(self.name)


later = []
delayed([Task(1), Task(2)], later.append)
for call in later:
    call()
assert pressed[2:] == [1, 2]

agenda = Agenda()
agenda.add(5, "late")
agenda.add(1, "second")
agenda.add(1, "third")
agenda.add(1, "first", priority=0)
agenda.add(2, "fourth", priority=None)
assert agenda.due(0) == []
assert agenda.due(2) == ["first", "second", "third", "fourth"]
assert agenda.batch(4, str) == []
assert agenda.batch(9, str, items=[]) == [], "no items are no reason to take those that are due"
assert agenda.batch(5, str.upper) == ["LATE"]
assert agenda.batch(9, len, items=["ab"]) == [2]
