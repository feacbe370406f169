"""Small helpers for calendar dates."""

import datetime


def is_leap_year(year: int) -> bool:
    """Say whether a year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def parse_date(text: str) -> datetime.date:
    """Read a date written as 2024-02-29."""
    year, month, day = text.split("-")
    return datetime.date(int(year), int(month), int(day))


def days_between(first: datetime.date, second: datetime.date) -> int:
    """Return the number of days from the first date to the second."""
    return (second - first).days


def next_weekday(date: datetime.date) -> datetime.date:
    """Return the first working day after a date."""
    date += datetime.timedelta(days=1)
    while date.weekday() >= 5:
        date += datetime.timedelta(days=1)
    return date
