"""Answer what an operator asks: status, freshness, check results, schedules."""
