"""The lengths of a day and a week, in hours and days; imports nothing."""

from typing import Final

HOURS_A_DAY: Final = 24
DAYS_A_WEEK: Final = 7
HOURS_A_WEEK: Final = DAYS_A_WEEK * HOURS_A_DAY
