"""Accounts of a small shop, kept in SQLite."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE)",
    "CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, owner INTEGER, cents INTEGER)",
    "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER)",
)
SORTABLE = ("id", "name", "email")


class InsufficientFunds(Exception):
    """An account has less money than was asked for."""


@dataclass(frozen=True)
class User:
    id: int
    name: str
    email: str


def prepare(connection):
    for statement in SCHEMA:
        connection.execute(statement)
    connection.commit()


def count_users(path):
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT COUNT(*) FROM users").fetchone()
    return row[0]


class UserRepository:
    def __init__(self, connection):
        self._connection = connection

    def add(self, name, email):
        name = name.strip()
        email = email.lower()
        cursor = self._connection.execute(
            "INSERT INTO users (name, email) VALUES (?, ?)", (name, email)
        )
        self._connection.commit()
        return cursor.lastrowid

    def find_by_email(self, email):
        row = self._connection.execute(
            "SELECT id, name, email FROM users WHERE email = ?", (email,)
        ).fetchone()
        if row is None:
            return None
        return User(row[0], row[1], row[2])

    def named(self, name, order="id"):
        if order not in SORTABLE:
            raise ValueError(f"cannot sort by {order}")
        # A column cannot be a parameter; it is one of the constants above.
        rows = self._connection.execute(
            f"SELECT id, name, email FROM users WHERE name LIKE ? ORDER BY {order}", (name + "%",)
        )
        return [User(*row) for row in rows]

    def rename(self, user_id, name):
        cursor = self._connection.execute(
            "UPDATE users SET name = ? WHERE id = ?", (name, user_id)
        )
        self._connection.commit()
        return cursor.rowcount == 1

    def totals(self, user_ids):
        """Return what each user has ordered for, in cents."""
        totals = dict.fromkeys(user_ids, 0)
        if not totals:
            return totals
        marks = ", ".join("?" for _ in totals)
        rows = self._connection.execute(
            f"SELECT user_id, SUM(total) FROM orders WHERE user_id IN ({marks}) GROUP BY user_id",
            tuple(totals),
        )
        for user_id, total in rows:
            totals[user_id] = total
        return totals

    def import_all(self, people):
        rows = [(name.strip(), email.lower()) for name, email in people]
        self._connection.executemany("INSERT INTO users (name, email) VALUES (?, ?)", rows)
        self._connection.commit()
        return len(rows)


class Ledger:
    def __init__(self, connection):
        self._connection = connection

    def balance(self, account):
        row = self._connection.execute(
            "SELECT cents FROM accounts WHERE id = ?", (account,)
        ).fetchone()
        if row is None:
            raise KeyError(account)
        return row[0]

    def transfer(self, source, target, cents):
        if cents <= 0 or source == target:
            raise ValueError("nothing to transfer")
        try:
            self._move(source, target, cents)
        except sqlite3.Error:
            self._connection.rollback()
            raise
        self._connection.commit()

    def _move(self, source, target, cents):
        if self.balance(source) < cents:
            raise InsufficientFunds(source)
        change = "UPDATE accounts SET cents = cents + ? WHERE id = ?"
        self._connection.execute(change, (-cents, source))
        self._connection.execute(change, (cents, target))
