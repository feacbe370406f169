"""How other suggestions are asked for at a place where one has been offered.

An editor shows the first suggestion as soon as it has it, so the first is never made to wait for
others. Only who asks again at the same place, which is what "show another" does in editors, gets
alternatives to what is known.
"""

TEMPERATURE = 0.8
"""The first suggestion is greedy, so others need some chance. Of 0.4, 0.6, 0.8 and 1.0, see
`bench/results/alternatives.md`."""

BUDGET_MS = 1500
"""Alternatives are asked for as long as this after the request came, in milliseconds."""
