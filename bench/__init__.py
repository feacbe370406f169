"""Measured figures. Nothing here asserts a time; results go to `bench/results/`."""
