import math

from grids import (
    Grid,
    area,
    aspect,
    brightness,
    distance,
    is_symmetric,
    length,
    multiply,
    path_length,
    rotate,
    same_point,
    scale_to,
    trace,
    transpose,
)
from support import raises

grid = Grid(3, 2)
assert grid.rows == [[0, 0, 0], [0, 0, 0]]
grid.put(2, 1, 7)
assert grid.rows == [[0, 0, 0], [0, 0, 7]], "rows are no copies of each other"
assert grid.get(2, 1) == 7 and grid.get(3, 1) is None and grid.get(0, 2, 5) == 5
assert grid.get(-1, 0) is None and grid.get(0, -1) is None
assert [grid.contains(x, 0) for x in (-1, 0, 2, 3)] == [False, True, True, False]
assert [grid.contains(0, y) for y in (-1, 0, 1, 2)] == [False, True, True, False]
for wrong in ((3, 0), (0, 2), (-1, 0)):
    with raises(IndexError):
        grid.put(*wrong, 1)
assert grid.neighbours(0, 0) == [(1, 0), (0, 1)]
assert grid.neighbours(1, 1) == [(1, 0), (2, 1), (0, 1)]
assert grid.column(2) == [0, 7] and Grid(1, 3, fill=4).column(0) == [4, 4, 4]
assert grid.flood(0, 0, 1) == 5 and grid.rows == [[1, 1, 1], [1, 1, 7]]
assert grid.flood(0, 0, 1) == 0 and grid.flood(9, 9, 1) == 0 and grid.flood(2, 1, 3) == 1
assert Grid(5, 1).flood(0, 0, 1) == 5 and Grid(1, 5).flood(0, 0, 1) == 5
assert transpose([[1, 2], [3, 4], [5, 6]]) == [[1, 3, 5], [2, 4, 6]] and transpose([]) == []
assert multiply([[1, 2]], [[3], [4]]) == [[11]] and multiply([], [[1]]) == []
assert multiply([[1, 2], [3, 4]], [[1, 0], [2, 1]]) == [[5, 2], [11, 4]]
try:
    multiply([[1, 2]], [[1, 2]])
except ValueError as error:
    assert "sizes" in str(error)
else:
    raise AssertionError
assert trace([[1, 2], [3, 4]]) == 5 and trace([]) == 0
assert is_symmetric([[1, 2], [2, 1]]) and not is_symmetric([[1, 2], [3, 1]])
assert is_symmetric([[1, 0.1 + 0.2], [0.3, 1]]), "rounding is no difference"
assert not is_symmetric([[1, 2, 3], [2, 1, 4], [3, 5, 1]])
assert scale_to(200, 100, 50) == (50, 25) and scale_to(10, 40, 20) == (5, 20)
assert scale_to(1000, 1, 100) == (100, 1) and scale_to(10, 10, 15) == (15, 15)
assert scale_to(1, 1, 2) == (2, 2)
for wrong in ((0, 5), (5, 0)):
    with raises(ValueError):
        scale_to(*wrong, 10)
assert aspect(3, 2) == 1.5 and aspect(3, 0) == 0.0
assert brightness([]) == 0.0
assert math.isclose(brightness([(1, 1, 1)] * 3), 1.0)
assert math.isclose(brightness([(1, 0, 0), (0, 0, 0)]), 0.15)
assert math.isclose(brightness([(10, 20, 30), (0, 0, 0)]), 9.0)
assert length(3, 4) == 5.0 and length(-3, 0) == 3.0
assert distance(1, 1, 4, 5) == 5.0 and distance(0, 0, 0, 2) == 2.0
assert distance(1, 2, 1, 2) == 0.0
assert path_length([(0, 0), (3, 4), (3, 5)]) == 6.0 and path_length([(1, 1)]) == 0.0
assert path_length([]) == 0.0
assert area([(0, 0), (4, 0), (4, 3), (0, 3)]) == 12.0 and area([(0, 0), (1, 0), (0, 1)]) == 0.5
assert area([(1, 1), (3, 1), (3, 2), (1, 2)]) == 2.0
assert same_point((0.1 + 0.2, 1), (0.3, 1)) and same_point((1, 0.3), (1, 0.1 + 0.2))
assert not same_point((0, 0), (0, 1)) and not same_point((0, 0), (1, 0))
rows = [[1, 2], [3, 4]]
assert rotate(rows) == [[3, 1], [4, 2]] and rotate(rows, 2) == [[4, 3], [2, 1]]
assert rotate(rows, 4) == rows and rotate(rows, 5) == rotate(rows) and rotate(rows, 0) == rows
