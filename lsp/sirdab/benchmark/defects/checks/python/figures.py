import math

from figures import (
    argmax,
    correlation,
    differences,
    histogram,
    is_normalised,
    mean,
    mean_or_zero,
    median,
    moving_average,
    normalise,
    outliers,
    percentile,
    running_total,
    variance,
)
from support import raises


def near(one, other):
    return math.isclose(one, other, abs_tol=1e-9)


assert mean([1, 2, 4, 7]) == 3.5
assert mean_or_zero([1, 2]) == 1.5 and mean_or_zero([]) == 0.0
for figure in (mean, median, argmax):
    with raises(ValueError):
        figure([])
assert median([5, 1, 3]) == 3
assert median([4, 1, 2, 8]) == 3.0
assert median([1, 2]) == 1.5
assert near(variance([1, 2, 3, 4]), 5 / 3)
assert variance([3]) == 0.0 and variance([]) == 0.0
assert variance([1, 2]) == 0.5
values = [50, 10, 40, 20, 30]
assert percentile(values, 0) == 10
assert percentile(values, 0.2) == 10
assert percentile(values, 0.5) == 30
assert percentile(values, 0.9) == 50
assert percentile(values, 1) == 50
for wrong in (-0.1, 1.1):
    with raises(ValueError):
        percentile(values, wrong)
with raises(ValueError):
    percentile([], 0.5)
assert moving_average([1, 2, 3, 4], 2) == [1.5, 2.5, 3.5]
assert moving_average([1, 2], 1) == [1, 2]
assert moving_average([1], 2) == []
with raises(ValueError):
    moving_average([1], 0)
assert differences([1, 4, 9]) == [3, 5] and differences([1]) == []
assert histogram([0, 1, 2, 3, 4], 2) == [2, 3]
assert histogram([0, 9, 10], 10) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
assert histogram([0.1 + 0.2, 0.3], 2) == [2, 0], "as good as equal"
assert histogram([2, 2], 3) == [2, 0, 0]
assert histogram([1.0, 1.25, 1.75, 2.0], 2) == [2, 2]
for wrong in (([], 2), ([1], 0)):
    with raises(ValueError):
        histogram(*wrong)
assert near(correlation([1, 2, 3], [2, 4, 6]), 1.0)
assert near(correlation([1, 2, 3], [3, 2, 1]), -1.0)
assert near(correlation([1, 2, 3, 5], [2, 1, 4, 3]), 3.5 / 43.75**0.5)
assert correlation([1, 1], [1, 2]) == 0.0
assert correlation([0.1 + 0.2, 0.3, 0.3], [1, 2, 4]) == 0.0, "as good as constant"
with raises(ValueError):
    correlation([1, 2], [1])
assert is_normalised([0.1] * 10) and not is_normalised([0.5, 0.4])
assert normalise([1, 3]) == [0.25, 0.75] and normalise([0, 0]) == [0.0, 0.0]
assert argmax([1, 5, 5, 2]) == 1 and argmax([9, 1]) == 0 and argmax([1, 9]) == 1
assert argmax([1, 2, 3]) == 2
assert running_total([1, 2, 3]) == [1, 3, 6]
assert outliers([10] * 20 + [100]) == [100]
assert outliers([5, 5, 5]) == [] and outliers([1, 2, 3]) == []
assert outliers([0, 1, 2, 3, 10], limit=1.5) == [10]
assert outliers([-10, 0, 1, 2, 3], limit=1.5) == [-10]
