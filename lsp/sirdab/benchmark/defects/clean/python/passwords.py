"""Passwords, sessions and one-time codes."""

import hashlib
import hmac
import secrets
import string
from datetime import datetime, timedelta, timezone

ROUNDS = 600_000
ALPHABET = string.ascii_letters + string.digits
LIFETIME = timedelta(hours=1)


def hash_password(password, salt=None):
    if salt is None:
        salt = secrets.token_bytes(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    return salt.hex() + "$" + digest.hex()


def verify_password(password, stored):
    salt, separator, expected = stored.partition("$")
    if not separator:
        return False
    try:
        known = bytes.fromhex(salt)
    except ValueError:
        return False
    actual = hash_password(password, known).partition("$")[2]
    return hmac.compare_digest(actual, expected)


def is_strong(password):
    if len(password) < 12:
        return False
    kinds = (str.islower, str.isupper, str.isdigit)
    return all(any(kind(char) for char in password) for kind in kinds)


def new_token():
    return secrets.token_hex(16)


def temporary_password(length=12):
    if length < 8:
        raise ValueError("a password needs 8 characters")
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def one_time_code():
    return f"{secrets.randbelow(1_000_000):06d}"


def sign(message, key):
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


def token_digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def etag(body):
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def open_signed(text, key):
    """Return the message of a signed text, or None when somebody has changed it."""
    message, separator, signature = text.rpartition(".")
    if not separator or not hmac.compare_digest(sign(message, key), signature):
        return None
    return message


class Sessions:
    def __init__(self):
        self._sessions = {}

    def begin(self, user):
        token = new_token()
        self._sessions[token_digest(token)] = (user, datetime.now(timezone.utc) + LIFETIME)
        return token

    def user_of(self, token):
        entry = self._sessions.get(token_digest(token))
        if entry is None:
            return None
        user, until = entry
        if until <= datetime.now(timezone.utc):
            return None
        return user

    def end_all(self, user):
        for token, (owner, _) in list(self._sessions.items()):
            if owner == user:
                del self._sessions[token]

    def forget_expired(self, now=None):
        now = now if now is not None else datetime.now(timezone.utc)
        expired = [token for token, (_, until) in self._sessions.items() if until <= now]
        for token in expired:
            del self._sessions[token]
        return len(expired)
