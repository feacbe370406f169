"""Statistics of measurements."""

import math


def mean(values):
    if not values:
        raise ValueError("no values")
    return sum(values) / len(values)


def mean_or_zero(values):
    return sum(values) / len(values) if values else 0.0


def median(values):
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def variance(values):
    if len(values) < 2:
        return 0.0
    center = mean(values)
    return sum((value - center) ** 2 for value in values) / (len(values) - 1)


def percentile(values, share):
    """Return the value below which a share of the values lies, by the nearest rank."""
    if not 0 <= share <= 1:
        raise ValueError("share must be between 0 and 1")
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = math.ceil(share * len(ordered))
    return ordered[max(rank, 1) - 1]


def moving_average(values, width):
    if width < 1:
        raise ValueError("width must be positive")
    averages = []
    for start in range(len(values) - width + 1):
        window = values[start : start + width]
        averages.append(sum(window) / width)
    return averages


def differences(values):
    return [values[index + 1] - values[index] for index in range(len(values) - 1)]


def histogram(values, bins):
    if not values or bins < 1:
        raise ValueError("no values or no bins")
    low, high = min(values), max(values)
    width = (high - low) / bins
    counts = [0] * bins
    for value in values:
        if math.isclose(width, 0.0, abs_tol=1e-12):
            index = 0
        else:
            index = min(int((value - low) / width), bins - 1)
        counts[index] += 1
    return counts


def correlation(xs, ys):
    if len(xs) != len(ys):
        raise ValueError("the lists differ in length")
    mean_x, mean_y = mean(xs), mean(ys)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    spread_x = math.sqrt(sum((x - mean_x) ** 2 for x in xs))
    spread_y = math.sqrt(sum((y - mean_y) ** 2 for y in ys))
    if math.isclose(spread_x * spread_y, 0.0, abs_tol=1e-12):
        return 0.0
    return covariance / (spread_x * spread_y)


def is_normalised(weights):
    return math.isclose(sum(weights), 1.0)


def normalise(weights):
    total = sum(weights)
    if total == 0:
        return [0.0 for _ in weights]
    return [weight / total for weight in weights]


def argmax(values):
    if not values:
        raise ValueError("no values")
    best = 0
    for index in range(1, len(values)):
        if values[index] > values[best]:
            best = index
    return best


def running_total(values):
    total = 0
    totals = []
    for value in values:
        total += value
        totals.append(total)
    return totals


def outliers(values, limit=3.0):
    center, spread = mean(values), math.sqrt(variance(values))
    if spread < 1e-12:
        return []
    return [value for value in values if abs(value - center) / spread > limit]
