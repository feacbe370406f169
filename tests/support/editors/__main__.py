"""`python -m tests.support.editors`: fetch every editor now."""

from tests.support.editors import prepare

prepare()
