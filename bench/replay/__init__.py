"""Replays typing against Sirdab and two ways to do without it; see `bench.replay.__main__`."""
