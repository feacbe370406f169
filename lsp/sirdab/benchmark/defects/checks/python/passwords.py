import hashlib
import hmac
import random
from datetime import datetime, timedelta, timezone

import passwords
from passwords import (
    Sessions,
    etag,
    hash_password,
    is_strong,
    new_token,
    one_time_code,
    open_signed,
    sign,
    temporary_password,
    token_digest,
    verify_password,
)
from support import raises

passwords.ROUNDS = 7
expected = hashlib.pbkdf2_hmac("sha256", b"pass", b"salt", 7).hex()
assert hash_password("pass", b"salt") == b"salt".hex() + "$" + expected
stored = hash_password("correct horse")
assert stored != hash_password("correct horse"), "each has a salt of its own"
assert len(stored.partition("$")[0]) == 32
assert verify_password("correct horse", stored) is True
assert verify_password("wrong horse", stored) is False
assert verify_password("x", "no separator") is False
assert verify_password("x", "zz$00") is False

assert is_strong("Abcdefghijk1")
assert not is_strong("Abcdefghij1")
assert not is_strong("abcdefghijk1")
assert not is_strong("ABCDEFGHIJK1")
assert not is_strong("Abcdefghijkl")


def twice(make):
    random.seed(7)
    first = make()
    random.seed(7)
    return first, make()


assert len(new_token()) == 32 and int(new_token(), 16) >= 0
assert len(set(twice(new_token))) == 2, "nobody can foretell it"
assert len(temporary_password()) == 12
assert len(temporary_password(8)) == 8
assert temporary_password().isalnum()
with raises(ValueError):
    temporary_password(7)
assert len(set(twice(temporary_password))) == 2
assert len(one_time_code()) == 6 and one_time_code().isdigit()
assert len(set(twice(lambda: tuple(one_time_code() for _ in range(4))))) == 2
assert len(set(twice(lambda: hash_password("x").partition("$")[0]))) == 2

key = b"k" * 32
assert sign("hello", key) == hmac.new(key, b"hello", hashlib.sha256).hexdigest()
assert token_digest("t") == hashlib.sha256(b"t").hexdigest()
assert etag(b"body") == "841a2d689ad86bd1611447453c22c6fc"
signed = f"a.b.{sign('a.b', key)}"
assert open_signed(signed, key) == "a.b"
assert open_signed(signed + "0", key) is None
assert open_signed(signed, b"other") is None
assert open_signed("nothing", key) is None
assert open_signed(sign("", key), key) is None

calls = []
real = hmac.compare_digest
hmac.compare_digest = lambda one, other: calls.append(1) or real(one, other)
verify_password("x", stored)
assert len(calls) == 1, "passwords are compared in a time that tells nothing"
open_signed(signed, key)
assert len(calls) == 2
hmac.compare_digest = real

# A server may be anywhere.
import os  # noqa: E402
import time  # noqa: E402

os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()
sessions = Sessions()
token = sessions.begin("ada")
assert token not in sessions._sessions, "only its digest is kept"
assert sessions.user_of(token) == "ada"
assert sessions.user_of("other") is None
other = sessions.begin("ada")
bob = sessions.begin("bob")
sessions.end_all("ada")
assert sessions.user_of(token) is None and sessions.user_of(other) is None
assert sessions.user_of(bob) == "bob"
(_, until) = sessions._sessions[token_digest(bob)]
assert timedelta(minutes=59) < until - datetime.now(timezone.utc) <= timedelta(hours=1)
sessions._sessions[token_digest(bob)] = ("bob", datetime.now(timezone.utc) - timedelta(seconds=1))
assert sessions.user_of(bob) is None
eve = sessions.begin("eve")
assert sessions.forget_expired() == 1
assert sessions.user_of(eve) == "eve"
assert sessions.forget_expired(datetime.now(timezone.utc) + timedelta(hours=2)) == 1


class Fixed(datetime):
    at = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)

    @classmethod
    def now(cls, tz=None):
        return cls.at if tz is not None else cls.at.replace(tzinfo=None)


# The last moment of a session is not part of it.
passwords.datetime = Fixed
sessions = Sessions()
token = sessions.begin("ada")
Fixed.at += timedelta(hours=1)
assert sessions.user_of(token) is None
assert sessions.forget_expired() == 1
