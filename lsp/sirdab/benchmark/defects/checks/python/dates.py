import os
import time
from datetime import date, datetime, timedelta, timezone

import dates
from dates import (
    add_months,
    age_on,
    free_slots,
    is_expired,
    is_leap,
    latest,
    merged,
    next_workday,
    overlap,
    parse_day,
    quarter,
    spoken,
    stamp,
    workdays_between,
)
from support import raises

os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()

born = date(2000, 5, 17)
assert age_on(born, date(2020, 5, 16)) == 19
assert age_on(born, date(2020, 5, 17)) == 20
assert age_on(born, date(2020, 6, 1)) == 20
monday = date(2024, 1, 1)
assert next_workday(monday) == date(2024, 1, 2)
assert next_workday(date(2024, 1, 4)) == date(2024, 1, 5)
assert next_workday(date(2024, 1, 5)) == date(2024, 1, 8)
assert next_workday(date(2024, 1, 6)) == date(2024, 1, 8)
assert workdays_between(monday, monday) == 1
assert workdays_between(monday, date(2024, 1, 7)) == 5
assert workdays_between(monday, date(2024, 1, 8)) == 6
assert workdays_between(date(2024, 1, 6), date(2024, 1, 7)) == 0
assert overlap(1, 3, 2, 4) and overlap(2, 4, 1, 3) and overlap(1, 9, 2, 3)
assert not overlap(1, 2, 2, 3) and not overlap(2, 3, 1, 2) and not overlap(1, 2, 5, 6)
assert merged([(5, 6), (1, 3), (2, 4)]) == [(1, 4), (5, 6)]
assert merged([(1, 2), (2, 3)]) == [(1, 3)] and merged([]) == []
assert merged([(1, 9), (2, 3)]) == [(1, 9)]
assert free_slots([(2, 3), (5, 6)], 1, 8) == [(1, 2), (3, 5), (6, 8)]
assert free_slots([(1, 8)], 1, 8) == [] and free_slots([], 1, 2) == [(1, 2)]
assert free_slots([(0, 2), (6, 9)], 1, 8) == [(2, 6)]
assert free_slots([(9, 10)], 1, 8) == [(1, 8)]
assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
assert add_months(date(2023, 12, 15), 1) == date(2024, 1, 15)
assert add_months(date(2024, 3, 31), -4) == date(2023, 11, 30)
assert add_months(date(2024, 1, 10), -1) == date(2023, 12, 10)
assert parse_day("2024-02-29") == date(2024, 2, 29)
assert parse_day("0999-08-09") == date(999, 8, 9)
for wrong in ("2023-02-29", "2024-02", "x-y-z", "2024-1-1-1", "2024-(2)-1"):
    assert parse_day(wrong) is None, wrong
with raises(AttributeError):
    parse_day(None)
with raises(TypeError):
    class Strange(str):
        def split(self, _):
            return [None, None, None]

    parse_day(Strange())
assert is_expired(datetime(2020, 1, 1, tzinfo=timezone.utc))
assert not is_expired(datetime.now(timezone.utc) + timedelta(minutes=1))
assert not is_expired(5, now=4) and is_expired(5, now=5) and is_expired(5, now=6)
assert is_expired(-1, now=0) and not is_expired(1, now=0)
record = {"name": "a"}
changed = datetime.fromisoformat(stamp(record)["changed"])
assert timedelta(0) <= datetime.now(timezone.utc) - changed < timedelta(minutes=1)
assert record == {"name": "a"} and stamp(record)["name"] == "a"
assert [quarter(date(2024, month, 1)) for month in range(1, 13)] == [
    1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4
]  # fmt: skip
assert [year for year in (1900, 2000, 2023, 2024, 2100) if is_leap(year)] == [2000, 2024]
assert spoken(59) == "59 s" and spoken(60) == "1 min" and spoken(3661) == "1 h 1 min"
assert spoken(7200) == "2 h 0 min" and spoken("90") == "1 min" and spoken(61.5) == "1 min"
assert spoken(0) == "0 s"
with raises(ValueError):
    spoken("60*2")
entries = [{"at": 2, "n": 1}, {"at": 5, "n": 2}, {"at": 3, "n": 0}]
assert latest(entries) == entries[1] and latest([]) is None
assert latest(entries, key="n") == entries[1]
assert latest([{"at": 1, "n": 1}, {"at": 1, "n": 2}])["n"] == 1
assert dates.FRIDAY == 4
