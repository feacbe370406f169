"""Days, times and the ranges between them."""

import calendar
from datetime import date, datetime, timedelta, timezone

FRIDAY = 4


def age_on(born, today):
    years = today.year - born.year
    if (today.month, today.day) < (born.month, born.day):
        years -= 1
    return years


def next_workday(day):
    day += timedelta(days=1)
    while day.weekday() > FRIDAY:
        day += timedelta(days=1)
    return day


def workdays_between(first, last):
    """Count the days from Monday to Friday; both ends belong to the range."""
    count = 0
    day = first
    while day <= last:
        if day.weekday() <= FRIDAY:
            count += 1
        day += timedelta(days=1)
    return count


def overlap(first_start, first_end, second_start, second_end):
    """Whether two ranges have a moment in common; their ends do not belong to them."""
    return first_start < second_end and second_start < first_end


def merged(ranges):
    """Return ranges as few as possible that cover the same days."""
    result = []
    for start, end in sorted(ranges):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def free_slots(busy, start, end):
    slots = []
    for first, last in merged(busy):
        if start < first:
            slots.append((start, min(first, end)))
        start = max(start, last)
    if start < end:
        slots.append((start, end))
    return slots


def add_months(day, months):
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def parse_day(text):
    parts = text.split("-")
    if len(parts) != 3:
        return None
    try:
        return date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None


def is_expired(until, now=None):
    if now is None:
        now = datetime.now(timezone.utc)
    return until <= now


def stamp(record):
    """Return a copy of a record with the time of its change."""
    return {**record, "changed": datetime.now(timezone.utc).isoformat()}


def quarter(day):
    return (day.month - 1) // 3 + 1


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def spoken(seconds):
    """Return a duration as people say it."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min"
    return f"{seconds} s"


def latest(entries, key="at"):
    newest = None
    for entry in entries:
        if newest is None or entry[key] > newest[key]:
            newest = entry
    return newest
