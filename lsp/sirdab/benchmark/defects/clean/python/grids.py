"""Grids of numbers: pictures, boards and matrices."""

import math


class Grid:
    def __init__(self, width, height, fill=0):
        self.width = width
        self.height = height
        self.rows = [[fill] * width for _ in range(height)]

    def contains(self, x, y):
        return 0 <= x < self.width and 0 <= y < self.height

    def get(self, x, y, default=None):
        if not self.contains(x, y):
            return default
        return self.rows[y][x]

    def put(self, x, y, value):
        if not self.contains(x, y):
            raise IndexError((x, y))
        self.rows[y][x] = value

    def neighbours(self, x, y):
        found = []
        for dx, dy in ((0, -1), (1, 0), (0, 1), (-1, 0)):
            if self.contains(x + dx, y + dy):
                found.append((x + dx, y + dy))
        return found

    def column(self, x):
        return [self.rows[y][x] for y in range(self.height)]

    def flood(self, x, y, value):
        """Fill the area of equal cells around a cell; return how many there were."""
        old = self.get(x, y)
        if old is None or old == value:
            return 0
        stack = [(x, y)]
        count = 0
        while stack:
            x, y = stack.pop()
            if self.get(x, y) != old:
                continue
            self.put(x, y, value)
            count += 1
            stack.extend(self.neighbours(x, y))
        return count


def transpose(matrix):
    if not matrix:
        return []
    return [[row[index] for row in matrix] for index in range(len(matrix[0]))]


def multiply(first, second):
    if not first:
        return []
    if len(first[0]) != len(second):
        raise ValueError("the sizes do not fit")
    columns = transpose(second)
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) for column in columns]
        for row in first
    ]


def trace(matrix):
    total = 0
    for index in range(len(matrix)):
        total += matrix[index][index]
    return total


def is_symmetric(matrix):
    size = len(matrix)
    for row in range(size):
        for column in range(row + 1, size):
            if not math.isclose(matrix[row][column], matrix[column][row]):
                return False
    return True


def scale_to(width, height, limit):
    """Return a size with the same shape whose longer side is `limit`."""
    if width < 1 or height < 1:
        raise ValueError("a size must be positive")
    factor = limit / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def aspect(width, height):
    if height == 0:
        return 0.0
    return width / height


def brightness(pixels):
    if not pixels:
        return 0.0
    return sum(0.3 * red + 0.6 * green + 0.1 * blue for red, green, blue in pixels) / len(pixels)


def length(dx, dy):
    return math.sqrt(dx * dx + dy * dy)


def distance(ax, ay, bx, by):
    return length(bx - ax, by - ay)


def path_length(points):
    total = 0.0
    for index in range(len(points) - 1):
        total += distance(*points[index], *points[index + 1])
    return total


def area(points):
    """Return the area of a polygon by the shoelace formula."""
    total = 0.0
    for index in range(len(points)):
        ax, ay = points[index - 1]
        bx, by = points[index]
        total += ax * by - bx * ay
    return abs(total) / 2


def same_point(first, second):
    return abs(first[0] - second[0]) < 1e-9 and abs(first[1] - second[1]) < 1e-9


def rotate(rows, times=1):
    for _ in range(times % 4):
        rows = [list(row) for row in zip(*rows[::-1], strict=True)]
    return rows
