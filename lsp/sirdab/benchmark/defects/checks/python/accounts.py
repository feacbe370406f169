import sqlite3

import accounts
from accounts import InsufficientFunds, Ledger, User, UserRepository, count_users, prepare
from support import raises


def fresh(factory=sqlite3.Connection):
    connection = sqlite3.connect(":memory:", factory=factory)
    prepare(connection)
    return connection


class Counting(sqlite3.Connection):
    queries = 0
    closed = 0

    def execute(self, *arguments):
        Counting.queries += 1
        return super().execute(*arguments)

    def close(self):
        Counting.closed += 1
        super().close()


users = UserRepository(fresh())
ada = users.add("  Ada ", "ADA@Example.com")
assert users.find_by_email("ada@example.com") == User(ada, "Ada", "ada@example.com")
assert users.find_by_email("nobody@example.com") is None
assert users.find_by_email("' OR '1'='1") is None
# A quote in a name is a letter like any other.
quoted = users.add("O'Hara", "o'hara@example.com")
assert users.find_by_email("o'hara@example.com").name == "O'Hara"
assert users.rename(quoted, "O'Neill") is True
assert users.rename(99, "Nobody") is False
assert users.find_by_email("o'hara@example.com").name == "O'Neill"
assert [user.id for user in users.named("O'N")] == [quoted]
assert users.named("x' OR 1=1 --") == []
assert [user.name for user in users.named("", "name")] == ["Ada", "O'Neill"]
with raises(ValueError):
    users.named("", "id; DROP TABLE users")

connection = fresh(Counting)
users = UserRepository(connection)
for owner, total in ((1, 5), (1, 7), (2, 11)):
    connection.execute("INSERT INTO orders (user_id, total) VALUES (?, ?)", (owner, total))
assert users.totals([1, 2, 3]) == {1: 12, 2: 11, 3: 0}
before = Counting.queries
assert users.totals([]) == {}
assert Counting.queries == before
users.totals(list(range(50)))
assert Counting.queries - before == 1, "one query for all"
before = Counting.queries
assert users.import_all([(f" n{i}", f"N{i}@x.org") for i in range(40)]) == 40
assert Counting.queries - before <= 1, "one statement for all"
assert users.find_by_email("n39@x.org").name == "n39"


class Broken(sqlite3.Connection):
    broken = False
    rolled = 0

    def execute(self, query, *arguments):
        if Broken.broken and query.startswith("UPDATE"):
            raise sqlite3.OperationalError("disk")
        return super().execute(query, *arguments)

    def rollback(self):
        Broken.rolled += 1
        super().rollback()


connection = fresh(Broken)
for number, cents in ((1, 100), (2, 10)):
    connection.execute("INSERT INTO accounts (id, owner, cents) VALUES (?, 1, ?)", (number, cents))
ledger = Ledger(connection)
assert ledger.balance(1) == 100
with raises(KeyError):
    ledger.balance(9)
with raises(KeyError):
    ledger.balance("1' OR '1'='1")
ledger.transfer(1, 2, 100)
assert (ledger.balance(1), ledger.balance(2)) == (0, 110)
with raises(InsufficientFunds):
    ledger.transfer(1, 2, 1)
for wrong in ((1, 1, 5), (1, 2, 0), (1, 2, -1)):
    with raises(ValueError):
        ledger.transfer(*wrong)
ledger.transfer(2, 1, 110)
Broken.broken = True
with raises(sqlite3.Error):
    ledger.transfer(1, 2, 5)
assert Broken.rolled == 1


class Spy:
    """Sees the text of each statement, which must not hold a value."""

    def __init__(self):
        self.texts = []

    def execute(self, query, arguments=()):
        self.texts.append(query)
        return self

    def fetchone(self):
        return (10**6,)


spy = Spy()
Ledger(spy)._move(31, 32, 77)
assert all("31" not in text and "77" not in text for text in spy.texts)

path = "shop.db"
connection = sqlite3.connect(path)
prepare(connection)
UserRepository(connection).add("Ada", "ada@example.com")
connection.close()
opened = sqlite3.connect
accounts.sqlite3.connect = lambda name: opened(name, factory=Counting)
before = Counting.closed
assert count_users(path) == 1
assert Counting.closed == before + 1, "the connection is closed"
